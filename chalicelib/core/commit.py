"""The only door to writes: what one request changes is collected here and committed in one transaction.

When the transaction fails, one answer is given, in this order: the effect is there already (its stored reply), another
transaction was in the way (tried again with growing random waits), the labelled refusal of the failed condition.

PynamoDB sends condition checks, deletes, puts and updates in that order, whatever the order of the calls; the reasons
DynamoDB gives back follow the same order, and so do the lists below.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pynamodb.connection import Connection
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from chalicelib.core import clock, ids, log, table
from chalicelib.core.errors import Conflict, Problem, Unavailable
from chalicelib.core.table import Key, Row

MAX_WRITES = 100
FIRST_WAIT_SECONDS = 0.02
LONGEST_WAIT_SECONDS = 0.64
PATIENCE_SECONDS = 5.0
LOOKED_AGAIN = 3
ALL_OLD = "ALL_OLD"

_ABSENT = Row.pk.does_not_exist()
_PASSING = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})

Otherwise = Callable[[], Problem]
T = TypeVar("T")


class EffectExists(Exception):
    """The transaction's effect was there already; ``row`` is the effect as stored."""

    def __init__(self, row: Row) -> None:
        super().__init__(row.pk)
        self.row = row


@dataclass(slots=True)
class _Write:
    apply: Callable[[TransactWrite], None]
    otherwise: Otherwise | None
    is_effect: Row | None = None


@dataclass(slots=True)
class Unit:
    """The writes of one request.

    Each write has a condition and the refusal to raise when the condition fails; without a refusal, the condition is
    a belief. ``patience_seconds`` bounds the time spent on conflicts. A dry run collects everything and writes nothing:
    what was read and what the rules say of it is the same, conditions on items written meanwhile are not tried.
    """

    patience_seconds: float = PATIENCE_SECONDS
    dry_run: bool = False
    _checks: list[_Write] = field(default_factory=list)
    _deletes: list[_Write] = field(default_factory=list)
    _puts: list[_Write] = field(default_factory=list)
    _updates: list[_Write] = field(default_factory=list)

    def again(self) -> Unit:
        """An empty unit with the same settings, to try anew with."""
        return Unit(self.patience_seconds, self.dry_run)

    def check(self, row_class: type[Row], key: Key, condition: Condition, otherwise: Otherwise) -> None:
        """Commit only if the item at ``key`` fulfils ``condition``."""
        self._checks.append(
            _Write(lambda tx: tx.condition_check(row_class, key.pk, key.sk, condition=condition), otherwise)
        )

    def delete(self, row: Row) -> None:
        """Take the item away that ``row`` names by its key, if it is there."""
        self._deletes.append(_Write(lambda tx: tx.delete(row), None))

    def put(self, row: Row, condition: Condition | None = None, otherwise: Otherwise | None = None) -> None:
        """Write the whole item."""
        self._puts.append(_Write(lambda tx: tx.save(row, condition), otherwise))

    def create(self, row: Row, otherwise: Otherwise) -> None:
        """Write the item unless there is one already."""
        self.put(row, _ABSENT, otherwise)

    def update(self, row: Row, actions: Sequence[Action], condition: Condition, otherwise: Otherwise) -> None:
        """Change attributes of the item that ``row`` names by its key."""
        self._updates.append(_Write(lambda tx: tx.update(row, list(actions), condition), otherwise))

    def effect(self, row: Row) -> None:
        """Write the item that records this request's effect, once."""
        self._puts.append(_Write(lambda tx: tx.save(row, _ABSENT, ALL_OLD), None, is_effect=row))

    def commit(self) -> None:
        """Writes everything or nothing, in one TransactWriteItems. An empty unit and a dry run write nothing.

        Raises:
            EffectExists: the effect is stored already.
            Problem: the refusal of the first write (in the order they were sent) whose condition failed.
            Unavailable: conflicts did not end within the patience.
        """
        writes = [*self._checks, *self._deletes, *self._puts, *self._updates]
        if not writes:
            return
        assert len(writes) <= MAX_WRITES, "DynamoDB takes at most 100 items in a transaction"
        if self.dry_run:
            return
        deadline = clock.stopwatch() + self.patience_seconds
        wait = FIRST_WAIT_SECONDS
        while not _attempt(writes):
            if clock.stopwatch() + wait > deadline:
                raise Unavailable(retry_after_seconds=1)
            clock.sleep(ids.jitter(wait))
            wait = min(2 * wait, LONGEST_WAIT_SECONDS)


def looking_again(unit: Unit, once: Callable[[Unit], T], times: int = LOOKED_AGAIN) -> T:
    """What ``once`` gives, which reads, decides and commits; done anew where something changed between read and write.

    Raises: Conflict: it has changed every time.
    """
    for _ in range(times - 1):
        try:
            return once(unit.again())
        except Conflict:
            continue
    return once(unit.again())


def _attempt(writes: Sequence[_Write]) -> bool:
    """True if committed, False if it may be tried again. A fresh request token per attempt."""
    connection = table.connection()
    try:
        with transaction(connection) as tx:
            for write in writes:
                write.apply(tx)
    except TransactWriteError as error:
        reasons = error.cancellation_reasons
        if not reasons:
            raise
        _explain(writes, reasons)
        log.event("transaction-conflict", conflicts=sum(r is not None for r in reasons))
        return False
    return True


def transaction(connection: Connection) -> TransactWrite:
    """One transaction under way; the seam at which tests inject faults and conflicts."""
    return TransactWrite(connection=connection, client_request_token=ids.new("t"))


def _explain(writes: Sequence[_Write], reasons: Sequence[Any]) -> None:
    """Raises the answer that the failed conditions call for; returns if only conflicts stood in the way."""
    failed = [
        (write, reason)
        for write, reason in zip(writes, reasons, strict=True)
        if reason is not None and reason.code == "ConditionalCheckFailed"
    ]
    for write, reason in failed:
        if write.is_effect is not None:
            raise EffectExists(type(write.is_effect).from_raw_data(reason.raw_item))
    others = {r.code for r in reasons if r is not None} - _PASSING - {"ConditionalCheckFailed", "None"}
    assert not others, f"a transaction failed for {sorted(others)}"
    if any(r is not None and r.code in _PASSING for r in reasons):
        return
    assert failed, "a cancelled transaction names a reason"
    otherwise = failed[0][0].otherwise
    assert otherwise is not None, "a write failed whose condition could not fail"
    raise otherwise()
