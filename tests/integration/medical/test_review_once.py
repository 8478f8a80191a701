"""ONCE along reviews, rebooked lines and replays: with a fault in any write one reply and one effect."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.medical.store.credit import list_exposure
from tests.in_process import Answer
from tests.integration.core.faults import inject, lost_after, lost_before
from tests.integration.medical.clinic import Clinic
from tests.integration.medical.panel import CITY, Panel
from tests.integration.medical.test_once import FAULTS
from tests.world import AUDITOR

Act = Callable[[str], Answer]
Step = Callable[[Panel, str], Act]
OWN = {"city_id": "xiamen", "bank_id": "demo-bank"}


@pytest.fixture(scope="module")
def panel(clinic: Clinic) -> Panel:
    return Panel(clinic)


def asking(panel: Panel, who: str) -> Act:
    look = panel.look(who, "open-line")
    return lambda key: panel.ask(who, look, key=key)


def withdrawing(panel: Panel, who: str) -> Act:
    review_id = panel.asked(who)
    return lambda key: panel.withdraw(who, review_id, key=key)


def reading(panel: Panel, who: str) -> Act:
    review_id = panel.asked(who)
    return lambda key: panel.read(review_id, key=key)


def upholding(panel: Panel, who: str) -> Act:
    review_id = panel.asked(who)
    return lambda key: panel.move(review_id, "uphold", key=key)


def correcting(panel: Panel, who: str) -> Act:
    review_id = panel.asked(who)
    return lambda key: panel.correct(review_id, 290_000, key=key)


def forwarding(panel: Panel, who: str) -> Act:
    review_id = panel.asked(who)
    return lambda key: panel.move(review_id, "forward", key=key)


def forwarded(panel: Panel, who: str) -> str:
    review_id = panel.asked(who)
    assert panel.move(review_id, "forward").status == 200
    return review_id


def reading_for_the_city(panel: Panel, who: str) -> Act:
    review_id = forwarded(panel, who)
    return lambda key: panel.read(review_id, CITY, key=key)


def upholding_for_the_city(panel: Panel, who: str) -> Act:
    review_id = forwarded(panel, who)
    return lambda key: panel.move(review_id, "uphold", CITY, key=key)


def returning(panel: Panel, who: str) -> Act:
    review_id = forwarded(panel, who)
    return lambda key: panel.move(review_id, "return", CITY, key=key)


def relimiting(panel: Panel, who: str) -> Act:
    panel.world.rescore(who, 990)
    return lambda key: panel.clinic.move(who, "relimit", key=key)


def relimiting_for_oneself(panel: Panel, who: str) -> Act:
    panel.world.rescore(who, 990)
    return lambda key: panel.clinic.post("/v1/me/credit-lines/relimit", f"citizen:{who}", OWN, key=key)


def replaying(panel: Panel, who: str) -> Act:
    path = f"/v1/credit-receipts/{panel.look(who, 'open-line')}/replay"
    return lambda key: panel.world.post(path, AUDITOR, key=key)


def exposure() -> int:
    """What the bank's shards count in all."""
    return sum(list_exposure("xiamen", "demo-bank").values())


# Whether it raises what is booked for the line.
STEPS: dict[Step, bool] = {
    asking: False, withdrawing: False, reading: False, upholding: False, correcting: True, forwarding: False,
    reading_for_the_city: False, upholding_for_the_city: False, returning: False, relimiting: True,
    relimiting_for_oneself: True, replaying: False,
}  # fmt: skip


# Of this the one write is the effect: nothing else can have changed.
ALONE = {replaying}
CASES = [(s, f) for s in STEPS for f in FAULTS if not (s in ALONE and f == "something was changed")]


@pytest.mark.parametrize(("step", "fault"), CASES, ids=lambda one: getattr(one, "__name__", one))
def test_ONCE_with_a_fault_in_the_write(panel: Panel, monkeypatch: pytest.MonkeyPatch, step: Step, fault: str) -> None:
    clinic = panel.clinic
    who, key = clinic.insured(587), f"once-{next(clinic.numbers):06d}"
    act = step(panel, who)
    before, booked, line = panel.looks(who), exposure(), clinic.line(who).booked_fen
    inject(monkeypatch, iter([FAULTS[fault]]))
    first = act(key)
    if FAULTS[fault] in {lost_before, lost_after}:
        assert (first.status, first.code) == (503, "unavailable")
        first = act(key)
    assert first.status in {200, 201}, first.text
    second = act(key)
    assert (second.text, second.status, second.replayed) == (first.text, first.status, True)
    assert panel.looks(who)[1:] == before
    after = clinic.line(who).booked_fen
    assert exposure() - booked == after - line
    assert (after > line) == STEPS[step]
