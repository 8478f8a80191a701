"""Offers: the head of each, and its versions. A version that is no draft any more never changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace

from pynamodb.attributes import UnicodeAttribute

from chalicelib.core import clock, codec, table
from chalicelib.core.commit import Unit
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.table import IntAttribute, Key, Row
from chalicelib.offers.rules import Offer
from chalicelib.offers.rules.heads import Head

Position = dict[str, object]


class _HeadRow(Row, discriminator="offer"):
    document = UnicodeAttribute()
    revision = IntAttribute()


class _VersionRow(Row, discriminator="offer-version"):
    document = UnicodeAttribute()


def head_key(city_id: str, merchant_id: str, offer_id: str) -> Key:
    """Where an offer's head is: to be fetched with what else a request needs."""
    return Key(f"{city_id}#offers#{merchant_id}", offer_id)


def head_in(rows: Mapping[Key, Row], key: Key) -> Head | None:
    """The head among fetched rows; None if it was not found."""
    row = rows.get(key)
    if row is None:
        return None
    assert isinstance(row, _HeadRow)
    return codec.from_json(Head, row.document)


def save_head(unit: Unit, head: Head) -> Head:
    """Writes a head, if nobody else has since it was seen; lists it for review while a version waits for it.

    Returns the head as it is written.
    """
    written = replace(head, revision=head.revision + 1)
    row = _HeadRow(*head_key(head.city_id, head.merchant_id, head.offer_id))
    row.document, row.revision = _document(written), written.revision
    if written.waits_since is not None:
        row.gsi2pk = _review_pk(head.city_id)
        row.gsi2sk = f"{clock.stamp(written.waits_since)}#{head.merchant_id}/{head.offer_id}"
    if head.revision == 0:
        unit.create(row, Conflict)
    else:
        unit.put(row, _HeadRow.revision == head.revision, Conflict)
    return written


def _document(head: Head) -> str:
    """The head as JSON, in which every key is text."""
    versions = {f"{version}": listed for version, listed in head.versions.items()}
    return codec.to_json({field.name: getattr(head, field.name) for field in fields(head)} | {"versions": versions})


def list_heads(city_id: str, merchant_id: str, limit: int, after: str | None) -> tuple[list[Head], str | None]:
    """One page of a merchant's offers, by id."""
    rows, last = table.query(_HeadRow, f"{city_id}#offers#{merchant_id}", limit=limit, after=after)
    return [codec.from_json(Head, row.document) for row in rows], last


def list_waiting(city_id: str, limit: int, after: Position | None) -> tuple[list[Head], Position | None]:
    """One page of the offers that wait for the city's review, the longest waiting first. The index may lag."""
    listed, last = table.query_gsi2(_HeadRow, _review_pk(city_id), _HeadRow.gsi2sk > "0", limit=limit, after=after)
    keys = [row.key for row in listed]
    rows = table.fetch(keys) if keys else {}
    found = (head_in(rows, key) for key in keys)
    return [head for head in found if head is not None and head.waits_since is not None], last


def _review_pk(city_id: str) -> str:
    return f"{city_id}#review"


def version_key(city_id: str, merchant_id: str, offer_id: str, version: int) -> Key:
    """Where a version's content is: to be fetched with what else a request needs."""
    return Key(f"{city_id}#offer#{merchant_id}/{offer_id}", f"{version:06d}")


def version_in(rows: Mapping[Key, Row], key: Key) -> Offer:
    """A version's content among fetched rows, be it a draft or not. Raises: NotFound."""
    row = rows.get(key)
    if row is None:
        raise NotFound
    assert isinstance(row, _VersionRow)
    return codec.from_json(Offer, row.document)


def save_version(unit: Unit, offer: Offer) -> None:
    """Writes the content of a draft. That it is one still is a condition on its head, in the same unit."""
    key = version_key(offer.city_id, offer.merchant_id, offer.offer_id, offer.version)
    unit.put(_VersionRow(*key, document=codec.to_json(offer)))


def check_version(unit: Unit, rows: Mapping[Key, Row], key: Key) -> None:
    """Makes it a condition that a version's content is what was fetched: head and content are two items of one read."""
    row = rows[key]
    assert isinstance(row, _VersionRow)
    unit.check(_VersionRow, key, _VersionRow.document == row.document, Conflict)


@table.kept
def load_version(city_id: str, merchant_id: str, offer_id: str, version: int) -> Offer:
    """The content of a version that is no draft any more, kept in memory. Raises: NotFound."""
    row = table.get(_VersionRow, version_key(city_id, merchant_id, offer_id, version))
    if row is None:
        raise NotFound
    return codec.from_json(Offer, row.document)
