"""What an operation costs at DynamoDB, counted under the client. The table is in docs/architecture.md."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Api, Calls

READ = {"GetItem": 1}
READ_MANY = {"BatchGetItem": 1}
LIST = {"Query": 1}
WRITE = {"TransactWriteItems": 1}
HANGZHOU: dict[str, Any] = {
    "city_id": "hangzhou",
    "name": {"zh": "杭州", "en": "Hangzhou"},
    "time_zone": "Asia/Shanghai",
}
XIAMEN: dict[str, Any] = {"city_id": "xiamen", "name": {"zh": "厦门", "en": "Xiamen"}, "time_zone": "Asia/Shanghai"}
SCALE: dict[str, Any] = {
    "score_name": {"zh": "白鹭分", "en": "Egret score"},
    "minimum": 0,
    "maximum": 1000,
    "step": 1,
    "direction": "higher_is_better",
    "grades": [
        {"name": "一般", "name_en": "fair", "cut": None},
        {"name": "良好", "name_en": "good", "cut": 600, "edge": "ge"},
    ],
    "valid_from": "2026-01-01",
    "source": "illustrative",
    "illustrative": True,
}
AGREEMENT: dict[str, Any] = {
    "home": "hangzhou",
    "method": "concordance",
    "grant_on": "point",
    "valid_from": "2026-01-01",
}


@pytest.fixture
def alliance(api: Api) -> Api:
    """Two cities that have their scales, which nobody has read yet."""
    for city in (XIAMEN, HANGZHOU):
        api.post("/v1/cities", city, token=api.as_alliance())
        answer = api.post(f"/v1/cities/{city['city_id']}/scales", SCALE, token=api.as_city(city["city_id"]))
        assert answer.status == 201
    return api


def test_admitting_a_city_is_one_transaction(api: Api, calls: Calls) -> None:
    token = api.as_alliance()
    assert calls.during(lambda: api.post("/v1/cities", XIAMEN, token=token, key="admit-it")) == WRITE
    assert calls.during(lambda: api.post("/v1/cities", XIAMEN, token=token, key="admit-it")) == WRITE
    assert calls.during(lambda: api.post("/v1/cities", XIAMEN, token=token)) == WRITE | READ


@pytest.mark.parametrize(
    ("path", "cost"),
    [
        ("/v1/cities", LIST),
        ("/v1/cities?limit=1", LIST),
        ("/v1/cities/xiamen", READ),
        ("/v1/cities/xiamen/control", READ_MANY),
        ("/v1/cities/xiamen/scales/1", READ),
        ("/v1/cities/xiamen/scales/current", READ_MANY | READ),
        ("/v1/cities/xiamen/agreements", LIST),
        ("/v1/cities/nowhere", READ),
        ("/v1/cities/x%20y", {}),
    ],
)
def test_reading_is_one_call(alliance: Api, calls: Calls, path: str, cost: dict[str, int]) -> None:
    assert calls.during(lambda: alliance.get(path)) == cost


def test_a_scale_is_read_once_and_kept(alliance: Api, calls: Calls) -> None:
    alliance.get("/v1/cities/xiamen/scales/1")
    assert calls.during(lambda: alliance.get("/v1/cities/xiamen/scales/1")) == {}


def test_publishing_a_scale_is_one_read_and_one_transaction(alliance: Api, calls: Calls) -> None:
    token = alliance.as_city("xiamen")
    publish = calls.during(lambda: alliance.post("/v1/cities/xiamen/scales", SCALE, token=token))
    assert {name: count for name, count in publish.items() if name != "GetItem"} == READ_MANY | WRITE


def test_changing_a_city_reads_it_and_its_control_item(alliance: Api, calls: Calls) -> None:
    body = {"name": XIAMEN["name"], "time_zone": "Asia/Shanghai", "status": "suspended"}
    headers = {"If-Match": alliance.get("/v1/cities/xiamen").headers["etag"]}
    token = alliance.as_alliance()
    cost = calls.during(lambda: alliance.put("/v1/cities/xiamen", body, token=token, headers=headers))
    assert cost == READ | READ_MANY | WRITE


def test_an_agreement_is_made_in_two_calls_a_step(alliance: Api, calls: Calls) -> None:
    host, home = alliance.as_city("xiamen"), alliance.as_city("hangzhou")
    for city in ("xiamen", "hangzhou"):
        alliance.get(f"/v1/cities/{city}/scales/1")
    made: list[Any] = []
    propose = "/v1/cities/xiamen/agreements"
    assert calls.during(lambda: keep(made, alliance.post(propose, AGREEMENT, token=host))) == READ_MANY | WRITE
    path = f"{propose}/{made[0].body['agreement_id']}"
    assert calls.during(lambda: alliance.post(path + "/sign", token=home)) == READ_MANY | WRITE
    assert calls.during(lambda: alliance.post(path + "/end", token=home)) == READ_MANY | WRITE


def keep(made: list[Any], answer: Any) -> Any:
    made.append(answer)
    return answer


@pytest.mark.parametrize("token", [None, "city", "bad"])
def test_who_is_refused_at_the_door_costs_nothing(api: Api, calls: Calls, token: str | None) -> None:
    shown = api.as_city("xiamen") if token == "city" else token
    assert calls.during(lambda: api.post("/v1/cities", XIAMEN, token=shown)) == {}
    assert calls.during(lambda: api.post("/v1/cities", {}, token=api.as_alliance())) == {}


def test_the_cost_does_not_grow_with_what_is_there(api: Api, calls: Calls) -> None:
    for n in range(30):
        api.post("/v1/cities", {**XIAMEN, "city_id": f"city-{n}"}, token=api.as_alliance())
    assert calls.during(lambda: api.get("/v1/cities?limit=10")) == LIST
    assert calls.during(lambda: api.get("/v1/cities")) == LIST
