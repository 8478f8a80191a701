"""The ward with a reception and short terms, and a comparison of all that is stored of visits, bills and books."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from pynamodb.exceptions import TransactWriteError

from chalicelib.core import table
from chalicelib.core.errors import Unavailable
from chalicelib.core.stream import Change
from chalicelib.core.table import Row
from chalicelib.medical import store
from chalicelib.medical.rules.visits import Visit as Stored
from chalicelib.medical.service.bills import read_bill
from chalicelib.medical.service.regrading import regrade
from chalicelib.medical.store.visits import visit_in, visit_key
from chalicelib.subjects.store import account_key
from tests.integration.core.faults import Fault
from tests.integration.medical.clinic import SCENARIO
from tests.integration.medical.debts import LOANS, entries
from tests.integration.medical.reception import Reception
from tests.property.medical.line_model import Model
from tests.property.medical.line_ward import HOSPITALS, SCORES, Ward, clinic_of_its_own
from tests.property.medical.visit_model import (
    FREE_DAYS,
    LEAST_FEN,
    OFF_DAYS,
    RATE_PPM,
    TERM_DAYS,
    Billed,
    Patient,
    Town,
    Visit,
)
from tests.world import BANK

TERMS = {
    "interest_free_days": FREE_DAYS, "reminder_days_before": 1, "write_off_days": OFF_DAYS, "term_days": TERM_DAYS,
    "daily_rate_ppm": RATE_PPM, "minimum_repayment_fen": LEAST_FEN,
}  # fmt: skip


@dataclass
class Desk(Ward):
    """A ward with visits. ``grants``: by which consents hospitals hold on lines."""

    grants: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def reception(self) -> Reception:
        """Words for passes."""
        return Reception(self.clinic)

    def begin(self) -> Town:
        """The ward before anybody has a line, and its model."""
        super().begin()
        self.grants.clear()
        return Town([Patient(name, score) for name, score in SCORES])

    def set_policy(self, *, ended: bool) -> None:
        """The bank's policy ends, or is in force again."""
        policy = store.load_version("xiamen", "demo-bank", 2)
        self.clinic.in_force(policy, "ended" if ended else "approved")

    def account(self, who: Patient) -> Row:
        """Somebody's account as it lies there now."""
        key = account_key(self.world.ref(who.name))
        return table.fetch([key])[key]

    def hear(self, change: Change, at: datetime, faults: Sequence[Fault | None]) -> tuple[bool, int]:
        """The news of a change of somebody's account, read by a function by whose clock it is ``at``: whether it was
        done with it, and how often it has written."""
        with self.writing(at, faults) as writes:
            try:
                regrade(at, change)
            except (Unavailable, TransactWriteError):
                return False, len(writes)
        return True, len(writes)

    def refuse(self, who: Patient, hospital: str) -> None:
        """Somebody takes back what he has agreed to with a hospital; the first time, whatever that was."""
        grant_id = self.grants.get((who.name, hospital)) or self.world.grant(who.name, hospital, SCENARIO)
        self.world.withdraw(who.name, grant_id)

    def agree(self, who: Patient, hospital: str) -> None:
        """Somebody agrees to it again."""
        self.grants[who.name, hospital] = self.world.grant(who.name, hospital, SCENARIO)

    def check(self, town: Model) -> None:
        """What is stored of every visit, charge and entry is what the model says; and of lines, holds and exposure."""
        assert isinstance(town, Town)
        known = [visit for visit in town.known() if visit.state == "open" or visit.items]
        rows = table.fetch([visit_key("xiamen", visit.visit_id) for visit in known])
        for visit in known:
            stored = visit_in(rows, visit_key("xiamen", visit.visit_id))
            assert stored is not None
            check_visit(stored, visit)
        super().check(town)
        for who in town.people:
            if who.line is not None:
                self.check_bill(who)
        self.check_books(town)

    def check_bill(self, who: Patient) -> None:
        """LIMIT: the principal of all charges is what is posted. LEDGER: each of them is owed as it should be."""
        found, line = read_bill("xiamen", self.world.ref(who.name).person_id, "demo-bank"), who.bill
        assert (found.credit.opened_on, found.account.back_fen) == (line.opened_on, line.back_fen)
        assert found.account.posted_fen == found.credit.line.posted_fen == line.posted_fen
        day = line.day(line.as_of)
        stored = {debt.charge.charge_id: debt for debt in found.on(day).debts}
        assert stored.keys() == {charge.charge_id for charge in line.charges}
        for charge in line.charges:
            debt = stored[charge.charge_id]
            assert (debt.charge.day, debt.charge.due_on, debt.off_on) == (charge.day, charge.due_on, charge.off_on)
            assert (debt.net_fen, debt.principal_fen) == (charge.amount_fen - charge.refunded_fen, charge.principal_fen)
            assert debt.interest_owed_fen == charge.interest_owed_fen(day)
            assert day > charge.due_on or not debt.interest_so_far_fen, "no interest within the free days"

    def check_books(self, town: Town) -> None:
        """LEDGER: postings sum to zero, each person's loan is what is posted on his line less what he is owed back,
        and each hospital's sales are what it captured and did not give back."""
        found = Counter[str]()
        for entry in entries():
            assert not sum(posting.amount for posting in entry.postings)
            for posting in entry.postings:
                found[posting.account] += posting.amount
        for who in town.people:
            line, loan_fen = who.line, found[LOANS + self.world.known_to(BANK, who.name)]
            assert loan_fen == (who.bill.posted_fen - who.bill.back_fen if isinstance(line, Billed) else 0)
        sold: dict[str, int] = defaultdict(int)
        for visit in town.visits:
            sold[visit.hospital] += sum(item.captured_fen - item.refunded_fen for item in visit.items)
        for hospital in HOSPITALS:
            name = hospital.removesuffix("@xiamen").partition(":")[2]
            assert found[f"xiamen/hospital/{name}/sales"] == -sold[hospital]


def check_visit(stored: Stored, visit: Visit) -> None:
    """A visit as it is stored. What the product alone decides is told to the model: ids."""
    assert (stored.state, stored.emergency) == (visit.state, visit.emergency)
    assert stored.given.until == visit.given_until
    for placed, hold in zip(stored.holds, visit.holds, strict=True):
        hold.hold_id = placed.hold_id
        assert (placed.amount_fen, placed.expires_at) == (hold.amount_fen, hold.until)
    for found, item in zip(stored.items, visit.items, strict=True):
        for charge_id, charge in zip(found.charge_ids, item.charges, strict=True):
            charge.charge_id = charge_id
        assert (found.item_id, found.amount_fen, found.insurance_fen) == (
            item.item_id,
            item.amount_fen,
            item.insurance_fen,
        )
        assert (found.captured_fen, found.refunded_fen) == (item.captured_fen, item.refunded_fen)


@contextmanager
def desk() -> Iterator[Desk]:
    """A ward with visits on Dynoxide, where nothing has happened yet."""
    with clinic_of_its_own(**TERMS) as made:
        yield Desk(*made)
