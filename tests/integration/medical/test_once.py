"""ONCE along a line and a hold: the same request again is the same reply and one effect, with a fault in any write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.in_process import Answer
from tests.integration.core.faults import CONFLICT, FAILED, Fault, cancelled, inject, lost_after, lost_before
from tests.integration.medical.clinic import Clinic
from tests.world import BANK, HOSPITAL

FAULTS: dict[str, Fault | None] = {
    "none": None,
    "the request is lost": lost_before,
    "the reply is lost": lost_after,
    "a conflict": cancelled(CONFLICT),
    "something was changed": cancelled(FAILED),
}
Act = Callable[[str], Answer]
Step = Callable[[Clinic, str], Act]


def pulling(clinic: Clinic, who: str) -> Act:
    return lambda key: clinic.pull(who, key=key)


def pulling_two(clinic: Clinic, who: str) -> Act:
    other = clinic.patient()
    ids = [clinic.world.known_to(BANK, one) for one in (who, other)]
    return lambda key: clinic.post("/v1/credit-limits/batch", BANK, {"subject_ids": ids}, key=key)


def opening(clinic: Clinic, who: str) -> Act:
    clinic.move(who, "close")
    return lambda key: clinic.open(who, key=key)


def opening_for_oneself(clinic: Clinic, who: str) -> Act:
    clinic.move(who, "close")
    body = {"city_id": "xiamen", "bank_id": "demo-bank"}
    return lambda key: clinic.world.post("/v1/me/credit-lines", f"citizen:{who}", body, key=key)


def suspending(clinic: Clinic, who: str) -> Act:
    return lambda key: clinic.move(who, "suspend", key=key)


def closing(clinic: Clinic, who: str) -> Act:
    return lambda key: clinic.move(who, "close", key=key)


def holding(clinic: Clinic, who: str) -> Act:
    body = clinic.hold_body(who, 1_000)
    return lambda key: clinic.post("/v1/credit-holds", HOSPITAL, body, key=key)


def raising(clinic: Clinic, who: str) -> Act:
    hold_id = clinic.held(who, 1_000)
    return lambda key: clinic.act("raise", hold_id, {"amount_fen": 500}, key=key)


def capturing_a_part(clinic: Clinic, who: str) -> Act:
    hold_id = clinic.held(who, 1_000)
    return lambda key: clinic.capture(hold_id, 400, key=key)


def capturing_the_last(clinic: Clinic, who: str) -> Act:
    hold_id = clinic.held(who, 1_000)
    return lambda key: clinic.capture(hold_id, 700, final=True, key=key)


def voiding(clinic: Clinic, who: str) -> Act:
    hold_id = clinic.held(who, 1_000)
    return lambda key: clinic.act("void", hold_id, key=key)


# How many effects each has, and what is posted and held after it.
AFTER: dict[Step, tuple[int, int, int]] = {
    pulling: (1, 0, 0),
    pulling_two: (2, 0, 0),
    opening: (1, 0, 0),
    opening_for_oneself: (1, 0, 0),
    suspending: (1, 0, 0),
    closing: (1, 0, 0),
    holding: (1, 0, 1_000),
    raising: (1, 0, 1_500),
    capturing_a_part: (1, 400, 600),
    capturing_the_last: (1, 700, 0),
    voiding: (1, 0, 0),
}


def effects(clinic: Clinic) -> int:
    return sum(item["kind"]["S"] == "effect" for item in clinic.world.items())


def other_body(answer: Answer) -> Any:
    return {name: value for name, value in answer.body.items() if name != "request_id"}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("step", AFTER, ids=lambda step: step.__name__)
def test_ONCE_with_a_fault_in_the_write(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, step: Step, fault: str
) -> None:
    who, key = clinic.insured(), f"once-{next(clinic.numbers):06d}"
    act = step(clinic, who)
    before = effects(clinic)
    inject(monkeypatch, iter([FAULTS[fault]]))
    first = act(key)
    if FAULTS[fault] in {lost_before, lost_after}:
        assert (first.status, first.code) == (503, "unavailable")
        first = act(key)
    assert first.status in {200, 201}, first.text
    second = act(key)
    assert (second.text, second.status, second.replayed) == (first.text, first.status, True)
    assert (effects(clinic) - before, *clinic.standing(who)[1:]) == AFTER[step]


def test_ONCE_another_body_under_the_same_key(clinic: Clinic) -> None:
    who = clinic.insured()
    hold_id = clinic.held(who, 1_000)
    assert clinic.capture(hold_id, 100, key="one-capture").status == 201
    assert clinic.capture(hold_id, 200, key="one-capture").code == "idempotency-key-reused"
    assert clinic.capture(hold_id, 100, final=True, key="one-capture").code == "idempotency-key-reused"
    assert clinic.standing(who)[1:] == (100, 900)


def test_CONSENT_withdrawn_between_read_and_write(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    for step in (pulling, holding, raising):
        who = clinic.insured()
        act = step(clinic, who)
        grants = [clinic.world.grant(who, BANK, "credit_medical")]

        def withdrawn(_: Any, write: Callable[[], None], who: str = who, grants: list[str] = grants) -> None:
            while grants:
                clinic.world.withdraw(who, grants.pop())
            write()

        before = clinic.standing(who)
        with monkeypatch.context() as patched:
            inject(patched, iter([withdrawn]))
            assert act(f"withdrawn-{step.__name__}").code == "consent-required"
        assert clinic.standing(who) == before
