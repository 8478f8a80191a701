"""What a person is told of his own lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from chalicelib.core.text import Text
from chalicelib.ledger.rules import lines
from chalicelib.ledger.rules.lines import Line
from chalicelib.medical.rules.billing import Account
from chalicelib.medical.rules.bills import overdue_of
from chalicelib.medical.rules.credit import BY_BANK, CreditHold, CreditLine
from chalicelib.medical.rules.followups import OVERDUE
from chalicelib.medical.rules.limits import BENEFITS, LineState
from chalicelib.medical.rules.policy import Policy
from chalicelib.medical.rules.rates import cost_said
from chalicelib.medical.rules.settling import terms_for
from chalicelib.medical.rules.statements import Due, dues_of
from chalicelib.subjects.rules import Suspension

_CAUSES: Mapping[str, Text] = {
    BY_BANK: Text("银行已暂停该额度", "The bank has suspended this line"),
    OVERDUE: Text(
        "该额度催收后逾期未还，还清即恢复", "Something is overdue on this line after a reminder; paying it restores it"
    ),
}
_OTHER_CAUSE = Text("该额度已暂停使用", "This line is suspended")
_NOT_HERE = "pay_later_parking"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a line is suspended."""

    code: str
    said: Text


@dataclass(frozen=True, slots=True)
class OwnHold:
    """What a hospital has set aside on one's own line."""

    hospital_id: str
    visit_ref: str
    left_fen: int
    placed_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OwnLine:
    """A person's own line at this instant.

    Args:
        ends_on: From this day on nothing new is held, until the line is opened anew.
        owed_fen: All that would clear it today; ``overdue_fen`` and ``dues`` are of what stands on the line.
    """

    city_id: str
    bank_id: str
    state: LineState
    suspended_for: tuple[Cause, ...]
    limit_fen: int
    used_fen: int
    held_fen: int
    available_fen: int
    holds: tuple[OwnHold, ...]
    ends_on: date
    owed_fen: int
    overdue_fen: int
    back_fen: int
    dues: tuple[Due, ...]
    cost: Text


def own_line(
    credit: CreditLine,
    policies: Sequence[Policy],
    benefits: Iterable[Suspension],
    held: Mapping[str, CreditHold],
    owed: Account,
    now: datetime,
) -> OwnLine:
    """A person's own line now.

    Args:
        benefits: What of his benefits is suspended; a line knows of it no sooner than at the next hold.
        held: The line's open holds, by their ids.
        owed: His bill with interest up to today.
    """
    line, today, dues = credit.line, owed.as_of, dues_of(owed)
    terms = terms_for(policies, credit.policy_version, today)
    ends_on = credit.opened_on + timedelta(days=terms[0].term_days)
    causes = () if line.closed else causes_of(line, benefits)
    state: LineState = "closed" if line.closed else "suspended" if causes else "open"
    available_fen = lines.available(line, now) if state == "open" and today < ends_on else 0
    return OwnLine(
        credit.city_id, credit.bank_id, state, causes, line.limit_fen, line.posted_fen, lines.held(line, now),
        available_fen, _own_holds(line, held, now), ends_on, owed.owed_fen, overdue_of(dues, today), owed.back_fen,
        dues, cost_said(terms[-1]),
    )  # fmt: skip


def causes_of(line: Line, benefits: Iterable[Suspension]) -> tuple[Cause, ...]:
    """Why nothing new may be held on a line, in words."""
    all_of_them: dict[str, Text] = {one.kind: one.words for one in benefits if one.kind != _NOT_HERE}
    codes = sorted(line.suspended_for - {BENEFITS})
    own = {code: _CAUSES.get(code, _OTHER_CAUSE) for code in codes}
    return tuple(Cause(code, said) for code, said in {**all_of_them, **own}.items())


def _own_holds(line: Line, held: Mapping[str, CreditHold], now: datetime) -> tuple[OwnHold, ...]:
    """What is set aside at this instant, by when it ends."""
    open_now = sorted((hold.expires_at, hold_id) for hold_id, hold in line.holds.items() if hold.expires_at > now)
    found = ((held[hold_id], line.holds[hold_id].left_fen, expires_at) for expires_at, hold_id in open_now)
    return tuple(
        OwnHold(one.hospital_id, one.visit_ref, left_fen, one.placed_at, expires_at)
        for one, left_fen, expires_at in found
    )
