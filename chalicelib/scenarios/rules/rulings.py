"""What a table says to one set of answers: the part of a decision that many people share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from chalicelib.scenarios.rules.benefits import NOTHING, Benefit, merge
from chalicelib.scenarios.rules.compiled import CompiledArea, CompiledTier, LeafNode, Params, ScoreNode, World, judge
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
    """The first tier still ahead: what the person would then have in all, and the threshold that points must reach.

    ``threshold`` None: no points are missing. ``facts_too``: something other than points is missing (as well).
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


def refusal(code: str) -> Ruling:
    """The ruling where no area of the table applies at all."""
    return Ruling(None, "refused", (), NOTHING, (Reason(code, None, False, NOTHING),), None)


NOT_IN_FORCE = refusal("not_in_force")
NO_AREA = refusal("no_area_for_district")


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
        next_tier=None if suspended else _next_step(area, world, verdicts, held),
    )


def _reason(tier: CompiledTier, leaf: LeafNode, world: World) -> Reason:
    threshold = leaf.low if isinstance(leaf, ScoreNode) else None
    return Reason(leaf.code, tier.tier_id, judge(leaf, world), leaf.params, threshold)


def _next_step(area: CompiledArea, world: World, verdicts: list[Verdict], held: list[int]) -> NextStep | None:
    first = 0 if area.cumulative or not held else held[-1] + 1
    for index in range(first, len(area.tiers)):
        if verdicts[index] is True:
            continue
        way = _way(area, area.tiers[index], world)
        if way is not None:
            threshold, facts_too = way
            kept = sorted([*held, index]) if area.cumulative else [index]
            return NextStep(area.tiers[index].tier_id, given(area, kept), threshold, facts_too)
    return None


def _way(area: CompiledArea, tier: CompiledTier, world: World) -> tuple[int | None, bool] | None:
    """The least climb that reaches the tier: by points alone if possible, else with every fact granted; or None.

    A tier that a better score only leaves further behind has no way.
    """
    granted = replace(world, attributes=dict.fromkeys(area.attributes, True), resident=True)
    climbs = (None, *(edge for edge in area.thresholds if world.levels[edge] is not True))
    for facts_too, start in ((False, world), (True, granted)):
        for threshold in climbs:
            if judge(tier.node, _climbed(start, threshold)) is True:
                return threshold, facts_too
    return None


def _climbed(world: World, threshold: int | None) -> World:
    if threshold is None:
        return replace(world, scored=True)
    return replace(world, scored=True, levels={e: e <= threshold or v for e, v in world.levels.items()})
