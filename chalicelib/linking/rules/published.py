"""What a city publishes about how its scores are distributed, and the refusals of what cannot bear a link."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from chalicelib.cities.rules import Scale
from chalicelib.core.errors import Problem
from chalicelib.core.text import Text

Kind = Literal["counts", "quantiles", "bands", "cuts", "range"]
Band = tuple[int, int, float]

PROVISIONAL = "provisional"
LARGE_ATOM = "large_atom"
FLOOR_CROWDED = "floor_crowded"
CEILING_CROWDED = "ceiling_crowded"
SHARES_NORMALISED = "shares_normalised"
ILLUSTRATIVE = "illustrative"
POPULATION_EQUIVALENCE_ASSUMED = "population_equivalence_assumed"
FLOOR = "floor"
CEILING = "ceiling"
TIE_BAND = "tie_band"

FLAGS = {
    PROVISIONAL: Text("样本不足一千人，结果为暂定", "Fewer than 1,000 people: provisional"),
    LARGE_ATOM: Text("有一个分值集中了两成以上的人", "More than 20 % of people share one score"),
    FLOOR_CROWDED: Text("最低分上的人超过百分之一", "More than 1 % of people sit on the lowest score"),
    CEILING_CROWDED: Text("最高分上的人超过百分之一", "More than 1 % of people sit on the highest score"),
    SHARES_NORMALISED: Text("公布的占比之和不足或超过百分之百，已归一", "Published shares missed 100 %; normalised"),
    ILLUSTRATIVE: Text("演示数据，非真实统计", "Illustrative data, not real statistics"),
    POPULATION_EQUIVALENCE_ASSUMED: Text(
        "假定两城居民总体信用水平相当", "Assumes that the two cities' residents are equally creditworthy"
    ),
    FLOOR: Text("低于有观测的范围", "Below the range in which people were observed"),
    CEILING: Text("高于有观测的范围", "Above the range in which people were observed"),
    TIE_BAND: Text("许多人同分，只知所在区间", "Many people tie here; only the band is known"),
}


class DistributionInvalid(Problem):
    code = "distribution-invalid"
    status = 422
    title = Text("分布数据有误", "The distribution is not well formed")


class DistributionDegenerate(Problem):
    code = "distribution-degenerate"
    status = 422
    title = Text("分布过于集中，无法换算", "The distribution is too concentrated to be linked")


class DistributionSumOff(Problem):
    code = "distribution-sum-off"
    status = 422
    title = Text("人数或占比之和不符", "The counts or shares do not add up")


class DistributionTooSmall(Problem):
    code = "distribution-too-small"
    status = 422
    title = Text("人数过少，无法换算", "Too few people to be linked")


class DistributionOutOfDate(Problem):
    code = "distribution-out-of-date"
    status = 422
    title = Text("统计时段不在有效范围内", "The period of the distribution is not current")


class LinkRangeOnly(Problem):
    code = "link-range-only"
    status = 422
    title = Text("只有分值范围，无法换算", "A range alone cannot be linked")


@dataclass(frozen=True, slots=True)
class Published:
    """The distribution a city submits for one version of its scale. Scores are raw, as the city prints them.

    Args:
        kind: Which of the fields below carries the data. ``cuts``: only the scale's grades; ``range``: not even those.
        n: People counted; 0 where nobody was.
        period_from, period_to: When the scores stood, half-open.
        counts: (score, people), scores rising.
        quantiles: (p, score): the share p of people has at most this score; p strictly rising in [0, 1].
        bands: (from, to exclusive, percent of people), adjoining and rising.
        flags: What ``check_published`` found worth a warning.
    """

    kind: Kind
    period_from: date
    period_to: date
    n: int = 0
    counts: tuple[tuple[int, int], ...] = ()
    quantiles: tuple[tuple[float, int], ...] = ()
    bands: tuple[Band, ...] = ()
    source: str = ""
    illustrative: bool = False
    flags: tuple[str, ...] = ()


def grade_bands(scale: Scale, percents: tuple[float, ...]) -> tuple[Band, ...]:
    """The shares of a scale's grades, worst first, as bands on its cuts."""
    assert len(percents) == len(scale.grades), "one share for each grade"
    edges = (scale.minimum, *scale.grade_thresholds(), scale.maximum + scale.step)
    pairs = zip(edges, edges[1:], percents, strict=False)
    return tuple(sorted((*orient_span(scale, lo, hi), percent) for lo, hi, percent in pairs))


def orient_span(scale: Scale, lo: int, hi_exclusive: int) -> tuple[int, int]:
    """The half-open span of scores with more being better: itself, or mirrored. Its own inverse."""
    if scale.direction == "higher_is_better":
        return lo, hi_exclusive
    return scale.oriented(hi_exclusive - scale.step), scale.oriented(lo) + scale.step


def oriented_counts(published: Published, scale: Scale) -> list[tuple[int, int]]:
    """(oriented score, people) in rising order, scores that nobody has left out."""
    return sorted((scale.oriented(score), people) for score, people in published.counts if people)


def oriented_quantiles(published: Published, scale: Scale) -> list[tuple[float, int]]:
    """(share of people at most as good, oriented score), both rising."""
    if scale.direction == "higher_is_better":
        return list(published.quantiles)
    return [(1.0 - p, scale.oriented(score)) for p, score in reversed(published.quantiles)]


def oriented_bands(published: Published, scale: Scale) -> list[Band]:
    """(from, to exclusive, percent of all people) with more being better, rising, adding up to 100."""
    total = sum(percent for _, _, percent in published.bands)
    return sorted((*orient_span(scale, lo, hi), percent * 100.0 / total) for lo, hi, percent in published.bands)


def atoms(published: Published) -> list[tuple[int, float]]:
    """(raw score or start of band, share of people in [0, 1]) for every score or band, as published.

    Between two quantile rows nothing is known: only the ties among the rows are listed.
    """
    if published.kind == "bands":
        return [(lo, percent / 100.0) for lo, _, percent in published.bands]
    if published.kind == "counts":
        total = sum(people for _, people in published.counts) or 1
        return [(score, people / total) for score, people in published.counts]
    first: dict[int, float] = {}
    last: dict[int, float] = {}
    for p, score in published.quantiles:
        first.setdefault(score, p)
        last[score] = p
    return [(score, last[score] - first[score]) for score in first]
