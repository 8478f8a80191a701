"""What the linter says of an offer in its city, each with the least offer or scenario that has it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from chalicelib.cities.rules import Scheme
from chalicelib.offers.rules import (
    OfferLintRefused,
    OfferOutOfStep,
    Share,
    lint_offer,
    require_clean,
    require_in_step,
)
from chalicelib.scenarios.rules import CompiledTable
from tests.unit.offers.shop import BY_GRADE, compiled, fixed, offer, percent, published, row, scenario

FREE = Scheme()
ABOVE, BELOW = {"score": {"ge": 620}}, {"score": {"ge": 560}}
HONEST = {"attribute": {"is": "honest"}}
TWO = scenario(row("low", BELOW), row("high", ABOVE))
SPOTTY = scenario(row("low", {"score": {"ge": 500, "lt": 700}}), row("high", {"score": {"ge": 700}}))
MIXED = {"tiers": (*percent({"一般": 500}), fixed("良好", tea=8361, tofu=3420))}


def by_tier(**discounts: int) -> dict[str, Any]:
    return {"tiers_by": "scenario", "tiers": percent(discounts)}


def areas(*districts: str) -> CompiledTable:
    return scenario(areas=[{"district": d, "tiers": [row("low", BELOW)]} for d in districts])


Case = tuple[CompiledTable, dict[str, Any], list[tuple[str, str]]]
CASES: dict[str, Case] = {
    "the demo's": (published(), {}, []),
    "by the scenario's own tiers": (TWO, by_tier(low=500, high=900), []),
    "another scenario": (published(), {"scenario_id": "library"}, [("city-mismatch", "/scenario_id")]),
    "another city": (published(), {"city_id": "hangzhou"}, [("city-mismatch", "/scenario_id")]),
    "not for merchants": (
        scenario(row("low", BELOW), recipients=["library"]),
        {},
        [("recipient-missing", "/scenario_id")],
    ),
    "agreed to for something else": (published(), {"category": "loan"}, [("use-mismatch", "/category")]),
    "a grade that is none": (
        published(),
        {"tiers": percent({"一般": 1, "AAA": 2, "良好": 3, "优秀": 4, "极好": 5})},
        [("grade-unknown", "/tiers/1/tier")],
    ),
    "a tier that is none": (TWO, by_tier(low=500, high=900, top=1000), [("tier-unknown", "/tiers/2/tier")]),
    "a skipped grade": (
        published(),
        {"tiers": percent({"一般": 100, "优秀": 200, "极好": 300})},
        [("grade-skipped", "/tiers")],
    ),
    "优秀 pays more than 良好": (
        published(),
        {"tiers": percent(BY_GRADE | {"优秀": 800})},
        [("better-worse-off", "/tiers/2")],
    ),
    "the best grades pay the list price": (
        TWO,
        by_tier(low=500),
        [("better-worse-off", "/tiers")],
    ),
    "a fixed price above a percentage, by half a fen": (
        published(),
        {"tiers": (*percent({"一般": 1}), fixed("良好", tea=8800, tofu=3599), *percent({"优秀": 10, "极好": 11}))},
        [("better-worse-off", "/tiers/1")],
    ),
    "a fixed price for one thing of two": (
        published(),
        {"tiers": (*percent({"一般": 100}), fixed("良好", tea=8000), *percent({"优秀": 1000, "极好": 1000}))},
        [("better-worse-off", "/tiers/1")],
    ),
    "a mix in good order": (
        published(),
        {"tiers": (*percent({"一般": 500}), fixed("良好", tea=8360, tofu=3420), *percent({"优秀": 600, "极好": 600}))},
        [],
    ),
    "a fixed price a fen too high": (
        published(),
        MIXED | {"tiers": (*MIXED["tiers"], *percent({"优秀": 600, "极好": 600}))},
        [("better-worse-off", "/tiers/1")],
    ),
    "scores of a range pay less than those above": (
        SPOTTY,
        by_tier(low=900, high=500),
        [("better-worse-off", "/tiers/1")],
    ),
    "the honest pay more": (
        scenario(row("low", BELOW), row("high", {"all": [BELOW, HONEST]})),
        by_tier(low=900, high=500),
        [("fact-worse-off", "/tiers/1")],
    ),
    "residents pay more": (
        scenario(row("low", BELOW), row("high", {"all": [BELOW, {"resident": True}]})),
        by_tier(low=900, high=500),
        [("fact-worse-off", "/tiers/1")],
    ),
    "people without a score pay less": (
        scenario(row("any", HONEST), row("low", {"all": [HONEST, BELOW]})),
        {"tiers_by": "scenario", "tiers": percent({"any": 900, "low": 500})},
        [("better-worse-off", "/tiers/1")],
    ),
    "any score at all pays more than none": (
        scenario(row("any", HONEST), row("low", {"all": [HONEST, {"score": {"ge": 0}}]})),
        {"tiers_by": "scenario", "tiers": percent({"any": 900, "low": 500})},
        [("better-worse-off", "/tiers/1")],
    ),
    "a tier that nobody pays by": (
        scenario(row("high", ABOVE), row("low", BELOW)),
        by_tier(low=500, high=500),
        [("unreachable", "/tiers/1")],
    ),
    "a tier that nobody reaches": (
        scenario(row("low", BELOW), row("high", {"score": {"gt": 700, "lt": 700}})),
        by_tier(low=500, high=500),
        [("unreachable", "/tiers/1")],
    ),
    "a tier of other districts": (
        scenario(
            areas=[
                {"district": "jimei", "tiers": [row("low", BELOW)]},
                {"district": "haicang", "tiers": [row("high", ABOVE)]},
            ]
        ),
        by_tier(low=500, high=900) | {"districts": ("jimei",)},
        [("unreachable", "/tiers/1")],
    ),
    "a district without rules": (
        areas("jimei"),
        by_tier(low=500) | {"districts": ("jimei", "haicang")},
        [("district-without-rules", "/districts/1")],
    ),
    "grades need no rules of the district": (published(), {"districts": ("haicang",)}, []),
    "tiers count together": (
        scenario(row("low", BELOW), row("high", ABOVE), cumulative=True),
        by_tier(low=500),
        [],
    ),
    "a lesser tier that the offer leaves out": (TWO, by_tier(high=900), []),
    "rules that end first": (
        scenario(row("low", BELOW), valid_to="2026-08-31"),
        by_tier(low=500),
        [("rules-end-first", "/valid_to")],
    ),
    "rules that end with it": (scenario(row("low", BELOW), valid_to="2026-09-01"), by_tier(low=500), []),
    "unfit by itself": (published(), {"budget_fen": 0}, [("budget-unfit", "/budget_fen")]),
}


@pytest.mark.parametrize("name", CASES)
def test_the_linter_says_this_and_nothing_else(name: str) -> None:
    table, changes, expected = CASES[name]
    found = lint_offer(offer(**changes), table, FREE, {"jimei", "haicang"})
    assert [(item.code, item.pointer) for item in found] == expected
    assert all("{" not in item.message.zh + item.message.en for item in found)


def test_the_sentence_of_the_demo() -> None:
    found = lint_offer(offer(tiers=percent(BY_GRADE | {"优秀": 800})), published(), FREE)
    assert [item.message.zh for item in found] == [
        "“优秀”买“清流嵩溪豆腐皮 250 克”付 33.12 元，比“良好”的 32.40 元还多：信用更好，反而更贵"
    ]
    assert found[0].message.en.startswith("For “Songxi tofu skin, 250 g” “Very good” pays 33.12 yuan, more than")


def test_half_a_fen_is_told() -> None:
    tiers = (*percent({"一般": 1}), fixed("良好", tea=8800, tofu=3599), *percent({"优秀": 10, "极好": 11}))
    (found,) = lint_offer(offer(tiers=tiers), published(), FREE)
    assert "88.00 元，比“一般”的 87.9912 元还多" in found.message.zh


@pytest.mark.parametrize(
    ("scheme", "codes"),
    [
        (Scheme(), []),
        (Scheme(permitted_uses=("produce",)), []),
        (Scheme(permitted_uses=("library",)), ["use-forbidden"]),
        (Scheme(forbidden_uses=("produce",)), ["use-forbidden"]),
    ],
)
def test_a_use_that_the_scheme_forbids(scheme: Scheme, codes: list[str]) -> None:
    assert [item.code for item in lint_offer(offer(), published(), scheme)] == codes


def test_a_district_that_the_city_does_not_have() -> None:
    away = offer(districts=("atlantis",))
    assert [item.code for item in lint_offer(away, published(), FREE, {"jimei"})] == ["district-unknown"]
    assert lint_offer(away, published(), FREE) == []


def test_a_scenario_that_is_not_in_force_is_all_that_is_said_of_the_city() -> None:
    found = lint_offer(offer(budget_fen=0, category="loan"), None, FREE, {"jimei"})
    assert [item.code for item in found] == ["budget-unfit", "scenario-unknown"]


@pytest.mark.parametrize(("banks", "codes"), [({"demo-bank"}, []), (set(), ["bank-unknown"]), (None, [])])
def test_a_bank_that_bears_a_share_is_one_of_the_citys(banks: set[str] | None, codes: list[str]) -> None:
    shared = offer(funding=(Share("merchant", 5000), Share("bank", 5000, "demo-bank")))
    found = lint_offer(shared, published(), FREE, None, banks)
    assert [(item.code, item.pointer) for item in found] == [(code, "/funding/1/partner_id") for code in codes]


def test_only_errors_bar_the_way() -> None:
    require_clean(lint_offer(offer(tiers=percent({"一般": 100, "极好": 200})), published(), FREE))
    with pytest.raises(OfferLintRefused) as refused:
        require_clean(lint_offer(offer(tiers=percent({"良好": 200, "极好": 100})), published(), FREE))
    assert [fault.pointer for fault in refused.value.faults] == ["/tiers/1"]


def test_REWARD_an_offer_is_out_of_step_once_the_scenarios_new_rules_would_punish() -> None:
    made = offer(**by_tier(low=500, high=900))
    require_in_step(compiled(made, TWO))
    turned = scenario(row("high", BELOW), row("low", ABOVE))
    with pytest.raises(OfferOutOfStep):
        require_in_step(compiled(made, turned))
    require_in_step(compiled(made, scenario(row("low", BELOW))))


def test_the_last_day_is_the_citys() -> None:
    ends = offer(**by_tier(low=500), valid_to=datetime(2026, 8, 31, 16, 0, 1, tzinfo=UTC))
    table = scenario(row("low", BELOW), valid_to=date(2026, 9, 1).isoformat())
    assert [item.code for item in lint_offer(ends, table, FREE)] == ["rules-end-first"]
