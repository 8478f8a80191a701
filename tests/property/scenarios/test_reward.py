"""The linter against brute force: every score of the scale, with every set of facts, one by one."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from chalicelib.cities.rules import Scale, Scheme
from chalicelib.scenarios.rules import (
    CompiledTable,
    Facts,
    GradeStanding,
    TierTable,
    compile_table,
    decide,
    lint,
    may_publish,
    parse_table,
)
from chalicelib.scenarios.rules.lint_ranges import cases, grid_of, matches
from tests.property.scenarios.drafts import (
    ON,
    Given,
    as_cumulative,
    fact_sets,
    goodness,
    is_worse,
    orderly,
    resident_of,
    unscored,
    wild,
)

RANGES = {"gap", "overlap", "unreachable", "shadowed"}
REWARDS = {"better-worse-off", "worse-than-without", "fact-worse-off"}


def reward_codes(compiled: CompiledTable) -> set[str]:
    """Which promises of REWARD the table breaks for somebody."""
    found = set()
    without = compiled.areas[None].without
    gains: dict[Any, dict[int | None, Given]] = {}
    for facts, resident in fact_sets():
        row: dict[int | None, Given] = {None: unscored(compiled, facts, resident).benefit}
        row |= {s: resident_of(compiled, s, facts, resident).benefit for s in goodness(compiled.scale)}
        gains[frozenset(facts.items()), resident] = row
        if any(is_worse(b, without) or is_worse(b, row[None]) for b in row.values()):
            found.add("worse-than-without")
        if any(is_worse(row[high], row[low]) for low, high in pairwise(goodness(compiled.scale))):
            found.add("better-worse-off")
    for (facts_held, resident), row in gains.items():
        fewer = [(facts_held - {(n, True)} | {(n, False)}, resident) for n, yes in facts_held if yes]
        for less in [*fewer, (facts_held, False)]:
            if any(is_worse(row[who], gains[less][who]) for who in row):
                found.add("fact-worse-off")
    return found


def range_codes(table: TierTable, compiled: CompiledTable, scale: Scale) -> set[str]:
    """What is wrong with the table's ranges."""
    found = set()
    (area,) = table.areas
    twin = as_cumulative(table, scale)
    benefits = {tier.tier_id: tier.benefit for tier in twin.areas[None].tiers}
    reached_by_any: set[str] = set()
    counted: set[str] = set()
    for facts, resident in fact_sets():
        reached = {s: set(resident_of(twin, s, facts, resident).tier_ids) for s in goodness(scale)}
        reached_by_any |= set().union(*reached.values()) | set(unscored(twin, facts, resident).tier_ids)
        counted |= {t for s in reached for t in resident_of(compiled, s, facts, resident).tier_ids}
        counted |= set(unscored(compiled, facts, resident).tier_ids)
        rows = list(reached.values())
        if any(not rows[high] and any(rows[:high]) for high in range(len(rows))):
            found.add("gap")
        if not area.cumulative and overlaps(rows, benefits):
            found.add("overlap")
    found |= {"unreachable"} if set(benefits) - reached_by_any else set()
    return found | ({"shadowed"} if not area.cumulative and reached_by_any - counted else set())


def overlaps(rows: list[set[str]], benefits: Mapping[str, Given]) -> bool:
    ends = {t for t in benefits for low, high in pairwise(rows) if t in low and t not in high}
    return any(
        benefits[one] != benefits[two] and (one in ends or two in ends) for row in rows for one in row for two in row
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(wild())
def test_REWARD_the_linter_finds_what_brute_force_finds_and_nothing_else(draft: tuple[dict[str, Any], Scale]) -> None:
    document, scale = draft
    table = parse_table(document)
    codes = {finding.code for finding in lint(table, scale, Scheme())}
    assert codes <= RANGES | REWARDS | {"baseline-missing", "grade-skipped", "fact-without-source"}
    compiled = compile_table(table, scale)
    assert codes & REWARDS == reward_codes(compiled)
    assert codes & RANGES == range_codes(table, compiled, scale)


@settings(max_examples=60, deadline=None)
@given(wild())
def test_the_linter_judges_everybody_at_once_as_it_would_one_by_one(draft: tuple[dict[str, Any], Scale]) -> None:
    document, scale = draft
    (area,) = compile_table(parse_table(document), scale).areas.values()
    grid = grid_of(area, scale)
    assert list(grid.rows) == cases(area)
    for case, row in grid.rows.items():
        for index, step in enumerate(grid.steps):
            assert [bool(bits >> index & 1) for bits in row] == matches(area, step, case)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(st.one_of(orderly(), wild()))
def test_REWARD_in_a_clean_table_a_better_grade_is_never_worse_off(draft: tuple[dict[str, Any], Scale]) -> None:
    document, scale = draft
    table = parse_table(document)
    assume(may_publish(lint(table, scale, Scheme())))
    compiled = compile_table(table, scale)
    ends = [*scale.grade_thresholds(), scale.maximum + scale.step]
    for facts, _ in fact_sets():
        below: Given = unscored(compiled, facts, resident=False).benefit
        for grade, end in zip(scale.grades, ends, strict=True):
            standing = GradeStanding.of(scale, grade.name)
            got = decide(compiled, Facts(ON, None, standing, facts, False)).benefit
            lowest = resident_of(compiled, standing.low, facts, resident=False).benefit
            highest = resident_of(compiled, end - scale.step, facts, resident=False).benefit
            assert not is_worse(got, below)
            assert not is_worse(got, lowest)
            assert not is_worse(highest, got)
            below = got


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(orderly())
def test_REWARD_in_a_clean_table_a_better_score_is_never_worse_off(draft: tuple[dict[str, Any], Scale]) -> None:
    document, scale = draft
    table = parse_table(document)
    assume(may_publish(lint(table, scale, Scheme())))
    assert reward_codes(compile_table(table, scale)) == set()
