"""Lines, the holds on them, and what a bank's lines come to in all, in shards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pynamodb.attributes import UnicodeAttribute

from chalicelib.core import codec, table
from chalicelib.core.commit import Otherwise, Unit
from chalicelib.core.errors import Conflict
from chalicelib.core.table import IntAttribute, Key, Row
from chalicelib.medical.rules import ExposureCapReached
from chalicelib.medical.rules.credit import CreditHold, CreditLine
from chalicelib.medical.rules.policy import MAX_SHARDS


class _LineRow(Row, discriminator="credit-line"):
    document = UnicodeAttribute()
    revision = IntAttribute()


class _HoldRow(Row, discriminator="credit-hold"):
    document = UnicodeAttribute()
    revision = IntAttribute()


class _ExposureRow(Row, discriminator="exposure"):
    used_fen = IntAttribute()


def line_key(city_id: str, person_id: str, bank_id: str) -> Key:
    """Where a person's line with a bank is: to be fetched with what else a request needs."""
    return Key(f"{city_id}#line#{person_id}", bank_id)


def line_in(rows: Mapping[Key, Row], key: Key) -> CreditLine | None:
    """The line among fetched rows; None if it was not found."""
    row = rows.get(key)
    if row is None:
        return None
    assert isinstance(row, _LineRow)
    return codec.from_json(CreditLine, row.document)


def save_line(unit: Unit, seen: CreditLine | None, after: CreditLine) -> None:
    """Writes a line, if nobody else has since it was seen."""
    key = line_key(after.city_id, after.ref.person_id, after.bank_id)
    row = _LineRow(*key, document=codec.to_json(after), revision=after.line.version)
    if seen is None:
        unit.create(row, Conflict)
        return
    assert after.line.version > seen.line.version, "every change makes the next version"
    unit.put(row, _LineRow.revision == seen.line.version, Conflict)


def check_line(unit: Unit, seen: CreditLine) -> None:
    """Commit only if nobody has written the line since it was seen."""
    key = line_key(seen.city_id, seen.ref.person_id, seen.bank_id)
    unit.check(_LineRow, key, _LineRow.revision == seen.line.version, Conflict)


def hold_key(city_id: str, hold_id: str) -> Key:
    """Where a hold is: to be fetched with what else a request needs."""
    return Key(f"{city_id}#hold#{hold_id}", "hold")


def hold_in(rows: Mapping[Key, Row], key: Key) -> CreditHold | None:
    """The hold among fetched rows; None if it was not found."""
    row = rows.get(key)
    if row is None:
        return None
    assert isinstance(row, _HoldRow)
    return codec.from_json(CreditHold, row.document)


def save_hold(unit: Unit, held: CreditHold) -> None:
    """Writes a hold, if nobody else has since it was seen."""
    written = replace(held, revision=held.revision + 1)
    key = hold_key(held.city_id, held.hold.hold_id)
    row = _HoldRow(*key, document=codec.to_json(written), revision=written.revision)
    if held.revision == 0:
        unit.create(row, Conflict)
    else:
        unit.put(row, _HoldRow.revision == held.revision, Conflict)


def list_exposure(city_id: str, bank_id: str) -> dict[int, int]:
    """What is booked in each shard of a bank's in which anything ever was; one Query."""
    rows, _ = table.query(_ExposureRow, _exposure_pk(city_id, bank_id), limit=MAX_SHARDS)
    return {int(row.sk): row.used_fen for row in rows}


def _exposure_pk(city_id: str, bank_id: str) -> str:
    return f"{city_id}#exposure#{bank_id}"


def rebook(unit: Unit, seen: CreditLine, after: CreditLine, cap_fen: int, otherwise: Otherwise) -> None:
    """Counts a line that is booked for another amount, in its shard or in the one to which it moves; ``otherwise``:
    there is no room."""
    if after.shard == seen.shard:
        book(unit, after, seen.booked_fen, cap_fen, otherwise)
        return
    book(unit, after, 0, cap_fen, otherwise)
    book(unit, replace(seen, booked_fen=0), seen.booked_fen, 0)


def book(
    unit: Unit, credit: CreditLine, before_fen: int, cap_fen: int, otherwise: Otherwise = ExposureCapReached
) -> None:
    """Counts what a line is booked for in its shard, after ``before_fen``; what lowers it is never refused.

    The change is blind, because many share a shard: ``rules.granted`` as a condition of the write.
    """
    row = _ExposureRow(_exposure_pk(credit.city_id, credit.bank_id), f"{credit.shard:06d}")
    used, more = _ExposureRow.used_fen, credit.booked_fen - before_fen
    actions = [_ExposureRow.kind.set(_ExposureRow), _ExposureRow.v.set(1), used.add(more)]
    if more > 0:
        fits = used <= cap_fen - more
        unit.update(row, actions, fits | used.does_not_exist() if more <= cap_fen else fits, otherwise)
    elif more < 0:
        unit.update(row, actions, used >= -more, Conflict)
