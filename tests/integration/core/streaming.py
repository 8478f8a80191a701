"""The stream as Lambda would hand it over, for the tests of what follows from a write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from app import stream
from chalicelib.core import config
from chalicelib.core.stream import Poisoned
from infra.local.pump import Pump, Record

TRIES = 60


def pump_of(database: Any, streams: Any) -> Pump:
    """A pump of the tests' table, from the oldest record on, into the app's own function."""
    return Pump(database, streams, config.current().table, stream)


def pump_from_now_on(database: Any, streams: Any) -> Pump:
    """A pump that passes over what is there already: in a database that many tests share, others wrote that."""
    made = pump_of(database, streams)
    for shard in made._shards():
        where = {"StreamArn": made._arn, "ShardId": shard, "ShardIteratorType": "LATEST"}
        made._iterators[shard] = streams.get_shard_iterator(**where)["ShardIterator"]
    return made


def listening(database: Any, streams: Any) -> Callable[[], list[Record]]:
    """What the mapping would hand over of all that is written from now on, oldest first, whenever it is asked for."""
    found: list[Record] = []

    def note(event: dict[str, Any], _: Any) -> dict[str, Any]:
        found.extend(event["Records"])
        return {"batchItemFailures": []}

    made = pump_from_now_on(database, streams)
    made._handler = note

    def heard() -> list[Record]:
        made.drain()
        return found

    return heard


def records_of(database: Any, streams: Any) -> list[Record]:
    """Everything that the mapping would hand over, oldest first."""
    found: list[Record] = []

    def note(event: dict[str, Any], _: Any) -> dict[str, Any]:
        found.extend(event["Records"])
        return {"batchItemFailures": []}

    Pump(database, streams, config.current().table, note).drain()
    return found


def deliver(batch: Sequence[Record]) -> None:
    """A batch until it is done, as Lambda does it: from the first failure on, and in halves if it failed as a whole."""
    for _ in range(TRIES):
        try:
            failed = stream({"Records": list(batch)}, None)["batchItemFailures"]
        except Poisoned:
            half = len(batch) // 2
            deliver(batch[:half])
            deliver(batch[half:])
            return
        if not failed:
            return
        numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
        batch = batch[numbers.index(failed[0]["itemIdentifier"]) :]
    raise AssertionError("the batch was never done")
