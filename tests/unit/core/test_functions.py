"""A function beside the API: the same JSON whether it is a Lambda or runs here, and its refusals are the caller's."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from chalicelib.core import config, functions, log
from chalicelib.core.errors import Conflict, Fault, InternalError, Problem, Unavailable
from chalicelib.core.functions import Handler
from chalicelib.core.text import Text

SECRET = "350203199001011234"
PAYLOAD = {"n": 1}


@dataclass(frozen=True, slots=True)
class Asked:
    n: int


@dataclass
class Lambda:
    """What stands where AWS Lambda is."""

    reply: Callable[[dict[str, Any]], Any]

    def invoke(self, **asked: Any) -> dict[str, Any]:
        assert asked["FunctionName"] == "egret-enrol"
        found = self.reply(json.loads(asked["Payload"]))
        if isinstance(found, Exception):
            raise found
        return {"Payload": io.BytesIO(json.dumps(found).encode())}


@pytest.fixture(params=["here", "lambda"])
def does(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[Handler], None]:
    """Makes the function do this, in this process or behind a Lambda."""

    def do(handler: Handler) -> None:
        monkeypatch.setitem(functions._HANDLERS, "enrol", handler)
        name = "egret-enrol" if request.param == "lambda" else ""
        settings = replace(config.current(), enrol_function=name)
        monkeypatch.setattr(config, "current", lambda: settings)
        monkeypatch.setattr(functions, "_client", lambda: Lambda(lambda event: functions.answer("enrol", event)))

    return do


Does = Callable[[Handler], None]


def test_a_reply_comes_back_as_json(does: Does) -> None:
    does(lambda payload: Asked(payload["n"] + 1))
    assert functions.call("enrol", Asked(1)) == {"n": 2}


def test_the_request_id_goes_along(does: Does) -> None:
    seen: list[str] = []
    does(lambda payload: seen.append(log.request_id.get()) or {})  # type: ignore[func-returns-value]
    token = log.request_id.set("req-7")
    try:
        functions.call("enrol", PAYLOAD)
    finally:
        log.request_id.reset(token)
    assert seen == ["req-7"]


def test_a_refusal_comes_back_whole(does: Does) -> None:
    def refuse(payload: dict[str, Any]) -> Any:
        raise Conflict(Text("甲", "a"), faults=[Fault("/n", Text("乙", "b"))], retry_after_seconds=3)

    does(refuse)
    with pytest.raises(Conflict) as refused:
        functions.call("enrol", PAYLOAD)
    assert (refused.value.detail, refused.value.retry_after_seconds) == (Text("甲", "a"), 3)
    assert refused.value.faults == (Fault("/n", Text("乙", "b")),)


def test_MINIMAL_a_crash_of_a_function_says_nothing(does: Does, capsys: pytest.CaptureFixture[str]) -> None:
    def crash(payload: dict[str, Any]) -> Any:
        raise ValueError(SECRET)

    does(crash)
    with pytest.raises(InternalError) as refused:
        functions.call("enrol", {"number": SECRET})
    assert SECRET not in str(refused.value) + capsys.readouterr().out


def behind(monkeypatch: pytest.MonkeyPatch, reply: Any) -> None:
    settings = replace(config.current(), enrol_function="egret-enrol")
    monkeypatch.setattr(config, "current", lambda: settings)
    monkeypatch.setattr(functions, "_client", lambda: Lambda(lambda event: reply))


@pytest.mark.parametrize(
    "failure",
    [
        ClientError({"Error": {"Code": "TooManyRequestsException"}}, "Invoke"),
        ClientError({"Error": {"Code": "ServiceException"}}, "Invoke"),
        ConnectTimeoutError(endpoint_url="x"),
        ReadTimeoutError(endpoint_url="x"),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_a_function_that_cannot_be_reached_is_busy(monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    behind(monkeypatch, failure)
    with pytest.raises(Unavailable) as refused:
        functions.call("enrol", PAYLOAD)
    assert refused.value.retry_after_seconds == 1


def test_a_function_that_may_not_be_called_is_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    behind(monkeypatch, ClientError({"Error": {"Code": "AccessDeniedException"}}, "Invoke"))
    with pytest.raises(ClientError):
        functions.call("enrol", PAYLOAD)


def test_a_code_nobody_knows_is_a_broken_belief(monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, Any] = {
        "code": "made-up",
        "detail": {"zh": "", "en": ""},
        "faults": [],
        "retry_after_seconds": None,
    }
    behind(monkeypatch, {"problem": told})
    with pytest.raises(AssertionError):
        functions.call("enrol", PAYLOAD)


def test_only_functions_with_a_name_of_their_own_are_declared() -> None:
    with pytest.raises(AssertionError):
        functions.function("made-up")(lambda payload: None)
    assert issubclass(Unavailable, Problem)
