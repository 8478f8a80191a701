"""Who gets in: every route × every kind of actor × every situation, from the declared policies.

The routes' own functions are put aside, so what answers is the edge alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Literal, get_args

import pytest
from chalice.test import Client

from app import app
from chalicelib.core.auth import ACTOR_KINDS, ActorKind, Policy
from chalicelib.core.errors import NotFound
from chalicelib.core.http import ROUTES, Call, Reply, Route
from tests.conftest import ISSUER, Api

Situation = Literal[
    "owner", "another city", "another tenant", "another city's twin", "no scope", "another scope", "no face",
    "an old face", "expired", "no token",
]  # fmt: skip
SITUATIONS: tuple[Situation, ...] = get_args(Situation)
# What can make a difference to a kind of actor that may not come at all.
OUTSIDE: tuple[Situation, ...] = ("owner", "no scope", "expired", "no token")
CITY, ELSEWHERE, TENANT, STRANGER = "xiamen", "hangzhou", "tenant-a", "tenant-b"
THROUGH = 299
LOCKED = [route for route in ROUTES if not route.policy.public]
OPEN = [route for route in ROUTES if route.policy.public]


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


@cache
def token(kind: ActorKind, situation: Situation, scope: str | None) -> str | None:
    """The token of an actor in a situation, for a route that asks for ``scope``."""
    if situation == "no token":
        return None
    city = ELSEWHERE if situation in {"another city", "another city's twin"} else CITY
    tenant = STRANGER if situation in {"another city", "another tenant"} else TENANT
    if kind in {"alliance", "auditor"}:
        city = tenant = "alliance"
    if kind == "city":
        tenant = city
    others: dict[Situation, str] = {"no scope": "", "another scope": "probes:write " + (scope or "x")[:-1]}
    scopes = others.get(situation, scope or "")
    now = datetime.now(UTC) - timedelta(hours=2 if situation == "expired" else 0)
    changes: dict[str, Any] = {}
    if situation == "an old face":
        changes["auth_time"] = int(now.timestamp()) - 300
    return ISSUER.token(kind, tenant, city, scope=scopes, face=situation != "no face", now=now, **changes)


def expected(policy: Policy, kind: ActorKind, situation: Situation) -> tuple[int, str | None]:
    """What the policy promises, said once more in other words."""
    if situation in {"no token", "expired"}:
        return 401, "unauthenticated"
    if kind not in policy.actors:
        return 403, "forbidden"
    needs_scope = bool(policy.scope) and kind != "citizen"
    if needs_scope and situation in {"no scope", "another scope"}:
        return 403, "forbidden"
    if policy.liveness and situation in {"no face", "an old face"}:
        return 401, "insufficient-authentication"
    belongs_to_a_city = kind not in {"alliance", "auditor"}
    elsewhere = situation in {"another city", "another city's twin"}
    stranger = situation in {"another city", "another tenant"} and kind != "city"
    if belongs_to_a_city and ((policy.owner and elsewhere) or (policy.tenant and stranger)):
        return 404, "not-found"
    return THROUGH, None


def sentinel(call: Call) -> Reply:
    return Reply({}, THROUGH)


def path_of(route: Route, **ids: str) -> str:
    owners = {route.policy.owner: CITY, route.policy.tenant: TENANT, "city_id": CITY}

    def filled(found: re.Match[str]) -> str:
        return ids.get(found[1], owners.get(found[1], "p1_something"))

    return re.sub(r"\{(\w+)\}", filled, route.path)


@pytest.fixture(scope="module")
def edge() -> Iterator[Api]:
    with Client(app) as client:
        yield Unchecked(client.http)


class Unchecked(Api):
    """Knows that what answers here is a sentinel."""

    def judge(self, *_: Any) -> None:
        pass


@pytest.fixture
def bare(route: Route, monkeypatch: pytest.MonkeyPatch) -> Route:
    """The route with nothing behind its policy."""
    for field, value in {"view": sentinel, "body": None, "raw": None, "effect": False, "if_match": False}.items():
        monkeypatch.setattr(route, field, value)
    return route


def ask(edge: Api, route: Route, token: str | None, **ids: str) -> Any:
    return edge.call(route.method, path_of(route, **ids), token=token, key="")


@pytest.mark.parametrize("route", LOCKED, ids=name_of)
def test_a_policy_is_what_the_edge_does(edge: Api, bare: Route) -> None:
    for kind in ACTOR_KINDS:
        for situation in SITUATIONS if kind in bare.policy.actors else OUTSIDE:
            answer = ask(edge, bare, token(kind, situation, bare.policy.scope))
            wanted = expected(bare.policy, kind, situation)
            assert (answer.status, answer.code) == wanted, f"{name_of(bare)} for {kind}: {situation}"


@pytest.mark.parametrize("route", OPEN, ids=name_of)
def test_what_is_public_asks_for_no_token_and_looks_at_none(edge: Api, bare: Route) -> None:
    for shown in (None, "x.y.z", token("city", "expired", None)):
        assert ask(edge, bare, shown).status == THROUGH


@pytest.mark.parametrize("route", [r for r in LOCKED if r.policy.owner or r.policy.tenant], ids=name_of)
def test_somebody_elses_object_is_as_if_it_were_not_there(
    edge: Api, bare: Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing_there(call: Call) -> Reply:
        raise NotFound

    kind = min(bare.policy.actors)
    mine = token(kind, "owner", bare.policy.scope)
    foreign = [ask(edge, bare, token(kind, s, bare.policy.scope)) for s in SITUATIONS if "another" in s]
    foreign += [ask(edge, bare, mine, city_id=city) for city in (ELSEWHERE, "nowhere", "xiamen.")] * bool(
        bare.policy.owner
    )
    monkeypatch.setattr(bare, "view", nothing_there)
    absent = ask(edge, bare, mine)
    refused = [answer for answer in foreign if answer.status == 404]
    assert refused
    assert {(a.text, str(a.headers)) for a in refused} == {(absent.text, str(absent.headers))}


@pytest.mark.parametrize("route", LOCKED, ids=name_of)
def test_some_actor_gets_through(edge: Api, bare: Route) -> None:
    assert bare.policy.actors
    for kind in bare.policy.actors:
        assert ask(edge, bare, token(kind, "owner", bare.policy.scope)).status == THROUGH


def test_the_matrix_has_every_kind_of_answer() -> None:
    answers = {expected(r.policy, kind, s) for r in LOCKED for kind in ACTOR_KINDS for s in SITUATIONS}
    assert {status for status, _ in answers} == {THROUGH, 401, 403, 404}
    assert (401, "insufficient-authentication") in answers
