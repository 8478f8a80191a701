"""A policy by itself, in its city, and what it costs a year."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from chalicelib.cities.rules import Scheme
from chalicelib.core.text import Text
from chalicelib.medical.rules import (
    CODES,
    Fee,
    Policy,
    PolicyInvalid,
    PolicyLintRefused,
    RateCeiling,
    annualised_rate_bp,
    broken_ceilings,
    check_policy,
    cost_said,
    faults_of,
    lint_policies,
    lint_policy,
    require_clean,
)
from chalicelib.scenarios.rules import CompiledTable
from tests.unit.medical.ward import COURT, policy, published, table

FEE = Fee(Text("手续费", "fee"), 1_000)
GOOD = {"不良": 50_000, "一般": 100_000, "良好": 150_000, "优秀": 200_000, "极好": 300_000}


def linted(draft: Policy, by: CompiledTable | None = None, ceilings: tuple[RateCeiling, ...] = (COURT,)) -> list[str]:
    return [item.code for item in lint_policy(draft, by or published(), Scheme(), ceilings, {"first", "second"})]


def test_the_demo_banks_policy_is_clean() -> None:
    assert check_policy(policy()) == policy()
    assert linted(policy()) == []
    assert (policy().interest_free_days, policy().illustrative) == (42, True)


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"bank_id": "Bank"}, "id-unfit", "/bank_id"),
        ({"scenario_id": "x\n"}, "id-unfit", "/scenario_id"),
        ({"source": " "}, "text-unfit", "/source"),
        ({"source": "a\u202eb"}, "text-unfit", "/source"),
        ({"day_count": "30/360"}, "day-count-unknown", "/day_count"),
        ({"ceiling_fen": True}, "figure-unfit", "/ceiling_fen"),
        ({"ceiling_fen": 0}, "figure-unfit", "/ceiling_fen"),
        ({"ceiling_fen": 10**10 + 1}, "figure-unfit", "/ceiling_fen"),
        ({"exposure_cap_fen": 1.5}, "figure-unfit", "/exposure_cap_fen"),
        ({"daily_rate_ppm": -1}, "figure-unfit", "/daily_rate_ppm"),
        ({"daily_rate_ppm": 1_001}, "figure-unfit", "/daily_rate_ppm"),
        ({"interest_free_days": 0}, "figure-unfit", "/interest_free_days"),
        ({"fees": (FEE,) * 5}, "too-many", "/fees"),
        ({"fees": (FEE, replace(FEE, ppm=True))}, "figure-unfit", "/fees/1/ppm"),
        ({"fees": (replace(FEE, name=Text("", "fee")),)}, "text-unfit", "/fees/0/name"),
        ({"hospitals": ()}, "too-many", "/hospitals"),
        ({"hospitals": ("first", "First")}, "id-unfit", "/hospitals/1"),
        ({"hospitals": ("first", "first")}, "repeated", "/hospitals/1"),
        ({"valid_to": date(2022, 9, 1)}, "dates-contradict", "/valid_to"),
        ({"reminder_days_before": 43}, "reminder-before-capture", "/reminder_days_before"),
        ({"exposure_cap_fen": 16 * 300_000 - 1}, "shard-too-small", "/shards"),
        ({"minimum_repayment_fen": 300_001}, "minimum-above-ceiling", "/minimum_repayment_fen"),
    ],
)
def test_what_a_policy_must_be_by_itself(changes: dict[str, Any], code: str, pointer: str) -> None:
    draft = policy(**changes)
    assert [(item.code, item.pointer) for item in faults_of(draft)] == [(code, pointer)]
    with pytest.raises(PolicyInvalid) as refusal:
        check_policy(draft)
    assert [fault.pointer for fault in refusal.value.faults] == [pointer]


@pytest.mark.parametrize(
    ("changes", "by", "code"),
    [
        ({"city_id": "fuzhou"}, table(GOOD), "city-mismatch"),
        ({}, table(GOOD, use="lending"), "use-mismatch"),
        ({}, table(GOOD, recipients=["bank"]), "recipient-missing"),
        ({}, table(GOOD, valid_to="2030-01-01"), "rules-end-first"),
        ({"valid_from": date(2022, 8, 31)}, table(GOOD), "scenario-unknown"),
        ({"hospitals": ("first", "third")}, table(GOOD), "hospital-unknown"),
        ({"ceiling_fen": 299_999}, table(GOOD), "tier-capped"),
        ({}, table(tiers=[{"tier_id": "any", "name": {"zh": "甲", "en": "a"}, "when": {"score": {"ge": 0}},
                           "benefit": {"priority": True}}]), "limit-missing"),
        ({"daily_rate_ppm": 658}, table(GOOD), "rate-above-ceiling"),
    ],
)  # fmt: skip
def test_what_is_said_of_a_policy_in_its_city(changes: dict[str, Any], by: CompiledTable, code: str) -> None:
    assert code in CODES
    assert linted(policy(**changes), by) == [code]


def test_a_policy_without_rules_or_without_a_ceiling_on_its_rate() -> None:
    assert [item.code for item in lint_policy(policy(), None, Scheme(), ())] == ["scenario-unknown"]
    assert linted(policy(), ceilings=()) == ["ceiling-unknown"]


def test_REWARD_a_better_grade_worse_off_bars_a_policy() -> None:
    found = lint_policy(policy(), table(GOOD | {"优秀": 149_999}), Scheme(), (COURT,))
    assert [(item.code, item.pointer) for item in found] == [
        ("better-worse-off", "/scenario_id/areas/0/by_grade/优秀")
    ]  # fmt: skip
    with pytest.raises(PolicyLintRefused) as refusal:
        require_clean(found)
    assert [fault.pointer for fault in refusal.value.faults] == [found[0].pointer]
    require_clean(lint_policy(policy(ceiling_fen=299_999), published(), Scheme(), (COURT,)))


def test_REWARD_somebody_with_a_score_worse_off_than_without_bars_a_policy() -> None:
    area = {"district": None, "by_grade": GOOD, "unit": "limit_fen", "without": {"limit_fen": 60_000}}
    assert linted(policy(), table(GOOD, areas=[area])) == ["worse-than-without"]


def test_gaps_and_overlaps_of_scores_are_the_scenarios_own_findings() -> None:
    def row(tier_id: str, limit_fen: int, **score: int) -> dict[str, Any]:
        name = {"zh": tier_id, "en": tier_id}
        return {"tier_id": tier_id, "name": name, "when": {"score": score}, "benefit": {"limit_fen": limit_fen}}

    gap = table(tiers=[row("a", 50_000, ge=0, lt=500), row("b", 60_000, ge=510)])
    overlap = table(tiers=[row("a", 50_000, ge=0, lt=520), row("b", 60_000, ge=500)])
    assert linted(policy(), gap)[0] == "gap"
    assert linted(policy(), overlap)[0] == "overlap"


def test_versions_of_a_policy_follow_one_another() -> None:
    first = policy(valid_to=date(2027, 1, 1))
    assert lint_policies([policy(version=2, valid_from=date(2027, 1, 1)), first]) == []
    late = [first, policy(version=2, valid_from=date(2027, 1, 2))]
    assert [(item.code, item.pointer) for item in lint_policies(late)] == [("versions-gap", "/1/valid_from")]
    same = [first, policy(version=1, valid_from=date(2026, 12, 31))]
    assert [item.code for item in lint_policies(same)] == ["version-repeated", "versions-overlap"]


def test_what_credit_costs_a_year() -> None:
    assert annualised_rate_bp(policy()) == annualised_rate_bp(policy(day_count="actual/360")) == 1825
    assert annualised_rate_bp(policy(daily_rate_ppm=1)) == 4, "0.0365 % is shown as 0.04 %, never as less"
    assert cost_said(policy()).zh == (
        "年化利率（单利）：全部成本合计不超过 18.25 %；免息 42 天，此后按日 0.05% 计息（actual/365）"
    )
    said = cost_said(policy()).en
    assert 0 <= said.index("18.25 % a year") < said.index("0.05 % a day"), "the year's rate comes before the day's"


def test_fees_count_in_the_annual_rate_over_the_days_without_interest() -> None:
    assert annualised_rate_bp(policy(fees=(FEE,))) == 1825
    assert annualised_rate_bp(policy(fees=(FEE, replace(FEE, ppm=29_000)))) == 2608, "3 % in 42 days is 26.08 %"
    assert annualised_rate_bp(policy(fees=(FEE,), daily_rate_ppm=0)) == 87


def test_a_ceiling_holds_on_its_days() -> None:
    dear = policy(daily_rate_ppm=658, valid_from=date(2030, 1, 1), valid_to=date(2031, 1, 1))
    assert broken_ceilings(dear, [COURT]) == [COURT]
    assert broken_ceilings(replace(dear, daily_rate_ppm=657), [COURT]) == []
    assert broken_ceilings(policy(), [replace(COURT, annual_bp=1825)]) == []
    assert broken_ceilings(policy(), [replace(COURT, annual_bp=1824)]) != []
    over = replace(COURT, valid_to=date(2030, 1, 1))
    assert broken_ceilings(dear, [over, replace(COURT, valid_from=date(2031, 1, 1))]) == []
    assert COURT.in_force(date(2017, 8, 4))
    assert not over.in_force(date(2030, 1, 1))
