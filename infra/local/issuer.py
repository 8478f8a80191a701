"""The development issuer: a real issuer of access tokens with a key and a JWKS of its own, for this machine only.

A deployed stage refuses to start with it. It signs ES256 tokens of the RFC 9068 profile for whoever is named, so that
the local server, the demo and the tests go through the same verification as a deployed Egret.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from chalicelib.core.auth import ACTOR_KINDS

ISSUER = "https://issuer.egret.localhost"
AUDIENCE = "egret"
LIFE = timedelta(minutes=30)
PARTNER_SCOPES = "decisions:write statements:read statements:write"
SCOPES = {
    "alliance": "cities:admit",
    "auditor": "receipts:read",
    "city": "cities:write partners:write subjects:write scores:write scores:read scenarios:write decisions:write "
    "offers:read offers:write offers:review statements:read statements:write statistics:read credit:write "
    "credit:review records:read records:write",
    "citizen": "",
    "bank": f"{PARTNER_SCOPES} credit:write credit:pull credit:collect credit:review",
    "hospital": f"{PARTNER_SCOPES} credit:hold",
    "merchant": "decisions:write offers:read offers:write quotes:write statements:read statements:write",
}


class DevelopmentIssuer:
    """Signs tokens with a P-256 key."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self.key = key

    @classmethod
    def fresh(cls) -> DevelopmentIssuer:
        """An issuer with a new key."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def kept_in(cls, path: Path) -> DevelopmentIssuer:
        """The issuer whose key is kept at ``path``; made there on first use, readable by its owner only."""
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_bytes(cls.fresh().pem)
        key = serialization.load_pem_private_key(path.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return cls(key)

    @property
    def pem(self) -> bytes:
        """The private key, in PKCS8."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    @property
    def jwks(self) -> dict[str, Any]:
        """The public keys, as a relying party fetches them."""
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [{**public, "kid": "dev", "alg": "ES256", "use": "sig"}]}

    def configuration(self, jwks: dict[str, Any] | str | None = None) -> list[dict[str, Any]]:
        """The value for EGRET_ISSUERS that trusts this issuer, with its keys inline or at an address."""
        trusted = {"iss": ISSUER, "alg": "ES256", "kinds": list(ACTOR_KINDS), "cities": ["*"], "tenants": ["*"]}
        return [{**trusted, "jwks": jwks or self.jwks, "development": True}]

    def token(
        self,
        actor: str,
        tenant: str,
        city: str,
        *,
        scope: str | None = None,
        roles: Sequence[str] = (),
        face: bool = False,
        now: datetime | None = None,
        **changes: Any,
    ) -> str:
        """A token for ``actor:tenant@city``; ``changes`` override claims (None leaves one out)."""
        at = int((now or datetime.now(UTC)).timestamp())
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "sub": tenant,
            "aud": AUDIENCE,
            "iat": at,
            "exp": at + int(LIFE.total_seconds()),
            "jti": secrets.token_hex(8),
            "client_id": "egret-dev",
            "actor": actor,
            "city": city,
            "tenant": tenant,
            "scope": SCOPES.get(actor, PARTNER_SCOPES) if scope is None else scope,
            "roles": list(roles),
        }
        if face:
            claims |= {"amr": ["face"], "auth_time": at}
        claims = {name: value for name, value in {**claims, **changes}.items() if value is not None}
        return jwt.encode(claims, self.key, algorithm="ES256", headers={"typ": "at+jwt", "kid": "dev"})
