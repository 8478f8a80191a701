"""Bills: the events of a line in the order in which it took them, its monthly statements, and which lines a person has.

An event is one immutable item, written with the version of the line that takes it; so a capture writes as little for
the thousandth item as for the first, and events of one line never share a place.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from pynamodb.attributes import BinaryAttribute, UnicodeAttribute

from chalicelib.core import codec, table
from chalicelib.core.commit import Unit
from chalicelib.core.errors import Conflict
from chalicelib.core.table import IntAttribute, Key, Row
from chalicelib.medical.rules import Account, Event, Reminder, Stated, Statement
from chalicelib.medical.rules.credit import CreditLine
from chalicelib.medical.rules.events import KINDS, kind_of
from chalicelib.medical.rules.months import month_text
from chalicelib.medical.rules.statements import Filed
from chalicelib.subjects import store as accounts
from chalicelib.subjects.rules import AccountRef

EVENTS_AT_ONCE = 500
MOST_LINES = 50
_VERSION_DIGITS = 9
_LINE_OF = "line#"


class EventRow(Row, discriminator="credit-event"):
    """One event of a line; ``what`` says which kind. The stream's consumers read it by ``event_of``."""

    what = UnicodeAttribute()
    document = UnicodeAttribute()
    home = UnicodeAttribute()


class _StatementRow(Row, discriminator="credit-statement"):
    """The sums of a month, and the account with which the next one opens: compressed, for it has every charge."""

    document = UnicodeAttribute()
    account = BinaryAttribute(legacy_encoding=False)
    from_version = IntAttribute()
    to_version = IntAttribute()


class _PointerRow(Row, discriminator="credit-line-of"):
    pass


def bill_pk(city_id: str, person_id: str, bank_id: str) -> str:
    """The partition of a line's events."""
    return f"{city_id}#bill#{person_id}/{bank_id}"


def append_event(unit: Unit, credit: CreditLine, version: int, event: Event) -> None:
    """Writes an event that the line took with this version of it."""
    pk = bill_pk(credit.city_id, credit.ref.person_id, credit.bank_id)
    home = credit.ref.city_id
    row = EventRow(pk, _version(version), what=kind_of(event), document=codec.to_json(event), home=home)
    if isinstance(event, Reminder):  # no book tells of it, for it posts nothing
        row.gsi2pk = _reminders_pk(credit.city_id, credit.bank_id)
        row.gsi2sk = f"{event.day}#{event.reminder_id}"
    unit.create(row, Conflict)


def reminders_of(city_id: str, bank_id: str, first: date, until: date) -> Iterator[tuple[str, Key]]:
    """The ids of a bank's reminders of the days ``first`` to before ``until`` with the places of their events, by day;
    one Query per page of the index, which may lag by a moment."""
    days = EventRow.gsi2sk.between(f"{first}", f"{until}")
    position: dict[str, Any] | None = None
    while True:
        pk = _reminders_pk(city_id, bank_id)
        rows, position = table.query_gsi2(EventRow, pk, days, limit=EVENTS_AT_ONCE, after=position)
        yield from (((row.gsi2sk or "").partition("#")[2], row.key) for row in rows)
        if position is None:
            return


def events_at(keys: Iterable[Key]) -> Iterator[EventRow]:
    """The events at these places; one BatchGetItem per hundred."""
    for row in table.fetch(keys).values():
        assert isinstance(row, EventRow)
        yield row


def _reminders_pk(city_id: str, bank_id: str) -> str:
    return f"{city_id}#reminders#{bank_id}"


def event_of(row: EventRow) -> Event:
    """The event of an item."""
    return codec.from_json(KINDS[row.what], row.document)


def line_of(row: EventRow) -> tuple[str, AccountRef, str]:
    """The city, the person and the bank whose event this is."""
    city_id, _, rest = row.pk.split("#", 2)
    person_id, _, bank_id = rest.partition("/")
    return city_id, AccountRef(row.home, person_id), bank_id


def events_after(
    city_id: str, person_id: str, bank_id: str, version: int, until: int | None = None
) -> Iterator[tuple[int, Event]]:
    """The events that a line took after this version of it, up to ``until``, in order, each with its version; one Query
    per page."""
    pk, after = bill_pk(city_id, person_id, bank_id), _version(version)
    wanted = EventRow.sk > after if until is None else EventRow.sk.between(_version(version + 1), _version(until))
    position: str | None = None
    while True:
        rows, position = table.query(EventRow, pk, wanted, limit=EVENTS_AT_ONCE, after=position)
        yield from ((int(row.sk), event_of(row)) for row in rows)
        if position is None:
            return


def statement_key(city_id: str, person_id: str, bank_id: str, month: date) -> Key:
    """Where the statement of a month is: to be fetched with what else a request needs."""
    return Key(f"{city_id}#bills#{person_id}/{bank_id}", month_text(month))


def statement_in(rows: Mapping[Key, Row], key: Key) -> Filed | None:
    """A statement among fetched rows; None if it was not found."""
    row = rows.get(key)
    if row is None:
        return None
    assert isinstance(row, _StatementRow)
    return _filed(row)


def load_statement(key: Key) -> Filed | None:
    """A statement by itself; None if the month is not stated."""
    row = table.get(_StatementRow, key)
    return None if row is None else _filed(row)


def save_statement(unit: Unit, key: Key, kept: Filed) -> None:
    """Writes the statement of a month that is over, once."""
    row = _StatementRow(*key, from_version=kept.from_version, to_version=kept.to_version)
    row.document = codec.to_json(kept.stated.statement)
    row.account = zlib.compress(codec.to_json(kept.stated.account).encode())
    unit.create(row, Conflict)


def list_statements(
    city_id: str, person_id: str, bank_id: str, limit: int, after: str | None
) -> tuple[list[Filed], str | None]:
    """One page of a line's statements, newest first, and the position to go on after; one Query."""
    pk = statement_key(city_id, person_id, bank_id, date.min).pk
    rows, last = table.query(_StatementRow, pk, limit=limit, after=after, descending=True)
    return [_filed(row) for row in rows], last


def _filed(row: _StatementRow) -> Filed:
    account = codec.from_json(Account, zlib.decompress(row.account).decode())
    return Filed(Stated(codec.from_json(Statement, row.document), account), row.from_version, row.to_version)


def _version(version: int) -> str:
    return f"{version:0{_VERSION_DIGITS}d}"


def point_to(unit: Unit, credit: CreditLine) -> None:
    """Notes with the person's account that he has a line with this bank, wherever it is."""
    unit.put(_PointerRow(accounts.account_pk(credit.ref), f"{_LINE_OF}{credit.city_id}/{credit.bank_id}"))


def lines_of(ref: AccountRef) -> list[tuple[str, str]]:
    """The city and the bank of every line that a person opened by this account; one Query."""
    rows, _ = table.query(_PointerRow, accounts.account_pk(ref), _PointerRow.sk.startswith(_LINE_OF), limit=MOST_LINES)
    return [(city_id, bank_id) for city_id, _, bank_id in (r.sk.removeprefix(_LINE_OF).partition("/") for r in rows)]
