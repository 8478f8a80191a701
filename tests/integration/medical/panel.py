"""Reviewers of a bank and of its people's cities, for tests: words for what they are asked and what they do."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from chalicelib.core import clock
from tests.in_process import Answer
from tests.integration.medical.clinic import Clinic
from tests.world import XIAMEN

AUTHOR, FIRST, SECOND_ONE = (f"bank:demo-bank@xiamen/{name}" for name in ("bao", "ren", "shen"))
OTHERS = "bank:other-bank@xiamen/ta"
CITY, OTHER_CITY = "city:xiamen/rui", "city:hangzhou/hua"
WORDS = "我的分数已经更新，请人工看一看"
REASON = {"zh": "已核对", "en": "It has been checked"}
MINE = "/v1/me/reviews"
STAFF = {"demo-bank": {"bao": "author", "ren": "reviewer", "shen": "reviewer"}, "other-bank": {"ta": "reviewer"}}


class Panel:
    """The reviewers of two banks in a clinic."""

    def __init__(self, clinic: Clinic) -> None:
        self.clinic = clinic
        self.world = clinic.world
        for partner_id, staff in STAFF.items():
            path = f"/v1/cities/xiamen/partners/{partner_id}"
            seen = self.world.send("GET", path, XIAMEN)
            listed = [{"sub": sub, "roles": [role]} for sub, role in staff.items()]
            body = {"name": seen.body["name"], "status": "active", "staff": listed}
            assert self.world.send("PUT", path, XIAMEN, body, if_match=seen.headers["etag"]).status == 200

    def look(self, who: str, purpose: str) -> str:
        """The latest look at a person for this purpose, as he finds it himself."""
        items = self.world.get("/v1/me/looks?limit=50", f"citizen:{who}")["items"]
        return next(str(item["effect_id"]) for item in items if item["purpose"].startswith(purpose))

    def looks(self, who: str) -> list[str]:
        """What was done with a person's account, newest first."""
        items = self.world.get("/v1/me/looks?limit=50", f"citizen:{who}")["items"]
        return [item["purpose"].partition(":")[0] for item in items]

    def ask(self, who: str, effect_id: Any = None, *, key: str = "", **more: Any) -> Answer:
        """Somebody contests a look, or his limit as it is."""
        body = {"city_id": "xiamen", "bank_id": "demo-bank", "words": WORDS} | more
        if effect_id is not None:
            body["effect_id"] = effect_id
        return self.clinic.post(MINE, f"citizen:{who}", body, key=key)

    def asked(self, who: str, effect_id: str | None = None) -> str:
        """The id of a review that was asked for."""
        answer = self.ask(who, effect_id)
        assert answer.status == 201, answer.text
        return str(answer.body["review_id"])

    def own(self, who: str, review_id: str) -> Any:
        """A review as its person reads it."""
        return self.world.get(f"{MINE}/{review_id}", f"citizen:{who}")

    def withdraw(self, who: str, review_id: str, *, key: str = "") -> Answer:
        return self.clinic.post(f"{MINE}/{review_id}/withdraw", f"citizen:{who}", key=key)

    def read(self, review_id: str, actor: str = FIRST, *, key: str = "") -> Answer:
        return self.clinic.post(f"{self.path(actor)}/{review_id}/looks", actor, key=key)

    def queue(self, actor: str = FIRST, query: str = "") -> Answer:
        return self.clinic.send("GET", self.path(actor) + query, actor)

    def waiting(self, actor: str = FIRST) -> list[str]:
        """What waits for somebody, what is due first coming first."""
        return [item["review_id"] for item in self.queue(actor, "?limit=200").body["items"]]

    def move(self, review_id: str, move: str, actor: str = FIRST, *, key: str = "", **more: Any) -> Answer:
        body = {"move": move} | ({} if move == "forward" else {"reason": REASON}) | more
        return self.clinic.post(f"{self.path(actor)}/{review_id}/moves", actor, body, key=key)

    def correct(self, review_id: str, limit_fen: Any, days: int = 30, actor: str = FIRST, *, key: str = "") -> Answer:
        return self.move(review_id, "correct", actor, key=key, limit_fen=limit_fen, until=str(self.day(days)))

    def path(self, actor: str) -> str:
        """Where somebody's reviews are."""
        city = actor.removeprefix("city:").partition("/")[0]
        return f"/v1/cities/{city}/credit-reviews" if actor.startswith("city:") else "/v1/credit-reviews"

    def day(self, days: int) -> date:
        """A day of Xiamen, so many from today."""
        return clock.day_in("Asia/Shanghai", clock.now()) + timedelta(days=days)
