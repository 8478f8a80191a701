"""The gate: every refusal of a published distribution, in one fixed order.

Places are JSON pointers into the submission: ``/counts/3/1`` is the number of people in the fourth row.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from chalicelib.cities.rules import Scale
from chalicelib.core.text import Text
from chalicelib.linking.rules.published import (
    CEILING_CROWDED,
    FLOOR_CROWDED,
    LARGE_ATOM,
    PROVISIONAL,
    SHARES_NORMALISED,
    Band,
    DistributionDegenerate,
    DistributionInvalid,
    DistributionOutOfDate,
    DistributionSumOff,
    DistributionTooSmall,
    LinkRangeOnly,
    Published,
    atoms,
)

LEAST_PEOPLE = 200
SETTLED_PEOPLE = 1_000
OLDEST_DAYS = 400
DEGENERATE_SHARE = 0.95
LARGE_ATOM_SHARE = 0.20
CROWDED_END_SHARE = 0.01
SHARES_MAY_MISS_PERCENT = 0.1
REQUIRED_RANKS = (0.0001, 0.001, 0.005, *(k / 100 for k in range(1, 100)), 0.995, 0.999, 0.9999)

_ROUNDING = 1e-9


def check_published(published: Published, scale: Scale, today: date) -> Published:
    """The submission itself with its warnings as flags, if a link may be built on it.

    Raises:
        LinkRangeOnly: a range and nothing else, or cut points of a scale without grades.
        DistributionInvalid: data of another kind given, or none; ``n`` not a whole number; rows misshapen: not
            finite, negative or fractional, not rising, not adjoining, quantile rows missing.
        ScoreOffScale: a score or edge out of range or off the grid.
        DistributionDegenerate: fewer than two scores or bands with people, or 95 % and more in one.
        DistributionSumOff: counts that do not sum to ``n``, shares that miss 100 % by more than 0.1.
        DistributionTooSmall: fewer than 200 people.
        DistributionOutOfDate: a period that is empty, not over yet, or ended more than 400 days ago.
    """
    if published.kind == "range" or (published.kind == "cuts" and not scale.grades):
        said = Text(
            "请公布各分值人数、分位数或等级占比", "Publish counts per score, quantiles or the shares of the grades"
        )
        raise LinkRangeOnly(said)
    check_shape(published, scale)
    if published.kind == "cuts":
        return published
    crowded = concentration(published)
    if crowded:
        raise DistributionDegenerate(crowded)
    _check_sum(published)
    _check_people(published.n)
    _check_period(published, today)
    return replace(published, flags=_warnings(published, scale))


def check_shape(published: Published, scale: Scale) -> None:
    """What must hold for a submission to be read, or drawn, at all.

    Raises: DistributionInvalid; ScoreOffScale; as ``check_published``.
    """
    for kind in ("counts", "quantiles", "bands"):
        given, wanted = bool(getattr(published, kind)), published.kind == kind
        if given != wanted:
            said = Text("数据与所选类型不符", "The data given are not of the kind named")
            raise DistributionInvalid.at(f"/{kind}", said)
    if published.kind not in {"cuts", "range"}:
        _check_whole(published.n, "/n")
        _check_rows(published, scale)


def concentration(published: Published) -> Text | None:
    """Why a distribution is too concentrated to bear a link; None if it is not. Looks at the shares as published."""
    shares = [share for _, share in atoms(published) if share > 0 or published.kind == "quantiles"]
    if len(shares) < 2:
        return Text("至少要有两个不同的分值或区间有人", "At least two different scores or bands must have people")
    if max(shares) < DEGENERATE_SHARE - _ROUNDING:
        return None
    said = Text(
        "{percent} % 的人集中在一个分值或区间，无法换算", "{percent} % of people share one score or band: no link"
    )
    return said.format(percent=f"{100 * max(shares):.4g}")


def _check_rows(published: Published, scale: Scale) -> None:
    if published.kind == "counts":
        _check_counts(published.counts, scale)
    elif published.kind == "quantiles":
        _check_quantiles(published.quantiles, scale)
    else:
        _check_bands(published.bands, scale)


def _check_counts(counts: tuple[tuple[int, int], ...], scale: Scale) -> None:
    for i, (score, people) in enumerate(counts):
        scale.check(score, f"/counts/{i}/0")
        if i and score <= counts[i - 1][0]:
            raise DistributionInvalid.at(f"/counts/{i}/0", Text("分值必须逐行上升", "Scores must rise from row to row"))
        _check_whole(people, f"/counts/{i}/1")


def _check_quantiles(quantiles: tuple[tuple[float, int], ...], scale: Scale) -> None:
    for i, (p, score) in enumerate(quantiles):
        _check_number(p, 1.0, f"/quantiles/{i}/0")
        if i and p <= quantiles[i - 1][0]:
            said = Text("分位必须严格上升", "Each p must be greater than the one before")
            raise DistributionInvalid.at(f"/quantiles/{i}/0", said)
        scale.check(score, f"/quantiles/{i}/1")
        if i and score < quantiles[i - 1][1]:
            raise DistributionInvalid.at(f"/quantiles/{i}/1", Text("分位数不得下降", "Quantiles must not fall"))
    given = {round(p, 6) for p, _ in quantiles}
    if any(p not in given for p in REQUIRED_RANKS):
        said = Text(
            "须给出 1 % 至 99 % 的全部百分位及六个尾部分位：.0001 .001 .005 .995 .999 .9999",
            "Give all 99 percentiles and six tails: .0001 .001 .005 .995 .999 .9999",
        )
        raise DistributionInvalid.at("/quantiles", said)


def _check_bands(bands: tuple[Band, ...], scale: Scale) -> None:
    for i, (lo, hi, percent) in enumerate(bands):
        scale.check(lo, f"/bands/{i}/0")
        if type(hi) is not int or hi != scale.maximum + scale.step:
            scale.check(hi, f"/bands/{i}/1")
        if hi <= lo:
            raise DistributionInvalid.at(f"/bands/{i}/1", Text("区间为空", "The band is empty"))
        if i and lo != bands[i - 1][1]:
            said = Text("区间必须首尾相接", "Each band must begin where the one before ends")
            raise DistributionInvalid.at(f"/bands/{i}/0", said)
        _check_number(percent, 100.0, f"/bands/{i}/2")


def _check_whole(value: object, pointer: str) -> None:
    if type(value) is not int or value < 0:
        raise DistributionInvalid.at(
            pointer, Text("人数必须是非负整数", "People are counted in whole numbers from zero")
        )


def _check_number(value: object, most: float, pointer: str) -> None:
    # NaN fails both comparisons, and True is an int.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0.0 <= value <= most:
        said = Text("必须是 0 至 {most} 之间的数", "Give a number between 0 and {most}").format(most=f"{most:g}")
        raise DistributionInvalid.at(pointer, said)


def _check_sum(published: Published) -> None:
    if published.kind == "counts" and sum(people for _, people in published.counts) != published.n:
        raise DistributionSumOff.at("/n", Text("各分值人数之和不等于总人数", "The counts do not sum to n"))
    if published.kind == "bands" and abs(_missing_percent(published)) > SHARES_MAY_MISS_PERCENT + _ROUNDING:
        said = Text("各区间占比之和偏离 100 % 超过 0.1", "The shares miss 100 % by more than 0.1")
        raise DistributionSumOff.at("/bands", said)


def _missing_percent(published: Published) -> float:
    return 100.0 - sum(percent for _, _, percent in published.bands)


def _check_people(n: int) -> None:
    if n < LEAST_PEOPLE:
        raise DistributionTooSmall.at("/n", Text("至少需要 200 人", "At least 200 people are needed"))


def _check_period(published: Published, today: date) -> None:
    if published.period_to <= published.period_from:
        raise DistributionOutOfDate.at("/period_to", Text("时段为空", "The period is empty"))
    if published.period_to > today:
        raise DistributionOutOfDate.at("/period_to", Text("时段尚未结束", "The period is not over yet"))
    if (today - published.period_to).days > OLDEST_DAYS:
        said = Text("时段结束已超过 400 天", "The period ended more than 400 days ago")
        raise DistributionOutOfDate.at("/period_to", said)


def _warnings(published: Published, scale: Scale) -> tuple[str, ...]:
    single = {scale.oriented(score): share for score, share in atoms(published)} if published.kind != "bands" else {}
    found = {
        PROVISIONAL: published.n < SETTLED_PEOPLE,
        LARGE_ATOM: max(single.values(), default=0.0) > LARGE_ATOM_SHARE,
        FLOOR_CROWDED: single.get(scale.minimum, 0.0) > CROWDED_END_SHARE,
        CEILING_CROWDED: single.get(scale.maximum, 0.0) > CROWDED_END_SHARE,
        SHARES_NORMALISED: published.kind == "bands" and abs(_missing_percent(published)) > _ROUNDING,
    }
    return tuple(flag for flag, holds in found.items() if holds)
