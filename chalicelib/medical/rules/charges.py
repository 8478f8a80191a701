"""A charge: one item captured from a hold, with the terms of that hold, and what is owed on it.

Interest is simple and runs on the principal alone, from the due day on: a charge that is paid on its due day bears
none, one paid on the next day bears one day's. It is counted in millionths of a fen and rounded half-even, once per
charge and calendar month, however often something is paid in between:

    interest to day t of a month = round(Σ principal × daily rate × days, up to t)

which is what a payment on day t finds; the next one finds the difference. A later policy may lower the rate of what was
charged before, from its first day on, and never raises it: that would need the debtor's agreement (民法典 art. 543).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

from chalicelib.core.money import half_even
from chalicelib.medical.rules.policy import Policy, policy_on
from chalicelib.medical.rules.rates import PPM


@dataclass(frozen=True, slots=True)
class Charge:
    """One captured item. ``day`` and ``due_on`` are days of the city; the rates are of the policy of its hold.

    ``due_on`` is the last day on which paying costs nothing. It is not moved by weekends or holidays: the policy says
    so (民法典 art. 204 lets the parties agree on how a period is counted).
    """

    charge_id: str
    hospital_id: str
    visit_id: str
    item_id: str
    day: date
    amount_fen: int
    due_on: date
    policy_version: int
    daily_rate_ppm: int
    fee_ppm: int = 0


@dataclass(frozen=True, slots=True)
class Debt:
    """What has become of a charge.

    Args:
        refunded_fen: Taken back by the hospital.
        paid_fen: Principal paid, less what a refund gave back of it.
        fee_paid_fen, interest_paid_fen: Likewise of fees and interest.
        interest_fen: Interest of the months that are over, each rounded by itself.
        accrued_ppm_fen: Interest of the open month so far, in millionths of a fen.
        reminded_on: The day of the reminder, if one was sent.
        cleared_on: The day since which nothing is owed.
        off_on: The day on which it was written off; no interest from then on.
    """

    charge: Charge
    refunded_fen: int = 0
    paid_fen: int = 0
    fee_paid_fen: int = 0
    interest_fen: int = 0
    accrued_ppm_fen: int = 0
    interest_paid_fen: int = 0
    reminded_on: date | None = None
    cleared_on: date | None = None
    off_on: date | None = None

    @property
    def net_fen(self) -> int:
        """The item after refunds."""
        return self.charge.amount_fen - self.refunded_fen

    @property
    def principal_fen(self) -> int:
        """What of the item is still owed."""
        return self.net_fen - self.paid_fen

    @property
    def fee_fen(self) -> int:
        """The fees on the item after refunds, rounded half-even as one figure."""
        return half_even(self.net_fen * self.charge.fee_ppm, PPM)

    @property
    def fee_owed_fen(self) -> int:
        """What of the fees is still owed."""
        return self.fee_fen - self.fee_paid_fen

    @property
    def interest_so_far_fen(self) -> int:
        """All interest up to the day to which it has been counted, paid or not."""
        return self.interest_fen + half_even(self.accrued_ppm_fen, PPM)

    @property
    def interest_owed_fen(self) -> int:
        """What of the interest is still owed."""
        return self.interest_so_far_fen - self.interest_paid_fen

    @property
    def owed_fen(self) -> int:
        """Everything owed on the charge."""
        return self.fee_owed_fen + self.interest_owed_fen + self.principal_fen

    @property
    def posted_fen(self) -> int:
        """What of it stands on the line: principal, unless it was written off."""
        return 0 if self.off_on else self.principal_fen

    def check(self) -> Debt:
        """The debt itself; nothing owed is negative, and it is cleared if and only if nothing is."""
        parts = (self.principal_fen, self.fee_owed_fen, self.interest_owed_fen, self.paid_fen, self.fee_paid_fen)
        assert min(parts) >= 0, "nothing owed or paid is negative"
        assert (self.cleared_on is not None) == (self.owed_fen == 0), "a debt is cleared when nothing is owed"
        return self


def charge_of(
    policy: Policy, day: date, amount_fen: int, *, charge_id: str, hospital_id: str, visit_id: str, item_id: str
) -> Charge:
    """The charge of an item captured on a day of the city, on the terms of the policy under which its hold was placed:
    what the patient was told then holds, whatever has changed since."""
    assert amount_fen > 0, "something is charged"
    due_on = day + timedelta(days=policy.interest_free_days)
    return Charge(
        charge_id, hospital_id, visit_id, item_id, day, amount_fen, due_on,
        policy.version, policy.daily_rate_ppm, policy.fee_ppm,
    )  # fmt: skip


def rate_on(charge: Charge, day: date, policies: Sequence[Policy]) -> int:
    """The daily rate of a charge on a day, in ppm: its own, or that of the policy in force then if that is lower."""
    policy = policy_on(policies, day)
    return charge.daily_rate_ppm if policy is None else min(charge.daily_rate_ppm, policy.daily_rate_ppm)


def rate_days(charge: Charge, first: date, until: date, policies: Sequence[Policy]) -> int:
    """Σ daily rate over the days from ``first`` up to, without, ``until`` that bear interest, in ppm × days."""
    first = max(first, charge.due_on)
    if first >= until:
        return 0
    changes = {edge for policy in policies for edge in (policy.valid_from, policy.valid_to) if edge is not None}
    edges = [first, *sorted(edge for edge in changes if first < edge < until), until]
    return sum(rate_on(charge, start, policies) * (end - start).days for start, end in pairwise(edges))


def month_of(day: date) -> date:
    """The calendar month of a day, by its first day."""
    return day.replace(day=1)


def next_month(day: date) -> date:
    """The first day of the month after the day's."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def accrued(debt: Debt, first: date, until: date, policies: Sequence[Policy]) -> Debt:
    """The debt with the interest of days within one month; what the month comes to is rounded when it is over."""
    assert month_of(first) == month_of(until - timedelta(days=1)), "interest is counted month by month"
    if debt.off_on is None:
        more = debt.principal_fen * rate_days(debt.charge, first, until, policies)
        debt = replace(debt, accrued_ppm_fen=debt.accrued_ppm_fen + more)
    if until.day > 1:
        return debt
    return replace(debt, interest_fen=debt.interest_so_far_fen, accrued_ppm_fen=0)


def split_refund(debts: Sequence[Debt], amount_fen: int) -> tuple[tuple[str, int], ...]:
    """A refund of an item that was captured from several holds, charge by charge: first what is not paid yet.

    More than the charges come to after refunds is a broken belief: ``visits.refunded`` has been asked before.
    """
    parts: dict[str, int] = {}
    for unpaid in (True, False):
        for debt in reversed(debts):
            most = debt.principal_fen if unpaid else debt.paid_fen
            taken = min(amount_fen, most)
            amount_fen -= taken
            if taken:
                charge_id = debt.charge.charge_id
                parts[charge_id] = parts.get(charge_id, 0) + taken
    assert amount_fen == 0, "no more is refunded than was captured"
    return tuple(parts.items())
