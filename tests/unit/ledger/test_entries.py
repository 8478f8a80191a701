"""Entries balance, and are taken back by their own parts and no further."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from chalicelib.core.money import MOST
from chalicelib.ledger.rules import Entry, Posting, balances, check_entry, combined, negated, remaining, reversal
from chalicelib.ledger.rules.entries import MOST_POSTINGS
from tests.unit.ledger.books import BANK, CITY, DAY, FARM, NOON, PLATFORM, entry_id, funded, sale

OWED, DUE, SPENT = FARM.account("receivable"), CITY.account("payable"), CITY.account("subsidy")


def posting(account: str, amount: Any, asset: str = "CNY") -> Posting:
    return Posting(account, asset, amount)


def entry(*postings: Posting, **changes: Any) -> Entry:
    made = Entry(entry_id(1), NOON, DAY, "redeem", FARM.name, tuple(postings))
    return replace(made, **changes)


PAIR = (posting(DUE, -500), posting(OWED, 500))


def test_a_balanced_entry_is_an_entry() -> None:
    assert check_entry(entry(*PAIR)) == entry(*PAIR)
    assert check_entry(sale(1)) == sale(1)


@pytest.mark.parametrize(
    "postings",
    [
        (),
        (posting(OWED, 500),),
        (posting(DUE, -500), posting(OWED, 499)),
        (posting(DUE, 500), posting(OWED, 500)),
        (posting(DUE, -500, "CNY"), posting(OWED, 500, "CREDIT")),
        (posting(DUE, -500), posting(OWED, 500, "CREDIT"), posting(SPENT, 500), posting(FARM.account("sales"), -500)),
    ],
)
def test_LEDGER_postings_sum_to_zero_in_each_asset(postings: tuple[Posting, ...]) -> None:
    with pytest.raises(AssertionError):
        check_entry(entry(*postings))


@pytest.mark.parametrize("amount", [0, 500.0, True, MOST + 1])
def test_LEDGER_a_posting_is_a_whole_amount_other_than_zero(amount: Any) -> None:
    with pytest.raises(AssertionError):
        check_entry(entry(posting(DUE, -amount), posting(OWED, amount)))


@pytest.mark.parametrize(
    "postings",
    [
        (posting(OWED, 500), posting(DUE, -500)),
        (posting(DUE, -250), posting(DUE, -250), posting(OWED, 500)),
        (posting(DUE, -500, "CNY"), posting(DUE, 500, "CREDIT"), posting(OWED, 500), posting(SPENT, -500, "CREDIT")),
    ],
    ids=["out of order", "an account twice", "an account in two assets"],
)
def test_an_account_is_posted_to_once_in_one_asset_and_in_order(postings: tuple[Posting, ...]) -> None:
    with pytest.raises(AssertionError):
        check_entry(entry(*postings))


@pytest.mark.parametrize(
    "changes",
    [
        {"entry_id": "1"},
        {"entry_id": entry_id(1) + "\n"},
        {"reverses": entry_id(1)},
        {"reverses": "another"},
        {"purpose": ""},
        {"purpose": "=SUM(A1)"},
        {"purpose": "redeem,twice"},
        {"purpose": 'redeem "it"'},
        {"at": datetime(2026, 5, 1, 4)},  # noqa: DTZ001 - that it does not know its zone is the point
        {"day": date(2026, 5, 3)},
        {"day": date(2026, 4, 29)},
        {"book": "xiamen"},
        {"book": BANK.name},
        {"book": OWED},
    ],
)
def test_an_entry_says_who_when_and_why_in_good_form(changes: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        check_entry(entry(*PAIR, **changes))


@pytest.mark.parametrize("asset", ["cny", "", "C", "C,NY", "CNY\n", "=CNY", "A" * 13])
def test_an_asset_has_a_code(asset: str) -> None:
    with pytest.raises(AssertionError):
        check_entry(entry(posting(DUE, -500, asset), posting(OWED, 500, asset)))


def test_an_entry_has_a_size() -> None:
    accounts = sorted(
        BANK.account("receivable", f"p1_{'a' * 20}{'abcdefg'[n // 7]}{'abcdefg'[n % 7]}") for n in range(49)
    )
    for size in (MOST_POSTINGS, MOST_POSTINGS + 1):
        wide = entry(*(posting(account, 1) for account in accounts[: size - 1]), posting(OWED, 1 - size))
        if size == MOST_POSTINGS:
            check_entry(wide)
        else:
            with pytest.raises(AssertionError):
                check_entry(wide)


def test_postings_are_put_together_by_account() -> None:
    mixed = [posting(OWED, 300), posting(DUE, -300), posting(OWED, 200), posting(DUE, -200), posting(SPENT, 0)]
    assert combined(mixed) == combined(reversed(mixed)) == PAIR
    assert combined([*PAIR, *negated(PAIR)]) == ()


def test_LEDGER_an_entry_cannot_be_changed() -> None:
    made = sale(1)
    for thing, field in ((made, "postings"), (made, "day"), (made.postings[0], "amount")):
        with pytest.raises(AttributeError):
            setattr(thing, field, None)


TWO_LINES = (funded(3600, 1800, 5000, 3000, 2000), funded(8801, 4401, 5000, 3000, 2000))
BOTH = entry(*combined([*TWO_LINES[0], *TWO_LINES[1]]))
LATER = {"at": NOON + timedelta(days=40), "day": DAY + timedelta(days=40), "purpose": "refund"}


def back(original: Entry, reversals: list[Entry], parts: Any, number: int = 2, **changes: Any) -> Entry:
    return reversal(original, reversals, parts, **{"entry_id": entry_id(number), **LATER, **changes})


def test_LEDGER_a_line_is_taken_back_by_its_stored_parts() -> None:
    first = back(BOTH, [], TWO_LINES[0])
    assert first.postings == negated(combined(TWO_LINES[0]))
    assert (first.reverses, first.book, first.day) == (BOTH.entry_id, BOTH.book, LATER["day"])
    assert remaining(BOTH, [first]) == combined(TWO_LINES[1])
    second = back(BOTH, [first], TWO_LINES[1], 3)
    assert remaining(BOTH, [first, second]) == ()
    assert set(balances([BOTH, first, second]).values()) == {0}


def test_LEDGER_no_more_is_taken_back_than_was_posted() -> None:
    first = back(BOTH, [], TWO_LINES[0])
    for parts in (combined([*TWO_LINES[0], *TWO_LINES[1]]), funded(8802, 4402, 5000, 3000, 2000)):
        with pytest.raises(AssertionError):
            back(BOTH, [first], parts, 3)
    with pytest.raises(AssertionError):
        back(BOTH, [first, back(BOTH, [first], TWO_LINES[1], 3)], TWO_LINES[1], 4)


@pytest.mark.parametrize(
    "parts",
    [
        (),
        negated(PAIR),
        (posting(DUE, -400), posting(OWED, 399)),
        (posting(DUE, -501), posting(OWED, 501)),
        (posting(DUE, -400), posting(SPENT, 400)),
        (posting(PLATFORM.account("payable"), -400), posting(OWED, 400)),
        (posting(DUE, -400, "CREDIT"), posting(OWED, 400, "CREDIT")),
    ],
    ids=["nothing", "the other way", "unbalanced", "more", "another account", "another party", "another asset"],
)
def test_LEDGER_only_parts_of_an_entry_are_taken_back(parts: tuple[Posting, ...]) -> None:
    with pytest.raises(AssertionError):
        back(entry(*PAIR), [], parts)


def test_a_reversal_is_not_reversed_and_belongs_to_its_original() -> None:
    undone = back(sale(1), [], sale(1).postings)
    with pytest.raises(AssertionError):
        back(undone, [], undone.postings, 3)
    with pytest.raises(AssertionError):
        back(sale(5), [undone], sale(5).postings, 3)


def test_nothing_is_taken_back_before_it_was_posted() -> None:
    early = back(sale(1), [], sale(1).postings, at=NOON - timedelta(seconds=2), day=DAY - timedelta(days=1))
    assert (early.at, early.day) == (NOON, DAY)


def test_MINIMAL_an_entry_posts_to_well_formed_accounts_only() -> None:
    for account in ("xiamen/bank/demo-bank/loans/s_abcdefghijklmnopqrstuvwxyz", "xiamen/bank/demo-bank/pocket"):
        other = combined([Posting(account, "CNY", 5), Posting(BANK.account("cash"), "CNY", -5)])
        with pytest.raises(AssertionError):
            check_entry(replace(sale(1), book=BANK.name, postings=other))


def test_an_entry_is_not_listed_by_a_party_whose_name_only_begins_like_one() -> None:
    with pytest.raises(AssertionError):
        check_entry(replace(sale(1), book=FARM.name[:-1]))
