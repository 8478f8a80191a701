"""ONCE for what moves money between a bank and a person: the same request again is the same reply and one event."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.in_process import Answer
from tests.integration.core.faults import Fault, inject, lost_after, lost_before
from tests.integration.medical.clinic import Clinic
from tests.integration.medical.debts import (
    at,
    bill,
    charged,
    check_books,
    entries,
    moved,
    pay_out,
    refund,
    repay,
    state,
    write_off,
)
from tests.integration.medical.test_once import FAULTS, effects

Act = Callable[[str], Answer]
Step = Callable[[Clinic, str, str, str], Act]


def repaying(clinic: Clinic, who: str, hold_id: str, charge_id: str) -> Act:
    return lambda key: repay(clinic, who, 10_000, key=key)


def refunding(clinic: Clinic, who: str, hold_id: str, charge_id: str) -> Act:
    return lambda key: refund(clinic, hold_id, charge_id, 10_000, key=key)


def paying_out(clinic: Clinic, who: str, hold_id: str, charge_id: str) -> Act:
    owed_fen = bill(clinic, who).on(bill(clinic, who).day(at("2027-09-01"))).owed_fen
    assert repay(clinic, who, owed_fen).status == 201
    assert refund(clinic, hold_id, charge_id, 10_000).status == 201
    return lambda key: pay_out(clinic, who, 6_000, key=key)


def writing_off(clinic: Clinic, who: str, hold_id: str, charge_id: str) -> Act:
    return lambda key: write_off(clinic, who, key=key)


def stating(clinic: Clinic, who: str, hold_id: str, charge_id: str) -> Act:
    return lambda key: state(clinic, who, "2027-02", key=key)


# How many events each adds to the one that was there, and how many statements it makes; and what is owed back after it.
AFTER: dict[Step, tuple[int, int, int]] = {
    repaying: (1, 0, 0),
    refunding: (1, 0, 0),
    paying_out: (3, 0, 4_000),
    writing_off: (1, 0, 0),
    stating: (0, 2, 0),
}


@pytest.fixture(autouse=True)
def _september() -> Iterator[None]:
    with moved(at("2027-09-01")):
        yield


def kept(clinic: Clinic, who: str, kind: str) -> int:
    person_id = clinic.world.ref(who).person_id
    return sum(item["kind"]["S"] == kind and person_id in item["pk"]["S"] for item in clinic.world.items())


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("step", AFTER, ids=lambda step: step.__name__)
def test_ONCE_with_a_fault_in_the_write(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, step: Step, fault: str
) -> None:
    with moved(at("2027-01-01")):
        who, key = clinic.insured(), f"once-{next(clinic.numbers):06d}"
        hold_id, charge_id = charged(clinic, who, 50_000)
    act = step(clinic, who, hold_id, charge_id)
    before, posted = effects(clinic), len(entries())
    inject(monkeypatch, iter([FAULTS[fault]]))
    first = act(key)
    if FAULTS[fault] in {lost_before, lost_after}:
        assert (first.status, first.code) == (503, "unavailable")
        first = act(key)
    assert first.status in {200, 201}, first.text
    second = act(key)
    assert (second.text, second.status, second.replayed) == (first.text, first.status, True)
    assert effects(clinic) - before == 1
    assert len(entries()) - posted == (step is not stating)
    found = kept(clinic, who, "credit-event") - 1, kept(clinic, who, "credit-statement")
    assert (*found, bill(clinic, who).account.back_fen) == AFTER[step]
    check_books(clinic, who)


def test_ONCE_another_body_under_the_same_key(clinic: Clinic) -> None:
    with moved(at("2027-08-01")):
        who = clinic.insured()
        charged(clinic, who, 1_000)
    assert repay(clinic, who, 100, key="one-payment").status == 201
    for amount in (200, 999_999):
        assert repay(clinic, who, amount, key="one-payment").code == "idempotency-key-reused"
    assert clinic.standing(who)[1] == 900


def test_ONCE_two_payments_at_once_are_taken_one_after_the_other(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    with moved(at("2027-08-01")):
        who = clinic.insured()
        charged(clinic, who, 1_000)

    with monkeypatch.context() as patched:
        inject(patched, iter([after(lambda: repay(clinic, who, 600))]))
        answer = repay(clinic, who, 400)
    assert (answer.status, answer.body["owed_fen"]) == (201, 0)
    with moved(at("2027-08-01")):
        charged(clinic, who, 1_000)
    with monkeypatch.context() as patched:
        inject(patched, iter([after(lambda: repay(clinic, who, 900))]))
        assert repay(clinic, who, 400).code == "repayment-exceeds-debt"
    check_books(clinic, who)


def test_LEDGER_nothing_is_lost_between_read_and_write(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    with moved(at("2027-08-01")):
        who = clinic.insured()
        charged(clinic, who, 10_000)
    acts: list[tuple[Callable[[], Answer], Callable[[], Answer]]] = [
        (lambda: state(clinic, who, "2027-08"), lambda: repay(clinic, who, 1_000)),
        (lambda: repay(clinic, who, 1_000), lambda: clinic.move(who, "suspend")),
        (lambda: clinic.move(who, "resume"), lambda: repay(clinic, who, 1_000)),
    ]
    for first, second in acts:
        with monkeypatch.context() as patched:
            inject(patched, iter([after(second)]))
            first()
        check_books(clinic, who)
        line = clinic.line(who)
        assert ("bank" in line.line.suspended_for) == (second is acts[1][1])
    assert (line.line.posted_fen, f"{line.stated_until}") == (10_000 - 3_000, "2027-09-01")


def after(act: Callable[[], Answer]) -> Fault:
    """The write comes after another request, which came in between."""
    acts = [act]

    def fault(_: Any, write: Callable[[], None]) -> None:
        while acts:
            assert acts.pop()().status in {200, 201}
        write()

    return fault
