"""A bank's file, row by row: what can be read, and what is named by its line."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.medical.rules.reconciling import BankRow
from infra.cli.bank_file import COLUMNS, COLUMNS_ZH, Malformed, rows_of, sorted_rows
from infra.cli.score_files import FileUnreadable

ID = "xiamen.demo-bank." + "a" * 26
HEADER = ",".join(COLUMNS)
GOOD = f"{ID},collect,50.00,2026-08-03,accepted,B1"


def read(tmp_path: Path, text: str | bytes) -> list[BankRow | Malformed]:
    path = tmp_path / "bank.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(rows_of(path))


def test_a_row_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, f"{HEADER}\n{GOOD}\n") == [
        BankRow(2, ID, "collect", 5_000, "2026-08-03", "accepted", "B1"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        f"{HEADER}\r\n{GOOD}\r\n".encode(),
        f"\ufeff{HEADER}\n{GOOD}\n".encode(),
        f'"{HEADER.replace(",", chr(34) + "," + chr(34))}"\n{GOOD}\n'.encode(),
        f"{HEADER}\n{GOOD}\n,,,,,\n ,\u3000,,,,\r\n".encode(),
        f"{','.join(COLUMNS_ZH)}\n{GOOD.replace('accepted', '成功')}\n".encode(),
        f"{','.join(COLUMNS_ZH)}\n{GOOD.replace('accepted', '成功')}\n".encode("gb18030"),
        f'{HEADER}\n"{ID}","collect","50","2026-08-03","accepted","B1"\n'.encode(),
        f"reference,{HEADER.removesuffix(',reference')}\nB1,{GOOD.removesuffix(',B1')}\n".encode(),
    ],
)  # fmt: skip
def test_files_come_as_spreadsheets_leave_them(tmp_path: Path, text: bytes) -> None:
    assert read(tmp_path, text) == [BankRow(2, ID, "collect", 5_000, "2026-08-03", "accepted", "B1")]


@pytest.mark.parametrize(
    ("row", "named"),
    [
        (GOOD.replace("50.00", "50.0"), "amount"),
        (GOOD.replace("50.00", "-50.00"), "amount"),
        (GOOD.replace("50.00", "５０.00"), "amount"),
        (GOOD.replace("50.00", "1e3"), "amount"),
        (GOOD.replace("50.00", '"5,000.00"'), "amount"),
        (GOOD.replace("collect", "steal"), "kind"),
        (GOOD.replace("2026-08-03", "2026-02-30"), "day"),
        (GOOD.replace("2026-08-03", "3.8.2026"), "day"),
        (GOOD.replace("accepted", "maybe"), "state"),
        (GOOD.replace("B1", "B 1"), "reference"),
        (GOOD.replace("B1", ""), "reference"),
        (GOOD.replace(ID, "=cmd()"), "instruction_id"),
        (GOOD.replace(ID, ID + "x").replace("collect", "?"), "instruction_id, kind"),
        (GOOD + ",x", "columns"),
        (GOOD.removesuffix(",B1"), "columns"),
        (f'"{GOOD}', "quotation"),
        (GOOD + "x" * 5_000, "columns"),
    ],
)
def test_a_row_that_cannot_be_read_is_named_by_its_line_and_not_repeated(tmp_path: Path, row: str, named: str) -> None:
    found = read(tmp_path, f"{HEADER}\n\n{row}\n{GOOD}\n")
    bad, good = found
    assert isinstance(bad, Malformed)
    assert (bad.line, named in bad.why.en) == (3, True), bad.why
    assert "cmd" not in bad.why.en + bad.why.zh
    assert isinstance(good, BankRow), "the next row is read all the same"
    assert good.line == 4


@pytest.mark.parametrize("text", [b"", b"\n\n", b"a,b,c\n", GOOD.encode(), b"\xff\xff\xff\n", b"instruction_id\n"])
def test_what_is_no_such_file_is_said_to_be_none(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(FileUnreadable):
        read(tmp_path, text)


def test_a_file_that_is_not_there_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match="opened"):
        list(rows_of(tmp_path / "none.csv"))


def test_rows_are_sorted_by_instruction_and_line_in_little_memory(tmp_path: Path) -> None:
    path, many = tmp_path / "long.csv", 8_000
    with path.open("w") as out:
        out.write(HEADER + "\n")
        for n in range(many):
            letters = "".join("abcdefghij"[int(digit)] for digit in f"{(n * 7_919) % many // 2:026d}")
            out.write(GOOD.replace("a" * 26, letters) + "\n")

    def sound() -> Iterator[BankRow]:
        for row in rows_of(path):
            assert isinstance(row, BankRow)
            yield row

    tracemalloc.start()
    before, count = ("", 0), 0
    for row in sorted_rows(sound()):
        assert (row.instruction_id, row.line) > before
        before, count = (row.instruction_id, row.line), count + 1
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (count, before[0][:17]) == (many, "xiamen.demo-bank.")
    assert peak < 600_000, peak


@pytest.mark.parametrize("text", [f"{HEADER}\n{GOOD}\n{GOOD[:-1]}", f"{HEADER}\r\n{GOOD}\r\n{GOOD}\r"])
def test_a_last_row_that_may_be_cut_off_is_not_believed(tmp_path: Path, text: str) -> None:
    good, last = read(tmp_path, text.replace("B1", "B123"))
    assert isinstance(good, BankRow)
    assert isinstance(last, Malformed)
    assert (last.line, "cut off" in last.why.en) == (3, True)


def test_a_row_that_is_only_too_long_in_bytes_is_not_read_in_part(tmp_path: Path) -> None:
    (row,) = read(tmp_path, f"{HEADER}\n{GOOD}{chr(0x3000) * 400},x\n")
    assert isinstance(row, Malformed)


def test_rows_that_say_the_same_are_numbered_in_the_order_of_the_file(tmp_path: Path) -> None:
    other = GOOD.replace("B1", "B2")
    read(tmp_path, "\n".join([HEADER, GOOD, other, GOOD, GOOD.replace(ID, ID[:-1] + "b"), GOOD]) + "\n")
    rows = (row for row in rows_of(tmp_path / "bank.csv") if isinstance(row, BankRow))
    found = [(row.line, row.reference, row.copy) for row in sorted_rows(rows)]
    assert found == [(2, "B1", 0), (3, "B2", 0), (4, "B1", 1), (6, "B1", 2), (5, "B1", 0)]
