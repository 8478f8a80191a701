"""A market stall for tests: offers on the shelf of the demo's farm, people who may buy, and words for what they do."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any

from chalicelib.core import clock, table
from chalicelib.core.commit import Unit
from chalicelib.offers import store
from chalicelib.offers.rules import Life, Offer, Product
from chalicelib.offers.rules.deals import SeenQuota
from chalicelib.offers.rules.heads import Head, Listed
from chalicelib.offers.service.shelf import budget_key, stock_key
from chalicelib.offers.store.counters import SeenCounter
from tests.in_process import Answer
from tests.unit.offers import shop
from tests.world import FARM, World

SCENARIO = "jimei_produce"
TOFU, TEA = shop.TOFU.variant_id, shop.TEA.variant_id


def head_of(offer: Offer) -> Head:
    """The offer as it is stored."""
    key = store.head_key(offer.city_id, offer.merchant_id, offer.offer_id)
    found = store.head_in(table.fetch([key]), key)
    assert found is not None
    return found


class Market:
    """The farm's stall in a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._numbers = itertools.count(1)

    def offer(self, offer_id: str = "", *, stock: int = 500, **changes: Any) -> Offer:
        """An offer of tofu skin and tea that is open now; ``stock`` is that of each."""
        variants = tuple(replace(v, stock=stock) for v in (shop.TOFU, shop.TEA))
        products = tuple(Product(v.variant_id, v.name, (v,)) for v in variants)
        made = shop.offer(
            offer_id=offer_id or f"stall-{next(self._numbers)}",
            products=products,
            valid_from=clock.now() - timedelta(days=1),
            valid_to=clock.now() + timedelta(days=30),
        )
        return replace(made, **changes)

    def shelve(self, offer: Offer, *, state: Any = "scheduled", stopped_to: int = 0) -> Offer:
        """Puts a version on the shelf as if it had been reviewed; the counters are new."""
        life = Life(state, ("author",), clock.now() - timedelta(days=1), "reviewer")
        listed = {offer.version: Listed(life, offer.valid_from, offer.valid_to)}
        unit = Unit()
        store.save_version(unit, offer)
        head = Head(
            offer.city_id, offer.merchant_id, offer.offer_id, offer.title, offer.category, offer.version, listed,
            stopped_to,
        )  # fmt: skip
        store.save_head(unit, head)
        for variant in offer.variants:
            store.counters.open_counter(unit, stock_key(offer, variant.variant_id), variant.stock)
        if offer.budget_fen is not None:
            store.counters.open_counter(unit, budget_key(offer), offer.budget_fen)
        unit.commit()
        return offer

    def stop(self, offer: Offer) -> None:
        """What the city's stop writes."""
        head = head_of(offer)
        listed = head.versions[offer.version]
        life = replace(listed.life, state="stopped")
        unit = Unit()
        versions = {offer.version: replace(listed, life=life)}
        store.save_head(unit, replace(head, versions=versions, stopped_to=offer.version))
        for variant in offer.variants:
            store.counters.stop(unit, stock_key(offer, variant.variant_id), offer.version)
        unit.commit()

    def buyer(self, score: int | None = 693, city: str = "xiamen") -> str:
        """A person with this score, who lets the farm have decisions."""
        return self.world.newcomer(city, score, (FARM, SCENARIO))

    def ask(self, offer: Offer, units: int = 1, variant: str = TOFU, **more: Any) -> dict[str, Any]:
        """The body of a quote of one line."""
        return {"lines": [{"offer_id": offer.offer_id, "variant_id": variant, "units": units}], **more}

    def quote(self, who: str, body: dict[str, Any], *, key: str = "", actor: str = FARM) -> Answer:
        """The farm asks by a fresh pass of this person."""
        return self.world.post("/v1/quotes", actor, {**body, "pass_code": self.world.show(who, actor)}, key=key)

    def quoted(self, who: str, offer: Offer, units: int = 1, variant: str = TOFU, **more: Any) -> str:
        """The id of a quote that was given."""
        answer = self.quote(who, self.ask(offer, units, variant, **more))
        assert answer.status == 201, answer.text
        return str(answer.body["deal"]["quote_id"])

    def act(self, verb: str, quote_id: str, *, key: str = "", actor: str = FARM, body: Any = None) -> Answer:
        """One step of a deal: ``redemption``, ``reservation``, ``release``, ``refunds``."""
        mine = "/me" if actor.startswith("citizen") else ""
        return self.world.post(f"/v1{mine}/quotes/{quote_id}/{verb}", actor, body, key=key)

    def redeemed(self, who: str, offer: Offer, units: int = 1, variant: str = TOFU) -> str:
        """The id of a deal that was quoted and redeemed."""
        quote_id = self.quoted(who, offer, units, variant)
        answer = self.act("redemption", quote_id)
        assert answer.status == 200, answer.text
        return quote_id

    def refund(self, quote_id: str, line: int = 0, units: int = 1, *, key: str = "", actor: str = FARM) -> Answer:
        """Units of a line are given back."""
        return self.act("refunds", quote_id, key=key, actor=actor, body={"line": line, "units": units})

    def counter(self, offer: Offer, variant: str = TOFU) -> SeenCounter:
        """What is counted of a variant; its equation is checked as it is read."""
        key = stock_key(offer, variant)
        seen = store.counters.counter_in(table.fetch([key]), key)
        assert seen is not None
        return seen

    def budget(self, offer: Offer) -> SeenCounter:
        """What is counted of the offer's budget."""
        key = budget_key(offer)
        seen = store.counters.counter_in(table.fetch([key]), key)
        assert seen is not None
        return seen

    def quota(self, offer: Offer, who: str) -> SeenQuota:
        """How much of an offer a person has had."""
        key = store.quota_key(offer.city_id, self.world.ref(who), offer.merchant_id, offer.offer_id)
        return store.quota_in(table.fetch([key]), key)
