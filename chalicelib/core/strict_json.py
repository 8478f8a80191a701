"""JSON as a careful institution reads it: one meaning, bounded, or refused.

Refused: more bytes than allowed, bytes that are not UTF-8, a byte order mark, nesting beyond ``MAX_DEPTH``, NaN and
infinities, duplicate keys, lone surrogates, text that is not in normalisation form C, integers beyond 2^53, whole
numbers written with a point or an exponent.

Source: RFC 8259; RFC 7493 (I-JSON).
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any, NoReturn

from chalicelib.core.errors import MalformedRequest, TooLarge
from chalicelib.core.text import Text

MAX_BYTES = 65_536
MAX_DEPTH = 32
_MAX_INTEGER = 2**53
# Possessive, and content with an end that never comes: linear in whatever is sent.
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)


def loads(raw: bytes, max_bytes: int = MAX_BYTES) -> Any:
    """The one value that ``raw`` means.

    Raises:
        TooLarge: more than ``max_bytes`` bytes.
        MalformedRequest: anything else that the module's promise refuses.
    """
    check_size(raw, max_bytes)
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH:
        _check_depth(raw)
    try:
        value = _decoder.decode(raw.decode("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise MalformedRequest(Text("请求体不是合法的 JSON", "The body is not valid JSON in UTF-8")) from error
    if b"\\u" in raw or not raw.isascii():
        _check_text(value)
    return value


def check_size(raw: bytes, max_bytes: int) -> None:
    """Returns if there are no more bytes than that. Raises: TooLarge."""
    if len(raw) > max_bytes:
        said = Text("请求体不得超过 {limit} 字节", "The body may have at most {limit} bytes")
        raise TooLarge(said.format(limit=max_bytes))


def _check_depth(raw: bytes) -> None:
    depth = 0
    for byte in _STRING.sub(b"", raw):
        if byte in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                _refuse("嵌套过深", "It is nested too deeply")
        elif byte in b"]}":
            depth -= 1


def _check_text(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        _refuse("含有不成对的代理字符", "It holds half a surrogate pair")
    if not unicodedata.is_normalized("NFC", text):
        _refuse("文字须为 NFC 规范形式", "Its text must be in Unicode normalisation form C")


def _refuse(zh: str, en: str) -> NoReturn:
    raise MalformedRequest(Text(zh, en))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        _refuse("对象中有重复的键", "An object has the same key twice")
    return found


def _integer(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > _MAX_INTEGER:
        _refuse("整数超出范围", "An integer is out of range")
    return int(text)


def _fraction(text: str) -> float:
    value = float(text)
    if value.is_integer() or value in {float("inf"), float("-inf")}:
        _refuse("整数不得写成小数或指数形式", "Write whole numbers without a point or an exponent")
    return value


def _constant(_: str) -> NoReturn:
    _refuse("不接受 NaN 或无穷大", "NaN and infinities are not accepted")


_decoder = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_integer, parse_float=_fraction, parse_constant=_constant
)
