"""The demo bank's core beside a clinic: a real stub over HTTP, the stream that fills the outbox, and the sender."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from chalicelib.core import clock, effect, table
from chalicelib.ledger.store.entries import EVER, entries_of
from chalicelib.medical.rules import Account, Repayment
from chalicelib.medical.rules.instructions import Instruction
from chalicelib.medical.service.bills import read_bill
from chalicelib.medical.service.sending import Sent, send_due
from chalicelib.medical.store import outbox
from infra.local import database
from infra.local.stub_bank import Answer as Said
from infra.local.stub_bank import StubBank
from tests.in_process import Answer
from tests.integration.core.streaming import pump_from_now_on
from tests.integration.medical.clinic import Clinic
from tests.integration.medical.debts import BOOKS
from tests.world import BANK

OF = ("xiamen", "demo-bank")
PATH = "/v1/credit-instructions"
PATIENCE_SECONDS = 10


class Core:
    """The bank's core, and words for what goes between it and Egret."""

    def __init__(self, clinic: Clinic) -> None:
        self.clinic = clinic
        self.pump = pump_from_now_on(clinic.world.raw, database.streams(clinic.world.database.endpoint))
        self.bank = StubBank(lambda: clinic.world.get("/v1/keys"), self._tell)
        self.told: list[Answer] = []

    def _tell(self, instruction_id: str, said: Said) -> None:
        self.told.append(self.answer(instruction_id, **said))

    def send(self) -> Sent:
        """What the sender did, after the stream was read."""
        self.pump.drain()
        return send_due(*OF, self.bank.address)

    def later(self, seconds: float) -> Sent:
        """The same so many seconds from now."""
        with clock.fixed(clock.now() + timedelta(seconds=seconds)):
            return self.send()

    def all(self) -> list[Instruction]:
        self.pump.drain()
        return sorted(outbox.every_instruction(*OF), key=lambda one: one.made_at)

    def forget(self) -> None:
        """Empties the outbox and the bank's book, as if nothing had ever been asked."""
        self.pump.drain()
        for one in self.all():
            table.Row(*outbox.instruction_key(*OF, one.instruction_id)).delete()
        self.bank.book.lines.clear()
        self.bank.misdeeds.clear()

    def start_afresh(self) -> None:
        """The same, and takes away what the books have: as if nobody had ever owed anything."""
        self.forget()
        for book in BOOKS:
            for entry in entries_of(book, *EVER):
                table.Row(*effect.key_of(entry.entry_id)).delete()

    def one(self, instruction_id: str) -> Instruction:
        found = outbox.load_instruction(*OF, instruction_id)
        assert found is not None
        return found

    def indebted(self, fen: int = 30_000) -> tuple[str, str, str]:
        """Somebody who owes so much, for one charge of which the bank knows: who, the hold and the charge."""
        who = self.clinic.insured()
        hold_id = self.clinic.held(who, fen)
        charge_id = self.clinic.capture(hold_id, fen).body["charge_id"]
        self.send()
        return who, hold_id, charge_id

    def pay(self, who: str, amount: Any, currency: str = "CNY", bank_id: str = "demo-bank", *, key: str = "") -> Answer:
        """A person repays online."""
        body = {"amount_fen": amount, "currency": currency}
        return self.clinic.post(f"/v1/me/credit-lines/xiamen/{bank_id}/repayments", f"citizen:{who}", body, key=key)

    def paying(self, who: str, amount: int) -> str:
        """The id of an online payment that was taken."""
        answer = self.pay(who, amount)
        assert answer.status == 201, answer.text
        return str(answer.body["instruction_id"])

    def payment(self, who: str, instruction_id: str) -> Answer:
        return self.clinic.send("GET", f"/v1/me/credit-instructions/{instruction_id}", f"citizen:{who}")

    def answer(self, instruction_id: str, actor: str = BANK, *, key: str = "", **said: Any) -> Answer:
        """The bank answers by itself."""
        return self.clinic.post(f"{PATH}/{instruction_id}/answers", actor, said, key=key)

    def bill(self, who: str) -> Account:
        """What somebody owes today."""
        bill = read_bill("xiamen", self.clinic.world.ref(who).person_id, "demo-bank")
        return bill.on(bill.day(clock.now()))

    def repayments(self, who: str) -> list[int]:
        """What was booked as repaid, each once."""
        bill = read_bill("xiamen", self.clinic.world.ref(who).person_id, "demo-bank")
        return [event.amount_fen for _, event in bill.events if isinstance(event, Repayment)]


@contextmanager
def core_of(clinic: Clinic) -> Iterator[Core]:
    """The core, answering until the end of the block."""
    core = Core(clinic)
    core.bank.start()
    try:
        yield core
    finally:
        core.bank.stop()


def wait_for(true: Callable[[], bool]) -> None:
    """Returns once it is so."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < until, "it never came to be so"
        time.sleep(0.01)
