"""What is remembered of scores. Keys: ``docs/keys.md`` § scores.

The current score lives in the account's own item, so that a decision needs no other. Its order guards it: a write
takes effect only if it brings a later one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.condition import Condition

from chalicelib.core import clock, codec, table
from chalicelib.core.commit import Unit
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.table import IntAttribute, Key, Row
from chalicelib.core.text import Text
from chalicelib.scores.rules import Month, RefusedRow, ScoreImport
from chalicelib.subjects.rules import AccountRef, HeldScore
from chalicelib.subjects.store import AccountRow, account_key, account_pk, score_order

IMPORT_LIFE = timedelta(days=90)
_MONTHS = "score#"
_REFUSED = "refused#"


class _MonthRow(Row, discriminator="score-month"):
    score = IntAttribute()
    score_scale = IntAttribute()
    score_order = UnicodeAttribute()


class _ImportRow(Row, discriminator="score-import"):
    document = UnicodeAttribute()
    revision = IntAttribute()


class _RefusedRow(Row, discriminator="score-import-refused"):
    row = IntAttribute()
    code = UnicodeAttribute()
    zh = UnicodeAttribute()
    en = UnicodeAttribute()


def write_head(unit: Unit, ref: AccountRef, score: HeldScore) -> None:
    """Makes this the account's score, if the account is open and holds none that is as late."""
    order = score_order(score.as_of, score.revision)
    unit.update(
        AccountRow(*account_key(ref)),
        [
            AccountRow.score.set(score.score),
            AccountRow.score_scale.set(score.scale_version),
            AccountRow.score_order.set(order),
        ],
        (AccountRow.status == "active") & (AccountRow.score_order.does_not_exist() | (AccountRow.score_order < order)),
        Conflict,
    )


def check_open(unit: Unit, ref: AccountRef) -> None:
    """Commit only if the account is open."""
    unit.check(AccountRow, account_key(ref), AccountRow.status == "active", Conflict)


def write_month(unit: Unit, place: Month, score: HeldScore, *, of_head: bool) -> None:
    """Makes this the month's score, if the month has none that is as late.

    The month of an account's new score needs no condition: no month is later than its account.
    """
    order = score_order(score.as_of, score.revision)
    row = _MonthRow(*month_key(place), score=score.score, score_scale=score.scale_version, score_order=order)
    unless_later = _MonthRow.score_order.does_not_exist() | (_MonthRow.score_order < order)
    unit.put(row, None if of_head else unless_later, Conflict)


def month_key(place: Month) -> Key:
    """Where a month of an account's history is."""
    return Key(account_pk(place.ref), _MONTHS + place.month)


def load_months(places: Iterable[Month]) -> dict[Month, HeldScore]:
    """The scores of these months; those that have none are left out."""
    keys = {month_key(place): place for place in places}
    return {keys[key]: _score(row) for key, row in table.fetch(keys).items()}


def list_months(ref: AccountRef, limit: int, after: str | None) -> tuple[list[tuple[str, HeldScore]], str | None]:
    """One page of an account's history, newest month first: (month, its latest score)."""
    only = _MonthRow.sk.startswith(_MONTHS)
    rows, last = table.query(_MonthRow, account_pk(ref), only, limit=limit, after=after, descending=True)
    return [(row.sk.removeprefix(_MONTHS), _score(row)) for row in rows], last


def _score(row: Row) -> HeldScore:
    assert isinstance(row, _MonthRow)
    as_of, _, revision = row.score_order.partition("#")
    return HeldScore(row.score, row.score_scale, clock.unstamp(as_of), int(revision))


def import_key(city_id: str, job_id: str) -> Key:
    """Where an import is."""
    return Key(f"{city_id}#score-import#{job_id}", "import")


def import_in(rows: Mapping[Key, Row], city_id: str, job_id: str) -> ScoreImport | None:
    """The import among fetched rows; None if it was not found."""
    row = rows.get(import_key(city_id, job_id))
    if row is None:
        return None
    assert isinstance(row, _ImportRow)
    return codec.from_json(ScoreImport, row.document)


def load_import(city_id: str, job_id: str) -> ScoreImport:
    """One import of a city. Raises: NotFound."""
    found = import_in(table.fetch([import_key(city_id, job_id)]), city_id, job_id)
    if found is None:
        raise NotFound
    return found


def create_import(unit: Unit, job: ScoreImport) -> None:
    """Adds an import."""
    unit.create(_import_row(job), Conflict)


def save_import(unit: Unit, job: ScoreImport) -> None:
    """Writes an import, if nobody else has since the revision before this one."""
    unit.put(_import_row(job), _ImportRow.revision == job.revision - 1, Conflict)


def _import_row(job: ScoreImport) -> _ImportRow:
    row = _ImportRow(*import_key(job.city_id, job.job_id), document=codec.to_json(job), revision=job.revision)
    row.expires_at = _expiry(job)
    return row


def _expiry(job: ScoreImport) -> int:
    return int((job.opened_at + IMPORT_LIFE).timestamp())


def write_refused(unit: Unit, job: ScoreImport, refused: RefusedRow) -> None:
    """Remembers a refused row; a second time changes nothing."""
    pk = import_key(job.city_id, job.job_id).pk
    said = refused.sentence
    row = _RefusedRow(pk, _refused_sk(refused.row), row=refused.row, code=refused.code, zh=said.zh, en=said.en)
    row.expires_at = _expiry(job)
    unit.put(row)


def list_refused(
    job: ScoreImport, limit: int, after: str | None = None, *, rows: tuple[int, int] | None = None
) -> tuple[list[RefusedRow], str | None]:
    """One page of an import's refused rows in the order of the file, or of those in a span of ``rows``."""
    pk = import_key(job.city_id, job.job_id).pk
    wanted: Condition = _RefusedRow.sk.startswith(_REFUSED)
    if rows is not None:
        wanted = _RefusedRow.sk.between(_refused_sk(rows[0]), _refused_sk(rows[1]))
    found, last = table.query(_RefusedRow, pk, wanted, limit=limit, after=after)
    return [RefusedRow(row.row, row.code, Text(row.zh, row.en)) for row in found], last


def _refused_sk(row: int) -> str:
    return f"{_REFUSED}{row:010d}"
