"""What is asked of every reply that any test sees: it is what its route declares.

``jsonschema`` judges here and ``jsonschema-rs`` in the app, so each keeps the other honest.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any, Protocol

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from chalicelib.core import schema
from chalicelib.core.errors import all_problems
from chalicelib.core.http import JSON, PROBLEM_JSON, ROUTES, Route
from infra.openapi import problems_of

FORMATS = FormatChecker(formats=("date",))


class Answered(Protocol):
    """A reply as a caller sees it."""

    status: int
    headers: dict[str, str]
    text: str


def check(method: str, path: str, answer: Answered) -> None:
    """Asserts that the reply is one that the called route declares. What no route answers is not judged."""
    route = route_of(method, path.partition("?")[0])
    if route is None:
        return
    if answer.status >= 400:
        _check_problem(route, answer)
    elif answer.status == 304:
        assert answer.text == ""
    else:
        _check_success(route, answer)


def _check_success(route: Route, answer: Answered) -> None:
    place = f"{route.method} {route.path}"
    tried = answer.headers.get("egret-dry-run") == "true"
    assert route.dry_run or not tried, f"{place} declares no dry run and answers one"
    wanted = 200 if tried else route.status
    assert answer.status == wanted, f"{place} declares {wanted} and answers {answer.status}"
    assert answer.headers["content-type"] == route.content_type, f"{place} answers {answer.headers['content-type']}"
    if route.content_type == JSON:
        assert route.reply is not None, f"{place} answers JSON and declares no schema for it"
        faults = [f"{e.json_path}: {e.message}" for e in validator(route.reply).iter_errors(json.loads(answer.text))]
        assert not faults, f"the reply of {place} does not fit {route.reply}: {faults[:3]}"


def _check_problem(route: Route, answer: Answered) -> None:
    assert answer.headers["content-type"] == PROBLEM_JSON
    document = json.loads(answer.text)
    faults = [f"{e.json_path}: {e.message}" for e in validator("problem.json").iter_errors(document)]
    assert not faults, f"not a problem document: {faults[:3]}"
    known = [problem for problem in all_problems() if problem.code == document["code"]]
    assert known, f"{document['code']} is not in the closed list"
    assert document["status"] == answer.status == known[0].status
    declared = {problem.code for problem in problems_of(route)}
    place = f"{route.method} {route.path}"
    assert document["code"] in declared, f"{place} answers {document['code']} and does not declare it in problems=(…)"


def route_of(method: str, path: str) -> Route | None:
    """The route that serves a path: of several the one that says it more plainly."""
    serving = (r for r in ROUTES if r.method == method and _pattern(r.path).fullmatch(path))
    return min(serving, key=lambda route: route.path.count("{"), default=None)


@lru_cache(maxsize=1024)
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile("".join("[^/]+" if part.startswith("{") else re.escape(part) for part in _parts(path)))


def _parts(path: str) -> list[str]:
    return re.split(r"(\{\w+\})", path)


@lru_cache(maxsize=1)
def _registry() -> Registry[Any]:
    resources = [(d["$id"], DRAFT202012.create_resource(d)) for d in schema.documents().values()]
    return Registry().with_resources(resources)


@lru_cache(maxsize=512)
def validator(name: str) -> Draft202012Validator:
    """The judge of a schema, by its path in ``schemas/``."""
    return Draft202012Validator(schema.documents()[name], registry=_registry(), format_checker=FORMATS)
