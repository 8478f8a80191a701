"""Statements that anybody can check without asking Egret again: compact JWS, and the public keys that verify them.

The id of a key is the thumbprint of the key itself, so it never has to be given out, and never means two keys. Keys
that signed once and no longer do are configured by their public part and published beside the present one.

Source: RFC 7515 (JWS), RFC 7518 § 3.4 (ES256: r and s, 32 bytes each), RFC 7517 (JWKS), RFC 7638 (thumbprints).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from chalicelib.core import codec, config

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

ALG = "ES256"
_COORDINATE_BYTES = 32


@dataclass(frozen=True, slots=True)
class _Signer:
    """A key: its public part as a JWK, and what makes a DER signature of the SHA-256 of a message."""

    jwk: dict[str, str]
    sign_digest: Callable[[bytes], bytes]


def sign(document: Any, typ: str) -> str:
    """A compact JWS of the document's canonical JSON, under the present key.

    Args:
        document: What is stated; a dataclass or a mapping.
        typ: What kind of statement this is, so that one of another kind is never taken for it.
    """
    signer = _signer(config.current().signing_key)
    header = codec.canonical({"alg": ALG, "kid": signer.jwk["kid"], "typ": typ})
    message = f"{_text(header.encode())}.{_text(codec.canonical(document).encode())}"
    return f"{message}.{_text(_joined(signer.sign_digest(hashlib.sha256(message.encode()).digest())))}"


def jwks() -> dict[str, Any]:
    """The keys that verify what Egret has signed, the present one first: public parts only, as a JWKS."""
    setting = config.current()
    retired = [_jwk(key["x"], key["y"]) for key in json.loads(setting.retired_keys)]
    return {"keys": [_signer(setting.signing_key).jwk, *retired]}


@lru_cache(maxsize=4)
def _signer(setting: str) -> _Signer:
    kind, _, value = setting.partition(":")
    assert value, "EGRET_SIGNING_KEY is missing"
    assert kind in {"plain", "kms"}, "EGRET_SIGNING_KEY is plain: or kms:"
    return _plain(value) if kind == "plain" else _kms(value)


def _plain(pem: str) -> _Signer:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(base64.b64decode(pem), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey), "statements are signed with a key on P-256"
    return _Signer(_public(key.public_key()), lambda digest: key.sign(digest, ec.ECDSA(Prehashed(SHA256()))))


def _kms(key_id: str) -> _Signer:
    """The key in KMS. It is sent the digest: KMS takes whole messages up to 4096 bytes only."""
    import boto3
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    client = boto3.client("kms")
    asked = {"KeyId": key_id, "MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"}
    key = load_der_public_key(client.get_public_key(KeyId=key_id)["PublicKey"])
    assert isinstance(key, ec.EllipticCurvePublicKey), "statements are signed with a key on P-256"
    return _Signer(_public(key), lambda digest: bytes(client.sign(Message=digest, **asked)["Signature"]))


def _public(key: EllipticCurvePublicKey) -> dict[str, str]:
    assert key.curve.name == "secp256r1", "statements are signed with a key on P-256"
    point = key.public_numbers()
    return _jwk(*(_text(part.to_bytes(_COORDINATE_BYTES, "big")) for part in (point.x, point.y)))


def _jwk(x: str, y: str) -> dict[str, str]:
    kept = {"crv": "P-256", "kty": "EC", "x": x, "y": y}
    thumbprint = hashlib.sha256(codec.canonical(kept).encode()).digest()
    return {**kept, "alg": ALG, "kid": _text(thumbprint), "use": "sig"}


def _joined(der: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    return b"".join(part.to_bytes(_COORDINATE_BYTES, "big") for part in decode_dss_signature(der))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
