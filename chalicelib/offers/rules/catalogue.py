"""The catalogue of a city: what people may see of every offer on the shelf, and how it is searched.

It is kept in ``CHUNKS`` chunks, each one item, and searched in memory. An entry says from when to when it holds, so
that a catalogue that was read this morning knows by itself what is open this evening.
"""

from __future__ import annotations

import unicodedata
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from chalicelib.core import money
from chalicelib.core.errors import Problem
from chalicelib.core.text import Text
from chalicelib.offers.rules.offer import CATEGORIES, Offer, OfferTier
from chalicelib.offers.rules.pricing import exact_price
from chalicelib.offers.rules.telling import terms

CHUNKS = 32
CHUNK_MAX_BYTES = 300_000
MAX_PRODUCTS_SHOWN = 8
MAX_PRICES_SHOWN = 3


class CatalogueFull(Problem):
    code = "catalogue-full"
    status = 409
    title = Text("本市在架优惠过多，请先结束一些", "This city has too many offers on the shelf; end some first")


@dataclass(frozen=True, slots=True)
class ShownTier:
    """A tier as anybody may see it: its name, and what it pays, in words."""

    tier: str
    gives: Text


@dataclass(frozen=True, slots=True)
class Entry:
    """One offer in the catalogue. Prices are per unit: list prices from–to, and the lowest that any tier pays."""

    merchant_id: str
    offer_id: str
    version: int
    title: Text
    description: Text
    category: str
    scenario_id: str
    districts: tuple[str, ...]
    products: tuple[Text, ...]
    photo: str | None
    tiers: tuple[ShownTier, ...]
    list_from_fen: int
    list_to_fen: int
    best_fen: int
    valid_from: datetime
    valid_to: datetime
    reservable: bool
    illustrative: bool

    @property
    def key(self) -> str:
        """Its name in the city, by which the catalogue is ordered."""
        return f"{self.merchant_id}/{self.offer_id}"


@dataclass(frozen=True, slots=True)
class Chunk:
    """One item of the catalogue: entries by ``<merchant>/<offer>#<version>``."""

    number: int
    entries: Mapping[str, Entry] = field(default_factory=dict)
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """An entry made ready to be searched."""

    entry: Entry
    begins: float
    ends: float
    words: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody looks for; None: anything. ``without`` are merchants whose offers are not shown."""

    category: str | None = None
    district: str | None = None
    merchant_id: str | None = None
    text: str | None = None
    without: frozenset[str] = frozenset()


def entry_of(offer: Offer, valid_to: datetime) -> Entry:
    """What the catalogue shows of a version; ``valid_to`` is its end, which a later version may have cut."""
    prices = [variant.price_fen for variant in offer.variants]
    best = min(exact_price(variant, tier) for variant in offer.variants for tier in (None, *offer.tiers))
    return Entry(
        merchant_id=offer.merchant_id,
        offer_id=offer.offer_id,
        version=offer.version,
        title=offer.title,
        description=offer.description,
        category=offer.category,
        scenario_id=offer.scenario_id,
        districts=offer.districts,
        products=tuple(product.name for product in offer.products[:MAX_PRODUCTS_SHOWN]),
        photo=next((photo for product in offer.products for photo in product.photos), None),
        tiers=tuple(ShownTier(tier.tier, _gives(offer, tier)) for tier in offer.tiers),
        list_from_fen=min(prices),
        list_to_fen=max(prices),
        best_fen=best // 10_000,
        valid_from=offer.valid_from,
        valid_to=valid_to,
        reservable=offer.reservation_seconds is not None,
        illustrative=offer.illustrative,
    )


def _gives(offer: Offer, tier: OfferTier) -> Text:
    """What a tier pays, in words; of many prices only the lowest and the highest."""
    if len(tier.prices_fen) <= MAX_PRICES_SHOWN:
        return terms(offer, tier)
    low, high = (money.decimal(price(tier.prices_fen.values())) for price in (min, max))
    return Text("每件 {low} 至 {high} 元", "from {low} to {high} yuan each").format(low=low, high=high)


def ready(chunks: Iterable[Chunk]) -> tuple[Found, ...]:
    """Every entry of a catalogue in its order, made ready to be searched."""
    entries = sorted((entry for chunk in chunks for entry in chunk.entries.values()), key=lambda e: (e.key, e.version))
    return tuple(Found(e, e.valid_from.timestamp(), e.valid_to.timestamp(), folded(_words(e))) for e in entries)


def _words(entry: Entry) -> str:
    category = CATEGORIES[entry.category].name
    texts = (entry.title, entry.description, category, *entry.products)
    return "\n".join(word for text in texts for word in (text.zh, text.en))


def folded(text: str) -> str:
    """Text as it is compared: width, case and compatibility forms do not count."""
    return unicodedata.normalize("NFKC", text).casefold()


def search(
    found: Sequence[Found], wanted: Wanted, now: datetime, limit: int, after: str | None
) -> tuple[list[Entry], str | None]:
    """One page of what is open now and fits, in the order of keys, and the key to go on after (None at the end).

    ``text`` fits where each of its words is somewhere in title, description, category or product names.
    """
    instant, words = now.timestamp(), folded(wanted.text or "").split()
    category, district, merchant_id = wanted.category, wanted.district, wanted.merchant_id
    page: list[Entry] = []
    for item in found:
        entry = item.entry
        if not item.begins <= instant < item.ends or (category is not None and entry.category != category):
            continue
        if (district is not None and entry.districts and district not in entry.districts) or (
            entry.merchant_id in wanted.without or (merchant_id is not None and entry.merchant_id != merchant_id)
        ):
            continue
        if (after is not None and entry.key <= after) or not all(word in item.words for word in words):
            continue
        if len(page) == limit:
            return page, page[-1].key
        page.append(entry)
    return page, None


def chunk_number(key: str) -> int:
    """The chunk in which an offer is, by its name alone: whoever moves an offer reads one chunk."""
    return zlib.crc32(key.encode()) % CHUNKS


def shown(chunk: Chunk, key: str) -> dict[int, Entry]:
    """What the chunk has of one offer, by version."""
    return {entry.version: entry for entry in chunk.entries.values() if entry.key == key}


def put(chunk: Chunk, key: str, entries: Mapping[int, Entry], now: datetime) -> Chunk:
    """The chunk with these versions of an offer, and no others of it; what has ended meanwhile is dropped."""
    prefix = f"{key}#"
    kept = {n: e for n, e in chunk.entries.items() if not n.startswith(prefix) and now < e.valid_to}
    return replace(chunk, entries={**kept, **{f"{prefix}{version}": entry for version, entry in entries.items()}})
