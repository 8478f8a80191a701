"""Speaks HTTP to an Egret, patiently: what may be sent again is sent again while it is busy or out of reach."""

from __future__ import annotations

import random
import time
from typing import Any
from urllib.parse import urlsplit

import httpx

from chalicelib.core.text import Text

ATTEMPTS = 7
FIRST_WAIT_SECONDS = 0.25
LONGEST_WAIT_SECONDS = 15.0
TIMEOUT_SECONDS = 40
_BUSY = frozenset({429, 502, 503, 504})
_HERE = frozenset({"127.0.0.1", "localhost", "::1"})


class Failed(Exception):
    """Egret refused, or could not be reached; ``said`` says why, in both languages."""

    def __init__(self, said: Text, code: str = "") -> None:
        super().__init__(said.en)
        self.said = said
        self.code = code


def transport() -> httpx.BaseTransport | None:
    """How requests travel; None for the network. The seam at which tests stand in for it."""
    return None


class Client:
    """One Egret, as the bearer of one token or, without one, as anybody. Threads may share it."""

    def __init__(self, url: str, token: str, *, attempts: int = ATTEMPTS) -> None:
        self._attempts = attempts
        # A proxy of the user's has no business with what runs on his own computer.
        far = urlsplit(url).hostname not in _HERE
        headers = {"Accept": "application/json"} | ({"Authorization": "Bearer " + token} if token else {})
        self._http = httpx.Client(
            base_url=url, headers=headers, timeout=TIMEOUT_SECONDS, trust_env=far, transport=transport()
        )

    def get(self, path: str, **query: str) -> Any:
        """The reply's JSON. Raises: Failed."""
        return self._ask("GET", path, params=query)

    def post(self, path: str, body: Any, *, key: str | None = None) -> Any:
        """The reply's JSON; only for requests that may be sent twice. Raises: Failed."""
        return self._ask("POST", path, json=body, headers={"Idempotency-Key": key} if key else None)

    def _ask(self, method: str, path: str, **content: Any) -> Any:
        wait = FIRST_WAIT_SECONDS
        for attempt in range(1, self._attempts + 1):
            reply = self._try(method, path, **content)
            if reply is not None and reply.status_code not in _BUSY:
                return _read(reply)
            if attempt < self._attempts:
                asked = float(reply.headers.get("retry-after", 0)) if reply is not None else 0
                time.sleep(max(asked, random.uniform(wait / 2, wait)))
                wait = min(2 * wait, LONGEST_WAIT_SECONDS)
        raise Failed(Text("无法连接服务，或服务持续繁忙", "Egret cannot be reached, or stays busy"), "unavailable")

    def _try(self, method: str, path: str, **content: Any) -> httpx.Response | None:
        try:
            return self._http.request(method, path, **content)
        except httpx.TransportError:
            return None


def _read(reply: httpx.Response) -> Any:
    if reply.is_success:
        return reply.json()
    try:
        problem = reply.json()
        raise Failed(Text(problem["detail_zh"], problem["detail"]), problem["code"])
    except (ValueError, KeyError, TypeError):
        status = reply.status_code
        raise Failed(Text(f"服务答复 {status}", f"The answer was {status}")) from None
