"""Reservations that have lapsed by the hundred: what they held can be had at once, however many writes that takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action, Update

from chalicelib.core import clock
from chalicelib.core.commit import Otherwise, Unit
from chalicelib.core.table import Row
from chalicelib.offers import store
from chalicelib.offers.rules import Offer, counters
from chalicelib.offers.rules.counters import MAX_BUCKETS, Counter
from chalicelib.offers.service.folding import room_for
from chalicelib.offers.service.shelf import stock_key
from chalicelib.offers.store.counters import Use
from tests.integration.offers.counter import Desk
from tests.integration.offers.market import TOFU, Market
from tests.world import FARM, World

CROWD = 2 * MAX_BUCKETS + 60


@pytest.fixture(scope="module")
def market(world: World) -> Market:
    return Market(world)


def crowd(offer: Offer, lapsed: int = CROWD) -> None:
    """So many reservations of one unit each, each at its own second, have lapsed."""
    past = int(clock.now().timestamp()) - 86_400
    for second in range(lapsed):
        unit = Unit()
        store.counters.hold(unit, Use(stock_key(offer, TOFU), 1, 1), past + second)
        unit.commit()


def stocked(offer: Offer, stock: int) -> Offer:
    goods = (replace(p, variants=tuple(replace(v, stock=stock) for v in p.variants)) for p in offer.products)
    return replace(offer, products=tuple(goods))


@pytest.mark.parametrize("verb", ["redemption", "reservation"])
def test_LIMIT_more_than_one_write_can_free_is_had_in_one_request(market: Market, verb: str) -> None:
    offer = market.shelve(market.offer(stock=CROWD, reservation_seconds=600))
    crowd(offer)
    quote_id = market.quoted(market.buyer(), offer, CROWD - 1)
    with market.world.nothing_written():
        tried = market.world.post(f"/v1/quotes/{quote_id}/{verb}?dry_run=true", FARM)
        assert tried.status == 200, tried.text
    with market.world.calls() as calls:
        done = market.act(verb, quote_id)
    assert done.status == 200, done.text
    assert calls.names.count("TransactWriteItems") == 3, "two of 120 buckets, and the step itself with the rest"
    left = market.counter(offer).counter
    assert (left.cap, left.avail, CROWD - 1 in {left.redeemed, *left.held.values()}) == (CROWD, 1, True)


def test_LIMIT_what_has_not_lapsed_is_not_freed(market: Market) -> None:
    offer = market.shelve(market.offer(stock=CROWD + 5, reservation_seconds=600))
    crowd(offer)
    kept = market.quoted(market.buyer(), offer, 5)
    assert market.act("reservation", kept).status == 200
    greedy = market.quoted(market.buyer(), offer, CROWD)
    late = market.quoted(market.buyer(), offer, 1)
    assert market.act("redemption", greedy).status == 200
    assert market.act("redemption", late).code == "out-of-stock"
    assert market.act("redemption", kept).status == 200


def test_LIMIT_a_cap_may_fall_to_what_is_left_when_all_that_lapsed_is_given_back(world: World) -> None:
    desk = Desk(world)
    made = stocked(desk.offer(), CROWD)
    desk.shelved(made)
    crowd(made)
    desk.drafted(stocked(made, 3))
    desk.moved(made, 2, "submit", "approve")
    assert desk.move(made, 2, "schedule").status == 200
    key = stock_key(made, TOFU)
    seen = store.counters.load_counters(made.city_id, made.merchant_id, made.offer_id)[key].counter
    assert (seen.cap, seen.avail, seen.held) == (3, 3, {})


def test_a_fold_that_meets_another_gives_back_once(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    offer = market.shelve(market.offer(stock=CROWD, reservation_seconds=600))
    crowd(offer)
    key, seen = stock_key(offer, TOFU), market.counter(offer).counter
    room_for(Unit(), key, seen, CROWD, clock.now())
    with pytest.raises(Exception, match="conflicts"):
        room_for(Unit(), key, seen, CROWD, clock.now())
    after = market.counter(offer).counter
    assert (len(after.held), after.avail) == (CROWD - 2 * MAX_BUCKETS, 2 * MAX_BUCKETS)


class Noting(Unit):
    """Keeps the expressions of what would be written."""

    def __init__(self) -> None:
        super().__init__()
        self.expressions: list[tuple[str, str]] = []

    def update(self, row: Row, actions: Sequence[Action], condition: Condition, otherwise: Otherwise) -> None:
        names: dict[str, str] = {}
        values: dict[str, Any] = {}
        change = Update(*actions).serialize(names, values)
        self.expressions.append((condition.serialize(names, values), str(change)))


def test_a_write_of_the_most_buckets_stays_within_what_an_expression_takes() -> None:
    """Source: Amazon DynamoDB, limits: 4 KB and 300 operators in an expression."""
    full = Counter(MAX_BUCKETS, 0, 0, {1_785_000_000 + n: 1 for n in range(MAX_BUCKETS)})
    fold = counters.fold_at_once(full, MAX_BUCKETS, clock.now() + timedelta(days=2_000))
    assert len(fold.buckets) == MAX_BUCKETS
    key, unit = store.counters.stock_key("xiamen", "m" * 40, "o" * 40, "v" * 40), Noting()
    store.counters.take(unit, Use(key, 5, 1, fold))
    store.counters.hold(unit, Use(key, 5, 1, fold), 1_785_999_999)
    store.counters.recap(unit, key, full, 500, fold)
    store.counters.fold_only(unit, key, fold)
    for condition, change in unit.expressions:
        operators = sum(condition.count(sign) for sign in (" AND ", " = ", " >= ", " < "))
        assert (len(condition) < 4096, operators < 300, len(change) < 4096) == (True, True, True)
    assert len(unit.expressions) == 4
