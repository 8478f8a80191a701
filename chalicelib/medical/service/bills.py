"""A person's bill with a bank: what was stated last, and the events since, each at its place.

The line puts the events in order: each takes its next version, and its day never goes back. So a bill that was read is
exact as of the line that was read with it, and whoever writes on condition of that line changes what he saw.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from chalicelib.cities import store as cities
from chalicelib.cities.rules import Control
from chalicelib.core import clock, table
from chalicelib.core.commit import Unit
from chalicelib.core.errors import NotFound
from chalicelib.core.table import Key, Row
from chalicelib.ledger.rules import holds
from chalicelib.medical import store
from chalicelib.medical.rules import Account, Booked, Event, Policy, advanced, booked, month_of
from chalicelib.medical.rules.credit import CreditLine, with_events
from chalicelib.medical.rules.heads import Head
from chalicelib.medical.rules.statements import carried
from chalicelib.medical.service.standing import settle_standing


@dataclass(frozen=True, slots=True)
class Bill:
    """What was read. ``opening`` is the account with which the first month that is not stated opens, ``events`` are all
    since then, each with the version of the line that took it; ``account`` is the account after the last of them."""

    control: Control
    credit: CreditLine
    policies: tuple[Policy, ...]
    opening: Account
    events: tuple[tuple[int, Event], ...]
    account: Account
    rows: dict[Key, Row]

    def day(self, now: datetime) -> date:
        """The day of the city on which an event that comes now counts: never before what the line has seen."""
        return clock.day_in(self.control.time_zone, max(now, self.credit.line.as_of))

    def on(self, day: date) -> Account:
        """The account with interest for all days before this one."""
        return advanced(self.account, day, self.policies)


def read_bill(city_id: str, person_id: str, bank_id: str, more: Iterable[Key] = ()) -> Bill:
    """The bill of a line: one BatchGetItem (with what lies at ``more``), one GetItem of the last statement if there is
    one, one Query of the events since.

    Raises: NotFound: there is no such line.
    """
    line_key = store.line_key(city_id, person_id, bank_id)
    rows = table.fetch([cities.control_key(city_id), store.head_key(city_id, bank_id), line_key, *more])
    credit = store.line_in(rows, line_key)
    if credit is None:
        raise NotFound
    return bill_in(rows, credit)


def bill_in(rows: dict[Key, Row], credit: CreditLine) -> Bill:
    """The bill of a line that was read with its city's control item and its bank's policy head."""
    control = cities.control_in(rows, credit.city_id)
    head = store.head_in(rows, credit.city_id, credit.bank_id)
    assert head is not None, "a line was opened under a policy"
    policies = policies_of(head)
    of = credit.city_id, credit.ref.person_id, credit.bank_id
    found = store.events_after(*of, credit.stated_version)
    events = tuple((version, event) for version, event in found if version <= credit.line.version)
    opening = account = _opening(rows, control, credit, events)
    for _, event in events:
        account = booked(carried(account, event.day, policies), event, policies).account
    assert account.check().posted_fen == credit.line.posted_fen, (
        "the principal of all charges is what is posted on the line"
    )
    return Bill(control, credit, policies, opening, events, account, rows)


def _opening(
    rows: Mapping[Key, Row], control: Control, credit: CreditLine, events: Sequence[tuple[int, Event]]
) -> Account:
    key = last_statement_key(credit)
    if key is None:
        first = events[0][1].day if events else clock.day_in(control.time_zone, credit.line.as_of)
        return Account(month_of(first))
    found = store.statement_in(rows, key) or store.load_statement(key)
    assert found is not None, "a line knows its last statement"
    return found.stated.account


def last_statement_key(credit: CreditLine) -> Key | None:
    """Where the last statement of a line is; None if there is none."""
    if credit.stated_until is None:
        return None
    month = month_of(credit.stated_until - timedelta(days=1))
    return store.statement_key(credit.city_id, credit.ref.person_id, credit.bank_id, month)


def policies_of(head: Head) -> tuple[Policy, ...]:
    """All versions of a bank's terms that were ever approved, each with its end as it is listed; the latest
    first, so that of two on a day the one that counts is found, as by ``Head.in_force``."""
    held = [n for n, one in head.versions.items() if one.life.approved_by is not None]
    versions = store.load_versions(head.city_id, head.bank_id, tuple(sorted(held, reverse=True)))
    return tuple(head.as_listed(policy) for policy in versions)


def take(unit: Unit, bill: Bill, events: Iterable[Event], now: datetime) -> list[Booked]:
    """Writes events, in their order, and the line that takes them: what is posted on it goes down by what they take.
    A suspension for what is overdue ends with the event after which nothing is.

    Raises: what the rules refuse of them.
    """
    written, account, done = bill.credit, bill.account, list[Booked]()
    for event in events:
        one = booked(carried(account, event.day, bill.policies), event, bill.policies)
        line = holds.released(written.line, one.line_fen, now)
        store.append_event(unit, written, line.version, event)
        account, written = one.account, with_events(written, line, 1)
        done.append(one)
    written = settle_standing(unit, written, account.debts, bill.day(now))
    store.save_line(unit, bill.credit, written)
    return done
