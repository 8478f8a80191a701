"""Appointments: on which day a bill is to be looked at again. And the rules that say what not paying means, by city.

All that is due by a day is one range in each of a city's shards, so a day on which nobody looked is never passed over.
An appointment is there until it is kept, however late.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

from chalicelib.core import codec, table
from chalicelib.core.commit import Unit
from chalicelib.core.table import Row
from chalicelib.medical.rules import Rule

SHARDS = 8
AT_ONCE = 100
_DATA = Path(__file__).resolve().parents[1] / "data"


class _DueRow(Row, discriminator="credit-due"):
    pass


@dataclass(frozen=True, slots=True)
class Appointment:
    """On this day of the city the person's bill with this bank is to be looked at."""

    city_id: str
    day: date
    person_id: str
    bank_id: str


@lru_cache(maxsize=256)
def rules_of(city_id: str) -> tuple[Rule, ...]:
    """What not paying means in a city, by due day; nothing where it has no rules."""
    path = _DATA / f"{city_id}_overdue.json"
    return codec.from_json(tuple[Rule, ...], path.read_text("utf-8")) if path.exists() else ()


def appoint(unit: Unit, due: Appointment) -> None:
    """Makes an appointment; the same one again changes nothing."""
    unit.put(_row(due))


def keep(unit: Unit, due: Appointment) -> None:
    """Takes an appointment away, for all is done that was due on its day."""
    unit.delete(_row(due))


def due_by(city_id: str, day: date) -> Iterator[Appointment]:
    """The appointments of a city up to and with a day, shard by shard, in each the oldest first; one Query per page.

    They may be taken away, and later ones made, while they are read.
    """
    for shard in range(SHARDS):
        pk, until, position = _pk(city_id, shard), f"{day + timedelta(days=1)}", None
        while True:
            rows, position = table.query(_DueRow, pk, _DueRow.sk < until, limit=AT_ONCE, after=position)
            yield from (_appointment(city_id, row) for row in rows)
            if position is None:
                break


def _row(due: Appointment) -> _DueRow:
    shard = hashlib.sha256(due.person_id.encode()).digest()[0] % SHARDS
    return _DueRow(_pk(due.city_id, shard), f"{due.day}#{due.person_id}/{due.bank_id}")


def _pk(city_id: str, shard: int) -> str:
    return f"{city_id}#due#{shard}"


def _appointment(city_id: str, row: Row) -> Appointment:
    day, _, whose = row.sk.partition("#")
    person_id, _, bank_id = whose.partition("/")
    return Appointment(city_id, date.fromisoformat(day), person_id, bank_id)
