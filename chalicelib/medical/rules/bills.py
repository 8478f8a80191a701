"""What a bank, and the person himself, are told of what is owed.

A bank sees the hospital, the day and the amounts; which visit and which item it was is the person's own business. Who
sees what is a class of its own, so that nothing has to be left out at the last moment.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from chalicelib.medical.rules.billing import Account, Kind, Movement
from chalicelib.medical.rules.charges import Charge, Debt
from chalicelib.medical.rules.credit import CreditLine, line_state
from chalicelib.medical.rules.limits import LineState
from chalicelib.medical.rules.months import month_text
from chalicelib.medical.rules.statements import Due, Stated, Statement, Sums, dues_of, sums_of


class Whose(NamedTuple):
    """Whose line, as the one who is told knows him."""

    subject_id: str
    city_id: str
    bank_id: str


@dataclass(frozen=True, slots=True)
class OwedCharge:
    """A charge on which something is owed. ``principal_fen``, ``fee_fen`` and ``interest_fen`` are what is."""

    charge_id: str
    hospital_id: str
    day: date
    due_on: date
    daily_rate_ppm: int
    amount_fen: int
    refunded_fen: int
    paid_fen: int
    principal_fen: int
    fee_fen: int
    interest_fen: int
    reminded_on: date | None
    written_off_on: date | None


@dataclass(frozen=True, slots=True)
class OwnCharge(OwedCharge):
    """The same for the person himself: for which visit it was, and for which item (an empty one: none was named)."""

    visit_ref: str
    item_id: str


@dataclass(frozen=True, slots=True)
class BillView:
    """What is owed if it is paid on ``day``, a day of the city.

    Args:
        used_fen: What of the limit is used: principal alone.
        owed: On the line. What was written off stands beside it: ``off_fen`` is owed still.
        overdue_fen: What of ``owed`` was due before ``day``.
        payoff_fen: What would clear everything, what was written off included.
        back_fen: What the bank owes back, since it was refunded after it had been repaid.
        dues: What of ``owed`` is to be paid by when.
    """

    subject_id: str
    city_id: str
    bank_id: str
    day: date
    state: LineState
    used_fen: int
    owed: Sums
    overdue_fen: int
    off_fen: int
    payoff_fen: int
    back_fen: int
    dues: tuple[Due, ...]
    charges: tuple[OwedCharge, ...]


@dataclass(frozen=True, slots=True)
class StatementBrief:
    """A month's statement without its movements; see ``statements.Statement``.

    Args:
        closed: It is kept and never changes; else it was worked out just now.
        open: The month is not over.
        until: Interest is counted for the days before it.
    """

    subject_id: str
    city_id: str
    bank_id: str
    month: str
    closed: bool
    open: bool
    until: date
    opening: Sums
    charged: Sums
    refunded: Sums
    repaid: Sums
    written_off: Sums
    interest_fen: int
    closing: Sums
    overdue_fen: int
    dues: tuple[Due, ...]
    off_fen: int
    back_fen: int


@dataclass(frozen=True, slots=True)
class MovementView:
    """One movement of a statement, with the hospital whose charge it is of."""

    day: date
    kind: Kind
    event_id: str
    charge_id: str
    hospital_id: str
    principal_fen: int
    fee_fen: int
    interest_fen: int
    off: bool


@dataclass(frozen=True, slots=True)
class OwnMovement(MovementView):
    """The same for the person himself."""

    visit_ref: str
    item_id: str


@dataclass(frozen=True, slots=True)
class StatementView(StatementBrief):
    """A month's statement with its movements."""

    movements: tuple[MovementView, ...]


def bill_view(whose: Whose, credit: CreditLine, account: Account, *, own: bool) -> BillView:
    """A bill with interest counted up to the account's day."""
    owed = [debt for debt in account.debts if debt.owed_fen]
    dues = dues_of(account)
    return BillView(
        *whose, account.as_of, line_state(credit.line), account.posted_fen, sums_of(account),
        overdue_of(dues, account.as_of), _off_fen(account), account.owed_fen, account.back_fen, dues,
        tuple(_charge(debt, own=own) for debt in owed),
    )  # fmt: skip


def statement_brief(whose: Whose, stated: Stated, *, closed: bool, opened: bool) -> StatementBrief:
    """A statement for a list."""
    told = stated.statement
    return StatementBrief(
        *whose, month_text(told.month), closed, opened, stated.account.as_of,
        told.opening, told.charged, told.refunded, told.repaid, told.written_off, told.interest_fen, told.closing,
        told.overdue_fen, told.dues, told.off_fen, stated.account.back_fen,
    )  # fmt: skip


def statement_view(brief: StatementBrief, told: Statement, charges: Iterable[Charge], *, own: bool) -> StatementView:
    """A statement with its movements. ``charges``: those that may be moved."""
    known = {charge.charge_id: charge for charge in charges}
    movements = tuple(_movement(one, known[one.charge_id], own=own) for one in told.movements)
    sums: dict[str, Any] = {name: getattr(brief, name) for name in StatementBrief.__slots__}
    return StatementView(**sums, movements=movements)


def overdue_of(dues: Iterable[Due], day: date) -> int:
    """What was due before a day."""
    return sum(due.fen for due in dues if due.due_on < day)


def _off_fen(account: Account) -> int:
    return sum(debt.owed_fen for debt in account.debts if debt.off_on)


def _charge(debt: Debt, *, own: bool) -> OwedCharge:
    charge = debt.charge
    told = (
        charge.charge_id, charge.hospital_id, charge.day, charge.due_on, charge.daily_rate_ppm, charge.amount_fen,
        debt.refunded_fen, debt.paid_fen, debt.principal_fen, debt.fee_owed_fen, debt.interest_owed_fen,
        debt.reminded_on, debt.off_on,
    )  # fmt: skip
    return OwnCharge(*told, charge.visit_id, charge.item_id) if own else OwedCharge(*told)


def _movement(one: Movement, charge: Charge, *, own: bool) -> MovementView:
    told = (
        one.day, one.kind, one.event_id, one.charge_id, charge.hospital_id,
        one.principal_fen, one.fee_fen, one.interest_fen, one.off,
    )  # fmt: skip
    return OwnMovement(*told, charge.visit_id, charge.item_id) if own else MovementView(*told)
