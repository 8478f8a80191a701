"""Which rows an import knows, and what it makes of a chunk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

import pytest

from chalicelib.core.errors import Problem
from chalicelib.scores.rules import (
    MAX_AHEAD,
    Chunk,
    Counts,
    ImportOutOfStep,
    ImportPastEnd,
    ImportRow,
    Outcome,
    RowReply,
    ScoreImport,
    Unreadable,
    check_chunk,
    new_rows,
    unreadable,
    with_rows,
)

JOB = ScoreImport("imp_1", "xiamen", "a" * 64, "a.csv", 1, 10, datetime(2025, 8, 1, tzinfo=UTC))


def done(first_row: int, outcomes: Sequence[Outcome]) -> list[ImportRow]:
    return [ImportRow(first_row + index, RowReply(outcome)) for index, outcome in enumerate(outcomes)]


def after(job: ScoreImport, first_row: int, *outcomes: Outcome, last: bool = False) -> ScoreImport:
    return with_rows(job, Chunk(first_row, len(outcomes), last), done(first_row, outcomes))


def test_rows_are_counted_by_what_they_came_to() -> None:
    job = after(JOB, 1, "stored", "unchanged", "outdated", "refused", "conflict")
    assert job.counts == Counts(1, 1, 1, 2)
    assert (job.next_row, job.state, job.revision) == (6, "open", 2)


def test_spans_join_where_they_touch() -> None:
    job = after(JOB, 4, "stored", "stored")
    assert (job.next_row, job.ahead) == (1, ((4, 5),))
    job = after(job, 8, "stored")
    assert job.ahead == ((4, 5), (8, 8))
    assert [row for row in range(1, 11) if job.knows(row)] == [4, 5, 8]
    job = after(job, 1, "stored", "stored", "stored")
    assert (job.next_row, job.ahead) == (6, ((8, 8),))
    job = after(job, 6, "stored", "stored")
    assert (job.next_row, job.ahead) == (9, ())
    assert after(job, 9, "stored", "stored").state == "finished"


def test_ONCE_rows_known_already_count_for_nothing() -> None:
    job = after(JOB, 3, "stored", "refused")
    chunk = Chunk(2, 4)
    assert new_rows(job, chunk) == [2, 5]
    again = with_rows(job, chunk, done(2, ["stored", "stored", "stored", "stored"]))
    assert again.counts == Counts(stored=3, refused=1)


def test_the_last_chunk_tells_the_total() -> None:
    open_ended = replace(JOB, rows_total=None)
    assert after(open_ended, 1, "stored").rows_total is None
    job = after(open_ended, 2, "stored", last=True)
    assert (job.rows_total, job.state) == (2, "open")
    assert after(job, 1, "stored").state == "finished"


@pytest.mark.parametrize(
    ("job", "chunk", "problem"),
    [
        (JOB, Chunk(10, 2), ImportPastEnd),
        (JOB, Chunk(1, 5, last=True), ImportPastEnd),
        (replace(JOB, rows_total=None, ahead=((8, 9),)), Chunk(1, 5, last=True), ImportPastEnd),
        (replace(JOB, rows_total=None, next_row=9), Chunk(1, 5, last=True), ImportPastEnd),
        (
            replace(JOB, rows_total=None, ahead=tuple((3 * n, 3 * n) for n in range(1, MAX_AHEAD + 1))),
            Chunk(1, 1),
            ImportOutOfStep,
        ),
    ],
)
def test_chunks_that_cannot_be_are_refused(job: ScoreImport, chunk: Chunk, problem: type[Problem]) -> None:
    with pytest.raises(problem):
        check_chunk(job, chunk)


def test_chunks_that_fit_are_let_in() -> None:
    check_chunk(JOB, Chunk(6, 5, last=True))
    check_chunk(replace(JOB, rows_total=None, next_row=6), Chunk(1, 5, last=True))
    check_chunk(replace(JOB, ahead=((3, 3), (5, 5))), Chunk(4, 1))


def test_every_reason_has_its_sentence() -> None:
    sentences = {unreadable(reason).detail for reason in get_args(Unreadable)}
    assert len(sentences) == len(get_args(Unreadable))
