"""Sealed values that travel through a client and come back: page cursors, passes.

The client can neither read nor change them, nor use one where another is expected: what a value is for is part of its
seal.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chalicelib.core import ids, keys
from chalicelib.core.errors import Problem
from chalicelib.core.text import Text

_NONCE_BYTES = 12


class CursorInvalid(Problem):
    code = "cursor-invalid"
    status = 400
    title = Text("翻页游标无效，请从第一页开始", "This cursor is not valid here; start from the first page")


def seal(value: Any, purpose: str) -> str:
    """``value`` (JSON) as text that only this purpose can open."""
    nonce = ids.random_bytes(_NONCE_BYTES)
    plain = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    sealed = nonce + AESGCM(keys.derived("seal")).encrypt(nonce, plain, purpose.encode())
    return _text(sealed)


def _text(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def unseal(text: str, purpose: str) -> Any | None:
    """The value sealed for this purpose; None if it was changed, made elsewhere or sealed for another purpose."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        plain = AESGCM(keys.derived("seal")).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], purpose.encode())
    except (InvalidTag, ValueError):
        return None
    return json.loads(plain) if _text(raw) == text else None


def open_cursor(text: str | None, purpose: str) -> Any | None:
    """The position a cursor names; None for no cursor (the first page).

    Raises: CursorInvalid: changed, of another list, another caller or other filters.
    """
    if text is None:
        return None
    value = unseal(text, "cursor:" + purpose)
    if value is None:
        raise CursorInvalid
    return value


def make_cursor(position: Any | None, purpose: str) -> str | None:
    """The cursor of a position; None where the list has ended."""
    return None if position is None else seal(position, "cursor:" + purpose)
