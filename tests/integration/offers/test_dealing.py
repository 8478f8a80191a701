"""From a quote to a refund, over HTTP, on the demo's world."""

from __future__ import annotations

import pytest

from chalicelib.offers.rules import Quota, Share
from tests.integration.offers.market import TEA, Market
from tests.world import AUDITOR, FARM, World

FUNDED = (Share("merchant", 5000), Share("city", 3000), Share("bank", 2000, "demo-bank"))


@pytest.fixture(scope="module")
def market(world: World) -> Market:
    return Market(world)


def test_a_quote_pins_price_and_reasons_and_uses_the_pass_up(market: Market) -> None:
    who, offer = market.buyer(693), market.shelve(market.offer(funding=FUNDED))
    pass_code = market.world.show(who, FARM)
    body = market.ask(offer, 2) | {"pass_code": pass_code}
    answer = market.world.post("/v1/quotes", FARM, body)
    assert answer.status == 201
    deal = answer.body["deal"]
    assert (deal["list_fen"], deal["discount_fen"], deal["payable_fen"], deal["state"]) == (7200, 3600, 3600, "open")
    assert [(f["funder"], f["fen"]) for f in deal["lines"][0]["funding"]] == [
        ("merchant", 1800), ("city", 1080), ("bank", 720),
    ]  # fmt: skip
    assert answer.body["offers"][0]["tier"] == "极好"
    assert answer.body["offers"][0]["code"] == "tier-applied"
    assert "693" not in answer.text
    assert market.world.post("/v1/quotes", FARM, body).code == "pass-used"


def test_redeem_refund_and_the_same_request_again(market: Market) -> None:
    who, offer = market.buyer(693), market.shelve(market.offer(funding=FUNDED, quota=Quota(day=3), budget_fen=100_000))
    quote_id = market.quoted(who, offer, 3)
    first = market.act("redemption", quote_id, key="redeem-1-key")
    assert first.status == 200
    assert first.body["state"] == "redeemed"
    again = market.act("redemption", quote_id, key="redeem-1-key")
    assert (again.text, again.replayed) == (first.text, True)
    assert market.act("redemption", quote_id).code == "quote-used"
    assert market.counter(offer).counter.redeemed == 3
    assert market.budget(offer).counter.redeemed == 5400
    assert market.quote(who, market.ask(offer)).code == "quota-exceeded"
    back = market.refund(quote_id, units=2)
    assert back.status == 201
    assert (back.body["payable_fen"], back.body["discount_fen"], back.body["restored"]) == (3600, 3600, True)
    assert market.counter(offer).counter.redeemed == 1
    assert market.budget(offer).counter.redeemed == 1800
    assert market.refund(quote_id, units=2).code == "refund-exceeds"
    assert market.refund(quote_id, line=1).status == 404
    assert market.quote(who, market.ask(offer, 2)).status == 201


def test_reserve_and_redeem(market: Market) -> None:
    who, offer = market.buyer(612), market.shelve(market.offer(reservation_seconds=3600, quota=Quota(week=5)))
    quote_id = market.quoted(who, offer, 2)
    kept = market.act("reservation", quote_id)
    assert kept.body["state"] == "reserved"
    assert sum(market.counter(offer).counter.held.values()) == 2
    sold = market.act("redemption", quote_id)
    assert sold.status == 200, sold.text
    assert market.counter(offer).counter.redeemed == 2
    assert market.act("release", quote_id).code == "quote-used"
    assert set(market.quota(offer, who).state.holds) == set()


def test_a_citizen_asks_for_himself_and_reads_every_reason(market: Market) -> None:
    who, offer = market.buyer(612), market.shelve(market.offer())
    body = market.ask(offer, variant=TEA) | {"city_id": "xiamen", "merchant_id": "qingliu-farm"}
    answer = market.world.post("/v1/me/quotes", f"citizen:{who}", body)
    assert answer.status == 201, answer.text
    quote_id = answer.body["deal"]["quote_id"]
    assert answer.body["offers"][0]["next_tier"]["missing_points"] == 8
    assert market.act("redemption", quote_id).status == 200
    listed = market.world.get("/v1/me/purchases", f"citizen:{who}")
    assert [item["deal"]["quote_id"] for item in listed["items"]] == [quote_id]
    own = market.world.get(f"/v1/me/purchases/{quote_id}", f"citizen:{who}")
    assert own["offers"][0]["reasons"]
    replayed = market.world.post(f"/v1/quote-receipts/{answer.body['deal']['receipt_id']}/replay", AUDITOR)
    assert replayed.body["same"] is True
