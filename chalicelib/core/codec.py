"""Between dataclasses and JSON, on msgspec. What a schema has checked becomes a dataclass here, and back.

Instants are RFC 3339, dates ISO 8601, sets are sorted, ``Text`` is ``{"zh": …, "en": …}``.
"""

from __future__ import annotations

from threading import Lock
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_decoders: dict[type[Any], msgspec.json.Decoder[Any]] = {}
_learning = Lock()


class Unfit(ValueError):
    """A body that its dataclass cannot hold. Says nothing of the body."""


def build(kind: type[T], body: Any, **fixed: Any) -> T:
    """The dataclass that a validated body means; ``fixed`` fields are not the sender's to choose.

    Raises: Unfit: the schema let something through that the dataclass cannot hold.
    """
    _decoder(kind)
    try:
        return msgspec.convert({**body, **fixed}, kind, strict=True)
    except msgspec.ValidationError as error:
        raise Unfit from error


def to_json(value: Any) -> str:
    """JSON in the order of the fields; mappings and sets are sorted, so that equal values have equal bytes."""
    return msgspec.json.encode(value, order="deterministic").decode()


def canonical(value: Any) -> str:
    """JSON with all keys sorted and no spaces: a dataclass and a mapping of the same content have equal bytes."""
    return msgspec.json.encode(value, order="sorted").decode()


def from_json(kind: type[T], text: str) -> T:
    """The dataclass that stored JSON holds."""
    return _decoder(kind).decode(text)


def _decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    """What reads a type, once msgspec has learnt it. It learns one at a time, and every type before it is first read.

    It shows a type to other threads before it knows all of its fields, and a thread that reads by it then crashes.
    """
    known = _decoders.get(kind)
    if known is None:
        with _learning:
            known = _decoders[kind] = msgspec.json.Decoder(kind)
    return known


def plain(value: Any) -> Any:
    """Dicts, lists, strings and numbers only."""
    return msgspec.to_builtins(value, order="deterministic")
