"""What a move of an offer changes besides its life: what is counted of it, and what people see of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chalicelib.cities import store as cities
from chalicelib.cities.rules import with_catalogue
from chalicelib.core import money
from chalicelib.core.commit import Unit
from chalicelib.core.errors import Conflict, Unavailable
from chalicelib.core.table import Key
from chalicelib.core.text import Text
from chalicelib.offers import store
from chalicelib.offers.rules import CapBelowUse, Offer, catalogue, counters
from chalicelib.offers.rules.counters import CountersFull
from chalicelib.offers.rules.heads import Head
from chalicelib.offers.service.desk import Desk, Name
from chalicelib.offers.service.folding import room_for


def cap_counters(unit: Unit, head: Head, offer: Offer, now: datetime) -> None:
    """Makes the counters say how much there is: as this version has it, if it is the last that was released.

    A variant that the version has no more keeps its counter: what was sold of it may come back.

    Raises: CountersFull; CapBelowUse; in this order.
    """
    name = Name.of(offer)
    caps = {store.counters.stock_key(*name, v.variant_id): v.stock for v in offer.variants}
    if offer.budget_fen is not None:
        caps[store.counters.budget_key(*name)] = offer.budget_fen
    there = store.counters.load_counters(*name)
    if len(caps.keys() | there.keys()) > counters.MAX_COUNTERS:
        raise CountersFull
    # A stop that was cut short has closed the counters and not the head: a new counter is no way around it.
    stopped_to = max([head.stopped_to, *(seen.stopped_to for seen in there.values())])
    for key, cap in caps.items():
        seen = there.get(key)
        if seen is None:
            store.counters.open_counter(unit, key, cap, stopped_to)
        elif head.says_stock(offer.version) and seen.counter.cap != cap:
            used = seen.counter.cap - counters.available(seen.counter, now)
            if cap < used:
                raise _below_use(offer, key, used)
            counter, fold = room_for(unit, key, seen.counter, seen.counter.cap - cap, now)
            store.counters.recap(unit, key, counter, cap, fold)


def _below_use(offer: Offer, key: Key, used: int) -> CapBelowUse:
    """Which stock is too small, or that the budget is, and by how much was used."""
    keys = {store.counters.stock_key(*Name.of(offer), v.variant_id): v.name for v in offer.variants}
    what = keys.get(key)
    if what is None:
        said = Text(
            "预算已核销和已预留 {yuan} 元，不得低于此数", "Of the budget {yuan} yuan are redeemed and reserved already"
        )
        return CapBelowUse(said.format(yuan=money.decimal(used)))
    said = Text("“{zh}”已核销和已预留 {used} 件，不得低于此数", "Of “{en}” {used} are redeemed and reserved already")
    return CapBelowUse(said.format(zh=what.zh, en=what.en, used=used))


def stop_counters(unit: Unit, name: Name, stopped_to: int) -> None:
    """Says on every counter of the offer up to which version it is stopped, at once: whoever redeems passes by there.

    Each is a write of its own, which meets one sale at a time and may be done again; one that cannot be written now
    keeps none of the others open.

    Raises: Unavailable: some could not be written within the patience.
    """
    late: Unavailable | None = None
    for key, seen in store.counters.load_counters(*name).items():
        if seen.stopped_to < stopped_to:
            alone = unit.again()
            store.counters.stop(alone, key, stopped_to)
            try:
                alone.commit()
            except Unavailable as unavailable:
                late = unavailable
            except Conflict:
                continue  # Another stop, of this version or a later one, was faster.
    if late is not None:
        raise late


def lift_counters(unit: Unit, name: Name, stopped_to: int, stays_stopped: int) -> None:
    """Opens every counter that is stopped up to ``stopped_to`` for what comes after ``stays_stopped``.

    A counter that is stopped further belongs to a stop that was cut short: that is completed first.
    """
    for key, seen in store.counters.load_counters(*name).items():
        if stays_stopped < seen.stopped_to <= stopped_to:
            store.counters.lift(unit, key, seen.stopped_to, stays_stopped)


def show(unit: Unit, desk: Desk, name: Name, head: Head, offer: Offer, now: datetime, *, grows: bool) -> None:
    """Puts what is released of the offer into the city's catalogue, if that is not what it has.

    Args:
        offer: The version that was moved; what the catalogue has of the others stays, but for their ends.

    Raises: CatalogueFull: it grows beyond what a chunk takes.
    """
    chunk = store.chunk_in(desk.rows, name.city_id, catalogue.chunk_number(name.key))
    there = catalogue.shown(chunk, name.key)
    ends = {version: head.versions[version].valid_to for version in head.on_shelf(now)}
    # What another process has dropped, because by its clock it has ended, is not put back.
    entries = {version: replace(there[version], valid_to=ends[version]) for version in ends if version in there}
    if offer.version in ends:
        entries[offer.version] = catalogue.entry_of(offer, ends[offer.version])
    if entries != there:
        store.save_chunk(unit, name.city_id, catalogue.put(chunk, name.key, entries, now), grows=grows)
        cities.save_control(unit, with_catalogue(desk.control), seen_revision=desk.control.revision)
