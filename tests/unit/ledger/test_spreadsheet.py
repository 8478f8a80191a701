"""A statement as a spreadsheet reads it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.ledger.rules import (
    PAGES_A_PART,
    Statement,
    StatementInParts,
    StatementLine,
    Tally,
    line_of,
    pages_of_part,
    parts_of,
    statement_csv,
    statement_of,
    with_page,
)
from tests.unit.ledger.books import DAY, FARM, NOON, sale
from tests.unit.ledger.test_statements import LATER, lines, payment, refund

HEADINGS = [
    "行别 row", "记账日 day", "当地时间 local time", "补记 late", "用途 purpose", "分录 entry", "冲销分录 reverses",
    "原销售日 sold on", "按标价的销售额 sales at list price (CNY)", "顾客实付 paid by customers on the spot (CNY)",
    "自担让利 the part of a discount it bears on its own sales (CNY)",
    "应收款 owed to it by those who pay for its sales (CNY)", "其他账户 to other accounts (CNY)",
    "应收自 owed by xiamen/bank/demo-bank (CNY)", "应收自 owed by xiamen/city (CNY)", "应收余额 balance owed (CNY)",
]  # fmt: skip
NUMBER = re.compile(r"-?[0-9]+\.[0-9]{2}")


def stated(found: Sequence[StatementLine], opening_fen: int = 0) -> Statement:
    before = statement_of(FARM, DAY, "Asia/Shanghai", Tally(), None, NOON)
    before = replace(before, closing_fen=opening_fen)
    return statement_of(FARM, LATER, "Asia/Shanghai", with_page(Tally(), found), before, NOON)


def rows(statement: Statement, found: Sequence[StatementLine], part: int | None = None) -> list[list[str]]:
    text = "".join(statement_csv(statement, found, part))
    assert text.startswith("\ufeff")
    assert text.encode()[:3] == b"\xef\xbb\xbf"
    assert text.count("\r\n") == text.count("\n")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_it_says_everything_a_statement_says() -> None:
    sold = sale(1)
    found = [line_of(sold, LATER), line_of(refund(2, sold, days=3), LATER, DAY)]
    table = rows(stated(found, 12345), found)
    assert table[0] == HEADINGS
    assert table[1] == ["期初 opening", "2026-05-04", *[""] * 13, "123.45"]
    assert table[2] == [
        "销售 sale", "2026-05-01", "2026-05-01 12:00:00", "是 yes", "redeem", sold.entry_id, "", "",
        "36.00", "18.00", "9.00", "9.00", "0.00", "3.60", "5.40", "",
    ]  # fmt: skip
    assert table[3] == [
        "退款 refund", "2026-05-04", "2026-05-04 13:00:00", "", "refund", found[1].entry_id, sold.entry_id,
        "2026-05-01", "-18.00", "-9.00", "-4.50", "-4.50", "0.00", "-1.80", "-2.70", "",
    ]  # fmt: skip
    sums = ["18.00", "9.00", "4.50", "4.50", "0.00", "1.80", "2.70"]
    assert table[4] == ["合计 total", "2026-05-04", *[""] * 6, *sums, ""]
    assert table[5] == ["期末 closing", "2026-05-04", *[""] * 13, "127.95"]


def test_LEDGER_its_columns_add_up_to_its_totals() -> None:
    table = rows(stated(lines(), 5), lines())
    for column in range(8, 15):
        assert sum(fen(row[column]) for row in table[2:-2]) == fen(table[-2][column])
    assert fen(table[1][-1]) + fen(table[-2][11]) == fen(table[-1][-1])


def fen(text: str) -> int:
    return int(text.replace(".", ""))


def test_no_cell_is_a_formula() -> None:
    for row in rows(stated(lines()), lines()):
        assert len(row) == len(HEADINGS)
        for cell in row:
            assert NUMBER.fullmatch(cell) or not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
            assert "," not in cell


def test_a_day_without_entries_has_its_balances() -> None:
    table = rows(stated([]), [])
    assert [row[0] for row in table] == ["行别 row", "期初 opening", "合计 total", "期末 closing"]
    assert {len(row) for row in table} == {14}


def test_a_payment_is_neither_sale_nor_refund() -> None:
    found = [line_of(payment(3), LATER)]
    assert rows(stated(found), found)[2][0] == "其他 other"


@pytest.mark.parametrize(("pages", "parts"), [(0, 1), (1, 1), (50, 1), (51, 2), (100, 2), (501, 11)])
def test_what_is_long_comes_in_parts_that_cover_it(pages: int, parts: int) -> None:
    statement = replace(stated([]), pages=pages)
    assert parts_of(statement) == parts
    spans = [pages_of_part(statement, part) for part in range(1, parts + 1)]
    assert [page for first, last in spans for page in range(first, last + 1)] == list(range(1, pages + 1))
    assert all(last - first < PAGES_A_PART for first, last in spans)
    if parts == 1:
        assert pages_of_part(statement, None) == spans[0]
    else:
        with pytest.raises(StatementInParts, match=f"part={parts}"):
            pages_of_part(statement, None)
    for none in (0, parts + 1):
        with pytest.raises(AssertionError):
            pages_of_part(statement, none or -1)


def test_parts_put_together_are_the_whole() -> None:
    found = lines()
    whole = stated(found)
    two = replace(whole, pages=PAGES_A_PART + 1)
    first, last = rows(two, found[:2], 1), rows(two, found[2:], 2)
    assert first[0] == last[0] == HEADINGS
    assert [*first, *last[1:]] == rows(whole, found)
    assert timedelta(days=3) == LATER - DAY
