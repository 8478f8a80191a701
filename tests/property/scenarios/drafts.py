"""Random tier tables on small scales, good and bad, that every score can be tried on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from itertools import product
from typing import Any

from hypothesis import strategies as st

from chalicelib.cities.rules import Grade, Scale, check_scale
from chalicelib.core.text import Text
from chalicelib.scenarios.rules import (
    CompiledTable,
    Decision,
    Facts,
    NoStanding,
    ResidentStanding,
    TierTable,
    compile_table,
    decide,
)

ON = date(2025, 6, 1)
FACTS = ("honest", "volunteer")
Given = Mapping[str, int | bool]


def _scale(step: int, direction: Any) -> Scale:
    top = 20 * step
    cuts = (7 * step, 12 * step, 16 * step)
    ordered = cuts if direction == "higher_is_better" else tuple(top - cut for cut in cuts)
    grades = (Grade("D", "D", None), *(Grade(n, n, cut) for n, cut in zip("CBA", ordered, strict=True)))
    return check_scale(
        Scale("town", 1, Text("分", "Score"), 0, top, step, direction, grades, ON, "made for a test", True)
    )


SCALES = tuple(_scale(step, direction) for step in (1, 5) for direction in ("higher_is_better", "lower_is_better"))

BENEFITS = st.fixed_dictionaries(
    {},
    optional={
        "discount_bp": st.sampled_from([0, 500, 1000]),
        "price_fen": st.sampled_from([100, 200]),
        "pay_later": st.booleans(),
    },
)


def _scores(scale: Scale) -> st.SearchStrategy[dict[str, Any]]:
    point = st.integers(1, 19).map(lambda k: k * scale.step)
    low: st.SearchStrategy[dict[str, int]] = st.one_of(
        st.integers(0, 20).map(lambda k: {"ge": k * scale.step}), point.map(lambda s: {"gt": s}), st.just({})
    )
    high: st.SearchStrategy[dict[str, int]] = st.one_of(
        st.just({}), st.just({}), point.map(lambda s: {"lt": s}), point.map(lambda s: {"le": s})
    )
    both = st.tuples(low, high).map(lambda pair: {**pair[0], **pair[1]})
    return both.filter(bool).map(lambda edges: {"score": edges})


def conditions(scale: Scale) -> st.SearchStrategy[dict[str, Any]]:
    grade = st.tuples(st.sampled_from(["ge", "is"]), st.sampled_from("DCBA")).map(lambda g: {"grade": {g[0]: g[1]}})
    fact = st.sampled_from(FACTS).map(lambda name: {"attribute": {"is": name}})
    leaf = st.one_of(_scores(scale), _scores(scale), grade, fact, st.just({"resident": True}))
    group = st.tuples(st.sampled_from(["all", "any"]), st.lists(leaf, min_size=1, max_size=2))
    return st.one_of(leaf, leaf, group.map(lambda pair: {pair[0]: pair[1]}))


def _document(area: dict[str, Any]) -> dict[str, Any]:
    return {
        "city_id": "town",
        "scenario_id": "draft",
        "version": 1,
        "name": {"zh": "草案", "en": "Draft"},
        "use": "parking",
        "recipients": ["parking_operator"],
        "valid_from": "2025-01-01",
        "valid_to": None,
        "areas": [area],
        "source": "made for a test",
        "illustrative": True,
    }


def _tiers(rows: list[tuple[Any, Any]]) -> list[dict[str, Any]]:
    return [
        {"tier_id": f"t{index}", "name": {"zh": f"第{index}档", "en": f"t{index}"}, "when": when, "benefit": benefit}
        for index, (when, benefit) in enumerate(rows)
    ]


@st.composite
def wild(draw: st.DrawFn) -> tuple[dict[str, Any], Scale]:
    """Anything an author could write: ranges, facts, groups, grades, in any order."""
    scale = draw(st.sampled_from(SCALES))
    without = draw(BENEFITS)
    if draw(st.integers(0, 4)) == 0:
        amounts = draw(st.dictionaries(st.sampled_from("DCBA"), st.sampled_from([100, 200, 300]), min_size=1))
        unit = draw(st.sampled_from(["discount_bp", "price_fen"]))
        return _document({"district": None, "by_grade": amounts, "unit": unit, "without": without}), scale
    rows = draw(st.lists(st.tuples(conditions(scale), BENEFITS), min_size=1, max_size=4))
    area = {"district": None, "cumulative": draw(st.booleans()), "tiers": _tiers(rows), "without": without}
    return _document(area), scale


@st.composite
def orderly(draw: st.DrawFn) -> tuple[dict[str, Any], Scale]:
    """What a careful author writes: rising thresholds, open upwards or each up to the next, and rising discounts."""
    scale = draw(st.sampled_from(SCALES))
    cuts = sorted(draw(st.sets(st.integers(1, 19), min_size=1, max_size=4)))
    if scale.direction == "lower_is_better":
        cuts.reverse()
    discounts = sorted(
        draw(st.lists(st.sampled_from([100, 200, 300, 400, 500]), min_size=len(cuts), max_size=len(cuts)))
    )
    rows = []
    edge, parted = draw(st.sampled_from(["ge", "gt"])), draw(st.booleans())
    for index, (cut, discount) in enumerate(zip(cuts, discounts, strict=True)):
        when: dict[str, Any] = {"score": {edge: cut * scale.step}}
        if index + 1 < len(cuts) and parted:
            when["score"]["lt" if edge == "ge" else "le"] = cuts[index + 1] * scale.step
        if draw(st.integers(0, 3)) == 0:
            when = {"any": [when, {"attribute": {"is": "honest"}}]}
        rows.append((when, {"discount_bp": discount}))
    without = draw(st.sampled_from([{}, {"discount_bp": 50}]))
    area = {"district": None, "cumulative": draw(st.booleans()), "tiers": _tiers(rows), "without": without}
    return _document(area), scale


def as_cumulative(table: TierTable, scale: Scale) -> CompiledTable:
    """The table's twin in which all tiers count, so that a decision shows every tier that is reached."""
    (area,) = table.areas
    rows = tuple(tier for _, tier in area.rows(scale))
    return compile_table(replace(table, areas=(replace(area, cumulative=True, tiers=rows, by_grade=None),)), scale)


def goodness(scale: Scale) -> range:
    """Every oriented score, from worst to best."""
    return range(scale.minimum, scale.maximum + 1, scale.step)


def fact_sets() -> Iterator[tuple[dict[str, bool], bool]]:
    """Every set of facts: each one holding, not holding or not known; resident or not."""
    for known in product((True, False, None), repeat=len(FACTS)):
        for resident in (True, False):
            yield {name: yes for name, yes in zip(FACTS, known, strict=True) if yes is not None}, resident


def resident_of(compiled: CompiledTable, score: int, attributes: dict[str, bool], resident: bool) -> Decision:
    return decide(compiled, Facts(ON, None, ResidentStanding(score), attributes, resident))


def unscored(compiled: CompiledTable, attributes: dict[str, bool], resident: bool) -> Decision:
    return decide(compiled, Facts(ON, None, NoStanding("no_score"), attributes, resident))


def is_worse(benefit: Given, than: Given) -> bool:
    """Written out once more for the three fields of the drafts, so that the linter's own comparison is tried too."""
    if benefit.get("discount_bp", 0) < than.get("discount_bp", 0):
        return True
    if benefit.get("pay_later", False) < than.get("pay_later", False):
        return True
    usual = 10**12
    return benefit.get("price_fen", usual) > than.get("price_fen", usual)
