"""A city's scores read as R, and R held against another city's cuts. No inverse and no rounding takes part."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from chalicelib.cities.rules import GrantOn, Scale
from chalicelib.core.errors import Problem
from chalicelib.core.text import Text
from chalicelib.linking.rules.concordance import Concordance
from chalicelib.linking.rules.curve import Curve, curve_of
from chalicelib.linking.rules.published import (
    CEILING,
    FLOOR,
    ILLUSTRATIVE,
    POPULATION_EQUIVALENCE_ASSUMED,
    PROVISIONAL,
    TIE_BAND,
)
from chalicelib.linking.rules.reference import R_LEAST, R_MOST, Z_ONE_SIDED_95, spread_r

VERSION_FLAGS = (PROVISIONAL, POPULATION_EQUIVALENCE_ASSUMED, ILLUSTRATIVE)
PAIRS_KEPT = 64
SCORES_KEPT = 4_096


class LinkNotNumeric(Problem):
    code = "link-not-numeric"
    status = 422
    title = Text("该城市只有等级对照，不能换算分值", "This city is linked by grade only; there is no number to give")


class ReferenceMixed(Problem):
    code = "reference-mixed"
    status = 409
    title = Text("两城对照表的基准人群不同", "The two concordances rest on different reference populations")


@dataclass(frozen=True, slots=True, repr=False)
class ReferenceValue:
    """R of a score, with its bounds. As secret as the score, so it does not print itself."""

    point: float
    lower: float
    upper: float
    flags: tuple[str, ...]


class Reading:
    """One city's scores as R, each worked out once. A city read towards itself is exact."""

    def __init__(self, c: Concordance, towards: Concordance | None) -> None:
        self._c = c
        self._curve = curve_for(c)
        self._exact = towards == c
        if towards is None or self._exact:
            self._lowers, self._uppers = [lower for lower, _ in c.bounds], [upper for _, upper in c.bounds]
        else:
            self._lowers, self._uppers = _widened(c, towards)
        self._known: dict[int, ReferenceValue] = {}

    def __call__(self, score: int) -> ReferenceValue:
        """R of an oriented grid score."""
        known = self._known.get(score)
        if known is None:
            if len(self._known) >= SCORES_KEPT:
                self._known.clear()
            known = self._known[score] = self._read(score)
        return known

    def _read(self, score: int) -> ReferenceValue:
        """Between knots the lower bound is that of the knot below, the upper that of the knot above."""
        scores, point = self._curve.scores, self._curve.r_at(score)
        held = any(knot < score <= last for knot, last in self._curve.held)
        flags = self._flags(score, point, held)
        if self._exact:
            return ReferenceValue(point, point, point, flags)
        below = bisect_right(scores, score) - 1
        above = min(bisect_left(scores, score), len(scores) - 1)
        return ReferenceValue(point, self._lowers[below], self._uppers[above], flags)

    def _flags(self, score: int, r: float, held: bool) -> tuple[str, ...]:
        low, high = self._curve.beyond(r)
        tied = held or any(first <= score <= last for first, last in self._c.ties)
        found = ((FLOOR, low), (CEILING, high), (TIE_BAND, tied))
        return tuple(flag for flag, holds in found if holds) + tuple(f for f in VERSION_FLAGS if f in self._c.flags)


def reference_value(c: Concordance, scale: Scale, score: int, towards: Concordance | None = None) -> ReferenceValue:
    """R of a score and its bounds.

    Args:
        towards: The destination. The bounds then include what its link may be off by, as those of ``convert`` do.

    Raises: LinkNotNumeric; ReferenceMixed; ScoreOffScale; in this order.
    """
    assert c.belongs_to(scale), "a concordance is read with the scale it was built on"
    return reading_of(c, towards)(scale.oriented(scale.check(score)))


def entry_value(to_c: Concordance, to_scale: Scale, threshold: int) -> float:
    """The least R that passes an oriented threshold (as ``Scale.threshold`` gives it); infinite if no score does.

    Raises: LinkNotNumeric.
    """
    assert to_c.belongs_to(to_scale), "a concordance is read with the scale it was built on"
    return _entry_r(to_c, threshold)


def reaches(r: float, to_c: Concordance, to_scale: Scale, threshold: int) -> bool:
    """Whether R passes an oriented threshold of the destination. Raises: LinkNotNumeric."""
    return r >= entry_value(to_c, to_scale, threshold)


def score_for(
    c: Concordance, scale: Scale, r_needed: float, grant_on: GrantOn, towards: Concordance | None = None
) -> int | None:
    """The worst home score that reaches an R, on the point or on the lower bound; None if no score does.

    Raises: LinkNotNumeric; ReferenceMixed; in this order.
    """
    assert c.belongs_to(scale), "a concordance is read with the scale it was built on"
    reading = reading_of(c, towards)
    grid = range(scale.minimum, scale.maximum + scale.step, scale.step)

    def reached(score: int) -> float:
        value = reading(score)
        return value.point if grant_on == "point" else value.lower

    at = bisect_left(grid, r_needed, key=reached)
    return scale.oriented(grid[at]) if at < len(grid) else None


def check_linked(c: Concordance, other: Concordance) -> None:
    """Raises: LinkNotNumeric: a city linked by grade only. ReferenceMixed: two reference populations; in this order."""
    if not (c.is_numeric and other.is_numeric):
        raise LinkNotNumeric
    if c.reference_id != other.reference_id:
        raise ReferenceMixed


@lru_cache(maxsize=PAIRS_KEPT)
def curve_for(c: Concordance) -> Curve:
    """The curve of a numeric concordance, made once."""
    return curve_of(c.knots, c.held, c.minimum, c.maximum, c.step)


@lru_cache(maxsize=PAIRS_KEPT)
def reading_of(c: Concordance, towards: Concordance | None) -> Reading:
    """The reading of a city towards another, made once. Raises: LinkNotNumeric; ReferenceMixed; in this order."""
    check_linked(c, towards or c)
    return Reading(c, towards)


@lru_cache(maxsize=SCORES_KEPT)
def _entry_r(c: Concordance, threshold: int) -> float:
    check_linked(c, c)
    return curve_for(c).entry_r(threshold)


def _widened(c: Concordance, towards: Concordance) -> tuple[list[float], list[float]]:
    """Bounds per knot with the destination's error added, then moved out to the ends of its tie bands.

    The reference's own error is in the home bounds already, and is not counted twice.
    """
    sizes = (c.n,) if c.is_reference else (c.n, c.reference_n)
    more = () if towards.is_reference else (towards.n,)
    lowers, uppers = [], []
    for (_, r), (lower, upper) in zip(c.knots, c.bounds, strict=True):
        both = spread_r(r, sizes + more, (c.link_sd, towards.link_sd))
        margin = Z_ONE_SIDED_95 * (both - spread_r(r, sizes, (c.link_sd,)))
        lowers.append(max(R_LEAST, lower - margin))
        uppers.append(min(R_MOST, upper + margin))
    rising = list(accumulate(reversed(lowers), min))[::-1]
    return [_tie_start(towards, r) for r in rising], [_tie_end(towards, r) for r in accumulate(uppers, max)]


def _tie_start(towards: Concordance, r: float) -> float:
    """The R that enters the destination's tie band in which this R falls; R itself outside of them."""
    curve = curve_for(towards)
    entered = (curve.entry_r(first) for first, last in towards.ties if r < curve.entry_r(last + curve.step))
    return min(r, next(entered, r))


def _tie_end(towards: Concordance, r: float) -> float:
    """The R of the last score of the destination's tie band in which this R falls; R itself outside of them."""
    curve = curve_for(towards)
    ended = (
        curve.r_at(last) for first, last in towards.ties if curve.entry_r(first) <= r < curve.entry_r(last + curve.step)
    )
    return max(r, next(ended, r))
