"""LIMIT for offers: the algebra of shared counters and of quotas as state machines against a model that keeps a list.

Several servers work on one counter, each by its own clock, which may be wrong by half a minute; every step is one
conditional write, tried blind first, folded and tried once more as the store does it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chalicelib.offers.rules import (
    CapBelowUse,
    Counter,
    Quota,
    QuotaExceeded,
    QuotaHold,
    QuotaState,
    ReservationClosed,
    Windows,
    counters,
    quotas,
    windows_of,
)
from tests.property.offers.wares import NOON

SKEWS = st.sampled_from([timedelta(seconds=s) for s in (-30, -1, 0, 1, 30)])
LIVES = st.sampled_from([60, 61, 600, 3600])
State = Literal["open", "redeemed", "given_up", "lapsed"]
SLOWEST, FASTEST = timedelta(seconds=-30), timedelta(seconds=30)


@dataclass
class Held:
    """A reservation as the model keeps it."""

    units: int
    until: datetime
    state: State = "open"


class SharedCounter(RuleBasedStateMachine):
    """One counter, the reservations on it, and what was redeemed, by servers whose clocks disagree."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.counter = Counter.of(20)
        self.held: list[Held] = []
        self.redeemed = 0

    def folded(self, amount: int, now: datetime) -> bool:
        """The one retry: folds what has lapsed by this server's clock; whether it is worth trying again."""
        if counters.available(self.counter, now) < amount:
            return False
        found = counters.fold_at_once(self.counter, amount, now)
        self.counter = counters.fold(self.counter, found)
        for held in self.held:
            if held.state == "open" and counters.bucket_of(held.until) in found.buckets:
                held.state = "lapsed"
        return True

    @rule(amount=st.integers(1, 8), skew=SKEWS)
    def redeem(self, amount: int, skew: timedelta) -> None:
        free = counters.available(self.counter, self.now + skew)
        after = counters.take(self.counter, amount)
        if after is None and self.folded(amount, self.now + skew):
            after = counters.take(self.counter, amount)
        assert (after is not None) == (free >= amount), "whatever is free can be had, and nothing else"
        if after is not None:
            self.counter, self.redeemed = after, self.redeemed + amount

    @rule(amount=st.integers(1, 8), skew=SKEWS, seconds=LIVES)
    def reserve(self, amount: int, skew: timedelta, seconds: int) -> None:
        until = counters.expiry_of(self.now + skew, seconds)
        bucket = counters.bucket_of(until)
        after = counters.hold(self.counter, amount, bucket)
        if after is None and self.folded(amount, self.now + skew):
            after = counters.hold(self.counter, amount, bucket)
        if after is not None:
            self.counter = after
            self.held.append(Held(amount, until))

    @precondition(lambda self: self.held)
    @rule(data=st.data(), skew=SKEWS, redeems=st.booleans())
    def end(self, data: st.DataObject, skew: timedelta, redeems: bool) -> None:
        """Redeems a reservation, or gives it up; the reservation's own item says whether it is open."""
        held = data.draw(st.sampled_from(self.held))
        if held.state in {"redeemed", "given_up"} or held.until <= self.now + skew:
            return
        step = counters.confirm if redeems else counters.void
        try:
            self.counter = step(self.counter, held.units, counters.bucket_of(held.until))
        except ReservationClosed:
            assert held.state == "lapsed", "an open reservation can always be redeemed or given up"
            assert held.until <= self.now + FASTEST, "none is folded before the fastest clock says so"
            return
        assert held.state == "open", "what has lapsed is gone"
        held.state = "redeemed" if redeems else "given_up"
        self.redeemed += held.units if redeems else 0

    @precondition(lambda self: self.redeemed)
    @rule(data=st.data())
    def refund(self, data: st.DataObject) -> None:
        amount = data.draw(st.integers(1, self.redeemed))
        self.counter, self.redeemed = counters.restore(self.counter, amount), self.redeemed - amount

    @rule(cap=st.integers(0, 40))
    def change_the_cap(self, cap: int) -> None:
        used = self.counter.cap - self.counter.avail
        try:
            self.counter = counters.recap(self.counter, cap)
        except CapBelowUse:
            assert cap < used
        else:
            assert cap >= used

    @rule(seconds=st.sampled_from([1, 15, 60, 700, 4000]))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @invariant()
    def nothing_is_sold_twice_and_nothing_is_lost(self) -> None:
        counter = self.counter.check()
        live = [held for held in self.held if held.state == "open"]
        assert counter.redeemed == self.redeemed
        assert sum(counter.held.values()) == sum(held.units for held in live)
        still = sum(held.units for held in live if held.until > self.now + SLOWEST)
        assert self.redeemed + still <= counter.cap
        late = self.now + timedelta(days=2)
        assert counters.available(counter, late) + counter.redeemed == counter.cap, (
            "every reservation lapses in the end"
        )


class OnePersonsQuota(RuleBasedStateMachine):
    """What one person has of one offer, against the list of all he ever had."""

    zone = "Asia/Shanghai"

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.state = QuotaState()
        self.quota = Quota(day=3, week=5, month=8, lifetime=20)
        self.had: list[Had] = []
        self.number = 0

    def counted(self, key: str) -> int:
        """What counts in a window now, by the list."""
        return sum(had.units for had in self.had if key in had.windows and had.counts(self.now))

    def room(self, units: int) -> bool:
        limits = (self.quota.day, self.quota.week, self.quota.month, self.quota.lifetime)
        keys = windows_of(self.now, self.zone)
        return all(limit is None or self.counted(key) + units <= limit for key, limit in zip(keys, limits, strict=True))

    @rule(units=st.integers(1, 4), reserves=st.booleans())
    def have(self, units: int, reserves: bool) -> None:
        try:
            windows = quotas.check_quota(self.state, self.quota, self.now, self.zone, units)
        except QuotaExceeded:
            assert not self.room(units), "whatever the list has room for may be had"
            return
        assert self.room(units), "nothing else may be had"
        until = self.now + timedelta(minutes=10)
        self.number += 1
        name = f"r{self.number}"
        for state in (self.state, quotas.folded(self.state, self.now)):
            if reserves:
                after = quotas.reserve(state, self.quota, name, QuotaHold(units, until, windows))
            else:
                after = quotas.use(state, self.quota, windows, units)
            if after is not None:
                break
        assert after is not None, "a blind try, or one more after folding, takes what was found free"
        self.state = after
        self.had.append(Had(name, units, windows, until if reserves else None))

    @precondition(lambda self: any(had.until is not None for had in self.had))
    @rule(data=st.data(), redeems=st.booleans())
    def end(self, data: st.DataObject, redeems: bool) -> None:
        had = data.draw(st.sampled_from([had for had in self.had if had.until is not None]))
        step = quotas.confirmed if redeems else quotas.voided
        try:
            self.state = step(self.state, had.name, self.now)
        except ReservationClosed:
            assert not had.counts(self.now)
            return
        assert had.counts(self.now)
        had.until, had.gone = None, not redeems

    @precondition(lambda self: any(had.refundable for had in self.had))
    @rule(data=st.data())
    def refund(self, data: st.DataObject) -> None:
        had = data.draw(st.sampled_from([had for had in self.had if had.refundable]))
        units = data.draw(st.integers(1, had.units))
        self.state = quotas.given_back(self.state, had.windows, units)
        had.units -= units

    @rule()
    def tidy(self) -> None:
        self.state = quotas.pruned(quotas.folded(self.state, self.now), self.now, self.zone)

    @rule(more=st.integers(-2, 3))
    def change_the_quota(self, more: int) -> None:
        self.quota = replace(self.quota, day=max(1, (self.quota.day or 1) + more))

    @rule(hours=st.sampled_from([0, 1, 5, 24, 24 * 6, 24 * 31]))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours, minutes=4)

    @invariant()
    def what_counts_is_what_was_had(self) -> None:
        kept = quotas.folded(self.state, self.now)
        for key in windows_of(self.now, self.zone):
            assert kept.used.get(key, 0) == self.counted(key)


@dataclass
class Had:
    """Some units that were had, or are reserved until an instant."""

    name: str
    units: int
    windows: Windows
    until: datetime | None
    gone: bool = field(default=False)

    def counts(self, now: datetime) -> bool:
        return not self.gone and (self.until is None or now < self.until)

    @property
    def refundable(self) -> bool:
        return self.until is None and not self.gone and self.units > 0


BOUNDS = settings(max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_LIMIT_a_shared_counter_never_gives_more_than_there_is_whatever_the_clocks_say() -> None:
    run(SharedCounter)


def test_LIMIT_nobody_has_more_than_his_quota_and_what_comes_back_may_be_had_again() -> None:
    run(OnePersonsQuota)


def run(machine: type[RuleBasedStateMachine]) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(machine, settings=BOUNDS)
