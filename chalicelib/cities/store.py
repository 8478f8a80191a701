"""What is remembered of cities. Keys: ``docs/keys.md`` § cities."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache

from pynamodb.attributes import UnicodeAttribute

from chalicelib.cities.rules import (
    CONTROL_MAX_BYTES,
    Agreement,
    City,
    CityExists,
    Control,
    ControlFull,
    FoundingTaken,
    Scale,
)
from chalicelib.core import codec, table
from chalicelib.core.commit import Unit
from chalicelib.core.errors import Conflict, NotFound, Problem, StaleVersion
from chalicelib.core.table import IntAttribute, Key, Row


class _CityRow(Row, discriminator="city"):
    document = UnicodeAttribute()
    revision = IntAttribute()


class _FoundingRow(Row, discriminator="founding"):
    city_id = UnicodeAttribute()


class _ControlRow(Row, discriminator="control"):
    document = UnicodeAttribute()
    revision = IntAttribute()


class _ScaleRow(Row, discriminator="scale"):
    document = UnicodeAttribute()


class _AgreementRow(Row, discriminator="agreement"):
    document = UnicodeAttribute()
    revision = IntAttribute()


def control_key(city_id: str) -> Key:
    """Where a city's control item is: to be fetched with what else a request needs."""
    return Key(f"{city_id}#control", "control")


def control_in(rows: dict[Key, Row], city_id: str) -> Control:
    """The control item among fetched rows. Raises: NotFound: no such city."""
    row = rows.get(control_key(city_id))
    if row is None:
        raise NotFound
    assert isinstance(row, _ControlRow)
    return _control(row.document)


@lru_cache(maxsize=64)
def _control(document: str) -> Control:
    """What a control item says: read by every request, and nearly always the same as by the one before."""
    return codec.from_json(Control, document)


def load_control(city_id: str) -> Control:
    """A city's control item. Raises: NotFound."""
    return control_in(table.fetch([control_key(city_id)]), city_id)


def load_controls(city_ids: Iterable[str]) -> dict[str, Control]:
    """Control items of several cities, in one read. Raises: NotFound: any of them is no member."""
    wanted = list(city_ids)
    rows = table.fetch(control_key(c) for c in wanted)
    return {c: control_in(rows, c) for c in wanted}


def save_control(unit: Unit, control: Control, *, seen_revision: int, grows: bool = False) -> None:
    """Writes a city's control item, if nobody else has since it was seen.

    ``grows``: something was added that could as well not be. A stop (an end, a suspension) is never refused for room.

    Raises: ControlFull: it grows beyond ``CONTROL_MAX_BYTES``.
    """
    row = control_row(replace(control, revision=seen_revision + 1))
    if grows and len(row.document.encode()) > CONTROL_MAX_BYTES:
        raise ControlFull
    if seen_revision == 0:
        unit.create(row, Conflict)
    else:
        unit.put(row, _ControlRow.revision == seen_revision, Conflict)


def control_row(control: Control) -> _ControlRow:
    """The control item as it is stored."""
    return _ControlRow(*control_key(control.city_id), document=codec.to_json(control), revision=control.revision)


def load_city(city_id: str) -> City:
    """A member of the alliance. Raises: NotFound."""
    row = table.get(_CityRow, _city_key(city_id))
    if row is None:
        raise NotFound
    return codec.from_json(City, row.document)


def list_cities(limit: int, after: str | None) -> tuple[list[City], str | None]:
    """One page of the alliance's members, by id."""
    rows, last = table.query(_CityRow, "alliance#cities", limit=limit, after=after)
    return [codec.from_json(City, row.document) for row in rows], last


def create_city(unit: Unit, city: City) -> None:
    """Adds a member; a second one of the same id, and a second founding one, are refused."""
    unit.create(_city_row(city), CityExists)
    if city.founding:
        unit.create(_FoundingRow("alliance#founding", "founding", city_id=city.city_id), FoundingTaken)


def update_city(unit: Unit, city: City) -> None:
    """Replaces a member's entry, if it is still the revision before this one."""
    unit.put(_city_row(city), _CityRow.revision == city.revision - 1, StaleVersion)


def _city_row(city: City) -> _CityRow:
    return _CityRow(*_city_key(city.city_id), document=codec.to_json(city), revision=city.revision)


def _city_key(city_id: str) -> Key:
    return Key("alliance#cities", city_id)


@table.kept
def load_scale(city_id: str, version: int) -> Scale:
    """One version of a city's scale; kept in memory, as versions never change. Raises: NotFound."""
    row = table.get(_ScaleRow, _scale_key(city_id, version))
    if row is None:
        raise NotFound
    return codec.from_json(Scale, row.document)


def current_scale(control: Control, otherwise: Callable[[], Problem] = NotFound) -> Scale:
    """The scale a city uses now. Raises: ``otherwise``: it has published none."""
    if control.scale_version is None:
        raise otherwise()
    return load_scale(control.city_id, control.scale_version)


def create_scale(unit: Unit, scale: Scale) -> None:
    """Adds a version of a city's scale."""
    row = _ScaleRow(*_scale_key(scale.city_id, scale.version), document=codec.to_json(scale))
    unit.create(row, Conflict)


def _scale_key(city_id: str, version: int) -> Key:
    return Key(f"{city_id}#scale", f"{version:06d}")


def load_agreement(host: str, agreement_id: str) -> Agreement:
    """One agreement of a host city. Raises: NotFound."""
    row = table.get(_AgreementRow, _agreement_key(host, agreement_id))
    if row is None:
        raise NotFound
    return codec.from_json(Agreement, row.document)


def load_with_control(host: str, agreement_id: str) -> tuple[Control, Agreement]:
    """A host city's control item and one of its agreements, in one read. Raises: NotFound: either."""
    key = _agreement_key(host, agreement_id)
    rows = table.fetch([control_key(host), key])
    row = rows.get(key)
    if row is None:
        raise NotFound
    assert isinstance(row, _AgreementRow)
    return control_in(rows, host), codec.from_json(Agreement, row.document)


@table.kept
def load_signed(host: str, agreement_id: str) -> Agreement:
    """A signed agreement, kept in memory: once signed, only its end may change. Raises: NotFound."""
    agreement = load_agreement(host, agreement_id)
    assert agreement.signed, "only signed agreements are kept"
    return agreement


def list_agreements(host: str, limit: int, after: str | None) -> tuple[list[Agreement], str | None]:
    """One page of a host city's agreements, by id."""
    rows, last = table.query(_AgreementRow, f"{host}#agreements", limit=limit, after=after)
    return [codec.from_json(Agreement, row.document) for row in rows], last


def create_agreement(unit: Unit, agreement: Agreement) -> None:
    """Adds a proposed agreement."""
    unit.create(_agreement_row(agreement), Conflict)


def update_agreement(unit: Unit, agreement: Agreement) -> None:
    """Replaces an agreement, if it is still the revision before this one."""
    unit.put(_agreement_row(agreement), _AgreementRow.revision == agreement.revision - 1, StaleVersion)


def _agreement_row(agreement: Agreement) -> _AgreementRow:
    key = _agreement_key(agreement.host, agreement.agreement_id)
    return _AgreementRow(*key, document=codec.to_json(agreement), revision=agreement.revision)


def _agreement_key(host: str, agreement_id: str) -> Key:
    return Key(f"{host}#agreements", agreement_id)
