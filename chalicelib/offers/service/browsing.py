"""What anybody may see: a city's catalogue, searched in memory, and an offer in force with all its terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.cities import store as cities
from chalicelib.cities.rules import Control, require_active
from chalicelib.core import clock, table
from chalicelib.core.errors import NotFound
from chalicelib.core.text import Text
from chalicelib.offers import store
from chalicelib.offers.rules import CATEGORIES, Offer, OnRefund, Quota, Share, Stacking, TiersBy, counters, heads, terms
from chalicelib.offers.rules.catalogue import Entry, Wanted, search
from chalicelib.offers.service.desk import Name
from chalicelib.partners import store as partners
from chalicelib.partners.rules import require_partner

CATALOGUE_LOOK_SECONDS = 5


@dataclass(frozen=True, slots=True)
class PublicVariant:
    """One thing that is sold; ``left`` is how many are to be had, where the merchant lets anybody know."""

    variant_id: str
    name: Text
    price_fen: int
    left: int | None


@dataclass(frozen=True, slots=True)
class PublicProduct:
    """A product."""

    product_id: str
    name: Text
    variants: tuple[PublicVariant, ...]
    photos: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PublicTier:
    """What a tier pays, in words and in figures."""

    tier: str
    gives: Text
    discount_bp: int | None
    prices_fen: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PublicOffer:
    """The version of an offer that people meet now. ``funding`` says who bears the discount."""

    city_id: str
    merchant_id: str
    merchant: Text
    offer_id: str
    version: int
    title: Text
    description: Text
    category: str
    category_name: Text
    scenario_id: str
    tiers_by: TiersBy
    tiers: tuple[PublicTier, ...]
    products: tuple[PublicProduct, ...]
    districts: tuple[str, ...]
    valid_from: datetime
    valid_to: datetime
    time_zone: str
    quota: Quota
    reservation_seconds: int | None
    on_refund: OnRefund
    stacking: Stacking
    funding: tuple[Share, ...]
    illustrative: bool


def browse(
    city_id: str, wanted: Wanted, now: datetime, limit: int, after: str | None
) -> tuple[list[Entry], str | None]:
    """One page of a city's catalogue: what is open now and fits, by merchant and offer, and where to go on.

    A filter that nothing fits gives an empty page, whatever it names: a filter narrows a list, it asks for no object.
    What has changed is seen within ``CATALOGUE_LOOK_SECONDS``; a quote reads the offer itself, and at once.

    Raises: NotFound: no such city; CitySuspended.
    """
    control = require_active(_control(city_id))
    found = store.load_catalogue(city_id, control.catalogue_version)
    hidden = frozenset(control.suspended_partners)
    return search(found, replace(wanted, without=hidden), now, limit, after)


def _control(city_id: str) -> Control:
    """The control item as it was at most ``CATALOGUE_LOOK_SECONDS`` ago."""
    return _control_at(city_id, int(clock.stopwatch() // CATALOGUE_LOOK_SECONDS))


@table.kept
def _control_at(city_id: str, look: int) -> Control:
    assert look >= 0, "looks are counted"
    return cities.load_control(city_id)


def open_offer(now: datetime, name: Name) -> PublicOffer:
    """The version of an offer that is in force, with its terms in words.

    Raises: NotFound: no such city or offer, or nobody meets it now; CitySuspended; PartnerSuspended; OfferStopped;
        OfferNotLive: it is paused; in this order.
    """
    head_key, partner_key = store.head_key(*name), partners.partner_key(name.city_id, name.merchant_id)
    rows = table.fetch([cities.control_key(name.city_id), head_key, partner_key])
    control, head = cities.control_in(rows, name.city_id), store.head_in(rows, head_key)
    partner = partners.partner_in(rows, name.city_id, name.merchant_id)
    if head is None or partner is None or head.in_force(now) is None:
        raise NotFound
    require_partner(require_active(control), name.merchant_id)
    version = heads.require_in_force(head, now)
    offer = store.load_version(*name, version)
    return _public(replace(offer, valid_to=head.listed(version).valid_to), partner.name, _left(offer, now))


def _left(offer: Offer, now: datetime) -> Mapping[str, int]:
    """How many of each variant are to be had; nothing where that is nobody's to know."""
    if not offer.show_stock:
        return {}
    keys = {v.variant_id: store.counters.stock_key(*Name.of(offer), v.variant_id) for v in offer.variants}
    rows = table.fetch(keys.values())
    seen = {variant_id: store.counters.counter_in(rows, key) for variant_id, key in keys.items()}
    return {one: counters.available(found.counter, now) for one, found in seen.items() if found is not None}


def _public(offer: Offer, merchant: Text, left: Mapping[str, int]) -> PublicOffer:
    tiers = (PublicTier(t.tier, terms(offer, t), t.discount_bp, t.prices_fen) for t in offer.tiers)
    products = (
        PublicProduct(
            product.product_id,
            product.name,
            tuple(PublicVariant(v.variant_id, v.name, v.price_fen, left.get(v.variant_id)) for v in product.variants),
            product.photos,
        )
        for product in offer.products
    )
    return PublicOffer(
        city_id=offer.city_id,
        merchant_id=offer.merchant_id,
        merchant=merchant,
        offer_id=offer.offer_id,
        version=offer.version,
        title=offer.title,
        description=offer.description,
        category=offer.category,
        category_name=CATEGORIES[offer.category].name,
        scenario_id=offer.scenario_id,
        tiers_by=offer.tiers_by,
        tiers=tuple(tiers),
        products=tuple(products),
        districts=offer.districts,
        valid_from=offer.valid_from,
        valid_to=offer.valid_to,
        time_zone=offer.time_zone,
        quota=offer.quota,
        reservation_seconds=offer.reservation_seconds,
        on_refund=offer.on_refund,
        stacking=offer.stacking,
        funding=offer.funding,
        illustrative=offer.illustrative,
    )
