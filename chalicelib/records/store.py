"""What is remembered of credit records. Keys: ``docs/keys.md``. They lie in the account's own partition."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from pynamodb.attributes import UnicodeAttribute

from chalicelib.core import codec, table
from chalicelib.core.commit import Unit
from chalicelib.core.errors import Conflict
from chalicelib.core.table import IntAttribute, Key, Row
from chalicelib.records.rules import CreditRecord, Retention, retention_for, state_on, until
from chalicelib.subjects.rules import AccountRef
from chalicelib.subjects.store import account_pk

MOST_RECORDS = 200
KEPT_LONGER = timedelta(days=2)
_RECORD = "record#"
_DATA = Path(__file__).resolve().parent / "data"


class _RecordRow(Row, discriminator="credit-record"):
    document = UnicodeAttribute()
    revision = IntAttribute()


@lru_cache(maxsize=1)
def retentions() -> tuple[Retention, ...]:
    """For how long records are kept, by city and day."""
    return codec.from_json(tuple[Retention, ...], (_DATA / "retention.json").read_text("utf-8"))


def record_key(ref: AccountRef, record_id: str) -> Key:
    """Where a record about a person is."""
    return Key(account_pk(ref), _RECORD + record_id)


def record_in(rows: Mapping[Key, Row], key: Key) -> CreditRecord | None:
    """The record among fetched rows; None if it was not found."""
    row = rows.get(key)
    if row is None:
        return None
    assert isinstance(row, _RecordRow)
    return codec.from_json(CreditRecord, row.document)


def append(unit: Unit, ref: AccountRef, record: CreditRecord) -> None:
    """Adds a record about a person; one with its id that is there already is refused as a conflict."""
    unit.create(_row(ref, record), Conflict)


def save(unit: Unit, ref: AccountRef, record: CreditRecord) -> None:
    """Writes a record, if nobody else has since the revision before this one."""
    unit.put(_row(ref, record), _RecordRow.revision == record.revision - 1, Conflict)


def _row(ref: AccountRef, record: CreditRecord) -> _RecordRow:
    row = _RecordRow(*record_key(ref, record.record_id), document=codec.to_json(record), revision=record.revision)
    if retention_for(ref.city_id, record.certain_on, retentions()).deleted:
        over = until(record, ref.city_id, retentions())
        row.expires_at = int((datetime(over.year, over.month, over.day, tzinfo=UTC) + KEPT_LONGER).timestamp())
    return row


def list_records(ref: AccountRef, limit: int, after: str | None) -> tuple[list[CreditRecord], str | None]:
    """One page of the records about a person, the latest first month first; one Query."""
    of_records = _RecordRow.sk.startswith(_RECORD)
    rows, last = table.query(_RecordRow, account_pk(ref), of_records, limit=limit, after=after, descending=True)
    return [codec.from_json(CreditRecord, row.document) for row in rows], last


def live_records(ref: AccountRef, today: date) -> list[CreditRecord]:
    """The records about a person that count on this day of his city: neither repaired nor over; one Query."""
    found, _ = list_records(ref, MOST_RECORDS, None)
    return [record for record in found if state_on(record, today, ref.city_id, retentions()) == "live"]
