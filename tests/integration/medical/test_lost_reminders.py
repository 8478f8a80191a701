"""A reminder posts nothing, so no entry tells of it: one that was lost is found by its event, and made as long as it
would tell the person something true."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.core import clock, table
from chalicelib.medical.rules.followups import AGAIN_DAYS
from chalicelib.medical.rules.instructions import Instruction
from chalicelib.medical.service import reconciling
from chalicelib.medical.store import bills, outbox
from tests.integration.medical.banking import OF, Core, core_of
from tests.integration.medical.calendar import DONE, FREE_DAYS, MISSED, REMINDED, Calendar, debtor
from tests.integration.medical.clinic import Clinic
from tests.integration.medical.desk import Clerk
from tests.world import World


@pytest.fixture
def calendar(own_world: World) -> Calendar:
    return Calendar(Clinic(own_world))


@pytest.fixture
def core(calendar: Calendar) -> Iterator[Core]:
    with core_of(calendar.clinic) as made:
        yield made


@pytest.fixture
def clerk(core: Core, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Clerk:
    return Clerk(core, tmp_path / "bank.csv", capsys)


def reminded(calendar: Calendar, core: Core) -> tuple[str, Instruction]:
    """Somebody who owes something and was to be reminded of it: who, and the instruction."""
    who = calendar.clinic.insured()
    calendar.charge(who, 5_000)
    calendar.run(REMINDED)
    (made,) = [one for one in core.all() if one.kind == "remind" and one.ref == calendar.world.ref(who)]
    return who, made


def lose(one: Instruction) -> None:
    table.Row(*outbox.instruction_key(*OF, one.instruction_id)).delete()


def test_a_reminder_that_was_lost_is_named_and_made(calendar: Calendar, core: Core, clerk: Clerk) -> None:
    _, kept = reminded(calendar, core)
    _, lost = reminded(calendar, core)
    with calendar.on(REMINDED):
        core.send()
        lose(lost)
        core.bank.book.lines.pop(lost.instruction_id)
        _, found = clerk.report()
        (one,) = found["differences"]
        assert (one["code"], one["instruction_id"]) == ("reminder_lost", lost.instruction_id)
        assert (one["egret_says"], one["close"]) == (f"{lost.day}", None)
        _, said = clerk.run()
        assert "应通知本人，但没有给银行的指令" in said
        assert "a person is to be reminded, and the bank was never told" in said
        assert clerk.report(None, "--settle")[1]["settled"] == 1
        made = core.one(lost.instruction_id)
        assert (made.kind, made.day, made.about, made.state) == ("remind", lost.day, lost.about, "queued")
        assert clerk.counts() == {}
        assert core.send().answered == 1
    assert set(core.bank.book.lines) >= {kept.instruction_id, lost.instruction_id}


def test_nobody_is_reminded_of_what_he_has_paid_since(calendar: Calendar, core: Core, clerk: Clerk) -> None:
    who, lost = reminded(calendar, core)
    with calendar.on(REMINDED):
        core.send()
    lose(lost)
    calendar.pay(who, REMINDED, 2_000)
    with calendar.on(REMINDED):
        assert clerk.counts() == {"reminder_lost": 1, "not_here": 1}, "something of it is owed still"
    calendar.pay(who, REMINDED)
    with calendar.on(REMINDED):
        assert clerk.counts(None, "--settle") == {"not_here": 1}
        assert outbox.load_instruction(*OF, lost.instruction_id) is None


def test_whom_a_lost_reminder_never_reached_is_not_suspended_and_reminded_anew(calendar: Calendar, core: Core) -> None:
    who = debtor(calendar)
    calendar.run(REMINDED)
    (lost,) = [one for one in core.all() if one.kind == "remind"]
    lose(lost)
    calendar.run(MISSED)
    assert calendar.suspensions(who) == []
    again = REMINDED + AGAIN_DAYS
    calendar.run(again)
    (anew,) = [one for one in core.all() if one.kind == "remind"]
    assert (anew.day, calendar.suspensions(who)) == (calendar.day(again), [])
    calendar.run(again + 1)
    assert calendar.suspensions(who) == [("overdue", "xiamen/demo-bank")]
    assert calendar.looks(who, *DONE) == ["remind-bill"] * 2 + ["suspend-overdue"]


def test_whom_a_lost_reminder_never_reached_has_no_record(calendar: Calendar, core: Core) -> None:
    who, rest = debtor(calendar), range(REMINDED + 1, MISSED + 130, AGAIN_DAYS)
    for day in (REMINDED, *rest):
        calendar.run(day)
        for one in core.all():
            lose(one)
    assert (calendar.suspensions(who), calendar.records(who)) == ([], [])


def test_a_reminder_that_is_made_late_counts_from_the_day_on_which_it_was_made(
    calendar: Calendar, core: Core, clerk: Clerk
) -> None:
    who = debtor(calendar)
    with calendar.on(0):
        core.send()
    calendar.run(REMINDED)
    (lost,) = [one for one in core.all() if one.kind == "remind"]
    lose(lost)
    with calendar.on(MISSED):
        assert clerk.report(None, "--settle")[1]["settled"] == 1
    calendar.run(MISSED)
    assert (core.one(lost.instruction_id).state, calendar.suspensions(who)) == ("queued", []), "he was told today"
    calendar.run(MISSED + 1)
    assert calendar.suspensions(who) == [("overdue", "xiamen/demo-bank")]


def test_a_lost_reminder_of_other_days_or_of_another_bank_s_is_not_named(calendar: Calendar, core: Core) -> None:
    _, lost = reminded(calendar, core)
    lose(lost)
    now, ever = calendar.morning(REMINDED), (calendar.day(0), calendar.day(FREE_DAYS))
    assert [one.instruction_id for one in reconciling.unreminded(*OF, now, *ever)] == [lost.instruction_id]
    assert [one.code for one in reconciling.unreminded(*OF, now)] == ["reminder_lost"]
    for days in ((calendar.day(0), lost.day), (calendar.day(REMINDED + 1), calendar.day(FREE_DAYS))):
        assert list(reconciling.unreminded(*OF, now, *days)) == []
    assert list(reconciling.unreminded("xiamen", "other-bank", now, *ever)) == []


def test_reminders_are_looked_through_page_by_page(
    calendar: Calendar, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bills, "EVENTS_AT_ONCE", 1)
    monkeypatch.setattr(reconciling, "_AT_ONCE", 2)
    lost = [reminded(calendar, core)[1] for _ in range(3)]
    assert list(reconciling.unreminded(*OF, calendar.morning(REMINDED))) == []
    for one in lost:
        lose(one)
    found = list(reconciling.unreminded(*OF, calendar.morning(REMINDED)))
    assert {one.instruction_id for one in found} == {one.instruction_id for one in lost}
    assert clock.now() < calendar.morning(REMINDED)
