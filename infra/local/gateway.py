"""API Gateway on one computer, before the same handlers that Lambda runs.

Routing and events are Chalice's own (``chalice.local``); what API Gateway answers by itself (unknown paths and methods,
bodies too large) is answered here as ``infra/*.yaml`` makes API Gateway answer: problem+json, and no header echoed.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping
from typing import Any

from chalice.app import Chalice
from chalice.config import Config
from chalice.local import LocalChalice, LocalGateway

from chalicelib.core.errors import MalformedRequest, MethodNotAllowed, NotFound, Problem, TooLarge
from chalicelib.core.http import problem_response
from chalicelib.core.intake import RAW_TYPES
from chalicelib.core.text import Text

Answered = tuple[int, dict[str, str], bytes]
_UNREADABLE = {
    414: Text("请求路径过长", "The path of the request is too long"),
    431: Text("请求头过多或过长", "The headers of the request are too many or too long"),
    505: Text("只支持 HTTP/1.1", "Only HTTP/1.1 is spoken here"),
}


class Gateway(LocalGateway):
    """Chalice's local gateway, with request ids, and bytes in base64, as API Gateway gives them."""

    def __init__(self, app: Chalice) -> None:
        app.__class__ = LocalChalice
        super().__init__(app, Config())

    def _generate_lambda_event(self, method: str, path: str, headers: Any, body: bytes | None) -> Any:
        event = super()._generate_lambda_event(method, path, headers, body)
        event["requestContext"]["requestId"] = str(uuid.uuid4())
        if body and event["headers"].get("content-type", "").partition(";")[0].strip().lower() in RAW_TYPES:
            event["body"], event["isBase64Encoded"] = base64.b64encode(body).decode(), True
        return event

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answered:
        """Status, headers and body for one request."""
        try:
            event = self._generate_lambda_event(method, path, dict(headers), body)
        except ValueError:
            return _refusal(NotFound())
        known = self._app_object.routes[event["requestContext"]["resourcePath"]]
        if method not in known:
            status, sent, text = _refusal(MethodNotAllowed())
            return status, {**sent, "Allow": ", ".join(sorted(known))}, text
        response = self._app_object(event, self._generate_lambda_context())
        return response["statusCode"], dict(response["headers"]), (response["body"] or "").encode()

    def no_length(self) -> Answered:
        """The answer to a request that does not say how long it is."""
        return _refusal(MalformedRequest(Text("请求须带 Content-Length", "A request states its Content-Length")))

    def unreadable(self, code: int) -> Answered:
        """The answer to what is no request of HTTP/1.1 that anybody here serves; ``code`` is HTTP's word for it."""
        if code == 501:
            return _refusal(MethodNotAllowed())
        return _refusal(MalformedRequest(_UNREADABLE.get(code)))

    def too_large(self) -> Answered:
        """The answer to a body beyond what API Gateway takes."""
        return _refusal(TooLarge())


def _refusal(problem: Problem) -> Answered:
    response = problem_response(problem)
    return response.status_code, {k: str(v) for k, v in response.headers.items()}, str(response.body).encode()
