"""Refunds of captures over HTTP, and what captures and refunds post."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from chalicelib.core import clock
from chalicelib.ledger import store as ledger
from chalicelib.ledger.rules import Entry
from chalicelib.medical import store
from chalicelib.medical.rules import Charge, Refund
from chalicelib.medical.service import bills
from tests.in_process import Answer
from tests.integration.medical.clinic import SECOND, Clinic
from tests.world import BANK, HOSPITAL

BOOK = "xiamen/hospital/demo-hospital"


def captured(clinic: Clinic, who: str, fen: int) -> tuple[str, str]:
    """A hold that was captured wholly: its id and the charge's."""
    hold_id = clinic.held(who, fen)
    answer = clinic.capture(hold_id, fen)
    assert answer.status == 201, answer.text
    return hold_id, answer.body["charge_id"]


def give_back(
    clinic: Clinic, hold_id: str, charge_id: Any, fen: Any, *, actor: str = HOSPITAL, key: str = ""
) -> Answer:
    return clinic.act("refunds", hold_id, {"charge_id": charge_id, "amount_fen": fen}, actor=actor, key=key)


def entries(clinic: Clinic, who: str) -> list[Entry]:
    """What was posted for somebody, in order."""
    loans = f"xiamen/bank/demo-bank/loans/{clinic.world.known_to(BANK, who)}"
    found = ledger.entries_of(BOOK, date.min, date.max)
    return [one for one in found if any(posting.account == loans for posting in one.postings)]


def test_LEDGER_a_capture_and_its_refund_post_what_the_bank_owes(clinic: Clinic) -> None:
    who = clinic.insured()
    hold_id, charge_id = captured(clinic, who, 30_000)
    answer = give_back(clinic, hold_id, charge_id, 10_000)
    assert answer.status == 201, answer.text
    assert answer.body == {"charge_id": charge_id, "refunded_fen": 10_000}
    assert clinic.standing(who)[1:] == (20_000, 0)
    first, second = entries(clinic, who)
    assert (first.entry_id, second.reverses) == (charge_id, charge_id)
    roles = [posting.account.split("/")[3] for posting in first.postings]
    assert dict(zip(roles, (p.amount for p in first.postings), strict=True)) == {
        "loans": 30_000, "payable": -30_000, "receivable": 30_000, "sales": -30_000,
    }  # fmt: skip
    assert [posting.amount for posting in second.postings] == [-10_000, 10_000, -10_000, 10_000]


def test_LEDGER_the_events_of_a_line_are_what_it_posts(clinic: Clinic) -> None:
    who = clinic.insured()
    hold_id, charge_id = captured(clinic, who, 30_000)
    give_back(clinic, hold_id, charge_id, 10_000)
    person_id = clinic.world.ref(who).person_id
    found = list(store.events_after("xiamen", person_id, "demo-bank", 0))
    assert [type(event) for _, event in found] == [Charge, Refund]
    line = clinic.line(who).line
    assert [version for version, _ in found] == [line.version - 1, line.version]
    bill = bills.read_bill("xiamen", person_id, "demo-bank")
    (debt,) = bill.account.debts
    assert (debt.principal_fen, debt.charge.hospital_id) == (20_000, "demo-hospital")
    assert debt.charge.due_on - debt.charge.day == timedelta(days=42)


def test_what_was_captured_may_go_back_whatever_has_become_of_hold_and_line(clinic: Clinic) -> None:
    who = clinic.insured()
    hold_id, charge_id = captured(clinic, who, 5_000)
    assert clinic.move(who, "close").status == 200
    with clock.fixed(clock.now() + timedelta(days=100)):
        assert give_back(clinic, hold_id, charge_id, 5_000).status == 201
    assert clinic.standing(who)[1] == 0


def test_LIMIT_no_more_goes_back_than_was_captured(clinic: Clinic) -> None:
    who = clinic.insured()
    hold_id, charge_id = captured(clinic, who, 5_000)
    assert give_back(clinic, hold_id, charge_id, 5_001).code == "refund-exceeds-capture"
    assert give_back(clinic, hold_id, charge_id, 3_000, key="the-first-refund").status == 201
    assert give_back(clinic, hold_id, charge_id, 3_000, key="the-first-refund").replayed
    assert give_back(clinic, hold_id, charge_id, 2_001).code == "refund-exceeds-capture"
    assert give_back(clinic, hold_id, charge_id, 2_000).status == 201
    assert clinic.standing(who)[1] == 0


@pytest.mark.parametrize("amount", [0, -1, True, "1", 1.0, 10**10 + 1])
def test_what_is_no_amount_is_refused(clinic: Clinic, amount: Any) -> None:
    hold_id, charge_id = captured(clinic, clinic.insured(), 100)
    assert give_back(clinic, hold_id, charge_id, amount).code in {"invalid-request", "malformed-request"}


def test_MINIMAL_what_is_not_the_hospitals_own_is_absent(clinic: Clinic) -> None:
    who = clinic.insured()
    hold_id, charge_id = captured(clinic, who, 100)
    other_hold, other_charge = captured(clinic, clinic.insured(), 100)
    assert give_back(clinic, hold_id, charge_id, 1, actor=SECOND).code == "not-found"
    second = clinic.held(who, 100, SECOND)
    assert give_back(clinic, second, charge_id, 1, actor=SECOND).code == "charge-unknown"
    assert give_back(clinic, hold_id, other_charge, 1).code == "charge-unknown"
    assert give_back(clinic, other_hold, "xiamen." + "a" * 26, 1).code == "charge-unknown"
