"""The local database's stream, pumped into the app's own stream function, as Lambda's event source mapping does.

What is handed over, how it is tried again and when it is given up follows the mapping of ``infra/stream.yaml``; only
its waiting is shorter, and word of what was given up goes to the log. The place up to which everything is handled is
kept in a file: a restart goes on behind it, and what comes twice all the same changes nothing.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.core import log
from chalicelib.core.stream import Poisoned

TEMPLATE = Path(__file__).resolve().parents[1] / "stream.yaml"
POLL_SECONDS = 0.5
READ_AT_ONCE = 200
FIRST_WAIT_SECONDS = 0.05
LONGEST_WAIT_SECONDS = 1.0

Record = dict[str, Any]
Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


@lru_cache(maxsize=1)
def mapping() -> dict[str, Any]:
    """The properties of the event source mapping."""
    properties: dict[str, Any] = yaml.safe_load(TEMPLATE.read_text("utf-8"))["Resources"]["StreamMapping"]["Properties"]
    return properties


def wanted(record: Mapping[str, Any]) -> bool:
    """Whether the mapping's filter lets a record through. Its patterns name the values that a field may have."""
    return any(_matches(pattern, record) for pattern in _patterns())


@lru_cache(maxsize=1)
def _patterns() -> list[Any]:
    return [json.loads(each["Pattern"]) for each in mapping()["FilterCriteria"]["Filters"]]


def _matches(pattern: Any, value: Any) -> bool:
    if isinstance(pattern, list):
        return value in pattern
    return isinstance(value, Mapping) and all(_matches(part, value.get(name)) for name, part in pattern.items())


class Pump:
    """One table's stream and the function that it goes to. ``drain`` may be called beside the running thread.

    Args:
        database: A client of the local endpoint.
        streams: A client of the same endpoint, for DynamoDB Streams.
        table: The table's name.
        handler: The app's stream function.
        kept: The file that remembers the place; without one, the pump begins with the oldest record there is.
    """

    def __init__(self, database: Any, streams: Any, table: str, handler: Handler, kept: Path | None = None) -> None:
        self._streams = streams
        self._arn: str = database.describe_table(TableName=table)["Table"]["LatestStreamArn"]
        self._handler = handler
        self._kept = kept
        self._places: dict[str, str] = self._remembered()
        self._iterators: dict[str, str] = {}
        self._one_at_a_time = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pump", daemon=True)

    def start(self) -> None:
        """Goes on by itself from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Ends after the batch under way; what is not handled by then is next time's."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def drain(self) -> int:
        """Returns once everything written so far is handled; how many records were handed over."""
        with self._one_at_a_time:
            return sum(self._drain(shard) for shard in self._shards())

    def _run(self) -> None:
        failing = False
        while not self._over.is_set():
            try:
                self.drain()
                failing = False
            except (BotoCoreError, ClientError) as error:
                if not failing:
                    log.crash(error)
                failing = True
                self._iterators.clear()
            self._over.wait(POLL_SECONDS)

    def _shards(self) -> Sequence[str]:
        """The shards under way, or all of them where none is: describing a long stream takes longer than reading it."""
        if not self._iterators:
            shards = self._streams.describe_stream(StreamArn=self._arn)["StreamDescription"]["Shards"]
            self._iterators = {shard["ShardId"]: self._iterator(shard["ShardId"]) for shard in shards}
        return list(self._iterators)

    def _iterator(self, shard: str) -> str:
        where: dict[str, str] = {"ShardIteratorType": "TRIM_HORIZON"}
        if shard in self._places:
            where = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": self._places[shard]}
        found: str = self._streams.get_shard_iterator(StreamArn=self._arn, ShardId=shard, **where)["ShardIterator"]
        return found

    def _drain(self, shard: str) -> int:
        handed = 0
        while not self._over.is_set():
            page = self._streams.get_records(ShardIterator=self._iterators[shard], Limit=READ_AT_ONCE)
            records = page["Records"]
            if not records:
                break
            batch = [_as_lambda_has_it(record, self._arn) for record in records if wanted(record)]
            size = mapping()["BatchSize"]
            for start in range(0, len(batch), size):
                self._deliver(batch[start : start + size])
            if self._over.is_set():
                break
            handed += len(batch)
            self._places[shard] = records[-1]["dynamodb"]["SequenceNumber"]
            self._remember()
            self._iterators[shard] = page["NextShardIterator"]
        return handed

    def _deliver(self, batch: Sequence[Record]) -> None:
        """Hands a batch over until it is handled, given up, or the pump is stopped."""
        tries = 0
        while batch and not self._over.is_set():
            try:
                failed = self._handler({"Records": list(batch)}, None)["batchItemFailures"]
            except Poisoned:
                half = len(batch) // 2
                self._deliver(batch[:half])
                self._deliver(batch[half:])
                return
            rest = _from(batch, failed[0]["itemIdentifier"]) if failed else []
            tries = tries + 1 if len(rest) == len(batch) else 0
            if tries > mapping()["MaximumRetryAttempts"]:
                log.request_id.set(rest[0]["dynamodb"]["SequenceNumber"])
                log.event("stream-lost", "error", function="stream")
                return
            batch = rest
            if rest:
                self._over.wait(min(FIRST_WAIT_SECONDS * 2**tries, LONGEST_WAIT_SECONDS))

    def _remembered(self) -> dict[str, str]:
        if self._kept is None or not self._kept.exists():
            return {}
        kept = json.loads(self._kept.read_text("utf-8"))
        return dict(kept["places"]) if kept["stream"] == self._arn else {}

    def _remember(self) -> None:
        if self._kept is not None:
            beside = self._kept.with_name(self._kept.name + ".new")
            beside.write_text(json.dumps({"stream": self._arn, "places": self._places}), "utf-8")
            os.replace(beside, self._kept)


def _from(batch: Sequence[Record], sequence: str) -> Sequence[Record]:
    numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
    return batch[numbers.index(sequence) :]


def _as_lambda_has_it(record: Record, arn: str) -> Record:
    """A record as Lambda hands it over: instants as seconds, and the stream it came from."""
    change = record["dynamodb"]
    at = change["ApproximateCreationDateTime"].timestamp()
    return {**record, "eventSourceARN": arn, "dynamodb": {**change, "ApproximateCreationDateTime": at}}
