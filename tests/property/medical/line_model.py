"""Lines of credit kept as plainly as can be: lists of holds, out of which every figure is worked out when asked for.

Nothing is counted up here, so nothing can be counted wrong. Limits, expiry and refusals are told anew from what is
promised, by none of the product's own rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

LIMITS_FEN = ((680, 300_000), (620, 200_000), (560, 150_000), (500, 100_000), (0, 50_000))
HOLD_LIFE = timedelta(days=2)
PASS_LIFE = timedelta(minutes=2)
SHARD_CAPS_FEN = (350_000, 350_000)
Reasons = set[str]


@dataclass(eq=False)
class Placed:
    """A hold. Its id is unknown for as long as nobody was told."""

    hospital: str
    amount_fen: int
    until: datetime
    hold_id: str = ""
    captured_fen: int = 0
    ended: Literal["captured", "voided"] | None = None

    @property
    def left_fen(self) -> int:
        """What was not captured."""
        return self.amount_fen - self.captured_fen


@dataclass(eq=False)
class Lent:
    """A line. ``as_of`` is the latest instant of all who wrote to it; what had lapsed by then, has."""

    limit_fen: int
    booked_fen: int
    as_of: datetime
    shard: int | None = None
    suspended: bool = False
    closed: bool = False
    holds: list[Placed] = field(default_factory=list)

    @property
    def posted_fen(self) -> int:
        """What was captured."""
        return sum(hold.captured_fen for hold in self.holds)

    @property
    def causes(self) -> frozenset[str]:
        """For what it is suspended."""
        return frozenset({"bank"} if self.suspended else ())

    def open_at(self, now: datetime) -> list[Placed]:
        """The holds that a writer finds open by whose clock it is ``now``."""
        at = max(now, self.as_of)
        return [hold for hold in self.holds if hold.ended is None and hold.until > at]

    def held_fen(self, now: datetime) -> int:
        """What these set aside."""
        return sum(hold.left_fen for hold in self.open_at(now))


@dataclass(eq=False)
class Person:
    """A patient. ``barred``: his city has suspended what his score gives him."""

    name: str
    score: int | None
    barred: bool = False
    line: Lent | None = None

    @property
    def granted_fen(self) -> int | None:
        """What a bank gives him today; None: nothing."""
        if self.score is None or self.barred:
            return None
        return next(fen for score, fen in LIMITS_FEN if self.score >= score)

    @property
    def lent(self) -> Lent:
        """His line, which is there."""
        assert self.line is not None
        return self.line


@dataclass
class Model:
    """The ward as it should be."""

    people: Sequence[Person]

    def told(self) -> list[tuple[Person, Placed]]:
        """The holds that their hospitals know of, each person's last ones first."""
        lent = [who for who in self.people if who.line is not None]
        return [(who, hold) for who in lent for hold in reversed(who.lent.holds) if hold.hold_id]

    def open(self, now: datetime) -> list[tuple[Person, Placed]]:
        """Those of them that are open."""
        return [(who, hold) for who, hold in self.told() if hold in who.lent.open_at(now)]

    def lapsed(self, now: datetime) -> list[tuple[Person, Placed]]:
        """Those that have lapsed, whether anybody has seen it or not."""
        never_ended = [(who, hold) for who, hold in self.told() if hold.ended is None]
        return [(who, hold) for who, hold in never_ended if hold not in who.lent.open_at(now)]

    def suspended(self) -> list[Person]:
        """Whose line its bank has suspended."""
        return [who for who in self.people if who.line is not None and who.line.suspended]

    def barred(self) -> list[Person]:
        """Whose benefits his city has suspended."""
        return [who for who in self.people if who.barred]

    def booked(self) -> Mapping[int, int]:
        """What is booked in each shard."""
        lines = [who.line for who in self.people if who.line is not None]
        return {
            shard: sum(line.booked_fen for line in lines if line.shard == shard)
            for shard in range(len(SHARD_CAPS_FEN))
        }  # fmt: skip

    def against_opening(self, who: Person) -> Reasons:
        """Why a line cannot be opened."""
        reasons = {"credit-line-exists"} if who.line is not None and not who.line.closed else set()
        if who.granted_fen is None:
            return reasons | {"credit-limit-not-granted"}
        return reasons | (set() if self.room_fen(who) else {"exposure-cap-reached"})

    def room_fen(self, who: Person) -> int:
        """What somebody's line may be booked for at most, where the others leave most."""
        own = {} if who.line is None else {who.line.shard: who.line.booked_fen}
        booked = self.booked()
        return max(cap - booked[shard] + own.get(shard, 0) for shard, cap in enumerate(SHARD_CAPS_FEN))

    def open_line(self, who: Person, now: datetime) -> None:
        """A line is opened, or the one that was closed opened anew with what is owed, held and suspended on it."""
        assert who.granted_fen is not None
        limit_fen = min(who.granted_fen, self.room_fen(who))
        if who.line is None:
            who.line = Lent(limit_fen, limit_fen, now)
            return
        line = who.line
        line.as_of, line.closed = max(now, line.as_of), False
        line.limit_fen = line.booked_fen = limit_fen
        line.shard = None


def against_placing(who: Person, amount_fen: int, now: datetime) -> Reasons:
    """Why an amount cannot be set aside."""
    line = who.line
    if line is None:
        return {"credit-line-missing"}
    reasons = {"credit-line-closed"} if line.closed else set()
    reasons |= {"credit-line-suspended"} if line.suspended or who.barred else set()
    free_fen = decided_fen(who, line) - line.posted_fen - line.held_fen(now)
    return reasons | ({"hold-exceeds-limit"} if amount_fen > free_fen else set())


def decided_fen(who: Person, line: Lent) -> int:
    """The limit at the next hold: what the score gives, and never more than is booked."""
    return min(who.granted_fen or 0, line.booked_fen)


def against_raising(who: Person, hold: Placed, amount_fen: int, now: datetime) -> Reasons:
    """Why a hold cannot be followed by another."""
    if hold.ended is not None:
        return {f"hold-{hold.ended}"}
    open_ = hold in who.lent.open_at(now)
    return against_placing(who, amount_fen, now) if open_ else {"hold-expired"}


def against_step(line: Lent, hold: Placed, amount_fen: int, now: datetime) -> Reasons:
    """Why so much of a hold cannot be captured, or (0) the hold not be given up: only for what became of itself."""
    if hold.ended is not None:
        return {f"hold-{hold.ended}"}
    if hold not in line.open_at(now):
        return {"hold-expired"}
    return {"capture-exceeds-hold"} if amount_fen > hold.left_fen else set()


def place(who: Person, hospital: str, amount_fen: int, now: datetime, until: datetime | None) -> Placed:
    """An amount is set aside, by a pass or (``until``) for as long as what it follows.

    LIMIT: with it, no more is posted and held than the limit of today bears.
    """
    line = who.lent
    line.as_of = max(now, line.as_of)
    line.limit_fen = decided_fen(who, line)
    hold = Placed(hospital, amount_fen, until or line.as_of + HOLD_LIFE)
    line.holds.append(hold)
    assert line.posted_fen + line.held_fen(now) <= line.limit_fen
    return hold


def step(line: Lent, hold: Placed, amount_fen: int, now: datetime, *, final: bool, voids: bool) -> None:
    """A hold is captured, in part or for the last time, or given up."""
    line.as_of = max(now, line.as_of)
    hold.captured_fen += amount_fen
    if voids:
        hold.ended = "voided"
    elif final or not hold.left_fen:
        hold.ended = "captured"
    assert hold.left_fen >= 0


def move(line: Lent, verb: str, now: datetime) -> None:
    """A line is suspended, resumed or closed."""
    line.as_of = max(now, line.as_of)
    if verb == "close":
        line.closed, line.booked_fen = True, 0
    else:
        line.suspended = verb == "suspend"
