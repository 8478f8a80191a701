"""A deal as it is told: to its merchant, and to its person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from chalicelib.core.text import Text
from chalicelib.offers.rules.deals import Deal, DealState
from chalicelib.offers.rules.offer import FunderKind, Offer, OnRefund
from chalicelib.offers.rules.pricing import FundedPart, Line, RefundedPart
from chalicelib.offers.rules.stacking import Basket, Step
from chalicelib.offers.rules.telling import CitizenAnswer, MerchantAnswer
from chalicelib.scenarios.rules import Basis


@dataclass(frozen=True, slots=True)
class Funder:
    """Who bears which part of a discount; ``partner_id`` names the bank."""

    funder: FunderKind
    partner_id: str | None
    fen: int


@dataclass(frozen=True, slots=True)
class LineView:
    """One line of a deal. ``index`` names it when it is refunded."""

    index: int
    offer_id: str
    version: int
    variant_id: str
    units: int
    price_fen: int
    list_fen: int
    discount_fen: int
    payable_fen: int
    tier: str | None
    funding: tuple[Funder, ...]
    on_refund: OnRefund
    refunded_units: int


@dataclass(frozen=True, slots=True)
class DealView:
    """A deal. ``subject_id`` is the id by which its merchant, and nobody else, knows the person.

    ``receipt_id`` names the decision that it rests on, for an auditor. The receipt of a quote that the person asked for
    himself is his alone, since it names his city: None for anybody else.
    """

    quote_id: str
    receipt_id: str | None
    city_id: str
    merchant_id: str
    scenario_id: str
    district: str | None
    subject_id: str
    state: DealState
    quoted_at: datetime
    expires_at: datetime
    redeemed_at: datetime | None
    lines: tuple[LineView, ...]
    steps: tuple[Step, ...]
    list_fen: int
    discount_fen: int
    payable_fen: int


@dataclass(frozen=True, slots=True)
class MerchantQuote:
    """A quote as its merchant gets it: what is to be paid, and by which tier; nothing else of the score."""

    deal: DealView
    offers: tuple[MerchantAnswer, ...]


@dataclass(frozen=True, slots=True)
class CitizenQuote:
    """A quote as its person gets it: with every reason."""

    deal: DealView
    offers: tuple[CitizenAnswer, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a basket would cost somebody who has reached a tier; None: somebody without one. No person is asked about.

    ``hindrances`` are the limits that would be in the way now, by code.
    """

    tier: str | None
    lines: tuple[LineView, ...]
    steps: tuple[Step, ...]
    list_fen: int
    discount_fen: int
    payable_fen: int
    hindrances: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QuoteReplay:
    """A quote worked out again: the same bytes, or not."""

    receipt_id: str
    quote_id: str
    quoted_at: datetime
    asked_by: str
    same: bool
    stored_sha256: str
    basis: Basis
    list_fen: int
    discount_fen: int
    payable_fen: int
    offers: tuple[CitizenAnswer, ...]


@dataclass(frozen=True, slots=True)
class LineName:
    """What a line is called."""

    offer: Text
    variant: Text


@dataclass(frozen=True, slots=True)
class Purchase:
    """What somebody reserved or bought, with the names of its lines."""

    deal: DealView
    names: tuple[LineName, ...]


@dataclass(frozen=True, slots=True)
class OwnPurchase:
    """A purchase with every reason of its prices."""

    deal: DealView
    names: tuple[LineName, ...]
    offers: tuple[CitizenAnswer, ...]


@dataclass(frozen=True, slots=True)
class Refunded:
    """A refund: what goes back to the person, and to each funder."""

    deal: DealView
    refund_id: str
    line: int
    units: int
    payable_fen: int
    discount_fen: int
    funding: tuple[Funder, ...]
    restored: bool


def view_of(deal: Deal, now: datetime, *, own: bool = False) -> DealView:
    """A deal at this instant, for its merchant; ``own``: for its person."""
    quote, redemption = deal.quote, deal.redemption
    back = (0,) * len(quote.lines) if redemption is None else redemption.refunded
    lines = tuple(_line(index, line, back[index]) for index, line in enumerate(quote.lines))
    return DealView(
        quote_id=quote.quote_id,
        receipt_id=None if deal.by_person and not own else deal.receipt_id,
        city_id=deal.city_id,
        merchant_id=deal.merchant_id,
        scenario_id=deal.scenario_id,
        district=deal.district,
        subject_id=quote.person,
        state=deal.state(now),
        quoted_at=quote.quoted_at,
        expires_at=deal.ends_at,
        redeemed_at=None if redemption is None else redemption.redeemed_at,
        lines=lines,
        steps=quote.steps,
        list_fen=sum(line.list_fen for line in lines),
        discount_fen=sum(line.discount_fen for line in lines),
        payable_fen=sum(line.payable_fen for line in lines),
    )


def refund_of(deal: Deal, now: datetime, refund_id: str, index: int, part: RefundedPart) -> Refunded:
    """A refund, and the deal after it."""
    restored = deal.quote.lines[index].on_refund == "restore"
    view = view_of(deal, now)
    return Refunded(
        view, refund_id, index, part.units, part.payable_fen, part.discount_fen, _funders(part.funding), restored
    )


def preview_of(basket: Basket, tier: str | None, hindrances: Iterable[str]) -> Preview:
    """A basket as it would be quoted."""
    lines = tuple(_line(index, line, 0) for index, line in enumerate(basket.lines))
    return Preview(
        tier, lines, basket.steps, basket.list_fen, basket.discount_fen, basket.payable_fen, tuple(hindrances)
    )


def purchase_of(deal: Deal, offers: Mapping[str, Offer], now: datetime) -> Purchase:
    """A purchase with the names of what was bought; ``offers`` are the versions that it was bought by."""
    names = tuple(_name(line, offers[line.offer_id]) for line in deal.quote.lines)
    return Purchase(view_of(deal, now, own=True), names)


def _name(line: Line, offer: Offer) -> LineName:
    variant = offer.variant(line.variant_id)
    assert variant is not None, "what was bought is in the version it was bought by"
    return LineName(offer.title, variant.name)


def _line(index: int, line: Line, back: int) -> LineView:
    return LineView(
        index=index,
        offer_id=line.offer_id,
        version=line.version,
        variant_id=line.variant_id,
        units=line.units,
        price_fen=line.price_fen,
        list_fen=line.list_fen,
        discount_fen=line.discount_fen,
        payable_fen=line.payable_fen,
        tier=line.tier,
        funding=_funders(line.funding),
        on_refund=line.on_refund,
        refunded_units=back,
    )


def _funders(parts: tuple[FundedPart, ...]) -> tuple[Funder, ...]:
    return tuple(Funder(part.funder, part.partner_id, part.fen) for part in parts)
