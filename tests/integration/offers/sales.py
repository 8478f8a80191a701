"""Effects of sales and refunds as the services of offers write them, without the offers behind them."""

from __future__ import annotations

from datetime import date
from itertools import count
from typing import Any

from chalicelib.cities import store as cities
from chalicelib.cities.rules import Control
from chalicelib.core import clock, effect
from chalicelib.core.commit import Unit
from chalicelib.core.effect import EffectRow

SCENARIO = "jimei_produce"
DAY = date(2026, 8, 14)
NUMBERS = count(1)


def city(*scenarios: str) -> None:
    """Xiamen with these scenarios."""
    control = Control("xiamen", "Asia/Shanghai", scenarios=dict.fromkeys(scenarios or (SCENARIO,), ()))
    unit = Unit()
    cities.save_control(unit, control, seen_revision=0)
    unit.commit()


def happened(purpose: str, **facts: Any) -> EffectRow:
    """An effect of a merchant of Xiamen, as the services of offers write them (but moto is slow at transactions)."""
    intent = effect.intend("xiamen", "merchant", "qingliu-farm", "POST /v1/x", f"key-{next(NUMBERS):08d}", facts)
    row = effect.row(intent, clock.now(), purpose=purpose, facts=facts, reply={})
    row.save(EffectRow.pk.does_not_exist())
    return row


def redeemed(**changes: Any) -> EffectRow:
    facts: dict[str, Any] = {
        "v": 1, "quote_id": "xiamen.q", "scenario_id": SCENARIO, "district": "jimei", "visitor": False,
        "units": 2, "saved_fen": 1800, "list_fen": 7200, "day": f"{DAY}", **changes,
    }  # fmt: skip
    return happened(f"redeem:xiamen/{facts['scenario_id']}", **facts)


def refunded(**changes: Any) -> EffectRow:
    facts: dict[str, Any] = {
        "v": 1, "quote_id": "xiamen.q", "scenario_id": SCENARIO, "district": "jimei", "visitor": False, "line": 0,
        "units": 2, "saved_fen": 1800, "whole": True, "day": "2026-08-15", "sold_on": f"{DAY}", **changes,
    }  # fmt: skip
    return happened(f"refund:xiamen/{facts['scenario_id']}", **facts)
