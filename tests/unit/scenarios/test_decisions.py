from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from chalicelib.cities.rules import Scale
from chalicelib.scenarios.rules import (
    CompiledTable,
    Facts,
    GradeStanding,
    NoStanding,
    ResidentStanding,
    Standing,
    TableInvalid,
    compile_table,
    decide,
    decisions,
    parse_table,
)
from chalicelib.scenarios.rules.standings import NoStandingReason

ON = date(2025, 6, 1)
Compiled = Callable[[str], CompiledTable]
Draft = Callable[..., dict[str, Any]]


def at(
    standing: Standing,
    attributes: Mapping[str, bool] | None = None,
    *,
    district: str | None = None,
    on: date = ON,
    resident: bool = True,
) -> Facts:
    return Facts(on, district, standing, attributes or {}, resident)


@pytest.mark.parametrize(
    ("on", "code"),
    [
        (date(2024, 12, 31), "not_in_force"),
        (date(2025, 1, 1), None),
        (date(2025, 6, 30), None),
        (date(2025, 7, 1), "not_in_force"),
    ],
)
def test_a_table_holds_from_its_first_day_up_to_the_day_it_ends(
    draft: Draft, tier: Draft, scale: Scale, on: date, code: str | None
) -> None:
    table = parse_table(draft(tier("t", {"score": {"ge": 0}}, pay_later=True), valid_to="2025-07-01"))
    decision = decide(compile_table(table, scale), at(ResidentStanding(700), on=on))
    assert decision.outcome == ("refused" if code else "granted")
    assert [reason.code for reason in decision.reasons] == [code or "score_ge"]


def test_a_district_without_an_area_is_a_refusal_that_says_so(compiled: Compiled) -> None:
    decision = decide(compiled("bicycle"), at(ResidentStanding(1000), district="jimei"))
    assert decision.outcome == "refused"
    assert [reason.code for reason in decision.reasons] == ["no_area_for_district"]
    assert decision.benefit == {}
    assert decision.next_tier is None


def test_without_a_district_one_is_told_where_the_benefit_is_offered(compiled: Compiled) -> None:
    decision = decide(compiled("bicycle"), at(ResidentStanding(1000)))
    assert decision.outcome == "refused"
    assert [(reason.code, reason.params) for reason in decision.reasons] == [
        ("district_needed", {"districts": "haicang,island"})
    ]


def test_the_area_of_a_district_replaces_the_city_wide_one(compiled: Compiled) -> None:
    table = compiled("roadside_parking")
    assert decide(table, at(ResidentStanding(700), district="haicang")).area == "haicang"
    assert decide(table, at(ResidentStanding(700), district="tongan")).area is None


def test_every_condition_of_every_tier_is_a_reason_in_table_order(compiled: Compiled) -> None:
    reasons = decide(compiled("roadside_parking"), at(ResidentStanding(612), district="haicang")).reasons
    assert [(r.code, r.tier_id, r.verdict, dict(r.params)) for r in reasons] == [
        ("score_ge", "pay_later", True, {"ge": 530}),
        ("score_ge", "discount", False, {"ge": 680}),
    ]


def test_all_tiers_count_in_a_cumulative_area_and_only_the_last_otherwise(
    draft: Draft, tier: Draft, scale: Scale
) -> None:
    rows = (
        tier("low", {"score": {"ge": 500}}, free_minutes=20, pay_later=True),
        tier("high", {"score": {"ge": 600}}, free_minutes=60),
    )
    both = decide(compile_table(parse_table(draft(*rows, cumulative=True)), scale), at(ResidentStanding(700)))
    last = decide(compile_table(parse_table(draft(*rows)), scale), at(ResidentStanding(700)))
    assert (both.tier_ids, both.benefit) == (("low", "high"), {"free_minutes": 60, "pay_later": True})
    assert (last.tier_ids, last.benefit) == (("high",), {"free_minutes": 60})


@pytest.mark.parametrize("why", ["no_score", "no_agreement", "not_linked", "score_too_old"])
def test_without_a_score_one_has_what_anyone_has(compiled: Compiled, why: NoStandingReason) -> None:
    decision = decide(compiled("roadside_parking"), at(NoStanding(why), district="haicang"))
    assert decision.outcome == "refused"
    assert decision.benefit == {"free_minutes": 15}
    assert decision.reasons[0][:3] == (why, None, False)
    assert decision.next_tier is not None
    assert decision.next_tier.threshold == 530
    assert decision.missing_points is None


def test_not_even_a_range_from_the_least_score_takes_people_without_one(
    draft: Draft, tier: Draft, scale: Scale, compiled: Compiled
) -> None:
    low = compile_table(parse_table(draft(tier("t", {"score": {"lt": 500}}, pay_later=True))), scale)
    assert decide(low, at(ResidentStanding(0))).outcome == "granted"
    assert decide(low, at(NoStanding("no_score"))).outcome == "refused"
    medical = decide(compiled("credit_medical"), at(NoStanding("no_score")))
    assert (medical.outcome, medical.benefit) == ("refused", {})
    assert medical.next_tier is not None
    assert (medical.next_tier.tier_id, medical.next_tier.threshold) == ("grade_0", None)


def test_a_fact_that_needs_no_score_still_counts_but_not_while_benefits_are_suspended(
    draft: Draft, tier: Draft, scale: Scale
) -> None:
    either = {"any": [{"score": {"ge": 650}}, {"attribute": {"is": "honest_model"}}]}
    table = compile_table(parse_table(draft(tier("t", either, priority=True))), scale)
    assert decide(table, at(NoStanding("no_score"), {"honest_model": True})).outcome == "granted"
    stopped = decide(table, at(NoStanding("suspended"), {"honest_model": True}))
    assert (stopped.outcome, stopped.tier_ids, stopped.next_tier) == ("refused", (), None)
    assert stopped.reasons[0].code == "suspended"
    assert decide(table, at(NoStanding("suspended"))).outcome == "refused"


@pytest.mark.parametrize(
    ("score", "facts", "outcome"),
    [
        (700, {"honest_model": True}, "granted"),
        (700, {"honest_model": False}, "refused"),
        (700, {}, "unknown"),
        (600, {}, "refused"),
        (600, {"honest_model": True}, "refused"),
    ],
)
def test_what_is_not_known_is_neither_yes_nor_no(
    draft: Draft, tier: Draft, scale: Scale, score: int, facts: dict[str, bool], outcome: str
) -> None:
    when = {"all": [{"score": {"ge": 650}}, {"attribute": {"is": "honest_model"}}]}
    table = compile_table(parse_table(draft(tier("t", when, priority=True))), scale)
    assert decide(table, at(ResidentStanding(score), facts)).outcome == outcome


def test_a_grade_alone_may_leave_a_tier_unknown_and_still_grant_a_lower_one(compiled: Compiled, scale: Scale) -> None:
    good = GradeStanding.of(scale, "良好")
    assert decide(compiled("library"), at(good, resident=False)).outcome == "unknown"
    assert decide(compiled("i_chewei_parking"), at(good, resident=False)).outcome == "refused"
    parking = decide(compiled("roadside_parking"), at(good, resident=False))
    assert parking.outcome == "granted"
    assert decide(compiled("credit_medical"), at(good, resident=False)).benefit == {"limit_fen": 150_000}


def test_REWARD_a_grade_across_two_ranges_is_given_what_its_lowest_score_is_given(
    draft: Draft, tier: Draft, scale: Scale
) -> None:
    rows = (
        tier("five", {"score": {"ge": 500, "lt": 590}}, discount_bp=500),
        tier("ten", {"score": {"ge": 590}}, discount_bp=1000),
    )
    table = compile_table(parse_table(draft(*rows)), scale)
    fair, good, very = (
        decide(table, at(GradeStanding.of(scale, grade), resident=False)) for grade in ("一般", "良好", "优秀")
    )
    assert [d.benefit.get("discount_bp") for d in (fair, good, very)] == [500, 500, 1000]
    assert (good.outcome, [reason.verdict for reason in good.reasons]) == ("granted", [True, None])
    assert good.next_tier is not None
    assert (good.next_tier.tier_id, good.missing_points) == ("ten", None)


@pytest.mark.parametrize(("resident", "outcome"), [(True, "granted"), (False, "refused")])
def test_residence_may_be_a_condition(draft: Draft, tier: Draft, scale: Scale, resident: bool, outcome: str) -> None:
    table = compile_table(parse_table(draft(tier("t", {"resident": True}, priority=True))), scale)
    assert decide(table, at(ResidentStanding(1), resident=resident)).outcome == outcome


@pytest.mark.parametrize(
    ("edges", "inside", "outside"),
    [
        ({"ge": 600}, [600, 1000], [599]),
        ({"gt": 600}, [601], [600]),
        ({"ge": 600, "lt": 620}, [600, 619], [599, 620]),
        ({"gt": 600, "le": 620}, [601, 620], [600, 621]),
        ({"le": 620}, [0, 620], [621]),
    ],
)
def test_edges_are_exact(
    draft: Draft, tier: Draft, scale: Scale, edges: dict[str, int], inside: list[int], outside: list[int]
) -> None:
    table = compile_table(parse_table(draft(tier("t", {"score": edges}, pay_later=True))), scale)
    assert all(decide(table, at(ResidentStanding(score))).outcome == "granted" for score in inside)
    assert all(decide(table, at(ResidentStanding(score))).outcome == "refused" for score in outside)


def test_on_a_scale_whose_lower_scores_are_better_an_edge_is_towards_the_better_end(
    draft: Draft, tier: Draft, scale: Scale
) -> None:
    lower = replace(scale, direction="lower_is_better", grades=())
    table = compile_table(parse_table(draft(tier("t", {"score": {"ge": 100}}, pay_later=True))), lower)
    assert decide(table, at(ResidentStanding.of(lower, 100))).outcome == "granted"
    near = decide(table, at(ResidentStanding.of(lower, 103)))
    assert (near.outcome, near.missing_points) == ("refused", 3)


def test_a_single_grade_is_a_range(draft: Draft, tier: Draft, scale: Scale) -> None:
    table = compile_table(parse_table(draft(tier("t", {"grade": {"is": "良好"}}, pay_later=True))), scale)
    granted = [score for score in range(1001) if decide(table, at(ResidentStanding(score))).outcome == "granted"]
    assert granted == list(range(560, 620))


def test_the_next_tier_says_what_it_gives_and_whether_points_or_facts_are_missing(
    draft: Draft, tier: Draft, scale: Scale
) -> None:
    honest = {"attribute": {"is": "honest_model"}}
    rows = (
        tier("low", {"score": {"ge": 500}}, free_minutes=20),
        tier("both", {"all": [{"score": {"ge": 600}}, honest]}, pay_later=True),
    )
    table = compile_table(parse_table(draft(*rows, cumulative=True)), scale)

    def ahead(score: int, **facts: bool) -> tuple[Any, ...]:
        decision = decide(table, at(ResidentStanding(score), facts))
        step = decision.next_tier
        return () if step is None else (step.tier_id, dict(step.gives), decision.missing_points, step.facts_too)

    all_of_it = {"free_minutes": 20, "pay_later": True}
    assert ahead(490) == ("low", {"free_minutes": 20}, 10, False)
    assert ahead(550, honest_model=True) == ("both", all_of_it, 50, False)
    assert ahead(550) == ("both", all_of_it, 50, True)
    assert ahead(650) == ("both", all_of_it, None, True)
    assert ahead(650, honest_model=True) == ()


def test_a_tier_that_a_better_score_leaves_behind_is_never_next(draft: Draft, tier: Draft, scale: Scale) -> None:
    rows = (
        tier("help", {"score": {"lt": 500}}, free_minutes=60),
        tier("top", {"score": {"ge": 700}}, free_minutes=90),
    )
    for cumulative in (True, False):
        table = compile_table(parse_table(draft(*rows, cumulative=cumulative)), scale)
        decision = decide(table, at(ResidentStanding(600)))
        assert decision.next_tier is not None
        assert (decision.next_tier.tier_id, decision.missing_points) == ("top", 100)


def test_the_nearest_improvement_is_next_whatever_the_order_of_the_tiers(
    draft: Draft, tier: Draft, scale: Scale
) -> None:
    rows = (
        tier("far", {"score": {"ge": 750}}, free_minutes=60),
        tier("one", {"score": {"ge": 700}}, discount_bp=100),
        tier("two", {"score": {"ge": 634}}, discount_bp=200),
    )
    table = compile_table(parse_table(draft(*rows, cumulative=True)), scale)
    seen = []
    for score in (600, 634, 700):
        decision = decide(table, at(ResidentStanding(score)))
        assert decision.next_tier is not None
        seen.append((decision.next_tier.tier_id, decision.missing_points, dict(decision.next_tier.gives)))
    both = {"free_minutes": 60, "discount_bp": 200}
    assert seen == [("two", 34, {"discount_bp": 200}), ("far", 116, both), ("far", 50, both)]


def test_only_the_facts_of_one_tier_are_taken_for_granted(draft: Draft, tier: Draft, scale: Scale) -> None:
    rows = (
        tier("honest", {"attribute": {"is": "honest_model"}}, priority=True),
        tier("donor", {"attribute": {"is": "blood_donor"}}, documents_later=True),
    )
    decision = decide(compile_table(parse_table(draft(*rows, cumulative=True)), scale), at(ResidentStanding(600)))
    assert decision.next_tier is not None
    assert (decision.next_tier.tier_id, decision.next_tier.gives) == ("honest", {"priority": True})


def test_a_tier_that_takes_something_away_is_not_next(draft: Draft, tier: Draft, scale: Scale) -> None:
    rows = (
        tier("mid", {"score": {"ge": 500}}, free_minutes=20, pay_later=True),
        tier("less", {"score": {"ge": 600}}, free_minutes=30),
        tier("top", {"score": {"ge": 700}}, free_minutes=40, pay_later=True),
    )
    decision = decide(compile_table(parse_table(draft(*rows)), scale), at(ResidentStanding(550)))
    assert decision.next_tier is not None
    assert (decision.next_tier.tier_id, decision.missing_points) == ("top", 150)


def test_a_tier_that_gives_nothing_more_is_not_next_unless_what_it_gives_is_told_elsewhere(
    draft: Draft, tier: Draft, scale: Scale
) -> None:
    def ahead(**benefit: int) -> Any:
        rows = (tier("a", {"score": {"ge": 500}}, **benefit), tier("b", {"score": {"ge": 600}}, **benefit))
        return decide(compile_table(parse_table(draft(*rows)), scale), at(ResidentStanding(550))).next_tier

    assert ahead(free_minutes=5) is None
    assert ahead().tier_id == "b"


def test_where_one_tier_counts_a_lower_one_that_was_missed_is_not_next(draft: Draft, tier: Draft, scale: Scale) -> None:
    rows = (
        tier("honest", {"attribute": {"is": "honest_model"}}, free_minutes=10),
        tier("mid", {"score": {"ge": 500}}, free_minutes=20),
        tier("top", {"score": {"ge": 700}}, free_minutes=30),
    )
    table = compile_table(parse_table(draft(*rows)), scale)
    decision = decide(table, at(ResidentStanding(600)))
    assert decision.tier_ids == ("mid",)
    assert decision.next_tier is not None
    assert decision.next_tier.tier_id == "top"


def test_what_the_next_tier_gives_is_merged_in_table_order(draft: Draft, tier: Draft, scale: Scale) -> None:
    rows = (
        tier("honest", {"attribute": {"is": "honest_model"}}, free_minutes=10, priority=True),
        tier("mid", {"score": {"ge": 500}}, free_minutes=20),
    )
    decision = decide(compile_table(parse_table(draft(*rows, cumulative=True)), scale), at(ResidentStanding(600)))
    assert decision.next_tier is not None
    assert decision.next_tier.tier_id == "honest"
    assert decision.next_tier.gives == {"free_minutes": 20, "priority": True}


def test_the_shortest_way_is_told_where_there_are_several(draft: Draft, tier: Draft, scale: Scale) -> None:
    honest_sooner = {"all": [{"score": {"ge": 600}}, {"attribute": {"is": "honest_model"}}]}
    table = compile_table(
        parse_table(draft(tier("t", {"any": [{"score": {"ge": 700}}, honest_sooner]}, priority=True))), scale
    )
    assert decide(table, at(ResidentStanding(590), {"honest_model": True})).missing_points == 10
    assert decide(table, at(ResidentStanding(590), {"honest_model": False})).missing_points == 110


def test_a_table_that_names_a_grade_the_scale_lacks_is_refused(draft: Draft, tier: Draft, scale: Scale) -> None:
    table = parse_table(draft(tier("t", {"any": [{"resident": True}, {"grade": {"ge": "AAA"}}]}, priority=True)))
    with pytest.raises(TableInvalid) as caught:
        compile_table(table, scale)
    assert [fault.pointer for fault in caught.value.faults] == ["/areas/0/tiers/0/when/any/1/grade/ge"]
    with pytest.raises(TableInvalid) as other:
        compile_table(table, replace(scale, city_id="hangzhou"))
    assert [fault.pointer for fault in other.value.faults] == ["/city_id"]


def test_the_shared_ruling_does_not_mix_people_up(compiled: Compiled) -> None:
    table = compiled("roadside_parking")
    forth = [decide(table, at(ResidentStanding(score), district="haicang"))[2:] for score in range(1001)]
    fresh = [
        decide(replace_memo(table), at(ResidentStanding(score), district="haicang"))[2:]
        for score in (0, 529, 530, 679, 680)
    ]
    assert [forth[score] for score in (0, 529, 530, 679, 680)] == fresh
    assert len(table.areas["haicang"].rulings) == 3


def replace_memo(table: CompiledTable) -> CompiledTable:
    return compile_table(table.table, table.scale)


def test_the_memo_is_bounded_and_not_needed(compiled: Compiled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions, "MAX_RULINGS", 1)
    table = compiled("roadside_parking")
    outcomes = [decide(table, at(ResidentStanding(s), district="haicang")).tier_ids for s in (500, 600, 700)]
    assert outcomes == [(), ("pay_later",), ("pay_later", "discount")]
    assert len(table.areas["haicang"].rulings) == 1
