"""Deals read again: by the merchant, by the person with every reason, by an auditor."""

from __future__ import annotations

from datetime import datetime

from chalicelib.core import codec, effect
from chalicelib.core.commit import Unit
from chalicelib.core.effect import Effect, Intent
from chalicelib.core.errors import NotFound
from chalicelib.offers import store
from chalicelib.offers.rules import Asked, Basket, CitizenAnswer, price_basket, tell_citizen
from chalicelib.offers.rules.deals import Deal
from chalicelib.offers.rules.views import DealView, OwnPurchase, Purchase, QuoteReplay, purchase_of, view_of
from chalicelib.offers.service.quoting import Judged, Kept, applied, judge, require_told, trace_of
from chalicelib.offers.service.redeeming import Mine
from chalicelib.offers.service.shelf import offers_of
from chalicelib.subjects.rules import AccountRef


def deal_for(mine: Mine, quote_id: str, now: datetime) -> DealView:
    """A deal as it stands, for its merchant.

    Raises: NotFound: there is none, or it is not ``mine``; ConsentRequired: the person asked for it himself, and his
        consent has ended.
    """
    deal = _load(mine, quote_id)
    require_told(deal, now)
    return view_of(deal, now)


def purchases(ref: AccountRef, now: datetime, limit: int, after: str | None) -> tuple[list[Purchase], str | None]:
    """One page of what a person reserved or redeemed anywhere, newest first."""
    deals, last = store.list_purchases(ref, limit, after)
    return [purchase_of(deal, offers_of(deal), now) for deal in deals], last


def own_purchase(ref: AccountRef, quote_id: str, now: datetime) -> OwnPurchase:
    """One of a person's own deals, with every reason for its prices. Raises: NotFound."""
    deal = _load(lambda found: found.ref == ref, quote_id)
    offers = offers_of(deal)
    named = purchase_of(deal, offers, now)
    return OwnPurchase(named.deal, named.names, _told(judge(deal.basis, offers)))


def replay(unit: Unit, intent: Intent, now: datetime, receipt_id: str) -> QuoteReplay:
    """Works a quote out again from its receipt and compares the bytes; the auditor's look is recorded.

    Raises: NotFound: no such receipt.
    """
    stored = effect.load(receipt_id)
    if not stored.purpose.startswith("quote:"):
        raise NotFound
    replayed = _replayed(stored, codec.from_json(Kept, stored.facts))
    facts = {"receipt_id": receipt_id}
    unit.effect(effect.row(intent, now, purpose="replay", facts=facts, reply=replayed, subject=stored.subject))
    unit.commit()
    return replayed


def _replayed(stored: Effect, kept: Kept) -> QuoteReplay:
    city_id, merchant_id = kept.basis.city_id, kept.merchant_id
    versions = {offer_id: version for offer_id, version, _, _ in kept.lines}
    offers = {key: store.load_version(city_id, merchant_id, key, version) for key, version in versions.items()}
    judged = judge(kept.basis, offers)
    asked = [Asked(offer_id, variant_id, units) for offer_id, _, variant_id, units in kept.lines]
    basket: Basket = price_basket(asked, {key: applied(one, kept.left_fen.get(key)) for key, one in judged.items()})
    return QuoteReplay(
        receipt_id=stored.effect_id,
        quote_id=kept.quote_id,
        quoted_at=stored.at,
        asked_by=f"{stored.actor}:{stored.tenant}" if stored.actor != "citizen" else "citizen",
        same=trace_of(judged, basket) == kept.trace_sha256,
        stored_sha256=kept.trace_sha256,
        basis=kept.basis,
        list_fen=basket.list_fen,
        discount_fen=basket.discount_fen,
        payable_fen=basket.payable_fen,
        offers=_told(judged),
    )


def _told(judged: dict[str, Judged]) -> tuple[CitizenAnswer, ...]:
    return tuple(tell_citizen(*one) for one in judged.values())


def _load(mine: Mine, quote_id: str) -> Deal:
    deal = store.load_deal(quote_id)
    if deal is None or not mine(deal):
        raise NotFound
    return deal
