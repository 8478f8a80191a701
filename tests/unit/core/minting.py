"""Tokens of any make, good and forged, for the tests of verification."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

NOW = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
ISS = "https://id.xiamen.example"


def b64(data: bytes | dict[str, Any]) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def claims(**changes: Any) -> dict[str, Any]:
    """The claims of Xiamen's operator; ``None`` leaves one out."""
    made: dict[str, Any] = {
        "iss": ISS,
        "sub": "operator-1",
        "aud": "egret",
        "iat": AT,
        "exp": AT + 600,
        "jti": "j1",
        "client_id": "desk",
        "actor": "city",
        "city": "xiamen",
        "tenant": "xiamen",
        "scope": "cities:write scores:read",
        "roles": ["author"],
    }
    return {name: value for name, value in {**made, **changes}.items() if value is not None}


@dataclass
class Minter:
    """One signing key of one issuer."""

    key: Any
    alg: str = "ES256"
    kid: str = "k1"

    @classmethod
    def of(cls, alg: str, kid: str = "k1") -> Minter:
        makers: dict[str, Any] = {
            "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
            "EdDSA": ed25519.Ed25519PrivateKey.generate,
        }
        make = makers.get(alg, lambda: rsa.generate_private_key(65537, 2048))
        return cls(make(), alg, kid)

    def jwk(self, **changes: Any) -> dict[str, Any]:
        algorithm = jwt.get_algorithm_by_name(self.alg)
        public = json.loads(algorithm.to_jwk(self.key.public_key()))
        made = {**public, "kid": self.kid, "alg": self.alg, "use": "sig", **changes}
        return {name: value for name, value in made.items() if value is not None}

    @property
    def public_pem(self) -> bytes:
        public = self.key.public_key()
        pem: bytes = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        return pem

    def issuer(self, **changes: Any) -> dict[str, Any]:
        """The configuration that trusts this key for Xiamen and its citizens."""
        made = {
            "iss": ISS,
            "alg": self.alg,
            "kinds": ["city", "citizen"],
            "cities": ["xiamen"],
            "tenants": ["*"],
            "jwks": {"keys": [self.jwk()]},
        }
        return {**made, **changes}

    def mint(self, said: dict[str, Any] | None = None, **headers: Any) -> str:
        """A token signed as it should be; ``headers`` are added or, where None, left out."""
        header = {"typ": "at+jwt", "alg": self.alg, "kid": self.kid, **headers}
        return self.sign({name: value for name, value in header.items() if value is not None}, said or claims())

    def sign(self, header: dict[str, Any], said: dict[str, Any] | bytes) -> str:
        """Any header over any payload, with the key's own algorithm."""
        signed = f"{b64(header)}.{b64(said)}"
        algorithm = jwt.get_algorithm_by_name(self.alg)
        return f"{signed}.{b64(algorithm.sign(signed.encode(), algorithm.prepare_key(self.key)))}"


def hmac_signed(secret: bytes, said: dict[str, Any], kid: str = "k1") -> str:
    """The classic confusion: a public key used as the secret of an HMAC."""
    signed = b64({"typ": "at+jwt", "alg": "HS256", "kid": kid}) + "." + b64(said)
    return f"{signed}.{b64(hmac.digest(secret, signed.encode(), hashlib.sha256))}"
