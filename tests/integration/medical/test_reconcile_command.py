"""``egret reconcile``: what a person is told of a bank's file, and what is settled by it."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chalicelib.core import effect, table
from chalicelib.core.effect import EffectRow
from chalicelib.core.errors import Conflict, Problem, Unavailable
from chalicelib.ledger import store as ledger
from chalicelib.medical.rules import outbox as rules
from chalicelib.medical.rules.instructions import instruction_id_of
from chalicelib.medical.service import reconciling
from chalicelib.medical.store import outbox
from infra.cli.main import main
from tests.integration.medical.banking import OF, PATH, Core, core_of
from tests.integration.medical.clinic import OTHER_BANK, Clinic
from tests.integration.medical.debts import charged, pay_out, refund, repay
from tests.integration.medical.desk import OPERATOR, Clerk, fresh, row, staffed
from tests.integration.medical.reception import Reception

ROOT = Path(__file__).resolve().parents[3]
LONG = 4_000.0


@pytest.fixture(scope="module")
def bank_side(clinic: Clinic) -> Iterator[Core]:
    with core_of(clinic) as made:
        yield made


@pytest.fixture
def core(bank_side: Core) -> Core:
    return fresh(bank_side)


@pytest.fixture
def clerk(core: Core, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Clerk:
    return Clerk(core, tmp_path / "bank.csv", capsys)


def test_a_file_that_agrees_is_no_difference(clerk: Clerk) -> None:
    code, said = clerk.run()
    assert code == 0
    for text in ("2 rows in the file, 2 instructions here", "✓ 没有差异", "✓ No difference"):
        assert text in said
    assert clerk.report() == (
        0, {"rows": 2, "instructions": 2, "settled": 0, "asked_anew": 0, "closed": 0, "left": 0, "counts": {},
            "differences": [], "closings": []},
    )  # fmt: skip


def test_LEDGER_what_was_lost_on_the_way_to_the_outbox_is_found_and_made(clerk: Clerk) -> None:
    core = clerk.core
    core.start_afresh()
    clinic, who = core.clinic, core.clinic.insured()
    hold_id, charge_id = charged(clinic, who, 30_000)
    assert repay(clinic, who, 30_000).status == 201
    assert refund(clinic, hold_id, charge_id, 10_000).status == 201
    assert pay_out(clinic, who, 4_000).status == 201
    lost = core.all()
    core.forget()
    wanted = {one.instruction_id for one in lost}
    assert sorted(one.kind for one in lost) == ["disburse", "pay_out", "take_back"]
    _, found = clerk.report()
    assert found["counts"] == {"not_instructed": 3}
    assert {one["instruction_id"] for one in found["differences"]} == wanted
    assert core.all() == [], "looking makes nothing"
    assert clerk.report(None, "--settle")[1]["settled"] == 3
    made = {one.instruction_id: one for one in core.all()}
    for one in lost:
        assert replace(made[one.instruction_id], made_at=one.made_at, due_at=one.due_at) == one
    assert clerk.report(None, "--settle")[1]["settled"] == 0
    core.send()
    assert wanted <= set(core.bank.book.lines)
    assert clerk.counts() == {}


def test_one_of_several_that_were_captured_together_is_missed(clerk: Clerk) -> None:
    core = clerk.core
    reception = Reception(core.clinic)
    visit_id = reception.opened(core.clinic.insured(), 2_000)
    reception.raised(visit_id, [3_000])
    reception.enter(visit_id, "I-1", 5_000)
    reception.insure(visit_id, "I-1", 0)
    assert reception.capture(visit_id, "I-1").status == 200
    core.send()
    assert clerk.counts() == {}
    (lost,) = [one for one in core.all() if one.about.endswith("~1")]
    table.Row(*outbox.instruction_key(*OF, lost.instruction_id)).delete()
    code, found = clerk.report()
    (one,) = [one for one in found["differences"] if one["code"] == "not_instructed"]
    assert (code, one["instruction_id"]) == (1, lost.instruction_id)
    assert found["counts"] == {"not_instructed": 1, "not_here": 1}
    assert clerk.report(None, "--settle")[1]["left"] == 0, "what the file says of it is settled in the same run"
    assert core.one(lost.instruction_id).state == "accepted"


def test_a_give_back_that_is_refused_is_named(clerk: Clerk) -> None:
    core = clerk.core
    who, hold_id, charge_id = core.indebted(30_000)
    payment_id = core.paying(who, 30_000)
    refund(core.clinic, hold_id, charge_id, 20_000)
    core.answer(payment_id, state="accepted", reference="B1")
    core.bank.misbehave("refuse")
    core.later(1)
    back = [one for one in core.all() if one.kind == "give_back"]
    assert [one.state for one in back] == ["refused"]
    assert clerk.counts() == {"not_in_file": 1, "not_given_back": 1}, "the file has what was done over the wire"


def test_what_is_settled_as_refused_and_was_posted_is_named_at_once(clerk: Clerk) -> None:
    core = clerk.core
    core.bank.misbehave("500")
    core.indebted(20_000)
    (unknown,) = [one for one in core.all() if one.state == "unknown"]
    lines = [*clerk.lines(), f"{unknown.instruction_id},disburse,200.00,{unknown.day},refused,R1"]
    code, found = clerk.report(lines, "--settle")
    assert (code, found["settled"], found["counts"]) == (1, 1, {"refused_but_posted": 1})
    assert clerk.counts(lines) == {"refused_but_posted": 1}


def test_nothing_is_settled_by_a_file_that_contradicts_itself(clerk: Clerk) -> None:
    core = clerk.core
    who, _, _ = core.indebted(30_000)
    payment_id = core.paying(who, 5_000)
    lines = [*clerk.lines(), *(row(payment_id, state=state) for state in ("accepted", "refused"))]
    assert clerk.counts(lines, "--settle") == {"twice": 1, "state": 1}
    assert (core.one(payment_id).state, core.repayments(who)) == ("queued", [])
    core.answer(payment_id, state="refused", reference="B0")


@pytest.mark.parametrize("refusal", [Conflict, Unavailable])
def test_one_that_cannot_be_settled_just_now_keeps_no_other(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch, refusal: type[Problem]
) -> None:
    core = clerk.core
    who, _, _ = core.indebted(30_000)
    payments = sorted(core.paying(who, 1_000) for _ in range(3))
    settle = reconciling.settle

    def busy(unit: Any, now: Any, city_id: str, bank_id: str, one: Any) -> Any:
        if one.instruction_id == payments[0]:
            raise refusal
        return settle(unit, now, city_id, bank_id, one)

    lines = [*clerk.lines(), *(row(one, amount="10.00") for one in payments)]
    with monkeypatch.context() as patched:
        patched.setattr(reconciling, "settle", busy)
        code, found = clerk.report(lines, "--settle")
    assert (code, found["settled"], found["counts"]) == (1, 2, {"state": 1})
    assert [core.one(one).state for one in payments] == ["queued", "accepted", "accepted"]
    assert clerk.report(lines, "--settle")[1]["left"] == 0


def test_what_was_given_up_and_is_not_in_the_file_is_asked_anew(clerk: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    core = clerk.core
    monkeypatch.setattr(rules, "MOST_ATTEMPTS", 2)
    who, _, _ = core.indebted(30_000)
    payment_id = core.paying(who, 1_000)
    core.bank.misbehave("500", "500")
    assert [core.later(seconds).sent for seconds in (0, LONG)] == [1, 1]
    assert (core.one(payment_id).state, core.one(payment_id).due_at) == ("unknown", None)
    assert clerk.counts() == {"not_in_file": 1}
    assert core.later(2 * LONG).sent == 0
    _, found = clerk.report(None, "--settle")
    assert (found["asked_anew"], found["left"]) == (1, 1)
    assert core.send().answered == 1
    assert clerk.counts() == {}
    assert core.repayments(who) == [1_000]


def test_rows_that_match_nothing_or_come_twice_or_are_another_banks_are_named(clerk: Clerk) -> None:
    invented = instruction_id_of("xiamen", "demo-bank", "x")
    foreign = instruction_id_of("xiamen", "other-bank", "x")
    lines = [*clerk.lines(), clerk.lines()[1], row(invented), row(foreign), "?,?,?,?,?,?"]
    assert clerk.counts(lines) == {"malformed": 1, "twice": 1, "not_here": 1, "foreign": 1}
    _, found = clerk.report(lines)
    assert sorted((one["code"], one["line"]) for one in found["differences"]) == [
        ("foreign", 6), ("malformed", 7), ("not_here", 5), ("twice", 4),
    ]  # fmt: skip
    code, said = clerk.run(lines)
    assert code == 1
    for text in ("文件中的行属于另一家银行", "in the file and not here", "✗ Differences left: 4"):
        assert text in said
    assert clerk.counts(lines, "--settle") == {"malformed": 1, "twice": 1, "not_here": 1, "foreign": 1}


def test_what_the_bank_forgot_is_here_and_not_in_the_file(clerk: Clerk) -> None:
    core = clerk.core
    who, _, _ = core.indebted(30_000)
    core.bank.misbehave("forget")
    payment_id = core.paying(who, 1_000)
    core.send()
    assert core.one(payment_id).state == "accepted"
    assert clerk.counts() == clerk.counts(None, "--settle") == {"not_in_file": 1}


def test_amounts_states_and_references_are_compared(clerk: Clerk) -> None:
    header, loan, payment = clerk.lines()
    reference = payment.rpartition(",")[2]
    assert clerk.counts([header, loan, payment.replace("50.00", "50.01")]) == {"amount": 1}
    assert clerk.counts([header, loan, payment.replace("collect", "pay_out")]) == {"kind": 1}
    assert clerk.counts([header, loan, payment.replace("accepted", "refused")]) == {"state": 1}
    assert clerk.counts([header, loan, payment.replace(reference, "OTHER")]) == {"reference": 1}
    assert clerk.counts([header, payment]) == {"not_in_file": 1}
    _, found = clerk.report([header, loan, payment.replace("50.00", "50.01")])
    (one,) = found["differences"]
    assert (one["file_says"], one["egret_says"], one["line"]) == ("50.01", "50.00", 3)


@pytest.mark.parametrize(("state", "booked"), [("accepted", [1_000]), ("refused", [])])
def test_ONCE_what_never_was_answered_is_settled_by_the_file(
    clerk: Clerk, state: str, booked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "MOST_ATTEMPTS", 3)
    core = clerk.core
    who, _, _ = core.indebted(30_000)
    payment_id = core.paying(who, 1_000)
    for attempt in range(3):
        core.bank.misbehave("500")
        core.later(attempt * LONG)
    assert core.one(payment_id).due_at is None
    lines = [*clerk.lines(), row(payment_id, amount="10.00", state=state)]
    assert clerk.counts(lines) == {"state": 1}
    assert core.repayments(who) == []
    code, found = clerk.report(lines, "--settle")
    assert (code, found["settled"], found["left"]) == (0, 1, 0)
    assert (core.one(payment_id).state, core.repayments(who)) == (state, booked)
    code, found = clerk.report(lines, "--settle")
    assert (code, found["settled"], found["left"], core.repayments(who)) == (0, 0, 0, booked)
    late = core.answer(payment_id, state=state, reference="B77").body
    assert (late["disputed"], core.repayments(who)) == ([], booked), "a late answer that agrees changes nothing"


def test_settling_leaves_what_only_people_can_settle(clerk: Clerk) -> None:
    core = clerk.core
    who, _, _ = core.indebted(30_000)
    lost, wrong, disputed = (core.paying(who, 1_000 + n) for n in range(3))
    core.bank.misbehave("lose-answer", "lose-answer")
    core.send()
    core.answer(disputed, state="refused", reference="B99")
    lines = [line.replace("10.01", "99.01") for line in clerk.lines()]
    before = clerk.counts(lines)
    assert before == {"state": 2, "amount": 1, "disputed": 1}
    code, said = clerk.run(lines, "--settle")
    assert code == 1
    assert "Settled: 1" in said
    assert clerk.counts(lines) == {"state": 1, "amount": 1, "disputed": 1}, "fewer than before"
    assert (core.one(lost).state, core.one(wrong).state) == ("accepted", "unknown")


def test_a_refusal_of_what_was_captured_is_named(clerk: Clerk) -> None:
    core = clerk.core
    core.bank.misbehave("refuse")
    core.indebted(20_000)
    assert clerk.counts() == {"refused_but_posted": 1}


def test_what_was_settled_with_those_concerned_is_closed_by_an_operator(clerk: Clerk) -> None:
    core = clerk.core
    staffed(core.clinic)
    core.bank.misbehave("refuse")
    who, _, _ = core.indebted(20_000)
    (refused,) = [one for one in core.all() if one.state == "refused"]
    path = f"{PATH}/{refused.instruction_id}/closing"
    for actor, code in (("bank:demo-bank@xiamen/bao", "instruction-closing-forbidden"), (OTHER_BANK, "not-found")):
        assert core.clinic.post(path, actor, {"reason": "paid-by-hand"}).code == code
    assert core.clinic.post(path, OPERATOR, {"reason": "Paid to Mr Chen"}).code == "invalid-request"
    done, again = (core.clinic.post(path, OPERATOR, {"reason": "paid-by-hand"}, key="close-it") for _ in range(2))
    assert (done.status, done.body["closed"]["reason"], again.replayed) == (200, "paid-by-hand", True)
    assert core.clinic.post(path, OPERATOR, {"reason": "paid-by-hand"}).code == "nothing-to-close"
    assert clerk.counts() == {}
    looks = core.clinic.world.get("/v1/me/looks", f"citizen:{who}")["items"]
    assert "close:disburse" in {one["purpose"] for one in looks}
    core.answer(refused.instruction_id, state="accepted", reference="B9")
    assert clerk.counts() == {"disputed": 1, "refused_but_posted": 1}, "a further dispute opens it again"
    assert core.clinic.post(path, OPERATOR, {"reason": "looked-into"}).status == 200
    assert clerk.counts() == {}


def test_what_waits_for_nobody_is_not_closed(clerk: Clerk) -> None:
    core = clerk.core
    staffed(core.clinic)
    for one in core.all():
        answer = core.clinic.post(f"{PATH}/{one.instruction_id}/closing", OPERATOR, {"reason": "done"})
        assert (answer.status, answer.code) == (409, "nothing-to-close")


def test_LEDGER_an_entry_that_is_gone_or_changed_is_found(clerk: Clerk) -> None:
    core = clerk.core
    (payment,) = [one for one in core.all() if one.kind == "collect"]
    assert payment.entry_id is not None
    assert ledger.load_entry(payment.entry_id).book == "xiamen/bank/demo-bank"
    row = table.get(EffectRow, effect.key_of(payment.entry_id))
    assert row is not None
    row.delete()
    assert clerk.counts() == {"not_in_ledger": 1}


def test_a_span_of_days_is_compared_alone(clerk: Clerk) -> None:
    header = clerk.lines()[0]
    assert clerk.counts([header], "--until", "2020-01-01") == {}
    assert clerk.counts([header], "--from", "2020-01-01") == {"not_in_file": 2}


def test_what_cannot_be_compared_is_said(clerk: Clerk, tmp_path: Path) -> None:
    assert main(["reconcile", str(tmp_path / "none.csv"), "--city", "xiamen", "--bank", "demo-bank"]) == 2
    for bank in ("nobody", "demo-hospital"):
        clerk.path.write_text("\n".join(clerk.lines()))
        assert main(["reconcile", str(clerk.path), "--city", "xiamen", "--bank", bank]) == 3
    clerk.path.write_text("a,b\n")
    assert main(["reconcile", str(clerk.path), "--city", "xiamen", "--bank", "demo-bank"]) == 2


def test_as_a_person_runs_it_on_a_database_of_this_computer(clerk: Clerk, tmp_path: Path) -> None:
    core = clerk.core
    who, _, _ = core.indebted(30_000)
    payment_id = core.paying(who, 1_000)
    core.bank.misbehave("lose-answer")
    core.send()
    clerk.path.write_text("\n".join(clerk.lines()) + "\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("EGRET_", "AWS_"))}
    (tmp_path / "keys").mkdir()
    seal_key = os.environ["EGRET_SEAL_KEY"].removeprefix("plain:")
    assert len(base64.b64decode(seal_key)) == 32
    (tmp_path / "keys" / "seal.key").write_text(seal_key)
    command = [
        sys.executable, "-m", "infra.cli", "reconcile", str(clerk.path), "--city", "xiamen", "--bank", "demo-bank",
        "--settle", "--endpoint", core.clinic.world.database.endpoint, "--folder", str(tmp_path),
    ]  # fmt: skip
    environment = {**kept, "EGRET_TABLE": os.environ["EGRET_TABLE"], "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Settled: 1" in done.stdout
    assert (core.one(payment_id).state, core.repayments(who)) == ("accepted", [1_000])
