"""Linting prices for REWARD: nobody pays more for a better score, or because a fact holds of him.

Judged exactly, on the stretches of scores and sets of facts of the scenarios' linter: between two thresholds nothing
can change. Prices are compared as they are written, before any rounding, so that what holds for one unit holds for
every quantity.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

from chalicelib.core import money
from chalicelib.core.text import Text
from chalicelib.offers.rules.compiled import CompiledOffer
from chalicelib.offers.rules.findings import finding
from chalicelib.offers.rules.pricing import exact_price
from chalicelib.scenarios.rules import Finding
from chalicelib.scenarios.rules.compiled import CompiledArea
from chalicelib.scenarios.rules.lint_ranges import Case, grid_of
from chalicelib.scenarios.rules.rulings import held_tiers

_NO_TIER = Text("没有达到任何档位的人", "somebody in no tier")
_NO_SCORE = Text("没有信用分的人", "somebody without a score")
_RESIDENT = Text("本市信用分", "a score of this city")

Held = str | None


class Pair(NamedTuple):
    """Two people who may be compared, by the tiers (ids in the table) by which they pay.

    ``high`` has the better score, or the fact of this name (``""``: being a resident); ``low`` has not.
    """

    high: Held
    low: Held
    low_scored: bool
    fact: str | None


def lint_prices(compiled: CompiledOffer) -> Iterator[Finding]:
    """Tiers that nobody pays by, then every way in which a better standing would pay more, once per tier."""
    grids = [(area, _grid(compiled, area)) for area in compiled.areas]
    paying = {held for _, grid in grids for row in grid.values() for held in row}
    for tier_id, tier in compiled.tiers.items():
        if tier_id not in paying:
            yield finding("unreachable", f"/tiers/{compiled.places[tier_id]}", tier=tier.tier)
    seen = set()
    for area, grid in grids:
        for item in _worse(compiled, area, dict.fromkeys(_pairs(grid))):
            if (item.code, item.pointer) not in seen:
                seen.add((item.code, item.pointer))
                yield item


def _grid(compiled: CompiledOffer, area: CompiledArea) -> dict[Case, list[Held]]:
    """For every set of facts, by which tier people pay: without a score first, then from worst to best."""
    grid = grid_of(area, compiled.table.scale)
    paid_by = cache(lambda met: compiled.paid_by([area.tiers[i].tier_id for i in held_tiers(area, [*map(bool, met)])]))
    return {
        case: [paid_by(tuple(bits >> step & 1 for bits in row)) for step in range(len(grid.steps))]
        for case, row in grid.rows.items()
    }


def _pairs(grid: Mapping[Case, list[Held]]) -> Iterator[Pair]:
    for case, row in grid.items():
        for index in range(1, len(row)):
            yield Pair(row[index], row[0], False, None)
            if index > 1:
                yield Pair(row[index], row[index - 1], True, None)
        for fewer, fact in _neighbours(case):
            for high, low in zip(row, grid[fewer], strict=True):
                yield Pair(high, low, True, fact)


def _neighbours(case: Case) -> Iterator[tuple[Case, str]]:
    """The same people with one fact less; the fact is "" for being a resident."""
    for fact in sorted(case.held):
        yield Case(case.held - {fact}, case.resident), fact
    if case.resident:
        yield Case(case.held, resident=False), ""


def _worse(compiled: CompiledOffer, area: CompiledArea, pairs: Mapping[Pair, None]) -> Iterator[Finding]:
    names = {tier.tier_id: Text(f"“{tier.name.zh}”", f"“{tier.name.en}”") for tier in area.tiers}
    for pair in pairs:
        at = "/tiers" if pair.high is None else f"/tiers/{compiled.places[pair.high]}"
        for variant in compiled.offer.variants:
            gets, than = (exact_price(variant, compiled.tiers.get(held or "")) for held in (pair.high, pair.low))
            if gets > than:
                goods = {"goods_zh": variant.name.zh, "goods_en": variant.name.en}
                said = {**goods, "gets": written(gets), "than": written(than), **_people(compiled, pair, names)}
                yield finding("better-worse-off" if pair.fact is None else "fact-worse-off", at, **said)
                break


def _people(compiled: CompiledOffer, pair: Pair, names: Mapping[str, Text]) -> dict[str, str]:
    if pair.fact is not None:
        known = compiled.table.table.fact_names
        fact = known.get(pair.fact, Text(pair.fact, pair.fact)) if pair.fact else _RESIDENT
        return {"fact_zh": fact.zh, "fact_en": fact.en}
    high = _NO_TIER if pair.high is None else names[pair.high]
    none = _NO_TIER if pair.low_scored else _NO_SCORE
    low = none if pair.low is None else names[pair.low]
    return {"high_zh": high.zh, "high_en": high.en, "low_zh": low.zh, "low_en": low.en}


def written(exact: int) -> str:
    """An exact price (in 1/10,000 fen) in yuan, with as many digits as it takes and two at least."""
    units, rest = money.decimal(exact, 6).split(".")
    return f"{units}.{rest[:2]}{rest[2:].rstrip('0')}"
