"""Whose score counts here, and how: residents, visitors under each kind of agreement, and people without a score."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core import clock
from infra.local import demo_load
from infra.local.demo_data.tables import distribution, document
from tests.integration.linking.cities import a_scale, found, publish_scale
from tests.integration.scenarios.test_deciding import lift, suspend
from tests.world import BANK, LIBRARY, PARKING, XIAMEN, World, days_ahead

PEOPLE = {person["id"]: person for person in document("people.json")["people"]}


def end_agreement(world: World, home: str) -> None:
    """Either city ends what there is between them, from today."""
    for agreement in world.get("/v1/cities/xiamen/control")["agreements"]:
        if agreement["home"] == home and agreement["valid_to"] is None:
            path = f"/v1/cities/xiamen/agreements/{agreement['agreement_id']}/end"
            assert world.post(path, f"city:{home}").status == 200


def agree(world: World, home: str, **terms: Any) -> None:
    """Ends what there is between a city and Xiamen and makes it anew on other terms."""
    end_agreement(world, home)
    entry = {"host": "xiamen", "home": home, "grant_on": "point", "valid_from": "2024-01-01", "illustrative": True}
    demo_load.agree(world.client, {**entry, **terms}, key=f"agreement-{next(world.client.numbers)}")


def outcome(world: World, who: str, scenario_id: str = "library", district: str | None = None) -> str:
    """What the citizen reads; the institution must have been told no more and no less."""
    return str(world.opening(who, scenario_id, district)["outcome"])


def why(world: World, who: str, scenario_id: str = "library") -> str:
    """The first reason that the citizen reads."""
    return str(world.opening(who, scenario_id)["reasons"][0]["code"])


@pytest.mark.parametrize("who", ["xm-693", "xm-612", "xm-525"])
def test_a_resident_gets_what_the_tables_say(world: World, who: str) -> None:
    expected = PEOPLE[who]["expect"]
    assert (outcome(world, who) == "granted") == expected["library"]
    assert (outcome(world, who, "roadside_parking") == "granted") == expected["roadside_parking"]
    decision = world.decide(BANK, who, "credit_medical").body["decision"]
    assert decision["benefit"] == {"limit_fen": expected["credit_medical_fen"]}


def test_a_visitor_by_concordance_on_the_point(world: World) -> None:
    assert outcome(world, "hz-705") == "granted"
    assert outcome(world, "hz-705", "i_chewei_parking") == "refused"
    assert outcome(world, "zz-100") == "refused"
    at_the_kerb = world.decide(PARKING, "zz-130", "roadside_parking", "haicang").body["decision"]
    assert at_the_kerb["benefit"]["discount_bp"] == 1000
    missing = world.opening("hz-705", "i_chewei_parking")["next_tier"]["missing_points"]
    with_more = world.newcomer("hangzhou", 705 + missing)
    with_less = world.newcomer("hangzhou", 705 + missing - 1)
    assert outcome(world, with_more, "i_chewei_parking") == "granted"
    assert outcome(world, with_less, "i_chewei_parking") == "refused"


def test_a_visitor_by_concordance_on_the_lower_bound(own_world: World) -> None:
    agree(own_world, "zhengzhou", method="concordance", grant_on="lower_bound")
    at_the_kerb = own_world.decide(PARKING, "zz-130", "roadside_parking", "haicang").body["decision"]
    assert "discount_bp" not in at_the_kerb["benefit"]
    assert at_the_kerb["benefit"]["pay_later"] is True
    missing = own_world.opening("zz-130", "roadside_parking", "haicang")["next_tier"]["missing_points"]
    own_world.rescore("zz-130", 130 + missing)
    at_the_kerb = own_world.decide(PARKING, "zz-130", "roadside_parking", "haicang").body["decision"]
    assert at_the_kerb["benefit"]["discount_bp"] == 1000


def test_a_visitor_by_the_grade_of_a_signed_map(world: World) -> None:
    assert outcome(world, "wx-750") == "granted"
    assert outcome(world, "wx-750", "i_chewei_parking") == "unknown"
    told = world.decide(PARKING, "wx-750", "roadside_parking", "haicang").body["decision"]
    assert (told["outcome"], told["benefit"]) == ("granted", {"pay_later": True, "free_minutes": 30})
    best = world.newcomer("wuxi", 801)
    assert outcome(world, best, "i_chewei_parking") == "granted"


def test_MINIMAL_what_is_not_known_is_to_an_institution_a_refusal(world: World) -> None:
    from tests.world import CHEWEI

    told = world.decide(CHEWEI, "wx-750", "i_chewei_parking").body["decision"]
    assert (told["outcome"], told["codes"], told["tier_ids"]) == ("refused", ["no_tier_reached"], [])


def test_a_visitor_treated_like_a_resident(own_world: World) -> None:
    agree(own_world, "hangzhou", method="same_treatment")
    assert outcome(own_world, "hz-705", "i_chewei_parking") == "granted"
    assert own_world.opening("hz-705", "library")["reasons"][0]["code"] == "score_ge"
    receipt = own_world.decide(LIBRARY, "hz-705", "library").body["receipt_id"]
    replayed = own_world.replay(receipt)
    assert (replayed["basis"]["recognised"]["method"], replayed["same"]) == ("same_treatment", True)
    assert replayed["decision"]["standing"] == "resident"


def test_the_same_treatment_ends_where_the_scales_part(own_world: World) -> None:
    agree(own_world, "hangzhou", method="same_treatment")
    scale = document("cities.json")[1]["scale"]
    publish_scale(own_world, "hangzhou", {**scale, "maximum": 2000})
    assert outcome(own_world, "hz-705") == "granted", "his score is still on the scale of the agreement"
    own_world.rescore("hz-705", 1900, scale_version=2)
    assert why(own_world, "hz-705") == "not_linked"
    assert outcome(own_world, "hz-705") == "refused"


def test_an_agreement_may_name_its_scenarios(own_world: World) -> None:
    agree(own_world, "hangzhou", method="concordance", scenarios=["library"])
    assert outcome(own_world, "hz-705") == "granted"
    assert why(own_world, "hz-705", "roadside_parking") == "no_agreement"


def test_an_agreement_that_has_ended_holds_no_more_on_the_next_request(own_world: World) -> None:
    assert own_world.decide(LIBRARY, "hz-705", "library").body["decision"]["outcome"] == "granted"
    end_agreement(own_world, "hangzhou")
    assert own_world.decide(LIBRARY, "hz-705", "library").body["decision"]["outcome"] == "refused"
    assert why(own_world, "hz-705") == "no_agreement"
    assert outcome(own_world, "zz-130") == "granted", "the others' agreements stand"


def test_an_agreement_holds_between_its_days(own_world: World) -> None:
    begins, ends = days_ahead(10).date(), days_ahead(20).date()
    agree(own_world, "hangzhou", method="concordance", valid_from=begins.isoformat(), valid_to=ends.isoformat())
    found_out = []
    for day in (9, 10, 19, 20):
        with clock.fixed(days_ahead(day).replace(hour=4)):
            found_out.append(why(own_world, "hz-705"))
    assert [reason == "no_agreement" for reason in found_out] == [True, False, False, True]


def test_a_visitor_without_an_agreement(own_world: World) -> None:
    found(own_world, "longyan", a_scale())
    who = own_world.newcomer("longyan", 700, (LIBRARY, "library"))
    assert why(own_world, who) == "no_agreement"
    assert own_world.decide(LIBRARY, who, "library").body["decision"]["outcome"] == "refused"


def test_a_visitor_whose_city_has_another_scale_now(own_world: World) -> None:
    publish_scale(own_world, "hangzhou", {**document("cities.json")[1]["scale"], "maximum": 1100})
    assert why(own_world, "hz-705") == "not_linked"
    body = distribution(document("cities.json")[1], clock.now().date())
    assert own_world.post("/v1/cities/hangzhou/distributions", "city:hangzhou", body).status == 201
    assert why(own_world, "hz-705") == "not_linked", "his score is on the scale before"
    own_world.rescore("hz-705", 705, scale_version=2)
    assert outcome(own_world, "hz-705") == "granted"


def test_a_visitor_where_the_host_has_another_scale_now(own_world: World) -> None:
    publish_scale(own_world, "xiamen", document("cities.json")[0]["scale"])
    assert outcome(own_world, "hz-705") == "granted", "a score is the same score on both versions"
    own_world.rescore("xm-612", 612, scale_version=2)
    assert outcome(own_world, "xm-612") == "granted"
    publish_scale(own_world, "xiamen", {**document("cities.json")[0]["scale"], "maximum": 1200})
    assert why(own_world, "hz-705") == "not_linked"
    assert outcome(own_world, "xm-612") == "granted", "score and table are both on the grid before"
    own_world.rescore("xm-612", 612, scale_version=3)
    assert why(own_world, "xm-612") == "score_too_old"


def test_a_founding_city_with_another_grid_is_linked_to_its_own_first_people(own_world: World) -> None:
    publish_scale(own_world, "xiamen", {**document("cities.json")[0]["scale"], "maximum": 1200})
    body = distribution(document("cities.json")[0], clock.now().date())
    answer = own_world.post("/v1/cities/xiamen/distributions", "city:xiamen", body)
    assert (answer.status, answer.body["reference_id"], answer.body["version"]) == (201, "xiamen/1", 2)


def test_without_a_score_there_is_what_anyone_has(world: World) -> None:
    who = world.newcomer("xiamen", None, (PARKING, "roadside_parking"), (XIAMEN, "bicycle"))
    assert why(world, who) == "no_score"
    told = world.decide(PARKING, who, "roadside_parking", "haicang").body["decision"]
    assert (told["outcome"], told["benefit"], told["codes"]) == ("refused", {"free_minutes": 15}, ["no_tier_reached"])
    mine = world.ask_for_self(who, "roadside_parking", "haicang").body["decision"]
    assert [line["value"] for line in mine["benefit"]] == [15]
    assert mine["next_tier"]["tier_id"] == "pay_later"


@pytest.fixture
def suspended(world: World) -> Iterator[str]:
    suspend(world, "xm-693")
    yield "xm-693"
    lift(world, "xm-693")


def test_suspended_benefits_leave_what_anyone_has(world: World, suspended: str) -> None:
    told = world.decide(PARKING, suspended, "roadside_parking", "haicang").body["decision"]
    assert (told["outcome"], told["benefit"], told["codes"]) == ("refused", {"free_minutes": 15}, ["no_tier_reached"])
    assert why(world, suspended) == "suspended"
    assert world.opening(suspended, "library")["next_tier"] is None


def test_a_suspension_and_its_end_hold_on_the_very_next_request(world: World) -> None:
    for change, wanted in ((suspend, "refused"), (lift, "granted")):
        change(world, "xm-693")
        assert world.decide(LIBRARY, "xm-693", "library").body["decision"]["outcome"] == wanted


def test_a_score_of_four_hundred_days_is_too_old(world: World) -> None:
    scored = days_ahead(-1)
    who = world.newcomer("xiamen", None)
    world.rescore(who, 640, as_of=scored)
    with clock.fixed(scored + timedelta(days=400, milliseconds=-1)):
        assert outcome(world, who) == "granted"
    with clock.fixed(scored + timedelta(days=400)):
        assert why(world, who) == "score_too_old"
        assert world.ask_for_self(who, "library").body["decision"]["outcome"] == "refused"
        world.grant(who, LIBRARY, "library")
        assert world.decide(LIBRARY, who, "library").body["decision"]["outcome"] == "refused"


def test_a_citizen_asks_for_himself_in_any_city(world: World) -> None:
    for who in ("xm-612", "hz-705", "wx-750"):
        answer = world.ask_for_self(who, "library").body
        assert answer["decision"] == world.opening(who, "library")
        assert world.get(f"/v1/me/receipts/{answer['receipt_id']}", f"citizen:{who}") == answer
    assert world.get("/v1/me/openings", "citizen:hz-705") == {"items": []}
    assert world.ask_for_self("hz-705", "library", city="hangzhou").code == "not-found"
    assert world.ask_for_self("hz-705", "library", city="nowhere").code == "not-found"
    assert world.ask_for_self("hz-705", "museum").code == "not-found"
