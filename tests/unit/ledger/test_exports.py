"""The ledger as others read it: by the byte, and by ``bean-check``."""

from __future__ import annotations

import csv
import gc
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from pathlib import Path

import pytest

from chalicelib.ledger.rules import (
    CSV_COLUMNS,
    Entry,
    Posting,
    beancount_lines,
    check_entry,
    combined,
    csv_lines,
    reversal,
)
from tests.unit.ledger.books import BANK, DAY, FARM, NOON, PARKING, PERSON, entry_id, funded, sale

ODD = combined(
    [Posting(PARKING.account("cash"), "CNY", 5), Posting(BANK.account("opening", PERSON), "CNY", -5)]
)  # fmt: skip
REFUND = reversal(
    sale(2, list_fen=8801, payable_fen=4401), [], combined(funded(8801, 4401, 5000, 3000, 2000)),
    entry_id=entry_id(9), at=NOON + timedelta(days=30), day=DAY + timedelta(days=30), purpose="refund",
)  # fmt: skip
BOOK = [
    sale(1),
    sale(2, list_fen=8801, payable_fen=4401),
    REFUND,
    check_entry(Entry(entry_id(4), NOON, DAY, "bring-forward", PARKING.name, ODD)),
]


OWED = "Assets:Xiamen:Merchant:Qingliu-farm:Receivable"


def checked(path: Path, text: str) -> subprocess.CompletedProcess[str]:
    """What ``bean-check`` says to a journal."""
    path.write_text(text, "utf-8")
    program = Path(sys.executable).parent / "bean-check"
    return subprocess.run([program, "--no-cache", path], capture_output=True, text=True, check=False)


def test_LEDGER_bean_check_accepts_what_is_exported(tmp_path: Path) -> None:
    said = checked(tmp_path / "all.beancount", "".join(beancount_lines(BOOK)))
    assert (said.returncode, said.stderr) == (0, "")


def test_an_empty_ledger_is_accepted_too(tmp_path: Path) -> None:
    assert checked(tmp_path / "none.beancount", "".join(beancount_lines([]))).returncode == 0


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (f"  {OWED}  9.00 CNY", f"  {OWED}  9.01 CNY"),
        (f"balance {OWED} 9.00", f"balance {OWED} 9.01"),
        ("1970-01-01 open Expenses:Xiamen:City:Subsidy CNY\n", ""),
        ("1970-01-01 open Expenses:Xiamen:City:Subsidy CNY\n", "1970-01-01 open Expenses:Xiamen:City:Subsidy USD\n"),
    ],
    ids=["an amount", "a balance", "no such account", "another asset"],
)  # fmt: skip
def test_LEDGER_bean_check_refuses_what_does_not_add_up(tmp_path: Path, was: str, becomes: str) -> None:
    text = "".join(beancount_lines(BOOK))
    assert was in text
    assert checked(tmp_path / "wrong.beancount", text.replace(was, becomes, 1)).returncode == 1


def test_bean_check_refuses_an_account_of_two_assets(tmp_path: Path) -> None:
    other = tuple(posting._replace(asset="CREDIT") for posting in sale(5).postings)
    both = "".join(beancount_lines([sale(1), replace(sale(5), postings=other)]))
    assert "9.00 CNY" in both
    assert " 900 CREDIT" in both
    assert checked(tmp_path / "two.beancount", both).returncode == 1


def test_a_transaction_in_beancounts_language() -> None:
    text = "".join(beancount_lines([sale(1), REFUND]))
    assert f'2026-05-01 * "redeem" ^{entry_id(1)}\n  at: "2026-05-01T04:00:00.000Z"\n  book: "{FARM.name}"\n' in text
    assert f'2026-05-31 * "refund" ^{entry_id(9)} ^{entry_id(2)}\n' in text
    assert "  Income:Xiamen:Merchant:Qingliu-farm:Sales  -36.00 CNY\n" in text
    assert "2026-06-01 balance Income:Xiamen:Merchant:Qingliu-farm:Sales 52.01 ~ 0.00 CNY\n" in text


def test_csv_is_one_line_per_posting_and_adds_up() -> None:
    rows = list(csv.DictReader("".join(csv_lines(BOOK)).splitlines()))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert len(rows) == sum(len(entry.postings) for entry in BOOK)
    assert sum(int(row["amount"].replace(".", "")) for row in rows) == 0
    assert rows[0] == {
        "book": FARM.name,
        "day": "2026-05-01",
        "at": "2026-05-01T04:00:00.000Z",
        "entry_id": entry_id(1),
        "reverses": "",
        "purpose": "redeem",
        "account": BANK.account("payable"),
        "asset": "CNY",
        "amount": "-3.60",
    }
    assert {row["reverses"] for row in rows} == {"", entry_id(2)}


def test_no_cell_is_a_formula_and_none_needs_quotes() -> None:
    for line in csv_lines(BOOK):
        assert line.endswith("\r\n")
        *words, amount = line.removesuffix("\r\n").split(",")
        assert len(words) == len(CSV_COLUMNS) - 1
        assert not any(word.startswith(("=", "+", "-", "@", "\t")) or '"' in word for word in words)
        assert amount == "amount" or float(amount)


def entries(count: int) -> Iterator[Entry]:
    """A book of many sales, made as it is read."""
    return (sale(number, hours=number // 50) for number in range(count))


@pytest.mark.parametrize("export", [csv_lines, beancount_lines])
def test_memory_does_not_grow_with_the_entries(export: Callable[[Iterable[Entry]], Iterator[str]]) -> None:
    """Held in memory, the entries would take more than the text does; a few pages of either are far less."""
    sum(map(len, export(entries(200))))
    gc.collect()
    tracemalloc.start()
    written = sum(map(len, export(entries(2000))))
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert written > 1_000_000
    assert peak_bytes < written / 4


def test_an_export_begins_before_the_last_entry_is_read() -> None:
    endless = iter(lambda: sale(1), None)
    for export in (csv_lines, beancount_lines):
        assert len(list(islice(export(endless), 100))) == 100
