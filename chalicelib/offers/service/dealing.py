"""One step of a deal: what was seen, what it takes of every counter and quota, and the second look where it failed.

The first try rests on what the deal itself remembers: one read, one write. Where a condition fails, everything is read,
the rules say what is short, and if nothing is, the step is tried once more on what was seen, lapsed buckets folded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from chalicelib.cities import store as cities
from chalicelib.cities.rules import Control
from chalicelib.core import table
from chalicelib.core.commit import LOOKED_AGAIN, Unit
from chalicelib.core.errors import Conflict, Problem
from chalicelib.core.table import Key, Row
from chalicelib.offers import store
from chalicelib.offers.rules import (
    BudgetExhausted,
    Line,
    Offer,
    OfferStopped,
    QuotaExceeded,
    QuoteForeign,
    ReservationClosed,
    counters,
    out_of_stock,
    uses_of,
)
from chalicelib.offers.rules.deals import Deal, QuoteOvertaken, SeenQuota
from chalicelib.offers.service.folding import room_for
from chalicelib.offers.service.quoting import consenting
from chalicelib.offers.service.shelf import budget_key, offers_of, stock_key
from chalicelib.offers.store.counters import SeenCounter, Use
from chalicelib.scenarios.service.grounds import is_barred, table_in_force
from chalicelib.subjects import store as accounts
from chalicelib.subjects.rules import Account

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Step:
    """A deal that somebody wants to take one step further. ``rows`` None: only the deal itself was looked at."""

    deal: Deal
    host: Control
    offers: Mapping[str, Offer]
    rows: Mapping[Key, Row] | None = None

    @property
    def account(self) -> Account | None:
        """The person's account, where it was looked at."""
        return None if self.rows is None else accounts.account_in(self.rows, self.deal.ref)

    def quota(self, offer_id: str) -> SeenQuota:
        """How much of an offer the person has had, as it was seen last."""
        if self.rows is None:
            return self.deal.quotas[offer_id]
        return store.quota_in(self.rows, _quota_key(self.deal, offer_id))

    def counter(self, key: Key) -> SeenCounter | None:
        """A counter, where it was looked at."""
        if self.rows is None:
            return None
        seen = store.counters.counter_in(self.rows, key)
        assert seen is not None, "what was on the shelf is counted"
        return seen


@dataclass(frozen=True, slots=True)
class Taken:
    """What a step takes of one counter, and what to say where it is short."""

    key: Key
    amount: int
    version: int
    short: Callable[[int], Problem]


def in_step(unit: Unit, quote_id: str, mine: Callable[[Deal], bool], take: Callable[[Unit, Step], T]) -> T:
    """What ``take`` gives for this deal; done again on a full view where what the deal remembers holds no longer.

    Raises: QuoteForeign: there is none, or it is not ``mine``; what ``take`` raises; Conflict: it keeps changing.
    """
    step = _remembered(quote_id, mine)
    if not (unit.dry_run or step.deal.crowded):
        try:
            return take(unit.again(), step)
        except (Conflict, QuotaExceeded, ReservationClosed):
            pass
    for _ in range(LOOKED_AGAIN):
        step = _looked_at(step.deal, mine)
        try:
            return take(unit.again(), step)
        except Conflict:
            continue
    raise Conflict


def _remembered(quote_id: str, mine: Callable[[Deal], bool]) -> Step:
    city = cities.control_key(quote_id.partition(".")[0])
    rows = table.fetch([store.deal_key(quote_id), city])
    return _step(rows, quote_id, mine)


def _looked_at(deal: Deal, mine: Callable[[Deal], bool]) -> Step:
    offers = offers_of(deal)
    keys = [
        store.deal_key(deal.quote.quote_id),
        cities.control_key(deal.city_id),
        accounts.account_key(deal.ref),
        *(_quota_key(deal, offer_id) for offer_id in deal.quotas),
        *(taken.key for taken in taken_by(deal.quote.lines, offers)),
    ]
    rows = table.fetch(keys)
    return replace(_step(rows, deal.quote.quote_id, mine), rows=rows)


def _step(rows: dict[Key, Row], quote_id: str, mine: Callable[[Deal], bool]) -> Step:
    deal = store.deal_in(rows, quote_id)
    if deal is None or not mine(deal):
        raise QuoteForeign
    return Step(deal, cities.control_in(rows, deal.city_id), offers_of(deal))


def _quota_key(deal: Deal, offer_id: str) -> Key:
    return store.quota_key(deal.city_id, deal.ref, deal.merchant_id, offer_id)


def check_person(unit: Unit, step: Step, now: datetime) -> Deal:
    """Makes it a condition of the write that the person's consent stands and that he is barred as he was, or not.

    Returns the deal, with the guard and the end of the consent as they were seen.
    Raises: Conflict: the consent that the deal remembers has ended; ConsentRequired; QuoteOvertaken; in this order.
    """
    deal = step.deal
    if step.rows is None:
        if deal.consent_until <= now:
            raise Conflict
        accounts.check_guard_seen(unit, deal.ref, deal.guard, Conflict)
        return deal
    account, consent = consenting(step.account, deal.purpose, deal.recipient, now)
    table_then = table_in_force(deal.city_id, deal.scenario_id, deal.basis.table_version)
    if is_barred(account, table_then) != (deal.basis.nothing == "suspended"):
        raise QuoteOvertaken
    accounts.check_guard(unit, account, Conflict)
    return replace(deal, guard=account.guard, consent_until=consent.expires_at)


def taken_by(lines: tuple[Line, ...], offers: Mapping[str, Offer]) -> Iterator[Taken]:
    """What these lines take of each counter: units of each variant, and fen of each budget."""
    uses = uses_of(lines, offers)
    for (offer_id, variant_id), units in uses.stock.items():
        yield _of_stock(offers[offer_id], variant_id, units)
    for offer_id, fen in uses.budget_fen.items():
        offer = offers[offer_id]
        yield Taken(budget_key(offer), fen, offer.version, lambda _: BudgetExhausted())


def _of_stock(offer: Offer, variant_id: str, units: int) -> Taken:
    key = stock_key(offer, variant_id)
    return Taken(key, units, offer.version, lambda left: out_of_stock(offer, variant_id, left))


def free_use(unit: Unit, step: Step, taken: Taken, now: datetime) -> Use:
    """The change that takes from what is free: blind, or as it was seen, with lapsed buckets folded.

    Raises: OfferStopped; OutOfStock or BudgetExhausted; Conflict: a lapsed bucket has changed; in this order.
    """
    seen = step.counter(taken.key)
    if seen is None:
        return Use(taken.key, taken.amount, taken.version)
    _require_going(seen, taken)
    if counters.available(seen.counter, now) < taken.amount:
        raise taken.short(counters.available(seen.counter, now))
    _, fold = room_for(unit, taken.key, seen.counter, taken.amount, now)
    return Use(taken.key, taken.amount, taken.version, fold)


def held_use(step: Step, taken: Taken, bucket: int) -> Use:
    """The change that redeems what was reserved. Raises: OfferStopped; ReservationClosed; in this order."""
    seen = step.counter(taken.key)
    if seen is not None:
        _require_going(seen, taken)
    return void_use(step, taken, bucket)


def void_use(step: Step, taken: Taken, bucket: int) -> Use:
    """The change that gives back what was reserved, also of an offer that is stopped.

    Raises: ReservationClosed: it has lapsed by a clock that is ahead, and was given back by that.
    """
    seen = step.counter(taken.key)
    if seen is not None and seen.counter.held.get(bucket, 0) < taken.amount:
        raise ReservationClosed
    return Use(taken.key, taken.amount, taken.version)


def _require_going(seen: SeenCounter, taken: Taken) -> None:
    if taken.version <= seen.stopped_to:
        raise OfferStopped


def save_quota(unit: Unit, step: Step, offer_id: str, seen: SeenQuota, changed: SeenQuota) -> SeenQuota:
    """Writes how much the person has had of an offer, if nobody else has since it was seen."""
    return store.save_quota(unit, _quota_key(step.deal, offer_id), seen, changed.state)
