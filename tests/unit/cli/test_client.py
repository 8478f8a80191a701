"""The client is patient with what passes and plain about what does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from infra.cli import client
from infra.cli.client import ATTEMPTS, Client, Failed

Answers = Callable[..., Client]


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr("infra.cli.client.time.sleep", found.append)
    return found


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """A client whose requests get these answers, one after another."""

    def make(*answers: Any) -> Client:
        queue = iter(answers)

        def answer(request: httpx.Request) -> httpx.Response:
            given = next(queue)
            if isinstance(given, Exception):
                raise given
            assert isinstance(given, httpx.Response)
            assert request.headers["authorization"] == "Bearer secret"
            return given

        monkeypatch.setattr(client, "transport", lambda: httpx.MockTransport(answer))
        return Client("http://127.0.0.1:1", "secret")

    return make


def test_it_asks_again_while_egret_is_busy_or_out_of_reach(answering: Answers, waits: list[float]) -> None:
    busy = httpx.Response(503, headers={"Retry-After": "7"})
    egret = answering(busy, httpx.ConnectError("no"), httpx.ReadTimeout("slow"), httpx.Response(200, json={"a": 1}))
    assert egret.get("/v1/x") == {"a": 1}
    assert len(waits) == 3
    assert waits[0] == 7


def test_it_gives_up_in_the_end(answering: Answers, waits: list[float]) -> None:
    egret = answering(*[httpx.Response(503)] * ATTEMPTS)
    with pytest.raises(Failed, match="cannot be reached"):
        egret.post("/v1/x", {})
    assert len(waits) == ATTEMPTS - 1


def test_a_refusal_is_told_in_both_languages(answering: Answers, waits: list[float]) -> None:
    problem = {"code": "forbidden", "detail": "Not yours", "detail_zh": "不是您的"}
    with pytest.raises(Failed) as failed:
        answering(httpx.Response(403, json=problem)).get("/v1/x")
    assert (failed.value.code, failed.value.said.zh, failed.value.said.en) == ("forbidden", "不是您的", "Not yours")
    assert not waits


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"code": "x"}', b"7"])
def test_an_answer_that_is_no_problem_document_is_told_by_its_status(answering: Answers, body: bytes) -> None:
    with pytest.raises(Failed, match="418"):
        answering(httpx.Response(418, content=body)).get("/v1/x")
