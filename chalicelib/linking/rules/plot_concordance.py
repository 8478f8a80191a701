"""Pictures of a concordance: a city's score against R, and one city's score against another's."""

from __future__ import annotations

from chalicelib.cities.rules import Scale
from chalicelib.core.text import Text
from chalicelib.linking.rules import chart, svg
from chalicelib.linking.rules.chart import NAVY, RUST, TEAL, Frame
from chalicelib.linking.rules.concordance import Concordance
from chalicelib.linking.rules.convert import Conversion, convert
from chalicelib.linking.rules.published import (
    CEILING,
    FLAGS,
    FLOOR,
    ILLUSTRATIVE,
    POPULATION_EQUIVALENCE_ASSUMED,
)
from chalicelib.linking.rules.reading import check_linked, curve_for
from chalicelib.linking.rules.reference import R_LEAST, R_MOST, rank_of_r
from chalicelib.linking.rules.svg import FAINT, INK, Point

_BAND = "#9fcfca"
_MOST_POINTS = 400

_METHOD_NAMES = {
    "equipercentile_counts": Text("等百分位法（每分人数）", "equipercentile, counts"),
    "equipercentile_quantiles": Text("等百分位法（分位数）", "equipercentile, quantiles"),
    "bands": Text("按等级占比", "through the shares of bands"),
    "grade_policy": Text("仅等级", "grades only"),
}


def plot_concordance_svg(c: Concordance, scale: Scale) -> str:
    """An SVG of score against R with its bounds, over the grades; R of every cut is written beside it.

    Raises: LinkNotNumeric.
    """
    check_linked(c, c)
    heading = Text(f"{scale.score_name.zh} → 参照值 R", f"{scale.score_name.en} to reference value R")
    frame = Frame(scale.minimum, scale.maximum, R_LEAST, R_MOST)
    said = Text(
        "每个分值在基准人群中的位置及其误差范围", "Where each score stands in the reference population, with bounds"
    )
    parts = chart.headline(heading, ILLUSTRATIVE in c.flags)
    parts += chart.grade_columns(frame, scale)
    parts += chart.key(((TEAL, Text("参照值", "R")), (_BAND, Text("上下界", "bounds, 95 % one-sided"))))
    parts += chart.upright_axis(frame, [(r, f"{r}") for r in range(0, 1001, 100)], Text("参照值", "R"))
    marks = [(r, _percent(rank_of_r(r))) for r in range(200, 801, 100)]
    parts += chart.upright_axis(frame, marks, Text("基准人群百分位", "percentile"), right=True)
    parts += _curve_of_r(frame, c) + _cuts(frame, c, scale) + chart.score_axis(frame, scale)
    parts += chart.footer(_small_print(c))
    return svg.document(chart.WIDTH, chart.HEIGHT, heading, said, parts)


def plot_link_svg(
    from_c: Concordance, from_scale: Scale, to_c: Concordance, to_scale: Scale, mark: int | None = None
) -> str:
    """An SVG of one city's score against another's, with bounds, over the destination's grades; min–max for comparison.

    Args:
        mark: A home score to follow across. Only for invented people: it tells the score.

    Raises: LinkNotNumeric; ReferenceMixed; ScoreOffScale; in this order.
    """
    check_linked(from_c, to_c)
    here, there = from_scale.score_name, to_scale.score_name
    heading = Text(f"{here.zh} → {there.zh}", f"{here.en} to {there.en}")
    said = Text("换算曲线、上下界与线性折算的对比", "The conversion, its bounds, and min–max scaling for comparison")
    frame = Frame(from_scale.minimum, from_scale.maximum, to_scale.minimum, to_scale.maximum)
    grid = _sampled(from_scale)
    results = [convert(from_scale.oriented(s), from_c, from_scale, to_c, to_scale) for s in grid]
    parts = chart.headline(heading, ILLUSTRATIVE in from_c.flags + to_c.flags)
    parts += chart.grade_rows(frame, to_scale) + _destination_axis(frame, to_scale) + _home_cuts(frame, from_scale)
    parts += chart.key(
        (
            (TEAL, Text("换算值", "equivalent")),
            (_BAND, Text("上下界", "bounds, 95 % one-sided")),
            (RUST, Text("线性折算（不采用）", "min–max, refused")),
        )
    )
    parts += _pair_curve(frame, results, from_scale, to_scale)
    if mark is not None:
        parts += _follow(frame, convert(mark, from_c, from_scale, to_c, to_scale), from_scale, to_scale)
    parts += chart.score_axis(frame, from_scale) + chart.footer(_both_small_prints(from_c, to_c))
    return svg.document(chart.WIDTH, chart.HEIGHT, heading, said, parts)


def _curve_of_r(frame: Frame, c: Concordance) -> list[str]:
    """The bounds as an area and R as a line, dashed where nobody was observed."""
    upper = [frame.at(s, bound[1]) for (s, _), bound in zip(c.knots, c.bounds, strict=True)]
    lower = [frame.at(s, bound[0]) for (s, _), bound in zip(c.knots, c.bounds, strict=True)]
    least, most = curve_for(c).observed()
    seen = [frame.at(s, r) for s, r in c.knots if least <= r <= most]
    unseen = [[frame.at(s, r) for s, r in c.knots if r <= least], [frame.at(s, r) for s, r in c.knots if r >= most]]
    dashed = [svg.curve(points, TEAL, 1.6, "2 5") for points in unseen if len(points) > 1]
    return [svg.area([*upper, *reversed(lower)], _BAND, 0.6), *dashed, svg.curve(seen, TEAL)]


def _cuts(frame: Frame, c: Concordance, scale: Scale) -> list[str]:
    """A dot where each grade begins, with its R; labels to the right of a rising curve stay clear of it."""
    parts = []
    for threshold, r in zip(scale.grade_thresholds(), c.cuts_r, strict=True):
        x, y = frame.at(threshold - scale.step / 2, r)
        parts += [svg.dot((x, y), TEAL), svg.words(x + 9, y + 13, f"R {r:.0f}", 11.5, INK)]
    return parts


def _pair_curve(frame: Frame, results: list[Conversion], from_scale: Scale, to_scale: Scale) -> list[str]:
    """Bounds as an area and the equivalent as a line, faint and dashed where either city observed nobody."""

    def track(of: list[Conversion], name: str) -> list[Point]:
        return [frame.at(from_scale.oriented(one.score), _up(to_scale, getattr(one, name))) for one in of]

    def area(of: list[Conversion], opacity: float) -> str:
        return svg.area([*track(of, "upper_bound"), *reversed(track(of, "lower_bound"))], _BAND, opacity)

    low = [i for i, one in enumerate(results) if FLOOR in one.flags]
    high = [i for i, one in enumerate(results) if CEILING in one.flags]
    start, end = (low[-1] + 1 if low else 0), (high[0] if high else len(results))
    outside = [part for part in (results[: start + 1], results[end - 1 :]) if len(part) > 1]
    straight = [frame.at(frame.x_low, frame.y_low), frame.at(frame.x_high, frame.y_high)]
    return [
        *(area(part, 0.22) for part in outside),
        area(results[start:end], 0.75),
        svg.curve(straight, RUST, 1.6, "7 6"),
        *(svg.curve(track(part, "equivalent"), TEAL, 1.6, "2 5") for part in outside),
        svg.curve(track(results[start:end], "equivalent"), TEAL),
    ]


def _follow(frame: Frame, result: Conversion, from_scale: Scale, to_scale: Scale) -> list[str]:
    """One score followed up to the curve and across, with what min–max would have made of it."""
    across = from_scale.oriented(result.score)
    x, y = frame.at(across, _up(to_scale, result.equivalent))
    share = (across - frame.x_low) / (frame.x_high - frame.x_low)
    straight = frame.y_low + share * (frame.y_high - frame.y_low)
    return [
        svg.line((x, frame.bottom), (x, frame.y(straight)), NAVY, 1.2, "3 4"),
        svg.line((frame.left, y), (x, y), NAVY, 1.2, "3 4"),
        svg.dot((x, frame.y(straight)), RUST),
        svg.dot((x, y), TEAL, 5),
        svg.words(frame.left + 10, y - 8, f"{result.score} → {result.equivalent_score}", 15, NAVY, bold=True),
        svg.words(frame.left + 10, y + 18, f"下界 lower bound {result.lower_bound}", 12, NAVY),
        svg.words(x - 10, frame.y(straight) - 6, f"{_up(to_scale, straight):.0f}", 12, RUST, "end", bold=True),
    ]


def _destination_axis(frame: Frame, scale: Scale) -> list[str]:
    marks = [(scale.oriented(score), str(score)) for score in chart.ticks(scale.minimum, scale.maximum)]
    return chart.upright_axis(frame, marks, scale.score_name)


def _home_cuts(frame: Frame, scale: Scale) -> list[str]:
    """The home grades as fine lines, named in the strip above."""
    parts = []
    for name, _, low, high in chart.grade_spans(scale):
        if low > scale.minimum:
            parts.append(svg.line((frame.x(low), frame.top - 24), (frame.x(low), frame.bottom), "#b9c4cd", 1, "1 4"))
        parts.append(svg.words((frame.x(low) + frame.x(high)) / 2, frame.top - 10, name, 11, FAINT, "middle"))
    return parts


def _sampled(scale: Scale) -> list[int]:
    """Oriented grid scores from end to end, no more than a picture can show."""
    stride = scale.step * max(1, (scale.maximum - scale.minimum) // scale.step // _MOST_POINTS)
    return sorted({*range(scale.minimum, scale.maximum, stride), scale.maximum})


def _up(scale: Scale, score: float) -> float:
    return score if scale.direction == "higher_is_better" else scale.minimum + scale.maximum - score


def _percent(rank: float) -> str:
    return f"{100 * rank:.3g} %"


def _small_print(c: Concordance) -> list[str]:
    notes = [FLAGS[flag] for flag in c.flags if flag in FLAGS and flag != ILLUSTRATIVE]
    said = ["；".join(note.zh for note in notes), "; ".join(note.en for note in notes)]
    return [_record_line(c), *(line for line in said if line)]


def _both_small_prints(from_c: Concordance, to_c: Concordance) -> list[str]:
    assumed = FLAGS[POPULATION_EQUIVALENCE_ASSUMED]
    note = [f"{assumed.zh} {assumed.en}"] if POPULATION_EQUIVALENCE_ASSUMED in from_c.flags + to_c.flags else []
    return [_record_line(from_c), _record_line(to_c), *note]


def _record_line(c: Concordance) -> str:
    method, period = _METHOD_NAMES[c.method], f"{c.period_from} – {c.period_to}"
    return f"{c.id} · {method.zh} {method.en} · n = {c.n:,} · {period} · 基准 reference {c.reference_id}"
