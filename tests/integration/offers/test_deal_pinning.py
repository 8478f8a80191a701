"""What a quote has pinned: no new version, no new score and no pause alters it; only the city ends it early."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core import clock
from chalicelib.offers.rules import Offer, OfferTier, Share
from tests.integration.offers.deals import check_refused, move, nothing_stored, release
from tests.integration.offers.market import Market
from tests.world import AUDITOR, FARM, XIAMEN, World, days_ahead

PINNED = ("lines", "steps", "list_fen", "discount_fen", "payable_fen", "receipt_id", "subject_id", "quoted_at")


@pytest.fixture(scope="module")
def market(world: World) -> Market:
    return Market(world)


@pytest.fixture
def offer(market: Market) -> Offer:
    return market.shelve(market.offer(reservation_seconds=3600, budget_fen=100_000))


def pinned(body: Any) -> Any:
    return [body[name] for name in PINNED]


def dearer(offer: Offer) -> Offer:
    """Another version: other prices, other tiers, other funders, nothing given back on a refund."""
    variants = {v.variant_id: replace(v, price_fen=v.price_fen * 2) for v in offer.variants}
    products = tuple(replace(p, variants=tuple(variants[v.variant_id] for v in p.variants)) for p in offer.products)
    return replace(
        offer, version=offer.version + 1, products=products, tiers=(OfferTier("极好", 100),),
        funding=(Share("platform", 10_000),), on_refund="burn", reservation_seconds=None,
    )  # fmt: skip


def test_a_new_version_does_not_alter_a_quote(market: Market, offer: Offer) -> None:
    who = market.buyer(693)
    made = [market.quote(who, market.ask(offer, 2)).body["deal"] for _ in range(2)]
    first, second = (each["quote_id"] for each in made)
    assert market.act("reservation", first).status == 200
    release(dearer(offer))
    now_asked = market.quote(who, market.ask(offer, 2)).body["deal"]
    assert (now_asked["lines"][0]["version"], now_asked["payable_fen"]) == (2, 14_256)
    for deal in made:
        sold = market.act("redemption", deal["quote_id"])
        assert sold.status == 200, sold.text
        assert pinned(sold.body) == pinned(deal)
        assert (sold.body["payable_fen"], sold.body["lines"][0]["version"]) == (3600, 1)
    back = market.refund(second, 0, 2).body
    assert (back["payable_fen"], back["discount_fen"], back["restored"]) == (3600, 3600, True)
    assert [(part["funder"], part["fen"]) for part in back["funding"]] == [("merchant", 1800), ("city", 1800)]
    assert market.counter(offer).counter.redeemed == 2


def test_a_new_version_may_reserve_what_the_old_one_did_not(market: Market) -> None:
    offer = market.shelve(market.offer())
    who = market.buyer()
    old = market.quoted(who, offer)
    release(replace(offer, version=2, reservation_seconds=600))
    new = market.quoted(who, offer)
    check_refused(market.act("reservation", old), "offer-not-reservable")
    assert market.act("reservation", new).body["state"] == "reserved"


@pytest.mark.parametrize("later", [100, 1000])
def test_a_new_score_does_not_alter_a_quote(market: Market, offer: Offer, later: int) -> None:
    who = market.buyer(612)
    deal = market.quote(who, market.ask(offer)).body["deal"]
    market.world.rescore(who, later)
    sold = market.act("redemption", deal["quote_id"])
    assert pinned(sold.body) == pinned(deal)
    assert (sold.body["lines"][0]["tier"], sold.body["payable_fen"]) == ("良好", 3240)
    assert market.quote(who, market.ask(offer)).body["deal"]["payable_fen"] != 3240, (
        "the next quote is by the new score"
    )


def stop_by_http(market: Market, offer: Offer) -> None:
    path = f"/v1/cities/xiamen/merchants/{offer.merchant_id}/offers/{offer.offer_id}/versions/{offer.version}/moves"
    answer = market.world.post(path, XIAMEN, {"move": "stop"})
    assert answer.status == 200, answer.text


@pytest.mark.parametrize("stop", [stop_by_http, lambda _, offer: move(offer, "stop")], ids=["http", "rules"])
def test_a_stop_by_the_city_counts_on_the_next_request(
    market: Market, offer: Offer, stop: Callable[[Market, Offer], None]
) -> None:
    who = market.buyer()
    quoted, reserved, given_up = (market.quoted(who, offer) for _ in range(3))
    for quote_id in (reserved, given_up):
        assert market.act("reservation", quote_id).status == 200
    sold = market.redeemed(who, offer)
    pass_code = market.world.show(who, FARM)
    stop(market, offer)
    with nothing_stored(market.world):
        check_refused(
            market.world.post("/v1/quotes", FARM, market.ask(offer) | {"pass_code": pass_code}), "offer-stopped"
        )
        for quote_id in (quoted, reserved):
            check_refused(market.act("redemption", quote_id), "offer-stopped")
            assert market.world.get(f"/v1/quotes/{quote_id}", FARM)["state"] in {"open", "reserved"}
        check_refused(market.act("reservation", quoted), "offer-stopped")
        check_refused(market.act("reservation", quoted, actor=f"citizen:{who}"), "offer-stopped")
    assert market.act("release", given_up).body["state"] == "released", "what is given up comes back"
    assert market.refund(sold).status == 201, "and so does what was paid"
    assert market.counter(offer).counter.redeemed == 0
    assert sum(market.counter(offer).counter.held.values()) == 1


def test_lifted_again_the_reservation_holds(market: Market, offer: Offer) -> None:
    at = days_ahead(0)
    with clock.fixed(at):
        who = market.buyer()
        first, second = market.quoted(who, offer), market.quoted(who, offer)
        for quote_id in (first, second):
            market.act("reservation", quote_id)
        move(offer, "stop")
        check_refused(market.act("redemption", first), "offer-stopped")
        move(offer, "lift")
    with clock.fixed(at + timedelta(minutes=59)):
        assert market.act("redemption", first).body["state"] == "redeemed"
        check_refused(
            market.quote(who, market.ask(offer)), "offer-not-live",
            "该优惠已暂停，目前不可用", "This offer is not open: paused",
        )  # fmt: skip
    with clock.fixed(at + timedelta(minutes=62)):
        check_refused(market.act("redemption", second), "reservation-closed")


def test_what_was_quoted_of_a_stopped_version_stays_refused_after_a_better_one(market: Market, offer: Offer) -> None:
    who = market.buyer()
    old = market.quoted(who, offer)
    move(offer, "stop")
    release(replace(offer, version=2))
    new = market.quoted(who, offer)
    with nothing_stored(market.world):
        check_refused(market.act("redemption", old), "offer-stopped")
    assert market.act("redemption", new).status == 200


@pytest.mark.parametrize("by_merchant", ["pause", "end"])
def test_a_merchant_keeps_his_word(market: Market, offer: Offer, by_merchant: Any) -> None:
    who = market.buyer()
    quoted, reserved, later = (market.quoted(who, offer) for _ in range(3))
    market.act("reservation", reserved)
    move(offer, by_merchant)
    assert market.quote(who, market.ask(offer)).code == "offer-not-live"
    assert market.act("reservation", later).body["state"] == "reserved"
    for quote_id in (quoted, reserved, later):
        sold = market.act("redemption", quote_id)
        assert (sold.status, sold.body["payable_fen"]) == (200, 1800), sold.text


def test_REPLAY_whatever_has_changed_since(market: Market, offer: Offer) -> None:
    who = market.buyer(612)
    deal = market.quote(who, market.ask(offer, 3)).body["deal"]
    market.world.rescore(who, 100)
    release(dearer(offer))
    market.world.forget()
    replayed = market.world.post(f"/v1/quote-receipts/{deal['receipt_id']}/replay", AUDITOR).body
    assert (replayed["same"], replayed["quote_id"]) == (True, deal["quote_id"])
    assert [replayed[name] for name in PINNED[2:5]] == [deal[name] for name in PINNED[2:5]] == [10_800, 1_080, 9_720]
    assert replayed["basis"]["score"] == 612
    assert [told["tier"] for told in replayed["offers"]] == ["良好"]
