"""Why a person pays what he pays, and why not less: to himself everything, to a merchant the tier and a code.

What the merchant is told of the score depends on the tier that is paid by and on nothing else: a distance in points
would tell the score.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chalicelib.core import money
from chalicelib.core.errors import Problem
from chalicelib.core.text import Text
from chalicelib.offers.rules.compiled import CompiledOffer
from chalicelib.offers.rules.offer import Offer, OfferTier
from chalicelib.offers.rules.pricing import exact_price
from chalicelib.scenarios.rules import CitizenView, Decision, Verdict, describe, explain


@dataclass(frozen=True, slots=True)
class TierReason:
    """One condition of one tier, or (``tier`` None) something about the person or the rules as a whole."""

    code: str
    tier: str | None
    met: Verdict
    missing_points: int | None
    said: Text


@dataclass(frozen=True, slots=True)
class NextTier:
    """The tier still ahead, what it pays, and how many points of the person's own scale are missing, if that is it."""

    tier: str
    missing_points: int | None
    said: Text


@dataclass(frozen=True, slots=True)
class Hindrance:
    """A limit in the way, by the code of its refusal."""

    code: str
    said: Text


@dataclass(frozen=True, slots=True)
class CitizenAnswer:
    """For the person himself: everything, in sentences."""

    offer_id: str
    version: int
    tier: str | None
    said: Text
    reasons: tuple[TierReason, ...]
    next_tier: NextTier | None
    hindrances: tuple[Hindrance, ...]


@dataclass(frozen=True, slots=True)
class MerchantAnswer:
    """For the merchant: the tier and a code, and the codes of the limits in the way."""

    offer_id: str
    version: int
    tier: str | None
    code: str
    hindrances: tuple[str, ...]


def tell_citizen(compiled: CompiledOffer, decision: Decision, problems: Iterable[Problem] = ()) -> CitizenAnswer:
    """The decision on an offer with every reason, and with the limits that are in the way."""
    offer, tier, view = compiled.offer, compiled.tier_of(decision), explain(decision, "citizen")
    return CitizenAnswer(
        offer_id=offer.offer_id,
        version=offer.version,
        tier=None if tier is None else tier.tier,
        said=terms(offer, tier),
        reasons=tuple(_reasons(compiled, view)),
        next_tier=_next(compiled, decision, view),
        hindrances=tuple(Hindrance(problem.code, problem.detail) for problem in problems),
    )


def tell_merchant(compiled: CompiledOffer, decision: Decision, problems: Iterable[Problem] = ()) -> MerchantAnswer:
    """The decision on an offer as its merchant may know it."""
    tier, (code, *_) = compiled.tier_of(decision), explain(decision, "partner").codes
    if code in {"tier_reached", "no_tier_reached"}:
        code = "no_tier_reached" if tier is None else "tier_applied"
    return MerchantAnswer(
        offer_id=compiled.offer.offer_id,
        version=compiled.offer.version,
        tier=None if tier is None else tier.tier,
        code=code.replace("_", "-"),
        hindrances=tuple(problem.code for problem in problems),
    )


def terms(offer: Offer, tier: OfferTier | None) -> Text:
    """What a tier pays, in words: "七折", or the price of every variant that has one."""
    if tier is None:
        return Text("按标价", "the list price")
    if tier.discount_bp is not None:
        return describe("discount_bp", tier.discount_bp)
    priced = [(variant.name, tier.prices_fen[variant.variant_id]) for variant in offer.variants
              if variant.variant_id in tier.prices_fen]  # fmt: skip
    return Text(
        "，".join(f"“{name.zh}”{money.decimal(fen)} 元" for name, fen in priced),
        ", ".join(f"“{name.en}” {money.decimal(fen)} yuan" for name, fen in priced),
    )


def _reasons(compiled: CompiledOffer, view: CitizenView) -> Iterable[TierReason]:
    for reason in view.reasons:
        if reason.tier_id is None or reason.tier_id in compiled.tiers:
            tier = None if reason.tier_id is None else compiled.tiers[reason.tier_id].tier
            yield TierReason(reason.code, tier, reason.verdict, reason.missing_points, reason.said)


def _next(compiled: CompiledOffer, decision: Decision, view: CitizenView) -> NextTier | None:
    line, now = view.next_tier, compiled.tier_of(decision)
    ahead = None if line is None else compiled.tiers.get(line.tier_id)
    if line is None or ahead is None or not _saves(compiled.offer, ahead, now):
        return None
    # A table of prices has no benefits of its own, so that its sentence ends where what is given begins.
    gives = Text("", "") if line.gives else terms(compiled.offer, ahead)
    said = Text(line.said.zh + gives.zh, line.said.en + gives.en)
    return NextTier(ahead.tier, line.missing_points, said)


def _saves(offer: Offer, ahead: OfferTier, now: OfferTier | None) -> bool:
    return any(exact_price(variant, ahead) < exact_price(variant, now) for variant in offer.variants)
