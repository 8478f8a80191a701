"""What a person owes a bank for medical care: charges, refunds, repayments and write-offs in the order they come.

A payment goes to the charge that is due first; of those due on one day to the one made on the earlier day, and then by
their ids, so that it goes the same way whenever it is worked out; within a charge to fees, then interest, then
principal. What is due already thus comes before what is not, and nobody who pays all that is overdue stays overdue.
Interest and fees never use up a limit: what is posted on the line is principal.

Source: 民法典 art. 560 (debts that are due first, then in the order of their due days) and art. 561 (costs, then
interest, then principal). Both hold where nothing else is agreed.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from chalicelib.core.errors import Problem
from chalicelib.core.text import Text
from chalicelib.ledger.rules.lines import LineClosed, RefundExceedsCapture, RepaymentExceedsDebt, check_amount
from chalicelib.medical.rules.charges import Charge, Debt, accrued, next_month
from chalicelib.medical.rules.events import CURRENCY, Payout, Refund, Reminder, Repayment, WriteOff
from chalicelib.medical.rules.policy import Policy

Kind = Literal["charge", "refund", "repayment", "write_off"]


class RepaymentCurrency(Problem):
    code = "repayment-currency"
    status = 422
    title = Text("只能以人民币还款", "Repayments are made in CNY alone")


class RepaymentTooSmall(Problem):
    code = "repayment-too-small"
    status = 422
    title = Text("低于单次最低还款额", "This is less than the least that can be repaid at once")


class ChargeUnknown(Problem):
    code = "charge-unknown"
    status = 404
    title = Text("没有这笔扣款", "There is no such charge")


class PayoutExceedsCredit(Problem):
    code = "payout-exceeds-credit"
    status = 409
    title = Text("退还金额超过应退余额", "This is more than what is owed back")


class WriteOffTooEarly(Problem):
    code = "write-off-too-early"
    status = 409
    title = Text("逾期时间未达到核销条件", "Nothing is overdue for long enough to be written off")


@dataclass(frozen=True, slots=True)
class Account:
    """A person's debts to a bank, in the order in which they are paid. Interest is counted for the days before
    ``as_of``; ``back_fen`` is what the bank owes him back, refunded after he had paid it."""

    as_of: date
    debts: tuple[Debt, ...] = ()
    back_fen: int = 0

    @property
    def posted_fen(self) -> int:
        """The principal that stands on the line."""
        return sum(debt.posted_fen for debt in self.debts)

    @property
    def owed_fen(self) -> int:
        """Everything owed, what was written off included."""
        return sum(debt.owed_fen for debt in self.debts)

    def check(self) -> Account:
        """The account itself, its debts in their order."""
        places = [_place(debt.check()) for debt in self.debts]
        assert places == sorted(set(places)), "debts are kept in the order in which they are paid, each once"
        return self


@dataclass(frozen=True, slots=True)
class Movement:
    """What one event changed of what is owed on one charge: more (> 0) or less (< 0).

    ``off``: the charge had been written off before. What was written off is owed still, and stands on no line.
    """

    day: date
    kind: Kind
    event_id: str
    charge_id: str
    principal_fen: int
    fee_fen: int = 0
    interest_fen: int = 0
    off: bool = False

    @property
    def total_fen(self) -> int:
        """All of it."""
        return self.principal_fen + self.fee_fen + self.interest_fen


@dataclass(frozen=True, slots=True)
class Booked:
    """An account after an event, and what it changed. ``line_fen`` is what left the line's posted amount by it, and
    ``to_person_fen`` what is paid back to the person because he had paid it already."""

    account: Account
    movements: tuple[Movement, ...]
    line_fen: int = 0
    to_person_fen: int = 0


def advanced(account: Account, day: date, policies: Sequence[Policy]) -> Account:
    """The account with interest counted for all days before ``day``, month by month; never back."""
    while account.as_of < day:
        until = min(day, next_month(account.as_of))
        debts = tuple(accrued(debt, account.as_of, until, policies) for debt in account.debts)
        account = replace(account, as_of=until, debts=debts)
    return account


def charged(account: Account, charge: Charge, policies: Sequence[Policy]) -> Booked:
    """The account with one charge more, in its place."""
    account = advanced(account, charge.day, policies)
    debt = Debt(charge)
    at = bisect(account.debts, _place(debt), key=_place)
    debts = (*account.debts[:at], debt, *account.debts[at:])
    movement = Movement(charge.day, "charge", charge.charge_id, charge.charge_id, debt.principal_fen, debt.fee_fen)
    assert at == 0 or _place(debts[at - 1]) != _place(debt), "a charge is made once"
    return Booked(replace(account, debts=debts), (movement,), -charge.amount_fen)


def refunded(account: Account, refund: Refund, policies: Sequence[Policy]) -> Booked:
    """The account after an item was taken back: what is owed on it goes down, with its fees; what was paid beyond that
    goes back to the person. Interest of the days before stays: until then the bank had paid for the item.

    Raises: AmountNotWhole; AmountNotPositive; AmountTooLarge; ChargeUnknown; RefundExceedsCapture; in this order.
    """
    check_amount(refund.amount_fen)
    account = advanced(account, refund.day, policies)
    old = _debt(account, refund.charge_id)
    if refund.amount_fen > old.net_fen:
        raise RefundExceedsCapture
    back_fen = max(0, refund.amount_fen - old.principal_fen)
    new = replace(old, refunded_fen=old.refunded_fen + refund.amount_fen, paid_fen=old.paid_fen - back_fen)
    fee_back_fen = max(0, -new.fee_owed_fen)
    new = _settled(replace(new, fee_paid_fen=new.fee_paid_fen - fee_back_fen), account.as_of)
    movement = _movement(account.as_of, "refund", refund.refund_id, old, new)
    to_person_fen = back_fen + fee_back_fen
    account = replace(_with(account, new), back_fen=account.back_fen + to_person_fen)
    return Booked(account, (movement,), old.posted_fen - new.posted_fen, to_person_fen)


def paid_out(account: Account, payout: Payout, policies: Sequence[Policy]) -> Booked:
    """The account after the bank gave back what it owes.

    Raises: AmountNotWhole; AmountNotPositive; AmountTooLarge; PayoutExceedsCredit; in this order.
    """
    check_amount(payout.amount_fen)
    if payout.amount_fen > account.back_fen:
        raise PayoutExceedsCredit
    account = advanced(account, payout.day, policies)
    return Booked(replace(account, back_fen=account.back_fen - payout.amount_fen), ())


def repaid(
    account: Account, repayment: Repayment, policies: Sequence[Policy], *, least_fen: int = 1, closed: bool = False
) -> Booked:
    """The account after a payment. It may come early, and it may be a part.

    Args:
        least_fen: The least that is taken, unless it pays everything.
        closed: Whether the line is closed; what is owed on it is taken all the same.

    Raises: AmountNotWhole; AmountNotPositive; AmountTooLarge; RepaymentCurrency; LineClosed: and nothing is owed;
        RepaymentExceedsDebt; RepaymentTooSmall; in this order.
    """
    left_fen = check_amount(repayment.amount_fen)
    if repayment.currency != CURRENCY:
        raise RepaymentCurrency
    account = advanced(account, repayment.day, policies)
    if closed and not account.owed_fen:
        raise LineClosed
    if left_fen > account.owed_fen:
        raise RepaymentExceedsDebt
    if left_fen < min(least_fen, account.owed_fen):
        raise RepaymentTooSmall
    movements, line_fen = [], 0
    for old in account.debts:
        new = _paid(old, left_fen, account.as_of)
        if new is not old:
            movement = _movement(account.as_of, "repayment", repayment.repayment_id, old, new)
            movements.append(movement)
            left_fen += movement.total_fen
            line_fen += old.posted_fen - new.posted_fen
            account = _with(account, new)
    assert left_fen == 0, "a payment goes to what is owed, all of it"
    return Booked(account, tuple(movements), line_fen)


def _paid(debt: Debt, left_fen: int, day: date) -> Debt:
    """The debt after a payment of at most ``left_fen``: to fees, then interest, then principal."""
    if not left_fen or not debt.owed_fen:
        return debt
    fee_fen = min(left_fen, debt.fee_owed_fen)
    interest_fen = min(left_fen - fee_fen, debt.interest_owed_fen)
    principal_fen = min(left_fen - fee_fen - interest_fen, debt.principal_fen)
    paid = replace(
        debt,
        fee_paid_fen=debt.fee_paid_fen + fee_fen,
        interest_paid_fen=debt.interest_paid_fen + interest_fen,
        paid_fen=debt.paid_fen + principal_fen,
    )
    return _settled(paid, day)


def written_off(account: Account, event: WriteOff, policies: Sequence[Policy]) -> Booked:
    """The account after the bank gave up counting on it: all that is owed leaves the line and bears no more interest.

    It is owed still, and what is paid after all is taken.

    Raises: WriteOffTooEarly: nothing has been overdue for ``least_days``.
    """
    account = advanced(account, event.day, policies)
    owed = [debt for debt in account.debts if debt.owed_fen and debt.off_on is None]
    if not any((account.as_of - debt.charge.due_on).days >= event.least_days for debt in owed):
        raise WriteOffTooEarly
    movements = tuple(
        Movement(
            account.as_of, "write_off", event.event_id, debt.charge.charge_id,
            -debt.principal_fen, -debt.fee_owed_fen, -debt.interest_owed_fen,
        )
        for debt in owed
    )  # fmt: skip
    line_fen = account.posted_fen
    for debt in owed:
        account = _with(account, replace(debt, off_on=account.as_of))
    return Booked(account, movements, line_fen)


def reminded(account: Account, reminder: Reminder, policies: Sequence[Policy]) -> Booked:
    """The account after a reminder of these charges was sent; the first one counts."""
    account = advanced(account, reminder.day, policies)
    for debt in account.debts:
        if debt.charge.charge_id in reminder.charge_ids and debt.reminded_on is None:
            account = _with(account, replace(debt, reminded_on=reminder.day))
    return Booked(account, ())


def _place(debt: Debt) -> tuple[date, date, str]:
    return debt.charge.due_on, debt.charge.day, debt.charge.charge_id


def _debt(account: Account, charge_id: str) -> Debt:
    for debt in account.debts:
        if debt.charge.charge_id == charge_id:
            return debt
    raise ChargeUnknown


def _with(account: Account, new: Debt) -> Account:
    charge_id, checked = new.charge.charge_id, new.check()
    return replace(account, debts=tuple(checked if d.charge.charge_id == charge_id else d for d in account.debts))


def _settled(debt: Debt, day: date) -> Debt:
    """The debt with the day since which nothing is owed on it, if nothing is; the first such day stays."""
    return debt if debt.owed_fen or debt.cleared_on else replace(debt, cleared_on=day)


def _movement(day: date, kind: Kind, event_id: str, old: Debt, new: Debt) -> Movement:
    return Movement(
        day, kind, event_id, old.charge.charge_id,
        new.principal_fen - old.principal_fen,
        new.fee_owed_fen - old.fee_owed_fen,
        new.interest_owed_fen - old.interest_owed_fen,
        old.off_on is not None,
    )  # fmt: skip
