"""Functions that stand beside the API with rights of their own, and how the API calls them.

A function takes and gives JSON. What it refuses comes back to the caller as the same refusal. In development stages,
where no Lambda is configured, it runs in this process, through the same JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from chalicelib.core import clock, codec, config, log
from chalicelib.core.errors import Fault, InternalError, Problem, Unavailable, all_problems
from chalicelib.core.text import Text

CONNECT_TIMEOUT_SECONDS = 1
READ_TIMEOUT_SECONDS = 10
ATTEMPTS = 2

Handler = Callable[[dict[str, Any]], Any]

_HANDLERS: dict[str, Handler] = {}
_LAMBDAS: dict[str, Callable[[], str]] = {"enrol": lambda: config.current().enrol_function}
# Woken by a schedule, and called by nobody.
_SCHEDULED = frozenset({"outbox"})
_BUSY = frozenset({"TooManyRequestsException", "ServiceException", "EC2ThrottledException"})


def function(name: str) -> Callable[[Handler], Handler]:
    """Declares what the function ``name`` does with a payload."""

    def declare(handler: Handler) -> Handler:
        assert name in _LAMBDAS or name in _SCHEDULED, "a function beside the API has a name in the configuration"
        _HANDLERS[name] = handler
        return handler

    return declare


def call(name: str, payload: Any) -> dict[str, Any]:
    """What the function ``name`` replies. It may be called twice for one request, so it must bear that.

    Raises: Unavailable: it could not be reached in time; Problem: what the function itself refused.
    """
    event = {"request_id": log.request_id.get(), "payload": codec.plain(payload)}
    lambda_name = _LAMBDAS[name]()
    said = _invoke(lambda_name, event) if lambda_name else json.loads(json.dumps(answer(name, event)))
    if "problem" in said:
        raise _problem(said["problem"])
    return dict(said["reply"])


def answer(name: str, event: Mapping[str, Any]) -> dict[str, Any]:
    """What a function says to an event: a reply or a refusal. Never raises: a Lambda logs the message of an error."""
    started = clock.stopwatch()
    log.request_id.set(str(event.get("request_id", "-")))
    code: str | None = None
    try:
        said: dict[str, Any] = {"reply": codec.plain(_HANDLERS[name](event["payload"]))}
    except Problem as problem:
        code, said = problem.code, {"problem": _told(problem)}
    except Exception as error:
        log.crash(error)
        code, said = InternalError.code, {"problem": _told(InternalError())}
    log.event("function", function=name, code=code, duration_ms=round((clock.stopwatch() - started) * 1000, 1))
    return said


def _told(problem: Problem) -> dict[str, Any]:
    return {
        "code": problem.code,
        "detail": codec.plain(problem.detail),
        "faults": codec.plain(problem.faults),
        "retry_after_seconds": problem.retry_after_seconds,
    }


def _problem(told: Mapping[str, Any]) -> Problem:
    kind = next((known for known in all_problems() if known.code == told["code"]), None)
    assert kind is not None, "a function refuses with a code that its caller knows"
    faults = [codec.build(Fault, fault) for fault in told["faults"]]
    return kind(codec.build(Text, told["detail"]), faults=faults, retry_after_seconds=told["retry_after_seconds"])


@lru_cache(maxsize=1)
def _client() -> Any:
    import boto3
    from botocore.config import Config as ClientConfig

    limits = ClientConfig(
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=READ_TIMEOUT_SECONDS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
    )
    return boto3.client("lambda", config=limits)


def _invoke(lambda_name: str, event: Mapping[str, Any]) -> dict[str, Any]:
    from botocore import exceptions

    try:
        reply = _client().invoke(FunctionName=lambda_name, Payload=json.dumps(event).encode())
    except exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in _BUSY:
            raise
        raise Unavailable(retry_after_seconds=1) from None
    except (exceptions.ConnectionError, exceptions.HTTPClientError):
        raise Unavailable(retry_after_seconds=1) from None
    assert "FunctionError" not in reply, "the function ended without an answer"
    return dict(json.loads(reply["Payload"].read()))
