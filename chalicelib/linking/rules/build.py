"""From a published distribution to a concordance: knots, bounds and cuts in R."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from math import ceil, floor

from chalicelib.cities.rules import Scale
from chalicelib.core.errors import Problem
from chalicelib.core.text import Text
from chalicelib.linking.rules.cells import Cell, Span, cells_of, ties_of
from chalicelib.linking.rules.concordance import Concordance, Method
from chalicelib.linking.rules.curve import curve_of
from chalicelib.linking.rules.published import ILLUSTRATIVE, POPULATION_EQUIVALENCE_ASSUMED, Published
from chalicelib.linking.rules.reference import R_LEAST, R_MOST, Z_ONE_SIDED_95, spread_r

LEAST_LINK_SD = 10.0

_METHODS: dict[str, Method] = {
    "counts": "equipercentile_counts",
    "quantiles": "equipercentile_quantiles",
    "bands": "bands",
    "cuts": "grade_policy",
}
_ROUNDING = 1e-9


class ReferenceUnfit(Problem):
    code = "reference-unfit"
    status = 422
    title = Text("基准城市须公布各分值人数或分位数", "The reference city must publish counts or quantiles")


class ReferenceFrozen(Problem):
    code = "reference-frozen"
    status = 409
    title = Text("基准人群一经确定不再更改", "The reference population is never re-normed")


@dataclass(frozen=True, slots=True)
class _Link:
    """What ties a table to the reference, and when the table holds."""

    reference_id: str
    reference_n: int
    link_sd: float
    flags: tuple[str, ...]
    version: int
    valid_from: date
    supersedes: int | None


@dataclass(frozen=True, slots=True)
class _Knots:
    knots: tuple[tuple[int, float], ...] = ()
    bounds: tuple[tuple[float, float], ...] = ()
    held: tuple[Span, ...] = ()
    ties: tuple[Span, ...] = ()
    cuts_r: tuple[float, ...] = ()


def build_reference(published: Published, scale: Scale, *, valid_from: date, version: int = 1) -> Concordance:
    """The founding city's first table: its people are the reference population from now on.

    Args:
        published: As ``check_published`` returned it.

    Raises: ReferenceUnfit: neither counts nor quantiles.
    """
    if published.kind not in ("counts", "quantiles"):
        raise ReferenceUnfit
    link = _Link(f"{scale.city_id}/{version}", published.n, 0.0, (), version, valid_from, None)
    return _record(published, scale, link, _knots_of(published, scale, (published.n,), 0.0))


def build_concordance(
    published: Published,
    scale: Scale,
    reference: Concordance,
    *,
    version: int,
    valid_from: date,
    supersedes: int | None = None,
    link_sd: float = LEAST_LINK_SD,
) -> Concordance:
    """Any other city's table: equal percentile ranks mean equal R, the two populations taken to be alike.

    Args:
        published: As ``check_published`` returned it. ``cuts`` gives a table without numbers.
        reference: The founding city's first table.
        link_sd: One standard deviation, in R, of what the link may be off by; at least 10 where nobody holds both
            scores.

    Raises: ReferenceFrozen: the founding city itself, on the grid of the reference. Its scores keep their R, or real
        improvement would vanish. On another range, step or direction it is linked like any other city.
    """
    assert reference.is_reference, "linked to the reference, never to another link"
    assert link_sd >= LEAST_LINK_SD, "without people scored by both cities the link is no surer"
    if scale.city_id == reference.city_id and scale.grid == reference.grid:
        raise ReferenceFrozen
    if published.kind == "cuts":
        link = _Link(reference.id, reference.n, 0.0, (), version, valid_from, supersedes)
        return _record(published, scale, link, _Knots())
    flags = (POPULATION_EQUIVALENCE_ASSUMED,)
    link = _Link(reference.id, reference.n, link_sd, flags, version, valid_from, supersedes)
    return _record(published, scale, link, _knots_of(published, scale, (published.n, reference.n), link_sd))


def _record(published: Published, scale: Scale, link: _Link, table: _Knots) -> Concordance:
    shown = (ILLUSTRATIVE,) if published.illustrative or scale.illustrative else ()
    return Concordance(
        city_id=scale.city_id,
        version=link.version,
        scale_version=scale.version,
        reference_id=link.reference_id,
        method=_METHODS[published.kind],
        n=published.n,
        reference_n=link.reference_n,
        period_from=published.period_from,
        period_to=published.period_to,
        minimum=scale.minimum,
        maximum=scale.maximum,
        step=scale.step,
        direction=scale.direction,
        knots=table.knots,
        bounds=table.bounds,
        held=table.held,
        ties=table.ties,
        cuts_r=table.cuts_r,
        flags=published.flags + link.flags + shown,
        link_sd=link.link_sd,
        valid_from=link.valid_from,
        supersedes=link.supersedes,
    )


def _knots_of(published: Published, scale: Scale, sizes: tuple[int, ...], link_sd: float) -> _Knots:
    cells, held = _distinct(cells_of(published, scale))
    knots = tuple((cell.score, cell.r) for cell in cells)
    curve = curve_of(knots, held, scale.minimum, scale.maximum, scale.step)
    return _Knots(
        knots=knots,
        bounds=_bounds(cells, sizes, link_sd),
        held=held,
        ties=ties_of(published, scale),
        cuts_r=tuple(curve.entry_r(threshold) for threshold in scale.grade_thresholds()),
    )


def _distinct(cells: Sequence[Cell]) -> tuple[list[Cell], tuple[Span, ...]]:
    """The cells whose R, to 0.01, exceeds the one before; and for each the last score that shares it, if any does."""
    knots: list[Cell] = []
    held: dict[int, int] = {}
    for cell in cells:
        r = round(cell.r, 2)
        if knots and r <= knots[-1].r:
            knots[-1] = Cell(knots[-1].score, knots[-1].r, knots[-1].lower, cell.upper)
            held[knots[-1].score] = cell.score
        else:
            knots.append(Cell(cell.score, r, cell.lower, cell.upper))
    return knots, tuple(held.items())


def _bounds(cells: Sequence[Cell], sizes: tuple[int, ...], link_sd: float) -> tuple[tuple[float, float], ...]:
    """Tie band less and plus 1.645 standard errors, rounded outwards, made to rise: outwards again, never inwards."""
    margins = [Z_ONE_SIDED_95 * spread_r(cell.r, sizes, (link_sd,)) for cell in cells]
    lowers = [_down(min(c.lower, c.r) - margin) for c, margin in zip(cells, margins, strict=True)]
    uppers = [_up(max(c.upper, c.r) + margin) for c, margin in zip(cells, margins, strict=True)]
    rising = list(accumulate(reversed(lowers), min))[::-1]
    return tuple(zip(rising, accumulate(uppers, max), strict=True))


def _down(r: float) -> float:
    return max(R_LEAST, floor(r * 100 + _ROUNDING) / 100)


def _up(r: float) -> float:
    return min(R_MOST, ceil(r * 100 - _ROUNDING) / 100)
