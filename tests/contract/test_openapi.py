"""The document is valid, whole and true to the declarations; the page that shows it asks nobody outside."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import validate

from chalicelib.core import http
from chalicelib.core.http import ROUTES, Route
from infra import openapi
from infra.local import reference
from tests.unit.core import edge

DOCUMENT = openapi.document()


def operation(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][route.path][route.method.lower()]
    return found


def refs(part: Any) -> Iterator[str]:
    if isinstance(part, list):
        for each in part:
            yield from refs(each)
    elif isinstance(part, dict):
        for key, value in part.items():
            yield from [value] if key == "$ref" else refs(value)


def test_the_document_is_valid() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    validate(DOCUMENT)


def test_every_reference_leads_somewhere() -> None:
    for ref in set(refs(DOCUMENT)):
        found: Any = DOCUMENT
        for step in ref.removeprefix("#/").split("/"):
            found = found[step]
        assert found


def test_every_component_is_used() -> None:
    used = set(refs(DOCUMENT))
    for kind in ("schemas", "examples", "responses"):
        names = {f"#/components/{kind}/{name}" for name in DOCUMENT["components"][kind]}
        assert kind == "responses" or names <= used


def test_nothing_of_the_inside_shows() -> None:
    text = json.dumps(DOCUMENT)
    assert "egret:/" not in text
    assert "$defs" not in text


@pytest.mark.parametrize("route", ROUTES, ids=lambda r: f"{r.method} {r.path}")
def test_every_route_is_in_it_with_all_it_declares(route: Route) -> None:
    said = operation(route)
    parameters = {(p["in"], p["name"]): p for p in said["parameters"]}
    assert {name for where, name in parameters if where == "path"} == set(re.findall(r"\{(\w+)\}", route.path))
    assert {name for where, name in parameters if where == "query"} == {*route.query, *["dry_run"] * route.dry_run}
    assert (("header", "Idempotency-Key") in parameters) == route.effect
    assert (("header", "If-Match") in parameters) == route.if_match
    assert ("requestBody" in said) == (route.body is not None or route.raw is not None)
    assert route.raw is None or list(said["requestBody"]["content"]) == [route.raw]
    assert (said["security"] == []) == route.policy.public
    assert (said["x-actors"], said["x-scope"]) == (sorted(route.policy.actors), route.policy.scope)
    assert str(route.status) in said["responses"]
    assert ("Egret-Dry-Run" in said["responses"].get("200", {}).get("headers", {})) == route.dry_run
    assert said["tags"] == [route.domain]


@pytest.mark.parametrize("route", ROUTES, ids=lambda r: f"{r.method} {r.path}")
def test_every_refusal_of_a_route_is_in_it(route: Route) -> None:
    for problem in openapi.problems_of(route):
        response = operation(route)["responses"][str(problem.status)]
        if "$ref" in response:
            response = DOCUMENT["components"]["responses"][response["$ref"].rpartition("/")[2]]
        content = response["content"]["application/problem+json"]
        assert problem.code in content["schema"]["properties"]["code"]["enum"]
        assert problem.title.zh in response["description"]


@pytest.mark.parametrize(("status", "answers"), [(200, {"200"}), (201, {"200", "201"})])
def test_a_dry_run_is_described_with_its_own_answer(status: int, answers: set[str]) -> None:
    tried = openapi.operation(
        edge.route(lambda call: http.Reply(), method="POST", effect=True, dry_run=True, status=status)
    )
    (parameter,) = (p for p in tried["parameters"] if p["in"] == "query")
    assert (parameter["name"], parameter["required"], parameter["schema"]["type"]) == ("dry_run", False, "boolean")
    assert {code for code in tried["responses"] if code < "300"} == answers
    assert "Egret-Dry-Run" in tried["responses"]["200"]["headers"]
    assert ("Egret-Dry-Run" in tried["responses"][str(status)]["headers"]) == (status == 200)
    assert ("Idempotency-Replayed" in tried["responses"]["200"]["headers"]) == (status == 200)


def test_operations_and_tags_have_names() -> None:
    ids = [operation(route)["operationId"] for route in ROUTES]
    assert len(set(ids)) == len(ids) == sum(map(len, DOCUMENT["paths"].values()))
    for tag in DOCUMENT["tags"]:
        assert re.search(r"[\u4e00-\u9fff]", tag["description"])
    assert {tag["name"] for tag in DOCUMENT["tags"]} == {route.domain for route in ROUTES}


def test_the_same_declarations_give_the_same_document() -> None:
    assert json.dumps(openapi.document()) == json.dumps(DOCUMENT)


def test_it_is_printed_without_an_environment() -> None:
    command = [sys.executable, "-m", "infra.openapi"]
    printed = subprocess.run(command, capture_output=True, check=True, env={"PATH": ""}, cwd=openapi.PROJECT.parent)
    assert json.loads(printed.stdout) == DOCUMENT


PAGE = ["/docs", "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/docs/start.js", "/docs/favicon-32x32.png"]


@pytest.mark.parametrize("path", [*PAGE, "/docs/"])
def test_the_reference_page_is_whole(path: str) -> None:
    found = reference.asset(path)
    assert found is not None
    assert len(found[1]) > 300
    assert found[0].partition("/")[0] in {"text", "image"}


def test_the_page_loads_only_what_is_served_here() -> None:
    page = str((reference.asset("/docs") or ("", b""))[1], "utf-8")
    asked = re.findall(r'(?:href|src)="([^"]+)"', page)
    assert asked
    for path in asked:
        assert reference.asset(path), path
    assert "default-src 'none'" in page
    assert "'unsafe-eval'" not in page


@pytest.mark.parametrize("path", PAGE)
def test_nothing_served_reaches_outside(path: str) -> None:
    content = (reference.asset(path) or ("", b""))[1]
    assert b"validator.swagger.io" not in content
    if not path.endswith("bundle.js"):
        assert set(re.findall(rb"(?:https?:)?//([a-z0-9-]+(?:\.[a-z0-9-]+)+)", content)) <= {b"www.w3.org"}


@pytest.mark.parametrize(
    "path",
    ["/docs/nothing.js", "/docs/../__init__.py", "/docs/index.template.html", "/docs/LICENSE", "/doc", "/docs/a/b.js"],
)
def test_other_files_are_not_served(path: str) -> None:
    assert reference.asset(path) is None
