"""Credit records over HTTP: read by the person and his city, repaired by the city, over after their years."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from chalicelib.core import clock
from chalicelib.core.commit import Unit
from chalicelib.core.errors import Conflict
from chalicelib.records import store
from chalicelib.records.rules import CreditRecord
from chalicelib.records.service import record_id_of
from tests.in_process import Answer
from tests.world import XIAMEN, World, own_world, world

__all__ = ["own_world", "world"]

# A record of last year is live whenever this runs.
MARCH = date(clock.now().year - 1, 3, 1)
REASON = {"zh": "已全部还清并作出承诺", "en": "It has all been paid, and a promise was made"}


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "sleep", lambda seconds: None)


def recorded(world: World, who: str, first_month: date, *, certain_on: date | None = None) -> str:
    """A record about somebody, as another domain appends it; its id."""
    ref = world.ref(who)
    record_id = record_id_of(ref, "xiamen", "demo-bank", first_month)
    on = certain_on or first_month + timedelta(days=80)
    made = CreditRecord(record_id, "medical_default", "xiamen", "demo-bank", first_month, 3, on, clock.now())
    unit = Unit()
    store.append(unit, ref, made)
    unit.commit()
    return record_id


def path(world: World, who: str, record_id: str = "") -> str:
    person = world.client.people[who]
    found = f"/v1/cities/{person['city']}/subjects/{person['subject_id']}/records"
    return f"{found}/{record_id}/repair" if record_id else found


def repair(world: World, who: str, record_id: str, actor: str = XIAMEN, **more: Any) -> Answer:
    return world.post(path(world, who, record_id), actor, {"reason": REASON}, **more)


def ids_of(world: World, who: str, query: str = "") -> list[str]:
    return [one["record_id"] for one in world.get("/v1/me/records" + query, f"citizen:{who}")["items"]]


def test_the_person_and_his_city_read_a_record_and_the_citys_look_is_seen(world: World) -> None:
    who = world.newcomer("xiamen", 693)
    record_id = recorded(world, who, MARCH)
    mine = world.get("/v1/me/records", f"citizen:{who}")
    assert mine["items"][0]["record_id"] == record_id
    assert (mine["items"][0]["until"], mine["items"][0]["state"]) == (f"{MARCH.year + 5}-05-21", "live")
    assert world.get(path(world, who), XIAMEN) == mine
    looks = world.get("/v1/me/looks?limit=1", f"citizen:{who}")["items"]
    assert (looks[0]["purpose"], looks[0]["words"]["en"]) == (
        "look-at-records", "The city xiamen looked at your credit records",
    )  # fmt: skip


def test_a_record_is_appended_once_whoever_notices_it_again(world: World) -> None:
    who = world.newcomer("xiamen", 693)
    recorded(world, who, MARCH)
    with pytest.raises(Conflict):
        recorded(world, who, MARCH)
    assert len(ids_of(world, who)) == 1


def test_the_city_repairs_a_record_and_it_counts_no_more(world: World) -> None:
    who = world.newcomer("xiamen", 693)
    first, second = recorded(world, who, MARCH.replace(year=MARCH.year - 1)), recorded(world, who, MARCH)
    today = clock.day_in("Asia/Shanghai", clock.now())
    assert [one.record_id for one in store.live_records(world.ref(who), today)] == [second, first]
    answer = repair(world, who, first, key="repair-it")
    assert (answer.status, answer.body["state"], answer.body["reason"]) == (200, "repaired", REASON)
    assert [one.record_id for one in store.live_records(world.ref(who), today)] == [second]
    shown = world.get("/v1/me/records", f"citizen:{who}")["items"]
    assert [one["state"] for one in shown] == ["live", "repaired"]
    assert repair(world, who, first, key="repair-it").text == answer.text
    later = repair(world, who, first)
    assert later.body["repaired_at"] == answer.body["repaired_at"], "repairing twice changes nothing"
    look = world.get("/v1/me/looks?limit=1", f"citizen:{who}")["items"][0]
    assert look["purpose"] == "repair-record"


def test_after_its_years_a_record_is_shown_to_nobody_and_counts_no_more(world: World) -> None:
    who = world.newcomer("xiamen", 693)
    record_id = recorded(world, who, date(2026, 3, 1), certain_on=date(2026, 6, 1))
    ref = world.ref(who)
    with clock.fixed(datetime(2031, 6, 1, 15, 59, tzinfo=UTC)):
        assert ids_of(world, who) == [record_id]
        assert store.live_records(ref, date(2031, 6, 1))
    with clock.fixed(datetime(2031, 6, 1, 16, tzinfo=UTC)):
        assert ids_of(world, who) == [], "the day has begun in the city"
        assert world.get(path(world, who), XIAMEN)["items"] == []
        assert repair(world, who, record_id).status == 404
    assert not store.live_records(ref, date(2031, 6, 2))


@pytest.mark.parametrize(("city", "goes"), [("hangzhou", True), ("zhengzhou", False), ("xiamen", True)])
def test_the_item_goes_where_the_law_wants_it_deleted(world: World, city: str, goes: bool) -> None:
    who = world.newcomer(city, None)
    recorded(world, who, date(2026, 3, 1), certain_on=date(2026, 6, 1))
    (item,) = (
        i for i in world.items() if i["kind"]["S"] == "credit-record" and world.ref(who).person_id in i["pk"]["S"]
    )
    expiry = item.get("expires_at", {}).get("N")
    assert (expiry is not None) == goes
    if expiry is not None:
        assert datetime.fromtimestamp(int(expiry), UTC) >= datetime(2031, 6, 2, tzinfo=UTC)


def test_another_citys_citizen_and_anothers_record_are_absent(world: World) -> None:
    who, guest = world.newcomer("xiamen", 693), world.newcomer("hangzhou", 705)
    record_id = recorded(world, guest, MARCH)
    assert repair(world, who, record_id).status == 404
    assert repair(world, who, "none-such").status == 404
    foreign = f"/v1/cities/xiamen/subjects/{world.known_to(XIAMEN, guest)}/records"
    assert world.send("GET", foreign, XIAMEN).status == 404
    assert world.post(f"{foreign}/{record_id}/repair", XIAMEN, {"reason": REASON}).status == 404
    assert world.send("GET", path(world, guest), XIAMEN).status == 404


def test_a_list_is_turned_by_its_cursor_which_is_nobody_elses(world: World) -> None:
    who, other = world.newcomer("xiamen", 693), world.newcomer("xiamen", 693)
    made = [recorded(world, who, MARCH.replace(month=month)) for month in (1, 4, 7)]
    page = world.get("/v1/me/records?limit=2", f"citizen:{who}")
    assert [one["record_id"] for one in page["items"]] == made[:0:-1]
    assert ids_of(world, who, f"?limit=2&cursor={page['next']}") == made[:1]
    assert world.send("GET", f"/v1/me/records?cursor={page['next']}", f"citizen:{other}").code == "cursor-invalid"


def test_reading_is_one_read_and_one_query_and_a_look_one_write_more(world: World) -> None:
    who = world.newcomer("xiamen", 693)
    record_id = recorded(world, who, MARCH)
    for method, actor, names in (
        ("GET", f"citizen:{who}", ["BatchGetItem", "Query"]),
        ("GET", XIAMEN, ["BatchGetItem", "Query", "TransactWriteItems"]),
    ):
        place = "/v1/me/records" if actor != XIAMEN else path(world, who)
        with world.calls() as calls:
            assert world.send(method, place, actor).status == 200
        assert calls.names == names
    with world.calls() as calls:
        repair(world, who, record_id)
    assert calls.names == ["BatchGetItem", "TransactWriteItems"]
