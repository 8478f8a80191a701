"""Visits' cost at DynamoDB, and ONCE: the same request again is the same reply, with a fault in any write."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pynamodb.transactions import TransactWrite

from tests.in_process import Answer
from tests.integration.core import faults
from tests.integration.core.faults import inject, lost_after, lost_before
from tests.integration.medical.clinic import Clinic
from tests.integration.medical.reception import VISITS, Reception
from tests.integration.medical.test_budgets import LOOK, READ, STEP, WRITE, cost
from tests.integration.medical.test_once import FAULTS
from tests.world import HOSPITAL

Act = Callable[[str], Answer]
Step = Callable[[Reception, str], Act]
TWO_LOOKS = {"BatchGetItem": 2} | WRITE


@pytest.mark.parametrize(("city", "raised"), [("xiamen", STEP), ("hangzhou", TWO_LOOKS)])
def test_every_step_is_one_read_and_one_write(
    clinic: Clinic, reception: Reception, city: str, raised: dict[str, int]
) -> None:
    who = clinic.insured(705, city)
    reception.refund(captured(reception, who), "a", 1)
    body = reception.body(who, 1_000)
    assert cost(clinic, lambda: clinic.post(VISITS, HOSPITAL, body), 201) == STEP
    visit_id = reception.opened(who, 1_000)
    assert cost(clinic, lambda: reception.read(visit_id)) == LOOK
    assert cost(clinic, lambda: reception.enter(visit_id, "a", 900), 201) == STEP
    assert cost(clinic, lambda: reception.insure(visit_id, "a", 100)) == STEP
    assert cost(clinic, lambda: reception.capture(visit_id, "a")) == STEP
    reception.enter(visit_id, "c", 1)
    assert cost(clinic, lambda: reception.act(visit_id, "items/c/withdraw")) == STEP
    assert cost(clinic, lambda: reception.refund(visit_id, "a", 1), 201) == STEP | {"Query": 1}
    assert cost(clinic, lambda: reception.act(visit_id, "raise", {"amount_fen": 100}), 201) == raised
    reception.enter(visit_id, "b", 350, 100)
    assert cost(clinic, lambda: reception.read(visit_id)) == LOOK
    assert cost(clinic, lambda: reception.capture(visit_id, "b")) == TWO_LOOKS
    assert cost(clinic, lambda: reception.settle(visit_id)) == TWO_LOOKS
    other = reception.opened(who, 10)
    reception.raised(other, [10])
    assert cost(clinic, lambda: reception.act(other, "cancel")) == TWO_LOOKS
    assert cost(clinic, lambda: clinic.send("GET", f"{VISITS}?limit=2", HOSPITAL)) == {"Query": 1} | LOOK


def test_an_emergency_and_a_child_cost_no_more(clinic: Clinic, reception: Reception) -> None:
    clinic.pull(clinic.insured(705))
    who = clinic.patient(705)
    body = reception.body(who, 1_000, ward_id=reception.ward(who), emergency=True)
    assert cost(clinic, lambda: clinic.post(VISITS, HOSPITAL, body), 201) == STEP


def test_a_foreign_visit_costs_no_look(clinic: Clinic, reception: Reception) -> None:
    assert cost(clinic, lambda: reception.capture("p1_" + "a" * 40, "a"), 404) == READ


def test_how_many_items_are_written(clinic: Clinic, reception: Reception, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def note(transaction: TransactWrite, write: Callable[[], None]) -> None:
        sizes.append(faults._count(transaction))
        write()

    who, new = clinic.insured(), clinic.patient()
    ward_id = reception.ward(who)
    bodies = [
        reception.body(who, 100),
        reception.body(who, 100, ward_id=ward_id),
        reception.body(new, 1, emergency=True),
    ]
    inject(monkeypatch, iter([note] * 11))
    visit_id, *_ = [clinic.post(VISITS, HOSPITAL, body).body["visit_id"] for body in bodies]
    reception.enter(visit_id, "a", 50)
    reception.insure(visit_id, "a", 0)
    reception.capture(visit_id, "a")
    reception.act(visit_id, "raise", {"amount_fen": 60})
    reception.enter(visit_id, "b", 60, 0)
    reception.capture(visit_id, "b")
    reception.refund(visit_id, "b", 55)
    reception.settle(visit_id)
    assert sizes == [6, 7, 8, 2, 2, 5, 5, 2, 7, 5, 4]


def opening(reception: Reception, who: str) -> Act:
    body = reception.body(who, 1_000)
    return lambda key: reception.clinic.post(VISITS, HOSPITAL, body, key=key)


def opening_in_an_emergency(reception: Reception, who: str) -> Act:
    reception.clinic.move(who, "close")
    body = reception.body(who, 1_000, emergency=True)
    return lambda key: reception.clinic.post(VISITS, HOSPITAL, body, key=key)


def opening_for_a_child(reception: Reception, who: str) -> Act:
    body = reception.body(who, 1_000, ward_id=reception.ward(who))
    return lambda key: reception.clinic.post(VISITS, HOSPITAL, body, key=key)


def raising(reception: Reception, who: str) -> Act:
    visit_id = reception.opened(who, 1_000)
    return lambda key: reception.act(visit_id, "raise", {"amount_fen": 500}, key=key)


def raising_with_a_pass(reception: Reception, who: str) -> Act:
    visit_id = reception.opened(who, 1_000)
    body = {"amount_fen": 500, "pass_code": reception.show(who)}
    return lambda key: reception.act(visit_id, "raise", body, key=key)


def entering(reception: Reception, who: str) -> Act:
    visit_id = reception.opened(who, 1_000)
    return lambda key: reception.enter(visit_id, "a", 700, key=key)


def insuring(reception: Reception, who: str) -> Act:
    visit_id = reception.opened(who, 1_000)
    reception.enter(visit_id, "a", 700)
    return lambda key: reception.insure(visit_id, "a", 300, key=key)


def withdrawing(reception: Reception, who: str) -> Act:
    visit_id = reception.opened(who, 1_000)
    reception.enter(visit_id, "a", 700)
    return lambda key: reception.act(visit_id, "items/a/withdraw", key=key)


def capturing(reception: Reception, who: str) -> Act:
    visit_id = reception.opened(who, 600)
    reception.raised(visit_id, [400])
    reception.enter(visit_id, "a", 700, 0)
    return lambda key: reception.capture(visit_id, "a", key=key)


def capturing_nothing(reception: Reception, who: str) -> Act:
    visit_id = reception.opened(who, 600)
    reception.enter(visit_id, "a", 700, 700)
    return lambda key: reception.capture(visit_id, "a", key=key)


def captured(reception: Reception, who: str) -> str:
    visit_id = reception.opened(who, 600)
    reception.raised(visit_id, [400])
    reception.enter(visit_id, "a", 700, 0)
    assert reception.capture(visit_id, "a").status == 200
    return visit_id


def refunding(reception: Reception, who: str) -> Act:
    visit_id = captured(reception, who)
    return lambda key: reception.refund(visit_id, "a", 650, key=key)


def settling(reception: Reception, who: str) -> Act:
    visit_id = captured(reception, who)
    return lambda key: reception.settle(visit_id, "kiosk", key=key)


def cancelling(reception: Reception, who: str) -> Act:
    visit_id = reception.opened(who, 600)
    reception.raised(visit_id, [400])
    return lambda key: reception.act(visit_id, "cancel", key=key)


def confirming(reception: Reception, who: str) -> Act:
    return lambda key: reception.confirm(who, "2035-06-01", key=key)


def ending(reception: Reception, who: str) -> Act:
    ward_id = reception.ward(who)
    return lambda key: reception.end(who, ward_id, key=key)


# What is posted and held by it and by what goes before.
AFTER: dict[Step, tuple[int, int]] = {
    opening: (0, 1_000),
    opening_in_an_emergency: (0, 1_000),
    opening_for_a_child: (0, 1_000),
    raising: (0, 1_500),
    raising_with_a_pass: (0, 1_500),
    entering: (0, 1_000),
    insuring: (0, 1_000),
    withdrawing: (0, 1_000),
    capturing: (700, 300),
    capturing_nothing: (0, 600),
    refunding: (50, 300),
    settling: (700, 0),
    cancelling: (0, 0),
    confirming: (0, 0),
    ending: (0, 0),
}
NOT_LOOKED_AGAIN = {confirming}


@pytest.fixture(scope="module")
def people(clinic: Clinic) -> dict[Step, str]:
    """One person for each step, whom all faults befall."""
    return {}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("step", AFTER, ids=lambda step: step.__name__)
def test_ONCE_with_a_fault_in_the_write(
    clinic: Clinic,
    reception: Reception,
    people: dict[Step, str],
    monkeypatch: pytest.MonkeyPatch,
    step: Step,
    fault: str,
) -> None:
    who, key = people.get(step) or people.setdefault(step, clinic.insured()), f"visit-{next(clinic.numbers):06d}"
    _, posted_fen, held_fen = clinic.standing(who)
    act = step(reception, who)
    inject(monkeypatch, iter([FAULTS[fault]]))
    first = act(key)
    if FAULTS[fault] in {lost_before, lost_after}:
        assert (first.status, first.code) == (503, "unavailable")
        first = act(key)
    if first.code == "conflict" and step in NOT_LOOKED_AGAIN:
        first = act(key)
    assert first.status in {200, 201}, first.text
    second = act(key)
    assert (second.text, second.status, second.replayed) == (first.text, first.status, True)
    _, posted, held = clinic.standing(who)
    assert (posted - posted_fen, held - held_fen) == AFTER[step]
