"""Every fault has its place and a sentence in both languages, and nothing that was sent comes back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.core import schema
from chalicelib.core.errors import Fault, InvalidRequest

SECRET = "350203199001011234"


def faults_of(document: dict[str, Any], value: Any, monkeypatch: pytest.MonkeyPatch) -> list[Fault]:
    monkeypatch.setattr(schema, "documents", lambda: {"probe.json": {"$id": "egret:/probe.json", **document}})
    for cached in (schema._registry, schema._validator, schema._declared_names):
        cached.cache_clear()
    try:
        with pytest.raises(InvalidRequest) as refused:
            schema.validate("probe.json", value)
    finally:
        for cached in (schema._registry, schema._validator, schema._declared_names):
            cached.cache_clear()
    return list(refused.value.faults)


CASES: list[tuple[Any, Any, str, str]] = [
    ({"type": "string"}, 1, "应为文字", "must be of type string"),
    ({"type": ["string", "null"]}, 1, "应为空值或文字", "must be of type null, string"),
    ({"enum": ["x", 1, None]}, "y", "取值应为：x, 1, null", "must be one of: x, 1, null"),
    ({"const": True}, "y", "取值应为 true", "must be true"),
    ({"minimum": 3}, 2, "不得小于 3", "must be at least 3"),
    ({"maximum": 3}, 4, "不得大于 3", "must be at most 3"),
    ({"exclusiveMinimum": 3}, 3, "必须大于 3", "must be greater than 3"),
    ({"exclusiveMaximum": 3}, 3, "必须小于 3", "must be less than 3"),
    ({"multipleOf": 5}, 3, "应为 5 的倍数", "must be a multiple of 5"),
    ({"minLength": 2}, "a", "至少 2 个字符", "needs at least 2 characters"),
    ({"maxLength": 2}, SECRET, "至多 2 个字符", "may have at most 2 characters"),
    ({"pattern": "^a$"}, SECRET, "格式不符", "does not have the expected form"),
    ({"format": "date"}, SECRET, "应为日期", "must be a date"),
    ({"minItems": 1}, [], "至少 1 项", "needs at least 1 items"),
    ({"maxItems": 1}, [1, 2], "至多 1 项", "may have at most 1 items"),
    ({"uniqueItems": True}, [1, 1], "各项不得重复", "has the same item twice"),
    ({"minProperties": 1}, {}, "至少 1 个字段", "needs at least 1 fields"),
    ({"maxProperties": 0}, {SECRET: 1}, "至多 0 个字段", "may have at most 0 fields"),
    (
        {"propertyNames": {"maxLength": 2}}, {SECRET: 1},
        "有字段的名称格式不符", "has a field whose name does not have the expected form",
    ),
    (
        {"properties": {"x": {}}, "additionalProperties": False}, {SECRET: 1},
        "有未声明的字段", "has fields that are not declared",
    ),
    (
        {"oneOf": [{"type": "string"}, {"type": "null"}]}, 1,
        "应恰好符合其中一种写法", "must fit exactly one of the forms",
    ),
    ({"anyOf": [{"type": "string"}, {"type": "null"}]}, 1, "应符合其中一种写法", "must fit one of the forms"),
    (False, SECRET, "此处不应有内容", "must not be given"),
    ({"not": {"type": "integer"}}, 1, "不符合格式", "does not fit"),
    ({"contains": {"const": 1}}, [SECRET], "不符合格式", "does not fit"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "value", "zh", "en"), CASES)
def test_every_kind_of_fault_has_its_sentence(
    rule: Any, value: Any, zh: str, en: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (fault,) = faults_of(
        {"properties": {"a": {"items": {"properties": {"b": rule}}}}}, {"a": [{"b": value}]}, monkeypatch
    )
    assert (fault.pointer, fault.detail.zh, fault.detail.en) == ("/a/0/b", zh, en)


def test_a_missing_field_is_pointed_at_where_it_should_be(monkeypatch: pytest.MonkeyPatch) -> None:
    (fault,) = faults_of({"properties": {"a/b": {}}, "required": ["a/b"]}, {}, monkeypatch)
    assert (fault.pointer, fault.detail.en) == ("/a~1b", "lacks the field a/b")


def test_MINIMAL_a_key_that_the_sender_made_up_is_not_in_the_pointer(monkeypatch: pytest.MonkeyPatch) -> None:
    document = {"properties": {"map": {"additionalProperties": {"items": {"type": "integer"}}}}}
    (fault,) = faults_of(document, {"map": {SECRET: ["x"]}}, monkeypatch)
    assert fault.pointer == "/map"


def test_at_most_twenty_faults_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(faults_of({"items": {"type": "integer"}}, ["x"] * 50, monkeypatch)) == schema.MAX_FAULTS


def _keywords(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for name, below in part.items():
            if name in {"properties", "$defs"}:
                for each in below.values():
                    yield from _keywords(each)
            elif name not in {"enum", "const"}:
                yield name
                yield from _keywords(below)
    elif isinstance(part, list):
        for each in part:
            yield from _keywords(each)


SILENT = {"$schema", "$id", "$ref", "$comment", "title", "description", "examples", "default", "items", "prefixItems"}


def test_every_rule_that_the_schemas_use_has_its_sentence() -> None:
    used = {name for document in schema.documents().values() for name in _keywords(document)}
    assert used - SILENT <= schema._SENTENCES.keys() | {"if", "then", "else", "allOf", "not", "contains"}


def test_every_schema_is_named_after_its_place() -> None:
    for path, document in schema.documents().items():
        assert document["$id"] == f"egret:/{path}"
