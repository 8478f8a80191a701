"""A body has one meaning or is refused: the cases by hand. The fuzzing is in tests/property/core."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.core import strict_json
from chalicelib.core.errors import MalformedRequest, TooLarge

MOST = 2**53


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"{}", {}),
        (b" [1, 2.5, -3, true, null] ", [1, 2.5, -3, True, None]),
        (b"9007199254740992", MOST),
        (b"-9007199254740992", -MOST),
        (b"-0", 0),
        ('"厦门"'.encode(), "厦门"),
        (rb'"\ud83d\udc26"', "\U0001f426"),
        (rb'"\\ud800"', "\\ud800"),
        (b'"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["', "[" * 39),
        (b"[" + b"{}," * 40 + b"{}]", [{}] * 41),
    ],
)
def test_what_is_well_formed_is_read(raw: bytes, value: Any) -> None:
    read = strict_json.loads(raw)
    assert (type(read), read) == (type(value), value)


def test_thirty_two_levels_are_not_too_deep() -> None:
    strict_json.loads(b"[" * 32 + b"]" * 32)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b" \n", id="blank"),
        pytest.param(b"{", id="cut off"),
        pytest.param(b"{}{}", id="two values"),
        pytest.param(b"{'a': 1}", id="single quotes"),
        pytest.param(b'{"a": 1,}', id="trailing comma"),
        pytest.param(b"// a\n{}", id="comment"),
        pytest.param(b"\xef\xbb\xbf{}", id="byte order mark"),
        pytest.param("{}".encode("utf-16"), id="utf-16"),
        pytest.param(b'"\xff"', id="not utf-8"),
        pytest.param(b'"\xed\xa0\x80"', id="a surrogate in utf-8"),
        pytest.param(b'"\xc0\xaf"', id="overlong utf-8"),
        pytest.param(b'"\n"', id="raw control character"),
        pytest.param(b"NaN", id="NaN"),
        pytest.param(b"[Infinity]", id="Infinity"),
        pytest.param(b"[-Infinity]", id="-Infinity"),
        pytest.param(b"1e999", id="a number that overflows"),
        pytest.param(b"-1e999", id="a negative number that overflows"),
        pytest.param(b"1.0", id="1.0"),
        pytest.param(b"1e2", id="1e2"),
        pytest.param(b"-0.0", id="-0.0"),
        pytest.param(b"1e-999", id="a fraction that vanishes"),
        pytest.param(b"9007199254740992.5", id="a fraction beyond 2^53"),
        pytest.param(b"9007199254740993", id="2^53+1"),
        pytest.param(b"-9007199254740993", id="-(2^53+1)"),
        pytest.param(b"1" * 5000, id="five thousand digits"),
        pytest.param(b"01", id="leading zero"),
        pytest.param(b"+1", id="plus sign"),
        pytest.param(b"0x10", id="hexadecimal"),
        pytest.param("１２".encode(), id="full-width digits"),
        pytest.param(b'{"a": 1, "a": 1}', id="the same key twice"),
        pytest.param(rb'{"a": 1, "\u0061": 2}', id="the same key twice, once escaped"),
        pytest.param(b'[{"b": {"a": 1, "a": 2}}]', id="the same key twice, deep inside"),
        pytest.param(rb'"\ud800"', id="a high surrogate alone"),
        pytest.param(rb'"\udc00"', id="a low surrogate alone"),
        pytest.param(rb'{"\uD800": 1}', id="a surrogate in a key"),
        pytest.param(rb'"\udc26\ud83d"', id="a pair the wrong way round"),
        pytest.param(b"[" * 33 + b"]" * 33, id="33 deep"),
        pytest.param(b'{"a":' * 33 + b"1" + b"}" * 33, id="33 objects deep"),
        pytest.param(b"[" * 60_000, id="sixty thousand deep"),
        pytest.param(b"]" * 40 + b"[" * 60, id="closed before it is opened"),
        pytest.param(b'"\\" [' + b"[" * 40, id="a string that never ends"),
    ],
)
def test_what_has_no_one_meaning_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedRequest) as refused:
        strict_json.loads(raw)
    assert refused.value.detail.zh
    assert refused.value.detail.en


def test_the_size_counts_before_anything_is_read() -> None:
    assert strict_json.loads(b'"' + b"a" * (strict_json.MAX_BYTES - 2) + b'"')
    with pytest.raises(TooLarge):
        strict_json.loads(b"\xff" * (strict_json.MAX_BYTES + 1))
    with pytest.raises(TooLarge) as refused:
        strict_json.loads(b"12345", max_bytes=4)
    assert "4" in refused.value.detail.en


def test_MINIMAL_a_refusal_repeats_nothing_of_the_body() -> None:
    for raw in (b'{"id": "350203199001011234"', b'{"350203199001011234": 1, "350203199001011234": 2}'):
        with pytest.raises(MalformedRequest) as refused:
            strict_json.loads(raw)
        assert "3502" not in refused.value.detail.en + refused.value.detail.zh


@pytest.mark.parametrize("raw", ['"e\u0301"'.encode(), rb'"e\u0301"', '{"e\u0301": 1}'.encode()])
def test_text_has_one_spelling(raw: bytes) -> None:
    with pytest.raises(MalformedRequest):
        strict_json.loads(raw)
    assert strict_json.loads('"é 白鹭"'.encode()) == "é 白鹭"


def test_a_string_that_never_ends_takes_no_longer_than_any_other() -> None:
    """Would take hours if quotes were looked for anew from every quote."""
    with pytest.raises(MalformedRequest):
        strict_json.loads(b"[" * 33 + b'"' + b'\\"' * 1_000_000, 3_000_000)
