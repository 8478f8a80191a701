"""Whatever arrives, the reader answers with a value or with one of its two refusals, and never reads a thing twice."""

from __future__ import annotations

import json
import math
import unicodedata
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from chalicelib.core import strict_json
from chalicelib.core.errors import MalformedRequest, TooLarge

MARKS = [b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\\u", b"-", b".", b"e", b" ", b"[" * 40]
WORDS = [
    b'"a"',
    b"1",
    b"9" * 17,
    b"1e999",
    b"true",
    b"null",
    b"NaN",
    b"Infinity",
    b"d83d",
    rb'"\ud800"',
    b"\xef\xbb\xbf",
]
PIECES = st.sampled_from([*MARKS, *WORDS, b"\xff"])
ALMOST_JSON = st.lists(PIECES, max_size=30).map(b"".join)
FRACTIONS = st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: not x.is_integer())
TEXT = st.text(max_size=8).map(lambda text: unicodedata.normalize("NFC", text))
LEAVES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | FRACTIONS | TEXT
VALUES = st.recursive(LEAVES, lambda v: st.lists(v, max_size=4) | st.dictionaries(TEXT, v, max_size=4), max_leaves=12)


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(k, str) and _is_plain(k) and _is_plain(v) for k, v in value.items())
    if isinstance(value, list):
        return all(map(_is_plain, value))
    if isinstance(value, str):
        return value.encode("utf-8", "replace") == value.encode("utf-8", "surrogatepass")
    if isinstance(value, float):
        return math.isfinite(value) and not value.is_integer()
    return value is None or isinstance(value, bool) or abs(value) <= 2**53


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60) | ALMOST_JSON)
@example(b"")
def test_anything_is_a_plain_value_or_a_refusal(raw: bytes) -> None:
    try:
        value = strict_json.loads(raw, max_bytes=100)
    except (MalformedRequest, TooLarge):
        return
    assert _is_plain(value)
    assert value == json.loads(raw)


@settings(max_examples=100, deadline=None)
@given(VALUES, st.booleans())
def test_what_a_careful_sender_wrote_is_read_as_it_was_meant(value: Any, ascii_only: bool) -> None:
    assert strict_json.loads(json.dumps(value, ensure_ascii=ascii_only).encode()) == value
