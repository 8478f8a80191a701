"""What would be, and nothing done: a merchant's preview looks at nobody, a citizen's shows all that is in the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core import clock
from chalicelib.offers.rules import Offer, Quota, Share
from tests.in_process import Answer
from tests.integration.offers.deals import (
    check_fault,
    check_refused,
    for_oneself,
    move,
    nothing_stored,
    quote_self,
    suspend,
)
from tests.integration.offers.market import TOFU, Market
from tests.unit.offers import shop
from tests.world import FARM, World, days_ahead

DRY = "?dry_run=true"
READS = {"GetItem", "BatchGetItem"}


@pytest.fixture(scope="module")
def market(world: World) -> Market:
    return Market(world)


@pytest.fixture
def offer(market: Market) -> Offer:
    return market.shelve(market.offer(reservation_seconds=600, quota=Quota(day=3), budget_fen=10_000))


def tried(market: Market, verb: str, quote_id: str, *, actor: str = FARM, key: str = "", body: Any = None) -> Answer:
    """What a step of a deal would be; it stores nothing."""
    with nothing_stored(market.world):
        return market.act(verb + DRY, quote_id, actor=actor, key=key, body=body)


def previewed(market: Market, offer: Offer, units: int = 1, **more: Any) -> Answer:
    """What the farm reads of a basket without anybody; it stores nothing, and reads no account."""
    with nothing_stored(market.world), market.world.calls() as calls:
        answer = market.world.post(f"/v1/quotes{DRY}", FARM, market.ask(offer, units, **more))
    assert set(calls.names) <= READS
    return answer


@pytest.mark.parametrize(
    ("tier", "payable_fen", "applied"),
    [("极好", 1800, "极好"), ("优秀", 2520, "优秀"), ("一般", 3420, "一般"), ("不良", 3600, None), (None, 3600, None)],
)
def test_a_merchant_previews_a_basket_for_every_tier(
    market: Market, offer: Offer, tier: str | None, payable_fen: int, applied: str | None
) -> None:
    asked: dict[str, Any] = {} if tier is None else {"tier": tier}
    answer = previewed(market, offer, **asked)
    assert (answer.status, answer.headers["egret-dry-run"]) == (200, "true")
    body = answer.body
    assert (body["tier"], body["payable_fen"], body["list_fen"]) == (tier, payable_fen, 3600)
    assert (body["lines"][0]["tier"], body["hindrances"]) == (applied, [])
    assert body["steps"][0]["code"] == ("applied" if applied else "no-tier-reached")
    assert "deal" not in body
    assert "subject_id" not in answer.text


def test_a_preview_is_what_the_real_quote_is(market: Market, offer: Offer) -> None:
    preview = previewed(market, offer, 3, tier="优秀").body
    deal = market.quote(market.buyer(650), market.ask(offer, 3)).body["deal"]
    for name in ("lines", "steps", "list_fen", "discount_fen", "payable_fen"):
        assert preview[name] == deal[name]


def test_a_preview_names_the_limits_that_are_in_the_way(market: Market, offer: Offer) -> None:
    answer = previewed(market, offer, 501, tier="极好", district="jimei")
    assert answer.body["hindrances"] == ["quota-exceeded", "out-of-stock"]
    (step,) = answer.body["steps"]
    assert (step["code"], step["granted_fen"]) == ("budget-short", 10_000), "a short budget is in nobody's way"
    of_jimei = market.shelve(market.offer(districts=("jimei",)))
    assert previewed(market, of_jimei, district="haicang").body["hindrances"] == ["district-not-covered"]


def test_a_preview_refuses_what_no_quote_could_be_of(market: Market, offer: Offer) -> None:
    paused = market.shelve(market.offer(), state="paused")
    upside_down = market.shelve(market.offer(tiers=shop.percent({"一般": 5000, "极好": 500})))
    homeless = market.shelve(market.offer(scenario_id="no_such_scenario"))
    check_refused(
        previewed(market, paused), "offer-not-live", "该优惠已暂停，目前不可用", "This offer is not open: paused"
    )
    check_refused(previewed(market, upside_down), "offer-out-of-step")
    check_refused(previewed(market, homeless), "not-found")
    check_refused(previewed(market, offer, district="atlantis"), "not-found")
    check_fault(previewed(market, offer, variant="no-such-variant"), "variant-unknown", "/lines/0/variant_id")
    unknown = market.world.post(f"/v1/quotes{DRY}", FARM, market.ask(replace(offer, offer_id="no-such-offer")))
    check_fault(unknown, "offer-unknown", "/lines/0/offer_id")


def test_too_many_funders_are_refused_in_the_preview_too(market: Market) -> None:
    def of(number: int) -> Offer:
        banks = [Share("bank", 1250, f"bank-{number}-{n}") for n in range(8)]
        return market.shelve(market.offer(funding=tuple(banks)))

    lines = [{"offer_id": of(n).offer_id, "variant_id": TOFU, "units": 1} for n in range(3)]
    who = market.buyer()
    said = "一单的出资方不得超过 16 个", "At most 16 parties fund one basket"
    with market.world.nothing_written():
        check_fault(
            market.world.post(f"/v1/quotes{DRY}", FARM, {"lines": lines, "tier": "极好"}),
            "basket-invalid", "/lines", *said,
        )  # fmt: skip
    check_fault(market.quote(who, {"lines": lines}), "basket-invalid", "/lines", *said)
    assert market.quote(who, {"lines": lines[:2]}).status == 201


def test_a_preview_takes_no_pass(market: Market, offer: Offer) -> None:
    who = market.buyer()
    pass_code = market.world.show(who, FARM)
    with nothing_stored(market.world):
        answer = market.world.post(f"/v1/quotes{DRY}", FARM, market.ask(offer) | {"pass_code": pass_code})
    check_fault(
        answer, "invalid-request", "/pass_code",
        "试运行不看任何人，请改填 tier", "A dry run looks at nobody; name a tier instead",
    )  # fmt: skip
    assert market.world.post("/v1/quotes", FARM, market.ask(offer) | {"pass_code": pass_code}).status == 201


def test_a_citizens_dry_run_shows_everything_that_is_in_the_way(market: Market) -> None:
    who = market.buyer(612)
    scarce = market.shelve(
        market.offer(stock=2, show_stock=True, quota=Quota(week=1), budget_fen=100, districts=("jimei",))
    )
    with nothing_stored(market.world):
        answer = quote_self(market, who, scarce, 3, query=DRY, district="haicang")
    assert (answer.status, answer.headers["egret-dry-run"]) == (200, "true")
    (told,) = answer.body["offers"]
    assert {one["code"]: (one["said"]["zh"], one["said"]["en"]) for one in told["hindrances"]} == {
        "district-not-covered": ("该优惠不适用于这个区", "This offer does not hold in this district"),
        "quota-exceeded": ("本周每人限购 1 件，您还可购 1 件", "Each person may have 1 this week; 1 are left for you"),
        "out-of-stock": (
            "“清流嵩溪豆腐皮 250 克”库存不足，还剩 2 件", "There is not enough left of “Songxi tofu skin, 250 g”: 2",
        ),
    }  # fmt: skip
    (step,) = answer.body["deal"]["steps"]
    assert (step["code"], step["wanted_fen"], step["granted_fen"]) == ("budget-short", 1080, 100)
    assert (told["tier"], told["next_tier"]["missing_points"]) == ("良好", 8)
    real = quote_self(market, who, scarce, 3, district="haicang")
    check_refused(real, "district-not-covered")


def test_a_citizens_dry_run_refuses_what_is_no_limit(market: Market, offer: Offer) -> None:
    who = market.world.newcomer("xiamen", 693)
    with nothing_stored(market.world):
        check_refused(quote_self(market, who, offer, query=DRY), "consent-required")
        check_refused(quote_self(market, "xm-693", offer, query=DRY, district="atlantis"), "not-found")
        empty = for_oneself(offer, {"lines": []})
        assert market.world.post(f"/v1/me/quotes{DRY}", f"citizen:{who}", empty).code == "invalid-request"


def test_ONCE_the_key_of_a_dry_run_is_free_for_the_real_thing(market: Market, offer: Offer) -> None:
    who = market.buyer()
    body, citizen = for_oneself(offer, market.ask(offer, 2)), f"citizen:{who}"
    with nothing_stored(market.world):
        dry = market.world.post(f"/v1/me/quotes{DRY}", citizen, body, key="dry-and-real")
    real = market.world.post("/v1/me/quotes", citizen, body, key="dry-and-real")
    assert (dry.status, real.status, real.replayed) == (200, 201, False)
    quote_id = real.body["deal"]["quote_id"]
    for verb, wanted in (("reservation", "reserved"), ("redemption", "redeemed")):
        before = tried(market, verb, quote_id, key="dry-and-real")
        done = market.act(verb, quote_id, key="dry-and-real")
        assert (before.status, before.headers["egret-dry-run"]) == (200, "true")
        assert "egret-dry-run" not in done.headers
        assert before.body["state"] == done.body["state"] == wanted
        assert before.body["payable_fen"] == done.body["payable_fen"]
    back = {"line": 0, "units": 1}
    before = tried(market, "refunds", quote_id, key="dry-and-real", body=back)
    done = market.act("refunds", quote_id, key="dry-and-real", body=back)
    assert (before.status, done.status, done.replayed) == (200, 201, False)
    without = [{**each.body, "deal": None} for each in (before, done)]
    assert without[0] == without[1]
    assert before.body["deal"]["lines"][0]["refunded_units"] == 1
    again = tried(market, "refunds", quote_id, key="dry-and-real", body=back)
    assert "idempotency-replayed" not in again.headers, "a dry run asks what would be now"
    assert again.body["deal"]["lines"][0]["refunded_units"] == 2


def test_a_dry_run_of_a_step_refuses_what_the_step_would(market: Market, offer: Offer) -> None:
    at = days_ahead(0)
    with clock.fixed(at):
        who, other = market.buyer(), market.buyer()
        quoted, sold, reserved = market.quoted(who, offer), market.redeemed(who, offer), market.quoted(who, offer)
        market.act("reservation", reserved)
        back = {"line": 0, "units": 1}
        for verb in ("redemption", "reservation", "release"):
            check_refused(tried(market, verb, sold), "quote-used")
            check_refused(tried(market, verb, "xiamen.aaaaaaaaaaaaaaaaaaaaaaaaaa"), "quote-foreign")
            if verb != "redemption":
                check_refused(tried(market, verb, quoted, actor=f"citizen:{other}"), "quote-foreign")
        check_refused(tried(market, "refunds", quoted, body=back), "quote-not-redeemed")
        check_refused(tried(market, "refunds", sold, body={"line": 1, "units": 1}), "not-found")
        over = tried(market, "refunds", sold, body={"line": 0, "units": 2})
        check_refused(over, "refund-exceeds", "该项还可退 1 件", "Of this line 1 can still be refunded")
        market.redeemed(who, offer)
        for verb in ("redemption", "reservation"):
            check_refused(
                tried(market, verb, quoted), "quota-exceeded",
                "今天每人限购 3 件，您还可购 0 件", "Each person may have 3 today; 0 are left for you",
            )  # fmt: skip
    with clock.fixed(at + timedelta(minutes=15)):
        check_refused(tried(market, "redemption", quoted), "quote-expired")
        check_refused(tried(market, "release", reserved), "reservation-closed")


def test_a_dry_run_of_a_step_looks_at_all_that_counts_now(market: Market) -> None:
    who = market.buyer()
    scarce = market.shelve(market.offer(stock=1, budget_fen=1800))
    first, second = market.quoted(who, scarce), market.quoted(who, scarce)
    assert tried(market, "redemption", second).status == 200
    assert market.act("redemption", first).status == 200
    check_refused(
        tried(market, "redemption", second), "out-of-stock",
        "“清流嵩溪豆腐皮 250 克”库存不足", "There is not enough left of “Songxi tofu skin, 250 g”",
    )  # fmt: skip
    stopped = market.shelve(market.offer())
    third = market.quoted(who, stopped)
    move(stopped, "stop")
    check_refused(tried(market, "redemption", third), "offer-stopped")
    move(stopped, "lift")
    assert tried(market, "redemption", third).status == 200
    suspend(market.world, who)
    check_refused(tried(market, "redemption", third), "quote-overtaken")
    assert tried(market, "release", third).body["state"] == "released"
    assert market.world.get(f"/v1/quotes/{third}", FARM)["state"] == "open"
