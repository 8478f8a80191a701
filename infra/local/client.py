"""Speaks HTTP to a local Egret as anybody the development issuer vouches for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from chalicelib.core import clock
from chalicelib.core.text import Text
from infra.local.issuer import DevelopmentIssuer


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its reply, as they were."""

    method: str
    path: str
    actor: str
    sent: Any
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Any:
        """The reply's JSON."""
        return json.loads(self.text)


class Refused(RuntimeError):
    """A request that should have succeeded was refused."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(f"{exchange.method} {exchange.path} as {exchange.actor}: {exchange.status} {exchange.text}")
        self.exchange = exchange

    @property
    def said(self) -> Text:
        """Why, in the words of the refusal."""
        kind = self.exchange.headers.get("content-type", "")
        if "problem+json" not in kind:
            return Text(f"服务答复 {self.exchange.status}", f"The answer was {self.exchange.status}")
        return Text(self.exchange.body["detail_zh"], self.exchange.body["detail"])


class Client:
    """A client. Actors are written ``kind:tenant@city/person``; the city may be left out where the tenant is one.

    The person is one of the tenant's staff, its programs if left out. A city's staff are reviewers here.

    ``people`` gives the demo's people their subject ids, so that they can be named ``citizen:xm-612``.
    """

    def __init__(self, url: str, issuer: DevelopmentIssuer) -> None:
        self.url = url
        self.issuer = issuer
        # Nothing of the user's proxies: this speaks to this computer only.
        self.people: dict[str, dict[str, str]] = {}
        self.http = httpx.Client(base_url=url, timeout=30, trust_env=False)

    def token(self, actor: str) -> str:
        """A fresh token; citizens have just been face-checked."""
        return self.issuer.token(**self.claims(actor), now=clock.now())

    def claims(self, actor: str) -> dict[str, Any]:
        """What the issuer is asked to say of an actor."""
        kind, _, rest = actor.partition(":")
        rest, _, person = rest.partition("/")
        tenant, _, city = rest.partition("@")
        if tenant in self.people:
            tenant, city = self.people[tenant]["subject_id"], self.people[tenant]["city"]
        home = city or (tenant if kind == "city" else "alliance" if kind in {"alliance", "auditor"} else "xiamen")
        said = {"actor": kind, "tenant": tenant or "alliance", "city": home, "face": kind == "citizen"}
        return said | ({"sub": person} if person else {}) | ({"roles": ["reviewer"]} if kind == "city" else {})

    def send(
        self, method: str, path: str, actor: str = "", body: Any = None, *, key: str = "", if_match: str = ""
    ) -> Exchange:
        """Sends one request and returns whatever came back."""
        headers = {"Accept": "application/json"}
        if actor:
            headers["Authorization"] = "Bearer " + self.token(actor)
        if key:
            headers["Idempotency-Key"] = key
        if if_match:
            headers["If-Match"] = if_match
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        if content is not None:
            headers["Content-Type"] = "application/json"
        reply = self.http.request(method, path, headers=headers, content=content)
        return Exchange(method, path, actor, body, reply.status_code, reply.headers, reply.text)

    def done(self, method: str, path: str, actor: str = "", body: Any = None, *, key: str = "") -> Any:
        """The reply's JSON of a request that must succeed. Raises: Refused."""
        exchange = self.send(method, path, actor, body, key=key)
        if exchange.status >= 300:
            raise Refused(exchange)
        return exchange.body
