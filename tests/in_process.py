"""A client of the whole app in this process, for the tests that speak as many institutions and people."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import Any

from app import app
from chalicelib.core import clock
from infra.local.client import Client, Exchange
from infra.local.gateway import Gateway
from tests.conftest import ISSUER
from tests.conftest import Answer as Judged
from tests.contract import replies


@dataclass(frozen=True, slots=True)
class Answer(Exchange):
    """A reply, with what tests ask of it most."""

    @property
    def code(self) -> str | None:
        """The code of a refusal; None of a success."""
        return self.body["code"] if self.status >= 400 else None

    @property
    def pointers(self) -> list[str]:
        """The places that a refusal names."""
        return [error["pointer"] for error in self.body.get("errors", ())]

    @property
    def replayed(self) -> bool:
        """Whether this is the stored reply of an earlier request."""
        return self.headers.get("idempotency-replayed") == "true"


class InProcess(Client):
    """The demo's client, answered in this process by the local gateway; each reply is judged as its route declares.

    Tokens are as fresh as the app's clock says, so that it may be moved. A POST without a key gets one of its own.
    """

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1", ISSUER)
        self.gateway = Gateway(app)
        self.numbers = itertools.count(1)
        self.seen: list[Answer] = []

    def token(self, actor: str) -> str:
        """A token of this moment."""
        return ISSUER.token(**self.claims(actor), now=clock.now())

    def send(
        self,
        method: str,
        path: str,
        actor: str = "",
        body: Any = None,
        *,
        key: str = "",
        if_match: str = "",
        raw: bytes | None = None,
        token: str = "",
        content_type: str = "application/json",
    ) -> Answer:
        """What comes back to one request; ``raw`` and ``token`` send what no client would."""
        headers = {"accept": "application/json"}
        if actor or token:
            headers["authorization"] = "Bearer " + (token or self.token(actor))
        if key or method == "POST":
            headers["idempotency-key"] = key or f"key-{next(self.numbers):08d}"
        if if_match:
            headers["if-match"] = if_match
        content = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        if content:
            headers["content-type"] = content_type
        status, sent, text = self.gateway.answer(method, path, headers, content)
        lowered = {name.lower(): str(value) for name, value in sent.items()}
        answer = Answer(method, path, actor, body, status, lowered, text.decode())
        replies.check(method, path, Judged(status, lowered, answer.text))
        self.seen.append(answer)
        return answer
