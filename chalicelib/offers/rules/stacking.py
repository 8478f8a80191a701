"""Several offers in one basket: which of them count, in which order, and how far.

Of each exclusive group one offer counts. Among all ways to choose, the one that saves the person most is taken; among
equals, that of the lower priority figures, then of the earlier ids. Then the offers are counted by rising priority and
id, and each may bring the discount of the basket up to its cap and no further.

The most saved is monotone in what each offer gives, so that a better tier never makes a basket dearer; taking the group
member of highest priority, or of the largest discount before caps, would not be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal, NamedTuple

from chalicelib.core import money
from chalicelib.core.text import Text
from chalicelib.offers.rules.offer import Offer, OfferTier
from chalicelib.offers.rules.pricing import BasketInvalid, Line, price_line, with_discount

MAX_LINES = 20
MAX_OFFERS = 8
MAX_BASKET_FEN = 10**11

StepCode = Literal["applied", "no-tier-reached", "excluded-by-group", "capped", "budget-short"]


class Asked(NamedTuple):
    """What somebody wants: this many units of a variant of an offer."""

    offer_id: str
    variant_id: str
    units: int


class Applied(NamedTuple):
    """An offer, and the tier of it that the person has reached; None: he pays the list price.

    ``left_fen`` is what is left of the offer's budget (None: it has none): no more than that is taken off. So a better
    score is never refused where a lesser one may buy, and no refusal tells a tier.
    """

    offer: Offer
    tier: OfferTier | None
    left_fen: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What came of one offer in the basket: what it would have taken off, what it did, and why."""

    offer_id: str
    code: StepCode
    tier: str | None
    wanted_fen: int
    granted_fen: int
    said: Text


@dataclass(frozen=True, slots=True)
class Basket:
    """A priced basket: its lines as they were asked for, and its offers in the order in which they were counted."""

    lines: tuple[Line, ...]
    steps: tuple[Step, ...]

    @property
    def list_fen(self) -> int:
        """What the basket costs without a score."""
        return sum(line.list_fen for line in self.lines)

    @property
    def payable_fen(self) -> int:
        """What is to be paid."""
        return sum(line.payable_fen for line in self.lines)

    @property
    def discount_fen(self) -> int:
        """What is taken off."""
        return self.list_fen - self.payable_fen


def price_basket(asked: Sequence[Asked], offers: Mapping[str, Applied]) -> Basket:
    """The basket at what this person pays.

    Args:
        offers: Every offer that is asked for, by id, all of one merchant.

    Raises: BasketInvalid: empty, too large, a variant twice; VariantUnknown; BasketInvalid: a quantity; more than
        ``MAX_BASKET_FEN``; in this order.
    """
    check_asked(asked)
    lines = [_line(offers, index, item) for index, item in enumerate(asked)]
    if sum(line.list_fen for line in lines) > MAX_BASKET_FEN:
        said = Text("一单不得超过 {yuan} 元", "A basket comes to {yuan} yuan at most")
        raise BasketInvalid.at("/lines", said.format(yuan=MAX_BASKET_FEN // 100))
    order = sorted({item.offer_id for item in asked}, key=lambda key: (offers[key].offer.stacking.priority, key))
    wanted = {key: sum(line.discount_fen for line in lines if line.offer_id == key) for key in order}
    list_fen = sum(line.list_fen for line in lines)
    chosen = _chosen([offers[key] for key in order], wanted, list_fen)
    granted = _granted(chosen, wanted, list_fen)
    steps = tuple(_step(offers[key], wanted[key], granted.get(key), chosen) for key in order)
    return Basket(_cut(lines, offers, granted), steps)


def check_asked(asked: Sequence[Asked]) -> None:
    """Returns if this is a basket. Raises: BasketInvalid: empty, too large, too many offers, a variant twice."""
    if not 1 <= len(asked) <= MAX_LINES:
        raise BasketInvalid.at(
            "/lines", Text("应有 1 至 {n} 项商品", "A basket has 1 to {n} lines").format(n=MAX_LINES)
        )
    if len({item.offer_id for item in asked}) > MAX_OFFERS:
        said = Text("一次至多使用 {n} 个优惠", "A basket has {n} offers at most").format(n=MAX_OFFERS)
        raise BasketInvalid.at("/lines", said)
    for index, item in enumerate(asked):
        if item[:2] in {earlier[:2] for earlier in asked[:index]}:
            raise BasketInvalid.at(f"/lines/{index}", Text("同一商品列了两次", "The same variant is there twice"))


def _line(offers: Mapping[str, Applied], index: int, item: Asked) -> Line:
    offer, tier, _ = offers[item.offer_id]
    return price_line(offer, item.variant_id, item.units, tier, f"/lines/{index}")


def _chosen(order: Sequence[Applied], wanted: Mapping[str, int], list_fen: int) -> list[Applied]:
    """The offers that count, in their order: of each group the member with which the basket saves most."""
    groups: dict[str, list[Applied]] = {}
    for one in order:
        groups.setdefault(one.offer.stacking.exclusive_group or f"/{one.offer.offer_id}", []).append(one)
    ways = [sorted(way, key=order.index) for way in product(*groups.values())]
    return max(ways, key=lambda way: sum(_granted(way, wanted, list_fen).values()))


def _granted(way: Sequence[Applied], wanted: Mapping[str, int], list_fen: int) -> dict[str, int]:
    """What each of these offers takes off, counted one after the other: up to its cap, and out of its budget."""
    granted: dict[str, int] = {}
    for offer, _, left_fen in way:
        room = cap_fen(offer, list_fen) - sum(granted.values())
        most = wanted[offer.offer_id] if left_fen is None else min(wanted[offer.offer_id], left_fen)
        granted[offer.offer_id] = max(0, min(most, room))
    return granted


def cap_fen(offer: Offer, list_fen: int) -> int:
    """Up to what this offer may bring the discount of a basket; at most the whole basket."""
    caps = [list_fen]
    if offer.stacking.cap_bp is not None:
        caps.append(list_fen * offer.stacking.cap_bp // money.BP)
    if offer.stacking.cap_fen is not None:
        caps.append(offer.stacking.cap_fen)
    return min(caps)


def _cut(lines: Sequence[Line], offers: Mapping[str, Applied], granted: Mapping[str, int]) -> tuple[Line, ...]:
    """The lines with what was granted, an offer's first lines first."""
    left, cut = dict(granted), []
    for line in lines:
        share = min(line.discount_fen, left.get(line.offer_id, 0))
        left[line.offer_id] = left.get(line.offer_id, 0) - share
        cut.append(line if share == line.discount_fen else with_discount(line, offers[line.offer_id].offer, share))
    return tuple(cut)


_SAID: Mapping[StepCode, Text] = {
    "applied": Text("“{title_zh}”减 {granted} 元", "“{title_en}” takes {granted} yuan off"),
    "no-tier-reached": Text(
        "“{title_zh}”没有达到可减价的档位，按标价计", "“{title_en}”: no tier that lowers the price is reached"
    ),
    "excluded-by-group": Text(
        "“{title_zh}”与“{other_zh}”不能同时使用，已取更省的组合",
        "“{title_en}” cannot be used together with “{other_en}”; what saves more was taken",
    ),
    "capped": Text(
        "“{title_zh}”本可减 {wanted} 元，整单优惠有上限，减 {granted} 元",
        "“{title_en}” would take {wanted} yuan off; the basket's cap leaves {granted}",
    ),
    "budget-short": Text(
        "“{title_zh}”本可减 {wanted} 元，优惠资金已不足，减 {granted} 元",
        "“{title_en}” would take {wanted} yuan off; the money left for it gives {granted}",
    ),
}


def _step(applied: Applied, wanted_fen: int, granted_fen: int | None, chosen: Sequence[Applied]) -> Step:
    offer, tier, left_fen = applied
    other = offer
    if not wanted_fen:
        code: StepCode = "no-tier-reached"
    elif granted_fen is None:
        code = "excluded-by-group"
        group = offer.stacking.exclusive_group
        other = next(one.offer for one in chosen if one.offer.stacking.exclusive_group == group)
    elif granted_fen == wanted_fen:
        code = "applied"
    else:
        code = "budget-short" if granted_fen == left_fen else "capped"
    granted = granted_fen or 0
    said = _SAID[code].format(
        title_zh=offer.title.zh,
        title_en=offer.title.en,
        other_zh=other.title.zh,
        other_en=other.title.en,
        wanted=money.decimal(wanted_fen),
        granted=money.decimal(granted),
    )
    return Step(offer.offer_id, code, None if tier is None else tier.tier, wanted_fen, granted, said)
