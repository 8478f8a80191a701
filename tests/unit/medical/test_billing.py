"""Charges, refunds, repayments and write-offs: where the money goes, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from chalicelib.core.errors import Problem
from chalicelib.core.text import Text
from chalicelib.ledger.rules.lines import (
    AmountNotPositive,
    AmountNotWhole,
    AmountTooLarge,
    LineClosed,
    RefundExceedsCapture,
    RepaymentExceedsDebt,
)
from chalicelib.medical.rules import (
    Account,
    Booked,
    ChargeUnknown,
    Fee,
    Movement,
    Refund,
    Reminder,
    Repayment,
    RepaymentCurrency,
    RepaymentTooSmall,
    WriteOff,
    WriteOffTooEarly,
    advanced,
    charged,
    refunded,
    reminded,
    repaid,
    written_off,
)
from tests.unit.medical.ward import charge, policy

DAY = timedelta(days=1)
START = date(2026, 8, 3)
DUE = START + 42 * DAY
TERMS = [policy()]
BAD = [(True, AmountNotWhole), (0.5, AmountNotWhole), (0, AmountNotPositive), (-5, AmountNotPositive), (2**60, AmountTooLarge)]  # fmt: skip  # noqa: E501


def account(*amounts_fen: int, fee_ppm: int = 0) -> Account:
    """An account with a charge a day from the first on: a, b, c …"""
    made = Account(START)
    for number, amount_fen in enumerate(amounts_fen):
        one = replace(charge(START + number * DAY, amount_fen, "abcdef"[number]), fee_ppm=fee_ppm)
        made = charged(made, one, TERMS).account
    return made


def payoff_fen(owed: Account, day: date) -> int:
    """What would clear everything if it were paid on that day."""
    return advanced(owed, day, TERMS).owed_fen


def pay(to: Account, amount_fen: Any, day: date, **more: Any) -> Booked:
    return repaid(to, Repayment("r", day, amount_fen), TERMS, **more)


def back(to: Account, amount_fen: Any, day: date, charge_id: str = "a") -> Booked:
    return refunded(to, Refund("f", charge_id, day, amount_fen), TERMS)


def parts(booked: Booked) -> list[tuple[str, int, int, int]]:
    return [(one.charge_id, one.fee_fen, one.interest_fen, one.principal_fen) for one in booked.movements]


def test_a_charge_is_owed_and_posted() -> None:
    booked = charged(Account(START), replace(charge(START, 100_000), fee_ppm=1_000), TERMS)
    assert booked.movements == (Movement(START, "charge", "c1", "c1", 100_000, 100),)
    assert (booked.account.posted_fen, booked.account.owed_fen, booked.line_fen) == (100_000, 100_100, -100_000)


def test_what_is_due_first_is_paid_first_and_early_payments_cost_nothing() -> None:
    booked = pay(account(30_000, 20_000, 10_000), 45_000, START + 5 * DAY)
    assert parts(booked) == [("a", 0, 0, -30_000), ("b", 0, 0, -15_000)]
    assert (booked.account.posted_fen, booked.line_fen) == (15_000, 45_000)
    assert [debt.cleared_on for debt in booked.account.debts] == [START + 5 * DAY, None, None]
    assert payoff_fen(booked.account, DUE) == 15_000


def test_a_charge_with_shorter_terms_is_due_first_though_it_came_later() -> None:
    soon = charge(START + DAY, 10_000, "soon", policy(interest_free_days=10))
    booked = pay(charged(account(30_000), soon, TERMS).account, 10_001, START + 2 * DAY)
    assert parts(booked) == [("soon", 0, 0, -10_000), ("a", 0, 0, -1)]


def test_within_a_charge_fees_come_first_then_interest_then_principal() -> None:
    late = account(100_000, 100_000, fee_ppm=1_000)
    assert payoff_fen(late, DUE + 10 * DAY) == 200_200 + 500 + 450
    assert parts(pay(late, 60, DUE + 10 * DAY)) == [("a", -60, 0, 0)]
    assert parts(pay(late, 400, DUE + 10 * DAY)) == [("a", -100, -300, 0)]
    assert parts(pay(late, 700, DUE + 10 * DAY)) == [("a", -100, -500, -100)]
    assert parts(pay(late, 100_700, DUE + 10 * DAY)) == [("a", -100, -500, -100_000), ("b", -100, 0, 0)]
    whole = pay(late, 201_150, DUE + 10 * DAY)
    assert (whole.account.owed_fen, whole.account.posted_fen, whole.line_fen) == (0, 0, 200_000)


def test_interest_runs_on_what_is_left() -> None:
    part = pay(account(100_000), 40_000 + 500, DUE + 10 * DAY).account
    assert payoff_fen(part, DUE + 10 * DAY) == 60_000
    assert payoff_fen(part, DUE + 20 * DAY) == 60_300


def test_paying_in_bits_costs_what_paying_at_once_costs() -> None:
    late = account(1_001)
    bits = late
    for day in range(1, 16):
        assert payoff_fen(bits, DUE + day * DAY) - 1_001 <= 8
        owed = advanced(bits, DUE + day * DAY, TERMS).debts[0].interest_owed_fen
        bits = pay(bits, owed, DUE + day * DAY).account if owed else bits
    assert bits.debts[0].interest_paid_fen == payoff_fen(late, DUE + 15 * DAY) - 1_001 == 8


def test_a_payment_on_the_due_day_is_in_time() -> None:
    assert payoff_fen(account(100_000), DUE) == 100_000
    assert payoff_fen(account(100_000), DUE + DAY) == 100_050


@pytest.mark.parametrize(("amount", "problem"), BAD)
def test_amounts_that_are_none(amount: Any, problem: type[Problem]) -> None:
    with pytest.raises(problem):
        pay(account(100), amount, START)
    with pytest.raises(problem):
        back(account(100), amount, START)


def test_repayments_that_are_refused() -> None:
    owing = account(100_000)
    with pytest.raises(RepaymentCurrency):
        repaid(owing, Repayment("r", START, 2**33, "USD"), TERMS, closed=True)
    with pytest.raises(RepaymentExceedsDebt):
        pay(owing, 100_001, DUE)
    with pytest.raises(RepaymentExceedsDebt):
        pay(owing, 100_051, DUE + DAY, closed=True)
    with pytest.raises(RepaymentExceedsDebt):
        pay(Account(START), 1, START)
    with pytest.raises(LineClosed):
        pay(Account(START), 1, START, closed=True)
    assert pay(owing, 100_050, DUE + DAY, closed=True).account.owed_fen == 0


def test_the_least_of_one_repayment_unless_it_pays_everything() -> None:
    with pytest.raises(RepaymentTooSmall):
        pay(account(100_000), 99, START, least_fen=100)
    assert pay(account(100_000), 100, START, least_fen=100).line_fen == 100
    assert pay(account(99), 99, START, least_fen=100).account.owed_fen == 0


def test_a_refund_lowers_what_is_owed_and_its_fees() -> None:
    booked = back(account(100_000, fee_ppm=1_000), 40_000, START + DAY)
    assert parts(booked) == [("a", -40, 0, -40_000)]
    assert (booked.line_fen, booked.to_person_fen, booked.account.owed_fen) == (40_000, 0, 60_060)
    gone = back(booked.account, 60_000, START + 2 * DAY)
    assert (gone.account.owed_fen, gone.account.debts[0].cleared_on) == (0, START + 2 * DAY)


def test_what_was_paid_of_a_refunded_item_goes_back_to_the_person() -> None:
    paid = pay(account(100_000, 5_000, fee_ppm=1_000), 70_100, START + 2 * DAY).account
    booked = back(paid, 50_000, START + 3 * DAY)
    assert parts(booked) == [("a", 0, 0, -30_000)]
    assert (booked.line_fen, booked.to_person_fen) == (30_000, 20_000 + 50)
    assert booked.account.posted_fen == 5_000
    again = back(booked.account, 50_000, START + 4 * DAY)
    assert (again.line_fen, again.to_person_fen) == (0, 50_050)
    assert again.account.debts[0].cleared_on == START + 3 * DAY
    with pytest.raises(RefundExceedsCapture):
        back(again.account, 1, START + 5 * DAY)


def test_interest_of_the_days_before_a_refund_stays() -> None:
    booked = back(account(100_000), 100_000, DUE + 10 * DAY)
    assert (booked.account.owed_fen, booked.account.posted_fen) == (500, 0)
    assert booked.account.debts[0].cleared_on is None
    assert payoff_fen(booked.account, DUE + 100 * DAY) == 500


def test_refunds_that_are_refused() -> None:
    with pytest.raises(RefundExceedsCapture):
        back(account(100), 101, START)
    with pytest.raises(ChargeUnknown):
        back(account(100), 101, START, "z")


def test_a_write_off_takes_it_off_the_line_and_it_is_owed_still() -> None:
    late = pay(account(100_000, 50_000), 10_000, START + DAY).account
    event = WriteOff("w", DUE + 180 * DAY, 180)
    with pytest.raises(WriteOffTooEarly):
        written_off(late, replace(event, day=DUE + 179 * DAY), TERMS)
    booked = written_off(late, event, TERMS)
    owed = 90_000 + 50_000 + 45 * 180 + 25 * 179
    assert (booked.line_fen, booked.account.posted_fen, booked.account.owed_fen) == (140_000, 0, owed)
    assert sum(one.total_fen for one in booked.movements) == -owed
    assert payoff_fen(booked.account, DUE + 400 * DAY) == owed, "no interest from then on"
    recovered = pay(booked.account, 20_000, DUE + 400 * DAY)
    assert (recovered.line_fen, recovered.account.owed_fen) == (0, owed - 20_000)
    assert all(one.off for one in recovered.movements)
    with pytest.raises(WriteOffTooEarly):
        written_off(recovered.account, event, TERMS)


def test_an_event_of_an_earlier_day_counts_from_when_it_is_known() -> None:
    late = advanced(account(100_000), DUE + 10 * DAY, TERMS)
    booked = pay(late, 500, DUE)
    assert (booked.movements[0].day, parts(booked)) == (DUE + 10 * DAY, [("a", 0, -500, 0)])


def test_the_first_reminder_counts() -> None:
    made = reminded(account(100, 200), Reminder("m", DUE - 5 * DAY, ("a",)), TERMS).account
    made = reminded(made, Reminder("n", DUE, ("a", "b")), TERMS).account
    assert [debt.reminded_on for debt in made.debts] == [DUE - 5 * DAY, DUE]


def test_beliefs_about_accounts() -> None:
    made = account(100, 200)
    for broken in (made.debts[::-1], made.debts[:1] * 2):
        with pytest.raises(AssertionError):
            Account(START, broken).check()


def test_fees_are_the_policys() -> None:
    terms = policy(fees=(Fee(Text("甲", "a"), 1_000),))
    assert charged(Account(START), charge(START, 100_000, terms=terms), [terms]).account.owed_fen == 100_100
