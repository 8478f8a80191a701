"""The books of medical credit: they close day by day like a merchant's, and another program agrees with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chalicelib.core import config
from chalicelib.core.text import Text
from chalicelib.medical.rules import Fee
from infra.cli.main import main
from tests.integration.medical.clinic import SECOND, Clinic
from tests.integration.medical.debts import (
    at,
    balances,
    bill,
    charged,
    check_books,
    entries,
    moved,
    pay_out,
    refund,
    repay,
    write_off,
)
from tests.unit.ledger.test_exports import checked
from tests.world import BANK, HOSPITAL

FEE = Fee(Text("手续费", "Handling fee"), 2_000)
DAYS = [f"2027-03-{day:02d}" for day in range(1, 13)]
PARTNERS = {"demo-bank": BANK, "demo-hospital": HOSPITAL, "second-hospital": SECOND}


@pytest.fixture(scope="module")
def debtors(clinic: Clinic) -> tuple[str, str]:
    """Two people with everything that can happen to a bill in twelve days, under terms that make it so short."""
    clinic.in_force(clinic.policy(interest_free_days=2, reminder_days_before=1, write_off_days=5, fees=(FEE,)))
    with moved(at("2027-03-01")):
        one, other = clinic.insured(), clinic.insured()
        hold_id, charge_id = charged(clinic, one, 100_000)
        lost, lost_charge = charged(clinic, other, 60_000, SECOND)
    with moved(at("2027-03-05")):  # two days' interest, fees of 200
        assert repay(clinic, one, 50_000).status == 201
        assert refund(clinic, hold_id, charge_id, 10_000).status == 201
    with moved(at("2027-03-07", 23, 59)):
        assert repay(clinic, one, bill_of(clinic, one)).status == 201
    with moved(at("2027-03-08", 0, 1)):
        assert refund(clinic, hold_id, charge_id, 5_000).status == 201
        assert write_off(clinic, other).status == 201
    with moved(at("2027-03-10")):
        assert repay(clinic, other, 20_000).status == 201
        assert refund(clinic, lost, lost_charge, 45_000, SECOND).status == 201
        assert pay_out(clinic, one, 5_030).body["back_fen"] == 0
    return one, other


def bill_of(clinic: Clinic, who: str) -> int:
    found = bill(clinic, who)
    return found.on(found.day(at("2027-03-07", 23, 59))).owed_fen


def test_LEDGER_each_loan_is_what_stands_on_the_line(clinic: Clinic, debtors: tuple[str, str]) -> None:
    for who in debtors:
        check_books(clinic, who)
    one = balances(clinic, debtors[0])
    # 85,000 were lent and came back with 170 of fees (2,000 ppm) and the interest of 4 and 2 days of March.
    assert (one["loans"], one["sales"], one["fees"], one["payable"]) == (0, -85_000, -170, -85_000)
    assert one["cash"] == 85_170 - one["interest"]
    other = balances(clinic, debtors[1])
    # 20,000 were recovered: fees, interest, and principal; 45,000 went back to the bank.
    assert (other["loans"], other["sales"]) == (-bill(clinic, debtors[1]).account.back_fen, -15_000)
    assert not any(sum(posting.amount for posting in entry.postings) for entry in entries())


def test_LEDGER_the_days_of_bank_and_hospitals_close(clinic: Clinic, debtors: tuple[str, str]) -> None:
    stated: dict[str, list[Any]] = {name: [] for name in PARTNERS}
    with moved(at("2027-03-14")):
        for name, actor in PARTNERS.items():
            for day in DAYS:
                answer = clinic.world.post(f"/v1/cities/xiamen/partners/{name}/statements/{day}", actor)
                if answer.status == 200:
                    stated[name].append(answer.body["statement"])
    closing = {name: found[-1]["closing_fen"] for name, found in stated.items()}
    assert closing == {"demo-bank": 0, "demo-hospital": 85_000, "second-hospital": 15_000}
    counted = {name: sum(one["lines"] for one in found) for name, found in stated.items()}
    by_book = {name: sum(entry.book.endswith(f"/{name}") for entry in entries()) for name in PARTNERS}
    assert counted == by_book
    assert counted["demo-bank"] == 5
    assert stated["demo-bank"][0]["totals"]["total"]["sales_fen"] == 0


def test_LEDGER_a_statement_can_be_made_again_from_the_table(
    clinic: Clinic, debtors: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with moved(at("2027-03-14")):
        for name, actor in PARTNERS.items():
            assert clinic.world.post(f"/v1/cities/xiamen/partners/{name}/statements/2027-03-10", actor).status == 200
            assert main(["settle", "xiamen", name, "2027-03-10", "--check", *local(clinic)]) == 0, capsys.readouterr()


def local(clinic: Clinic) -> list[str]:
    assert config.current().development
    return ["--endpoint", clinic.world.database.endpoint]


def test_LEDGER_what_is_exported_passes_bean_check(
    clinic: Clinic, debtors: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["export-ledger", "--city", "xiamen", *local(clinic)]) == 0
    text = capsys.readouterr().out
    said = checked(tmp_path / "xiamen.beancount", text)
    assert (said.returncode, said.stderr) == (0, "")
    assert all(f"^{entry.entry_id}" in text for entry in entries())
    for role in ("Interest", "Fees", "Losses", "Loans", "Cash"):
        assert f":Demo-bank:{role}" in text, role
