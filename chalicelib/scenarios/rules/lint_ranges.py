"""Linting by breakpoints: every stretch of scores between two thresholds, for every set of facts, judged exactly.

Nothing is sampled: between two neighbouring thresholds no answer can change, so that one world per stretch stands for
every score in it. A fact that is not known never reaches more than one that does not hold, so that both are one world.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from chalicelib.cities.rules import Scale
from chalicelib.scenarios.rules.compiled import CompiledArea, CompiledTier, World, judge
from chalicelib.scenarios.rules.findings import Finding, finding


@dataclass(frozen=True, slots=True)
class Stretch:
    """Oriented scores ``low`` … ``high``, both included; both None: people without a score."""

    low: int | None
    high: int | None

    def said(self, scale: Scale) -> dict[str, int]:
        """Its ends as published scores, in rising order."""
        assert self.low is not None
        assert self.high is not None
        low, high = sorted((scale.oriented(self.low), scale.oriented(self.high)))
        return {"low": low, "high": high}


@dataclass(frozen=True, slots=True)
class Case:
    """One set of facts: which attributes hold, and whether the person is a resident."""

    held: frozenset[str]
    resident: bool


def stretches(area: CompiledArea, scale: Scale) -> list[Stretch]:
    """No score first, then the whole scale from worst to best, cut at every threshold."""
    inside = [edge for edge in area.thresholds if scale.minimum < edge <= scale.maximum]
    starts = [scale.minimum, *inside]
    ends = [*(edge - scale.step for edge in inside), scale.maximum]
    return [Stretch(None, None), *(Stretch(low, high) for low, high in zip(starts, ends, strict=True))]


def cases(area: CompiledArea) -> list[Case]:
    """Every set of facts that the area asks for."""
    residence = (False, True) if area.asks_residence else (False,)
    holds = product((False, True), repeat=len(area.attributes))
    sets = [frozenset(n for n, yes in zip(area.attributes, chosen, strict=True) if yes) for chosen in holds]
    return [Case(held, resident) for held in sets for resident in residence]


def matches(area: CompiledArea, stretch: Stretch, case: Case) -> list[bool]:
    """For every tier, whether people of this stretch and these facts meet its condition."""
    low = stretch.low
    world = World(
        scored=low is not None,
        levels={edge: low is not None and low >= edge for edge in area.thresholds},
        attributes={name: name in case.held for name in area.attributes},
        resident=case.resident,
    )
    return [judge(tier.node, world) is True for tier in area.tiers]


Grid = dict[Case, list[list[bool]]]


def lint_ranges(area: CompiledArea, scale: Scale, pointer: str) -> Iterator[Finding]:
    """Gaps, overlaps and rows that never count, each place once."""
    steps = stretches(area, scale)
    grid = {case: [matches(area, step, case) for step in steps] for case in cases(area)}
    found = [*_gaps(steps, grid, scale, pointer)]
    if not area.cumulative:
        found += _overlaps(area, steps, grid, scale)
    found += _idle(area, grid)
    yield from dict.fromkeys(found)


def _runs(steps: list[Stretch], marked: list[bool]) -> Iterator[Stretch]:
    """The marked stretches of scores, those side by side as one."""
    low = None
    for index, step in enumerate(steps):
        low = step.low if marked[index] and low is None else low
        if marked[index] and not any(marked[index + 1 : index + 2]):
            yield Stretch(low, step.high)
            low = None


def _gaps(steps: list[Stretch], grid: Grid, scale: Scale, pointer: str) -> Iterator[Finding]:
    """Scores that no tier takes although some lower score has one."""
    for rows in grid.values():
        covered = [any(row) for row in rows[1:]]
        bare = [not has and any(covered[:index]) for index, has in enumerate(covered)]
        for gap in _runs(steps[1:], bare):
            yield finding("gap", f"{pointer}/tiers", **gap.said(scale))


def _overlaps(area: CompiledArea, steps: list[Stretch], grid: Grid, scale: Scale) -> Iterator[Finding]:
    """Scores that two tiers of different benefit take, where one of the two ends before the best score.

    Two tiers that are both open to the best score are meant to overlap: the later one is the higher one.
    """
    for rows in grid.values():
        ends = [not _open_above([row[index] for row in rows[1:]]) for index in range(len(area.tiers))]
        for first, second in _pairs(area):
            if not (ends[first] or ends[second]):
                continue
            names = _named(area.tiers[first], "a") | _named(area.tiers[second], "b")
            for shared in _runs(steps[1:], [row[first] and row[second] for row in rows[1:]]):
                yield finding("overlap", area.tiers[second].pointer, **shared.said(scale), **names)


def _pairs(area: CompiledArea) -> Iterator[tuple[int, int]]:
    for second, tier in enumerate(area.tiers):
        for first in range(second):
            if area.tiers[first].benefit != tier.benefit:
                yield first, second


def _open_above(row: list[bool]) -> bool:
    return row == sorted(row)


def _idle(area: CompiledArea, grid: Grid) -> Iterator[Finding]:
    """Tiers that nobody reaches, or that always stand behind a later one where only the last counts."""
    rows = [row for case_rows in grid.values() for row in case_rows]
    for index, tier in enumerate(area.tiers):
        mine = [row for row in rows if row[index]]
        if not mine:
            yield finding("unreachable", tier.pointer, **_named(tier, "a"))
        elif not area.cumulative and all(any(row[index + 1 :]) for row in mine):
            yield finding("shadowed", tier.pointer, **_named(tier, "a"))


def _named(tier: CompiledTier, key: str) -> dict[str, str]:
    return {f"{key}_zh": tier.name.zh, f"{key}_en": tier.name.en}
