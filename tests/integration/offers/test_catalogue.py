"""What anybody may see of a city's offers: searched, paged, current within seconds, and nothing that is not open."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from chalicelib.core import clock
from chalicelib.core.text import Text
from chalicelib.offers.rules import Offer, Product, Quota
from chalicelib.offers.service import browsing
from tests.integration.offers.counter import CATALOGUE, OFFERS, Desk
from tests.unit.offers.shop import TEA, TOFU, fixed, percent
from tests.world import World

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def desk(world: World) -> Desk:
    return Desk(world)


@pytest.fixture(scope="module")
def shelf(desk: Desk) -> dict[str, Offer]:
    """Three offers that are open, one that begins tomorrow, one that is paused and one that is a draft."""
    tofu = (Product("tofu", Text("豆腐皮 ＡＢＣ", "Tofu skin"), (TOFU,)),)
    made = {
        "tea": desk.offer(offer_id="see-tea", products=(Product("tea", Text("绿茶", "Green tea"), (TEA,)),)),
        "tofu": desk.offer(offer_id="see-tofu", category="specialty", products=tofu, districts=("jimei",)),
        "zogang": desk.offer(offer_id="see-barley", merchant_id="zogang-coop", category="grain"),
        "tomorrow": desk.offer(offer_id="see-tomorrow", valid_from=clock.now().replace(microsecond=0) + DAY),
        "paused": desk.offer(offer_id="see-paused"),
        "draft": desk.offer(offer_id="see-draft"),
    }
    for name in ("tea", "tofu", "tomorrow", "paused"):
        desk.shelved(made[name])
    desk.moved(made["paused"], 1, "pause")
    desk.drafted(made["draft"])
    other = Desk(desk.world)
    path = "/v1/cities/xiamen/merchants/zogang-coop/offers"
    assert other.draft(made["zogang"], "merchant:zogang-coop/zogang-author").status == 201
    for move, actor in (
        ("submit", "merchant:zogang-coop/zogang-author"), ("approve", "city:xiamen/rui"),
        ("schedule", "merchant:zogang-coop/zogang-operator"),
    ):  # fmt: skip
        version = f"{path}/see-barley/versions/1"
        body = {"move": move}
        if move == "approve":
            body["digest"] = desk.world.get(version, actor)["digest"]
        answer = desk.world.post(f"{version}/moves", actor, body)
        assert answer.status == 200, answer.text
    return made


ALL = ["see-tea", "see-tofu", "see-barley"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ALL),
        ({"category": "tea"}, ["see-tea"]),
        ({"category": "rental"}, []),
        ({"category": "weapons"}, []),
        ({"district": "jimei"}, ALL),
        ({"district": "haicang"}, ["see-tea", "see-barley"]),
        ({"district": "atlantis"}, ["see-tea", "see-barley"]),
        ({"merchant": "zogang-coop"}, ["see-barley"]),
        ({"merchant": "nobody"}, []),
        ({"text": "豆腐"}, ["see-tofu", "see-barley"]),
        ({"text": "abc"}, ["see-tofu"]),
        ({"text": "ａｂｃ"}, ["see-tofu"]),
        ({"text": "ＧＲＥＥＮ　tea"}, ["see-tea", "see-barley"]),
        ({"text": "green", "merchant": "qingliu-farm"}, ["see-tea"]),
        ({"text": "咖啡"}, []),
        ({"category": "specialty", "text": "豆腐", "district": "jimei"}, ["see-tofu"]),
    ],
)
def test_a_filter_narrows_and_asks_for_nothing(
    desk: Desk, shelf: dict[str, Offer], query: dict[str, str], found: list[str]
) -> None:
    assert desk.seen(**{name: quote(value) for name, value in query.items()}) == found


def test_pages_have_everything_once_under_their_own_filters_only(desk: Desk, shelf: dict[str, Offer]) -> None:
    first = desk.world.get(f"{CATALOGUE}?limit=2&text=qingliu")
    second = desk.world.get(f"{CATALOGUE}?limit=2&text=qingliu&cursor={first['next']}")
    assert [item["offer_id"] for item in first["items"] + second["items"]] == ALL
    assert second["next"] is None
    wide = desk.world.send("GET", f"{CATALOGUE}?limit=2&text={quote('ＱＩＮＧＬＩＵ')}&cursor={first['next']}")
    assert wide.status == 200
    for other in ("text=tea", "category=tea", "text=qingliu&district=jimei", "text=qingliu&merchant=x", ""):
        refused = desk.world.send("GET", f"{CATALOGUE}?{other}&cursor={first['next']}")
        assert refused.code == "cursor-invalid", other
    foreign = desk.world.send("GET", f"/v1/cities/hangzhou/catalogue?text=qingliu&cursor={first['next']}")
    assert foreign.code == "cursor-invalid"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v1/cities/nowhere/catalogue", "not-found"),
        (f"{CATALOGUE}?text={'x' * 81}", "invalid-request"),
        (f"{CATALOGUE}?limit=0", "invalid-request"),
        (f"{CATALOGUE}?limit=201", "invalid-request"),
        (f"{CATALOGUE}?colour=red", "invalid-request"),
        (f"{CATALOGUE}?cursor=x", "cursor-invalid"),
    ],
)
def test_what_is_no_question_is_refused(world: World, path: str, code: str) -> None:
    assert world.send("GET", path).code == code


def test_a_city_without_offers_has_an_empty_catalogue(world: World) -> None:
    assert world.get("/v1/cities/hangzhou/catalogue") == {"items": [], "next": None}


def test_a_warm_catalogue_asks_nobody(desk: Desk, shelf: dict[str, Offer], monkeypatch: pytest.MonkeyPatch) -> None:
    at = 1_000.0
    monkeypatch.setattr(clock, "stopwatch", lambda: at)
    desk.world.forget()
    with desk.world.calls() as cold:
        desk.world.get(CATALOGUE)
    assert cold.names == ["BatchGetItem", "Query"]
    for query in ("", "?category=tea", "?text=tea&limit=1"):
        at += 1.6
        with desk.world.calls() as warm:
            desk.world.get(CATALOGUE + query)
        assert warm.names == []
    at = 1_000.0 + browsing.CATALOGUE_LOOK_SECONDS
    with desk.world.calls() as looked:
        desk.world.get(CATALOGUE)
    assert looked.names == ["BatchGetItem"]


def test_a_change_is_seen_within_seconds(desk: Desk, shelf: dict[str, Offer], monkeypatch: pytest.MonkeyPatch) -> None:
    at = 2_000.0
    monkeypatch.setattr(clock, "stopwatch", lambda: at)
    new = desk.offer(offer_id="see-new")
    desk.world.get(CATALOGUE)
    desk.shelved(new)

    def ids() -> list[str]:
        return [item["offer_id"] for item in desk.world.get(CATALOGUE)["items"]]

    assert "see-new" not in ids()
    at += browsing.CATALOGUE_LOOK_SECONDS
    assert "see-new" in ids()
    desk.moved(new, 1, "stop")
    assert "see-new" in ids()
    assert desk.world.send("GET", f"{OFFERS}/see-new").code == "offer-stopped"
    at += browsing.CATALOGUE_LOOK_SECONDS
    assert "see-new" not in ids()


def test_the_clock_alone_opens_and_ends(desk: Desk, shelf: dict[str, Offer]) -> None:
    begins = shelf["tomorrow"].valid_from
    with clock.fixed(begins):
        assert "see-tomorrow" in desk.seen()
        assert desk.world.send("GET", f"{OFFERS}/see-tomorrow").status == 200
    with clock.fixed(shelf["tea"].valid_to):
        assert "see-tea" not in desk.seen()
        assert desk.world.send("GET", f"{OFFERS}/see-tea").code == "not-found"
    assert "see-tomorrow" not in desk.seen()


@pytest.mark.parametrize(
    ("offer_id", "code"),
    [
        ("see-draft", "not-found"),
        ("see-tomorrow", "not-found"),
        ("see-paused", "offer-not-live"),
        ("no-such", "not-found"),
        ("X", "not-found"),
    ],
)
def test_what_nobody_meets_is_not_shown(world: World, shelf: dict[str, Offer], offer_id: str, code: str) -> None:
    refused = world.send("GET", f"{OFFERS}/{offer_id}")
    assert refused.code == code
    assert "草稿" not in refused.text


def test_an_offer_is_shown_with_all_its_terms_in_words(own_world: World) -> None:
    desk = Desk(own_world)
    made = desk.offer(
        tiers=(*percent({"一般": 100}), fixed("良好", tea=8000, tofu=3000), *percent({"优秀": 3000, "极好": 5000})),
        quota=Quota(day=2),
        budget_fen=500_000,
    )
    desk.shelved(made)
    answer = desk.world.send("GET", f"{OFFERS}/{made.offer_id}")
    found = answer.body
    assert [tier["gives"]["zh"] for tier in found["tiers"]] == [
        "九九折", "“清流嵩溪豆腐皮 250 克”30.00 元，“高山绿茶 100 克”80.00 元", "七折", "五折",
    ]  # fmt: skip
    assert (found["merchant"]["zh"], found["category_name"]["zh"], found["quota"]["day"]) == (
        "清流县供销农产",
        "茶叶",
        2,
    )
    assert {v["left"] for product in found["products"] for v in product["variants"]} == {None}
    assert not {"budget_fen", "stock", "authors", "approved_by", "show_stock"} & names(found)
    assert "qingliu-author" not in answer.text


def names(value: Any) -> set[str]:
    """Every name of every object in a reply."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = set(value) if isinstance(value, dict) else set()
    return own.union(*(names(one) for one in inner))


def test_how_many_are_left_is_told_where_the_merchant_lets_anybody_know(own_world: World) -> None:
    desk = Desk(own_world)
    made = desk.offer(show_stock=True)
    desk.shelved(made)
    found = desk.world.get(f"{OFFERS}/{made.offer_id}")
    assert [v["left"] for product in found["products"] for v in product["variants"]] == [500, 200]
    hidden = replace(made, show_stock=False)
    desk.shelved(hidden)
    assert '"left":200' not in json.dumps(desk.world.get(f"{OFFERS}/{made.offer_id}"))


@pytest.mark.parametrize("who", ["partner", "city"])
def test_who_is_suspended_is_not_shown(own_world: World, shelf: dict[str, Offer], who: str) -> None:
    desk = Desk(own_world)
    if who == "city":
        own_world.suspend_city("xiamen")
        own_world.forget()
        assert own_world.send("GET", CATALOGUE).code == "city-suspended"
    else:
        own_world.suspend_partner("qingliu-farm")
        assert desk.seen() == ["see-barley"]
    assert own_world.send("GET", f"{OFFERS}/see-tea").code == f"{who}-suspended"
