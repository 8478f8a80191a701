"""From a score in one city to what it means in another. Always through R, never through a rounded score.

Grid scores, grades and tiers all come from one comparison in R (``Curve.entry_r``), so that what is shown and what is
granted cannot disagree. "Lower" means worse throughout, also on a scale whose lower scores are better.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.cities.rules import Scale
from chalicelib.linking.rules.concordance import Concordance
from chalicelib.linking.rules.published import CEILING, FLOOR
from chalicelib.linking.rules.reading import (
    PAIRS_KEPT,
    SCORES_KEPT,
    VERSION_FLAGS,
    ReferenceValue,
    check_linked,
    curve_for,
    reading_of,
)


@dataclass(frozen=True, slots=True, repr=False)
class Conversion:
    """What a score means in another city. As secret as the score, so it does not print itself.

    Args:
        equivalent: On the destination's scale, not rounded: for plots and reports.
        equivalent_score, lower_bound, upper_bound: The best grid scores that R and its bounds reach.
        grade, grade_lower: The destination's grade of R and of its lower bound; None where it names no grades.
        from_concordance, to_concordance: "<city>/<version>".
    """

    from_city: str
    to_city: str
    score: int
    reference_value: float
    reference_lower: float
    reference_upper: float
    equivalent: float
    equivalent_score: int
    lower_bound: int
    upper_bound: int
    grade: str | None
    grade_lower: str | None
    flags: tuple[str, ...]
    from_concordance: str
    to_concordance: str


class Converter:
    """The conversion of one city's scores into another's, each score worked out once.

    Raises: LinkNotNumeric: a city linked by grade only. ReferenceMixed: two reference populations; in this order.
    """

    def __init__(self, from_c: Concordance, from_scale: Scale, to_c: Concordance, to_scale: Scale) -> None:
        self._reading = reading_of(from_c, to_c)
        assert from_c.belongs_to(from_scale), "a concordance is read with the scale it was built on"
        assert to_c.belongs_to(to_scale), "a concordance is read with the scale it was built on"
        self.scales = (from_scale, to_scale)
        self._from_c, self._to_c = from_c, to_c
        self._same = from_c == to_c
        self._curve = curve_for(to_c)
        self._known: dict[int, Conversion] = {}

    def __call__(self, score: int) -> Conversion:
        """What this score means there. Raises: ScoreOffScale."""
        known = self._known.get(score) if type(score) is int else None
        if known is None:
            if len(self._known) >= SCORES_KEPT:
                self._known.clear()
            known = self._known[score] = self._convert(self.scales[0].check(score))
        return known

    def _convert(self, score: int) -> Conversion:
        here, there = self.scales
        value = self._reading(here.oriented(score))
        point, lower, upper = self._on_grid(score, value)
        return Conversion(
            from_city=here.city_id,
            to_city=there.city_id,
            score=score,
            reference_value=value.point,
            reference_lower=value.lower,
            reference_upper=value.upper,
            equivalent=self._equivalent(score, value.point),
            equivalent_score=point,
            lower_bound=lower,
            upper_bound=upper,
            grade=_grade_name(there, point),
            grade_lower=_grade_name(there, lower),
            flags=self._flags(value),
            from_concordance=self._from_c.id,
            to_concordance=self._to_c.id,
        )

    def _on_grid(self, score: int, value: ReferenceValue) -> tuple[int, int, int]:
        if self._same:
            return score, score, score
        at, oriented = self._curve.grid_score_at, self.scales[1].oriented
        return oriented(at(value.point)), oriented(at(value.lower)), oriented(at(value.upper))

    def _equivalent(self, score: int, r: float) -> float:
        if self._same:
            return float(score)
        at, there = self._curve.score_at(r), self.scales[1]
        return at if there.direction == "higher_is_better" else there.minimum + there.maximum - at

    def _flags(self, value: ReferenceValue) -> tuple[str, ...]:
        low, high = self._curve.beyond(value.point)
        found = ((FLOOR, low), (CEILING, high), *((flag, flag in self._to_c.flags) for flag in VERSION_FLAGS))
        return value.flags + tuple(flag for flag, holds in found if holds and flag not in value.flags)


def convert(score: int, from_c: Concordance, from_scale: Scale, to_c: Concordance, to_scale: Scale) -> Conversion:
    """What a score of one city means in another.

    Raises: LinkNotNumeric; ReferenceMixed; ScoreOffScale; in this order.
    """
    known = _CONVERTERS.get((from_c.sha256, to_c.sha256))
    if known is None or known.scales != (from_scale, to_scale):
        known = _remember(Converter(from_c, from_scale, to_c, to_scale), from_c, to_c)
    return known(score)


def convert_many(
    scores: Sequence[int], from_c: Concordance, from_scale: Scale, to_c: Concordance, to_scale: Scale
) -> list[Conversion]:
    """``convert`` of each score, in their order. Raises: as ``convert``, at the first score that is off the scale."""
    return [convert(score, from_c, from_scale, to_c, to_scale) for score in scores]


def grade_at(r: float, to_c: Concordance, to_scale: Scale) -> str | None:
    """The destination's grade of an R; None where it names no grades. Raises: LinkNotNumeric."""
    check_linked(to_c, to_c)
    return to_scale.grades[bisect_right(to_c.cuts_r, r)].name if to_scale.grades else None


_CONVERTERS: dict[tuple[str, str], Converter] = {}


def _remember(converter: Converter, from_c: Concordance, to_c: Concordance) -> Converter:
    if len(_CONVERTERS) >= PAIRS_KEPT:
        _CONVERTERS.clear()
    _CONVERTERS[from_c.sha256, to_c.sha256] = converter
    return converter


def _grade_name(scale: Scale, score: int) -> str | None:
    grade = scale.grade_of(score)
    return grade.name if grade else None
