"""Giving back what has lapsed, also where one write cannot give back enough: an expression takes only so much."""

from __future__ import annotations

from datetime import datetime

from chalicelib.core.commit import Unit
from chalicelib.core.table import Key
from chalicelib.offers import store
from chalicelib.offers.rules import Counter, Fold, counters


def room_for(unit: Unit, key: Key, counter: Counter, amount: int, now: datetime) -> tuple[Counter, Fold]:
    """The counter, and the buckets that the next write folds so that ``amount`` is free: no more than a write takes.

    Where these are not enough, others are folded first, in writes of their own: each is true by itself, whatever
    becomes of the next.

    Args:
        amount: Not more than ``counters.available``; below 1: nothing has to become free.

    Raises: Conflict: somebody else has changed a bucket since.
    """
    while True:
        part = counters.fold_at_once(counter, amount, now)
        if counter.avail + part.total >= amount:
            return counter, part
        assert part.buckets, "what is available becomes free"
        alone = unit.again()
        store.counters.fold_only(alone, key, part)
        alone.commit()
        counter = counters.fold(counter, part)
