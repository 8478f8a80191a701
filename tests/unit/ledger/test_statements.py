"""What a statement says of entries: line by line, in sums, in a head that goes on from the one before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from functools import reduce
from itertools import pairwise

import pytest

from chalicelib.core import codec
from chalicelib.ledger.rules import (
    Entry,
    Posting,
    Share,
    Statement,
    StatementLine,
    Sums,
    Tally,
    check_entry,
    combined,
    digest_of,
    line_of,
    place_of,
    reversal,
    statement_of,
    with_page,
)
from tests.unit.ledger.books import BANK, CITY, DAY, FARM, NOON, PARKING, entry_id, funded, sale

LATER = DAY + timedelta(days=3)
PARTS = combined(funded(1800, 900, 5000, 3000, 2000))


def refund(
    number: int, original: Entry, *, days: int = 0, hours: int = 1, parts: Iterable[Posting] = PARTS
) -> Entry:  # fmt: skip
    at = original.at + timedelta(days=days, hours=hours)
    day = original.day + timedelta(days=days)
    return reversal(original, [], parts, entry_id=entry_id(number), at=at, day=day, purpose="refund")


def payment(number: int) -> Entry:
    """The city and the bank pay what they owe for one sale."""
    postings = [
        Posting(FARM.account("cash"), "CNY", 900),
        Posting(FARM.account("receivable"), "CNY", -900),
        Posting(CITY.account("payable"), "CNY", 540),
        Posting(CITY.account("cash"), "CNY", -540),
        Posting(BANK.account("payable"), "CNY", 360),
        Posting(BANK.account("cash"), "CNY", -360),
    ]
    at = NOON + timedelta(hours=2)
    return check_entry(Entry(entry_id(number), at, DAY, "settle", FARM.name, combined(postings)))


def lines() -> list[StatementLine]:
    sold = sale(1)
    return [
        line_of(sold, DAY),
        line_of(refund(2, sold), DAY, DAY),
        line_of(payment(3), DAY),
        line_of(refund(4, sold, hours=3, parts=sold.postings), DAY, DAY - timedelta(days=9)),
    ]


def test_a_sale_is_told_apart_for_its_merchant() -> None:
    line = line_of(sale(1), DAY)
    assert (line.kind, line.late, line.sold_on) == ("sale", False, None)
    assert (line.sales_fen, line.takings_fen, line.own_discount_fen, line.receivable_fen) == (3600, 1800, 900, 900)
    assert (line.other_fen, line.by_funder) == (0, (Share(BANK.name, 360), Share(CITY.name, 540)))


def test_a_refund_counts_the_other_way_and_says_when_it_was_sold() -> None:
    back = refund(2, sale(1), days=3)
    line = line_of(back, LATER, DAY)
    assert (line.kind, line.late, line.day, line.sold_on, line.reverses) == ("refund", False, LATER, DAY, entry_id(1))
    assert (line.sales_fen, line.takings_fen, line.own_discount_fen, line.receivable_fen) == (-1800, -900, -450, -450)
    assert line.by_funder == (Share(BANK.name, -180), Share(CITY.name, -270))


def test_what_is_paid_takes_from_what_is_owed() -> None:
    line = line_of(payment(3), DAY)
    assert (line.kind, line.sales_fen, line.receivable_fen, line.other_fen) == ("other", 0, -900, 900)
    assert line.by_funder == (Share(BANK.name, -360), Share(CITY.name, -540))


def test_an_entry_of_an_earlier_day_is_late_and_keeps_its_day() -> None:
    line = line_of(sale(1), LATER)
    assert (line.late, line.day) == (True, DAY)
    with pytest.raises(AssertionError):
        line_of(sale(1), DAY - timedelta(days=1))


def test_other_assets_are_not_stated() -> None:
    points = [Posting(FARM.account("cash"), "CREDIT", 7), Posting(CITY.account("payable"), "CREDIT", -7)]
    entry = replace(sale(1), postings=combined([*sale(1).postings, *points]))
    assert line_of(entry, DAY) == line_of(sale(1), DAY)


@pytest.mark.parametrize(
    "postings",
    [
        [Posting(FARM.account("receivable"), "CNY", 500), Posting(CITY.account("payable"), "CNY", -500)],
        [Posting(FARM.account("sales"), "CNY", -500), Posting(FARM.account("receivable"), "CNY", 500)],
        [Posting(FARM.account("sales"), "CNY", 500), Posting(FARM.account("takings"), "CNY", -500)],
    ],
    ids=["out of nothing", "owed by nobody", "a sale below zero"],
)
def test_LEDGER_what_does_not_add_up_for_its_party_is_not_stated(postings: list[Posting]) -> None:
    with pytest.raises(AssertionError):
        line_of(check_entry(replace(sale(1), postings=combined(postings))), DAY)


def test_what_is_reversed_has_a_day_and_nothing_else_has() -> None:
    with pytest.raises(AssertionError):
        line_of(refund(2, sale(1)), DAY)
    with pytest.raises(AssertionError):
        line_of(sale(1), DAY, DAY)


def test_lines_are_summed_by_what_they_are() -> None:
    tally = with_page(Tally(), lines())
    totals = tally.totals
    assert (totals.total.entries, totals.sales.entries, totals.refunds.entries) == (4, 1, 2)
    assert totals.sales == Sums(1, 3600, 1800, 900, 900, 0, (Share(BANK.name, 360), Share(CITY.name, 540)))
    assert totals.refunds.sales_fen == -5400
    assert totals.refunds_of_earlier_days.entries == 1
    assert totals.refunds_of_earlier_days.by_funder == (Share(BANK.name, -360), Share(CITY.name, -540))
    assert totals.late == Sums()
    assert totals.total.other_fen == 900
    assert totals.total.receivable_fen == 900 - 450 - 900 - 900


def test_late_lines_are_summed_once_more() -> None:
    tally = with_page(Tally(), [line_of(sale(1), LATER), line_of(sale(2, hours=72), LATER)])
    assert (tally.totals.total.entries, tally.totals.late.entries) == (2, 1)
    assert [(of.day, of.lines) for of in tally.days] == [(DAY, 1), (LATER, 1)]


@pytest.mark.parametrize("cuts", [(), (1,), (2,), (1, 2, 3)])
def test_a_tally_does_not_depend_on_pages(cuts: tuple[int, ...]) -> None:
    every = lines()
    bounds = [0, *cuts, len(every)]
    pages = [every[start:stop] for start, stop in pairwise(bounds)]
    tally = reduce(with_page, pages, Tally())
    assert replace(tally, pages=1) == with_page(Tally(), every)
    assert tally.pages == len(pages)


def test_the_digest_is_what_the_schema_says() -> None:
    digest = "0" * 64
    for line in lines():
        digest = hashlib.sha256((digest + codec.canonical(line)).encode()).hexdigest()
    assert with_page(Tally(), lines()).lines_sha256 == digest
    assert Tally().lines_sha256 == "0" * 64


def test_lines_that_do_not_follow_one_another_are_not_taken() -> None:
    first, second = line_of(sale(1), DAY), line_of(sale(2, hours=1), DAY)
    for wrong in ([second, first], [first, first]):
        with pytest.raises(AssertionError):
            with_page(Tally(), wrong)
        with pytest.raises(AssertionError):
            with_page(with_page(Tally(), wrong[:1]), wrong[1:])


def head(day: date, before: Statement | None, *entries: Entry) -> Statement:
    tally = with_page(Tally(), [line_of(entry, day) for entry in sorted(entries, key=place_of)])
    return statement_of(FARM, day, "Asia/Shanghai", tally, before, NOON)


def test_LEDGER_a_statement_goes_on_from_the_one_before() -> None:
    first = head(DAY, None, sale(1), sale(2, hours=1))
    second = head(DAY + timedelta(days=1), first, sale(3, hours=24))
    assert (first.number, first.opening_fen, first.closing_fen, first.previous_sha256) == (1, 0, 1800, None)
    assert (second.number, second.opening_fen, second.closing_fen) == (2, 1800, 2700)
    assert second.previous_sha256 == digest_of(first)
    assert second.previous_sha256 == hashlib.sha256(codec.canonical(first).encode()).hexdigest()
    assert digest_of(replace(first, closing_fen=1801)) != digest_of(first)


def test_a_head_is_the_same_after_it_was_stored() -> None:
    made = head(DAY, None, sale(1))
    assert codec.from_json(Statement, codec.canonical(made)) == made
    assert codec.canonical(codec.from_json(Statement, codec.canonical(made))) == codec.canonical(made)


def test_another_partys_book_is_stated_for_that_party() -> None:
    postings = [
        Posting(p.account.replace(FARM.name, PARKING.name), p.asset, p.amount) for p in sale(1).postings
    ]  # fmt: skip
    line = line_of(replace(sale(1), book=PARKING.name, postings=combined(postings)), DAY)
    assert replace(line, by_funder=()) == replace(line_of(sale(1), DAY), by_funder=())
