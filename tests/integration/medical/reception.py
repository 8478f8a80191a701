"""A hospital's reception, for tests: passes with and without a face or a child, and words for the steps of a visit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from chalicelib.core import clock, ids, table
from chalicelib.medical.rules.visits import Visit
from chalicelib.medical.store.visits import visit_in, visit_key
from chalicelib.subjects.rules import AccountRef
from tests.conftest import ISSUER
from tests.in_process import Answer
from tests.integration.medical.clinic import Clinic
from tests.world import HOSPITAL, recipient_of

VISITS = "/v1/visits"


class Reception:
    """The hospitals of a clinic, visit by visit."""

    def __init__(self, clinic: Clinic) -> None:
        self.clinic = clinic
        self.world = clinic.world

    def show(self, who: str, actor: str = HOSPITAL, *, ward_id: str = "", face: bool = True) -> str:
        """A fresh pass of a person, for a child of his or for himself, with a face check or without."""
        wish = {"recipient": recipient_of(actor)} | ({"ward_id": ward_id} if ward_id else {})
        claims = self.world.client.claims(f"citizen:{who}") | {"face": face}
        token = ISSUER.token(**claims, now=clock.now())
        answer = self.world.post("/v1/me/passes", f"citizen:{who}", wish, token=token)
        assert answer.status == 201, answer.text
        return str(answer.body["pass_code"])

    def ward(self, who: str, *, days: int = 1_000, key: str = "") -> str:
        """A child of a person's, as his city confirms it."""
        today = clock.day_in("Asia/Shanghai", clock.now())
        answer = self.confirm(who, (today + timedelta(days=days)).isoformat(), key=key)
        assert answer.status == 201, answer.text
        return str(answer.body["ward_id"])

    def confirm(self, who: str, valid_to: Any, *, key: str = "") -> Answer:
        person = self.world.client.people[who]
        path = f"/v1/cities/{person['city']}/subjects/{person['subject_id']}/wards"
        return self.world.post(path, f"city:{person['city']}", {"valid_to": valid_to}, key=key)

    def end(self, who: str, ward_id: str, *, key: str = "") -> Answer:
        person = self.world.client.people[who]
        path = f"/v1/cities/{person['city']}/subjects/{person['subject_id']}/wards/{ward_id}/end"
        return self.world.post(path, f"city:{person['city']}", key=key)

    def child_of(self, who: str, ward_id: str, actor: str = HOSPITAL) -> str:
        """The id by which a hospital knows a child."""
        return ids.pairwise(recipient_of(actor), AccountRef(self.world.ref(who).city_id, ward_id).secret)

    def body(
        self, who: str, fen: Any, actor: str = HOSPITAL, *, ward_id: str = "", face: bool = True, **more: Any
    ) -> dict[str, Any]:
        """What opens a visit, with a fresh pass."""
        code = more.pop("pass_code", None) or self.show(who, actor, ward_id=ward_id, face=face)
        return {"bank_id": "demo-bank", "visit_ref": "V-7", "estimate_fen": fen, "pass_code": code} | more

    def open(self, who: str, fen: Any, actor: str = HOSPITAL, *, key: str = "", **more: Any) -> Answer:
        return self.clinic.post(VISITS, actor, self.body(who, fen, actor, **more), key=key)

    def opened(self, who: str, fen: int, actor: str = HOSPITAL, **more: Any) -> str:
        """The id of a visit that was opened."""
        answer = self.open(who, fen, actor, **more)
        assert answer.status == 201, answer.text
        return str(answer.body["visit_id"])

    def act(self, visit_id: str, verb: str, body: Any = None, *, actor: str = HOSPITAL, key: str = "") -> Answer:
        """A step of a visit: ``raise``, ``items``, ``items/<item>/capture``, ``settle`` and so on."""
        return self.clinic.post(f"{VISITS}/{visit_id}/{verb}", actor, body, key=key)

    def read(self, visit_id: str, actor: str = HOSPITAL) -> Answer:
        return self.clinic.send("GET", f"{VISITS}/{visit_id}", actor)

    def enter(
        self, visit_id: str, item_id: str, fen: Any, insurance_fen: Any = None, *, kind: str = "medicine", key: str = ""
    ) -> Answer:
        """Enters an item; with what insurance pays of it, if that is known."""
        more = {} if insurance_fen is None else {"insurance_fen": insurance_fen}
        return self.act(visit_id, "items", {"item_id": item_id, "kind": kind, "amount_fen": fen, **more}, key=key)

    def insure(self, visit_id: str, item_id: str, fen: Any, *, key: str = "") -> Answer:
        return self.act(visit_id, f"items/{item_id}/insurance", {"insurance_fen": fen}, key=key)

    def capture(self, visit_id: str, item_id: str, *, actor: str = HOSPITAL, key: str = "") -> Answer:
        return self.act(visit_id, f"items/{item_id}/capture", actor=actor, key=key)

    def refund(self, visit_id: str, item_id: str, fen: Any, *, key: str = "") -> Answer:
        return self.act(visit_id, f"items/{item_id}/refunds", {"amount_fen": fen}, key=key)

    def settle(self, visit_id: str, at: Any = "counter", *, actor: str = HOSPITAL, key: str = "") -> Answer:
        return self.act(visit_id, "settle", {"at": at}, actor=actor, key=key)

    def raised(self, visit_id: str, fens: Sequence[int]) -> None:
        """A visit with further holds."""
        for fen in fens:
            answer = self.act(visit_id, "raise", {"amount_fen": fen})
            assert answer.status == 201, answer.text

    def visit(self, visit_id: str) -> Visit:
        """A visit as it is stored."""
        key = visit_key("xiamen", visit_id)
        found = visit_in(table.fetch([key]), key)
        assert found is not None
        return found
