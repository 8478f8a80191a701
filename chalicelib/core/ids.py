"""The only source of randomness, and the pairwise ids partners know a person by.

A pairwise id needs no table: it is the person, sealed deterministically for one sector. Two sectors see ids that have
nothing in common; the same sector sees the same id every time. Only Egret can open it.

Source: RFC 5297 (AES-SIV); OpenID Connect Core 1.0 § 8.1 (pairwise identifiers).
"""

from __future__ import annotations

import secrets
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from chalicelib.core import keys

PAIRWISE_KEY_VERSION = 1
_PREFIX = f"p{PAIRWISE_KEY_VERSION}_"
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = [one + other for one in _BASE32 for other in _BASE32]
_DIGITS = str.maketrans(_BASE32, "0123456789abcdefghijklmnopqrstuv")
"""From our digits of base 32 to those by which ``int`` reads it."""


def new(prefix: str) -> str:
    """A fresh random id of 128 bits: ``<prefix>_`` and 26 characters ``a-z2-7``."""
    return f"{prefix}_{encode(secrets.token_bytes(16))}"


def random_bytes(size: int) -> bytes:
    """Unpredictable bytes."""
    return secrets.token_bytes(size)


def jitter(ceiling_seconds: float) -> float:
    """A random wait between 0 and the ceiling, for backing off."""
    return secrets.SystemRandom().uniform(0, ceiling_seconds)


def encode(raw: bytes) -> str:
    """Base32 in lower case without padding: safe in paths and in keys."""
    # The standard library's takes twice as long, its decoding six times, and every request needs several.
    chars = -(-8 * len(raw) // 5)
    pairs = (chars + 1) // 2
    number = int.from_bytes(raw, "big") << 10 * pairs - 8 * len(raw)
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(10 * pairs - 10, -1, -10)])[:chars]


def decode(text: str) -> bytes:
    """The bytes of ``encode``. Raises ValueError for anything else, other spellings of the same bytes included."""
    size = 5 * len(text) // 8
    number = int(text.translate(_DIGITS) or "0", 32) >> 5 * len(text) - 8 * size
    if number < 0 or encode(raw := number.to_bytes(size, "big")) != text:
        raise ValueError("not in the form that encode gives")
    return raw


@lru_cache(maxsize=1)
def _siv() -> AESSIV:
    return AESSIV(keys.derived(f"pairwise/{PAIRWISE_KEY_VERSION}", 64))


def pairwise(sector: str, secret: str) -> str:
    """The id by which ``sector`` knows ``secret``."""
    return _PREFIX + encode(_siv().encrypt(secret.encode(), [sector.encode()]))


def open_pairwise(sector: str, pairwise_id: str) -> str | None:
    """What was sealed for this sector; None for a foreign, damaged or invented id."""
    if not pairwise_id.startswith(_PREFIX):
        return None
    try:
        return _siv().decrypt(decode(pairwise_id.removeprefix(_PREFIX)), [sector.encode()]).decode()
    except (InvalidTag, ValueError):
        return None
