"""REWARD over HTTP: whoever has no score that counts pays the list price and reads why; nobody ever pays more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core import clock
from chalicelib.core.text import Text
from chalicelib.offers.rules import Offer, Stacking
from tests.integration.offers.deals import check_refused, nothing_stored, quote_self, suspend
from tests.integration.offers.market import TEA, TOFU, Market
from tests.integration.scenarios.test_standings import agree, end_agreement
from tests.unit.offers import shop
from tests.world import FARM, World, days_ahead

BY_GRADE = {499: 3600, 500: 3420, 559: 3420, 560: 3240, 619: 3240, 620: 2520, 679: 2520, 680: 1800, 1000: 1800}


@pytest.fixture(scope="module")
def market(world: World) -> Market:
    return Market(world)


@pytest.fixture(scope="module")
def offer(market: Market) -> Offer:
    return market.shelve(market.offer())


@pytest.fixture(scope="module")
def somebody(market: Market) -> str:
    return market.buyer(0)


def told(market: Market, who: str, offer: Offer, **more: Any) -> Any:
    """What a person reads of one offer: a dry run, so that nothing piles up."""
    answer = quote_self(market, who, offer, query="?dry_run=true", **more)
    assert answer.status == 200, answer.text
    return answer.body


def pays_the_list_price(market: Market, who: str, offer: Offer) -> Any:
    """Checks it at the counter, where no reason is told, and for oneself; the reason that the person reads."""
    by_pass = market.quote(who, market.ask(offer))
    assert by_pass.status == 201, by_pass.text
    deal = by_pass.body["deal"]
    assert (deal["list_fen"], deal["discount_fen"], deal["payable_fen"]) == (3600, 0, 3600)
    assert (deal["lines"][0]["tier"], deal["lines"][0]["funding"]) == (None, [])
    (merchant,) = by_pass.body["offers"]
    assert merchant == {
        "offer_id": offer.offer_id, "version": 1, "tier": None, "code": "no-tier-reached", "hindrances": [],
    }  # fmt: skip
    own = told(market, who, offer)
    assert own["deal"]["payable_fen"] == 3600
    assert own["offers"][0]["said"] == {"zh": "按标价", "en": "the list price"}
    first, *of_tiers = own["offers"][0]["reasons"]
    assert [(reason["met"], reason["missing_points"]) for reason in (first, *of_tiers)] == [(False, None)] * 5
    return first["code"], first["said"]["zh"], first["said"]["en"]


def test_REWARD_without_a_score_the_list_price_and_why(market: Market, offer: Offer) -> None:
    said = "您还没有可用的信用分", "You have no score that can be used yet"
    assert pays_the_list_price(market, market.buyer(None), offer) == ("no_score", *said)


def test_REWARD_suspended_the_list_price_and_why(market: Market, offer: Offer) -> None:
    who = market.buyer(1000)
    suspend(market.world, who)
    said = "您的信用优惠目前处于暂停状态", "Your credit benefits are suspended at present"
    assert pays_the_list_price(market, who, offer) == ("suspended", *said)


def test_REWARD_a_score_too_old_the_list_price_and_why(market: Market, offer: Offer) -> None:
    at = days_ahead(0)
    with clock.fixed(at - timedelta(days=500)):
        who = market.world.newcomer("xiamen", 1000)
    market.world.grant(who, FARM, "jimei_produce")
    said = "您的信用分已过时，请先更新", "Your score is out of date; have it refreshed first"
    assert pays_the_list_price(market, who, offer) == ("score_too_old", *said)


def test_REWARD_a_visitor_with_and_without_an_agreement(own_world: World, market: Market, offer: Offer) -> None:
    who = market.buyer(760, "hangzhou")
    linked = market.quote(who, market.ask(offer)).body
    assert (linked["deal"]["payable_fen"], linked["offers"][0]["tier"]) == (1800, "极好")
    agree(own_world, "hangzhou", method="concordance", grant_on="lower_bound")
    assert told(market, who, offer)["deal"]["payable_fen"] == 1800
    kept = market.quote(who, market.ask(offer)).body["deal"]
    end_agreement(own_world, "hangzhou")
    said = "您所在城市与本市尚无信用互认约定", "Your city and this one have no agreement to recognise scores"
    assert pays_the_list_price(market, who, offer) == ("no_agreement", *said)
    assert market.act("redemption", kept["quote_id"]).body["payable_fen"] == 1800, "what was quoted is kept"


def test_REWARD_the_best_tier_pays_least(market: Market, offer: Offer, somebody: str) -> None:
    paid = {}
    for score in BY_GRADE:
        market.world.set_score(somebody, score)
        paid[score] = told(market, somebody, offer)["deal"]["payable_fen"]
    assert paid == BY_GRADE
    by_price = market.shelve(
        market.offer(tiers=(shop.fixed("一般", tofu=3500), shop.fixed("优秀", tofu=3000), shop.fixed("极好", tofu=1)))
    )
    paid = {}
    for score in (499, 500, 620, 680):
        market.world.set_score(somebody, score)
        each = [told(market, somebody, by_price, variant=v)["deal"]["payable_fen"] for v in (TOFU, TEA)]
        paid[score] = each[0]
        assert each[1] == 8800, "what a tier has no price for costs its list price"
    assert paid == {499: 3600, 500: 3500, 620: 3000, 680: 1}


def test_a_citizen_reads_how_many_points_are_missing(market: Market, offer: Offer, somebody: str) -> None:
    market.world.set_score(somebody, 612)
    (own,) = told(market, somebody, offer)["offers"]
    assert (own["tier"], own["said"]) == ("良好", {"zh": "九折", "en": "10 % off"})
    missing = {reason["tier"]: (reason["met"], reason["missing_points"]) for reason in own["reasons"]}
    assert missing == {"一般": (True, None), "良好": (True, None), "优秀": (False, 8), "极好": (False, 68)}
    assert own["next_tier"] == {
        "tier": "优秀", "missing_points": 8,
        "said": {"zh": "再增加 8 分，可享：七折", "en": "With 8 more points: 30 % off"},
    }  # fmt: skip
    market.world.set_score(somebody, 680)
    (best,) = told(market, somebody, offer)["offers"]
    assert (best["tier"], best["next_tier"]) == ("极好", None)


def stacked(market: Market, who: str, *offers: Offer) -> Any:
    """A basket of one tofu skin of each offer: its deal."""
    lines = [{"offer_id": each.offer_id, "variant_id": TOFU, "units": 1} for each in offers]
    answer = market.quote(who, {"lines": lines})
    assert answer.status == 201, answer.text
    return answer.body["deal"]


def named(market: Market, name: str, discount_bp: int, **stacking: Any) -> Offer:
    tiers = shop.percent({"极好": discount_bp})
    title = Text(f"优惠{name}", f"Offer {name}")
    return market.shelve(market.offer(title=title, tiers=tiers, stacking=Stacking(**stacking)))


def test_of_a_group_one_offer_counts_and_the_basket_says_which(market: Market) -> None:
    who = market.buyer(700)
    less, more, free = (
        named(market, "甲", 1000, exclusive_group="summer", priority=1),
        named(market, "乙", 2000, exclusive_group="summer", priority=2),
        named(market, "丙", 500, priority=3),
    )
    deal = stacked(market, who, less, more, free)
    assert [(step["code"], step["wanted_fen"], step["granted_fen"]) for step in deal["steps"]] == [
        ("excluded-by-group", 360, 0), ("applied", 720, 720), ("applied", 180, 180),
    ]  # fmt: skip
    assert deal["steps"][0]["said"] == {
        "zh": "“优惠甲”与“优惠乙”不能同时使用，已取更省的组合",
        "en": "“Offer 甲” cannot be used together with “Offer 乙”; what saves more was taken",
    }
    assert deal["steps"][1]["said"] == {"zh": "“优惠乙”减 7.20 元", "en": "“Offer 乙” takes 7.20 yuan off"}
    assert [line["payable_fen"] for line in deal["lines"]] == [3600, 2880, 3420]
    sold = market.act("redemption", deal["quote_id"]).body
    assert (sold["discount_fen"], sold["steps"]) == (900, deal["steps"])


def test_a_cap_is_on_the_whole_basket_and_is_explained(market: Market) -> None:
    who = market.buyer(700)
    first = named(market, "甲", 5000, priority=1)
    capped = named(market, "乙", 5000, priority=2, cap_bp=3000)
    deal = stacked(market, who, first, capped)
    assert [(step["code"], step["wanted_fen"], step["granted_fen"]) for step in deal["steps"]] == [
        ("applied", 1800, 1800), ("capped", 1800, 360),
    ]  # fmt: skip
    assert deal["steps"][1]["said"] == {
        "zh": "“优惠乙”本可减 18.00 元，整单优惠有上限，减 3.60 元",
        "en": "“Offer 乙” would take 18.00 yuan off; the basket's cap leaves 3.60",
    }
    assert (deal["list_fen"], deal["discount_fen"], deal["payable_fen"]) == (7200, 2160, 5040)
    in_money = named(market, "丙", 5000, cap_fen=100)
    alone = stacked(market, who, in_money)
    assert (alone["steps"][0]["code"], alone["discount_fen"]) == ("capped", 100)
    assert sum(part["fen"] for part in alone["lines"][0]["funding"]) == 100


def test_REWARD_a_better_score_never_makes_a_stacked_basket_dearer(market: Market, somebody: str) -> None:
    wares = [
        market.shelve(market.offer(stacking=Stacking(exclusive_group="one", priority=1, cap_bp=2500))),
        market.shelve(market.offer(tiers=shop.percent({"一般": 2000, "优秀": 2100}), stacking=Stacking("one", 2))),
        market.shelve(market.offer(tiers=shop.percent({"良好": 400}), stacking=Stacking(None, 3, None, 900))),
    ]
    body = {
        "city_id": "xiamen", "merchant_id": "qingliu-farm",
        "lines": [{"offer_id": each.offer_id, "variant_id": TOFU, "units": 3} for each in wares],
    }  # fmt: skip
    paid = []
    for score in BY_GRADE:
        market.world.set_score(somebody, score)
        answer = market.world.post("/v1/me/quotes?dry_run=true", f"citizen:{somebody}", body)
        paid.append(answer.body["deal"]["payable_fen"])
    assert paid == sorted(paid, reverse=True)
    assert paid[0] == 3 * 3 * 3600
    assert paid[-1] < paid[0]


def test_an_offer_by_tiers_of_the_scenario_is_judged_by_its_district(market: Market) -> None:
    """The produce scenario has rules for Jimei alone: its tiers are named after the grades' places."""
    tiers = shop.percent({"grade_1": 500, "grade_2": 600, "grade_3": 700, "grade_4": 4000})
    anywhere = market.shelve(market.offer(tiers_by="scenario", tiers=tiers))
    of_jimei = market.shelve(market.offer(tiers_by="scenario", tiers=tiers, districts=("jimei",)))
    who = market.buyer(693)
    named: dict[str, Any] = {"district": "jimei"}
    for offer, place in ((of_jimei, {}), (of_jimei, named), (anywhere, named)):
        made = market.quote(who, market.ask(offer, **place)).body
        assert (made["deal"]["district"], made["deal"]["payable_fen"]) == ("jimei", 2160)
        assert (made["offers"][0]["tier"], made["offers"][0]["code"]) == ("grade_4", "tier-applied")
    for score in (693, None):
        nowhere = market.quote(market.buyer(score), market.ask(anywhere, district="haicang")).body
        assert (nowhere["deal"]["payable_fen"], nowhere["offers"][0]["code"]) == (3600, "no-area-for-district")
    (own,) = told(market, who, anywhere, district="haicang")["offers"]
    assert own["reasons"][0]["said"] == {
        "zh": "本区没有这项优惠", "en": "This benefit is not offered in this district",
    }  # fmt: skip


def test_a_scenario_that_is_not_open_to_merchants_is_not_quoted(market: Market) -> None:
    of_books = market.shelve(market.offer(scenario_id="library", category="books"))
    who = market.world.newcomer("xiamen", 693, (FARM, "library"))
    pass_code = market.world.show(who, FARM)
    with nothing_stored(market.world):
        by_pass = market.world.post("/v1/quotes", FARM, market.ask(of_books) | {"pass_code": pass_code})
        check_refused(by_pass, "offer-out-of-step")
        check_refused(quote_self(market, who, of_books), "offer-out-of-step")
        check_refused(market.world.post("/v1/quotes?dry_run=true", FARM, market.ask(of_books)), "offer-out-of-step")


def test_an_offer_that_rewards_no_longer_is_not_quoted(market: Market) -> None:
    who = market.buyer()
    upside_down = market.shelve(market.offer(tiers=shop.percent({"一般": 5000, "极好": 500})))
    pass_code = market.world.show(who, FARM)
    with nothing_stored(market.world):
        by_pass = market.world.post("/v1/quotes", FARM, market.ask(upside_down) | {"pass_code": pass_code})
        check_refused(by_pass, "offer-out-of-step")
        check_refused(quote_self(market, who, upside_down), "offer-out-of-step")
