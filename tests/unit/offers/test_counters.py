"""The counter that many share: what each step does, and what it refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.offers.rules import CapBelowUse, Counter, Fold, ReservationClosed, counters
from tests.unit.offers.shop import NOON

AT = int(NOON.timestamp())


def test_taking_until_nothing_is_left() -> None:
    left = Counter.of(3)
    for redeemed in (1, 2, 3):
        after = counters.take(left, 1)
        assert after is not None
        left = after
        assert (left.avail, left.redeemed) == (3 - redeemed, redeemed)
    assert counters.take(left, 1) is None
    assert counters.take(Counter.of(3), 4) is None


def test_holding_and_what_becomes_of_it() -> None:
    held = counters.hold(Counter.of(5), 2, AT)
    assert held == Counter(5, 3, 0, {AT: 2})
    assert counters.hold(held, 3, AT + 60) == Counter(5, 0, 0, {AT: 2, AT + 60: 3})
    assert counters.hold(held, 4, AT) is None
    assert counters.confirm(held, 2, AT) == Counter(5, 3, 2, {AT: 0})
    assert counters.void(held, 1, AT) == Counter(5, 4, 0, {AT: 1})


@pytest.mark.parametrize("bucket", [AT, AT + 1])
def test_what_was_folded_or_never_held_can_be_neither_confirmed_nor_given_up(bucket: int) -> None:
    held = counters.hold(Counter.of(5), 2, AT)
    assert held is not None
    folded = counters.fold(held, Fold({AT: 2}))
    assert folded == Counter.of(5)
    for step in (counters.confirm, counters.void):
        with pytest.raises(ReservationClosed):
            step(folded, 1, bucket)
        with pytest.raises(ReservationClosed):
            step(held, 3, bucket)


def test_a_reservation_lapses_at_its_instant_and_not_before() -> None:
    held = counters.hold(Counter.of(5), 5, AT)
    assert held is not None
    just_before = NOON - timedelta(microseconds=1)
    assert counters.available(held, just_before) == 0
    assert counters.fold_at_once(held, 1, just_before) == Fold({})
    assert counters.available(held, NOON) == 5
    assert counters.fold_at_once(held, 5, NOON) == Fold({AT: 5})
    assert counters.fold_at_once(Counter.of(5), 5, NOON) == Fold({})


@pytest.mark.parametrize("broken", [Counter(5, 3, 1), Counter(5, 4, -1, {AT: 2}), Counter(5, 6, 0, {AT: -1})])
def test_a_counter_whose_parts_are_not_its_cap_is_a_broken_belief(broken: Counter) -> None:
    with pytest.raises(AssertionError):
        broken.check()


def test_only_what_has_lapsed_is_folded_and_as_it_was_seen() -> None:
    held = Counter(9, 2, 0, {AT - 5: 1, AT: 2, AT + 5: 4})
    lapsed = counters.lapsed(held, NOON)
    assert (lapsed, lapsed.total) == (Fold({AT - 5: 1, AT: 2}), 3)
    assert counters.fold(held, lapsed) == Counter(9, 5, 0, {AT + 5: 4})
    with pytest.raises(AssertionError):
        counters.fold(held, Fold({AT: 1}))


def test_lapsed_buckets_are_folded_along_before_they_pile_up() -> None:
    many = Counter(1, 1, 0, {AT - n: 0 for n in range(counters.MAX_BUCKETS)})
    assert counters.fold_at_once(many, 1, NOON) == Fold({})
    more = Counter(1, 1, 0, {**many.held, AT + 60: 0})
    along = counters.fold_at_once(more, 1, NOON)
    assert len(along.buckets) == counters.MAX_BUCKETS
    assert counters.fold(more, along).held == {AT + 60: 0}


def test_of_more_buckets_than_a_write_takes_the_fullest_are_folded() -> None:
    crowded = Counter(500, 0, 1, {AT - n: 1 + n % 2 for n in range(counters.MAX_BUCKETS + 200)} | {AT + 1: 19})
    crowded = Counter(sum(crowded.held.values()) + 1, 0, 1, crowded.held).check()
    part = counters.fold_at_once(crowded, 300, NOON)
    assert (len(part.buckets), set(part.buckets.values())) == (counters.MAX_BUCKETS, {2})


def test_a_refund_brings_back_what_was_redeemed_and_no_more() -> None:
    assert counters.restore(Counter(5, 2, 3), 2) == Counter(5, 4, 1)
    with pytest.raises(AssertionError):
        counters.restore(Counter(5, 2, 3), 4)


def test_a_cap_may_fall_to_what_is_given_and_no_further() -> None:
    used = Counter(10, 5, 2, {AT: 3})
    assert counters.recap(used, 5) == Counter(5, 0, 2, {AT: 3})
    assert counters.recap(used, 20) == Counter(20, 15, 2, {AT: 3})
    with pytest.raises(CapBelowUse):
        counters.recap(used, 4)


@pytest.mark.parametrize("amount", [0, -1, True, 1.0])
def test_an_amount_is_a_positive_whole_number(amount: int) -> None:
    for step in (counters.take, counters.restore):
        with pytest.raises(AssertionError):
            step(Counter(5, 3, 2), amount)


@pytest.mark.parametrize("seconds", [1, 59, 60, 61, 900, 3_600, 86_400, 30 * 86_400])
def test_a_reservation_lasts_as_long_as_it_says_and_shares_its_instant(seconds: int) -> None:
    step = max(1, seconds // 60)
    expiries = set()
    for offset in range(0, seconds * 1_000, max(1, seconds * 7)):
        now = NOON + timedelta(milliseconds=offset)
        until = counters.expiry_of(now, seconds)
        assert seconds <= (until - now).total_seconds() < seconds + step
        assert until.microsecond == 0
        assert datetime.fromtimestamp(counters.bucket_of(until), UTC) == until
        expiries.add(until)
    assert len(expiries) <= 62
