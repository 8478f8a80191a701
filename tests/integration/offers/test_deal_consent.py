"""CONSENT from quote to redemption: what is withdrawn, expired or suspended in between counts on the next request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core import clock
from chalicelib.offers.rules import Offer, Quota
from tests.in_process import Answer
from tests.integration.core.faults import Fault, inject
from tests.integration.offers.deals import (
    check_refused,
    close_account,
    nothing_stored,
    quote_self,
    restore,
    suspend,
)
from tests.integration.offers.market import SCENARIO, Market
from tests.world import FARM, LIBRARY, World, days_ahead

COOP = "merchant:pengyang-coop@xiamen"
HAPPY = ["BatchGetItem", "TransactWriteItems"]


@pytest.fixture(scope="module")
def market(world: World) -> Market:
    return Market(world)


@pytest.fixture
def offer(market: Market) -> Offer:
    return market.shelve(market.offer(reservation_seconds=10 * 86_400, quota=Quota(day=50)))


def steps(market: Market, who: str, quote_id: str) -> Iterator[Answer]:
    """Every step that needs the person's consent."""
    yield market.act("redemption", quote_id)
    yield market.act("reservation", quote_id)
    yield market.act("reservation", quote_id, actor=f"citizen:{who}")


def test_CONSENT_without_one_for_this_merchant_there_is_no_price(market: Market, offer: Offer) -> None:
    strangers = [
        market.world.newcomer("xiamen", 693),
        market.world.newcomer("xiamen", 693, (COOP, SCENARIO)),
        market.world.newcomer("xiamen", 693, (LIBRARY, SCENARIO), (FARM, "library")),
        market.world.newcomer("xiamen", None),
    ]
    strangers.append(market.world.newcomer("xiamen", 693))
    market.world.grant(strangers[-1], FARM, SCENARIO, items=("grade", "score"))
    shown = {who: market.world.show(who, FARM, SCENARIO) for who in strangers}
    with nothing_stored(market.world):
        for who, pass_code in shown.items():
            by_pass = market.world.post("/v1/quotes", FARM, market.ask(offer) | {"pass_code": pass_code})
            check_refused(by_pass, "consent-required")
            check_refused(quote_self(market, who, offer), "consent-required")
    who = strangers[0]
    market.world.grant(who, FARM, SCENARIO)
    answer = market.world.post("/v1/quotes", FARM, market.ask(offer) | {"pass_code": shown[who]})
    assert answer.status == 201, "the pass was shown, and not used up"


def test_CONSENT_withdrawn_between_quote_and_redemption(market: Market, offer: Offer) -> None:
    who = market.world.newcomer("xiamen", 693)
    grant_id = market.world.grant(who, FARM, SCENARIO)
    quoted, reserved = market.quoted(who, offer), market.quoted(who, offer)
    assert market.act("reservation", reserved).status == 200
    market.world.withdraw(who, grant_id)
    with nothing_stored(market.world):
        for answer in steps(market, who, quoted):
            check_refused(answer, "consent-required")
        check_refused(market.act("redemption", reserved), "consent-required")
    market.world.grant(who, FARM, SCENARIO)
    for quote_id in (quoted, reserved):
        assert market.act("redemption", quote_id).body["state"] == "redeemed", "granted again, it goes on"


def test_CONSENT_withdrawn_a_reservation_is_given_up_and_a_refund_is_paid(market: Market, offer: Offer) -> None:
    who = market.world.newcomer("xiamen", 693)
    grant_id = market.world.grant(who, FARM, SCENARIO)
    reserved, sold = market.quoted(who, offer), market.redeemed(who, offer)
    market.act("reservation", reserved)
    market.world.withdraw(who, grant_id)
    assert market.act("release", reserved, actor=f"citizen:{who}").body["state"] == "released"
    assert market.refund(sold).status == 201


@pytest.mark.parametrize("verb", ["redemption", "reservation"])
def test_CONSENT_withdrawn_in_the_middle_of_a_request(
    market: Market, offer: Offer, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    who = market.world.newcomer("xiamen", 693)
    grant_id = market.world.grant(who, FARM, SCENARIO)
    quote_id = market.quoted(who, offer)

    def withdrawn_first(_: Any, write: Callable[[], None]) -> None:
        market.world.withdraw(who, grant_id)
        write()

    faults: list[Fault | None] = [withdrawn_first]
    inject(monkeypatch, iter(faults))
    check_refused(market.act(verb, quote_id), "consent-required")
    assert market.counter(offer).counter.avail == 500
    assert market.world.get(f"/v1/quotes/{quote_id}", FARM)["state"] == "open"


@pytest.mark.parametrize("days", [2, 9])
def test_CONSENT_expired_in_the_middle_of_a_reservation(market: Market, days: int) -> None:
    """Of an offer without quotas, so that nothing but the time makes anybody look again."""
    at, offer = days_ahead(0), market.shelve(market.offer(reservation_seconds=10 * 86_400))
    with clock.fixed(at):
        who = market.world.newcomer("xiamen", 693)
        market.world.grant(who, FARM, SCENARIO, days=days)
        first, second = market.quoted(who, offer), market.quoted(who, offer)
        for quote_id in (first, second):
            assert market.act("reservation", quote_id).status == 200
    with clock.fixed(at + timedelta(days=days, seconds=-1)):
        assert market.act("redemption", first).status == 200
    with clock.fixed(at + timedelta(days=days)):
        with nothing_stored(market.world):
            check_refused(market.act("redemption", second), "consent-required")
            assert market.world.get(f"/v1/quotes/{second}", FARM)["state"] == "reserved"
        market.world.grant(who, FARM, SCENARIO)
        assert market.act("redemption", second).status == 200


def test_CONSENT_an_unrelated_one_in_between_costs_one_look_more(market: Market, offer: Offer) -> None:
    who = market.buyer()
    first, second, third = (market.quoted(who, offer) for _ in range(3))
    with market.world.calls() as calls:
        assert market.act("redemption", first).status == 200
    assert calls.names == HAPPY
    market.world.grant(who, LIBRARY, "library")
    with market.world.calls() as calls:
        assert market.act("reservation", second).status == 200
    assert calls.names == HAPPY * 2
    with market.world.calls() as calls:
        assert market.act("redemption", second).status == 200
    assert calls.names == HAPPY, "what was seen on the second look is remembered"
    with market.world.calls() as calls:
        assert market.act("redemption", third).status == 200
    assert calls.names == HAPPY * 2


def test_CONSENT_renewed_for_less_is_the_one_that_counts(market: Market, offer: Offer) -> None:
    who = market.buyer()
    quote_id = market.quoted(who, offer)
    market.world.grant(who, FARM, SCENARIO, items=("grade",))
    with nothing_stored(market.world):
        for answer in steps(market, who, quote_id):
            check_refused(answer, "consent-required")
    market.world.grant(who, FARM, SCENARIO)
    assert market.act("redemption", quote_id).status == 200


def test_a_suspension_after_the_quote_overtakes_it(market: Market, offer: Offer) -> None:
    who = market.buyer()
    quoted, reserved = market.quoted(who, offer), market.quoted(who, offer)
    market.act("reservation", reserved)
    suspend(market.world, who)
    with nothing_stored(market.world):
        for answer in steps(market, who, quoted):
            check_refused(answer, "quote-overtaken")
        check_refused(market.act("redemption", reserved), "quote-overtaken")
    while_suspended = market.quote(who, market.ask(offer)).body["deal"]
    assert while_suspended["discount_fen"] == 0
    restore(market.world, who)
    with nothing_stored(market.world):
        check_refused(market.act("redemption", while_suspended["quote_id"]), "quote-overtaken")
    for quote_id in (quoted, reserved):
        assert market.act("redemption", quote_id).body["payable_fen"] == 1800, "restored in time, the word is kept"


def test_who_was_suspended_already_buys_at_the_list_price(market: Market, offer: Offer) -> None:
    who = market.buyer()
    suspend(market.world, who)
    quote_id = market.quoted(who, offer)
    market.world.grant(who, LIBRARY, "library")
    sold = market.act("redemption", quote_id)
    assert (sold.status, sold.body["payable_fen"]) == (200, 3600)


def test_CONSENT_of_a_closed_account_is_none(market: Market, offer: Offer) -> None:
    who = market.buyer()
    quoted, sold = market.quoted(who, offer), market.redeemed(who, offer)
    pass_code = market.world.show(who, FARM)
    close_account(market.world, who)
    with nothing_stored(market.world):
        for answer in steps(market, who, quoted):
            check_refused(answer, "consent-required")
        by_pass = market.world.post("/v1/quotes", FARM, market.ask(offer) | {"pass_code": pass_code})
        check_refused(by_pass, "consent-required")
        check_refused(quote_self(market, who, offer), "consent-required")
    assert market.refund(sold).status == 201, "what was paid still goes back"


@pytest.mark.parametrize(
    ("shut", "code"), [(World.suspend_partner, "partner-suspended"), (World.suspend_city, "city-suspended")]
)
def test_who_takes_no_part_sells_nothing_and_refunds(
    own_world: World, market: Market, offer: Offer, shut: Any, code: str
) -> None:
    world, who = own_world, market.buyer()
    quoted, reserved, sold = market.quoted(who, offer), market.quoted(who, offer), market.redeemed(who, offer)
    market.act("reservation", reserved)
    pass_code = world.show(who, FARM)
    shut(world, "qingliu-farm" if shut is World.suspend_partner else "xiamen")
    with nothing_stored(world):
        answers = [
            *steps(market, who, quoted),
            market.act("redemption", reserved),
            world.post("/v1/quotes", FARM, market.ask(offer) | {"pass_code": pass_code}),
            world.post("/v1/quotes?dry_run=true", FARM, market.ask(offer)),
            quote_self(market, who, offer),
        ]
        assert {answer.code for answer in answers} == {code}
    assert market.act("release", reserved).body["state"] == "released"
    assert market.refund(sold).status == 201
    assert world.get(f"/v1/me/purchases/{sold}", f"citizen:{who}")["deal"]["state"] == "redeemed"
    shut(world, "qingliu-farm" if shut is World.suspend_partner else "xiamen", "active")
    assert market.act("redemption", quoted).status == 200
