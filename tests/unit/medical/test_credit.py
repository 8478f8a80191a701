"""A line as a decision leaves it, opened anew, and what is told of it and of holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.ledger.rules import holds, lines
from chalicelib.ledger.rules.lines import Hold, HoldCaptured, HoldExpired, HoldVoided, LineClosed, LineSuspended
from chalicelib.medical.rules import Limit
from chalicelib.medical.rules.credit import (
    MOST_EVENTS,
    TERM_OVER,
    CreditHold,
    CreditLine,
    Given,
    StatementsOutstanding,
    as_decided,
    hold_view,
    limit_view,
    line_state,
    opened_line,
    placed,
    rebooked,
    require_open,
    require_stated,
)
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
    assert as_decided(one, limit(2_000), NOW).limit_fen == 1_000
    low = replace(one, line=as_decided(one, limit(400), NOW))
    assert low.line.limit_fen == 400
    assert as_decided(low, limit(2_000), NOW).limit_fen == 1_000
    assert as_decided(one, limit(None), NOW).limit_fen == 0
    assert line_state(as_decided(one, limit(None, suspended=True), NOW)) == "suspended"
    with pytest.raises(LineClosed):
        as_decided(replace(one, line=holds.close(one.line, NOW)), limit(1), NOW)


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


def test_what_is_told_is_what_could_be_held() -> None:
    one = credit(1_000)
    policy = ward.policy()
    view = limit_view("p1_x", policy, limit(400), one, NOW, ("granted",))
    assert (view.limit_fen, view.available_fen, view.granted_fen, view.reasons) == (400, 400, 400, ("granted",))
    over = limit_view("p1_x", policy, limit(400), one, NOW, (), over=True)
    assert (over.available_fen, over.reasons) == (0, (TERM_OVER,))
    closed = replace(one, line=holds.close(one.line, NOW))
    assert limit_view("p1_x", policy, limit(400), closed, NOW, ()).state == "closed"
    assert limit_view("p1_x", policy, limit(None), None, NOW, ()).granted_fen is None


def test_a_hold_as_of_now() -> None:
    hold = Hold("h1", 500, NOW + timedelta(days=1), 200)
    held = CreditHold("xiamen", "demo-bank", "first", REF, "credit_medical", "V-1", NOW, 1, hold)
    assert (hold_view(held, "p1_x", NOW).state, hold_view(held, "p1_x", NOW).left_fen) == ("open", 300)
    late = hold_view(held, "p1_x", NOW + timedelta(days=1))
    assert (late.state, late.left_fen, late.captured_fen) == ("expired", 0, 200)
    line = lines.opened(1_000, NOW)
    require_open(hold, line, NOW)
    for ended, problem in (("captured", HoldCaptured), ("voided", HoldVoided)):
        with pytest.raises(problem):
            require_open(replace(hold, ended=ended), line, NOW)  # type: ignore[arg-type]
    with pytest.raises(HoldExpired):
        require_open(hold, line, NOW + timedelta(days=1))
    with pytest.raises(HoldExpired):
        require_open(hold, replace(line, as_of=NOW + timedelta(days=1)), NOW)


def test_LIMIT_nothing_more_is_held_on_a_line_that_has_too_many_events_without_a_statement() -> None:
    require_stated(replace(credit(1_000), unstated=MOST_EVENTS - 1))
    with pytest.raises(StatementsOutstanding):
        require_stated(replace(credit(1_000), unstated=MOST_EVENTS))


def test_a_hold_without_another_pass_ends_with_the_first() -> None:
    until = NOW + timedelta(hours=3)
    step = placed(credit(1_000), limit(1_000), "h1", 1, ward.policy(), NOW, Given(1, until))
    assert step.hold.expires_at == until
