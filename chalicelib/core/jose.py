"""Verification of signed access tokens, on PyJWT. Imported late: a public read needs none of it.

Source: RFC 9068 § 4; RFC 8725. One algorithm per issuer; headers that point at keys are refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from http.client import HTTPException
from threading import Lock
from typing import TYPE_CHECKING, Any

import jwt

from chalicelib.core import clock
from chalicelib.core.errors import Unauthenticated

if TYPE_CHECKING:
    from chalicelib.core.auth import Issuer

JWKS_TIMEOUT_SECONDS = 2
JWKS_LIFE_SECONDS = 600
JWKS_COOLDOWN_SECONDS = 30
JWKS_STALE_SECONDS = 86_400
JWKS_MAX_BYTES = 262_144
LEEWAY_SECONDS = 30
LONGEST_LIFE_SECONDS = 3600
AUDIENCE = "egret"

_REQUIRED = ["iss", "sub", "aud", "exp", "iat", "jti", "client_id"]
_REQUIRED_COGNITO = ["iss", "sub", "exp", "iat", "jti", "client_id"]
_FORBIDDEN_HEADERS = frozenset({"jku", "jwk", "x5u", "x5c", "crit"})
_TYPES = frozenset({"at+jwt", "application/at+jwt"})


class _KeySet:
    """An issuer's keys: fetched with a short time limit, kept for ten minutes, used for a day if a fetch fails."""

    def __init__(self, source: str, alg: str) -> None:
        self.source = source
        self.alg = alg
        self.keys: dict[str, jwt.PyJWK] = {}
        self.fetched_at = self.tried_at = float("-inf")
        self._lock = Lock()

    def key(self, kid: str) -> jwt.PyJWK | None:
        # Where requests come side by side (on one computer), one fetches and the others wait for what it finds.
        with self._lock:
            age = clock.stopwatch() - self.fetched_at
            unknown = kid not in self.keys
            if (age > JWKS_LIFE_SECONDS or unknown) and clock.stopwatch() - self.tried_at > JWKS_COOLDOWN_SECONDS:
                self._refresh()
        if clock.stopwatch() - self.fetched_at > JWKS_STALE_SECONDS:
            return None
        return self.keys.get(kid)

    def _refresh(self) -> None:
        self.tried_at = clock.stopwatch()
        try:
            found = _usable(self._load(), self.alg)
        except (OSError, HTTPException, ValueError, RecursionError):
            return
        if found:
            self.keys, self.fetched_at = found, clock.stopwatch()

    def _load(self) -> Any:
        if self.source.startswith("{"):
            return json.loads(self.source)
        assert self.source.startswith(("https://", "http://127.0.0.1:")), "keys come over https"
        from urllib.request import urlopen

        with urlopen(self.source, timeout=JWKS_TIMEOUT_SECONDS) as reply:  # noqa: S310 - the scheme is asserted above
            if reply.url != self.source:
                raise ValueError("keys come from the address that was configured, not from where it points")
            return json.loads(reply.read(JWKS_MAX_BYTES + 1))


def _usable(document: Any, alg: str) -> dict[str, jwt.PyJWK]:
    """The keys of a JWKS that may verify ``alg``, by id; any other is passed over.

    ``alg`` is optional in a JWK: without it, an RSA key would be taken for RS256 even where the issuer signs PS256.
    """
    entries = document.get("keys") if isinstance(document, dict) else None
    found = {}
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict) or not isinstance(entry.get("kid"), str):
            continue
        if entry.get("alg", alg) == alg and entry.get("use", "sig") == "sig":
            with suppress(jwt.PyJWTError):
                found[entry["kid"]] = jwt.PyJWK(entry, alg)
    return found


_key_sets: dict[tuple[str, str], _KeySet] = {}


def unverified_issuer(token: str) -> str | None:
    """The issuer a token claims, to look its configuration up by. Proves nothing."""
    try:
        claims = jwt.decode(token, options={"verify_signature": False, "verify_exp": False, "verify_aud": False})
    except (jwt.PyJWTError, ValueError):
        return None
    issuer = claims.get("iss")
    return issuer if isinstance(issuer, str) else None


def verified_claims(token: str, issuer: Issuer, now: datetime) -> Mapping[str, Any]:
    """The claims of a token of this issuer, signature, type, times and audience checked.

    Raises: Unauthenticated: for every fault alike.
    """
    try:
        header = jwt.get_unverified_header(token)
        _check_header(header, issuer)
        keys = _key_sets.setdefault((issuer.jwks, issuer.alg), _KeySet(issuer.jwks, issuer.alg))
        key = keys.key(str(header.get("kid")))
        if key is None:
            raise Unauthenticated
        claims = _decode(token, key, issuer)
    except (jwt.PyJWTError, ValueError) as error:
        raise Unauthenticated from error
    _check_times(claims, now)
    if issuer.profile == "cognito" and claims.get("token_use") != "access":
        raise Unauthenticated
    return claims


def _check_header(header: Mapping[str, Any], issuer: Issuer) -> None:
    typed = issuer.profile == "cognito" or str(header.get("typ", "")).lower() in _TYPES
    if header.get("alg") != issuer.alg or header.keys() & _FORBIDDEN_HEADERS or not typed:
        raise Unauthenticated


def _decode(token: str, key: Any, issuer: Issuer) -> Mapping[str, Any]:
    cognito = issuer.profile == "cognito"
    return jwt.decode(
        token,
        key,
        algorithms=[issuer.alg],
        issuer=issuer.iss,
        audience=None if cognito else AUDIENCE,
        options={
            "require": _REQUIRED_COGNITO if cognito else _REQUIRED,
            "verify_aud": not cognito,
            "verify_exp": False,
            "verify_iat": False,
            "verify_nbf": False,
        },
    )


def _check_times(claims: Mapping[str, Any], now: datetime) -> None:
    """Times are checked against the clock everything else uses."""
    at = now.timestamp()
    times = [claims["iat"], claims["exp"], claims.get("nbf", claims["iat"])]
    if any(type(t) is not int for t in times):
        raise Unauthenticated
    issued, expires, not_before = times
    early = max(issued, not_before) > at + LEEWAY_SECONDS
    if early or at >= expires + LEEWAY_SECONDS or expires - issued > LONGEST_LIFE_SECONDS:
        raise Unauthenticated
