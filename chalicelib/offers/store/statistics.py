"""Cells of the city's statistics, and which effects are in them. Keys: ``docs/keys.md`` § offers.

A cell grows by plain additions. What makes each addition count once is the marker of its effect, created in the same
transaction. It outlives the stream, which forgets after a day, and the queue of the lost, which forgets after two
weeks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from chalicelib.core import codec, effect, schema, table
from chalicelib.core.commit import Unit
from chalicelib.core.effect import EffectRow
from chalicelib.core.errors import Conflict, InternalError
from chalicelib.core.table import IntAttribute, Key, Row
from chalicelib.offers.rules.statistics import Cell, Days, GivenBack, Tally, Used

MARKER_KEPT = timedelta(days=30)
_NOWHERE = "-"
_PAGE = 2000
_KINDS: dict[str, tuple[type[Used] | type[GivenBack], str]] = {
    "redeem": (Used, "events/offer_redeemed.json"),
    "refund": (GivenBack, "events/offer_refunded.json"),
}


class _CellRow(Row, discriminator="statistics"):
    uses = IntAttribute()
    visitor_uses = IntAttribute()
    saved_fen = IntAttribute()


class _CountedRow(Row, discriminator="counted"):
    """Marks an effect as counted."""


def event_of(row: EffectRow) -> Used | GivenBack | None:
    """What an effect means to the statistics; None: nothing.

    An effect that says it is a redemption or a refund, and is not described as one, is a broken belief.
    """
    verb, _, place = row.purpose.partition(":")
    if verb not in _KINDS:
        return None
    kind, schema_name = _KINDS[verb]
    facts: dict[str, Any] = json.loads(effect.read(row).facts)
    schema.validate(schema_name, facts)
    city_id, _, scenario_id = place.partition("/")
    assert scenario_id == facts["scenario_id"], "an effect's purpose names its scenario"
    assert city_id == facts["quote_id"].partition(".")[0], "an effect's purpose names the city of its quote"
    return codec.build(kind, facts, effect_id=row.effect_id, city_id=city_id)


def add(unit: Unit, event: Used | GivenBack, now: datetime) -> None:
    """Counts an event, once: committing a second time is refused with Conflict, and nothing else is."""
    marker = _CountedRow(*counted_key(event.city_id, event.effect_id))
    marker.expires_at = int((now + MARKER_KEPT).timestamp())
    unit.create(marker, Conflict)
    cell = _CellRow(*cell_key(event.city_id, event.scenario_id, event.counted_on, event.district))
    addition = event.addition
    actions = [
        _CellRow.kind.set(_CellRow),
        _CellRow.v.set(1),
        _CellRow.uses.add(addition.uses),
        _CellRow.visitor_uses.add(addition.visitor_uses),
        _CellRow.saved_fen.add(addition.saved_fen),
    ]
    ours = _CellRow.kind.does_not_exist() | (_CellRow.kind == _CellRow)
    unit.update(cell, actions, ours, InternalError)


def list_tallies(city_id: str, scenario_id: str, days: Days) -> Iterator[Tally]:
    """The cells of a scenario on these days; one Query per megabyte, which is more than they have."""
    between = _CellRow.sk.between(f"{days.first}#", f"{days.last}#~")
    after: str | None = None
    while True:
        rows, after = table.query(_CellRow, _stats_pk(city_id, scenario_id), between, limit=_PAGE, after=after)
        yield from map(_tally, rows)
        if after is None:
            return


def _tally(row: _CellRow) -> Tally:
    day, _, district = row.sk.partition("#")
    cell = Cell(row.uses, row.visitor_uses, row.saved_fen)
    return Tally(date.fromisoformat(day), None if district == _NOWHERE else district, cell)


def cell_key(city_id: str, scenario_id: str, day: date, district: str | None) -> Key:
    """Where a cell is."""
    return Key(_stats_pk(city_id, scenario_id), f"{day}#{district or _NOWHERE}")


def counted_key(city_id: str, effect_id: str) -> Key:
    """Where the marker of an effect is."""
    return Key(f"{city_id}#counted#{effect_id}", "counted")


def _stats_pk(city_id: str, scenario_id: str) -> str:
    return f"{city_id}#stats#{scenario_id}"
