"""Key material. One master key seals; every use derives its own key from it by a label.

Source: RFC 5869 (HKDF). The master comes decrypted by KMS in a deployed stage and in plain text in development.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from functools import lru_cache

from chalicelib.core import config


@lru_cache(maxsize=1)
def _master() -> bytes:
    kind, _, value = config.current().seal_key.partition(":")
    assert kind in {"plain", "kms"}, "EGRET_SEAL_KEY is missing"
    raw = base64.b64decode(value)
    if kind == "kms":
        import boto3

        raw = boto3.client("kms").decrypt(CiphertextBlob=raw)["Plaintext"]
    assert len(raw) == 32, "the sealing key has 32 bytes"
    return raw


@lru_cache(maxsize=64)
def derived(label: str, size_bytes: int = 32) -> bytes:
    """The key of one use; other labels give unrelated keys. At most 32 or 64 bytes."""
    first = hmac.digest(_master(), label.encode() + b"\x01", hashlib.sha256)
    second = hmac.digest(_master(), first + label.encode() + b"\x02", hashlib.sha256)
    return (first + second)[:size_bytes]


def mac(label: str, message: bytes) -> bytes:
    """A keyed digest of 32 bytes under the key of ``label``."""
    return hmac.digest(derived(label), message, hashlib.sha256)


def index_mac(message: bytes) -> bytes:
    """The digest that the identity index is kept by. Only the enrolment function has the right to compute it.

    Source: the space of national ids is small (about 10^11); without a secret a digest is a dictionary away.
    """
    kind, _, value = config.current().index_key.partition(":")
    assert kind in {"plain", "kms"}, "EGRET_INDEX_KEY is missing"
    if kind == "plain":
        return hmac.digest(base64.b64decode(value), message, hashlib.sha256)
    import boto3

    reply = boto3.client("kms").generate_mac(KeyId=value, MacAlgorithm="HMAC_SHA_256", Message=message)
    return bytes(reply["Mac"])
