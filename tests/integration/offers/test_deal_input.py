"""What is asked badly: each refusal in its code and words, nothing stored, nothing repeated, the pass still good."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core import clock
from chalicelib.offers.rules import Offer, Quota
from tests.in_process import Answer
from tests.integration.offers.deals import check_fault, check_refused, for_oneself, nothing_stored, quote_self
from tests.integration.offers.market import SCENARIO, TEA, TOFU, Market
from tests.world import FARM, World, days_ahead

COOP = "merchant:pengyang-coop@xiamen"
COUNT = b"77777"
ADDRESS = "厦门市思明区虚构路 1 号 302 室"


@pytest.fixture(scope="module")
def market(world: World) -> Market:
    return Market(world)


@pytest.fixture(scope="module")
def offer(market: Market) -> Offer:
    return market.shelve(market.offer())


def refused(market: Market, who: str, body: dict[str, Any], *, was: Offer | None = None) -> Answer:
    """The refusal of a basket that is asked for by pass; it stores nothing, and the pass is good for a sound basket."""
    pass_code = market.world.show(who, FARM)
    with nothing_stored(market.world):
        answer = market.world.post("/v1/quotes", FARM, {**body, "pass_code": pass_code})
    if was is not None:
        sound = market.ask(was) | {"pass_code": pass_code}
        assert market.world.post("/v1/quotes", FARM, sound).status == 201
    return answer


@pytest.mark.parametrize(
    ("written", "zh", "en"),
    [
        (b"-1", "不得小于 1", "must be at least 1"),
        (b"0", "不得小于 1", "must be at least 1"),
        (b"10001", "不得大于 10000", "must be at most 10000"),
        (b"9007199254740992", "不得大于 10000", "must be at most 10000"),
        (b"1.5", "应为整数", "must be of type integer"),
        (b"true", "应为整数", "must be of type integer"),
        (b'"1"', "应为整数", "must be of type integer"),
        (b"null", "应为整数", "must be of type integer"),
    ],
)
def test_a_quantity_is_a_whole_number_from_1_to_10000(
    market: Market, offer: Offer, written: bytes, zh: str, en: str
) -> None:
    for answer in asked_in_writing(market, offer, written):
        check_fault(answer, "invalid-request", "/lines/0/units", zh, en)


@pytest.mark.parametrize(
    ("written", "zh", "en"),
    [
        (b"1.0", "整数不得写成小数或指数形式", "Write whole numbers without a point or an exponent"),
        (b"1e2", "整数不得写成小数或指数形式", "Write whole numbers without a point or an exponent"),
        (b"100000000000000000000", "整数超出范围", "An integer is out of range"),
    ],
)
def test_a_quantity_is_written_as_one(market: Market, offer: Offer, written: bytes, zh: str, en: str) -> None:
    for answer in asked_in_writing(market, offer, written):
        check_refused(answer, "malformed-request", zh, en)


def asked_in_writing(market: Market, offer: Offer, units: bytes) -> list[Answer]:
    """What comes back where the quantity is written like this: to the merchant, and to a citizen."""
    who = market.buyer()
    at_the_counter = market.ask(offer, int(COUNT)) | {"pass_code": market.world.show(who, FARM)}
    for_self = for_oneself(offer, market.ask(offer, int(COUNT)))
    with nothing_stored(market.world):
        return [
            market.world.post(path, actor, raw=json.dumps(body).encode().replace(COUNT, units))
            for path, actor, body in (
                ("/v1/quotes", FARM, at_the_counter),
                ("/v1/me/quotes", f"citizen:{who}", for_self),
            )
        ]


@pytest.mark.parametrize("price", [-1, 0, 1, 0.5, True, 10**9 + 1])
@pytest.mark.parametrize("name", ["price_fen", "payable_fen", "discount_bp"])
def test_nobody_names_a_price(market: Market, offer: Offer, name: str, price: float) -> None:
    body = market.ask(offer)
    body["lines"][0][name] = price
    with nothing_stored(market.world):
        answer = market.world.post("/v1/me/quotes", "citizen:xm-693", for_oneself(offer, body))
    check_fault(answer, "invalid-request", "/lines/0", "有未声明的字段", "has fields that are not declared")


def test_MINIMAL_a_delivery_address_is_not_taken(market: Market, offer: Offer) -> None:
    who, world = market.buyer(), market.world
    inside = market.ask(offer)
    inside["lines"][0]["deliver_to"] = ADDRESS
    for body, pointer in ((market.ask(offer) | {"delivery_address": ADDRESS}, ""), (inside, "/lines/0")):
        answer = refused(market, who, body, was=offer)
        check_fault(answer, "invalid-request", pointer, "有未声明的字段", "has fields that are not declared")
        own = world.post("/v1/me/quotes", f"citizen:{who}", for_oneself(offer, body))
        check_fault(own, "invalid-request", pointer)
        assert ADDRESS not in answer.text + own.text + world.logs.getvalue()
    assert ADDRESS not in json.dumps(world.items(), ensure_ascii=False)


def test_more_than_there_is(market: Market) -> None:
    who = market.buyer()
    silent = market.shelve(market.offer(stock=2))
    check_refused(
        refused(market, who, market.ask(silent, 3), was=silent),
        "out-of-stock",
        "“清流嵩溪豆腐皮 250 克”库存不足",
        "There is not enough left of “Songxi tofu skin, 250 g”",
    )
    shown = market.shelve(market.offer(stock=2, show_stock=True))
    check_refused(
        refused(market, who, market.ask(shown, 3, TEA), was=shown),
        "out-of-stock",
        "“高山绿茶 100 克”库存不足，还剩 2 件",
        "There is not enough left of “mountain green tea, 100 g”: 2",
    )


@pytest.mark.parametrize(
    ("quota", "zh", "en"),
    [
        (Quota(day=2), "今天每人限购 2 件，您还可购 1 件", "Each person may have 2 today; 1 are left for you"),
        (Quota(week=2), "本周每人限购 2 件，您还可购 1 件", "Each person may have 2 this week; 1 are left for you"),
        (Quota(month=2), "本月每人限购 2 件，您还可购 1 件", "Each person may have 2 this month; 1 are left for you"),
        (Quota(lifetime=2), "累计每人限购 2 件，您还可购 1 件", "Each person may have 2 in all; 1 are left for you"),
        (Quota(2, 2, 2, 2), "今天每人限购 2 件，您还可购 1 件", "Each person may have 2 today; 1 are left for you"),
    ],
)
def test_more_than_one_person_may_have(market: Market, quota: Quota, zh: str, en: str) -> None:
    who, rationed = market.buyer(), market.shelve(market.offer(quota=quota))
    market.redeemed(who, rationed, 1, TEA)
    check_refused(refused(market, who, market.ask(rationed, 2), was=rationed), "quota-exceeded", zh, en)
    assert market.quote(market.buyer(), market.ask(rationed, 2)).status == 201, "another's quota is another's"


def test_what_is_not_on_this_shelf(market: Market, offer: Offer) -> None:
    who = market.buyer()
    others = market.shelve(replace(market.offer(), merchant_id="pengyang-coop"))
    check_fault(refused(market, who, market.ask(others), was=offer), "offer-unknown", "/lines/0/offer_id")
    body = market.ask(offer)
    body["lines"].append({"offer_id": "no-such-offer", "variant_id": TOFU, "units": 1})
    check_fault(
        refused(market, who, body, was=offer),
        "offer-unknown", "/lines/1/offer_id", "没有此优惠", "There is no such offer",
    )  # fmt: skip
    check_fault(
        refused(market, who, market.ask(offer, 1, "no-such-variant"), was=offer),
        "variant-unknown", "/lines/0/variant_id", "该优惠没有此规格的商品", "The offer has no such variant",
    )  # fmt: skip
    for changes in ({"merchant_id": "nobody"}, {"merchant_id": "xiamen-library"}, {"merchant_id": "pengyang-coop"}):
        own = market.world.post("/v1/me/quotes", f"citizen:{who}", for_oneself(offer, market.ask(offer)) | changes)
        check_fault(own, "offer-unknown", "/lines/0/offer_id")
    elsewhere = for_oneself(offer, market.ask(offer)) | {"city_id": "nowhere"}
    check_refused(market.world.post("/v1/me/quotes", f"citizen:{who}", elsewhere), "not-found")


def test_what_does_not_hold_now_or_here(market: Market, offer: Offer) -> None:
    who, now = market.buyer(), clock.now()
    waits = market.shelve(market.offer(valid_from=now + timedelta(days=1)))
    over = market.shelve(market.offer(valid_from=now - timedelta(days=2), valid_to=now - timedelta(days=1)))
    paused = market.shelve(market.offer(), state="paused")
    for closed, zh, en in (
        (waits, "该优惠已发布，尚未开始，目前不可用", "This offer is not open: released, not begun yet"),
        (over, "该优惠已结束，目前不可用", "This offer is not open: ended"),
        (paused, "该优惠已暂停，目前不可用", "This offer is not open: paused"),
    ):
        check_refused(refused(market, who, market.ask(closed), was=offer), "offer-not-live", zh, en)
    stopped = market.shelve(market.offer(), state="stopped", stopped_to=1)
    check_refused(refused(market, who, market.ask(stopped)), "offer-stopped")
    of_jimei = market.shelve(market.offer(districts=("jimei",)))
    check_refused(refused(market, who, market.ask(of_jimei, district="haicang"), was=of_jimei), "district-not-covered")
    check_refused(refused(market, who, market.ask(offer, district="atlantis"), was=offer), "not-found")


def basket(*lines: tuple[Offer, str]) -> dict[str, Any]:
    return {"lines": [{"offer_id": o.offer_id, "variant_id": variant, "units": 1} for o, variant in lines]}


def test_a_basket_is_of_one_scenario_and_of_eight_offers_at_most(market: Market, offer: Offer) -> None:
    who = market.buyer()
    of_books = market.shelve(market.offer(scenario_id="library", category="books"))
    check_fault(
        refused(market, who, basket((offer, TOFU), (of_books, TEA)), was=offer),
        "basket-invalid",
        "/lines/1/offer_id",
        "一次只能使用同一场景的优惠：每个场景须单独授权",
        "The offers of one basket belong to one scenario: each scenario has a consent of its own",
    )
    nine = [market.shelve(market.offer()) for _ in range(9)]
    check_fault(
        refused(market, who, basket(*((each, TOFU) for each in nine)), was=offer),
        "basket-invalid", "/lines", "一次至多使用 8 个优惠", "A basket has 8 offers at most",
    )  # fmt: skip
    check_fault(
        refused(market, who, basket((offer, TOFU), (offer, TOFU)), was=offer),
        "basket-invalid", "/lines/1", "同一商品列了两次", "The same variant is there twice",
    )  # fmt: skip
    assert market.quote(who, basket(*((each, TEA) for each in nine[:8]))).status == 201
    too_many = basket(*[(offer, TOFU)] * 21)
    check_fault(refused(market, who, too_many), "invalid-request", "/lines", "至多 20 项", "may have at most 20 items")
    check_fault(refused(market, who, {"lines": []}), "invalid-request", "/lines", "至少 1 项", "needs at least 1 items")


def test_a_basket_is_of_one_district(market: Market, offer: Offer) -> None:
    who = market.buyer()
    jimei, haicang = (market.shelve(market.offer(districts=(place,))) for place in ("jimei", "haicang"))
    both = market.shelve(market.offer(districts=("jimei", "haicang")))
    said = (
        "这些优惠不都适用于同一个区，请注明所在区，或分开试算",
        "These offers do not all hold in one district; name yours, or ask for each by itself",
    )
    for apart in (basket((offer, TOFU), (jimei, TOFU), (haicang, TOFU)), basket((jimei, TOFU), (haicang, TOFU))):
        pointer = f"/lines/{len(apart['lines']) - 1}/offer_id"
        check_fault(refused(market, who, apart, was=offer), "basket-invalid", pointer, *said)
        with market.world.nothing_written():
            preview = market.world.post("/v1/quotes?dry_run=true", FARM, apart)
        check_fault(preview, "basket-invalid", pointer, *said)
        named = refused(market, who, apart | {"district": "jimei"}, was=offer)
        check_refused(named, "district-not-covered")
    together = basket((offer, TOFU), (both, TOFU), (haicang, TOFU))
    made = market.quote(market.buyer(), together | {"district": "haicang"})
    assert (made.status, made.body["deal"]["district"]) == (201, "haicang")
    made = market.quote(market.buyer(), basket((offer, TOFU), (both, TOFU), (jimei, TOFU)))
    assert (made.status, made.body["deal"]["district"]) == (201, "jimei")


def test_a_pass_is_for_one_merchant_and_one_scenario_for_two_minutes_and_once(market: Market, offer: Offer) -> None:
    who, world, at = market.buyer(), market.world, days_ahead(0)
    with clock.fixed(at):
        used, kept = world.show(who, FARM, SCENARIO), world.show(who, FARM, SCENARIO)
        foreign = [world.show(who, COOP), world.show(who, FARM, "library"), kept[:-4] + "AAAA", "x" * 40]
        assert world.post("/v1/quotes", FARM, market.ask(offer) | {"pass_code": used}).status == 201
        with nothing_stored(world):
            for pass_code in foreign:
                answer = world.post("/v1/quotes", FARM, market.ask(offer) | {"pass_code": pass_code})
                check_refused(answer, "pass-invalid")
            check_refused(world.post("/v1/quotes", FARM, market.ask(offer) | {"pass_code": used}), "pass-used")
            check_refused(world.post("/v1/quotes", COOP, market.ask(offer) | {"pass_code": kept}), "pass-invalid")
    with clock.fixed(at + timedelta(seconds=120)), nothing_stored(world):
        check_refused(world.post("/v1/quotes", FARM, market.ask(offer) | {"pass_code": kept}), "pass-expired")
    with clock.fixed(at + timedelta(seconds=119)):
        assert world.post("/v1/quotes", FARM, market.ask(offer) | {"pass_code": kept}).status == 201


def test_a_merchant_needs_a_pass_and_nothing_beside_it(market: Market, offer: Offer) -> None:
    said = "需要顾客的出示码", "The customer's pass is needed"
    for body in (market.ask(offer), market.ask(offer, tier="极好")):
        check_fault(market.world.post("/v1/quotes", FARM, body), "invalid-request", "/pass_code", *said)
    both = refused(market, market.buyer(), market.ask(offer, tier="极好"), was=offer)
    assert (both.status, both.code) == (422, "invalid-request")
    assert quote_self(market, "xm-693", offer, pass_code="x" * 40).code == "invalid-request"
