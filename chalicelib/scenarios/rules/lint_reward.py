"""Linting for REWARD: a better score, and a fact that holds, are never worse off; nobody is worse off than without.

Worked on the same stretches and sets of facts as ``lint_ranges``, field by field, on what people would really be given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from chalicelib.cities.rules import Scale
from chalicelib.core.text import Text
from chalicelib.scenarios.rules.benefits import Benefit, describe, worse_fields
from chalicelib.scenarios.rules.compiled import CompiledArea
from chalicelib.scenarios.rules.findings import Finding, finding
from chalicelib.scenarios.rules.lint_ranges import Case, Stretch, cases, matches, stretches
from chalicelib.scenarios.rules.rulings import given, held_tiers

_RESIDENT = Text("本市居民", "a score of this city")


def lint_reward(area: CompiledArea, scale: Scale, pointer: str, fact_names: Mapping[str, Text]) -> Iterator[Finding]:
    """Every way in which a better standing would be worse off, each once per tier and field."""
    steps = stretches(area, scale)
    seen: set[tuple[str, str, str]] = set()
    for item in _all(area, steps, scale, pointer, fact_names):
        key = (item[0].code, item[0].pointer, item[1])
        if key not in seen:
            seen.add(key)
            yield item[0]


def _all(
    area: CompiledArea, steps: list[Stretch], scale: Scale, pointer: str, fact_names: Mapping[str, Text]
) -> Iterator[tuple[Finding, str]]:
    gains = {case: [_given(area, step, case) for step in steps] for case in cases(area)}
    places = {case: [_place(area, step, case, pointer) for step in steps] for case in gains}
    for case, row in gains.items():
        for index in range(1, len(steps)):
            who = _people(steps[index], scale)
            place = places[case][index]
            yield from _worse("worse-than-without", place, row[index], row[0], high=who)
        for index in range(2, len(steps)):
            people = {"high": _people(steps[index], scale), "low": _people(steps[index - 1], scale)}
            yield from _worse("better-worse-off", places[case][index], row[index], row[index - 1], **people)
        yield from _worse("worse-than-without", places[case][0], row[0], area.without, high=_UNSCORED)
    for case, fewer, fact in _neighbours(gains):
        said = _RESIDENT if fact is None else fact_names.get(fact, Text(fact, fact))
        for index in range(len(steps)):
            more, less = gains[case][index], gains[fewer][index]
            yield from _worse("fact-worse-off", places[case][index], more, less, fact=said)


_UNSCORED = Text("没有信用分的人", "People without a score")


def _given(area: CompiledArea, step: Stretch, case: Case) -> Benefit:
    return given(area, held_tiers(area, list(matches(area, step, case))))


def _place(area: CompiledArea, step: Stretch, case: Case, pointer: str) -> str:
    held = held_tiers(area, list(matches(area, step, case)))
    return area.tiers[held[-1]].pointer if held else f"{pointer}/without"


def _neighbours(gains: Mapping[Case, object]) -> Iterator[tuple[Case, Case, str | None]]:
    """Every set of facts with the one that has a single fact less; the fact is None for being a resident."""
    for case in gains:
        for fact in sorted(case.held):
            yield case, Case(case.held - {fact}, case.resident), fact
        if case.resident:
            yield case, Case(case.held, resident=False), None


def _worse(code: str, place: str, benefit: Benefit, than: Benefit, **people: Text) -> Iterator[tuple[Finding, str]]:
    for name in worse_fields(benefit, than):
        words = people | {"gets": describe(name, benefit.get(name)), "than": describe(name, than.get(name))}
        both = {f"{key}_zh": text.zh for key, text in words.items()}
        yield finding(code, place, **both, **{f"{key}_en": text.en for key, text in words.items()}), name


def _people(step: Stretch, scale: Scale) -> Text:
    """Who they are: by their grade where the stretch begins one, else by its scores."""
    ends = step.said(scale)
    span = Text("{low} 至 {high} 分的人", "People with {low} to {high} points").format(**ends)
    grades = dict(zip((scale.minimum, *scale.grade_thresholds()), scale.grades, strict=False))
    grade = grades.get(step.low) if step.low is not None else None
    if grade is None:
        return span
    zh, en = (
        f"“{grade.name}”（{ends['low']} 至 {ends['high']} 分）",
        f"“{grade.name_en}” ({ends['low']} to {ends['high']})",
    )
    return Text(zh, en)
