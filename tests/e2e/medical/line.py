"""One line of credit as one step after another would have it: limit, holds, charges. By none of Egret's rules.

Time is taken by the order of the steps. Servers' clocks disagree, and of a step it is known only between which two
instants its server's clock stood (``Step.clock``): a hold may lapse anywhere within these. What a writer saw lapse is
off the line and stays so for everybody, be his clock however slow. Who only looks, or is refused, writes nothing: a
slower clock may find the hold open after him.

What is posted is what is owed on the charges: of a repayment first on those that come first by their names, so a name
begins with the day. A new score says what the line is granted; a hold may use that, up to what is booked. A step goes
by a score that was there when it began, or came later: a score that comes between its look and its write stops nobody.

All instants are milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Literal, NamedTuple

Verb = Literal[
    "place", "raise", "capture", "void", "refund", "repay", "suspend", "resume", "relimit", "rescore", "look"
]  # fmt: skip
DONE = "done"
MOST = 10**10


class Seen(NamedTuple):
    """What a look has told, or the reply to a line booked anew."""

    limit: int
    posted: int
    held: int
    suspended: bool


@dataclass(frozen=True, slots=True)
class Step:
    """What somebody asked of a line, and what came of it.

    Args:
        clock: Between which instants the server took its now.
        said: ``DONE``, the code of a refusal, or None: nobody knows.
        made: The hold that was placed, if anybody knows it.
        at: Where the reply tells it, the instant at which the line was when this was done.
        until: Where the reply tells it, when the hold that was made lapses.
        returned: Where the reply tells it, what came back to the line.
        charge: The charge that a capture makes, or of which something is refunded.
        parts: Where the reply tells it, what of a repayment went to which charge.
        used: Where the reply tells it, what is posted after a repayment.
    """

    verb: Verb
    began: float
    ended: float
    clock: tuple[int, int]
    said: str | None = DONE
    hold: str = ""
    made: str = ""
    amount: int = 0
    final: bool = False
    life: int = 0
    at: int | None = None
    until: int | None = None
    returned: int | None = None
    seen: Seen | None = None
    charge: str = ""
    parts: tuple[tuple[str, int], ...] | None = None
    used: int | None = None
    number: int = 0

    @property
    def known(self) -> bool:
        """Whether anybody knows what came of it."""
        return self.said is not None


class Lapse(NamedTuple):
    """Between which instants a hold lapses: one and the same, if its reply was read."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Held:
    """A hold: what is left of it, when it lapses, and how it has ended."""

    left: int
    lapse: Lapse
    ended: Literal["", "captured", "voided", "lapsed"] = ""


class Charge(NamedTuple):
    """What was captured at once: what of it was not given back, and what of that is not paid."""

    net: int
    owed: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line between two steps. ``granted``: what the score gives; ``before``: what scores gave before, and until when
    they may have."""

    booked: int
    granted: int = MOST
    before: tuple[tuple[int, float], ...] = ()
    suspended: bool = False
    holds: frozenset[tuple[str, Held]] = field(default_factory=frozenset)
    charges: frozenset[tuple[str, Charge]] = field(default_factory=frozenset)

    @property
    def limit(self) -> int:
        """What may be posted and held when something is added."""
        return min(self.booked, self.granted)

    @property
    def posted(self) -> int:
        """What is owed."""
        return sum(charge.owed for _, charge in self.charges)

    @property
    def seen(self) -> Seen:
        """What is told of it."""
        return Seen(self.limit, self.posted, self.held, self.suspended)

    @property
    def held(self) -> int:
        """What is set aside."""
        return sum(held.left for _, held in self.holds if not held.ended)

    @property
    def free(self) -> int:
        """What can be set aside still."""
        return self.limit - self.posted - self.held

    def hold(self, name: str) -> Held | None:
        """One of the holds."""
        return next((held for known, held in self.holds if known == name), None)

    def having(self, name: str, held: Held) -> Line:
        """The line with a hold as it is now."""
        others = {pair for pair in self.holds if pair[0] != name}
        return replace(self, holds=frozenset({*others, (name, held)}))

    def charge(self, name: str) -> Charge | None:
        """One of the charges."""
        return next((charge for known, charge in self.charges if known == name), None)

    def charging(self, name: str, charge: Charge) -> Line:
        """The line with a charge as it is now."""
        others = {pair for pair in self.charges if pair[0] != name}
        return replace(self, charges=frozenset({*others, (name, charge)}))


def after(line: Line, step: Step) -> Iterable[Line]:
    """The lines that this step can leave, answering what it did; none, if it cannot have come now."""
    if step.verb == "rescore":
        yield replace(line, granted=step.amount, before=(*line.before, (line.granted, step.ended)))
        return
    scores = dict.fromkeys([line.granted, *(granted for granted, until in line.before if step.began <= until)])
    found = (then for granted in scores for then in _after(replace(line, granted=granted), step))
    yield from dict.fromkeys(replace(then, granted=line.granted) for then in found)


def _after(line: Line, step: Step) -> Iterator[Line]:
    """The same for a step that goes by the score of this line."""
    for then in _lapsed(line, step):
        if step.verb == "look":
            if step.seen == then.seen:
                yield line
                return
        elif step.said in {DONE, None}:
            yield from _done(then, step)
        elif step.said in set(_against(then, step)):
            yield line
            return


def _lapsed(line: Line, step: Step) -> Iterator[Line]:
    """The line at each instant that differs for this step, without what has lapsed by then."""
    first, last = step.clock
    if step.at is not None:
        if step.at < first or any(held.ended == "lapsed" and held.lapse.first > step.at for _, held in line.holds):
            return
        first = last = step.at
    ends = {held.lapse.first for _, held in line.holds if not held.ended and first < held.lapse.first <= last}
    found = (without for instant in (first, *sorted(ends)) for without in _without(line, instant))
    yield from dict.fromkeys(found)


def _without(line: Line, instant: int) -> Iterator[Line]:
    """The line without what has lapsed by this instant, and with or without what may have."""
    open_ = [(name, held) for name, held in line.holds if not held.ended and held.lapse.first <= instant]
    choices = [(True,) if held.lapse.last <= instant else (True, False) for _, held in open_]
    for chosen in product(*choices):
        then = line
        for (name, held), gone in zip(open_, chosen, strict=True):
            then = then.having(name, replace(held, ended="lapsed")) if gone else then
        yield then


def _done(line: Line, step: Step) -> Iterator[Line]:
    if step.verb in {"suspend", "resume"}:
        yield replace(line, suspended=step.verb == "suspend")
    elif step.verb in {"relimit", "refund", "repay"}:
        yield from _BILLED[step.verb](line, step)
    elif step.verb in {"place", "raise"}:
        lapse = _lapse_of(line, step)
        if lapse is not None and not line.suspended and step.amount <= line.free:
            yield line.having(step.made or f"?{step.number}", Held(step.amount, lapse))
    else:
        held = line.hold(step.hold)
        if held is not None and not held.ended and step.amount <= held.left:
            yield from _taken(line, step, held)


def _lapse_of(line: Line, step: Step) -> Lapse | None:
    """When the hold that is made lapses: what is held without another pass, with what it follows. None: it cannot."""
    if step.verb == "raise":
        first = line.hold(step.hold)
        told = first is not None and step.until in {None, first.lapse.first, first.lapse.last}
        return first.lapse if first is not None and told and not first.ended else None
    if step.at is not None:
        return Lapse(step.at + step.life, step.at + step.life)
    return Lapse(step.clock[0] + step.life, step.clock[1] + step.life)


def _taken(line: Line, step: Step, held: Held) -> Iterator[Line]:
    """A hold captured, in part or finally, or given up."""
    left = held.left - step.amount
    ends = step.verb == "void" or step.final or not left
    name = step.charge or f"?{step.number}"
    if step.returned in {None, left if ends else 0} and line.charge(name) is None:
        posted = line.charging(name, Charge(step.amount, step.amount)) if step.amount else line
        ended: Literal["voided", "captured"] = "voided" if step.verb == "void" else "captured"
        yield posted.having(step.hold, replace(held, left=0, ended=ended) if ends else replace(held, left=left))


def _booked_anew(line: Line, step: Step) -> Iterator[Line]:
    """For what the score gives, be it less than is posted and held: every hold stays as it is."""
    then = replace(line, booked=line.granted)
    if not line.suspended and step.seen in {None, then.seen}:
        yield then


def _given_back(line: Line, step: Step) -> Iterator[Line]:
    """What is refunded is owed no more; what was paid of it before was not owed, and leaves the line as it is."""
    charge = line.charge(step.charge)
    if charge is not None and step.amount <= charge.net:
        yield line.charging(step.charge, Charge(charge.net - step.amount, max(0, charge.owed - step.amount)))


def _paid(line: Line, step: Step) -> Iterator[Line]:
    """All of a payment goes to what is owed, the first charge first."""
    left, parts, then = step.amount, list[tuple[str, int]](), line
    for name, charge in sorted(line.charges):
        part = min(left, charge.owed)
        if part:
            then = then.charging(name, Charge(charge.net, charge.owed - part))
            parts.append((name, part))
            left -= part
    if not left and step.parts in {None, tuple(parts)} and step.used in {None, then.posted}:
        yield then


_BILLED = {"relimit": _booked_anew, "refund": _given_back, "repay": _paid}


def _against(line: Line, step: Step) -> Iterator[str]:
    """Why a step is refused."""
    held = line.hold(step.hold)
    if step.verb in _BILLED:
        yield from _against_billed(line, step)
    elif held is not None and held.ended:
        yield "hold-expired" if held.ended == "lapsed" else f"hold-{held.ended}"
    elif step.verb in {"place", "raise"}:
        if line.suspended:
            yield "credit-line-suspended"
        elif step.amount > line.free:
            yield "hold-exceeds-limit"
    elif held is not None and step.amount > held.left:
        yield "capture-exceeds-hold"


def _against_billed(line: Line, step: Step) -> Iterator[str]:
    charge = line.charge(step.charge)
    if step.verb == "repay" and step.amount > line.posted:
        yield "repayment-exceeds-debt"
    elif step.verb == "refund" and charge is not None and step.amount > charge.net:
        yield "refund-exceeds-capture"
    elif step.verb == "relimit" and line.suspended:
        yield "credit-line-suspended"
