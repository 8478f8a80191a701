"""What people may see of an offer, and how it is searched."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.core import codec
from chalicelib.core.text import Text
from chalicelib.offers.rules import Offer, Product, catalogue
from chalicelib.offers.rules.catalogue import CHUNKS, Chunk, Entry, Wanted, chunk_number, entry_of, ready, search
from tests.unit.offers.shop import NOON, TEA, TOFU, fixed, offer

DAY = timedelta(days=1)
LONG = Text("长" * 80, "l" * 80)


def entry(offer_id: str = "qingliu-summer", **changes: Any) -> Entry:
    made = offer(offer_id=offer_id, valid_from=NOON - DAY, valid_to=NOON + DAY)
    made = replace(made, **changes)
    return entry_of(made, made.valid_to)


def chunk(*entries: Entry) -> Chunk:
    return Chunk(0, {f"{one.key}#{one.version}": one for one in entries})


def found(*entries: Entry, at: datetime = NOON, **wanted: Any) -> list[str]:
    page, after = search(ready([chunk(*entries)]), Wanted(**wanted), at, 50, None)
    assert after is None
    return [one.offer_id for one in page]


def test_an_entry_says_from_what_to_what_it_costs() -> None:
    one = entry()
    assert (one.list_from_fen, one.list_to_fen, one.best_fen) == (3600, 8800, 1800)
    assert [tier.gives.zh for tier in one.tiers] == ["九五折", "九折", "七折", "五折"]
    assert (one.photo, one.reservable) == ("https://shop.example/tofu.jpg", False)
    assert entry(tiers=(fixed("极好", tea=4000),)).best_fen == 3600


def many(count: int) -> tuple[Product, ...]:
    goods = (replace(TEA, variant_id=f"tea-{n}", name=LONG, price_fen=9000 + n) for n in range(count))
    return tuple(Product(one.variant_id, LONG, (one,)) for one in goods)


def test_an_entry_of_the_largest_offer_stays_small() -> None:
    prices = {f"tea-{n}": 100 + n for n in range(40)}
    tiers = tuple(fixed(f"{n}" * 80, **prices) for n in range(1, 9))
    one = entry(products=many(40), tiers=tiers, title=LONG, description=Text("字" * 500, "e" * 500))
    assert len(one.products) == 8
    assert one.tiers[0].gives == Text("每件 1.00 至 1.39 元", "from 1.00 to 1.39 yuan each")
    assert len(codec.to_json(one).encode()) < 16_000


@pytest.mark.parametrize(
    ("at", "open_then"), [(NOON - DAY, True), (NOON - DAY * 1.0001, False), (NOON + DAY, False), (NOON + DAY / 2, True)]
)
def test_a_catalogue_knows_by_itself_what_is_open(at: datetime, open_then: bool) -> None:
    assert found(entry(), at=at) == ["qingliu-summer"] * open_then


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ({}, "plain jimei"),
        ({"category": "tea"}, "plain jimei"),
        ({"category": "grain"}, ""),
        ({"category": "no-such"}, ""),
        ({"district": "jimei"}, "plain jimei"),
        ({"district": "haicang"}, "plain"),
        ({"district": "atlantis"}, "plain"),
        ({"merchant_id": "qingliu-farm"}, "plain jimei"),
        ({"merchant_id": "another"}, ""),
        ({"without": frozenset({"qingliu-farm"})}, ""),
        ({"without": frozenset({"qingliu-farm"}), "merchant_id": "qingliu-farm"}, ""),
        ({"text": "清流"}, "plain jimei"),
        ({"text": "ＱＩＮＧＬＩＵ"}, "plain jimei"),
        ({"text": "茶叶 TOFU"}, "plain jimei"),
        ({"text": "ｔｏｆｕ　豆腐皮"}, "plain jimei"),
        ({"text": "qingliu coffee"}, ""),
        ({"text": "   "}, "plain jimei"),
        ({"text": ".*"}, ""),
    ],
)
def test_a_search_narrows(wanted: dict[str, Any], fits: str) -> None:
    entries = entry("plain"), entry("jimei", districts=("jimei",))
    assert sorted(found(*entries, **wanted)) == sorted(fits.split())


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
def test_pages_have_everything_once_and_in_order(limit: int) -> None:
    there = ready([chunk(*(entry(f"offer-{n}") for n in range(7))), chunk(entry("other"))])
    seen: list[str] = []
    after: str | None = None
    while True:
        page, after = search(there, Wanted(), NOON, limit, after)
        seen += [one.key for one in page]
        assert len(page) == limit or after is None
        if after is None:
            break
    assert seen == sorted({one.entry.key for one in there})


def test_an_offer_is_put_in_place_of_itself_and_of_nobody_else() -> None:
    near = entry("qingliu-summer-2")
    before = chunk(entry(), near)
    now = catalogue.put(before, entry().key, {2: entry(version=2)}, NOON)
    assert set(now.entries) == {"qingliu-farm/qingliu-summer#2", "qingliu-farm/qingliu-summer-2#1"}
    assert list(catalogue.shown(now, entry().key)) == [2]
    assert set(catalogue.put(now, entry().key, {}, NOON).entries) == {"qingliu-farm/qingliu-summer-2#1"}


def test_what_has_ended_is_dropped_by_whoever_comes_next() -> None:
    gone = entry("gone", valid_to=NOON)
    assert set(catalogue.put(chunk(gone, entry()), "a/b", {}, NOON).entries) == {"qingliu-farm/qingliu-summer#1"}


def test_offers_spread_over_the_chunks_and_stay_where_they_are() -> None:
    assert chunk_number("qingliu-farm/qingliu-summer") == 11
    assert len({chunk_number(f"merchant-{n}/tea") for n in range(1000)}) == CHUNKS


def test_the_store_reads_what_it_wrote() -> None:
    made: Offer = offer(products=(Product("both", LONG, (TOFU, TEA)),), districts=("jimei",))
    one = {"a": entry_of(made, made.valid_to)}
    assert codec.from_json(dict[str, Entry], codec.to_json(one)) == one
