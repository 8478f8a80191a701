"""The schemas say one thing, whoever reads them, and leave no door open."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random
from typing import Any

import jsonschema_rs
import pytest
from jsonschema import Draft202012Validator

from app import app
from chalicelib.core import schema
from chalicelib.core.http import ROUTES
from tests.contract import replies, specimens

assert app.routes
DOCUMENTS = schema.documents()
SILENT = {"$schema", "$id", "$defs", "title", "description"}
NAMES = [name for name, document in DOCUMENTS.items() if document.keys() - SILENT]
GOOD, SPOILT = 12, 40
every_schema = pytest.mark.parametrize("name", NAMES)


@every_schema
def test_two_validators_agree(name: str) -> None:
    chance = Random(name)
    theirs, ours = replies.validator(name), schema._validator(name)
    good = [specimens.good(DOCUMENTS[name], name, chance) for _ in range(GOOD)]
    spoilt = [specimens.spoilt(chance.choice(good), chance) for _ in range(SPOILT)]
    verdicts = []
    for value in [*good, *spoilt, *specimens.WEIRD]:
        verdicts.append(theirs.is_valid(value))
        assert ours.is_valid(value) == verdicts[-1], value
    assert True in verdicts[:GOOD], f"no specimen fits {name}: {list(theirs.iter_errors(good[0]))[:3]}"
    assert False in verdicts[GOOD:]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_schema_is_a_schema(name: str) -> None:
    Draft202012Validator.check_schema(DOCUMENTS[name])
    assert DOCUMENTS[name]["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert DOCUMENTS[name]["title"]


def parts_of(part: Any, place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every subschema, with its place."""
    if isinstance(part, dict):
        yield place, part
        for keyword, below in part.items():
            if keyword in {"properties", "$defs"}:
                for name, each in below.items():
                    yield from parts_of(each, f"{place}/{name}")
            elif keyword not in {"if", "enum", "const", "examples", "default"}:
                yield from parts_of(below, f"{place}/{keyword}")
    elif isinstance(part, list):
        for each in part:
            yield from parts_of(each, place)


PARTS = [found for name, document in DOCUMENTS.items() for found in parts_of(document, name)]
PATTERNS = sorted({part["pattern"] for _, part in PARTS if isinstance(part.get("pattern"), str)})
# What only forbids a beginning stands beside a reference to a pattern with an end.
WHOLE = [pattern for pattern in PATTERNS if not re.fullmatch(r"\^\(\?![^()]*\)", pattern)]


@pytest.mark.parametrize("pattern", WHOLE)
def test_a_pattern_ends_where_the_text_ends(pattern: str) -> None:
    chance = Random(pattern)
    judges = [jsonschema_rs.Draft202012Validator({"pattern": pattern}), Draft202012Validator({"pattern": pattern})]
    for _ in range(10):
        text = specimens.matching(pattern, chance)
        assert [judge.is_valid(text) for judge in judges] == [True, True], text
        for tail in ("\n", "\r", "\r\n"):
            assert [judge.is_valid(text + tail) for judge in judges] == [False, False], text + tail
        assert [judge.is_valid("\n" + text) for judge in judges] == [False, False]


@pytest.mark.parametrize("pattern", WHOLE)
def test_a_pattern_means_the_same_everywhere(pattern: str) -> None:
    assert pattern.startswith("^")
    assert pattern.endswith(r"$(?!\n)")
    assert not re.search(r"\\[dwsbDWSB]", pattern)


def test_every_reference_leads_somewhere() -> None:
    for place, part in PARTS:
        if "$ref" in part:
            assert specimens._resolved(part["$ref"], place.partition(".json")[0] + ".json")[0] is not None


USED = sorted({name for route in ROUTES for name in (route.body, route.reply) if name})
# Many rows in one body: each is judged by itself, and refused by itself.
ROW_BY_ROW = {"scores/report_scores.json/rows/items", "scores/import_rows.json/rows/items"}
BODIES = sorted({route.body for route in ROUTES if route.body})


def reached(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every subschema of a document and of what it refers to."""
    seen: set[str] = set()
    waiting: list[tuple[Any, str, str]] = [(DOCUMENTS[name], name, name)]
    while waiting:
        root, path, place = waiting.pop()
        for inner, part in parts_of({k: v for k, v in root.items() if k != "$defs"}, place):
            yield inner, part
            target = part.get("$ref")
            if target is not None and (path + target if target.startswith("#") else target) not in seen:
                seen.add(path + target if target.startswith("#") else target)
                found, where = specimens._resolved(target, path)
                waiting.append((found, where, target))


@pytest.mark.parametrize("name", USED)
def test_nothing_undeclared_comes_in_or_goes_out(name: str) -> None:
    for place, part in reached(name):
        if part.get("type") == "object":
            closed = part.get("additionalProperties", part.get("unevaluatedProperties"))
            assert closed is not None, f"{place} takes anything"
            assert closed is False or ("properties" not in part and closed is not True), f"{place} takes anything"


@pytest.mark.parametrize("name", BODIES)
def test_everything_that_comes_in_has_a_limit(name: str) -> None:
    for place, part in reached(name):
        kinds = part.get("type", ()) if place not in ROW_BY_ROW else ()
        if "string" in kinds:
            assert part.keys() & {"maxLength", "pattern", "enum", "const", "format"}, f"{place} has no end"
        if "array" in kinds:
            assert "maxItems" in part or part.get("items") is False, f"{place} has no end"
        if "object" in kinds and "properties" not in part:
            assert "maxProperties" in part, f"{place} has no end"
