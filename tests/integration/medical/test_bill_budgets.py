"""What bills cost at DynamoDB: the same for a line with one event as for one with many, once its months are stated."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pynamodb.transactions import TransactWrite

from tests.integration.core import faults
from tests.integration.medical.clinic import Clinic
from tests.integration.medical.debts import (
    OWN,
    at,
    charged,
    line_path,
    moved,
    pay_out,
    refund,
    repay,
    seen,
    state,
    write_off,
)
from tests.integration.medical.test_budgets import LOOK, WRITE, cost
from tests.world import BANK

EVENTS = {"Query": 1}
LAST = {"GetItem": 1}
UNSTATED = LOOK | EVENTS
STATED = LOOK | LAST | EVENTS


@pytest.fixture(scope="module")
def debtor(clinic: Clinic) -> tuple[str, str, str]:
    """Somebody with three charges of March 2027 (the hold and the id of the last one), not stated."""
    with moved(at("2027-03-01")):
        who = clinic.insured()
        found = [charged(clinic, who, 20_000) for _ in range(3)]
    return (who, *found[-1])


def test_bills_and_payments_read_the_last_statement_and_what_came_since(
    clinic: Clinic, debtor: tuple[str, str, str]
) -> None:
    who, hold_id, charge_id = debtor
    with moved(at("2027-04-03")):
        seen(clinic, who)
        assert cost(clinic, lambda: seen(clinic, who)) == UNSTATED
        assert cost(clinic, lambda: repay(clinic, who, 20_000), 201) == UNSTATED | WRITE
        assert cost(clinic, lambda: seen(clinic, who, "statements")) == LOOK | EVENTS
        assert cost(clinic, lambda: seen(clinic, who, "statements/2027-03")) == UNSTATED
        assert cost(clinic, lambda: state(clinic, who, "2027-03")) == UNSTATED | WRITE
        assert cost(clinic, lambda: seen(clinic, who, "statements/2027-03")) == UNSTATED
        assert cost(clinic, lambda: seen(clinic, who, "statements/2027-04")) == UNSTATED
        assert cost(clinic, lambda: seen(clinic, who)) == STATED
        assert cost(clinic, lambda: repay(clinic, who, 40_000), 201) == STATED | WRITE
        assert cost(clinic, lambda: refund(clinic, hold_id, charge_id, 5_000), 201) == STATED | WRITE
        assert cost(clinic, lambda: pay_out(clinic, who, 5_000), 201) == STATED | WRITE
        assert cost(clinic, lambda: state(clinic, who, "2027-03")) == UNSTATED | WRITE
        assert cost(clinic, lambda: write_off(clinic, who), 409) == STATED | {"GetItem": 2}
        for what in ("bill", "statements/2027-04"):
            request = lambda what=what: clinic.world.send("GET", f"{OWN}/{what}", f"citizen:{who}")  # noqa: E731
            assert cost(clinic, request) == (STATED if what == "bill" else UNSTATED)
        mine = cost(clinic, lambda: clinic.world.send("GET", "/v1/me/credit-lines", f"citizen:{who}"))
        assert mine == {"Query": 2, "BatchGetItem": 2}


def test_what_money_moves_is_three_items_and_a_month_one_more_each(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def note(transaction: TransactWrite, write: Callable[[], None]) -> None:
        sizes.append(faults._count(transaction))
        write()

    with moved(at("2027-01-01")):
        who = clinic.insured()
        hold_id, charge_id = charged(clinic, who, 9_000)
        charged(clinic, who, 1_000)
    with moved(at("2027-09-01")):
        faults.inject(monkeypatch, iter([note] * 6))
        assert repay(clinic, who, 9_000 + 9_000).code == "repayment-exceeds-debt"
        assert write_off(clinic, who).status == 201
        assert repay(clinic, who, 10_000).status == 201
        assert refund(clinic, hold_id, charge_id, 9_000).status == 201
        assert pay_out(clinic, who, 1_000).status == 201
        assert state(clinic, who, "2027-02").status == 200
        assert state(clinic, who, "2027-02").status == 200
    assert sizes == [3, 3, 3, 3, 4, 1]


def test_a_strangers_id_costs_no_look(clinic: Clinic) -> None:
    path = line_path(clinic, clinic.insured())[:-4] + "aaaa"
    for what in ("bill", "statements", "statements/2027-03"):
        assert cost(clinic, lambda what=what: clinic.send("GET", f"{path}/{what}", BANK), 404) == {}  # type: ignore[misc]
