"""The most of everything: items, transactions and expressions have an end, and nothing that is let in reaches it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.core import clock
from chalicelib.core.commit import Unit
from chalicelib.core.text import Text
from chalicelib.ledger.rules import MOST_POSTINGS, remaining
from chalicelib.ledger.store import load_entry
from chalicelib.offers import store
from chalicelib.offers.rules import Offer, Product, Quota, Share, Variant
from chalicelib.offers.rules.counters import MAX_BUCKETS
from chalicelib.offers.service.shelf import stock_key
from chalicelib.offers.store.counters import Use
from tests.integration.offers.deals import check_fault, check_refused, deal, nothing_stored, quote_self
from tests.integration.offers.market import TOFU, Market
from tests.world import FARM, World, days_ahead

BLIND = ["BatchGetItem", "TransactWriteItems"]
LOOKING = ["BatchGetItem", *BLIND]


@pytest.fixture(scope="module")
def market(world: World) -> Market:
    return Market(world)


def wares(market: Market, number: int) -> Offer:
    """One of eight offers of three goods with long names, by eight funders, with a budget and a quota."""
    name = Text("闽" * 80, "x" * 80)
    variants = [Variant(f"ware-{n}-{'w' * 40}", name, 499_999, 10**6) for n in range(3)]
    banks = [Share("bank", 1250, f"bank-{(number + n) % 16:02d}-{'b' * 40}") for n in range(8)]
    return market.shelve(
        market.offer(
            f"sizes-{number}-{'o' * 38}", title=name, budget_fen=10**13, quota=Quota(day=10**6, lifetime=10**6),
            products=tuple(Product(v.variant_id, name, (v,)) for v in variants), funding=tuple(banks),
            reservation_seconds=60,
        )
    )  # fmt: skip


def test_LEDGER_the_largest_basket_is_reserved_sold_and_refunded(market: Market) -> None:
    who = market.buyer(693)
    offers = [wares(market, number) for number in range(8)]
    goods = [(offer, variant) for offer in offers for variant in offer.variants][:20]
    lines = [{"offer_id": o.offer_id, "variant_id": v.variant_id, "units": 10_000} for o, v in goods]
    made = market.quote(who, {"lines": lines})
    assert made.status == 201, made.text
    quote_id, payable = made.body["deal"]["quote_id"], made.body["deal"]["payable_fen"]
    assert payable == 20 * (499_999 * 10_000 // 2)
    assert market.act("reservation", quote_id).status == 200
    sold = market.act("redemption", quote_id)
    assert sold.status == 200, sold.text
    refunds = [market.refund(quote_id, line, units).body for line in range(20) for units in (3333, 6667)]
    assert sum(refund["payable_fen"] for refund in refunds) == payable
    redemption = deal(quote_id).redemption
    assert redemption is not None
    sale = load_entry(redemption.redemption_id)
    assert len(sale.postings) <= MOST_POSTINGS
    assert remaining(sale, [load_entry(refund["refund_id"]) for refund in refunds]) == ()
    assert {market.counter(o, v.variant_id).counter.redeemed for o, v in goods} == {0}
    sizes: Counter[str] = Counter()
    for item in market.world.items():
        kind = item["kind"]["S"]
        sizes[kind] = max(sizes[kind], sum(len(f"{name}{value.get('S')}".encode()) for name, value in item.items()))
    assert max(sizes["deal"], sizes["effect"]) < 65_536


def test_a_basket_of_one_has_no_smaller_price_than_it_says(market: Market) -> None:
    """The dearest thing there is, one at a time and as many as a basket takes: exact to the fen."""
    dear = Variant("dear", Text("贵", "dear"), 10**9, 10**9)
    offer = market.shelve(replace(market.offer(), products=(Product("dear", dear.name, (dear,)),)))
    who = market.buyer(560)
    for units, payable in ((1, 900_000_000), (100, 90_000_000_000)):
        quote_id = market.redeemed(who, offer, units, "dear")
        read = market.world.get(f"/v1/quotes/{quote_id}", FARM)
        assert (read["payable_fen"], read["discount_fen"]) == (payable, payable // 9)
    pass_code = market.world.show(who, FARM)
    with nothing_stored(market.world):
        body = market.ask(offer, 101, "dear") | {"pass_code": pass_code}
        check_fault(
            market.world.post("/v1/quotes", FARM, body), "basket-invalid", "/lines",
            "一单不得超过 1000000000 元", "A basket comes to 1000000000 yuan at most",
        )  # fmt: skip


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
                market.act("reservation", kept[20]),
                "quota-exceeded",
                "您未核销的预留已有 20 笔，请先核销或取消一些",
                "You have 20 reservations open; redeem or give up some first",
            )
        assert market.act("redemption", kept[21]).status == 200, "what is bought at once is no reservation"
        assert market.act("release", kept[0]).status == 200
        assert market.act("reservation", kept[20]).status == 200
    with clock.fixed(at + timedelta(minutes=12)):
        again = market.quoted(who, offer)
        assert market.act("reservation", again).status == 200, "what has lapsed counts no more"
        assert len(market.quota(offer, who).state.holds) == 1
