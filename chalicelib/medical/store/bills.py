"""Bills: the events of a line in the order in which it took them, its monthly statements, and which lines a person has.

An event is one immutable item, written with the version of the line that takes it; so a capture writes as little for
the thousandth item as for the first, and events of one line never share a place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from pynamodb.attributes import UnicodeAttribute

from chalicelib.core import codec, table
from chalicelib.core.commit import Unit
from chalicelib.core.errors import Conflict
from chalicelib.core.table import IntAttribute, Key, Row
from chalicelib.medical.rules import Event, Stated
from chalicelib.medical.rules.credit import CreditLine
from chalicelib.medical.rules.events import KINDS, kind_of
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
    document = UnicodeAttribute()
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
    sk, home = f"{version:0{_VERSION_DIGITS}d}", credit.ref.city_id
    row = EventRow(pk, sk, what=kind_of(event), document=codec.to_json(event), home=home)
    unit.create(row, Conflict)


def event_of(row: EventRow) -> Event:
    """The event of an item."""
    return codec.from_json(KINDS[row.what], row.document)


def line_of(row: EventRow) -> tuple[str, AccountRef, str]:
    """The city, the person and the bank whose event this is."""
    city_id, _, rest = row.pk.split("#", 2)
    person_id, _, bank_id = rest.partition("/")
    return city_id, AccountRef(row.home, person_id), bank_id


def events_after(city_id: str, person_id: str, bank_id: str, version: int) -> Iterator[tuple[int, Event]]:
    """The events that a line took after this version of it, in order, each with its version; one Query per page."""
    pk, after = bill_pk(city_id, person_id, bank_id), f"{version:0{_VERSION_DIGITS}d}"
    position: str | None = None
    while True:
        rows, position = table.query(EventRow, pk, EventRow.sk > after, limit=EVENTS_AT_ONCE, after=position)
        yield from ((int(row.sk), event_of(row)) for row in rows)
        if position is None:
            return


def statement_key(city_id: str, person_id: str, bank_id: str, month: date) -> Key:
    """Where the statement of a month is: to be fetched with what else a request needs."""
    return Key(f"{city_id}#bills#{person_id}/{bank_id}", f"{month:%Y-%m}")


def statement_in(rows: Mapping[Key, Row], key: Key) -> tuple[Stated, int, int] | None:
    """A stored statement with its closing account, and after and up to which versions of the line its events are."""
    row = rows.get(key)
    if row is None:
        return None
    assert isinstance(row, _StatementRow)
    return codec.from_json(Stated, row.document), row.from_version, row.to_version


def save_statement(unit: Unit, key: Key, stated: Stated, from_version: int, to_version: int) -> None:
    """Writes the statement of a month that is over, once."""
    row = _StatementRow(*key, document=codec.to_json(stated), from_version=from_version, to_version=to_version)
    unit.create(row, Conflict)


def list_statements(
    city_id: str, person_id: str, bank_id: str, limit: int, after: str | None
) -> tuple[list[Stated], str | None]:
    """One page of a line's statements, newest first, and the position to go on after; one Query."""
    pk = statement_key(city_id, person_id, bank_id, date.min).pk
    rows, last = table.query(_StatementRow, pk, limit=limit, after=after, descending=True)
    return [codec.from_json(Stated, row.document) for row in rows], last


def point_to(unit: Unit, credit: CreditLine) -> None:
    """Notes with the person's account that he has a line with this bank, wherever it is."""
    unit.put(_PointerRow(accounts.account_pk(credit.ref), f"{_LINE_OF}{credit.city_id}/{credit.bank_id}"))


def lines_of(ref: AccountRef) -> list[tuple[str, str]]:
    """The city and the bank of every line that a person opened by this account; one Query."""
    rows, _ = table.query(_PointerRow, accounts.account_pk(ref), _PointerRow.sk.startswith(_LINE_OF), limit=MOST_LINES)
    return [(city_id, bank_id) for city_id, _, bank_id in (r.sk.removeprefix(_LINE_OF).partition("/") for r in rows)]
