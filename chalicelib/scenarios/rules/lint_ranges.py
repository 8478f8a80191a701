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
from chalicelib.scenarios.rules.lint_bits import Layout, bits_of, runs


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


@dataclass(frozen=True, slots=True)
class Grid:
    """Who meets what: for every set of facts one number per tier, whose bit ``i`` says that ``steps[i]`` meets it."""

    steps: list[Stretch]
    rows: dict[Case, list[int]]


def grid_of(area: CompiledArea, scale: Scale) -> Grid:
    """The same answers as ``matches``, each single condition being judged once for everybody at a time."""
    steps, facts = stretches(area, scale), cases(area)
    lows = [step.low for step in steps]
    layout = Layout(lows, [(case.held, case.resident) for case in facts])
    met = [bits_of(tier.node, layout) for tier in area.tiers]
    return Grid(steps, {case: [layout.row(bits, index) for bits in met] for index, case in enumerate(facts)})


def lint_ranges(area: CompiledArea, grid: Grid, scale: Scale, pointer: str) -> Iterator[Finding]:
    """Gaps, overlaps and rows that never count, each place once."""
    for gap in dict.fromkeys(_gaps(grid)):
        yield finding("gap", f"{pointer}/tiers", **gap.said(scale))
    if not area.cumulative:
        for first, second, shared in dict.fromkeys(_overlaps(area, grid)):
            names = _named(area.tiers[first], "a") | _named(area.tiers[second], "b")
            yield finding("overlap", area.tiers[second].pointer, **shared.said(scale), **names)
    yield from _idle(area, grid)


def _gaps(grid: Grid) -> Iterator[Stretch]:
    """Scores that no tier takes although some worse score has one."""
    for row in grid.rows.values():
        covered = 0
        for bits in row:
            covered |= bits & ~1
        worst = covered & -covered
        if worst:
            yield from _spans(grid, ~covered & -worst)


def _overlaps(area: CompiledArea, grid: Grid) -> Iterator[tuple[int, int, Stretch]]:
    """Scores that two tiers of different benefit take, where one of the two ends before the best score.

    Two tiers that are both open to the best score are meant to overlap: the later one is the higher one.
    """
    pairs = [*_pairs(area)]
    for row in grid.rows.values():
        ends = [not _open_above(bits & ~1, len(grid.steps)) for bits in row]
        for first, second in pairs:
            shared = row[first] & row[second] & ~1
            if shared and (ends[first] or ends[second]):
                for span in _spans(grid, shared):
                    yield first, second, span


def _spans(grid: Grid, bits: int) -> Iterator[Stretch]:
    """The marked stretches of scores, those side by side as one."""
    for first, last in runs(bits, len(grid.steps)):
        yield Stretch(grid.steps[first].low, grid.steps[last].high)


def _pairs(area: CompiledArea) -> Iterator[tuple[int, int]]:
    for second, tier in enumerate(area.tiers):
        for first in range(second):
            if area.tiers[first].benefit != tier.benefit:
                yield first, second


def _open_above(bits: int, width: int) -> bool:
    """Whether every score from the first that is marked is marked, up to the best; or none is."""
    return bits == 0 or bits + (bits & -bits) == 1 << width


def _idle(area: CompiledArea, grid: Grid) -> Iterator[Finding]:
    """Tiers that nobody reaches, or that always stand behind a later one where only the last counts."""
    reached = counts = 0
    for row in grid.rows.values():
        later = 0
        for index in reversed(range(len(row))):
            reached |= bool(row[index]) << index
            counts |= bool(row[index] & ~later) << index
            later |= row[index]
    for index, tier in enumerate(area.tiers):
        if not reached >> index & 1:
            yield finding("unreachable", tier.pointer, **_named(tier, "a"))
        elif not area.cumulative and not counts >> index & 1:
            yield finding("shadowed", tier.pointer, **_named(tier, "a"))


def _named(tier: CompiledTier, key: str) -> dict[str, str]:
    return {f"{key}_zh": tier.name.zh, f"{key}_en": tier.name.en}
