"""A tier table as JSON: ``parse_table`` and ``to_document`` are each other's inverse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.cities.rules import Edge
from chalicelib.core.text import Text
from chalicelib.scenarios.rules.benefits import NOTHING, Benefit
from chalicelib.scenarios.rules.conditions import (
    AllOf,
    AnyOf,
    AttributeIs,
    Condition,
    GradeIs,
    Leaf,
    Resident,
    ScoreIs,
    UpperEdge,
    leaves,
)
from chalicelib.scenarios.rules.reading import Reader, escaped
from chalicelib.scenarios.rules.tables import (
    MAX_AREAS,
    MAX_ATTRIBUTES,
    MAX_DEPTH,
    MAX_LEAVES,
    MAX_SCORE,
    MAX_TIERS,
    RECIPIENTS,
    USES,
    Area,
    ByGrade,
    TableInvalid,
    Tier,
    TierTable,
)

_TABLE = ("city_id", "scenario_id", "version", "name", "use", "recipients", "valid_from", "areas", "source")
_STAND_IN = Resident()


def parse_table(document: Any) -> TierTable:
    """The table that an authored document means.

    Benefit fields, grades, districts and thresholds are read as they stand: ``lint`` judges them.

    Raises: TableInvalid: with every place that cannot be read.
    """
    read = Reader()
    top = read.record(document, "", _TABLE, ("valid_to", "illustrative", "facts"))
    areas = tuple(_area(read, area, f"/areas/{i}") for i, area in enumerate(read.items(top, "areas", "", MAX_AREAS)))
    read.distinct([area.district for area in areas], "/areas/{}/district".format)
    table = TierTable(
        city_id=read.word(top, "city_id", ""),
        scenario_id=read.word(top, "scenario_id", ""),
        version=read.whole(top, "version", "", 1),
        name=read.text(top, "name", ""),
        use=read.word(top, "use", "", USES),
        recipients=_recipients(read, top),
        valid_from=read.day(top, "valid_from", ""),
        valid_to=None if top.get("valid_to") is None else read.day(top, "valid_to", ""),
        areas=areas,
        source=read.line(top, "source", ""),
        illustrative=read.flag(top, "illustrative", ""),
        fact_names=_fact_names(read, top),
    )
    if read.faults:
        raise TableInvalid(faults=read.faults)
    return table


def _recipients(read: Reader, top: Mapping[str, Any]) -> tuple[str, ...]:
    listed = read.items(top, "recipients", "", len(RECIPIENTS))
    kinds = tuple(read.word({str(i): kind}, str(i), "/recipients", RECIPIENTS) for i, kind in enumerate(listed))
    read.distinct(kinds, "/recipients/{}".format)
    return kinds


def _fact_names(read: Reader, top: Mapping[str, Any]) -> dict[str, Text]:
    facts = top.get("facts", {})
    if not isinstance(facts, Mapping):
        read.fault("/facts", "应为对象", "This must be an object")
        return {}
    return {str(name): read.text(facts, name, "/facts") for name in facts}


def _area(read: Reader, value: Any, at: str) -> Area:
    short = isinstance(value, Mapping) and "by_grade" in value
    required = ("district", "by_grade", "unit") if short else ("district", "tiers")
    area = read.record(value, at, required, ("without",) if short else ("cumulative", "without"))
    district = None if area.get("district") is None else read.word(area, "district", at)
    without = _benefit(read, area, "without", at) if "without" in area else NOTHING
    if short:
        return Area(district, False, (), without, _by_grade(read, area, at))
    listed = read.items(area, "tiers", at, MAX_TIERS)
    tiers = tuple(_tier(read, tier, f"{at}/tiers/{i}") for i, tier in enumerate(listed))
    read.distinct([tier.tier_id for tier in tiers], lambda index: f"{at}/tiers/{index}/tier_id")
    asked = {leaf.name for tier in tiers for _, leaf in leaves(tier.when, "") if isinstance(leaf, AttributeIs)}
    if len(asked) > MAX_ATTRIBUTES:
        read.fault(f"{at}/tiers", f"至多 {MAX_ATTRIBUTES} 种事实", f"At most {MAX_ATTRIBUTES} different facts")
    return Area(district, read.flag(area, "cumulative", at), tiers, without)


def _by_grade(read: Reader, area: Mapping[str, Any], at: str) -> ByGrade:
    amounts = area["by_grade"]
    if not isinstance(amounts, Mapping) or not 1 <= len(amounts) <= MAX_TIERS:
        read.fault(f"{at}/by_grade", "应为“等级：数值”的对象", "This must be an object of grades and amounts")
        amounts = {}
    for name, amount in amounts.items():
        if not isinstance(amount, int):
            place = f"{at}/by_grade/{escaped(str(name))}"
            read.fault(place, "应为整数或真假值", "Give a whole number, true or false")
    return ByGrade(read.word(area, "unit", at), dict(amounts))


def _tier(read: Reader, value: Any, at: str) -> Tier:
    tier = read.record(value, at, ("tier_id", "name", "when", "benefit"))
    when = _condition(read, tier["when"], f"{at}/when", 1) if "when" in tier else _STAND_IN
    if sum(1 for _ in leaves(when, "")) > MAX_LEAVES:
        read.fault(f"{at}/when", f"至多 {MAX_LEAVES} 个条件", f"At most {MAX_LEAVES} single conditions")
    benefit = _benefit(read, tier, "benefit", at)
    return Tier(read.word(tier, "tier_id", at), read.text(tier, "name", at), when, benefit)


def _benefit(read: Reader, record: Mapping[str, Any], key: str, at: str) -> Benefit:
    value = record.get(key, {})
    if not isinstance(value, Mapping):
        read.fault(f"{at}/{key}", "应为对象", "This must be an object")
        return NOTHING
    for name, given in value.items():
        if not isinstance(given, int):
            read.fault(f"{at}/{key}/{escaped(str(name))}", "应为整数或真假值", "Give a whole number, true or false")
    return dict(value)


def _condition(read: Reader, value: Any, at: str, depth: int) -> Condition:
    key = next(iter(value)) if isinstance(value, Mapping) and len(value) == 1 else None
    if key in {"all", "any"} and depth <= MAX_DEPTH:
        listed = enumerate(read.items(value, key, at, MAX_LEAVES))
        parts = tuple(_condition(read, part, f"{at}/{key}/{i}", depth + 1) for i, part in listed)
        return AllOf(parts) if key == "all" else AnyOf(parts)
    if key == "score":
        return _score(read, value["score"], f"{at}/score")
    if key == "grade":
        return _grade(read, value["grade"], f"{at}/grade")
    if key == "attribute":
        return AttributeIs(
            read.word(read.record(value["attribute"], f"{at}/attribute", ("is",)), "is", f"{at}/attribute")
        )
    if key != "resident" or value["resident"] is not True:
        read.fault(at, "不是可读的条件", "This is not a condition that can be read")
    return Resident()


def _score(read: Reader, value: Any, at: str) -> ScoreIs:
    edges = read.record(value, at, (), ("ge", "gt", "lt", "le"))
    bounds = {edge: read.whole(edges, edge, at, -MAX_SCORE) for edge in ("ge", "gt", "lt", "le") if edge in edges}
    lower, upper = bounds.keys() & {"ge", "gt"}, bounds.keys() & {"lt", "le"}
    if not bounds or len(lower) > 1 or len(upper) > 1:
        read.fault(at, "上下限各至多一个，且至少有一个", "Give at most one lower and one upper edge, and at least one")
    high_edge: UpperEdge = "le" if "le" in bounds else "lt"
    low_edge: Edge = "gt" if "gt" in bounds else "ge"
    return ScoreIs(bounds.get(low_edge), low_edge, bounds.get(high_edge), high_edge)


def _grade(read: Reader, value: Any, at: str) -> GradeIs:
    edges = read.record(value, at, (), ("ge", "is"))
    if len(edges) != 1:
        read.fault(at, "应恰好有 ge 或 is 之一", "Give either ge or is")
    or_better = "ge" in edges
    return GradeIs(read.line(edges, "ge" if or_better else "is", at), or_better)


def to_document(table: TierTable) -> dict[str, Any]:
    """The table as JSON with every optional field written out; ``parse_table`` reads it back."""
    document: dict[str, Any] = {
        "city_id": table.city_id,
        "scenario_id": table.scenario_id,
        "version": table.version,
        "name": _both(table.name),
        "use": table.use,
        "recipients": list(table.recipients),
        "valid_from": table.valid_from.isoformat(),
        "valid_to": None if table.valid_to is None else table.valid_to.isoformat(),
        "areas": [_area_document(area) for area in table.areas],
        "source": table.source,
        "illustrative": table.illustrative,
    }
    if table.fact_names:
        document["facts"] = {name: _both(text) for name, text in table.fact_names.items()}
    return document


def _both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def _area_document(area: Area) -> dict[str, Any]:
    without = dict(area.without)
    if area.by_grade is not None:
        short = {"by_grade": dict(area.by_grade.amounts), "unit": area.by_grade.unit}
        return {"district": area.district, **short, "without": without}
    tiers = [
        {
            "tier_id": tier.tier_id,
            "name": _both(tier.name),
            "when": _condition_document(tier.when),
            "benefit": dict(tier.benefit),
        }
        for tier in area.tiers
    ]
    return {"district": area.district, "cumulative": area.cumulative, "tiers": tiers, "without": without}


def _condition_document(condition: Condition) -> dict[str, Any]:
    if isinstance(condition, AllOf | AnyOf):
        key = "all" if isinstance(condition, AllOf) else "any"
        return {key: [_condition_document(part) for part in condition.parts]}
    return _leaf_document(condition)


def _leaf_document(leaf: Leaf) -> dict[str, Any]:
    if isinstance(leaf, ScoreIs):
        bounds = ((leaf.low_edge, leaf.low), (leaf.high_edge, leaf.high))
        return {"score": {edge: bound for edge, bound in bounds if bound is not None}}
    if isinstance(leaf, GradeIs):
        return {"grade": {"ge" if leaf.or_better else "is": leaf.name}}
    return {"attribute": {"is": leaf.name}} if isinstance(leaf, AttributeIs) else {"resident": True}
