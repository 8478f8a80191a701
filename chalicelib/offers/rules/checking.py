"""What must hold of an offer by itself, whatever its city, its scenario and the hour: each fault with its place.

The types are not believed: amounts may come from anywhere, and a bool or a fraction is no amount.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from chalicelib.core import money
from chalicelib.core.errors import Fault, Problem
from chalicelib.core.text import Text
from chalicelib.offers.rules.findings import finding, yuan
from chalicelib.offers.rules.offer import (
    CATEGORIES,
    MAX_BUDGET_FEN,
    MAX_DISTRICTS,
    MAX_PHOTOS,
    MAX_PRICE_FEN,
    MAX_PRIORITY,
    MAX_PRODUCTS,
    MAX_QUOTA,
    MAX_SHARES,
    MAX_STOCK,
    MAX_TIERS,
    MAX_VARIANTS,
    RESERVATION_SECONDS,
    Offer,
    OfferTier,
    Product,
    Variant,
)
from chalicelib.offers.rules.pricing import exact_price
from chalicelib.scenarios.rules import Finding

MAX_NAME = 80
MAX_SENTENCE = 500
# What stands in an offer's place in a path.
RESERVED_IDS = frozenset({"import", "export"})
_ID = re.compile(r"[a-z][a-z0-9_-]{1,47}")
_CONTROL = re.compile("[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_HTTPS = re.compile(r"https://[A-Za-z0-9][A-Za-z0-9.:-]{0,99}(?:/[!-~]{0,199})?")


class OfferInvalid(Problem):
    code = "offer-invalid"
    status = 422
    title = Text("优惠内容有误", "The offer is not well defined")


def check_offer(offer: Offer) -> Offer:
    """The offer itself, if it is well defined by itself; anything else may be kept as a draft.

    Raises: OfferInvalid: with every place that is wrong.
    """
    faults = [Fault(item.pointer, item.message) for item in faults_of(offer) if item.severity == "error"]
    if faults:
        raise OfferInvalid(faults=faults)
    return offer


def faults_of(offer: Offer) -> list[Finding]:
    """Everything that can be said against the offer by itself, in the order of the document."""
    assert offer.valid_from.tzinfo is not None, "an instant has a zone"
    assert offer.valid_to.tzinfo is not None, "an instant has a zone"
    found = [*_head(offer), *_products(offer), *_tiers(offer), *_limits(offer), *_funding(offer), *_stacking(offer)]
    # Prices are compared once every one of them means something.
    return found if any(item.severity == "error" for item in found) else [*found, *_prices(offer)]


def _head(offer: Offer) -> Iterator[Finding]:
    yield from _text(offer.title, "/title", MAX_NAME)
    yield from _text(offer.description, "/description", MAX_SENTENCE)
    yield from _ids(((offer.offer_id, "/offer_id"), (offer.scenario_id, "/scenario_id")))
    if offer.offer_id in RESERVED_IDS:
        yield finding("id-reserved", "/offer_id")
    if offer.category not in CATEGORIES:
        yield finding("category-unknown", "/category")
    if offer.valid_to <= offer.valid_from:
        yield finding("dates-contradict", "/valid_to")
    if len(offer.districts) > MAX_DISTRICTS:
        yield finding("too-many", "/districts", most=MAX_DISTRICTS)
    yield from _repeated(offer.districts, "/districts/{}".format)


def _products(offer: Offer) -> Iterator[Finding]:
    if not 1 <= len(offer.products) <= MAX_PRODUCTS:
        yield finding("too-many", "/products", most=MAX_PRODUCTS)
    if len(offer.variants) > MAX_VARIANTS:
        yield finding("too-many", "/products", most=MAX_VARIANTS)
    yield from _repeated([product.product_id for product in offer.products], "/products/{}/product_id".format)
    places = [place for place, _ in variants_at(offer)]
    yield from _repeated([v.variant_id for v in offer.variants], lambda index: f"{places[index]}/variant_id")
    for index, product in enumerate(offer.products):
        yield from _product(product, f"/products/{index}")
    for place, variant in variants_at(offer):
        yield from _variant(variant, place)


def variants_at(offer: Offer) -> Iterator[tuple[str, Variant]]:
    """Every variant with its JSON pointer."""
    for index, product in enumerate(offer.products):
        for number, variant in enumerate(product.variants):
            yield f"/products/{index}/variants/{number}", variant


def _product(product: Product, at: str) -> Iterator[Finding]:
    yield from _ids(((product.product_id, f"{at}/product_id"),))
    yield from _text(product.name, f"{at}/name", MAX_NAME)
    if not product.variants:
        yield finding("too-many", f"{at}/variants", most=MAX_VARIANTS)
    if len(product.photos) > MAX_PHOTOS:
        yield finding("too-many", f"{at}/photos", most=MAX_PHOTOS)
    for index, photo in enumerate(product.photos):
        if not _HTTPS.fullmatch(photo):
            yield finding("photo-unfit", f"{at}/photos/{index}")


def _variant(variant: Variant, at: str) -> Iterator[Finding]:
    yield from _ids(((variant.variant_id, f"{at}/variant_id"),))
    yield from _text(variant.name, f"{at}/name", MAX_NAME)
    yield from _whole("price-unfit", variant.price_fen, f"{at}/price_fen", 1, MAX_PRICE_FEN)
    yield from _whole("stock-unfit", variant.stock, f"{at}/stock", 0, MAX_STOCK)


def _tiers(offer: Offer) -> Iterator[Finding]:
    if not 1 <= len(offer.tiers) <= MAX_TIERS:
        yield finding("too-many", "/tiers", most=MAX_TIERS)
    yield from _repeated([tier.tier for tier in offer.tiers], "/tiers/{}/tier".format)
    for index, tier in enumerate(offer.tiers):
        yield from _tier(offer, tier, f"/tiers/{index}")


def _tier(offer: Offer, tier: OfferTier, at: str) -> Iterator[Finding]:
    if not tier.tier.strip() or len(tier.tier) > MAX_NAME or _CONTROL.search(tier.tier):
        yield finding("text-unfit", f"{at}/tier", most=MAX_NAME)
    if (tier.discount_bp is None) == (not tier.prices_fen):
        yield finding("tier-terms", at)
    if tier.discount_bp is not None:
        yield from _whole("discount-unfit", tier.discount_bp, f"{at}/discount_bp", 1, money.BP - 1)
    for variant_id, price_fen in tier.prices_fen.items():
        known = offer.variant(variant_id) is not None
        place = f"{at}/prices_fen/{variant_id}" if known else f"{at}/prices_fen"
        yield from () if known else (finding("variant-unknown", place),)
        yield from _whole("price-unfit", price_fen, place, 1, MAX_PRICE_FEN)


def _limits(offer: Offer) -> Iterator[Finding]:
    if offer.budget_fen is not None:
        yield from _whole("budget-unfit", offer.budget_fen, "/budget_fen", 1, MAX_BUDGET_FEN)
    named = (("day", offer.quota.day), ("week", offer.quota.week), ("month", offer.quota.month))
    limits = [(name, most) for name, most in (*named, ("lifetime", offer.quota.lifetime)) if most is not None]
    for name, most in limits:
        yield from _whole("quota-unfit", most, f"/quota/{name}", 1, MAX_QUOTA)
    for (name, shorter), (_, longer) in pairwise(limits):
        if type(shorter) is type(longer) is int and longer <= shorter:
            yield finding("quota-idle", f"/quota/{name}")
    if offer.reservation_seconds is not None:
        least, most = RESERVATION_SECONDS
        yield from _whole("reservation-unfit", offer.reservation_seconds, "/reservation_seconds", least, most)


def _funding(offer: Offer) -> Iterator[Finding]:
    if not 1 <= len(offer.funding) <= MAX_SHARES:
        yield finding("too-many", "/funding", most=MAX_SHARES)
    yield from _repeated([(share.funder, share.partner_id) for share in offer.funding], "/funding/{}".format)
    unfit: list[Finding] = []
    for index, share in enumerate(offer.funding):
        unfit += _whole("funding-unfit", share.share_bp, f"/funding/{index}/share_bp", 1, money.BP)
        if (share.funder == "bank") != (share.partner_id is not None):
            yield finding("funding-bank", f"/funding/{index}")
    yield from unfit
    if offer.funding and not unfit and sum(share.share_bp for share in offer.funding) != money.BP:
        yield finding("funding-sum", "/funding", sum=sum(share.share_bp for share in offer.funding))


def _stacking(offer: Offer) -> Iterator[Finding]:
    rule = offer.stacking
    if rule.exclusive_group is not None:
        yield from _ids(((rule.exclusive_group, "/stacking/exclusive_group"),))
    yield from _whole("priority-unfit", rule.priority, "/stacking/priority", 0, MAX_PRIORITY)
    for name, cap, most in (("cap_bp", rule.cap_bp, money.BP), ("cap_fen", rule.cap_fen, MAX_BUDGET_FEN)):
        if cap is not None:
            yield from _whole("cap-unfit", cap, f"/stacking/{name}", 1, most)


def _prices(offer: Offer) -> Iterator[Finding]:
    for index, tier in enumerate(offer.tiers):
        gains = []
        for variant in offer.variants:
            exact, list_price = exact_price(variant, tier), exact_price(variant, None)
            gains.append(list_price - exact)
            goods = {"tier": tier.tier, "goods_zh": variant.name.zh, "goods_en": variant.name.en}
            if exact // money.BP < 1:
                yield finding("price-zero", f"/tiers/{index}", **goods)
            if exact > list_price:
                said = {"gets": yuan(exact // money.BP), "than": yuan(variant.price_fen)}
                yield finding("worse-than-without", f"/tiers/{index}", **goods, **said)
            if offer.budget_fen is not None and list_price - exact > offer.budget_fen * money.BP:
                yield finding("budget-small", "/budget_fen", **goods)
        if not any(gains):
            yield finding("tier-idle", f"/tiers/{index}", tier=tier.tier)


def _text(text: Text, at: str, most: int) -> Iterator[Finding]:
    for language, words in (("zh", text.zh), ("en", text.en)):
        if not words.strip() or len(words) > most or _CONTROL.search(words):
            yield finding("text-unfit", f"{at}/{language}", most=most)


def _ids(named: Sequence[tuple[str, str]]) -> Iterator[Finding]:
    return (finding("id-unfit", at) for value, at in named if not _ID.fullmatch(value))


def _whole(code: str, value: object, at: str, least: int, most: int) -> Iterator[Finding]:
    if type(value) is not int or not least <= value <= most:
        yield finding(code, at, least=least, most=f"{most:,}")


def _repeated(values: Sequence[object], place: Callable[[int], str]) -> Iterator[Finding]:
    seen = set()
    for index, value in enumerate(values):
        if value in seen:
            yield finding("repeated", place(index))
        seen.add(value)
