"""A difference between a bank's file and Egret that a person has looked into: recorded, and named as closed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chalicelib.core import clock, effect
from chalicelib.medical.rules.instructions import instruction_id_of
from chalicelib.subjects.store import account_pk
from infra.cli import reconcile_report
from tests.integration.medical.banking import OF, Core, core_of
from tests.integration.medical.clinic import OTHER_BANK, Clinic
from tests.integration.medical.debts import check_books, entries, refund, repay
from tests.integration.medical.desk import DIFFERENCES, OPERATOR, Clerk, fresh, row, staffed, today
from tests.world import BANK

AUTHOR = "bank:demo-bank@xiamen/bao"


@pytest.fixture(scope="module")
def bank_side(clinic: Clinic) -> Iterator[Core]:
    staffed(clinic)
    with core_of(clinic) as made:
        yield made


@pytest.fixture
def clerk(bank_side: Core, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Clerk:
    return Clerk(fresh(bank_side), tmp_path / "bank.csv", capsys)


def difference(clerk: Clerk, lines: list[str]) -> Any:
    """The only difference that is left."""
    _, found = clerk.report(lines)
    (one,) = found["differences"]
    return one


def test_a_difference_that_was_looked_into_is_closed_and_says_by_whom(clerk: Clerk) -> None:
    lines = [line.replace("50.00", "50.01") for line in clerk.lines()]
    one = difference(clerk, lines)
    assert (one["code"], one["close"]["row"]["amount_fen"], one["close"]["row"]["copy"]) == ("amount", 5_001, 0)
    done, again = (clerk.close(one["close"], key="close-it-once") for _ in range(2))
    assert (done.status, done.body["by"], done.body["reason"], done.body["entry_id"]) == (
        201,
        "ou",
        "looked-into",
        None,
    )
    assert done.body["egret_said"].startswith("collect 5000 ")
    assert (again.body, again.replayed) == (done.body, True)
    assert clerk.close(one["close"]).code == "nothing-to-close"
    for options in ((), ("--settle",)):
        code, found = clerk.report(lines, *options)
        assert (code, found["left"], found["closed"], found["counts"], found["settled"]) == (0, 0, 1, {}, 0)
        (closing,) = found["closings"]
        assert (closing["code"], closing["line"], closing["by"], closing["entry_id"]) == ("amount", 3, "ou", None)
        assert closing["at"] == done.body["at"]
    _, said = clerk.run(lines)
    day = today()
    for text in (f"已于 {day} 由 ou 结案（looked-into，无更正分录）", f"Closed on {day} by ou", "✓ 没有差异"):
        assert text in said
    other = [line.replace("50.00", "50.02") for line in clerk.lines()]
    assert clerk.counts(other) == {"amount": 1}, "what it says otherwise another time is another difference"


def test_the_day_of_a_closing_is_the_city_s(clerk: Clerk) -> None:
    lines = [line.replace("50.00", "50.01") for line in clerk.lines()]
    one, tomorrow = difference(clerk, lines), today() + timedelta(days=1)
    with clock.fixed(datetime.combine(tomorrow, time(0, 30), ZoneInfo("Asia/Shanghai")).astimezone(UTC)):
        done = clerk.close(one["close"])
        _, said = clerk.run(lines)
    assert done.body["at"].startswith(f"{today()}T16:30"), "in UTC it is the day before"
    assert f"Closed on {tomorrow} by ou" in said


@pytest.mark.parametrize("amount", ["0.00", "100000000.01", "999999999.99"])
def test_whatever_a_file_can_say_of_an_amount_can_be_closed(clerk: Clerk, amount: str) -> None:
    lines = [line.replace("50.00", amount) for line in clerk.lines()]
    assert clerk.close(difference(clerk, lines)["close"]).status == 201
    assert clerk.counts(lines) == {}


def test_all_that_one_row_says_otherwise_is_closed_at_once(clerk: Clerk) -> None:
    lines = [line.replace("50.00", "50.01").replace("collect", "pay_out") for line in clerk.lines()]
    _, found = clerk.report(lines)
    first, second = (one["close"] for one in found["differences"])
    assert (found["counts"], first) == ({"kind": 1, "amount": 1}, second)
    assert clerk.close(first).status == 201
    _, found = clerk.report(lines)
    assert (found["left"], found["closed"]) == (0, 2)


def test_who_is_no_operator_closes_nothing(clerk: Clerk) -> None:
    one = difference(clerk, [line.replace("50.00", "50.01") for line in clerk.lines()])
    for actor in (AUTHOR, BANK, OTHER_BANK):
        assert clerk.close(one["close"], actor).code == "instruction-closing-forbidden"
    wrongs: list[dict[str, Any]] = [{"reason": "Paid to Mr Chen"}, {"row": {}}, {"note": "x"}, {"instruction_id": "x"}]
    for wrong in wrongs:
        assert clerk.close(one["close"], **wrong).code == "invalid-request"
    assert clerk.core.clinic.post(DIFFERENCES, OPERATOR, {"reason": "x"}).code == "invalid-request"


def test_what_agrees_or_is_not_there_at_all_is_not_closed(clerk: Clerk) -> None:
    _, found = clerk.report([clerk.lines()[0]])
    for one in found["differences"]:
        seen = clerk.core.one(one["instruction_id"])
        assert seen.answer is not None
        said = {"kind": seen.kind, "amount_fen": seen.amount_fen, "day": f"{seen.day}", "state": seen.state, "copy": 0}
        agreed = {"instruction_id": seen.instruction_id, "row": {**said, "reference": seen.answer.reference}}
        assert (clerk.close(agreed).status, clerk.close(agreed).code) == (409, "nothing-to-close")
    nowhere = {"instruction_id": instruction_id_of(*OF, "x"), "row": None}
    assert clerk.close(nowhere).code == "nothing-to-close"


def test_what_the_bank_has_not_answered_waits_for_its_answer(clerk: Clerk) -> None:
    core = clerk.core
    who, _, _ = core.indebted(30_000)
    payment_id = core.paying(who, 1_000)
    lines = [*clerk.lines(), row(payment_id, amount="10.01")]
    _, found = clerk.report(lines)
    assert [(one["code"], one["close"]) for one in found["differences"]] == [("amount", None), ("state", None)]
    row_said = {"kind": "collect", "amount_fen": 1_001, "day": f"{core.one(payment_id).day}", "state": "accepted"}
    close = {"instruction_id": payment_id, "row": {**row_said, "reference": "B77", "copy": 0}}
    assert (clerk.close(close).status, clerk.close(close).code) == (409, "instruction-not-answered")
    assert core.answer(payment_id, state="accepted", reference="B77").status == 200
    assert difference(clerk, lines)["close"] == close
    assert clerk.close(close).status == 201
    assert clerk.counts(lines) == {}


def test_what_was_carried_out_twice_is_closed_copy_by_copy(clerk: Clerk) -> None:
    header, loan, payment = clerk.lines()
    other = payment.rpartition(",")[0] + ",B99"
    lines = [header, loan, other, payment, payment]
    _, found = clerk.report(lines)
    assert [(one["code"], one["line"]) for one in found["differences"]] == [("twice", 3), ("twice", 5)]
    copies = [one["close"]["row"]["copy"] for one in found["differences"]]
    assert copies == [0, 1], "the row that agrees is none of them, wherever it stands"
    for one in found["differences"]:
        assert clerk.close(one["close"]).status == 201
    assert clerk.counts(lines) == {}
    assert clerk.counts([header, payment, payment, loan, other]) == {}, "in another order"
    _, found = clerk.report([*lines, payment])
    assert (found["counts"], found["closed"]) == ({"twice": 1}, 2), "once more is one more"


def test_rows_of_nothing_here_and_what_a_file_lacks_are_closed(clerk: Clerk) -> None:
    header, loan, _ = clerk.lines()
    invented, foreign = instruction_id_of(*OF, "y"), instruction_id_of("xiamen", "other-bank", "y")
    lines = [header, loan, row(invented), row(foreign), row(foreign)]
    _, found = clerk.report(lines)
    assert found["counts"] == {"twice": 1, "not_here": 1, "foreign": 1, "not_in_file": 1}
    for one in found["differences"]:
        assert clerk.close(one["close"]).status == 201
    assert clerk.counts(lines) == {}
    assert clerk.counts([header, row(invented).replace("B77", "B78"), loan, row(foreign), row(foreign)]) == {
        "not_here": 1
    }


def test_LEDGER_what_the_bank_took_although_it_had_refused_is_booked_by_an_entry_of_its_own(clerk: Clerk) -> None:
    core = clerk.core
    who, _, _ = core.indebted(30_000)
    before_id = str(repay(core.clinic, who, 500).body["repayment_id"])
    payment_id = core.paying(who, 1_000)
    core.answer(payment_id, state="refused", reference="B0")
    lines = [*clerk.lines(), row(payment_id, amount="10.00")]
    one = difference(clerk, lines)
    assert (one["code"], one["file_says"], one["egret_says"]) == ("state", "accepted", "refused")
    history, seen = entries(), core.one(payment_id)
    entry_id = str(repay(core.clinic, who, 1_000).body["repayment_id"])
    elsewhere_id = str(repay(core.clinic, core.indebted(30_000)[0], 1_000).body["repayment_id"])
    for wrong in ("xiamen.nothing", before_id, elsewhere_id):
        assert clerk.close(one["close"], entry_id=wrong).code == "correcting-entry-invalid"
    done = clerk.close(one["close"], entry_id=entry_id)
    assert (done.status, done.body["entry_id"]) == (201, entry_id)
    assert core.one(payment_id) == seen, "the instruction stays as it was answered"
    assert [entry for entry in entries() if entry in history] == history, "nothing that was posted has changed"
    check_books(core.clinic, who)
    assert core.repayments(who) == [500, 1_000]
    core.send()
    _, found = clerk.report([*clerk.lines(), row(payment_id, amount="10.00")])
    assert (found["left"], [closing["entry_id"] for closing in found["closings"]]) == (0, [entry_id])
    _, said = clerk.run([*clerk.lines(), row(payment_id, amount="10.00")])
    assert f"correcting entry {entry_id}" in said


def test_ONCE_an_entry_sets_one_difference_right(clerk: Clerk) -> None:
    core = clerk.core
    who, _, _ = core.indebted(30_000)
    payments = [core.paying(who, 1_000) for _ in range(2)]
    for payment_id in payments:
        core.answer(payment_id, state="refused", reference="B0")
    lines = [*clerk.lines(), *(row(one, amount="10.00") for one in payments)]
    _, found = clerk.report(lines)
    entry_id = str(repay(core.clinic, who, 1_000).body["repayment_id"])
    first, second = (clerk.close(one["close"], entry_id=entry_id) for one in found["differences"])
    assert (first.status, second.status, second.code) == (201, 409, "correcting-entry-used")
    assert clerk.counts(lines) == {"state": 1}


def test_what_egret_knows_nothing_of_is_set_right_by_an_entry_and_by_nothing_else(clerk: Clerk) -> None:
    core = clerk.core
    one = difference(clerk, [*clerk.lines(), row(instruction_id_of(*OF, "z"))])
    who = core.clinic.insured()
    account = account_pk(core.clinic.world.ref(who))
    hold_id = core.clinic.held(who, 700)
    (held, *_), _ = effect.of_subject(account, 1, None)
    assert clerk.close(one["close"], entry_id=held.effect_id).code == "correcting-entry-invalid", "it posts nothing"
    core.clinic.capture(hold_id, 700)
    (captured, *_), _ = effect.of_subject(account, 1, None)
    assert clerk.close(one["close"], entry_id=captured.effect_id).code == "correcting-entry-invalid", "a new charge"
    entry_id = str(repay(core.clinic, who, 700).body["repayment_id"])
    assert clerk.close(one["close"], entry_id=entry_id).status == 201


def test_what_sets_something_right_is_no_payment_that_was_collected_for_itself(clerk: Clerk) -> None:
    core = clerk.core
    who, hold_id, charge_id = core.indebted(30_000)
    refused, other = (core.paying(who, 1_000) for _ in range(2))
    core.answer(refused, state="refused", reference="B0")
    core.send()
    one = difference(clerk, [*clerk.lines(), row(refused, amount="10.00")])
    collected_id = core.one(other).entry_id
    assert clerk.close(one["close"], entry_id=collected_id).code == "correcting-entry-invalid"
    assert refund(core.clinic, hold_id, charge_id, 1_000).status == 201
    (look, *_), _ = effect.of_subject(account_pk(core.clinic.world.ref(who)), 1, None)
    assert clerk.close(one["close"], entry_id=look.effect_id).status == 201, "the hospital's refund of its charge"


def test_whom_it_concerns_finds_it_among_the_looks_at_him(clerk: Clerk) -> None:
    core = clerk.core
    who, _, _ = core.indebted(30_000)
    core.bank.misbehave("forget")
    core.paying(who, 1_000)
    core.send()
    one = difference(clerk, clerk.lines())
    assert (one["code"], one["close"]["row"]) == ("not_in_file", None)
    with core.clinic.world.calls() as calls:
        assert clerk.close(one["close"]).status == 201
    assert calls.names == ["BatchGetItem", "TransactWriteItems"]
    looks = core.clinic.world.get("/v1/me/looks", f"citizen:{who}")["items"]
    (look,) = [look for look in looks if look["purpose"] == "close-difference"]
    facts = json.loads(effect.load(look["effect_id"]).facts)
    assert (facts["closed"]["by"], facts["closed"]["row"], facts["closed"]["reason"]) == ("ou", None, "looked-into")


def test_more_closings_than_are_listed_are_counted(clerk: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    header, loan, payment = clerk.lines()
    lines = [header, loan.replace("300.00", "300.01"), payment.replace("50.00", "50.01")]
    _, found = clerk.report(lines)
    for one in found["differences"]:
        assert clerk.close(one["close"]).status == 201
    monkeypatch.setattr(reconcile_report, "SHOWN_AT_MOST", 1)
    _, said = clerk.run(lines)
    assert "Differences that are closed and not listed: 1" in said
