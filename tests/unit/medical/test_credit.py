"""A line as a decision leaves it, opened anew, and held on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.ledger.rules import holds, lines
from chalicelib.ledger.rules.lines import (
    AmountNotPositive,
    Hold,
    HoldCaptured,
    HoldExceedsLimit,
    HoldExpired,
    HoldVoided,
    Line,
    LineClosed,
    LineSuspended,
)
from chalicelib.medical.rules import Limit
from chalicelib.medical.rules.credit import (
    MOST_EVENTS,
    MOST_PARTS,
    CreditHold,
    CreditLine,
    Given,
    StatementsOutstanding,
    as_decided,
    line_state,
    opened_line,
    placed,
    placed_in_emergency,
    rebooked,
    require_open,
    require_parts,
    require_stated,
)
from chalicelib.medical.rules.policy import MAX_LIMIT_FEN
from chalicelib.subjects.rules import AccountRef
from tests.unit.medical import ward

NOW = ward.NOON
REF = AccountRef("xiamen", "s_" + "a" * 26)


def limit(fen: int | None, *, suspended: bool = False) -> Limit:
    return Limit(fen, False, suspended, 1, 7)


def credit(limit_fen: int = 1_000, **changes: object) -> CreditLine:
    line = lines.opened(limit_fen, NOW)
    made = CreditLine("xiamen", "demo-bank", REF, line, 1, ward.TODAY, 3, limit_fen)
    return replace(made, **changes)  # type: ignore[arg-type]


def test_LIMIT_a_limit_never_passes_what_is_booked() -> None:
    one = credit(1_000)
    assert as_decided(one, limit(2_000), NOW, MAX_LIMIT_FEN).limit_fen == 1_000
    low = replace(one, line=as_decided(one, limit(400), NOW, MAX_LIMIT_FEN))
    assert low.line.limit_fen == 400
    assert as_decided(low, limit(2_000), NOW, MAX_LIMIT_FEN).limit_fen == 1_000
    assert as_decided(one, limit(None), NOW, MAX_LIMIT_FEN).limit_fen == 0
    assert line_state(as_decided(one, limit(None, suspended=True), NOW, MAX_LIMIT_FEN)) == "suspended"
    with pytest.raises(LineClosed):
        as_decided(replace(one, line=holds.close(one.line, NOW)), limit(1), NOW, MAX_LIMIT_FEN)


def test_LIMIT_a_line_is_booked_anew_for_what_is_decided_up_or_down() -> None:
    one, policy = credit(1_000), ward.policy()
    assert [rebooked(one, limit(fen), policy, NOW).booked_fen for fen in (2_000, 1_000, 400, None)] == [
        2_000, 1_000, 400, 0,
    ]  # fmt: skip
    with pytest.raises(LineClosed):
        rebooked(replace(one, line=holds.close(one.line, NOW)), limit(1), policy, NOW)
    for paused in (replace(one, line=holds.suspend(one.line, "bank", NOW)), one):
        with pytest.raises(LineSuspended):
            rebooked(paused, limit(1, suspended=paused is one), policy, NOW)
    away = replace(one, line=holds.suspend(one.line, "benefits", NOW))
    assert rebooked(away, limit(1_500), policy, NOW).line.limit_fen == 1_500


def test_LIMIT_a_line_opened_anew_keeps_what_is_owed_held_and_suspended() -> None:
    one = credit(1_000)
    step = placed(one, limit(1_000), "h1", 600, ward.policy(), NOW)
    step = holds.capture(step.line, step.hold, 200, NOW)
    closed = holds.close(holds.suspend(step.line, "bank", NOW), NOW)
    again = opened_line(replace(one, line=closed), 700, NOW)
    assert (again.limit_fen, again.posted_fen, lines.held(again, NOW)) == (700, 200, 400)
    assert (again.closed, again.suspended_for, again.version) == (False, frozenset({"bank"}), closed.version + 1)
    assert opened_line(None, 700, NOW) == lines.opened(700, NOW)
    with pytest.raises(AssertionError):
        opened_line(one, 700, NOW)


def test_a_hold_is_open_until_it_ends_or_its_line_has_seen_it_lapse() -> None:
    hold, line = Hold("h1", 500, NOW + timedelta(days=1), 200), lines.opened(1_000, NOW)
    require_open(hold, line, NOW)
    for ended, problem in (("captured", HoldCaptured), ("voided", HoldVoided)):
        with pytest.raises(problem):
            require_open(replace(hold, ended=ended), line, NOW)  # type: ignore[arg-type]
    with pytest.raises(HoldExpired):
        require_open(hold, line, NOW + timedelta(days=1))
    with pytest.raises(HoldExpired):
        require_open(hold, replace(line, as_of=NOW + timedelta(days=1)), NOW)


def test_an_emergency_patient_is_given_what_the_limit_bears() -> None:
    def held(line: Line, hold_id: str, estimate_fen: int) -> holds.Step:
        one = replace(credit(50_000), line=line)
        return placed_in_emergency(one, limit(50_000), hold_id, estimate_fen, ward.policy(), NOW)

    line = lines.opened(50_000, NOW)
    step = held(line, "h1", 80_000)
    assert (step.hold.amount_fen, lines.available(step.line, NOW)) == (50_000, 0)
    part = held(line, "h1", 20_000)
    assert part.hold.amount_fen == 20_000
    assert held(part.line, "h2", 80_000).hold.amount_fen == 30_000
    for wrong, fen, problem in (
        (line, 0, AmountNotPositive),
        (step.line, 1, HoldExceedsLimit),
        (holds.suspend(step.line, "bank", NOW), 1, LineSuspended),
        (holds.close(step.line, NOW), 0, LineClosed),
    ):
        with pytest.raises(problem):
            held(wrong, "h2", fen)


def test_LIMIT_nothing_more_is_held_on_a_line_that_has_too_many_events_without_a_statement() -> None:
    require_stated(replace(credit(1_000), unstated=MOST_EVENTS - 1))
    with pytest.raises(StatementsOutstanding):
        require_stated(replace(credit(1_000), unstated=MOST_EVENTS))


@pytest.mark.parametrize("unstated", [0, MOST_EVENTS - 1, MOST_EVENTS])
@pytest.mark.parametrize("parts", [0, MOST_PARTS - 1, MOST_PARTS])
@pytest.mark.parametrize("ended", [None, "captured", "voided"])
def test_LIMIT_the_last_part_of_a_hold_is_captured_whatever_its_bill_has(unstated: int, parts: int, ended: Any) -> None:
    seen, hold = replace(credit(1_000), unstated=unstated), Hold("h1", 10, NOW, ended=ended)
    held = CreditHold("xiamen", "demo-bank", "first", REF, "credit_medical", "v1", NOW, 1, hold, parts=parts)
    if (unstated, parts, ended) == (MOST_EVENTS, MOST_PARTS, None):
        with pytest.raises(StatementsOutstanding):
            require_parts(seen, held, hold)
    else:
        require_parts(seen, held, hold)


def test_a_hold_without_another_pass_ends_with_the_first() -> None:
    until = NOW + timedelta(hours=3)
    step = placed(credit(1_000), limit(1_000), "h1", 1, ward.policy(), NOW, Given(1, until))
    assert step.hold.expires_at == until
