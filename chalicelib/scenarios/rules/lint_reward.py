"""Linting for REWARD: a better score, and a fact that holds, are never worse off; nobody is worse off than without.

Worked on the same stretches and sets of facts as ``lint_ranges``, field by field, on what people would really be given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

from chalicelib.cities.rules import Scale
from chalicelib.core.text import Text
from chalicelib.scenarios.rules.benefits import Benefit, describe, worse_fields
from chalicelib.scenarios.rules.compiled import CompiledArea
from chalicelib.scenarios.rules.findings import Finding, finding
from chalicelib.scenarios.rules.lint_ranges import Case, Grid, Stretch
from chalicelib.scenarios.rules.rulings import given, held_tiers

_RESIDENT = Text("本市居民", "a score of this city")
_UNSCORED = Text("没有信用分的人", "people without a score")

Held = tuple[int, ...]


class _Worse(NamedTuple):
    """People who hold some tiers and are worse off than people who hold others, or (None) than anyone.

    ``step`` is where they are on the scale, and ``fact`` what they have more than the others: ``""``: a score of this
    city; None: no fact, but a better score or any at all.
    """

    code: str
    held: Held
    than: Held | None
    step: int
    fact: str | None = None


def lint_reward(
    area: CompiledArea, grid: Grid, scale: Scale, pointer: str, fact_names: Mapping[str, Text]
) -> Iterator[Finding]:
    """Every way in which a better standing would be worse off, each once per tier and field."""
    seen: set[tuple[str, str, str]] = set()
    gains = {case: _held(area, row, len(grid.steps)) for case, row in grid.rows.items()}
    compared = cache(lambda held, than: worse_fields(_benefit(area, held), _benefit(area, than)))
    for worse in _compared(gains, len(grid.steps)):
        place = area.tiers[worse.held[-1]].pointer if worse.held else f"{pointer}/without"
        for name in compared(worse.held, worse.than):
            key = (worse.code, place, name)
            if key not in seen:
                seen.add(key)
                yield _told(area, worse, name, place, _people(worse, grid, scale, fact_names))


def _held(area: CompiledArea, row: list[int], width: int) -> list[Held]:
    """Which tiers count, for every stretch."""
    known: dict[tuple[int, ...], Held] = {}
    held = []
    for step in range(width):
        met = tuple([bits >> step & 1 for bits in row])
        if met not in known:
            known[met] = tuple(held_tiers(area, [bool(bit) for bit in met]))
        held.append(known[met])
    return held


def _compared(gains: Mapping[Case, list[Held]], width: int) -> Iterator[_Worse]:
    """Everybody with everybody next to whom he must not be worse off; those who hold the same tiers are left out."""
    for case, row in gains.items():
        for step in range(1, width):
            if row[step] != row[0]:
                yield _Worse("worse-than-without", row[step], row[0], step)
        for step in range(2, width):
            if row[step] != row[step - 1]:
                yield _Worse("better-worse-off", row[step], row[step - 1], step)
        yield _Worse("worse-than-without", row[0], None, 0)
        for fewer, fact in _neighbours(case):
            for step, (more, less) in enumerate(zip(row, gains[fewer], strict=True)):
                if more != less:
                    yield _Worse("fact-worse-off", more, less, step, fact)


def _benefit(area: CompiledArea, held: Held | None) -> Benefit:
    return area.without if held is None else given(area, list(held))


def _neighbours(case: Case) -> Iterator[tuple[Case, str]]:
    """The sets of facts with a single fact less; the fact is "" for being a resident."""
    for fact in sorted(case.held):
        yield Case(case.held - {fact}, case.resident), fact
    if case.resident:
        yield Case(case.held, resident=False), ""


def _told(area: CompiledArea, worse: _Worse, name: str, place: str, people: Mapping[str, Text]) -> Finding:
    gets, than = _benefit(area, worse.held).get(name), _benefit(area, worse.than).get(name)
    words = {**people, "gets": describe(name, gets), "than": describe(name, than)}
    both = {f"{key}_zh": text.zh for key, text in words.items()}
    return finding(worse.code, place, **both, **{f"{key}_en": text.en for key, text in words.items()})


def _people(worse: _Worse, grid: Grid, scale: Scale, fact_names: Mapping[str, Text]) -> dict[str, Text]:
    """Who is compared with whom, in words."""
    if worse.fact is not None:
        return {"fact": fact_names.get(worse.fact, Text(worse.fact, worse.fact)) if worse.fact else _RESIDENT}
    high = _said(grid.steps[worse.step], scale)
    people = {"high": Text(high.zh, high.en[0].upper() + high.en[1:])}
    if worse.code == "better-worse-off":
        people["low"] = _said(grid.steps[worse.step - 1], scale)
    return people


def _said(step: Stretch, scale: Scale) -> Text:
    """Who they are: by their grade where the stretch begins one, else by its scores."""
    if step.low is None:
        return _UNSCORED
    ends = step.said(scale)
    grades = dict(zip((scale.minimum, *scale.grade_thresholds()), scale.grades, strict=False))
    grade = grades.get(step.low)
    if grade is None:
        return Text("{low} 至 {high} 分的人", "people with {low} to {high} points").format(**ends)
    zh, en = (
        f"“{grade.name}”（{ends['low']} 至 {ends['high']} 分）",
        f"“{grade.name_en}” ({ends['low']} to {ends['high']})",
    )
    return Text(zh, en)
