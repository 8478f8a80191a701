"""Reminders, suspensions, restorations, defaults in a row, as situations on a calendar."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from chalicelib.medical.rules import (
    Account,
    Obligation,
    Reminder,
    Repayment,
    Rule,
    Suspended,
    charged,
    defaults,
    last_day,
    missed_on,
    obligation,
    records_due,
    reminded,
    reminder_on,
    repaid,
    rule_for,
    suspended,
    to_remind,
)
from chalicelib.medical.rules.instructions import BankAnswer, Instruction, InstructionState
from chalicelib.medical.rules.outbox import MOST_ATTEMPTS, answered, asked_anew
from chalicelib.medical.rules.overdue import Told, told, told_on
from chalicelib.subjects.rules import AccountRef
from tests.unit.medical.ward import charge, policy, rules

DAY = timedelta(days=1)
RULES = rules()
YEAR_END = date(2027, 12, 31)


def due(month: int, day: int = 10, cleared: date | None = None, year: int = 2027, **more: date | None) -> Obligation:
    due_on = date(year, month, day)
    fixed: dict[str, date | None] = {"reminded_on": due_on - 5 * DAY, "cleared_on": cleared} | more
    return Obligation(f"c{month}-{day}", due_on, **fixed)


def in_time(month: int, day: int = 10) -> Obligation:
    return due(month, day, cleared=date(2027, month, day))


def late(month: int, day: int = 10) -> Obligation:
    """Paid on the day after its due day."""
    return due(month, day, cleared=date(2027, month, day) + DAY)


def rows(obligations: list[Obligation], on: date = YEAR_END) -> list[tuple[int, int]]:
    return [(one.month.month, one.in_a_row) for one in defaults(obligations, on, RULES)]


@pytest.mark.parametrize(
    ("captured", "days_before", "sent"),
    [
        (date(2027, 1, 18), 5, date(2027, 2, 24)),
        (date(2027, 1, 18), 0, date(2027, 3, 1)),
        (date(2027, 1, 18), 42, date(2027, 1, 18)),
    ],
)
def test_when_a_reminder_is_sent(captured: date, days_before: int, sent: date) -> None:
    due_on = charge(captured, 1).due_on
    assert reminder_on(captured, due_on, days_before) == sent
    assert reminder_on(captured, captured + 2 * DAY, 5) == captured, "never before the capture"


def test_who_is_reminded() -> None:
    def reminders(of: Account, day: date) -> list[str]:
        return [debt.charge.charge_id for debt in of.debts if to_remind(debt, day, 5)]

    account = Account(date(2027, 1, 1))
    for number, name in enumerate("abc"):
        account = charged(account, charge(date(2027, 1, 1) + number * DAY, 100, name), [policy()]).account
    account = repaid(account, Repayment("r", date(2027, 1, 5), 100), [policy()]).account
    assert reminders(account, date(2027, 2, 7)) == []
    assert reminders(account, date(2027, 2, 8)) == ["b"]
    account = reminded(account, Reminder("m", date(2027, 2, 8), ("b",)), [policy()]).account
    assert reminders(account, date(2027, 2, 20)) == ["c"], "one that was forgotten is sent late"
    assert obligation(account.debts[1]) == Obligation("b", date(2027, 2, 13), date(2027, 2, 8), None)
    assert obligation(account.debts[0]).cleared_on == date(2027, 1, 5)


def test_unpaid_past_a_reminder_suspends_and_paying_restores_at_once() -> None:
    unpaid = due(3)
    assert suspended([unpaid], date(2027, 3, 10), RULES) is None
    assert suspended([unpaid], date(2027, 3, 11), RULES) == Suspended(date(2027, 3, 11), "all_benefits")
    paid = replace(unpaid, cleared_on=date(2027, 3, 20))
    assert suspended([paid], date(2027, 3, 19), RULES) is not None
    assert suspended([paid], date(2027, 3, 20), RULES) is None
    assert suspended([in_time(3)], YEAR_END, RULES) is None
    assert suspended([], YEAR_END, RULES) is None


def test_everything_that_is_overdue_must_be_paid() -> None:
    both = [due(3, 10, cleared=date(2027, 4, 20)), due(4)]
    assert suspended(both, date(2027, 4, 20), RULES) == Suspended(date(2027, 4, 11), "all_benefits")
    assert suspended(both, date(2027, 4, 19), RULES) == Suspended(date(2027, 3, 11), "all_benefits")


def test_nobody_is_suspended_without_a_reminder_and_a_late_one_counts_from_its_day() -> None:
    silent = due(3, reminded_on=None)
    assert missed_on(silent, RULES) is None
    assert suspended([silent], YEAR_END, RULES) is None
    assert rows([silent]) == []
    asked = due(3, reminded_on=date(2027, 5, 2))
    assert (last_day(asked, RULES), missed_on(asked, RULES)) == (date(2027, 5, 2), date(2027, 5, 3))
    assert missed_on(replace(asked, cleared_on=date(2027, 5, 2)), RULES) is None


def test_rules_are_dated_and_a_due_day_goes_by_its_own() -> None:
    mild = Rule(date(2027, 4, 1), 7, "credit_line", 4, "made for a test")
    both = [mild, *RULES]
    assert rule_for(date(2027, 3, 31), both) == RULES[0]
    assert rule_for(date(2027, 4, 1), both) == mild
    assert rule_for(date(2000, 1, 1), both) == RULES[0], "before all rules the first one holds"
    april = due(4)
    assert suspended([april], date(2027, 4, 17), both) is None
    assert suspended([april], date(2027, 4, 18), both) == Suspended(date(2027, 4, 18), "credit_line")
    wide = suspended([april, due(3)], date(2027, 4, 18), both)
    assert wide == Suspended(date(2027, 3, 11), "all_benefits"), "the widest scope counts, from the earliest day"


def test_three_months_in_a_row_make_one_record() -> None:
    three = [late(1), late(2), late(3), late(4)]
    assert rows(three) == [(1, 1), (2, 2), (3, 3), (4, 4)]
    assert [(one.first_month, one.on, one.in_a_row) for one in records_due(three, YEAR_END, RULES)] == [
        (date(2027, 1, 1), date(2027, 3, 11), 3)
    ]  # fmt: skip
    assert records_due(three, date(2027, 3, 10), RULES) == ()
    assert len(records_due(three, date(2027, 3, 11), RULES)) == 1


def test_a_visit_of_three_days_is_one_default() -> None:
    assert rows([late(1, 10), late(1, 11), late(1, 12)]) == [(1, 1)]


def test_a_month_in_which_all_was_paid_in_time_begins_anew_and_an_idle_one_does_not_count() -> None:
    assert rows([late(1), late(2), in_time(3), late(4)]) == [(1, 1), (2, 2), (4, 1)]
    assert rows([late(1), late(5)]) == [(1, 1), (5, 2)]
    assert rows([late(1), in_time(2, 5), late(2, 20)]) == [(1, 1), (2, 2)], "one missed is enough"


def test_a_debt_that_stays_unpaid_through_a_month_makes_it_a_default() -> None:
    stays = due(1, cleared=date(2027, 3, 31))
    assert rows([stays]) == [(1, 1), (2, 2)]
    assert rows([replace(stays, cleared_on=date(2027, 4, 1))]) == [(1, 1), (2, 2), (3, 3)]
    unpaid = replace(stays, cleared_on=None)
    assert rows([unpaid], date(2027, 3, 31)) == [(1, 1), (2, 2)]
    assert [one.on for one in records_due([unpaid], date(2027, 4, 1), RULES)] == [date(2027, 4, 1)]
    assert rows([unpaid, in_time(2)], date(2027, 3, 1)) == [(1, 1), (2, 2)], "paying another does not help"


def test_a_due_day_at_the_end_of_a_month() -> None:
    assert rows([due(1, 31, cleared=date(2027, 2, 28))]) == [(1, 1)]
    assert rows([due(1, 31, cleared=date(2027, 3, 1))]) == [(1, 1), (2, 2)]


def test_a_month_counts_as_unpaid_through_only_if_it_was_missed_before_its_first_day() -> None:
    asked_late = due(1, reminded_on=date(2027, 2, 10), cleared=date(2027, 3, 20))
    assert rows([asked_late]) == [(1, 1)]
    assert rows([replace(asked_late, cleared_on=date(2027, 4, 1))]) == [(1, 1), (3, 2)]


def test_two_rows_make_two_records() -> None:
    eight = [late(1), late(2), late(3), in_time(4), late(5), late(6), late(7)]
    assert [one.first_month.month for one in records_due(eight, YEAR_END, RULES)] == [1, 5]


def test_what_is_not_due_yet_says_nothing() -> None:
    assert rows([due(3)], date(2027, 3, 10)) == []
    assert rows([due(3)], date(2027, 2, 1)) == []


ASKED, SAID = date(2027, 3, 5), date(2027, 3, 9)


def sent(state: InstructionState, attempts: int) -> Instruction:
    at = datetime(2027, 3, 5, 4, tzinfo=UTC)
    ref = AccountRef("xiamen", "s_a")
    return Instruction("i", "xiamen", "b", ref, "remind", 0, ASKED, at, "r", state=state, attempts=attempts)


@pytest.mark.parametrize(
    ("state", "attempts", "on"),
    [
        ("queued", 0, ASKED),
        ("sent", 1, None),
        ("unknown", 8, None),
        ("refused", 1, None),
        ("refused", 0, None),
        ("accepted", 1, SAID),
        ("accepted", 0, ASKED),
    ],
)
def test_a_reminder_counts_from_when_it_had_reached_him(
    state: InstructionState, attempts: int, on: date | None
) -> None:
    assert told_on(ASKED, sent(state, attempts), SAID) == on


def test_a_reminder_counts_from_its_day_at_the_earliest_and_not_while_the_outbox_lacks_it() -> None:
    assert told_on(ASKED, None, None) is None, "nobody could have fetched it, and it may be lost"
    assert told_on(ASKED, sent("accepted", 1), ASKED - DAY) == ASKED


def test_a_reminder_that_is_asked_for_anew_counts_from_what_the_bank_says_then() -> None:
    now = datetime(2027, 3, 9, 4, tzinfo=UTC)
    anew = asked_anew(sent("unknown", MOST_ATTEMPTS), now)
    assert told_on(ASKED, anew, None) is None
    assert told_on(ASKED, answered(anew, BankAnswer("accepted", "B1", now, "bank")), SAID) == SAID, "it had been called"


def test_of_several_reminders_the_first_that_reached_him_counts() -> None:
    assert told([(ASKED, None), (SAID, None)]) == Told(None, SAID)
    assert told([(ASKED, None), (SAID, SAID + DAY), (SAID + DAY, SAID + DAY)]) == Told(SAID + DAY, SAID + DAY)
    assert told([(ASKED, SAID), (SAID, None)]) == Told(SAID, SAID)
