"""Spreadsheets of drafts: read as they come, every bad row named, nothing in them calculated."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.core import schema
from chalicelib.core.text import Text
from chalicelib.offers.rules import (
    COLUMNS,
    CsvUnreadable,
    Home,
    Imported,
    Offer,
    Product,
    Quota,
    Share,
    Stacking,
    check_offer,
    decoded,
    neutral,
    read_drafts,
    write_drafts,
)
from chalicelib.offers.rules.csv_text import MAX_LINE_CHARS, meant
from tests.unit.offers.shop import TEA, TOFU, ZONE, fixed, offer

HOME = Home("xiamen", "qingliu-farm", ZONE)
FULL = offer(
    offer_id="qingliu-full",
    tiers=(fixed("良好", tofu=3000), fixed("优秀", tea=8000, tofu=2900)),
    districts=("jimei", "huli"),
    budget_fen=10**7,
    quota=Quota(1, 2, 3, 4),
    reservation_seconds=900,
    funding=(Share("merchant", 5000), Share("bank", 5000, "demo-bank")),
    on_refund="burn",
    stacking=Stacking("summer", 0, 5000, 10_000),
    show_stock=True,
    products=(
        Product("both", Text("都有", "Both"), (TOFU, TEA), ("https://a.example/1.jpg", "https://a.example/2.jpg")),
        Product("more", Text("还有", "More"), (replace(TEA, variant_id="tea-200g"),)),
    ),
)


def cells(made: Offer, **changes: str) -> dict[str, str]:
    """The first row of an offer, some cells changed."""
    first = next(csv.DictReader(io.StringIO(write_drafts([made]))))
    return first | changes


def sheet(*rows: dict[str, str]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, [column.name for column in COLUMNS])
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def told(found: Imported) -> list[tuple[int, list[str]]]:
    return [(bad.line, [fault.column for fault in bad.faults]) for bad in found.bad_rows]


def one(**changes: str) -> dict[str, str]:
    """The only row of an offer of one variant."""
    single = replace(offer(), products=(Product("tea", Text("茶", "Tea"), (TEA,)),))
    return cells(single, **changes)


def test_what_is_written_is_read_again() -> None:
    offers = (offer(), FULL)
    assert [check_offer(made) for made in offers]
    assert read_drafts(write_drafts(offers), HOME) == Imported(offers, (), ())


def test_the_page_lists_every_column() -> None:
    page = (Path(schema.ROOT) / "offers" / "drafts.csv.md").read_text("utf-8")
    listed = [line.split(" | ")[0].strip("| `") for line in page.splitlines() if line.startswith("| `")]
    assert listed == [column.name for column in COLUMNS]
    for column in COLUMNS:
        assert f"| {column.said.en} | {column.said.zh} |" in page
    assert len({column.name_zh for column in COLUMNS}) == len(COLUMNS)


def test_ten_thousand_rows_with_three_bad_ones() -> None:
    rows = [one(offer_id=f"offer-{number}") for number in range(10_000)]
    rows[16]["price_fen"] = "-5"
    rows[5_000]["valid_to"] = rows[5_000]["valid_from"]
    rows[9_998]["tiers"] = "极好=3000"
    found = read_drafts(sheet(*rows), HOME)
    assert told(found) == [(18, ["price_fen"]), (5_002, ["valid_to"]), (10_000, ["tiers"])]
    assert len(found.drafts) == 9_997
    assert found.held_back == ()
    assert "整数" in found.bad_rows[0].faults[0].said.zh


def test_a_header_may_be_chinese_in_any_order_and_lack_what_need_not_be_there() -> None:
    columns = [column for column in reversed(COLUMNS) if column.required or column.name == "tiers"]
    row = one()
    text = ",".join(c.name_zh for c in columns) + "\n" + ",".join(f'"{row[c.name]}"' for c in columns)
    (made,) = read_drafts(text, HOME).drafts
    assert made.title == offer().title
    assert made.stacking == Stacking()
    assert not made.illustrative


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
def test_a_file_in_utf_8_or_gbk_with_a_mark_or_without(encoding: str) -> None:
    found = decoded(write_drafts([offer(), FULL]).encode(encoding))
    assert found.encoding == ("utf-8" if encoding.startswith("utf") else "gb18030")
    assert found.bom == (encoding == "utf-8-sig")
    assert read_drafts(found.text, HOME).drafts == (offer(), FULL)


def test_text_in_another_spelling_is_read_in_one() -> None:
    assert decoded("cafe\u0301".encode()).text == "caf\u00e9"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \r\n", "empty"),
        ("offer_id,标题".encode("utf-16"), "encoded"),
        (b"\x80\xff\xff", "encoded"),
        (b"PK\x03\x04\x00\x00", "encoded"),
    ],
)
def test_a_file_that_is_no_text_is_refused(raw: bytes, said: str) -> None:
    with pytest.raises(CsvUnreadable, match=said):
        decoded(raw)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "header"),
        ("\n \n", "header"),
        ("offer_id,price\n", "header"),
        (sheet().replace("offer_id", "offer"), "header"),
        (sheet().replace("priority", "stock"), "header"),
        (sheet(), "no rows"),
        (sheet() + "\n\n", "no rows"),
    ],
)
def test_a_spreadsheet_of_something_else_is_refused(text: str, said: str) -> None:
    with pytest.raises(CsvUnreadable, match=said):
        read_drafts(text, HOME)


@pytest.mark.parametrize(
    ("changes", "columns"),
    [
        ({"price_fen": "0"}, ["price_fen"]),
        ({"price_fen": "-5"}, ["price_fen"]),
        ({"price_fen": "88.00"}, ["price_fen"]),
        ({"price_fen": "8,800"}, ["price_fen"]),
        ({"price_fen": "８８００"}, ["price_fen"]),
        ({"price_fen": "=1+1"}, ["price_fen"]),
        ({"price_fen": "TRUE"}, ["price_fen"]),
        ({"price_fen": "9" * 12}, ["price_fen"]),
        ({"price_fen": "9" * 4000}, ["price_fen"]),
        ({"price_fen": ""}, ["price_fen"]),
        ({"stock": "many", "price_fen": "x"}, ["price_fen", "stock"]),
        ({"offer_id": ""}, ["offer_id"]),
        ({"offer_id": "Nice Tea"}, ["offer_id"]),
        ({"title_en": ""}, ["title_en"]),
        ({"title_zh": "x" * 81}, ["title_zh"]),
        ({"description_zh": "x" * 501}, ["description_zh"]),
        ({"category": "weapons"}, ["category"]),
        ({"tiers_by": "mood"}, ["tiers_by"]),
        ({"tiers": ""}, ["tiers"]),
        ({"tiers": "极好"}, ["tiers"]),
        ({"tiers": "=500bp"}, ["tiers"]),
        ({"tiers": "极好=50%"}, ["tiers"]),
        ({"tiers": "极好=10000bp"}, ["tiers"]),
        ({"tiers": "极好=8801fen"}, ["tiers"]),
        ({"tiers": "极好=500bp;极好=600bp"}, ["tiers"]),
        ({"tiers": "极好=500bp;极好=600fen"}, ["tiers"]),
        ({"tiers": "极好=list"}, ["tiers"]),
        ({"valid_from": "2026-08-01"}, ["valid_from"]),
        ({"valid_to": "2026-02-30T00:00:00Z"}, ["valid_to"]),
        ({"valid_to": "2026-01-01T00:00:00Z"}, ["valid_to"]),
        ({"funding": "merchant=5000"}, ["funding"]),
        ({"funding": "merchant=5000;mafia=5000"}, ["funding"]),
        ({"funding": "bank=10000"}, ["funding"]),
        ({"quota_day": "0"}, ["quota_day"]),
        ({"budget_fen": "1.5"}, ["budget_fen"]),
        ({"on_refund": "keep"}, ["on_refund"]),
        ({"show_stock": "maybe"}, ["show_stock"]),
        ({"cap_bp": "20000"}, ["cap_bp"]),
        ({"priority": "-1"}, ["priority"]),
        ({"exclusive_group": "?"}, ["exclusive_group"]),
        ({"photos": "http://a.example/x.jpg"}, ["photos"]),
        ({"product_en": ""}, ["product_en"]),
        ({"variant_zh": ""}, ["variant_zh"]),
        ({"variant_en": "x" * 81}, ["variant_en"]),
        ({"product_zh": "x" * 81}, ["product_zh"]),
    ],
)
def test_a_bad_cell_is_named_by_its_column_and_spoils_its_own_offer_only(
    changes: dict[str, str], columns: list[str]
) -> None:
    found = read_drafts(sheet(one(offer_id="first"), one(**changes), one(offer_id="last")), HOME)
    assert told(found) == [(3, columns)]
    assert [made.offer_id for made in found.drafts] == ["first", "last"]
    for fault in found.bad_rows[0].faults:
        assert all(len(value) < 4 or value not in fault.said.en + fault.said.zh for value in changes.values())


@pytest.mark.parametrize("blank", ["", " "])
def test_words_that_stand_for_the_usual(blank: str) -> None:
    (made,) = read_drafts(sheet(one(on_refund=blank, priority=blank, show_stock="是", tiers_by="Grade")), HOME).drafts
    assert (made.on_refund, made.stacking.priority, made.show_stock, made.tiers_by) == ("restore", 100, True, "grade")


def full(*changes: dict[str, str]) -> Imported:
    """The three rows of the full offer, each changed so, between two other offers."""
    rows = list(csv.DictReader(io.StringIO(write_drafts([FULL]))))
    between = [made | change for made, change in zip(rows, changes, strict=True)]
    return read_drafts(sheet(one(offer_id="first"), *between, one(offer_id="last")), HOME)


OF_OFFER = {column.name: "" for column in COLUMNS if column.level == "offer" and column.name != "offer_id"}


def test_what_belongs_to_the_offer_may_be_left_blank_below() -> None:
    of_product = {"product_zh": "", "product_en": "", "photos": ""}
    assert full({}, OF_OFFER | of_product, OF_OFFER).drafts[1] == FULL


@pytest.mark.parametrize(
    ("changes", "bad", "held_back"),
    [
        (({}, {"title_zh": "别的"}, {}), [(4, ["title_zh"])], (3, 5)),
        (({}, {"product_en": "Others"}, {}), [(4, ["product_en"])], (3, 5)),
        (({}, {}, {"product_en": ""}), [(5, ["product_en"])], (3, 4)),
        (({"title_zh": ""}, {"title_zh": ""}, {"title_zh": ""}), [(3, ["title_zh"])], (4, 5)),
        (({}, {"variant_id": TOFU.variant_id}, {}), [(4, ["variant_id"])], (3, 5)),
        (({}, {"price_fen": "0"}, {"stock": "-1"}), [(4, ["price_fen"]), (5, ["stock"])], (3,)),
        (({}, {"stock": ""}, {}), [(4, ["stock"])], (3, 5)),
        (({}, {"tiers": "良好=500bp"}, {}), [(4, ["tiers"])], (3, 5)),
        (({}, {}, {"product_zh": "x" * 81}), [(5, ["product_zh"])], (3, 4)),
    ],
)
def test_an_offer_with_a_bad_row_is_held_back_whole(
    changes: Any, bad: list[tuple[int, list[str]]], held_back: tuple[int, ...]
) -> None:
    found = full(*changes)
    assert told(found) == bad
    assert found.held_back == held_back
    assert [made.offer_id for made in found.drafts] == ["first", "last"]


def test_rows_of_an_offer_stand_together() -> None:
    found = read_drafts(sheet(one(offer_id="aa"), one(offer_id="bb"), one(offer_id="aa")), HOME)
    assert told(found) == [(4, ["offer_id"])]
    assert [made.offer_id for made in found.drafts] == ["aa", "bb"]


@pytest.mark.parametrize("spoilt", ['tea,"never closed', "x" * (MAX_LINE_CHARS + 1), "a,b", "," * 99])
def test_a_line_that_is_none_is_one_bad_row(spoilt: str) -> None:
    text = sheet(one(offer_id="first")) + spoilt + "\r\n" + sheet(one(offer_id="last")).partition("\n")[2]
    found = read_drafts(text, HOME)
    assert [bad.line for bad in found.bad_rows] == [3]
    assert [made.offer_id for made in found.drafts] == ["first", "last"]


def test_a_quotation_mark_left_open_is_no_text() -> None:
    text = sheet(one(description_zh="XX", description_en="short", variant_en="tea")).replace("XX", '"never closed')
    found = read_drafts(text + sheet(one(offer_id="last")).partition("\n")[2], HOME)
    assert told(found) == [(2, ["offer_id"])]
    assert [made.offer_id for made in found.drafts] == ["last"]


def test_a_broken_line_holds_back_the_offer_it_names() -> None:
    rows = write_drafts([FULL]).splitlines()
    rows[2] = rows[2].replace('"', "").replace(",", ',"', 1)
    found = read_drafts("\n".join(rows), HOME)
    assert ([bad.line for bad in found.bad_rows], found.held_back, found.drafts) == ([3], (2, 4), ())


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_any_line_break_ends_a_row(line_break: str) -> None:
    text = sheet(one()).replace("\r\n", line_break)
    assert len(read_drafts(text, HOME).drafts) == 1


DANGEROUS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1",
    "＋1",
    "－1",
    "＠x",
    " =1",
    "'=1",
    "''=1",
    "\t",
]


@pytest.mark.parametrize("cell", DANGEROUS)
def test_what_a_spreadsheet_would_calculate_leaves_as_text(cell: str) -> None:
    assert neutral(cell) == f"'{cell}"
    assert meant(neutral(cell)) == cell


@pytest.mark.parametrize("cell", ["", "茶", "a=1", "'tis", "5 - 3", "https://a.example/=x", "500", "'"])
def test_other_cells_leave_as_they_are(cell: str) -> None:
    assert neutral(cell) == cell == meant(cell)


def test_a_formula_in_a_title_is_a_title() -> None:
    risky = offer(title=Text("=HYPERLINK(1)", "'=1+1"), description=Text("-10 元", "@home"))
    text = write_drafts([risky])
    for row in csv.reader(io.StringIO(text)):
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row)
    assert read_drafts(text, HOME).drafts == (risky,)


def test_times_keep_their_fractions() -> None:
    made = offer(valid_to=offer().valid_to + timedelta(microseconds=1500))
    assert read_drafts(write_drafts([made]), HOME).drafts == (made,)
