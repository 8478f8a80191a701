"""``egret reconcile``: what a person is told of a bank's file, and what is settled by it."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib.core import effect, table
from chalicelib.core.effect import EffectRow
from chalicelib.ledger import store as ledger
from chalicelib.medical.rules.instructions import instruction_id_of
from chalicelib.medical.rules.outbox import MOST_ATTEMPTS
from infra.cli.main import main
from tests.integration.medical.banking import Core, core_of
from tests.integration.medical.clinic import Clinic

ROOT = Path(__file__).resolve().parents[3]
LONG = 4_000.0


@pytest.fixture(scope="module")
def bank_side(clinic: Clinic) -> Iterator[Core]:
    with core_of(clinic) as made:
        yield made


@pytest.fixture
def core(bank_side: Core) -> Core:
    """A bank that has done all that it was asked so far: one person's loan and one payment of his."""
    bank_side.forget()
    who, _, _ = bank_side.indebted(30_000)
    bank_side.paying(who, 5_000)
    bank_side.send()
    return bank_side


Report = dict[str, Any]


class Clerk:
    """Runs the command on the bank's file as it stands, or as the test leaves it."""

    def __init__(self, core: Core, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.core = core
        self.path = path
        self.capsys = capsys

    def lines(self) -> list[str]:
        return self.core.bank.book.csv().splitlines()

    def run(self, lines: list[str] | None = None, *options: str, bank: str = "demo-bank") -> tuple[int, str]:
        self.path.write_text("\n".join(self.lines() if lines is None else lines) + "\n", "utf-8")
        self.capsys.readouterr()
        code = main(["reconcile", str(self.path), "--city", "xiamen", "--bank", bank, *options])
        return code, self.capsys.readouterr().out

    def report(self, lines: list[str] | None = None, *options: str, bank: str = "demo-bank") -> tuple[int, Report]:
        code, out = self.run(lines, "--json", *options, bank=bank)
        found: Report = json.loads(out)
        return code, found

    def counts(self, lines: list[str] | None = None, *options: str) -> dict[str, int]:
        code, found = self.report(lines, *options)
        assert code == (1 if found["left"] else 0)
        counts: dict[str, int] = found["counts"]
        return counts


@pytest.fixture
def clerk(core: Core, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Clerk:
    return Clerk(core, tmp_path / "bank.csv", capsys)


def row(instruction_id: str, kind: str = "collect", amount: str = "50.00", state: str = "accepted") -> str:
    return f"{instruction_id},{kind},{amount},2026-08-03,{state},B77"


def test_a_file_that_agrees_is_no_difference(clerk: Clerk) -> None:
    code, said = clerk.run()
    assert code == 0
    for text in ("2 rows in the file, 2 instructions here", "✓ 没有差异", "✓ No difference"):
        assert text in said
    assert clerk.report() == (
        0, {"rows": 2, "instructions": 2, "settled": 0, "left": 0, "counts": {}, "differences": []},
    )  # fmt: skip


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
def test_ONCE_what_never_was_answered_is_settled_by_the_file(clerk: Clerk, state: str, booked: list[int]) -> None:
    core = clerk.core
    who, _, _ = core.indebted(30_000)
    payment_id = core.paying(who, 1_000)
    for attempt in range(MOST_ATTEMPTS):
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
