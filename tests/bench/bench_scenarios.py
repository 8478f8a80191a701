"""How long a decision takes, against code written by hand for the one table.

The hand-written floor gives back the same information: outcome, tiers, benefit, every reason with its figures, and the
next tier with what it gives and how far away it is. ``check`` proves that before anything is timed. Both sides start
from the same plain values (score, district, day), so that building the facts is counted; so is a visitor's standing,
on both sides his score read on the concordances of Hangzhou and Xiamen.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from time import perf_counter
from typing import Any

import chalicelib.scenarios
from chalicelib.cities.rules import Grade, Scale
from chalicelib.core.text import Text
from chalicelib.scenarios.rules import (
    CompiledTable,
    Decision,
    Facts,
    ResidentStanding,
    compile_table,
    decide,
    linked_standing,
    parse_table,
)
from infra.local.figures import concordance_of

LIMIT = 8.0
DATA = Path(chalicelib.scenarios.__file__).parent / "data"
HOME, HOST = concordance_of("hangzhou"), concordance_of("xiamen")
ON = date(2025, 6, 1)
SCORES = tuple(range(400, 800))
SCALE = Scale(
    "xiamen", 1, Text("白鹭分", "Egret score"), 0, 1000, 1, "higher_is_better",
    (
        Grade("不良", "Poor", None),
        Grade("一般", "Fair", 500),
        Grade("良好", "Good", 560),
        Grade("优秀", "Very good", 620),
        Grade("极好", "Excellent", 680),
    ),
    date(2018, 7, 5), "illustrative", illustrative=True,
)  # fmt: skip
Answer = tuple[Any, ...]
_NO_FACTS: Mapping[str, bool] = {}


def compiled(name: str) -> CompiledTable:
    return compile_table(parse_table(json.loads((DATA / f"xiamen_{name}.json").read_text("utf-8"))), SCALE)


def parking_floor(score: int, district: str | None, on: date) -> Answer:
    """Roadside parking in 海沧: pay later and 30 minutes from 530, ten per cent off from 680, 15 minutes for anyone."""
    if on < date(2018, 12, 12) or district != "haicang":
        raise ValueError
    benefit: dict[str, Any] = {"free_minutes": 15}
    tiers = []
    pays_later, discount = score >= 530, score >= 680
    if pays_later:
        benefit.update(pay_later=True, free_minutes=30)
        tiers.append("pay_later")
    if discount:
        benefit["discount_bp"] = 1000
        tiers.append("discount")
    reasons = (
        ("score_ge", "pay_later", pays_later, {"ge": 530}),
        ("score_ge", "discount", discount, {"ge": 680}),
    )
    step: Answer | None = None
    if not pays_later:
        step = ("pay_later", {"free_minutes": 30, "pay_later": True}, 530 - score)
    elif not discount:
        step = ("discount", {**benefit, "discount_bp": 1000}, 680 - score)
    return "granted" if tiers else "refused", tuple(tiers), benefit, reasons, step


_PRODUCE = (("grade_1", "一般", 500, 500), ("grade_2", "良好", 560, 1000), ("grade_3", "优秀", 620, 3000), ("grade_4", "极好", 680, 5000))  # fmt: skip  # noqa: E501


def produce_floor(score: int, district: str | None, on: date) -> Answer:
    """Jimei produce: a discount by grade."""
    if on < date(2022, 12, 1) or district != "jimei":
        raise ValueError
    benefit: dict[str, Any] = {}
    tiers: tuple[str, ...] = ()
    reasons = []
    step: Answer | None = None
    for tier_id, grade, threshold, discount_bp in _PRODUCE:
        reached = score >= threshold
        reasons.append(("grade_at_least", tier_id, reached, {"grade": grade}))
        if reached:
            tiers, benefit = (tier_id,), {"discount_bp": discount_bp}
        elif step is None:
            step = (tier_id, {"discount_bp": discount_bp}, threshold - score)
    return "granted" if tiers else "refused", tiers, benefit, tuple(reasons), step


class Bare:
    """Hangzhou's scores as R by a bare ``bisect``, and the R of Xiamen's cuts, worked out beforehand."""

    def __init__(self, *cuts: int) -> None:
        self.scores, self.values = [s for s, _ in HOME[0].knots], [r for _, r in HOME[0].knots]
        scores, values = [s for s, _ in HOST[0].knots], [r for _, r in HOST[0].knots]
        self.cuts = [round(_between(scores, values, cut - 0.5), 4) for cut in cuts]
        self.grid = [self.value(score) for score in range(1001)]

    def value(self, score: int) -> float:
        for knot, last in HOME[0].held:
            if knot < score <= last:
                score = knot
        return _between(self.scores, self.values, score)


def _between(xs: Sequence[float], ys: Sequence[float], v: float) -> float:
    j = min(bisect_right(xs, v), len(xs) - 1) - 1
    return (ys[j + 1] - ys[j]) / (xs[j + 1] - xs[j]) * (v - xs[j]) + ys[j]


def parking_visitor_floor() -> Callable[..., Answer]:
    """The same for somebody of Hangzhou: his R against the R of the cuts, the distance searched on his own scale."""
    bare = Bare(530, 680)
    (first, second), grid, value = bare.cuts, bare.grid, bare.value

    def floor(score: int, district: str | None, on: date) -> Answer:
        if on < date(2018, 12, 12) or district != "haicang":
            raise ValueError
        benefit: dict[str, Any] = {"free_minutes": 15}
        tiers, r = [], value(score)
        pays_later, discount = r >= first, r >= second
        if pays_later:
            benefit.update(pay_later=True, free_minutes=30)
            tiers.append("pay_later")
        if discount:
            benefit["discount_bp"] = 1000
            tiers.append("discount")
        reasons = (
            ("score_ge", "pay_later", pays_later, {"ge": 530}),
            ("score_ge", "discount", discount, {"ge": 680}),
        )
        step: Answer | None = None
        if not pays_later:
            step = ("pay_later", {"free_minutes": 30, "pay_later": True}, bisect_left(grid, first) - score)
        elif not discount:
            step = ("discount", {**benefit, "discount_bp": 1000}, bisect_left(grid, second) - score)
        return "granted" if tiers else "refused", tuple(tiers), benefit, reasons, step

    return floor


def produce_visitor_floor() -> Callable[..., Answer]:
    bare = Bare(*(row[2] for row in _PRODUCE))
    grid, value = bare.grid, bare.value
    rows = tuple((*row, r) for row, r in zip(_PRODUCE, bare.cuts, strict=True))

    def floor(score: int, district: str | None, on: date) -> Answer:
        if on < date(2022, 12, 1) or district != "jimei":
            raise ValueError
        benefit: dict[str, Any] = {}
        tiers: tuple[str, ...] = ()
        reasons, step, r = [], None, value(score)
        for tier_id, grade, _, discount_bp, needed in rows:
            reached = r >= needed
            reasons.append(("grade_at_least", tier_id, reached, {"grade": grade}))
            if reached:
                tiers, benefit = (tier_id,), {"discount_bp": discount_bp}
            elif step is None:
                step = (tier_id, {"discount_bp": discount_bp}, bisect_left(grid, needed) - score)
        return "granted" if tiers else "refused", tiers, benefit, tuple(reasons), step

    return floor


def read_out(decision: Decision) -> Answer:
    """Everything the floor gives back, taken out of a decision."""
    step = decision.next_tier
    following = None if step is None else (step.tier_id, step.gives, decision.missing_points)
    return decision.outcome, decision.tier_ids, decision.benefit, decision.reasons, following


def resident(table: CompiledTable) -> Callable[[int, str | None, date], Answer]:
    def ours(score: int, district: str | None, on: date) -> Answer:
        return read_out(decide(table, Facts(on, district, ResidentStanding(score), _NO_FACTS, True)))

    return ours


def visitor(table: CompiledTable) -> Callable[[int, str | None, date], Answer]:
    """A visitor from Hangzhou by concordance; his standing is made for every decision."""

    def ours(score: int, district: str | None, on: date) -> Answer:
        standing = linked_standing(score, HOME, HOST, "point")
        return read_out(decide(table, Facts(on, district, standing, _NO_FACTS, False)))

    return ours


def check(floor: Callable[..., Answer], ours: Callable[..., Answer], district: str) -> None:
    """Both give the same, for every score of the scale."""
    for score in range(1001):
        outcome, tiers, benefit, reasons, step = ours(score, district, ON)
        plain = tuple((r.code, r.tier_id, r.verdict, r.params) for r in reasons)
        assert (outcome, tiers, benefit, plain, step) == floor(score, district, ON), score


def microseconds(calls: list[Callable[..., Answer]], district: str, repeats: int = 40) -> list[float]:
    """The best of ``repeats`` short runs for one call of each, run in turns so that all meet the same machine."""
    best = [float("inf")] * len(calls)
    for _ in range(repeats):
        for index, call in enumerate(calls):
            started = perf_counter()
            for score in SCORES:
                call(score, district, ON)
            best[index] = min(best[index], (perf_counter() - started) / len(SCORES) * 1e6)
    return best


def measure() -> list[dict[str, Any]]:
    """One row per table and standing: floor, ours, ratio and the limit that the ratio must keep."""
    parking, produce = compiled("roadside_parking"), compiled("jimei_produce")
    cases = (
        ("parking, resident", parking_floor, resident(parking), "haicang"),
        ("parking, visitor", parking_visitor_floor(), visitor(parking), "haicang"),
        ("produce, resident", produce_floor, resident(produce), "jimei"),
        ("produce, visitor", produce_visitor_floor(), visitor(produce), "jimei"),
    )
    found = []
    for name, floor, ours, district in cases:
        check(floor, ours, district)
        floor_us, ours_us = microseconds([floor, ours], district)
        row = {"name": f"scenarios.decide {name}", "floor_us": floor_us, "ours_us": ours_us}
        found.append({**row, "ratio": ours_us / floor_us, "limit": LIMIT})
    return found


if __name__ == "__main__":
    for row in measure():
        print(row)
