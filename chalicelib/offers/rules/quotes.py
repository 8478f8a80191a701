"""From a quote to a redemption to a refund: what each of them is, and when it may still become the next.

    quote: open → redeemed | reserved → redeemed | given up      a quote lapses after 15 minutes, a reservation later

A quote pins the offer's version, the tier, the price and the reasons. What changes after it (the offer, the score)
does not alter it; only a stop by the city ends it early.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Literal

from chalicelib.core.errors import NotFound, Problem
from chalicelib.core.text import Text
from chalicelib.offers.rules.counters import ReservationClosed, expiry_of
from chalicelib.offers.rules.offer import Offer
from chalicelib.offers.rules.pricing import Line, RefundedPart, refund_line
from chalicelib.offers.rules.quotas import Windows
from chalicelib.offers.rules.stacking import Step

QUOTE_LIFE = timedelta(minutes=15)


class QuoteForeign(Problem):
    """Of another merchant, of another person, or none at all: the same answer."""

    code = "quote-foreign"
    status = 404
    title = Text("没有此试算", "There is no such quote here")


class QuoteUsed(Problem):
    code = "quote-used"
    status = 409
    title = Text("该试算已使用，请重新试算", "This quote was used before; please ask for a new one")


class QuoteExpired(Problem):
    code = "quote-expired"
    status = 409
    title = Text("该试算已过期，请重新试算", "This quote has expired; please ask for a new one")


class NotReservable(Problem):
    code = "offer-not-reservable"
    status = 409
    title = Text("该优惠不能预留，请直接核销", "This offer takes no reservations; redeem it at once")


@dataclass(frozen=True, slots=True)
class Quote:
    """A price that stands until ``expires_at``. ``person`` is the person as this merchant, or his city, knows him."""

    quote_id: str
    city_id: str
    merchant_id: str
    person: str
    quoted_at: datetime
    expires_at: datetime
    lines: tuple[Line, ...]
    steps: tuple[Step, ...]
    state: Literal["open", "reserved", "redeemed", "given_up"] = "open"


@dataclass(frozen=True, slots=True)
class Reservation:
    """Goods put by. ``expires_at`` is the bucket of every counter it holds of, and of the person's quota."""

    reservation_id: str
    quote_id: str
    expires_at: datetime
    state: Literal["open", "redeemed", "given_up"] = "open"


@dataclass(frozen=True, slots=True)
class Redemption:
    """What was sold, on which ``day`` of the offer's city.

    ``windows`` are those in which each offer's quota was counted; ``refunded`` is by line.
    """

    redemption_id: str
    quote_id: str
    city_id: str
    merchant_id: str
    person: str
    redeemed_at: datetime
    day: date
    lines: tuple[Line, ...]
    refunded: tuple[int, ...]
    windows: Mapping[str, Windows] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Uses:
    """What a basket takes of each counter: units by offer and variant, fen by offer, and units of the quota by offer.

    Offers without a budget, or that take nothing off, have no line in ``budget_fen``; those without a quota none in
    ``quota``.
    """

    stock: Mapping[tuple[str, str], int]
    budget_fen: Mapping[str, int]
    quota: Mapping[str, int]


def quote_expiry(offers: Iterable[Offer], now: datetime) -> datetime:
    """Until when a quote stands: for ``QUOTE_LIFE``, but no longer than any of its offers."""
    return min(now + QUOTE_LIFE, *(offer.valid_to for offer in offers))


def check_quote(
    quote: Quote | None, now: datetime, *, merchant_id: str | None = None, person: str | None = None
) -> Quote:
    """The quote itself, if this merchant or this person may use it now.

    Raises: QuoteForeign: there is none, or it is another's; QuoteUsed; QuoteExpired; in this order.
    """
    assert merchant_id is not None or person is not None, "somebody uses a quote"
    foreign = quote is None or merchant_id not in {None, quote.merchant_id} or person not in {None, quote.person}
    if quote is None or foreign:
        raise QuoteForeign
    if quote.state != "open":
        raise QuoteUsed
    if quote.expires_at <= now:
        raise QuoteExpired
    return quote


def reservation_expiry(offers: Iterable[Offer], now: datetime) -> datetime:
    """Until when goods of these offers are put by: as long as the least of them allows.

    Raises: NotReservable: one of them takes no reservations.
    """
    lives = [offer.reservation_seconds for offer in offers]
    known = [seconds for seconds in lives if seconds is not None]
    if len(known) < len(lives):
        raise NotReservable
    return expiry_of(now, min(known))


def check_reservation(reservation: Reservation, now: datetime) -> Reservation:
    """The reservation itself, if it is open. Raises: ReservationClosed."""
    if reservation.state != "open" or reservation.expires_at <= now:
        raise ReservationClosed
    return reservation


def uses_of(lines: Sequence[Line], offers: Mapping[str, Offer]) -> Uses:
    """What these lines take of the counters of their offers."""
    stock: dict[tuple[str, str], int] = {}
    budget: dict[str, int] = {}
    quota: dict[str, int] = {}
    for line in lines:
        offer, key = offers[line.offer_id], (line.offer_id, line.variant_id)
        stock[key] = stock.get(key, 0) + line.units
        if offer.budget_fen is not None and line.discount_fen:
            budget[line.offer_id] = budget.get(line.offer_id, 0) + line.discount_fen
        if offer.quota.limited:
            quota[line.offer_id] = quota.get(line.offer_id, 0) + line.units
    return Uses(stock, budget, quota)


def refunded(redemption: Redemption, index: int, units: int) -> tuple[Redemption, RefundedPart]:
    """The redemption after units of one line were given back, and what that gives back; at any age.

    Where the line says ``restore``, its units go back to the stock, ``discount_fen`` to the budget and the units to
    the person's quota, in the windows of the redemption; where it says ``burn``, money alone goes back.

    Raises: NotFound: no such line; RefundExceeds; in this order.
    """
    if type(index) is not int or not 0 <= index < len(redemption.lines):
        raise NotFound
    before = redemption.refunded[index]
    part = refund_line(redemption.lines[index], before, units)
    counts = (*redemption.refunded[:index], before + units, *redemption.refunded[index + 1 :])
    return replace(redemption, refunded=counts), part
