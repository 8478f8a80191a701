"""What each step of a deal consumes, as DynamoDB bills it, does not grow with what else is in the table."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from chalicelib.core import config, table
from chalicelib.offers.rules import Offer, Quota
from tests.in_process import Answer
from tests.integration.offers.market import Market
from tests.world import FARM, World

TIMES = 10
PAGE = 5
GROWING = ("account", "offer", "offer-version", "counter", "quota", "deal", "effect")
Figure = Callable[[str, object], None]


@dataclass(frozen=True, slots=True)
class Bill:
    """What one request consumed: its calls in order, and the units of all reads and all writes."""

    calls: tuple[str, ...]
    read: float
    written: float


@pytest.fixture
def market(own_world: World) -> Market:
    if own_world.database.engine != "dynoxide":
        pytest.skip("moto does not bill as DynamoDB does")
    return Market(own_world)


def test_the_bill_is_the_same_with_ten_times_as_much_in_the_table(market: Market, record_property: Figure) -> None:
    offer = market.shelve(market.offer(quota=Quota(day=100), budget_fen=1_000_000, reservation_seconds=600))
    for _ in range(3):
        market.shelve(market.offer())
    first, second = (regular(market, offer) for _ in range(2))
    before = count(market.world)
    small = bills(market, first, offer)
    with tenfold(market.world):
        after = count(market.world)
        assert all(after[kind] >= TIMES * before[kind] > 0 for kind in GROWING), (before, after)
        large = bills(market, second, offer)
    assert large == small
    for step, bill in large.items():
        told = " + ".join(bill.calls)
        record_property("figure", f"{step:15} {bill.read:5g} read units, {bill.written:5g} write units: {told}")


def regular(market: Market, offer: Offer) -> str:
    """Somebody who has bought before, more than fills a page."""
    who = market.buyer()
    for _ in range(PAGE + 1):
        market.redeemed(who, offer)
    return who


def bills(market: Market, who: str, offer: Offer) -> dict[str, Bill]:
    """The bill of each step, for somebody's deals of an offer that is in memory."""
    body = market.ask(offer) | {"pass_code": market.world.show(who, FARM)}
    kept, sold = (market.quoted(who, offer) for _ in range(2))
    later = market.quoted(market.buyer(), offer)
    return {
        "quote": bill(lambda: market.world.post("/v1/quotes", FARM, body)),
        "redeem": bill(lambda: market.act("redemption", sold)),
        "refund": bill(lambda: market.refund(sold)),
        "reserve": bill(lambda: market.act("reservation", later)),
        "release": bill(lambda: market.act("release", later)),
        "release, open": bill(lambda: market.act("release", kept)),
        "purchases": bill(lambda: market.world.send("GET", f"/v1/me/purchases?limit={PAGE}", f"citizen:{who}")),
    }


def bill(request: Callable[[], Answer]) -> Bill:
    """What a request consumes. It must succeed."""
    with consumed() as found:
        answer = request()
    assert answer.status < 300, answer.text
    written = {"TransactWriteItems"}
    read_units = sum(units for name, units in found if name not in written)
    return Bill(tuple(name for name, _ in found), read_units, sum(units for name, units in found if name in written))


@contextmanager
def consumed() -> Iterator[list[tuple[str, float]]]:
    """Every call inside the block with the capacity that it says it has consumed, indexes included."""
    found: list[tuple[str, float]] = []
    events = table.connection().client.meta.events

    def note(model: Any, parsed: Mapping[str, Any], **_: Any) -> None:
        told = parsed["ConsumedCapacity"]
        each: Iterable[Mapping[str, Any]] = told if isinstance(told, list) else [told]
        found.append((model.name, sum(one["CapacityUnits"] for one in each)))

    events.register("after-call.dynamodb", note)
    try:
        yield found
    finally:
        events.unregister("after-call.dynamodb", note)


def count(world: World) -> Counter[str]:
    return Counter(item["kind"]["S"] for item in world.items())


@contextmanager
def tenfold(world: World) -> Iterator[None]:
    """Inside the block, all that grows is there ten times: under ids of its own, in every list where it is listed."""
    found = [item for item in world.items() if item["kind"]["S"] in GROWING]
    copies = [copied(item, number) for number in range(1, TIMES) for item in found]
    name = config.current().table
    write(world, [{"Put": {"TableName": name, "Item": item}} for item in copies])
    yield
    write(world, [{"Delete": {"TableName": name, "Key": {k: item[k] for k in ("pk", "sk")}}} for item in copies])


def write(world: World, writes: list[dict[str, Any]]) -> None:
    for start in range(0, len(writes), 100):
        world.raw.transact_write_items(TransactItems=writes[start : start + 100])


def copied(item: Mapping[str, Any], number: int) -> dict[str, Any]:
    """The item under another id as long as its own; what it says of itself by its id changes along."""
    name = item["sk"]["S"] if item["kind"]["S"] == "offer" else item["pk"]["S"].rpartition("#")[2]
    first = max(name.rfind("."), name.rfind("/")) + 1
    other = name[:first] + string.ascii_lowercase[number] + name[first + 1 :]

    def renamed(value: Mapping[str, Any]) -> dict[str, Any]:
        return {t: v.replace(name, other) if t == "S" else v for t, v in value.items()}

    return {key: renamed(value) for key, value in item.items()}
