"""What lines cost, who bears the discount, and what refunds give back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.offers.rules import (
    BasketInvalid,
    FundedPart,
    OfferTier,
    RefundExceeds,
    Share,
    VariantUnknown,
    exact_price,
    funded,
    payable_of,
    price_line,
    refund_line,
)
from chalicelib.offers.rules.pricing import MAX_UNITS, with_discount
from tests.unit.offers.shop import BY_GRADE, TEA, TOFU, fixed, offer, percent

HALF = OfferTier("极好", 5000)
TEN = OfferTier("良好", 1000)


@pytest.mark.parametrize(
    ("grade", "tofu_fen", "tea_fen"),
    [("一般", 3420, 8360), ("良好", 3240, 7920), ("优秀", 2520, 6160), ("极好", 1800, 4400)],
)
def test_the_demos_prices(grade: str, tofu_fen: int, tea_fen: int) -> None:
    (tier,) = percent({grade: BY_GRADE[grade]})
    assert payable_of(TOFU, tier, 1) == tofu_fen
    assert payable_of(TEA, tier, 1) == tea_fen
    line = price_line(offer(), TEA.variant_id, 3, tier)
    assert (line.list_fen, line.payable_fen, line.discount_fen) == (26_400, 3 * tea_fen, 26_400 - 3 * tea_fen)
    assert (line.offer_id, line.version, line.tier, line.on_refund) == ("qingliu-summer", 1, grade, "restore")


@pytest.mark.parametrize(
    ("price_fen", "discount_bp", "units", "payable_fen"),
    [(3333, 3000, 1, 2333), (3333, 3000, 3, 6999), (1, 1, 1, 0), (1, 5000, 3, 1), (999, 9999, 7, 0), (7, 3333, 3, 14)],
)
def test_a_line_is_rounded_once_downwards(price_fen: int, discount_bp: int, units: int, payable_fen: int) -> None:
    assert payable_of(replace(TEA, price_fen=price_fen), OfferTier("x", discount_bp), units) == payable_fen


@pytest.mark.parametrize(
    ("tier", "exact", "payable_fen"),
    [
        (None, 88_000_000, 17_600),
        (fixed("a", tea=8000), 80_000_000, 16_000),
        (fixed("a", tofu=1), 88_000_000, 17_600),
        (OfferTier("a", 1), 87_991_200, 17_598),
    ],
)
def test_prices_of_tiers(tier: OfferTier | None, exact: int, payable_fen: int) -> None:
    assert exact_price(TEA, tier) == exact
    assert payable_of(TEA, tier, 2) == payable_fen


def test_REWARD_no_tier_makes_anything_dearer_whatever_it_says() -> None:
    assert payable_of(TEA, fixed("a", tea=9999), 2) == 17_600
    line = price_line(offer(), TEA.variant_id, 1, fixed("a", tea=9999))
    assert (line.discount_fen, line.funding) == (0, ())


def test_the_discount_is_borne_in_the_order_of_the_rule() -> None:
    three = (Share("merchant", 3334), Share("city", 3333), Share("bank", 3333, "demo-bank"))
    made = offer(funding=three)
    parts = (FundedPart("merchant", 34), FundedPart("city", 33), FundedPart("bank", 33, "demo-bank"))
    assert funded(made, 100) == parts
    assert funded(offer(), 1) == (FundedPart("merchant", 1),)
    turned = replace(made, funding=three[::-1])
    assert funded(turned, 2) == (FundedPart("bank", 1, "demo-bank"), FundedPart("merchant", 1))
    assert funded(made, 0) == ()


@pytest.mark.parametrize("units", [0, -1, 1.0, 1.5, True, "1", None, MAX_UNITS + 1])
def test_a_quantity_is_a_whole_number(units: Any) -> None:
    with pytest.raises(BasketInvalid) as refused:
        price_line(offer(), TEA.variant_id, units, TEN, "/lines/3")
    assert [fault.pointer for fault in refused.value.faults] == ["/lines/3/units"]


def test_an_unknown_variant_is_refused() -> None:
    with pytest.raises(VariantUnknown) as refused:
        price_line(offer(), "coffee", 0, TEN, "/lines/0")
    assert [fault.pointer for fault in refused.value.faults] == ["/lines/0/variant_id"]


def test_what_is_cut_off_a_discount_is_to_be_paid() -> None:
    line = price_line(offer(), TEA.variant_id, 1, HALF)
    cut = with_discount(line, offer(), 1001)
    assert (cut.payable_fen, cut.discount_fen) == (7799, 1001)
    assert cut.funding == (FundedPart("merchant", 501), FundedPart("city", 500))
    with pytest.raises(AssertionError):
        with_discount(cut, offer(), 1002)


def test_a_refund_of_all_is_the_line_and_of_one_its_part() -> None:
    line = price_line(offer(), TEA.variant_id, 3, OfferTier("x", 3333))
    assert (line.payable_fen, line.discount_fen) == (17_600, 8800)
    whole = refund_line(line, 0, 3)
    assert (whole.payable_fen, whole.discount_fen, whole.funding) == (17_600, 8800, line.funding)
    parts = [refund_line(line, before, 1) for before in range(3)]
    assert [part.payable_fen for part in parts] == [5867, 5867, 5866]
    assert [[share.fen for share in part.funding] for part in parts] == [[1467, 1467], [1467, 1467], [1466, 1466]]
    assert refund_line(line, 1, 2).payable_fen == 11_733


@pytest.mark.parametrize("units", [0, -1, 3, True, 1.0, "1"])
def test_no_more_is_refunded_than_is_left(units: Any) -> None:
    line = price_line(offer(), TEA.variant_id, 3, TEN)
    with pytest.raises(RefundExceeds) as refused:
        refund_line(line, 1, units)
    assert "2" in refused.value.detail.en
