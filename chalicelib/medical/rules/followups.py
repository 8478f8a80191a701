"""What not paying calls for on a day: reminders, a suspension, credit records, and when to look again.

A city that has no rule has its people reminded, and nothing else happens to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from chalicelib.medical.rules.charges import Debt, next_month
from chalicelib.medical.rules.overdue import (
    RecordDue,
    Rule,
    Suspended,
    last_day,
    missed_on,
    obligation,
    records_due,
    reminder_on,
    suspended,
    to_remind,
)

OVERDUE = "overdue"
"""The cause for which a line is suspended while something is overdue on it."""

RECORDED_WITHIN_DAYS = 180
"""For how long a record may be late. What is cleared is forgotten after a year (``statements.KEPT_DAYS``): a row that
has lost its first month looks like another one, and its record would be due a second time."""


@dataclass(frozen=True, slots=True)
class Followup:
    """What is due on a day, if it has not been done.

    Args:
        remind: The charges of which to remind the person.
        suspended: From what he is to be suspended, and since when it could have been known.
        records: The credit records that are to be there.
        look_again_on: The next day on which something may be due, by what is known now; None: nothing will be.
    """

    remind: tuple[str, ...]
    suspended: Suspended | None
    records: tuple[RecordDue, ...]
    look_again_on: date | None


def followup(debts: Sequence[Debt], day: date, rules: Sequence[Rule], days_before: Mapping[int, int]) -> Followup:
    """What is due for these debts on a day.

    Args:
        days_before: How long before the due day a reminder is sent, by the version of a charge's policy.
    """
    remind = tuple(
        charge_id for debt in debts for charge_id in to_remind([debt], day, days_before[debt.charge.policy_version])
    )
    days = [one for debt in debts for one in _days(debt, day, rules, days_before)]
    return Followup(remind, suspended_now(debts, day, rules), _records(debts, day, rules), min(days, default=None))


def suspended_now(debts: Iterable[Debt], day: date, rules: Sequence[Rule]) -> Suspended | None:
    """Whether somebody is suspended on a day, and from what, by the rules of the bank's city."""
    return suspended(map(obligation, debts), day, rules) if rules else None


def _records(debts: Iterable[Debt], day: date, rules: Sequence[Rule]) -> tuple[RecordDue, ...]:
    if not rules:
        return ()
    oldest = day - timedelta(days=RECORDED_WITHIN_DAYS)
    return tuple(one for one in records_due([*map(obligation, debts)], day, rules) if one.on >= oldest)


def _days(debt: Debt, day: date, rules: Sequence[Rule], days_before: Mapping[int, int]) -> Iterator[date]:
    """The days after this one on which something may be due because of this debt, if it is still owed then.

    Whether a month was a default is certain when it is over.
    """
    if not debt.owed_fen:
        return
    one, charge = obligation(debt), debt.charge
    remind_on = reminder_on(charge.day, charge.due_on, days_before[charge.policy_version])
    if one.reminded_on is None and remind_on > day:
        yield remind_on
    if one.reminded_on is None or not rules:
        return
    missed = missed_on(one, rules)
    if missed is not None and missed <= day:
        yield next_month(day)
    else:
        yield last_day(one, rules) + timedelta(days=1)
