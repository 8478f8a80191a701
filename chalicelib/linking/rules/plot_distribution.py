"""The picture of what a city published: how its scores are distributed, also where that cannot bear a link."""

from __future__ import annotations

from chalicelib.cities.rules import Scale
from chalicelib.core.text import Text
from chalicelib.linking.rules import chart, svg
from chalicelib.linking.rules.cells import TIE_SHARE, Mass, masses_of
from chalicelib.linking.rules.chart import NAVY, RUST, TEAL, Frame
from chalicelib.linking.rules.check import DEGENERATE_SHARE, check_shape, concentration
from chalicelib.linking.rules.published import Published, atoms, orient_span

_PEOPLE = Text("人数占比", "share of people")
_CUMULATIVE = Text("累计占比", "cumulative share")
_LABEL_HEIGHT = 18
_PERCENT_STEPS = tuple(digit / 10**power for power in range(6, 0, -1) for digit in (1, 2, 5))


def plot_distribution_svg(published: Published, scale: Scale, verdict: Text | None = None) -> str:
    """An SVG of the distribution over the scale's grades.

    Args:
        published: Checked or not: what bears no link is drawn as well, and the picture says why.
        verdict: What was decided about it (a refusal's ``detail``), where that is another reason.

    Raises: DistributionInvalid; ScoreOffScale: rows that cannot be read, as ``check_published``.
    """
    check_shape(published, scale)
    heading = Text(f"{scale.score_name.zh}：分数分布", f"{scale.score_name.en}: how scores are distributed")
    said = Text(f"{published.n:,} 人的分数分布", f"How the scores of {published.n:,} people are distributed")
    parts = chart.headline(heading, published.illustrative or scale.illustrative)
    if published.kind != "quantiles" and not any(share > 0 for _, share in atoms(published)):
        parts += _nothing_counted(scale)
    else:
        verdict = verdict or concentration(published)
        parts += _bands(published, scale) if published.kind == "bands" else _masses(published, scale)
    if verdict:
        parts += _ribbon(verdict, published, scale)
    parts += chart.footer(_small_print(published))
    return svg.document(chart.WIDTH, chart.HEIGHT, heading, verdict or said, parts)


def _masses(published: Published, scale: Scale) -> list[str]:
    masses, counts = masses_of(published, scale), published.kind == "counts"
    whole = Frame(scale.minimum, scale.maximum, 0.0, 1.0)
    each = Frame(scale.minimum, scale.maximum, 0.0, _top_share(masses)) if counts else whole
    parts = chart.grade_columns(each, scale)
    parts += chart.upright_axis(each, _percent_marks(each.y_high), _PEOPLE if counts else _CUMULATIVE)
    if counts:
        parts += chart.key(((TEAL, Text("每分人数占比", "share at each score")), (NAVY, _CUMULATIVE)))
        parts += chart.upright_axis(whole, _percent_marks(1.0), _CUMULATIVE, right=True)
        parts.append(svg.area(_histogram(each, masses, scale.step), TEAL, 0.55))
    else:
        parts += chart.key(((NAVY, _CUMULATIVE),))
    points = _cumulative(whole, masses, scale)
    if not counts:
        floor = [whole.at(scale.maximum, 0), whole.at(scale.minimum, 0)]
        parts.append(svg.area([*points, *floor], NAVY, 0.12))
    towers = [mark for mass in masses if mass[2] - mass[1] > each.y_high for mark in _tower(each, mass, scale)]
    return [*parts, svg.curve(points, NAVY), *towers, *chart.score_axis(each, scale)]


def _top_share(masses: list[Mass]) -> float:
    """The share at the top of the frame: a score far more crowded than all others is cut off there."""
    shares = sorted(upto - below for _, below, upto in masses)
    common = [share for share in shares if share <= TIE_SHARE]
    towering = bool(common) and shares[-1] > 3 * common[-1]
    return 1.25 * (common[-1] if towering else shares[-1])


def _histogram(frame: Frame, masses: list[Mass], step: int) -> list[svg.Point]:
    """The outline of the columns, each one step wide."""
    edge = masses[0][0] - step / 2
    outline = [frame.at(edge, 0)]
    for score, below, upto in masses:
        left, right = score - step / 2, score + step / 2
        if left > edge:
            outline += [frame.at(edge, 0), frame.at(left, 0)]
        outline += [frame.at(left, upto - below), frame.at(right, upto - below)]
        edge = right
    return [*outline, frame.at(edge, 0)]


def _cumulative(frame: Frame, masses: list[Mass], scale: Scale) -> list[svg.Point]:
    """The share at each score or worse, level where nobody is."""
    half, (first, least, _), most = scale.step / 2, masses[0], masses[-1][2]
    steps = [(scale.minimum, least), (first - half, least), *((score + half, upto) for score, _, upto in masses)]
    inside = [(min(max(at, scale.minimum), scale.maximum), share) for at, share in steps]
    return [frame.at(at, share) for at, share in (*inside, (scale.maximum, most))]


def _tower(frame: Frame, mass: Mass, scale: Scale) -> list[str]:
    """The mark of a column that goes on beyond the frame, with its true height in words."""
    score, share = scale.oriented(mass[0]), 100 * (mass[2] - mass[1])
    x, y = frame.x(mass[0]), frame.top + 22
    said = f"{score} 分上有 {share:.1f} % 的人 · {share:.1f} % of people score {score}"
    left = x - frame.left > svg.width_of(said, 13) + 24
    return [
        *(svg.line((x - 8, y + 4 + gap), (x + 8, y - 4 + gap), "#ffffff", 2.5) for gap in (0, 6)),
        svg.words(x - 14 if left else x + 14, y + 6, said, 13, RUST, "end" if left else "start", bold=True),
    ]


def _bands(published: Published, scale: Scale) -> list[str]:
    frame = Frame(scale.minimum, scale.maximum, 0.0, 1.12 * max(percent for _, _, percent in published.bands) / 100)
    colours = [RUST if percent >= 100 * DEGENERATE_SHARE else TEAL for _, _, percent in published.bands]
    parts = chart.grade_columns(frame, scale)
    parts += chart.key([(TEAL, Text("区间人数占比", "share of people in each band"))])
    parts += chart.upright_axis(frame, _percent_marks(frame.y_high), _PEOPLE)
    labels, raised, beside = [], False, 0.0
    for (lo, hi, percent), colour in zip(published.bands, colours, strict=True):
        left, right = sorted(frame.x(edge) for edge in orient_span(scale, lo, hi))
        top = min(frame.y(percent / 100), frame.bottom - 2)
        parts.append(svg.rect(left + 1, top, right - left - 2, frame.bottom - top, colour, 0.85, 2))
        raised = not raised and frame.bottom - top < _LABEL_HEIGHT
        said = f"{percent:.6f}".rstrip("0").rstrip(".") + " %"
        at = (
            (left + right) / 2
            if beside < 2 * _LABEL_HEIGHT
            else max((left + right) / 2, left + 4 + svg.width_of(said, 6))
        )
        labels.append(svg.words(at, top - 7 - _LABEL_HEIGHT * raised, said, 11.5, colour, "middle", bold=True))
        beside = frame.bottom - top
    return parts + labels + chart.score_axis(frame, scale)


def _nothing_counted(scale: Scale) -> list[str]:
    frame = Frame(scale.minimum, scale.maximum, 0.0, 1.0)
    x, y = (frame.left + frame.right) / 2, (frame.top + frame.bottom) / 2
    return [
        *chart.grade_columns(frame, scale),
        svg.words(x, y - 8, "未公布人数：只能按等级对应，不能换算分值", 17, RUST, "middle", bold=True),
        svg.words(x, y + 16, "No counts published: a grade by policy, never a number", 13, RUST, "middle"),
        *chart.score_axis(frame, scale),
    ]


def _ribbon(verdict: Text, published: Published, scale: Scale) -> list[str]:
    """The verdict in the half of the frame that has fewer people."""
    frame = Frame(scale.minimum, scale.maximum, 0.0, 1.0)
    crowded = max(atoms(published), key=lambda atom: atom[1], default=(scale.maximum, 0.0))[0]
    width = max(svg.width_of(verdict.zh, 15), svg.width_of(verdict.en, 12)) + 48
    on_left = frame.x(scale.oriented(crowded)) > (frame.left + frame.right) / 2
    left, top = (frame.left + 24 if on_left else frame.right - 24 - width), frame.top + 70
    return [
        svg.rect(left, top, width, 60, "#fdf0ec", 0.97, 6),
        svg.rect(left, top, 5, 60, RUST, radius=2),
        svg.words(left + 24, top + 26, verdict.zh, 15, RUST, bold=True),
        svg.words(left + 24, top + 46, verdict.en, 12, RUST),
    ]


def _percent_marks(top: float) -> list[tuple[float, str]]:
    """Round shares from zero to the top of the frame, about ten of them."""
    step = next(step for step in (*_PERCENT_STEPS, 1.0) if top / step <= 11)
    return [(k * step, f"{100 * k * step:.4g} %") for k in range(int(min(top, 1.0) / step + 1e-9) + 1)]


def _small_print(published: Published) -> list[str]:
    period = f"统计时段 period {published.period_from} – {published.period_to}"
    lines = [f"{period} · 人数 people {published.n:,}"] if published.n else []
    return [*lines, f"来源 source: {published.source}"] if published.source else lines
