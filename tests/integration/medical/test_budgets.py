"""What medical credit costs at DynamoDB, counted under the client while the versions in force are in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from pynamodb.transactions import TransactWrite

from tests.in_process import Answer
from tests.integration.core import faults
from tests.integration.medical.clinic import Clinic
from tests.world import BANK, HOSPITAL

LOOK = {"BatchGetItem": 1}
READ = {"GetItem": 1}
WRITE = {"TransactWriteItems": 1}
STEP = LOOK | WRITE


def cost(clinic: Clinic, request: Callable[[], Answer], status: int = 200) -> dict[str, int]:
    """The operations that a request causes."""
    with clinic.world.calls() as calls:
        answer = request()
    assert answer.status == status, answer.text
    return dict(Counter(calls.names))


@pytest.mark.parametrize(("city", "raised"), [("xiamen", STEP), ("hangzhou", {"BatchGetItem": 2} | WRITE)])
def test_every_step_is_one_read_and_one_write(clinic: Clinic, city: str, raised: dict[str, int]) -> None:
    clinic.pull(clinic.insured(705, city))
    who = clinic.patient(705, city)
    assert cost(clinic, lambda: clinic.pull(who)) == STEP
    assert cost(clinic, lambda: clinic.open(who), 201) == STEP
    body = clinic.hold_body(who, 1_000)
    assert cost(clinic, lambda: clinic.post("/v1/credit-holds", HOSPITAL, body), 201) == STEP
    hold_id = clinic.held(who, 1_000)
    assert cost(clinic, lambda: clinic.act("raise", hold_id, {"amount_fen": 1}), 201) == raised
    assert cost(clinic, lambda: clinic.capture(hold_id, 1), 201) == STEP
    assert cost(clinic, lambda: clinic.act("void", hold_id)) == STEP
    assert cost(clinic, lambda: clinic.send("GET", f"/v1/credit-holds/{hold_id}", HOSPITAL)) == LOOK
    for move in ("suspend", "resume", "close"):
        assert cost(clinic, lambda move=move: clinic.move(who, move)) == STEP  # type: ignore[misc]


def test_a_few_pulls_are_one_read_and_one_write(clinic: Clinic) -> None:
    ids = [clinic.world.known_to(BANK, clinic.patient()) for _ in range(3)]
    clinic.pull(clinic.patient())
    assert cost(clinic, lambda: clinic.post("/v1/credit-limits/batch", BANK, {"subject_ids": ids})) == STEP


def test_a_hold_writes_five_items_and_a_capture_four(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def note(transaction: TransactWrite, write: Callable[[], None]) -> None:
        sizes.append(faults._count(transaction))
        write()

    who = clinic.insured()
    body = clinic.hold_body(who, 1_000)
    faults.inject(monkeypatch, iter([note] * 4))
    hold_id = clinic.post("/v1/credit-holds", HOSPITAL, body).body["hold_id"]
    clinic.act("raise", hold_id, {"amount_fen": 1})
    clinic.capture(hold_id, 1)
    clinic.act("void", hold_id)
    assert sizes == [5, 4, 4, 3]


def test_a_foreign_hold_costs_no_look(clinic: Clinic) -> None:
    assert cost(clinic, lambda: clinic.capture("p1_" + "a" * 40, 1), 404) == READ
