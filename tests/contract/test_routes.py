"""Every route says who may come, what it takes, what it gives and what it refuses. A new one is judged at once."""

from __future__ import annotations

import re

import pytest

from app import app
from chalicelib.core import schema
from chalicelib.core.errors import Problem
from chalicelib.core.http import CSV, JSON, ROUTES, SVG, Route
from chalicelib.core.intake import RAW_TYPES
from infra.openapi import problems_of
from tests.conftest import Api

assert app.routes


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


# A POST that only computes, or whose writes carry their own version, needs no Idempotency-Key.
WITHOUT_KEY = {
    "POST /v1/conversions",
    "POST /v1/cities/{city_id}/distribution-plots",
    "POST /v1/cities/{city_id}/scenario-lint",
    "POST /v1/cities/{city_id}/scores",
    "POST /v1/cities/{city_id}/score-imports/{job_id}/rows",
}
# A PUT whose body carries what it replaces: the score's time and revision.
WITHOUT_IF_MATCH = {"PUT /v1/cities/{city_id}/subjects/{subject_id}/score"}
# A city's path that another actor than this city changes: the alliance, or either party of an agreement.
WITHOUT_OWNER = {
    "PUT /v1/cities/{city_id}",
    "POST /v1/cities/{city_id}/agreements/{agreement_id}/sign",
    "POST /v1/cities/{city_id}/agreements/{agreement_id}/end",
    "POST /v1/me/credit-lines/{city_id}/{bank_id}/repayments",
}
every_route = pytest.mark.parametrize("route", ROUTES, ids=name_of)


def test_every_route_is_declared_once_and_served() -> None:
    names = [name_of(route) for route in ROUTES]
    assert len(set(names)) == len(names)
    served = {f"{method} {path}" for path, methods in app.routes.items() for method in methods}
    assert served == set(names)


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [(route.domain, route.view.__name__) for route in ROUTES]
    assert len(set(names)) == len(names)


@every_route
def test_a_path_is_words_and_ids(route: Route) -> None:
    assert re.fullmatch(r"/v1(/[a-z][a-z-]*|/\{[a-z_]+\})+", route.path)
    for parameter in parameters(route):
        assert parameter.endswith("_id") or parameter in {"version", "kind", "day", "month"}
    assert len(set(parameters(route))) == len(parameters(route))


def parameters(route: Route) -> list[str]:
    return re.findall(r"\{(\w+)\}", route.path)


@every_route
def test_a_summary_is_in_both_languages(route: Route) -> None:
    assert re.search(r"[\u4e00-\u9fff]", route.summary.zh)
    assert re.search(r"[A-Za-z]{3}", route.summary.en)
    assert not re.search(r"[\u4e00-\u9fff]", route.summary.en)


@every_route
def test_what_goes_in_and_out_has_a_schema(route: Route) -> None:
    documents = schema.documents()
    assert route.body is None or route.body in documents
    assert route.content_type in {JSON, SVG, CSV}
    assert (route.reply is not None) == (route.content_type == JSON)
    assert route.reply is None or route.reply in documents
    assert (route.body is None and route.raw is None) or route.method in {"POST", "PUT", "PATCH"}


@every_route
def test_bytes_come_through_the_gateway_and_through_lambda(route: Route) -> None:
    assert route.raw is None or route.raw in RAW_TYPES
    assert route.raw is None or route.body is None
    # Lambda takes 6 MB of a request, and the gateway has made four bytes of three by then.
    assert route.max_bytes <= 4_000_000


@every_route
def test_only_what_has_an_effect_can_be_tried_without(route: Route) -> None:
    assert route.effect or not route.dry_run
    assert "dry_run" not in route.query


@every_route
def test_a_write_is_made_once_or_names_its_version(route: Route) -> None:
    if route.method == "POST":
        assert route.effect == (name_of(route) not in WITHOUT_KEY)
        assert not route.if_match
    else:
        assert route.effect == route.if_match
        assert route.if_match == (route.method in {"PUT", "PATCH"} and name_of(route) not in WITHOUT_IF_MATCH)
    assert route.status == 200 or (route.status == 201 and route.effect)


@every_route
def test_a_policy_fits_its_path(route: Route) -> None:
    policy = route.policy
    assert {policy.owner, policy.tenant} - {None} <= set(parameters(route))
    if policy.public:
        assert route.method == "GET"
        assert policy.scope is None
        assert not policy.liveness
        return
    # A citizen's own line may be in any city.
    if "city_id" in parameters(route) and not route.path.startswith("/v1/me/"):
        assert (policy.owner == "city_id") == (name_of(route) not in WITHOUT_OWNER)
    if "partner_id" in parameters(route):
        assert policy.tenant == "partner_id" or policy.actors == {"city"}
    if route.method != "GET" and policy.actors != {"citizen"}:
        assert policy.scope is not None
    assert ("citizen" in policy.actors) == route.path.startswith("/v1/me")
    assert not policy.liveness or policy.actors == {"citizen"}


@every_route
def test_query_parameters_are_plain_words(route: Route) -> None:
    assert all(re.fullmatch(r"[a-z_]+", name) for name in route.query)
    assert ("limit" in route.query) == ("cursor" in route.query)
    if "cursor" in route.query:
        assert route.reply is not None
        assert set(schema.documents()[route.reply]["required"]) >= {"items", "next"}


@every_route
def test_refusals_are_declared_once(route: Route) -> None:
    assert len(set(route.problems)) == len(route.problems)
    for problem in route.problems:
        assert issubclass(problem, Problem)
        assert problem.code
    codes = [problem.code for problem in problems_of(route)]
    assert len(set(codes)) == len(codes)


def test_what_no_route_serves_is_not_served(api: Api) -> None:
    token = api.as_alliance()
    for method, path in (
        ("GET", "/v1/nothing"),
        ("DELETE", "/v1/cities"),
        ("PATCH", "/v1/cities/xiamen"),
        ("GET", "/"),
    ):
        answer = api.call(method, path, token=token)
        assert answer.status in {403, 404, 405}
