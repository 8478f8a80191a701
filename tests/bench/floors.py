"""What benches share: figures, many runs in turns, and a bare botocore client as the floor.

The floor of a request is a botocore client with its default settings that makes the same calls with the same contents.
A request is made for real once and recorded; from then on the network is taken away on both sides, and the HTTP session
gives the recorded bytes back. Measured is the processor's time, and floor and ours are compared round by round: what
slows one round down slows both, so the median of the rounds' ratios is steadier than a ratio of the best of each.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from time import process_time
from typing import Any
from unittest import mock

import botocore.session
from botocore import xform_name
from botocore.awsrequest import AWSResponse

import tests.conftest  # noqa: F401 - the environment comes before whatever reads it

# isort: split

from chalicelib.core import table
from infra.local.database import REGION

REPEATS = 1200

Call = Callable[[], object]


def figure(name: str, floor_us: float, ours_us: float, limit: float | None) -> dict[str, Any]:
    """A row of the table; without a limit it is told and fails nothing."""
    return {"name": name, "floor_us": floor_us, "ours_us": ours_us, "ratio": ours_us / floor_us, "limit": limit}


def best_us(calls: Sequence[Call], stopwatch: Callable[[], float]) -> list[float]:
    """The best of many runs of each, in turns so that all meet the same machine; microseconds."""
    return [min(taken) for taken in zip(*_rounds_us(calls, stopwatch), strict=True)]


def _rounds_us(calls: Sequence[Call], stopwatch: Callable[[], float]) -> list[list[float]]:
    """What each took in each round, in turns so that all meet the same machine; microseconds."""
    rounds: list[list[float]] = []
    for _ in range(REPEATS):
        taken: list[float] = []
        for call in calls:
            started = stopwatch()
            call()
            taken.append((stopwatch() - started) * 1e6)
        rounds.append(taken)
    return rounds


def beside_botocore(
    name: str, request: Call, served: Call, expected: Sequence[tuple[str, int]], *, limit: float
) -> list[dict[str, Any]]:
    """What the service costs beside a bare client with the same calls; and, without a limit, the whole request.

    Args:
        request: The whole request. It is made for real once; what it finds then is what all find.
        served: The same as its route calls it.
        expected: The calls that it makes, and how many items each reads or writes.
        limit: The most that the service may cost, as a multiple of the floor.
    """
    with _recording() as calls:
        request()
    assert [(call.operation, call.items) for call in calls] == list(expected)
    network = table.connection().client._endpoint.http_session
    with mock.patch.object(network, "send", _Canned(calls)), _nothing_else(calls):
        rounds = _rounds_us([_bare(calls), served, request], process_time)
    return [
        _typical(f"{name}, CPU beside botocore", [(floor, ours) for floor, ours, _ in rounds], limit),
        _typical(f"{name}, the whole request", [(floor, ours) for floor, _, ours in rounds], None),
    ]


def _typical(name: str, rounds: Sequence[tuple[float, float]], limit: float | None) -> dict[str, Any]:
    """A row of medians: of the floor's times, of ours, and of the ratios of both in one round."""
    floor_us, ours_us = (median(taken) for taken in zip(*rounds, strict=True))
    return figure(name, floor_us, ours_us, limit) | {"ratio": median(ours / floor for floor, ours in rounds)}


def gateway(method: str, resource: str, token: str, body: Any = None, **path: str) -> Call:
    """A request with an effect as the gateway hands it over to the app; it succeeds, again and again the same."""
    from app import app

    typed = {} if body is None else {"content-type": "application/json"}
    event = {
        "requestContext": {"httpMethod": method, "resourcePath": resource, "path": resource.format(**path)},
        "headers": {"authorization": f"Bearer {token}", "idempotency-key": "bench-request", **typed},
        "pathParameters": path,
        "multiValueQueryStringParameters": None,
        "stageVariables": {},
        "body": "" if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }

    def call() -> None:
        answer = app(event, None)
        assert answer["statusCode"] in {200, 201}, answer

    return call


@dataclass(frozen=True, slots=True)
class _Recorded:
    """One call: what botocore was asked, and the bytes that came back."""

    operation: str
    asked: Mapping[str, Any]
    headers: Mapping[str, str]
    content: bytes

    @property
    def items(self) -> int:
        """How many items it reads or writes."""
        if self.operation == "TransactWriteItems":
            return len(self.asked["TransactItems"])
        return sum(len(asked["Keys"]) for asked in self.asked["RequestItems"].values())


@contextmanager
def _recording() -> Iterator[list[_Recorded]]:
    """Notes every call to the database inside the block."""
    calls: list[_Recorded] = []
    asked: list[Mapping[str, Any]] = []
    client = table.connection().client
    session = client._endpoint.http_session
    send = session.send

    def note(params: Mapping[str, Any], **_: Any) -> None:
        asked.append(json.loads(json.dumps(params)))

    def sent(request: Any) -> Any:
        reply = send(request)
        operation = request.headers["X-Amz-Target"].decode().partition(".")[2]
        calls.append(_Recorded(operation, asked[-1], dict(reply.headers), reply.content))
        return reply

    client.meta.events.register("before-parameter-build.dynamodb", note)
    with mock.patch.object(session, "send", sent):
        yield calls
    client.meta.events.unregister("before-parameter-build.dynamodb", note)


@contextmanager
def _nothing_else(calls: Sequence[_Recorded]) -> Iterator[None]:
    """These calls, and no others, are made inside the block: a refusal would read once more, so would a second look."""
    names: list[str] = []
    events = table.connection().client.meta.events

    def note(model: Any, **_: Any) -> None:
        names.append(model.name)

    events.register("before-call.dynamodb", note)
    yield
    events.unregister("before-call.dynamodb", note)
    assert names == [call.operation for call in calls] * (len(names) // len(calls))


class _Bytes(io.BytesIO):
    """The body of a reply as the HTTP session has it."""

    def stream(self) -> Iterator[bytes]:
        yield self.read()


class _Canned:
    """What takes the place of the network: for every operation the bytes that came back when it was recorded."""

    def __init__(self, calls: Sequence[_Recorded]) -> None:
        self._known = {f"DynamoDB_20120810.{call.operation}".encode(): call for call in calls}

    def __call__(self, request: Any) -> AWSResponse:
        call = self._known[request.headers["X-Amz-Target"]]
        return AWSResponse(request.url, 200, call.headers, _Bytes(call.content))


def _bare(calls: Sequence[_Recorded]) -> Call:
    """The same calls by botocore as it comes, with nothing around them."""
    client = botocore.session.Session().create_client("dynamodb", region_name=REGION)
    client._endpoint.http_session.send = _Canned(calls)
    made = [(getattr(client, xform_name(call.operation)), call.asked) for call in calls]

    def call() -> None:
        for operation, asked in made:
            operation(**asked)

    return call
