"""A deal: one quote and what becomes of it, under one id from the first price to the last refund.

    quoted ── redeemed ── refunded, line by line
       └── reserved ── redeemed | released | lapsed

It remembers what it was quoted on: the facts of the decision, so that it can be explained and replayed; and what it
saw of the person's guard and quotas, so that the next step needs no second look where nothing has changed since.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Literal

from chalicelib.core.errors import Problem
from chalicelib.core.text import Text
from chalicelib.offers.rules.pricing import Line, RefundedPart
from chalicelib.offers.rules.quotas import QuotaState, Windows
from chalicelib.offers.rules.quotes import (
    Quote,
    QuoteUsed,
    Redemption,
    Reservation,
    check_quote,
    check_reservation,
    refunded,
)
from chalicelib.scenarios.rules import Basis
from chalicelib.subjects.rules import AccountRef

DealState = Literal["open", "reserved", "redeemed", "released", "lapsed"]
MAX_FUNDERS = 16


class QuoteOvertaken(Problem):
    """The person's benefits were suspended, or restored, after the quote."""

    code = "quote-overtaken"
    status = 409
    title = Text("试算后情况已变更，请重新试算", "Something has changed since this quote; please ask for a new one")


class QuoteNotRedeemed(Problem):
    code = "quote-not-redeemed"
    status = 409
    title = Text("该试算尚未核销，无可退款", "This quote was never redeemed, so nothing can be refunded")


class OfferUnknown(Problem):
    code = "offer-unknown"
    status = 422
    title = Text("没有此优惠", "There is no such offer")


@dataclass(frozen=True, slots=True)
class SeenQuota:
    """A person's quota item as it was seen; revision 0: there was none."""

    revision: int = 0
    state: QuotaState = field(default_factory=QuotaState)


@dataclass(frozen=True, slots=True)
class Deal:
    """One deal. ``receipt_id`` is the effect of its quote.

    ``recipient`` is the sector for which the person's consent was given, ``consent_until`` when that consent ends and
    ``guard`` his account's: while both stand, nothing of it needs to be read again.
    ``trace_sha256`` covers the traces of the decisions, offer by offer, and the lines that they led to.
    ``by_person``: the person asked himself, so that the receipt is his and tells his city. ``crowded``: lapsed
    reservations pile up on a counter, so that whoever goes on looks first and folds them.
    """

    quote: Quote
    receipt_id: str
    scenario_id: str
    district: str | None
    ref: AccountRef
    recipient: str
    guard: int
    consent_until: datetime
    basis: Basis
    trace_sha256: str
    quotas: Mapping[str, SeenQuota] = field(default_factory=dict)
    reservation: Reservation | None = None
    redemption: Redemption | None = None
    refunds: int = 0
    by_person: bool = False
    crowded: bool = False
    revision: int = 0

    @property
    def city_id(self) -> str:
        """The offer's city."""
        return self.quote.city_id

    @property
    def merchant_id(self) -> str:
        """Whose offers."""
        return self.quote.merchant_id

    @property
    def purpose(self) -> str:
        """The scenario for which the score was looked at, as "<city>/<scenario>"."""
        return f"{self.city_id}/{self.scenario_id}"

    @property
    def visitor(self) -> bool:
        """Whether the person is of another city."""
        return not self.basis.resident

    @property
    def ends_at(self) -> datetime:
        """When the quote lapses, or the reservation."""
        return self.quote.expires_at if self.reservation is None else self.reservation.expires_at

    def state(self, now: datetime) -> DealState:
        """Where the deal stands, the clock counted in."""
        if self.quote.state == "redeemed":
            return "redeemed"
        if self.quote.state == "given_up":
            return "released"
        if self.ends_at <= now:
            return "lapsed"
        return "open" if self.reservation is None else "reserved"


def require_redeemable(deal: Deal, now: datetime) -> None:
    """Returns if the deal may be redeemed now.

    Raises: QuoteUsed; ReservationClosed: of a reserved one; QuoteExpired; in this order.
    """
    if deal.reservation is None:
        check_quote(deal.quote, now, merchant_id=deal.merchant_id)
        return
    if deal.quote.state == "redeemed":
        raise QuoteUsed
    check_reservation(deal.reservation, now)


def require_reservable(deal: Deal, now: datetime) -> None:
    """Returns if the deal may be reserved now. Raises: QuoteUsed; QuoteExpired; in this order."""
    check_quote(deal.quote, now, merchant_id=deal.merchant_id)


def require_releasable(deal: Deal, now: datetime) -> None:
    """Returns if the deal may be given up now: an open quote, or an open reservation.

    Raises: QuoteUsed; QuoteExpired; ReservationClosed.
    """
    if deal.quote.state == "redeemed":
        raise QuoteUsed
    if deal.reservation is not None:
        check_reservation(deal.reservation, now)
        return
    check_quote(deal.quote, now, merchant_id=deal.merchant_id)


def reserved(deal: Deal, expires_at: datetime, quotas: Mapping[str, SeenQuota]) -> Deal:
    """The deal after its goods were put by until an instant."""
    made = Reservation(deal.quote.quote_id, deal.quote.quote_id, expires_at)
    return replace(deal, quote=replace(deal.quote, state="reserved"), reservation=made, quotas=quotas)


def released(deal: Deal, quotas: Mapping[str, SeenQuota]) -> Deal:
    """The deal after it was given up."""
    held = None if deal.reservation is None else replace(deal.reservation, state="given_up")
    return replace(deal, quote=replace(deal.quote, state="given_up"), reservation=held, quotas=quotas)


def redeemed(
    deal: Deal,
    redemption_id: str,
    now: datetime,
    day: date,
    windows: Mapping[str, Windows],
    quotas: Mapping[str, SeenQuota],
) -> Deal:
    """The deal after it was redeemed; ``day`` is the city's, ``windows`` those in which each quota was counted."""
    quote = deal.quote
    made = Redemption(
        redemption_id=redemption_id,
        quote_id=quote.quote_id,
        city_id=quote.city_id,
        merchant_id=quote.merchant_id,
        person=quote.person,
        redeemed_at=now,
        day=day,
        lines=quote.lines,
        refunded=(0,) * len(quote.lines),
        windows=windows,
    )
    held = None if deal.reservation is None else replace(deal.reservation, state="redeemed")
    return replace(deal, quote=replace(quote, state="redeemed"), reservation=held, redemption=made, quotas=quotas)


def given_back(deal: Deal, index: int, units: int) -> tuple[Deal, Line, RefundedPart]:
    """The deal after units of a line were refunded, that line, and what goes back.

    Raises: QuoteNotRedeemed; NotFound: no such line; RefundExceeds; in this order.
    """
    redemption = require_redemption(deal)
    changed, part = refunded(redemption, index, units)
    return replace(deal, redemption=changed, refunds=deal.refunds + 1), redemption.lines[index], part


def require_redemption(deal: Deal) -> Redemption:
    """What was sold. Raises: QuoteNotRedeemed."""
    if deal.redemption is None:
        raise QuoteNotRedeemed
    return deal.redemption


def wholly_refunded(redemption: Redemption) -> bool:
    """Whether nothing of it is left."""
    return all(back == line.units for back, line in zip(redemption.refunded, redemption.lines, strict=True))
