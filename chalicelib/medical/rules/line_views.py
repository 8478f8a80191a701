"""What a bank and a person are told of a line, and a hospital of its holds.

Nothing but results: no score, grade or distance.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.core.text import Text
from chalicelib.ledger.rules import lines
from chalicelib.ledger.rules.lines import HoldState, state_at
from chalicelib.medical.rules.credit import CreditHold, CreditLine, as_decided, line_state
from chalicelib.medical.rules.limits import Limit, LineState, TermOver
from chalicelib.medical.rules.policy import Policy
from chalicelib.medical.rules.rates import cost_said


@dataclass(frozen=True, slots=True)
class LimitView:
    """What a bank, or the person, is told of a line. ``reasons`` are codes.

    ``limit_fen`` is what holds until somebody places the next hold, ``used_fen`` what is posted, ``held_fen`` what is
    set aside, ``available_fen`` what could be held now. ``granted_fen`` is what the decision of today would give, None
    where it would give nothing.
    """

    subject_id: str
    bank_id: str
    state: LineState
    limit_fen: int
    used_fen: int
    held_fen: int
    available_fen: int
    granted_fen: int | None
    as_of: datetime
    policy_version: int
    table_version: int
    reasons: tuple[str, ...]
    cost: Text


@dataclass(frozen=True, slots=True)
class LineMoved:
    """A line after it was suspended, resumed or closed: nothing that a score has decided."""

    subject_id: str
    bank_id: str
    state: LineState
    as_of: datetime


@dataclass(frozen=True, slots=True)
class HoldView:
    """A hold as its hospital sees it: nothing of the line's limit."""

    hold_id: str
    bank_id: str
    subject_id: str
    visit_ref: str
    state: HoldState
    amount_fen: int
    captured_fen: int
    left_fen: int
    placed_at: datetime
    expires_at: datetime
    policy_version: int


@dataclass(frozen=True, slots=True)
class HoldStep:
    """A hold after a step: how much was captured by it, and how much went back to the line.

    ``charge_id`` names what was captured, should it be refunded.
    """

    hold: HoldView
    captured_fen: int
    returned_fen: int
    charge_id: str | None


@dataclass(frozen=True, slots=True)
class Refunded:
    """A refund as its hospital sees it: not whether the patient had paid his bank already."""

    charge_id: str
    refunded_fen: int


def limit_view(
    subject_id: str,
    policy: Policy,
    limit: Limit,
    credit: CreditLine | None,
    now: datetime,
    reasons: tuple[str, ...],
    *,
    over: bool = False,
) -> LimitView:
    """What is told of a line, or that there is none, as a hold placed at this instant would find it; ``over``: its term
    is."""
    as_of = now if credit is None else max(now, credit.line.as_of)
    return LimitView(
        subject_id, policy.bank_id, *_standing(policy, limit, credit, now, over=over), limit.fen, as_of,
        policy.version, limit.table_version, (*reasons, TermOver.code) if over else reasons, cost_said(policy),
    )  # fmt: skip


def _standing(
    policy: Policy, limit: Limit, credit: CreditLine | None, now: datetime, *, over: bool
) -> tuple[LineState, int, int, int, int]:
    """Its state, and of its limit what is used, held and available."""
    if credit is None:
        return "none", 0, 0, 0, 0
    line = credit.line if credit.line.closed else as_decided(credit, limit, now, policy.ceiling_fen)
    state = line_state(line)
    available_fen = lines.available(line, now) if state == "open" and not over else 0
    return state, line.limit_fen, line.posted_fen, lines.held(line, now), available_fen


def hold_view(held: CreditHold, subject_id: str, now: datetime) -> HoldView:
    """A hold as of now."""
    hold, state = held.hold, state_at(held.hold, now)
    left_fen = hold.left_fen if state == "open" else 0
    return HoldView(
        hold.hold_id, held.bank_id, subject_id, held.visit_ref, state, hold.amount_fen, hold.captured_fen, left_fen,
        held.placed_at, hold.expires_at, held.policy_version,
    )  # fmt: skip
