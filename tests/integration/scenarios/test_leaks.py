"""What institutions hear of people: the tiers reached, and nothing from which a score could be told.

Everything that partners and the host city receive is gathered: bodies, headers, refusals, cursors, and the lines of the
log beside them. What is left of it without ids and times may hold no number that was not published in the tables.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.cities.store import load_scale
from chalicelib.core import clock, cursor, log
from chalicelib.core.http import ROUTES
from chalicelib.linking.rules import LinkNotNumeric, beats_bp, convert, reference_value
from chalicelib.linking.store import load_concordance, load_published
from chalicelib.subjects.store import AccountRow, account_key
from tests.integration.scenarios.test_standings import agree
from tests.world import BANK, CHEWEI, FARM, HOSPITAL, LIBRARY, PARKING, XIAMEN, Answer, World, days_ahead

PARTIES = (PARKING, CHEWEI, LIBRARY, BANK, HOSPITAL, FARM, XIAMEN)
DISTRICTS = (None, "island", "haicang", "jimei", "tongan", "xiangan")
# The districts whose own rules differ, the city as a whole, and one that no table names.
AREAS = {
    "roadside_parking": (None, "haicang", "tongan"),
    "bicycle": (None, "island", "haicang"),
    "jimei_produce": (None, "jimei"),
}
ASKERS = {
    "roadside_parking": PARKING,
    "i_chewei_parking": CHEWEI,
    "library": LIBRARY,
    "credit_medical": BANK,
    "bicycle": XIAMEN,
    "jimei_produce": FARM,
}
PASSING = {"receipt_id", "decided_at", "request_id", "subject_id"}
HEADERS = {"cache-control": "no-store", "content-type": "application/json"}
# The tier of a table by grade is named after the grade's place.
GRADE_TIER = re.compile(r'"grade_[0-9]"')
NUMBER = re.compile(r"\d+(?:\.\d+)?")
STATUSES = {"200", "201", "401", "403", "404", "409", "422"}


@pytest.fixture(scope="module", autouse=True)
def _consents(world: World) -> None:
    """Everybody in the demo lets everybody ask, beyond what the demo itself needs."""
    for who in world.client.people:
        world.grant(who, XIAMEN, "bicycle")
        world.grant(who, HOSPITAL, "credit_medical")
        world.grant(who, LIBRARY, "roadside_parking")


def left(answer: Answer) -> str:
    """What a reply says, without ids and times; what is no JSON as it is."""
    if "json" not in answer.headers["content-type"]:
        return answer.text

    def strip(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: strip(inner) for name, inner in value.items() if name not in PASSING}
        return [strip(inner) for inner in value] if isinstance(value, list) else value

    return json.dumps(strip(answer.body), ensure_ascii=False, sort_keys=True)


def told_in_headers(answer: Answer) -> dict[str, str]:
    """The headers, but for the one that says that the database's answer was lost and asked for again."""
    return {name: value for name, value in answer.headers.items() if name != "idempotency-replayed"}


def published_numbers(world: World) -> set[str]:
    """Every figure of a benefit in Xiamen's tables, and their version."""
    tables = json.dumps([item["areas"] for item in world.get("/v1/cities/xiamen/scenarios")["items"]])
    benefits = re.findall(r'"(?:benefit|without|by_grade)": \{([^{}]*)\}', tables)
    return {number for benefit in benefits for number in re.findall(r": (\d+)", benefit)} | {"1"}


def figures(world: World, who: str) -> set[str]:
    """Every number that tells a person's score, in every rounding: his score, R, equivalents and percentile."""
    person, score = world.client.people[who], held(world, who)
    home, here = person["city"], load_concordance("xiamen", 1)
    c, scale, host_scale = load_concordance(home, 1), load_scale(home, 1), load_scale("xiamen", 1)
    found: list[float] = [score]
    try:
        for value in (reference_value(c, scale, score), reference_value(c, scale, score, here)):
            found += [value.point, value.lower, value.upper]
        worth = convert(score, c, scale, here, host_scale)
        found += [worth.equivalent, worth.equivalent_score, worth.lower_bound, worth.upper_bound]
        beats = beats_bp(load_published(home, 1), scale, score)
        found += [beats, beats / 100, beats / 10_000, 100 - beats / 100]
    except LinkNotNumeric:
        pass
    said = {f"{number:.{places}f}" for number in found for places in range(3)}
    return {text for text in said if len(text) > 2}


def held(world: World, who: str) -> int:
    row = AccountRow.get(*account_key(world.ref(who)))
    assert row.score is not None
    return row.score


def numbers(text: str) -> set[str]:
    return set(NUMBER.findall(text))


def everybody(world: World) -> dict[str, set[str]]:
    """The demo's people, with what tells their scores. Others come and go with the tests."""
    return {who: figures(world, who) for who in world.client.people if not who.startswith("new-")}


def test_MINIMAL_nobody_hears_a_number_that_tells_a_score(world: World) -> None:
    secret = everybody(world)
    public = published_numbers(world)
    assert numbers(left(world.send("GET", "/v1/me/score", "citizen:hz-705"))) & secret["hz-705"], "it can be found"
    for who, told in secret.items():
        assert not told & public, f"{who} has a figure that is published anyway: {told & public}"
        for scenario_id, actor in ASKERS.items():
            for district in DISTRICTS if who == "hz-705" else AREAS.get(scenario_id, (None, "tongan")):
                answer = world.decide(actor, who, scenario_id, district, by_pass=actor == FARM)
                assert answer.status == 200, answer.text
                assert told_in_headers(answer) == HEADERS
                said = left(answer)
                assert numbers(GRADE_TIER.sub("", said)) <= public, f"{who} {scenario_id} {district}: {said}"
                assert not numbers(said) & told


def test_MINIMAL_no_refusal_tells_more(world: World) -> None:
    who = "hz-760"
    secret, subject_id = figures(world, who), world.known_to(LIBRARY, who)
    used, expired = world.show(who, LIBRARY), world.show(who, LIBRARY)
    assert world.post("/v1/decisions", LIBRARY, {"scenario_id": "library", "pass_code": used}).status == 200
    with clock.fixed(days_ahead(1)):
        asked = [world.post("/v1/decisions", LIBRARY, {"scenario_id": "library", "pass_code": expired})]
    bodies: list[Any] = [
        {"scenario_id": "library", "pass_code": used},
        {"scenario_id": "library", "pass_code": used[:-4] + "AAAA"},
        {"scenario_id": "library", "subject_id": subject_id, "district": "gulangyu"},
        {"scenario_id": "library", "subject_id": subject_id, "score": 760},
        {"scenario_id": "museum", "subject_id": subject_id},
        {"scenario_id": "roadside_parking", "subject_id": subject_id},
        {"scenario_id": "library", "subject_id": world.client.people[who]["subject_id"]},
        {"scenario_id": "library"},
        {},
    ]
    asked += [world.post("/v1/decisions", LIBRARY, body) for body in bodies]
    for answer in asked:
        assert answer.status >= 400
        assert told_in_headers(answer) == HEADERS | {"content-type": "application/problem+json"}
        assert numbers(left(answer)) <= STATUSES
        assert not [figure for figure in secret if figure in left(answer)]


BODIES = {
    "scores/report_score.json": {"score": 500, "as_of": "2026-01-01T00:00:00Z", "revision": 1, "scale_version": 1},
    "records/repair_record.json": {"reason": {"zh": "修复", "en": "repaired"}},
    "subjects/confirm_ward.json": {"valid_to": "2030-01-01"},
    "subjects/suspend_benefits.json": {"kind": "all_benefits", "reason": {"zh": "停", "en": "stop"}},
    "medical/move_review.json": {"move": "forward"},
    "medical/move_forwarded_review.json": {"move": "uphold", "reason": {"zh": "无误", "en": "right"}},
    "linking/convert_scores.json": {"from_city": "hangzhou", "to_city": "xiamen", "scores": [705]},
}
OF_THE_CITY = {
    "/v1/cities/{city_id}/partners", "/v1/cities/{city_id}/partners/{partner_id}",
    "/v1/cities/{city_id}/scores", "/v1/cities/{city_id}/review", "/v1/cities/{city_id}/statistics",
    "/v1/cities/{city_id}/merchants/{merchant_id}/offers", "/v1/cities/{city_id}/merchants/{merchant_id}/offers/export",
    "/v1/cities/{city_id}/partners/{partner_id}/statements", "/v1/cities/{city_id}/banks/{bank_id}/credit-policies",
    "/v1/cities/{city_id}/banks/{bank_id}/exposure",
    "/v1/cities/{city_id}/credit-policies/waiting", "/v1/cities/{city_id}/credit-reviews", "/v1/visits",
}  # fmt: skip


def things(world: World, actor: str, city: str) -> dict[str, str]:
    """What a path may name: the visitor himself and what is his, wherever it can be somebody's."""
    who = "hz-705"
    receipt = world.get("/v1/me/looks?limit=1", f"citizen:{who}")["items"][0]["effect_id"]
    grant_id = world.get("/v1/me/consents", f"citizen:{who}")["items"][0]["grant_id"]
    return {
        "city_id": city, "subject_id": world.known_to(actor, who), "grant_id": grant_id, "receipt_id": receipt,
        "partner_id": "xiamen-library", "agreement_id": "none-such", "scenario_id": "library", "version": "1",
        "kind": "all_benefits", "job_id": "none-such", "merchant_id": "qingliu-farm", "offer_id": "none-such",
        "quote_id": "xiamen." + receipt.partition(".")[2], "day": "2026-08-01", "month": "2026-08",
        "bank_id": "demo-bank", "hold_id": "none-such", "record_id": "none-such", "review_id": "none-such",
        "effect_id": receipt, "instruction_id": "none-such", "visit_id": "none-such",
        "item_id": "none-such", "ward_id": "none-such",
    }  # fmt: skip


def test_MINIMAL_every_other_route_is_shut_or_says_nothing_of_people(own_world: World) -> None:
    world, tried = own_world, 0
    secret = figures(world, "hz-705")
    guarded = [route for route in ROUTES if not route.policy.public and route.path != "/v1/decisions"]
    for actor, city in [*((actor, "xiamen") for actor in PARTIES), (XIAMEN, "hangzhou")]:
        named = things(world, actor, city)
        for route in guarded:
            body = None if route.body is None else BODIES.get(route.body, {})
            answer = world.send(route.method, route.path.format(**named), actor, body, if_match='"x"')
            tried += 1
            assert answer.status >= 400 or route.path in OF_THE_CITY, f"{actor} {route.method} {route.path}"
            assert "/subjects/" not in route.path or answer.code in {"not-found", "forbidden"}
            assert not [figure for figure in secret if figure in left(answer)]
    assert tried > 100


def test_MINIMAL_what_is_public_depends_on_nobodys_score(own_world: World) -> None:
    world = own_world
    readable = [route for route in ROUTES if route.policy.public and route.method == "GET"]
    named = [things(world, XIAMEN, city) for city in ("xiamen", "hangzhou")]
    paths = [route.path.format(**one) for route in readable for one in named]
    before = [world.send("GET", path) for path in paths]
    assert sum(answer.status == 200 for answer in before) >= 16
    for who, score in (("xm-612", 777), ("hz-705", 777), ("fz-700", 777)):
        world.rescore(who, score)
        world.decide(LIBRARY, who, "library")
    world.newcomer("xiamen", 777)
    after = [world.send("GET", path) for path in paths]
    for one, other in zip(before, after, strict=True):
        assert (left_of(one), one.headers) == (left_of(other), other.headers), one.path


def left_of(answer: Answer) -> str:
    """A page without its cursor, which is sealed anew each time."""
    return re.sub(r'"next": "[^"]+"', "", left(answer))


def test_MINIMAL_a_cursor_holds_a_place_and_nothing_else(world: World) -> None:
    citizen, subject_id = "citizen:hz-705", world.client.people["hz-705"]["subject_id"]
    lists = {
        ("/v1/cities", ""): "cities",
        ("/v1/cities/xiamen/scenarios", ""): "scenarios:xiamen",
        ("/v1/cities/xiamen/agreements", ""): "agreements:xiamen",
        ("/v1/cities/xiamen/partners", XIAMEN): "partners:xiamen",
        ("/v1/me/looks", citizen): f"looks:city:hangzhou:{subject_id}",
    }
    for (path, actor), purpose in lists.items():
        sealed = world.get(f"{path}?limit=1", actor)["next"]
        place = cursor.open_cursor(sealed, purpose)
        assert isinstance(place, str), path
        assert re.fullmatch(r"[a-z][a-z0-9_-]+|[0-9T:.Z-]{24}#[a-z]+\.[a-z2-7]{26}", place), f"{path}: {place}"
        shown = json.dumps(sealed)
        assert "705" not in place.partition("#")[2]
        assert place not in shown


def test_MINIMAL_the_log_says_only_what_is_declared(world: World) -> None:
    people = itertools.cycle(everybody(world))
    while world.logs.getvalue().count("\n") <= 300:
        world.ask_for_self(next(people), "library")
    secret = set().union(*everybody(world).values())
    lines = [json.loads(line) for line in world.logs.getvalue().splitlines()]
    assert len(lines) > 300
    for line in lines:
        assert line.keys() <= log.FIELDS | {"event", "level", "request_id"}
        said = {name: value for name, value in line.items() if name not in {"request_id", "duration_ms", "status"}}
        assert not numbers(json.dumps(said)) & secret, said
        assert numbers(json.dumps(said)) <= {"1"}, said


HOMES = {"xiamen": 1000, "hangzhou": 1000, "fuzhou": 1000, "zhengzhou": 200, "wuxi": 1000}
ASKED = [
    ("roadside_parking", None), ("roadside_parking", "haicang"), ("credit_medical", None), ("library", None),
    ("i_chewei_parking", "jimei"), ("bicycle", "island"), ("bicycle", "haicang"),
]  # fmt: skip
SCORES = st.sampled_from(sorted(HOMES)).flatmap(
    lambda city: st.tuples(st.just(city), st.one_of(st.none(), st.integers(0, HOMES[city])))
)
EVERY_TIER = [
    (who, asked)
    for who in (
        ("xiamen", 700),
        ("hangzhou", 780),
        ("fuzhou", 500),
        ("zhengzhou", 150),
        ("wuxi", 720),
        ("xiamen", None),
    )
    for asked in ASKED
]


@pytest.fixture(scope="module")
def somebody(world: World) -> dict[str, str]:
    """One person of each city, whose score the test sets as it likes."""
    agree(world, "zhengzhou", method="concordance", grant_on="lower_bound")
    granted = [(actor, scenario_id) for scenario_id, actor in ASKERS.items()]
    return {city: world.newcomer(city, 0, *granted) for city in HOMES}


Heard = dict[tuple[Any, ...], tuple[str, dict[str, str], str]]
Asked = tuple[tuple[str, int | None], tuple[str, Any]]


@pytest.fixture(scope="module")
def heard(world: World, somebody: dict[str, str]) -> Heard:
    """What was said first to whom reached these tiers: every one of them to begin with."""
    found: Heard = {}
    hear(world, somebody, found, EVERY_TIER)
    return found


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.tuples(SCORES, st.sampled_from(ASKED)), min_size=2, max_size=3))
def test_MINIMAL_two_scores_of_one_tier_cannot_be_told_apart(
    world: World, somebody: dict[str, str], heard: Heard, asked: list[Asked]
) -> None:
    hear(world, somebody, heard, asked)


def hear(world: World, somebody: dict[str, str], heard: Heard, asked: Sequence[Asked]) -> None:
    """Whoever has these scores hears what was said first of the same tiers, to the byte."""
    for (city, score), (scenario_id, district) in asked:
        set_score(world, somebody[city], score)
        answer = world.decide(ASKERS[scenario_id], somebody[city], scenario_id, district)
        tiers = tuple(answer.body["decision"]["tier_ids"])
        said = (without_passing(answer.text), told_in_headers(answer))
        first = heard.setdefault((scenario_id, district, tiers), (*said, f"{city} {score}"))
        assert said == first[:2], f"{city} {score} reads otherwise than {first[2]}"


def set_score(world: World, who: str, score: int | None) -> None:
    row = AccountRow(*account_key(world.ref(who)))
    action = AccountRow.score.remove() if score is None else AccountRow.score.set(score)
    row.update(actions=[action])


def without_passing(text: str) -> str:
    """The very bytes of a receipt, but for its id and its time."""
    text, ids = re.subn(r'"receipt_id":"[a-z]+\.[a-z2-7]{26}"', "", text)
    text, times = re.subn(r'"decided_at":"[0-9TZ:.-]+"', "", text)
    text, names = re.subn(r'"subject_id":"p1_[a-z2-7]{111}"', "", text)
    assert (ids, times, names) == (1, 1, 1)
    return text


def test_MINIMAL_the_scores_tried_have_reached_every_tier(heard: Heard) -> None:
    reached = {(scenario_id, district, tier) for scenario_id, district, tiers in heard for tier in tiers or ("none",)}
    wanted = {(scenario_id, district, tier) for scenario_id, district in ASKED for tier in ("none", "deposit_free")}
    assert {one for one in wanted if one[0] in {"library", "bicycle"}} <= reached
    assert {("roadside_parking", "haicang", tier) for tier in ("none", "pay_later", "discount")} <= reached
    assert len(reached) >= 14
