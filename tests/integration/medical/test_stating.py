"""Monthly statements over HTTP: stated once a month is over, in their order, and derived again when they are read."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from chalicelib.core import ids, table
from chalicelib.core.commit import Unit
from chalicelib.core.table import Key
from chalicelib.medical import store
from chalicelib.medical.rules import Account, Debt, charge_of, credit, statement
from chalicelib.medical.rules.months import month_in
from chalicelib.medical.rules.statements import MOST_DEBTS, filed
from chalicelib.medical.store.bills import _StatementRow
from tests.integration.medical.clinic import OTHER_BANK, Clinic
from tests.integration.medical.debts import (
    at,
    charged,
    check_books,
    moved,
    own,
    refund,
    repay,
    seen,
    state,
)
from tests.integration.medical.reception import Reception
from tests.world import World


def sums(principal: int = 0, fee: int = 0, interest: int = 0) -> dict[str, int]:
    return {"principal_fen": principal, "fee_fen": fee, "interest_fen": interest}


@pytest.fixture(scope="module")
def debtor(clinic: Clinic) -> str:
    """Somebody who was charged 80,000 on 1 March and 20,000 on 20 March 2027, got 30,000 back and paid 10,000 late."""
    with moved(at("2027-03-01")):
        who = clinic.insured()
        hold_id, charge_id = charged(clinic, who, 80_000)
    with moved(at("2027-03-20")):
        charged(clinic, who, 20_000)
        assert refund(clinic, hold_id, charge_id, 30_000).status == 201
    with moved(at("2027-04-22")):
        assert repay(clinic, who, 10_000).status == 201
    return who


def test_LEDGER_a_month_is_stated_once_it_is_over(clinic: Clinic, debtor: str, own_world: World) -> None:
    with moved(at("2027-05-03")):
        assert state(clinic, debtor, "2027-05").code == "month-not-over"
        assert state(clinic, debtor, "2027-06").code == "month-not-over"
        march = state(clinic, debtor, "2027-03")
        assert march.status == 200, march.text
        told = march.body
        assert (told["month"], told["closed"], told["open"], told["until"]) == ("2027-03", True, False, "2027-04-01")
        assert (told["opening"], told["charged"], told["refunded"]) == (sums(), sums(100_000), sums(-30_000))
        assert (told["closing"], told["interest_fen"], told["overdue_fen"]) == (sums(70_000), 0, 0)
        assert told["dues"] == [{"due_on": "2027-04-12", "fen": 50_000}, {"due_on": "2027-05-01", "fen": 20_000}]
        april = state(clinic, debtor, "2027-04").body
    # 50,000 × 500 ppm × 10 days (12 to 21 April) = 250, which the payment takes first; 40,250 × 500 ppm × 9 = 181.125.
    assert (april["opening"], april["repaid"]) == (sums(70_000), sums(-9_750, 0, -250))
    assert (april["interest_fen"], april["closing"]) == (431, sums(60_250, 0, 181))
    assert april["overdue_fen"] == 40_250 + 181
    check_books(clinic, debtor)


def test_LEDGER_a_month_closes_those_before_it_and_again_changes_nothing(
    clinic: Clinic, debtor: str, own_world: World
) -> None:
    with moved(at("2027-06-01", 0, 1)):
        open_march = own(clinic, debtor, "statements/2027-03")
        may = state(clinic, debtor, "2027-05")
        line = clinic.line(debtor)
        assert (may.body["month"], f"{line.stated_until}") == ("2027-05", "2027-06-01")
        assert line.line.as_of >= at("2027-06-01", 0, 0)
        listed = seen(clinic, debtor, "statements").body
        assert [one["month"] for one in listed["items"]] == ["2027-05", "2027-04", "2027-03"]
        assert listed["items"][0] == may.body
        assert state(clinic, debtor, "2027-05").body == may.body
        assert state(clinic, debtor, "2027-03").body == listed["items"][2]
        assert clinic.line(debtor) == line
        assert state(clinic, debtor, "2027-02").code == "nothing-billed"
        assert seen(clinic, debtor, "statements/2027-02").code == "not-found"
        closed_march = own(clinic, debtor, "statements/2027-03")
    assert (open_march["closed"], closed_march["closed"]) == (False, True)
    assert {**open_march, "closed": True} == closed_march, "a month that is over reads the same before it is stated"
    check_books(clinic, debtor)


def test_LEDGER_what_comes_after_is_on_the_next_statement(clinic: Clinic, debtor: str, own_world: World) -> None:
    with moved(at("2027-05-03")):
        assert state(clinic, debtor, "2027-03").status == 200
        bill = seen(clinic, debtor).body
    with moved(at("2027-04-30")):  # a clock that is slow
        answer = repay(clinic, debtor, 20_000)
        assert answer.body["day"] == "2027-05-03"
    with moved(at("2027-06-01")):
        may = state(clinic, debtor, "2027-05").body
        assert sum(may["repaid"].values()) == -20_000
        read = own(clinic, debtor, "statements/2027-05")
    assert bill["payoff_fen"] - 20_000 == answer.body["owed_fen"]
    assert [one["kind"] for one in read["movements"]] == ["repayment"]
    check_books(clinic, debtor)


def test_LEDGER_a_month_that_is_going_on_reads_as_of_today(clinic: Clinic, debtor: str) -> None:
    with moved(at("2027-04-25")):
        told = own(clinic, debtor, "statements/2027-04")
        bill = own(clinic, debtor)
        assert own_code(clinic, debtor, "2027-05") == "not-found"
    assert (told["open"], told["closed"], told["until"]) == (True, False, "2027-04-25")
    assert told["closing"] == bill["owed"] == sums(60_250, 0, 60)  # 40,250 × 500 ppm × 3 days = 60.375
    assert [(one["kind"], one["principal_fen"], one["interest_fen"]) for one in told["movements"]] == [
        ("repayment", -9_750, -250)
    ]


def test_LIMIT_a_bill_with_too_many_events_is_stated_before_anything_more_is_held(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credit, "MOST_EVENTS", 3)
    reception = Reception(clinic)
    with moved(at("2027-03-05")):
        who = clinic.insured()
        charged(clinic, who, 1_000)
        visit_id = reception.opened(who, 1_000)
        reception.raised(visit_id, [500])
        reception.enter(visit_id, "i1", 1_500, 0)
        assert clinic.line(who).unstated == 1
        assert reception.capture(visit_id, "i1").status == 200
        assert clinic.line(who).unstated == 3, "an item that was captured from two holds is two charges"
        assert clinic.hold(who, 1).code == "statements-outstanding"
        assert reception.open(who, 1).code == "statements-outstanding"
    with moved(at("2027-04-05")):
        assert state(clinic, who, "2027-03").status == 200
        assert clinic.hold(who, 1).status == 201


def test_LIMIT_of_a_bill_with_too_many_events_nothing_is_divided_without_end(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credit, "MOST_EVENTS", 4)
    monkeypatch.setattr(credit, "MOST_PARTS", 3)
    reception = Reception(clinic)
    with moved(at("2027-03-05")):
        who = clinic.insured()
        first, second, visit_id = clinic.held(who, 1_000), clinic.held(who, 1_000), reception.opened(who, 1_000)
        reception.enter(visit_id, "i1", 600, 0)
        charges = [clinic.capture(first, 100, key=f"part-{n}-of-{who}").body["charge_id"] for n in range(3)]
        assert refund(clinic, first, charges[0], 10).status == 201
        assert clinic.line(who).unstated == 4
        assert clinic.capture(first, 100).code == "statements-outstanding"
        assert clinic.capture(first, 701).code == "capture-exceeds-hold"
        assert clinic.capture(first, 100, key=f"part-0-of-{who}").replayed
        assert [clinic.capture(second, 100).status for _ in range(3)] == [201] * 3, "another hold is not the first one"
        assert clinic.capture(second, 100).code == "statements-outstanding"
        assert reception.capture(visit_id, "i1").status == 200
        assert refund(clinic, first, charges[0], 89).code == "statements-outstanding"
        assert refund(clinic, first, charges[0], 91).code == "refund-exceeds-capture"
        assert reception.refund(visit_id, "i1", 599).code == "statements-outstanding"
        assert reception.refund(visit_id, "i1", 601).code == "refund-exceeds-capture"
        assert [refund(clinic, first, charges[0], 90).status, reception.refund(visit_id, "i1", 600).status] == [201] * 2
        assert clinic.capture(first, 100, final=True).status == 201
        assert clinic.capture(second, 700).status == 201
    with moved(at("2027-04-05")):
        assert state(clinic, who, "2027-03").status == 200
        assert refund(clinic, first, charges[1], 1).status == 201
    check_books(clinic, who)


def own_code(clinic: Clinic, who: str, month: str) -> str | None:
    path = f"/v1/me/credit-lines/xiamen/demo-bank/statements/{month}"
    return clinic.world.send("GET", path, f"citizen:{who}").code


@pytest.mark.parametrize(
    "month", ["2026-13", "2026-00", "2026-1", "26-01", "0026-01", "2026-01-01", "march", "9999-12"]
)
def test_what_is_no_month_or_not_begun_is_absent(clinic: Clinic, debtor: str, month: str) -> None:
    assert seen(clinic, debtor, f"statements/{month}").code == "not-found"
    assert own_code(clinic, debtor, month) == "not-found"
    assert state(clinic, debtor, month).code == "not-found"


def test_a_month_is_over_at_midnight_in_the_city(clinic: Clinic) -> None:
    with moved(at("2027-03-31", 23, 58)):
        who = clinic.insured()
        charged(clinic, who, 100)
    with moved(at("2027-03-31", 23, 59)):
        assert state(clinic, who, "2027-03").code == "month-not-over"
        assert state(clinic, who, "2027-04").code == "month-not-over"
    with moved(at("2027-04-01", 0, 0)):
        assert state(clinic, who, "2027-03").status == 200


def test_what_is_stated_of_nothing(clinic: Clinic) -> None:
    with moved(at("2027-03-01")):
        who = clinic.insured()
    with moved(at("2027-05-01")):
        assert state(clinic, who, "2027-03").code == "nothing-billed"
        assert state(clinic, who, "2027-03", OTHER_BANK).code == "not-found"
        assert seen(clinic, who, "statements").body == {"items": [], "next": None}


def test_too_many_months_at_once_are_refused_with_the_one_to_state_first(clinic: Clinic) -> None:
    with moved(at("2027-03-31", 23, 59)):
        who = clinic.insured()
        charged(clinic, who, 1_000)
    with moved(at("2028-08-01")):
        refused = state(clinic, who, "2028-03")
        assert refused.code == "months-outstanding"
        assert "2028-02" in refused.text
        assert state(clinic, who, "2028-02").status == 200
        assert state(clinic, who, "2028-03").status == 200
        assert f"{clinic.line(who).stated_until}" == "2028-04-01"
    check_books(clinic, who)


def test_a_list_goes_on_where_it_stopped_for_him_who_began_it(clinic: Clinic, debtor: str, own_world: World) -> None:
    with moved(at("2027-06-01")):
        state(clinic, debtor, "2027-05")
        first = seen(clinic, debtor, "statements?limit=2").body
        cursor = first["next"]
        second = seen(clinic, debtor, f"statements?limit=2&cursor={cursor}").body
        months = [one["month"] for one in [*first["items"], *second["items"]]]
        assert months == ["2027-05", "2027-04", "2027-03"]
        path = f"/v1/me/credit-lines/xiamen/demo-bank/statements?cursor={cursor}"
        assert clinic.world.send("GET", path, f"citizen:{debtor}").code == "cursor-invalid"


def test_LEDGER_a_read_that_meets_the_write_sees_the_month_as_stated(
    clinic: Clinic, debtor: str, own_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one BatchGetItem the line may be read after the write, and the statements before it."""
    paths = ("bill", "statements/2027-03", "statements/2027-04", "statements/2027-05")
    with moved(at("2027-06-01")):
        state(clinic, debtor, "2027-05")
        calm = [own(clinic, debtor, path) for path in paths]
        fetch = table.fetch

        def before_the_write(keys: Any) -> Any:
            return {key: row for key, row in fetch(keys).items() if not isinstance(row, _StatementRow)}

        monkeypatch.setattr(table, "fetch", before_the_write)
        assert [own(clinic, debtor, path) for path in paths] == calm
        again = state(clinic, debtor, "2027-04")
        assert (again.status, again.body["closing"]) == (200, calm[2]["closing"])


def test_LEDGER_a_statement_that_was_changed_is_a_broken_belief(clinic: Clinic, debtor: str, own_world: World) -> None:
    with moved(at("2027-06-01")):
        state(clinic, debtor, "2027-05")
        assert seen(clinic, debtor, "statements/2027-04").status == 200
        row = stored(clinic, debtor, "2027-04")
        document = json.loads(row.document)
        document["interest_fen"] += 1
        row.document = json.dumps(document)
        row.save()
        assert seen(clinic, debtor, "statements/2027-04").status == 500
        assert seen(clinic, debtor, "statements/2027-05").status == 200


def stored(clinic: Clinic, who: str, month: str) -> Any:
    key = store.statement_key("xiamen", clinic.world.ref(who).person_id, "demo-bank", month_in(month) or date.min)
    row = table.get(_StatementRow, Key(*key))
    assert row is not None
    return row


def test_LEDGER_a_charge_cleared_long_ago_is_forgotten_and_can_be_refunded_until_then(clinic: Clinic) -> None:
    with moved(at("2027-03-10")):
        who = clinic.insured()
        hold_id, charge_id = charged(clinic, who, 5_000)
        other_hold, other_charge = charged(clinic, who, 7_000)
        assert repay(clinic, who, 12_000).body["owed_fen"] == 0
    with moved(at("2028-02-01")):
        assert state(clinic, who, "2028-01").status == 200
    with moved(at("2028-03-02")):
        assert refund(clinic, hold_id, charge_id, 1_000).status == 201
        assert state(clinic, who, "2028-02").status == 200
    with moved(at("2028-04-02")):
        assert state(clinic, who, "2028-03").body["back_fen"] == 1_000
        assert refund(clinic, other_hold, other_charge, 1_000).code == "charge-unknown"
    check_books(clinic, who)


def test_LEDGER_what_a_month_to_be_stated_will_forget_is_not_refunded_before_it_is(clinic: Clinic) -> None:
    with moved(at("2027-03-01")):
        who = clinic.insured()
        hold_id, charge_id = charged(clinic, who, 10_000)
        assert repay(clinic, who, 10_000).status == 201
    with moved(at("2028-03-03")):
        assert state(clinic, who, "2028-02").status == 200
    with moved(at("2028-04-02")):
        assert refund(clinic, hold_id, charge_id, 500).code == "charge-unknown"
        assert state(clinic, who, "2028-03").status == 200
        assert seen(clinic, who).body["payoff_fen"] == 0
    with moved(at("2028-05-02")):
        assert state(clinic, who, "2028-04").status == 200
    check_books(clinic, who)


def test_a_statement_stays_small_with_as_many_charges_as_are_remembered(clinic: Clinic) -> None:
    who = clinic.insured()
    credit, unit = clinic.line(who), Unit()
    one = charge_of(
        clinic.policy(), date(2027, 1, 1), 123_456, charge_id="", hospital_id="demo-hospital", visit_id="V-2027-000123",
        item_id="",
    )  # fmt: skip
    names = (ids.new("c") for _ in range(MOST_DEBTS))
    debts = tuple(Debt(replace(one, charge_id=name, item_id=name[-8:])) for name in sorted(names))
    opening = Account(date(2027, 1, 1), debts)
    key = store.statement_key("xiamen", credit.ref.person_id, "demo-bank", date(2027, 1, 1))
    kept = filed(statement(opening, [], [clinic.policy()]), 0, 2)
    store.save_statement(unit, key, kept)
    unit.commit()
    assert store.load_statement(key) == kept
    (item,) = [item for item in clinic.world.items() if item["pk"]["S"] == key.pk]
    assert len(json.dumps(item, default=len)) + len(item["account"]["B"]) < 64_000
