"""Partners over HTTP: who enters, reads, changes and suspends them, and what each bad request gets."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.partners.rules import check_character
from tests.conftest import Answer, Api, Calls

PATH = "/v1/cities/xiamen/partners"
CITIES = {"xiamen": {"zh": "厦门", "en": "Xiamen"}, "hangzhou": {"zh": "杭州", "en": "Hangzhou"}}


def uscc(number: int, region: str = "000000") -> str:
    body = f"91{region}MA{number:07d}"
    return body + check_character(body)


def shop(**changes: Any) -> dict[str, Any]:
    made = {
        "partner_id": "qingliu-farm",
        "kind": "merchant",
        "name": {"zh": "清流县供销农产", "en": "Qingliu Farm Produce"},
        "uscc": uscc(1),
        "staff": [{"sub": "u-author", "roles": ["author"]}],
        "illustrative": True,
    }
    return {**made, **changes}


@pytest.fixture
def city(api: Api) -> Api:
    for city_id, name in CITIES.items():
        body = {"city_id": city_id, "name": name, "time_zone": "Asia/Shanghai"}
        assert api.post("/v1/cities", body, token=api.as_alliance()).status == 201
    return api


def enter(api: Api, body: Any = None, city_id: str = "xiamen", **kwargs: Any) -> Answer:
    return api.post(f"/v1/cities/{city_id}/partners", body or shop(), **{"token": api.as_city(city_id), **kwargs})


def change(api: Api, etag: str | None = None, **changes: Any) -> Answer:
    """The city changes the shop, as of what it has just read."""
    seen = api.get(f"{PATH}/qingliu-farm", token=api.as_city("xiamen"))
    body = {key: seen.body[key] for key in ("name", "staff", "status")} | changes
    headers = {"If-Match": etag or seen.headers["etag"]}
    return api.put(f"{PATH}/qingliu-farm", body, token=api.as_city("xiamen"), headers=headers)


def suspended(api: Api) -> Any:
    return api.get("/v1/cities/xiamen/control").body["suspended_partners"]


def test_a_city_enters_a_partner_and_both_can_read_it(city: Api) -> None:
    entered = enter(city)
    assert entered.status == 201
    assert entered.body == shop() | {"city_id": "xiamen", "status": "active", "revision": 1}
    for token in (city.as_city("xiamen"), city.as_partner("merchant", "qingliu-farm")):
        read = city.get(f"{PATH}/qingliu-farm", token=token)
        assert (read.status, read.body) == (200, entered.body)


def test_to_everybody_else_a_partner_is_as_absent_as_one_that_is_not_there(city: Api) -> None:
    enter(city)
    strangers = [
        city.as_city("hangzhou"),
        city.as_partner("merchant", "other-shop"),
        city.as_partner("bank", "qingliu-farm"),
        city.as_partner("merchant", "qingliu-farm", "hangzhou"),
    ]
    for token in strangers:
        there = city.get(f"{PATH}/qingliu-farm", token=token)
        absent = city.get(f"{PATH}/nobody", token=token)
        assert there.status == absent.status == 404
        assert there.text == absent.text
    citizen = city.as_citizen("p1_" + "a" * 40, "xiamen")
    assert city.get(f"{PATH}/qingliu-farm", token=citizen).code == "forbidden"
    assert city.get(f"{PATH}/qingliu-farm").code == "unauthenticated"


def test_ONCE_a_partner_is_entered_once(city: Api) -> None:
    first, again = enter(city, key="enter-the-shop"), enter(city, key="enter-the-shop")
    assert (again.status, again.text) == (first.status, first.text)
    assert again.headers["idempotency-replayed"] == "true"
    assert enter(city, shop(uscc=uscc(2)), key="enter-the-shop").code == "idempotency-key-reused"
    assert enter(city, shop(uscc=uscc(2))).code == "partner-exists"
    assert enter(city, key="").code == "idempotency-key-missing"


def test_a_code_is_used_once_in_a_city(city: Api) -> None:
    enter(city)
    refused = enter(city, shop(partner_id="second-shop"))
    assert (refused.status, refused.code) == (409, "uscc-taken")
    assert city.get(f"{PATH}/second-shop", token=city.as_city("xiamen")).status == 404
    assert enter(city, city_id="hangzhou").status == 201


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"uscc": uscc(1)[:17] + "X"}, "partner-invalid", "/uscc"),
        ({"uscc": uscc(1, "350200")}, "partner-invalid", "/uscc"),
        ({"illustrative": False}, "partner-invalid", "/uscc"),
        ({"uscc": uscc(1).lower()}, "invalid-request", "/uscc"),
        ({"uscc": uscc(1) + "\n"}, "invalid-request", "/uscc"),
        ({"kind": "city"}, "invalid-request", "/kind"),
        ({"partner_id": "Qingliu"}, "invalid-request", "/partner_id"),
        ({"name": {"zh": "只有中文"}}, "invalid-request", "/name/en"),
        ({"staff": [{"sub": "u", "roles": []}]}, "invalid-request", "/staff/0/roles"),
        ({"staff": [{"sub": "u", "roles": ["owner"]}]}, "invalid-request", "/staff/0/roles/0"),
        ({"staff": [{"sub": "u", "roles": ["author"]}] * 2}, "partner-invalid", "/staff/1/sub"),
        ({"status": "suspended"}, "invalid-request", ""),
        ({"city_id": "hangzhou"}, "invalid-request", ""),
        ({"revision": 7}, "invalid-request", ""),
    ],
)
def test_a_bad_entry_is_refused_at_its_place(city: Api, changes: Any, code: str, pointer: str) -> None:
    answer = enter(city, shop(**changes))
    assert (answer.status, answer.code) == (422, code)
    assert answer.body["errors"][0]["pointer"] == pointer
    assert city.get(PATH, token=city.as_city("xiamen")).body["items"] == []


def test_only_the_city_with_its_scope_enters_and_changes(city: Api) -> None:
    enter(city)
    for token, code in [
        (city.as_city("xiamen", scope="cities:write"), "forbidden"),
        (city.as_partner("merchant", "qingliu-farm", scope="partners:write"), "forbidden"),
        (city.as_alliance(scope="partners:write"), "forbidden"),
        (city.as_city("hangzhou"), "not-found"),
    ]:
        assert enter(city, shop(partner_id="x-shop", uscc=uscc(9)), token=token).code == code
        assert city.put(f"{PATH}/qingliu-farm", {}, token=token, headers={"If-Match": '"x"'}).code == code
    assert city.get(PATH, token=city.as_partner("merchant", "qingliu-farm")).code == "forbidden"
    assert city.get(PATH, token=city.as_city("hangzhou")).code == "not-found"


def test_a_city_that_is_no_member_or_suspended_enters_nobody(city: Api) -> None:
    assert enter(city, city_id="nowhere").code == "not-found"
    etag = city.get("/v1/cities/xiamen").headers["etag"]
    body = {"name": CITIES["xiamen"], "time_zone": "Asia/Shanghai", "status": "suspended"}
    assert city.put("/v1/cities/xiamen", body, token=city.as_alliance(), headers={"If-Match": etag}).status == 200
    assert enter(city).code == "city-suspended"


def test_a_suspension_is_in_the_control_item_with_the_same_write(city: Api) -> None:
    enter(city)
    assert suspended(city) == []
    changed = change(city, status="suspended")
    assert (changed.body["status"], changed.body["revision"]) == ("suspended", 2)
    assert suspended(city) == ["qingliu-farm"]
    assert change(city, name={"zh": "新名", "en": "New name"}).body["name"]["zh"] == "新名"
    assert suspended(city) == ["qingliu-farm"]
    assert change(city, status="active").body["revision"] == 4
    assert suspended(city) == []


def test_a_stale_version_changes_nothing(city: Api) -> None:
    enter(city)
    old = city.get(f"{PATH}/qingliu-farm", token=city.as_city("xiamen")).headers["etag"]
    assert change(city, status="suspended").status == 200
    stale = change(city, etag=old, status="active")
    assert (stale.status, stale.code) == (412, "stale-version")
    assert suspended(city) == ["qingliu-farm"]
    bare = city.put(f"{PATH}/qingliu-farm", shop(), token=city.as_city("xiamen"))
    assert bare.code == "if-match-missing"
    absent = city.put(
        f"{PATH}/nobody",
        {"name": CITIES["xiamen"], "staff": [], "status": "active"},
        token=city.as_city("xiamen"),
        headers={"If-Match": old},
    )
    assert absent.code == "not-found"


@pytest.mark.parametrize("fixed", ["partner_id", "kind", "uscc", "illustrative"])
def test_what_a_partner_is_cannot_be_changed(city: Api, fixed: str) -> None:
    enter(city)
    assert change(city, **{fixed: shop()[fixed]}).code == "invalid-request"


def test_a_change_may_not_list_a_member_of_the_staff_twice(city: Api) -> None:
    enter(city)
    refused = change(city, staff=[{"sub": "u", "roles": ["author"]}, {"sub": "u", "roles": ["reviewer"]}])
    assert (refused.code, refused.body["errors"][0]["pointer"]) == ("partner-invalid", "/staff/1/sub")


def test_the_list_has_a_second_page_of_its_own_city_only(city: Api) -> None:
    for number, name in enumerate(["a-shop", "b-shop", "c-shop"]):
        enter(city, shop(partner_id=name, uscc=uscc(number)))
    token = city.as_city("xiamen")
    first = city.get(f"{PATH}?limit=2", token=token).body
    second = city.get(f"{PATH}?limit=2&cursor={first['next']}", token=token).body
    assert [p["partner_id"] for p in first["items"] + second["items"]] == ["a-shop", "b-shop", "c-shop"]
    assert second["next"] is None
    stolen = f"/v1/cities/hangzhou/partners?cursor={first['next']}"
    assert city.get(stolen, token=city.as_city("hangzhou")).code == "cursor-invalid"
    assert city.get("/v1/cities/hangzhou/partners", token=city.as_city("hangzhou")).body == {"items": [], "next": None}


def test_budget_of_calls(calls: Calls, city: Api) -> None:
    one_and_one = {"BatchGetItem": 1, "TransactWriteItems": 1}
    assert calls.during(lambda: enter(city)) == one_and_one
    token, path = city.as_city("xiamen"), f"{PATH}/qingliu-farm"
    assert calls.during(lambda: city.get(path, token=token)) == {"BatchGetItem": 1}
    assert calls.during(lambda: city.get(PATH, token=token)) == {"Query": 1}
    headers = {"If-Match": city.get(path, token=token).headers["etag"]}
    body = {"name": CITIES["xiamen"], "staff": [], "status": "suspended"}
    assert calls.during(lambda: city.put(path, body, token=token, headers=headers)) == one_and_one
