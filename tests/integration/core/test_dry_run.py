"""What would be, and nothing done: the same answer, no write, no memory."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.core import effect, schema, table
from chalicelib.core.errors import Conflict, Problem
from chalicelib.core.http import Call, Reply
from chalicelib.core.table import IntAttribute, Row
from tests.conftest import Calls
from tests.unit.core.edge import Sent, route, send

PROBE = {"$id": "egret:/tried.json", "type": "object", "properties": {"n": {"type": "integer"}}}
KEY = "key-00001"


class _CountRow(Row, discriminator="core-count"):
    n = IntAttribute(default=0)


class TooMany(Problem):
    status = 409


def count() -> int:
    found = table.get(_CountRow, _CountRow("xiamen#count", "count").key)
    return found.n if found else 0


def add(call: Call) -> Reply:
    """Sets a count once; it takes 10 at most."""
    wanted = int(call.body["n"])
    if wanted > 10:
        raise TooMany
    unit = call.unit.again()
    unit.create(_CountRow("xiamen#count", "count", n=wanted), Conflict)
    reply = {"z": call.dry_run, "n": wanted}
    unit.effect(effect.row(call.effect_intent, call.now, purpose="add", facts={}, reply=reply))
    unit.commit()
    return Reply(reply, 201, etag='"one"')


ADD = route(add, method="POST", body="tried.json", effect=True, status=201, dry_run=True, query=("a",))


@pytest.fixture(autouse=True)
def _table(table: None, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = {**schema.documents(), "tried.json": PROBE}
    monkeypatch.setattr(schema, "documents", lambda: documents)
    schema._registry.cache_clear()


def post(n: int, query: str = "dry_run=true", **headers: str) -> Sent:
    return send(ADD, json.dumps({"n": n}).encode(), query=query, headers={"Idempotency-Key": KEY, **headers})


def dry(sent: Sent) -> bool:
    return sent.headers.get("Egret-Dry-Run") == "true"


def test_a_dry_run_is_answered_as_the_real_one_would_be_and_does_nothing(calls: Calls) -> None:
    tried = post(3)
    assert (tried.status, tried.text, dry(tried)) == (200, '{"n":3,"z":true}', True)
    assert "ETag" not in tried.headers
    assert tried.headers["Cache-Control"] == "no-store"
    assert calls.names == []
    assert count() == 0


def test_the_key_of_a_dry_run_is_free_for_the_real_thing() -> None:
    post(3)
    done = post(4, "")
    assert (done.status, done.text, dry(done), done.headers["ETag"]) == (201, '{"n":4,"z":false}', False, '"one"')
    assert count() == 4


@pytest.mark.parametrize("n", [3, 4])
def test_ONCE_a_dry_run_after_the_effect_is_no_replay(n: int) -> None:
    post(3, "dry_run=false")
    tried = post(n)
    assert (tried.status, tried.body["n"], dry(tried)) == (200, n, True)
    assert "Idempotency-Replayed" not in tried.headers
    assert count() == 3


def test_a_refusal_of_a_dry_run_goes_out_as_it_is(calls: Calls) -> None:
    post(3, "")
    before = len(calls.names)
    refused = post(11)
    assert (refused.status, dry(refused)) == (409, False)
    assert len(calls.names) == before, "no earlier effect is looked for"


def test_a_dry_run_needs_a_key_like_the_real_one() -> None:
    refused = send(ADD, b'{"n": 3}', query="dry_run=true")
    assert refused.code == "idempotency-key-missing"


@pytest.mark.parametrize("query", ["dry_run=", "dry_run=1", "dry_run=True", "dry_run=yes", "dry_run=true&dry_run=true"])
def test_what_is_neither_true_nor_false_is_refused(query: str) -> None:
    refused = post(3, query)
    assert (refused.status, refused.code) == (422, "invalid-request")
    assert count() == 0


def test_words_say_what_a_dry_run_is_asked_with() -> None:
    said: Any = post(3, "dry_run=1").body
    assert (said["detail_zh"], said["detail"]) == ("dry_run 只能是 true 或 false", "dry_run is either true or false")


def test_a_route_that_declares_none_takes_none() -> None:
    real = route(add, method="POST", body="tried.json", effect=True, status=201)
    refused = send(real, b'{"n": 3}', query="dry_run=true", headers={"Idempotency-Key": KEY})
    assert (refused.status, refused.code) == (422, "invalid-request")
    assert count() == 0


def test_a_view_sees_its_own_parameters_only() -> None:
    seen: list[dict[str, str]] = []

    def look(call: Call) -> Reply:
        seen.append(dict(call.query))
        return Reply({})

    send(route(look, dry_run=True, query=("a",)), query="a=1&dry_run=true")
    assert seen == [{"a": "1"}]
