"""What is left of an offer's budget lowers a discount and never refuses anybody; what a merchant may read of a quote
that somebody asked for himself."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.core import clock, effect
from chalicelib.offers.rules.stacking import MAX_BASKET_FEN
from tests.integration.offers.market import SCENARIO, Market
from tests.world import ALLIANCE, AUDITOR, FARM, World


@pytest.fixture(scope="module")
def market(world: World) -> Market:
    return Market(world)


def test_REWARD_a_better_score_is_never_refused_where_a_lesser_one_may_buy(market: Market) -> None:
    offer = market.shelve(market.offer(budget_fen=1000))
    paid = []
    for score in (None, 510, 570, 640, 693):
        answer = market.quote(market.buyer(score), market.ask(offer, 3))
        assert answer.status == 201, answer.text
        paid.append(answer.body["deal"]["payable_fen"])
    assert paid == sorted(paid, reverse=True)
    assert paid == [10_800, 10_260, 9800, 9800, 9800]


def test_MINIMAL_no_refusal_of_a_quote_depends_on_the_tier(market: Market) -> None:
    offer = market.shelve(market.offer(budget_fen=1000))
    for score in (None, 693):
        answers = [market.quote(market.buyer(score), market.ask(offer, units)) for units in (6, 3, 1)]
        assert [answer.status for answer in answers] == [201, 201, 201]


def test_what_the_budget_cut_off_is_said_and_replays(market: Market) -> None:
    offer = market.shelve(market.offer(budget_fen=1000))
    quoted = market.quote(market.buyer(693), market.ask(offer))
    (step,) = quoted.body["deal"]["steps"]
    assert (step["code"], step["wanted_fen"], step["granted_fen"]) == ("budget-short", 1800, 1000)
    assert step["said"] == {
        "zh": "“清流好物”本可减 18.00 元，优惠资金已不足，减 10.00 元",
        "en": "“Good things from Qingliu” would take 18.00 yuan off; the money left for it gives 10.00",
    }
    assert market.act("redemption", quoted.body["deal"]["quote_id"]).status == 200
    assert market.budget(offer).counter.avail == 0
    receipt = quoted.body["deal"]["receipt_id"]
    assert market.world.post(f"/v1/quote-receipts/{receipt}/replay", AUDITOR).body["same"] is True
    after = market.quote(market.buyer(693), market.ask(offer))
    assert after.body["deal"]["payable_fen"] == 3600, "the list price is open to everybody"


def test_LIMIT_the_budget_is_taken_once_by_two_quotes_of_it(market: Market) -> None:
    offer = market.shelve(market.offer(budget_fen=1000))
    first, second = (market.quoted(market.buyer(693), offer) for _ in range(2))
    assert market.act("redemption", first).status == 200
    assert market.act("redemption", second).code == "budget-exhausted"
    assert market.quote(market.buyer(693), market.ask(offer)).status == 201


def test_a_basket_has_a_largest_sum(market: Market) -> None:
    offer = market.offer(stock=10_000)
    (product, *_) = offer.products
    price_fen = MAX_BASKET_FEN // 10_000 + 1
    dear = replace(product, variants=tuple(replace(v, price_fen=price_fen) for v in product.variants))
    offer = market.shelve(replace(offer, products=(dear,)))
    answer = market.quote(market.buyer(693), market.ask(offer, 10_000))
    assert (answer.code, answer.pointers) == ("basket-invalid", ["/lines"])
    assert market.quote(market.buyer(693), market.ask(offer, 9_999)).status == 201


def test_CONSENT_a_merchant_reads_no_quote_of_somebody_who_has_withdrawn(market: Market) -> None:
    who = market.world.newcomer("xiamen", 693)
    grant = market.world.grant(who, FARM, SCENARIO)
    offer = market.shelve(market.offer(reservation_seconds=3600))
    body = market.ask(offer) | {"city_id": "xiamen", "merchant_id": "qingliu-farm"}
    asked = market.world.post("/v1/me/quotes", f"citizen:{who}", body)
    quote_id = asked.body["deal"]["quote_id"]
    assert market.world.send("GET", f"/v1/quotes/{quote_id}", FARM).body["lines"][0]["tier"] == "极好"
    market.world.withdraw(who, grant)
    for answer in (market.world.send("GET", f"/v1/quotes/{quote_id}", FARM), market.act("release", quote_id)):
        assert answer.code == "consent-required"
        assert "极好" not in answer.text
    assert market.act("release", quote_id, actor=f"citizen:{who}").status == 200


def test_a_refund_names_the_day_of_the_sale_whatever_zone_the_city_has_since(own_world: World) -> None:
    """At 17:00 UTC it is the next day in Shanghai, and not yet in Urumqi."""
    market = Market(own_world)
    evening = clock.now().replace(hour=17, minute=0, second=0, microsecond=0) + timedelta(days=1)
    with clock.fixed(evening):
        quote_id = market.redeemed(market.buyer(693), market.shelve(market.offer("zone-change")))
        seen = own_world.send("GET", "/v1/cities/xiamen")
        kept = {name: seen.body[name] for name in ("name", "districts", "scheme", "status")}
        there, tag = {"time_zone": "Asia/Urumqi"}, seen.headers["etag"]
        changed = own_world.send("PUT", "/v1/cities/xiamen", ALLIANCE, kept | there, if_match=tag)
        assert changed.status == 200, changed.text
        back = market.refund(quote_id)
    facts = json.loads(effect.load(back.body["refund_id"]).facts)
    assert facts["sold_on"] == f"{evening.date() + timedelta(days=1)}"
