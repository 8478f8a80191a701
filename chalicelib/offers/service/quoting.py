"""Quotes: what a basket costs this person, pinned for a while, with every reason."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from chalicelib.core import codec, effect
from chalicelib.core.auth import Caller
from chalicelib.core.commit import Unit, looking_again
from chalicelib.core.effect import Intent
from chalicelib.core.errors import Conflict, Problem
from chalicelib.core.text import Text
from chalicelib.offers import store
from chalicelib.offers.rules import (
    Applied,
    Basket,
    BasketInvalid,
    CompiledOffer,
    Offer,
    Quote,
    hindrances,
    price_basket,
    quote_expiry,
    tell_citizen,
    tell_merchant,
)
from chalicelib.offers.rules.deals import MAX_FUNDERS, Deal
from chalicelib.offers.rules.postings import funders_of
from chalicelib.offers.rules.views import CitizenQuote, MerchantQuote, view_of
from chalicelib.offers.service.shelf import Ask, Shelf, compiled_offer, read_shelf
from chalicelib.scenarios.rules import Basis, Decision, decide, digest
from chalicelib.scenarios.service.grounds import basis_of, facts_of
from chalicelib.subjects import service as subjects
from chalicelib.subjects import store as accounts
from chalicelib.subjects.rules import (
    Account,
    AccountRef,
    ConsentBrief,
    ConsentRequired,
    Pass,
    PassUsed,
    check_pass,
    require_consent,
)


class Judged(NamedTuple):
    """One offer, made ready with the table that was in force, and what it decided."""

    compiled: CompiledOffer
    decision: Decision


@dataclass(frozen=True, slots=True)
class Kept:
    """What the effect of a quote keeps, so that it can be worked out again."""

    quote_id: str
    merchant_id: str
    basis: Basis
    lines: tuple[tuple[str, int, str, int], ...]
    left_fen: Mapping[str, int]
    trace_sha256: str


@dataclass(frozen=True, slots=True)
class _Priced:
    deal: Deal
    account: Account
    judged: Mapping[str, Judged]
    problems: Mapping[str, tuple[Problem, ...]]
    left_fen: Mapping[str, int]


def quote_at_counter(
    unit: Unit, intent: Intent, now: datetime, caller: Caller, ask: Ask, pass_code: str
) -> MerchantQuote:
    """Tells a merchant what a basket costs the person who shows this pass, and uses the pass up.

    Raises:
        PassInvalid; PassExpired; what ``read_shelf`` raises; PassInvalid: for another scenario; what pricing raises
        (``_price``); PassUsed; Conflict: the account keeps changing; in this order.
    """
    shown = subjects.open_pass(pass_code, caller.sector, None, now)
    return looking_again(unit, lambda fresh: _at_counter(fresh, intent, now, caller.sector, ask, shown))


def _at_counter(unit: Unit, intent: Intent, now: datetime, recipient: str, ask: Ask, shown: Pass) -> MerchantQuote:
    shelf = read_shelf(ask, shown.ref, now)
    check_pass(shown, recipient, shelf.purpose, now)
    priced = _price(intent, now, ask, shelf, recipient)
    _require_none(priced)
    told = tuple(tell_merchant(*judged) for judged in priced.judged.values())
    quoted = MerchantQuote(view_of(priced.deal, now), told)
    accounts.use_pass(unit, shown, PassUsed)
    _record(unit, intent, now, priced, priced.deal, quoted)
    return quoted


def quote_for_self(unit: Unit, intent: Intent, now: datetime, ref: AccountRef, ask: Ask) -> CitizenQuote:
    """Tells a citizen what a basket costs him, with every reason; the merchant may then redeem it.

    A dry run shows every limit in the way instead of refusing for the first.
    Raises: what ``read_shelf`` raises; what pricing raises (``_price``); Conflict; in this order.
    """
    return looking_again(unit, lambda fresh: _for_self(fresh, intent, now, ref, ask))


def _for_self(unit: Unit, intent: Intent, now: datetime, ref: AccountRef, ask: Ask) -> CitizenQuote:
    shelf = read_shelf(ask, ref, now)
    priced = _price(intent, now, ask, shelf, f"merchant:{ask.city_id}/{ask.merchant_id}")
    if not unit.dry_run:
        _require_none(priced)
    told = tuple(tell_citizen(*judged, priced.problems[key]) for key, judged in priced.judged.items())
    deal = replace(priced.deal, by_person=True)
    quoted = CitizenQuote(view_of(deal, now, own=True), told)
    _record(unit, intent, now, priced, deal, quoted)
    return quoted


def _price(intent: Intent, now: datetime, ask: Ask, shelf: Shelf, recipient: str) -> _Priced:
    """The deal as it would be.

    Raises: ConsentRequired; NotFound: no table of the scenario in force, or no such district; OfferOutOfStep;
        BasketInvalid; VariantUnknown; in this order.
    """
    account, consent = consenting(shelf.account, shelf.purpose, recipient, now)
    basis = basis_of(shelf.host, shelf.home, account, shelf.scenario_id, shelf.district, now)
    judged = judge(basis, shelf.offers)
    left_fen = {key: left for key in shelf.offers if (left := shelf.situation(key, now).budget_fen) is not None}
    basket = basket_for(ask, {key: applied(one, left_fen.get(key)) for key, one in judged.items()})
    problems = {
        key: tuple(hindrances(offer, basket.lines, shelf.situation(key, now), ask.district, now))
        for key, offer in shelf.offers.items()
    }
    deal = Deal(
        quote=_quote(intent, now, ask, shelf, basket, subjects.known_as(recipient, account.ref), consent),
        receipt_id=intent.effect_id,
        scenario_id=shelf.scenario_id,
        district=shelf.district,
        ref=account.ref,
        recipient=recipient,
        guard=account.guard,
        consent_until=consent.expires_at,
        basis=basis,
        trace_sha256=trace_of(judged, basket),
        quotas={key: seen for key, seen in shelf.quotas.items() if shelf.offers[key].quota.limited},
        crowded=shelf.crowded,
    )
    return _Priced(deal, account, judged, problems, left_fen)


def basket_for(ask: Ask, applied_offers: Mapping[str, Applied]) -> Basket:
    """The basket at what somebody in these tiers pays. Raises: BasketInvalid; VariantUnknown; as ``price_basket``."""
    basket = price_basket(ask.lines, applied_offers)
    if len(funders_of(basket.lines)) > MAX_FUNDERS:
        said = Text("一单的出资方不得超过 {n} 个", "At most {n} parties fund one basket").format(n=MAX_FUNDERS)
        raise BasketInvalid.at("/lines", said)
    return basket


def consenting(account: Account | None, purpose: str, recipient: str, now: datetime) -> tuple[Account, ConsentBrief]:
    """The account and the consent by which this merchant may learn its tier. Raises: ConsentRequired."""
    consent = require_consent(account, purpose, recipient, now)
    if account is None or "decision" not in consent.items:
        raise ConsentRequired
    return account, consent


def require_told(deal: Deal, now: datetime) -> None:
    """Returns if the merchant may read what a quote says that the person asked for himself.

    Until it is redeemed, the merchant knows of the score by this quote alone. Raises: ConsentRequired.
    """
    if deal.by_person and deal.redemption is None:
        consenting(accounts.load_account(deal.ref), deal.purpose, deal.recipient, now)


def _quote(
    intent: Intent, now: datetime, ask: Ask, shelf: Shelf, basket: Basket, person: str, consent: ConsentBrief
) -> Quote:
    own_part = intent.effect_id.partition(".")[2]
    return Quote(
        quote_id=f"{ask.city_id}.{own_part}",
        city_id=ask.city_id,
        merchant_id=ask.merchant_id,
        person=person,
        quoted_at=now,
        expires_at=min(quote_expiry(shelf.offers.values(), now), consent.expires_at),
        lines=basket.lines,
        steps=basket.steps,
    )


def judge(basis: Basis, offers: Mapping[str, Offer]) -> dict[str, Judged]:
    """What each offer decides of these facts, from immutable versions only, so the same on any day.

    Raises: OfferOutOfStep.
    """
    facts = facts_of(basis)
    made = {key: compiled_offer(offer, basis.table_version) for key, offer in offers.items()}
    return {key: Judged(compiled, decide(compiled.table, facts)) for key, compiled in made.items()}


def applied(judged: Judged, left_fen: int | None) -> Applied:
    """The offer with the tier that the person has reached, and what is left of its budget."""
    return Applied(judged.compiled.offer, judged.compiled.tier_of(judged.decision), left_fen)


def trace_of(judged: Mapping[str, Judged], basket: Basket) -> str:
    """The hash of everything that led to the price: each decision's trace, and the lines."""
    traces = [[key, digest(one.decision)] for key, one in sorted(judged.items())]
    return hashlib.sha256(codec.canonical([traces, basket.lines]).encode()).hexdigest()


def _require_none(priced: _Priced) -> None:
    for problems in priced.problems.values():
        for problem in problems:
            raise problem


def _record(
    unit: Unit, intent: Intent, now: datetime, priced: _Priced, deal: Deal, reply: MerchantQuote | CitizenQuote
) -> None:
    accounts.check_guard(unit, priced.account, Conflict)
    store.save_deal(unit, deal)
    lines = tuple((line.offer_id, line.version, line.variant_id, line.units) for line in deal.quote.lines)
    kept = Kept(deal.quote.quote_id, deal.merchant_id, deal.basis, lines, priced.left_fen, deal.trace_sha256)
    subject = accounts.account_pk(deal.ref)
    purpose = f"quote:{deal.purpose}"
    unit.effect(effect.row(intent, now, purpose=purpose, facts=kept, reply=reply, subject=subject))
    unit.commit()
