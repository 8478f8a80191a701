"""Appointments that are kept twice, late, half, or beside somebody else: the end is the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from app import stream
from chalicelib.core import chores, commit
from chalicelib.medical.rules.followups import OVERDUE
from chalicelib.medical.service import following
from chalicelib.medical.service.bills import read_bill
from chalicelib.medical.service.standing import suspend_for
from chalicelib.medical.store.appointments import Appointment, keep
from tests.integration.medical.calendar import DONE, DUE, FREE_DAYS, MISSED, REMINDED, Calendar, debtor
from tests.integration.medical.clinic import Clinic
from tests.world import World


@pytest.fixture(scope="module")
def calendar(clinic: Clinic) -> Calendar:
    return Calendar(clinic)


@pytest.fixture(autouse=True)
def _as_before(world: World, calendar: Calendar) -> Iterator[None]:
    """Whoever is in debt in one test is not in the next one's days."""
    mark = world.mark()
    yield
    world.restore(mark)
    calendar.pump.drain()


def test_ONCE_the_same_day_again_changes_nothing(calendar: Calendar) -> None:
    who = debtor(calendar)
    calendar.run(REMINDED)
    calendar.run(MISSED)
    before = calendar.world.items()
    assert calendar.run(MISSED)["done"] == 0
    due = Appointment("xiamen", calendar.day(REMINDED), calendar.world.ref(who).person_id, "demo-bank")
    with calendar.on(MISSED) as now:
        following.attend(due, now)
        following.attend(due, now)
    assert calendar.world.items() == before


def test_ONCE_a_charge_told_twice_and_late_is_reminded_once(calendar: Calendar) -> None:
    who = debtor(calendar)
    calendar.run(REMINDED)
    calendar.run(MISSED)
    row = next(
        item for item in calendar.world.items() if item.get("what") == {"S": "charge"} and of(calendar, who, item)
    )
    record = {"eventName": "INSERT", "dynamodb": {"SequenceNumber": "1", "NewImage": row}}
    assert stream({"Records": [record, record]}, None) == {"batchItemFailures": []}
    assert f"{calendar.day(REMINDED)}" in calendar.appointments()
    calendar.run(MISSED)
    assert calendar.looks(who, *DONE) == ["remind-bill", "suspend-overdue"]
    assert f"{calendar.day(REMINDED)}" not in calendar.appointments()


def of(calendar: Calendar, who: str, item: Any) -> bool:
    return calendar.world.ref(who).person_id in item["pk"]["S"]


@pytest.mark.parametrize("fatal", [1, 2, 3, 4])
def test_whoever_crashes_half_way_is_made_up_for(
    calendar: Calendar, monkeypatch: pytest.MonkeyPatch, fatal: int
) -> None:
    who = debtor(calendar)
    calendar.run(REMINDED)
    writes, through = 0, commit._attempt

    def breaking(found: Any) -> bool:
        nonlocal writes
        writes += 1
        if writes == fatal:
            raise AssertionError("the process dies here")
        done = through(found)
        if writes == fatal - 2:
            raise AssertionError("the process dies after the write")
        return done

    with calendar.on(MISSED), monkeypatch.context() as patch:
        patch.setattr(commit, "_attempt", breaking)
        chores.do_all()
    calendar.run(MISSED)
    assert calendar.suspensions(who) == [("overdue", "xiamen/demo-bank")]
    assert calendar.looks(who, *DONE) == ["remind-bill", "suspend-overdue"]
    assert calendar.clinic.line(who).line.suspended_for >= {OVERDUE}
    assert len(calendar.appointments()) == 1


def test_a_payment_between_the_look_and_the_write_is_seen(calendar: Calendar, monkeypatch: pytest.MonkeyPatch) -> None:
    who = debtor(calendar)
    calendar.run(REMINDED)
    paid: list[bool] = []

    def paid_meanwhile(*args: Any) -> bool:
        if not paid:
            paid.append(True)
            calendar.pay(who, MISSED)
        return suspend_for(*args)

    monkeypatch.setattr(following, "suspend_for", paid_meanwhile)
    calendar.run(MISSED)
    assert paid
    assert calendar.suspensions(who) == []
    assert calendar.looks(who, *DONE) == ["remind-bill"]


def test_a_charge_between_the_look_and_the_end_keeps_the_appointment(
    calendar: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = debtor(calendar)
    calendar.run(REMINDED)
    calendar.pay(who, REMINDED)
    calendar.clinic.in_force(calendar.clinic.policy(reminder_days_before=366))
    charged: list[bool] = []

    def charged_meanwhile(*args: Any) -> None:
        if not charged:
            charged.append(True)
            calendar.charge(who, 5_000, MISSED)
        keep(*args)

    monkeypatch.setattr(following, "keep", charged_meanwhile)
    calendar.run(MISSED)
    assert charged
    assert calendar.looks(who, *DONE) == ["remind-bill", "remind-bill"], "its only word was the appointment of that day"
    assert calendar.appointments() == [f"{calendar.day(MISSED + FREE_DAYS + 1)}"]


def test_who_comes_months_late_makes_the_same_record(calendar: Calendar) -> None:
    who = debtor(calendar)
    calendar.run(REMINDED)
    calendar.run(DUE + 110)
    assert sorted(calendar.looks(who, *DONE)) == sorted(DONE)
    (record,) = calendar.records(who)
    assert record["in_a_row"] == 3
    calendar.run(DUE + 111)
    assert len(calendar.records(who)) == 1


def test_an_appointment_that_fails_does_not_keep_others_from_being_kept(
    calendar: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    who, other = debtor(calendar), debtor(calendar)
    broken = calendar.world.ref(who).person_id

    def breaking(city_id: str, person_id: str, bank_id: str) -> Any:
        assert person_id != broken, "this one breaks a belief"
        return read_bill(city_id, person_id, bank_id)

    with calendar.on(REMINDED), monkeypatch.context() as patch:
        patch.setattr(following, "read_bill", breaking)
        done = chores.do_all()
    assert (done.done, done.failed) == (1, 1)
    assert (calendar.looks(who, *DONE), calendar.looks(other, *DONE)) == ([], ["remind-bill"])
    calendar.run(REMINDED)
    assert calendar.looks(who, *DONE) == ["remind-bill"]
