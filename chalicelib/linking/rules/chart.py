"""The frame every picture of linking shares: headline, axes, grades, a key, and where the data are from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chalicelib.cities.rules import Scale
from chalicelib.core.text import Text
from chalicelib.linking.rules import svg
from chalicelib.linking.rules.svg import FAINT, GRID, INK, Point

WIDTH, HEIGHT = 960, 690
TEAL, NAVY, RUST, AMBER = "#0f7c76", "#264a6e", "#b5482f", "#c98a1b"
STRIP = 38

_WORST, _BEST = (246, 240, 230), (205, 230, 226)
_TICK_STEPS = (1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1_000)


@dataclass(frozen=True, slots=True)
class Frame:
    """The plot area, and how data become points on it. Data run from ``low`` to ``high`` on each axis."""

    x_low: float
    x_high: float
    y_low: float
    y_high: float
    left: float = 76
    top: float = 164
    right: float = WIDTH - 76
    bottom: float = HEIGHT - 132

    def x(self, value: float) -> float:
        """Where a value lies across."""
        return self.left + (value - self.x_low) / (self.x_high - self.x_low) * (self.right - self.left)

    def y(self, value: float) -> float:
        """Where a value lies, counted downwards; values above the frame are cut off at its top."""
        share = (value - self.y_low) / (self.y_high - self.y_low)
        return self.bottom - min(share, 1.0) * (self.bottom - self.top)

    def at(self, x: float, y: float) -> Point:
        """Where a pair of values lies."""
        return self.x(x), self.y(y)


def headline(title: Text, illustrative: bool) -> list[str]:
    """The title in both languages, and a plain word where the data are invented."""
    parts = [svg.words(76, 42, title.zh, 22, bold=True), svg.words(76, 66, title.en, 14, FAINT)]
    if illustrative:
        parts += [
            svg.rect(WIDTH - 76 - 176, 22, 176, 26, AMBER, 0.16, 13),
            svg.words(WIDTH - 76 - 88, 40, "演示数据 · illustrative", 13, "#7a5208", "middle", bold=True),
        ]
    return parts


def key(entries: Iterable[tuple[str, Text]]) -> list[str]:
    """What the colours mean, in one line under the headline."""
    parts, x = [], 76.0
    for colour, said in entries:
        both = f"{said.zh} {said.en}"
        parts += [svg.rect(x, 88, 16, 10, colour, radius=2), svg.words(x + 22, 97, both, 12, FAINT)]
        x += 22 + svg.width_of(both, 12) + 26
    return parts


def footer(lines: Sequence[str]) -> list[str]:
    """Small print at the foot."""
    return [svg.words(76, HEIGHT - 54 + 18 * i, said, 11.5, FAINT) for i, said in enumerate(lines)]


def grade_columns(frame: Frame, scale: Scale) -> list[str]:
    """Each grade as a shaded column, named in the strip above it; nothing on a scale without grades."""
    spans = grade_spans(scale)
    parts = []
    for i, (name, name_en, low, high) in enumerate(spans):
        x, width = frame.x(low), frame.x(high) - frame.x(low)
        shade, top = _shade(i, len(spans)), frame.top - STRIP
        parts.append(svg.rect(x, frame.top, width, frame.bottom - frame.top, shade, 0.75))
        parts.append(svg.rect(x + 0.5, top, width - 1, STRIP - 2, shade))
        english = name_en != name and svg.width_of(name_en, 10) < width - 4
        parts.append(svg.words(x + width / 2, top + (16 if english else 23), name, 12, INK, "middle", bold=True))
        if english:
            parts.append(svg.words(x + width / 2, top + 30, name_en, 10, FAINT, "middle"))
    return parts


def grade_rows(frame: Frame, scale: Scale) -> list[str]:
    """Each grade of the scale on the upright axis as a shaded row, named at the right."""
    spans = grade_spans(scale)
    parts = []
    for i, (name, _, low, high) in enumerate(spans):
        y, height = frame.y(high), frame.y(low) - frame.y(high)
        parts.append(svg.rect(frame.left, y, frame.right - frame.left, height, _shade(i, len(spans)), 0.75))
        parts.append(svg.words(frame.right + 8, y + height / 2 + 4, name, 12, INK, bold=True))
    return parts


def grade_spans(scale: Scale) -> list[tuple[str, str, int, int]]:
    """(name, English name, oriented from, to) of each grade, worst first."""
    edges = (scale.minimum, *scale.grade_thresholds(), scale.maximum)
    return [
        (grade.name, grade.name_en, low, high) for grade, low, high in zip(scale.grades, edges, edges[1:], strict=False)
    ]


def score_axis(frame: Frame, scale: Scale) -> list[str]:
    """The score across, worse to the left, labelled as the city prints it."""
    parts = [svg.line((frame.left, frame.bottom), (frame.right, frame.bottom), INK, 1.2)]
    for score in ticks(scale.minimum, scale.maximum):
        x = frame.x(scale.oriented(score))
        parts.append(svg.line((x, frame.bottom), (x, frame.bottom + 5), INK, 1.2))
        parts.append(svg.words(x, frame.bottom + 20, str(score), 12, INK, "middle"))
    middle = (frame.left + frame.right) / 2
    said = f"{scale.score_name.zh} {scale.score_name.en}"
    return [*parts, svg.words(middle, frame.bottom + 42, said, 13, INK, "middle", bold=True)]


def upright_axis(frame: Frame, marks: Iterable[tuple[float, str]], title: Text, *, right: bool = False) -> list[str]:
    """Labels up one side; grid lines belong to the left one only."""
    x = frame.right + 8 if right else frame.left - 8
    parts = []
    for value, label in marks:
        y = frame.y(value)
        if not right:
            parts.append(svg.line((frame.left, y), (frame.right, y), GRID))
        parts.append(svg.words(x, y + 4, label, 12, INK, "start" if right else "end"))
    said = f"{title.zh} {title.en}"
    edge = WIDTH - 14 if right else 14
    return [*parts, svg.words(edge, frame.top - STRIP - 8, said, 12, FAINT, "end" if right else "start")]


def ticks(low: int, high: int) -> list[int]:
    """Round numbers from end to end, about ten of them, both ends among them."""
    step = next((s for s in _TICK_STEPS if (high - low) / s <= 11), max(1, (high - low) // 10))
    inner = [t for t in range(-(-low // step) * step, high + 1, step) if min(t - low, high - t) > step / 2]
    return sorted({low, *inner, high})


def _shade(i: int, count: int) -> str:
    share = i / max(count - 1, 1)
    mixed = (round(a + (b - a) * share) for a, b in zip(_WORST, _BEST, strict=True))
    return "#" + "".join(f"{c:02x}" for c in mixed)
