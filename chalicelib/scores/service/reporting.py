"""A city reports scores. Nothing here needs an Idempotency-Key: a report is its own record.

Fifty rows are one read and one write. A row that loses a race is decided again on what has won, with its neighbours
and, should that go on, by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib.cities import store as cities
from chalicelib.cities.rules import Control, require_active
from chalicelib.core import clock, ids, table
from chalicelib.core.commit import PATIENCE_SECONDS, Unit
from chalicelib.core.errors import Conflict, NotFound, Problem, Unavailable
from chalicelib.scores import store
from chalicelib.scores.rules import MAX_ROWS, Plan, Report, ScaleNotCurrent, Settled, order_of, plan
from chalicelib.subjects.rules import Account, AccountRef, HeldScore
from chalicelib.subjects.store import account_in, account_key

ROWS_AT_ONCE = 50
ATTEMPTS = 4
BATCH_PATIENCE_SECONDS = 1.0
BATCH_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Row:
    """A row as a city sends it: a score for one of the subjects it knows."""

    subject_id: str
    score: HeldScore


def report(now: datetime, city_id: str, row: Row) -> Settled:
    """Makes a reported score the account's, if it is later than what the account holds.

    Returns: ``stored``, or ``unchanged`` where just this is held.
    Raises: CitySuspended; NotFound: no such account of this city; ScaleNotCurrent; ScoreOffScale; ScoreInFuture;
        ScoreConflict; ScoreOutdated; Unavailable; in this order.
    """
    (result,) = _settled(city_id, [row], now, PATIENCE_SECONDS)
    if isinstance(result, Problem):
        raise result
    return result


def report_many(now: datetime, city_id: str, rows: Sequence[Row | Problem]) -> list[Settled]:
    """What ``report`` does, for up to 500 rows one after another, each with a result of its own.

    Rows that could not be written in time are ``Unavailable``; to send them again is safe.

    Raises: NotFound: no such city; CitySuspended.
    """
    assert len(rows) <= MAX_ROWS, "the schema bounds the rows of a request"
    results: list[Settled] = []
    deadline = clock.stopwatch() + BATCH_SECONDS
    for start in range(0, len(rows), ROWS_AT_ONCE):
        chunk = rows[start : start + ROWS_AT_ONCE]
        late = clock.stopwatch() > deadline
        results += [_busy() for _ in chunk] if late else _settled(city_id, chunk, now, BATCH_PATIENCE_SECONDS)
    return results


def _settled(city_id: str, rows: Sequence[Row | Problem], now: datetime, patience_seconds: float) -> list[Settled]:
    """The results of up to 50 rows, written together; one by one where they keep losing races."""
    for _ in range(ATTEMPTS):
        unit = Unit(patience_seconds=patience_seconds)
        results = _prepare(unit, city_id, rows, now)
        try:
            unit.commit()
        except Conflict:
            continue
        except Unavailable:
            break
        return list(results)
    if len(rows) == 1:
        return [_busy()]
    return [result for row in rows for result in _settled(city_id, [row], now, patience_seconds / ROWS_AT_ONCE)]


def _busy() -> Unavailable:
    return Unavailable(retry_after_seconds=1)


def _prepare(unit: Unit, city_id: str, rows: Sequence[Row | Problem], now: datetime) -> Sequence[Settled]:
    """Reads what the rows need, decides, and writes into the unit."""
    refs = {row.subject_id: ref_of(city_id, row.subject_id) for row in rows if isinstance(row, Row)}
    control, accounts = _read(city_id, [ref for ref in refs.values() if ref is not None])
    scale = cities.current_scale(require_active(control), ScaleNotCurrent)
    reports = [row if isinstance(row, Problem) else _report(control, refs[row.subject_id], row) for row in rows]
    made = plan(reports, accounts, scale, now)
    _write(unit, made)
    return made.results


def ref_of(city_id: str, subject_id: str) -> AccountRef | None:
    """The account of this city that the city knows by this id; None for a foreign or invented one."""
    secret = ids.open_pairwise(f"city:{city_id}", subject_id)
    ref = AccountRef.of_secret(secret) if secret is not None else None
    return ref if ref is not None and ref.city_id == city_id else None


def _read(city_id: str, refs: Sequence[AccountRef]) -> tuple[Control, dict[AccountRef, Account]]:
    rows = table.fetch([cities.control_key(city_id), *map(account_key, refs)])
    accounts = {ref: account_in(rows, ref) for ref in refs}
    return cities.control_in(rows, city_id), {ref: a for ref, a in accounts.items() if a and a.status == "active"}


def _report(control: Control, ref: AccountRef | None, row: Row) -> Report | Problem:
    if ref is None:
        return NotFound()
    return Report(ref, row.score, clock.day_in(control.time_zone, row.score.as_of).isoformat()[:7])


def _write(unit: Unit, made: Plan) -> None:
    """At most two writes per row: accounts and months, or a month and a check that its account is open."""
    held = store.load_months(made.late) if made.late else {}
    late = {p: s for p, s in made.late.items() if p not in held or order_of(s) > order_of(held[p])}
    for ref in {place.ref for place in late} - made.heads.keys():
        store.check_open(unit, ref)
    for place, score in [*made.months.items(), *late.items()]:
        store.write_month(unit, place, score, of_head=made.heads.get(place.ref) == score)
    for ref, score in made.heads.items():
        store.write_head(unit, ref, score)
