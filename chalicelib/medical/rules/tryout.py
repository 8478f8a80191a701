"""A policy tried on a city's population before it is approved: people per tier, and what is granted at most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from chalicelib.cities.rules import Scale
from chalicelib.core.errors import Problem
from chalicelib.core.money import split
from chalicelib.core.text import Text
from chalicelib.linking.rules import Published
from chalicelib.linking.rules.published import oriented_bands, oriented_counts, oriented_quantiles
from chalicelib.medical.rules.limits import limit_of
from chalicelib.medical.rules.policy import Policy
from chalicelib.scenarios.rules import CompiledTable, Facts, GradeStanding, ResidentStanding, Standing, decide

_WEIGHT = 10**9
_NO_TIER = Text("未达任何档位", "no tier")


class PopulationUnknown(Problem):
    code = "population-unknown"
    status = 409
    title = Text(
        "该城市没有公布各分值或等级的人数，无法试算",
        "The city has not published how many people have which score, so nothing can be tried",
    )


class People(NamedTuple):
    """So many people of one standing."""

    standing: Standing
    people: int


@dataclass(frozen=True, slots=True)
class TierPeople:
    """People of one tier and their limits, if all of them open a line. ``capped``: the ceiling is their limit."""

    tier: Text
    limit_fen: int
    people: int
    exposure_fen: int
    capped: bool


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What a policy would mean. ``lines_at_cap``: how many average lines the exposure cap has room for."""

    policy_version: int
    table_version: int
    tiers: tuple[TierPeople, ...]
    people: int
    exposure_fen: int
    exposure_cap_fen: int
    lines_at_cap: int | None
    illustrative: bool


def population(published: Published, scale: Scale) -> tuple[People, ...]:
    """A published distribution as people with standings, worst first; they add up to ``published.n``.

    Where scores are known by a band or a quantile only, a tier whose line runs through it is not reached: too few are
    counted rather than too many. Raises: PopulationUnknown: nobody was counted, or cuts or a range alone are published.
    """
    if not published.n:
        raise PopulationUnknown
    if published.kind == "counts":
        return tuple(People(ResidentStanding(score), n) for score, n in oriented_counts(published, scale))
    if published.kind == "bands":
        return _shared(published.n, [(low, high, percent) for low, high, percent in oriented_bands(published, scale)])
    if published.kind == "quantiles":
        return _shared(published.n, [*_between(oriented_quantiles(published, scale), scale)])
    raise PopulationUnknown


def _shared(people: int, spans: Sequence[tuple[int, int, float]]) -> tuple[People, ...]:
    """People spread over spans of scores [low, high) by weight, to the last person."""
    counts = split(people, [round(weight * _WEIGHT) for _, _, weight in spans])
    return tuple(People(GradeStanding(low, high), n) for (low, high, _), n in zip(spans, counts, strict=True) if n)


def _between(quantiles: Iterable[tuple[float, int]], scale: Scale) -> Iterator[tuple[int, int, float]]:
    low, share = scale.minimum, 0.0
    for p, score in quantiles:
        yield low, score + scale.step, max(0.0, p - share)
        low, share = score + scale.step, p
    yield low, scale.maximum + scale.step, max(0.0, 1.0 - share)


def what_if(policy: Policy, table: CompiledTable, people: Iterable[People], *, illustrative: bool = False) -> WhatIf:
    """People and exposure per tier on the policy's first day, the lowest limit first, if everybody opens a line.

    Nobody's facts besides his score are known: where the table asks for one, its tier is not reached.

    Args:
        illustrative: Whether the people are invented; what is made of an invented policy is so anyway.
    """
    on = max(policy.valid_from, table.table.valid_from)
    counted: Counter[tuple[int, str, str, bool]] = Counter()
    for standing, number in people:
        decision = decide(table, Facts(on, None, standing, {}, resident=True))
        limit = limit_of(policy, decision)
        tier = _tier(table, decision.tier_ids[-1] if decision.tier_ids else None, decision.area)
        counted[limit.fen or 0, tier.zh, tier.en, limit.capped] += number
    tiers = tuple(
        TierPeople(Text(zh, en), fen, number, fen * number, capped)
        for (fen, zh, en, capped), number in sorted(counted.items())
    )
    total, exposure_fen = sum(tier.people for tier in tiers), sum(tier.exposure_fen for tier in tiers)
    lines = policy.exposure_cap_fen * total // exposure_fen if exposure_fen else None
    return WhatIf(
        policy.version, table.table.version, tiers, total, exposure_fen, policy.exposure_cap_fen, lines,
        policy.illustrative or illustrative,
    )  # fmt: skip


def _tier(table: CompiledTable, tier_id: str | None, area: str | None) -> Text:
    named = {tier.tier_id: tier.name for tier in table.areas[area].tiers} if area in table.areas else {}
    return _NO_TIER if tier_id is None else named[tier_id]
