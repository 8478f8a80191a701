"""An item is made, sent and read as PynamoDB itself would: every kind of item that the app knows."""

from __future__ import annotations

from typing import Any

import pytest
from pynamodb.attributes import Attribute
from pynamodb.constants import BINARY, MAP, NUMBER, STRING
from pynamodb.exceptions import AttributeDeserializationError, AttributeNullError
from pynamodb.expressions.condition import Condition
from pynamodb.models import Model

import app  # noqa: F401 - imports every store
from chalicelib.core.effect import EffectRow
from chalicelib.core.table import IntAttribute, Row

VALUES: dict[str, Any] = {STRING: "文 text", NUMBER: 7, BINARY: b"\x00\xff", MAP: {"61": 2}}
CONDITIONS = [None, Row.pk.does_not_exist(), (Row.v == 3) & (Row.gsi1pk >= "a"), (Row.v == 3) | (Row.v == 3)]


class _DefaultRow(Row, discriminator="core-item"):
    n = IntAttribute(default=5)
    said = IntAttribute()


def kinds() -> list[type[Row]]:
    return sorted(Row.kind.get_registered_subclasses(Row), key=lambda kind: (kind.__module__, kind.__name__))


def filled(kind: type[Row], *, whole: bool) -> Row:
    """An item of a kind, with all of its attributes or with those that it must have."""
    known: dict[str, Attribute[Any]] = kind.get_attributes()
    wanted = {name: at for name, at in known.items() if name != "kind" and (whole or not at.null)}
    return kind(**{name: VALUES[at.attr_type] for name, at in wanted.items()})


def pynamodbs(kind: type[Row], data: dict[str, Any]) -> Row:
    """The item as PynamoDB reads it."""
    made: Row = kind.__new__(kind)
    Model.deserialize(made, data)
    return made


def held(item: Row) -> dict[str, Any]:
    """What an item holds; a map, which has a class of its own, by what is in it."""
    return {name: getattr(value, "attribute_values", value) for name, value in item.attribute_values.items()}


def test_every_kind_that_is_stored_is_among_these() -> None:
    assert len(kinds()) > 40
    assert {at.attr_type for kind in kinds() for at in kind.get_attributes().values()} == VALUES.keys()


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("kind", kinds())
def test_an_item_is_sent_and_read_as_pynamodb_does(kind: type[Row], whole: bool) -> None:
    item = filled(kind, whole=whole)
    sent = item.serialize()
    assert sent == Model.serialize(item)
    read = Row.from_raw_data(sent)
    assert type(read) is kind
    assert held(read) == held(item) == held(pynamodbs(kind, sent))
    assert {name: type(value) for name, value in read.attribute_values.items()} == {
        name: type(value) for name, value in pynamodbs(kind, sent).attribute_values.items()
    }


@pytest.mark.parametrize("returned", [None, "ALL_OLD"])
@pytest.mark.parametrize("condition", CONDITIONS, ids=str)
@pytest.mark.parametrize("kind", [EffectRow, _DefaultRow])
def test_a_put_is_what_pynamodb_makes_of_it(kind: type[Row], condition: Condition | None, returned: str | None) -> None:
    item = filled(kind, whole=True)
    assert item.get_save_kwargs_from_instance(condition, returned) == Model.get_save_kwargs_from_instance(
        item, condition, returned
    )


def test_what_is_not_given_has_its_default() -> None:
    item = _DefaultRow("a", "b", said=1)
    assert held(item) == {"pk": "a", "sk": "b", "kind": _DefaultRow, "v": 1, "n": 5, "said": 1}
    older = {name: value for name, value in item.serialize().items() if name not in {"n", "v"}}
    read = _DefaultRow.from_raw_data(older)
    assert (read.key, read.n, read.v, read.said) == (item.key, 5, 1, 1)


@pytest.mark.parametrize("asked", [["kind", "gsi2sk"], ["facts"], ["pk", "sk", "kind"]])
def test_of_an_item_some_attributes_may_be_read(asked: list[str]) -> None:
    sent = filled(EffectRow, whole=True).serialize()
    some = {name: sent[name] for name in asked}
    assert held(EffectRow.from_raw_data(some)) == held(pynamodbs(EffectRow, some))


def test_what_nobody_knows_any_more_is_passed_over() -> None:
    item = _DefaultRow("a", "b", said=1)
    assert held(_DefaultRow.from_raw_data({**item.serialize(), "former": {"S": "x"}})) == held(item)


def test_an_attribute_that_is_missing_is_named() -> None:
    with pytest.raises(AttributeNullError, match="said"):
        _DefaultRow("a", "b").serialize()
    with pytest.raises(AttributeNullError, match="sk"):
        _DefaultRow("a", said=1).serialize()
    assert "said" not in _DefaultRow("a", "b").serialize(null_check=False)


def test_an_attribute_that_is_none_is_a_broken_belief() -> None:
    for wrong in ("sayd", "effect_id"):
        with pytest.raises(AssertionError, match=wrong):
            _DefaultRow("a", "b", **{wrong: 1})


def test_an_item_of_another_kind_is_not_taken_for_this_one() -> None:
    sent = _DefaultRow("a", "b", said=1).serialize()
    with pytest.raises(ValueError, match="EffectRow"):
        EffectRow.from_raw_data(sent)
    with pytest.raises(ValueError, match="Unknown"):
        Row.from_raw_data({**sent, "kind": {"S": "nothing-known"}})
    with pytest.raises(AttributeDeserializationError):
        Row.from_raw_data({**sent, "said": {"S": "1"}})
