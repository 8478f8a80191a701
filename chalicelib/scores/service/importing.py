"""A city imports a file of scores, chunk by chunk.

The import is named by its content, so whoever starts the same file again finds it and goes on. A chunk's scores are
written before the import takes note of them: after a fault in between, the rows are sent again and count as
``unchanged``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.cities import store as cities
from chalicelib.cities.rules import require_active
from chalicelib.core import clock, codec, effect, ids, table
from chalicelib.core.commit import MAX_WRITES, EffectExists, Unit
from chalicelib.core.effect import EffectRow, Intent
from chalicelib.core.errors import Conflict, NotFound, Problem, Unavailable
from chalicelib.scores import store
from chalicelib.scores.rules import (
    MAX_ROWS,
    Chunk,
    ImportRow,
    RefusedRow,
    ScaleNotCurrent,
    ScoreImport,
    check_chunk,
    new_rows,
    reply_to,
    with_rows,
)
from chalicelib.scores.service.reporting import Row, report_many

SCALE_OF_THE_IMPORT = 0
ATTEMPTS = 20
FIRST_WAIT_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Progress:
    """An import after a chunk, and the chunk's rows that were refused."""

    job: ScoreImport
    refused: tuple[RefusedRow, ...]


def open_import(
    unit: Unit, intent: Intent, now: datetime, city_id: str, file_sha256: str, file_name: str, scale_version: int,
    rows_total: int | None,
) -> ScoreImport:  # fmt: skip
    """The import of a file: opened now, or found as it stands.

    Raises: NotFound: no such city; CitySuspended; ScaleNotCurrent: for a file that was not opened before.
    """
    job_id = _job_id(city_id, file_sha256, scale_version)
    effect_key = effect.key_of(intent.effect_id)
    rows = table.fetch([cities.control_key(city_id), store.import_key(city_id, job_id), effect_key])
    earlier, found = rows.get(effect_key), store.import_in(rows, city_id, job_id)
    if isinstance(earlier, EffectRow):
        raise EffectExists(earlier)
    control = require_active(cities.control_in(rows, city_id))
    if found is not None:
        return _opened(unit, intent, now, found)
    if control.scale_version != scale_version:
        raise ScaleNotCurrent
    job = ScoreImport(job_id, city_id, file_sha256, file_name, scale_version, rows_total, now)
    store.create_import(unit, job)
    try:
        return _opened(unit, intent, now, job)
    except Conflict:
        return _opened(Unit(), intent, now, store.load_import(city_id, job_id))


def _opened(unit: Unit, intent: Intent, now: datetime, job: ScoreImport) -> ScoreImport:
    """Writes down that the import was opened or found: the same request again is answered with what it was then."""
    facts = {"job_id": job.job_id, "file_sha256": job.file_sha256, "scale_version": job.scale_version}
    unit.effect(effect.row(intent, now, purpose="import-scores", facts=facts, reply=job))
    unit.commit()
    return job


def _job_id(city_id: str, file_sha256: str, scale_version: int) -> str:
    named = hashlib.sha256(codec.canonical([city_id, file_sha256, scale_version]).encode())
    return "imp_" + ids.encode(named.digest()[:16])


def import_rows(
    now: datetime, city_id: str, job_id: str, first_row: int, rows: Sequence[Row | Problem], *, last: bool
) -> Progress:
    """Deals with consecutive rows of a file. Rows that are known already are answered with what is known of them.

    The rows come with ``SCALE_OF_THE_IMPORT`` for their version of the scale.

    Raises: NotFound: no such city or import; CitySuspended; ImportPastEnd; ImportOutOfStep; ScaleNotCurrent: the city
        changed its scale since the import began; Unavailable: send the chunk again; in this order.
    """
    chunk = Chunk(first_row, len(rows), last)
    job = _read(city_id, job_id, chunk)
    wanted = new_rows(job, chunk)
    results = report_many(now, city_id, [_on_scale(rows[number - first_row], job) for number in wanted])
    busy = next((result for result in results if isinstance(result, Unavailable)), None)
    if busy is not None:
        raise busy
    done = [ImportRow(number, reply_to(result)) for number, result in zip(wanted, results, strict=True)]
    _remember_refused(job, done)
    noted = _note(job, chunk, done)
    if len(wanted) == chunk.count:
        return Progress(noted, tuple(_refused(done)))
    known, _ = store.list_refused(job, MAX_ROWS, rows=(chunk.first_row, chunk.end))
    return Progress(noted, tuple(known))


def _read(city_id: str, job_id: str, chunk: Chunk) -> ScoreImport:
    rows = table.fetch([cities.control_key(city_id), store.import_key(city_id, job_id)])
    control = require_active(cities.control_in(rows, city_id))
    job = store.import_in(rows, city_id, job_id)
    if job is None:
        raise NotFound
    check_chunk(job, chunk)
    if job.scale_version != control.scale_version and new_rows(job, chunk):
        raise ScaleNotCurrent
    return job


def _on_scale(row: Row | Problem, job: ScoreImport) -> Row | Problem:
    if isinstance(row, Problem):
        return row
    return Row(row.subject_id, replace(row.score, scale_version=job.scale_version))


def _refused(done: Sequence[ImportRow]) -> list[RefusedRow]:
    """The rows that someone must look at."""
    return [
        RefusedRow(row.row, row.reply.code, row.reply.sentence)
        for row in done
        if row.reply.outcome in {"refused", "conflict"} and row.reply.code and row.reply.sentence
    ]


def _remember_refused(job: ScoreImport, done: Sequence[ImportRow]) -> None:
    refused = _refused(done)
    for start in range(0, len(refused), MAX_WRITES):
        unit = Unit()
        for row in refused[start : start + MAX_WRITES]:
            store.write_refused(unit, job, row)
        unit.commit()


def _note(job: ScoreImport, chunk: Chunk, done: Sequence[ImportRow]) -> ScoreImport:
    """The import with the chunk in it; chunks that come side by side are added one after another.

    Raises: ImportPastEnd; ImportOutOfStep; Unavailable.
    """
    for attempt in range(ATTEMPTS):
        if not new_rows(job, chunk) and (job.rows_total is not None or not chunk.last):
            return job
        noted = with_rows(job, chunk, done)
        unit = Unit()
        store.save_import(unit, noted)
        try:
            unit.commit()
        except Conflict:
            clock.sleep(ids.jitter(FIRST_WAIT_SECONDS * (attempt + 1)))
            job = store.load_import(job.city_id, job.job_id)
            check_chunk(job, chunk)
        else:
            return noted
    raise Unavailable(retry_after_seconds=1)
