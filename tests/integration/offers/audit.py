"""An audit of everything that is stored of deals: what does not fit, each in a sentence; nothing, if all of it does.

It reads items as they lie there and trusts none of the code that wrote them: neither a counter's equation nor the sum
of an entry is taken for granted.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chalicelib.core.effect import EffectRow
from chalicelib.core.table import Key, Row
from chalicelib.offers import store
from chalicelib.offers.rules.deals import Deal
from chalicelib.offers.rules.pricing import Line
from chalicelib.offers.service.shelf import budget_key, stock_key

Item = dict[str, Any]


@dataclass
class Books:
    """What was found: counters, deals, quotas and effects, as they lie there."""

    counters: dict[Key, Any] = field(default_factory=dict)
    quotas: dict[Key, Row] = field(default_factory=dict)
    deals: list[Deal] = field(default_factory=list)
    effects: list[EffectRow] = field(default_factory=list)


def audit(items: Iterable[Item], latest: datetime) -> list[str]:
    """What is wrong with the items of a table.

    Args:
        latest: The latest instant that any server thought it was: what lapses later cannot have been folded.
    """
    books = _read(items)
    found = [*_counters(books), *_uses(books, latest), *_quotas(books), *_entries(books), *_once(books)]
    return sorted(found)


def _read(items: Iterable[Item]) -> Books:
    books = Books()
    for row in (Row.from_raw_data(item) for item in items):
        if isinstance(row, EffectRow):
            books.effects.append(row)
        elif row.pk.partition("#")[2].startswith("deal#"):
            deal = store.deal_in({row.key: row}, row.pk.split("#")[2])
            assert deal is not None
            books.deals.append(deal)
        elif row.pk.partition("#")[2].startswith("quota#"):
            books.quotas[row.key] = row
        elif row.sk == "budget" or row.sk.startswith("stock#"):
            books.counters[row.key] = row
    return books


def _held(row: Any) -> dict[int, int]:
    return {int(bucket): int(units) for bucket, units in row.held.attribute_values.items()}


def _counters(books: Books) -> Iterator[str]:
    for key, row in books.counters.items():
        held = _held(row)
        if row.avail + sum(held.values()) + row.redeemed != row.cap:
            yield f"LIMIT {key.sk}: {row.avail} + {sum(held.values())} + {row.redeemed} are not {row.cap}"
        if min(row.avail, row.redeemed, *held.values(), 0) < 0:
            yield f"LIMIT {key.sk}: less than nothing is free, held or redeemed"


def _taken(deal: Deal, *, kept: bool) -> Counter[Key]:
    """What a deal takes of each counter; ``kept``: less what refunds have restored."""
    taken: Counter[Key] = Counter()
    back = deal.redemption.refunded if kept and deal.redemption is not None else (0,) * len(deal.quote.lines)
    for line, gone in zip(deal.quote.lines, back, strict=True):
        offer = store.load_version(deal.city_id, deal.merchant_id, line.offer_id, line.version)
        restored = gone if line.on_refund == "restore" else 0
        taken[stock_key(offer, line.variant_id)] += line.units - restored
        if offer.budget_fen is not None and line.discount_fen:
            taken[budget_key(offer)] += sum(_left(part.fen, line.units, restored) for part in line.funding)
    return taken


def _left(fen: int, units: int, gone: int) -> int:
    """What all but the first units carry of an amount: evenly, a fen more on those that come first."""
    return sum(fen // units + (unit < fen % units) for unit in range(gone, units))


def _uses(books: Books, latest: datetime) -> Iterator[str]:
    """Whether every counter says what the deals say."""
    redeemed: Counter[Key] = Counter()
    reserved: dict[Key, Counter[int]] = defaultdict(Counter)
    for deal in books.deals:
        if deal.quote.state == "redeemed":
            redeemed.update(_taken(deal, kept=True))
        elif deal.quote.state == "reserved" and deal.reservation is not None:
            for key, amount in _taken(deal, kept=False).items():
                reserved[key][int(deal.reservation.expires_at.timestamp())] += amount
    for key, row in books.counters.items():
        if row.redeemed != redeemed[key]:
            yield f"LIMIT {key.sk}: {row.redeemed} are counted as redeemed, {redeemed[key]} were"
        held = _held(row)
        for bucket in held.keys() | reserved[key].keys():
            there, due = held.get(bucket), reserved[key][bucket]
            if there != due and not (there is None and bucket <= latest.timestamp()):
                yield f"LIMIT {key.sk}: {there} are counted as held until {bucket}, {due} are"


def _quotas(books: Books) -> Iterator[str]:
    """Whether what is counted for a person is what he has had, in every window that is still kept."""
    for key, row in books.quotas.items():
        (merchant_id, offer_id), person_id = key.sk.split("/"), key.pk.split("#")[2]
        state = store.quota_in({key: row}, key).state
        had: Counter[str] = Counter()
        for hold in state.holds.values():
            had.update(dict.fromkeys(hold.windows, hold.units))
        for deal in books.deals:
            if (deal.merchant_id, deal.ref.person_id) == (merchant_id, person_id):
                had.update(_had(deal, offer_id))
        for window, units in state.used.items():
            if units != had[window]:
                yield f"LIMIT quota of {key.sk} in {window}: {units} are counted, {had[window]} were had"


def _had(deal: Deal, offer_id: str) -> dict[str, int]:
    """What a sale counts in each window of a person's quota, less what refunds have restored."""
    sold = deal.redemption
    if sold is None or offer_id not in sold.windows:
        return {}
    lines = [pair for pair in zip(sold.lines, sold.refunded, strict=True) if pair[0].offer_id == offer_id]
    units = sum(line.units - (gone if line.on_refund == "restore" else 0) for line, gone in lines)
    return dict.fromkeys(sold.windows[offer_id], units)


def _posted(row: EffectRow) -> Any:
    return None if row.postings is None else json.loads(row.postings)


def _entries(books: Books) -> Iterator[str]:
    """Whether each deal's sale and refunds are posted once, and leave what the deal says is left."""
    posted = {row.effect_id: _posted(row) for row in books.effects if row.postings is not None}
    for effect_id, entry in posted.items():
        if sum(amount for _, _, amount in entry["postings"]):
            yield f"LEDGER {effect_id}: does not add up to nothing"
    sales = {deal.redemption.redemption_id: deal for deal in books.deals if deal.redemption is not None}
    kinds = {row.effect_id: row.purpose.partition(":")[0] for row in books.effects}
    for effect_id in {effect_id for effect_id, kind in kinds.items() if kind == "redeem"} ^ sales.keys():
        yield f"LEDGER {effect_id}: a sale without an entry, or an entry without a sale"
    for sale_id, deal in sales.items():
        parts = [posted[sale_id]] if sale_id in posted else []
        parts += [entry for entry in posted.values() if entry["reverses"] == sale_id]
        if _sums(parts) != _due(deal):
            yield f"LEDGER {sale_id}: {_sums(parts)} is posted, {_due(deal)} is due"


def _sums(entries: Iterable[Any]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for entry in entries:
        for account, _, amount in entry["postings"]:
            sums[account.rpartition("/")[2]] += amount
    return {role: amount for role, amount in sums.items() if amount}


def _due(deal: Deal) -> dict[str, int]:
    """What a deal's entries leave on the accounts of each role, after its refunds."""
    due: Counter[str] = Counter()
    assert deal.redemption is not None
    for line, gone in zip(deal.quote.lines, deal.redemption.refunded, strict=True):
        paid, parts = _left(line.payable_fen, line.units, gone), _parts_left(line, gone)
        own = parts["merchant"]
        others = sum(parts.values()) - own
        due.update({"sales": -paid - own - others, "takings": paid, "discount": own, "receivable": others})
        due.update({"subsidy": others, "payable": -others})
    return {role: amount for role, amount in due.items() if amount}


def _parts_left(line: Line, gone: int) -> Mapping[str, int]:
    left: Counter[str] = Counter()
    for part in line.funding:
        left[part.funder] += _left(part.fen, line.units, gone)
    return left


def _once(books: Books) -> Iterator[str]:
    """Whether each deal was redeemed once, and refunded as often as it says and no further than it was sold."""
    done = Counter(
        (row.purpose.partition(":")[0], json.loads(row.facts)["quote_id"])
        for row in books.effects
        if row.purpose.partition(":")[0] in {"redeem", "refund"}
    )
    for deal in books.deals:
        quote_id = deal.quote.quote_id
        wanted = (int(deal.redemption is not None), deal.refunds)
        found = (done["redeem", quote_id], done["refund", quote_id])
        if found != wanted:
            yield f"ONCE {quote_id}: redeemed and refunded {wanted} times, by {found} effects"
        back = () if deal.redemption is None else deal.redemption.refunded
        if any(gone > line.units for line, gone in zip(deal.quote.lines, back, strict=False)):
            yield f"LIMIT {quote_id}: more was refunded than sold"
