"""A visit: its estimate, its items, insurance first, captures, refunds, who pays, and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from chalicelib.core.errors import Problem
from chalicelib.ledger.rules import holds, lines
from chalicelib.ledger.rules.lines import (
    AmountNotPositive,
    AmountNotWhole,
    Hold,
    HoldExceedsLimit,
    RefundExceedsCapture,
)
from chalicelib.medical.rules import (
    EstimateTooLow,
    GuardianNeeded,
    Guardianship,
    InsuranceExceedsItem,
    InsuranceOutstanding,
    InsuranceSettled,
    Item,
    ItemCaptured,
    ItemNotCaptured,
    ItemRepeated,
    ItemsFull,
    ItemsOutstanding,
    ItemUnknown,
    PayerNotPatient,
    Take,
    Visit,
    VisitHasCaptures,
    VisitOver,
    payer_of,
    visits,
)
from tests.unit.medical.ward import NOON, TODAY

HOUR = timedelta(hours=1)
H1, H2 = Hold("h1", 50_000, NOON + 2 * HOUR), Hold("h2", 30_000, NOON + HOUR)
HELD = [H1, H2]


def visit(**changes: Any) -> Visit:
    made = Visit("v1", "first", "patient", "patient", TODAY, hold_ids=("h1", "h2"))
    made = visits.with_item(made, Item("scan", "examination", 60_000))
    return replace(visits.with_item(made, Item("bed", "bed", 40_000, insurance_fen=30_000)), **changes)


def test_insurance_settles_first_and_the_rest_is_captured() -> None:
    made = visit()
    with pytest.raises(InsuranceOutstanding):
        visits.plan(made, "scan", HELD, NOON)
    made = visits.insured(made, "scan", 35_000)
    assert visits.plan(made, "scan", HELD, NOON) == (Take("h2", 25_000),), "what expires first is used first"
    assert visits.plan(made, "bed", HELD, NOON) == (Take("h2", 10_000),)
    made = visits.captured(made, "scan", 25_000)
    assert visits.item_of(made, "scan").done
    with pytest.raises(ItemCaptured):
        visits.plan(made, "scan", HELD, NOON)


def test_an_item_is_captured_from_several_holds_take_by_take() -> None:
    made = visits.insured(visit(), "scan", 0)
    takes = visits.plan(made, "scan", HELD, NOON)
    assert takes == (Take("h2", 30_000), Take("h1", 30_000))
    made = visits.captured(made, "scan", 30_000)
    part = [H1, replace(H2, captured_fen=30_000, ended="captured")]
    assert visits.plan(made, "scan", part, NOON) == (Take("h1", 30_000),)
    with pytest.raises(AssertionError):
        visits.captured(made, "scan", 30_001)


def test_a_hold_that_lapsed_covers_nothing_and_a_further_one_is_asked_for() -> None:
    made = visits.insured(visit(), "scan", 0)
    assert visits.short_fen(made, HELD, NOON) == 0
    assert visits.short_fen(made, HELD, NOON + HOUR) == 20_000
    with pytest.raises(EstimateTooLow):
        visits.plan(made, "scan", HELD, NOON + HOUR)
    raised = visits.with_hold(made, "h3")
    more = [*HELD, Hold("h3", 20_000, NOON + 5 * HOUR)]
    assert visits.short_fen(raised, more, NOON + HOUR) == 0
    assert visits.plan(raised, "scan", more, NOON + HOUR) == (Take("h1", 50_000), Take("h3", 10_000))


def test_an_item_that_insurance_pays_wholly_is_done() -> None:
    made = visits.insured(visit(), "scan", 60_000)
    assert visits.item_of(made, "scan").done
    assert visits.plan(made, "scan", [], NOON) == ()


@pytest.mark.parametrize("insurance_fen", [-1, 60_001, True, 0.5])
def test_insurance_pays_between_nothing_and_all(insurance_fen: Any) -> None:
    with pytest.raises(InsuranceExceedsItem):
        visits.insured(visit(), "scan", insurance_fen)
    with pytest.raises(InsuranceExceedsItem):
        visits.with_item(visit(), Item("x", "medicine", 60_000, insurance_fen))


def test_what_is_refused_of_items() -> None:
    refused: list[tuple[Callable[[], object], type[Problem]]] = [
        (lambda: visits.with_item(visit(), Item("x", "medicine", 0)), AmountNotPositive),
        (lambda: visits.with_item(visit(), Item("x", "medicine", True)), AmountNotWhole),
        (lambda: visits.with_item(visit(), Item("bed", "bed", 1)), ItemRepeated),
        (lambda: visits.insured(visit(), "x", 1), ItemUnknown),
        (lambda: visits.insured(visit(), "bed", 1), InsuranceSettled),
        (lambda: visits.plan(visit(), "x", HELD, NOON), ItemUnknown),
        (lambda: visits.refunded(visit(), "x", 1), ItemUnknown),
        (lambda: visits.refunded(visit(), "bed", 1), ItemNotCaptured),
        (lambda: visits.refunded(visit(), "bed", 0), AmountNotPositive),
    ]
    for verb, problem in refused:
        with pytest.raises(problem):
            verb()
    full = visit(items=tuple(Item(f"i{number}", "material", 1) for number in range(100)))
    with pytest.raises(ItemsFull):
        visits.with_item(full, Item("one-more", "material", 1))


def test_a_visit_is_settled_once_all_is_captured_at_a_kiosk_too() -> None:
    made = visits.captured(visits.insured(visit(), "scan", 60_000), "bed", 5_000)
    with pytest.raises(ItemsOutstanding):
        visits.settled(made, "counter")
    done = visits.settled(visits.captured(made, "bed", 5_000), "kiosk")
    assert (done.state, done.settled_at, done.revision) == ("settled", "kiosk", 7)
    assert visits.to_give_up(done, HELD, NOON) == ("h2", "h1")
    assert visits.to_give_up(done, HELD, NOON + HOUR) == ("h1",)
    later: list[Callable[[], object]] = [
        lambda: visits.settled(done, "app"), lambda: visits.cancelled(done), lambda: visits.with_hold(done, "h3"),
        lambda: visits.with_item(done, Item("x", "medicine", 1)), lambda: visits.insured(done, "scan", 1),
        lambda: visits.plan(done, "bed", HELD, NOON), lambda: visits.captured(done, "scan", 1),
    ]  # fmt: skip
    for verb in later:
        with pytest.raises(VisitOver):
            verb()


def test_a_visit_of_which_nothing_was_captured_can_be_cancelled() -> None:
    assert visits.cancelled(visit()).state == "cancelled"
    with pytest.raises(VisitHasCaptures):
        visits.cancelled(visits.captured(visit(), "bed", 1))


def test_a_captured_item_is_refunded_in_parts_after_the_visit_too() -> None:
    made = visits.captured(visits.insured(visit(), "scan", 60_000), "bed", 10_000)
    done = visits.refunded(visits.settled(made, "counter"), "bed", 4_000)
    done = visits.refunded(done, "bed", 6_000)
    assert visits.item_of(done, "bed").refunded_fen == 10_000
    for amount in (1, 10_000):
        with pytest.raises(RefundExceedsCapture):
            visits.refunded(done, "bed", amount)
    with pytest.raises(RefundExceedsCapture):
        visits.refunded(made, "bed", 10_001)


def test_who_pays() -> None:
    parent = Guardianship("parent", "child", date(2030, 1, 1))
    assert payer_of("adult", "adult", minor=False, guardianship=None, on=TODAY) == "adult"
    assert payer_of("child", "parent", minor=True, guardianship=parent, on=date(2029, 12, 31)) == "parent"
    with pytest.raises(PayerNotPatient):
        payer_of("adult", "parent", minor=False, guardianship=parent, on=TODAY)
    for payer, given, on in (
        ("parent", None, TODAY), ("other", parent, TODAY), ("child", parent, TODAY),
        ("parent", parent, date(2030, 1, 1)),
        ("parent", replace(parent, child="other"), TODAY),
    ):  # fmt: skip
        with pytest.raises(GuardianNeeded):
            payer_of("child", payer, minor=True, guardianship=given, on=on)


def test_two_hospitals_share_a_limit() -> None:
    one = holds.place(lines.opened(300_000, NOON), "first-1", 200_000, 3600, NOON)
    two = holds.place(one.line, "second-1", 100_000, 3600, NOON)
    with pytest.raises(HoldExceedsLimit):
        holds.place(two.line, "second-2", 1, 3600, NOON)
    freed = holds.capture(two.line, one.hold, 50_000, NOON, final=True)
    assert lines.available(freed.line, NOON) == 150_000


def test_a_visit_captures_from_its_own_holds() -> None:
    with pytest.raises(AssertionError):
        visits.plan(visits.insured(visit(), "scan", 0), "scan", [Hold("other", 60_000, NOON + HOUR)], NOON)
    with pytest.raises(AssertionError):
        visits.with_hold(visit(), "h1")
    with pytest.raises(AssertionError):
        visits.with_item(visit(), Item("x", "medicine", 1, captured_fen=1))
