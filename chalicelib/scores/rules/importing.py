"""An import of scores from a file: which rows are known, what became of them, and when it is finished.

Rows are numbered from 1. Chunks may come side by side and more than once: the import remembers every row it knows as
spans of numbers, so nothing is counted twice, and a file is finished when no number is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, get_args

from chalicelib.core.errors import Problem
from chalicelib.core.text import Text
from chalicelib.scores.rules.reporting import Outcome, RowReply

MAX_AHEAD = 64
Span = tuple[int, int]


class ImportPastEnd(Problem):
    code = "import-past-end"
    status = 409
    title = Text("行号超出该文件的总行数", "These rows lie beyond the end of the file")


class ImportOutOfStep(Problem):
    code = "import-out-of-step"
    status = 409
    title = Text(
        "中间缺失的行过多，请从 next_row 继续", "Too many gaps lie before these rows; go on at the import's next_row"
    )


class RowUnreadable(Problem):
    code = "row-unreadable"
    status = 422
    title = Text("该行无法读取", "The row cannot be read")


Unreadable = Literal["columns", "json", "formula", "cut-off", "nul", "blank", "long"]

_UNREADABLE: Mapping[Unreadable, Text] = {
    "columns": Text("列数与表头不符", "It does not have as many columns as the header"),
    "json": Text("不是合法的 JSON 对象", "It is not a valid JSON object"),
    "formula": Text("单元格以 = + - @ 开头，可能是公式", "A cell begins with = + - or @, as formulas do"),
    "cut-off": Text(
        "文件到此中断：该行没有以换行结束，可能不完整；若完整，请在文件末尾补一个换行后重新导入",
        "The file ends here without a line break, so this row may be cut off; if it is complete, add a line break "
        "at the end of the file and import it again",
    ),
    "nul": Text("含有空字节（NUL）", "It holds a NUL byte"),
    "blank": Text("空行", "It is blank"),
    "long": Text("该行过长", "It is too long"),
}


def unreadable(reason: Unreadable) -> RowUnreadable:
    """The refusal of a row that whoever read the file could make nothing of."""
    assert reason in get_args(Unreadable), "the schema of a row lists the reasons"
    return RowUnreadable(_UNREADABLE[reason])


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows came to what."""

    stored: int = 0
    unchanged: int = 0
    outdated: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class ScoreImport:
    """One file on its way in. It is the same import for the same bytes, city and version of the scale.

    Args:
        rows_total: How many rows the file has; None until its last row has come.
        next_row: The first row that is not known yet.
        ahead: Spans of known rows beyond it, rising, both ends included.
        revision: Grows with every change.
    """

    job_id: str
    city_id: str
    file_sha256: str
    file_name: str
    scale_version: int
    rows_total: int | None
    opened_at: datetime
    state: Literal["open", "finished"] = "open"
    next_row: int = 1
    ahead: tuple[Span, ...] = ()
    counts: Counts = Counts()
    revision: int = 1

    def knows(self, row: int) -> bool:
        """Whether this row has been dealt with."""
        return row < self.next_row or any(first <= row <= last for first, last in self.ahead)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive rows of the file, numbered from ``first_row``; ``last`` if the file ends with them."""

    first_row: int
    count: int
    last: bool = False

    @property
    def end(self) -> int:
        """The number of its last row."""
        return self.first_row + self.count - 1

    @property
    def numbers(self) -> range:
        """The numbers of its rows."""
        return range(self.first_row, self.end + 1)


@dataclass(frozen=True, slots=True)
class ImportRow:
    """What became of one row of a file."""

    row: int
    reply: RowReply


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that was refused: where it is and why, never what it holds."""

    row: int
    code: str
    sentence: Text


def check_chunk(job: ScoreImport, chunk: Chunk) -> None:
    """Returns if these rows may come now.

    Raises: ImportPastEnd: rows beyond the total, or a last row that is none; ImportOutOfStep; in this order.
    """
    total = job.rows_total
    spans = _union(job, chunk)
    if total is not None and (chunk.end > total or (chunk.last and chunk.end != total)):
        raise ImportPastEnd
    if chunk.last and spans[-1][1] > chunk.end:
        raise ImportPastEnd
    if len(spans) > MAX_AHEAD:
        raise ImportOutOfStep


def new_rows(job: ScoreImport, chunk: Chunk) -> list[int]:
    """The numbers among a chunk's rows that the import does not know yet."""
    return [row for row in chunk.numbers if not job.knows(row)]


def with_rows(job: ScoreImport, chunk: Chunk, rows: Sequence[ImportRow]) -> ScoreImport:
    """The import with a chunk dealt with; of ``rows``, those that it knew already count for nothing."""
    spans = _union(job, chunk)
    begun = bool(spans) and spans[0][0] == 1
    next_row = spans[0][1] + 1 if begun else 1
    total = chunk.end if chunk.last else job.rows_total
    return replace(
        job,
        rows_total=total,
        state="finished" if total is not None and next_row > total else "open",
        next_row=next_row,
        ahead=tuple(spans[1:] if begun else spans),
        counts=_added(job.counts, [r.reply.outcome for r in rows if not job.knows(r.row)]),
        revision=job.revision + 1,
    )


def _union(job: ScoreImport, chunk: Chunk) -> list[Span]:
    """All known spans with the chunk's, joined where they touch."""
    known = [(1, job.next_row - 1)] if job.next_row > 1 else []
    joined: list[Span] = []
    for first, last in sorted([*known, *job.ahead, (chunk.first_row, chunk.end)]):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = joined[-1][0], max(last, joined[-1][1])
        else:
            joined.append((first, last))
    return joined


def _added(counts: Counts, outcomes: Sequence[Outcome]) -> Counts:
    return Counts(
        counts.stored + outcomes.count("stored"),
        counts.unchanged + outcomes.count("unchanged"),
        counts.outdated + outcomes.count("outdated"),
        counts.refused + outcomes.count("refused") + outcomes.count("conflict"),
    )
