"""Why was it not applied? What is told to the person, and what to the merchant."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from chalicelib.core import codec
from chalicelib.core.text import Text
from chalicelib.offers.rules import (
    Line,
    Quota,
    QuotaState,
    Situation,
    hindrances,
    price_line,
    tell_citizen,
    tell_merchant,
    terms,
    windows_of,
)
from chalicelib.scenarios.rules import Facts, GradeStanding, LinkedStanding, NoStanding, decide
from tests.unit.offers.shop import NOON, TEA, TODAY, TOFU, ZONE, compiled, fixed, judged, offer, percent, row, scenario

READY = compiled()
BOUND = offer(districts=("jimei",), budget_fen=1000, quota=Quota(day=3))
OPEN = Situation("live", {TEA.variant_id: 5, TOFU.variant_id: 5}, 10**6)


@pytest.mark.parametrize(
    ("score", "tier", "said", "ahead", "missing"),
    [
        (693, "极好", "五折", None, None),
        (612, "良好", "九折", "优秀", 8),
        (525, "一般", "九五折", "良好", 35),
        (499, None, "按标价", "一般", 1),
        (None, None, "按标价", "一般", None),
    ],
)
def test_the_people_of_the_demo(
    score: int | None, tier: str | None, said: str, ahead: str | None, missing: int | None
) -> None:
    told = tell_citizen(READY, judged(READY, score))
    assert (told.offer_id, told.version, told.tier, told.said.zh) == ("qingliu-summer", 1, tier, said)
    assert (told.next_tier.tier if told.next_tier else None) == ahead
    assert (told.next_tier.missing_points if told.next_tier else None) == missing
    assert [reason.tier for reason in told.reasons if reason.tier] == ["一般", "良好", "优秀", "极好"]


def test_why_was_it_not_applied() -> None:
    told = tell_citizen(READY, judged(READY, 612))
    reasons = {reason.tier: (reason.code, reason.met, reason.missing_points, reason.said.zh) for reason in told.reasons}
    assert reasons["良好"] == ("grade_at_least", True, None, "信用等级达到“良好”：已满足")
    assert reasons["优秀"] == ("grade_at_least", False, 8, "信用等级达到“优秀”：还差 8 分")
    assert told.next_tier is not None
    assert told.next_tier.said == Text("再增加 8 分，可享：七折", "With 8 more points: 30 % off")


def test_a_visitor_reads_his_own_points_and_a_grade_is_never_turned_into_points() -> None:
    linked = LinkedStanding(700, lambda threshold: threshold <= 600, lambda threshold: threshold + 100)
    told = tell_citizen(READY, decide(READY.table, Facts(TODAY, None, linked, {}, False)))
    assert (told.tier, told.next_tier.missing_points if told.next_tier else None) == ("良好", 20)
    assert "按您所在城市的分" in told.reasons[2].said.zh
    assert "20 分" in told.reasons[2].said.zh
    grade = GradeStanding.of(READY.table.scale, "良好")
    vague = tell_citizen(READY, decide(READY.table, Facts(TODAY, None, grade, {}, False)))
    assert vague.tier == "良好"
    assert vague.next_tier is not None
    assert vague.next_tier.missing_points is None
    assert vague.next_tier.said.zh.endswith("可享：七折")
    assert "分" not in vague.next_tier.said.zh


def test_one_point_is_said_as_one() -> None:
    told = tell_citizen(READY, judged(READY, 619))
    assert told.next_tier is not None
    assert told.next_tier.said.en.startswith("With 1 more point:")


@pytest.mark.parametrize(
    ("score", "tier", "code"),
    [(693, "极好", "tier-applied"), (612, "良好", "tier-applied"), (499, None, "no-tier-reached")],
)
def test_a_merchant_is_told_the_tier_and_a_code(score: int, tier: str | None, code: str) -> None:
    told = tell_merchant(READY, judged(READY, score))
    assert (told.tier, told.code, told.hindrances) == (tier, code, ())


@pytest.mark.parametrize("reason", ["no_score", "suspended", "no_agreement", "not_linked", "score_too_old"])
def test_MINIMAL_a_merchant_is_not_told_why_there_is_no_score(reason: Any) -> None:
    nobody = decide(READY.table, Facts(TODAY, None, NoStanding(reason), {}, False))
    assert tell_merchant(READY, nobody) == tell_merchant(READY, judged(READY, 300))
    assert reason in {line.code for line in tell_citizen(READY, nobody).reasons}


def test_a_merchant_is_told_where_the_rules_do_not_apply() -> None:
    late = Facts(date(2020, 1, 1), None, NoStanding("no_score"), {}, False)
    assert tell_merchant(READY, decide(READY.table, late)).code == "not-in-force"
    table = scenario(areas=[{"district": "jimei", "tiers": [row("low", {"score": {"ge": 500}})]}])
    ready = compiled(offer(tiers_by="scenario", tiers=percent({"low": 500})), table)
    assert tell_merchant(ready, judged(ready, 600, "haicang")).code == "no-area-for-district"
    assert tell_merchant(ready, judged(ready, 600, "jimei")).tier == "low"


def test_a_tier_of_the_scenario_that_the_offer_does_not_have_counts_for_nothing() -> None:
    rows = [row(name, {"score": {"ge": low}}) for name, low in (("one", 500), ("two", 600), ("three", 700))]
    for cumulative in (False, True):
        table = scenario(*rows, cumulative=cumulative)
        top = compiled(offer(tiers_by="scenario", tiers=percent({"three": 500})), table)
        told = tell_citizen(top, judged(top, 650))
        assert (told.tier, told.next_tier.tier if told.next_tier else None) == (None, "three")
        assert [reason.tier for reason in told.reasons] == ["three"]
        far = tell_citizen(top, judged(top, 450)).next_tier
        assert (far.tier, far.missing_points) == ("three", 250) if far else False
        assert tell_merchant(top, judged(top, 650)).code == "no-tier-reached"
        assert tell_merchant(top, judged(top, 750)).tier == "three"
    holed = compiled(offer(tiers_by="scenario", tiers=percent({"one": 500})), scenario(*rows))
    assert tell_merchant(holed, judged(holed, 550)).tier == "one"
    assert tell_merchant(holed, judged(holed, 650)).tier is None
    together = compiled(offer(tiers_by="scenario", tiers=percent({"one": 500})), scenario(*rows, cumulative=True))
    assert tell_merchant(together, judged(together, 750)).tier == "one"


def test_a_table_of_prices_is_told_in_prices() -> None:
    tiers = (*percent({"良好": 1000}), fixed("优秀", tea=6000, tofu=3000))
    priced = compiled(offer(tiers=tiers))
    told = tell_citizen(priced, judged(priced, 612))
    assert told.said.zh == "九折"
    assert told.next_tier is not None
    assert told.next_tier.said.zh == "再增加 8 分，可享：“清流嵩溪豆腐皮 250 克”30.00 元，“高山绿茶 100 克”60.00 元"
    assert told.next_tier.said.en.startswith("With 8 more points: “Songxi tofu skin, 250 g” 30.00 yuan, ")
    level = compiled(offer(tiers=(*percent({"良好": 1000}), fixed("优秀", tea=7920, tofu=3240))))
    assert tell_citizen(level, judged(level, 612)).next_tier is None


def test_facts_that_are_missing_besides_points_are_said() -> None:
    table = scenario(row("low", {"all": [{"score": {"ge": 600}}, {"attribute": {"is": "honest"}}]}))
    ready = compiled(offer(tiers_by="scenario", tiers=percent({"low": 500})), table)
    told = tell_citizen(ready, judged(ready, 590))
    assert told.next_tier is not None
    assert told.next_tier.said == Text(
        "再增加 10 分并满足其余条件，可享：九五折", "With 10 more points and the other conditions met: 5 % off"
    )


def test_terms_in_words() -> None:
    assert terms(offer(), None) == Text("按标价", "the list price")
    assert terms(offer(), fixed("良好", tea=8050, tofu=3000)) == Text(
        "“清流嵩溪豆腐皮 250 克”30.00 元，“高山绿茶 100 克”80.50 元",
        "“Songxi tofu skin, 250 g” 30.00 yuan, “mountain green tea, 100 g” 80.50 yuan",
    )


def lines(tea: int = 1, tofu: int = 0) -> list[Line]:
    (tier,) = percent({"良好": 1000})
    wanted = ((TEA.variant_id, tea), (TOFU.variant_id, tofu))
    return [price_line(BOUND, variant_id, units, tier) for variant_id, units in wanted if units]


@pytest.mark.parametrize(
    ("situation", "wanted", "district", "codes"),
    [
        ({}, {}, "jimei", []),
        ({}, {}, None, []),
        ({"state": "paused"}, {}, None, ["offer-not-live"]),
        ({"state": "stopped"}, {}, None, ["offer-stopped"]),
        ({}, {}, "haicang", ["district-not-covered"]),
        ({}, {"tea": 2, "tofu": 2}, None, ["quota-exceeded"]),
        ({"stock": {TEA.variant_id: 0, TOFU.variant_id: 0}}, {"tofu": 1}, None, ["out-of-stock", "out-of-stock"]),
        ({"stock": {TEA.variant_id: 2}}, {"tea": 2}, None, []),
        ({"budget_fen": 879}, {}, None, ["budget-exhausted"]),
        ({"budget_fen": 880}, {}, None, []),
        (
            {"state": "ended", "stock": {TEA.variant_id: 3}, "budget_fen": 0},
            {"tea": 4},
            "haicang",
            ["offer-not-live", "district-not-covered", "quota-exceeded", "out-of-stock", "budget-exhausted"],
        ),
    ],
)
def test_every_limit_in_the_way_is_told_in_the_order_of_refusal(
    situation: dict[str, Any], wanted: dict[str, int], district: str | None, codes: list[str]
) -> None:
    found = list(hindrances(BOUND, lines(**wanted), replace(OPEN, **situation), district, NOON))
    assert [problem.code for problem in found] == codes
    told = tell_merchant(READY, judged(READY, 612), found)
    assert told.hindrances == tuple(codes)
    heard = tell_citizen(READY, judged(READY, 612), found)
    assert [(line.code, line.said) for line in heard.hindrances] == [(p.code, p.detail) for p in found]


def test_what_is_left_is_said_only_where_anybody_may_know() -> None:
    short = replace(OPEN, stock={TEA.variant_id: 2})
    (hidden,) = hindrances(BOUND, lines(tea=3), short, None, NOON)
    (shown,) = hindrances(replace(BOUND, show_stock=True), lines(tea=3), short, None, NOON)
    assert "2" not in hidden.detail.zh.replace("250", "")
    assert "还剩 2 件" in shown.detail.zh


def test_MINIMAL_a_merchant_is_not_told_what_else_a_person_has_bought() -> None:
    used = QuotaState(dict.fromkeys(windows_of(NOON, ZONE), 3))
    (problem,) = hindrances(BOUND, lines(), replace(OPEN, quota=used), None, NOON)
    assert "您还可购 0 件" in problem.detail.zh
    told = codec.to_json(tell_merchant(READY, judged(READY, 612), [problem]))
    assert "0 件" not in told
    assert "quota-exceeded" in told
    (gone,) = hindrances(BOUND, lines(), replace(OPEN, quota=used), None, NOON + timedelta(hours=1))
    assert gone.code == "quota-exceeded"
