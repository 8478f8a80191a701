"""Cities over HTTP: admission, scales, agreements, and what each bad request gets."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Api

XIAMEN = {
    "city_id": "xiamen",
    "name": {"zh": "厦门", "en": "Xiamen"},
    "time_zone": "Asia/Shanghai",
    "districts": [{"district_id": "haicang", "name": {"zh": "海沧区", "en": "Haicang"}}],
    "founding": True,
}
HANGZHOU = {"city_id": "hangzhou", "name": {"zh": "杭州", "en": "Hangzhou"}, "time_zone": "Asia/Shanghai"}


def scale(*cuts: int, **changes: Any) -> dict[str, Any]:
    names = ["不良", "一般", "良好", "优秀", "极好"]
    grades: list[dict[str, Any]] = [{"name": "不良", "name_en": "poor", "cut": None}]
    grades += [{"name": n, "name_en": n, "cut": c, "edge": "ge"} for n, c in zip(names[1:], cuts, strict=False)]
    made = {
        "score_name": {"zh": "白鹭分", "en": "Egret score"},
        "minimum": 0,
        "maximum": 1000,
        "step": 1,
        "direction": "higher_is_better",
        "grades": grades,
        "valid_from": "2026-01-01",
        "source": "illustrative",
        "illustrative": True,
    }
    return {**made, **changes}


@pytest.fixture
def two_cities(api: Api) -> Api:
    for city in (XIAMEN, HANGZHOU):
        assert api.post("/v1/cities", city, token=api.as_alliance()).status == 201
        answer = api.post(
            f"/v1/cities/{city['city_id']}/scales", scale(500, 560, 620, 680), token=api.as_city(str(city["city_id"]))
        )
        assert answer.status == 201, answer.text
    return api


def test_a_city_is_admitted_once_and_read_by_anyone(api: Api) -> None:
    assert api.post("/v1/cities", XIAMEN, token=api.as_alliance()).status == 201
    assert api.post("/v1/cities", XIAMEN, token=api.as_alliance()).code == "city-exists"
    assert api.get("/v1/cities/xiamen").body["name"]["zh"] == "厦门"
    assert api.get("/v1/cities/nowhere").code == "not-found"


def test_ONCE_the_same_request_again_is_the_same_reply(api: Api) -> None:
    first = api.post("/v1/cities", XIAMEN, token=api.as_alliance(), key="admit-xiamen")
    again = api.post("/v1/cities", XIAMEN, token=api.as_alliance(), key="admit-xiamen")
    assert (again.status, again.text) == (first.status, first.text)
    assert again.headers["idempotency-replayed"] == "true"
    other = api.post("/v1/cities", HANGZHOU, token=api.as_alliance(), key="admit-xiamen")
    assert (other.status, other.code) == (422, "idempotency-key-reused")


def test_an_effect_needs_its_key(api: Api) -> None:
    assert api.post("/v1/cities", XIAMEN, token=api.as_alliance(), key="").code == "idempotency-key-missing"


def test_a_stale_version_changes_nothing(two_cities: Api) -> None:
    api = two_cities
    change = {"name": XIAMEN["name"], "time_zone": "Asia/Shanghai", "status": "suspended"}
    etag = api.get("/v1/cities/xiamen").headers["etag"]
    assert api.put("/v1/cities/xiamen", change, token=api.as_alliance()).code == "if-match-missing"
    stale = api.put("/v1/cities/xiamen", change, token=api.as_alliance(), headers={"If-Match": '"old"'})
    assert (stale.status, stale.code) == (412, "stale-version")
    assert api.put("/v1/cities/xiamen", change, token=api.as_alliance(), headers={"If-Match": etag}).status == 200
    assert api.get("/v1/cities/xiamen/control").body["active"] is False
    again = api.put("/v1/cities/xiamen", change, token=api.as_alliance(), headers={"If-Match": etag})
    assert (again.status, again.headers["idempotency-replayed"]) == (200, "true")
    other = {**change, "status": "active"}
    assert api.put("/v1/cities/xiamen", other, token=api.as_alliance(), headers={"If-Match": etag}).status == 412


def test_there_is_one_founding_city(api: Api) -> None:
    assert api.post("/v1/cities", XIAMEN, token=api.as_alliance()).status == 201
    second = api.post("/v1/cities", {**HANGZHOU, "founding": True}, token=api.as_alliance())
    assert (second.status, second.code) == (409, "founding-taken")
    assert api.get("/v1/cities/hangzhou").status == 404


def test_a_full_control_item_bars_no_stop(two_cities: Api) -> None:
    api = two_cities
    agreements = []
    for number in range(60):
        body = {"home": "hangzhou", "method": "concordance", "grant_on": "point", "scenarios": [f"scenario-{number}"]}
        made = api.post(
            "/v1/cities/xiamen/agreements", {**body, "valid_from": "2026-01-01"}, token=api.as_city("xiamen")
        ).body
        path = f"/v1/cities/xiamen/agreements/{made['agreement_id']}"
        signed = api.post(path + "/sign", token=api.as_city("hangzhou"))
        if signed.status != 200:
            break
        agreements.append(path)
    assert signed.code == "control-full"
    etag = api.get("/v1/cities/xiamen").headers["etag"]
    change = {"name": XIAMEN["name"], "time_zone": "Asia/Shanghai", "status": "suspended"}
    assert api.put("/v1/cities/xiamen", change, token=api.as_alliance(), headers={"If-Match": etag}).status == 200
    assert api.post(agreements[0] + "/end", token=api.as_city("hangzhou")).status == 200
    assert api.post(path + "/sign", token=api.as_city("hangzhou")).status == 200, "what ended has made room"


def test_two_agreements_do_not_meet(two_cities: Api) -> None:
    api = two_cities
    first, second = propose(api).body, propose(api, method="same_treatment").body
    path = "/v1/cities/xiamen/agreements/{}/sign"
    assert api.post(path.format(first["agreement_id"]), token=api.as_city("hangzhou")).status == 200
    refused = api.post(path.format(second["agreement_id"]), token=api.as_city("hangzhou"))
    assert (refused.status, refused.code) == (409, "agreement-overlaps")
    ended = api.post(path.format(first["agreement_id"]).replace("sign", "end"), token=api.as_city("hangzhou"))
    assert ended.status == 200
    assert api.post(path.format(second["agreement_id"]), token=api.as_city("hangzhou")).status == 200


def test_a_scale_is_in_use_at_once(two_cities: Api) -> None:
    later = two_cities.post(
        "/v1/cities/xiamen/scales", scale(500, 560, valid_from="9998-01-01"), token=two_cities.as_city("xiamen")
    )
    assert (later.code, later.body["errors"][0]["pointer"]) == ("scale-invalid", "/valid_from")


@pytest.mark.parametrize(
    ("bad", "pointer"),
    [
        (scale(500, 560, 560, 680), "/grades/3/cut"),
        (scale(500, 480, 620, 680), "/grades/2/cut"),
        (scale(500, 1200), "/grades/2/cut"),
        (scale(500, minimum=1000), "/minimum"),
        (scale(500, step=7), "/step"),
    ],
)
def test_a_scale_that_is_not_well_defined_is_refused_at_its_place(api: Api, bad: Any, pointer: str) -> None:
    api.post("/v1/cities", XIAMEN, token=api.as_alliance())
    answer = api.post("/v1/cities/xiamen/scales", bad, token=api.as_city("xiamen"))
    assert (answer.status, answer.code) == (422, "scale-invalid")
    assert answer.body["errors"][0]["pointer"] == pointer
    assert api.get("/v1/cities/xiamen/control").body["scale_version"] is None


def test_a_scale_without_a_range_is_refused(api: Api) -> None:
    api.post("/v1/cities", XIAMEN, token=api.as_alliance())
    bad = scale(500)
    del bad["minimum"], bad["maximum"]
    answer = api.post("/v1/cities/xiamen/scales", bad, token=api.as_city("xiamen"))
    assert answer.code == "invalid-request"
    assert {e["pointer"] for e in answer.body["errors"]} == {"/minimum", "/maximum"}


def test_another_citys_scale_is_not_there_for_a_stranger(two_cities: Api) -> None:
    api = two_cities
    foreign = api.post("/v1/cities/hangzhou/scales", scale(500), token=api.as_city("xiamen"))
    absent = api.post("/v1/cities/nowhere/scales", scale(500), token=api.as_city("xiamen"))
    assert foreign.status == absent.status == 404
    assert foreign.text == absent.text


def propose(api: Api, **changes: Any) -> Any:
    body = {"home": "hangzhou", "method": "concordance", "grant_on": "point", "valid_from": "2026-01-01", **changes}
    return api.post("/v1/cities/xiamen/agreements", body, token=api.as_city("xiamen"))


def test_an_agreement_counts_once_both_have_signed(two_cities: Api) -> None:
    api = two_cities
    agreement = propose(api).body
    assert agreement["signed_by"] == ["xiamen"]
    assert api.get("/v1/cities/xiamen/control").body["agreements"] == []
    path = f"/v1/cities/xiamen/agreements/{agreement['agreement_id']}"
    assert api.post(path + "/sign", token=api.as_city("fuzhou")).code == "not-found"
    assert api.post(path + "/sign", token=api.as_city("hangzhou")).body["signed_by"] == ["xiamen", "hangzhou"]
    assert [a["home"] for a in api.get("/v1/cities/xiamen/control").body["agreements"]] == ["hangzhou"]
    ended = api.post(path + "/end", token=api.as_city("hangzhou"))
    assert ended.body["valid_to"] is not None
    assert api.post(path + "/end", token=api.as_city("xiamen")).code == "agreement-closed"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"home": "xiamen"}, "/home"),
        ({"valid_to": "2026-01-01"}, "/valid_to"),
        ({"method": "grade_map"}, "/grade_map"),
        ({"method": "grade_map", "grade_map": {"不良": "不良"}}, "/grade_map"),
        (
            {
                "method": "grade_map",
                "grade_map": {"不良": "一般", "一般": "不良", "良好": "良好", "优秀": "优秀", "极好": "极好"},
            },
            "/grade_map",
        ),
    ],
)
def test_an_agreement_that_makes_no_sense_is_refused_at_its_place(two_cities: Api, changes: Any, pointer: str) -> None:
    answer = propose(two_cities, **changes)
    assert (answer.status, answer.code) == (422, "agreement-invalid")
    assert answer.body["errors"][0]["pointer"] == pointer


def test_the_list_of_cities_has_a_second_page(two_cities: Api) -> None:
    api = two_cities
    first = api.get("/v1/cities?limit=1").body
    assert [c["city_id"] for c in first["items"]] == ["hangzhou"]
    second = api.get(f"/v1/cities?limit=1&cursor={first['next']}").body
    assert [c["city_id"] for c in second["items"]] == ["xiamen"]
    assert api.get("/v1/cities?cursor=" + "A" * 40).code == "cursor-invalid"
