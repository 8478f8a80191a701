"""LIMIT, LEDGER, ONCE and CONSENT of deals, proved able to fail: code with one guard taken out is found out.

Each proof is a scene: requests that meet at one certain place, whatever the threads of a machine would do. It tells
what is wrong afterwards. With the code as it is, nothing is; with the mutant, something is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from chalicelib.core import clock, effect, ids, table
from chalicelib.core.commit import Unit
from chalicelib.core.effect import Intent
from chalicelib.core.errors import Conflict
from chalicelib.core.table import Key, Row
from chalicelib.offers import store
from chalicelib.offers.rules import Fold, Offer, Quota
from chalicelib.offers.store import counters
from chalicelib.offers.store.counters import Use
from chalicelib.subjects import store as accounts
from tests.in_process import Answer
from tests.integration.core.faults import Fault, inject, lost_after
from tests.integration.offers.audit import audit
from tests.integration.offers.deals import deal, quote_self
from tests.integration.offers.market import SCENARIO, Market
from tests.world import FARM, World

Mutant = Callable[[pytest.MonkeyPatch], None]
Scene = Callable[[Market], list[str]]
LIFE = 600
_Counter = counters._CounterRow


@pytest.fixture
def market(own_world: World) -> Market:
    return Market(own_world)


@contextmanager
def meeting(*acts: Callable[[], object] | None) -> Iterator[None]:
    """Inside the block, just before the n-th transaction is written, the n-th of these happens, all of it."""

    def first(act: Callable[[], object] | None) -> Fault | None:
        def fault(_: TransactWrite, write: Callable[[], None]) -> None:
            assert act is not None
            act()
            write()

        return None if act is None else fault

    with pytest.MonkeyPatch.context() as patch:
        inject(patch, iter([first(act) for act in acts]))
        yield


def quoted(market: Market, who: str, offer: Offer, units: int = 1) -> str:
    answer = quote_self(market, who, offer, units)
    assert answer.status == 201, answer.text
    return str(answer.body["deal"]["quote_id"])


def reviewed(market: Market) -> list[str]:
    return audit(market.world.items(), clock.now() + timedelta(hours=1))


def the_last_one(market: Market) -> list[str]:
    """Two redeem the last one: between the look of one and his write, the other has it."""
    offer = market.shelve(market.offer(stock=1))
    one, other = (quoted(market, market.buyer(), offer) for _ in range(2))
    with meeting(lambda: market.act("redemption", other)):
        market.act("redemption", one)
    return reviewed(market)


def one_after_the_other(market: Market) -> list[str]:
    """Two redeem the last one, one after the other; both had been quoted it."""
    offer = market.shelve(market.offer(stock=1))
    for quote_id in [quoted(market, market.buyer(), offer) for _ in range(2)]:
        market.act("redemption", quote_id)
    return reviewed(market)


def a_refund_comes_again(market: Market) -> list[str]:
    """The answer to a refund of one is lost; it comes again, and once more."""
    quote_id = market.redeemed(market.buyer(), market.shelve(market.offer()), 3)
    with pytest.MonkeyPatch.context() as patch:
        inject(patch, iter([lost_after]))
        market.refund(quote_id, key="mutant-refund-1")
    answers = [market.refund(quote_id, key="mutant-refund-1") for _ in range(2)]
    found = reviewed(market)
    if deal(quote_id).refunds != 1:
        found.append("ONCE: one request was done more than once")
    if len({answer.text for answer in answers}) > 1:
        found.append("ONCE: one request has two answers")
    return found


def two_refunds_of_the_last(market: Market, others: int) -> list[str]:
    """Two refunds of the only unit of a deal meet; somebody else may have bought as well."""
    offer = market.shelve(market.offer())
    quote_id = market.redeemed(market.buyer(), offer)
    if others:
        market.redeemed(market.buyer(), offer, others)
    with meeting(lambda: market.refund(quote_id)):
        market.refund(quote_id)
    return reviewed(market)


def a_stray_restore(market: Market) -> list[str]:
    """More is given back to a counter than was ever taken from it."""
    offer = market.shelve(market.offer())
    unit = Unit()
    key = counters.stock_key(offer.city_id, offer.merchant_id, offer.offer_id, offer.variants[0].variant_id)
    counters.restore(unit, Use(key, 1, offer.version))
    try:
        unit.commit()
    except Conflict:
        return reviewed(market)
    return [*reviewed(market), "LIMIT: what was never sold was given back"]


def two_find_one_lapsed(market: Market) -> list[str]:
    """A reservation has lapsed; two who need what it held give it back at once."""
    offer = market.shelve(market.offer(stock=2, reservation_seconds=LIFE))
    assert market.act("reservation", quoted(market, market.buyer(), offer, 2)).status == 200
    with clock.fixed(clock.now() + timedelta(seconds=2 * LIFE)):
        one, other = (quoted(market, market.buyer(), offer) for _ in range(2))
        with meeting(None, lambda: market.act("redemption", other)):
            answer = market.act("redemption", one)
        assert answer.status == 200, answer.text
        return reviewed(market)


def his_last_one(market: Market) -> list[str]:
    """Somebody redeems two quotes at once, and may have one."""
    offer = market.shelve(market.offer(quota=Quota(lifetime=1)))
    who = market.buyer()
    one, other = (quoted(market, who, offer) for _ in range(2))
    with meeting(lambda: market.act("redemption", other)):
        market.act("redemption", one)
    return reviewed(market)


def withdrawn_meanwhile(market: Market) -> list[str]:
    """A consent is withdrawn between the look of a redemption and its write."""
    who = market.world.newcomer("xiamen", 693)
    grant_id = market.world.grant(who, FARM, SCENARIO)
    quote_id = quoted(market, who, market.shelve(market.offer()))
    with meeting(lambda: market.world.withdraw(who, grant_id)):
        answer = market.act("redemption", quote_id)
    return [*reviewed(market), *after_all(answer, "CONSENT: redeemed after it was withdrawn")]


def stopped_meanwhile(market: Market) -> list[str]:
    """The city stops an offer between the look of a redemption and its write."""
    offer = market.shelve(market.offer())
    quote_id = quoted(market, market.buyer(), offer)
    with meeting(lambda: market.stop(offer)):
        answer = market.act("redemption", quote_id)
    return [*reviewed(market), *after_all(answer, "LIMIT: sold after the stop")]


def after_all(answer: Answer, said: str) -> list[str]:
    return [said] if answer.status == 200 else []


def check_before_write(patch: pytest.MonkeyPatch) -> None:
    """The stock is read and compared in Python, and written as if nobody else were there."""

    def take(unit: Unit, use: Use) -> None:
        seen = counters.counter_in(table.fetch([use.key]), use.key)
        assert seen is not None
        if seen.counter.avail < use.amount:
            raise Conflict
        left, sold = seen.counter.avail - use.amount, seen.counter.redeemed + use.amount
        actions = [_Counter.avail.set(left), _Counter.redeemed.set(sold)]
        unit.update(_Counter(*use.key), actions, _Counter.pk.exists(), Conflict)

    patch.setattr(counters, "take", take)


class Blind:
    """A unit that forgets the conditions of what is put into it."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    def create(self, row: Row, _: object) -> None:
        self._unit.put(row)

    def put(self, row: Row, *_: object) -> None:
        self._unit.put(row)

    def update(self, row: Row, actions: Sequence[Action], *_: object) -> None:
        self._unit.update(row, actions, type(row).pk.exists(), Conflict)

    def check(self, *_: object) -> None:
        return


def blindly(patch: pytest.MonkeyPatch, module: Any, name: str) -> None:
    """What this function writes, it writes on no condition."""
    known = getattr(module, name)
    patch.setattr(module, name, lambda unit, *rest: known(Blind(unit), *rest))


def unconditional_add(patch: pytest.MonkeyPatch) -> None:
    """The stock is counted down on no condition."""
    blindly(patch, counters, "take")


def effect_without_condition(patch: pytest.MonkeyPatch) -> None:
    """The effect is written whether it is there or not."""
    patch.setattr(Unit, "effect", lambda unit, row: unit.put(row))


def effect_of_any_id(patch: pytest.MonkeyPatch) -> None:
    """The effect's id is drawn, and does not follow from who asks under which key."""
    known = effect.intend

    def intend(*asked: Any, **who: Any) -> Intent:
        made = known(*asked, **who)
        return replace(made, effect_id=f"{made.city_id}.{ids.new('x').removeprefix('x_')}")

    patch.setattr(effect, "intend", intend)


def deal_unseen(patch: pytest.MonkeyPatch) -> None:
    """A deal is written over whatever it has become."""
    blindly(patch, store, "save_deal")


def restore_without_check(patch: pytest.MonkeyPatch) -> None:
    """What comes back is counted back, whether it was sold or not, and the deal is written over."""
    blindly(patch, counters, "restore")
    deal_unseen(patch)


def fold_unseen(patch: pytest.MonkeyPatch) -> None:
    """A lapsed bucket is given back whether it is there still or not."""
    known = counters._change

    def change(unit: Unit, key: Key, actions: Sequence[Action], condition: Any, fold: Fold) -> None:
        folds = [counters._bucket(bucket).remove() for bucket in fold.buckets]
        known(unit, key, [*actions, *folds], condition, counters.NOTHING)

    patch.setattr(counters, "_change", change)


def quota_unseen(patch: pytest.MonkeyPatch) -> None:
    """What somebody has had is written over whatever it has become."""
    blindly(patch, store, "save_quota")


def guard_unseen(patch: pytest.MonkeyPatch) -> None:
    """The consent that was read is no condition of the write."""
    blindly(patch, accounts, "check_guard_seen")
    blindly(patch, accounts, "check_guard")


def stop_unseen(patch: pytest.MonkeyPatch) -> None:
    """The city's stop is no condition of the write."""
    patch.setattr(counters, "_not_stopped", lambda use: _Counter.pk.exists())


def proves(market: Market, scene: Scene, mutant: Mutant, *found: str) -> None:
    """With the code as it is the scene finds nothing wrong; with the mutant it finds each of these."""
    before = market.world.mark()
    assert scene(market) == []
    market.world.restore(before)
    with pytest.MonkeyPatch.context() as patch:
        mutant(patch)
        violations = scene(market)
    for words in found:
        assert any(words in violation for violation in violations), violations


def test_LIMIT_catches_a_check_before_the_write(market: Market) -> None:
    proves(market, the_last_one, check_before_write, "1 are counted as redeemed, 2 were")


@pytest.mark.parametrize("scene", [the_last_one, one_after_the_other])
def test_LIMIT_catches_an_unconditional_add(market: Market, scene: Scene) -> None:
    proves(market, scene, unconditional_add, "less than nothing is free")


@pytest.mark.parametrize(
    ("mutant", "found"),
    [
        (effect_without_condition, ["ONCE: one request was done more than once", "by (1, 1) effects"]),
        (effect_of_any_id, ["ONCE: one request was done more than once", "ONCE: one request has two answers"]),
    ],
)
def test_ONCE_catches_a_missing_effect_id(market: Market, mutant: Mutant, found: list[str]) -> None:
    proves(market, a_refund_comes_again, mutant, *found)


@pytest.mark.parametrize(
    ("others", "mutant", "found"),
    [
        (2, deal_unseen, ["counted as redeemed", "LEDGER", "by (1, 2) effects"]),
        (0, restore_without_check, ["less than nothing is free, held or redeemed", "LEDGER"]),
    ],
    ids=["the deal unseen", "nothing seen"],
)
def test_LIMIT_catches_a_restore_without_a_check(market: Market, others: int, mutant: Mutant, found: list[str]) -> None:
    proves(market, lambda stall: two_refunds_of_the_last(stall, others), mutant, *found)


def test_LIMIT_catches_a_restore_of_what_was_never_sold(market: Market) -> None:
    proves(market, a_stray_restore, restore_without_check, "what was never sold was given back", "less than nothing")


def test_LIMIT_catches_what_lapsed_given_back_twice(market: Market) -> None:
    proves(market, two_find_one_lapsed, fold_unseen, "are not 2")


def test_LIMIT_catches_a_quota_written_over(market: Market) -> None:
    proves(market, his_last_one, quota_unseen, "1 are counted, 2 were had")


def test_CONSENT_catches_a_redemption_after_it_was_withdrawn(market: Market) -> None:
    proves(market, withdrawn_meanwhile, guard_unseen, "CONSENT: redeemed after it was withdrawn")


def test_LIMIT_catches_a_sale_after_the_stop(market: Market) -> None:
    proves(market, stopped_meanwhile, stop_unseen, "LIMIT: sold after the stop")
