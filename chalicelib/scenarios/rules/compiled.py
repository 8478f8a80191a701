"""A tier table made ready for one version of its city's scale: every condition as thresholds and facts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from chalicelib.cities.rules import Scale
from chalicelib.core.errors import Fault
from chalicelib.core.text import Text
from chalicelib.scenarios.rules.benefits import Benefit
from chalicelib.scenarios.rules.conditions import (
    AllOf,
    AnyOf,
    AttributeIs,
    Condition,
    GradeIs,
    ScoreIs,
    Verdict,
    all_of,
    any_of,
    leaves,
)
from chalicelib.scenarios.rules.documents import to_document
from chalicelib.scenarios.rules.reading import escaped
from chalicelib.scenarios.rules.tables import Area, TableInvalid, Tier, TierTable

if TYPE_CHECKING:
    from chalicelib.scenarios.rules.rulings import Ruling

Params = Mapping[str, int | str]


@dataclass(frozen=True, slots=True)
class ScoreNode:
    """An oriented score in [``low``, ``high``); ``low`` None: any score, ``high`` None: no upper end."""

    code: str
    params: Params
    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class FactNode:
    """An attribute by its name; ``name`` None: being a resident."""

    code: str
    params: Params
    name: str | None


@dataclass(frozen=True, slots=True)
class GroupNode:
    """All (``every``) or any of the parts."""

    every: bool
    parts: tuple[Node, ...]


LeafNode = ScoreNode | FactNode
Node = LeafNode | GroupNode


@dataclass(frozen=True, slots=True)
class World:
    """What is known of one person, as far as one area asks: a verdict per threshold and per attribute."""

    scored: bool
    levels: Mapping[int, Verdict]
    attributes: Mapping[str, Verdict]
    resident: bool


def judge(node: Node, world: World) -> Verdict:
    """Whether the person meets the condition. Without a score no range of scores is met, not even one from 0.

    Of a score that is known only to lie between two thresholds the least counts: an upper edge is passed only by what
    surely passes it, so that whatever the lowest such score is given is given.
    """
    if isinstance(node, GroupNode):
        parts = (judge(part, world) for part in node.parts)
        return all_of(parts) if node.every else any_of(parts)
    if isinstance(node, FactNode):
        return world.resident if node.name is None else world.attributes[node.name]
    if not world.scored:
        return False
    if node.high is not None and world.levels[node.high] is True:
        return False
    return True if node.low is None else world.levels[node.low]


def leaf_nodes(node: Node) -> Iterator[LeafNode]:
    """Every single condition within, in written order."""
    if isinstance(node, GroupNode):
        for part in node.parts:
            yield from leaf_nodes(part)
    else:
        yield node


@dataclass(frozen=True, slots=True)
class CompiledTier:
    tier_id: str
    name: Text
    benefit: Benefit
    node: Node
    leaves: tuple[LeafNode, ...]
    pointer: str


@dataclass(frozen=True, slots=True)
class CompiledArea:
    """An area whose rulings are kept by what was asked: a few thresholds and facts can only be answered so many ways.

    ``rulings`` is a memo: the same key always gives the same ruling, so that it may be lost or filled twice.
    """

    district: str | None
    cumulative: bool
    without: Benefit
    tiers: tuple[CompiledTier, ...]
    thresholds: tuple[int, ...]
    attributes: tuple[str, ...]
    rulings: dict[tuple[Any, ...], Ruling] = field(default_factory=dict, compare=False, repr=False)

    @property
    def asks_residence(self) -> bool:
        return any(isinstance(leaf, FactNode) and leaf.name is None for tier in self.tiers for leaf in tier.leaves)


@dataclass(frozen=True, slots=True)
class CompiledTable:
    """``sha256`` is of the table's canonical document: a receipt names the very text that was applied."""

    table: TierTable
    scale: Scale
    areas: Mapping[str | None, CompiledArea]
    sha256: str


def compile_table(table: TierTable, scale: Scale) -> CompiledTable:
    """The table ready for use on this scale. Cache it by city, scenario, version and scale version.

    Raises: TableInvalid: the table belongs to another city; a grade that the scale does not have; in this order.
    """
    if table.city_id != scale.city_id:
        raise TableInvalid.at(
            "/city_id", Text("规则与分制不属于同一城市", "Table and scale belong to different cities")
        )
    _check_grades(table, scale)
    areas = {area.district: compile_area(area, scale, f"/areas/{index}") for index, area in enumerate(table.areas)}
    text = json.dumps(to_document(table), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return CompiledTable(table, scale, MappingProxyType(areas), hashlib.sha256(text.encode()).hexdigest())


def compile_area(area: Area, scale: Scale, pointer: str) -> CompiledArea:
    """One area ready for use; its grades must be the scale's (``unknown_grades``)."""
    tiers = tuple(_tier(tier, scale, pointer + place) for place, tier in area.rows(scale))
    found = [leaf for tier in tiers for leaf in tier.leaves]
    edges = {edge for leaf in found if isinstance(leaf, ScoreNode) for edge in (leaf.low, leaf.high)}
    thresholds = tuple(sorted(edge for edge in edges if edge is not None))
    attributes = tuple(sorted({leaf.name for leaf in found if isinstance(leaf, FactNode) and leaf.name}))
    return CompiledArea(area.district, area.cumulative, area.without, tiers, thresholds, attributes)


def unknown_grades(table: TierTable, scale: Scale) -> Iterator[str]:
    """The JSON pointer of every grade name in the table that the scale does not have."""
    for index, area in enumerate(table.areas):
        at = f"/areas/{index}"
        for name in area.by_grade.amounts if area.by_grade else ():
            if scale.grade_index(name) is None:
                yield f"{at}/by_grade/{escaped(name)}"
        for place, tier in area.rows(scale):
            for pointer, leaf in leaves(tier.when, f"{at}{place}/when"):
                if isinstance(leaf, GradeIs) and scale.grade_index(leaf.name) is None:
                    yield f"{pointer}/grade/{'ge' if leaf.or_better else 'is'}"


def _check_grades(table: TierTable, scale: Scale) -> None:
    said = Text("分制没有这个等级", "The scale has no such grade")
    faults = [Fault(pointer, said) for pointer in unknown_grades(table, scale)]
    if faults:
        raise TableInvalid(faults=faults)


def _tier(tier: Tier, scale: Scale, pointer: str) -> CompiledTier:
    node = _node(tier.when, scale)
    return CompiledTier(tier.tier_id, tier.name, tier.benefit, node, tuple(leaf_nodes(node)), pointer)


def _node(condition: Condition, scale: Scale) -> Node:
    if isinstance(condition, AllOf | AnyOf):
        return GroupNode(isinstance(condition, AllOf), tuple(_node(part, scale) for part in condition.parts))
    if isinstance(condition, ScoreIs):
        return _score_node(condition, scale)
    if isinstance(condition, GradeIs):
        return _grade_node(condition, scale)
    if isinstance(condition, AttributeIs):
        return FactNode("attribute_is", MappingProxyType({"attribute": condition.name}), condition.name)
    return FactNode("resident", MappingProxyType({}), None)


def _score_node(score: ScoreIs, scale: Scale) -> ScoreNode:
    params: dict[str, int | str] = {}
    low = high = None
    if score.low is not None:
        params[score.low_edge] = score.low
        low = scale.threshold(score.low, score.low_edge)
    if score.high is not None:
        params[score.high_edge] = score.high
        high = scale.threshold(score.high, "gt" if score.high_edge == "le" else "ge")
    code = "score_within" if score.high is not None else f"score_{score.low_edge}"
    return ScoreNode(code, MappingProxyType(params), low, high)


def _grade_node(grade: GradeIs, scale: Scale) -> ScoreNode:
    index = scale.grade_index(grade.name)
    assert index is not None, "unknown grades are refused before"
    bounds = (None, *scale.grade_thresholds(), None)
    params = MappingProxyType({"grade": grade.name})
    if grade.or_better:
        return ScoreNode("grade_at_least", params, bounds[index], None)
    return ScoreNode("grade_is", params, bounds[index], bounds[index + 1])
