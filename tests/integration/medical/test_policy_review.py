"""The city decides on the policy that it has read, finds what waits for it, and is told what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core import table
from chalicelib.medical import store
from chalicelib.medical.service import desk as desks
from tests.integration.core.faults import inject
from tests.integration.medical.clinic import POLICIES, Clinic, body_of, tomorrow
from tests.integration.medical.test_policies import AUTHOR, REVIEWER, body_of_move, desk, moved
from tests.unit.medical import ward
from tests.world import BANK, HOSPITAL, World

__all__ = ["desk"]
WAITING = "/v1/cities/xiamen/credit-policies/waiting"
MOVES = f"{POLICIES}/2/moves"


def submitted(clinic: Clinic, **changes: Any) -> str:
    """A second version that waits for review; its digest."""
    assert clinic.post(POLICIES, AUTHOR, body_of(tomorrow(ward.policy(**changes)))).status == 201
    moved(clinic, 2, ("submit", AUTHOR))
    return str(clinic.send("GET", f"{POLICIES}/2", REVIEWER).body["digest"])


def swapped(clinic: Clinic) -> None:
    """The author takes it back, writes it anew and submits it again."""
    moved(clinic, 2, ("withdraw", AUTHOR))
    seen = clinic.send("GET", f"{POLICIES}/2", AUTHOR)
    body = body_of(tomorrow(ward.policy(daily_rate_ppm=900)))
    assert clinic.send("PUT", f"{POLICIES}/2", AUTHOR, body, if_match=seen.headers["etag"]).status == 200
    moved(clinic, 2, ("submit", AUTHOR))


@pytest.mark.parametrize("move", ["approve", "return"])
def test_nobody_decides_on_what_he_has_not_read(desk: Clinic, move: str) -> None:
    digest = submitted(desk)
    swapped(desk)
    refused = desk.post(MOVES, REVIEWER, {"move": move, "digest": digest})
    assert (refused.status, refused.code) == (409, "medical-policy-changed")
    seen = desk.send("GET", f"{POLICIES}/2", REVIEWER).body
    assert (seen["state"], seen["digest"] == digest) == ("review", False)
    assert desk.post(MOVES, REVIEWER, {"move": move, "digest": seen["digest"]}).status == 200


def test_what_is_swapped_between_the_read_and_the_write_of_an_approval_is_not_approved(
    desk: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = submitted(desk)

    def overtaken(_: Any, write: Callable[[], None]) -> None:
        swapped(desk)
        write()

    with monkeypatch.context() as patch:
        inject(patch, iter([overtaken]))
        assert desk.post(MOVES, REVIEWER, {"move": "approve", "digest": digest}).code == "medical-policy-changed"
    assert desk.send("GET", f"{POLICIES}/2", REVIEWER).body["state"] == "review"


def test_a_read_that_has_the_new_head_and_the_old_content_approves_nothing(
    desk: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The two are items of one BatchGet, which is no snapshot."""
    digest, fetch = submitted(desk), table.fetch
    old = fetch([store.version_key("xiamen", "demo-bank", 2)])
    swapped(desk)
    torn = iter([old])
    with monkeypatch.context() as patch:
        patch.setattr(table, "fetch", lambda keys: fetch(keys) | next(torn, {}))
        assert desk.post(MOVES, REVIEWER, {"move": "approve", "digest": digest}).code == "medical-policy-changed"
    assert desk.send("GET", f"{POLICIES}/2", REVIEWER).body["state"] == "review"


@pytest.mark.parametrize(
    "body",
    [
        {"move": "approve"}, {"move": "return"}, {"move": "approve", "digest": None}, {"move": "return", "digest": "x"},
        *({"move": move, "digest": "0" * 64} for move in ("submit", "withdraw", "end")), {"digest": "0" * 64},
    ],
)  # fmt: skip
def test_who_decides_names_what_he_has_read_and_nobody_else_does(clinic: Clinic, body: Any) -> None:
    for actor in (REVIEWER, AUTHOR):
        assert clinic.post(MOVES, actor, body).code == "invalid-request"


def test_the_digest_is_that_of_the_content_in_every_view(desk: Clinic) -> None:
    drafted = desk.post(POLICIES, AUTHOR, body_of(tomorrow(ward.policy()))).body["digest"]
    seen = {desk.send("GET", f"{POLICIES}/2", actor).body["digest"] for actor in (AUTHOR, REVIEWER)}
    for move, actor in (("submit", AUTHOR), ("return", REVIEWER), ("submit", AUTHOR), ("approve", REVIEWER)):
        seen.add(desk.post(MOVES, actor, body_of_move(desk, 2, move)).body["digest"])
    assert seen == {drafted}


def test_what_waits_is_listed_while_it_does(desk: Clinic, own_world: World) -> None:
    assert desk.send("GET", WAITING, REVIEWER).body == {"items": [], "next": None}
    submitted(desk)
    (item,) = desk.send("GET", WAITING, REVIEWER).body["items"]
    assert (item["bank_id"], item["version"], item["bank"]["en"]) == ("demo-bank", 2, "Demo bank")
    assert item["waits_since"] == desk.send("GET", f"{POLICIES}/2", REVIEWER).body["changed_at"]
    moved(desk, 2, ("return", REVIEWER))
    assert desk.send("GET", WAITING, REVIEWER).body["items"] == []
    moved(desk, 2, ("submit", AUTHOR), ("approve", REVIEWER))
    assert desk.send("GET", WAITING, REVIEWER).body["items"] == []


def test_what_waits_longest_comes_first_page_by_page(desk: Clinic, own_world: World) -> None:
    path = "/v1/cities/xiamen/partners/other-bank"
    seen = own_world.send("GET", path, "city:xiamen")
    body = {"name": seen.body["name"], "status": "active", "staff": [{"sub": "ta", "roles": ["author"]}]}
    assert own_world.send("PUT", path, "city:xiamen", body, if_match=seen.headers["etag"]).status == 200
    theirs, author = POLICIES.replace("demo-bank", "other-bank"), "bank:other-bank@xiamen/ta"
    assert desk.post(theirs, author, body_of(tomorrow(ward.policy()))).status == 201
    assert desk.post(f"{theirs}/1/moves", author, {"move": "submit"}).status == 200
    submitted(desk)
    first = desk.send("GET", f"{WAITING}?limit=1", REVIEWER).body
    second = desk.send("GET", f"{WAITING}?limit=1&cursor={first['next']}", REVIEWER).body
    assert [page["items"][0]["bank_id"] for page in (first, second)] == ["other-bank", "demo-bank"]


def test_the_queue_is_the_citys(desk: Clinic) -> None:
    for actor, code in ((BANK, "forbidden"), (HOSPITAL, "forbidden"), ("city:hangzhou", "not-found")):
        assert desk.send("GET", WAITING, actor).code == code
    assert desk.send("GET", f"{WAITING}?limit=0", REVIEWER).code == "invalid-request"
    assert desk.send("GET", f"{WAITING}?cursor=x", REVIEWER).code == "cursor-invalid"


def findings(clinic: Clinic, version: int, **changes: Any) -> dict[str, str]:
    """What the linter says of a draft, by code."""
    answer = clinic.post(POLICIES, AUTHOR, body_of(replace(tomorrow(ward.policy()), **changes)))
    assert (answer.status, answer.body["version"]) == (201, version)
    return {found["code"]: found["severity"] for found in answer.body["findings"]}


def test_LIMIT_two_versions_on_one_day_go_to_no_review(desk: Clinic) -> None:
    first = tomorrow(ward.policy()).valid_from
    findings(desk, 2, valid_from=first + timedelta(days=5))
    moved(desk, 2, ("submit", AUTHOR), ("approve", REVIEWER))
    assert findings(desk, 3, valid_from=first)["versions-overlap"] == "error"
    refused = desk.post(f"{POLICIES}/3/moves", AUTHOR, {"move": "submit"})
    assert (refused.status, refused.code, refused.pointers) == (422, "medical-policy-lint-refused", ["/valid_from"])


def test_a_gap_between_two_versions_is_said(desk: Clinic) -> None:
    first = tomorrow(ward.policy()).valid_from
    findings(desk, 2, valid_to=first + timedelta(days=3))
    moved(desk, 2, ("submit", AUTHOR), ("approve", REVIEWER))
    assert findings(desk, 3, valid_from=first + timedelta(days=9))["versions-gap"] == "warning"
    moved(desk, 3, ("submit", AUTHOR), ("approve", REVIEWER))


def test_REWARD_a_better_grade_that_is_worse_off_goes_to_no_review(
    desk: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scenario's own gate would have refused this table; the policy's does not rely on it."""
    grades = [grade.name for grade in ward.scale().grades]
    limits = {name: 50_000 + 10_000 * place for place, name in enumerate(grades)}
    limits[grades[-1]] = 40_000
    worse = ward.table(limits, valid_from="2022-09-01")
    monkeypatch.setattr(desks, "scenario_of", lambda *_: worse)
    found = findings(desk, 2)
    assert "error" in found.values()
    refused = desk.post(MOVES, AUTHOR, {"move": "submit"})
    assert (refused.status, refused.code) == (422, "medical-policy-lint-refused")
    assert all(pointer.startswith("/scenario_id/") for pointer in refused.pointers)
