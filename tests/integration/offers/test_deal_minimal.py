"""MINIMAL at the counter: what a merchant hears of two people who pay the same differs in ids and times alone."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from chalicelib.core import cursor, log
from chalicelib.offers.rules import Offer, Quota
from tests.in_process import Answer
from tests.integration.offers.deals import quote_self, suspend
from tests.integration.offers.market import Market
from tests.integration.scenarios.test_leaks import figures
from tests.world import FARM, World

OWN_PART = re.compile(r"(?<=\.)[a-z2-7]{26}(?=\")")
SUBJECT = re.compile(r"p1_[a-z2-7]{111}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
REQUEST = re.compile(r'"request_id":"[^"]+"')
NUMBER = re.compile(r"\d+(?:\.\d+)?")


@pytest.fixture(scope="module")
def market(world: World) -> Market:
    return Market(world)


@pytest.fixture(scope="module")
def offer(market: Market) -> Offer:
    return market.shelve(market.offer(reservation_seconds=600, quota=Quota(day=9), budget_fen=10**6))


def stripped(answer: Answer) -> tuple[int, str, dict[str, str]]:
    """A reply without what tells only which person, which deal and when."""
    text = answer.text
    for pattern in (OWN_PART, SUBJECT, TIME, REQUEST):
        text = pattern.sub("*", text)
    assert "*" in text
    headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
    return answer.status, text, headers


def heard(market: Market, who: str, offer: Offer) -> list[Answer]:
    """Everything that a merchant can hear of a person: quotes by pass and by himself, and what becomes of them."""
    by_pass = market.quote(who, market.ask(offer, 2))
    own = [quote_self(market, who, offer).body["deal"]["quote_id"] for _ in range(2)]
    quote_id = by_pass.body["deal"]["quote_id"]
    return [
        by_pass,
        market.act("reservation", quote_id),
        market.world.send("GET", f"/v1/quotes/{quote_id}", FARM),
        market.act("redemption", quote_id),
        market.act("redemption", quote_id),
        market.refund(quote_id),
        market.refund(quote_id, 0, 9),
        *(market.world.send("GET", f"/v1/quotes/{each}", FARM) for each in own),
        market.act("redemption", own[0]),
        market.refund(own[0]),
        market.act("release", own[1]),
        market.quote(who, market.ask(offer, 9)),
        market.quote(who, market.ask(offer, 501)),
    ]


@pytest.mark.parametrize(
    "people",
    [
        [("xiamen", 680), ("xiamen", 681), ("xiamen", 1000), ("hangzhou", 760), ("wuxi", 990)],
        [("xiamen", 560), ("xiamen", 619)],
        [("xiamen", 0), ("xiamen", 499), ("xiamen", None), ("hangzhou", None), ("xiamen", -1), ("hangzhou", -1)],
    ],
    ids=["best", "good", "none"],
)
def test_MINIMAL_two_people_of_one_tier_cannot_be_told_apart(
    market: Market, offer: Offer, people: list[tuple[str, int | None]]
) -> None:
    """A score of -1 stands for somebody whose benefits are suspended."""
    first: list[Any] = []
    for city, score in people:
        who = market.buyer(990 if score == -1 else score, city)
        if score == -1:
            suspend(market.world, who)
        said = [stripped(answer) for answer in heard(market, who, offer)]
        assert [status for status, _, _ in said] == [
            201,
            200,
            200,
            200,
            409,
            201,
            409,
            200,
            200,
            200,
            201,
            200,
            409,
            409,
        ]
        assert said == (first or said), f"{city} {score} reads otherwise than {people[0]}"
        first = said
    assert len(first) == 14


def test_MINIMAL_a_visitors_own_receipt_is_told_to_nobody_else(market: Market, offer: Offer) -> None:
    for city in ("hangzhou", "xiamen"):
        who = market.buyer(760, city)
        own = quote_self(market, who, offer).body["deal"]
        assert own["receipt_id"] == f"{city}.{own['quote_id'].partition('.')[2]}"
        quote_id = own["quote_id"]
        answers = [market.world.send("GET", f"/v1/quotes/{quote_id}", FARM), market.act("redemption", quote_id)]
        assert {answer.body["receipt_id"] for answer in answers} == {None}
        assert market.refund(quote_id).body["deal"]["receipt_id"] is None
        purchase = market.world.get(f"/v1/me/purchases/{quote_id}", f"citizen:{who}")
        assert purchase["deal"]["receipt_id"] == own["receipt_id"], "the person may show it to an auditor"
        kept = quote_self(market, who, offer).body["deal"]
        given_up = market.act("release", kept["quote_id"], actor=f"citizen:{who}").body
        assert given_up["receipt_id"] == kept["receipt_id"]


def test_MINIMAL_no_number_and_no_name_that_tells_a_person(market: Market, offer: Offer) -> None:
    for city, score in (("xiamen", 697), ("hangzhou", 743)):
        who = market.buyer(score, city)
        told, person_id = figures(market.world, who), market.world.ref(who).person_id
        assert str(score) in told
        answers = heard(market, who, offer)
        for answer in answers:
            assert not set(NUMBER.findall(stripped(answer)[1])) & told, answer.text
            assert person_id not in answer.text
            assert "hangzhou" not in answer.text
            assert market.world.client.people[who]["subject_id"] not in answer.text, "one's city knows one otherwise"
        mine = [
            market.world.send("GET", path, f"citizen:{who}").text
            for path in ("/v1/me/purchases", f"/v1/me/purchases/{answers[0].body['deal']['quote_id']}", "/v1/me/looks")
        ]
        assert all(person_id not in text for text in mine)


def test_MINIMAL_a_score_is_kept_with_its_decision_and_nowhere_else(market: Market, offer: Offer) -> None:
    who = market.buyer(697)
    before = {json.dumps(item, sort_keys=True) for item in market.world.items()}
    heard(market, who, offer)
    written = [item for item in market.world.items() if json.dumps(item, sort_keys=True) not in before]
    holding = {(item["kind"]["S"], name) for item in written for name in item if "697" in numbers_in(item[name])}
    assert holding == {("effect", "facts"), ("deal", "document")}
    purposes = {item["purpose"]["S"] for item in written if "697" in numbers_in(item.get("facts", {}))}
    assert purposes == {"quote:xiamen/jimei_produce"}


def numbers_in(value: dict[str, str]) -> set[str]:
    text = TIME.sub("", json.dumps(value))
    return set(re.findall(r"(?<![0-9A-Za-z])\d+(?![0-9A-Za-z])", text))


def test_MINIMAL_a_cursor_of_purchases_holds_a_place_and_nothing_else(market: Market, offer: Offer) -> None:
    who = market.buyer(697)
    for _ in range(2):
        market.redeemed(who, offer)
    sealed = market.world.get("/v1/me/purchases?limit=1", f"citizen:{who}")["next"]
    place = cursor.open_cursor(sealed, f"purchases:{market.world.client.people[who]['subject_id']}")
    assert isinstance(place, str), place
    assert re.fullmatch(r"[0-9T:.Z-]{24}#xiamen\.[a-z2-7]{26}", place)


def test_MINIMAL_the_log_says_only_what_is_declared(market: Market, offer: Offer) -> None:
    who = market.buyer(697)
    secrets = figures(market.world, who)
    already = len(market.world.logs.getvalue())
    heard(market, who, offer)
    lines = [json.loads(line) for line in market.world.logs.getvalue()[already:].splitlines()]
    assert len(lines) > 14
    for line in lines:
        assert line.keys() <= log.FIELDS | {"event", "level", "request_id"}
        said = {name: value for name, value in line.items() if name not in {"request_id", "duration_ms", "status"}}
        assert not set(NUMBER.findall(json.dumps(said))) & secrets, said
        assert market.world.ref(who).person_id not in json.dumps(line)
