"""A bank, two hospitals and their patients, for tests: policies in force, lines, and words for what is done to them."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any

from chalicelib.core import clock, codec, table
from chalicelib.core.commit import Unit
from chalicelib.ledger.rules import lines
from chalicelib.medical import store
from chalicelib.medical.rules import Life, Policy
from chalicelib.medical.rules.credit import CreditLine
from chalicelib.medical.rules.heads import Head, Listed
from chalicelib.partners.rules import check_character
from tests.conftest import ISSUER
from tests.in_process import Answer
from tests.unit.medical import ward
from tests.world import BANK, HOSPITAL, XIAMEN, World

SCENARIO = "credit_medical"
SECOND = "hospital:second-hospital@xiamen"
OTHER_BANK = "bank:other-bank@xiamen"
SCOPES = {
    "bank": "credit:write credit:pull credit:collect credit:review",
    "hospital": "credit:hold",
    "city": "credit:write partners:write credit:review",
}
POLICIES = "/v1/cities/xiamen/banks/demo-bank/credit-policies"
NOT_THE_AUTHORS = ("city_id", "bank_id", "version")


class Clinic:
    """The demo's bank and hospitals in a world, with a policy in force."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.numbers = itertools.count(1)
        if world.send("GET", "/v1/cities/xiamen/partners/second-hospital", XIAMEN).status == 404:
            self.enter("second-hospital", "hospital", 801)
            self.enter("other-bank", "bank", 802)
        self.in_force(self.policy())

    def enter(self, partner_id: str, kind: str, number: int) -> None:
        """One institution more."""
        code = f"91000000MA{number:07d}"
        body = {
            "partner_id": partner_id, "kind": kind, "name": {"zh": partner_id, "en": partner_id},
            "uscc": code + check_character(code), "illustrative": True,
        }  # fmt: skip
        assert self.world.post("/v1/cities/xiamen/partners", XIAMEN, body).status == 201

    def policy(self, **changes: Any) -> Policy:
        """The demo bank's policy, with other terms. It began long ago, so that a test may play on any day."""
        return ward.policy(**changes)

    def in_force(self, policy: Policy, state: Any = "approved") -> None:
        """Puts a policy in force as if it had been reviewed; the only one of its bank. As in life, the number of its
        shards stays once lines are counted in them: a test of another number takes a bank that has no lines yet."""
        key = store.head_key(policy.city_id, policy.bank_id)
        seen = store.head_in(table.fetch([key]), policy.city_id, policy.bank_id)
        assert seen is None or seen.shards == policy.shards or not self.exposure(policy.bank_id)
        life = Life(state, ("author",), clock.now() - timedelta(days=3), "reviewer")
        listed = {policy.version: Listed(life, policy.valid_from, policy.valid_to)}
        revision = 0 if seen is None else seen.revision
        unit = Unit()
        store.save_version(unit, policy)
        head = Head(policy.city_id, policy.bank_id, policy.version, listed, policy.shards, revision)
        store.save_head(unit, head)
        unit.commit()
        self.world.forget()

    def send(self, method: str, path: str, actor: str, body: Any = None, **more: Any) -> Answer:
        """A request with the scopes of medical credit."""
        claims = self.world.client.claims(actor)
        kind = claims["actor"]
        token = ISSUER.token(**claims, scope=SCOPES.get(kind, ""), now=clock.now())
        return self.world.send(method, path, actor, body, token=token, **more)

    def post(self, path: str, actor: str, body: Any = None, **more: Any) -> Answer:
        return self.send("POST", path, actor, body, **more)

    def patient(self, score: int | None = 693, city: str = "xiamen", *, granted: tuple[str, ...] = ()) -> str:
        """A person who lets the bank and both hospitals have decisions, or only those named."""
        recipients = granted or (BANK, HOSPITAL, SECOND)
        return self.world.newcomer(city, score, *((actor, SCENARIO) for actor in recipients))

    def insured(self, score: int | None = 693, city: str = "xiamen") -> str:
        """A person with a line."""
        who = self.patient(score, city)
        answer = self.open(who)
        assert answer.status == 201, answer.text
        return who

    def pull(self, who: str, actor: str = BANK, *, key: str = "") -> Answer:
        return self.post("/v1/credit-limits", actor, {"subject_id": self.world.known_to(actor, who)}, key=key)

    def open(self, who: str, actor: str = BANK, *, key: str = "") -> Answer:
        return self.post("/v1/credit-lines", actor, {"subject_id": self.world.known_to(actor, who)}, key=key)

    def move(self, who: str, move: str, actor: str = BANK, *, key: str = "") -> Answer:
        path = f"/v1/credit-lines/{self.world.known_to(actor, who)}/moves"
        return self.post(path, actor, {"move": move}, key=key)

    def hold_body(self, who: str, amount: Any, actor: str = HOSPITAL, **more: Any) -> dict[str, Any]:
        """What places a hold, with a fresh pass."""
        body = {"bank_id": "demo-bank", "visit_ref": "V-1", "amount_fen": amount}
        return body | {"pass_code": self.world.show(who, actor)} | more

    def hold(self, who: str, amount: Any, actor: str = HOSPITAL, *, key: str = "", **more: Any) -> Answer:
        return self.post("/v1/credit-holds", actor, self.hold_body(who, amount, actor, **more), key=key)

    def held(self, who: str, amount: int, actor: str = HOSPITAL) -> str:
        """The id of a hold that was placed."""
        answer = self.hold(who, amount, actor)
        assert answer.status == 201, answer.text
        return str(answer.body["hold_id"])

    def act(self, verb: str, hold_id: str, body: Any = None, *, actor: str = HOSPITAL, key: str = "") -> Answer:
        """A step of a hold: ``captures``, ``void``, ``raise``."""
        return self.post(f"/v1/credit-holds/{hold_id}/{verb}", actor, body, key=key)

    def capture(
        self, hold_id: str, amount: Any, *, final: bool = False, actor: str = HOSPITAL, key: str = ""
    ) -> Answer:
        return self.act("captures", hold_id, {"amount_fen": amount, "final": final}, actor=actor, key=key)

    def line(self, who: str, bank_id: str = "demo-bank") -> CreditLine:
        """A person's line as it is stored. Nothing it carries ever passes its limit without having been given."""
        key = store.line_key("xiamen", self.world.ref(who).person_id, bank_id)
        found = store.line_in(table.fetch([key]), key)
        assert found is not None
        return found

    def standing(self, who: str) -> tuple[int, int, int]:
        """Limit, posted and held of a line now."""
        line = self.line(who).line
        return line.limit_fen, line.posted_fen, lines.held(line, clock.now())

    def exposure(self, bank_id: str = "demo-bank") -> int:
        """What a bank's shards count in all."""
        items = (item for item in self.world.items() if item["pk"]["S"] == f"xiamen#exposure#{bank_id}")
        return sum(int(item["used_fen"]["N"]) for item in items)


def body_of(policy: Policy) -> dict[str, Any]:
    """The request that drafts this policy."""
    return {name: value for name, value in codec.plain(policy).items() if name not in NOT_THE_AUTHORS}


def tomorrow(policy: Policy, **changes: Any) -> Policy:
    """The policy as it would begin in two days."""
    return replace(policy, valid_from=(clock.now() + timedelta(days=2)).date(), **changes)
