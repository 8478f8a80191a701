"""Routes of no domain, and requests as the gateway hands them over."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from chalice.app import Request, Response

from chalicelib.core import http
from chalicelib.core.auth import PUBLIC
from chalicelib.core.http import Call, Reply, Route
from chalicelib.core.strict_json import MAX_BYTES
from chalicelib.core.text import Text

REQUEST_ID = "11111111-2222-3333-4444-555555555555"


def route(view: Callable[[Call], Reply], **changes: Any) -> Route:
    """A route that is in no registry."""
    made: dict[str, Any] = {
        "method": "GET",
        "path": "/v1/probes/{city_id}",
        "view": view,
        "policy": PUBLIC,
        "summary": Text("探针", "Probe"),
        "body": None,
        "reply": None,
        "query": (),
        "effect": False,
        "if_match": False,
        "status": 200,
        "max_bytes": MAX_BYTES,
        "domain": "probes",
        "content_type": http.JSON,
        "problems": (),
        "raw": None,
        "dry_run": False,
    }
    return Route(**{**made, **changes})


@dataclass
class Sent:
    """What came back."""

    response: Response

    @property
    def status(self) -> int:
        return int(self.response.status_code)

    @property
    def headers(self) -> Mapping[str, Any]:
        return dict(self.response.headers)

    @property
    def text(self) -> str:
        return str(self.response.body)

    @property
    def body(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> str | None:
        return self.body["code"] if self.status >= 400 else None


def send(
    to: Route,
    body: bytes | None = None,
    *,
    path: dict[str, str] | None = None,
    query: str = "",
    headers: dict[str, str] | None = None,
) -> Sent:
    """One request through the edge."""
    event = {
        "requestContext": {"httpMethod": to.method, "resourcePath": to.path, "requestId": REQUEST_ID},
        "headers": {"content-type": "application/json", **(headers or {})},
        "multiValueQueryStringParameters": parse_qs(query, keep_blank_values=True) or None,
        "pathParameters": path,
        "stageVariables": None,
        "body": None if body is None else body.decode("latin-1") if body.isascii() else body,
        "isBase64Encoded": False,
    }
    return Sent(http.handle(to, Request(event, None), path or {"city_id": "xiamen"}))
