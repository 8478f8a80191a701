"""What follows from time: reminders, suspension, restoration at once, records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest

from chalicelib.core.commit import Unit
from chalicelib.medical.service import following, standing
from chalicelib.medical.store import save_line
from chalicelib.medical.store.appointments import rules_of
from chalicelib.subjects.rules import Account
from chalicelib.subjects.store import create_account, load_account
from tests.integration.medical.calendar import DONE, DUE, MISSED, REMINDED, Calendar, debtor, held, library
from tests.integration.medical.clinic import OTHER_BANK, Clinic
from tests.world import XIAMEN, World

REASON = {"zh": "停用", "en": "suspended"}


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


def test_a_reminder_goes_out_five_days_before_the_due_day(calendar: Calendar) -> None:
    who = debtor(calendar)
    assert calendar.appointments() == [f"{calendar.day(REMINDED)}"]
    calendar.run(REMINDED - 1)
    assert calendar.looks(who, *DONE) == []
    calendar.run(REMINDED)
    assert calendar.looks(who, *DONE) == ["remind-bill"]
    (debt,) = calendar.bill(who).account.debts
    assert debt.reminded_on == calendar.day(REMINDED)
    assert calendar.appointments() == [f"{calendar.day(MISSED)}"]


def test_unpaid_after_a_reminder_all_benefits_are_suspended_and_a_payment_restores_at_once(calendar: Calendar) -> None:
    who = debtor(calendar)
    calendar.run(REMINDED)
    calendar.run(DUE)
    assert library(calendar, who, DUE)
    assert held(calendar, who, DUE) is None
    calendar.run(MISSED)
    assert calendar.suspensions(who) == [("overdue", "xiamen/demo-bank")]
    assert not library(calendar, who, MISSED)
    assert held(calendar, who, MISSED) == "credit-line-suspended"
    assert calendar.looks(who, *DONE) == ["remind-bill", "suspend-overdue"]
    calendar.pay(who, MISSED, 100)
    assert calendar.suspensions(who) != [], "a part does not restore"
    calendar.pay(who, MISSED)
    assert calendar.suspensions(who) == []
    assert calendar.clinic.line(who).line.suspended_for == frozenset(), "in the same write: no stream, no daily run"
    assert library(calendar, who, MISSED)
    assert held(calendar, who, MISSED) is None


def test_who_pays_in_time_is_reminded_and_nothing_else(calendar: Calendar) -> None:
    who = debtor(calendar)
    calendar.run(REMINDED)
    calendar.pay(who, DUE)
    calendar.run(MISSED)
    assert calendar.suspensions(who) == []
    assert calendar.looks(who, *DONE) == ["remind-bill"]
    assert calendar.appointments() == [], "nobody looks again at what is paid"


def test_who_pays_early_is_not_even_reminded(calendar: Calendar) -> None:
    who = debtor(calendar)
    calendar.pay(who, 3)
    calendar.run(REMINDED)
    assert calendar.looks(who, *DONE) == []
    assert calendar.appointments() == []


def test_nobody_is_suspended_on_the_day_of_a_late_reminder(calendar: Calendar) -> None:
    who = debtor(calendar)
    calendar.run(DUE + 9)
    assert calendar.suspensions(who) == []
    assert calendar.looks(who, *DONE) == ["remind-bill"]
    calendar.run(DUE + 10)
    assert calendar.suspensions(who) == [("overdue", "xiamen/demo-bank")]


def test_restoring_one_bank_lifts_neither_anothers_nor_the_citys(calendar: Calendar) -> None:
    clinic, world = calendar.clinic, calendar.world
    clinic.in_force(clinic.policy(bank_id="other-bank"))
    who = clinic.patient(granted=(OTHER_BANK, "bank:demo-bank@xiamen", "hospital:demo-hospital@xiamen"))
    for actor in (OTHER_BANK, "bank:demo-bank@xiamen"):
        assert clinic.open(who, actor).status == 201
    calendar.charge(who, 30_000)
    calendar.charge(who, 20_000, bank="other-bank")
    subject = world.client.people[who]["subject_id"]
    path = f"/v1/cities/xiamen/subjects/{subject}/suspensions"
    assert world.post(path, XIAMEN, {"kind": "all_benefits", "reason": REASON}).status == 200
    calendar.run(REMINDED)
    calendar.run(MISSED)
    both = [("all_benefits", None), ("overdue", "xiamen/demo-bank"), ("overdue", "xiamen/other-bank")]
    assert sorted(calendar.suspensions(who), key=str) == sorted(both, key=str)
    assert clinic.line(who).line.suspended_for == {"overdue", "benefits"}
    calendar.pay(who, MISSED)
    assert calendar.suspensions(who) == [both[0], both[2]]
    assert clinic.line(who).line.suspended_for == {"benefits"}
    told = world.post(f"{path}/all_benefits/lift", XIAMEN)
    assert [one["kind"] for one in told.body["suspensions"]] == ["overdue"]
    assert "bank" not in told.body["suspensions"][0], "the city is not told with which bank"
    calendar.pay(who, MISSED, bank="other-bank")
    assert calendar.suspensions(who) == []
    with calendar.on(MISSED):
        calendar.pump.drain()
    assert clinic.line(who).line.suspended_for == frozenset(), "the other line resumes through the stream"


def test_the_city_cannot_lift_what_is_overdue(calendar: Calendar) -> None:
    who = debtor(calendar)
    calendar.run(REMINDED)
    calendar.run(MISSED)
    subject = calendar.world.client.people[who]["subject_id"]
    for kind in ("overdue", "overdue:xiamen~demo-bank", "overdue:xiamen"):
        answer = calendar.world.post(f"/v1/cities/xiamen/subjects/{subject}/suspensions/{kind}/lift", XIAMEN)
        assert answer.status == 404
    assert calendar.suspensions(who) == [("overdue", "xiamen/demo-bank")]


def test_a_visitors_account_at_home_is_suspended_and_restored(calendar: Calendar) -> None:
    who = debtor(calendar, 5_000, city="hangzhou")
    assert calendar.world.ref(who).city_id == "hangzhou"
    calendar.run(REMINDED)
    calendar.run(MISSED)
    assert calendar.suspensions(who) == [("overdue", "xiamen/demo-bank")]
    assert calendar.looks(who, *DONE) == ["remind-bill", "suspend-overdue"]
    calendar.pay(who, MISSED)
    assert calendar.suspensions(who) == []


def test_a_line_opened_anew_by_another_account_restores_the_one_that_was_suspended(calendar: Calendar) -> None:
    clinic, world = calendar.clinic, calendar.world
    who = debtor(calendar, 5_000, city="hangzhou")
    calendar.run(REMINDED)
    calendar.run(MISSED)
    line, here = clinic.line(who), clinic.insured()
    unit = Unit()
    moved = replace(line, ref=replace(line.ref, city_id="xiamen"), line=replace(line.line, version=99))
    home = replace(known(world, here), ref=moved.ref)
    create_account(unit, home)
    save_line(unit, line, moved)
    unit.commit()
    calendar.run(MISSED + 30)
    both = load_account(moved.ref), load_account(line.ref)
    assert [list(one.suspensions) for one in both if one] == [["overdue:xiamen/demo-bank"]] * 2
    calendar.pay(who, MISSED + 30)
    assert [one.suspensions for one in (load_account(moved.ref), load_account(line.ref)) if one] == [{}, {}]
    assert clinic.line(who).line.suspended_for == frozenset()


def known(world: World, who: str) -> Account:
    found = load_account(world.ref(who))
    assert found is not None
    return replace(found, guard=1, consents={}, suspensions={})


def test_where_the_line_alone_is_suspended_other_benefits_stay(
    calendar: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow = tuple(replace(rule, scope="credit_line") for rule in rules_of("xiamen"))
    for module in (following, standing):
        monkeypatch.setattr(module, "rules_of", lambda city_id: narrow)
    who = debtor(calendar)
    calendar.run(REMINDED)
    calendar.run(MISSED)
    assert calendar.suspensions(who) == []
    assert library(calendar, who, MISSED)
    assert held(calendar, who, MISSED) == "credit-line-suspended"
    calendar.pay(who, MISSED)
    assert held(calendar, who, MISSED) is None


def mixed(calendar: Calendar, monkeypatch: pytest.MonkeyPatch) -> str:
    """Somebody suspended for a debt of 5000 under a rule of all benefits and one of 7000 under a later, narrower rule,
    each missed on its day."""
    (old,) = rules_of("xiamen")
    rules = (old, replace(old, from_day=calendar.day(DUE + 1), scope="credit_line"))
    for module in (following, standing):
        monkeypatch.setattr(module, "rules_of", lambda city_id: rules)
    who = debtor(calendar, 5_000)
    calendar.charge(who, 7_000, 3)
    for day in (REMINDED, REMINDED + 3, MISSED, MISSED + 3):
        calendar.run(day)
    assert calendar.suspensions(who) == [("overdue", "xiamen/demo-bank")]
    return who


def test_what_is_paid_of_all_benefits_leaves_the_line_alone_suspended(
    calendar: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = mixed(calendar, monkeypatch)
    first, _ = calendar.bill(who).on(calendar.day(MISSED + 3)).debts
    calendar.pay(who, MISSED + 3, first.owed_fen - 1)
    assert calendar.suspensions(who) != [], "a part does not restore"
    calendar.pay(who, MISSED + 3, 100)
    assert calendar.suspensions(who) == [], "in the same write: no stream, no daily run"
    line = calendar.clinic.line(who)
    assert (line.line.suspended_for, line.suspended_in) == (frozenset({"overdue"}), ())
    assert library(calendar, who, MISSED + 3)
    assert held(calendar, who, MISSED + 3) == "credit-line-suspended"
    calendar.run(MISSED + 30)
    assert calendar.suspensions(who) == []
    calendar.pay(who, MISSED + 30)
    assert held(calendar, who, MISSED + 30) is None


def test_the_daily_run_restores_what_the_rules_call_for_no_more(
    calendar: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = debtor(calendar)
    calendar.run(REMINDED)
    calendar.run(MISSED)
    narrow = tuple(replace(rule, scope="credit_line") for rule in rules_of("xiamen"))
    for module in (following, standing):
        monkeypatch.setattr(module, "rules_of", lambda city_id: narrow)
    calendar.run(MISSED + 31)
    assert calendar.suspensions(who) == []
    line = calendar.clinic.line(who)
    assert (line.line.suspended_for, line.suspended_in) == (frozenset({"overdue"}), ())
    assert library(calendar, who, MISSED + 31)
    graceful = tuple(replace(rule, grace_days=366) for rule in narrow)
    for module in (following, standing):
        monkeypatch.setattr(module, "rules_of", lambda city_id: graceful)
    calendar.run(MISSED + 62)
    assert calendar.clinic.line(who).line.suspended_for == frozenset()
    done = ["remind-bill", "suspend-overdue", "restore-benefits", "resume-line"]
    assert calendar.looks(who, *DONE, "restore-benefits", "resume-line") == done


def test_where_the_city_has_no_rule_people_are_reminded_and_nothing_else(
    calendar: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "rules_of", lambda city_id: ())
    who = debtor(calendar)
    calendar.run(REMINDED)
    calendar.run(DUE + 150)
    assert calendar.looks(who, *DONE) == ["remind-bill"]
    assert (calendar.suspensions(who), calendar.records(who), calendar.appointments()) == ([], [], [])


def test_three_months_in_a_row_are_one_record_and_a_fourth_is_none(calendar: Calendar) -> None:
    who = debtor(calendar)
    day = REMINDED
    counts = []
    while day < DUE + 150:
        calendar.run(day)
        counts.append(len(calendar.records(who)))
        waiting = calendar.appointments()
        assert len(waiting) == 1
        day = days_to(calendar, waiting[0])
    assert set(counts) == {0, 1}
    assert calendar.looks(who, "record-default") == ["record-default"]
    (record,) = calendar.records(who)
    assert (record["in_a_row"], record["state"], record["bank_id"]) == (3, "live", "demo-bank")
    assert record["first_month"] == f"{calendar.day(DUE):%Y-%m}-01"


def days_to(calendar: Calendar, day: str) -> int:
    return (date.fromisoformat(day) - calendar.today).days


def test_restoring_costs_one_read_and_one_write_more_and_only_who_is_suspended(calendar: Calendar) -> None:
    who, other = debtor(calendar), debtor(calendar)
    calendar.run(REMINDED)
    for person in (who, other):
        calendar.pay(person, REMINDED, 100)
    fen = calendar.owed(other, DUE)
    with calendar.world.calls() as usual:
        calendar.pay(other, DUE, fen)
    calendar.run(MISSED)
    with calendar.world.calls() as part:
        calendar.pay(who, MISSED, 100)
    fen = calendar.owed(who, MISSED)
    with calendar.world.calls() as restoring:
        calendar.pay(who, MISSED, fen)
    asked = ["BatchGetItem", "Query"]
    assert sorted(part.names) == sorted([*usual.names, *asked]), "what is overdue still: was he reminded of it?"
    assert sorted(restoring.names) == sorted([*usual.names, "BatchGetItem"])
    assert calendar.suspensions(who) == []
