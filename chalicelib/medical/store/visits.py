"""Visits, each beside its first hold; those that are open are listed by their hospital."""

from __future__ import annotations

from collections.abc import Mapping

from pynamodb.attributes import UnicodeAttribute

from chalicelib.core import clock, codec, table
from chalicelib.core.commit import Unit
from chalicelib.core.errors import Conflict
from chalicelib.core.table import IntAttribute, Key, Row
from chalicelib.medical.rules.visits import Visit
from chalicelib.medical.store.credit import hold_key

Position = dict[str, object]


class _VisitRow(Row, discriminator="visit"):
    document = UnicodeAttribute()
    revision = IntAttribute()


def visit_key(city_id: str, visit_id: str) -> Key:
    """Where a visit is: to be fetched with what else a request needs."""
    return Key(hold_key(city_id, visit_id).pk, "visit")


def visit_in(rows: Mapping[Key, Row], key: Key) -> Visit | None:
    """The visit among fetched rows; None if it was not found."""
    row = rows.get(key)
    if row is None:
        return None
    assert isinstance(row, _VisitRow)
    return codec.from_json(Visit, row.document)


def save_visit(unit: Unit, visit: Visit) -> None:
    """Writes a visit, if nobody else has since it was seen; lists it for its hospital while it is open."""
    key = visit_key(visit.city_id, visit.visit_id)
    row = _VisitRow(*key, document=codec.to_json(visit), revision=visit.revision)
    if visit.state == "open":
        row.gsi2pk = _open_pk(visit.city_id, visit.hospital_id)
        row.gsi2sk = f"{clock.stamp(visit.opened_at)}#{visit.visit_id}"
    if visit.revision == 1:
        unit.create(row, Conflict)
    else:
        unit.put(row, _VisitRow.revision == visit.revision - 1, Conflict)


def list_open(
    city_id: str, hospital_id: str, limit: int, after: Position | None
) -> tuple[list[Visit], Position | None]:
    """One page of a hospital's visits that are open, the oldest first. The index may lag."""
    pk = _open_pk(city_id, hospital_id)
    listed, last = table.query_gsi2(_VisitRow, pk, _VisitRow.gsi2sk > "0", limit=limit, after=after)
    keys = [row.key for row in listed]
    rows = table.fetch(keys) if keys else {}
    found = (visit_in(rows, key) for key in keys)
    return [visit for visit in found if visit is not None and visit.state == "open"], last


def _open_pk(city_id: str, hospital_id: str) -> str:
    return f"{city_id}#visits#{hospital_id}"
