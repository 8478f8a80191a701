"""What a redemption costs beside its two calls to the database, and what a search of the catalogue costs.

The floor of a redemption is a bare botocore client (see ``floors.py``): two items read, five written in one
transaction. Ours is the service (deal, control item and offer read, counter, quota, ledger entry and effect made and
written), and, for information, the whole request around it: gateway event in, token verified, reply out.

A search is a page of 50 out of 500 offers by category, district and text, against a bare list comprehension over the
same list with the same conditions. It calls no database.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any
from unittest import mock

import tests.conftest  # noqa: F401 - the environment comes before whatever reads it

# isort: split

from chalicelib.cities import store as cities
from chalicelib.core import clock, effect, log
from chalicelib.core.commit import Unit
from chalicelib.offers import service, store
from chalicelib.offers.rules import Quota
from chalicelib.offers.rules.catalogue import CHUNKS, Chunk, Entry, Wanted, chunk_number, entry_of, folded
from tests import world
from tests.bench.floors import beside_botocore, best_us, figure, gateway
from tests.integration.offers.market import Market
from tests.unit.offers import shop
from tests.world import FARM, World

REDEMPTION_LIMIT = 1.25
SEARCH_LIMIT = 3.0
OFFERS = 500
PAGE = 50
PATH = "/v1/quotes/{quote_id}/redemption"
CITY, CATEGORY, DISTRICT, TEXT = "xiamen", "tea", "jimei", "绿茶 green"


def measure() -> list[dict[str, Any]]:
    """Of many rounds in turns: name, floor_us, ours_us, ratio, limit (None: for information)."""
    made = world._loaded()
    with made.active(), mock.patch.object(log, "sink", io.StringIO()):
        made.restore()
        found = [*_redemption(made), _search(made)]
        made.restore()
    return found


def _redemption(made: World) -> list[dict[str, Any]]:
    market = Market(made)
    quote_id = market.quoted(market.buyer(), market.shelve(market.offer(quota=Quota(day=3))))
    request = gateway("POST", PATH, made.client.token(FARM), quote_id=quote_id)
    calls = [("BatchGetItem", 2), ("TransactWriteItems", 5)]
    return beside_botocore("offers.redeem", request, _served(quote_id), calls, limit=REDEMPTION_LIMIT)


def _served(quote_id: str) -> Callable[[], None]:
    """The redemption as its route calls it."""
    intent = effect.intend(CITY, "merchant", shop.offer().merchant_id, f"POST {PATH}", "bench-redemption", None)
    mine = service.merchants(CITY, shop.offer().merchant_id)

    def call() -> None:
        sold = service.redeem(Unit(), intent, clock.now(), mine, quote_id)
        assert sold.state == "redeemed"

    return call


def _search(made: World) -> dict[str, Any]:
    now = clock.now()
    _lay_out(now)
    wanted = Wanted(category=CATEGORY, district=DISTRICT, text=TEXT)

    def ours() -> list[Entry]:
        return service.browse(CITY, wanted, now, PAGE, None)[0]

    # Time stands still, so that the look at the control item, due every few seconds, falls before what is measured.
    with mock.patch.object(clock, "stopwatch", return_value=0.0):
        floor, page = _filtered(now), ours()
        assert len(page) == PAGE
        assert page == floor(), "both find the same"
        with made.calls() as calls:
            floor_us, ours_us = best_us([floor, ours], perf_counter)
    assert not calls.names, "a search of a catalogue in memory calls no database"
    return figure(f"offers.browse, {OFFERS} offers", floor_us, ours_us, SEARCH_LIMIT)


def _lay_out(now: datetime) -> None:
    """The city's catalogue: of ten offers four are tea and six hold in Jimei, all name green tea, and a page fits."""
    chunks: dict[int, dict[str, Entry]] = {number: {} for number in range(CHUNKS)}
    for number in range(OFFERS):
        entry = _entry(number, now)
        chunks[chunk_number(entry.key)][f"{entry.key}#1"] = entry
    unit = Unit()
    for number, entries in chunks.items():
        store.save_chunk(unit, CITY, Chunk(number, entries), grows=True)
    unit.commit()


def _entry(number: int, now: datetime) -> Entry:
    offer = shop.offer(
        offer_id=f"bench-{number:03}",
        category=CATEGORY if number % 10 < 4 else "books",
        districts=("tongan", DISTRICT) if number % 10 in {0, 4, 5, 6, 7, 8} else ("tongan", "haicang"),
        valid_from=now - timedelta(days=1),
        valid_to=now + timedelta(days=30),
    )
    return entry_of(offer, offer.valid_to)


def _filtered(now: datetime) -> Callable[[], list[Entry]]:
    """The same conditions, written down by hand over the same list."""
    found = store.load_catalogue(CITY, cities.load_control(CITY).catalogue_version)
    assert len(found) == OFFERS
    instant, words = now.timestamp(), folded(TEXT).split()

    def floor() -> list[Entry]:
        fit = [
            one.entry
            for one in found
            if one.begins <= instant < one.ends
            and one.entry.category == CATEGORY
            and (not one.entry.districts or DISTRICT in one.entry.districts)
            and all(word in one.words for word in words)
        ]
        return fit[:PAGE]

    return floor


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2, ensure_ascii=False))
