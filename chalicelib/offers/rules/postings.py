"""What a sale, and a refund of it, post to the ledger.

merchant  sales −list   takings +payable   discount +own part   receivable +the parts of others
each other funder                          subsidy +part        payable −part
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from chalicelib.ledger.rules import Party, Posting, combined
from chalicelib.offers.rules.offer import FunderKind
from chalicelib.offers.rules.pricing import FundedPart, Line, RefundedPart

ASSET = "CNY"


def sale_postings(city_id: str, merchant_id: str, lines: Iterable[Line]) -> tuple[Posting, ...]:
    """What these lines post, in the merchant's book."""
    return combined(
        posting
        for line in lines
        for posting in _parts(city_id, merchant_id, line.payable_fen, line.discount_fen, line.funding)
    )


def refund_postings(city_id: str, merchant_id: str, part: RefundedPart) -> tuple[Posting, ...]:
    """The part of a sale's postings that a refund takes back, with the signs of the sale."""
    return combined(_parts(city_id, merchant_id, part.payable_fen, part.discount_fen, part.funding))


def funders_of(lines: Iterable[Line]) -> frozenset[tuple[str, str | None]]:
    """Everybody who bears a part of these lines' discounts."""
    return frozenset((part.funder, part.partner_id) for line in lines for part in line.funding)


def _parts(
    city_id: str, merchant_id: str, payable_fen: int, discount_fen: int, funding: Sequence[FundedPart]
) -> list[Posting]:
    sales, takings, discount, receivable = _sellers(city_id, merchant_id)
    own_fen = sum(part.fen for part in funding if part.funder == "merchant")
    assert sum(part.fen for part in funding) == discount_fen, "a discount is funded to the fen"
    made = [
        Posting(sales, ASSET, -payable_fen - discount_fen),
        Posting(takings, ASSET, payable_fen),
        Posting(discount, ASSET, own_fen),
        Posting(receivable, ASSET, discount_fen - own_fen),
    ]
    for part in funding:
        if part.funder != "merchant":
            subsidy, payable = _funders(city_id, part.funder, part.partner_id)
            made.append(Posting(subsidy, ASSET, part.fen))
            made.append(Posting(payable, ASSET, -part.fen))
    return made


@lru_cache(maxsize=1024)
def _sellers(city_id: str, merchant_id: str) -> tuple[str, ...]:
    seller = Party(city_id, "merchant", merchant_id)
    return tuple(map(seller.account, ("sales", "takings", "discount", "receivable")))


@lru_cache(maxsize=1024)
def _funders(city_id: str, funder: FunderKind, partner_id: str | None) -> tuple[str, ...]:
    assert partner_id is not None or funder != "bank", "a bank that funds is named"
    bank_id = partner_id or "" if funder == "bank" else ""
    return tuple(map(Party(city_id, funder, bank_id).account, ("subsidy", "payable")))
