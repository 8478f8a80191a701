"""What a person reads of his own deals: purchases in pages, who looked and what for, and receipts that replay."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core import clock, effect
from chalicelib.core.text import Text
from chalicelib.offers.rules import Offer, Quota, Stacking
from tests.integration.offers.deals import check_refused, deal, nothing_stored, quote_self, release
from tests.integration.offers.market import TEA, TOFU, Market
from tests.world import AUDITOR, FARM, LIBRARY, World, days_ahead

COOP = "merchant:pengyang-coop@xiamen"
PURCHASES = "/v1/me/purchases"


@pytest.fixture(scope="module")
def market(world: World) -> Market:
    return Market(world)


@pytest.fixture(scope="module")
def offer(market: Market) -> Offer:
    return market.shelve(market.offer(reservation_seconds=600, quota=Quota(day=99)))


def ids(page: Any) -> list[str]:
    return [item["deal"]["quote_id"] for item in page["items"]]


def test_who_has_bought_nothing_reads_an_empty_list(market: Market, offer: Offer) -> None:
    who = market.buyer()
    assert market.world.get(PURCHASES, f"citizen:{who}") == {"items": [], "next": None}
    market.quoted(who, offer)
    given_up = market.quoted(who, offer)
    market.act("release", given_up)
    assert market.world.get(PURCHASES, f"citizen:{who}") == {"items": [], "next": None}, "a price is no purchase"
    assert market.world.get(f"{PURCHASES}/{given_up}", f"citizen:{who}")["deal"]["state"] == "released"


def test_purchases_come_newest_first_in_pages(market: Market, offer: Offer) -> None:
    start, made = days_ahead(0), []
    with clock.fixed(start):
        who = market.buyer()
        kept = market.quoted(who, offer)
    for minute in range(1, 6):
        with clock.fixed(start + timedelta(minutes=minute)):
            made.append(market.redeemed(who, offer))
    with clock.fixed(start + timedelta(minutes=7)):
        assert market.act("redemption", kept).status == 200, "quoted first, bought last"
    wanted = [kept, *reversed(made)]
    citizen, query, pages = f"citizen:{who}", "?limit=2", []
    while True:
        page = market.world.get(PURCHASES + query, citizen)
        pages.append(ids(page))
        if page["next"] is None:
            break
        query = f"?limit=2&cursor={page['next']}"
    assert [found for page in pages for found in page] == wanted
    assert [len(page) for page in pages[:3]] == [2, 2, 2]
    assert ids(market.world.get(PURCHASES, citizen)) == wanted
    assert ids(market.world.get(f"{PURCHASES}?limit=200", citizen)) == wanted


def test_a_cursor_is_its_own_persons(market: Market, offer: Offer) -> None:
    who, other = market.buyer(), market.buyer()
    for _ in range(2):
        market.redeemed(who, offer)
        market.redeemed(other, offer)
    sealed = market.world.get(f"{PURCHASES}?limit=1", f"citizen:{who}")["next"]
    looks = market.world.get("/v1/me/looks?limit=1", f"citizen:{who}")["next"]
    changed = sealed[:-1] + ("B" if sealed[-1] == "A" else "A")
    for cursor, actor in ((sealed, other), (looks, who), (changed, who), ("x", who)):
        refused = market.world.send("GET", f"{PURCHASES}?cursor={cursor}", f"citizen:{actor}")
        assert (refused.status, refused.code) == (400, "cursor-invalid")
    for limit in ("0", "201", "-1", "x", "1.5"):
        assert market.world.send("GET", f"{PURCHASES}?limit={limit}", f"citizen:{who}").code == "invalid-request"
    assert market.world.send("GET", f"{PURCHASES}?limit=1&cursor={sealed}", f"citizen:{who}").status == 200


def test_a_purchase_says_what_was_bought_and_how_it_stands(market: Market, offer: Offer) -> None:
    start = days_ahead(0)
    with clock.fixed(start):
        who = market.buyer()
        lines = [{"offer_id": offer.offer_id, "variant_id": variant, "units": 2} for variant in (TEA, TOFU)]
        sold = market.quote(who, {"lines": lines}).body["deal"]["quote_id"]
        market.act("redemption", sold)
        market.refund(sold, 1, 1)
    with clock.fixed(start + timedelta(minutes=1)):
        lapsing, released = market.quoted(who, offer), market.quoted(who, offer)
        for quote_id in (lapsing, released):
            market.act("reservation", quote_id)
        market.act("release", released)
        listed = market.world.get(PURCHASES, f"citizen:{who}")["items"]
        states = {item["deal"]["quote_id"]: item["deal"]["state"] for item in listed}
        assert states == {sold: "redeemed", lapsing: "reserved", released: "released"}
    with clock.fixed(start + timedelta(hours=1)):
        listed = market.world.get(PURCHASES, f"citizen:{who}")["items"]
    bought = listed[-1]
    assert [item["deal"]["state"] for item in listed if item["deal"]["quote_id"] == lapsing] == ["lapsed"]
    assert [line["refunded_units"] for line in bought["deal"]["lines"]] == [0, 1]
    assert bought["names"][0] == {
        "offer": {"zh": "清流好物", "en": "Good things from Qingliu"},
        "variant": {"zh": "高山绿茶 100 克", "en": "mountain green tea, 100 g"},
    }
    assert len(bought["names"]) == 2


def test_a_purchase_keeps_the_reasons_of_its_day(market: Market) -> None:
    at_first = market.shelve(market.offer())
    who = market.buyer(612)
    quote_id = market.redeemed(who, at_first)
    market.world.rescore(who, 100)
    release(market.offer(at_first.offer_id, version=2, title=Text("新名", "A new name"), tiers=at_first.tiers[:1]))
    own = market.world.get(f"{PURCHASES}/{quote_id}", f"citizen:{who}")
    (told,) = own["offers"]
    assert (told["version"], told["tier"], told["next_tier"]["missing_points"]) == (1, "良好", 8)
    assert told["next_tier"]["said"] == {"zh": "再增加 8 分，可享：七折", "en": "With 8 more points: 30 % off"}
    assert own["names"][0]["offer"]["zh"] == "清流好物"
    assert market.world.get(PURCHASES, f"citizen:{who}")["items"][0]["names"][0]["offer"]["zh"] == "清流好物"


def test_reading_costs_what_a_list_costs(market: Market, offer: Offer) -> None:
    who = market.buyer()
    for _ in range(3):
        market.redeemed(who, offer)
    with market.world.calls() as calls:
        market.world.get(PURCHASES, f"citizen:{who}")
    assert calls.names == ["Query", "BatchGetItem"]
    with market.world.calls() as calls:
        market.world.get(PURCHASES, f"citizen:{market.world.newcomer('xiamen', 500)}")
    assert calls.names[-1] == "Query"


SCENARIO_IN_WORDS = "xiamen/jimei_produce"
BY_THE_FARM = {
    "quote": ("商户 qingliu-farm 试算了您在场景 {} 的优惠价", "The merchant qingliu-farm asked what you pay in {}"),
    "reserve": (
        "商户 qingliu-farm 按试算办理了预留（场景 {}）",
        "The merchant qingliu-farm put by what was quoted to you in {}",
    ),
    "release": (
        "商户 qingliu-farm 取消了试算或预留（场景 {}）",
        "The merchant qingliu-farm gave up a quote or a reservation in {}",
    ),
    "redeem": (
        "商户 qingliu-farm 按试算价核销（场景 {}）", "The merchant qingliu-farm redeemed a quote of yours in {}",
    ),
    "refund": (
        "商户 qingliu-farm 办理了退款（场景 {}）", "The merchant qingliu-farm refunded a purchase of yours in {}",
    ),
}  # fmt: skip
BY_ONESELF = {
    "quote": ("您试算了您在场景 {} 的优惠价", "You asked what you pay in {}"),
    "reserve": ("您按试算办理了预留（场景 {}）", "You put by what was quoted to you in {}"),
    "release": ("您取消了试算或预留（场景 {}）", "You gave up a quote or a reservation in {}"),
}


def looked(world: World, who: str) -> dict[str, tuple[str, str]]:
    """The words of the last look of each kind, by what for."""
    items = world.get("/v1/me/looks?limit=50", f"citizen:{who}")["items"]
    assert all(item["scenario"] == SCENARIO_IN_WORDS for item in items if ":" in item["purpose"])
    return {item["purpose"].partition(":")[0]: (item["words"]["zh"], item["words"]["en"]) for item in reversed(items)}


def test_who_looked_lists_every_step_with_words(market: Market, offer: Offer) -> None:
    for city in ("xiamen", "hangzhou"):
        who = market.buyer(760, city)
        sold = market.quoted(who, offer)
        for verb in ("reservation", "redemption"):
            assert market.act(verb, sold).status == 200
        market.refund(sold)
        market.act("release", market.quoted(who, offer))
        words = looked(market.world, who)
        for purpose, (zh, en) in BY_THE_FARM.items():
            assert words[purpose] == (zh.format(SCENARIO_IN_WORDS), en.format(SCENARIO_IN_WORDS))
        own = quote_self(market, who, offer).body["deal"]["quote_id"]
        for verb in ("reservation", "release"):
            assert market.act(verb, own, actor=f"citizen:{who}").status == 200
        words = looked(market.world, who)
        for purpose, (zh, en) in BY_ONESELF.items():
            assert words[purpose] == (zh.format(SCENARIO_IN_WORDS), en.format(SCENARIO_IN_WORDS))


def test_REPLAY_by_an_auditor_and_it_is_listed(market: Market, offer: Offer) -> None:
    who = market.buyer(612)
    by_pass = market.quote(who, market.ask(offer)).body["deal"]
    own = quote_self(market, who, offer).body["deal"]
    for made, asked_by in ((by_pass, "merchant:qingliu-farm"), (own, "citizen")):
        replayed = market.world.post(f"/v1/quote-receipts/{made['receipt_id']}/replay", AUDITOR).body
        assert (replayed["same"], replayed["asked_by"]) == (True, asked_by)
        assert replayed["payable_fen"] == made["payable_fen"] == 3240
    words = looked(market.world, who)["replay"]
    assert words == ("审计员核验了关于您的一次决定", "The auditor checked a decision about you again")


def test_REPLAY_of_a_basket_with_groups_and_caps(market: Market) -> None:
    who = market.buyer(700)
    wares = [
        market.shelve(market.offer(stacking=Stacking(exclusive_group="one", priority=1, cap_bp=2500))),
        market.shelve(market.offer(stacking=Stacking("one", 2))),
        market.shelve(market.offer(stacking=Stacking(None, 3, None, 900), districts=("jimei",))),
    ]
    lines = [{"offer_id": o.offer_id, "variant_id": v, "units": 3} for o in reversed(wares) for v in (TEA, TOFU)]
    made = market.quote(who, {"lines": lines}).body["deal"]
    market.world.forget()
    replayed = market.world.post(f"/v1/quote-receipts/{made['receipt_id']}/replay", AUDITOR).body
    assert replayed["same"] is True
    for name in ("list_fen", "discount_fen", "payable_fen"):
        assert replayed[name] == made[name]
    assert replayed["basis"]["district"] == made["district"] == "jimei"


def test_REPLAY_shows_where_the_facts_were_changed(market: Market, offer: Offer) -> None:
    made = market.quote(market.buyer(612), market.ask(offer)).body["deal"]
    stored = effect.find(made["receipt_id"])
    assert stored is not None
    stored.facts = stored.facts.replace('"score":612', '"score":693')
    stored.content_hash = effect.content_hash(stored)
    stored.save()
    replayed = market.world.post(f"/v1/quote-receipts/{made['receipt_id']}/replay", AUDITOR).body
    assert (replayed["same"], replayed["payable_fen"]) == (False, 1800)


def test_a_receipt_is_of_a_quote_and_for_an_auditor(market: Market, offer: Offer) -> None:
    who = market.world.newcomer("xiamen", 640, (LIBRARY, "library"), (FARM, "jimei_produce"))
    made = market.quote(who, market.ask(offer)).body["deal"]
    decided = market.world.decide(LIBRARY, who, "library").body["receipt_id"]
    assert market.act("redemption", made["quote_id"]).status == 200
    sold = deal(made["quote_id"]).redemption
    assert sold is not None
    others = [decided, sold.redemption_id, "xiamen.aaaaaaaaaaaaaaaaaaaaaaaaaa", "x", made["receipt_id"][:-1]]
    with nothing_stored(market.world):
        for each in others:
            check_refused(market.world.post(f"/v1/quote-receipts/{each}/replay", AUDITOR), "not-found")
        check_refused(market.world.post(f"/v1/receipts/{made['receipt_id']}/replay", AUDITOR), "not-found")
        for actor in (FARM, COOP, f"citizen:{who}", "city:xiamen"):
            answer = market.world.post(f"/v1/quote-receipts/{made['receipt_id']}/replay", actor)
            assert (answer.status, answer.code) == (403, "forbidden")
