"""Four mistakes that marketplaces are known for, each made on purpose: the proof beside it finds every one.

Each scenario passes with the code as it is and reports what is wrong with the mistake in it. What interleaves does so
at the seam of the commit, not by luck.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pynamodb.connection import Connection
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from chalicelib.core import commit, table
from chalicelib.core.commit import Unit
from chalicelib.core.errors import Conflict
from chalicelib.core.table import Key, Row
from chalicelib.offers import store
from chalicelib.offers.rules import Offer
from chalicelib.offers.service.shelf import stock_key
from chalicelib.offers.store import counters
from chalicelib.offers.store.counters import Use
from tests.integration.offers.market import TOFU, Market
from tests.world import World

Mistake = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture(scope="module")
def market(world: World) -> Market:
    return Market(world)


def check_before_write(patch: pytest.MonkeyPatch) -> None:
    """The stock is read and compared in Python; the write has no condition of its own."""

    def take(unit: Unit, use: Use) -> None:
        if _avail(use.key) < use.amount:
            raise Conflict
        unit.update(counters._CounterRow(*use.key), _taking(use), counters._CounterRow.pk.exists(), Conflict)

    patch.setattr(counters, "take", take)


def unconditional_add(patch: pytest.MonkeyPatch) -> None:
    """The stock is taken, whatever is there."""

    def take(unit: Unit, use: Use) -> None:
        unit.update(counters._CounterRow(*use.key), _taking(use), counters._CounterRow.pk.exists(), Conflict)

    patch.setattr(counters, "take", take)


def missing_effect_id(patch: pytest.MonkeyPatch) -> None:
    """The effect is written whether it is there or not."""
    patch.setattr(Unit, "effect", lambda self, row: self.put(row))


def restore_without_check(patch: pytest.MonkeyPatch) -> None:
    """A refund gives back to the stock, whatever was sold."""

    def restore(unit: Unit, use: Use) -> None:
        row = counters._CounterRow
        actions = [row.avail.set(row.avail + use.amount), row.redeemed.set(row.redeemed - use.amount)]
        unit.update(row(*use.key), actions, row.pk.exists(), Conflict)

    patch.setattr(counters, "restore", restore)


def _taking(use: Use) -> list[Action]:
    row = counters._CounterRow
    return [row.redeemed.set(row.redeemed + use.amount), row.avail.set(row.avail - use.amount)]


def _avail(key: Key) -> int:
    return int(_raw(key).avail)


def _raw(key: Key) -> counters._CounterRow:
    """The counter as it is stored, whatever has become of its equation."""
    row: Row | None = table.fetch([key]).get(key)
    assert isinstance(row, counters._CounterRow)
    return row


def amiss(offer: Offer) -> bool:
    """Whether more was sold than there was, or less than nothing."""
    row = _raw(stock_key(offer, TOFU))
    return min(row.avail, row.redeemed) < 0 or row.redeemed > row.cap


def between(patch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """``act`` happens once: after the next request has read and decided, before it writes."""
    real, waiting = commit.transaction, [act]

    def transaction(connection: Connection) -> TransactWrite:
        if waiting:
            waiting.pop()()
        return real(connection)

    patch.setattr(commit, "transaction", transaction)


def the_last_one_is_sold_twice(market: Market) -> bool:
    """Two people redeem the last piece, one between the other's look and his write."""
    offer = market.shelve(market.offer(stock=1))
    one, other = (market.quoted(market.buyer(693), offer) for _ in range(2))
    with pytest.MonkeyPatch.context() as patch:
        between(patch, lambda: market.act("redemption", other))
        market.act("redemption", one)
    return amiss(offer)


def more_is_sold_than_there_is(market: Market) -> bool:
    """Two people redeem the last piece, one after the other."""
    offer = market.shelve(market.offer(stock=1))
    for quote_id in [market.quoted(market.buyer(693), offer) for _ in range(2)]:
        market.act("redemption", quote_id)
    return amiss(offer)


def one_request_refunds_twice(market: Market) -> bool:
    """The same refund is sent twice under one key."""
    offer = market.shelve(market.offer())
    quote_id = market.quoted(market.buyer(693), offer, 2)
    market.act("redemption", quote_id)
    for _ in range(2):
        market.refund(quote_id, units=1, key=f"refund-{offer.offer_id}")
    deal = store.load_deal(quote_id)
    assert deal is not None
    assert deal.redemption is not None
    return deal.redemption.refunded != (1,)


def more_comes_back_than_was_sold(market: Market) -> bool:
    """A refund of more than the counter knows to be sold, as after a lost or a foreign write."""
    offer = market.shelve(market.offer())
    market.redeemed(market.buyer(693), offer)
    unit = Unit()
    counters.restore(unit, Use(stock_key(offer, TOFU), 2, 1))
    try:
        unit.commit()
    except Conflict:
        return False
    return amiss(offer)


CAUGHT: list[tuple[str, Mistake, Callable[[Market], bool]]] = [
    ("check before write", check_before_write, the_last_one_is_sold_twice),
    ("unconditional add", unconditional_add, more_is_sold_than_there_is),
    ("missing effect id", missing_effect_id, one_request_refunds_twice),
    ("restore without check", restore_without_check, more_comes_back_than_was_sold),
]


@pytest.mark.parametrize(("mistake", "scenario"), [row[1:] for row in CAUGHT], ids=[row[0] for row in CAUGHT])
def test_LIMIT_a_mistake_is_caught(
    market: Market, monkeypatch: pytest.MonkeyPatch, mistake: Mistake, scenario: Callable[[Market], bool]
) -> None:
    assert not scenario(market), "the code as it is"
    mistake(monkeypatch)
    assert scenario(market), "the mistake goes unnoticed"
