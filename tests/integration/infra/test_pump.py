"""The pump does on one computer what the event source mapping does: everything once and in order, and on from there."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.exceptions import EndpointConnectionError

from chalicelib.core import log
from chalicelib.core.stream import Poisoned
from infra.local import database, pump
from infra.local.database import Database
from infra.local.pump import Pump, Record, mapping, wanted
from tests.integration.scores import on_dynoxide

TABLE = "egret"


class Handler:
    """Notes what it is handed; what is named in ``poison`` or ``passing`` fails, the latter so many times."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.done: list[str] = []
        self.poison: set[str] = set()
        self.passing: dict[str, int] = {}
        self.seen = threading.Condition()

    def __call__(self, event: dict[str, Any], _: Any) -> dict[str, Any]:
        json.dumps(event)
        self.batches.append([name_of(record) for record in event["Records"]])
        for place, record in enumerate(event["Records"]):
            name = name_of(record)
            again = self.passing.get(name, 0) > 0
            if again:
                self.passing[name] -= 1
            if name in self.poison and place == 0 and len(event["Records"]) > 1:
                raise Poisoned
            if again or name in self.poison:
                return {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]}
            with self.seen:
                self.done.append(name)
                self.seen.notify_all()
        return {"batchItemFailures": []}

    def wait_for(self, names: list[str]) -> None:
        with self.seen:
            assert self.seen.wait_for(lambda: self.done == names, timeout=20), self.done


def name_of(record: Record) -> str:
    name: str = record["dynamodb"]["NewImage"]["pk"]["S"]
    return name


class Local:
    """A local database with Egret's table."""

    def __init__(self, base: Database) -> None:
        base.create_table(TABLE)
        self.client = database.client(base.endpoint)
        self.streams = database.streams(base.endpoint)

    def write(self, *names: str, kind: str = "effect", **more: Any) -> None:
        for name in names:
            item = {"pk": {"S": name}, "sk": {"S": "x"}, "kind": {"S": kind}, **more}
            self.client.put_item(TableName=TABLE, Item=item)

    def pump(self, handler: Any, kept: Path | None = None) -> Pump:
        return Pump(self.client, self.streams, TABLE, handler, kept)


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Local]:
    on_dynoxide.need()
    with Database(tmp_path / "egret.db", say=lambda _: None) as base:
        yield Local(base)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pump, "LONGEST_WAIT_SECONDS", 0.0)
    monkeypatch.setattr(pump, "POLL_SECONDS", 0.02)


@pytest.fixture
def lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """The lines of the log, once the test is done with them."""
    found: list[dict[str, Any]] = []

    class Sink:
        def write(self, line: str) -> None:
            found.append(json.loads(line))

    monkeypatch.setattr(log, "sink", Sink())
    yield found
    log.request_id.set("-")


def test_everything_so_far_is_handed_over_once_and_in_order(local: Local) -> None:
    handler, names = Handler(), [f"{n:03d}" for n in range(60)]
    local.write(*names)
    pumping = local.pump(handler)
    assert pumping.drain() == 60
    assert handler.done == names
    assert max(map(len, handler.batches)) == mapping()["BatchSize"] == 25
    assert pumping.drain() == 0
    local.write("060")
    assert pumping.drain() == 1
    assert handler.done == [*names, "060"]


def test_what_the_mapping_filters_out_is_not_handed_over(local: Local) -> None:
    handler = Handler()
    local.write("a")
    local.write("a", changed={"BOOL": True})
    local.write("b", kind="statistics")
    local.client.delete_item(TableName=TABLE, Key={"pk": {"S": "a"}, "sk": {"S": "x"}})
    local.write("c")
    assert local.pump(handler).drain() == 2
    assert handler.done == ["a", "c"]


@pytest.mark.parametrize(
    ("record", "passes"),
    [
        ({"eventName": "INSERT", "dynamodb": {"NewImage": {"kind": {"S": "effect"}}}}, True),
        ({"eventName": "MODIFY", "dynamodb": {"NewImage": {"kind": {"S": "effect"}}}}, False),
        ({"eventName": "REMOVE", "dynamodb": {"OldImage": {"kind": {"S": "effect"}}}}, False),
        ({"eventName": "INSERT", "dynamodb": {"NewImage": {"kind": {"S": "counted"}}}}, False),
        ({"eventName": "INSERT", "dynamodb": {"NewImage": {"kind": {"S": "account"}}}}, False),
        ({"eventName": "MODIFY", "dynamodb": {"NewImage": {"kind": {"S": "account"}}}}, True),
        ({"eventName": "INSERT", "dynamodb": {}}, False),
        ({}, False),
    ],
)
def test_the_filter_is_the_mappings(record: Record, passes: bool) -> None:
    assert wanted(record) is passes


def test_a_record_looks_as_lambda_hands_it_over(local: Local) -> None:
    found: list[Record] = []
    local.write("a", times={"N": "3"})

    def note(event: dict[str, Any], _: Any) -> dict[str, Any]:
        found.extend(event["Records"])
        return {"batchItemFailures": []}

    local.pump(note).drain()
    (record,) = found
    assert set(record) == {
        "eventID", "eventName", "eventVersion", "eventSource", "awsRegion", "dynamodb", "eventSourceARN",
    }  # fmt: skip
    change = record["dynamodb"]
    assert type(change["ApproximateCreationDateTime"]) is float
    assert change["NewImage"] == {"pk": {"S": "a"}, "sk": {"S": "x"}, "kind": {"S": "effect"}, "times": {"N": "3"}}
    assert change["Keys"] == {"pk": {"S": "a"}, "sk": {"S": "x"}}
    assert change["StreamViewType"] == "NEW_AND_OLD_IMAGES"


def test_it_goes_on_by_itself_and_ends_when_told(local: Local) -> None:
    handler = Handler()
    pumping = local.pump(handler)
    pumping.start()
    local.write("a", "b")
    handler.wait_for(["a", "b"])
    local.write("c")
    assert pumping.drain() in {0, 1}
    assert handler.done == ["a", "b", "c"]
    pumping.stop()
    assert not pumping._thread.is_alive()
    pumping.stop()
    local.write("d")
    assert handler.done == ["a", "b", "c"]


def test_a_restart_goes_on_behind_what_is_handled(local: Local, tmp_path: Path) -> None:
    kept = tmp_path / "stream.json"
    local.write("a", "b")
    local.pump(Handler(), kept).drain()
    local.write("c")
    later = Handler()
    assert local.pump(later, kept).drain() == 1
    assert later.done == ["c"]
    whole = Handler()
    assert local.pump(whole).drain() == 3, "without a file it begins at the beginning"


def test_the_place_in_another_stream_is_nothing(local: Local, tmp_path: Path) -> None:
    kept = tmp_path / "stream.json"
    local.write("a")
    local.pump(Handler(), kept).drain()
    place = json.loads(kept.read_text("utf-8"))
    kept.write_text(json.dumps({**place, "stream": "another"}), "utf-8")
    handler = Handler()
    assert local.pump(handler, kept).drain() == 1


def test_stopped_in_the_middle_nothing_is_lost(local: Local, tmp_path: Path) -> None:
    kept = tmp_path / "stream.json"
    names = [f"{n:02d}" for n in range(30)]
    local.write(*names)
    handler = Handler()

    def told_to_stop(event: dict[str, Any], context: Any) -> dict[str, Any]:
        pumping.stop()
        return handler(event, context)

    pumping = local.pump(told_to_stop, kept)
    pumping.drain()
    assert handler.done == names[:25], "the batch under way was ended"
    later = Handler()
    local.pump(later, kept).drain()
    assert later.done == names, "it comes again as a whole"


def test_what_is_passing_comes_again_until_it_is_done(local: Local) -> None:
    handler = Handler()
    handler.passing = {"b": 7}
    local.write("a", "b", "c")
    local.pump(handler).drain()
    assert handler.done == ["a", "b", "c"]
    assert handler.batches == [["a", "b", "c"], *[["b", "c"]] * 7]


def test_a_poisoned_record_is_given_up_alone_and_word_is_left(local: Local, lines: list[dict[str, Any]]) -> None:
    handler = Handler()
    handler.poison = {"c"}
    local.write("a", "b", "c", "d", "e")
    local.pump(handler).drain()
    assert handler.done == ["a", "b", "d", "e"]
    assert handler.batches.count(["c"]) == mapping()["MaximumRetryAttempts"] + 1
    (line,) = lines
    assert (line["event"], line["level"], line["request_id"]) == ("stream-lost", "error", "3")


def test_a_database_that_is_away_is_asked_again(
    local: Local, monkeypatch: pytest.MonkeyPatch, lines: list[dict[str, Any]]
) -> None:
    handler = Handler()
    pumping = local.pump(handler)
    asked = threading.Event()
    away, real = iter([1, 2, 3]), local.streams.get_records

    def get_records(**request: Any) -> Any:
        if next(away, None):
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
        asked.set()
        return real(**request)

    monkeypatch.setattr(local.streams, "get_records", get_records)
    local.write("a")
    pumping.start()
    handler.wait_for(["a"])
    pumping.stop()
    assert asked.is_set()
    assert [line["event"] for line in lines] == ["crash"], "once, however often"


def test_an_idle_poll_is_one_small_question(local: Local) -> None:
    asked: list[str] = []
    local.write("a")
    pumping = local.pump(Handler())
    pumping.drain()
    local.streams.meta.events.register("before-call.dynamodb-streams", lambda model, **_: asked.append(model.name))
    pumping.drain()
    assert asked == ["GetRecords"], "describing a stream takes the longer the longer it is"


def test_moto_stands_in_here_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with Database(folder=tmp_path, say=lambda _: None) as base:
        assert base.engine == "moto"
        local, handler = Local(base), Handler()
        local.write("a", "b")
        pumping = local.pump(handler)
        assert pumping.drain() == 2
        local.write("c")
        assert pumping.drain() == 1
        assert handler.done == ["a", "b", "c"]


def test_the_template_is_read_as_it_is() -> None:
    document = yaml.safe_load(pump.TEMPLATE.read_text("utf-8"))
    assert mapping() == document["Resources"]["StreamMapping"]["Properties"]
