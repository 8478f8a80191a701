"""Holds on a person's line of credit: what is set aside is captured, given up or lapses, each hold once.

    open ── capture, of a part ──▶ open          what is left stays held
    open ── capture, final or of all that is left ──▶ captured      the rest returns to the line
    open ── void ──▶ voided,  open ── its instant ──▶ expired       (derived from the clock)

A writer takes ``max(clock, as_of)`` for now, so that what a faster clock saw lapse stays lapsed, drops what has lapsed,
decides, and writes on condition that the line is still of the version he saw; every verb makes the next version.

What was given stays given: an open hold can be captured after the limit was lowered and after the line was suspended
or closed. Only what adds to a line is refused then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.ledger.rules.lines import (
    MOST_HOLDS,
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
    available,
    check_amount,
    folded,
    state_at,
)


@dataclass(frozen=True, slots=True)
class Step:
    """A line and one of its holds after a write: how much was captured by it, and how much came back to the line."""

    line: Line
    hold: Hold
    captured_fen: int = 0
    returned_fen: int = 0


def place(
    line: Line, hold_id: str, amount_fen: int, seconds: int, now: datetime, until: datetime | None = None
) -> Step:
    """Sets an amount aside for ``seconds`` (> 0) from now on, or ``until`` an instant to come.

    Raises: AmountNotWhole; AmountNotPositive; AmountTooLarge; LineClosed; LineSuspended; HoldExceedsLimit; HoldsFull;
        in this order.
    """
    assert seconds > 0, "a hold lasts"
    check_amount(amount_fen)
    line = _next(line, now)
    assert hold_id not in line.holds, "a hold is placed once"
    if line.closed:
        raise LineClosed
    if line.suspended_for:
        raise LineSuspended
    if amount_fen > available(line, now):
        raise HoldExceedsLimit
    if len(line.holds) >= MOST_HOLDS:
        raise HoldsFull
    expires_at = until or line.as_of + timedelta(seconds=seconds)
    assert expires_at > line.as_of, "a hold lasts"
    holds = {**line.holds, hold_id: OpenHold(amount_fen, expires_at)}
    return Step(replace(line, holds=holds).check(), Hold(hold_id, amount_fen, expires_at))


def capture(line: Line, hold: Hold, amount_fen: int, now: datetime, *, final: bool = False) -> Step:
    """Posts an amount of an open hold; ``final`` gives back what is left of it.

    Raises: AmountNotWhole; AmountNotPositive; AmountTooLarge; HoldCaptured; HoldVoided; HoldExpired;
        CaptureExceedsHold; in this order.
    """
    check_amount(amount_fen)
    line = _next(line, now)
    left = _open(line, hold).left_fen - amount_fen
    if left < 0:
        raise CaptureExceedsHold
    ends = final or left == 0
    after = replace(hold, captured_fen=hold.captured_fen + amount_fen, ended="captured" if ends else None)
    line = _with(line, hold.hold_id, 0 if ends else left)
    line = replace(line, posted_fen=line.posted_fen + amount_fen).check()
    return Step(line, after, amount_fen, left if ends else 0)


def void(line: Line, hold: Hold, now: datetime) -> Step:
    """Gives back what is left of an open hold. Raises: HoldCaptured; HoldVoided; HoldExpired."""
    line = _next(line, now)
    left = _open(line, hold).left_fen
    return Step(_with(line, hold.hold_id, 0), replace(hold, ended="voided"), 0, left)


def relimit(line: Line, limit_fen: int, now: datetime) -> Line:
    """The line with another limit, which may lie below what is posted and held: nothing given is taken back.

    Raises: LineClosed.
    """
    return replace(_live(line, now), limit_fen=limit_fen).check()


def released(line: Line, posted_fen: int, now: datetime) -> Line:
    """The line after so much of what is posted on it left it, which may be nothing: an event that it puts in order."""
    assert 0 <= posted_fen <= line.posted_fen, "no more leaves a line than is posted on it"
    line = _next(line, now)
    return replace(line, posted_fen=line.posted_fen - posted_fen).check()


def suspend(line: Line, cause: str, now: datetime) -> Line:
    """The line suspended for this cause too. Raises: LineClosed."""
    line = _live(line, now)
    return replace(line, suspended_for=line.suspended_for | {cause})


def resume(line: Line, cause: str, now: datetime) -> Line:
    """The line suspended for this cause no more; for any other it stays so. Raises: LineClosed."""
    line = _live(line, now)
    return replace(line, suspended_for=line.suspended_for - {cause})


def close(line: Line, now: datetime) -> Line:
    """The line closed for good: what is held can still be captured, what is owed is still owed. Raises: LineClosed."""
    return replace(_live(line, now), closed=True)


def _next(line: Line, now: datetime) -> Line:
    return replace(folded(line, now), version=line.version + 1)


def _live(line: Line, now: datetime) -> Line:
    if line.closed:
        raise LineClosed
    return _next(line, now)


def _open(line: Line, hold: Hold) -> OpenHold:
    """The hold as it lies on its line, which has been folded."""
    state = state_at(hold, line.as_of)
    if state == "captured":
        raise HoldCaptured
    if state == "voided":
        raise HoldVoided
    if state == "expired":
        raise HoldExpired
    found = line.holds.get(hold.hold_id)
    assert found == OpenHold(hold.left_fen, hold.expires_at), "an open hold lies on its line"
    return found


def _with(line: Line, hold_id: str, left_fen: int) -> Line:
    """The line with this much left of a hold; with nothing left, without it."""
    holds = {other: hold for other, hold in line.holds.items() if other != hold_id}
    if left_fen:
        holds[hold_id] = replace(line.holds[hold_id], left_fen=left_fen)
    return replace(line, holds=holds)
