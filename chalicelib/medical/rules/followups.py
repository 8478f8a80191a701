"""What not paying calls for on a day: reminders, a suspension, credit records, and when to look again.

A city that has no rule has its people reminded, and nothing else happens to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from chalicelib.medical.rules.charges import Debt, next_month
from chalicelib.medical.rules.overdue import (
    Obligation,
    RecordDue,
    Rule,
    Suspended,
    Told,
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

AGAIN_DAYS = 7
"""After how many days a person is reminded anew, if the bank refused to do it or has not said that it did."""

_AGAIN = timedelta(days=AGAIN_DAYS)


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


def followup(
    debts: Sequence[Debt],
    day: date,
    rules: Sequence[Rule],
    days_before: Mapping[int, int],
    told: Mapping[str, Told],
) -> Followup:
    """What is due for these debts on a day.

    Args:
        days_before: How long before the due day a reminder is sent, by the version of a charge's policy.
        told: What became of the reminders, by charge, at least of those in ``would_be_missed``.
    """
    remind = tuple(
        debt.charge.charge_id
        for debt in debts
        if to_remind(debt, day, days_before[debt.charge.policy_version]) or _again(debt, day, told)
    )
    days = [one for debt in debts for one in _days(debt, day, rules, days_before, told)]
    records = _records(_obligations(debts, told), day, rules)
    return Followup(remind, suspended_now(debts, day, rules, told), records, min(days, default=None))


def would_be_missed(debts: Iterable[Debt], day: date, rules: Sequence[Rule]) -> dict[str, date]:
    """The charges whose not having been paid has consequences by this day if he was reminded of them, each with the
    day of its first reminder. Of no others it matters whether he was."""
    found = {}
    for debt in debts if rules else ():
        since = missed_on(obligation(debt), rules)
        if since is not None and since <= day and debt.reminded_on is not None:
            found[debt.charge.charge_id] = debt.reminded_on
    return found


def suspended_now(
    debts: Iterable[Debt], day: date, rules: Sequence[Rule], told: Mapping[str, Told]
) -> Suspended | None:
    """Whether somebody is suspended on a day, and from what, by the rules of the bank's city."""
    return suspended(_obligations(debts, told), day, rules) if rules else None


def _obligations(debts: Iterable[Debt], told: Mapping[str, Told]) -> list[Obligation]:
    return [obligation(debt, told.get(debt.charge.charge_id)) for debt in debts]


def _again(debt: Debt, day: date, told: Mapping[str, Told]) -> bool:
    """Whether he is to be reminded anew, for as far as is known he never was."""
    one = told.get(debt.charge.charge_id)
    return one is not None and one.on is None and debt.owed_fen > 0 and one.asked_on + _AGAIN <= day


def _records(obligations: Sequence[Obligation], day: date, rules: Sequence[Rule]) -> tuple[RecordDue, ...]:
    if not rules:
        return ()
    oldest = day - timedelta(days=RECORDED_WITHIN_DAYS)
    return tuple(one for one in records_due(obligations, day, rules) if one.on >= oldest)


def _days(
    debt: Debt, day: date, rules: Sequence[Rule], days_before: Mapping[int, int], told: Mapping[str, Told]
) -> Iterator[date]:
    """The days after this one on which something may be due because of this debt, if it is still owed then.

    Whether a month was a default is certain when it is over; a bank may say on any day that it reminded him.
    """
    if not debt.owed_fen:
        return
    one, charge = obligation(debt, told.get(debt.charge.charge_id)), debt.charge
    if one.reminded_on is None and debt.reminded_on is not None:
        yield day + timedelta(days=1)
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
