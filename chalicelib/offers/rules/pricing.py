"""What a line costs, who bears the discount, and how a refund takes both apart again.

A line is some units of one variant. Its payable is rounded once, downwards; the discount is what is left of the list
price, and is split among those who fund it by the largest remainder, in the order in which the offer names them. Both
are stored; a refund reuses them and works nothing out anew.

    payable = min(list, ⌊list × (10,000 − discount_bp) / 10,000⌋, or tier price × units)     discount = list − payable
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from chalicelib.core import money
from chalicelib.core.errors import Problem
from chalicelib.core.text import Text
from chalicelib.offers.rules.offer import FunderKind, Offer, OfferTier, OnRefund, Variant

MAX_UNITS = 10_000


class BasketInvalid(Problem):
    code = "basket-invalid"
    status = 422
    title = Text("所选商品或数量有误", "The goods or quantities asked for are not well defined")


class VariantUnknown(Problem):
    code = "variant-unknown"
    status = 422
    title = Text("该优惠没有此规格的商品", "The offer has no such variant")


class RefundExceeds(Problem):
    code = "refund-exceeds"
    status = 409
    title = Text("退款数量超出尚可退的数量", "This is more than is left to be refunded")


class FundedPart(NamedTuple):
    """The part of one discount that somebody bears."""

    funder: FunderKind
    fen: int
    partner_id: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it is quoted, redeemed and stored. ``price_fen`` is the list price of a unit.

    ``tier`` is the offer's tier that was applied, or None: list price. ``funding`` adds up to ``discount_fen``,
    ``payable_fen`` and ``discount_fen`` to ``list_fen``.
    """

    offer_id: str
    version: int
    variant_id: str
    units: int
    price_fen: int
    tier: str | None
    payable_fen: int
    discount_fen: int
    funding: tuple[FundedPart, ...]
    on_refund: OnRefund

    @property
    def list_fen(self) -> int:
        """What the line costs without a score."""
        return self.price_fen * self.units


@dataclass(frozen=True, slots=True)
class RefundedPart:
    """What some units of a line give back: money to the person, and to each funder his part of the discount."""

    units: int
    payable_fen: int
    discount_fen: int
    funding: tuple[FundedPart, ...]


def exact_price(variant: Variant, tier: OfferTier | None) -> int:
    """The price of one unit as it is written, in 1/10,000 fen: for comparing tiers without any rounding."""
    if tier is not None and tier.discount_bp is not None:
        return variant.price_fen * (money.BP - tier.discount_bp)
    fixed = None if tier is None else tier.prices_fen.get(variant.variant_id)
    return money.BP * (variant.price_fen if fixed is None else fixed)


def payable_of(variant: Variant, tier: OfferTier | None, units: int) -> int:
    """What a line comes to: never more than its list price, whatever the tier says."""
    return min(variant.price_fen * units, exact_price(variant, tier) * units // money.BP)


def check_units(units: object, pointer: str) -> int:
    """The quantity itself, if it is a whole number from 1 to ``MAX_UNITS``. Raises: BasketInvalid."""
    if type(units) is not int or not 1 <= units <= MAX_UNITS:
        said = Text("数量应为 1 至 {most} 的整数", "A quantity is a whole number from 1 to {most}")
        raise BasketInvalid.at(pointer, said.format(most=MAX_UNITS))
    return units


def price_line(offer: Offer, variant_id: str, units: int, tier: OfferTier | None, pointer: str = "") -> Line:
    """A line of this offer in this tier (None: at the list price). Raises: VariantUnknown; BasketInvalid."""
    variant = offer.variant(variant_id)
    if variant is None:
        raise VariantUnknown.at(f"{pointer}/variant_id", VariantUnknown.title)
    count = check_units(units, f"{pointer}/units")
    list_fen, payable_fen = variant.price_fen * count, payable_of(variant, tier, count)
    return Line(
        offer_id=offer.offer_id,
        version=offer.version,
        variant_id=variant_id,
        units=count,
        price_fen=variant.price_fen,
        tier=None if tier is None else tier.tier,
        payable_fen=payable_fen,
        discount_fen=list_fen - payable_fen,
        funding=funded(offer, list_fen - payable_fen),
        on_refund=offer.on_refund,
    )


def funded(offer: Offer, discount_fen: int) -> tuple[FundedPart, ...]:
    """Who bears which part of a discount, by the offer's funding rule: to the fen, parts of nothing left out."""
    parts = money.split(discount_fen, [share.share_bp for share in offer.funding])
    pairs = zip(offer.funding, parts, strict=True)
    return tuple(FundedPart(share.funder, fen, share.partner_id) for share, fen in pairs if fen)


def with_discount(line: Line, offer: Offer, discount_fen: int) -> Line:
    """The line with a smaller discount (a cap, another offer instead); what is cut off is to be paid."""
    assert 0 <= discount_fen <= line.discount_fen, "a discount is only ever cut"
    cut = replace(line, payable_fen=line.list_fen - discount_fen, discount_fen=discount_fen)
    return replace(cut, funding=funded(offer, discount_fen))


def refund_line(line: Line, refunded_units: int, units: int) -> RefundedPart:
    """What ``units`` of the line give back after ``refunded_units`` of it were refunded before.

    Depends on these two figures alone, and the parts of refunds that cover the line add up to the line, whatever
    their number, size and order.

    Raises: RefundExceeds: not a whole number, none, or more than is left.
    """
    assert 0 <= refunded_units <= line.units, "no more was refunded than sold"
    if type(units) is not int or not 1 <= units <= line.units - refunded_units:
        said = Text("该项还可退 {left} 件", "Of this line {left} can still be refunded")
        raise RefundExceeds(said.format(left=line.units - refunded_units))
    span = (line.units, refunded_units, refunded_units + units)
    funding = tuple(part._replace(fen=money.portion(part.fen, *span)) for part in line.funding)
    return RefundedPart(units, money.portion(line.payable_fen, *span), sum(part.fen for part in funding), funding)
