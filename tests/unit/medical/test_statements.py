"""A statement a month: what was charged, paid and owed, and what is due when."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from chalicelib.medical.rules import Account, Due, Refund, Repayment, Stated, Sums, WriteOff, statement
from chalicelib.medical.rules.statements import derived, filed
from tests.unit.medical.ward import charge, policy

TERMS = [policy()]
AUGUST = Account(date(2026, 8, 1))
EVENTS = (
    replace(charge(date(2026, 8, 3), 80_000, "a"), fee_ppm=1_000),
    charge(date(2026, 8, 31), 20_000, "b"),
    Refund("f", "a", date(2026, 8, 31), 30_000),
)


def months() -> list[Stated]:
    august = statement(AUGUST, EVENTS, TERMS)
    september = statement(august.account, [Repayment("r", date(2026, 9, 24), 10_000)], TERMS)
    october = statement(september.account, [Repayment("s", date(2026, 10, 20), 5_000)], TERMS)
    return [august, september, october]


def test_the_month_of_a_visit() -> None:
    told = months()[0].statement
    assert (told.month, told.opening, told.interest_fen) == (date(2026, 8, 1), Sums(), 0)
    assert told.charged == Sums(100_000, 80)
    assert told.refunded == Sums(-30_000, -30)
    assert told.closing == Sums(70_000, 50)
    assert told.dues == (Due(date(2026, 9, 14), 50_050), Due(date(2026, 10, 12), 20_000))
    assert (told.overdue_fen, told.off_fen, len(told.movements)) == (0, 0, 3)


def test_the_month_in_which_something_falls_due() -> None:
    told = months()[1].statement
    # 50,000 for ten days, then 40,300 for seven: 250 and 141.05 fen.
    assert told.repaid == Sums(-9_700, -50, -250)
    assert told.interest_fen == 391
    assert told.closing == Sums(60_300, 0, 141)
    assert (told.overdue_fen, told.dues[0]) == (40_441, Due(date(2026, 9, 14), 40_441))


def test_a_statement_opens_with_what_the_one_before_closed_with() -> None:
    august, september, october = months()
    assert september.statement.opening == august.statement.closing
    assert october.statement.opening == september.statement.closing
    # 40,300 for nineteen days, then 35,823.85 … : the payment takes 141 and the 383 of October first.
    assert october.statement.repaid == Sums(-4_476, 0, -524)
    for stated in (august, september, october):
        assert stated.account.posted_fen == stated.statement.closing.principal_fen


def test_what_is_due_on_the_first_of_the_next_month_is_not_overdue_yet() -> None:
    july = statement(Account(date(2026, 7, 1)), [charge(date(2026, 7, 21), 100)], TERMS)
    august = statement(july.account, [], TERMS).statement
    assert (august.overdue_fen, august.dues) == (0, (Due(date(2026, 9, 1), 100),))


def test_a_month_of_a_policy_that_changes_in_it() -> None:
    terms = [policy(valid_to=date(2026, 9, 20)), policy(version=2, valid_from=date(2026, 9, 20), daily_rate_ppm=200)]
    august = statement(AUGUST, [charge(date(2026, 8, 3), 100_000)], terms)
    september = statement(august.account, [charge(date(2026, 9, 20), 1, "late", terms[1])], terms).statement
    assert september.interest_fen == 6 * 50 + 11 * 20


def test_what_is_written_off_leaves_the_statement_and_is_told_beside_it() -> None:
    stated = statement(AUGUST, [charge(date(2026, 8, 3), 100_000)], TERMS)
    for _ in range(6):
        stated = statement(stated.account, [], TERMS)
    assert stated.statement.month == date(2027, 2, 1)
    march = statement(stated.account, [WriteOff("w", date(2027, 3, 13), 180)], TERMS)
    assert march.statement.written_off.total_fen == -(100_000 + 180 * 50)
    assert (march.statement.closing, march.statement.off_fen, march.statement.dues) == (Sums(), 109_000, ())
    april = statement(march.account, [Repayment("r", date(2027, 4, 1), 9_000)], TERMS).statement
    assert (april.repaid, april.off_fen, april.interest_fen) == (Sums(), 100_000, 0)
    assert april.movements[0].off


@pytest.mark.parametrize(
    ("opening", "days"),
    [(Account(date(2026, 8, 2)), (3,)), (Account(date(2026, 7, 1)), (3,)), (AUGUST, (5, 4))],
)
def test_a_statement_is_of_a_calendar_month_and_of_its_events(opening: Account, days: tuple[int, ...]) -> None:
    events = [charge(date(2026, 8, day), 1, f"c{day}") for day in days]
    with pytest.raises(AssertionError):
        statement(opening, events, TERMS)


def test_a_month_that_is_going_on_is_counted_up_to_a_day() -> None:
    august = statement(AUGUST, EVENTS, TERMS)
    some = statement(august.account, [], TERMS, date(2026, 9, 20))
    # 50,000 for six days.
    assert (some.statement.interest_fen, some.account.as_of) == (150, date(2026, 9, 20))
    assert some.statement.overdue_fen == 50_200
    for until in (date(2026, 10, 1), date(2026, 8, 31)):
        with pytest.raises(AssertionError):
            statement(august.account, [], TERMS, until)


def test_a_statement_is_kept_without_its_movements_and_derived_from_its_events_again() -> None:
    stated = months()[0]
    kept = filed(stated, 0, 4)
    assert (kept.month, kept.stated.statement.movements, kept.stated.account) == (AUGUST.as_of, (), stated.account)
    assert derived(kept, AUGUST, EVENTS, TERMS) == stated.statement
    for events in (EVENTS[:2], (*EVENTS, Repayment("r", date(2026, 8, 31), 1))):
        with pytest.raises(AssertionError):
            derived(kept, AUGUST, events, TERMS)
