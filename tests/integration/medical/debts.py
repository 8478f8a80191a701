"""Words for what a person owes: captures, payments and statements, at instants of the test's choice, and the books."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.core import clock, effect
from chalicelib.ledger.rules import Entry
from chalicelib.ledger.store.entries import EVER, entries_of
from chalicelib.medical.service.bills import Bill, read_bill
from chalicelib.subjects.store import account_pk
from tests.in_process import Answer
from tests.integration.medical.clinic import Clinic
from tests.world import BANK, HOSPITAL

ZONE = "Asia/Shanghai"
BOOKS = ("xiamen/hospital/demo-hospital", "xiamen/hospital/second-hospital", "xiamen/bank/demo-bank")
OWN = "/v1/me/credit-lines/xiamen/demo-bank"
LOANS = "xiamen/bank/demo-bank/loans/"


def at(day: str, hour: int = 12, minute: int = 0) -> datetime:
    """An instant of a day in Xiamen."""
    return datetime.combine(date.fromisoformat(day), time(hour, minute), ZoneInfo(ZONE)).astimezone(UTC)


def line_path(clinic: Clinic, who: str, actor: str = BANK) -> str:
    return f"/v1/credit-lines/{clinic.world.known_to(actor, who)}"


def charged(clinic: Clinic, who: str, fen: int, actor: str = HOSPITAL) -> tuple[str, str]:
    """A hold that was captured wholly: its id and the charge's."""
    hold_id = clinic.held(who, fen, actor)
    answer = clinic.capture(hold_id, fen, actor=actor)
    assert answer.status == 201, answer.text
    return hold_id, str(answer.body["charge_id"])


def refund(clinic: Clinic, hold_id: str, charge_id: str, fen: int, actor: str = HOSPITAL, *, key: str = "") -> Answer:
    return clinic.act("refunds", hold_id, {"charge_id": charge_id, "amount_fen": fen}, actor=actor, key=key)


def repay(
    clinic: Clinic, who: str, fen: Any, currency: Any = "CNY", actor: str = BANK, *, key: str = ""
) -> Answer:  # fmt: skip
    body = {"amount_fen": fen, "currency": currency}
    return clinic.post(f"{line_path(clinic, who, actor)}/repayments", actor, body, key=key)


def pay_out(clinic: Clinic, who: str, fen: Any, actor: str = BANK, *, key: str = "") -> Answer:
    return clinic.post(f"{line_path(clinic, who, actor)}/payouts", actor, {"amount_fen": fen}, key=key)


def write_off(clinic: Clinic, who: str, actor: str = BANK, *, key: str = "") -> Answer:
    return clinic.post(f"{line_path(clinic, who, actor)}/write-off", actor, key=key)


def state(clinic: Clinic, who: str, month: str, actor: str = BANK, *, key: str = "") -> Answer:
    return clinic.post(f"{line_path(clinic, who, actor)}/statements/{month}", actor, key=key)


def seen(clinic: Clinic, who: str, what: str = "bill", actor: str = BANK) -> Answer:
    """What the bank reads of somebody's line."""
    return clinic.send("GET", f"{line_path(clinic, who, actor)}/{what}", actor)


def own(clinic: Clinic, who: str, what: str = "bill") -> Any:
    """What a person reads of his own line with the demo bank."""
    return clinic.world.get(f"{OWN}/{what}", f"citizen:{who}")


def bill(clinic: Clinic, who: str) -> Bill:
    return read_bill("xiamen", clinic.world.ref(who).person_id, "demo-bank")


def entries() -> list[Entry]:
    """All that was posted for medical credit."""
    return [entry for book in BOOKS for entry in entries_of(book, *EVER)]


def loan(clinic: Clinic, who: str) -> int:
    """What the bank's books say that a person was lent."""
    name = LOANS + clinic.world.known_to(BANK, who)
    return sum(posting.amount for entry in entries() for posting in entry.postings if posting.account == name)


def balances(clinic: Clinic, who: str) -> Counter[str]:
    """What was posted to each role, of all entries whose effects concern a person."""
    looks, _ = effect.of_subject(account_pk(clinic.world.ref(who)), 1_000, None)
    his = {look.effect_id for look in looks}
    found: Counter[str] = Counter()
    for entry in entries():
        if entry.entry_id in his:
            for posting in entry.postings:
                found[posting.account.split("/")[3]] += posting.amount
    return found


def check_books(clinic: Clinic, who: str) -> None:
    """LEDGER: the loan in the bank's books is the principal on the line, less what the bank owes back; and the line has
    counted every event that no statement has yet."""
    found, credit = bill(clinic, who), clinic.line(who)
    assert loan(clinic, who) == found.account.posted_fen - found.account.back_fen
    assert credit.line.posted_fen == found.account.posted_fen
    assert credit.unstated == len(found.events)


def moved(when: datetime) -> Any:
    """The clock at an instant."""
    return clock.fixed(when)
