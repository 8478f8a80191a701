"""Passes over HTTP: sealed, for one recipient or scenario, for two minutes, once; and never a token."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.core import clock, cursor
from chalicelib.core.commit import Unit
from chalicelib.core.errors import Conflict
from chalicelib.subjects.rules import Pass, PassExpired, PassInvalid, PassUsed
from chalicelib.subjects.service import open_pass
from chalicelib.subjects.store import use_pass
from tests.conftest import Answer, Calls
from tests.integration.subjects.world import FARM, LIBRARY, World, items, kinds, ref_of

NOW = datetime(2026, 8, 1, 4, 0, 10, tzinfo=UTC)
SCENE = "xiamen/library"


def show(world: World, subject_id: str, **wish: Any) -> Answer:
    return world.act(subject_id, "/passes", wish or {"recipient": LIBRARY})


def shown_at(world: World, at: datetime, **wish: Any) -> tuple[str, str]:
    """A citizen's id and a pass of his, made at this time."""
    lin = world.subject()
    world.now = at
    with clock.fixed(at):
        return lin, show(world, lin, **wish).body["pass_code"]


def use(shown: Pass) -> None:
    unit = Unit()
    use_pass(unit, shown)
    unit.commit()


def test_a_pass_opens_for_whom_it_was_made(world: World) -> None:
    lin, code = shown_at(world, NOW, recipient=LIBRARY, scenario=SCENE)
    opened = open_pass(code, LIBRARY, SCENE, NOW)
    assert opened.ref == ref_of(lin)
    assert (opened.recipient, opened.scenario) == (LIBRARY, SCENE)
    assert opened.expires_at == NOW + timedelta(seconds=120)


def test_a_pass_for_a_recipient_is_good_for_any_scenario_and_the_other_way_round(world: World) -> None:
    lin = world.subject()
    for wish, good, bad in [
        ({"recipient": LIBRARY}, (LIBRARY, "xiamen/other"), (FARM, SCENE)),
        ({"scenario": SCENE}, (FARM, SCENE), (FARM, "xiamen/other")),
    ]:
        code = show(world, lin, **wish).body["pass_code"]
        assert open_pass(code, *good, clock.now()).ref == ref_of(lin)
        with pytest.raises(PassInvalid):
            open_pass(code, *bad, clock.now())


def test_a_pass_expires_after_two_minutes(world: World) -> None:
    _, code = shown_at(world, NOW)
    assert open_pass(code, LIBRARY, SCENE, NOW + timedelta(seconds=119.999))
    with pytest.raises(PassExpired):
        open_pass(code, LIBRARY, SCENE, NOW + timedelta(seconds=120))
    with pytest.raises(PassInvalid):
        open_pass(code, FARM, SCENE, NOW + timedelta(seconds=120))


def test_a_pass_is_used_once_and_the_mark_outlives_it(world: World) -> None:
    _, code = shown_at(world, NOW)
    opened = open_pass(code, LIBRARY, SCENE, NOW)
    use(opened)
    with pytest.raises(PassUsed):
        use(opened)
    unit = Unit()
    use_pass(unit, opened, Conflict)
    with pytest.raises(Conflict):
        unit.commit()
    (mark,) = [item for item in items() if item["kind"]["S"] == "pass_used"]
    assert int(mark["expires_at"]["N"]) > opened.expires_at.timestamp() + 3600


def test_a_foreign_a_forged_and_a_changed_pass_get_the_same_answer(world: World) -> None:
    _, code = shown_at(world, NOW)
    middle = len(code) // 2
    changed = code[:middle] + ("A" if code[middle] != "A" else "B") + code[middle + 1 :]
    said = []
    for text, recipient in [(changed, LIBRARY), ("A" * 60, LIBRARY), ("", LIBRARY), ("出示", LIBRARY), (code, FARM)]:
        with pytest.raises(PassInvalid) as refused:
            open_pass(text, recipient, SCENE, NOW)
        said.append((refused.value.code, refused.value.detail, refused.value.faults))
    assert len(set(said)) == 1


def test_what_was_sealed_for_something_else_is_no_pass(world: World) -> None:
    value = ["v_1", "xiamen/s_1", None, None, 2_000_000_000, None, False, ""]
    assert open_pass(cursor.seal(value, "pass"), LIBRARY, SCENE, NOW).pass_id == "v_1"
    for text in (cursor.seal(value, "receipt"), str(cursor.make_cursor(value, "pass"))):
        with pytest.raises(PassInvalid):
            open_pass(text, LIBRARY, SCENE, NOW)


def test_a_pass_is_no_access_token_and_an_access_token_no_pass(world: World) -> None:
    lin = world.subject()
    code = show(world, lin).body["pass_code"]
    assert world.api.get("/v1/me", token=code).code == "unauthenticated"
    assert world.api.get("/v1/cities/xiamen/partners", token=code).code == "unauthenticated"
    with pytest.raises(PassInvalid):
        open_pass(world.citizen(lin), LIBRARY, SCENE, clock.now())


def test_MINIMAL_a_pass_shows_nothing_of_its_citizen(world: World) -> None:
    lin, wu = world.subject(), world.subject(order=2)
    answers = [show(world, who) for who in (lin, lin, wu)]
    for answer in answers:
        assert set(answer.body) == {"pass_code", "expires_at"}
        assert lin not in answer.text
        assert ref_of(lin).person_id not in answer.text
    assert len({answer.body["pass_code"] for answer in answers}) == 3
    assert len({len(answer.body["pass_code"]) for answer in answers}) == 1


def test_ONCE_the_same_request_again_is_the_same_pass(world: World) -> None:
    lin = world.subject()
    first = world.act(lin, "/passes", {"recipient": LIBRARY}, key="show-pass-1")
    again = world.act(lin, "/passes", {"recipient": LIBRARY}, key="show-pass-1")
    assert (again.status, again.text) == (first.status, first.text)
    assert world.act(lin, "/passes", {"recipient": FARM}, key="show-pass-1").code == "idempotency-key-reused"
    assert [int(i["given"]["N"]) for i in items() if i["kind"]["S"] == "pass_count"] == [1]


def test_ten_passes_a_minute_and_no_more(world: World) -> None:
    lin, wu = world.subject(), world.subject(order=2)
    world.now = NOW
    with clock.fixed(NOW):
        assert [show(world, lin).status for _ in range(10)] == [201] * 10
        refused = show(world, lin)
        assert (refused.status, refused.code) == (429, "too-many-requests")
        assert refused.headers["retry-after"] == "50"
        assert show(world, wu).status == 201
    world.now = NOW + timedelta(seconds=50)
    with clock.fixed(world.now):
        assert show(world, lin).status == 201
    counts = [item for item in items() if item["kind"]["S"] == "pass_count"]
    assert sorted(int(item["given"]["N"]) for item in counts) == [1, 1, 10]
    assert all(int(item["expires_at"]["N"]) > NOW.timestamp() and item["v"]["N"] == "1" for item in counts)


def test_a_pass_does_not_touch_the_account_and_is_not_listed(world: World) -> None:
    lin = world.subject()
    before = [item for item in items() if item["kind"]["S"] == "account"]
    show(world, lin)
    assert [item for item in items() if item["kind"]["S"] == "account"] == before
    assert [look["purpose"] for look in world.mine(lin, "/looks").body["items"]] == ["enrol-subject"]
    effects = [item for item in items() if item.get("purpose", {}).get("S") == "show-pass"]
    assert all("expires_at" in item for item in effects)


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({}, "invalid-request"),
        ({"recipient": None}, "invalid-request"),
        ({"recipient": "citizen:xiamen/lin"}, "invalid-request"),
        ({"scenario": "xiamen"}, "invalid-request"),
        ({"scenario": SCENE, "amount_fen": 1}, "invalid-request"),
        ({"recipient": "library:xiamen/none"}, "recipient-unknown"),
        ({"recipient": "city:nowhere"}, "recipient-unknown"),
    ],
)
def test_a_bad_wish_is_refused(world: World, wish: Any, code: str) -> None:
    lin = world.subject()
    answer = world.act(lin, "/passes", wish)
    assert (answer.status, answer.code) == (422, code)
    assert "pass_count" not in kinds()


def test_only_a_citizen_with_an_account_gets_a_pass(world: World) -> None:
    lin = world.subject()
    wish = {"recipient": LIBRARY}
    assert world.act(lin, "/passes", wish, token=world.city()).code == "forbidden"
    assert world.act(lin, "/passes", wish, token=world.api.as_partner("library", "city-library")).code == "forbidden"
    assert world.act(lin, "/passes", wish, token=world.citizen(lin, "hangzhou")).code == "not-found"
    assert world.api.post("/v1/me/passes", wish).code == "unauthenticated"


def test_budget_of_calls(calls: Calls, world: World) -> None:
    lin = world.subject()
    assert calls.during(lambda: show(world, lin)) == {"BatchGetItem": 1, "TransactWriteItems": 1}
