"""An offer made ready to decide with: its scenario's table, with the offer's own tiers and what they pay.

Tiers by grade become a table of their own on the scale of the scenario: from that grade on. Either way a person's tier
is decided by ``scenarios.rules.decide``, so that an offer has its reasons, its distances and its visitors for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from chalicelib.cities.rules import Scale
from chalicelib.core.text import Text
from chalicelib.offers.rules.offer import Offer, OfferTier
from chalicelib.scenarios.rules import (
    Area,
    Benefit,
    CompiledTable,
    Decision,
    GradeIs,
    Tier,
    compile_table,
)
from chalicelib.scenarios.rules.benefits import NOTHING
from chalicelib.scenarios.rules.compiled import CompiledArea


@dataclass(frozen=True, slots=True)
class CompiledOffer:
    """Cache it by the offer's version, the scenario's version and the scale's.

    ``table`` decides which tier a person reaches; ``tiers`` are the offer's, by their ids in that table, and
    ``places`` their positions in the offer. ``unknown`` are the positions of tiers that the scenario does not have.
    """

    offer: Offer
    table: CompiledTable
    tiers: Mapping[str, OfferTier]
    places: Mapping[str, int]
    unknown: tuple[int, ...]

    @property
    def areas(self) -> tuple[CompiledArea, ...]:
        """The areas of the table by whose tiers anybody can be judged: those of the offer's districts."""
        every, of_city = self.table.areas, self.table.areas.get(None)
        if not self.offer.districts:
            return tuple(every.values())
        found = [every.get(district) or of_city for district in self.offer.districts]
        return tuple({area.district: area for area in found if area is not None}.values())

    def tier_of(self, decision: Decision) -> OfferTier | None:
        """The tier by which this person pays; None: the list price."""
        paid_by = self.paid_by(decision.tier_ids)
        return None if paid_by is None else self.tiers[paid_by]

    def paid_by(self, tier_ids: Sequence[str]) -> str | None:
        """The tier (its id in the table) that counts among those held, lowest first: the last that the offer has."""
        return next((tier_id for tier_id in reversed(tier_ids) if tier_id in self.tiers), None)


def compile_offer(offer: Offer, scenario: CompiledTable) -> CompiledOffer:
    """The offer ready for use with the table of its scenario that is in force."""
    by_grade = offer.tiers_by == "grade"
    named = _by_grade(offer, scenario.scale) if by_grade else _by_scenario(offer, scenario)
    tiers = {tier_id: offer.tiers[place] for tier_id, place in named.items()}
    gives = _benefits(tiers)
    areas = (_grade_area(gives, scenario.scale),) if by_grade else tuple(_areas(gives, scenario))
    table = compile_table(replace(scenario.table, areas=areas), scenario.scale)
    unknown = tuple(place for place in range(len(offer.tiers)) if place not in named.values())
    return CompiledOffer(offer, table, tiers, named, unknown)


def grade_tier_id(index: int) -> str:
    """The id of the tier of the scale's grade number ``index``, 0 the worst."""
    return f"grade_{index}"


def _by_grade(offer: Offer, scale: Scale) -> dict[str, int]:
    indices = ((place, scale.grade_index(tier.tier)) for place, tier in enumerate(offer.tiers))
    return {grade_tier_id(index): place for place, index in indices if index is not None}


def _grade_area(gives: Mapping[str, Benefit], scale: Scale) -> Area:
    """One city-wide area: every grade that is named, from worst to best, and everyone above it until the next."""
    rows = tuple(
        Tier(key, Text(grade.name, grade.name_en), GradeIs(grade.name, or_better=True), gives[key])
        for index, grade in enumerate(scale.grades)
        if (key := grade_tier_id(index)) in gives
    )
    return Area(None, False, rows)


def _by_scenario(offer: Offer, scenario: CompiledTable) -> dict[str, int]:
    known = {tier.tier_id for area in scenario.areas.values() for tier in area.tiers}
    return {tier.tier: place for place, tier in enumerate(offer.tiers) if tier.tier in known}


def _areas(gives: Mapping[str, Benefit], scenario: CompiledTable) -> Iterator[Area]:
    for area in scenario.table.areas:
        rows = [tier for _, tier in area.rows(scenario.scale)]
        first = next((index for index, tier in enumerate(rows) if tier.tier_id in gives), len(rows))
        # A tier that the offer does not have counts for nothing, unless it takes the place of one that it has.
        counting = [
            replace(tier, benefit=gives.get(tier.tier_id, NOTHING))
            for index, tier in enumerate(rows)
            if tier.tier_id in gives or (index > first and not area.cumulative)
        ]
        yield Area(area.district, area.cumulative, tuple(counting))


def _benefits(tiers: Mapping[str, OfferTier]) -> dict[str, Benefit]:
    """What each tier gives, as the scenarios' rules can say it: discounts, or nothing where there are prices too.

    A table's benefit is one for all goods; prices are told by this domain itself.
    """
    discounts = {key: {"discount_bp": tier.discount_bp} for key, tier in tiers.items() if tier.discount_bp is not None}
    return {key: discounts[key] if len(discounts) == len(tiers) else NOTHING for key in tiers}
