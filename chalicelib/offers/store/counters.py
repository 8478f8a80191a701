"""Counters that many share: the stock of a variant, the budget of an offer. Each change is one conditional update.

A change is tried blind; whoever fails reads the counter, works out with ``rules.counters`` what is left, and tries once
more with the lapsed buckets folded, each as it was seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pynamodb.attributes import MapAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action

from chalicelib.core import table
from chalicelib.core.commit import Unit
from chalicelib.core.errors import Conflict
from chalicelib.core.table import IntAttribute, Key, Row
from chalicelib.offers.rules.counters import MAX_COUNTERS, Counter, Fold

NOTHING = Fold({})


class _CounterRow(Row, discriminator="counter"):
    cap = IntAttribute()
    avail = IntAttribute()
    redeemed = IntAttribute()
    held: Any = MapAttribute()  # type: ignore[no-untyped-call]
    stopped_to = IntAttribute()


_AVAIL, _REDEEMED, _STOPPED_TO = Path(_CounterRow.avail), Path(_CounterRow.redeemed), Path(_CounterRow.stopped_to)


@dataclass(frozen=True, slots=True)
class SeenCounter:
    """A counter as it was read, and the last version that the city has stopped."""

    counter: Counter
    stopped_to: int


@dataclass(frozen=True, slots=True)
class Use:
    """A change of one counter: this much, of an offer's version that must not be stopped, these buckets folded."""

    key: Key
    amount: int
    version: int
    fold: Fold = NOTHING


def stock_key(city_id: str, merchant_id: str, offer_id: str, variant_id: str) -> Key:
    """Where the stock of a variant is counted."""
    return Key(f"{city_id}#offer#{merchant_id}/{offer_id}", f"stock#{variant_id}")


def budget_key(city_id: str, merchant_id: str, offer_id: str) -> Key:
    """Where the budget of an offer is counted, in fen."""
    return Key(f"{city_id}#offer#{merchant_id}/{offer_id}", "budget")


def counter_in(rows: Mapping[Key, Row], key: Key) -> SeenCounter | None:
    """The counter among fetched rows; None if it was not found."""
    row = rows.get(key)
    if row is None:
        return None
    assert isinstance(row, _CounterRow)
    held = {int(bucket): int(units) for bucket, units in row.held.attribute_values.items()}
    return SeenCounter(Counter(row.cap, row.avail, row.redeemed, held).check(), row.stopped_to)


def load_counters(city_id: str, merchant_id: str, offer_id: str) -> dict[Key, SeenCounter]:
    """Every counter of an offer, those of goods that a later version has no more among them."""
    pk, first = budget_key(city_id, merchant_id, offer_id)
    rows, after = table.query(_CounterRow, pk, _CounterRow.sk >= first, limit=MAX_COUNTERS)
    assert after is None or len(rows) == MAX_COUNTERS, "an offer has at most this many counters"
    found = ((row.key, counter_in({row.key: row}, row.key)) for row in rows)
    return {key: seen for key, seen in found if seen is not None}


def open_counter(unit: Unit, key: Key, cap: int, stopped_to: int = 0) -> None:
    """Adds a counter of which nothing is used."""
    row = _CounterRow(*key, cap=cap, avail=cap, redeemed=0, held={}, stopped_to=stopped_to)
    unit.create(row, Conflict)


def recap(unit: Unit, key: Key, seen: Counter, cap: int, fold: Fold) -> None:
    """Gives a counter another cap (``rules.counters.recap`` has said that it may)."""
    more = cap - seen.cap
    condition = (_CounterRow.cap == seen.cap) & (_CounterRow.avail >= -more - fold.total)
    _change(unit, key, [_CounterRow.cap.set(cap), *_avail(more, fold)], condition, fold)


def fold_only(unit: Unit, key: Key, fold: Fold) -> None:
    """Gives back what has lapsed, and nothing else."""
    _change(unit, key, _avail(0, fold), _CounterRow.pk.exists(), fold)


def stop(unit: Unit, key: Key, stopped_to: int) -> None:
    """Says up to which version the offer is stopped; never back, so that who is late undoes nothing."""
    actions = [_CounterRow.stopped_to.set(stopped_to)]
    unit.update(_CounterRow(*key), actions, _CounterRow.stopped_to < stopped_to, Conflict)


def lift(unit: Unit, key: Key, seen: int, stopped_to: int) -> None:
    """Sets back, as it was seen, up to which version the offer is stopped; 0: none is."""
    unit.update(_CounterRow(*key), [_CounterRow.stopped_to.set(stopped_to)], _CounterRow.stopped_to == seen, Conflict)


def take(unit: Unit, use: Use) -> None:
    """Redeems at once: from what is free."""
    actions = [_REDEEMED.set(_REDEEMED + use.amount), *_avail(-use.amount, use.fold)]
    _change(unit, use.key, actions, _free(use), use.fold)


def hold(unit: Unit, use: Use, bucket: int) -> None:
    """Reserves until ``bucket``: from what is free."""
    path = _bucket(bucket)
    actions = [path.set((path | 0) + use.amount), *_avail(-use.amount, use.fold)]
    _change(unit, use.key, actions, _free(use), use.fold)


def confirm(unit: Unit, use: Use, bucket: int) -> None:
    """Redeems what was reserved until ``bucket``."""
    path = _bucket(bucket)
    actions = [path.set(path - use.amount), _REDEEMED.set(_REDEEMED + use.amount)]
    unit.update(_CounterRow(*use.key), actions, (path >= use.amount) & _not_stopped(use), Conflict)


def void(unit: Unit, use: Use, bucket: int) -> None:
    """Gives back what was reserved until ``bucket``."""
    path = _bucket(bucket)
    actions = [path.set(path - use.amount), _AVAIL.set(_AVAIL + use.amount)]
    unit.update(_CounterRow(*use.key), actions, path >= use.amount, Conflict)


def restore(unit: Unit, use: Use) -> None:
    """Gives back what was redeemed, after a refund; never more than was."""
    actions = [
        _AVAIL.set(_AVAIL + use.amount),
        _REDEEMED.set(_REDEEMED - use.amount),
    ]
    unit.update(_CounterRow(*use.key), actions, use.amount <= _REDEEMED, Conflict)


def _free(use: Use) -> Condition:
    """Enough is free, counting what is folded, and the version is not stopped."""
    return _both(use.amount - use.fold.total <= _AVAIL, _not_stopped(use))


def _both(one: Condition, other: Condition) -> Condition:
    return one & other  # type: ignore[no-any-return]


def _not_stopped(use: Use) -> Condition:
    condition: Condition = use.version > _STOPPED_TO
    return condition


def _bucket(bucket: int) -> Any:
    """The path of a bucket in its map."""
    return _CounterRow.held[str(bucket)]


def _avail(more: int, fold: Fold) -> list[Action]:
    change = more + fold.total
    if change == 0:
        return []
    moved: Any = _AVAIL + change if change > 0 else _AVAIL - -change
    return [_AVAIL.set(moved)]


def _change(unit: Unit, key: Key, actions: Sequence[Action], condition: Condition, fold: Fold) -> None:
    """One update with these buckets folded, each on the condition that it is still as it was seen."""
    folds = [_bucket(bucket).remove() for bucket in fold.buckets]
    for bucket, held in fold.buckets.items():
        condition &= _bucket(bucket) == held
    unit.update(_CounterRow(*key), [*actions, *folds], condition, Conflict)
