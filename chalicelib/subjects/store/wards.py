"""The wards of a citizen, each an item of its own beside the account: a list of them is one Query."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pynamodb.attributes import UnicodeAttribute

from chalicelib.core import codec, table
from chalicelib.core.commit import Unit
from chalicelib.core.errors import Conflict, Problem
from chalicelib.core.table import IntAttribute, Key, Row
from chalicelib.subjects.rules import AccountRef
from chalicelib.subjects.rules.wards import Ward
from chalicelib.subjects.store.accounts import account_pk

_PREFIX = "ward#"


class _WardRow(Row, discriminator="ward"):
    document = UnicodeAttribute()
    revision = IntAttribute()


def ward_key(guardian: AccountRef, ward_id: str) -> Key:
    """Where a ward is: to be fetched with what else a request needs."""
    return Key(account_pk(guardian), f"{_PREFIX}{ward_id}")


def ward_in(rows: Mapping[Key, Row], key: Key) -> Ward | None:
    """The ward among fetched rows; None if it was not found."""
    row = rows.get(key)
    if row is None:
        return None
    assert isinstance(row, _WardRow)
    return codec.from_json(Ward, row.document)


def save_ward(unit: Unit, ward: Ward) -> None:
    """Writes a ward, if nobody else has since it was seen."""
    key = ward_key(ward.guardian, ward.ward_id)
    row = _WardRow(*key, document=codec.to_json(ward), revision=ward.revision)
    if ward.revision == 1:
        unit.create(row, Conflict)
    else:
        unit.put(row, _WardRow.revision == ward.revision - 1, Conflict)


def check_ward(unit: Unit, ward: Ward, otherwise: Callable[[], Problem]) -> None:
    """Commit only if the guardianship has not ended since it was read."""
    unit.check(_WardRow, ward_key(ward.guardian, ward.ward_id), _WardRow.revision == ward.revision, otherwise)


def list_wards(guardian: AccountRef, limit: int, after: str | None) -> tuple[list[Ward], str | None]:
    """One page of a citizen's wards, by id, and the position to go on after; one Query."""
    pk, wards = account_pk(guardian), _WardRow.sk.startswith(_PREFIX)
    rows, last = table.query(_WardRow, pk, wards, limit=limit, after=after)
    return [codec.from_json(Ward, row.document) for row in rows], last
