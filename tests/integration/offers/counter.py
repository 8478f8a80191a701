"""The merchant's desk and the city's, for tests: offers written, reviewed and put on the shelf as their staff do."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

from chalicelib.core import clock, codec
from chalicelib.offers.rules import Offer
from tests.in_process import Answer
from tests.unit.offers import shop
from tests.world import World

AUTHOR, SELLER = "merchant:qingliu-farm/qingliu-author", "merchant:qingliu-farm/qingliu-operator"
REVIEWER, CLERK = "city:xiamen/rui", "city:xiamen/cai"
OFFERS = "/v1/cities/xiamen/merchants/qingliu-farm/offers"
CATALOGUE = "/v1/cities/xiamen/catalogue"
NOT_THE_AUTHORS = ("city_id", "merchant_id", "version", "time_zone")
WHO = {
    "submit": AUTHOR, "withdraw": AUTHOR, "schedule": SELLER, "pause": SELLER, "resume": SELLER, "end": SELLER,
    "return": REVIEWER, "approve": REVIEWER, "stop": CLERK, "lift": REVIEWER,
}  # fmt: skip
DECIDING = {"approve", "return"}


def body_of(offer: Offer) -> dict[str, Any]:
    """The request that drafts this offer."""
    return {name: value for name, value in codec.plain(offer).items() if name not in NOT_THE_AUTHORS}


class Desk:
    """Both desks in a world."""

    numbers = itertools.count(1)

    def __init__(self, world: World) -> None:
        self.world = world

    def offer(self, **changes: Any) -> Offer:
        """Tea and tofu skin, open now for a month, under an id of its own."""
        now = clock.now().replace(microsecond=0)
        usual: dict[str, Any] = {
            "offer_id": f"desk-{next(self.numbers)}",
            "valid_from": now - timedelta(days=1),
            "valid_to": now + timedelta(days=30),
        }
        return shop.offer(**usual | changes)

    def draft(self, offer: Offer, actor: str = AUTHOR, *, key: str = "", query: str = "") -> Answer:
        """An author writes the next version."""
        path = f"/v1/cities/{offer.city_id}/merchants/{offer.merchant_id}/offers{query}"
        return self.world.post(path, actor, body_of(offer), key=key)

    def drafted(self, offer: Offer) -> int:
        """The version that was drafted."""
        answer = self.draft(offer)
        assert answer.status == 201, answer.text
        return int(answer.body["version"])

    def edit(self, offer: Offer, version: int, actor: str = AUTHOR, *, if_match: str = "", query: str = "") -> Answer:
        """An author writes a draft anew, as of what was read just now."""
        path = f"{OFFERS}/{offer.offer_id}/versions/{version}"
        tag = if_match or self.world.send("GET", path, actor).headers.get("etag", "")
        body = {name: value for name, value in body_of(offer).items() if name != "offer_id"}
        return self.world.send("PUT", path + query, actor, body, if_match=tag)

    def move(
        self,
        offer: Offer,
        version: int,
        move: str,
        actor: str = "",
        *,
        key: str = "",
        query: str = "",
        digest: str = "",
    ) -> Answer:
        """Somebody, else whoever usually does, moves a version; the city's reviewers as they have read it just now."""
        path = f"{OFFERS}/{offer.offer_id}/versions/{version}"
        body = {"move": move}
        if move in DECIDING:
            body["digest"] = digest or self.read(offer, version, REVIEWER)["digest"]
        return self.world.post(f"{path}/moves{query}", actor or WHO[move], body, key=key)

    def moved(self, offer: Offer, version: int, *moves: str) -> Answer:
        """A version goes through these moves."""
        for move in moves:
            answer = self.move(offer, version, move)
            assert answer.status == 200, f"{move}: {answer.text}"
        return answer

    def shelved(self, offer: Offer) -> int:
        """The next version, drafted, approved and released."""
        version = self.drafted(offer)
        self.moved(offer, version, "submit", "approve", "schedule")
        return version

    def read(self, offer: Offer, version: int, actor: str = AUTHOR) -> Any:
        """One version as its merchant reads it."""
        return self.world.get(f"{OFFERS}/{offer.offer_id}/versions/{version}", actor)

    def seen(self, **query: str) -> list[str]:
        """The offers that the catalogue shows, as a process that has just started reads it."""
        self.world.forget()
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        return [item["offer_id"] for item in self.world.get(f"{CATALOGUE}?limit=200&{asked}")["items"]]
