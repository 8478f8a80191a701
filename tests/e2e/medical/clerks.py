"""Clerks of two hospitals and one of the bank, many at once over real connections, and a record of what they did."""

from __future__ import annotations

import itertools
import json
import math
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http.client import HTTPConnection
from typing import Any

from infra.local.client import Client
from tests.e2e.medical.process import SKEWS_MS, Served
from tests.e2e.offers.customers import Answered, Errand, People, _send

BANK = "bank:demo-bank@xiamen"
HOSPITALS = ("hospital:demo-hospital@xiamen", "hospital:second-hospital@xiamen")
CLERKS = 12
LATE_MS = 300
HUNG_UP = 0.1
WAITS_SECONDS = (0, 0.02, 0.2)
LIFTED_AFTER_SECONDS = 0.1


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


@dataclass(frozen=True, slots=True)
class Open:
    """A hold that a hospital was given."""

    hold_id: str
    amount: int
    until: int


class Clinic:
    """What all clerks share: the people, what was placed, the servers of now, and the record."""

    def __init__(self, client: Client, limits: dict[str, int], known: dict[str, str]) -> None:
        self.limits, self.known = limits, known
        self.tokens = {actor: client.token(actor) for actor in (BANK, *HOSPITALS)}
        self.people: People = client.people
        self.tokens |= {who: client.token(f"citizen:{who}") for who in self.people}
        self.servers: Sequence[Served] = ()
        self.asked: list[Asked] = []
        self.open: dict[tuple[str, str], list[Open]] = defaultdict(list)
        self.numbers = itertools.count(1)

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


class Lender(Clerk):
    """The bank's clerk: looks at all lines again and again, and now and then suspends one for a moment."""

    def watch(self, over: threading.Event) -> None:
        """Until it is over, or its servers are gone."""
        try:
            for turn in itertools.count():
                if over.is_set():
                    return
                self.look()
                if turn % 8 == 5:
                    who = self.dice.choice(list(self.clinic.limits))
                    self.move(who, "suspend")
                    time.sleep(LIFTED_AFTER_SECONDS)
                    self.look()
                    self.move(who, "resume")
        except Gone:
            return
        finally:
            self.close()

    def look(self) -> Asked:
        """At all lines in one request."""
        body = {"subject_ids": list(self.clinic.known.values())}
        return self.ask(Asked("look", "", self.clinic.errand(BANK, "/v1/credit-limits/batch", body)))

    def move(self, who: str, verb: str) -> Asked:
        """Suspends a line, or resumes it."""
        path = f"/v1/credit-lines/{self.clinic.known[who]}/moves"
        return self.ask(Asked(verb, who, self.clinic.errand(BANK, path, {"move": verb})))


def now_ms() -> float:
    """This instant."""
    return time.time() * 1_000


def ms_of(stamp: str) -> int:
    """The instant that a reply tells."""
    return round(datetime.fromisoformat(stamp).timestamp() * 1_000)


def fastest() -> int:
    """By how much the fastest clock is fast."""
    return max(SKEWS_MS)
