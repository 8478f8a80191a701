"""Wards over HTTP: confirmed and ended by the guardian's city, read by the guardian, carried by his passes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from chalicelib.core import clock
from chalicelib.subjects import store
from chalicelib.subjects.service import open_pass
from tests.conftest import Answer, Calls
from tests.integration.subjects.world import LIBRARY, World, items, kinds, ref_of

LOOK, LIST, WRITE = {"BatchGetItem": 1}, {"Query": 1}, {"TransactWriteItems": 1}
FAR = {"valid_to": "2035-06-01"}


def confirm(world: World, subject_id: str, body: Any = None, city_id: str = "xiamen", **kwargs: Any) -> Answer:
    sent = {"token": world.city(city_id), **kwargs}
    return world.api.post(f"/v1/cities/{city_id}/subjects/{subject_id}/wards", body or FAR, **sent)


def end(world: World, subject_id: str, ward_id: str, city_id: str = "xiamen", **kwargs: Any) -> Answer:
    sent = {"token": world.city(city_id), **kwargs}
    return world.api.post(f"/v1/cities/{city_id}/subjects/{subject_id}/wards/{ward_id}/end", **sent)


def ward_of(world: World, subject_id: str) -> str:
    answer = confirm(world, subject_id)
    assert answer.status == 201, answer.text
    return str(answer.body["ward_id"])


def test_a_city_confirms_and_ends_and_the_guardian_reads(world: World) -> None:
    lin = world.subject()
    made = confirm(world, lin)
    assert set(made.body) == {"ward_id", "valid_to", "confirmed_at", "ended_at"}
    assert (made.status, made.body["valid_to"], made.body["ended_at"]) == (201, "2035-06-01", None)
    other = ward_of(world, lin)
    over = end(world, lin, made.body["ward_id"])
    assert over.status == 200
    assert over.body["ended_at"] is not None
    assert end(world, lin, made.body["ward_id"]).body == over.body, "its end stays"
    listed = world.mine(lin, "/wards").body
    assert {one["ward_id"]: one["ended_at"] is None for one in listed["items"]} == {
        made.body["ward_id"]: False, other: True,
    }  # fmt: skip
    first = world.mine(lin, "/wards?limit=1").body
    assert len(first["items"]) == 1
    rest = world.mine(lin, f"/wards?cursor={first['next']}").body
    assert [one["ward_id"] for one in (*first["items"], *rest["items"])] == [o["ward_id"] for o in listed["items"]]
    said = [look["words"]["zh"] for look in world.mine(lin, "/looks").body["items"]]
    assert [("监护" in one) for one in said] == [True, True, True, True, False]


def test_MINIMAL_nothing_of_the_child_is_kept(world: World) -> None:
    lin = world.subject()
    ward_of(world, lin)
    (item,) = [item for item in items() if item["kind"]["S"] == "ward"]
    assert set(item) == {"pk", "sk", "kind", "v", "document", "revision"}
    body = FAR | {"name": "林小小"}
    assert confirm(world, lin, body).code == "invalid-request"


@pytest.mark.parametrize(
    ("valid_to", "code"),
    [
        ("2035-02-30", "invalid-request"), ("2035-6-1", "invalid-request"), (None, "invalid-request"),
        ("2020-01-01", "ward-invalid"), ("2090-01-01", "ward-invalid"),
    ],
)  # fmt: skip
def test_a_bad_day_is_refused(world: World, valid_to: Any, code: str) -> None:
    answer = confirm(world, world.subject(), {"valid_to": valid_to})
    assert (answer.status, answer.code) == (422, code)
    assert "ward" not in kinds()


def test_only_the_guardians_own_city_confirms(world: World) -> None:
    lin = world.subject()
    ward_id = ward_of(world, lin)
    wu = world.subject(order=2)
    for refused in (
        confirm(world, lin, city_id="hangzhou"), confirm(world, "p1_" + "a" * 40), end(world, lin, ward_id, "hangzhou"),
        end(world, wu, ward_id), end(world, lin, "w_" + "a" * 26), confirm(world, lin, token=world.city("hangzhou")),
    ):  # fmt: skip
        assert refused.code == "not-found"
    for token in (world.citizen(lin), world.city(scope="scores:write")):
        assert confirm(world, lin, token=token).code == "forbidden"
        assert end(world, lin, ward_id, token=token).code == "forbidden"
    assert world.mine(wu, "/wards").body["items"] == []


def test_ONCE_the_same_request_again_is_the_same_ward(world: World) -> None:
    lin = world.subject()
    first, again = (confirm(world, lin, key="the-first-child") for _ in range(2))
    assert (again.status, again.text) == (first.status, first.text)
    assert confirm(world, lin, {"valid_to": "2036-01-01"}, key="the-first-child").code == "idempotency-key-reused"
    assert kinds().count("ward") == 1


def test_a_pass_carries_a_child_and_a_face_and_is_as_long_as_any(world: World) -> None:
    lin = world.subject()
    ward_id = ward_of(world, lin)
    wishes: list[tuple[dict[str, Any], bool]] = [
        ({"recipient": LIBRARY}, False), ({"recipient": LIBRARY}, True), ({"scenario": "xiamen/library"}, False),
        ({"recipient": LIBRARY, "ward_id": ward_id}, False),
        ({"recipient": LIBRARY, "scenario": "xiamen/library", "ward_id": ward_id}, True),
    ]  # fmt: skip
    codes = []
    for wish, face in wishes:
        code = world.act(lin, "/passes", wish, token=world.citizen(lin, face=face)).body["pass_code"]
        shown = open_pass(code, LIBRARY, "xiamen/library", clock.now())
        assert (shown.ref, shown.ward_id, shown.live) == (ref_of(lin), wish.get("ward_id"), face)
        codes.append(code)
    visitor = world.subject(city_id="hangzhou")
    token = world.citizen(visitor, "hangzhou", face=False)
    codes.append(world.act(visitor, "/passes", {"recipient": "city:xiamen"}, token=token).body["pass_code"])
    assert len({len(code) for code in codes}) == 1


def test_the_longest_pass_is_as_long_as_any(world: World) -> None:
    world.enter("xiamen", "parking_operator", "p" + "x" * 47, 7)
    lin = world.subject()
    wish = {
        "recipient": "parking_operator:xiamen/p" + "x" * 47, "scenario": "a" * 24 + "/" + "s" * 48,
        "ward_id": ward_of(world, lin),
    }  # fmt: skip
    longest = world.act(lin, "/passes", wish, token=world.citizen(lin))
    assert longest.status == 201, longest.text
    short = world.act(lin, "/passes", {"recipient": "city:xiamen"})
    assert len(longest.body["pass_code"]) == len(short.body["pass_code"])


def test_a_face_check_is_fresh_for_five_minutes(world: World) -> None:
    at = datetime(2026, 8, 1, 4, tzinfo=UTC)
    lin = world.subject()
    world.now = at
    token = world.citizen(lin)
    for later, live in ((timedelta(seconds=299), True), (timedelta(seconds=300), False)):
        with clock.fixed(at + later):
            code = world.act(lin, "/passes", {"recipient": LIBRARY}, token=token).body["pass_code"]
        assert open_pass(code, LIBRARY, None, at + later).live is live


def test_a_pass_for_no_child_of_his_is_refused(world: World) -> None:
    lin, wu = world.subject(), world.subject(order=2)
    ward_id = ward_of(world, lin)
    for wish, who in (({"ward_id": ward_id}, wu), ({"ward_id": "w_" + "a" * 26}, lin)):
        refused = world.act(who, "/passes", wish | {"recipient": LIBRARY})
        assert (refused.status, refused.code) == (422, "ward-unknown")
    for bad in ({"ward_id": ward_id}, {"ward_id": None, "recipient": LIBRARY}, {"ward_id": "x", "recipient": LIBRARY}):
        assert world.act(lin, "/passes", bad).code == "invalid-request"
    birthday = datetime.combine(date(2035, 6, 1), datetime.min.time(), UTC) - timedelta(hours=8)
    for late, status in ((birthday - timedelta(seconds=1), 201), (birthday, 422)):
        world.now = late
        with clock.fixed(late):
            assert world.act(lin, "/passes", {"ward_id": ward_id, "recipient": LIBRARY}).status == status
    world.now = None
    end(world, lin, ward_id)
    assert world.act(lin, "/passes", {"ward_id": ward_id, "recipient": LIBRARY}).code == "ward-unknown"


def test_budget_of_calls(calls: Calls, world: World) -> None:
    lin = world.subject()
    ward_id = ward_of(world, lin)
    wish = {"recipient": LIBRARY, "ward_id": ward_id}
    assert calls.during(lambda: confirm(world, lin)) == LOOK | WRITE
    assert calls.during(lambda: world.act(lin, "/passes", wish)) == LOOK | WRITE
    assert calls.during(lambda: world.mine(lin, "/wards")) == LIST
    assert calls.during(lambda: end(world, lin, ward_id)) == LOOK | WRITE


def test_what_is_confirmed_of_a_closed_account(world: World) -> None:
    lin = world.subject()
    account = store.load_account(ref_of(lin))
    assert account is not None
    row = store.AccountRow(*store.account_key(account.ref))
    row.update(actions=[store.AccountRow.status.set("closed")])
    assert confirm(world, lin).code == "not-found"
