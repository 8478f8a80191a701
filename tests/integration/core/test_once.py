"""The same request again, whatever happened in between: one effect, one reply."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import pytest

from chalicelib.core import clock, effect, schema, table
from chalicelib.core.auth import allow
from chalicelib.core.errors import Conflict, NotFound, Problem
from chalicelib.core.http import Call, Reply, Route
from chalicelib.core.table import IntAttribute, Row
from tests.conftest import ISSUER, Calls
from tests.integration.core.faults import CONFLICT, Fault, cancelled, inject, lost_after, lost_before
from tests.unit.core.edge import Sent, route, send

PROBE = {"$id": "egret:/count.json", "type": "object", "properties": {"n": {"type": "integer"}}}


class _TallyRow(Row, discriminator="core-tally"):
    n = IntAttribute(default=0)


@dataclass(frozen=True, slots=True)
class Tally:
    """Its fields are not in the order of the alphabet, so that a reply that is not canonical shows."""

    z: int
    n: int


class TooMany(Problem):
    status = 409


def tally() -> int:
    found = table.get(_TallyRow, _TallyRow("xiamen#tally", "tally").key)
    return found.n if found else 0


def add(call: Call) -> Reply:
    """Adds to a tally that takes 10 at most."""
    seen, wanted = tally(), int(call.body["n"])
    if seen + wanted > 10:
        raise TooMany
    condition = _TallyRow.n == seen if seen else _TallyRow.pk.does_not_exist()
    call.unit.put(_TallyRow("xiamen#tally", "tally", n=seen + wanted), condition, TooMany)
    reply = Tally(1, seen + wanted)
    call.unit.effect(effect.row(call.effect_intent, call.now, purpose="add", facts={}, reply=reply))
    call.unit.commit()
    return Reply(reply, 201)


ADD = route(add, method="POST", body="count.json", effect=True, status=201)


@pytest.fixture(autouse=True)
def _table(table: None, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = {**schema.documents(), "count.json": PROBE}
    monkeypatch.setattr(schema, "documents", lambda: documents)
    monkeypatch.setattr(clock, "sleep", lambda seconds: None)
    schema._registry.cache_clear()


def post(n: int, key: str = "key-00001", to: Route = ADD, token: str | None = None, **kwargs: Any) -> Sent:
    headers = {"Idempotency-Key": key, **({"Authorization": f"Bearer {token}"} if token else {})}
    return send(to, json.dumps({"n": n}).encode(), headers=headers, **kwargs)


def replayed(sent: Sent) -> bool:
    return sent.headers.get("Idempotency-Replayed") == "true"


def test_ONCE_a_second_try_is_the_first_ones_reply() -> None:
    first, again = post(3), post(3)
    assert (first.status, first.text) == (again.status, again.text) == (201, '{"n":3,"z":1}')
    assert (replayed(first), replayed(again)) == (False, True)
    assert again.headers["Cache-Control"] == "no-store"
    assert tally() == 3


def test_ONCE_the_order_of_keys_in_a_body_does_not_matter() -> None:
    headers = {"Idempotency-Key": "key-00001"}
    first = send(ADD, b'{"n":1,"m":2}', headers=headers)
    assert send(ADD, b' {"m": 2, "n": 1} ', headers=headers).text == first.text
    assert tally() == 1


def test_ONCE_another_body_or_path_under_the_same_key_is_refused() -> None:
    post(3)
    assert (post(4).status, post(4).code) == (422, "idempotency-key-reused")
    assert post(3, path={"city_id": "hangzhou"}).code == "idempotency-key-reused"
    assert tally() == 3


def test_ONCE_a_refusal_leaves_only_after_the_effect_was_looked_for() -> None:
    first = post(8)
    assert post(8, "key-00002").status == 409
    assert post(8).text == first.text
    assert replayed(post(8))
    assert tally() == 8


def test_a_refusal_is_not_remembered() -> None:
    post(8)
    assert post(5, "key-00002").status == 409
    table.get(_TallyRow, _TallyRow("xiamen#tally", "tally").key).delete()  # type: ignore[union-attr]
    assert post(5, "key-00002").status == 201


@pytest.mark.parametrize(
    ("fault", "statuses", "after_first"),
    [(lost_before, (503, 201), 0), (lost_after, (503, 201), 3), (cancelled(CONFLICT), (201, 201), 3)],
    ids=["the request was lost", "the reply was lost", "a conflict"],
)
def test_ONCE_with_a_fault_between_any_two_steps(
    fault: Fault, statuses: tuple[int, int], after_first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    inject(monkeypatch, iter([fault]))
    first = post(3)
    assert (first.status, tally()) == (statuses[0], after_first)
    again = post(3)
    assert (again.status, again.text, tally()) == (statuses[1], '{"n":3,"z":1}', 3)
    assert replayed(again) == (after_first == 3)


def test_ONCE_a_lost_reply_is_replayed_even_where_the_rules_would_now_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    inject(monkeypatch, iter([lost_after]))
    assert post(10).status == 503
    assert (post(10).text, replayed(post(10))) == ('{"n":10,"z":1}', True)


def test_conflicts_without_end_are_said_to_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    at = [0.0]
    monkeypatch.setattr(clock, "stopwatch", lambda: at.__setitem__(0, at[0] + 1.0) or at[0])
    inject(monkeypatch, repeat(cancelled(CONFLICT)))
    refused = post(3)
    assert (refused.status, refused.code, refused.headers["Retry-After"]) == (503, "unavailable", "1")
    monkeypatch.undo()


def test_ONCE_a_twin_in_flight_meets_the_effect() -> None:
    twins: list[Sent] = []
    arrived = iter([True])

    def add_late(call: Call) -> Reply:
        seen = tally()
        if next(arrived, False):
            twins.append(post(3, to=meeting))
        call.unit.put(_TallyRow("xiamen#tally", "tally", n=seen + 3), _TallyRow.pk.does_not_exist(), Conflict)
        reply = {"n": seen + 3}
        call.unit.effect(effect.row(call.effect_intent, call.now, purpose="add", facts={}, reply=reply))
        call.unit.commit()
        return Reply(reply, 201)

    meeting = route(add_late, method="POST", body="count.json", effect=True, status=201)
    late = post(3, to=meeting)
    assert (late.status, late.text) == (201, twins[0].text)
    assert (replayed(twins[0]), replayed(late)) == (False, True)
    assert tally() == 3


def test_ONCE_keys_of_two_callers_or_routes_are_two_keys() -> None:
    locked = route(add, method="POST", body="count.json", effect=True, status=201, policy=allow("city", "bank"))
    other = route(add, method="POST", path="/v1/others", body="count.json", effect=True, status=201)
    tokens = [
        ISSUER.token("city", "xiamen", "xiamen"),
        ISSUER.token("city", "hangzhou", "hangzhou"),
        ISSUER.token("bank", "xiamen", "xiamen"),
        ISSUER.token("bank", "egret-bank", "xiamen"),
    ]
    said = [post(1, to=locked, token=token) for token in tokens] + [post(1, to=ADD), post(1, to=other)]
    assert [s.body["n"] for s in said] == [1, 2, 3, 4, 5, 6]
    assert post(1, to=locked, token=ISSUER.token("city", "xiamen", "xiamen", jti="another")).body["n"] == 1


def test_the_happy_path_looks_for_no_earlier_effect(calls: Calls) -> None:
    post(1)
    assert calls.names == ["GetItem", "TransactWriteItems"]
    post(1)
    assert calls.names[2:] == ["GetItem", "TransactWriteItems"]


def test_a_refusal_costs_one_read_more(calls: Calls) -> None:
    assert post(11).status == 409
    assert calls.names == ["GetItem", "GetItem"]


def test_an_absent_effect_is_not_found() -> None:
    with pytest.raises(NotFound):
        effect.load("xiamen.aaaaaaaaaaaaaaaaaaaaaaaaaa")
