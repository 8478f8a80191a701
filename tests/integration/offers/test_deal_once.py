"""ONCE along a deal: the same request again is the same reply and one effect, with a fault between any two steps."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib.core import clock
from chalicelib.offers.rules import Offer, Quota
from tests.in_process import Answer
from tests.integration.core.faults import CONFLICT, FAILED, Fault, cancelled, inject, lost_after, lost_before
from tests.integration.offers.deals import check_refused, for_oneself, nothing_stored, quote_self
from tests.integration.offers.market import TEA, TOFU, Market
from tests.world import FARM, World

FAULTS: dict[str, Fault | None] = {
    "none": None,
    "the request is lost": lost_before,
    "the reply is lost": lost_after,
    "a conflict": cancelled(CONFLICT),
    "something was changed": cancelled(FAILED),
}
Act = Callable[[str], Answer]


@pytest.fixture(scope="module")
def market(world: World) -> Market:
    return Market(world)


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "sleep", lambda seconds: None)


@pytest.fixture
def offer(market: Market) -> Offer:
    return market.shelve(market.offer(reservation_seconds=600, quota=Quota(day=9), budget_fen=100_000))


def quoting(market: Market, who: str, offer: Offer) -> Act:
    body = market.ask(offer, 2) | {"pass_code": market.world.show(who, FARM)}
    return lambda key: market.world.post("/v1/quotes", FARM, body, key=key)


def quoting_oneself(market: Market, who: str, offer: Offer) -> Act:
    body = for_oneself(offer, market.ask(offer, 2))
    return lambda key: market.world.post("/v1/me/quotes", f"citizen:{who}", body, key=key)


def reserving(market: Market, who: str, offer: Offer) -> Act:
    quote_id = market.quoted(who, offer, 2)
    return lambda key: market.act("reservation", quote_id, key=key)


def redeeming(market: Market, who: str, offer: Offer) -> Act:
    quote_id = market.quoted(who, offer, 2)
    return lambda key: market.act("redemption", quote_id, key=key)


def redeeming_what_was_reserved(market: Market, who: str, offer: Offer) -> Act:
    quote_id = market.quoted(who, offer, 2)
    assert market.act("reservation", quote_id).status == 200
    return lambda key: market.act("redemption", quote_id, key=key)


def releasing(market: Market, who: str, offer: Offer) -> Act:
    quote_id = market.quoted(who, offer, 2)
    assert market.act("reservation", quote_id).status == 200
    return lambda key: market.act("release", quote_id, key=key, actor=f"citizen:{who}")


def refunding(market: Market, who: str, offer: Offer) -> Act:
    quote_id = market.redeemed(who, offer, 2)
    return lambda key: market.refund(quote_id, key=key)


# What is redeemed, held and counted as had by the person after each of them: units, and fen of the budget.
AFTER: dict[Callable[[Market, str, Offer], Act], tuple[int, int, int, int]] = {
    quoting: (0, 0, 0, 0),
    quoting_oneself: (0, 0, 0, 0),
    reserving: (0, 2, 2, 0),
    redeeming: (2, 0, 2, 3600),
    redeeming_what_was_reserved: (2, 0, 2, 3600),
    releasing: (0, 0, 0, 0),
    refunding: (1, 0, 1, 1800),
}


def standing(market: Market, who: str, offer: Offer) -> tuple[int, int, int, int]:
    counter = market.counter(offer).counter
    had = max(market.quota(offer, who).state.used.values(), default=0)
    return counter.redeemed, sum(counter.held.values()), had, market.budget(offer).counter.redeemed


def effects(market: Market) -> int:
    return sum(item["kind"]["S"] == "effect" for item in market.world.items())


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("step", AFTER, ids=lambda step: step.__name__)
def test_ONCE_with_a_fault_in_the_write(
    market: Market,
    offer: Offer,
    monkeypatch: pytest.MonkeyPatch,
    step: Callable[[Market, str, Offer], Act],
    fault: str,
) -> None:
    who, key = market.buyer(), f"once-{next(market.world.client.numbers):06d}"
    act = step(market, who, offer)
    before = effects(market)
    inject(monkeypatch, iter([FAULTS[fault]]))
    first = act(key)
    lost = FAULTS[fault] in {lost_before, lost_after}
    assert (first.status, first.code) == (503, "unavailable") if lost else first.status in {200, 201}
    again, third = act(key), act(key)
    assert again.status in {200, 201}, again.text
    assert again.replayed == (FAULTS[fault] is not lost_before)
    assert (third.text, third.replayed) == (again.text, True)
    assert lost or first.text == again.text
    assert effects(market) == before + 1
    assert standing(market, who, offer) == AFTER[step]


@pytest.mark.parametrize("step", AFTER, ids=lambda step: step.__name__)
def test_ONCE_the_stored_reply_is_what_went_out(
    market: Market, offer: Offer, step: Callable[[Market, str, Offer], Act]
) -> None:
    known = {json.dumps(item, sort_keys=True) for item in market.world.items()}
    act = step(market, market.buyer(), offer)
    answer = act(f"once-{next(market.world.client.numbers):06d}")
    fresh = [item for item in market.world.items() if json.dumps(item, sort_keys=True) not in known]
    replies = [item["reply"]["S"] for item in fresh if item["kind"]["S"] == "effect"]
    assert answer.text in replies


def test_ONCE_another_body_under_the_key_is_refused(market: Market, offer: Offer) -> None:
    who = market.buyer()
    quote_id = market.redeemed(who, offer, 3)
    assert market.refund(quote_id, 0, 1, key="refund-once-key").status == 201
    with nothing_stored(market.world):
        assert market.refund(quote_id, 0, 2, key="refund-once-key").code == "idempotency-key-reused"
        assert market.refund(quote_id, 0, 1, key="refund-once-key").replayed
    other = market.redeemed(who, offer, 1)
    with nothing_stored(market.world):
        assert market.refund(other, 0, 1, key="refund-once-key").code == "idempotency-key-reused"


def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], Any]) -> None:
    """Lets something happen between the next request's read and its write."""

    def first(_: Any, write: Callable[[], None]) -> None:
        happens()
        write()

    faults: list[Fault | None] = [first]
    inject(monkeypatch, iter(faults))


def test_two_lines_of_one_deal_are_refunded_at_once(
    market: Market, offer: Offer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [{"offer_id": offer.offer_id, "variant_id": variant, "units": 2} for variant in (TOFU, TEA)]
    who = market.buyer()
    quote_id = market.quote(who, {"lines": lines}).body["deal"]["quote_id"]
    assert market.act("redemption", quote_id).status == 200
    other: list[Answer] = []
    meanwhile(monkeypatch, lambda: other.append(market.refund(quote_id, 1, 2)))
    first = market.refund(quote_id, 0, 1)
    assert (first.status, other[0].status) == (201, 201)
    lines = market.world.get(f"/v1/quotes/{quote_id}", FARM)["lines"]
    assert [line["refunded_units"] for line in lines] == [1, 2]
    assert [market.counter(offer, variant).counter.redeemed for variant in (TOFU, TEA)] == [1, 0]
    assert max(market.quota(offer, who).state.used.values()) == 1
    assert market.budget(offer).counter.redeemed == 1800


def test_units_of_one_line_are_refunded_once(market: Market, offer: Offer, monkeypatch: pytest.MonkeyPatch) -> None:
    quote_id = market.redeemed(market.buyer(), offer, 2)
    meanwhile(monkeypatch, lambda: market.refund(quote_id, 0, 2))
    check_refused(
        market.refund(quote_id, 0, 1), "refund-exceeds", "该项还可退 0 件", "Of this line 0 can still be refunded"
    )
    assert market.counter(offer).counter.redeemed == 0


@pytest.mark.parametrize("verb", ["redemption", "reservation", "release"])
@pytest.mark.parametrize("other", ["redemption", "reservation", "release"])
def test_ONCE_of_two_who_use_one_quote_one_succeeds(
    market: Market, offer: Offer, monkeypatch: pytest.MonkeyPatch, verb: str, other: str
) -> None:
    who = market.buyer()
    quote_id = market.quoted(who, offer)
    done: list[Answer] = []
    meanwhile(monkeypatch, lambda: done.append(market.act(other, quote_id)))
    late = market.act(verb, quote_id)
    assert done[0].status == 200
    if other == "reservation" and verb != "reservation":
        assert late.status == 200, "what was reserved meanwhile is redeemed, or given up"
    else:
        check_refused(late, "quote-used")
    counter = market.counter(offer).counter
    sold = "redemption" in {other, verb if late.status == 200 else ""}
    held = (other, late.status) == ("reservation", 409)
    assert (counter.redeemed, sum(counter.held.values())) == (int(sold), int(held))


def test_the_last_one_is_sold_once(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    scarce = market.shelve(market.offer(stock=1, show_stock=True))
    first, second = (market.quoted(market.buyer(), scarce) for _ in range(2))
    meanwhile(monkeypatch, lambda: market.act("redemption", first))
    check_refused(
        market.act("redemption", second), "out-of-stock",
        "“清流嵩溪豆腐皮 250 克”库存不足，还剩 0 件", "There is not enough left of “Songxi tofu skin, 250 g”: 0",
    )  # fmt: skip
    poor = market.shelve(market.offer(budget_fen=3000))
    first, second = (market.quoted(market.buyer(), poor) for _ in range(2))
    monkeypatch.undo()
    meanwhile(monkeypatch, lambda: market.act("redemption", first))
    check_refused(market.act("redemption", second), "budget-exhausted")
    assert market.budget(poor).counter.redeemed == 1800


@pytest.mark.parametrize("verb", ["redemption", "reservation"])
@pytest.mark.parametrize("had", [0, 1], ids=["the first of it", "more of it"])
def test_a_person_has_no_more_than_his_quota_by_two_quotes(
    market: Market, monkeypatch: pytest.MonkeyPatch, verb: str, had: int
) -> None:
    rationed = market.shelve(market.offer(quota=Quota(month=2 + had), reservation_seconds=600))
    who = market.buyer()
    for _ in range(had):
        market.redeemed(who, rationed)
    first, second = (market.quoted(who, rationed, 2) for _ in range(2))
    meanwhile(monkeypatch, lambda: market.act("redemption", first))
    check_refused(
        market.act(verb, second), "quota-exceeded",
        f"本月每人限购 {2 + had} 件，您还可购 0 件", f"Each person may have {2 + had} this month; 0 are left for you",
    )  # fmt: skip
    assert market.counter(rationed).counter.redeemed == 2 + had


def test_who_keeps_meeting_others_is_told_to_come_again(
    market: Market, offer: Offer, monkeypatch: pytest.MonkeyPatch
) -> None:
    quote_id = market.quoted(market.buyer(), offer)
    inject(monkeypatch, iter([cancelled(FAILED)] * 4))
    refused = market.act("redemption", quote_id)
    assert (refused.status, refused.code) == (409, "conflict")
    assert market.act("redemption", quote_id).status == 200


@pytest.fixture
def raced(world: World, market: Market) -> Market:
    """The stall, if transactions may be raced on it."""
    if world.database.engine != "dynoxide":
        pytest.skip("moto is no proof of concurrency")
    return market


def race(acts: list[Callable[[], Answer]]) -> list[Answer]:
    with ThreadPoolExecutor(len(acts)) as pool:
        return [done.result() for done in [pool.submit(act) for act in acts]]


def test_of_many_at_once_as_many_buy_as_there_are(raced: Market) -> None:
    scarce = raced.shelve(raced.offer(stock=3))
    quotes = [quote_self(raced, raced.buyer(), scarce).body["deal"]["quote_id"] for _ in range(8)]
    answers = race([lambda quote_id=each: raced.act("redemption", quote_id) for each in quotes])  # type: ignore[misc]
    assert Counter(answer.code for answer in answers) == {None: 3, "out-of-stock": 5}
    assert (raced.counter(scarce).counter.redeemed, raced.counter(scarce).counter.avail) == (3, 0)


def test_both_lines_of_one_deal_are_refunded_in_a_race(raced: Market, offer: Offer) -> None:
    lines = [{"offer_id": offer.offer_id, "variant_id": variant, "units": 1} for variant in (TOFU, TEA)]
    quote_id = raced.quote(raced.buyer(), {"lines": lines}).body["deal"]["quote_id"]
    assert raced.act("redemption", quote_id).status == 200
    answers = race([lambda line=each: raced.refund(quote_id, line) for each in (0, 1)])  # type: ignore[misc]
    assert [answer.status for answer in answers] == [201, 201]
    assert [raced.counter(offer, variant).counter.redeemed for variant in (TOFU, TEA)] == [0, 0]
