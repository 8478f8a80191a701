from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import referencing

import chalicelib.scenarios
from chalicelib.cities.rules import Scale, Scheme
from chalicelib.core import schema
from chalicelib.core.errors import InvalidRequest
from chalicelib.scenarios.rules import RECIPIENTS, USES, TableInvalid, TierTable, lint, parse_table, to_document
from chalicelib.scenarios.rules.tables import MAX_AREAS, MAX_ATTRIBUTES, MAX_LEAVES, MAX_SCORE, MAX_TIERS

DATA = sorted((Path(chalicelib.scenarios.__file__).parent / "data").glob("*.json"))
SCHEMA = "scenarios/table.json"
Draft = Callable[..., dict[str, Any]]
PARKING = next(path for path in DATA if "roadside" in path.name)
PRODUCE = next(path for path in DATA if "produce" in path.name)


def read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def slow_engine_accepts(document: Any) -> bool:
    """What the other engine says, the one that reads authored documents for their authors."""
    known = [(text["$id"], referencing.Resource.from_contents(text)) for text in schema.documents().values()]
    registry: referencing.Registry[Any] = referencing.Registry().with_resources(known)
    return bool(jsonschema.Draft202012Validator(schema.documents()[SCHEMA], registry=registry).is_valid(document))


def fast_engine_accepts(document: Any) -> bool:
    try:
        schema.validate(SCHEMA, document)
    except InvalidRequest:
        return False
    return True


@pytest.mark.parametrize("path", DATA, ids=lambda path: path.stem)
def test_published_tables_fit_the_schema_read_back_and_lint_clean(path: Path, scale: Scale) -> None:
    document = read(path)
    assert fast_engine_accepts(document)
    assert slow_engine_accepts(document)
    table = parse_table(document)
    assert to_document(table) == document
    assert lint(table, scale, Scheme(), {"island", "haicang", "jimei"}) == []


def test_the_published_tables_are_the_six_and_say_which_figures_are_invented() -> None:
    marks = {document["scenario_id"]: document["illustrative"] for document in map(read, DATA)}
    assert marks == {
        "library": False,
        "bicycle": False,
        "roadside_parking": False,
        "i_chewei_parking": False,
        "jimei_produce": True,
        "credit_medical": True,
    }


def test_every_kind_of_condition_reads_back(draft: Draft, tier: Draft) -> None:
    when = {
        "any": [
            {"all": [{"score": {"gt": 600, "le": 700}}, {"attribute": {"is": "honest_model"}}]},
            {"all": [{"grade": {"is": "良好"}}, {"resident": True}]},
            {"grade": {"ge": "优秀"}},
            {"score": {"lt": 10}},
        ]
    }
    facts = {"honest_model": {"zh": "诚信典型", "en": "Honesty role model"}}
    document = draft(tier("t", when, priority=True), facts=facts)
    assert fast_engine_accepts(document)
    assert to_document(parse_table(document)) == document


def test_optional_fields_may_be_left_out(draft: Draft, tier: Draft) -> None:
    document = draft(tier("t", {"resident": True}))
    full = to_document(parse_table(document))
    for field in ("valid_to", "illustrative"):
        del document[field]
    for field in ("cumulative", "without"):
        del document["areas"][0][field]
    assert fast_engine_accepts(document)
    assert to_document(parse_table(document)) == full | {"illustrative": False}


def change(path: str, value: Any) -> Callable[[Any], None]:
    """Sets one place of a document, named by its JSON pointer."""

    def apply(document: Any) -> None:
        *parents, last = path.strip("/").split("/")
        for step in parents:
            document = document[int(step) if isinstance(document, list) else step]
        document[int(last) if isinstance(document, list) else last] = value

    return apply


WHEN = "/areas/0/tiers/0/when"
ONE_TIER = read(PARKING)["areas"][0]["tiers"][0]
UNREADABLE: list[tuple[Path, str, Any, str]] = [
    (PARKING, "/city_id", "xiamen\n", "/city_id"),
    (PARKING, "/city_id", "Xiamen", "/city_id"),
    (PARKING, "/version", 0, "/version"),
    (PARKING, "/version", True, "/version"),
    (PARKING, "/version", "1", "/version"),
    (PARKING, "/use", "punishment", "/use"),
    (PARKING, "/use", "parking\n", "/use"),
    (PARKING, "/recipients", [], "/recipients"),
    (PARKING, "/recipients", ["citizen"], "/recipients/0"),
    (PARKING, "/recipients", ["bank", "bank"], "/recipients/1"),
    (PARKING, "/valid_from", "2025-13-01", "/valid_from"),
    (PARKING, "/valid_from", "2025-01-01\n", "/valid_from"),
    (PARKING, "/valid_from", "２０２５-01-01", "/valid_from"),
    (PARKING, "/valid_to", 20250101, "/valid_to"),
    (PARKING, "/illustrative", 1, "/illustrative"),
    (PARKING, "/name", {"zh": "停车"}, "/name/en"),
    (PARKING, "/name/en", "Parking\n", "/name/en"),
    (PARKING, "/name/en", "Park\u202eing", "/name/en"),
    (PARKING, "/surprise", 1, ""),
    (PARKING, "/facts", {"honest_model": "yes"}, "/facts/honest_model"),
    (PARKING, "/facts", [], "/facts"),
    (PARKING, "/areas", [], "/areas"),
    (PARKING, "/areas/0", 7, "/areas/0"),
    (PARKING, "/areas/0/district", "a\n", "/areas/0/district"),
    (PARKING, "/areas/0/cumulative", "no", "/areas/0/cumulative"),
    (PARKING, "/areas/0/without", [], "/areas/0/without"),
    (PARKING, "/areas/0/without", {"free_minutes": 1.5}, "/areas/0/without/free_minutes"),
    (PARKING, "/areas/0/tiers", [], "/areas/0/tiers"),
    (PARKING, "/areas/0/tiers/0/tier_id", "t\n", "/areas/0/tiers/0/tier_id"),
    (PARKING, "/areas/0/tiers/0/benefit", {"free_minutes": "30"}, "/areas/0/tiers/0/benefit/free_minutes"),
    (PARKING, WHEN, {}, WHEN),
    (PARKING, WHEN, {"score": {"ge": 1}, "resident": True}, WHEN),
    (PARKING, WHEN, {"resident": False}, WHEN),
    (PARKING, WHEN, {"religion": True}, WHEN),
    (PARKING, WHEN, {"score": {}}, f"{WHEN}/score"),
    (PARKING, WHEN, {"score": {"ge": 1, "gt": 2}}, f"{WHEN}/score"),
    (PARKING, WHEN, {"score": {"lt": 1, "le": 2}}, f"{WHEN}/score"),
    (PARKING, WHEN, {"score": {"ge": 530.5}}, f"{WHEN}/score/ge"),
    (PARKING, WHEN, {"score": {"ge": True}}, f"{WHEN}/score/ge"),
    (PARKING, WHEN, {"score": {"ge": "530"}}, f"{WHEN}/score/ge"),
    (PARKING, WHEN, {"score": {"is": 530}}, f"{WHEN}/score"),
    (PARKING, WHEN, {"grade": {}}, f"{WHEN}/grade"),
    (PARKING, WHEN, {"grade": {"ge": "良好", "is": "良好"}}, f"{WHEN}/grade"),
    (PARKING, WHEN, {"grade": {"ge": "良好\n"}}, f"{WHEN}/grade/ge"),
    (PARKING, WHEN, {"attribute": {}}, f"{WHEN}/attribute/is"),
    (PARKING, WHEN, {"attribute": {"is": "A B"}}, f"{WHEN}/attribute/is"),
    (PARKING, WHEN, {"all": []}, f"{WHEN}/all"),
    (PARKING, WHEN, {"any": [{"score": {"ge": 1}}, {"no": 1}]}, f"{WHEN}/any/1"),
    (PARKING, WHEN, {"all": [{"resident": True}] * (MAX_LEAVES + 1)}, f"{WHEN}/all"),
    (PARKING, "/areas/0/tiers", [ONE_TIER] * (MAX_TIERS + 1), "/areas/0/tiers"),
    (PRODUCE, "/areas/0/by_grade", {}, "/areas/0/by_grade"),
    (PRODUCE, "/areas/0/by_grade", {"良好": "x"}, "/areas/0/by_grade/良好"),
    (PRODUCE, "/areas/0/by_grade", {"良/好": 1.5}, "/areas/0/by_grade/良~1好"),
    (PRODUCE, "/areas/0/unit", 5, "/areas/0/unit"),
    (PRODUCE, "/areas/0/cumulative", True, "/areas/0"),
]


@pytest.mark.parametrize(("path", "place", "value", "pointer"), UNREADABLE)
def test_what_cannot_be_read_is_refused_at_its_place_by_reader_and_schema(
    path: Path, place: str, value: Any, pointer: str
) -> None:
    document = copy.deepcopy(read(path))
    change(place, value)(document)
    with pytest.raises(TableInvalid) as caught:
        parse_table(document)
    assert pointer in [fault.pointer for fault in caught.value.faults]
    assert not fast_engine_accepts(document)
    # A day that is on no calendar is the one fault that only the faster engine, which checks formats, sees.
    assert value == "2025-13-01" or not slow_engine_accepts(document)


def test_what_only_the_reader_can_see(draft: Draft, tier: Draft) -> None:
    twice = draft(tier("t", {"resident": True}), tier("t", {"resident": True}))
    twice["areas"].append(copy.deepcopy(twice["areas"][0]))
    facts = [{"attribute": {"is": f"fact_{number}"}} for number in range(MAX_ATTRIBUTES + 1)]
    many = draft(tier("t", {"any": facts}))
    leaves = {"all": [{"resident": True}] * MAX_LEAVES}
    wide = draft(tier("t", {"any": [leaves, {"resident": True}]}))
    deep: dict[str, Any] = {"resident": True}
    for _ in range(4):
        deep = {"all": [deep]}
    expected = [
        (twice, {"/areas/0/tiers/1/tier_id", "/areas/1/tiers/1/tier_id", "/areas/1/district"}),
        (many, {"/areas/0/tiers"}),
        (wide, {"/areas/0/tiers/0/when"}),
        (draft(tier("t", deep)), {"/areas/0/tiers/0/when/all/0/all/0/all/0"}),
    ]
    for document, pointers in expected:
        with pytest.raises(TableInvalid) as caught:
            parse_table(document)
        assert {fault.pointer for fault in caught.value.faults} == pointers


@pytest.mark.parametrize("document", [None, 5, [], "table", {}])
def test_something_else_altogether_is_refused(document: Any) -> None:
    with pytest.raises(TableInvalid) as caught:
        parse_table(document)
    assert caught.value.faults


def test_all_faults_are_told_at_once() -> None:
    document = read(PARKING) | {"version": 0, "use": "x", "valid_from": None}
    with pytest.raises(TableInvalid) as caught:
        parse_table(document)
    assert {fault.pointer for fault in caught.value.faults} == {"/version", "/use", "/valid_from"}


def test_schema_and_rules_name_the_same_lists_and_limits() -> None:
    document = schema.documents()[SCHEMA]
    properties, parts = document["properties"], document["$defs"]
    assert set(properties["use"]["enum"]) == set(USES)
    assert set(schema.documents()["common.json"]["$defs"]["uses"]["items"]["enum"]) == set(USES)
    assert set(properties["recipients"]["items"]["enum"]) == RECIPIENTS
    assert properties["areas"]["maxItems"] == MAX_AREAS
    assert parts["tier_area"]["properties"]["tiers"]["maxItems"] == MAX_TIERS
    assert parts["conditions"]["maxItems"] == MAX_LEAVES
    assert schema.documents()["common.json"]["$defs"]["score"]["maximum"] == MAX_SCORE


@pytest.mark.parametrize("path", ["cities/admit_city.json", "cities/change_city.json"])
def test_a_city_forbids_and_permits_only_uses_that_there_are(path: str) -> None:
    listed = schema.documents()["common.json"]["$defs"]["uses"] | {"$id": "egret:/uses-only.json"}
    known = [(text["$id"], referencing.Resource.from_contents(text)) for text in schema.documents().values()]
    judge = jsonschema.Draft202012Validator(listed, registry=referencing.Registry().with_resources(known))
    assert judge.is_valid(["lending", "parking"])
    assert not judge.is_valid(["loan"])
    assert json.dumps(schema.documents()[path]).count("egret:/common.json#/$defs/uses") == 2


def test_the_short_form_writes_yes_or_no_too(scale: Scale) -> None:
    document = read(PRODUCE)
    document["areas"][0] |= {"by_grade": {"优秀": True, "极好": True}, "unit": "priority"}
    assert fast_engine_accepts(document)
    assert slow_engine_accepts(document)
    table = parse_table(document)
    assert to_document(table) == document
    assert lint(table, scale, Scheme()) == []


def test_a_table_is_in_force_from_its_first_day(published: Callable[[str], TierTable]) -> None:
    table = published("roadside_parking")
    assert table.in_force(table.valid_from)
    assert not table.in_force(table.valid_from.replace(year=2017))
