"""Tables over HTTP: the linter is the gate, versions come in turn, and each holds on its own days."""

from __future__ import annotations

import copy
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.core import clock
from infra.local.demo_load import SCENARIOS
from tests.world import ALLIANCE, FARM, LIBRARY, PARKING, XIAMEN, Answer, World, days_ahead

PATH = "/v1/cities/xiamen/scenarios"
BEIJING = timedelta(hours=8)


def table(of: str, version: int = 2, **changes: Any) -> dict[str, Any]:
    """The next version of a published table, from tomorrow on."""
    authored: dict[str, Any] = json.loads(Path(SCENARIOS, f"xiamen_{of}.json").read_text("utf-8"))
    if version > 1:
        authored["valid_from"] = (days_ahead(1) + BEIJING).date().isoformat()
    return {**copy.deepcopy(authored), "version": version, **changes}


def with_threshold(document: dict[str, Any], threshold: int) -> dict[str, Any]:
    """The table with the threshold of its first tier moved."""
    moved = copy.deepcopy(document)
    moved["areas"][0]["tiers"][0]["when"] = {"score": {"ge": threshold}}
    return moved


def publish(world: World, document: Any, city: str = "xiamen", **more: Any) -> Answer:
    return world.post(f"/v1/cities/{city}/scenarios", f"city:{city}", document, **more)


def lint(world: World, document: Any) -> Any:
    answer = world.post("/v1/cities/xiamen/scenario-lint", XIAMEN, document)
    assert answer.status == 200, answer.text
    return answer.body


def by_grade(**amounts: int) -> list[dict[str, Any]]:
    return [{"district": "jimei", "by_grade": amounts, "unit": "discount_bp", "without": {}}]


LIBRARY_AREA = table("library")["areas"][0]
LINTED = {
    "a better grade worse off": (
        table("jimei_produce", areas=by_grade(一般=500, 良好=1000, 优秀=800, 极好=5000)), "better-worse-off",
    ),
    "a district that is none": (
        table("library", areas=[{**LIBRARY_AREA, "district": "gulangyu"}]), "district-unknown",
    ),
    "a grade that is none": (table("jimei_produce", areas=by_grade(好=500)), "grade-unknown"),
    "a threshold off the scale": (with_threshold(table("library"), 1001), "threshold-off-scale"),
    "a use that is forbidden": (table("library", use="lending"), "use-forbidden"),
    "an end before its beginning": (
        table("library", valid_from="2030-01-02", valid_to="2030-01-01"), "dates-contradict",
    ),
    "a benefit that is none": (
        table("library", areas=[{**LIBRARY_AREA, "without": {"free_coffee": 1}}]), "benefit-unknown",
    ),
    "more than anything": (
        table("library", areas=[{**LIBRARY_AREA, "without": {"discount_bp": 10_001}}]), "benefit-value",
    ),
    "worse off than without a score": (
        table("library", areas=[{**LIBRARY_AREA, "without": {"books_max": 50}}]), "worse-than-without",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LINTED)
def test_REWARD_the_linter_is_the_gate(world: World, name: str) -> None:
    document, code = LINTED[name]
    with world.nothing_written():
        refused = publish(world, document)
        said = lint(world, document)
    assert (refused.status, refused.code) == (422, "table-lint-refused"), refused.text
    errors = [finding for finding in said["findings"] if finding["severity"] == "error"]
    assert said["may_publish"] is False
    assert code in {finding["code"] for finding in errors}
    assert refused.pointers == [finding["pointer"] for finding in errors]
    assert all(pointer.startswith("/") for pointer in refused.pointers)


def test_a_draft_without_faults_may_be_published_and_is_not(world: World) -> None:
    with world.nothing_written():
        assert lint(world, table("library"))["may_publish"] is True


def test_a_warning_is_said_and_bars_nothing(own_world: World) -> None:
    document = table("jimei_produce", areas=by_grade(一般=500, 优秀=3000, 极好=5000))
    said = lint(own_world, document)
    assert said["may_publish"] is True
    assert [finding["code"] for finding in said["findings"]] == ["grade-skipped"]
    assert publish(own_world, document).status == 201


@pytest.mark.parametrize("version", [1, 3, 999_999])
def test_a_version_out_of_turn_is_refused(world: World, version: int) -> None:
    refused = publish(world, table("library", version))
    assert (refused.status, refused.code, refused.pointers) == (409, "table-version-out-of-turn", ["/version"])


def test_a_first_version_is_the_first(own_world: World) -> None:
    assert publish(own_world, table("library", 2, scenario_id="museum")).code == "table-version-out-of-turn"
    assert publish(own_world, table("library", 1, scenario_id="museum")).status == 201
    assert own_world.get(f"{PATH}/museum")["version"] == 1


INVALID = {
    "another city's": (table("library", city_id="hangzhou"), "table-invalid", ["/city_id"]),
    "two areas of one district": (table("library", areas=[LIBRARY_AREA] * 2), "table-invalid", ["/areas/1/district"]),
    "a tier twice": (
        table("library", areas=[{**LIBRARY_AREA, "tiers": LIBRARY_AREA["tiers"] * 2}]), "table-invalid",
        ["/areas/0/tiers/1/tier_id"],
    ),
    "a year that never was": (table("library", valid_from="0000-01-01"), "invalid-request", ["/valid_from"]),
    "a line with a line separator": (table("library", source="a\u2028b"), "invalid-request", ["/source"]),
    "a field too many": (table("library", fee=1), "invalid-request", [""]),
    "no areas": (table("library", areas=[]), "invalid-request", ["/areas"]),
    "a version that is none": (table("library", 0), "invalid-request", ["/version"]),
    "a recipient that is none": (table("library", recipients=["citizen"]), "invalid-request", ["/recipients/0"]),
    "an alias of a name": (
        table("library", name={"zh": "图书\u202e馆", "en": "library"}), "invalid-request", ["/name/zh"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", INVALID)
def test_a_table_that_cannot_be_read_is_refused_in_its_place(world: World, name: str) -> None:
    document, code, pointers = INVALID[name]
    with world.nothing_written():
        refused = publish(world, document)
        assert world.post("/v1/cities/xiamen/scenario-lint", XIAMEN, document).code == code
    assert (refused.code, refused.pointers) == (code, pointers), refused.text


def test_only_the_city_itself_publishes_and_lints(world: World) -> None:
    for path in (PATH, "/v1/cities/xiamen/scenario-lint"):
        assert world.post(path, "city:hangzhou", table("library")).code == "not-found"
        for actor in (LIBRARY, FARM, ALLIANCE, "citizen:xm-612", "auditor:auditor"):
            assert world.post(path, actor, table("library")).code == "forbidden"
    assert publish(world, table("library", city_id="nowhere"), "nowhere").code == "not-found"


def test_a_city_needs_a_scale_first(own_world: World) -> None:
    body = {"city_id": "sanming", "name": {"zh": "三明", "en": "Sanming"}, "time_zone": "Asia/Shanghai"}
    assert own_world.post("/v1/cities", ALLIANCE, body).status == 201
    document = table("library", 1, city_id="sanming")
    assert publish(own_world, document, "sanming").code == "scale-missing"
    assert own_world.post("/v1/cities/sanming/scenario-lint", "city:sanming", document).code == "scale-missing"


def test_ONCE_the_same_publication_again_is_the_same_version(own_world: World) -> None:
    first = publish(own_world, table("library"), key="library-2")
    again = publish(own_world, table("library"), key="library-2")
    assert (again.text, again.status, again.replayed) == (first.text, 201, True)
    assert publish(own_world, table("library", 3), key="library-2").code == "idempotency-key-reused"
    assert own_world.get("/v1/cities/xiamen/control")["scenarios"]["library"][-1]["version"] == 2


def midnight(days: int) -> datetime:
    """The moment at which a day begins in Xiamen, so many days ahead."""
    day = (days_ahead(days) + BEIJING).replace(hour=0, minute=0, second=0)
    return day - BEIJING


def test_a_version_holds_from_its_first_day_in_the_citys_own_zone(own_world: World) -> None:
    world, begins = own_world, midnight(10)
    later = with_threshold(table("library", valid_from=(begins + BEIJING).date().isoformat()), 700)
    assert publish(world, later).status == 201

    def seen() -> tuple[int, str, int, str]:
        theirs = world.decide(LIBRARY, "xm-612", "library").body["decision"]
        mine = world.opening("xm-612", "library")
        return theirs["version"], theirs["outcome"], mine["version"], mine["outcome"]

    assert seen() == (1, "granted", 1, "granted")
    with clock.fixed(begins - timedelta(milliseconds=1)):
        assert seen() == (1, "granted", 1, "granted")
    with clock.fixed(begins):
        assert seen() == (2, "refused", 2, "refused")
    assert seen() == (1, "granted", 1, "granted")


def test_a_version_with_an_end_leaves_nothing_after_it(own_world: World) -> None:
    world, begins, ends = own_world, midnight(5), midnight(6)
    first, last = (begins + BEIJING).date().isoformat(), (ends + BEIJING).date().isoformat()
    assert publish(world, table("library", valid_from=first, valid_to=last)).status == 201
    with clock.fixed(ends - timedelta(milliseconds=1)):
        assert world.decide(LIBRARY, "xm-612", "library").body["decision"]["version"] == 2
    with clock.fixed(ends):
        assert world.decide(LIBRARY, "xm-612", "library").code == "not-found"
        assert world.ask_for_self("xm-612", "library").code == "not-found"
        items = world.get("/v1/me/openings", "citizen:xm-612")["items"]
        assert "library" not in {item["scenario_id"] for item in items}


def test_a_version_that_begins_earlier_replaces_one_that_has_not_begun(own_world: World) -> None:
    first = with_threshold(table("library", valid_from=midnight(20).date().isoformat()), 700)
    assert publish(own_world, first).status == 201
    assert publish(own_world, table("library", 3, valid_from=midnight(10).date().isoformat())).status == 201
    with clock.fixed(midnight(30)):
        assert own_world.decide(LIBRARY, "xm-612", "library").body["decision"]["version"] == 3
    assert publish(own_world, table("library", 4)).status == 201


def test_MINIMAL_a_rule_does_not_change_from_one_request_to_the_next(own_world: World) -> None:
    """Or a host could feel for a visitor's score with one table after another."""
    today = (days_ahead(0) + BEIJING).date().isoformat()
    for first_day in (today, "2001-01-01"):
        refused = publish(own_world, table("library", valid_from=first_day))
        assert (refused.status, refused.code, refused.pointers) == (422, "table-version-backdated", ["/valid_from"])
    assert own_world.get("/v1/cities/xiamen/control")["scenarios"]["library"][-1]["version"] == 1
    assert publish(own_world, table("library")).status == 201


def test_versions_are_kept_and_the_last_is_shown(own_world: World) -> None:
    world = own_world
    first = world.send("GET", f"{PATH}/library")
    assert publish(world, with_threshold(table("library"), 700)).status == 201
    assert world.get(f"{PATH}/library")["version"] == 2
    assert world.send("GET", f"{PATH}/library/versions/1").text == first.text
    assert world.send("GET", f"{PATH}/library/versions/1").headers["etag"] == first.headers["etag"]
    listed = {item["scenario_id"]: item["version"] for item in world.get(PATH)["items"]}
    assert listed["library"] == 2
    for version in ("0", "3", "-1", "1.0", "latest", "9" * 100):
        assert world.send("GET", f"{PATH}/library/versions/{version}").code == "not-found"
    for path in (f"{PATH}/nothing", "/v1/cities/nowhere/scenarios/library", f"{PATH}/nothing/versions/1"):
        assert world.send("GET", path).code == "not-found"


def test_a_list_goes_on_by_id(world: World) -> None:
    found, path = [], f"{PATH}?limit=4"
    page = world.get(path)
    found += page["items"]
    page = world.get(f"{path}&cursor={page['next']}")
    found += page["items"]
    names = [item["scenario_id"] for item in found]
    assert names == sorted(names)
    assert len(names) == 6
    assert page["next"] is None
    cursor = world.get(path)["next"]
    assert world.send("GET", f"/v1/cities/hangzhou/scenarios?cursor={cursor}").code == "cursor-invalid"
    assert world.send("GET", f"/v1/cities?cursor={cursor}").code == "cursor-invalid"
    assert world.get("/v1/cities/hangzhou/scenarios") == {"items": [], "next": None}


def test_a_published_table_is_the_document_that_was_authored(world: World) -> None:
    for path in sorted(SCENARIOS.glob("*.json")):
        authored = json.loads(path.read_text("utf-8"))
        assert world.get(f"{PATH}/{authored['scenario_id']}") == authored


def test_a_district_with_an_area_of_its_own_has_other_rules(world: World) -> None:
    def benefit(district: str | None) -> Any:
        return world.decide(PARKING, "xm-693", "roadside_parking", district).body["decision"]["benefit"]

    assert benefit(None) == benefit("jimei") == {"pay_later": True}
    assert benefit("haicang") == {"pay_later": True, "free_minutes": 30, "discount_bp": 1000}


def test_a_district_without_an_area_is_a_refusal_with_its_reason(world: World) -> None:
    assert world.opening("xm-693", "bicycle", "jimei")["reasons"][0]["code"] == "no_area_for_district"
    assert world.opening("xm-693", "bicycle")["outcome"] == "refused"
    assert world.opening("xm-693", "bicycle", "island")["outcome"] == "granted"


@pytest.mark.parametrize("district", ["gulangyu", "HAICANG", "x" * 60, "%00"])
def test_a_district_that_is_none_is_not_found(world: World, district: str) -> None:
    for city in ("xiamen", "hangzhou"):
        answer = world.send("GET", f"/v1/me/openings?city={city}&district={district}", "citizen:xm-612")
        assert answer.code == "not-found"


def test_a_district_of_another_city_is_not_found_in_a_body(world: World) -> None:
    assert world.decide(PARKING, "xm-693", "roadside_parking", "gulangyu").code == "not-found"
    assert world.ask_for_self("xm-693", "roadside_parking", "gulangyu").code == "not-found"
    assert world.decide(PARKING, "xm-693", "roadside_parking", "HAICANG").pointers == ["/district"]


@pytest.mark.parametrize("city", ["nowhere", "", "x" * 4000, "%00", "xiamen%23control", "%E5%8E%A6%E9%97%A8"])
def test_openings_of_a_city_that_is_none_are_not_found(world: World, city: str) -> None:
    assert world.send("GET", f"/v1/me/openings?city={city}", "citizen:xm-612").code == "not-found"
