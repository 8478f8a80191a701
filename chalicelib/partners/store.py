"""What is remembered of partners. Keys: ``docs/keys.md`` § partners."""

from __future__ import annotations

from collections.abc import Mapping

from pynamodb.attributes import UnicodeAttribute

from chalicelib.cities.rules import Control
from chalicelib.cities.store import control_in, control_key
from chalicelib.core import codec, table
from chalicelib.core.commit import Unit
from chalicelib.core.errors import NotFound, StaleVersion
from chalicelib.core.table import IntAttribute, Key, Row
from chalicelib.partners.rules import Partner, PartnerExists, UsccTaken


class _PartnerRow(Row, discriminator="partner"):
    document = UnicodeAttribute()
    revision = IntAttribute()


class _UsccRow(Row, discriminator="uscc"):
    """Marks a code as used in a city."""

    partner_id = UnicodeAttribute()


def partner_key(city_id: str, partner_id: str) -> Key:
    """Where a partner is: to be fetched with what else a request needs."""
    return Key(f"{city_id}#partners", partner_id)


def partner_in(rows: Mapping[Key, Row], city_id: str, partner_id: str) -> Partner | None:
    """The partner among fetched rows; None if it was not found."""
    row = rows.get(partner_key(city_id, partner_id))
    if row is None:
        return None
    assert isinstance(row, _PartnerRow)
    return codec.from_json(Partner, row.document)


def load_partner(city_id: str, partner_id: str) -> Partner:
    """One partner of a city. Raises: NotFound."""
    found = partner_in(table.fetch([partner_key(city_id, partner_id)]), city_id, partner_id)
    if found is None:
        raise NotFound
    return found


def load_with_control(city_id: str, partner_id: str) -> tuple[Partner, Control]:
    """A partner and its city's control item, in one read. Raises: NotFound: either is absent."""
    rows = table.fetch([partner_key(city_id, partner_id), control_key(city_id)])
    found = partner_in(rows, city_id, partner_id)
    if found is None:
        raise NotFound
    return found, control_in(rows, city_id)


def list_partners(city_id: str, limit: int, after: str | None) -> tuple[list[Partner], str | None]:
    """One page of a city's partners, by id."""
    rows, last = table.query(_PartnerRow, f"{city_id}#partners", limit=limit, after=after)
    return [codec.from_json(Partner, row.document) for row in rows], last


def create_partner(unit: Unit, partner: Partner) -> None:
    """Adds a partner; a second one of the same id, or of the same code, in the same city is refused."""
    unit.create(_partner_row(partner), PartnerExists)
    unit.create(_UsccRow(f"{partner.city_id}#uscc#{partner.uscc}", "uscc", partner_id=partner.partner_id), UsccTaken)


def update_partner(unit: Unit, partner: Partner) -> None:
    """Replaces a partner, if it is still the revision before this one."""
    unit.put(_partner_row(partner), _PartnerRow.revision == partner.revision - 1, StaleVersion)


def _partner_row(partner: Partner) -> _PartnerRow:
    key = partner_key(partner.city_id, partner.partner_id)
    return _PartnerRow(*key, document=codec.to_json(partner), revision=partner.revision)
