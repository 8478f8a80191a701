"""A month's statement of what a person owes a bank for medical care.

    closing = opening + charged + interest + refunded + repaid + written off      (the last three are ≤ 0)

for principal, fees and interest each, to the fen; a month opens with what the month before closed with, and the
closing principal is what is posted on the line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from chalicelib.medical.rules.billing import (
    Account,
    Booked,
    Kind,
    Movement,
    advanced,
    charged,
    paid_out,
    refunded,
    reminded,
    repaid,
    written_off,
)
from chalicelib.medical.rules.charges import Charge, Debt, month_of, next_month
from chalicelib.medical.rules.events import Event, Payout, Refund, Reminder, Repayment
from chalicelib.medical.rules.policy import Policy

KEPT_DAYS = 366
"""For how long a charge that was cleared can be refunded, and counts among defaults in a row."""

MOST_DEBTS = 500
"""Of cleared charges beyond this number the oldest are forgotten sooner: a statement is one item."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Principal, fees and interest."""

    principal_fen: int = 0
    fee_fen: int = 0
    interest_fen: int = 0

    @property
    def total_fen(self) -> int:
        """All three."""
        return self.principal_fen + self.fee_fen + self.interest_fen

    def __add__(self, other: Sums) -> Sums:
        """Both together, each by itself."""
        return Sums(
            self.principal_fen + other.principal_fen,
            self.fee_fen + other.fee_fen,
            self.interest_fen + other.interest_fen,
        )


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be paid by a day."""

    due_on: date
    fen: int


@dataclass(frozen=True, slots=True)
class Statement:
    """One month of one line. What was written off stands beside it: ``off_fen`` is owed still, in all.

    ``dues`` are what is owed at the month's end, by due day; those of days before that are overdue.
    """

    month: date
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
    movements: tuple[Movement, ...]


@dataclass(frozen=True, slots=True)
class Stated:
    """A statement, and the account with which the next month opens."""

    statement: Statement
    account: Account


@dataclass(frozen=True, slots=True)
class Filed:
    """A statement as it is kept: its sums, and which events it is of, from which its movements are derived again: those
    that the line took after its version ``from_version``, up to ``to_version``."""

    stated: Stated
    from_version: int
    to_version: int

    @property
    def month(self) -> date:
        """Its month, by the first day."""
        return self.stated.statement.month


def booked(account: Account, event: Event, policies: Sequence[Policy]) -> Booked:
    """The account after an event that was accepted before; see ``billing`` for what is refused."""
    if isinstance(event, Charge):
        return charged(account, event, policies)
    if isinstance(event, Refund):
        return refunded(account, event, policies)
    if isinstance(event, Repayment):
        return repaid(account, event, policies)
    if isinstance(event, Payout):
        return paid_out(account, event, policies)
    if isinstance(event, Reminder):
        return reminded(account, event, policies)
    return written_off(account, event, policies)


def statement(
    opening: Account, events: Iterable[Event], policies: Sequence[Policy], until: date | None = None
) -> Stated:
    """The statement of the month with which the account opens.

    Args:
        opening: As of the first day of the month.
        events: All of the month, in the order in which they were accepted.
        policies: All versions that were in force since the first charge that is still owed.
        until: The day before which interest is counted, where the month is not over.
    """
    month, end = opening.as_of, next_month(opening.as_of)
    assert month == month_of(month), "a statement is of a calendar month"
    assert until is None or month <= until < end, "a month that is not over has the day in it"
    account, movements, arisen = opening, list[Movement](), 0
    for event in events:
        assert account.as_of <= event.day < end, "events of the month come in their order"
        before = advanced(account, event.day, policies)
        arisen += _interest(before) - _interest(account)
        step = booked(before, event, policies)
        movements += step.movements
        account = step.account
    closing = advanced(account, until or end, policies)
    arisen += _interest(closing) - _interest(account)
    return Stated(_statement(opening, closing, movements, arisen), _without_old(closing))


def filed(stated: Stated, from_version: int, to_version: int) -> Filed:
    """A statement as it is kept."""
    sums = replace(stated.statement, movements=())
    return Filed(replace(stated, statement=sums), from_version, to_version)


def derived(kept: Filed, opening: Account, events: Iterable[Event], policies: Sequence[Policy]) -> Statement:
    """A statement that is kept, with its movements, from its events. One that says something else than they do is a
    broken belief."""
    again = statement(opening, events, policies).statement
    assert replace(again, movements=()) == kept.stated.statement, "a statement is what its events come to"
    return again


def carried(account: Account, day: date, policies: Sequence[Policy]) -> Account:
    """The account as the statements of all months before a day leave it, made or not: with interest up to the last of
    them, and without what they forget. So an event finds the same account whether they were made before it or after."""
    while next_month(account.as_of) <= day:
        account = _without_old(advanced(account, next_month(account.as_of), policies))
    return account


def _without_old(account: Account) -> Account:
    """The account without what was cleared long ago, so that it stays as small as what is owed and was of late.

    What was cleared late counts among defaults in a row, and stays its year.
    """
    debts = tuple(debt for debt in account.debts if not _old(debt, account.as_of))
    in_time = (
        (debt.cleared_on, number)
        for number, debt in enumerate(debts)
        if debt.cleared_on is not None and debt.cleared_on <= debt.charge.due_on
    )
    dropped = {number for _, number in sorted(in_time)[: max(0, len(debts) - MOST_DEBTS)]}
    return replace(account, debts=tuple(debt for number, debt in enumerate(debts) if number not in dropped))


def _old(debt: Debt, on: date) -> bool:
    return debt.cleared_on is not None and (on - debt.cleared_on).days > KEPT_DAYS


def _statement(opening: Account, closing: Account, movements: Sequence[Movement], interest_fen: int) -> Statement:
    dues = dues_of(closing)
    of: dict[Kind, Sums] = {
        kind: _moved(movements, kind) for kind in ("charge", "refund", "repayment", "write_off")
    }  # fmt: skip
    made = Statement(
        opening.as_of, sums_of(opening), of["charge"], of["refund"], of["repayment"], of["write_off"], interest_fen,
        sums_of(closing), sum(due.fen for due in dues if due.due_on < closing.as_of), dues,
        sum(debt.owed_fen for debt in closing.debts if debt.off_on), tuple(movements),
    )  # fmt: skip
    parts = (made.opening, made.charged, made.refunded, made.repaid, made.written_off, Sums(0, 0, interest_fen))
    assert sum(parts, Sums()) == made.closing, "a statement adds up"
    return made


def _moved(movements: Iterable[Movement], kind: Kind) -> Sums:
    """What movements of this kind changed on the line; those of what had been written off stand beside it."""
    on_line = [one for one in movements if one.kind == kind and not one.off]
    return sum((Sums(one.principal_fen, one.fee_fen, one.interest_fen) for one in on_line), Sums())


def dues_of(account: Account) -> tuple[Due, ...]:
    """What is owed on the line, by due day."""
    dues: Counter[date] = Counter()
    for debt in account.debts:
        if debt.owed_fen and debt.off_on is None:
            dues[debt.charge.due_on] += debt.owed_fen
    return tuple(Due(day, dues[day]) for day in sorted(dues))


def sums_of(account: Account) -> Sums:
    """What is owed on the line."""
    return sum((_sums_of(debt) for debt in account.debts if debt.off_on is None), Sums())


def _sums_of(debt: Debt) -> Sums:
    return Sums(debt.principal_fen, debt.fee_owed_fen, debt.interest_owed_fen)


def _interest(account: Account) -> int:
    """All interest so far of what has not been written off."""
    return sum(debt.interest_so_far_fen for debt in account.debts if debt.off_on is None)
