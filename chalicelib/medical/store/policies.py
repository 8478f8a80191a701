"""Policies: the head of each bank's, and its versions. A version that is no draft any more never changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace

from pynamodb.attributes import UnicodeAttribute

from chalicelib.core import clock, codec, table
from chalicelib.core.commit import Unit
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.table import IntAttribute, Key, Row
from chalicelib.medical.rules import Policy
from chalicelib.medical.rules.heads import Head

Position = dict[str, object]


class _HeadRow(Row, discriminator="medical-policy"):
    document = UnicodeAttribute()
    revision = IntAttribute()


class _VersionRow(Row, discriminator="medical-policy-version"):
    document = UnicodeAttribute()


def head_key(city_id: str, bank_id: str) -> Key:
    """Where a bank's head is: to be fetched with what else a request needs."""
    return Key(f"{city_id}#medical-policies", bank_id)


def head_in(rows: Mapping[Key, Row], city_id: str, bank_id: str) -> Head | None:
    """The head among fetched rows; None if it was not found."""
    row = rows.get(head_key(city_id, bank_id))
    if row is None:
        return None
    assert isinstance(row, _HeadRow)
    return codec.from_json(Head, row.document)


def save_head(unit: Unit, head: Head) -> Head:
    """Writes a head, if nobody else has since it was seen; lists it for review while a version waits for it.

    Returns the head as it is written.
    """
    written = replace(head, revision=head.revision + 1)
    versions = {f"{version}": listed for version, listed in written.versions.items()}
    document = {field.name: getattr(written, field.name) for field in fields(written)} | {"versions": versions}
    row = _HeadRow(*head_key(head.city_id, head.bank_id))
    row.document, row.revision = codec.to_json(document), written.revision
    if written.waits_since is not None:
        row.gsi2pk = _review_pk(head.city_id)
        row.gsi2sk = f"{clock.stamp(written.waits_since)}#{head.bank_id}"
    if head.revision == 0:
        unit.create(row, Conflict)
    else:
        unit.put(row, _HeadRow.revision == head.revision, Conflict)
    return written


def list_waiting(city_id: str, limit: int, after: Position | None) -> tuple[list[Head], Position | None]:
    """One page of the policies that wait for the city's review, the longest waiting first. The index may lag."""
    listed, last = table.query_gsi2(_HeadRow, _review_pk(city_id), _HeadRow.gsi2sk > "0", limit=limit, after=after)
    rows = table.fetch(row.key for row in listed) if listed else {}
    found = (head_in(rows, city_id, row.sk) for row in listed)
    return [head for head in found if head is not None and head.waits_since is not None], last


def _review_pk(city_id: str) -> str:
    return f"{city_id}#credit-policy-review"


def version_key(city_id: str, bank_id: str, version: int) -> Key:
    """Where a version's content is: to be fetched with what else a request needs."""
    return Key(f"{city_id}#medical-policy#{bank_id}", f"{version:06d}")


def version_in(rows: Mapping[Key, Row], key: Key) -> Policy:
    """A version's content among fetched rows, be it a draft or not. Raises: NotFound."""
    row = rows.get(key)
    if row is None:
        raise NotFound
    assert isinstance(row, _VersionRow)
    return codec.from_json(Policy, row.document)


def save_version(unit: Unit, policy: Policy) -> None:
    """Writes the content of a draft. That it is one still is a condition on its head, in the same unit."""
    key = version_key(policy.city_id, policy.bank_id, policy.version)
    unit.put(_VersionRow(*key, document=codec.to_json(policy)))


def check_version(unit: Unit, rows: Mapping[Key, Row], key: Key) -> None:
    """Makes it a condition that a version's content is what was fetched: head and content are two items of one read."""
    row = rows[key]
    assert isinstance(row, _VersionRow)
    unit.check(_VersionRow, key, _VersionRow.document == row.document, Conflict)


@table.kept
def load_versions(city_id: str, bank_id: str, versions: tuple[int, ...]) -> tuple[Policy, ...]:
    """The contents of versions that are no drafts any more, kept in memory together; one BatchGetItem."""
    keys = [version_key(city_id, bank_id, version) for version in versions]
    rows = table.fetch(keys) if keys else {}
    return tuple(version_in(rows, key) for key in keys)


@table.kept
def load_version(city_id: str, bank_id: str, version: int) -> Policy:
    """The content of a version that is no draft any more, kept in memory. Raises: NotFound."""
    row = table.get(_VersionRow, version_key(city_id, bank_id, version))
    if row is None:
        raise NotFound
    return codec.from_json(Policy, row.document)
