"""Validation of requests against ``schemas/``, with a JSON pointer and a sentence for every fault.

Schemas name each other by ``$id`` ``egret:/<path in schemas>``. They are found beside ``chalicelib`` both in the
repository and in the Lambda's zip. Validators are compiled on first use.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import jsonschema_rs

from chalicelib.core.errors import Fault, InvalidRequest
from chalicelib.core.text import Text

ROOT = Path(__file__).resolve().parents[2] / "schemas"
MAX_FAULTS = 20

_SENTENCES = {
    "type": Text("应为{rule}", "must be of type {rule}"),
    "additionalProperties": Text("有未声明的字段", "has fields that are not declared"),
    "enum": Text("取值应为：{rule}", "must be one of: {rule}"),
    "const": Text("取值应为 {rule}", "must be {rule}"),
    "minimum": Text("不得小于 {rule}", "must be at least {rule}"),
    "maximum": Text("不得大于 {rule}", "must be at most {rule}"),
    "exclusiveMinimum": Text("必须大于 {rule}", "must be greater than {rule}"),
    "exclusiveMaximum": Text("必须小于 {rule}", "must be less than {rule}"),
    "minLength": Text("至少 {rule} 个字符", "needs at least {rule} characters"),
    "maxLength": Text("至多 {rule} 个字符", "may have at most {rule} characters"),
    "minItems": Text("至少 {rule} 项", "needs at least {rule} items"),
    "maxItems": Text("至多 {rule} 项", "may have at most {rule} items"),
    "uniqueItems": Text("各项不得重复", "has the same item twice"),
    "pattern": Text("格式不符", "does not have the expected form"),
    "format": Text("应为{rule}", "must be a {rule}"),
    "required": Text("缺少字段 {rule}", "lacks the field {rule}"),
    "oneOf": Text("应恰好符合其中一种写法", "must fit exactly one of the forms"),
    "anyOf": Text("应符合其中一种写法", "must fit one of the forms"),
    "minProperties": Text("至少 {rule} 个字段", "needs at least {rule} fields"),
    "maxProperties": Text("至多 {rule} 个字段", "may have at most {rule} fields"),
    "propertyNames": Text("有字段的名称格式不符", "has a field whose name does not have the expected form"),
    "falseSchema": Text("此处不应有内容", "must not be given"),
    "multipleOf": Text("应为 {rule} 的倍数", "must be a multiple of {rule}"),
}  # fmt: skip
_OTHER = Text("不符合格式", "does not fit")


@lru_cache(maxsize=1)
def documents() -> dict[str, dict[str, Any]]:
    """Every schema by its path in ``schemas/``."""
    return {
        path.relative_to(ROOT).as_posix(): json.loads(path.read_text("utf-8")) for path in sorted(ROOT.rglob("*.json"))
    }


@lru_cache(maxsize=1)
def _registry() -> jsonschema_rs.Registry:
    return jsonschema_rs.Registry([(document["$id"], document) for document in documents().values()])


@lru_cache(maxsize=256)
def _validator(name: str) -> Any:
    return jsonschema_rs.Draft202012Validator(documents()[name], registry=_registry(), validate_formats=True)


def validate(name: str, value: Any) -> None:
    """Returns if ``value`` fits the schema ``name`` (a path in ``schemas/``).

    Raises: InvalidRequest: with up to ``MAX_FAULTS`` places; what was sent is not repeated.
    """
    validator = _validator(name)
    if validator.is_valid(value):
        return
    faults = [_fault(error, value) for error in islice(validator.iter_errors(value), MAX_FAULTS)]
    raise InvalidRequest(faults=faults)


def _fault(error: Any, value: Any) -> Fault:
    details = error.kind.as_dict()
    rule = next((details[k] for k in _RULE_KEYS if k in details), "")
    sentence = _SENTENCES.get(error.kind.name, _OTHER)
    missing = [details["property"]] if error.kind.name == "required" else []
    place = [*_our_steps(value, error.instance_path), *missing]
    zh = _in_chinese(rule) if error.kind.name in {"type", "format"} else _plain(rule)
    return Fault(pointer(place), Text(sentence.zh.format(rule=zh), sentence.en.format(rule=_plain(rule))))


_RULE_KEYS = ("types", "options", "limit", "format", "property", "expected_value", "multiple_of")


_CHINESE = {
    "integer": "整数", "number": "数字", "string": "文字", "boolean": "真假值", "array": "列表", "object": "对象",
    "null": "空值", "date": "日期", "date-time": "日期时间",
}  # fmt: skip


def _in_chinese(rule: Any) -> str:
    """The types and formats of JSON Schema in Chinese."""
    names = rule if isinstance(rule, list | tuple) else [rule]
    return "或".join(_CHINESE.get(str(name), str(name)) for name in names)


def _plain(rule: Any) -> str:
    if isinstance(rule, list | tuple):
        return ", ".join(_plain(part) for part in rule)
    return rule if isinstance(rule, str) else json.dumps(rule, ensure_ascii=False)


def _our_steps(value: Any, path: Iterable[str | int]) -> Iterable[str | int]:
    """The path up to the first key that no schema declares: a key the sender made up could be personal.

    The validator gives a key of digits as a number; what tells it from a position is that ``value`` is no list.
    """
    for step in path:
        if isinstance(value, list):
            value = value[int(step)]
        elif step in _declared_names():
            value = value[step]
        else:
            return
        yield step


@lru_cache(maxsize=1)
def _declared_names() -> frozenset[str]:
    found: set[str] = set()
    waiting: list[Any] = list(documents().values())
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            found |= part.get("properties", {}).keys()
        waiting += part.values() if isinstance(part, dict) else part if isinstance(part, list) else []
    return frozenset(found)


def pointer(path: Iterable[str | int]) -> str:
    """The JSON pointer of a path. Source: RFC 6901."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
