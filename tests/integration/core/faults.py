"""Faults at the seam of the commit: what no emulator shows, because all of them run one transaction after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from pynamodb.connection import Connection
from pynamodb.exceptions import CancellationReason, TransactWriteError, VerboseClientError
from pynamodb.transactions import TransactWrite

from chalicelib.core import commit

CONFLICT = "TransactionConflict"
FAILED = "ConditionalCheckFailed"
Fault = Callable[[TransactWrite, Callable[[], None]], None]


def cancelled(*codes: str | None, rest: str | None = None) -> Fault:
    """The transaction is cancelled: a reason for each write in the order they are sent, ``rest`` for those left."""

    def fault(transaction: TransactWrite, _: Callable[[], None]) -> None:
        writes = _count(transaction)
        padded = [*codes, *[rest] * writes][:writes]
        raise TransactWriteError("cancelled", _error([code and CancellationReason(code) for code in padded]))

    return fault


def lost_before(_: TransactWrite, __: Callable[[], None]) -> None:
    """The request never arrives."""
    raise TransactWriteError("lost", ReadTimeoutError(endpoint_url="http://127.0.0.1"))


def lost_after(_: TransactWrite, write: Callable[[], None]) -> None:
    """The writes happen; their answer is lost."""
    write()
    raise TransactWriteError("lost", ReadTimeoutError(endpoint_url="http://127.0.0.1"))


def _count(transaction: TransactWrite) -> int:
    lists = (
        transaction._condition_check_items,
        transaction._delete_items,
        transaction._put_items,
        transaction._update_items,
    )
    return sum(map(len, lists))


def _error(reasons: Sequence[Any]) -> VerboseClientError:
    response = {"Error": {"Code": "TransactionCanceledException", "Message": ""}}
    return VerboseClientError(response, "TransactWriteItems", cancellation_reasons=reasons)


class Attempts:
    """The transactions a test has seen."""

    def __init__(self) -> None:
        self.tokens: list[str] = []


def inject(monkeypatch: pytest.MonkeyPatch, faults: Iterator[Fault | None]) -> Attempts:
    """Puts the next fault in the way of each transaction; None and the end let it pass."""
    attempts = Attempts()

    class Faulty(TransactWrite):
        def _commit(self) -> None:
            attempts.tokens.append(str(self._client_request_token))
            fault = next(faults, None)
            write: Callable[[], None] = super()._commit
            if fault is None:
                write()
            else:
                fault(self, write)

    original = commit.transaction

    def transaction(connection: Connection) -> TransactWrite:
        token = original(connection)._client_request_token
        return Faulty(connection=connection, client_request_token=token)

    monkeypatch.setattr(commit, "transaction", transaction)
    return attempts
