"""Random offers, good and bad, on the small scales of the scenarios' drafts."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from chalicelib.core.text import Text
from chalicelib.offers.rules import CATEGORIES, Offer, OfferTier, Product, Quota, Share, Stacking, Variant
from tests.property.scenarios.drafts import ON

NOON = datetime(ON.year, ON.month, ON.day, 4, tzinfo=UTC)
GRADES = "DCBA"
FUNDERS: tuple[tuple[Any, str | None], ...] = (
    ("merchant", None), ("city", None), ("bank", "bank-a"), ("bank", "bank-b"), ("platform", None),
)  # fmt: skip
PRICES = st.one_of(st.integers(1, 20), st.integers(1, 10_000), st.just(10**9))
ids = st.from_regex(r"[a-z][a-z0-9_-]{1,10}", fullmatch=True)
letters = st.characters(codec="gb18030", exclude_categories=("C", "Z", "M"))
words = st.text(letters, min_size=1, max_size=12).map(lambda word: unicodedata.normalize("NFC", word))
texts = st.builds(Text, words, words)


@st.composite
def funding(draw: st.DrawFn) -> tuple[Share, ...]:
    who = draw(st.lists(st.sampled_from(FUNDERS), min_size=1, max_size=4, unique=True))
    cuts = sorted(draw(st.sets(st.integers(1, 9_999), min_size=len(who) - 1, max_size=len(who) - 1)))
    shares = [high - low for low, high in zip([0, *cuts], [*cuts, 10_000], strict=True)]
    return tuple(Share(kind, share, bank) for (kind, bank), share in zip(who, shares, strict=True))


@st.composite
def terms(draw: st.DrawFn, tier: str, variants: tuple[Variant, ...]) -> OfferTier:
    """A discount, or prices of some of the goods, near the list price or not, never above it."""
    if draw(st.booleans()):
        return OfferTier(tier, draw(st.sampled_from([1, 500, 1000, 3333, 5000, 9999])))
    some = draw(st.lists(st.sampled_from(variants), min_size=1, unique=True))
    return OfferTier(tier, None, {v.variant_id: draw(st.integers(1, v.price_fen)) for v in some})


def ware(number: int, price_fen: int) -> Variant:
    return Variant(f"v-{number}", Text(f"货{number}", f"Ware {number}"), price_fen, 10)


def shop(variants: tuple[Variant, ...], tiers: tuple[OfferTier, ...], **changes: Any) -> Offer:
    made = Offer(
        city_id="town", merchant_id="shop", offer_id="offer", version=1, time_zone="Asia/Shanghai",
        title=Text("优惠", "Offer"), description=Text("说明", "About it"), category="tea", scenario_id="draft",
        tiers_by="grade", tiers=tiers, products=(Product("goods", Text("货", "Goods"), variants),),
        valid_from=NOON - timedelta(days=1), valid_to=NOON + timedelta(days=1), funding=(Share("merchant", 10_000),),
    )  # fmt: skip
    return replace(made, **changes)


@st.composite
def offers(draw: st.DrawFn, names: tuple[str, ...]) -> Offer:
    """An offer of one or two wares with tiers of these names."""
    variants = tuple(ware(number, draw(PRICES)) for number in range(draw(st.integers(1, 2))))
    some = draw(st.lists(st.sampled_from(names), min_size=1, max_size=5, unique=True))
    return shop(variants, tuple(draw(terms(name, variants)) for name in some), funding=draw(funding()))


@st.composite
def any_offers(draw: st.DrawFn) -> Offer:
    """Anything that a spreadsheet could hold."""
    named = draw(st.lists(ids, min_size=3, max_size=6, unique=True))
    amounts = st.integers(10_000, 10**9)
    variants = [Variant(name, draw(texts), draw(amounts), draw(amounts)) for name in named]
    cut = draw(st.integers(1, len(variants) - 1))
    photos = draw(st.lists(st.sampled_from(["https://a.example/1.jpg", "https://b.example:8443/x?y=1,2"]), max_size=2))
    products = (
        Product("first", draw(texts), tuple(variants[:cut]), tuple(photos)),
        Product("second", draw(texts), tuple(variants[cut:])),
    )
    count = st.one_of(st.none(), st.integers(1, 10**6))
    tiers = draw(st.lists(words.filter(lambda name: not set(name) & set(";；=")), min_size=1, max_size=4, unique=True))
    return shop(
        (), tuple(draw(terms(tier, tuple(variants))) for tier in tiers),
        offer_id=draw(ids), title=draw(texts), description=draw(texts), scenario_id=draw(ids), products=products,
        category=draw(st.sampled_from(sorted(CATEGORIES))), tiers_by=draw(st.sampled_from(["grade", "scenario"])),
        valid_to=NOON + draw(st.timedeltas(timedelta(microseconds=1), timedelta(days=900))),
        funding=draw(funding()), districts=tuple(draw(st.lists(ids, max_size=3, unique=True))),
        budget_fen=draw(count), quota=draw(st.builds(Quota, count, count, count, count)),
        reservation_seconds=draw(st.one_of(st.none(), st.integers(600, 86_400))),
        on_refund=draw(st.sampled_from(["restore", "burn"])),
        stacking=Stacking(draw(st.one_of(st.none(), ids)), draw(st.integers(0, 1_000)),
                          draw(st.one_of(st.none(), st.integers(1, 10_000))), draw(count)),
        show_stock=draw(st.booleans()), illustrative=draw(st.booleans()),
    )  # fmt: skip
