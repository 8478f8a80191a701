"""A line with its bank, and a hold with its hospital.

``booked_fen`` is what a line counts for in its bank's exposure. Its limit follows the score down at every hold and up
again to that, never beyond: so the sum of limits stays within the cap, and a hold writes to the line alone. It is
booked anew, higher or lower, where the bank or the person asks for it, or a reviewer gives it an exceptional limit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import NamedTuple

from chalicelib.core.errors import Problem
from chalicelib.core.text import Text
from chalicelib.ledger.rules import holds, lines
from chalicelib.ledger.rules.holds import Step
from chalicelib.ledger.rules.lines import (
    Hold,
    HoldCaptured,
    HoldExpired,
    HoldVoided,
    Line,
    LineSuspended,
    check_amount,
    state_at,
)
from chalicelib.medical.rules.limits import Limit, LineState, regraded
from chalicelib.medical.rules.policy import Policy
from chalicelib.subjects.rules import AccountRef

BY_BANK = "bank"
"""The cause for which a bank suspends a line."""

MOST_EVENTS = 1_000
"""How many events a bill may have that no statement has yet, before nothing more is held on its line, and nothing of it
is divided any further."""

MOST_HOLDS_OF_A_HOSPITAL = 20
"""Of the holds that a line may have, so that no hospital takes the others' places."""

MOST_PARTS = 20
"""In how many parts a hold may be captured whatever its bill has, before the next part is the last one."""

DAY_SECONDS = 86_400


class LineMissing(Problem):
    code = "credit-line-missing"
    status = 409
    title = Text("该患者在此银行没有信用就医额度", "The patient has no credit line with this bank")


@dataclass(frozen=True, slots=True)
class ExceptionalLimit:
    """What a line's limit is at least, by a person's decision in a review, up to, without, the instant ``until``."""

    limit_fen: int
    until: datetime
    review_id: str


class HoldOfVisit(Problem):
    code = "hold-of-visit"
    status = 409
    title = Text(
        "该预授权属于一次就诊，请在就诊中追加、扣款、退款或结算",
        "This hold belongs to a visit: raise, capture, refund and settle it there",
    )


class StatementsOutstanding(Problem):
    code = "statements-outstanding"
    status = 409
    title = Text(
        "该额度自上次出账以来的变动过多，请银行先出账",
        "The credit line has changed too often since its last statement; its bank has to make one first",
    )


@dataclass(frozen=True, slots=True)
class CreditLine:
    """A person's line with a bank. ``ref`` is the account by which it was opened.

    Statements are made of all days before ``stated_until``, from the events that the line took up to its version
    ``stated_version``; ``unstated`` is how many it has taken since, which no statement has. ``suspended_in`` are the
    home cities in which an account of the person is suspended for what is overdue on the line.
    """

    city_id: str
    bank_id: str
    ref: AccountRef
    line: Line
    policy_version: int
    opened_on: date
    shard: int
    booked_fen: int
    stated_until: date | None = None
    stated_version: int = 0
    exception: ExceptionalLimit | None = None
    suspended_in: tuple[str, ...] = ()
    unstated: int = 0


@dataclass(frozen=True, slots=True)
class CreditHold:
    """A hospital's hold. ``policy_version`` gives the terms of whatever is captured of it.

    ``of_visit``: it belongs to a visit that is kept here, and is used by the visit's verbs. ``parts``: in how many it
    was captured.
    """

    city_id: str
    bank_id: str
    hospital_id: str
    ref: AccountRef
    scenario_id: str
    visit_ref: str
    placed_at: datetime
    policy_version: int
    hold: Hold
    revision: int = 0
    of_visit: bool = False
    parts: int = 0


def opened_line(seen: CreditLine | None, limit_fen: int, now: datetime) -> Line:
    """A line opened, or one that was closed opened anew: what is owed and held on it stays, and so do its causes."""
    if seen is None:
        return lines.opened(limit_fen, now)
    assert seen.line.closed, "an open line is not opened"
    line = lines.folded(seen.line, now)
    return replace(line, limit_fen=limit_fen, closed=False, version=line.version + 1).check()


def excepted(credit: CreditLine | None, limit: Limit, now: datetime, ceiling_fen: int) -> Limit:
    """The limit by today's decision, or by a reviewer's exception if that gives more; the ceiling of today bounds it.

    While all benefits of the score are suspended an exception gives nothing.
    """
    exception = None if credit is None else credit.exception
    if exception is None or limit.suspended or exception.until <= now:
        return limit
    return replace(limit, fen=max(limit.fen or 0, min(exception.limit_fen, ceiling_fen)))


def as_decided(credit: CreditLine, limit: Limit, now: datetime, ceiling_fen: int) -> Line:
    """The line as today's decision leaves it, or its exception, never above what is booked for it. Raises: LineClosed.

    Args:
        ceiling_fen: The policy's of today, which an exception may not exceed either.
    """
    limit = excepted(credit, limit, now, ceiling_fen)
    capped = None if limit.fen is None else min(limit.fen, credit.booked_fen)
    return regraded(credit.line, replace(limit, fen=capped), now)


def rebooked(credit: CreditLine, limit: Limit, policy: Policy, now: datetime) -> CreditLine:
    """The line booked anew for what today's decision gives, be it more or less; its shard is another matter.

    Raises: LineClosed; LineSuspended: also while all benefits are; in this order.
    """
    limit = excepted(credit, limit, now, policy.ceiling_fen)
    line = regraded(credit.line, limit, now)
    if line.suspended_for:
        raise LineSuspended
    if line is credit.line:
        line = holds.relimit(line, line.limit_fen, now)
    return replace(credit, line=line, booked_fen=line.limit_fen)


class Given(NamedTuple):
    """What a patient was told when he showed his pass: the terms of everything that is held by it, and until when."""

    policy_version: int
    until: datetime


def placed(
    credit: CreditLine,
    limit: Limit,
    hold_id: str,
    amount_fen: int,
    policy: Policy,
    now: datetime,
    given: Given | None = None,
) -> Step:
    """A hold on the line as today's decision leaves it; one that is placed without another pass ends with the first.

    Raises: LineClosed; AmountNotWhole; AmountNotPositive; AmountTooLarge; LineSuspended; HoldExceedsLimit; HoldsFull;
        in this order.
    """
    line = as_decided(credit, limit, now, policy.ceiling_fen)
    until = None if given is None else given.until
    return holds.place(line, hold_id, amount_fen, policy.hold_days * DAY_SECONDS, now, until)


def placed_in_emergency(
    credit: CreditLine, limit: Limit, hold_id: str, estimate_fen: int, policy: Policy, now: datetime
) -> Step:
    """A hold of as much of an estimate as the line bears, as today's decision leaves it, be it just opened or not:
    nobody waits for a better one. The rest is held later, or paid otherwise.

    Raises: LineClosed; AmountNotWhole; AmountNotPositive; AmountTooLarge; LineSuspended; HoldExceedsLimit: it bears
        nothing; HoldsFull; in this order.
    """
    line = as_decided(credit, limit, now, policy.ceiling_fen)
    bears_fen = lines.available(lines.folded(line, now), now)
    fen = min(check_amount(estimate_fen), max(1, bears_fen))
    return holds.place(line, hold_id, fen, policy.hold_days * DAY_SECONDS, now)


def require_stated(credit: CreditLine) -> None:
    """Returns if the line's bill can take more before a statement is made. Raises: StatementsOutstanding."""
    if credit.unstated >= MOST_EVENTS:
        raise StatementsOutstanding


def require_parts(credit: CreditLine, held: CreditHold, after: Hold) -> None:
    """Returns if a part of a hold may be captured that leaves it so. The last one always may: what was given stays
    given. Raises: StatementsOutstanding."""
    if after.ended is None and held.parts >= MOST_PARTS:
        require_stated(credit)


def require_alone(held: CreditHold) -> None:
    """Returns if a hold is used by itself. Raises: HoldOfVisit: a visit's is used by the visit's verbs."""
    if held.of_visit:
        raise HoldOfVisit


def require_open(hold: Hold, line: Line, now: datetime) -> None:
    """Returns if the hold is open, as its line's writers see it. Raises: HoldCaptured; HoldVoided; HoldExpired."""
    refusals = {"captured": HoldCaptured, "voided": HoldVoided, "expired": HoldExpired}
    state = state_at(hold, max(now, line.as_of))
    if state != "open":
        raise refusals[state]


def with_events(credit: CreditLine, line: Line, events: int) -> CreditLine:
    """The credit line with its line as it is after a step that brought so many events to its bill."""
    return replace(credit, line=line, unstated=credit.unstated + events)


def line_state(line: Line) -> LineState:
    """Where a line stands, in a word."""
    return "closed" if line.closed else "suspended" if line.suspended_for else "open"
