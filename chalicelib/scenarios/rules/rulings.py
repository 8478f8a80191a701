"""What a table says to one set of answers: the part of a decision that many people share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, NamedTuple

from chalicelib.scenarios.rules.benefits import NOTHING, Benefit, merge, worse_fields
from chalicelib.scenarios.rules.compiled import (
    CompiledArea,
    CompiledTier,
    FactNode,
    LeafNode,
    Params,
    ScoreNode,
    World,
    judge,
)
from chalicelib.scenarios.rules.conditions import Verdict

Outcome = Literal["granted", "refused", "unknown"]


class Reason(NamedTuple):
    """One condition and how it turned out.

    ``tier_id`` None: about the table or the person as a whole. ``params`` are the published figures of the condition;
    ``threshold`` is the oriented host score that a better score would have to reach, if one would help.
    """

    code: str
    tier_id: str | None
    verdict: Verdict
    params: Params
    threshold: int | None = None


@dataclass(frozen=True, slots=True)
class NextStep:
    """The nearest improvement: what the person would then have in all, and the threshold that points must reach.

    ``tier_id`` is the tier that would then count. ``threshold`` None: no points are missing. ``facts_too``: something
    other than points is missing (as well).
    """

    tier_id: str
    gives: Benefit
    threshold: int | None
    facts_too: bool


class Ruling(NamedTuple):
    """Outcome, tiers, benefit and reasons in the area that applied (None: the city-wide one, or none at all)."""

    area: str | None
    outcome: Outcome
    tier_ids: tuple[str, ...]
    benefit: Benefit
    reasons: tuple[Reason, ...]
    next_tier: NextStep | None


def refusal(code: str, params: Params = NOTHING) -> Ruling:
    """The ruling where no area of the table applies at all."""
    return Ruling(None, "refused", (), NOTHING, (Reason(code, None, False, params),), None)


NOT_IN_FORCE = refusal("not_in_force")
NO_AREA = refusal("no_area_for_district")


def district_needed(districts: Iterable[str]) -> Ruling:
    """The ruling where no district was asked about and the table holds only in these."""
    return refusal("district_needed", MappingProxyType({"districts": ",".join(sorted(districts))}))


TABLE_REFUSES = frozenset({"not_in_force", "no_area_for_district", "district_needed"})


def held_tiers(area: CompiledArea, verdicts: list[Verdict]) -> list[int]:
    """The positions of the tiers that count: all that are reached, or the last one alone."""
    reached = [index for index, verdict in enumerate(verdicts) if verdict is True]
    return reached if area.cumulative else reached[-1:]


def given(area: CompiledArea, held: list[int]) -> Benefit:
    """What holding these tiers gives in all."""
    return merge((area.without, *(area.tiers[index].benefit for index in held)))


def rule(area: CompiledArea, world: World, why: str | None) -> Ruling:
    """The ruling on one set of answers; ``why`` says why there is no score, and a suspension refuses every tier.

    A person who reaches no tier is refused, or told "not known" if a tier hangs on what is not known; either way he
    has what anyone has without a score.
    """
    verdicts = [judge(tier.node, world) for tier in area.tiers]
    suspended = why == "suspended"
    held = [] if suspended else held_tiers(area, verdicts)
    open_still = None in verdicts and not suspended
    return Ruling(
        area=area.district,
        outcome="granted" if held else "unknown" if open_still else "refused",
        tier_ids=tuple(area.tiers[index].tier_id for index in held),
        benefit=given(area, held),
        reasons=(
            *((Reason(why, None, False, NOTHING),) if why else ()),
            *(_reason(tier, leaf, world) for tier in area.tiers for leaf in tier.leaves),
        ),
        next_tier=None if suspended else _next_step(area, world, held),
    )


def _reason(tier: CompiledTier, leaf: LeafNode, world: World) -> Reason:
    threshold = leaf.low if isinstance(leaf, ScoreNode) else None
    return Reason(leaf.code, tier.tier_id, judge(leaf, world), leaf.params, threshold)


def _next_step(area: CompiledArea, world: World, held: list[int]) -> NextStep | None:
    """The nearest improvement: by points alone if there is one, else with the facts that some tier asks for.

    A tier that a better score only leaves further behind is no improvement, nor is one that gives nothing more.
    """
    climbs = (None, *(edge for edge in area.thresholds if world.levels[edge] is not True))
    for threshold in climbs:
        step = _improvement(area, _climbed(world, threshold), held, threshold, facts_too=False)
        if step is not None:
            return step
    granted = [_granted(world, tier) for tier in area.tiers]
    for threshold in climbs:
        for index, start in enumerate(granted):
            there = _climbed(start, threshold)
            if index in held or judge(area.tiers[index].node, there) is not True:
                continue
            step = _improvement(area, there, held, threshold, facts_too=True)
            if step is not None:
                return step
    return None


def _improvement(
    area: CompiledArea, there: World, held: list[int], threshold: int | None, *, facts_too: bool
) -> NextStep | None:
    """What is had there, if it is better than what these tiers give: nothing worse, and something better.

    A tier that names no benefit stands for one that is told elsewhere, and counts as better by itself.
    """
    then = held_tiers(area, [judge(tier.node, there) for tier in area.tiers])
    new = [index for index in then if index not in held]
    now, gives = given(area, held), given(area, then)
    if not new or worse_fields(gives, now):
        return None
    if not worse_fields(now, gives) and all(area.tiers[index].benefit for index in new):
        return None
    telling = [index for index in new if given(area, [held for held in then if held != index]) != gives]
    return NextStep(area.tiers[(telling or new)[-1]].tier_id, gives, threshold, facts_too)


def _granted(world: World, tier: CompiledTier) -> World:
    """The same person with every fact that this tier asks for, and no other."""
    asked = [leaf.name for leaf in tier.leaves if isinstance(leaf, FactNode)]
    named = {name: True for name in asked if name is not None}
    return replace(world, attributes={**world.attributes, **named}, resident=world.resident or None in asked)


def _climbed(world: World, threshold: int | None) -> World:
    if threshold is None:
        return replace(world, scored=True)
    return replace(world, scored=True, levels={e: e <= threshold or v for e, v in world.levels.items()})
