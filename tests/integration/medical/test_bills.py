"""What is owed, repaid, given back and written off, over HTTP; and all that is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core import clock
from chalicelib.core.text import Text
from chalicelib.medical.rules import Fee
from tests.integration.medical.clinic import OTHER_BANK, SECOND, Clinic
from tests.integration.medical.debts import (
    at,
    balances,
    charged,
    check_books,
    moved,
    own,
    pay_out,
    refund,
    repay,
    seen,
    state,
    write_off,
)
from tests.world import BANK, HOSPITAL

FEE = Fee(Text("手续费", "Handling fee"), 1_000)


def test_LEDGER_a_payment_goes_to_what_is_due_first_and_says_how(clinic: Clinic) -> None:
    with moved(at("2027-03-01")):
        who = clinic.insured()
        _, first = charged(clinic, who, 50_000)
    with moved(at("2027-03-03")):
        _, second = charged(clinic, who, 30_000, SECOND)
    with moved(at("2027-03-10")):
        answer = repay(clinic, who, 60_000)
        assert answer.status == 201, answer.text
        assert [part | {"charge_id": ""} for part in answer.body["parts"]] == [
            {"charge_id": "", "principal_fen": 50_000, "fee_fen": 0, "interest_fen": 0},
            {"charge_id": "", "principal_fen": 10_000, "fee_fen": 0, "interest_fen": 0},
        ]
        assert [part["charge_id"] for part in answer.body["parts"]] == [first, second]
        assert (answer.body["owed_fen"], answer.body["used_fen"], answer.body["day"]) == (20_000, 20_000, "2027-03-10")
        assert answer.body["subject_id"] == clinic.world.known_to(BANK, who)
        assert clinic.standing(who)[1] == 20_000
        told = seen(clinic, who).body
    assert (told["used_fen"], told["payoff_fen"], told["overdue_fen"]) == (20_000, 20_000, 0)
    assert told["owed"] == {"principal_fen": 20_000, "fee_fen": 0, "interest_fen": 0}
    assert told["dues"] == [{"due_on": "2027-04-14", "fen": 20_000}]
    (one,) = told["charges"]
    assert (one["hospital_id"], one["day"], one["paid_fen"]) == ("second-hospital", "2027-03-03", 10_000)
    check_books(clinic, who)


def test_MINIMAL_the_bank_sees_hospital_and_amounts_and_the_person_his_visits_too(clinic: Clinic) -> None:
    who = clinic.insured()
    hold_id = clinic.hold(who, 700, visit_ref="VISIT-SECRET").body["hold_id"]
    assert clinic.capture(hold_id, 700).status == 201
    month = f"{clock.day_in('Asia/Shanghai', clock.now()):%Y-%m}"
    for what in ("bill", f"statements/{month}"):
        told, mine = seen(clinic, who, what), own(clinic, who, what)
        assert "VISIT-SECRET" not in told.text
        assert "visit_ref" not in told.text
        (item,) = mine.get("charges") or mine["movements"]
        assert (item["visit_ref"], item["item_id"], item["hospital_id"]) == ("VISIT-SECRET", "", "demo-hospital")
        for text in (told.text, str(mine)):
            assert clinic.world.ref(who).person_id not in text
    assert mine["subject_id"] == clinic.world.client.people[who]["subject_id"]
    assert told.body["subject_id"] == clinic.world.known_to(BANK, who)


def test_LEDGER_interest_is_paid_before_principal_and_fees_before_both(clinic: Clinic, own_world: Any) -> None:
    clinic.in_force(clinic.policy(fees=(FEE,)))
    with moved(at("2027-03-01")):
        who = clinic.insured()
        charged(clinic, who, 100_000)
    with moved(at("2027-04-22")):  # ten days after 12 April: 500 ppm × 10 × 100,000 = 500; fees 100,000 × 1,000 ppm
        assert seen(clinic, who).body["owed"] == {"principal_fen": 100_000, "fee_fen": 100, "interest_fen": 500}
        (part,) = repay(clinic, who, 600).body["parts"]
        assert (part["fee_fen"], part["interest_fen"], part["principal_fen"]) == (100, 500, 0)
        (part,) = repay(clinic, who, 40_000).body["parts"]
        assert (part["fee_fen"], part["interest_fen"], part["principal_fen"]) == (0, 0, 40_000)
    found = balances(clinic, who)
    assert (found["cash"], found["fees"], found["interest"], found["loans"]) == (40_600, -100, -500, 60_000)
    check_books(clinic, who)


def test_LEDGER_what_was_paid_and_refunded_is_owed_back_with_its_fees_until_it_is_paid_out(
    clinic: Clinic, own_world: Any
) -> None:
    clinic.in_force(clinic.policy(fees=(FEE,)))
    who = clinic.insured()
    hold_id, charge_id = charged(clinic, who, 100_000)
    assert repay(clinic, who, 100_100).body["owed_fen"] == 0
    assert pay_out(clinic, who, 1).code == "payout-exceeds-credit"
    assert refund(clinic, hold_id, charge_id, 30_000).status == 201
    assert seen(clinic, who).body["back_fen"] == 30_030
    check_books(clinic, who)
    assert pay_out(clinic, who, 30_031).code == "payout-exceeds-credit"
    answer = pay_out(clinic, who, 10_000)
    assert (answer.status, answer.body["back_fen"]) == (201, 20_030)
    check_books(clinic, who)
    assert pay_out(clinic, who, 20_030).body["back_fen"] == 0
    found = balances(clinic, who)
    assert (found["loans"], found["sales"], found["receivable"]) == (0, -70_000, 70_000)
    assert seen(clinic, who).body["back_fen"] == 0


def test_LEDGER_a_write_off_leaves_the_line_and_what_is_paid_after_all_is_taken(clinic: Clinic) -> None:
    with moved(at("2027-03-01")):
        who = clinic.insured()
        hold_id, charge_id = charged(clinic, who, 100_000)
        charged(clinic, who, 5_000)
    with moved(at("2027-03-01") + timedelta(days=42 + 179)):
        assert write_off(clinic, who).code == "write-off-too-early"
    with moved(at("2027-03-01") + timedelta(days=42 + 180)):
        answer = write_off(clinic, who)
        assert answer.status == 201, answer.text
        # 50 fen a day for 180 days; 2.5 a day: April 47.5 (19 days), then 77.5, 75, 77.5, 77.5, 75, and 20 (8 days).
        interest = {part["principal_fen"]: part["interest_fen"] for part in answer.body["parts"]}
        assert interest == {100_000: 9_000, 5_000: 48 + 78 + 75 + 78 + 78 + 75 + 20}
        assert (answer.body["used_fen"], answer.body["owed_fen"]) == (0, 114_452)
        assert write_off(clinic, who).code == "write-off-too-early"
        told = seen(clinic, who).body
        assert (told["off_fen"], told["payoff_fen"], told["used_fen"]) == (114_452, 114_452, 0)
        assert (told["owed"]["principal_fen"], told["overdue_fen"], told["dues"]) == (0, 0, [])
        check_books(clinic, who)
    with moved(at("2028-03-01")):
        assert seen(clinic, who).body["payoff_fen"] == 114_452
        assert refund(clinic, hold_id, charge_id, 20_000).status == 201
        check_books(clinic, who)
        assert repay(clinic, who, 94_452).body["owed_fen"] == 0
        check_books(clinic, who)
    assert clinic.standing(who)[1] == 0


@pytest.mark.parametrize("amount", [0, -1, True, "1", None, 1.5, 10**10 + 1, 10**15, [1]])
def test_what_is_no_amount_is_refused(clinic: Clinic, amount: Any) -> None:
    who = clinic.insured()
    charged(clinic, who, 100)
    before = clinic.line(who)
    for answer in (repay(clinic, who, amount), pay_out(clinic, who, amount)):
        assert answer.code in {"invalid-request", "malformed-request"}
    assert clinic.line(who) == before


@pytest.mark.parametrize("currency", ["cny", "CN", "", None, 156, "CNY\n"])
def test_what_is_no_currency_is_refused(clinic: Clinic, currency: Any) -> None:
    assert repay(clinic, clinic.insured(), 1, currency).code == "invalid-request"


def test_what_is_refused_of_a_repayment_in_order(clinic: Clinic) -> None:
    who = clinic.insured()
    assert repay(clinic, who, 1).code == "repayment-exceeds-debt"
    charged(clinic, who, 5_000)
    assert repay(clinic, who, 5_001, "USD").code == "repayment-currency"
    assert repay(clinic, who, 5_001).code == "repayment-exceeds-debt"
    assert repay(clinic, who, 99).code == "repayment-too-small"
    assert repay(clinic, who, 4_950).status == 201
    assert repay(clinic, who, 49).code == "repayment-too-small"
    assert clinic.move(who, "close").status == 200
    assert repay(clinic, who, 50).body["owed_fen"] == 0
    assert repay(clinic, who, 1).code == "credit-line-closed"
    assert clinic.standing(who)[1] == 0


def test_MINIMAL_somebody_elses_line_is_absent(clinic: Clinic) -> None:
    who, stranger = clinic.insured(), clinic.patient()
    charged(clinic, who, 100)
    unknown = clinic.world.known_to(BANK, who)[:-4] + "aaaa"
    for path in (f"/v1/credit-lines/{clinic.world.known_to(BANK, who)}", f"/v1/credit-lines/{unknown}"):
        for answer in asked(clinic, path, OTHER_BANK):
            assert answer.code == "not-found"
    for person, actor in ((stranger, BANK), (who, OTHER_BANK)):
        for answer in asked(clinic, f"/v1/credit-lines/{clinic.world.known_to(actor, person)}", actor):
            assert answer.code == "not-found"
    for line in ("xiamen/demo-bank", "xiamen/other-bank", "nowhere/demo-bank", "xiamen/nobody"):
        for what in ("bill", "statements", "statements/2026-11"):
            answer = clinic.world.send("GET", f"/v1/me/credit-lines/{line}/{what}", f"citizen:{stranger}")
            assert answer.code == "not-found", answer.path


def asked(clinic: Clinic, path: str, actor: str) -> list[Any]:
    posts: list[tuple[str, Any]] = [
        ("repayments", {"amount_fen": 1, "currency": "CNY"}), ("payouts", {"amount_fen": 1}), ("write-off", None),
        ("statements/2026-10", None),
    ]  # fmt: skip
    gets = ("bill", "statements", "statements/2026-10")
    return [
        *(clinic.post(f"{path}/{what}", actor, body) for what, body in posts),
        *(clinic.send("GET", f"{path}/{what}", actor) for what in gets),
    ]


def test_scopes_are_asked_for(clinic: Clinic) -> None:
    who = clinic.insured()
    path = f"/v1/credit-lines/{clinic.world.known_to(BANK, who)}"
    assert {answer.code for answer in asked(clinic, path, HOSPITAL)} == {"forbidden"}


def test_a_person_sees_who_noted_what_of_his_bill(clinic: Clinic) -> None:
    with moved(at("2027-01-01")):
        who = clinic.insured()
        charged(clinic, who, 5_000)
    with moved(at("2027-09-01")):
        assert repay(clinic, who, 1_000).status == 201
        assert state(clinic, who, "2027-01").status == 200
        assert write_off(clinic, who).status == 201
        items = clinic.world.get("/v1/me/looks?limit=3", f"citizen:{who}")["items"]
    told = {item["purpose"].partition(":")[0]: (item["actor"], item["scenario"]) for item in items}
    scenario = "xiamen/credit_medical"
    assert told == {"repay": ("bank", scenario), "write-off": ("bank", scenario), "state-month": ("bank", None)}
    assert all("used your account" not in item["words"]["en"] for item in items)
