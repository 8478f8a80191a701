"""What a day calls for: reminders, a suspension, records, and when to look again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from chalicelib.medical.rules import Debt, RecordDue, Suspended
from chalicelib.medical.rules.followups import (
    AGAIN_DAYS,
    RECORDED_WITHIN_DAYS,
    followup,
    suspended_now,
    would_be_missed,
)
from chalicelib.medical.rules.overdue import Told
from tests.unit.medical import ward

RULES = ward.rules()
BEFORE = {1: 5, 2: 10}
CAPTURED, DUE = date(2027, 1, 27), date(2027, 3, 10)


def debt(charge_id: str = "a", *, due_on: date = DUE, version: int = 1, **changes: object) -> Debt:
    made = ward.charge(CAPTURED, 30_000, charge_id)
    return replace(Debt(replace(made, due_on=due_on, policy_version=version)), **changes)  # type: ignore[arg-type]


def test_a_reminder_is_due_by_the_policy_of_each_charge() -> None:
    both = [debt("a"), debt("b", version=2)]
    assert followup(both, date(2027, 2, 27), RULES, BEFORE, {}).remind == ()
    assert followup(both, date(2027, 2, 28), RULES, BEFORE, {}).remind == ("b",)
    assert followup(both, date(2027, 3, 5), RULES, BEFORE, {}).remind == ("a", "b")
    assert followup([debt(cleared_on=date(2027, 2, 1), paid_fen=30_000)], DUE, RULES, BEFORE, {}).remind == ()


def test_the_next_day_is_the_reminders_then_the_one_after_grace_then_every_month() -> None:
    fresh, reminded = debt(), debt(reminded_on=date(2027, 3, 5))
    assert followup([fresh], date(2027, 3, 4), RULES, BEFORE, {}).look_again_on == date(2027, 3, 5)
    assert followup([fresh], date(2027, 3, 5), RULES, BEFORE, {}).look_again_on is None, "it is to be reminded of first"
    assert followup([reminded], date(2027, 3, 5), RULES, BEFORE, {}).look_again_on == date(2027, 3, 11)
    assert followup([reminded], date(2027, 3, 10), RULES, BEFORE, {}).look_again_on == date(2027, 3, 11)
    assert followup([reminded], date(2027, 3, 11), RULES, BEFORE, {}).look_again_on == date(2027, 4, 1)
    assert followup([reminded], date(2027, 4, 1), RULES, BEFORE, {}).look_again_on == date(2027, 5, 1)
    later = debt("b", due_on=date(2027, 3, 20))
    assert followup([reminded, later], date(2027, 3, 11), RULES, BEFORE, {}).look_again_on == date(2027, 3, 15)


def test_days_of_grace_are_waited_for() -> None:
    graceful = [replace(rule, grace_days=3) for rule in RULES]
    reminded = debt(reminded_on=date(2027, 3, 5))
    found = followup([reminded], date(2027, 3, 13), graceful, BEFORE, {})
    assert (found.suspended, found.look_again_on) == (None, date(2027, 3, 14))
    assert followup([reminded], date(2027, 3, 14), graceful, BEFORE, {}).suspended is not None


def test_what_is_paid_calls_for_nothing() -> None:
    paid = debt(reminded_on=date(2027, 3, 5), paid_fen=30_000, cleared_on=DUE)
    found = followup([paid], date(2027, 5, 1), RULES, BEFORE, {})
    assert (found.remind, found.suspended, found.records, found.look_again_on) == ((), None, (), None)


def test_unpaid_after_a_reminder_is_a_suspension_and_after_three_months_a_record() -> None:
    unpaid = [debt(reminded_on=date(2027, 3, 5))]
    assert suspended_now(unpaid, DUE, RULES, {}) is None
    assert suspended_now(unpaid, date(2027, 3, 11), RULES, {}) == Suspended(date(2027, 3, 11), "all_benefits")
    assert followup(unpaid, date(2027, 5, 31), RULES, BEFORE, {}).records == ()
    due = RecordDue(date(2027, 3, 1), date(2027, 6, 1), 3)
    assert followup(unpaid, date(2027, 6, 1), RULES, BEFORE, {}).records == (due,)
    assert followup(unpaid, date(2027, 9, 1), RULES, BEFORE, {}).records == (due,), "a fourth month is no second record"


def test_a_record_that_is_late_beyond_reason_is_not_made_any_more() -> None:
    unpaid = [debt(reminded_on=date(2027, 3, 5))]
    last = date(2027, 6, 1) + timedelta(days=RECORDED_WITHIN_DAYS)
    assert followup(unpaid, last, RULES, BEFORE, {}).records
    assert not followup(unpaid, last + timedelta(days=1), RULES, BEFORE, {}).records


@pytest.mark.parametrize("day", [date(2027, 3, 11), date(2027, 9, 1)])
def test_without_a_rule_people_are_reminded_and_nothing_else(day: date) -> None:
    assert followup([debt()], day, (), BEFORE, {}).remind == ("a",)
    found = followup([debt(reminded_on=date(2027, 3, 5))], day, (), BEFORE, {})
    assert (found.suspended, found.records, found.look_again_on) == (None, (), None)


def test_whom_no_reminder_reached_is_looked_at_daily_and_reminded_anew_after_a_week() -> None:
    unpaid, asked_on = [debt(reminded_on=date(2027, 3, 5))], date(2027, 3, 5)
    told = {"a": Told(None, asked_on)}
    for day in (date(2027, 3, 11), date(2027, 6, 1)):
        found = followup(unpaid, day, RULES, BEFORE, told)
        assert (found.suspended, found.records, found.look_again_on) == (None, (), day + timedelta(days=1))
    assert suspended_now(unpaid, date(2027, 3, 11), RULES, told) is None
    week = asked_on + timedelta(days=AGAIN_DAYS)
    assert followup(unpaid, week - timedelta(days=1), RULES, BEFORE, told).remind == ()
    assert followup(unpaid, week, RULES, BEFORE, told).remind == ("a",)
    paid = [debt(reminded_on=asked_on, paid_fen=30_000, cleared_on=date(2027, 3, 11))]
    assert followup(paid, week, RULES, BEFORE, told).remind == ()


def test_a_reminder_that_reached_him_late_counts_from_then() -> None:
    unpaid, day = [debt(reminded_on=date(2027, 3, 5))], date(2027, 3, 20)
    told = {"a": Told(day, date(2027, 3, 19))}
    found = followup(unpaid, day, RULES, BEFORE, told)
    assert (found.remind, found.suspended, found.look_again_on) == ((), None, day + timedelta(days=1))
    after = day + timedelta(days=1)
    assert suspended_now(unpaid, after, RULES, told) == Suspended(after, "all_benefits")
    assert followup(unpaid, date(2027, 6, 1), RULES, BEFORE, told).records == (
        RecordDue(date(2027, 3, 1), date(2027, 6, 1), 3),
    )


def test_it_matters_only_of_what_was_missed_whether_he_was_reminded() -> None:
    asked_on = date(2027, 3, 5)
    unpaid, late = debt("a", reminded_on=asked_on), debt("b", paid_fen=30_000, cleared_on=date(2027, 3, 11))
    in_time = debt("c", reminded_on=asked_on, paid_fen=30_000, cleared_on=DUE)
    debts = [unpaid, replace(late, reminded_on=asked_on), in_time, debt("d")]
    assert would_be_missed(debts, DUE, RULES) == {}
    assert would_be_missed(debts, date(2027, 3, 11), RULES) == {"a": asked_on, "b": asked_on}
    assert would_be_missed(debts, date(2027, 3, 11), ()) == {}
