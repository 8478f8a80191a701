"""A city's stop counts on the next request, reaches what has ended, wins against a hot sale, and is lifted whole."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core import clock
from chalicelib.core.text import Text
from chalicelib.offers import store
from chalicelib.offers.rules import Offer, Product
from tests.integration.core.faults import CONFLICT, FAILED, Fault, cancelled, inject, lost_after, lost_before
from tests.integration.offers.counter import Desk
from tests.integration.offers.market import Market, head_of
from tests.unit.offers.shop import TEA
from tests.world import World, days_ahead

DAYS = 86_400
COUNTERS = 2


@pytest.fixture(scope="module")
def desk(world: World) -> Desk:
    return Desk(world)


@pytest.fixture(scope="module")
def market(world: World) -> Market:
    return Market(world)


def shelved(desk: Desk, **changes: object) -> Offer:
    made = desk.offer(reservation_seconds=30 * DAYS, **changes)
    desk.shelved(made)
    return made


def reserved(market: Market, offer: Offer) -> str:
    quote_id = market.quoted(market.buyer(), offer)
    assert market.act("reservation", quote_id).status == 200
    return quote_id


def next_version(desk: Desk, offer: Offer, *moves: str) -> Offer:
    later = replace(offer, title=Text("下一版", "The next"))
    version = desk.drafted(later)
    desk.moved(later, version, "submit", "approve", *moves)
    return later


def closed(offer: Offer) -> list[int]:
    """Up to which version each counter is stopped."""
    there = store.counters.load_counters(offer.city_id, offer.merchant_id, offer.offer_id)
    return [seen.stopped_to for seen in there.values()]


def check_stopped(market: Market, quote_id: str) -> None:
    assert market.act("redemption", quote_id).code == "offer-stopped"


def test_what_the_merchant_has_ended_is_stopped_too_and_what_came_after_goes_on(desk: Desk, market: Market) -> None:
    made = shelved(desk)
    early = reserved(market, made)
    later = next_version(desk, made, "schedule")
    late = reserved(market, later)
    desk.moved(made, 2, "end")
    third = next_version(desk, made, "schedule")
    stopped = desk.moved(made, 2, "stop").body
    assert (stopped["state"], desk.read(made, 1)["state"], closed(made)) == ("ended", "ended", [2] * COUNTERS)
    for quote_id in (early, late):
        check_stopped(market, quote_id)
    assert market.act("redemption", reserved(market, third)).status == 200
    assert desk.move(made, 2, "lift").code == desk.move(made, 2, "stop").code == "offer-state"


def test_what_the_clock_has_ended_is_stopped_too(desk: Desk, market: Market) -> None:
    made = shelved(desk, valid_to=clock.now().replace(microsecond=0) + timedelta(days=1))
    kept = reserved(market, made)
    with clock.fixed(days_ahead(2)):
        assert desk.moved(made, 1, "stop").body["state"] == "ended"
        check_stopped(market, kept)
    with clock.fixed(days_ahead(20)):
        check_stopped(market, kept)


def test_what_ran_out_while_it_was_stopped_is_fetched_after_a_lift(desk: Desk, market: Market) -> None:
    made = shelved(desk, valid_to=clock.now().replace(microsecond=0) + timedelta(days=1))
    kept = reserved(market, made)
    desk.moved(made, 1, "stop")
    with clock.fixed(days_ahead(2)):
        check_stopped(market, kept)
        assert desk.moved(made, 1, "lift").body["state"] == "ended"
        assert market.act("redemption", kept).status == 200


def test_the_lift_of_a_second_stop_does_not_wake_what_the_first_one_stopped(desk: Desk, market: Market) -> None:
    made = shelved(desk)
    kept = reserved(market, made)
    desk.moved(made, 1, "stop")
    next_version(desk, made, "schedule")
    desk.moved(made, 2, "stop", "lift")
    check_stopped(market, kept)
    desk.moved(made, 2, "resume")
    assert market.act("redemption", market.quoted(market.buyer(), made)).status == 200


def test_what_is_lifted_and_resumed_can_be_bought(desk: Desk, market: Market) -> None:
    """The next version, approved and never released, was ended meanwhile."""
    made = shelved(desk)
    next_version(desk, made)
    desk.moved(made, 1, "stop")
    desk.moved(made, 2, "end")
    desk.moved(made, 1, "lift", "resume")
    assert market.act("redemption", market.quoted(market.buyer(), made)).status == 200


def test_a_hot_sale_does_not_hold_up_a_stop(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every counter meets a sale three times, each by itself; the rest meets other merchants."""
    made = shelved(desk)
    busy: list[Fault | None] = [*[cancelled(CONFLICT)] * 3, None]
    with monkeypatch.context() as patch:
        patch.setattr(clock, "sleep", lambda _: None)
        attempts = inject(patch, itertools.chain(busy * (COUNTERS + 1)))
        assert desk.move(made, 1, "stop").status == 200
    assert len(attempts.tokens) == 4 * (COUNTERS + 1)
    assert (closed(made), head_of(made).stopped_to) == ([1] * COUNTERS, 1)


def test_a_stop_that_is_late_undoes_nothing_of_a_later_one(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    made = shelved(desk)
    desk.moved(made, 1, "end")
    next_version(desk, made, "schedule")

    def overtaken(_: Any, write: Callable[[], None]) -> None:
        desk.moved(made, 2, "stop")
        write()

    with monkeypatch.context() as patch:
        theirs, mine = [None] * (COUNTERS + 1), [None] * (COUNTERS - 1)
        inject(patch, iter([overtaken, *theirs, *mine, lost_before]))
        assert desk.move(made, 1, "stop").status == 503
    assert closed(made) == [2] * COUNTERS
    desk.moved(made, 1, "stop")
    head = head_of(made)
    assert (closed(made), head.stopped_to, head.stays_stopped) == ([2] * COUNTERS, 2, 1)


def impatient() -> Iterator[float]:
    """A stopwatch by which every patience is over at once."""
    return itertools.count(0.0, 100.0)


def test_one_counter_that_cannot_be_written_leaves_no_other_open(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    made = shelved(desk)
    with monkeypatch.context() as patch:
        times = impatient()
        patch.setattr(clock, "stopwatch", lambda: next(times))
        inject(patch, iter([cancelled(CONFLICT)]))
        assert desk.move(made, 1, "stop", key="one-by-one").code == "unavailable"
    assert sorted(closed(made)) == [0, 1]
    desk.moved(made, 1, "stop")
    assert closed(made) == [1, 1]


@pytest.mark.parametrize("fault", [lost_before, lost_after, cancelled(rest=CONFLICT), cancelled(FAILED)])
def test_ONCE_a_stop_that_was_cut_short_is_closed_already_and_completed_by_the_same_request(
    desk: Desk, market: Market, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    made = shelved(desk)
    kept, revision = reserved(market, made), head_of(made).revision
    with monkeypatch.context() as patch:
        times = impatient()
        patch.setattr(clock, "stopwatch", lambda: next(times))
        inject(patch, iter([*[None] * COUNTERS, *[fault] * 8]))
        first = desk.move(made, 1, "stop", key=f"stop-{made.offer_id}")
    assert closed(made) == [1] * COUNTERS, first.text
    check_stopped(market, kept)
    again = desk.move(made, 1, "stop", key=f"stop-{made.offer_id}")
    assert (again.status, again.body["state"], head_of(made).revision) == (200, "stopped", revision + 1)
    desk.moved(made, 1, "lift")
    assert market.act("redemption", kept).status == 200


def cut_short(desk: Desk, offer: Offer, version: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop that closes the counters there are, and gets no further."""
    with monkeypatch.context() as patch:
        inject(patch, iter([*[None] * COUNTERS, lost_before]))
        assert desk.move(offer, version, "stop").status == 503


def test_nothing_but_its_completion_and_a_lift_opens_what_a_stop_that_was_cut_short_has_closed(
    desk: Desk, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = shelved(desk)
    early = reserved(market, made)
    desk.moved(made, 1, "stop")
    more = tuple(Product(f"p-{n}", TEA.name, (replace(TEA, variant_id=f"more-{n}"),)) for n in range(2))
    larger = next_version(desk, replace(made, products=(*made.products, more[0])))
    cut_short(desk, made, 2, monkeypatch)
    assert (closed(made), head_of(made).stopped_to) == ([2] * COUNTERS, 1)
    desk.moved(larger, 2, "schedule", "pause", "resume")
    assert closed(made) == [2] * (COUNTERS + 1), "a new counter is no way around it"
    assert desk.moved(made, 1, "lift").status == 200
    assert closed(made) == [2] * (COUNTERS + 1)
    check_stopped(market, early)
    desk.moved(made, 2, "stop", "lift")
    assert market.act("redemption", early).status == 200


def test_ONCE_an_old_stop_that_comes_again_does_not_stop_what_was_lifted(desk: Desk, market: Market) -> None:
    made = shelved(desk)
    kept = reserved(market, made)
    first = desk.move(made, 1, "stop", key="stop-it-once")
    desk.moved(made, 1, "lift", "resume")
    again = desk.move(made, 1, "stop", key="stop-it-once")
    assert (again.replayed, again.text, closed(made)) == (True, first.text, [0] * COUNTERS)
    assert market.act("redemption", kept).status == 200


def test_a_dry_run_of_a_stop_writes_nothing(desk: Desk, market: Market) -> None:
    made = shelved(desk)
    with market.world.nothing_written():
        assert desk.move(made, 1, "stop", query="?dry_run=true").body["state"] == "stopped"
    assert closed(made) == [0] * COUNTERS
