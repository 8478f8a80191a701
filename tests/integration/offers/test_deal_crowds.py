"""Lapsed reservations do not pile up on a counter, however well stocked it is: items and expressions have an end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.core import clock
from chalicelib.core.commit import Unit
from chalicelib.offers import store
from chalicelib.offers.rules import Offer, Quota
from chalicelib.offers.rules.counters import MAX_BUCKETS
from chalicelib.offers.service.shelf import stock_key
from chalicelib.offers.store.counters import Use
from tests.integration.offers.deals import check_refused, deal, nothing_stored, quote_self
from tests.integration.offers.market import TOFU, Market
from tests.world import World, days_ahead

BLIND = ["BatchGetItem", "TransactWriteItems"]
LOOKING = ["BatchGetItem", *BLIND]


@pytest.fixture(scope="module")
def market(world: World) -> Market:
    return Market(world)


def crowd(offer: Offer, lapsed: int, units: int = 1) -> None:
    """So many reservations have been made of an offer, each at its own second, and have lapsed."""
    past = int(clock.now().timestamp()) - 86_400
    for second in range(lapsed):
        unit = Unit()
        use = Use(stock_key(offer, TOFU), units + second % 2, offer.version)
        store.counters.hold(unit, use, past + second)
        unit.commit()


def test_who_goes_on_with_a_crowded_counter_looks_and_folds(market: Market) -> None:
    offer = market.shelve(market.offer(reservation_seconds=60))
    who = market.buyer()
    early = market.quoted(who, offer)
    crowd(offer, MAX_BUCKETS + 1)
    late = [quote_self(market, who, offer).body["deal"]["quote_id"] for _ in range(3)]
    assert [deal(each).crowded for each in (early, *late)] == [False, True, True, True]
    with market.world.calls() as calls:
        assert market.act("reservation", late[0]).status == 200
    assert calls.names == LOOKING
    counter = market.counter(offer).counter
    assert (len(counter.held), sum(counter.held.values()), counter.avail) == (2, 2, 498)
    with market.world.calls() as calls:
        assert market.act("redemption", early).status == 200
    assert calls.names == BLIND
    assert market.act("redemption", late[1]).status == 200
    assert market.act("release", late[2]).status == 200
    assert not deal(market.quoted(who, offer)).crowded


def test_one_write_folds_no_more_than_an_expression_takes(market: Market) -> None:
    lapsed = MAX_BUCKETS + 40
    offer = market.shelve(market.offer(stock=lapsed + lapsed // 2, reservation_seconds=60))
    who = market.buyer()
    crowd(offer, lapsed)
    assert market.counter(offer).counter.avail == 0
    at = days_ahead(0)
    with clock.fixed(at):
        quote_id = market.quoted(who, offer, 150)
        assert market.act("reservation", quote_id).status == 200
    counter = market.counter(offer).counter
    assert len(counter.held) == lapsed - MAX_BUCKETS + 1, "the fullest are folded first"
    assert max(units for bucket, units in counter.held.items() if bucket < at.timestamp()) == 1
    with clock.fixed(at + timedelta(minutes=5)):
        rest = market.quoted(who, offer, lapsed + lapsed // 2)
        assert market.act("redemption", rest).status == 200, "all that has lapsed can be had"
    assert market.counter(offer).counter.held == {}


def test_one_person_holds_no_more_than_twenty_reservations_of_an_offer(market: Market) -> None:
    offer = market.shelve(market.offer(quota=Quota(day=99), reservation_seconds=600))
    at = days_ahead(0)
    with clock.fixed(at):
        who = market.buyer()
        kept = [quote_self(market, who, offer).body["deal"]["quote_id"] for _ in range(22)]
        for quote_id in kept[:20]:
            assert market.act("reservation", quote_id).status == 200
        with nothing_stored(market.world):
            check_refused(
                market.act("reservation", kept[20]), "quota-exceeded",
                "您未核销的预留已有 20 笔，请先核销或取消一些", "You have 20 reservations open; redeem or give up some first",
            )  # fmt: skip
        assert market.act("redemption", kept[21]).status == 200, "what is bought at once is no reservation"
        assert market.act("release", kept[0]).status == 200
        assert market.act("reservation", kept[20]).status == 200
    with clock.fixed(at + timedelta(minutes=12)):
        again = market.quoted(who, offer)
        assert market.act("reservation", again).status == 200, "what has lapsed counts no more"
        assert len(market.quota(offer, who).state.holds) == 1
