"""Clerks of two hospitals, many at once over real connections, and a record of what they and the bank's did."""

from __future__ import annotations

import itertools
import json
import math
import random
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any

from infra.local.client import Client
from infra.local.demo_load import end_of_last_month
from tests.e2e.medical.process import SKEWS_MS, Served
from tests.e2e.offers.customers import Answered, Errand, People, _send

BANK = "bank:demo-bank@xiamen"
CITY = "city:xiamen"
HOSPITALS = ("hospital:demo-hospital@xiamen", "hospital:second-hospital@xiamen")
CLERKS = 12
LATE_MS = 300
HUNG_UP = 0.1
WAITS_SECONDS = (0, 0.02, 0.2)


@dataclass(slots=True)
class Asked:
    """One request to a line (the bank looks at all of them), as often as it was sent; instants in milliseconds.

    ``skews`` are by how much the clocks of the servers that it was sent to are wrong. ``hung_up``: once, nobody waited
    for the answer or a server did not know it, so that it may be done after it came again and was refused; until it is
    ``over``.
    """

    verb: str
    who: str
    errand: Errand
    hold: str = ""
    amount: int = 0
    final: bool = False
    charge: str = ""
    began: float = 0
    ended: float = 0
    skews: list[int] = field(default_factory=list)
    hung_up: bool = False
    over: float = math.inf
    answer: Answered = field(default_factory=lambda: Answered(0))

    @property
    def body(self) -> Any:
        """What was answered."""
        return json.loads(self.answer.text)

    @property
    def done(self) -> bool:
        """Whether it was acknowledged."""
        return 200 <= self.answer.status < 300


@dataclass(frozen=True, slots=True)
class Open:
    """A hold that a hospital was given."""

    hold_id: str
    amount: int
    until: int


@dataclass(frozen=True, slots=True)
class Charged:
    """Something that a hospital captured."""

    hold_id: str
    charge_id: str
    amount: int


class Clinic:
    """What all clerks share: the people, what was placed and captured, the servers of now, and the record.

    ``given`` is what each score is worth, ``used`` what was posted on each line when the bank looked last.
    """

    def __init__(
        self, client: Client, limits: dict[str, int], known: dict[str, str], given: dict[int, int]
    ) -> None:  # fmt: skip
        self.limits, self.known, self.given = limits, known, given
        self.used = dict.fromkeys(limits, 0)
        self.tokens = {actor: client.token(actor) for actor in (BANK, CITY, *HOSPITALS)}
        self.people: People = client.people
        self.tokens |= {who: client.token(f"citizen:{who}") for who in self.people}
        self.as_of = end_of_last_month(datetime.now(UTC).date(), "Asia/Shanghai")
        self.servers: Sequence[Served] = ()
        self.asked: list[Asked] = []
        self.open: dict[tuple[str, str], list[Open]] = defaultdict(list)
        self.charged: dict[tuple[str, str], list[Charged]] = defaultdict(list)
        self.numbers, self.revisions = itertools.count(1), itertools.count(2)

    def over(self) -> None:
        """Whatever was asked until now is done by now, or never."""
        for asked in self.asked:
            asked.over = min(asked.over, now_ms())
            asked.ended = asked.ended if asked.answer.status else asked.over

    def errand(self, actor: str, path: str, body: Any = None) -> Errand:
        """A POST under a key of its own."""
        content = b"" if body is None else json.dumps(body).encode()
        return Errand(path, f"ward-{next(self.numbers):08d}", self.tokens[actor], content)


class Gone(Exception):
    """A server does not answer any more."""


class Clerk:
    """One client: it speaks to all servers, and goes by its dice."""

    def __init__(self, clinic: Clinic, actor: str, number: int, note: Callable[[Asked], None] = lambda _: None) -> None:
        self.clinic, self.actor, self.note = clinic, actor, note
        self.dice = random.Random(number)
        self.lines = [HTTPConnection(each.url.removeprefix("http://"), timeout=30) for each in clinic.servers]

    def work(self, turns: int) -> None:
        """So many turns, or until its servers are gone."""
        try:
            for _ in range(turns):
                self.turn()
        except Gone:
            return
        finally:
            self.close()

    def close(self) -> None:
        """Hangs up."""
        for line in self.lines:
            line.close()

    def turn(self) -> None:
        """Something that a clerk does."""
        who = self.dice.choice(list(self.clinic.limits))
        charged = self.clinic.charged[self.actor, who][-5:]
        if charged and self.dice.random() < 0.1:
            self.refund(who, self.dice.choice(charged))
            return
        found = [each for each in self.clinic.open[self.actor, who][-5:] if each.until > now_ms() - LATE_MS]
        late = [each for each in found if each.until < now_ms() + LATE_MS]
        if not found or self.dice.random() < 0.15:
            self.place(who)
        elif late and self.dice.random() < 0.5:
            self.step(who, late[0], "capture")
        else:
            verb = self.dice.choice(["raise", "raise", "capture", "capture", "capture", "last", "void"])
            self.step(who, self.dice.choice(found), verb)

    def place(self, who: str) -> None:
        """Sets an amount aside by the pass that somebody shows."""
        wish = self.clinic.errand(who, "/v1/me/passes", {"scenario": "xiamen/credit_medical"})
        answer = _send(self.lines[0], wish)
        if not answer.status:
            raise Gone
        if answer.status != 201:
            return
        amount = self.amount(who, 8, 2)
        body = {
            "bank_id": "demo-bank", "visit_ref": "V-1", "amount_fen": amount,
            "pass_code": json.loads(answer.text)["pass_code"],
        }  # fmt: skip
        self.ask(Asked("place", who, self.clinic.errand(self.actor, "/v1/credit-holds", body), amount=amount))

    def step(self, who: str, held: Open, verb: str) -> None:
        """One step of a hold."""
        path = f"/v1/credit-holds/{held.hold_id}"
        amount = 0 if verb == "void" else self.amount(who, 8, 3) if verb == "raise" else self.amount(who, 400, 60)
        if verb == "capture" and self.dice.random() < 0.1:
            amount = held.amount
        body: Any = None if verb == "void" else {"amount_fen": amount}
        if verb in {"capture", "last"}:
            body |= {"final": verb == "last"}
        part = "captures" if verb in {"capture", "last"} else verb
        errand = self.clinic.errand(self.actor, f"{path}/{part}", body)
        kind = "capture" if verb == "last" else verb
        self.ask(Asked(kind, who, errand, held.hold_id, amount, verb == "last"))

    def refund(self, who: str, charged: Charged) -> None:
        """Takes something back: a part of it, all of it, or more than there is."""
        amount = self.dice.choice([self.dice.randint(1, charged.amount), charged.amount, charged.amount + 1])
        body = {"charge_id": charged.charge_id, "amount_fen": amount}
        errand = self.clinic.errand(self.actor, f"/v1/credit-holds/{charged.hold_id}/refunds", body)
        self.ask(Asked("refund", who, errand, charged.hold_id, amount, charge=charged.charge_id))

    def amount(self, who: str, least: int, most: int) -> int:
        """A part of somebody's limit."""
        return self.dice.randint(self.clinic.limits[who] // least, self.clinic.limits[who] // most)

    def ask(self, asked: Asked) -> Asked:
        """Sends a request to one of the servers, and anew while it is told to. Raises: Gone."""
        if not asked.skews:
            self.clinic.asked.append(asked)
            asked.began = now_ms()
            if self.dice.random() < HUNG_UP:
                self.hang_up(asked)
        asked.answer = Answered(503)
        while asked.answer.status == 503:
            line = self.lines[self.server_for(asked)]
            asked.answer = _send(line, asked.errand)
            asked.ended = now_ms()
            asked.hung_up |= asked.answer.status == 503
        if not asked.answer.status:
            raise Gone
        if asked.verb in {"place", "raise"} and asked.answer.status == 201:
            said = asked.body
            placed = Open(said["hold_id"], asked.amount, ms_of(said["expires_at"]))
            self.clinic.open[self.actor, asked.who].append(placed)
        if asked.verb == "capture" and asked.done:
            charged = Charged(asked.hold, asked.body["charge_id"], asked.amount)
            self.clinic.charged[self.actor, asked.who].append(charged)
        self.note(asked)
        return asked

    def server_for(self, asked: Asked) -> int:
        """One of the servers."""
        server = self.dice.randrange(len(self.lines))
        asked.skews.append(self.clinic.servers[server].skew_ms)
        return server

    def hang_up(self, asked: Asked) -> None:
        """Sends a request and does not wait for what becomes of it: it may be done while it comes again."""
        server = self.clinic.servers[self.server_for(asked)]
        line = HTTPConnection(server.url.removeprefix("http://"), timeout=30)
        asked.hung_up, errand = True, asked.errand
        headers = {"Authorization": f"Bearer {errand.token}", "Idempotency-Key": errand.key}
        if errand.content:
            headers["Content-Type"] = "application/json"
        try:
            line.request("POST", errand.path, errand.content, headers)
        except OSError:
            raise Gone from None
        finally:
            time.sleep(self.dice.choice(WAITS_SECONDS))
            line.close()


def now_ms() -> float:
    """This instant."""
    return time.time() * 1_000


def ms_of(stamp: str) -> int:
    """The instant that a reply tells."""
    return round(datetime.fromisoformat(stamp).timestamp() * 1_000)


def fastest() -> int:
    """By how much the fastest clock is fast."""
    return max(SKEWS_MS)
