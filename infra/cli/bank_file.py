"""A bank's file for reconciliation: strict CSV in UTF-8 or GBK, read line by line, sorted on disk."""

from __future__ import annotations

import codecs
import csv
import re
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import chain
from pathlib import Path
from typing import IO, NamedTuple, get_args

from chalicelib.core.text import Text
from chalicelib.medical.rules.instructions import InstructionKind, Verdict
from chalicelib.medical.rules.reconciling import BankRow
from infra.cli.score_files import FileUnreadable

COLUMNS = ("instruction_id", "kind", "amount", "day", "state", "reference")
COLUMNS_ZH = ("指令编号", "业务种类", "金额", "日期", "状态", "流水号")
MAX_LINE_BYTES = 1_024
_BLOCK_BYTES = 1 << 16
_KINDS: dict[str, InstructionKind] = {kind: kind for kind in get_args(InstructionKind)}
_STATES: dict[str, Verdict] = {"accepted": "accepted", "refused": "refused", "成功": "accepted", "失败": "refused"}
_ID = re.compile(r"[a-z][a-z0-9-]{1,23}\.[a-z][a-z0-9_-]{1,47}\.[a-z2-7]{26}")
# No more than the request takes that closes a difference: schemas/medical/instruction_parts.json.
_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,8})(?:\.([0-9]{2}))?")
_DAY = re.compile(r"[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}")
_REFERENCE = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TABLE = "CREATE TABLE row (instruction_id, line, kind, amount_fen, day, state, reference)"
# Rows that say the same are numbered in the order of the file, by SQLite, so that none of them waits in memory.
_IN_ORDER = (
    "SELECT line, instruction_id, kind, amount_fen, day, state, reference, ROW_NUMBER() OVER alike - 1 FROM row"
    " WINDOW alike AS (PARTITION BY instruction_id, kind, amount_fen, day, state, reference ORDER BY line)"
    " ORDER BY instruction_id, line"
)
_OPEN_END = Text(
    "文件末尾没有换行，最后一行可能被截断；若该行完整，请补一个换行",
    "The file does not end with a line break, so its last row may be cut off; add one if the row is complete",
)
_COLUMNS_WRONG = Text("列数不对或引号不成对", "It has other columns, or a quotation mark left open")


class Malformed(ValueError):
    """A row cannot be read: the number of its line, and why. What was in it is not repeated."""

    def __init__(self, line: int, why: Text) -> None:
        super().__init__(why.en)
        self.line = line
        self.why = why


class _Line(NamedTuple):
    """A line that is not blank. ``whole``: not too long to be read; ``ended``: by a line break."""

    number: int
    text: str
    whole: bool
    ended: bool


def sorted_rows(rows: Iterable[BankRow]) -> Iterator[BankRow]:
    """The rows by instruction and line. They wait in a file of their own, which is gone when the last one is taken."""
    kept = sqlite3.connect("")
    try:
        kept.execute(_TABLE)
        values = ((r.instruction_id, r.line, r.kind, r.amount_fen, r.day, r.state, r.reference) for r in rows)
        kept.executemany("INSERT INTO row VALUES (?, ?, ?, ?, ?, ?, ?)", values)
        yield from (BankRow(*found) for found in kept.execute(_IN_ORDER))
    finally:
        kept.close()


def rows_of(path: Path) -> Iterator[BankRow | Malformed]:
    """Every row that is not blank, in the order of the file.

    Raises: FileUnreadable: cannot be opened; empty; neither UTF-8 nor GBK; another header; in this order.
    """
    try:
        encoding = _encoding_of(path)
        with path.open("rb") as stream:
            lines = _lines(stream, encoding)
            columns = _columns(next(lines, None))
            for line in lines:
                yield _row(line, columns)
    except OSError as error:
        said = Text("无法打开文件：{why}", "The file cannot be opened: {why}")
        raise FileUnreadable(said.format(why=error.strerror)) from None


def _encoding_of(path: Path) -> str:
    for encoding in ("utf-8", "gb18030"):
        decoder = codecs.getincrementaldecoder(encoding)()
        with path.open("rb") as stream:
            try:
                for block in chain(iter(lambda: stream.read(_BLOCK_BYTES), b""), [b""]):
                    decoder.decode(block, final=not block)
            except UnicodeDecodeError:
                continue
            return encoding
    raise FileUnreadable(Text("文件既不是 UTF-8 也不是 GBK 编码", "The file is encoded neither in UTF-8 nor in GBK"))


def _lines(stream: IO[bytes], encoding: str) -> Iterator[_Line]:
    """Every line that has anything but spaces and commas, as spreadsheets leave blank ones; of one that is too long,
    its beginning."""
    number, long = 0, False
    while raw := stream.readline(MAX_LINE_BYTES + 1):
        ended = raw.endswith(b"\n")
        goes_on, long = long, len(raw) > MAX_LINE_BYTES and not ended
        if goes_on:
            continue
        number += 1
        text = raw.removeprefix(codecs.BOM_UTF8 if number == 1 else b"").decode(encoding, "replace").rstrip("\r\n")
        if text.replace(",", " ").strip():
            yield _Line(number, text, not long, ended)


def _cells(text: str) -> list[str]:
    """The cells of a line; none if it is no CSV."""
    try:
        (cells,) = csv.reader([text], strict=True)
    except (csv.Error, ValueError):
        return []
    return [cell.strip() for cell in cells]


def _columns(header: _Line | None) -> tuple[str, ...]:
    if header is None:
        raise FileUnreadable(Text("文件为空", "The file is empty"))
    columns = tuple(dict(zip(COLUMNS_ZH, COLUMNS, strict=True)).get(name, name) for name in _cells(header.text))
    if sorted(columns) != sorted(COLUMNS):
        said = Text("第一行应为表头：{columns}", "The first line must be the header: {columns}")
        raise FileUnreadable(said.format(columns=",".join(COLUMNS)))
    return columns


def _row(line: _Line, columns: tuple[str, ...]) -> BankRow | Malformed:
    number, cells = line.number, _cells(line.text)
    if len(cells) != len(columns) or not line.whole:
        return Malformed(number, _COLUMNS_WRONG)
    if not line.ended:
        return Malformed(number, _OPEN_END)
    found = dict(zip(columns, cells, strict=True))
    amount = _AMOUNT.fullmatch(found["amount"])
    sound = {
        "instruction_id": _ID.fullmatch(found["instruction_id"]),
        "kind": found["kind"] in _KINDS,
        "amount": amount,
        "day": _is_day(found["day"]),
        "state": found["state"] in _STATES,
        "reference": _REFERENCE.fullmatch(found["reference"]),
    }
    wrong = ", ".join(name for name in COLUMNS if not sound[name])
    if amount is None or wrong:
        return Malformed(
            number, Text("无法读取的列：{wrong}", "These columns cannot be read: {wrong}").format(wrong=wrong)
        )
    amount_fen = int(amount[1]) * 100 + int(amount[2] or 0)
    return BankRow(
        number, found["instruction_id"], _KINDS[found["kind"]], amount_fen, found["day"], _STATES[found["state"]],
        found["reference"],
    )  # fmt: skip


def _is_day(text: str) -> bool:
    try:
        return bool(_DAY.fullmatch(text)) and date.fromisoformat(text) is not None
    except ValueError:
        return False
