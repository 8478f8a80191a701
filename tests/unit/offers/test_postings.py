"""What a sale and its refunds post: every fen once, and a refund of everything undoes it all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest

from chalicelib.ledger.rules import Party, Posting
from chalicelib.offers.rules import Line, OfferTier, Share, price_line, refund_line
from chalicelib.offers.rules.postings import ASSET, funders_of, refund_postings, sale_postings
from tests.unit.offers.shop import TEA, TOFU, offer

FARM = Party("xiamen", "merchant", "qingliu-farm")
CITY, PLATFORM = Party("xiamen", "city"), Party("xiamen", "platform")
BANK = Party("xiamen", "bank", "demo-bank")
SHARED = (Share("merchant", 3333), Share("city", 3333), Share("bank", 3334, "demo-bank"))


def line(units: int = 1, discount_bp: int = 3000, funding: tuple[Share, ...] = SHARED, variant: str = "") -> Line:
    made = offer(funding=funding)
    return price_line(made, variant or TOFU.variant_id, units, OfferTier("优秀", discount_bp))


def amounts(postings: Iterable[Posting]) -> dict[str, int]:
    assert all(posting.asset == ASSET for posting in postings)
    return {posting.account: posting.amount for posting in postings}


def test_a_sale_posts_what_was_sold_paid_and_borne() -> None:
    posted = amounts(sale_postings("xiamen", "qingliu-farm", [line()]))
    assert posted == {
        FARM.account("sales"): -3600,
        FARM.account("takings"): 2520,
        FARM.account("discount"): 360,
        FARM.account("receivable"): 720,
        CITY.account("subsidy"): 360,
        CITY.account("payable"): -360,
        BANK.account("subsidy"): 360,
        BANK.account("payable"): -360,
    }


def test_the_merchant_alone_has_nobody_to_ask() -> None:
    posted = amounts(sale_postings("xiamen", "qingliu-farm", [line(funding=(Share("merchant", 10_000),))]))
    assert posted == {
        FARM.account("sales"): -3600, FARM.account("takings"): 2520, FARM.account("discount"): 1080,
    }  # fmt: skip


def test_the_platform_alone_bears_it_all() -> None:
    posted = amounts(sale_postings("xiamen", "qingliu-farm", [line(funding=(Share("platform", 10_000),))]))
    assert posted[PLATFORM.account("subsidy")] == posted[FARM.account("receivable")] == 1080
    assert FARM.account("discount") not in posted


@pytest.mark.parametrize("discount_bp", [1, 333, 3000, 9999])
@pytest.mark.parametrize("units", [1, 3, 7])
def test_LEDGER_a_sale_is_balanced_and_its_refunds_undo_it(units: int, discount_bp: int) -> None:
    sold = line(units, discount_bp)
    posted = sale_postings("xiamen", "qingliu-farm", [sold, line(2, variant=TEA.variant_id)])
    assert sum(posting.amount for posting in posted) == 0
    back: Counter[str] = Counter()
    for start in range(units):
        part = refund_line(sold, start, 1)
        given = refund_postings("xiamen", "qingliu-farm", part)
        assert sum(posting.amount for posting in given) == 0
        back.update(amounts(given))
    assert {name: fen for name, fen in back.items() if fen} == amounts(sale_postings("xiamen", "qingliu-farm", [sold]))


def test_everybody_who_bears_a_part_is_counted_once() -> None:
    two = [line(), line(variant=TEA.variant_id)]
    assert funders_of(two) == {("merchant", None), ("city", None), ("bank", "demo-bank")}
