"""What a request brings, read as its route declares it: body, ids in the path, query. Knows nothing of tokens.

A raw body is what its sender's program wrote, byte by byte; what charset it is in is its route's business.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from chalicelib.core import strict_json
from chalicelib.core.errors import InvalidRequest, NotFound, UnsupportedMediaType
from chalicelib.core.text import Text

if TYPE_CHECKING:
    from chalicelib.core.http import Route

JSON = "application/json"
# What may be taken raw. API Gateway must be told, or it takes the bytes for UTF-8: ``infra/template.py`` tells it.
RAW_TYPES = ("text/csv",)
DRY_RUN = "dry_run"
_ID = re.compile(r"[A-Za-z0-9._~-]{1,160}")


def read_body(route: Route, raw: bytes, content_type: str | None) -> Any:
    """The body: strict JSON's value, the bytes of a raw body, or None where the route takes none.

    Raises: InvalidRequest: a body where none is taken; UnsupportedMediaType; TooLarge; MalformedRequest: not JSON.
    """
    wanted = route.raw or (JSON if route.body is not None else None)
    if wanted is None:
        if raw.strip():
            raise InvalidRequest.at("", Text("此请求不接受请求体", "This request takes no body"))
        return None
    if (content_type or "").split(";")[0].strip().lower() != wanted:
        said = Text("请求体应为 {type}", "The body must be {type}")
        raise UnsupportedMediaType(said.format(type=wanted))
    if route.raw is None:
        return strict_json.loads(raw, route.max_bytes)
    strict_json.check_size(raw, route.max_bytes)
    return raw


def what_was_sent(body: Any) -> Any:
    """The body as a fingerprint covers it: a raw one by its digest."""
    return {"sha256": hashlib.sha256(body).hexdigest()} if isinstance(body, bytes) else body


def path_id(value: str) -> str:
    """The id a path parameter means, whether the gateway has decoded it or not. Raises: NotFound: it cannot be one."""
    value = unquote(value)
    if not _ID.fullmatch(value):
        raise NotFound
    return value


def read_query(route: Route, params: Any) -> tuple[Mapping[str, str], bool]:
    """The declared parameters, and whether this is a dry run.

    Raises: InvalidRequest: a parameter that is not declared, or comes twice; ``dry_run`` neither true nor false.
    """
    known = {*route.query, DRY_RUN} if route.dry_run else set(route.query)
    for name in params:
        if name not in known or len(params.getlist(name)) > 1:
            said = Text("查询参数未声明或重复", "A query parameter is not declared, or comes twice")
            raise InvalidRequest.at("", said)
    query = {name: str(params[name]) for name in params}
    if not route.dry_run:
        return query, False
    asked = query.pop(DRY_RUN, "false")
    if asked not in {"true", "false"}:
        raise InvalidRequest.at("", Text("dry_run 只能是 true 或 false", "dry_run is either true or false"))
    return query, asked == "true"
