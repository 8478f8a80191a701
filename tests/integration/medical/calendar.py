"""A calendar for tests of what follows from time: days that pass, the stream that is read, the daily function."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from app import daily
from chalicelib.core import clock, effect
from chalicelib.core.commit import Unit
from chalicelib.medical.rules import CURRENCY
from chalicelib.medical.service import repaying
from chalicelib.medical.service.bills import Bill, read_bill
from infra.local import database
from infra.local.pump import Pump
from tests.integration.core.streaming import pump_from_now_on
from tests.integration.medical.clinic import Clinic
from tests.world import LIBRARY

ZONE_HOURS = 8
FREE_DAYS = 42
REMINDED, DUE = FREE_DAYS - 5, FREE_DAYS
MISSED = DUE + 1
DONE = ("remind-bill", "suspend-overdue", "record-default")


class Calendar:
    """A clinic whose days pass at will. ``morning`` is ten o'clock in the city.

    Its days begin with tomorrow: whatever a test does by the clock itself comes before them, at any hour.
    """

    def __init__(self, clinic: Clinic) -> None:
        self.clinic, self.world = clinic, clinic.world
        self.pump: Pump = pump_from_now_on(self.world.raw, database.streams(self.world.database.endpoint))
        self.today = clock.day_in("Asia/Shanghai", clock.now()) + timedelta(days=1)

    def morning(self, days: int) -> datetime:
        """Ten o'clock so many days from its first one."""
        day = self.today + timedelta(days=days)
        return datetime.combine(day, time(10 - ZONE_HOURS), UTC)

    def day(self, days: int) -> date:
        return self.today + timedelta(days=days)

    @contextmanager
    def on(self, days: int) -> Iterator[datetime]:
        """That morning, inside the block."""
        with clock.fixed(self.morning(days)) as _:
            yield self.morning(days)

    def run(self, days: int) -> dict[str, Any]:
        """That morning's run of the daily function, after the stream was read, and the stream of what it did."""
        with self.on(days):
            self.pump.drain()
            done: dict[str, Any] = daily({}, None)
            self.pump.drain()
        assert done["failed"] == 0, done
        return done

    def charge(self, who: str, fen: int, days: int = 0, bank: str = "demo-bank") -> None:
        """Something captured on a day, and told to the stream."""
        with self.on(days):
            answer = self.clinic.hold(who, fen, bank_id=bank)
            assert answer.status == 201, answer.text
            taken = self.clinic.capture(answer.body["hold_id"], fen, final=True)
            assert taken.status == 201, taken.text
            self.pump.drain()

    def bill(self, who: str, bank: str = "demo-bank") -> Bill:
        return read_bill("xiamen", self.world.ref(who).person_id, bank)

    def owed(self, who: str, days: int, bank: str = "demo-bank") -> int:
        return self.bill(who, bank).on(self.day(days)).owed_fen

    def pay(self, who: str, days: int, fen: int | None = None, bank: str = "demo-bank") -> None:
        """Pays all that is owed on a day, or so much; the stream is not read."""
        with self.on(days) as now:
            amount = self.owed(who, days, bank) if fen is None else fen
            key = f"pay-{next(self.clinic.numbers):06d}"
            intent = effect.intend("xiamen", "bank", bank, "repay", key, None)
            repaying.repay(Unit(), intent, now, "xiamen", self.world.ref(who).person_id, bank, amount, CURRENCY)

    def suspensions(self, who: str) -> list[tuple[str, str | None]]:
        """What the person reads of his suspensions: for what, with which bank."""
        found = self.world.get("/v1/me", f"citizen:{who}")["suspensions"]
        return [(one["kind"], one["bank"]) for one in found]

    def looks(self, who: str, *purposes: str) -> list[str]:
        """The purposes of these kinds among who looked, oldest first."""
        items = self.world.get("/v1/me/looks?limit=200", f"citizen:{who}")["items"]
        found = [item["purpose"].partition(":")[0] for item in reversed(items)]
        return [purpose for purpose in found if purpose in purposes]

    def records(self, who: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.world.get("/v1/me/records", f"citizen:{who}")["items"]
        return found

    def appointments(self) -> list[str]:
        """All that there are, by day."""
        items = (item for item in self.world.items() if item["kind"]["S"] == "credit-due")
        return sorted(item["sk"]["S"].partition("#")[0] for item in items)


def debtor(calendar: Calendar, fen: int = 30_000, city: str = "xiamen") -> str:
    """A person who owes something from today on, with a consent for the library."""
    who = calendar.clinic.insured(city=city)
    calendar.world.grant(who, LIBRARY, "library")
    calendar.charge(who, fen)
    return who


def library(calendar: Calendar, who: str, days: int) -> bool:
    """Whether the library lends to the person on a day."""
    with calendar.on(days):
        answer = calendar.world.decide(LIBRARY, who, "library")
    assert answer.status == 200, answer.text
    return bool(answer.body["decision"]["outcome"] == "granted")


def held(calendar: Calendar, who: str, days: int) -> str | None:
    """What is refused of a hold on a day; None: nothing."""
    with calendar.on(days):
        return calendar.clinic.hold(who, 1_000).code
