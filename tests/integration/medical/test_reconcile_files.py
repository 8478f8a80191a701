"""`egret reconcile` on files that are somebody else's, of other days, poisoned or long."""

from __future__ import annotations

import sqlite3
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from chalicelib.core import log, table
from chalicelib.medical.rules import outbox as rules
from chalicelib.medical.rules.instructions import instruction_id_of
from chalicelib.medical.service import reconciling
from chalicelib.medical.store import outbox
from infra.cli.main import main
from infra.cli.reconcile_report import Meter
from tests.integration.core import faults
from tests.integration.medical.banking import OF, Core, core_of
from tests.integration.medical.clinic import Clinic
from tests.integration.medical.desk import Clerk, fresh, row, today

LONG = 4_000.0


@pytest.fixture(scope="module")
def bank_side(clinic: Clinic) -> Iterator[Core]:
    with core_of(clinic) as made:
        yield made


@pytest.fixture
def clerk(bank_side: Core, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Clerk:
    return Clerk(fresh(bank_side), tmp_path / "bank.csv", capsys)


def test_a_file_of_another_bank_settles_nothing(clerk: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    core = clerk.core
    monkeypatch.setattr(rules, "MOST_ATTEMPTS", 1)
    who, _, _ = core.indebted(30_000)
    payment_id = core.paying(who, 1_000)
    core.bank.misbehave("500")
    core.send()
    lines = [clerk.lines()[0], *(row(instruction_id_of("xiamen", "other-bank", f"{n}")) for n in range(3))]
    code, said = clerk.run(lines, "--settle")
    assert (code, said) == (2, "")
    assert core.one(payment_id).due_at is None, "nothing is asked anew because of a file that was mixed up"
    code, found = clerk.report([lines[0], "?,?,?,?,?,?"], "--settle")
    assert (code, found["counts"]["malformed"], found["settled"], found["asked_anew"]) == (1, 1, 0, 0)
    assert core.one(payment_id).due_at is None, "nor because of one in which nothing can be read"
    assert clerk.run([*lines, clerk.lines()[1]])[0] == 1, "one row of its own makes it its own"
    assert clerk.run(lines[:1])[0] == 1, "a day without a row is its own too"


def test_days_that_are_none_are_refused(clerk: Clerk) -> None:
    day = f"{today()}"
    for first, until in ((day, day), (day, "2020-01-01")):
        assert clerk.run(None, "--from", first, "--until", until)[0] == 2


def test_a_row_of_other_days_is_compared_and_nothing_of_other_days_is_missed(clerk: Clerk) -> None:
    header, loan, payment = clerk.lines()
    day, next_day = f"{today()}", f"{today() + timedelta(days=1)}"
    later = ("--from", next_day)
    assert clerk.counts([header, loan, payment], *later) == {}
    assert clerk.counts([header, payment], *later) == {}, "what the file lacks of other days is not asked for"
    assert clerk.counts([header, payment.replace("50.00", "50.01")], *later) == {"amount": 1}
    assert clerk.counts([header, payment.replace(day, next_day)], *later) == {"day": 1}, "it is here, of another day"
    _, found = clerk.report([header, loan, payment], *later)
    assert (found["rows"], found["instructions"]) == (2, 0)


def test_what_breaks_as_it_is_settled_keeps_no_other(clerk: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    core = clerk.core
    who, _, _ = core.indebted(30_000)
    payments = sorted(core.paying(who, 1_000) for _ in range(3))
    settle = reconciling.settle

    def broken(unit: Any, now: Any, city_id: str, bank_id: str, one: Any) -> Any:
        assert one.instruction_id != payments[0]
        return settle(unit, now, city_id, bank_id, one)

    lines = [*clerk.lines(), *(row(one, amount="10.00") for one in payments)]
    with monkeypatch.context() as patched:
        patched.setattr(reconciling, "settle", broken)
        _, found = clerk.report(lines, "--settle")
    assert (found["settled"], found["counts"]) == (2, {"state": 1})
    assert [core.one(one).state for one in payments] == ["queued", "accepted", "accepted"]
    assert clerk.report(lines, "--settle")[1]["left"] == 0


def test_an_item_that_cannot_be_read_is_said_and_not_taken_for_a_difference(
    clerk: Clerk, capsys: pytest.CaptureFixture[str]
) -> None:
    first, *_ = clerk.core.all()
    kept = table.fetch([outbox.instruction_key(*OF, first.instruction_id)]).popitem()[1]
    spoilt = table.fetch([kept.key]).popitem()[1]
    spoilt.document = '{"kind": "x"}'  # type: ignore[attr-defined]
    spoilt.save()
    clerk.path.write_text("\n".join(clerk.lines()) + "\n", "utf-8")
    assert main(["reconcile", str(clerk.path), "--city", "xiamen", "--bank", "demo-bank"]) == 3
    assert "What the table holds cannot be trusted" in capsys.readouterr().err
    kept.save()
    assert clerk.counts() == {}


def test_rows_that_cannot_be_sorted_are_not_taken_for_a_difference(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: Any) -> Any:
        raise sqlite3.OperationalError

    monkeypatch.setattr(sqlite3, "connect", full)
    clerk.path.write_text("\n".join(clerk.lines()) + "\n", "utf-8")
    assert main(["reconcile", str(clerk.path), "--city", "xiamen", "--bank", "demo-bank"]) == 3
    assert "The rows cannot be sorted on disk" in capsys.readouterr().err


def test_what_is_logged_on_the_way_is_not_in_the_report(clerk: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    core = clerk.core
    who, _, _ = core.indebted(30_000)
    payment_id = core.paying(who, 1_000)
    monkeypatch.setattr(log, "sink", None)
    with monkeypatch.context() as busy:
        faults.inject(busy, iter([faults.cancelled(faults.CONFLICT)]))
        _, found = clerk.report([*clerk.lines(), row(payment_id, amount="10.00")], "--settle")
    assert (found["settled"], found["left"]) == (1, 0)
    assert log.sink is None


def test_a_file_twice_and_then_with_the_answer_turned_round(clerk: Clerk) -> None:
    core = clerk.core
    who, _, _ = core.indebted(30_000)
    payment_id = core.paying(who, 1_000)
    lines = [*clerk.lines(), row(payment_id, amount="10.00")]
    turned = [*clerk.lines(), row(payment_id, amount="10.00", state="refused")]
    settled = [clerk.report(one, "--settle")[1] for one in (lines, lines, turned, lines)]
    assert [(one["settled"], one["counts"]) for one in settled] == [(1, {}), (0, {}), (0, {"state": 1}), (0, {})]
    assert (core.one(payment_id).state, core.repayments(who)) == ("accepted", [1_000])


def test_a_long_file_takes_no_more_memory(clerk: Clerk) -> None:
    header, *done = clerk.lines()
    peaks = []
    for many in (1_000, 6_000):
        invented = [row(instruction_id_of(*OF, f"{n}")) for n in range(many)]
        clerk.path.write_text("\n".join([header, *done, *invented]) + "\n", "utf-8")
        del invented
        tracemalloc.start()
        assert main(["reconcile", str(clerk.path), "--city", "xiamen", "--bank", "demo-bank", "--json"]) == 1
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0], peaks


@pytest.mark.parametrize("on_a_terminal", [True, False])
def test_how_far_it_has_come_is_shown_on_a_terminal_alone(on_a_terminal: bool) -> None:
    out = StringIO()
    with Meter(Console(file=out, force_terminal=on_a_terminal, width=100)) as meter:
        for n in range(2_001):
            meter.read(n)
            meter.compared(n)
    assert ("rows read 2,000" in out.getvalue()) == on_a_terminal
    assert ("instructions compared 2,000" in out.getvalue()) == on_a_terminal
    assert on_a_terminal or not out.getvalue()
