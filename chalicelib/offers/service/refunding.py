"""Refunds: line by line, at any age, and the stored parts go back to whom they came from."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chalicelib.core import clock, effect
from chalicelib.core.commit import Unit
from chalicelib.core.effect import Intent
from chalicelib.ledger import store as ledger
from chalicelib.ledger.rules import Entry, Party, negated
from chalicelib.offers import store
from chalicelib.offers.rules import Line, RefundedPart, quotas
from chalicelib.offers.rules.deals import Deal, SeenQuota, given_back, require_redemption, wholly_refunded
from chalicelib.offers.rules.postings import refund_postings
from chalicelib.offers.rules.views import Refunded, refund_of
from chalicelib.offers.service.dealing import Step, in_step, save_quota
from chalicelib.offers.service.redeeming import Mine
from chalicelib.offers.service.shelf import budget_key, stock_key
from chalicelib.offers.store.counters import Use
from chalicelib.subjects import store as accounts


def refund(unit: Unit, intent: Intent, now: datetime, mine: Mine, quote_id: str, index: int, units: int) -> Refunded:
    """Gives back units of one line. No consent and no agreement is asked: what was paid may always go back.

    A suspended merchant refunds, too. Where the line says ``restore``, stock, budget and the person's quota are
    restored, in the windows of the sale.
    Raises: QuoteForeign; QuoteNotRedeemed; NotFound: no such line; RefundExceeds; Conflict; in this order.
    """
    return in_step(unit, quote_id, mine, lambda fresh, step: _refund(fresh, intent, now, step, index, units))


def _refund(unit: Unit, intent: Intent, now: datetime, step: Step, index: int, units: int) -> Refunded:
    changed, line, part = given_back(step.deal, index, units)
    if line.on_refund == "restore":
        changed = replace(changed, quotas=_restore(unit, step, line, part))
    reply = refund_of(changed, now, intent.effect_id, index, part)
    store.save_deal(unit, changed)
    _post(unit, intent, now, step, changed, part, reply)
    unit.commit()
    return reply


def _restore(unit: Unit, step: Step, line: Line, part: RefundedPart) -> dict[str, SeenQuota]:
    """Gives stock, budget and quota back; what the person has had since."""
    offer, sold = step.offers[line.offer_id], require_redemption(step.deal)
    store.counters.restore(unit, Use(stock_key(offer, line.variant_id), part.units, line.version))
    if offer.budget_fen is not None and part.discount_fen:
        store.counters.restore(unit, Use(budget_key(offer), part.discount_fen, line.version))
    known = dict(step.deal.quotas)
    if line.offer_id in sold.windows:
        seen = step.quota(line.offer_id)
        state = quotas.given_back(seen.state, sold.windows[line.offer_id], part.units)
        known[line.offer_id] = save_quota(unit, step, line.offer_id, seen, SeenQuota(seen.revision, state))
    return known


def _post(
    unit: Unit, intent: Intent, now: datetime, step: Step, deal: Deal, part: RefundedPart, reply: Refunded
) -> None:
    sold = require_redemption(deal)
    at = max(now, sold.redeemed_at)
    day = clock.day_in(step.host.time_zone, at)
    facts = {
        "v": 1,
        "quote_id": deal.quote.quote_id,
        "scenario_id": deal.scenario_id,
        "district": deal.district,
        "visitor": deal.visitor,
        "line": reply.line,
        "units": part.units,
        "saved_fen": part.discount_fen,
        "whole": wholly_refunded(sold),
        "day": f"{day}",
        "sold_on": f"{sold.day}",
    }
    purpose, subject = f"refund:{deal.purpose}", accounts.account_pk(deal.ref)
    postings = negated(refund_postings(deal.city_id, deal.merchant_id, part))
    if not postings:
        # Goods of a few fen: these units' share of the line is less than one.
        unit.effect(effect.row(intent, at, purpose=purpose, facts=facts, reply=reply, subject=subject))
        return
    book = Party(deal.city_id, "merchant", deal.merchant_id).name
    entry = Entry(intent.effect_id, at, day, purpose, book, postings, sold.redemption_id)
    unit.effect(ledger.effect_row(intent, entry, facts=facts, reply=reply, subject=subject))
