"""Spreadsheets as they come and go: bytes to text, text to cells, and cells that must not be taken for formulas."""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from chalicelib.core.errors import Problem
from chalicelib.core.text import Text

MAX_LINE_CHARS = 8_192
# What a spreadsheet begins to calculate at, half or full width, blanks before it or not; and how we mark it as text.
_FORMULA = re.compile(r"'*\s*[=+\-@＝＋－＠]|'*[\t\r\n]")
_QUOTED = re.compile(r"'+(\s*[=+\-@＝＋－＠]|[\t\r\n])")


class CsvUnreadable(Problem):
    code = "csv-unreadable"
    status = 422
    title = Text("表格无法读取", "The spreadsheet cannot be read")


@dataclass(frozen=True, slots=True)
class Decoded:
    """A file as text, and what it was: to be told to whoever sent it."""

    text: str
    encoding: Literal["utf-8", "gb18030"]
    bom: bool


def decoded(raw: bytes) -> Decoded:
    """The text of a file in UTF-8, with or without a mark, or in GBK; every text in one spelling (NFC).

    Raises: CsvUnreadable: empty; neither of the two, or not text at all; in this order.
    """
    body = raw.removeprefix(codecs.BOM_UTF8)
    if not body.strip():
        raise CsvUnreadable(Text("文件为空", "The file is empty"))
    encodings: tuple[Literal["utf-8", "gb18030"], ...] = ("utf-8", "gb18030")
    for encoding in encodings:
        try:
            text = body.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return Decoded(unicodedata.normalize("NFC", text), encoding, len(body) < len(raw))
    raise CsvUnreadable(Text("文件既不是 UTF-8 也不是 GBK 编码", "The file is encoded neither in UTF-8 nor in GBK"))


@dataclass(frozen=True, slots=True)
class Record:
    """One line: its number from 1 and its cells as they were meant. Of a line that is not sound, a guess at them."""

    line: int
    cells: Sequence[str]
    sound: bool


def records(text: str) -> Iterator[Record]:
    """Every line that is not blank. A quotation mark left open spoils its own line and no other."""
    for number, line in filled_lines(text):
        cells = _cells(line)
        guess = line[:MAX_LINE_CHARS].split(",")
        yield Record(number, [meant(cell.strip()) for cell in cells or guess], cells is not None)


def filled_lines(text: str) -> Iterator[tuple[int, str]]:
    """Every line that is not blank, with its number from 1."""
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1):
        if line.strip():
            yield number, line


def _cells(line: str) -> Sequence[str] | None:
    if len(line) > MAX_LINE_CHARS:
        return None
    try:
        (cells,) = csv.reader([line], strict=True)
    except (csv.Error, ValueError):
        return None
    return cells


def neutral(cell: str) -> str:
    """The cell as it may leave: what a spreadsheet would calculate becomes text. ``meant`` undoes it."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def meant(cell: str) -> str:
    """The cell as it was before ``neutral``."""
    return cell[1:] if _QUOTED.match(cell) else cell


def to_csv(rows: Iterable[Sequence[str]]) -> str:
    """The rows as a CSV file's text, every cell neutral."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerows([neutral(cell) for cell in row] for row in rows)
    return out.getvalue()
