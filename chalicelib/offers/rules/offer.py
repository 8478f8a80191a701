"""An offer: one immutable version of what a merchant sells, and what a good score takes off its price.

An offer never raises a price: what a product costs without a score is its list price, and a tier can only lower it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from chalicelib.core.text import Text

TiersBy = Literal["grade", "scenario"]
OnRefund = Literal["restore", "burn"]
FunderKind = Literal["merchant", "city", "bank", "platform"]
FUNDERS: tuple[FunderKind, ...] = ("merchant", "city", "bank", "platform")

MAX_PRICE_FEN = 10**9
MAX_STOCK = 10**9
MAX_BUDGET_FEN = 10**13
MAX_QUOTA = 10**6
MAX_PRODUCTS = 40
MAX_VARIANTS = 80
MAX_PHOTOS = 8
MAX_TIERS = 12
MAX_DISTRICTS = 40
MAX_SHARES = 8
MAX_PRIORITY = 1_000
DEFAULT_PRIORITY = 100
MAX_VERSION = 999_999
# A bucket that one server holds for lapsed, and sells, another may fill anew only where their clocks differ by the
# shortest life there is: somebody would then redeem what is put by for somebody else. Clocks differ by far less.
RESERVATION_SECONDS = (600, 30 * 86_400)


@dataclass(frozen=True, slots=True)
class Category:
    """A shelf of the catalogue, and the use of a score that it stands for (a key of the scenarios' ``USES``)."""

    name: Text
    use: str


CATEGORIES: Mapping[str, Category] = {
    "tea": Category(Text("茶叶", "tea"), "produce"),
    "grain": Category(Text("粮油", "grain and oil"), "produce"),
    "fresh": Category(Text("生鲜", "fresh food"), "produce"),
    "specialty": Category(Text("土特产", "local specialities"), "produce"),
    "household": Category(Text("日用百货", "household goods"), "retail"),
    "dining": Category(Text("餐饮", "dining"), "retail"),
    "books": Category(Text("图书", "books"), "retail"),
    "ticket": Category(Text("景点门票", "tickets to sights"), "tourism"),
    "lodging": Category(Text("住宿", "lodging"), "tourism"),
    "culture": Category(Text("演出与展览", "shows and exhibitions"), "tourism"),
    "transit": Category(Text("公共交通", "public transport"), "transport"),
    "rental": Category(Text("租赁", "rental"), "rental"),
    "insurance": Category(Text("保险", "insurance"), "insurance"),
    "loan": Category(Text("贷款", "loans"), "lending"),
}


@dataclass(frozen=True, slots=True)
class Variant:
    """One thing that is sold. ``price_fen`` is its list price; ``stock`` is how many units there are in all."""

    variant_id: str
    name: Text
    price_fen: int
    stock: int


@dataclass(frozen=True, slots=True)
class Product:
    """A product in one or more variants. ``photos`` are https addresses; Egret never fetches them."""

    product_id: str
    name: Text
    variants: tuple[Variant, ...]
    photos: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OfferTier:
    """What one tier pays: ``discount_bp`` off the list price of everything, or a price of its own for each variant.

    ``tier`` is a grade's name, or a tier's id in the scenario's table. A variant without a price of its own costs its
    list price in this tier.
    """

    tier: str
    discount_bp: int | None = None
    prices_fen: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Quota:
    """How many units one person may have, of all variants together. None: as many as there are."""

    day: int | None = None
    week: int | None = None
    month: int | None = None
    lifetime: int | None = None

    @property
    def limited(self) -> bool:
        """Whether anything is counted at all."""
        return (self.day, self.week, self.month, self.lifetime) != (None, None, None, None)


@dataclass(frozen=True, slots=True)
class Share:
    """Who bears which part of the discount. ``partner_id`` names the bank; the others are known without."""

    funder: FunderKind
    share_bp: int
    partner_id: str | None = None


@dataclass(frozen=True, slots=True)
class Stacking:
    """How an offer gets on with others in one basket.

    Of the offers of an ``exclusive_group`` only one counts. Offers are counted by rising ``priority``, and each may
    bring the basket's whole discount up to its cap and no further: ``cap_bp`` of the basket at list prices,
    ``cap_fen`` in money.
    """

    exclusive_group: str | None = None
    priority: int = DEFAULT_PRIORITY
    cap_bp: int | None = None
    cap_fen: int | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """One version of an offer, as its author wrote it. A later version is another offer under the same id.

    ``scenario_id`` is the scenario under whose consent and recognition agreements the score is looked at; its table
    gives the tiers (``tiers_by`` scenario), or the grades of the scale it stands on do. No ``districts``: the whole
    city. The offer holds from ``valid_from`` up to, without, ``valid_to``; its days are those of ``time_zone``.
    ``funding`` in its order says who bears the discount; its shares are 10,000 in all. ``show_stock``: anybody may
    know how many are left. ``illustrative`` is true where figures are invented.
    """

    city_id: str
    merchant_id: str
    offer_id: str
    version: int
    time_zone: str
    title: Text
    description: Text
    category: str
    scenario_id: str
    tiers_by: TiersBy
    tiers: tuple[OfferTier, ...]
    products: tuple[Product, ...]
    valid_from: datetime
    valid_to: datetime
    funding: tuple[Share, ...]
    districts: tuple[str, ...] = ()
    budget_fen: int | None = None
    quota: Quota = Quota()
    reservation_seconds: int | None = None
    on_refund: OnRefund = "restore"
    stacking: Stacking = Stacking()
    show_stock: bool = False
    illustrative: bool = False

    @property
    def variants(self) -> tuple[Variant, ...]:
        """Every variant, product by product."""
        return tuple(variant for product in self.products for variant in product.variants)

    def variant(self, variant_id: str) -> Variant | None:
        """The variant of this id, or None."""
        return next((variant for variant in self.variants if variant.variant_id == variant_id), None)

    def covers(self, district: str | None) -> bool:
        """Whether the offer holds in a district; where none is named, it is the offer's own."""
        return not self.districts or district is None or district in self.districts

    def place(self, district: str | None) -> str | None:
        """The district by whose rules a person is judged: the one named, else the offer's first, else none."""
        return district if district is not None or not self.districts else self.districts[0]
