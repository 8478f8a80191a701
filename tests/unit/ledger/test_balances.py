"""Balances at any instant, from entries in any order."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

from chalicelib.ledger.rules import Entry, Posting, TrialBalance, TrialLine, balances, reversal, trial_balance
from tests.unit.ledger.books import BANK, CITY, DAY, FARM, NOON, entry_id, sale

MILLISECOND = timedelta(milliseconds=1)
THEN = timedelta(days=3)
REFUND = reversal(sale(1), [], sale(1).postings, entry_id=entry_id(9), at=NOON + THEN, day=DAY + THEN, purpose="refund")
BOOK = [sale(1), sale(2, hours=5, list_fen=8800, payable_fen=4401), sale(3, hours=24), REFUND]
OWED = (FARM.account("receivable"), "CNY")


def test_a_balance_is_of_an_instant() -> None:
    owed = [900, 900 + 2200, 900 + 2200 + 900, 2200 + 900]
    assert balances(BOOK, NOON) == {}
    for posted, expected in zip(BOOK, owed, strict=True):
        assert balances(BOOK, posted.at + MILLISECOND)[OWED] == expected
    assert balances(BOOK)[OWED] == owed[-1]


def test_the_end_of_one_span_is_the_beginning_of_the_next() -> None:
    for posted in BOOK:
        before, after = balances(BOOK, posted.at), balances(BOOK, posted.at + MILLISECOND)
        moved = {(p.account, p.asset): p.amount for p in posted.postings}
        assert after == {key: before.get(key, 0) + moved.get(key, 0) for key in {*before, *moved}}


def test_the_order_of_entries_does_not_matter() -> None:
    assert len({trial_balance(order) for order in permutations(BOOK)}) == 1


def test_a_trial_balance_shows_both_sides() -> None:
    found = trial_balance([sale(1), REFUND])
    assert found.entries == 2
    assert TrialLine(*OWED, 900, 900) in found.lines
    assert [line.account for line in found.lines] == sorted(line.account for line in found.lines)
    assert found.totals("CNY") == (7200 + 1800, 7200 + 1800)
    assert (found.assets, found.balanced) == (("CNY",), True)
    assert all(line.balance == 0 for line in found.lines)


def test_every_party_balances_by_itself() -> None:
    for party in (FARM, CITY, BANK):
        own = [line.balance for line in trial_balance(BOOK).lines if line.account.startswith(party.name + "/")]
        assert len(own) >= 2
        assert sum(own) == 0


def test_LEDGER_a_trial_balance_that_does_not_balance_says_so() -> None:
    lopsided = Entry(entry_id(7), NOON, DAY, "redeem", FARM.name, (Posting(*OWED, 5),))
    assert not trial_balance([lopsided]).balanced
    assert trial_balance([]) == TrialBalance((), 0)
    assert trial_balance([]).balanced


def test_assets_are_never_added_together() -> None:
    other = Entry(
        entry_id(8),
        NOON,
        DAY,
        "redeem",
        FARM.name,
        (Posting(CITY.account("payable"), "CREDIT", -7), Posting(OWED[0], "CREDIT", 7)),
    )
    found = trial_balance([sale(1), other])
    assert found.assets == ("CNY", "CREDIT")
    assert (found.totals("CREDIT"), balances([sale(1), other])[OWED]) == ((7, 7), 900)
