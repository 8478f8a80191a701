"""What is remembered of scenarios. Keys: ``docs/keys.md`` § scenarios. Versions are immutable and kept in memory."""

from __future__ import annotations

import json

from pynamodb.attributes import UnicodeAttribute

from chalicelib.cities import store as cities
from chalicelib.core import codec, table
from chalicelib.core.commit import Unit
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.table import IntAttribute, Key, Row
from chalicelib.scenarios.rules import CompiledTable, TierTable, compile_table, parse_table, to_document


class _TableRow(Row, discriminator="tier-table"):
    document = UnicodeAttribute()
    scale_version = IntAttribute()


class _LatestRow(Row, discriminator="scenario"):
    document = UnicodeAttribute()


def create_version(unit: Unit, tier_table: TierTable, scale_version: int) -> None:
    """Adds a version of a scenario's table, and makes it the one that the list shows."""
    document = codec.canonical(document_of(tier_table))
    key = _version_key(tier_table.city_id, tier_table.scenario_id, tier_table.version)
    unit.create(_TableRow(*key, document=document, scale_version=scale_version), Conflict)
    unit.put(_LatestRow(*_latest_key(tier_table.city_id, tier_table.scenario_id), document=document))


def document_of(tier_table: TierTable) -> dict[str, object]:
    """The table as its author wrote it, as JSON values."""
    return dict(to_document(tier_table))


def load_table(city_id: str, scenario_id: str, version: int) -> TierTable:
    """One version of a scenario's table. Raises: NotFound."""
    return load_compiled(city_id, scenario_id, version).table


@table.kept
def load_compiled(city_id: str, scenario_id: str, version: int) -> CompiledTable:
    """One version of a scenario's table, ready to decide, on the scale it was published for. Raises: NotFound."""
    row = table.get(_TableRow, _version_key(city_id, scenario_id, version))
    if row is None:
        raise NotFound
    return compile_table(parse_table(json.loads(row.document)), cities.load_scale(city_id, row.scale_version))


def load_latest(city_id: str, scenario_id: str) -> TierTable:
    """The version of a scenario published last. Raises: NotFound."""
    row = table.get(_LatestRow, _latest_key(city_id, scenario_id))
    if row is None:
        raise NotFound
    return parse_table(json.loads(row.document))


def list_latest(city_id: str, limit: int, after: str | None) -> tuple[list[TierTable], str | None]:
    """One page of a city's scenarios, by id, each in the version published last."""
    rows, last = table.query(_LatestRow, f"{city_id}#scenarios", limit=limit, after=after)
    return [parse_table(json.loads(row.document)) for row in rows], last


def _version_key(city_id: str, scenario_id: str, version: int) -> Key:
    return Key(f"{city_id}#scenario#{scenario_id}", f"{version:06d}")


def _latest_key(city_id: str, scenario_id: str) -> Key:
    return Key(f"{city_id}#scenarios", scenario_id)
