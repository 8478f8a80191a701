"""The edge: from an API Gateway request to a service and back. The only core module that knows Chalice.

A route declares, beside its path: who may come (``Policy``), the schema of its body, of its reply, and whether it has
an effect. The order in which a request is checked is the order of refusals, everywhere:

1 content type, size, strict JSON      unsupported-media-type, too-large, malformed-request
2 token, policy                        unauthenticated, forbidden, insufficient-authentication, not-found
3 headers and schema                   idempotency-key-missing, if-match-missing, invalid-request
4 the domain's own refusals
5 the commit                           replay first, then conflicts, then the failed condition's refusal

Source: RFC 9457 (problem+json), RFC 9110 § 13 (conditional requests).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from chalice.app import Blueprint, Response

from chalicelib.core import auth, clock, codec, cursor, effect, intake, log, schema, strict_json, table
from chalicelib.core.auth import Caller, Policy
from chalicelib.core.commit import EffectExists, Unit
from chalicelib.core.errors import (
    Fault,
    InternalError,
    InvalidRequest,
    KeyMissing,
    KeyReused,
    Problem,
    StaleVersion,
    Unauthenticated,
    Unavailable,
    VersionMissing,
)
from chalicelib.core.text import Text

JSON = intake.JSON
PROBLEM_JSON = "application/problem+json"
SVG = "image/svg+xml"
CSV = "text/csv; charset=utf-8"
DRY_RUN_HEADER = "Egret-Dry-Run"
DRY_RUN_STATUS = 200
# A picture opened by itself is a document of this origin to a browser: it may draw, and nothing else.
_PICTURE_ONLY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}
_KEY = re.compile(r"[A-Za-z0-9._~-]{8,64}")
ANYONE = Caller("alliance", "alliance", "", frozenset(), frozenset(), "")


@dataclass(slots=True)
class Call:
    """One request, checked: what a route's function is handed."""

    caller: Caller
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    now: datetime
    unit: Unit
    intent: effect.Intent | None = None
    if_match: str | None = None

    @property
    def dry_run(self) -> bool:
        """Whether only the answer is wanted, not the effect."""
        return self.unit.dry_run

    @property
    def effect_intent(self) -> effect.Intent:
        """The intent of a route that declares an effect."""
        assert self.intent is not None, "this route declares no effect"
        return self.intent

    def expect(self, current: str) -> None:
        """Returns if the caller's ``If-Match`` names ``current``.

        Raises: StaleVersion: it names another version.
        """
        if self.if_match != current:
            raise StaleVersion


@dataclass(frozen=True, slots=True)
class Reply:
    """What a route answers. ``etag`` names the version of what was read or written."""

    body: Any = None
    status: int = 200
    etag: str | None = None
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


class View(Protocol):
    """A route's function."""

    __name__: str
    __doc__: str | None

    def __call__(self, call: Call) -> Reply: ...


@dataclass(slots=True)
class Route:
    """One endpoint and everything it declares; the OpenAPI document and the authorisation tests read this."""

    method: str
    path: str
    view: View
    policy: Policy
    summary: Text
    body: str | None
    reply: str | None
    query: tuple[str, ...]
    effect: bool
    if_match: bool
    status: int
    max_bytes: int
    domain: str
    content_type: str
    problems: tuple[type[Problem], ...]
    raw: str | None = None
    dry_run: bool = False


ROUTES: list[Route] = []


class Routes:
    """A domain's endpoints: a Chalice blueprint behind declarations."""

    def __init__(self, domain: str, import_name: str) -> None:
        self.domain = domain
        self.blueprint = Blueprint(import_name)

    def route(
        self,
        method: str,
        path: str,
        *,
        policy: Policy,
        summary: Text,
        body: str | None = None,
        reply: str | None = None,
        query: tuple[str, ...] = (),
        effect: bool = False,
        if_match: bool = False,
        status: int = 200,
        max_bytes: int = strict_json.MAX_BYTES,
        content_type: str = JSON,
        problems: tuple[type[Problem], ...] = (),
        raw: str | None = None,
        dry_run: bool = False,
    ) -> Callable[[View], View]:
        """Declares one endpoint.

        ``query`` names the parameters it takes; any other is refused. ``raw`` is the content type of a body that is
        taken as bytes, in place of JSON. With ``dry_run``, ``?dry_run=true`` asks what would be, and nothing is done.
        """
        assert raw is None or (raw in intake.RAW_TYPES and body is None), "the gateway knows what comes as bytes"

        def declare(view: View) -> View:
            declared = Route(
                method, path, view, policy, summary, body, reply, query, effect, if_match, status, max_bytes,
                self.domain, content_type, problems, raw, dry_run,
            )  # fmt: skip
            ROUTES.append(declared)
            name = f"{self.domain}_{view.__name__}"
            endpoint = _endpoint(declared, lambda: self.blueprint.current_request)
            self.blueprint.route(path, methods=[method], content_types=["*/*"], name=name)(endpoint)
            return view

        return declare


def _endpoint(route: Route, request: Callable[[], Any]) -> Callable[..., Response]:
    def endpoint(**path: str) -> Response:
        return handle(route, request(), path)

    return endpoint


def handle(route: Route, request: Any, path: Mapping[str, str]) -> Response:
    """The answer to one request. Never raises: every failure is a problem document."""
    started = clock.stopwatch()
    context = getattr(request, "context", None) or {}
    log.request_id.set(str(context.get("requestId", "-")))
    code = None
    try:
        response = _answer(route, request, path)
    except Problem as problem:
        response, code = problem_response(problem), problem.code
    except Exception as error:
        log.crash(error)
        unforeseen = Unavailable(retry_after_seconds=1) if table.is_passing(error) else InternalError()
        response, code = problem_response(unforeseen), unforeseen.code
    log.event(
        "request",
        method=route.method,
        route=route.path,
        status=response.status_code,
        code=code,
        duration_ms=round((clock.stopwatch() - started) * 1000, 1),
    )
    return response


def _answer(route: Route, request: Any, path: Mapping[str, str]) -> Response:
    now = clock.now()
    headers = request.headers
    body = intake.read_body(route, request.raw_body or b"", headers.get("content-type"))
    path = {name: intake.path_id(value) for name, value in path.items()}
    caller = ANYONE
    if not route.policy.public:
        caller = auth.verify(headers.get("authorization"), now)
        auth.authorise(route.policy, caller, path, now)
    intent = _intent(route, caller, headers, path, body)
    if route.if_match and not headers.get("if-match"):
        raise VersionMissing
    if route.body is not None:
        schema.validate(route.body, body)
    query, dry_run = intake.read_query(route, request.query_params or {})
    call = Call(caller, path, query, body, now, Unit(dry_run=dry_run), intent, headers.get("if-match"))
    try:
        return _rehearsed(route, call) if dry_run else _respond(route, call, headers)
    except codec.Unfit as unfit:
        raise InvalidRequest from unfit


def _rehearsed(route: Route, call: Call) -> Response:
    """What the reply would be. It names no version, since there is none, and no earlier effect is looked for."""
    reply = replace(route.view(call), status=DRY_RUN_STATUS, etag=None)
    return encode_reply(replace(reply, headers={**reply.headers, DRY_RUN_HEADER: "true"}), canonical=route.effect)


def _respond(route: Route, call: Call, headers: Mapping[str, str]) -> Response:
    try:
        reply = route.view(call)
    except EffectExists as exists:
        assert call.intent is not None
        return _replayed(route, _effect_row(exists), call.intent)
    except Problem:
        earlier = effect.find(call.intent.effect_id) if call.intent is not None else None
        if earlier is None or call.intent is None:
            raise
        return _replayed(route, earlier, call.intent)
    if reply.etag is not None and route.method == "GET" and _names(headers.get("if-none-match"), reply.etag):
        return Response(body="", status_code=304, headers={"ETag": reply.etag, "Cache-Control": "no-cache"})
    return encode_reply(reply, canonical=route.effect)


def _names(if_none_match: str | None, tag: str) -> bool:
    """Whether the header names this entity tag, alone or among others, strong or weak. Source: RFC 9110 § 13.1.2."""
    return any(part.strip().removeprefix("W/") in {tag, "*"} for part in (if_none_match or "").split(","))


def _effect_row(exists: EffectExists) -> effect.EffectRow:
    assert isinstance(exists.row, effect.EffectRow)
    return exists.row


def _replayed(route: Route, earlier: effect.EffectRow, intent: effect.Intent) -> Response:
    """The stored reply: the same bytes that went out the first time.

    Raises: KeyReused: another body came under the same key; StaleVersion: another change came under the same version.
    """
    try:
        stored = effect.replay(earlier, intent)
    except KeyReused:
        if route.if_match:
            raise StaleVersion from None
        raise
    headers: dict[str, str | list[str]] = {"Content-Type": JSON, "Cache-Control": "no-store"}
    headers["Idempotency-Replayed"] = "true"
    return Response(body=stored.reply, status_code=route.status, headers=headers)


def _intent(
    route: Route, caller: Caller, headers: Mapping[str, str], path: Mapping[str, str], body: Any
) -> effect.Intent | None:
    if not route.effect:
        return None
    if route.method == "PUT":
        # A change of a version names it: the same change again is the same effect.
        return _intend(route, caller, etag(headers.get("if-match"), *path.values()), path, body)
    key = headers.get("idempotency-key")
    if not key or not _KEY.fullmatch(key):
        said = Text(
            "需要 Idempotency-Key 请求头：8 至 64 位字母、数字或 ._~-",
            "An Idempotency-Key header is needed: 8 to 64 letters, digits or ._~-",
        )
        raise KeyMissing(said)
    return _intend(route, caller, key, path, body)


def _intend(route: Route, caller: Caller, key: str, path: Mapping[str, str], body: Any) -> effect.Intent:
    verb = f"{route.method} {route.path}"
    asked = [dict(path), intake.what_was_sent(body)]
    return effect.intend(caller.city_id, caller.kind, caller.tenant, verb, key, asked, person=caller.person)


def problem_response(problem: Problem) -> Response:
    """A refusal as problem+json, in both languages."""
    document: dict[str, Any] = {
        "type": f"https://egret.invalid/problems/{problem.code}",
        "title": problem.title.en,
        "title_zh": problem.title.zh,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail.en,
        "detail_zh": problem.detail.zh,
        "request_id": log.request_id.get(),
    }
    if problem.faults:
        document["errors"] = [_fault(fault) for fault in problem.faults]
    headers: dict[str, str | list[str]] = {"Content-Type": PROBLEM_JSON, "Cache-Control": "no-store"}
    if problem.retry_after_seconds is not None:
        headers["Retry-After"] = str(problem.retry_after_seconds)
    if problem.status == Unauthenticated.status:
        headers["WWW-Authenticate"] = _challenge(problem)
    return Response(body=codec.to_json(document), status_code=problem.status, headers=headers)


def _challenge(problem: Problem) -> str:
    """Source: RFC 6750 § 3, RFC 9470 § 3."""
    if isinstance(problem, Unauthenticated):
        return 'Bearer error="invalid_token"'
    return f'Bearer error="insufficient_user_authentication", max_age="{auth.LIVENESS_SECONDS}"'


def _fault(fault: Fault) -> dict[str, str]:
    return {"pointer": fault.pointer, "detail": fault.detail.en, "detail_zh": fault.detail.zh}


def encode_reply(reply: Reply, *, canonical: bool = False) -> Response:
    """A reply as Chalice wants it: the body already text, so that no number passes through its encoder."""
    headers: dict[str, str | list[str]] = {
        "Content-Type": reply.content_type,
        "Cache-Control": "no-store",
        **reply.headers,
    }
    if reply.etag is not None:
        headers["ETag"] = reply.etag
        headers["Cache-Control"] = "no-cache"
    if reply.content_type == SVG:
        headers |= _PICTURE_ONLY
    text = reply.body
    if reply.content_type == JSON:
        text = codec.canonical(text) if canonical else codec.to_json(text)
    return Response(body=text, status_code=reply.status, headers=headers)


def etag(*parts: object) -> str:
    """The entity tag of a version."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()
    return f'"{digest[:20]}"'


def paged(call: Call, purpose: str, read: Callable[[int, Any], tuple[Sequence[Any], Any]]) -> Reply:
    """One page of a list, by the query's ``limit`` and ``cursor``.

    Args:
        purpose: What binds a cursor to its list: the route, whoever asks, the filters.
        read: Gives so many items after a position (None: from the first on), and the position to go on after (None at
            the end).

    Raises: CursorInvalid; InvalidRequest: as ``page_size``; in this order.
    """
    after = cursor.open_cursor(call.query.get("cursor"), purpose)
    found, last = read(page_size(call.query), after)
    return Reply({"items": found, "next": cursor.make_cursor(last, purpose)})


def page_size(query: Mapping[str, str], default: int = 50, most: int = 200) -> int:
    """The ``limit`` of a listing.

    Raises: InvalidRequest: not a whole number from 1 to ``most``.
    """
    text = query.get("limit", str(default))
    if not (len(text) <= len(str(most)) and text.isascii() and text.isdigit() and 1 <= int(text) <= most):
        said = Text("limit 须为 1 至 {most} 的整数", "limit is a whole number from 1 to {most}")
        raise InvalidRequest.at("", said.format(most=most))
    return int(text)
