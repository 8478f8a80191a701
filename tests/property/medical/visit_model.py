"""Visits and bills kept as plainly as can be, beside the lines and holds of ``line_model``.

What is posted is worked out of the charges, interest day by day and with fractions: by none of the product's own rules.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Literal

from tests.property.medical import line_model
from tests.property.medical.line_model import Lent, Model, Person, Placed, Reasons, against_placing, decided_fen

FREE_DAYS, OFF_DAYS, TERM_DAYS = 3, 4, 40
RATE_PPM, LEAST_FEN = 500, 100


def day_of(instant: datetime) -> date:
    """The day in Xiamen."""
    return (instant + timedelta(hours=8)).date()


@dataclass(eq=False)
class Charge:
    """What was captured of an item from one hold. ``lowered``: by how much the principal went down, and on which day.

    Its id is the product's own business, and decides which of a day's charges is paid first.
    """

    day: date
    amount_fen: int
    charge_id: str = ""
    lowered: list[tuple[date, int]] = field(default_factory=list)
    refunded_fen: int = 0
    interest_paid_fen: int = 0
    off_on: date | None = None

    @property
    def due_on(self) -> date:
        """The last day on which paying costs nothing."""
        return self.day + timedelta(days=FREE_DAYS)

    @property
    def principal_fen(self) -> int:
        """What is owed of it still."""
        return self.amount_fen - sum(fen for _, fen in self.lowered)

    @property
    def paid_fen(self) -> int:
        """What of it was paid and not given back."""
        return self.amount_fen - self.refunded_fen - self.principal_fen

    def interest_fen(self, until: date) -> int:
        """All interest of the days before ``until``: a day at a time, rounded month by month. Half to even."""
        months: dict[tuple[int, int], Fraction] = defaultdict(Fraction)
        for day in _days(self.due_on, min(until, self.off_on or until)):
            owed_fen = self.amount_fen - sum(fen for on, fen in self.lowered if on <= day)
            months[day.year, day.month] += Fraction(owed_fen * RATE_PPM, 1_000_000)
        return sum(round(month) for month in months.values())

    def interest_owed_fen(self, day: date) -> int:
        """What of that is not paid."""
        return self.interest_fen(day) - self.interest_paid_fen

    def owed_fen(self, day: date) -> int:
        """What would clear it on a day."""
        return self.principal_fen + self.interest_owed_fen(day)


def _days(first: date, until: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range(max(0, (until - first).days)))


@dataclass(eq=False)
class Billed(Lent):
    """A line with its bill. ``paused``: since all benefits of the score are suspended, as far as the line has heard."""

    opened_on: date = date.min
    paused: bool = False
    back_fen: int = 0
    charges: list[Charge] = field(default_factory=list)

    @property
    def posted_fen(self) -> int:
        """LIMIT: the principal of all charges, but for what was written off."""
        return sum(charge.principal_fen for charge in self.charges if charge.off_on is None)

    @property
    def causes(self) -> frozenset[str]:
        """For what it is suspended."""
        return super().causes | ({"benefits"} if self.paused else set())

    def day(self, now: datetime) -> date:
        """The day on which something counts that comes now."""
        return day_of(max(now, self.as_of))

    def over(self, now: datetime) -> bool:
        """Whether its term is."""
        return (day_of(now) - self.opened_on).days >= TERM_DAYS

    def owed_fen(self, day: date) -> int:
        """What would clear everything on a day, what was written off included."""
        return sum(charge.owed_fen(day) for charge in self.charges)


@dataclass(eq=False)
class Patient(Person):
    """A patient. ``refused``: the hospitals that may not look at his score any more."""

    refused: set[str] = field(default_factory=set)

    @property
    def bill(self) -> Billed:
        """His line, which is there."""
        assert isinstance(self.line, Billed)
        return self.line

    @property
    def live(self) -> bool:
        """Whether he has a line that is not closed."""
        return self.line is not None and not self.line.closed


@dataclass(eq=False)
class Item:
    """An item of a visit. ``insurance_fen`` None: nobody knows yet what insurance pays."""

    item_id: str
    amount_fen: int
    insurance_fen: int | None
    captured_fen: int = 0
    refunded_fen: int = 0
    charges: list[Charge] = field(default_factory=list)

    @property
    def own_fen(self) -> int | None:
        """The patient's part."""
        return None if self.insurance_fen is None else self.amount_fen - self.insurance_fen

    @property
    def done(self) -> bool:
        """Whether nothing is to be captured of it."""
        return self.own_fen == self.captured_fen


@dataclass(eq=False)
class Visit:
    """A visit. Its id is unknown for as long as nobody was told."""

    who: Patient
    hospital: str
    given_until: datetime
    holds: list[Placed]
    emergency: bool
    items: list[Item] = field(default_factory=list)
    state: Literal["open", "settled", "cancelled"] = "open"
    visit_id: str = ""

    def open_at(self, now: datetime) -> list[Placed]:
        """Its holds that are open, those that lapse first, first."""
        open_ = self.who.bill.open_at(now)
        return sorted((hold for hold in self.holds if hold in open_), key=lambda hold: hold.until)

    def held_fen(self, now: datetime) -> int:
        """What these set aside."""
        return sum(hold.left_fen for hold in self.open_at(now))

    def short_fen(self, now: datetime) -> int:
        """What it lacks for all that is known to come."""
        to_come = sum(item.own_fen - item.captured_fen for item in self.items if item.own_fen is not None)
        return max(0, to_come - self.held_fen(now)) if self.state == "open" else 0

    def item(self, item_id: str) -> Item | None:
        """One of its items."""
        return next((item for item in self.items if item.item_id == item_id), None)


@dataclass
class Town(Model):
    """Everybody, and every visit. ``ended``: the bank's policy is not in force."""

    people: Sequence[Patient]
    visits: list[Visit] = field(default_factory=list)
    ended: bool = False

    def known(self) -> list[Visit]:
        """The visits of which their hospitals know, the last ones first."""
        return [visit for visit in reversed(self.visits) if visit.visit_id]

    def going_on(self) -> list[Visit]:
        """Those of them that are open."""
        return [visit for visit in self.known() if visit.state == "open"]

    def against_opening(self, who: Person) -> Reasons:
        """Why a line cannot be opened: one whose term is over can be."""
        raise NotImplementedError("it depends on the day")

    def against_lending(self, who: Patient, now: datetime) -> Reasons:
        """Why a line cannot be opened now, be it there or not."""
        reasons = {"medical-policy-not-in-force"} if self.ended else set()
        if who.granted_fen is None:
            return reasons | {"credit-limit-not-granted"}
        return reasons | (set() if self.room_fen(who) else {"exposure-cap-reached"})

    def against_opening_at(self, who: Patient, now: datetime) -> Reasons:
        """Why the bank cannot open a line."""
        there = {"credit-line-exists"} if who.live and not who.bill.over(now) else set()
        return there | self.against_lending(who, now)

    def open_line(self, who: Person, now: datetime) -> None:
        """A line is opened, or opened anew with everything that is on it."""
        assert isinstance(who, Patient)
        limit_fen = min(who.granted_fen or 0, self.room_fen(who))
        if who.line is None:
            who.line = Billed(0, 0, now)
        line = who.bill
        line.as_of, line.closed, line.opened_on = max(now, line.as_of), False, day_of(now)
        line.limit_fen = line.booked_fen = limit_fen

    def against_holding(self, who: Patient, hospital: str, amount_fen: int, now: datetime) -> Reasons:
        """Why an amount cannot be set aside for a visit."""
        reasons = against_placing(who, amount_fen, now) | self._against_hospital(who, hospital)
        return reasons | ({"credit-line-term-over"} if who.line is not None and who.bill.over(now) else set())

    def _against_hospital(self, who: Patient, hospital: str) -> Reasons:
        reasons = {"consent-required"} if hospital in who.refused else set()
        return reasons | ({"medical-policy-not-in-force"} if self.ended else set())

    def against_emergency(self, who: Patient, hospital: str, now: datetime, *, face: bool) -> Reasons:
        """Why nothing can be set aside in an emergency."""
        reasons, spot = self._against_hospital(who, hospital), on_the_spot(who, now)
        if spot:
            reasons |= self.against_lending(who, now) | (set() if face else {"pass-not-live"})
        bears_fen = self.bears_fen(who, now)
        suspended = who.barred or (who.line is not None and who.line.suspended)
        reasons |= {"credit-line-suspended"} if suspended else set()
        return reasons | ({"hold-exceeds-limit"} if bears_fen <= 0 else set())

    def bears_fen(self, who: Patient, now: datetime) -> int:
        """How much more somebody's line bears, which is opened if it has to be."""
        granted_fen = min(who.granted_fen or 0, self.room_fen(who))
        limit_fen = granted_fen if on_the_spot(who, now) else decided_fen(who, who.lent)
        return limit_fen if who.line is None else limit_fen - who.line.posted_fen - who.line.held_fen(now)

    def against_rebooking(self, who: Patient, now: datetime) -> Reasons:
        """Why a line cannot be booked anew."""
        line, wanted_fen = who.bill, who.granted_fen or 0
        reasons = {"medical-policy-not-in-force"} if self.ended else set()
        reasons |= {"credit-line-closed"} if line.closed else set()
        reasons |= {"credit-line-term-over"} if line.over(now) else set()
        reasons |= {"credit-line-suspended"} if line.suspended or who.barred else set()
        room = wanted_fen <= line.booked_fen or self.room_fen(who) > line.booked_fen
        return reasons | (set() if room else {"exposure-cap-reached"})

    def rebook(self, who: Patient, now: datetime) -> None:
        """A line is booked for what the score gives today, or for as much of it as there is room for."""
        line = who.bill
        line.as_of, line.paused = max(now, line.as_of), False
        line.limit_fen = line.booked_fen = min(who.granted_fen or 0, max(self.room_fen(who), line.booked_fen))

    def regraded(self, who: Patient, now: datetime) -> bool:
        """The news of a score, or of a suspension, reaches a line; whether it changes anything."""
        line = who.line
        if not isinstance(line, Billed) or line.closed or self.ended:
            return False
        before = line.limit_fen, line.paused
        if who.barred:
            line.paused = True
        else:
            line.limit_fen, line.paused = decided_fen(who, line), False
        changed = before != (line.limit_fen, line.paused)
        line.as_of = max(now, line.as_of) if changed else line.as_of
        return changed


def on_the_spot(who: Patient, now: datetime) -> bool:
    """Whether an emergency has to open a line."""
    return not who.live or who.bill.over(now)


def set_aside(who: Patient, hospital: str, amount_fen: int, now: datetime, until: datetime | None = None) -> Placed:
    """An amount is set aside; what the line had heard of its person is settled by the decision of now."""
    hold = line_model.place(who, hospital, amount_fen, now, until)
    who.bill.paused = False
    return hold
