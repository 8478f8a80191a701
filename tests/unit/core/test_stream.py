"""One reader of the stream: who is handed what, and where a batch goes on that was not handled to its end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from pynamodb.attributes import UnicodeAttribute
from pynamodb.exceptions import TransactWriteError

from chalicelib.core import log, stream
from chalicelib.core.errors import Conflict, Unavailable
from chalicelib.core.stream import Change, Poisoned
from chalicelib.core.table import IntAttribute, Row

SECRET = "350200199001011234"


class _ProbeRow(Row, discriminator="stream-probe"):
    said = UnicodeAttribute()
    times = IntAttribute()


def image(said: str, times: int = 1, kind: str = "stream-probe") -> dict[str, Any]:
    return {
        "pk": {"S": "xiamen#probe"}, "sk": {"S": said}, "kind": {"S": kind}, "v": {"N": "1"},
        "said": {"S": said}, "times": {"N": f"{times}"},
    }  # fmt: skip


def record(number: int, **images: Any) -> dict[str, Any]:
    """A record as Lambda hands it over."""
    return {
        "eventID": f"e{number}",
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "cn-north-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1764000000.0,
            "Keys": {"pk": {"S": "xiamen#probe"}, "sk": {"S": "x"}},
            "SequenceNumber": f"{number}",
            "SizeBytes": 100,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
            **images,
        },
        "eventSourceARN": "arn:aws-cn:dynamodb:cn-north-1:000000000000:table/egret/stream/2026-01-01T00:00:00.000",
    }


def batch(*said: str) -> dict[str, Any]:
    return {"Records": [record(n, NewImage=image(word)) for n, word in enumerate(said, start=1)]}


def from_on(number: int) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": f"{number}"}]}


ALL_DONE: dict[str, Any] = {"batchItemFailures": []}
Consume = Callable[[str], None]


class Listener:
    """A consumer that remembers what it was handed; a word may stand for a failure."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.failures: dict[str, Exception] = {}

    def __call__(self, now: datetime, change: Change) -> None:
        assert isinstance(change.new, _ProbeRow)
        if change.new.said in self.failures:
            raise self.failures[change.new.said]
        self.changes.append(change)

    @property
    def heard(self) -> list[str]:
        return [change.new.said for change in self.changes if isinstance(change.new, _ProbeRow)]


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    monkeypatch.setattr(stream, "_CONSUMERS", {})
    monkeypatch.setattr(stream, "_HAPPENING", {})
    made = Listener()
    stream.consumer("stream-probe")(made)
    yield made
    log.request_id.set("-")


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_batch_is_handed_over_in_order_as_items(listener: Listener) -> None:
    event = batch("a", "b")
    event["Records"][1]["dynamodb"]["OldImage"] = image("a", 7)
    before = json.dumps(event)
    assert stream.answer(event) == ALL_DONE
    assert listener.heard == ["a", "b"]
    first, second = listener.changes
    assert first.old is None
    assert isinstance(second.old, _ProbeRow)
    assert (second.old.said, second.old.times, second.old.key) == ("a", 7, ("xiamen#probe", "a"))
    assert json.dumps(event) == before, "a batch that comes again is the same"


def test_what_nobody_asked_for_is_not_even_read(listener: Listener) -> None:
    unknown = record(1, NewImage={"pk": {"S": "x"}, "kind": {"S": "of-another-release"}})
    assert stream.answer({"Records": [unknown, *batch("a")["Records"]]}) == ALL_DONE
    assert listener.heard == ["a"]
    assert stream.kinds() == {"stream-probe"}


def test_every_consumer_of_a_kind_is_told(listener: Listener) -> None:
    other: list[Change] = []
    stream.consumer("stream-probe")(lambda now, change: other.append(change))
    assert stream.answer(batch("a")) == ALL_DONE
    assert len(other) == len(listener.changes) == 1


def test_what_follows_from_changes_is_let_through_for_changes_alone(listener: Listener) -> None:
    stream.consumer("account-probe", on="MODIFY")(listener)
    assert stream.kinds() == {"stream-probe"}
    assert stream.kinds("MODIFY") == {"account-probe"}
    with pytest.raises(AssertionError, match="one of both"):
        stream.consumer("account-probe")(listener)


def test_what_is_gone_is_told_by_what_was_there(listener: Listener) -> None:
    seen: list[Change] = []
    stream._CONSUMERS["stream-probe"] = [lambda now, change: seen.append(change)]
    assert stream.answer({"Records": [record(1, OldImage=image("a"))]}) == ALL_DONE
    assert seen[0].new is None
    assert isinstance(seen[0].old, _ProbeRow)


PASSING = [
    Unavailable(),
    TransactWriteError("lost", ReadTimeoutError(endpoint_url="http://127.0.0.1")),
]


@pytest.mark.parametrize("failure", PASSING, ids=lambda failure: type(failure).__name__)
@pytest.mark.parametrize("place", [1, 2, 3])
def test_what_is_passing_ends_the_batch_there(listener: Listener, failure: Exception, place: int) -> None:
    words = ["a", "b", "c"]
    listener.failures = {words[place - 1]: failure}
    assert stream.answer(batch(*words)) == from_on(place)
    assert listener.heard == words[: place - 1], "nothing behind it is handled before it"
    listener.failures = {}
    rest = {"Records": batch(*words)["Records"][place - 1 :]}
    assert stream.answer(rest) == ALL_DONE
    assert listener.heard == words


POISON = [AssertionError("broken"), KeyError(SECRET), ValueError(SECRET), Conflict()]


@pytest.mark.parametrize("poison", POISON, ids=lambda failure: type(failure).__name__)
def test_a_poisoned_record_comes_to_be_alone(listener: Listener, poison: Exception) -> None:
    listener.failures = {"c": poison}
    assert stream.answer(batch("a", "b", "c", "d")) == from_on(3), "what came before it is done"
    rest = batch("a", "b", "c", "d")["Records"][2:]
    with pytest.raises(Poisoned) as raised:
        stream.answer({"Records": rest})
    assert (str(raised.value), raised.value.__cause__, raised.value.__context__) == ("", None, None)
    assert stream.answer({"Records": rest[:1]}) == from_on(3), "alone, it is given up by itself"
    assert stream.answer({"Records": rest[1:]}) == ALL_DONE
    assert listener.heard == ["a", "b", "d"]


def test_a_record_that_cannot_be_read_is_poisoned(listener: Listener) -> None:
    broken = record(1, NewImage={**image("a"), "times": {"N": "many"}})
    assert stream.answer({"Records": [broken]}) == from_on(1)
    assert stream.answer({"Records": [record(2)]}) == from_on(2)


def test_MINIMAL_a_poisoned_record_leaves_a_line_without_its_content(
    listener: Listener, capsys: pytest.CaptureFixture[str]
) -> None:
    listener.failures = {"b": ValueError(SECRET)}
    stream.answer(batch("a", "b"))
    crash, ended = lines(capsys)
    assert (crash["event"], crash["level"], crash["error_type"]) == ("crash", "error", "ValueError")
    assert crash["request_id"] == "2", "the number by which the queue of the lost names it"
    assert (ended["event"], ended["function"], ended["code"]) == ("stream", "stream", "poisoned")
    assert SECRET not in json.dumps([crash, ended])


def test_what_is_passing_is_no_crash(listener: Listener, capsys: pytest.CaptureFixture[str]) -> None:
    listener.failures = {"a": Unavailable()}
    stream.answer(batch("a"))
    assert [(line["event"], line["level"], line["code"]) for line in lines(capsys)] == [("stream", "info", "again")]


def test_an_empty_batch_is_done(listener: Listener) -> None:
    assert stream.answer({"Records": []}) == ALL_DONE
