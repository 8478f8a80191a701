"""The bank's two clerks, beside the hospitals': one looks and suspends, one takes payments and books lines anew."""

from __future__ import annotations

import itertools
import json
import threading
import time
from http.client import HTTPConnection, HTTPException

from tests.e2e.medical.clerks import BANK, CITY, Asked, Clerk, Clinic, Gone, now_ms
from tests.e2e.offers.customers import Answered, Errand

LIFTED_AFTER_SECONDS = 0.1
PAUSE_SECONDS = 0.05
LEAST_FEN = 100


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
        asked = self.ask(Asked("look", "", self.clinic.errand(BANK, "/v1/credit-limits/batch", body)))
        for who, told in zip(self.clinic.known, asked.body["items"], strict=True):
            self.clinic.used[who] = told["limit"]["used_fen"]
        return asked

    def move(self, who: str, verb: str) -> Asked:
        """Suspends a line, or resumes it."""
        path = f"/v1/credit-lines/{self.clinic.known[who]}/moves"
        return self.ask(Asked(verb, who, self.clinic.errand(BANK, path, {"move": verb})))


class Cashier(Clerk):
    """The bank's other clerk: notes what is repaid, and books lines anew for scores that the city has just changed."""

    def watch(self, over: threading.Event) -> None:
        """Until it is over, or its servers are gone. What is repaid is a part of what was owed at the bank's last look,
        all of it, or more."""
        try:
            while not over.is_set():
                who = self.dice.choice(list(self.clinic.limits))
                used, limit = self.clinic.used[who], self.clinic.limits[who]
                if self.dice.random() < 0.67:
                    amount = self.dice.choice([used // 2, used // 3, used, used + limit // 2])
                    self.repay(who, max(LEAST_FEN, amount))
                else:
                    self.rebook(who)
                time.sleep(PAUSE_SECONDS)
        except Gone:
            return
        finally:
            self.close()

    def repay(self, who: str, amount: int) -> Asked:
        """Notes a payment."""
        path = f"/v1/credit-lines/{self.clinic.known[who]}/repayments"
        errand = self.clinic.errand(BANK, path, {"amount_fen": amount, "currency": "CNY"})
        return self.ask(Asked("repay", who, errand, amount=amount))

    def rebook(self, who: str) -> None:
        """A new score, and mostly the line booked for it."""
        self.rescore(who, self.dice.choice(list(self.clinic.given)))
        if self.dice.random() < 0.8:
            self.relimit(who)

    def relimit(self, who: str) -> Asked:
        """Books a line anew."""
        path = f"/v1/credit-lines/{self.clinic.known[who]}/moves"
        return self.ask(Asked("relimit", who, self.clinic.errand(BANK, path, {"move": "relimit"})))

    def rescore(self, who: str, score: int) -> None:
        """The city tells a score. Raises: Gone."""
        asked = Asked("rescore", who, score_of(self.clinic, who, score), amount=self.clinic.given[score])
        self.clinic.asked.append(asked)
        asked.began = now_ms()
        line = self.lines[self.server_for(asked)]
        asked.answer, asked.ended = put(line, asked.errand), now_ms()
        if not asked.answer.status:
            raise Gone
        assert asked.done or asked.answer.code == "conflict", asked.answer.text
        self.note(asked)


def score_of(clinic: Clinic, who: str, score: int) -> Errand:
    """What tells a score: later than all that were told before."""
    body = {"score": score, "as_of": clinic.as_of, "revision": next(clinic.revisions), "scale_version": 1}
    path = f"/v1/cities/xiamen/subjects/{clinic.people[who]['subject_id']}/score"
    return Errand(path, "", clinic.tokens[CITY], json.dumps(body).encode())


def put(line: HTTPConnection, errand: Errand) -> Answered:
    """What comes back to a PUT; nothing (status 0), if the server is gone."""
    headers = {"Authorization": f"Bearer {errand.token}", "Content-Type": "application/json"}
    try:
        line.request("PUT", errand.path, errand.content, headers)
        reply = line.getresponse()
        return Answered(reply.status, reply.read().decode())
    except (OSError, HTTPException):
        return Answered(0)
