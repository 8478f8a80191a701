"""What is really sold and really given back, over HTTP, as the city's statistics show it once the stream was read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.core import clock, schema
from infra.local import database
from infra.local.pump import Pump, Record
from tests.integration.core.streaming import listening, pump_from_now_on
from tests.integration.offers.market import SCENARIO, Market
from tests.world import XIAMEN, World


@pytest.fixture
def market(own_world: World) -> Market:
    return Market(own_world)


@pytest.fixture
def pump(own_world: World) -> Pump:
    return pump_from_now_on(own_world.raw, database.streams(own_world.database.endpoint))


def seen(world: World, pump: Pump) -> dict[str, Any] | None:
    """What the city is shown of today."""
    today = clock.day_in("Asia/Shanghai", clock.now())
    pump.drain()
    answer = world.get(f"/v1/cities/xiamen/statistics?from={today}&to={today}", XIAMEN)
    if not answer["items"]:
        return None
    (item,) = answer["items"]
    assert (item["scenario_id"], [day["day"] for day in item["days"]]) == (SCENARIO, [f"{today}"])
    figures: dict[str, Any] = item["days"][0]["figures"]
    return figures


def facts_of(records: list[Record], verb: str) -> list[str]:
    images = [record["dynamodb"]["NewImage"] for record in records]
    effects = [image for image in images if image["kind"]["S"] == "effect"]
    return [image["facts"]["S"] for image in effects if image["purpose"]["S"].startswith(f"{verb}:")]


def test_what_is_sold_and_given_back_is_seen_by_the_city(market: Market, pump: Pump) -> None:
    world = market.world
    offer = market.shelve(market.offer())
    here, visitor = market.buyer(693), market.buyer(705, "hangzhou")
    sold = [market.redeemed(here, offer, 2) for _ in range(9)]
    saved_fen = market.act("redemption", market.quoted(here, offer, 2)).body["discount_fen"]
    assert saved_fen > 0
    assert seen(world, pump) == {"uses": 10, "visitor_uses": 0, "saved_fen": 10 * saved_fen}
    assert market.refund(sold[0], units=1).status == 201
    assert seen(world, pump) == {"uses": 10, "visitor_uses": 0, "saved_fen": 10 * saved_fen - saved_fen // 2}
    assert market.refund(sold[0], units=1).status == 201
    assert seen(world, pump) is None, "nine uses are not shown"
    market.redeemed(visitor, offer, 1)
    found = seen(world, pump)
    assert found is not None
    assert (found["uses"], found["visitor_uses"]) == (10, None), "nor is one visitor"


def test_a_dry_run_is_not_counted(market: Market, pump: Pump) -> None:
    offer = market.shelve(market.offer())
    who = market.buyer(693)
    quote_id = market.quoted(who, offer)
    assert pump.drain() > 0
    answer = market.world.post(f"/v1/quotes/{quote_id}/redemption?dry_run=true", "merchant:qingliu-farm@xiamen")
    assert answer.status == 200
    assert pump.drain() == 0


def test_what_is_told_to_the_statistics_is_what_was_agreed(market: Market) -> None:
    world = market.world
    heard = listening(world.raw, database.streams(world.database.endpoint))
    offer = market.shelve(market.offer())
    quote_id = market.redeemed(market.buyer(693), offer, 3)
    market.refund(quote_id, units=1)
    market.refund(quote_id, units=2)
    records = heard()
    (redeemed,), refunded = facts_of(records, "redeem")[-1:], facts_of(records, "refund")[-2:]
    schema.validate("events/offer_redeemed.json", json.loads(redeemed))
    for each in refunded:
        schema.validate("events/offer_refunded.json", json.loads(each))
    assert [json.loads(each)["whole"] for each in refunded] == [False, True]
    assert sum(json.loads(each)["saved_fen"] for each in refunded) == json.loads(redeemed)["saved_fen"]
