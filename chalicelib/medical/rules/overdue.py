"""Not paying: the reminder, when somebody is suspended, how he is restored, and when it becomes a credit record.

Nothing here is stored and no job moves it: whether somebody is suspended on a day is worked out from what is due and
what was cleared when, so that a payment restores at once. What a rule says is dated data of the city, and each due day
goes by the rule of its own day.

Defaults are counted by calendar month, since a visit of three days makes three due days: a month is a default if
something due in it was missed, or if something missed before stayed unpaid through all of it. Months in which nothing
was due and nothing stayed unpaid do not count; one in which all that was due was paid in time begins the count anew.

Source: the rules of 信用就医 in Xiamen: unpaid after a reminder, all benefits of the score are suspended; three or more
defaults in a row touch the score. That nobody is suspended without a reminder is how "after a reminder" is read here,
and that a reminder is one that the bank has not refused, nor left without an answer (``told_on``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from chalicelib.medical.rules.charges import Debt, month_of, next_month
from chalicelib.medical.rules.instructions import Instruction

Scope = Literal["all_benefits", "credit_line"]
Verdict = Literal["kept", "missed", "carried", "none"]


@dataclass(frozen=True, slots=True)
class Rule:
    """What not paying means, for what falls due from ``from_day`` on, until the next rule.

    Args:
        grace_days: How many days after the due day, or after the reminder if that came later, nothing happens yet.
        scope: What is suspended then.
        record_after: How many defaults in a row make a credit record.
    """

    from_day: date
    grace_days: int
    scope: Scope
    record_after: int
    source: str
    illustrative: bool = False


@dataclass(frozen=True, slots=True)
class Obligation:
    """What counts here of a charge. A charge that was refunded wholly in time was never missed.

    ``reminded_on``: the day by which he had been reminded, as far as is known.
    """

    charge_id: str
    due_on: date
    reminded_on: date | None
    cleared_on: date | None

    def unpaid(self, day: date) -> bool:
        """Whether something is owed on it still when this day ends, by what is known now."""
        return self.cleared_on is None or self.cleared_on > day


@dataclass(frozen=True, slots=True)
class Suspended:
    """Somebody is suspended: since when, and from what."""

    since: date
    scope: Scope


@dataclass(frozen=True, slots=True)
class Default:
    """A month that is a default, the day on which it became one, and which one in a row it is."""

    month: date
    on: date
    in_a_row: int


@dataclass(frozen=True, slots=True)
class RecordDue:
    """So many defaults in a row: a credit record is due, one for each such row, however long it goes on."""

    first_month: date
    on: date
    in_a_row: int


@dataclass(frozen=True, slots=True)
class Told:
    """What has become of the reminders of a charge.

    Args:
        on: The day by which the first of them had reached the person; None: none has, as far as is known.
        asked_on: The day on which the bank was last told to remind him.
    """

    on: date | None
    asked_on: date


def told_on(asked_on: date, sent: Instruction | None, said_on: date | None) -> date | None:
    """The day by which a reminder had reached the person; None: it has not, as far as is known.

    While nobody has called the bank's core with it, it stands in the person's bill and in the list that the bank
    fetches, and counts from its day. Once the core has been called, it counts from the day on which the bank said so:
    by then it was done, whatever got lost before. What is not in the outbox is in no list: it may have been lost.

    Args:
        asked_on: The reminder's day, or that on which its instruction was made, if that is later.
        sent: The instruction to remind him; None: the outbox does not have it.
        said_on: The day of the city on which the bank answered.
    """
    if sent is None:
        return None
    if sent.state == "queued":
        return asked_on
    if sent.state != "accepted":
        return None
    return asked_on if not sent.attempts or said_on is None else max(asked_on, said_on)


def told(reminders: Iterable[tuple[date, date | None]]) -> Told:
    """What has become of a charge's reminders (> 0), by the day of each and the one by which it had reached him."""
    listed = list(reminders)
    return Told(min((on for _, on in listed if on is not None), default=None), max(asked for asked, _ in listed))


def obligation(debt: Debt, told: Told | None = None) -> Obligation:
    """What counts here of a debt. ``told``: what became of its reminders; None: they count from their day."""
    reminded_on = debt.reminded_on if told is None else told.on
    return Obligation(debt.charge.charge_id, debt.charge.due_on, reminded_on, debt.cleared_on)


def reminder_on(captured_on: date, due_on: date, days_before: int) -> date:
    """The day on which a reminder is sent: not before the day of the capture."""
    return max(captured_on, due_on - timedelta(days=days_before))


def to_remind(debt: Debt, day: date, days_before: int) -> bool:
    """Whether the first reminder of a charge is to be sent on a day, be it late."""
    if not debt.owed_fen or debt.reminded_on is not None:
        return False
    return reminder_on(debt.charge.day, debt.charge.due_on, days_before) <= day


def rule_for(due_on: date, rules: Sequence[Rule]) -> Rule:
    """The rule of a due day: the latest that had begun by then; the first one for days before all of them."""
    begun = [rule for rule in rules if rule.from_day <= due_on]
    return max(begun, key=lambda rule: rule.from_day) if begun else min(rules, key=lambda rule: rule.from_day)


def last_day(one: Obligation, rules: Sequence[Rule]) -> date:
    """The last day on which paying has no consequences but interest."""
    asked_on = max(one.due_on, one.reminded_on or one.due_on)
    return asked_on + timedelta(days=rule_for(one.due_on, rules).grace_days)


def missed_on(one: Obligation, rules: Sequence[Rule]) -> date | None:
    """The day on which not having paid has consequences; None while there was no reminder, or if it was paid before."""
    if one.reminded_on is None:
        return None
    last = last_day(one, rules)
    return last + timedelta(days=1) if one.unpaid(last) else None


def suspended(obligations: Iterable[Obligation], day: date, rules: Sequence[Rule]) -> Suspended | None:
    """Whether somebody is suspended on a day, by what is known now: from the day after grace, until all is paid."""
    found = []
    for one in obligations:
        since = missed_on(one, rules)
        if since is not None and since <= day and one.unpaid(day):
            found.append(Suspended(since, rule_for(one.due_on, rules).scope))
    if not found:
        return None
    widest: Scope = "all_benefits" if any(one.scope == "all_benefits" for one in found) else "credit_line"
    return Suspended(min(one.since for one in found), widest)


def defaults(obligations: Sequence[Obligation], day: date, rules: Sequence[Rule]) -> tuple[Default, ...]:
    """The months that are defaults by the end of this day, in their order, each with its number in its row."""
    found: list[Default] = []
    in_a_row = 0
    for month in _months(obligations, day):
        verdict, on = _verdict(obligations, month, rules)
        if verdict == "kept":
            in_a_row = 0
        elif verdict in {"missed", "carried"} and on <= day:
            in_a_row += 1
            found.append(Default(month, on, in_a_row))
    return tuple(found)


def records_due(obligations: Sequence[Obligation], day: date, rules: Sequence[Rule]) -> tuple[RecordDue, ...]:
    """The credit records that are due by the end of this day: one for every row that has become long enough."""
    found: list[RecordDue] = []
    first = day
    for one in defaults(obligations, day, rules):
        first = one.month if one.in_a_row == 1 else first
        if one.in_a_row == rule_for(one.month, rules).record_after:
            found.append(RecordDue(first, one.on, one.in_a_row))
    return tuple(found)


def _months(obligations: Iterable[Obligation], day: date) -> Iterable[date]:
    """The months from the first in which something was due to that of the day."""
    month = min((month_of(one.due_on) for one in obligations), default=next_month(day))
    while month <= day:
        yield month
        month = next_month(month)


def _verdict(obligations: Iterable[Obligation], month: date, rules: Sequence[Rule]) -> tuple[Verdict, date]:
    """What a month was, and the day on which that was certain. What is unpaid for want of a reminder says nothing."""
    end = next_month(month)
    carried, missed, kept = False, list[date](), list[bool]()
    for one in obligations:
        since = missed_on(one, rules)
        if month_of(one.due_on) == month:
            missed += [since] if since is not None else []
            kept.append(not one.unpaid(last_day(one, rules)))
        elif since is not None and one.due_on < month and since <= month and one.unpaid(end - timedelta(days=1)):
            carried = True
    if missed:
        return "missed", min(missed)
    if carried:
        return "carried", end
    return ("kept" if kept and all(kept) else "none"), end
