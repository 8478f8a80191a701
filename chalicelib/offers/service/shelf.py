"""Everything that a quote rests on, in one read: the person, the cities, and what is left of every offer for him."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from chalicelib.cities import store as cities
from chalicelib.cities.rules import Control, require_active
from chalicelib.core import table
from chalicelib.core.table import Key, Row
from chalicelib.core.text import Text
from chalicelib.offers import store
from chalicelib.offers.rules import (
    Asked,
    BasketInvalid,
    CompiledOffer,
    Offer,
    OfferOutOfStep,
    Situation,
    compile_offer,
    require_in_step,
)
from chalicelib.offers.rules.counters import MAX_BUCKETS, available
from chalicelib.offers.rules.deals import Deal, OfferUnknown, SeenQuota
from chalicelib.offers.rules.heads import Head, require_in_force
from chalicelib.offers.rules.stacking import check_asked
from chalicelib.partners.rules import require_partner
from chalicelib.scenarios.service.grounds import table_in_force
from chalicelib.subjects import store as accounts
from chalicelib.subjects.rules import Account, AccountRef


class Ask(NamedTuple):
    """A basket that somebody asks a price for: of one merchant's offers, in a district or anywhere."""

    city_id: str
    merchant_id: str
    lines: Sequence[Asked]
    district: str | None = None

    @property
    def offer_ids(self) -> list[str]:
        """The offers that are asked for, each once, in the order in which they come first."""
        return list(dict.fromkeys(line.offer_id for line in self.lines))

    def pointer(self, offer_id: str) -> str:
        """Where the basket names an offer first."""
        index = next(index for index, line in enumerate(self.lines) if line.offer_id == offer_id)
        return f"/lines/{index}/offer_id"


@dataclass(frozen=True, slots=True)
class Shelf:
    """What was read. ``offers`` are in force and of one scenario; ``quotas`` are the person's, by offer.

    ``district`` is the one by whose rules the person is judged: the one named, else the first that an offer is for.
    """

    ask: Ask
    host: Control
    home: Control
    account: Account | None
    offers: Mapping[str, Offer]
    scenario_id: str
    district: str | None
    quotas: Mapping[str, SeenQuota]
    _rows: Mapping[Key, Row]

    @property
    def purpose(self) -> str:
        """What the score is looked at for: "<city>/<scenario>"."""
        return f"{self.host.city_id}/{self.scenario_id}"

    @property
    def crowded(self) -> bool:
        """Whether lapsed reservations pile up on one of the counters."""
        budgets = [budget_key(offer) for offer in self.offers.values()]
        stocks = [stock_key(self.offers[line.offer_id], line.variant_id) for line in self.ask.lines]
        counted = (store.counters.counter_in(self._rows, key) for key in (*budgets, *stocks))
        return any(seen is not None and len(seen.counter.held) > MAX_BUCKETS for seen in counted)

    def situation(self, offer_id: str, now: datetime) -> Situation:
        """What is left of one of the offers at this instant, for this person."""
        offer = self.offers[offer_id]
        asked = [line.variant_id for line in self.ask.lines if line.offer_id == offer_id]
        stock = {variant_id: self._left(stock_key(offer, variant_id), now) for variant_id in asked}
        budget = None if offer.budget_fen is None else self._left(budget_key(offer), now)
        seen = self.quotas.get(offer_id, SeenQuota())
        return Situation("live", stock, budget, seen.state)

    def _left(self, key: Key, now: datetime) -> int:
        seen = store.counters.counter_in(self._rows, key)
        return 0 if seen is None else available(seen.counter, now)


def stock_key(offer: Offer, variant_id: str) -> Key:
    """Where the stock of an offer's variant is counted."""
    return store.counters.stock_key(offer.city_id, offer.merchant_id, offer.offer_id, variant_id)


def budget_key(offer: Offer) -> Key:
    """Where an offer's budget is counted."""
    return store.counters.budget_key(offer.city_id, offer.merchant_id, offer.offer_id)


def read_shelf(ask: Ask, ref: AccountRef | None, now: datetime) -> Shelf:
    """Reads it all in one BatchGet; the versions' contents are in memory, or one read each the first time.

    Without a person, what there is for anybody.

    Raises: BasketInvalid: too large, empty, something twice; NotFound: no such city; CitySuspended; PartnerSuspended;
        OfferUnknown; OfferStopped; OfferNotLive; BasketInvalid: offers of several scenarios, or of several districts
        where none is named; in this order.
    """
    check_asked(ask.lines)
    city_id, merchant_id = ask.city_id, ask.merchant_id
    head_keys = {offer_id: store.head_key(city_id, merchant_id, offer_id) for offer_id in ask.offer_ids}
    persons = [] if ref is None else [cities.control_key(ref.city_id), accounts.account_key(ref)]
    quota_keys = {} if ref is None else _quota_keys(ask, ref)
    rows = table.fetch(
        [
            cities.control_key(city_id),
            *persons,
            *head_keys.values(),
            *quota_keys.values(),
            *(store.counters.budget_key(city_id, merchant_id, offer_id) for offer_id in ask.offer_ids),
            *(store.counters.stock_key(city_id, merchant_id, line.offer_id, line.variant_id) for line in ask.lines),
        ]
    )
    host = require_active(cities.control_in(rows, city_id))
    require_partner(host, merchant_id)
    offers = {offer_id: _in_force(ask, offer_id, store.head_in(rows, key), now) for offer_id, key in head_keys.items()}
    quotas = {offer_id: store.quota_in(rows, key) for offer_id, key in quota_keys.items()}
    home = host if ref is None else cities.control_in(rows, ref.city_id)
    account = None if ref is None else accounts.account_in(rows, ref)
    return Shelf(ask, host, home, account, offers, _scenario(ask, offers), _district(ask, offers), quotas, rows)


def _quota_keys(ask: Ask, ref: AccountRef) -> dict[str, Key]:
    return {key: store.quota_key(ask.city_id, ref, ask.merchant_id, key) for key in ask.offer_ids}


def _in_force(ask: Ask, offer_id: str, head: Head | None, now: datetime) -> Offer:
    if head is None:
        raise OfferUnknown.at(ask.pointer(offer_id), OfferUnknown.title)
    return store.load_version(ask.city_id, ask.merchant_id, offer_id, require_in_force(head, now))


def _scenario(ask: Ask, offers: Mapping[str, Offer]) -> str:
    first = offers[ask.offer_ids[0]].scenario_id
    for offer_id, offer in offers.items():
        if offer.scenario_id != first:
            said = Text(
                "一次只能使用同一场景的优惠：每个场景须单独授权",
                "The offers of one basket belong to one scenario: each scenario has a consent of its own",
            )
            raise BasketInvalid.at(ask.pointer(offer_id), said)
    return first


def _district(ask: Ask, offers: Mapping[str, Offer]) -> str | None:
    places = (offer.place(ask.district) for offer in offers.values())
    district = next((place for place in places if place is not None), None)
    for offer_id, offer in offers.items():
        if ask.district is None and not offer.covers(district):
            said = Text(
                "这些优惠不都适用于同一个区，请注明所在区，或分开试算",
                "These offers do not all hold in one district; name yours, or ask for each by itself",
            )
            raise BasketInvalid.at(ask.pointer(offer_id), said)
    return district


def offers_of(deal: Deal) -> dict[str, Offer]:
    """The versions by which a deal was quoted, whatever is in force by now."""
    versions = {line.offer_id: line.version for line in deal.quote.lines}
    return {key: store.load_version(deal.city_id, deal.merchant_id, key, n) for key, n in versions.items()}


def compiled_offer(offer: Offer, table_version: int) -> CompiledOffer:
    """The offer ready to decide by a version of its scenario's table.

    Raises: OfferOutOfStep: by this version it rewards no longer, or the scenario is not open to merchants.
    """
    return _compiled(offer.city_id, offer.merchant_id, offer.offer_id, offer.version, table_version)


@table.kept
def _compiled(city_id: str, merchant_id: str, offer_id: str, version: int, table_version: int) -> CompiledOffer:
    offer = store.load_version(city_id, merchant_id, offer_id, version)
    scenario = table_in_force(city_id, offer.scenario_id, table_version)
    if "merchant" not in scenario.table.recipients:
        raise OfferOutOfStep
    compiled = compile_offer(offer, scenario)
    require_in_step(compiled)
    return compiled
