"""An issuer's keys by address: fetched, kept, fetched again, and what happens while the issuer is down."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from chalicelib.core import clock
from chalicelib.core.auth import Issuer
from chalicelib.core.errors import Unauthenticated
from chalicelib.core.jose import (
    JWKS_COOLDOWN_SECONDS,
    JWKS_LIFE_SECONDS,
    JWKS_MAX_BYTES,
    JWKS_STALE_SECONDS,
    _key_sets,
    verified_claims,
)
from tests.unit.core.minting import ISS, NOW, Minter

OLD = Minter.of("ES256", "old")
NEW = Minter.of("ES256", "new")


@dataclass
class Site:
    """What the issuer's server answers, and how often it was asked."""

    address: str = ""
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    asked: int = 0
    waited: float = 0.0
    slow_seconds: float = 0.0

    def publish(self, *minters: Minter) -> None:
        self.status, self.body = 200, json.dumps({"keys": [m.jwk() for m in minters]}).encode()

    def trusts(self, token: str) -> bool:
        issuer = Issuer(ISS, "ES256", frozenset(), frozenset(), frozenset(), self.address)
        try:
            verified_claims(token, issuer, NOW)
        except Unauthenticated:
            return False
        return True

    def asked_by(self, token: str) -> tuple[bool, int]:
        """Whether the token is trusted, and how many requests it took."""
        before = self.asked
        return self.trusts(token), self.asked - before


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked += 1
            time.sleep(site.slow_seconds)
            if self.path == "/moved":
                self.send_response(302)
                self.send_header("Location", "/jwks.json")
                self.end_headers()
                return
            self.send_response(site.status)
            for name, value in {"Content-Length": str(len(site.body)), **site.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(site.body)

        def log_message(self, *_: Any) -> None:
            pass

    monkeypatch.setattr(clock, "stopwatch", lambda: site.waited)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    _key_sets.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        site.address = f"http://127.0.0.1:{server.server_address[1]}/jwks.json"
        yield site
        server.shutdown()


def test_keys_are_fetched_once_and_kept(site: Site) -> None:
    site.publish(OLD)
    assert site.asked_by(OLD.mint()) == (True, 1)
    site.waited = JWKS_LIFE_SECONDS
    assert site.asked_by(OLD.mint()) == (True, 0)
    site.waited += 1
    assert site.asked_by(OLD.mint()) == (True, 1)


def test_whoever_comes_while_keys_are_fetched_for_the_first_time_waits_for_them(site: Site) -> None:
    site.publish(OLD)
    site.slow_seconds = 0.2
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(site.trusts, [OLD.mint()] * 8))
    assert site.asked == 1


def test_a_new_key_is_found_but_unknown_ones_cannot_hammer_the_issuer(site: Site) -> None:
    site.publish(OLD)
    assert site.trusts(OLD.mint())
    site.publish(OLD, NEW)
    assert site.asked_by(NEW.mint()) == (False, 0)
    site.waited = JWKS_COOLDOWN_SECONDS + 1
    assert site.asked_by(NEW.mint()) == (True, 1)
    assert [site.asked_by(NEW.mint(kid=f"made-up-{n}")) for n in range(3)] == [(False, 0)] * 3


def test_a_key_that_was_taken_back_is_forgotten(site: Site) -> None:
    site.publish(OLD, NEW)
    assert site.trusts(OLD.mint())
    site.publish(NEW)
    site.waited = JWKS_LIFE_SECONDS + 1
    assert not site.trusts(OLD.mint())
    assert site.trusts(NEW.mint())


BROKEN = {
    "server error": {"status": 500},
    "not found": {"status": 404},
    "no json": {"body": b"<html>"},
    "not utf-8": {"body": b"\xff\xfe\xff"},
    "a list": {"body": b"[1]"},
    "no keys": {"body": b'{"keys": []}'},
    "nested out of sight": {"body": b"[" * 100_000},
    "cut off": {"headers": {"Content-Length": "100000"}, "body": b'{"keys": ['},
    "without end": {"body": b'{"keys": ["' + b"a" * JWKS_MAX_BYTES + b'"]}'},
    "a broken length": {"headers": {"Content-Length": "many"}, "body": b"["},
    "another place": {"status": 302, "headers": {"Location": "/elsewhere.json"}},
    "a made-up protocol": {"status": 302, "headers": {"Location": "file:///etc/hostname"}},
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_known_keys_serve_for_a_day_while_the_issuer_is_broken(site: Site, broken: dict[str, Any]) -> None:
    site.publish(OLD)
    assert site.trusts(OLD.mint())
    for name, value in broken.items():
        setattr(site, name, value)
    site.waited = JWKS_LIFE_SECONDS + 1
    trusted, asked = site.asked_by(OLD.mint())
    assert trusted
    assert asked >= 1
    assert site.asked_by(OLD.mint()) == (True, 0)
    site.waited = JWKS_STALE_SECONDS + 1
    assert not site.trusts(OLD.mint())


def test_an_issuer_that_was_never_reached_vouches_for_no_one_and_is_asked_again(site: Site) -> None:
    site.status = 503
    assert site.asked_by(OLD.mint()) == (False, 1)
    site.publish(OLD)
    assert site.asked_by(OLD.mint()) == (False, 0)
    site.waited = JWKS_COOLDOWN_SECONDS + 1
    assert site.asked_by(OLD.mint()) == (True, 1)


def test_a_redirect_is_not_followed_to_other_keys(site: Site) -> None:
    site.publish(OLD)
    assert site.trusts(OLD.mint())
    site.address = site.address.replace("/jwks.json", "/moved")
    assert site.asked_by(OLD.mint()) == (False, 2)


def test_keys_come_over_https(site: Site) -> None:
    site.address = "http://keys.example/jwks.json"
    with pytest.raises(AssertionError):
        site.trusts(OLD.mint())
