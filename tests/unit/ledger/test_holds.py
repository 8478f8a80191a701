"""A line of credit and its holds: what each verb does, and what it refuses, in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.core.errors import Problem
from chalicelib.ledger.rules import holds, lines
from chalicelib.ledger.rules.holds import Step
from chalicelib.ledger.rules.lines import (
    MOST_FEN,
    MOST_HOLDS,
    AmountNotPositive,
    AmountNotWhole,
    AmountTooLarge,
    CaptureExceedsHold,
    Hold,
    HoldCaptured,
    HoldExceedsLimit,
    HoldExpired,
    HoldsFull,
    HoldVoided,
    Line,
    LineClosed,
    LineSuspended,
    OpenHold,
)

NOON = datetime(2026, 8, 3, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)
BAD = [
    (True, AmountNotWhole), (1.5, AmountNotWhole), ("5", AmountNotWhole), (None, AmountNotWhole),
    (0, AmountNotPositive), (-1, AmountNotPositive), (MOST_FEN + 1, AmountTooLarge), (2**70, AmountTooLarge),
]  # fmt: skip


def line(limit_fen: int = 300_000) -> Line:
    return lines.opened(limit_fen, NOON)


def placed(amount_fen: int = 80_000, on: Line | None = None, hold_id: str = "h1", now: datetime = NOON) -> Step:
    return holds.place(on or line(), hold_id, amount_fen, 3600, now)


def test_a_hold_is_set_aside_and_captured_in_parts() -> None:
    step = placed()
    assert step.hold == Hold("h1", 80_000, NOON + HOUR)
    assert (lines.held(step.line, NOON), lines.available(step.line, NOON), step.line.version) == (80_000, 220_000, 2)
    part = holds.capture(step.line, step.hold, 30_000, NOON)
    assert (part.captured_fen, part.returned_fen, part.line.posted_fen) == (30_000, 0, 30_000)
    assert (part.hold.left_fen, lines.available(part.line, NOON)) == (50_000, 220_000)
    assert lines.state_at(part.hold, NOON) == "open"
    last = holds.capture(part.line, part.hold, 20_000, NOON, final=True)
    assert (last.captured_fen, last.returned_fen, last.line.posted_fen) == (20_000, 30_000, 50_000)
    assert (last.line.holds, lines.available(last.line, NOON), last.line.version) == ({}, 250_000, 4)
    assert lines.state_at(last.hold, NOON) == "captured"


def test_capturing_all_that_is_left_ends_a_hold() -> None:
    step = placed()
    whole = holds.capture(step.line, step.hold, 80_000, NOON)
    assert (whole.line.holds, whole.hold.ended, whole.returned_fen) == ({}, "captured", 0)


def test_voiding_gives_back_what_is_left() -> None:
    step = placed()
    part = holds.capture(step.line, step.hold, 30_000, NOON)
    gone = holds.void(part.line, part.hold, NOON)
    assert (gone.captured_fen, gone.returned_fen, gone.hold.ended) == (0, 50_000, "voided")
    assert (gone.line.posted_fen, lines.available(gone.line, NOON)) == (30_000, 270_000)


def test_a_hold_lapses_at_its_instant_and_not_before_without_a_job() -> None:
    step = placed()
    before, at = NOON + HOUR - timedelta(microseconds=1), NOON + HOUR
    assert (lines.available(step.line, before), lines.state_at(step.hold, before)) == (220_000, "open")
    assert (lines.available(step.line, at), lines.state_at(step.hold, at)) == (300_000, "expired")
    assert holds.capture(step.line, step.hold, 80_000, before).line.posted_fen == 80_000
    with pytest.raises(HoldExpired):
        holds.capture(step.line, step.hold, 1, at)
    with pytest.raises(HoldExpired):
        holds.void(step.line, step.hold, at)
    assert placed(300_000, step.line, "h2", at).line.holds.keys() == {"h2"}


def test_what_a_faster_clock_saw_lapse_stays_lapsed() -> None:
    step = placed()
    faster = placed(250_000, step.line, "h2", NOON + HOUR)
    assert faster.line.as_of == NOON + HOUR
    with pytest.raises(HoldExpired):
        holds.capture(faster.line, step.hold, 1, NOON)
    slower = placed(50_000, faster.line, "h3", NOON)
    assert slower.hold.expires_at == NOON + 2 * HOUR
    assert slower.line.as_of == NOON + HOUR
    assert lines.available(slower.line, NOON) == 0


@pytest.mark.parametrize(("amount", "problem"), BAD)
def test_an_amount_is_a_whole_number_of_fen_above_zero(amount: Any, problem: type[Problem]) -> None:
    step = placed()
    verbs: list[Callable[[], object]] = [
        lambda: placed(amount),
        lambda: holds.capture(step.line, step.hold, amount, NOON),
    ]
    for verb in verbs:
        with pytest.raises(problem):
            verb()


def test_a_limit_can_be_held_to_the_last_fen_and_not_beyond() -> None:
    full = placed(300_000)
    assert lines.available(full.line, NOON) == 0
    for step, amount in ((full, 1), (placed(80_000), 220_001)):
        with pytest.raises(HoldExceedsLimit):
            placed(amount, step.line, "h2")


def test_a_line_has_at_most_so_many_open_holds() -> None:
    now = line()
    for number in range(MOST_HOLDS):
        now = placed(1, now, f"h{number}").line
    with pytest.raises(HoldsFull):
        placed(1, now, "one-more")
    assert placed(1, now, "one-more", NOON + HOUR).line.holds.keys() == {"one-more"}


def test_a_hold_resolves_once() -> None:
    step = placed()
    captured = holds.capture(step.line, step.hold, 1, NOON, final=True)
    voided = holds.void(step.line, step.hold, NOON)
    for ended, problem in ((captured, HoldCaptured), (voided, HoldVoided)):
        for now in (NOON, NOON + 2 * HOUR):
            with pytest.raises(problem):
                holds.capture(ended.line, ended.hold, 1, now)
            with pytest.raises(problem):
                holds.void(ended.line, ended.hold, now)


def test_no_more_is_captured_than_is_held() -> None:
    step = placed()
    part = holds.capture(step.line, step.hold, 30_000, NOON)
    with pytest.raises(CaptureExceedsHold):
        holds.capture(step.line, step.hold, 80_001, NOON)
    with pytest.raises(CaptureExceedsHold):
        holds.capture(part.line, part.hold, 50_001, NOON, final=True)


@pytest.mark.parametrize(
    "changed",
    [
        lambda now: holds.relimit(now, 0, NOON),
        lambda now: holds.suspend(now, "overdue", NOON),
        lambda now: holds.close(now, NOON),
    ],
)
def test_what_was_given_can_be_captured_whatever_has_changed(changed: Callable[[Line], Line]) -> None:
    step = placed()
    after = holds.capture(changed(step.line), step.hold, 80_000, NOON)
    assert (after.line.posted_fen, after.hold.ended) == (80_000, "captured")
    assert holds.void(changed(step.line), step.hold, NOON).returned_fen == 80_000


def test_a_lowered_limit_leaves_nothing_free_and_a_raised_one_something() -> None:
    step = placed()
    low = holds.relimit(step.line, 50_000, NOON)
    assert (lines.available(low, NOON), low.holds) == (0, step.line.holds)
    with pytest.raises(HoldExceedsLimit):
        placed(1, low, "h2")
    assert lines.available(holds.relimit(low, 100_000, NOON), NOON) == 20_000


def test_a_suspension_is_lifted_for_its_own_cause_alone() -> None:
    twice = holds.suspend(holds.suspend(line(), "overdue", NOON), "bank", NOON)
    once = holds.resume(twice, "overdue", NOON)
    for suspended in (twice, once):
        with pytest.raises(LineSuspended):
            placed(1, suspended)
    assert placed(1, holds.resume(once, "bank", NOON)).line.suspended_for == frozenset()


def test_a_closed_line_takes_nothing_new_and_what_is_owed() -> None:
    step = placed()
    owing = holds.close(holds.capture(step.line, step.hold, 10, NOON, final=True).line, NOON)
    later: list[Callable[[Line], object]] = [
        lambda now: placed(1, now, "h2"), lambda now: holds.relimit(now, 1, NOON), lambda now: holds.close(now, NOON),
        lambda now: holds.suspend(now, "bank", NOON), lambda now: holds.resume(now, "bank", NOON),
    ]  # fmt: skip
    for verb in later:
        with pytest.raises(LineClosed):
            verb(owing)
    paid = holds.released(owing, 10, NOON)
    assert (paid.posted_fen, paid.closed, paid.version) == (0, True, owing.version + 1)


def test_what_is_paid_back_is_available_again() -> None:
    step = placed()
    owing = holds.capture(step.line, step.hold, 80_000, NOON).line
    assert lines.available(holds.released(owing, 30_000, NOON), NOON) == 250_000


def test_an_event_that_takes_nothing_moves_the_line_all_the_same() -> None:
    later = holds.released(placed().line, 0, NOON + HOUR)
    assert (later.version, later.as_of, later.posted_fen, later.holds) == (3, NOON + HOUR, 0, {})


def test_the_first_reason_is_told() -> None:
    closed = holds.close(holds.suspend(line(0), "bank", NOON), NOON)
    with pytest.raises(AmountNotWhole):
        placed(True, closed)
    with pytest.raises(LineClosed):
        placed(1, closed)
    with pytest.raises(LineSuspended):
        placed(1, holds.suspend(line(0), "bank", NOON))


def test_beliefs() -> None:
    step = placed()
    broken: list[Callable[[], object]] = [
        lambda: placed(1, step.line),
        lambda: lines.opened(-1, NOON),
        lambda: lines.opened(MOST_FEN + 1, NOON),
        lambda: Line(5, 0, NOON, holds={"h1": OpenHold(0, NOON)}).check(),
        lambda: Line(5, -1, NOON).check(),
        lambda: holds.place(line(), "h1", 1, 0, NOON),
        lambda: holds.capture(line(), step.hold, 1, NOON),
        lambda: holds.capture(step.line, replace(step.hold, captured_fen=1), 1, NOON),
        lambda: holds.released(line(), 1, NOON),
        lambda: holds.released(line(), -1, NOON),
    ]
    for verb in broken:
        with pytest.raises(AssertionError):
            verb()
