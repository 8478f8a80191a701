"""A counter that many share: the stock of a variant, the budget of an offer. Exact without a job that clears up.

    avail + Σ held + redeemed = cap,  none of them negative

What is reserved lies in ``held``, in one bucket per instant at which it expires; a reservation lapses exactly when its
bucket does. Whoever finds too little folds the lapsed buckets back into ``avail`` and tries once more, so that expiry
restores once, whoever comes first and whatever his clock says.

    free ── take ──▶ redeemed          restore: redeemed ──▶ free
    free ── hold ──▶ held ── confirm ──▶ redeemed
                     held ── void, or fold after its instant ──▶ free
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from chalicelib.core.errors import Problem
from chalicelib.core.text import Text

STEPS = 60
MAX_BUCKETS = 2 * STEPS
# What a stop of an offer writes in one transaction, beside its head and the city's.
MAX_COUNTERS = 90


class ReservationClosed(Problem):
    code = "reservation-closed"
    status = 409
    title = Text("该预留已过期、已取消或已核销", "This reservation has expired, was given up or is redeemed")


class CapBelowUse(Problem):
    code = "cap-below-use"
    status = 409
    title = Text("不得低于已核销和已预留的数量", "This cannot be less than what is redeemed and reserved already")


class CountersFull(Problem):
    code = "offer-counters-full"
    status = 409
    title = Text(
        "该优惠历次版本的规格过多，请另立新优惠",
        "This offer has had too many variants over its versions; make a new offer",
    )


@dataclass(frozen=True, slots=True)
class Counter:
    """One counter, in units or in fen. ``held`` is by instant of expiry, in seconds since the epoch."""

    cap: int
    avail: int
    redeemed: int = 0
    held: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, cap: int) -> Counter:
        """A counter of which nothing is used."""
        return cls(cap, cap)

    def check(self) -> Counter:
        """The counter itself; its equation is what everything here keeps true."""
        assert min(self.avail, self.redeemed, *self.held.values(), 0) == 0, "no part of a counter is negative"
        assert self.avail + sum(self.held.values()) + self.redeemed == self.cap, "the parts of a counter are its cap"
        return self


@dataclass(frozen=True, slots=True)
class Fold:
    """The lapsed buckets as they were seen: each is a condition of the write that folds them."""

    buckets: Mapping[int, int]

    @property
    def total(self) -> int:
        """How much they give back."""
        return sum(self.buckets.values())


def expiry_of(now: datetime, seconds: int) -> datetime:
    """When a reservation made now lapses: after ``seconds`` at least, and at an instant it shares with others.

    Args:
        seconds: > 0; rounded up to a whole step of 1/60 of it, so that few buckets are open at a time.
    """
    assert seconds > 0, "a reservation lasts"
    step = max(1, seconds // STEPS)
    earliest = now.timestamp() + seconds
    return datetime.fromtimestamp(-int(-earliest // step) * step, UTC)


def bucket_of(expires_at: datetime) -> int:
    """The bucket of a reservation that lapses at this instant, which ``expiry_of`` gave."""
    return int(expires_at.timestamp())


def lapsed(counter: Counter, now: datetime) -> Fold:
    """The buckets that have lapsed, with what lies in them; an empty one is folded away too."""
    seconds = now.timestamp()
    return Fold({bucket: held for bucket, held in sorted(counter.held.items()) if bucket <= seconds})


def available(counter: Counter, now: datetime) -> int:
    """How much is free at this instant: exact for every reader, folded or not."""
    return counter.avail + lapsed(counter, now).total


def fold(counter: Counter, lapsed_buckets: Fold) -> Counter:
    """The counter with these buckets given back, each as it was seen."""
    seen = lapsed_buckets.buckets
    assert all(counter.held.get(bucket) == held for bucket, held in seen.items()), "a bucket is folded as it was seen"
    kept = {bucket: held for bucket, held in counter.held.items() if bucket not in seen}
    return replace(counter, avail=counter.avail + lapsed_buckets.total, held=kept).check()


def fold_at_once(counter: Counter, amount: int, now: datetime) -> Fold:
    """What a write that has seen the counter, and wants ``amount``, folds along: nothing if that much is free already.

    Where lapsed buckets pile up they are folded all the same. An expression has an end, and each bucket is named in
    it: of more than it takes, those that give back most.
    """
    if counter.avail >= amount and len(counter.held) <= MAX_BUCKETS:
        return Fold({})
    found = lapsed(counter, now).buckets
    return Fold(dict(sorted(found.items(), key=lambda bucket: -bucket[1])[:MAX_BUCKETS]))


def take(counter: Counter, amount: int) -> Counter | None:
    """The counter after ``amount`` was redeemed at once; None if that much is not in ``avail``."""
    _check_amount(amount)
    if counter.avail < amount:
        return None
    return replace(counter, avail=counter.avail - amount, redeemed=counter.redeemed + amount).check()


def hold(counter: Counter, amount: int, bucket: int) -> Counter | None:
    """The counter after ``amount`` was reserved until ``bucket``; None if that much is not in ``avail``."""
    _check_amount(amount)
    if counter.avail < amount:
        return None
    held = {**counter.held, bucket: counter.held.get(bucket, 0) + amount}
    return replace(counter, avail=counter.avail - amount, held=held).check()


def confirm(counter: Counter, amount: int, bucket: int) -> Counter:
    """The counter after a reservation was redeemed. Raises: ReservationClosed: its bucket has been folded."""
    return replace(_released(counter, amount, bucket), redeemed=counter.redeemed + amount).check()


def void(counter: Counter, amount: int, bucket: int) -> Counter:
    """The counter after a reservation was given up. Raises: ReservationClosed: its bucket has been folded."""
    return replace(_released(counter, amount, bucket), avail=counter.avail + amount).check()


def _released(counter: Counter, amount: int, bucket: int) -> Counter:
    _check_amount(amount)
    left = counter.held.get(bucket, 0) - amount
    if left < 0:
        raise ReservationClosed
    return replace(counter, held={**counter.held, bucket: left})


def restore(counter: Counter, amount: int) -> Counter:
    """The counter after ``amount`` that was redeemed came back by a refund. It cannot be more than was redeemed."""
    _check_amount(amount)
    return replace(counter, avail=counter.avail + amount, redeemed=counter.redeemed - amount).check()


def recap(counter: Counter, cap: int) -> Counter:
    """The counter with another cap; nothing that was given is taken back. Raises: CapBelowUse."""
    assert type(cap) is int, "a cap is a whole number"
    left = cap - counter.redeemed - sum(counter.held.values())
    if left < 0:
        raise CapBelowUse
    return replace(counter, cap=cap, avail=left).check()


def _check_amount(amount: int) -> None:
    assert type(amount) is int, "an amount is a whole number"
    assert amount > 0, "an amount is positive"
