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
    HoldExpired,
    Line,
    OpenHold,
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
    drawing,
    payer_of,
    visits,
)
from chalicelib.medical.rules.credit import Given
from chalicelib.medical.rules.visit_views import visit_brief, visit_view
from chalicelib.medical.rules.visits import VisitHold, VisitHoldsFull
from chalicelib.subjects.rules import AccountRef
from tests.unit.medical.ward import NOON, TODAY

HOUR = timedelta(hours=1)
H1, H2 = OpenHold(50_000, NOON + 2 * HOUR), OpenHold(30_000, NOON + HOUR)
PAYER = AccountRef("xiamen", "s_someone")


def line(**held: OpenHold) -> Line:
    """The line with what is left of holds on it; first of all the visit's two."""
    return Line(300_000, 0, NOON, 2, held or {"h1": H1, "h2": H2})


def placed(hold_id: str, hold: OpenHold) -> VisitHold:
    return VisitHold(hold_id, hold.left_fen, hold.expires_at)


def empty(**changes: Any) -> Visit:
    made = Visit(
        "xiamen", "h1", "first", "demo-bank", "credit_medical", PAYER, "V-1", "patient", "patient", NOON, 2,
        Given(1, NOON + 2 * HOUR),
        holds=(placed("h1", H1), placed("h2", H2)),
    )  # fmt: skip
    return replace(made, **changes)


def visit(**changes: Any) -> Visit:
    made = visits.with_item(empty(), Item("scan", "examination", 60_000))
    return replace(visits.with_item(made, Item("bed", "bed", 40_000, insurance_fen=30_000)), **changes)


def captured(made: Visit, item_id: str) -> Visit:
    return visits.captured(made, item_id, (f"charge-{item_id}",), 3)


def test_insurance_settles_first_and_the_rest_is_captured() -> None:
    made = visit()
    with pytest.raises(InsuranceOutstanding):
        drawing.plan(made, "scan", line(), NOON)
    made = visits.insured(made, "scan", 35_000)
    assert drawing.plan(made, "scan", line(), NOON) == (Take("h2", 25_000),), "what expires first is used first"
    assert drawing.plan(made, "bed", line(), NOON) == (Take("h2", 10_000),)
    made = captured(made, "scan")
    done = visits.item_of(made, "scan")
    assert (done.done, done.captured_fen, done.charge_ids, made.line_version) == (True, 25_000, ("charge-scan",), 3)
    with pytest.raises(ItemCaptured):
        drawing.plan(made, "scan", line(), NOON)
    with pytest.raises(AssertionError):
        captured(made, "scan")


def test_an_item_is_captured_from_several_holds_those_that_expire_first_first() -> None:
    made = visits.insured(visit(), "scan", 0)
    assert drawing.plan(made, "scan", line(), NOON) == (Take("h2", 30_000), Take("h1", 30_000))
    left = line(h1=replace(H1, left_fen=10_000), h2=H2, other=OpenHold(90_000, NOON + HOUR))
    with pytest.raises(EstimateTooLow):
        drawing.plan(made, "scan", left, NOON)
    same = line(h2=replace(H2, expires_at=H1.expires_at), h1=H1)
    assert drawing.plan(made, "scan", same, NOON) == (Take("h1", 50_000), Take("h2", 10_000)), (
        "then the one placed first"
    )


def test_a_hold_that_lapsed_covers_nothing_and_a_further_one_is_asked_for() -> None:
    made = visits.insured(visit(), "scan", 0)
    assert drawing.short_fen(made, line(), NOON) == 0
    assert (drawing.short_fen(made, line(), NOON + HOUR), drawing.held_fen(made, line(), NOON + HOUR)) == (
        20_000,
        50_000,
    )
    with pytest.raises(EstimateTooLow):
        drawing.plan(made, "scan", line(), NOON + HOUR)
    with pytest.raises(HoldExpired):
        drawing.plan(made, "scan", line(), NOON + 2 * HOUR)
    with pytest.raises(HoldExpired):
        drawing.plan(made, "scan", replace(line(), as_of=NOON + 2 * HOUR), NOON)
    raised = visits.with_hold(made, Hold("h3", 20_000, NOON + 5 * HOUR), 4)
    more = line(h1=H1, h2=H2, h3=OpenHold(20_000, NOON + 5 * HOUR))
    assert drawing.short_fen(raised, more, NOON + HOUR) == 0
    assert drawing.plan(raised, "scan", more, NOON + HOUR) == (Take("h1", 50_000), Take("h3", 10_000))
    assert drawing.short_fen(replace(made, state="settled"), line(), NOON + HOUR) == 0


def test_a_visit_is_raised_while_a_hold_of_it_lasts_or_by_a_pass_and_not_without_end() -> None:
    last = 2 * HOUR - timedelta(microseconds=1)
    visits.require_raisable(visit(), NOON + last)
    with pytest.raises(HoldExpired):
        visits.require_raisable(visit(), NOON + 2 * HOUR)
    visits.require_raisable(visit(), NOON + 2 * HOUR, shown=True)
    with pytest.raises(VisitOver):
        visits.require_raisable(visits.cancelled(visit()), NOON + 2 * HOUR)
    full = visit(holds=tuple(placed(f"h{number}", H1) for number in range(20)))
    for shown in (False, True):
        with pytest.raises(VisitHoldsFull):
            visits.require_raisable(full, NOON, shown=shown)
    with pytest.raises(AssertionError):
        visits.with_hold(full, Hold("h20", 1, NOON + HOUR), 3)


def test_an_item_that_insurance_pays_wholly_is_done() -> None:
    made = visits.insured(visit(), "scan", 60_000)
    assert visits.item_of(made, "scan").done
    assert drawing.plan(made, "scan", replace(line(), holds={}), NOON) == ()


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
        (lambda: drawing.plan(visit(), "x", line(), NOON), ItemUnknown),
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


def test_an_item_is_withdrawn_until_it_is_captured() -> None:
    made = visits.withdrawn(captured(visit(), "bed"), "scan")
    assert [item.item_id for item in made.items] == ["bed"]
    assert visits.settled(made, "app").state == "settled"
    with pytest.raises(ItemCaptured):
        visits.withdrawn(made, "bed")
    with pytest.raises(ItemUnknown):
        visits.withdrawn(made, "scan")
    with pytest.raises(VisitOver):
        visits.withdrawn(visits.settled(made, "app"), "bed")


def test_a_visit_is_settled_once_all_is_captured_at_a_kiosk_too() -> None:
    made = visits.insured(visit(), "scan", 60_000)
    with pytest.raises(ItemsOutstanding):
        visits.settled(made, "counter")
    done = visits.settled(captured(made, "bed"), "kiosk")
    assert (done.state, done.settled_at, done.revision) == ("settled", "kiosk", 6)
    assert [hold_id for hold_id, _ in drawing.open_holds(done, line(), NOON)] == ["h2", "h1"]
    assert [hold_id for hold_id, _ in drawing.open_holds(done, line(), NOON + HOUR)] == ["h1"]
    later: list[Callable[[], object]] = [
        lambda: visits.settled(done, "app"), lambda: visits.cancelled(done),
        lambda: visits.with_hold(done, Hold("h3", 1, NOON + HOUR), 4), lambda: visits.require_raisable(done, NOON),
        lambda: visits.with_item(done, Item("x", "medicine", 1)), lambda: visits.insured(done, "scan", 1),
        lambda: drawing.plan(done, "bed", line(), NOON), lambda: captured(done, "scan"),
    ]  # fmt: skip
    for verb in later:
        with pytest.raises(VisitOver):
            verb()


def test_a_visit_of_which_nothing_was_captured_can_be_cancelled() -> None:
    assert visits.cancelled(visit()).state == "cancelled"
    with pytest.raises(VisitHasCaptures):
        visits.cancelled(captured(visit(), "bed"))


def test_a_captured_item_is_refunded_in_parts_after_the_visit_too() -> None:
    made = captured(visits.insured(visit(), "scan", 60_000), "bed")
    done = visits.refunded(visits.settled(made, "counter"), "bed", 4_000)
    done = visits.refunded(done, "bed", 6_000)
    assert visits.item_of(done, "bed").refunded_fen == 10_000
    for amount in (1, 10_000):
        with pytest.raises(RefundExceedsCapture):
            visits.refunded(done, "bed", amount)
    with pytest.raises(RefundExceedsCapture):
        visits.refunded(made, "bed", 10_001)


def test_what_is_told_of_a_visit() -> None:
    made = captured(visits.insured(visit(), "scan", 0), "bed")
    told = visit_view(made, line(h1=H1), NOON)
    assert (told.held_fen, told.short_fen, told.captured_fen, told.refunded_fen) == (50_000, 10_000, 10_000, 0)
    assert [(hold.amount_fen, hold.left_fen) for hold in told.holds] == [(50_000, 50_000), (30_000, 0)]
    assert [(item.own_fen, item.captured_fen) for item in told.items] == [(60_000, 0), (10_000, 10_000)]
    brief = visit_brief(made)
    assert (brief.items, brief.outstanding, brief.until) == (2, 1, NOON + 2 * HOUR)


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
    with pytest.raises(EstimateTooLow):
        drawing.plan(visits.insured(visit(), "scan", 0), "scan", line(other=OpenHold(60_000, NOON + HOUR)), NOON)
    with pytest.raises(AssertionError):
        visits.with_hold(visit(), Hold("h1", 1, NOON + HOUR), 3)
    with pytest.raises(AssertionError):
        visits.with_item(visit(), Item("x", "medicine", 1, captured_fen=1))
