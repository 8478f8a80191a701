"""What a merchant may try without anybody: the price of a basket for each tier."""

from __future__ import annotations

from datetime import datetime

from chalicelib.core import clock
from chalicelib.core.errors import NotFound
from chalicelib.offers.rules import Applied, Offer, OfferTier, hindrances
from chalicelib.offers.rules.views import Preview, preview_of
from chalicelib.offers.service.quoting import basket_for
from chalicelib.offers.service.shelf import Ask, Shelf, compiled_offer, read_shelf
from chalicelib.scenarios.service.grounds import require_district


def preview(now: datetime, ask: Ask, tier: str | None) -> Preview:
    """What a basket would cost somebody who has reached the tier of this name, and what would be in the way.

    Offers without a tier of this name are at the list price. Writes nothing, and looks at nobody.
    Raises: what ``read_shelf`` raises; NotFound: no table of the scenario in force, or no such district;
        OfferOutOfStep; BasketInvalid; VariantUnknown; in this order.
    """
    shelf = read_shelf(ask, None, now)
    _require_table(shelf, now)
    applied = {
        key: Applied(offer, _tier(offer, tier), shelf.situation(key, now).budget_fen)
        for key, offer in shelf.offers.items()
    }
    basket = basket_for(ask, applied)
    found = [
        problem.code
        for key, offer in shelf.offers.items()
        for problem in hindrances(offer, basket.lines, shelf.situation(key, now), ask.district, now)
    ]
    return preview_of(basket, tier, dict.fromkeys(found))


def _require_table(shelf: Shelf, now: datetime) -> None:
    """Returns if a real quote could be decided: by the table that is in force today, in the district that is named."""
    version = shelf.host.scenario_version(shelf.scenario_id, clock.day_in(shelf.host.time_zone, now))
    if version is None:
        raise NotFound
    require_district(shelf.host, shelf.district)
    for offer in shelf.offers.values():
        compiled_offer(offer, version)


def _tier(offer: Offer, name: str | None) -> OfferTier | None:
    return next((tier for tier in offer.tiers if tier.tier == name), None)
