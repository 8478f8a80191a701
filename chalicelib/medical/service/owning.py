"""A person's own lines, in whatever city they are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from chalicelib.cities import store as cities
from chalicelib.core import table
from chalicelib.core.auth import Caller
from chalicelib.core.table import Key, Row
from chalicelib.medical import store
from chalicelib.medical.rules.credit import CreditLine
from chalicelib.medical.rules.own_lines import OwnLine, own_line
from chalicelib.medical.service.bills import bill_in, last_statement_key
from chalicelib.subjects import service as subjects
from chalicelib.subjects import store as accounts
from chalicelib.subjects.rules import AccountRef, require_account, suspensions_of


def own_lines(now: datetime, caller: Caller) -> list[OwnLine]:
    """All lines that the caller has opened, by city and bank: one Query, two BatchGetItem, and one Query a line.

    Raises: NotFound: the token names nobody of its city.
    """
    ref = subjects.own_account(caller)
    names = store.lines_of(ref)
    line_keys = [store.line_key(city_id, ref.person_id, bank_id) for city_id, bank_id in names]
    shared = {cities.control_key(city_id) for city_id, _ in names} | {store.head_key(*name) for name in names}
    rows = table.fetch([accounts.account_key(ref), *line_keys, *shared])
    mine = [credit for credit in (store.line_in(rows, key) for key in line_keys) if credit is not None]
    rows |= table.fetch(key for credit in mine for key in _more(credit))
    return [_own_line(rows, ref, credit, now) for credit in mine]


def _more(credit: CreditLine) -> Iterator[Key]:
    """What else is needed of a line: its open holds, and its last statement."""
    yield from (store.hold_key(credit.city_id, hold_id) for hold_id in credit.line.holds)
    last = last_statement_key(credit)
    if last is not None:
        yield last


def _own_line(rows: dict[Key, Row], ref: AccountRef, credit: CreditLine, now: datetime) -> OwnLine:
    bill = bill_in(rows, credit)
    found = ((hold_id, store.hold_in(rows, store.hold_key(credit.city_id, hold_id))) for hold_id in credit.line.holds)
    held = {hold_id: one for hold_id, one in found if one is not None}
    benefits = suspensions_of(require_account(accounts.account_in(rows, ref)))
    return own_line(credit, bill.policies, benefits, held, bill.on(bill.day(now)), now)
