"""The few SVG elements that the pictures are made of. Same arguments, same bytes; every word is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Literal

from chalicelib.core.text import Text

FONTS = "'Noto Sans CJK SC','Noto Sans SC','PingFang SC','Microsoft YaHei',sans-serif"
INK, FAINT, GRID = "#22313f", "#667684", "#dfe5ea"

Anchor = Literal["start", "middle", "end"]
Point = tuple[float, float]


def document(width: int, height: int, title: Text, said: Text, parts: Iterable[str]) -> str:
    """A whole picture on white, with its title and description for those who do not see it."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' role="img" aria-labelledby="title desc" font-family="{FONTS}">'
    )
    named = f'<title id="title">{escape(title.zh)} / {escape(title.en)}</title>'
    described = f'<desc id="desc">{escape(said.zh)} / {escape(said.en)}</desc>'
    return "\n".join((head, named, described, rect(0, 0, width, height, "#ffffff"), *parts, "</svg>\n"))


def words(
    x: float, y: float, said: str, size: float = 12, fill: str = INK, anchor: Anchor = "start", bold: bool = False
) -> str:
    """One line of text; ``y`` is its baseline. A white rim keeps it legible across lines."""
    weight = ' font-weight="700"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{fill}" text-anchor="{anchor}"{weight}'
        f' paint-order="stroke" stroke="#ffffff" stroke-opacity="0.85" stroke-width="3" stroke-linejoin="round">'
        f"{escape(said)}</text>"
    )


def rect(x: float, y: float, width: float, height: float, fill: str, opacity: float = 1, radius: float = 0) -> str:
    """A filled rectangle."""
    extra = (f' rx="{radius:g}"' if radius else "") + (f' fill-opacity="{opacity:g}"' if opacity != 1 else "")
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}"{extra}/>'


def line(start: Point, end: Point, stroke: str = GRID, width: float = 1, dash: str = "") -> str:
    """A straight line."""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}"'
        f' stroke="{stroke}" stroke-width="{width:g}"{dashed}/>'
    )


def curve(points: Sequence[Point], stroke: str, width: float = 2.2, dash: str = "") -> str:
    """An open line through the points."""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<path d="{_through(points)}" fill="none" stroke="{stroke}" stroke-width="{width:g}"'
        f' stroke-linejoin="round" stroke-linecap="round"{dashed}/>'
    )


def area(points: Sequence[Point], fill: str, opacity: float) -> str:
    """A filled outline."""
    return f'<path d="{_through(points)}Z" fill="{fill}" fill-opacity="{opacity:g}"/>'


def dot(at: Point, fill: str, radius: float = 3.5) -> str:
    """A dot with a white rim."""
    return (
        f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="{radius:g}" fill="{fill}" stroke="#ffffff" stroke-width="1.5"/>'
    )


def width_of(said: str, size: float) -> float:
    """About how wide a line of text is: a Chinese character is square, a Latin letter a little over half as wide."""
    return sum(size if ord(c) > 0x2E7F else size * 0.56 for c in said)


def _through(points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
