"""From a quote to a reservation to a redemption: stock, budget and quota taken in one write with the effect."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from chalicelib.cities.rules import require_active
from chalicelib.core import clock, effect
from chalicelib.core.commit import Unit
from chalicelib.core.effect import Intent
from chalicelib.ledger import store as ledger
from chalicelib.ledger.rules import Entry, Party
from chalicelib.offers import store
from chalicelib.offers.rules import Windows, quotas, reservation_expiry, uses_of
from chalicelib.offers.rules.counters import bucket_of
from chalicelib.offers.rules.deals import (
    Deal,
    SeenQuota,
    redeemed,
    released,
    require_redeemable,
    require_releasable,
    require_reservable,
    reserved,
)
from chalicelib.offers.rules.postings import sale_postings
from chalicelib.offers.rules.views import DealView, view_of
from chalicelib.offers.service.dealing import (
    Step,
    check_person,
    free_use,
    held_use,
    in_step,
    save_quota,
    taken_by,
    void_use,
)
from chalicelib.offers.service.quoting import require_told
from chalicelib.partners.rules import require_partner
from chalicelib.subjects import store as accounts
from chalicelib.subjects.rules import AccountRef

Mine = Callable[[Deal], bool]


def redeem(unit: Unit, intent: Intent, now: datetime, mine: Mine, quote_id: str) -> DealView:
    """Sells what was quoted, at the price that was quoted; a reserved deal takes what was put by for it.

    Raises:
        QuoteForeign; CitySuspended; PartnerSuspended; QuoteUsed; QuoteExpired or ReservationClosed; ConsentRequired;
        QuoteOvertaken; OfferStopped; OutOfStock; BudgetExhausted; QuotaExceeded; Conflict; in this order.
    """
    return in_step(unit, quote_id, mine, lambda fresh, step: _redeem(fresh, intent, now, step))


def _redeem(unit: Unit, intent: Intent, now: datetime, step: Step) -> DealView:
    _require_open(step)
    require_redeemable(step.deal, now)
    deal = check_person(unit, step, now)
    _use_counters(unit, step, now)
    windows, seen = _use_quotas(unit, step, now)
    day = clock.day_in(step.host.time_zone, now)
    sold = redeemed(deal, intent.effect_id, now, day, windows, seen)
    view = view_of(sold, now)
    store.save_deal(unit, sold)
    entry = Entry(
        entry_id=intent.effect_id,
        at=now,
        day=day,
        purpose=f"redeem:{deal.purpose}",
        book=Party(deal.city_id, "merchant", deal.merchant_id).name,
        postings=sale_postings(deal.city_id, deal.merchant_id, deal.quote.lines),
    )
    facts = _facts(sold, view) | {"day": f"{entry.day}"}
    subject = accounts.account_pk(deal.ref)
    unit.effect(ledger.effect_row(intent, entry, facts=facts, reply=view, subject=subject))
    unit.commit()
    return view


def _facts(deal: Deal, view: DealView) -> dict[str, object]:
    """What the city's statistics are made of, and nothing of the person."""
    return {
        "v": 1,
        "quote_id": view.quote_id,
        "scenario_id": deal.scenario_id,
        "district": deal.district,
        "visitor": deal.visitor,
        "units": sum(line.units for line in view.lines),
        "saved_fen": view.discount_fen,
        "list_fen": view.list_fen,
    }


def _require_open(step: Step) -> None:
    require_partner(require_active(step.host), step.deal.merchant_id)


def _use_counters(unit: Unit, step: Step, now: datetime) -> None:
    held = step.deal.reservation
    for taken in taken_by(step.deal.quote.lines, step.offers):
        if held is None:
            store.counters.take(unit, free_use(unit, step, taken, now))
        else:
            bucket = bucket_of(held.expires_at)
            store.counters.confirm(unit, held_use(step, taken, bucket), bucket)


def _use_quotas(unit: Unit, step: Step, now: datetime) -> tuple[dict[str, Windows], dict[str, SeenQuota]]:
    """Counts what is sold in the person's quotas; in which windows, and what they are now."""
    windows: dict[str, Windows] = {}
    changed: dict[str, SeenQuota] = {}
    for offer_id, units in uses_of(step.deal.quote.lines, step.offers).quota.items():
        offer, seen = step.offers[offer_id], step.quota(offer_id)
        if step.deal.reservation is None:
            windows[offer_id] = quotas.check_quota(seen.state, offer.quota, now, offer.time_zone, units)
            state = quotas.use(quotas.folded(seen.state, now), offer.quota, windows[offer_id], units)
        else:
            hold_id = step.deal.reservation.reservation_id
            state = quotas.confirmed(seen.state, hold_id, now)
            windows[offer_id] = seen.state.holds[hold_id].windows
        assert state is not None, "what was checked fits"
        kept = SeenQuota(seen.revision, quotas.pruned(state, now, offer.time_zone))
        changed[offer_id] = save_quota(unit, step, offer_id, seen, kept)
    return windows, changed


def reserve(unit: Unit, intent: Intent, now: datetime, mine: Mine, quote_id: str) -> DealView:
    """Puts by what was quoted, for as long as its offers say.

    Raises:
        QuoteForeign; CitySuspended; PartnerSuspended; QuoteUsed; QuoteExpired; NotReservable; ConsentRequired;
        QuoteOvertaken; OfferStopped; OutOfStock; BudgetExhausted; QuotaExceeded; Conflict; in this order.
    """
    return in_step(unit, quote_id, mine, lambda fresh, step: _reserve(fresh, intent, now, step))


def _reserve(unit: Unit, intent: Intent, now: datetime, step: Step) -> DealView:
    _require_open(step)
    require_reservable(step.deal, now)
    expires_at = reservation_expiry(step.offers.values(), now)
    deal = check_person(unit, step, now)
    for taken in taken_by(deal.quote.lines, step.offers):
        store.counters.hold(unit, free_use(unit, step, taken, now), bucket_of(expires_at))
    changed = {}
    for offer_id, units in uses_of(deal.quote.lines, step.offers).quota.items():
        offer, seen = step.offers[offer_id], step.quota(offer_id)
        windows = quotas.check_quota(seen.state, offer.quota, now, offer.time_zone, units)
        hold = quotas.QuotaHold(units, expires_at, windows)
        state = quotas.reserve(quotas.folded(seen.state, now), offer.quota, deal.quote.quote_id, hold)
        assert state is not None, "what was checked fits"
        kept = SeenQuota(seen.revision, quotas.pruned(state, now, offer.time_zone))
        changed[offer_id] = save_quota(unit, step, offer_id, seen, kept)
    return _done(unit, intent, now, "reserve", reserved(deal, expires_at, changed))


def release(unit: Unit, intent: Intent, now: datetime, mine: Mine, quote_id: str) -> DealView:
    """Gives up a quote or a reservation; what was put by is free again at once.

    A merchant whose customer asked for himself and has withdrawn the consent is told nothing more, so it waits for the
    reservation to lapse; the customer may still give it up.

    Raises: QuoteForeign; QuoteUsed; QuoteExpired or ReservationClosed; ConsentRequired; Conflict; in this order.
    """
    return in_step(unit, quote_id, mine, lambda fresh, step: _release(fresh, intent, now, step))


def _release(unit: Unit, intent: Intent, now: datetime, step: Step) -> DealView:
    deal, changed = step.deal, dict(step.deal.quotas)
    require_releasable(deal, now)
    if intent.actor == "merchant":
        require_told(deal, now)
    if deal.reservation is not None:
        bucket = bucket_of(deal.reservation.expires_at)
        for taken in taken_by(deal.quote.lines, step.offers):
            store.counters.void(unit, void_use(step, taken, bucket), bucket)
        changed = _void_quotas(unit, step, deal.reservation.reservation_id, now)
    return _done(unit, intent, now, "release", released(deal, changed))


def _void_quotas(unit: Unit, step: Step, hold_id: str, now: datetime) -> dict[str, SeenQuota]:
    changed = {}
    for offer_id in uses_of(step.deal.quote.lines, step.offers).quota:
        seen = step.quota(offer_id)
        kept = SeenQuota(seen.revision, quotas.voided(seen.state, hold_id, now))
        changed[offer_id] = save_quota(unit, step, offer_id, seen, kept)
    return changed


def _done(unit: Unit, intent: Intent, now: datetime, verb: str, deal: Deal) -> DealView:
    view = view_of(deal, now, own=intent.actor == "citizen")
    store.save_deal(unit, deal)
    facts = {"v": 1, "quote_id": view.quote_id, "scenario_id": deal.scenario_id}
    subject = accounts.account_pk(deal.ref)
    unit.effect(effect.row(intent, now, purpose=f"{verb}:{deal.purpose}", facts=facts, reply=view, subject=subject))
    unit.commit()
    return view


def merchants(city_id: str, merchant_id: str) -> Mine:
    """Whether a deal is this merchant's."""
    return lambda deal: (deal.city_id, deal.merchant_id) == (city_id, merchant_id)


def persons(ref: AccountRef) -> Mine:
    """Whether a deal is this person's."""
    return lambda deal: deal.ref == ref
