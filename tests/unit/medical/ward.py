"""A ward to try the rules on: Xiamen's scale and scenario, the demo bank's policy, and a calendar."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import chalicelib.medical
from chalicelib.cities.rules import Scale
from chalicelib.core import codec
from chalicelib.medical.rules import Charge, Policy, RateCeiling, Rule, charge_of
from chalicelib.scenarios.rules import (
    CompiledTable,
    Decision,
    Facts,
    NoStanding,
    ResidentStanding,
    Standing,
    compile_table,
    decide,
    parse_table,
)
from tests.unit.offers import shop

DATA = Path(chalicelib.medical.__file__).parent / "data"
NOON = datetime(2026, 8, 3, 4, tzinfo=UTC)
TODAY = date(2026, 8, 3)
COURT = RateCeiling(2400, date(2017, 8, 4), None, "made for a test")


def policy(**changes: Any) -> Policy:
    """The demo bank's policy, with other terms."""
    return replace(codec.build(Policy, json.loads((DATA / "xiamen_demo_bank.json").read_text("utf-8"))), **changes)


def rules() -> tuple[Rule, ...]:
    listed = json.loads((DATA / "xiamen_overdue.json").read_text("utf-8"))
    return tuple(codec.build(Rule, one) for one in listed)


def scale() -> Scale:
    return shop.scale()


def published() -> CompiledTable:
    return shop.published("credit_medical")


def table(by_grade: dict[str, int] | None = None, tiers: list[Any] | None = None, **top: Any) -> CompiledTable:
    """A scenario of medical credit with these limits."""
    area: dict[str, Any] = {"district": None}
    area |= {"by_grade": by_grade, "unit": "limit_fen"} if by_grade is not None else {"tiers": tiers}
    document = {
        "city_id": "xiamen", "scenario_id": "credit_medical", "version": 7,
        "name": {"zh": "信用就医", "en": "Medical care on credit"}, "use": "medical_credit",
        "recipients": ["bank", "hospital"], "valid_from": "2022-09-01", "valid_to": None,
        "areas": [area], "source": "made for a test",
    }  # fmt: skip
    return compile_table(parse_table(document | top), scale())


def decided(score: int | None, by: CompiledTable | None = None, standing: Standing | None = None) -> Decision:
    """What the scenario decides of a score; None: nobody has one."""
    if standing is None:
        standing = NoStanding("no_score") if score is None else ResidentStanding.of(scale(), score)
    return decide(by or published(), Facts(TODAY, None, standing, {}, resident=True))


def charge(day: date, amount_fen: int, charge_id: str = "c1", terms: Policy | None = None) -> Charge:
    return charge_of(
        terms or policy(), day, amount_fen, charge_id=charge_id, hospital_id="first", visit_id="v1", item_id="i1"
    )
