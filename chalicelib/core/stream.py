"""What follows from a write: the table's one stream, its one reader, and what each kind of item sets going.

Lambda hands over changes in batches: each at least once, those of one item in order, those of different items in any
order. So a consumer may meet a change twice, or late, and must end the same; it learns nothing of the batch.

A record that fails for a passing reason ends its batch: what came before it is done, it and all behind it come again.
A record that breaks a belief is poisoned, and comes again, too, until the mapping gives it up and leaves word in the
queue of the lost. So that nothing else is given up with it, it is made to be alone first: Lambda halves a batch that
failed as a whole, and cuts one that failed in part at its first failure.

Source: AWS Lambda Developer Guide, "Configuring partial batch response with DynamoDB and Lambda".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from chalicelib.core import clock, log, table
from chalicelib.core.errors import Unavailable
from chalicelib.core.table import Row

Outcome = Literal["done", "again", "poisoned"]


@dataclass(frozen=True, slots=True)
class Change:
    """One change of an item: what was there before and what is there after it. None: nothing."""

    old: Row | None
    new: Row | None


Consumer = Callable[[datetime, Change], None]
Happening = Literal["INSERT", "MODIFY"]

_CONSUMERS: dict[str, list[Consumer]] = {}
_HAPPENING: dict[str, Happening] = {}


class Poisoned(Exception):
    """The first record of a batch cannot be handled: the batch has to be halved until that record is alone."""


def consumer(kind: str, on: Happening = "INSERT") -> Callable[[Consumer], Consumer]:
    """Declares what follows when an item of this kind comes to be, or else when it is changed: one of both per kind."""

    def declare(consume: Consumer) -> Consumer:
        assert _HAPPENING.setdefault(kind, on) == on, "the mapping lets one of both through"
        _CONSUMERS.setdefault(kind, []).append(consume)
        return consume

    return declare


def kinds(on: Happening = "INSERT") -> frozenset[str]:
    """The kinds of item from which something follows then: those that the mapping's filter has to let through."""
    return frozenset(kind for kind in _CONSUMERS if _HAPPENING[kind] == on)


def answer(event: Mapping[str, Any]) -> dict[str, Any]:
    """What the stream's function says of a batch: where to go on from, if not behind its end.

    Raises: Poisoned: the batch is to come again in halves. It says nothing else: Lambda logs the message of an error.
    """
    started = clock.stopwatch()
    records: Sequence[Mapping[str, Any]] = event["Records"]
    outcome: Outcome = "done"
    done = 0
    while done < len(records) and (outcome := _handled(records[done])) == "done":
        done += 1
    duration_ms = round((clock.stopwatch() - started) * 1000, 1)
    log.event("stream", function="stream", code=None if outcome == "done" else outcome, duration_ms=duration_ms)
    if outcome == "poisoned" and done == 0 and len(records) > 1:
        raise Poisoned
    return {"batchItemFailures": [{"itemIdentifier": _sequence(record)} for record in records[done : done + 1]]}


def _handled(record: Mapping[str, Any]) -> Outcome:
    """Hands a record to its consumers. Its log lines carry its sequence number, as the word about a lost one does."""
    log.request_id.set(_sequence(record))
    try:
        _consume(record["dynamodb"])
    except Exception as error:
        if isinstance(error, Unavailable) or table.is_passing(error):
            return "again"
        log.crash(error)
        return "poisoned"
    return "done"


def _consume(change: Mapping[str, Any]) -> None:
    old, new = change.get("OldImage"), change.get("NewImage")
    image = new or old
    assert image is not None, "the stream carries both images"
    consumers = _CONSUMERS.get(image["kind"]["S"], ())
    if consumers:
        decoded = Change(_row(old), _row(new))
        for consume in consumers:
            consume(clock.now(), decoded)


def _row(image: dict[str, Any] | None) -> Row | None:
    return Row.from_raw_data(image) if image else None


def _sequence(record: Mapping[str, Any]) -> str:
    return str(record["dynamodb"]["SequenceNumber"])
