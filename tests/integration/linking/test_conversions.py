"""Conversions over HTTP: one's own scores, on the scale, one BatchGet for all of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.world import AUDITOR, BANK, FARM, World

PATH = "/v1/conversions"


def ask(scores: Any, from_city: str = "hangzhou", to_city: str = "xiamen") -> dict[str, Any]:
    return {"from_city": from_city, "to_city": to_city, "scores": scores}


def test_LINK_one_score_and_what_it_rests_on(world: World) -> None:
    (item,) = world.post(PATH, "city:hangzhou", ask([705])).body["items"]
    assert item["score"] == 705
    assert abs(item["equivalent_score"] - 637) <= 1.5
    assert abs(item["lower_bound"] - 627) <= 1.5
    assert item["lower_bound"] <= item["equivalent_score"] <= item["upper_bound"]
    assert (item["from_concordance"], item["to_concordance"]) == ("hangzhou/1", "xiamen/1")
    assert item["grade"] == "优秀"


def test_LINK_a_thousand_scores_keep_their_order_and_rise(world: World) -> None:
    items = world.post(PATH, "city:hangzhou", ask(list(range(1, 1001)))).body["items"]
    assert [item["score"] for item in items] == list(range(1, 1001))
    for name in ("reference_value", "reference_lower", "equivalent_score", "lower_bound", "upper_bound"):
        found = [item[name] for item in items]
        assert found == sorted(found), name
    backwards = world.post(PATH, "city:hangzhou", ask([705, 1, 705])).body["items"]
    assert backwards == [items[704], items[0], items[704]]


def test_LINK_there_and_back_within_rounding(world: World) -> None:
    there = world.post(PATH, "city:hangzhou", ask(list(range(500, 900, 7)))).body["items"]
    scores = [item["equivalent_score"] for item in there]
    back = world.post(PATH, "city:xiamen", ask(scores, "xiamen", "hangzhou")).body["items"]
    assert all(abs(b["equivalent"] - a["score"]) <= 2 for a, b in zip(there, back, strict=True))


def test_LINK_within_one_city_a_score_is_itself(world: World) -> None:
    (item,) = world.post(PATH, "city:hangzhou", ask([705], to_city="hangzhou")).body["items"]
    assert (item["equivalent_score"], item["lower_bound"], item["upper_bound"]) == (705, 705, 705)


@pytest.mark.parametrize(
    ("scores", "code", "pointers"),
    [
        ([700, 1001, -1], "score-off-scale", ["/scores/1"]),
        ([1000, 0, -1], "score-off-scale", ["/scores/2"]),
        ([700.5], "invalid-request", ["/scores/0"]),
        ([700, True], "invalid-request", ["/scores/1"]),
        (["700"], "invalid-request", ["/scores/0"]),
        ([None], "invalid-request", ["/scores/0"]),
        ([], "invalid-request", ["/scores"]),
        ([700] * 1001, "invalid-request", ["/scores"]),
        (700, "invalid-request", ["/scores"]),
    ],
    ids=str,
)
def test_LINK_a_bad_score_is_refused_in_its_place(world: World, scores: Any, code: str, pointers: list[str]) -> None:
    refused = world.post(PATH, "city:hangzhou", ask(scores))
    assert (refused.code, refused.pointers) == (code, pointers)
    assert "items" not in refused.body


def test_LINK_no_number_where_there_is_none(world: World) -> None:
    assert world.post(PATH, "city:wuxi", ask([750], "wuxi")).code == "link-not-numeric"
    assert world.post(PATH, "city:hangzhou", ask([705], to_city="wuxi")).code == "link-not-numeric"
    assert world.post(PATH, "city:hangzhou", ask([9999], to_city="wuxi")).code == "link-not-numeric"
    assert world.post(PATH, "city:hangzhou", ask([705], to_city="nowhere")).code == "not-found"


def test_MINIMAL_a_city_converts_its_own_scores_only(world: World) -> None:
    for actor, from_city in (("city:xiamen", "hangzhou"), ("city:hangzhou", "nowhere"), ("city:fuzhou", "hangzhou")):
        refused = world.post(PATH, actor, ask([705], from_city))
        assert (refused.status, refused.code) == (403, "forbidden")
    for actor in ("citizen:hz-705", FARM, BANK, "alliance:alliance"):
        assert world.post(PATH, actor, ask([705])).code == "forbidden"
    assert world.send("POST", PATH, "", ask([705])).code == "unauthenticated"


def test_an_auditor_needs_the_scope(world: World) -> None:
    assert world.post(PATH, AUDITOR, ask([705])).code == "forbidden"
    token = world.client.issuer.token("auditor", "auditor", "alliance", scope="scores:read")
    assert world.send("POST", PATH, "", ask([705]), token=token).status == 200


def test_a_thousand_conversions_are_one_read(world: World) -> None:
    world.post(PATH, "city:hangzhou", ask([705]))
    with world.calls() as calls:
        world.post(PATH, "city:hangzhou", ask(list(range(1000))))
    assert calls.names == ["BatchGetItem"]
