"""Deals kept as plainly as they can be: a list of them, out of which every figure is worked out when it is asked for.

Nothing is counted up here, so nothing can be counted wrong. Money, windows, expiry and refusals are told anew from what
is promised, by none of the product's own rules.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Literal, NamedTuple

from chalicelib.offers.rules import Offer

ZONE = timezone(timedelta(hours=8))
QUOTE_LIFE = timedelta(minutes=15)
DISCOUNTS_BP = ((680, 5000), (620, 3000), (560, 1000), (500, 500))
MERCHANT = "xiamen/merchant/qingliu-farm"

Basket = Sequence[tuple[str, str, int]]
Reasons = set[str]
Phase = Literal["live", "paused", "stopped"]


class Slot(NamedTuple):
    """What is counted: the stock of a variant of an offer, or the offer's budget (no variant)."""

    offer_id: str
    variant: str = ""


@dataclass
class Person:
    """Somebody who buys. ``barred``: his city has suspended what his score gives him.

    ``grant_id`` is his consent's, as far as he was told; ``granted`` names the request by which he gave it.
    """

    name: str
    score: int | None
    consent_until: datetime
    grant_id: str
    barred: bool = False
    granted: object = None

    def consents(self, now: datetime) -> bool:
        """Whether he lets the merchant have decisions at this instant."""
        return now < self.consent_until


@dataclass
class Shelved:
    """An offer as people meet it: its version in force, how much there is in all, and whether it is open."""

    offer: Offer
    caps: dict[Slot, int]
    phase: Phase = "live"


@dataclass
class Sold:
    """Some units of a variant at a price; ``back`` of them were given back."""

    offer: Offer
    variant: str
    units: int
    list_fen: int
    payable_fen: int
    back: int = 0
    funding: dict[str, int] = field(default_factory=dict)

    @property
    def discount_fen(self) -> int:
        """What is taken off."""
        return self.list_fen - self.payable_fen

    @property
    def burned(self) -> int:
        """Units that nobody may have again although they were given back."""
        return self.back if self.offer.on_refund == "burn" else 0

    def carried(self, fen: int, start: int, stop: int) -> int:
        """What the units from one to another carry of an amount: evenly, a fen more on those that come first."""
        each, more = divmod(fen, self.units)
        return sum(each + (unit < more) for unit in range(start, stop))

    def kept_fen(self) -> int:
        """What the units that were not given back, or are burned, carry of the discount, funder by funder."""
        return sum(self.carried(fen, self.back - self.burned, self.units) for fen in self.funding.values())


@dataclass
class Dealt:
    """One deal. ``until``: when its quote or its reservation lapses; ``folded``: what a server has given back of it.

    ``by_person``: he has asked for the price himself, so that the merchant reads of it only while he consents.
    """

    quote_id: str
    who: Person
    lines: list[Sold]
    until: datetime
    barred: bool
    by_person: bool
    state: Literal["open", "reserved", "redeemed", "released"] = "open"
    windows: dict[str, tuple[str, ...]] = field(default_factory=dict)
    folded: set[str | Slot] = field(default_factory=set)

    @property
    def offers(self) -> dict[str, Offer]:
        """The versions it was quoted by."""
        return {line.offer.offer_id: line.offer for line in self.lines}


def takes(lines: Sequence[Sold], *, kept: bool = False) -> Counter[Slot]:
    """What lines take of stocks and budgets; ``kept``: less what refunds have given back."""
    taken: Counter[Slot] = Counter()
    for line in lines:
        taken[Slot(line.offer.offer_id, line.variant)] += line.units - (line.back - line.burned if kept else 0)
        if line.offer.budget_fen is not None and line.discount_fen:
            taken[Slot(line.offer.offer_id)] += line.kept_fen() if kept else line.discount_fen
    return taken


def counted(lines: Sequence[Sold], *, kept: bool = False) -> Counter[str]:
    """What lines take of a person's quotas, by offer; ``kept``: less what refunds have given back."""
    taken: Counter[str] = Counter()
    for line in lines:
        if line.offer.quota.limited:
            taken[line.offer.offer_id] += line.units - (line.back - line.burned if kept else 0)
    return taken


def windows_at(now: datetime) -> tuple[str, str, str, str]:
    """The day, the week, the month and the lifetime of an instant, by the clocks of Xiamen."""
    local = now.astimezone(ZONE)
    return f"{local:%Y-%m-%d}", f"{local:%G-W%V}", f"{local:%Y-%m}", "ever"


def lapses_at(now: datetime, offers: Sequence[Offer]) -> datetime:
    """When a reservation made now lapses: as the shortest-lived offer says, rounded up to a sixtieth of that."""
    seconds = min(offer.reservation_seconds or 0 for offer in offers)
    step = max(1, seconds // 60)
    whole = int((now + timedelta(seconds=seconds)).timestamp())
    return datetime.fromtimestamp(-(-whole // step) * step, now.tzinfo)


@dataclass
class Model:
    """The stall as it should be."""

    people: Sequence[Person]
    shelf: Mapping[str, Shelved]
    deals: list[Dealt] = field(default_factory=list)

    def priced(self, who: Person, offer: Offer, variant: str, units: int) -> Sold:
        """What somebody pays: the list price, less what the grade of his score takes off."""
        score = None if who.barred else who.score
        discount_bp = next((bp for least, bp in DISCOUNTS_BP if score is not None and score >= least), 0)
        found = offer.variant(variant)
        assert found is not None
        list_fen = found.price_fen * units
        return Sold(offer, variant, units, list_fen, list_fen * (10_000 - discount_bp) // 10_000)

    def basket(self, who: Person, asked: Basket, now: datetime) -> list[Sold]:
        """A basket at what somebody pays for it now: no more is taken off than the budgets have left, line by line."""
        lines = [self.priced(who, self.shelf[offer_id].offer, variant, units) for offer_id, variant, units in asked]
        left = {slot: self.free(slot, now) for slot in takes(lines) if not slot.variant}
        for line in lines:
            slot = Slot(line.offer.offer_id)
            if slot in left:
                granted = min(line.discount_fen, left[slot])
                line.payable_fen, left[slot] = line.list_fen - granted, left[slot] - granted
        return lines

    def redeemed(self, slot: Slot) -> int:
        """What counts as sold of a stock or a budget."""
        return sum(takes(deal.lines, kept=True)[slot] for deal in self.deals if deal.state == "redeemed")

    def buckets(self, slot: Slot) -> Counter[int]:
        """What is reserved of a stock or a budget and not folded, by the second at which it lapses."""
        found: Counter[int] = Counter()
        for deal in self.deals:
            if deal.state == "reserved" and slot not in deal.folded:
                found[int(deal.until.timestamp())] += takes(deal.lines)[slot]
        return +found

    def free(self, slot: Slot, now: datetime) -> int:
        """What is left of a stock or a budget to a server by whose clock it is ``now``."""
        held = sum(amount for until, amount in self.buckets(slot).items() if until > now.timestamp())
        return self.shelf[slot.offer_id].caps[slot] - self.redeemed(slot) - held

    def holding(self, who: Person, offer_id: str) -> list[Dealt]:
        """The reservations that count in somebody's quota, lapsed ones that nobody has folded among them."""
        mine = [deal for deal in self.deals if deal.who is who and deal.state == "reserved"]
        return [deal for deal in mine if offer_id in counted(deal.lines) and offer_id not in deal.folded]

    def used(self, who: Person, offer_id: str, window: str, now: datetime | None = None) -> int:
        """What somebody has had of an offer in a window; with ``now``, without reservations that have lapsed since."""
        mine = [deal for deal in self.deals if deal.who is who and window in deal.windows.get(offer_id, ())]
        sold = sum(counted(deal.lines, kept=True)[offer_id] for deal in mine if deal.state == "redeemed")
        held = [deal for deal in self.holding(who, offer_id) if deal in mine and (now is None or deal.until > now)]
        return sold + sum(counted(deal.lines)[offer_id] for deal in held)

    def short(self, who: Person, lines: Sequence[Sold], now: datetime) -> Reasons:
        """Which limits keep somebody from these goods."""
        tight = [slot for slot, amount in takes(lines).items() if amount > self.free(slot, now)]
        reasons = {"out-of-stock" if slot.variant else "budget-exhausted" for slot in tight}
        for offer_id, units in counted(lines).items():
            quota = next(line.offer.quota for line in lines if line.offer.offer_id == offer_id)
            limits = zip(windows_at(now), (quota.day, quota.week, quota.month, quota.lifetime), strict=True)
            if any(most is not None and self.used(who, offer_id, key, now) + units > most for key, most in limits):
                reasons.add("quota-exceeded")
        return reasons

    def against_quote(self, who: Person, asked: Basket, now: datetime) -> Reasons:
        """Why a basket cannot be quoted now; nothing: it must be."""
        phases = {self.shelf[offer_id].phase for offer_id, _, _ in asked}
        reasons = {{"stopped": "offer-stopped", "paused": "offer-not-live"}[phase] for phase in phases - {"live"}}
        reasons |= set() if who.consents(now) else {"consent-required"}
        return reasons | self.short(who, self.basket(who, asked, now), now)

    def _against(self, deal: Dealt, now: datetime) -> Iterator[str]:
        """What keeps a deal from being reserved or redeemed besides its own state and what is left."""
        if not deal.who.consents(now):
            yield "consent-required"
        if deal.who.barred != deal.barred:
            yield "quote-overtaken"
        if "stopped" in {self.shelf[offer_id].phase for offer_id in deal.offers}:
            yield "offer-stopped"

    def against_reservation(self, deal: Dealt, now: datetime) -> Reasons:
        """Why a deal cannot be reserved now."""
        if deal.state != "open":
            return {"quote-used"}
        reasons = {*self._against(deal, now)} | self.short(deal.who, deal.lines, now)
        reasons |= {"quote-expired"} if now >= deal.until else set()
        never = any(offer.reservation_seconds is None for offer in deal.offers.values())
        return reasons | ({"offer-not-reservable"} if never else set())

    def against_redemption(self, deal: Dealt, now: datetime) -> Reasons:
        """Why a deal cannot be redeemed now."""
        if deal.state == "redeemed":
            return {"quote-used"}
        if deal.state == "released":
            return {"quote-used", "reservation-closed"}
        reasons = {*self._against(deal, now)}
        if deal.state == "reserved":
            return reasons | ({"reservation-closed"} if deal.folded or now >= deal.until else set())
        reasons |= {"quote-expired"} if now >= deal.until else set()
        return reasons | self.short(deal.who, deal.lines, now)

    def against_release(self, deal: Dealt, now: datetime, *, himself: bool) -> Reasons:
        """Why a deal cannot be given up now."""
        if deal.state in {"redeemed", "released"}:
            return {"quote-used", "reservation-closed"}
        told = himself or not deal.by_person or deal.who.consents(now)
        reasons = set() if told else {"consent-required"}
        if deal.state == "open":
            return reasons | ({"quote-expired"} if now >= deal.until else set())
        return reasons | ({"reservation-closed", "conflict"} if deal.folded or now >= deal.until else set())

    def against_refund(self, deal: Dealt, index: int, units: int) -> Reasons:
        """Why units of a line cannot be given back; the time, a consent or a stop never stand in the way."""
        if deal.state != "redeemed":
            return {"quote-not-redeemed"}
        if index >= len(deal.lines):
            return {"not-found"}
        line = deal.lines[index]
        return {"refund-exceeds"} if units > line.units - line.back else set()

    def reserve(self, deal: Dealt, now: datetime) -> None:
        """The goods of a deal are put by."""
        deal.state, deal.until = "reserved", lapses_at(now, list(deal.offers.values()))
        deal.windows = dict.fromkeys(counted(deal.lines), windows_at(now))

    def redeem(self, deal: Dealt, now: datetime) -> None:
        """A deal is sold; what was reserved counts in the windows of its reservation."""
        if deal.state == "open":
            deal.windows = dict.fromkeys(counted(deal.lines), windows_at(now))
        deal.state = "redeemed"

    def release(self, deal: Dealt, _: datetime) -> None:
        """A deal is given up, and counts no more."""
        deal.state = "released"

    def books(self) -> Counter[str]:
        """What every account holds: of what was sold, the share of units that were not given back."""
        found: Counter[str] = Counter()
        for line in (line for deal in self.deals if deal.state == "redeemed" for line in deal.lines):
            left = {name: line.carried(fen, line.back, line.units) for name, fen in line.funding.items()}
            own, payable = left.get("merchant", 0), line.carried(line.payable_fen, line.back, line.units)
            found[f"{MERCHANT}/sales"] -= payable + sum(left.values())
            found[f"{MERCHANT}/takings"] += payable
            found[f"{MERCHANT}/discount"] += own
            found[f"{MERCHANT}/receivable"] += sum(left.values()) - own
            for name in left.keys() - {"merchant"}:
                found[f"xiamen/{name}/subsidy"] += left[name]
                found[f"xiamen/{name}/payable"] -= left[name]
        return Counter({account: fen for account, fen in found.items() if fen})
