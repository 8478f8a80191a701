"""Nobody is suspended whom the bank has not reminded: what the bank's core says of its reminders, and what follows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.medical.rules.followups import AGAIN_DAYS
from chalicelib.medical.rules.instructions import Instruction
from infra.local.stub_bank import Misdeed
from tests.integration.medical.banking import Core, core_of
from tests.integration.medical.calendar import DONE, DUE, MISSED, REMINDED, Calendar, debtor, held, library
from tests.integration.medical.clinic import Clinic
from tests.integration.medical.debts import state
from tests.world import World

SUSPENDED = [("overdue", "xiamen/demo-bank")]
LIFTED = ("restore-benefits", "resume-line")


@pytest.fixture(scope="module")
def calendar(clinic: Clinic) -> Calendar:
    return Calendar(clinic)


@pytest.fixture(scope="module")
def bank_side(clinic: Clinic) -> Iterator[Core]:
    with core_of(clinic) as made:
        yield made


@pytest.fixture
def core(bank_side: Core, world: World, calendar: Calendar) -> Iterator[Core]:
    """A core that has been asked for nothing; whoever is in debt in one test is not in the next one's days."""
    mark = world.mark()
    bank_side.forget()
    yield bank_side
    world.restore(mark)
    calendar.pump.drain()


def run(calendar: Calendar, core: Core, days: int, *misdeeds: Misdeed) -> None:
    """A day: what is due before, the daily function, and how the bank takes what that brings."""
    with calendar.on(days):
        core.send()
    calendar.run(days)
    core.bank.misbehave(*misdeeds)
    with calendar.on(days):
        core.send()
    core.bank.misdeeds.clear()


def reminders(core: Core) -> list[Instruction]:
    return [one for one in core.all() if one.kind == "remind"]


def states(core: Core) -> list[str]:
    return [one.state for one in reminders(core)]


def answer(calendar: Calendar, core: Core, days: int, one: Instruction, said: str) -> None:
    with calendar.on(days):
        assert core.answer(one.instruction_id, state=said, reference="R1").status == 200


def nothing(calendar: Calendar, who: str) -> bool:
    """Whether nothing was done to the person for what is overdue."""
    line = calendar.clinic.line(who).line
    return (calendar.suspensions(who), calendar.records(who), line.suspended_for) == ([], [], frozenset())


def test_whom_the_bank_refused_to_remind_is_not_suspended_and_reminded_anew(calendar: Calendar, core: Core) -> None:
    who = debtor(calendar)
    run(calendar, core, REMINDED, "refuse")
    assert states(core) == ["refused"]
    run(calendar, core, MISSED)
    assert nothing(calendar, who)
    assert calendar.appointments() == [f"{calendar.day(MISSED + 1)}"]
    run(calendar, core, REMINDED + AGAIN_DAYS - 1)
    assert states(core) == ["refused"], "not every day"
    run(calendar, core, REMINDED + AGAIN_DAYS, "refuse")
    assert states(core) == ["refused", "refused"]
    run(calendar, core, REMINDED + AGAIN_DAYS + 1)
    assert nothing(calendar, who)
    again = REMINDED + 2 * AGAIN_DAYS
    run(calendar, core, again)
    assert states(core) == ["refused", "refused", "accepted"]
    assert nothing(calendar, who), "not on the day of his reminder"
    run(calendar, core, again + 1)
    assert calendar.suspensions(who) == SUSPENDED
    assert calendar.looks(who, *DONE) == ["remind-bill"] * 3 + ["suspend-overdue"]


def test_whom_the_bank_never_reminded_has_no_record(calendar: Calendar, core: Core) -> None:
    who = debtor(calendar)
    for day in range(REMINDED, DUE + 130, 4 * AGAIN_DAYS):
        run(calendar, core, day, "refuse")
    assert set(states(core)) == {"refused"}
    run(calendar, core, DUE + 130)
    assert nothing(calendar, who)


def test_an_answer_that_is_unknown_is_waited_for_and_counts_from_its_day(calendar: Calendar, core: Core) -> None:
    who = debtor(calendar)
    run(calendar, core, REMINDED, "500")
    calendar.run(MISSED)
    assert states(core) == ["unknown"]
    assert nothing(calendar, who)
    answer(calendar, core, MISSED + 1, reminders(core)[0], "accepted")
    calendar.run(MISSED + 1)
    assert nothing(calendar, who), "he may have been reminded as late as today"
    calendar.run(MISSED + 2)
    assert calendar.suspensions(who) == SUSPENDED


def test_a_bank_that_is_not_called_has_reminded_until_it_says_otherwise(calendar: Calendar, core: Core) -> None:
    who = debtor(calendar)
    calendar.run(REMINDED)
    calendar.run(MISSED)
    assert states(core) == ["queued"]
    assert calendar.suspensions(who) == SUSPENDED
    answer(calendar, core, MISSED, reminders(core)[0], "refused")
    run(calendar, core, days_to(calendar, calendar.appointments()[-1]), "refuse")
    assert nothing(calendar, who)
    looks = ["remind-bill", "remind-bill", "restore-benefits", "suspend-overdue"]
    assert sorted(calendar.looks(who, *DONE, *LIFTED)) == looks


def test_a_bank_that_fetches_its_list_may_say_so_late(calendar: Calendar, core: Core) -> None:
    who = debtor(calendar)
    calendar.run(REMINDED)
    calendar.run(MISSED)
    answer(calendar, core, MISSED + 3, reminders(core)[0], "accepted")
    calendar.run(MISSED + 3)
    calendar.pay(who, MISSED + 3, 100)
    assert calendar.suspensions(who) == SUSPENDED


def days_to(calendar: Calendar, day: str) -> int:
    return next(days for days in range(400) if f"{calendar.day(days)}" == day)


def test_who_pays_what_he_was_reminded_of_is_restored_at_once(calendar: Calendar, core: Core) -> None:
    who = debtor(calendar, 5_000)
    calendar.charge(who, 7_000, 3)
    run(calendar, core, REMINDED)
    run(calendar, core, REMINDED + 3, "refuse")
    run(calendar, core, MISSED)
    run(calendar, core, MISSED + 3)
    assert states(core) == ["accepted", "refused"]
    assert calendar.suspensions(who) == SUSPENDED
    first, second = calendar.bill(who).on(calendar.day(MISSED + 3)).debts
    calendar.pay(who, MISSED + 3, first.owed_fen)
    assert calendar.bill(who).account.owed_fen >= second.principal_fen
    assert nothing(calendar, who), "in the same write"


def test_a_refusal_is_found_behind_the_months_that_are_stated(calendar: Calendar, core: Core) -> None:
    who = debtor(calendar)
    run(calendar, core, REMINDED, "refuse")
    stated = f"{calendar.day(REMINDED):%Y-%m}"
    first = next(days for days in range(REMINDED, 400) if f"{calendar.day(days):%Y-%m}" > stated)
    with calendar.on(first):
        assert state(calendar.clinic, who, stated).status == 200
    line = calendar.clinic.line(who)
    assert line.stated_until == calendar.day(first)
    core.bank.misbehave("refuse", "refuse")
    calendar.run(max(MISSED, first))
    assert nothing(calendar, who)


def test_ONCE_a_reminder_made_anew_is_made_once(calendar: Calendar, core: Core) -> None:
    who = debtor(calendar)
    run(calendar, core, REMINDED, "refuse")
    for _ in range(2):
        run(calendar, core, REMINDED + AGAIN_DAYS, "refuse")
    assert states(core) == ["refused", "refused"]
    before: Any = calendar.world.items()
    assert calendar.run(REMINDED + AGAIN_DAYS)["done"] == 0
    assert calendar.world.items() == before
    assert library(calendar, who, REMINDED + AGAIN_DAYS)
    assert held(calendar, who, REMINDED + AGAIN_DAYS) is None
