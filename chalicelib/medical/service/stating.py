"""Bills and monthly statements: read, listed, and stated by the bank once a month is over.

A statement is a pure function of events and policies; stating a month only fixes it. The write that does moves the line
past the month's end, so that no event can come into a month that was stated, however slow somebody's clock is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from chalicelib.cities import store as cities
from chalicelib.core import effect, table
from chalicelib.core.commit import Unit, looking_again
from chalicelib.core.effect import Intent
from chalicelib.core.errors import NotFound
from chalicelib.core.table import Key, Row
from chalicelib.ledger.rules import holds
from chalicelib.medical import store
from chalicelib.medical.rules import Account, Charge, Event, month_of, next_month, statement
from chalicelib.medical.rules.bills import (
    BillView,
    StatementBrief,
    StatementView,
    bill_view,
    statement_brief,
    statement_view,
)
from chalicelib.medical.rules.credit import CreditLine
from chalicelib.medical.rules.months import NothingBilled, months, months_to_state
from chalicelib.medical.rules.statements import Filed, derived, filed
from chalicelib.medical.service.askers import Asker
from chalicelib.medical.service.bills import Bill, bill_in, policies_of, read_bill
from chalicelib.medical.service.sharing import TRIES
from chalicelib.subjects import store as accounts

_Numbered = Sequence[tuple[int, Event]]


def read_current(now: datetime, asker: Asker) -> BillView:
    """What is owed if it is paid now. Raises: NotFound: no such line."""
    bill = read_bill(*asker.of)
    return bill_view(asker.whose, bill.credit, bill.on(bill.day(now)), own=asker.own)


def list_statements(asker: Asker, limit: int, after: str | None) -> tuple[list[StatementBrief], str | None]:
    """One page of the statements of a line, newest first, and where to go on. Raises: NotFound: no such line."""
    key = store.line_key(*asker.of)
    if store.line_in(table.fetch([key]), key) is None:
        raise NotFound
    found, last = store.list_statements(*asker.of, limit, after)
    return [_kept(asker, one) for one in found], last


def state_month(unit: Unit, intent: Intent, now: datetime, asker: Asker, month: date) -> StatementBrief:
    """States a month that is over, and all before it that are not stated yet. One that is stated stays as it is.

    Raises: NotFound: no such line; MonthNotOver; NothingBilled; MonthsOutstanding; Conflict; in this order.
    """
    return looking_again(unit, lambda fresh: _state_once(fresh, intent, now, asker, month), TRIES)


def _state_once(unit: Unit, intent: Intent, now: datetime, asker: Asker, month: date) -> StatementBrief:
    key = store.statement_key(*asker.of, month)
    bill = read_bill(*asker.of, [key])
    if bill.credit.stated_until is not None and month < bill.credit.stated_until:
        kept = store.statement_in(bill.rows, key) or store.load_statement(key)
        if kept is None:
            raise NothingBilled
        return _note(unit, intent, now, bill.credit, _kept(asker, kept))
    first = bill.opening.as_of if bill.events or bill.credit.stated_until else None
    stated = filed_months(bill, months_to_state(first, month, bill.day(now)))
    for one in stated:
        store.save_statement(unit, store.statement_key(*asker.of, one.month), one)
    line = holds.released(bill.credit.line, 0, now)
    after = replace(
        bill.credit, line=line, stated_until=next_month(month), stated_version=stated[-1].to_version,
        unstated=sum(version > stated[-1].to_version for version, _ in bill.events),
    )  # fmt: skip
    store.save_line(unit, bill.credit, after)
    return _note(unit, intent, now, after, _kept(asker, stated[-1]))


def filed_months(bill: Bill, due: Iterable[date]) -> list[Filed]:
    """The statements of months that are over, from the first that is not stated yet on."""
    account, version, made = bill.opening, bill.credit.stated_version, list[Filed]()
    for month in due:
        events = _of_month(bill.events, month)
        until = events[-1][0] if events else version
        stated = statement(account, (event for _, event in events), bill.policies)
        made.append(filed(stated, version, until))
        account, version = stated.account, until
    return made


def _note(unit: Unit, intent: Intent, now: datetime, credit: CreditLine, reply: StatementBrief) -> StatementBrief:
    facts = {"v": 1, "city_id": credit.city_id, "bank_id": credit.bank_id, "month": reply.month}
    subject = accounts.account_pk(credit.ref)
    unit.effect(effect.row(intent, now, purpose="state-month", facts=facts, reply=reply, subject=subject))
    unit.commit()
    return reply


def read_statement(now: datetime, asker: Asker, month: date) -> StatementView:
    """The statement of a month, with its movements; one that is not stated yet is worked out, up to today at most.

    Raises: NotFound: no such line; a month before the first event, or that has not begun.
    """
    key, before = (store.statement_key(*asker.of, one) for one in (month, month_of(month - timedelta(days=1))))
    city_id, _, bank_id = asker.of
    line_key, head_key = store.line_key(*asker.of), store.head_key(city_id, bank_id)
    rows = table.fetch([cities.control_key(city_id), head_key, line_key, key, before])
    credit = store.line_in(rows, line_key)
    if credit is None:
        raise NotFound
    kept = store.statement_in(rows, key)
    if kept is None and credit.stated_until is not None and month < credit.stated_until:
        # Of one BatchGetItem the line may be newer than the statement.
        kept = store.load_statement(key)
        if kept is None:
            raise NotFound
    if kept is None:
        return _worked_out(now, asker, bill_in(rows, credit), month)
    return _read_again(asker, rows, kept, before)


def _read_again(asker: Asker, rows: dict[Key, Row], kept: Filed, before: Key) -> StatementView:
    """A statement that is kept, derived from its events again."""
    head = store.head_in(rows, asker.whose.city_id, asker.whose.bank_id)
    assert head is not None, "a line was opened under a policy"
    opening = Account(kept.month)
    if kept.from_version:
        last = store.statement_in(rows, before) or store.load_statement(before)
        assert last is not None, "statements follow one another"
        opening = last.stated.account
    empty = kept.from_version == kept.to_version
    found = () if empty else store.events_after(*asker.of, kept.from_version, kept.to_version)
    events = [event for _, event in found]
    told = derived(kept, opening, events, policies_of(head))
    return statement_view(_kept(asker, kept), told, _charges(opening, events), own=asker.own)


def _worked_out(now: datetime, asker: Asker, bill: Bill, month: date) -> StatementView:
    """A statement that is not kept: of a month that is over or has begun."""
    today = bill.day(now)
    if not bill.opening.as_of <= month <= month_of(today):
        raise NotFound
    opening = bill.opening
    for earlier in months(bill.opening.as_of, month_of(month - timedelta(days=1))):
        opening = statement(opening, _events(bill.events, earlier), bill.policies).account
    events, going_on = _events(bill.events, month), month == month_of(today)
    stated = statement(opening, events, bill.policies, today if going_on else None)
    brief = statement_brief(asker.whose, stated, closed=False, opened=going_on)
    return statement_view(brief, stated.statement, _charges(opening, events), own=asker.own)


def _kept(asker: Asker, kept: Filed) -> StatementBrief:
    return statement_brief(asker.whose, kept.stated, closed=True, opened=False)


def _charges(opening: Account, events: Iterable[Event]) -> list[Charge]:
    """All charges that a month's movements may be of."""
    return [*(debt.charge for debt in opening.debts), *(one for one in events if isinstance(one, Charge))]


def _of_month(events: _Numbered, month: date) -> list[tuple[int, Event]]:
    return [(version, event) for version, event in events if month_of(event.day) == month]


def _events(events: _Numbered, month: date) -> list[Event]:
    return [event for _, event in _of_month(events, month)]
