"""What stands in the way of an offer besides the score: in the order in which it would be refused, each in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.core.errors import Problem
from chalicelib.core.text import Text
from chalicelib.offers.rules.lifecycle import OfferNotLive, OfferStopped, State, require_live
from chalicelib.offers.rules.offer import Offer
from chalicelib.offers.rules.pricing import Line
from chalicelib.offers.rules.quotas import QuotaExceeded, QuotaState, check_quota
from chalicelib.offers.rules.quotes import uses_of


class DistrictNotCovered(Problem):
    code = "district-not-covered"
    status = 409
    title = Text("该优惠不适用于这个区", "This offer does not hold in this district")


class OutOfStock(Problem):
    code = "out-of-stock"
    status = 409
    title = Text("库存不足", "There is not enough left of it")


class BudgetExhausted(Problem):
    code = "budget-exhausted"
    status = 409
    title = Text("该优惠的资金已用完", "The money for this offer is used up")


@dataclass(frozen=True, slots=True)
class Situation:
    """What an offer has left, for one person: its state, what is free of each variant and of the budget, his quota."""

    state: State
    stock: Mapping[str, int]
    budget_fen: int | None = None
    quota: QuotaState = field(default_factory=QuotaState)


def out_of_stock(offer: Offer, variant_id: str, left: int) -> OutOfStock:
    """The refusal of a variant that is short; says how many are left only where anybody may know."""
    variant = offer.variant(variant_id)
    assert variant is not None, "what is short is a variant of the offer"
    names = {"zh": variant.name.zh, "en": variant.name.en}
    if not offer.show_stock:
        return OutOfStock(Text("“{zh}”库存不足", "There is not enough left of “{en}”").format(**names))
    said = Text("“{zh}”库存不足，还剩 {left} 件", "There is not enough left of “{en}”: {left}")
    return OutOfStock(said.format(left=left, **names))


def hindrances(
    offer: Offer, lines: Sequence[Line], situation: Situation, district: str | None, now: datetime
) -> Iterator[Problem]:
    """Every limit in the way of these lines of the offer: state, district, quota, stock, budget; none if it may go on.

    A quote raises the first; a dry run shows them all.
    """
    try:
        require_live(situation.state)
    except (OfferStopped, OfferNotLive) as problem:
        yield problem
    if not offer.covers(district):
        yield DistrictNotCovered()
    uses = uses_of([line for line in lines if line.offer_id == offer.offer_id], {offer.offer_id: offer})
    try:
        for units in uses.quota.values():
            check_quota(situation.quota, offer.quota, now, offer.time_zone, units)
    except QuotaExceeded as problem:
        yield problem
    for (_, variant_id), units in uses.stock.items():
        left = situation.stock[variant_id]
        if units > left:
            yield out_of_stock(offer, variant_id, left)
    for wanted_fen in uses.budget_fen.values():
        if situation.budget_fen is not None and wanted_fen > situation.budget_fen:
            yield BudgetExhausted()
