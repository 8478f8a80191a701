"""What a credit record says, how long it counts, and when it counts no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal

from chalicelib.core.text import Text

RecordKind = Literal["medical_default"]
RecordState = Literal["live", "repaired", "over"]
ANY_CITY = "*"

_WORDS = Text(
    "信用就医欠款连续 {months} 个月逾期（自 {first} 起）",
    "Medical bills were overdue in {months} months in a row, from {first} on",
)


@dataclass(frozen=True, slots=True)
class Retention:
    """For how long a city keeps what became certain from ``from_day`` on, until the next rule.

    Args:
        cities: Whose rule it is; ``*`` for those that have none of their own.
        deleted: Whether the item goes then; otherwise it stays in the archive.
    """

    cities: tuple[str, ...]
    from_day: date
    years: int
    deleted: bool
    source: str
    illustrative: bool = False


@dataclass(frozen=True, slots=True)
class CreditRecord:
    """One record about a person: defaults with a bank's medical credit, in how many months in a row.

    Args:
        certain_on: The day of the bank's city on which it became one; its years are counted from there.
        reason: Why the city repaired it.
    """

    record_id: str
    kind: RecordKind
    city_id: str
    bank_id: str
    first_month: date
    in_a_row: int
    certain_on: date
    recorded_at: datetime
    repaired_at: datetime | None = None
    reason: Text | None = None
    revision: int = 1


@dataclass(frozen=True, slots=True)
class RecordView:
    """A record as the person and his city see it. It counts on days before ``until``, unless it is repaired."""

    record_id: str
    kind: RecordKind
    bank_city_id: str
    bank_id: str
    first_month: date
    in_a_row: int
    recorded_at: datetime
    until: date
    state: RecordState
    repaired_at: datetime | None
    reason: Text | None
    words: Text


@dataclass(frozen=True, slots=True)
class RepairOrder:
    """Why a city repairs a record, in words for the person."""

    reason: Text


def retention_for(city_id: str, day: date, rules: Sequence[Retention]) -> Retention:
    """The rule of a city for what became certain on a day: its latest that had begun by then, else its first; where it
    has none of its own, that of any city."""
    own = [rule for rule in rules if city_id in rule.cities] or [rule for rule in rules if ANY_CITY in rule.cities]
    begun = [rule for rule in own if rule.from_day <= day]
    return max(begun, key=lambda rule: rule.from_day) if begun else min(own, key=lambda rule: rule.from_day)


def over_on(day: date, years: int) -> date:
    """The day after the last of so many years that begin with a day.

    A period of years ends with the day that corresponds to its first; where that year has none, with the month's last.
    Source: 民法典 art. 200 to 202.
    """
    leap_day = (day.month, day.day) == (2, 29)
    try:
        last = day.replace(year=day.year + years)
    except ValueError:
        assert leap_day, "every other day is there in every year"
        last = date(day.year + years, 2, 28)
    return last + timedelta(days=1)


def until(record: CreditRecord, home: str, rules: Sequence[Retention]) -> date:
    """The first day on which a record counts no more, by the rule of the person's city."""
    return over_on(record.certain_on, retention_for(home, record.certain_on, rules).years)


def state_on(record: CreditRecord, today: date, home: str, rules: Sequence[Retention]) -> RecordState:
    """What has become of a record by this day of the person's city."""
    if today >= until(record, home, rules):
        return "over"
    return "live" if record.repaired_at is None else "repaired"


def repaired(record: CreditRecord, order: RepairOrder, now: datetime) -> CreditRecord:
    """The record repaired; the same record if it was already (its first reason stays)."""
    if record.repaired_at is not None:
        return record
    return replace(record, repaired_at=now, reason=order.reason, revision=record.revision + 1)


def view(record: CreditRecord, today: date, home: str, rules: Sequence[Retention]) -> RecordView:
    """A record as it is shown."""
    return RecordView(
        record.record_id, record.kind, record.city_id, record.bank_id, record.first_month, record.in_a_row,
        record.recorded_at, until(record, home, rules), state_on(record, today, home, rules), record.repaired_at,
        record.reason, _WORDS.format(months=record.in_a_row, first=f"{record.first_month:%Y-%m}"),
    )  # fmt: skip
