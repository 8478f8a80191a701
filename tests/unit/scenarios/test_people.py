"""Who gets what: the people of the demo before the published tables of Xiamen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from chalicelib.scenarios.rules import CompiledTable, Decision, Facts, LinkedStanding, ResidentStanding, decide

ON = date(2025, 6, 1)
Compiled = Callable[[str], CompiledTable]

# scenario, district, score → outcome, benefit, points missing to the next tier
SITUATIONS: list[tuple[str, str | None, int, str, dict[str, Any], int | None]] = [
    ("library", None, 693, "granted", {"books_max": 40, "deposit_fen": 0}, None),
    ("library", "jimei", 612, "granted", {"books_max": 40, "deposit_fen": 0}, None),
    ("library", None, 600, "granted", {"books_max": 40, "deposit_fen": 0}, None),
    ("library", None, 525, "refused", {}, 75),
    ("bicycle", "island", 693, "granted", {"deposit_fen": 0}, None),
    ("bicycle", "island", 681, "granted", {"deposit_fen": 0}, None),
    ("bicycle", "island", 680, "refused", {}, 1),
    ("bicycle", "island", 612, "refused", {}, 69),
    ("bicycle", "haicang", 693, "granted", {"deposit_fen": 0}, None),
    ("bicycle", "haicang", 650, "granted", {"deposit_fen": 0}, None),
    ("bicycle", "haicang", 612, "refused", {}, 38),
    ("bicycle", "jimei", 693, "refused", {}, None),
    ("bicycle", None, 693, "refused", {}, None),
    ("roadside_parking", "island", 693, "granted", {"pay_later": True}, None),
    ("roadside_parking", "island", 530, "granted", {"pay_later": True}, None),
    ("roadside_parking", "island", 525, "refused", {}, 5),
    (
        "roadside_parking", "haicang", 693, "granted",
        {"pay_later": True, "free_minutes": 30, "discount_bp": 1000}, None,
    ),
    ("roadside_parking", "haicang", 612, "granted", {"pay_later": True, "free_minutes": 30}, 68),
    ("roadside_parking", "haicang", 525, "refused", {"free_minutes": 15}, 5),
    ("i_chewei_parking", None, 693, "granted", {"pay_later": True}, None),
    ("i_chewei_parking", None, 612, "refused", {}, 38),
    ("jimei_produce", "jimei", 693, "granted", {"discount_bp": 5000}, None),
    ("jimei_produce", "jimei", 612, "granted", {"discount_bp": 1000}, 8),
    ("jimei_produce", "jimei", 525, "granted", {"discount_bp": 500}, 35),
    ("jimei_produce", "jimei", 499, "refused", {}, 1),
    ("credit_medical", None, 693, "granted", {"limit_fen": 300_000}, None),
    ("credit_medical", None, 612, "granted", {"limit_fen": 150_000}, 8),
    ("credit_medical", None, 525, "granted", {"limit_fen": 100_000}, 35),
    ("credit_medical", None, 0, "granted", {"limit_fen": 50_000}, 500),
]  # fmt: skip


@pytest.mark.parametrize(("scenario", "district", "score", "outcome", "benefit", "missing"), SITUATIONS)
def test_residents_of_xiamen(
    compiled: Compiled,
    scenario: str,
    district: str | None,
    score: int,
    outcome: str,
    benefit: dict[str, Any],
    missing: int | None,
) -> None:
    decision = decide(compiled(scenario), Facts(ON, district, ResidentStanding(score), {}, True))
    assert decision.outcome == outcome
    assert decision.benefit == benefit
    assert decision.missing_points == missing


def visitor(compiled: CompiledTable, district: str | None, worth: int) -> Decision:
    """Somebody whose score is worth so much here, however it is written at home."""
    standing = LinkedStanding(705, lambda threshold: worth >= threshold, lambda threshold: 705 + threshold - worth)
    return decide(compiled, Facts(ON, district, standing, {}, False))


@pytest.mark.parametrize(
    ("worth", "parking", "library", "i_chewei", "discount_bp"),
    [
        (637, True, True, False, 0),
        (699, True, True, True, 1000),
        (683, True, True, True, 1000),
        (673, True, True, True, 0),
        (586, True, False, False, 0),
    ],
)
def test_visitors_are_judged_at_the_hosts_own_cuts(
    compiled: Compiled, worth: int, parking: bool, library: bool, i_chewei: bool, discount_bp: int
) -> None:
    assert (visitor(compiled("roadside_parking"), "island", worth).outcome == "granted") is parking
    assert (visitor(compiled("library"), None, worth).outcome == "granted") is library
    assert (visitor(compiled("i_chewei_parking"), None, worth).outcome == "granted") is i_chewei
    assert visitor(compiled("roadside_parking"), "haicang", worth).benefit.get("discount_bp", 0) == discount_bp


def test_a_visitors_distance_is_in_points_of_his_own_scale(compiled: Compiled) -> None:
    assert visitor(compiled("i_chewei_parking"), None, 637).missing_points == 13
    unreachable = LinkedStanding(705, lambda _: False, lambda _: None)
    decision = decide(compiled("i_chewei_parking"), Facts(ON, None, unreachable, {}, False))
    assert decision.outcome == "refused"
    assert decision.missing_points is None
