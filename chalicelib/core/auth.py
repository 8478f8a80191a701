"""Who is asking: access tokens, issuers, callers, and what a route demands of them.

A token is trusted for what its *issuer's configuration* says the issuer may vouch for, not for what it claims: a city's
identity provider cannot mint a bank.

Source: RFC 9068 (JWT access tokens), RFC 8725 (JWT best practices), RFC 9470 (step-up authentication).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal, get_args

from chalicelib.core import config
from chalicelib.core.errors import Forbidden, InsufficientAuthentication, NotFound, Unauthenticated

ActorKind = Literal[
    "citizen", "merchant", "bank", "hospital", "parking_operator", "library", "insurer", "city", "alliance", "auditor"
]
ACTOR_KINDS: tuple[ActorKind, ...] = get_args(ActorKind)
PARTNER_KINDS: tuple[ActorKind, ...] = ("merchant", "bank", "hospital", "parking_operator", "library", "insurer")

ALGORITHMS = ("ES256", "RS256", "PS256", "EdDSA")
LIVENESS_SECONDS = 300
MAX_TOKEN_CHARS = 8192


@dataclass(frozen=True, slots=True)
class Issuer:
    """A trusted issuer: one algorithm, its keys (inline or by address), and what it may vouch for.

    ``tenants`` lists the tenants (or ``*``) and ``cities`` the cities (or ``*``) that its tokens may name.
    """

    iss: str
    alg: str
    kinds: frozenset[str]
    cities: frozenset[str]
    tenants: frozenset[str]
    jwks: str
    profile: Literal["rfc9068", "cognito"] = "rfc9068"

    def vouches(self, caller: Caller) -> bool:
        """Whether this issuer may mint this caller."""
        return (
            caller.kind in self.kinds
            and bool({"*", caller.city_id} & self.cities)
            and bool({"*", caller.tenant} & self.tenants)
        )


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking, after verification.

    ``tenant`` is the institution (a city's own id, a partner's id) or, for a citizen, his subject id. ``city_id`` is
    the city it belongs to (``alliance`` for the alliance and its auditors).
    """

    kind: ActorKind
    city_id: str
    tenant: str
    scopes: frozenset[str]
    roles: frozenset[str]
    person: str
    live_until: datetime | None = None

    @property
    def sector(self) -> str:
        """The sector for which this caller's subject ids are sealed."""
        if self.kind in {"city", "citizen"}:
            return f"city:{self.city_id}"
        return f"{self.kind}:{self.city_id}/{self.tenant}"


@dataclass(frozen=True, slots=True)
class Policy:
    """What a route demands. No actors: anyone may read it (published facts only).

    Args:
        actors: Kinds of actor that may come.
        scope: The scope the token must carry; citizens act for themselves and need none.
        owner: The path parameter that must name the caller's own city (kinds bound to a city only).
        tenant: The path parameter that must name the caller's own tenant (partners only).
        liveness: A face check at most five minutes old.
    """

    actors: frozenset[ActorKind] = frozenset()
    scope: str | None = None
    owner: str | None = None
    tenant: str | None = None
    liveness: bool = False

    @property
    def public(self) -> bool:
        """Whether no token is asked for."""
        return not self.actors


PUBLIC = Policy()


def allow(
    *actors: ActorKind,
    scope: str | None = None,
    owner: str | None = None,
    tenant: str | None = None,
    liveness: bool = False,
) -> Policy:
    """The policy for these kinds of actor."""
    return Policy(frozenset(actors), scope, owner, tenant, liveness)


def authorise(policy: Policy, caller: Caller, path: Mapping[str, str], now: datetime) -> None:
    """Returns if the caller may go on.

    Raises: Forbidden (kind, then scope), InsufficientAuthentication, NotFound (somebody else's object); in this order.
    """
    if caller.kind not in policy.actors:
        raise Forbidden
    if policy.scope is not None and caller.kind != "citizen" and policy.scope not in caller.scopes:
        raise Forbidden
    if policy.liveness and (caller.live_until is None or caller.live_until <= now):
        raise InsufficientAuthentication
    if caller.kind in {"alliance", "auditor"}:
        return
    if policy.owner is not None and path[policy.owner] != caller.city_id:
        raise NotFound
    if policy.tenant is not None and caller.kind != "city" and path[policy.tenant] != caller.tenant:
        raise NotFound


@lru_cache(maxsize=4)
def _issuers(text: str) -> Mapping[str, Issuer]:
    found = {}
    for entry in json.loads(text):
        issuer = Issuer(
            entry["iss"],
            entry["alg"],
            frozenset(entry["kinds"]),
            frozenset(entry["cities"]),
            frozenset(entry["tenants"]),
            json.dumps(entry["jwks"]) if isinstance(entry["jwks"], dict) else entry["jwks"],
            entry.get("profile", "rfc9068"),
        )
        assert issuer.alg in ALGORITHMS, "an issuer signs with one of the public-key algorithms"
        assert config.current().development or not entry.get("development"), "the development issuer is for development"
        found[issuer.iss] = issuer
    return found


def verify(authorization: str | None, now: datetime) -> Caller:
    """The caller that an ``Authorization: Bearer`` header proves.

    Raises: Unauthenticated: for every fault alike, so that a forger learns nothing.
    """
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token or len(token) > MAX_TOKEN_CHARS:
        raise Unauthenticated
    from chalicelib.core import jose

    issuer = _issuers(config.current().issuers).get(jose.unverified_issuer(token) or "")
    if issuer is None:
        raise Unauthenticated
    caller = _caller(jose.verified_claims(token, issuer, now))
    if caller is None or not issuer.vouches(caller):
        raise Unauthenticated
    return caller


def _caller(claims: Mapping[str, Any]) -> Caller | None:
    kind, city_id, tenant = claims.get("actor"), claims.get("city"), claims.get("tenant", claims["sub"])
    if kind not in ACTOR_KINDS or not isinstance(city_id, str) or not isinstance(tenant, str):
        return None
    if kind in {"alliance", "auditor"} and city_id != "alliance":
        return None
    if kind == "city" and tenant != city_id:
        return None
    if kind == "citizen" and tenant != claims["sub"]:
        return None
    scope, roles = claims.get("scope", ""), claims.get("roles", [])
    if not isinstance(scope, str) or not isinstance(roles, list):
        return None
    return Caller(
        kind, city_id, tenant, frozenset(scope.split()), frozenset(map(str, roles)), claims["sub"], _live_until(claims)
    )


def _live_until(claims: Mapping[str, Any]) -> datetime | None:
    amr, auth_time = claims.get("amr"), claims.get("auth_time")
    if not isinstance(amr, list) or "face" not in amr or type(auth_time) is not int:
        return None
    if not 0 <= auth_time <= claims["iat"]:
        return None
    return datetime.fromtimestamp(auth_time + LIVENESS_SECONDS, UTC)
