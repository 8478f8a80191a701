"""Deciding: facts and a table in, a decision with every reason out. Pure; the same facts always decide the same."""

from __future__ import annotations

from typing import NamedTuple

from chalicelib.scenarios.rules.benefits import Benefit
from chalicelib.scenarios.rules.compiled import CompiledArea, CompiledTable, World
from chalicelib.scenarios.rules.rulings import (
    NO_AREA,
    NOT_IN_FORCE,
    NextStep,
    Outcome,
    Reason,
    Ruling,
    district_needed,
    rule,
)
from chalicelib.scenarios.rules.standings import Facts

MAX_RULINGS = 4_096


class Decision(NamedTuple):
    """What one person is given by one table on one day, and why.

    All but the first two fields are a ``Ruling``, shared by everyone who gave the same answers; distances are worked
    out when they are asked for.
    """

    compiled: CompiledTable
    facts: Facts
    area: str | None
    outcome: Outcome
    tier_ids: tuple[str, ...]
    benefit: Benefit
    reasons: tuple[Reason, ...]
    next_tier: NextStep | None

    @property
    def city_id(self) -> str:
        return self.compiled.table.city_id

    @property
    def scenario_id(self) -> str:
        return self.compiled.table.scenario_id

    @property
    def version(self) -> int:
        return self.compiled.table.version

    @property
    def district(self) -> str | None:
        return self.facts.district

    @property
    def missing_points(self) -> int | None:
        """How many points of the person's own scale the next tier is away; None where that is not what is missing."""
        return None if self.next_tier is None else self.missing(self.next_tier.threshold)

    def missing(self, threshold: int | None) -> int | None:
        """How far the person is below this threshold, in points of his own scale; None if not or not known."""
        return None if threshold is None else self.facts.standing.missing(threshold)

    def shortfall(self, reason: Reason) -> int | None:
        """How many points this one condition is missed by; None if it is met or if points are not what is missing."""
        return self.missing(reason.threshold) if reason.verdict is False else None


def decide(compiled: CompiledTable, facts: Facts) -> Decision:
    """What the table gives this person.

    A table that is not in force on the day, and a district (or none) without an area where there is no city-wide one,
    are refusals with a reason, in this order.
    """
    if not compiled.table.in_force(facts.on):
        return Decision(compiled, facts, *NOT_IN_FORCE)
    area = compiled.areas.get(facts.district) or compiled.areas.get(None)
    if area is None:
        none_asked = facts.district is None
        return Decision(compiled, facts, *(district_needed(filter(None, compiled.areas)) if none_asked else NO_AREA))
    _, _, standing, attributes, resident = facts
    levels = tuple(map(standing.reaches, area.thresholds))
    known = tuple(map(attributes.get, area.attributes)) if area.attributes else ()
    key = (standing.reason, resident, levels, known)
    ruling = area.rulings.get(key)
    if ruling is None:
        ruling = _rule(area, facts)
        if len(area.rulings) < MAX_RULINGS:
            area.rulings[key] = ruling
    return Decision(compiled, facts, *ruling)


def _rule(area: CompiledArea, facts: Facts) -> Ruling:
    standing = facts.standing
    world = World(
        scored=standing.reason is None,
        levels={threshold: standing.reaches(threshold) for threshold in area.thresholds},
        attributes={name: facts.attributes.get(name) for name in area.attributes},
        resident=facts.resident,
    )
    return rule(area, world, standing.reason)
