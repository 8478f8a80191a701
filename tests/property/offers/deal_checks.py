"""What is stored of the stall, against its model: every counter, every quota, every deal and every account."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime

from chalicelib.core import table
from chalicelib.core.table import Key, Row
from chalicelib.ledger import store as ledger
from chalicelib.offers import store
from chalicelib.offers.rules.quotas import QuotaState
from tests.property.offers.deal_model import MERCHANT, Model, Person, Slot, windows_at
from tests.property.offers.stall import FARM_ID, Stall

EVER = (date(2026, 1, 1), date(2028, 1, 1))
STATES = {"open": "open", "reserved": "reserved", "redeemed": "redeemed", "released": "given_up"}


def check(stall: Stall, model: Model, now: datetime, fastest: datetime) -> None:
    """Everything at once, of one read; what has been folded since the last time is told to the model.

    Args:
        fastest: The latest instant that any server has thought it is: until then reservations may have been folded.
    """
    slots = {slot: _slot_key(slot) for shelved in model.shelf.values() for slot in shelved.caps}
    pairs = [(who, offer_id) for who in model.people for offer_id in model.shelf]
    quotas = {(who.name, offer_id): _quota_key(stall, who, offer_id) for who, offer_id in pairs}
    deals = {deal.quote_id: store.deal_key(deal.quote_id) for deal in model.deals}
    rows = table.fetch([*slots.values(), *quotas.values(), *deals.values()])
    for slot, key in slots.items():
        check_counter(model, slot, rows, key, fastest)
    for who, offer_id in pairs:
        state = store.quota_in(rows, quotas[who.name, offer_id]).state
        check_quota(model, who, offer_id, state, now, fastest)
    check_deals(model, rows)
    check_books(model)


def _slot_key(slot: Slot) -> Key:
    if not slot.variant:
        return store.counters.budget_key("xiamen", FARM_ID, slot.offer_id)
    return store.counters.stock_key("xiamen", FARM_ID, slot.offer_id, slot.variant)


def _quota_key(stall: Stall, who: Person, offer_id: str) -> Key:
    return store.quota_key("xiamen", stall.world.ref(who.name), FARM_ID, offer_id)


def check_counter(model: Model, slot: Slot, rows: Mapping[Key, Row], key: Key, fastest: datetime) -> None:
    """LIMIT: the equation, and each of its parts; a bucket is there as it should be, or was given back once."""
    seen = store.counters.counter_in(rows, key)
    assert seen is not None
    found = seen.counter
    assert min(found.avail, found.redeemed, *found.held.values(), 0) == 0
    assert found.avail + sum(found.held.values()) + found.redeemed == found.cap == model.shelf[slot.offer_id].caps[slot]
    assert found.redeemed == model.redeemed(slot)
    wanted = model.buckets(slot)
    assert all(held == wanted[bucket] for bucket, held in found.held.items())
    for bucket in wanted.keys() - found.held.keys():
        assert bucket <= fastest.timestamp(), "nothing is folded before the fastest clock says so"
        for deal in model.deals:
            if deal.state == "reserved" and int(deal.until.timestamp()) == bucket:
                deal.folded.add(slot)


def check_quota(
    model: Model, who: Person, offer_id: str, state: QuotaState, now: datetime, fastest: datetime
) -> None:  # fmt: skip
    """LIMIT: what somebody has had counts in every window that is not over, and in no other amount."""
    for deal in model.holding(who, offer_id):
        if deal.quote_id not in state.holds:
            assert deal.until <= fastest, "nothing is folded before the fastest clock says so"
            deal.folded.add(offer_id)
    assert state.holds.keys() == {deal.quote_id for deal in model.holding(who, offer_id)}
    for window in {*state.used, *windows_at(now)}:
        assert state.used.get(window, 0) == model.used(who, offer_id, window), window


def check_deals(model: Model, rows: Mapping[Key, Row]) -> None:
    """Every deal stands where it should; nothing more was refunded of it than sold."""
    for deal in model.deals:
        stored = store.deal_in(rows, deal.quote_id)
        assert stored is not None
        assert stored.quote.state == STATES[deal.state]
        back = () if stored.redemption is None else stored.redemption.refunded
        assert back == (tuple(line.back for line in deal.lines) if deal.state == "redeemed" else ())
        assert all(line.back <= line.units for line in deal.lines)


def check_books(model: Model) -> None:
    """LEDGER: each entry adds up to nothing, and every account holds what was sold less what was given back."""
    found: Counter[str] = Counter()
    for entry in ledger.entries_of(MERCHANT, *EVER):
        assert sum(posting.amount for posting in entry.postings) == 0
        for posting in entry.postings:
            found[posting.account] += posting.amount
    assert {account: fen for account, fen in found.items() if fen} == model.books()
