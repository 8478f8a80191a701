"""Instances of a JSON Schema, good ones and spoilt ones, from a seed."""

from __future__ import annotations

import copy
import re
import re._constants as sre  # type: ignore[import-not-found]
import re._parser as sre_parser  # type: ignore[import-not-found]
from datetime import date, timedelta
from random import Random
from typing import Any

from chalicelib.core import schema

WEIRD = [None, True, 0, -1, 10**9, 1.5, "", "x\n", "１２", "2026-02-30", "\u202ex", [], [None], {}, {"x": 1}]


def good(rules: Any, path: str, chance: Random, depth: int = 0) -> Any:
    """An instance that means to fit ``rules``, a schema or a part of the one at ``path``."""
    if rules is True or rules == {}:
        return chance.choice([1, "x", None])
    if "$ref" in rules:
        return good(*_resolved(rules["$ref"], path), chance, depth)
    for keyword in ("oneOf", "anyOf"):
        if keyword in rules and "properties" not in rules:
            return good(chance.choice(rules[keyword]), path, chance, depth)
    if "allOf" in rules:
        rules = _merged(rules, path)
    if "if" in rules and "properties" not in rules:
        return good(rules[chance.choice(["then", "else"])], path, chance, depth)
    if "const" in rules:
        return rules["const"]
    if "enum" in rules:
        return chance.choice(rules["enum"])
    kind = rules.get("type", "object" if "properties" in rules else "string")
    kind = chance.choice(kind) if isinstance(kind, list) else kind
    maker = {"object": _object, "array": _array, "string": _string, "integer": _number, "number": _number}.get(kind)
    return maker(rules, path, chance, depth) if maker else {"boolean": chance.random() < 0.5}.get(kind)


def _resolved(ref: str, path: str) -> tuple[Any, str]:
    whole, _, inner = (path + ref if ref.startswith("#") else ref.removeprefix("egret:/")).partition("#")
    found: Any = schema.documents()[whole]
    for step in inner.split("/")[1:]:
        found = found[step]
    return found, whole


def _merged(rules: Any, path: str) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    for part in rules["allOf"]:
        whole |= _resolved(part["$ref"], path)[0] if "$ref" in part else part
    return whole | {key: value for key, value in rules.items() if key != "allOf"}


def _object(rules: Any, path: str, chance: Random, depth: int) -> Any:
    required = set(rules.get("required", ()))
    keep = 0.6 if depth < 6 else 0.0
    made = {
        name: good(part, path, chance, depth + 1)
        for name, part in rules.get("properties", {}).items()
        if name in required or chance.random() < keep
    }
    more = rules.get("additionalProperties")
    if isinstance(more, dict) and not made:
        for _ in range(chance.randint(rules.get("minProperties", 0), 2)):
            name = good(rules.get("propertyNames", {"enum": ["a", "b"]}), path, chance, depth + 1)
            made[name] = good(more, path, chance, depth + 1)
    return made


def _array(rules: Any, path: str, chance: Random, depth: int) -> Any:
    first = [good(part, path, chance, depth + 1) for part in rules.get("prefixItems", ())]
    least = rules.get("minItems", 0)
    size = max(least, min(rules.get("maxItems", 3), chance.randint(least, least + 2)))
    items = rules.get("items", {})
    rest = [good(items, path, chance, depth + 1) for _ in range(size - len(first))] if items is not False else []
    if rules.get("uniqueItems"):
        rest = [item for n, item in enumerate(rest) if item not in rest[:n]]
    return first + rest


def _number(rules: Any, _: str, chance: Random, __: int) -> Any:
    least = rules.get("minimum", rules.get("exclusiveMinimum", -1) + 1)
    most = rules.get("maximum", rules.get("exclusiveMaximum", least + 1000) - 1)
    value = chance.choice([int(least), int(most), chance.randint(int(least), max(int(least), int(most)))])
    step = rules.get("multipleOf", 1)
    return value // step * step if isinstance(step, int) else value


def _string(rules: Any, _: str, chance: Random, __: int) -> Any:
    if rules.get("format") == "date":
        return (date(2026, 1, 1) + timedelta(days=chance.randint(0, 900))).isoformat()
    if rules.get("format") == "date-time":
        instant = f"2026-{chance.randint(1, 12):02d}-01T08:{chance.randint(0, 59):02d}:00"
        whole = f"{instant}.000Z"
        return whole if re.search(rules.get("pattern", ""), whole) else f"{instant}Z"
    least, most = rules.get("minLength", 0), rules.get("maxLength", 12)
    if "pattern" in rules:
        return matching(rules["pattern"], chance)[: rules.get("maxLength")].ljust(least, "a")
    return "".join(chance.choice("abcXYZ 厦门1-") for _ in range(chance.randint(least, min(most, least + 8))))


def matching(pattern: str, chance: Random) -> str:
    """A text that matches a pattern of the plain kind that schemas use."""
    return "".join(_spoken(step, chance) for step in sre_parser.parse(pattern))


def _spoken(step: tuple[Any, Any], chance: Random) -> str:
    kind, what = step
    if kind is sre.LITERAL:
        return chr(what)
    if kind in {sre.AT, sre.ASSERT_NOT, sre.ASSERT}:
        return ""
    if kind is sre.ANY:
        return "x"
    if kind is sre.IN:
        return _one_of(what, chance)
    if kind in {sre.MAX_REPEAT, sre.MIN_REPEAT}:
        least, most, inner = what
        times = chance.randint(least, min(most, least + 3))
        return "".join(_spoken(part, chance) for _ in range(times) for part in inner)
    if kind is sre.SUBPATTERN:
        return "".join(_spoken(part, chance) for part in what[-1])
    assert kind is sre.BRANCH, f"a pattern uses {kind}"
    return "".join(_spoken(part, chance) for part in chance.choice(what[1]))


def _one_of(members: Any, chance: Random) -> str:
    if members[0][0] is sre.NEGATE:
        return chance.choice("厦门ab ")
    kind, what = chance.choice(members)
    return chr(chance.randint(*what)) if kind is sre.RANGE else chr(what)


def spoilt(value: Any, chance: Random) -> Any:
    """The same instance with one thing changed somewhere."""
    if isinstance(value, dict) and value and chance.random() < 0.8:
        made = copy.copy(value)
        name = chance.choice(list(made))
        change = chance.randint(0, 9)
        if change == 0:
            del made[name]
        elif change == 1:
            made["undeclared"] = 1
        else:
            made[name] = spoilt(made[name], chance)
        return made
    if isinstance(value, list) and value and chance.random() < 0.8:
        place = chance.randrange(len(value))
        return [
            *value[:place],
            *chance.choice([[], [value[place]] * 2, [spoilt(value[place], chance)]]),
            *value[place + 1 :],
        ]
    if isinstance(value, str) and chance.random() < 0.6:
        return chance.choice(
            [value + "\n", value + "\u2028", "\n" + value, value.upper(), value * 60, value[:-1], "é" + value]
        )
    if type(value) is int and chance.random() < 0.6:
        return chance.choice([value + 1, value - 1, -value, value + 0.5, float(value), str(value), value * 10**6])
    return chance.choice(WEIRD)
