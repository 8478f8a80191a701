"""Quotes, reservations, redemptions: whose they are, until when, and what they take and give back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core.errors import NotFound, Problem
from chalicelib.offers.rules import (
    NotReservable,
    OfferTier,
    Quota,
    Quote,
    QuoteExpired,
    QuoteForeign,
    QuoteUsed,
    Redemption,
    RefundExceeds,
    Reservation,
    ReservationClosed,
    Uses,
    check_quote,
    check_reservation,
    price_line,
    quote_expiry,
    refunded,
    reservation_expiry,
    uses_of,
)
from tests.unit.offers.shop import NOON, TEA, TOFU, offer

LINES = (
    price_line(offer(), TEA.variant_id, 2, OfferTier("良好", 1000)),
    price_line(offer(), TOFU.variant_id, 3, None),
)
QUOTE = Quote("q1", "xiamen", "qingliu-farm", "p1_ann", NOON, NOON + timedelta(minutes=15), LINES, ())
LAST = QUOTE.expires_at - timedelta(microseconds=1)


@pytest.mark.parametrize("asker", [{"merchant_id": "qingliu-farm"}, {"person": "p1_ann"}])
def test_a_quote_stands_for_its_merchant_and_for_its_person(asker: dict[str, str]) -> None:
    assert check_quote(QUOTE, LAST, **asker) is QUOTE


@pytest.mark.parametrize(
    ("changes", "asker", "now", "refusal"),
    [
        ({}, {"merchant_id": "pengyang-coop"}, NOON, QuoteForeign),
        ({}, {"person": "p1_bob"}, NOON, QuoteForeign),
        ({}, {"merchant_id": "qingliu-farm"}, QUOTE.expires_at, QuoteExpired),
        ({"state": "redeemed"}, {"merchant_id": "qingliu-farm"}, NOON, QuoteUsed),
        ({"state": "reserved"}, {"person": "p1_ann"}, NOON, QuoteUsed),
        ({"state": "given_up"}, {"person": "p1_ann"}, QUOTE.expires_at, QuoteUsed),
        ({"state": "redeemed"}, {"merchant_id": "pengyang-coop"}, QUOTE.expires_at, QuoteForeign),
    ],
)
def test_a_quote_is_refused_in_this_order(
    changes: dict[str, Any], asker: dict[str, str], now: Any, refusal: type[Problem]
) -> None:
    with pytest.raises(refusal):
        check_quote(replace(QUOTE, **changes), now, **asker)


def test_a_quote_that_is_none_is_answered_like_another_merchants() -> None:
    with pytest.raises(QuoteForeign) as absent:
        check_quote(None, NOON, merchant_id="qingliu-farm")
    with pytest.raises(QuoteForeign) as foreign:
        check_quote(QUOTE, NOON, merchant_id="pengyang-coop")
    assert absent.value.detail == foreign.value.detail
    assert absent.value.status == 404


def test_a_quote_stands_a_quarter_of_an_hour_but_no_longer_than_its_offers() -> None:
    assert quote_expiry([offer()], NOON) == NOON + timedelta(minutes=15)
    soon = offer(valid_to=NOON + timedelta(minutes=4))
    assert quote_expiry([offer(), soon], NOON) == soon.valid_to


def test_a_reservation_lasts_as_long_as_the_least_of_its_offers_allows() -> None:
    short, long = offer(reservation_seconds=600), offer(reservation_seconds=86_400)
    assert reservation_expiry([long, short], NOON) == NOON + timedelta(seconds=600)
    with pytest.raises(NotReservable):
        reservation_expiry([long, offer()], NOON)


@pytest.mark.parametrize(("state", "now", "open_"), [("open", LAST, True), ("open", QUOTE.expires_at, False), ("redeemed", NOON, False), ("given_up", NOON, False)])  # fmt: skip  # noqa: E501
def test_a_reservation_is_open_until_it_lapses_or_ends(state: Any, now: Any, open_: bool) -> None:
    made = Reservation("r1", "q1", QUOTE.expires_at, state)
    if open_:
        assert check_reservation(made, now) is made
    else:
        with pytest.raises(ReservationClosed):
            check_reservation(made, now)


def test_what_a_basket_takes() -> None:
    free, bound = offer(), offer(offer_id="bound", budget_fen=10**6, quota=Quota(day=9))
    lines = [*LINES, *(replace(line, offer_id="bound") for line in LINES)]
    tea, tofu = TEA.variant_id, TOFU.variant_id
    assert uses_of(lines, {free.offer_id: free, "bound": bound}) == Uses(
        stock={(free.offer_id, tea): 2, (free.offer_id, tofu): 3, ("bound", tea): 2, ("bound", tofu): 3},
        budget_fen={"bound": 1760},
        quota={"bound": 5},
    )
    assert uses_of(lines[3:], {"bound": bound}).budget_fen == {}


def test_lines_are_refunded_one_by_one_and_part_by_part() -> None:
    sold = Redemption("x1", "q1", "xiamen", "qingliu-farm", "p1_ann", NOON, NOON.date(), LINES, (0, 0))
    after, part = refunded(sold, 1, 2)
    assert (after.refunded, part.units, part.payable_fen, part.discount_fen) == ((0, 2), 2, 7200, 0)
    assert after.lines == sold.lines
    with pytest.raises(RefundExceeds):
        refunded(after, 1, 2)
    assert refunded(after, 1, 1)[0].refunded == (0, 3)
    last, part = refunded(after, 0, 2)
    assert (last.refunded, part.payable_fen, part.discount_fen) == ((2, 2), 15_840, 1760)


@pytest.mark.parametrize("index", [2, -1, True, "0", 10**9])
def test_a_line_that_is_none_is_not_found(index: Any) -> None:
    sold = Redemption("x1", "q1", "xiamen", "qingliu-farm", "p1_ann", NOON, NOON.date(), LINES, (0, 0))
    with pytest.raises(NotFound):
        refunded(sold, index, 1)
