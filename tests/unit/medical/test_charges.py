"""When a charge is due, and what interest it bears: to the day and to the fen."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from chalicelib.core.money import half_even
from chalicelib.core.text import Text
from chalicelib.medical.rules import Charge, Debt, Fee, Policy, accrued, next_month, rate_days, rate_on, split_refund
from tests.unit.medical.ward import charge, policy

DAY = timedelta(days=1)


def interest(one: Charge, principal_fen: int, first: date, until: date, policies: list[Policy]) -> int:
    """Interest on a principal that does not change, rounded once, without the months' sums."""
    return half_even(principal_fen * rate_days(one, first, until, policies), 1_000_000)


@pytest.mark.parametrize(
    ("day", "due_on"),
    [
        (date(2026, 8, 3), date(2026, 9, 14)),
        (date(2028, 1, 18), date(2028, 2, 29)),
        (date(2028, 1, 19), date(2028, 3, 1)),
        (date(2027, 1, 18), date(2027, 3, 1)),
        (date(2026, 12, 31), date(2027, 2, 11)),
        (date(2028, 2, 29), date(2028, 4, 11)),
    ],
)
def test_a_charge_is_due_42_days_after_its_capture(day: date, due_on: date) -> None:
    assert charge(day, 1).due_on == due_on


def test_no_interest_until_the_due_day_and_a_days_on_the_next() -> None:
    one = charge(date(2026, 8, 3), 100_000)
    due = one.due_on
    assert interest(one, 100_000, one.day, due, [policy()]) == 0
    assert interest(one, 100_000, one.day, due + DAY, [policy()]) == 50
    assert interest(one, 100_000, one.day, due + 10 * DAY, [policy()]) == 500
    assert interest(one, 100_000, due + 3 * DAY, due + 10 * DAY, [policy()]) == 350


def test_interest_is_rounded_half_to_even() -> None:
    one = charge(date(2026, 8, 3), 1_000)
    told = [
        interest(one, principal, one.due_on, one.due_on + DAY, [policy()]) for principal in (999, 1_000, 1_001, 3_000)
    ]
    assert told == [0, 0, 1, 2], "0.4995, 0.5, 0.5005 and 1.5 fen"


def test_days_of_february_are_counted_as_they_are() -> None:
    one = charge(date(2027, 12, 1), 1_000_000)
    assert one.due_on == date(2028, 1, 12)
    leap = interest(one, 1_000_000, date(2028, 2, 1), date(2028, 3, 1), [policy()])
    assert leap == 29 * 500
    assert next_month(date(2028, 2, 29)) == date(2028, 3, 1)
    assert next_month(date(2028, 1, 31)) == date(2028, 2, 1)
    assert next_month(date(2027, 12, 31)) == date(2028, 1, 1)


def test_a_later_policy_lowers_a_rate_from_its_first_day_and_never_raises_it() -> None:
    one = charge(date(2026, 8, 3), 100_000)
    middle = one.due_on + 5 * DAY
    first, until = one.due_on, one.due_on + 10 * DAY
    old = policy(valid_to=middle)
    cut = [old, policy(version=2, valid_from=middle, daily_rate_ppm=300)]
    assert rate_days(one, first, until, cut) == 5 * 500 + 5 * 300
    assert interest(one, 100_000, first, until, cut) == 400
    dearer = [old, policy(version=2, valid_from=middle, daily_rate_ppm=900)]
    assert rate_days(one, first, until, dearer) == 10 * 500
    gap = [old, policy(version=2, valid_from=middle + DAY, daily_rate_ppm=300)]
    assert rate_days(one, first, until, gap) == 6 * 500 + 4 * 300
    back = [old, policy(version=2, valid_from=middle, valid_to=middle + DAY, daily_rate_ppm=0),
            policy(version=3, valid_from=middle + DAY)]  # fmt: skip
    assert rate_days(one, first, until, back) == 9 * 500
    assert rate_on(one, middle, back) == 0
    assert rate_days(one, until, first, cut) == 0


def test_the_terms_of_a_charge_are_those_of_its_policy() -> None:
    one = charge(date(2026, 8, 3), 10, terms=policy(version=9, interest_free_days=10, daily_rate_ppm=7))
    assert (one.policy_version, one.due_on, one.daily_rate_ppm) == (9, date(2026, 8, 13), 7)
    with pytest.raises(AssertionError):
        charge(date(2026, 8, 3), 0)


def test_interest_is_rounded_once_a_month_however_often_it_is_looked_at() -> None:
    debt = Debt(charge(date(2026, 7, 20), 1_001))  # due on 31 August
    for day in range(1, 30):
        debt = accrued(debt, date(2026, 9, day), date(2026, 9, day + 1), [policy()])
    assert debt.interest_owed_fen == 15, "14.5145 fen"
    debt = accrued(debt, date(2026, 9, 30), date(2026, 10, 1), [policy()])
    assert (debt.interest_fen, debt.accrued_ppm_fen) == (15, 0), "15.015 fen"
    with pytest.raises(AssertionError):
        accrued(debt, date(2026, 10, 1), date(2026, 11, 2), [policy()])


def test_a_fee_is_on_the_item_after_refunds() -> None:
    terms = policy(fees=(Fee(Text("甲", "a"), 1_000), Fee(Text("乙", "b"), 500)))
    debt = Debt(charge(date(2026, 8, 3), 100_000, terms=terms))
    assert (debt.fee_fen, debt.owed_fen) == (150, 100_150)
    assert replace(debt, refunded_fen=50_000).fee_fen == 75
    assert replace(debt, refunded_fen=99_667).fee_fen == 0, "0.4995 fen"


def test_a_refund_of_an_item_goes_first_to_what_is_not_paid_yet() -> None:
    day = date(2026, 8, 3)
    debts = [Debt(charge(day, 100, "a"), paid_fen=60), Debt(charge(day, 50, "b"), refunded_fen=20)]
    assert split_refund(debts, 30) == (("b", 30),)
    assert split_refund(debts, 70) == (("b", 30), ("a", 40))
    assert split_refund(debts, 130) == (("b", 30), ("a", 100))
    with pytest.raises(AssertionError):
        split_refund(debts, 131)


def test_beliefs_about_debts() -> None:
    fresh = Debt(charge(date(2026, 8, 3), 100))
    assert fresh.check() is fresh
    for broken in (
        replace(fresh, paid_fen=101), replace(fresh, paid_fen=-1), replace(fresh, fee_paid_fen=1),
        replace(fresh, interest_paid_fen=1), replace(fresh, paid_fen=100), replace(fresh, cleared_on=date(2026, 9, 1)),
    ):  # fmt: skip
        with pytest.raises(AssertionError):
            broken.check()
