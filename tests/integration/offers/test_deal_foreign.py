"""A deal is its merchant's and its person's: to anybody else it is not there; and each step is taken once, in order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.core import clock
from chalicelib.offers.rules import Offer
from tests.integration.offers.deals import (
    check_fault,
    check_refused,
    nothing_stored,
    quote_self,
    same_but_for_the_request,
)
from tests.integration.offers.market import SCENARIO, TEA, TOFU, Market
from tests.world import BANK, FARM, World, days_ahead

COOP = "merchant:pengyang-coop@xiamen"
NAMESAKE = "merchant:qingliu-farm@hangzhou"
STEPS = ("reservation", "redemption", "release")
NOBODYS = "xiamen.aaaaaaaaaaaaaaaaaaaaaaaaaa"


@pytest.fixture(scope="module")
def market(world: World) -> Market:
    return Market(world)


@pytest.fixture(scope="module")
def offer(market: Market) -> Offer:
    return market.shelve(market.offer(reservation_seconds=600))


def test_to_another_merchant_a_quote_is_as_if_it_were_not_there(market: Market, offer: Offer) -> None:
    who = market.buyer()
    open_one, sold = market.quoted(who, offer), market.redeemed(who, offer)
    with nothing_stored(market.world):
        for actor in (COOP, NAMESAKE):
            for verb in STEPS:
                absent = market.act(verb, NOBODYS, actor=actor)
                check_refused(absent, "quote-foreign")
                assert same_but_for_the_request(market.act(verb, open_one, actor=actor), absent)
                assert same_but_for_the_request(market.act(verb, sold, actor=actor), absent)
            absent = market.refund(NOBODYS, actor=actor)
            check_refused(absent, "quote-foreign")
            assert same_but_for_the_request(market.refund(sold, actor=actor), absent)
            read = [market.world.send("GET", f"/v1/quotes/{each}", actor) for each in (sold, NOBODYS)]
            check_refused(read[0], "not-found")
            assert same_but_for_the_request(*read)
        assert market.act("redemption", open_one, actor=BANK).code == "forbidden"
    assert market.act("redemption", open_one).status == 200, "it is still there for its own"


def test_to_another_person_a_deal_is_as_if_it_were_not_there(market: Market, offer: Offer) -> None:
    who, other = market.buyer(), f"citizen:{market.buyer()}"
    open_one, sold = market.quoted(who, offer), market.redeemed(who, offer)
    with nothing_stored(market.world):
        for verb in ("reservation", "release"):
            absent = market.act(verb, NOBODYS, actor=other)
            check_refused(absent, "quote-foreign")
            assert same_but_for_the_request(market.act(verb, open_one, actor=other), absent)
        read = [market.world.send("GET", f"/v1/me/purchases/{each}", other) for each in (sold, open_one, NOBODYS)]
        check_refused(read[0], "not-found")
        assert same_but_for_the_request(read[0], read[2])
        assert same_but_for_the_request(read[1], read[2])
    assert market.act("release", open_one, actor=f"citizen:{who}").body["state"] == "released"


def test_an_id_that_was_changed_is_nobodys(market: Market, offer: Offer) -> None:
    who = market.buyer(760, "hangzhou")
    given = quote_self(market, who, offer).body["deal"]
    quote_id, receipt_id = given["quote_id"], given["receipt_id"]
    assert receipt_id == quote_id.replace("xiamen.", "hangzhou."), "so a visitor's receipt is no quote here"
    changed = [
        receipt_id, quote_id[:-1], quote_id + "a", quote_id.upper(), quote_id.replace(".", "~"),
        quote_id.replace("xiamen", "nowhere"), quote_id.partition(".")[2], "xiamen.", ".", "x" * 160,
        quote_id[:-1] + ("b" if quote_id.endswith("a") else "a"),
    ]  # fmt: skip
    with nothing_stored(market.world):
        for each in changed:
            for verb in STEPS:
                check_refused(market.act(verb, each), "quote-foreign")
            check_refused(market.refund(each), "quote-foreign")
            check_refused(market.world.send("GET", f"/v1/quotes/{each}", FARM), "not-found")
        for impossible in ("x" * 161, "xiamen%2Faaa", "鹭"):
            check_refused(market.act("redemption", impossible), "not-found")
    assert market.act("redemption", quote_id).status == 200


def test_ONCE_a_key_is_its_own_merchants(market: Market, offer: Offer) -> None:
    others = market.shelve(replace(market.offer(), merchant_id="pengyang-coop"))
    who = market.world.newcomer("xiamen", 693, (FARM, SCENARIO), (COOP, SCENARIO))
    ours = market.quote(who, market.ask(offer), key="one-key-for-both")
    theirs = market.quote(who, market.ask(others), key="one-key-for-both", actor=COOP)
    assert (ours.status, theirs.status, theirs.replayed) == (201, 201, False)
    mine, his = (each.body["deal"]["quote_id"] for each in (ours, theirs))
    assert mine != his
    with nothing_stored(market.world):
        for key in ("sell-it-once-key", "sell-it-other-key"):
            check_refused(market.act("redemption", mine, key=key, actor=COOP), "quote-foreign")
    sold = market.act("redemption", mine, key="sell-it-once-key")
    sold_there = market.act("redemption", his, key="sell-it-once-key", actor=COOP)
    assert (sold.status, sold_there.status, sold_there.replayed) == (200, 200, False)
    with nothing_stored(market.world):
        assert market.act("redemption", mine, key="sell-it-once-key", actor=COOP).code == "idempotency-key-reused"
        assert market.act("redemption", mine, key="sell-it-once-key").text == sold.text
        check_refused(market.act("redemption", mine, key="sell-it-other-key"), "quote-used")
        assert market.act("redemption", his, key="sell-it-once-key").code == "idempotency-key-reused"


def test_a_quote_is_used_once(market: Market, offer: Offer) -> None:
    who = market.buyer()
    sold, reserved, released = market.redeemed(who, offer), market.quoted(who, offer), market.quoted(who, offer)
    assert market.act("reservation", reserved).body["state"] == "reserved"
    assert market.act("release", released).body["state"] == "released"
    with nothing_stored(market.world):
        for verb in STEPS:
            check_refused(market.act(verb, sold), "quote-used")
            check_refused(market.act(verb, released), "quote-used")
        check_refused(market.act("reservation", reserved), "quote-used")
    assert market.act("release", reserved).body["state"] == "released"
    with nothing_stored(market.world):
        check_refused(market.act("reservation", reserved), "quote-used")
        check_refused(market.act("redemption", reserved), "reservation-closed")
        check_refused(market.act("release", reserved), "reservation-closed")


def test_what_is_over_is_over(market: Market, offer: Offer) -> None:
    at = days_ahead(0)
    with clock.fixed(at):
        who = market.buyer()
        lapsing, reserved = market.quoted(who, offer), market.quoted(who, offer)
        until = market.act("reservation", reserved).body["expires_at"]
    with clock.fixed(at + timedelta(hours=1)), nothing_stored(market.world):
        for verb in STEPS:
            check_refused(market.act(verb, lapsing), "quote-expired")
        check_refused(market.act("reservation", reserved), "quote-used")
        for verb in ("redemption", "release"):
            check_refused(market.act(verb, reserved), "reservation-closed")
        for quote_id in (lapsing, reserved):
            read = market.world.get(f"/v1/quotes/{quote_id}", FARM)
            assert (read["state"], read["redeemed_at"]) == ("lapsed", None)
        assert read["expires_at"] == until


def test_an_offer_without_reservations_takes_none(market: Market) -> None:
    who = market.buyer()
    at_once, later = (market.shelve(market.offer(reservation_seconds=s)) for s in (None, 600))
    lines = [{"offer_id": each.offer_id, "variant_id": TOFU, "units": 1} for each in (later, at_once)]
    quote_id = market.quote(who, {"lines": lines}).body["deal"]["quote_id"]
    with nothing_stored(market.world):
        check_refused(market.act("reservation", quote_id), "offer-not-reservable")
        check_refused(market.act("reservation", quote_id, actor=f"citizen:{who}"), "offer-not-reservable")
    assert market.act("redemption", quote_id).status == 200


def test_a_refund_is_of_what_was_sold_and_no_more(market: Market, offer: Offer) -> None:
    who = market.buyer()
    lines = [{"offer_id": offer.offer_id, "variant_id": variant, "units": 3} for variant in (TOFU, TEA)]
    quote_id = market.quote(who, {"lines": lines}).body["deal"]["quote_id"]
    with nothing_stored(market.world):
        check_refused(market.refund(quote_id), "quote-not-redeemed")
    assert market.act("redemption", quote_id).status == 200
    left = "该项还可退 {} 件", "Of this line {} can still be refunded"
    with nothing_stored(market.world):
        check_refused(market.refund(quote_id, 0, 4), "refund-exceeds", *(said.format(3) for said in left))
        check_refused(market.refund(quote_id, 2, 1), "not-found")
    assert market.refund(quote_id, 0, 2).status == 201
    with nothing_stored(market.world):
        check_refused(market.refund(quote_id, 0, 2), "refund-exceeds", *(said.format(1) for said in left))
    assert market.refund(quote_id, 0, 1).status == 201
    assert market.refund(quote_id, 1, 3).status == 201, "another line is another line"
    with nothing_stored(market.world):
        for line in (0, 1):
            check_refused(market.refund(quote_id, line), "refund-exceeds", *(said.format(0) for said in left))


@pytest.mark.parametrize(
    ("body", "pointer", "zh", "en"),
    [
        ({"line": 0, "units": 0}, "/units", "不得小于 1", "must be at least 1"),
        ({"line": 0, "units": -1}, "/units", "不得小于 1", "must be at least 1"),
        ({"line": 0, "units": 10**6}, "/units", "不得大于 10000", "must be at most 10000"),
        ({"line": 0, "units": True}, "/units", "应为整数", "must be of type integer"),
        ({"line": 0, "units": 1.5}, "/units", "应为整数", "must be of type integer"),
        ({"line": False, "units": 1}, "/line", "应为整数", "must be of type integer"),
        ({"line": -1, "units": 1}, "/line", "不得小于 0", "must be at least 0"),
        ({"line": 20, "units": 1}, "/line", "不得大于 19", "must be at most 19"),
        ({"line": 0, "units": 1, "fen": 5}, "", "有未声明的字段", "has fields that are not declared"),
    ],
)
def test_a_refund_names_a_line_and_units(
    market: Market, offer: Offer, body: dict[str, object], pointer: str, zh: str, en: str
) -> None:
    quote_id = market.redeemed(market.buyer(), offer)
    with nothing_stored(market.world):
        check_fault(market.act("refunds", quote_id, body=body), "invalid-request", pointer, zh, en)


def test_a_reservation_given_up_or_lapsed_was_never_sold(market: Market, offer: Offer) -> None:
    at = days_ahead(0)
    with clock.fixed(at):
        who = market.buyer()
        released, lapsed = market.quoted(who, offer), market.quoted(who, offer)
        for quote_id in (released, lapsed):
            assert market.act("reservation", quote_id).status == 200
        assert market.act("release", released).status == 200
    with clock.fixed(at + timedelta(hours=1)), nothing_stored(market.world):
        for quote_id in (released, lapsed):
            check_refused(market.refund(quote_id), "quote-not-redeemed")
