"""The identity index: from a document's keyed digest to a person. Only the enrolment function comes here."""

from __future__ import annotations

from collections.abc import Mapping

from pynamodb.attributes import UnicodeAttribute

from chalicelib.core import ids, keys
from chalicelib.core.commit import Unit
from chalicelib.core.errors import Conflict
from chalicelib.core.table import Key, Row
from chalicelib.subjects.rules import Document

INDEX_KEY_VERSION = 1


class _IndexRow(Row, discriminator="identity"):
    person_id = UnicodeAttribute()


def index_key(document: Document) -> Key:
    """Where the person with this document is found. The version says which key made the digest."""
    digest = ids.encode(keys.index_mac(document.index_text.encode()))
    return Key(f"alliance#index#{INDEX_KEY_VERSION}#{digest}", "person")


def person_in(rows: Mapping[Key, Row], key: Key) -> str | None:
    """The person's id among fetched rows; None if nobody was enrolled with this document."""
    row = rows.get(key)
    if row is None:
        return None
    assert isinstance(row, _IndexRow)
    return row.person_id


def create_person(unit: Unit, key: Key, person_id: str) -> None:
    """Adds a person; a second one with the same document is refused."""
    unit.create(_IndexRow(*key, person_id=person_id), Conflict)
