"""Refusals. Every answer Egret gives that is not a success is one of these.

Problem                        a refusal: has a code, a status and words in two languages
├── (core) MalformedRequest … see the classes below
└── (domains) declared beside the rule that raises them, in ``<domain>/rules``

A refusal is a ``Problem``; a broken belief is an ``assert``. The two are never mixed. The set of codes is closed:
``docs/problems.md`` lists them and a contract test compares the list with the classes.

Source: RFC 9457 (problem details for HTTP APIs).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from chalicelib.core.text import Text


@dataclass(frozen=True, slots=True)
class Fault:
    """One place in a request that is wrong: a JSON pointer into the body and a sentence in both languages."""

    pointer: str
    detail: Text


class Problem(Exception):
    """A refusal. Subclasses fix ``code`` (stable, kebab-case), ``status`` (HTTP) and ``title`` (short, both languages).

    Args:
        detail: What happened this time, in both languages. Never echoes input that could be personal.
        faults: The places in the body that are wrong, if the refusal is about places.
        retry_after_seconds: For 429 and 503: when to come back.
    """

    code: ClassVar[str] = ""
    status: ClassVar[int] = 500
    title: ClassVar[Text] = Text("", "")

    def __init__(
        self, detail: Text | None = None, *, faults: Sequence[Fault] = (), retry_after_seconds: int | None = None
    ) -> None:
        super().__init__((detail or self.title).en)
        self.detail = detail or self.title
        self.faults = tuple(faults)
        self.retry_after_seconds = retry_after_seconds

    @classmethod
    def at(cls, pointer: str, detail: Text) -> Problem:
        """The refusal of one place in the body, with the same sentence as its detail."""
        return cls(detail, faults=[Fault(pointer, detail)])


def all_problems(root: type[Problem] = Problem) -> Iterator[type[Problem]]:
    """Every refusal class that has a code and is loaded, depth first."""
    for child in root.__subclasses__():
        if child.code:
            yield child
        yield from all_problems(child)


class MalformedRequest(Problem):
    code = "malformed-request"
    status = 400
    title = Text("请求无法解析", "The request cannot be read")


class Unauthenticated(Problem):
    code = "unauthenticated"
    status = 401
    title = Text("需要有效的访问令牌", "A valid access token is needed")


class InsufficientAuthentication(Problem):
    code = "insufficient-authentication"
    status = 401
    title = Text("需要在五分钟内完成人脸核验", "A face check within the last five minutes is needed")


class Forbidden(Problem):
    code = "forbidden"
    status = 403
    title = Text("您的身份或权限不允许此操作", "Your kind of account or its scope does not allow this")


class NotFound(Problem):
    code = "not-found"
    status = 404
    title = Text("没有找到", "Not found")


class MethodNotAllowed(Problem):
    code = "method-not-allowed"
    status = 405
    title = Text("不支持此方法", "This method is not supported here")


class TooLarge(Problem):
    code = "too-large"
    status = 413
    title = Text("请求体过大", "The request body is too large")


class UnsupportedMediaType(Problem):
    code = "unsupported-media-type"
    status = 415
    title = Text("只接受声明的内容类型", "Only the declared content type is accepted")


class InvalidRequest(Problem):
    code = "invalid-request"
    status = 422
    title = Text("请求内容不符合格式", "The request does not fit its schema")


class KeyReused(Problem):
    code = "idempotency-key-reused"
    status = 422
    title = Text("同一幂等键已用于另一请求内容", "This Idempotency-Key was used with another body")


class KeyMissing(Problem):
    code = "idempotency-key-missing"
    status = 400
    title = Text("缺少 Idempotency-Key 请求头", "The Idempotency-Key header is missing")


class StaleVersion(Problem):
    code = "stale-version"
    status = 412
    title = Text("内容已被他人更新，请重新读取", "It has changed since you read it; read it again")


class VersionMissing(Problem):
    code = "if-match-missing"
    status = 428
    title = Text("缺少 If-Match 请求头", "The If-Match header is missing")


class Conflict(Problem):
    code = "conflict"
    status = 409
    title = Text(
        "与当前状态冲突，请重新读取后再试", "This conflicts with the present state; read it again, then try again"
    )


class TooManyRequests(Problem):
    code = "too-many-requests"
    status = 429
    title = Text("请求过于频繁", "Too many requests")


class InternalError(Problem):
    code = "internal-error"
    status = 500
    title = Text("系统出错，已记录", "Something went wrong here; it has been recorded")


class Unavailable(Problem):
    code = "unavailable"
    status = 503
    title = Text("系统繁忙，请稍后重试", "Busy; please try again shortly")
