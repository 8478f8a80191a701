"""The OpenAPI 3.1 document, from what the routes declare and from ``schemas/``: ``python -m infra.openapi``.

Nothing is written down twice: a route's policy, headers, parameters, bodies and refusals are read from its declaration.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from app import app
from chalicelib.core import errors, http, intake, schema
from chalicelib.core.cursor import CursorInvalid
from chalicelib.core.errors import Problem
from chalicelib.core.http import JSON, PROBLEM_JSON, ROUTES, Route
from chalicelib.core.text import Text

VERSION = "3.1.0"
PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"
DOMAINS = {
    "cities": Text("城市与互认协议", "Cities and recognition agreements"),
    "partners": Text("合作机构", "Partners"),
    "ledger": Text("账簿与对账单", "Books and statements"),
    "linking": Text("分数对照", "Concordances between score scales"),
    "subjects": Text("信用主体与授权", "Citizens and consents"),
    "records": Text("信用记录", "Credit records"),
    "scores": Text("信用分", "Scores"),
    "scenarios": Text("应用场景与判定", "Scenarios and decisions"),
    "offers": Text("优惠与核销", "Offers and redemptions"),
    "medical": Text("信用就医", "Medical credit"),
}

_COMMON = "common.json"
_SCHEMAS = "#/components/schemas/"
_TOKEN = {"type": "string", "pattern": "^[A-Za-z0-9._~-]{1,160}$"}
_LIMIT = {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}
_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "同一请求重试时沿用同一个键 · The same key for every try of the same request",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._~-]{8,64}$"},
}
_IF_MATCH: dict[str, Any] = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "读取时得到的 ETag · The ETag of what was read",
    "schema": {"type": "string"},
}
_DRY_RUN: dict[str, Any] = {
    "name": intake.DRY_RUN,
    "in": "query",
    "required": False,
    "description": "为 true 时只试算，不写入，可用同一个键再正式提交 · With true, says what would be and does nothing; "
    "the key may be used again for the real request",
    "schema": {"type": "boolean", "default": False},
}
_TEXT = {"schema": {"type": "string"}}
_SAID_TRUE = {"schema": {"type": "string", "enum": ["true"]}}
_SECONDS = {"schema": {"type": "integer", "minimum": 0}}
_HEADERS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": _TEXT},
    429: {"Retry-After": _SECONDS},
    503: {"Retry-After": _SECONDS},
}


def document() -> dict[str, Any]:
    """The document of every route that the app serves."""
    assert app.routes, "importing the app registers its routes"
    paths: dict[str, dict[str, Any]] = {}
    for route in sorted(ROUTES, key=lambda route: route.path):
        paths.setdefault(route.path, {})[route.method.lower()] = operation(route)
    problems = sorted({p for route in ROUTES for p in problems_of(route)}, key=lambda problem: problem.code)
    responses = {problem.code: _refusal([problem]) for problem in problems}
    project = tomllib.loads(PROJECT.read_text("utf-8"))["project"]
    return {
        "openapi": VERSION,
        "info": {
            "title": "白鹭 Egret",
            "version": project["version"],
            "description": project["description"],
            "license": {"name": project["license"], "identifier": project["license"]},
        },
        "servers": [{"url": "/"}],
        "tags": [_tag(domain) for domain in dict.fromkeys(route.domain for route in ROUTES)],
        "paths": paths,
        "components": {
            "schemas": components([paths, responses]),
            "responses": responses,
            "examples": {problem.code: _example(problem) for problem in problems},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "RFC 9068"}},
        },
    }


def _tag(domain: str) -> dict[str, Any]:
    words = (importlib.import_module(f"chalicelib.{domain}").__doc__ or "").strip().partition("\n\n")[0]
    name = DOMAINS[domain]
    return {"name": domain, "description": f"{name.zh} · {name.en}\n\n{words}", "x-name-zh": name.zh}


def operation(route: Route) -> dict[str, Any]:
    """One endpoint."""
    policy = route.policy
    described: dict[str, Any] = {
        "operationId": f"{route.domain}_{route.view.__name__}",
        "tags": [route.domain],
        "summary": f"{route.summary.zh} · {route.summary.en}",
        "description": "\n\n".join(filter(None, [route.view.__doc__, _who(route)])),
        "parameters": list(_parameters(route)),
        "responses": {**_successes(route), **_refusals(problems_of(route))},
        "security": [] if policy.public else [{"bearer": [policy.scope] if policy.scope else []}],
        "x-actors": sorted(policy.actors),
        "x-scope": policy.scope,
        "x-liveness": policy.liveness,
    }
    if route.body is not None or route.raw is not None:
        described["requestBody"] = _request_body(route)
    return described


def _request_body(route: Route) -> dict[str, Any]:
    if route.body is not None:
        return {"required": True, "content": {JSON: {"schema": {"$ref": _ref(route.body)}}}}
    assert route.raw is not None, "a route with a body takes JSON or bytes"
    said = f"最多 {route.max_bytes} 字节，原样读取 · At most {route.max_bytes} bytes, read as they are"
    shape = {"type": "string", "contentMediaType": route.raw}
    return {"required": True, "description": said, "content": {route.raw: {"schema": shape}}}


def _who(route: Route) -> str:
    policy = route.policy
    if policy.public:
        return "公开 · Public"
    said = [f"可调用者 · Who may come: {', '.join(sorted(policy.actors))}"]
    said += [f"权限 · Scope: `{policy.scope}`"] if policy.scope else []
    said += ["须五分钟内完成人脸核验 · A face check within the last five minutes"] if policy.liveness else []
    return "\n\n".join(said)


def _parameters(route: Route) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"\{(\w+)\}", route.path):
        yield {"name": name, "in": "path", "required": True, "schema": _parameter(name)}
    for name in route.query:
        yield {"name": name, "in": "query", "required": False, "schema": _parameter(name)}
    if route.dry_run:
        yield _DRY_RUN
    if route.effect:
        yield _KEY
    if route.if_match:
        yield _IF_MATCH


def _parameter(name: str) -> dict[str, Any]:
    if name in {"limit", "cursor"}:
        return _LIMIT if name == "limit" else {"type": "string"}
    shared = schema.documents()[_COMMON]["$defs"].get(name, {})
    return {"$ref": _ref(f"{_COMMON}#/$defs/{name}")} if shared.get("type") == "string" else _TOKEN


def _successes(route: Route) -> dict[str, Any]:
    """The answer; where a dry run is answered by another status, that one, too."""
    headers: dict[str, Any] = {"ETag": _TEXT}
    if route.effect:
        headers["Idempotency-Replayed"] = _SAID_TRUE
    tried = {http.DRY_RUN_HEADER: _SAID_TRUE}
    if not route.dry_run:
        return {str(route.status): _success(route, headers)}
    if route.status == http.DRY_RUN_STATUS:
        return {str(route.status): _success(route, {**headers, **tried})}
    return {str(http.DRY_RUN_STATUS): _success(route, tried), str(route.status): _success(route, headers)}


def _success(route: Route, headers: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {"description": f"{route.summary.zh} · {route.summary.en}", "headers": headers}
    shape: dict[str, Any] = {"$ref": _ref(route.reply)} if route.reply is not None else {"type": "string"}
    said["content"] = {route.content_type.partition(";")[0]: {"schema": shape}}
    return said


def problems_of(route: Route) -> list[type[Problem]]:
    """Every refusal this route may give: its own, and those that follow from what it declares."""
    found: list[type[Problem]] = [errors.InvalidRequest, errors.NotFound]
    if not route.policy.public:
        found += [errors.Unauthenticated, errors.Forbidden]
    if route.policy.liveness:
        found += [errors.InsufficientAuthentication]
    if route.body is not None:
        found += [errors.MalformedRequest]
    if route.body is not None or route.raw is not None:
        found += [errors.TooLarge, errors.UnsupportedMediaType]
    if "cursor" in route.query:
        found += [CursorInvalid]
    if route.effect:
        found += [errors.KeyMissing, errors.KeyReused]
    if route.if_match:
        found += [errors.VersionMissing]
    if route.method != "GET":
        found += [errors.StaleVersion, errors.Conflict]
    found += [*route.problems, errors.TooManyRequests, errors.InternalError, errors.Unavailable]
    return list(dict.fromkeys(found))


def _refusals(problems: Sequence[type[Problem]]) -> dict[str, Any]:
    ordered = sorted(problems, key=lambda problem: (problem.status, problem.code))
    groups = [list(group) for _, group in groupby(ordered, key=lambda problem: problem.status)]
    shared = "#/components/responses/"
    return {
        str(group[0].status): {"$ref": shared + group[0].code} if len(group) == 1 else _refusal(group)
        for group in groups
    }


def _refusal(group: Sequence[type[Problem]]) -> dict[str, Any]:
    """The answer of one status, with the codes that it may have."""
    codes = [problem.code for problem in group]
    content = {
        "schema": {"$ref": _ref("problem.json"), "properties": {"code": {"enum": codes}}},
        "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in codes},
    }
    words = [f"- `{problem.code}` {problem.title.zh} · {problem.title.en}" for problem in group]
    headers = _HEADERS.get(group[0].status, {})
    return {"description": "\n".join(words), "headers": headers, "content": {PROBLEM_JSON: content}}


def _example(problem: type[Problem]) -> dict[str, Any]:
    value = json.loads(http.problem_response(problem()).body) | {"request_id": "-"}
    return {"summary": problem.title.zh, "value": value}


def components(described: Any) -> dict[str, Any]:
    """The schemas that ``described`` refers to, and those that they refer to, under the names of components."""
    named = dict(_definitions())
    found: dict[str, Any] = {}
    waiting = list(_refs(described))
    while waiting:
        name = waiting.pop().rpartition("/")[2]
        if name not in found:
            found[name] = named[name]
            waiting += _refs(named[name])
    return dict(sorted(found.items()))


def _definitions() -> Iterator[tuple[str, Any]]:
    for path, content in schema.documents().items():
        for name, definition in content.get("$defs", {}).items():
            yield _name(f"{path}#/$defs/{name}"), _rewritten(definition, path)
        whole = {key: value for key, value in content.items() if key not in {"$schema", "$id", "$defs"}}
        yield _name(path), _rewritten(whole, path)


def _rewritten(part: Any, path: str) -> Any:
    """The same schema with its references pointing into the document."""
    if isinstance(part, list):
        return [_rewritten(each, path) for each in part]
    if not isinstance(part, dict):
        return part
    return {
        key: _ref(_target(value, path)) if key == "$ref" and isinstance(value, str) else _rewritten(value, path)
        for key, value in part.items()
    }


def _target(ref: str, path: str) -> str:
    return path + ref if ref.startswith("#") else ref.removeprefix("egret:/")


def _name(target: str) -> str:
    """``cities/scale.json#/$defs/x`` → ``cities.scale.x``."""
    path, _, inner = target.partition("#/$defs/")
    assert path.endswith(".json"), "a schema refers to another one, or to a definition in one"
    assert "/" not in inner, "a schema refers to another one, or to a definition in one"
    return ".".join(filter(None, [path.removesuffix(".json").replace("/", "."), inner]))


def _ref(target: str) -> str:
    return _SCHEMAS + _name(target)


def _refs(part: Any) -> Iterator[str]:
    if isinstance(part, list):
        for each in part:
            yield from _refs(each)
    elif isinstance(part, dict):
        for key, value in part.items():
            if key == "$ref" and isinstance(value, str):
                yield from [value] if value.startswith(_SCHEMAS) else []
            else:
                yield from _refs(value)


if __name__ == "__main__":
    json.dump(document(), sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")
