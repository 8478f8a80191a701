"""Files of scores: CSV or NDJSON, in UTF-8 or GBK, as spreadsheets and databases leave them.

A file is read line by line and never held in memory. A row is a line: row 1 is the first line of NDJSON and the line
after the header of CSV. A row that cannot be read is named by a reason, so that nothing of it need be sent.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from chalicelib.core import strict_json
from chalicelib.core.errors import Problem
from chalicelib.core.text import Text
from chalicelib.scores.rules import Unreadable

MAX_LINE_BYTES = 4096
COLUMNS = ("subject_id", "score", "as_of", "revision")
COLUMNS_ZH = ("主体编号", "信用分", "截至时间", "修订号")
_INTEGERS = frozenset({"score", "revision"})
_INTEGER = re.compile(r"-?[0-9]{1,9}")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_BLOCK_BYTES = 1 << 20

Encoding = Literal["utf-8", "gb18030"]
Row = Mapping[str, Any]


class FileUnreadable(Exception):
    """Nothing can be made of the file; ``said`` says why, in both languages."""

    def __init__(self, said: Text) -> None:
        super().__init__(said.en)
        self.said = said


@dataclass(frozen=True, slots=True)
class ScoreFile:
    """A file that was looked over.

    Args:
        columns: The header's columns in its order; empty for NDJSON.
        rows_total: Rows up to the last line that is not blank.
        open_end: Whether that line lacks its line break: the file may have been cut off, and a row of CSV that ends
            so is not sent.
        seen: Size and time of change when it was looked over.
    """

    path: Path
    sha256: str
    encoding: Encoding
    bom: bool
    columns: tuple[str, ...]
    rows_total: int
    open_end: bool
    seen: tuple[int, int]

    @property
    def header_lines(self) -> int:
        """Lines before row 1."""
        return 1 if self.columns else 0

    def line_of(self, row: int) -> int:
        """The number of a row's line, as editors and spreadsheets count."""
        return row + self.header_lines


def look_over(path: Path) -> ScoreFile:
    """What the file is.

    Raises: FileUnreadable: cannot be opened; empty; neither UTF-8 nor GBK; another header; no rows; in this order.
    """
    try:
        seen = _stamp(path)
        digest = hashlib.sha256()
        first, last_line, open_end = _survey(path, digest.update)
    except OSError as error:
        said = Text("无法打开文件：{why}", "The file cannot be opened: {why}")
        raise FileUnreadable(said.format(why=error.strerror)) from None
    if last_line == 0:
        raise FileUnreadable(Text("文件为空", "The file is empty"))
    encoding = _encoding(path)
    bom = first.startswith(codecs.BOM_UTF8)
    columns = _header(first.removeprefix(codecs.BOM_UTF8).decode(encoding, "replace"))
    rows_total = last_line - (1 if columns else 0)
    if rows_total == 0:
        raise FileUnreadable(Text("文件只有表头，没有数据行", "The file has a header and no rows"))
    return ScoreFile(path, digest.hexdigest(), encoding, bom, columns, rows_total, open_end, seen)


def _stamp(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def _survey(path: Path, see: Callable[[bytes], None]) -> tuple[bytes, int, bool]:
    """The first line, the number of the last line that is not blank, and whether that one lacks its line break."""
    first, last_line, open_end = b"", 0, False
    with path.open("rb") as stream:
        for number, line in enumerate(_lines(stream, see), start=1):
            if number == 1:
                first = line
            if line.removeprefix(codecs.BOM_UTF8).strip():
                last_line, open_end = number, not line.endswith(b"\n")
    return first, last_line, open_end


def _lines(stream: IO[bytes], see: Callable[[bytes], None] = lambda _: None) -> Iterator[bytes]:
    """The lines with their breaks; of one that is too long, its first ``MAX_LINE_BYTES`` + 1 bytes and its break."""
    while line := stream.readline(MAX_LINE_BYTES + 1):
        see(line)
        rest = line
        while len(rest) == MAX_LINE_BYTES + 1 and not rest.endswith(b"\n"):
            rest = stream.readline(MAX_LINE_BYTES + 1)
            see(rest)
        yield line if rest is line or not rest.endswith(b"\n") else line + b"\n"


def _encoding(path: Path) -> Encoding:
    if _decodes(path, "utf-8"):
        return "utf-8"
    if _decodes(path, "gb18030"):
        return "gb18030"
    raise FileUnreadable(Text("文件既不是 UTF-8 也不是 GBK 编码", "The file is encoded neither in UTF-8 nor in GBK"))


def _decodes(path: Path, encoding: Encoding) -> bool:
    """Whether the bytes are of this encoding; a file cut off in the middle of a character still is."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as stream:
        try:
            while block := stream.read(_BLOCK_BYTES):
                decoder.decode(block)
        except UnicodeDecodeError:
            return False
    return True


def _header(line: str) -> tuple[str, ...]:
    """The columns of a CSV header in its order; none where the first line is a row of NDJSON already."""
    if line.lstrip().startswith("{"):
        return ()
    names = tuple(cell.strip() for cell in line.strip().split(","))
    renamed = tuple(dict(zip(COLUMNS_ZH, COLUMNS, strict=True)).get(name, name) for name in names)
    if sorted(renamed) != sorted(COLUMNS):
        said = Text("第一行应为表头：{columns}", "The first line must be the header: {columns}")
        raise FileUnreadable(said.format(columns=",".join(COLUMNS)))
    return renamed


def rows_of(file: ScoreFile, first_row: int = 1) -> Iterator[Row]:
    """The rows from ``first_row`` on, as they are to be sent: the fields, or why they cannot be read.

    Raises: FileUnreadable: the file has changed since it was looked over.
    """
    _check_same(file)
    with file.path.open("rb") as stream:
        for number, line in enumerate(_lines(stream), start=1 - file.header_lines):
            if number >= first_row and 1 <= number <= file.rows_total:
                row = _row(file, line.removeprefix(codecs.BOM_UTF8) if number == 1 else line)
                cut = number == file.rows_total and file.open_end and _incomplete(file, row)
                yield {"unreadable": "cut-off" if cut else row} if cut or isinstance(row, str) else row
    _check_same(file)


def _incomplete(file: ScoreFile, row: Row | Unreadable) -> bool:
    """Whether a row without its line break may be part of one: 69 of 693 looks whole, half an object does not."""
    return row in {"columns", "json"} if isinstance(row, str) else bool(file.columns)


def _check_same(file: ScoreFile) -> None:
    if _stamp(file.path) != file.seen:
        raise FileUnreadable(Text("文件在读取过程中被改动", "The file was changed while it was being read"))


def _row(file: ScoreFile, line: bytes) -> Row | Unreadable:
    if not line.strip():
        return "blank"
    if len(line) > MAX_LINE_BYTES:
        return "long"
    if b"\0" in line:
        return "nul"
    text = line.decode(file.encoding, "replace").strip()
    row = _csv_row(file.columns, text) if file.columns else _json_row(text)
    if not isinstance(row, str) and any(isinstance(v, str) and v.startswith(_FORMULA) for v in row.values()):
        return "formula"
    return row


def _csv_row(columns: tuple[str, ...], text: str) -> Row | Unreadable:
    try:
        (cells,) = csv.reader([text], strict=True)
    except (csv.Error, ValueError):
        return "columns"
    if len(cells) != len(columns):
        return "columns"
    return {name: _value(name, cell.strip()) for name, cell in zip(columns, cells, strict=True)}


def _value(name: str, cell: str) -> str | int:
    """A whole number where one belongs; whatever else is there is for Egret to refuse."""
    return int(cell) if name in _INTEGERS and _INTEGER.fullmatch(cell) else cell


def _json_row(text: str) -> Row | Unreadable:
    try:
        row = strict_json.loads(text.encode(), MAX_LINE_BYTES)
    except Problem:
        return "json"
    return row if isinstance(row, dict) else "json"
