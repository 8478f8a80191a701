"""What people have closed of the differences between a bank's files and its outbox: written once, never changed."""

from __future__ import annotations

from collections.abc import Iterable

from pynamodb.attributes import UnicodeAttribute

from chalicelib.core import codec, table
from chalicelib.core.commit import Unit
from chalicelib.core.table import Key, Row
from chalicelib.medical.rules.closing import Closed, CorrectingEntryUsed
from chalicelib.medical.rules.outbox import NothingToClose

Place = tuple[str, str]
"""An instruction's id, and the mark of what the file and Egret said of it."""


class _ClosedRow(Row, discriminator="closed-difference"):
    document = UnicodeAttribute()


class _CorrectingRow(Row, discriminator="correcting-entry"):
    pass


def save_closed(unit: Unit, closed: Closed, mark: str) -> None:
    """Writes a closing, once. Raises, as the unit is committed: NothingToClose; CorrectingEntryUsed."""
    of = closed.city_id, closed.bank_id
    unit.create(_ClosedRow(*_key(of, (closed.instruction_id, mark)), document=codec.to_json(closed)), NothingToClose)
    if closed.entry_id is not None:
        unit.create(_CorrectingRow(_pk(of), f"entry#{closed.entry_id}"), CorrectingEntryUsed)


def fetch_closed(city_id: str, bank_id: str, places: Iterable[Place]) -> dict[Place, Closed]:
    """Those of these that were closed; one BatchGetItem per hundred."""
    keys = {place: _key((city_id, bank_id), place) for place in places}
    rows = table.fetch(keys.values()) if keys else {}
    return {place: _closed(rows[key]) for place, key in keys.items() if key in rows}


def _closed(row: Row) -> Closed:
    assert isinstance(row, _ClosedRow)
    return codec.from_json(Closed, row.document)


def _key(of: tuple[str, str], place: Place) -> Key:
    return Key(_pk(of), "#".join(place))


def _pk(of: tuple[str, str]) -> str:
    return f"{of[0]}#differences#{of[1]}"
