"""What each step of a deal costs at DynamoDB: every call under the client, with the items that it reads or writes.

The versions in force are in memory, as they are from the second request on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from chalicelib.core import clock, table
from chalicelib.offers.rules import Offer, Quota, Share
from tests.in_process import Answer
from tests.integration.core.faults import CONFLICT, cancelled, inject
from tests.integration.offers.deals import for_oneself
from tests.integration.offers.market import SCENARIO, TEA, TOFU, Market
from tests.world import AUDITOR, FARM, World

SEEN = "read: control deal"
LOOKED = "read: account control deal quota stock"
FIND = "get: effect"


@pytest.fixture(scope="module")
def market(world: World) -> Market:
    return Market(world)


@pytest.fixture(scope="module")
def offer(market: Market) -> Offer:
    """An offer with a quota and no budget, as most are; its version is in memory."""
    return kept(market, market.offer(quota=Quota(day=100), reservation_seconds=600))


def kept(market: Market, offer: Offer) -> Offer:
    """An offer on the shelf that somebody has asked for before."""
    market.quoted(market.buyer(), market.shelve(offer))
    return offer


@contextmanager
def calls() -> Iterator[list[str]]:
    """Every call inside the block, with the kinds of the items that it names."""
    found: list[str] = []
    events = table.connection().client.meta.events

    def note(params: Mapping[str, Any], model: Any, **_: Any) -> None:
        found.append(_told(model.name, params))

    events.register("before-parameter-build.dynamodb", note)
    try:
        yield found
    finally:
        events.unregister("before-parameter-build.dynamodb", note)


def _told(operation: str, params: Mapping[str, Any]) -> str:
    if operation == "Query":
        return "query"
    if operation == "GetItem":
        return f"get: {_kind(params['Key'])}"
    if operation == "BatchGetItem":
        keys = [key for asked in params["RequestItems"].values() for key in asked["Keys"]]
        return f"read: {' '.join(sorted(map(_kind, keys)))}"
    writes = [write for each in params["TransactItems"] for write in each.values()]
    return f"{operation.removesuffix('Items')}: {' '.join(sorted(_kind(w.get('Key') or w['Item']) for w in writes))}"


def _kind(key: Mapping[str, Any]) -> str:
    """``xiamen#deal#…`` is a deal; of an offer's partition, what its sort key says."""
    kind, part = str(key["pk"]["S"]).split("#")[1], str(key["sk"]["S"]).partition("#")[0]
    return {"offer": part, "offers": "head", "account": part}.get(kind, kind)


def cost(request: Callable[[], Answer], code: str | None = None) -> list[str]:
    """What a request calls, in order. It must end so: in a refusal of this code, or well."""
    with calls() as found:
        answer = request()
    assert answer.code == code, answer.text
    return found


def test_a_quote_is_one_read_and_one_write(market: Market, offer: Offer) -> None:
    who, visitor = market.buyer(), market.buyer(705, "hangzhou")
    body = market.ask(offer) | {"pass_code": market.world.show(who, FARM)}
    assert cost(lambda: market.world.post("/v1/quotes", FARM, body)) == [
        "read: account budget control head quota stock",
        "TransactWrite: account deal effect pass",
    ]
    own = for_oneself(offer, market.ask(offer))
    assert market.world.post("/v1/me/quotes", f"citizen:{visitor}", own).status == 201
    assert cost(lambda: market.world.post("/v1/me/quotes", f"citizen:{visitor}", own)) == [
        "read: account budget control control head quota stock",
        "TransactWrite: account deal effect",
    ]


@pytest.mark.parametrize("verb", ["redemption", "reservation"])
def test_to_redeem_or_to_reserve_is_one_read_and_one_write_of_five(market: Market, offer: Offer, verb: str) -> None:
    quote_id = market.quoted(market.buyer(), offer)
    assert cost(lambda: market.act(verb, quote_id)) == [SEEN, "TransactWrite: account deal effect quota stock"]


@pytest.mark.parametrize("verb", ["redemption", "reservation"])
def test_each_further_counter_or_quota_is_one_item_more(market: Market, offer: Offer, verb: str) -> None:
    bare = kept(market, market.offer(reservation_seconds=600))
    rich = kept(market, market.offer(quota=Quota(day=9), budget_fen=100_000, reservation_seconds=600))
    asked = [(offer, TOFU), (bare, TOFU), (rich, TOFU), (rich, TEA)]
    lines = [{"offer_id": each.offer_id, "variant_id": variant, "units": 1} for each, variant in asked]
    quote_id = market.quote(market.buyer(), {"lines": lines}).body["deal"]["quote_id"]
    assert cost(lambda: market.act(verb, quote_id)) == [
        SEEN,
        "TransactWrite: account budget deal effect quota quota stock stock stock stock",
    ]
    plain = market.quoted(market.buyer(), bare)
    assert cost(lambda: market.act(verb, plain)) == [SEEN, "TransactWrite: account deal effect stock"]


def test_to_redeem_or_release_what_was_reserved_costs_the_same(market: Market, offer: Offer) -> None:
    who = market.buyer()
    first, second, third = (market.quoted(who, offer) for _ in range(3))
    for quote_id in (first, second):
        assert market.act("reservation", quote_id).status == 200
    # The other reservation has changed the quota, which makes the second look.
    assert cost(lambda: market.act("redemption", second)) == [SEEN, "TransactWrite: account deal effect quota stock"]
    looked = ["TransactWrite: deal effect quota stock", LOOKED, "TransactWrite: deal effect quota stock"]
    assert cost(lambda: market.act("release", first)) == [SEEN, *looked]
    assert cost(lambda: market.act("release", third)) == [SEEN, "TransactWrite: deal effect"]
    alone = market.quoted(market.buyer(), offer)
    assert market.act("reservation", alone).status == 200
    assert cost(lambda: market.act("release", alone)) == [SEEN, "TransactWrite: deal effect quota stock"]


def test_a_refund_asks_no_account(market: Market, offer: Offer) -> None:
    quote_id = market.redeemed(market.buyer(), offer, 2)
    assert cost(lambda: market.refund(quote_id)) == [SEEN, "TransactWrite: deal effect quota stock"]
    funded = (Share("merchant", 5000), Share("city", 5000))
    burnt = kept(market, market.offer(on_refund="burn", budget_fen=100_000, quota=Quota(day=9), funding=funded))
    quote_id = market.redeemed(market.buyer(), burnt, 2)
    assert cost(lambda: market.refund(quote_id)) == [SEEN, "TransactWrite: deal effect"]


def test_where_the_guard_has_changed_it_is_one_more_read_and_write(market: Market, offer: Offer) -> None:
    who = market.buyer()
    quote_id = market.quoted(who, offer)
    market.world.grant(who, FARM, SCENARIO)
    write = "TransactWrite: account deal effect quota stock"
    assert cost(lambda: market.act("redemption", quote_id)) == [SEEN, write, LOOKED, write]


def test_a_conflict_is_one_more_write(market: Market, offer: Offer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "sleep", lambda seconds: None)
    quote_id = market.quoted(market.buyer(), offer)
    with monkeypatch.context() as patch:
        # The fault comes in place of the call, so that only the second try is seen below.
        attempts = inject(patch, iter([cancelled(CONFLICT)]))
        found = cost(lambda: market.act("redemption", quote_id))
    assert found == [SEEN, "TransactWrite: account deal effect quota stock"]
    assert len(attempts.tokens) == 2


def test_a_replay_is_the_write_that_finds_it_or_one_read_more(market: Market, offer: Offer) -> None:
    quote_id = market.quoted(market.buyer(), offer, 2)
    sold = market.act("redemption", quote_id, key="budget-redemption")
    again: list[Answer] = []
    redeem = cost(lambda: _noted(again, market.act("redemption", quote_id, key="budget-redemption")))
    assert (redeem, again[0].text) == ([SEEN, FIND], sold.text)
    given = market.refund(quote_id, key="budget-refund")
    refund = cost(lambda: _noted(again, market.refund(quote_id, key="budget-refund")))
    assert (refund, again[1].text) == ([SEEN, "TransactWrite: deal effect quota stock"], given.text)


def _noted(answers: list[Answer], answer: Answer) -> Answer:
    answers.append(answer)
    return answer


def test_a_refusal_reads_and_looks_for_the_effect(market: Market, offer: Offer) -> None:
    who, last = market.buyer(), kept(market, market.offer(stock=1, quota=Quota(day=1)))
    first, second = market.quoted(who, last), market.quoted(market.buyer(), last)
    third = market.quoted(who, last)
    assert market.act("redemption", first).status == 200
    assert cost(lambda: market.act("redemption", first), "quote-used") == [SEEN, FIND]
    assert cost(lambda: market.act("redemption", "xiamen." + "a" * 26), "quote-foreign") == [SEEN, FIND]
    write = "TransactWrite: account deal effect quota stock"
    assert cost(lambda: market.act("redemption", second), "out-of-stock") == [SEEN, write, LOOKED, FIND]
    assert cost(lambda: market.act("redemption", third), "out-of-stock") == [SEEN, write, LOOKED, FIND]
    everything = "read: account budget control head quota stock"
    assert cost(lambda: market.quote(who, market.ask(last)), "quota-exceeded")[-2:] == [everything, FIND]
    stranger = market.world.newcomer("xiamen", 640)
    assert cost(lambda: market.quote(stranger, market.ask(offer)), "consent-required")[-2:] == [everything, FIND]


def test_a_dry_run_writes_nothing_and_looks_at_everything(market: Market, offer: Offer) -> None:
    who = market.buyer()
    quote_id = market.quoted(who, offer)
    preview = market.ask(offer) | {"tier": "极好"}
    dry = "?dry_run=true"
    shelf = "read: budget control head stock"
    assert cost(lambda: market.world.post(f"/v1/quotes{dry}", FARM, preview)) == [shelf]
    assert cost(lambda: market.act(f"redemption{dry}", quote_id)) == [SEEN, LOOKED]


def test_reading_is_one_read_and_a_list_one_query_more(market: Market, offer: Offer) -> None:
    who = market.buyer()
    bought = [market.redeemed(who, offer) for _ in range(3)]
    person, world = f"citizen:{who}", market.world
    assert cost(lambda: world.send("GET", "/v1/me/purchases", person)) == ["query", "read: deal deal deal"]
    assert cost(lambda: world.send("GET", "/v1/me/purchases?limit=2", person)) == ["query", "read: deal deal"]
    assert cost(lambda: world.send("GET", f"/v1/me/purchases/{bought[0]}", person)) == ["read: deal"]
    assert cost(lambda: world.send("GET", f"/v1/quotes/{bought[0]}", FARM)) == ["read: deal"]
    receipt = world.get(f"/v1/quotes/{bought[0]}", FARM)["receipt_id"]
    replay = cost(lambda: world.post(f"/v1/quote-receipts/{receipt}/replay", AUDITOR))
    assert replay == [FIND, "TransactWrite: effect"]
