"""A bank's policy over HTTP: drafted, linted, edited, reviewed, tried on the city's people, in force, ended."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from chalicelib.core import clock
from tests.integration.medical.clinic import OTHER_BANK, POLICIES, Clinic, body_of, tomorrow
from tests.unit.medical import ward
from tests.world import XIAMEN, World

AUTHOR, IDLE, REVIEWER = "bank:demo-bank@xiamen/bao", "bank:demo-bank@xiamen/nobody", "city:xiamen/rui"


@pytest.fixture
def desk(clinic: Clinic, own_world: World) -> Clinic:
    """The bank has an author."""
    path = "/v1/cities/xiamen/partners/demo-bank"
    seen = own_world.send("GET", path, XIAMEN)
    body = {"name": seen.body["name"], "status": "active", "staff": [{"sub": "bao", "roles": ["author"]}]}
    assert own_world.send("PUT", path, XIAMEN, body, if_match=seen.headers["etag"]).status == 200
    return clinic


def moved(clinic: Clinic, version: int, *steps: tuple[str, str]) -> None:
    for move, actor in steps:
        answer = clinic.post(f"{POLICIES}/{version}/moves", actor, body_of_move(clinic, version, move))
        assert answer.status == 200, answer.text


def body_of_move(clinic: Clinic, version: int, move: str) -> dict[str, str]:
    """Who decides on a version sends the digest of what he has read."""
    if move not in {"approve", "return"}:
        return {"move": move}
    return {"move": move, "digest": clinic.send("GET", f"{POLICIES}/{version}", REVIEWER).body["digest"]}


def test_a_policy_from_draft_to_force_to_its_end(desk: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    who = desk.insured()
    policy = tomorrow(ward.policy(hold_days=3))
    drafted = desk.post(POLICIES, AUTHOR, body_of(policy))
    assert (drafted.status, drafted.body["version"], drafted.body["state"]) == (201, 2, "draft")
    assert {finding["severity"] for finding in drafted.body["findings"]} <= {"warning"}
    moved(desk, 2, ("submit", AUTHOR), ("return", REVIEWER), ("submit", AUTHOR), ("approve", REVIEWER))
    assert [item["state"] for item in desk.send("GET", POLICIES, AUTHOR).body["items"]] == ["in_force", "approved"]
    assert desk.pull(who).body["policy_version"] == 1
    now = clock.now
    monkeypatch.setattr(clock, "now", lambda: now() + timedelta(days=3))
    assert [item["state"] for item in desk.send("GET", POLICIES, REVIEWER).body["items"]] == ["ended", "in_force"]
    held = desk.hold(who, 100).body
    assert held["policy_version"] == 2
    assert held["expires_at"] < (clock.now() + timedelta(days=3, seconds=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    moved(desk, 2, ("end", AUTHOR))
    assert desk.hold(who, 1).code == "medical-policy-not-in-force"
    assert desk.capture(held["hold_id"], 100).status == 201


def test_nobody_approves_what_he_wrote_and_nobody_else_moves(desk: Clinic) -> None:
    body = body_of(tomorrow(ward.policy()))
    assert desk.post(POLICIES, IDLE, body).code == "medical-policy-move-forbidden"
    assert desk.post(POLICIES, OTHER_BANK, body).code == "not-found"
    assert desk.post(POLICIES, AUTHOR, body).status == 201
    assert desk.post(POLICIES, AUTHOR, body).code == "medical-policy-state"
    path, approve = f"{POLICIES}/2/moves", body_of_move(desk, 2, "approve")
    assert desk.post(path, REVIEWER, {"move": "submit"}).code == "medical-policy-move-forbidden"
    assert desk.post(path, REVIEWER, approve).code == "medical-policy-state"
    assert desk.post(path, AUTHOR, approve).code == "medical-policy-move-forbidden"
    assert desk.post(f"{POLICIES}/9/moves", AUTHOR, {"move": "submit"}).code == "not-found"
    assert desk.post(f"{POLICIES}/x/moves", AUTHOR, {"move": "submit"}).code == "not-found"


def test_REWARD_what_the_linter_refuses_goes_to_no_review(desk: Clinic) -> None:
    for changes, pointer in (
        ({"scenario_id": "library"}, "/scenario_id"),
        ({"scenario_id": "nothing"}, "/scenario_id"),
        ({"hospitals": ("qingliu-farm",)}, "/hospitals/0"),
    ):
        drafted = desk.post(POLICIES, AUTHOR, body_of(tomorrow(ward.policy(**changes))))
        version = drafted.body["version"]
        assert pointer in {f["pointer"] for f in drafted.body["findings"] if f["severity"] == "error"}
        refused = desk.post(f"{POLICIES}/{version}/moves", AUTHOR, {"move": "submit"})
        assert (refused.code, pointer in refused.pointers) == ("medical-policy-lint-refused", True)
        moved(desk, version, ("end", AUTHOR))


def test_LIMIT_a_policy_that_is_not_well_defined_is_no_draft(desk: Clinic) -> None:
    policy = tomorrow(ward.policy())
    for changes, code in (
        ({"ceiling_fen": True}, "invalid-request"),
        ({"ceiling_fen": 1.5}, "invalid-request"),
        ({"shards": 0}, "invalid-request"),
        ({"reminder_days_before": 43}, "medical-policy-invalid"),
        ({"exposure_cap_fen": 300_000}, "medical-policy-invalid"),
        ({"valid_to": str(policy.valid_from)}, "medical-policy-invalid"),
        ({"shards": 4}, "medical-policy-invalid"),
        ({"version": 7}, "invalid-request"),
    ):
        assert desk.post(POLICIES, AUTHOR, body_of(policy) | changes).code == code, changes


def test_a_draft_is_edited_by_who_saw_it_last(desk: Clinic) -> None:
    desk.post(POLICIES, AUTHOR, body_of(tomorrow(ward.policy())))
    path = f"{POLICIES}/2"
    seen = desk.send("GET", path, AUTHOR)
    assert seen.body["content"]["hold_days"] == 30
    body = body_of(tomorrow(ward.policy(hold_days=7)))
    changed = desk.send("PUT", path, AUTHOR, body, if_match=seen.headers["etag"])
    assert (changed.status, changed.body["content"]) == (200, None)
    assert desk.send("GET", path, AUTHOR).body["content"]["hold_days"] == 7
    late = desk.send("PUT", path, AUTHOR, body_of(tomorrow(ward.policy())), if_match=seen.headers["etag"])
    assert late.code == "stale-version"


def test_a_policy_is_tried_on_the_citys_people(desk: Clinic) -> None:
    desk.post(POLICIES, AUTHOR, body_of(tomorrow(ward.policy(ceiling_fen=150_000))))
    answer = desk.send("GET", f"{POLICIES}/2/what-if", AUTHOR)
    tiers = answer.body["tiers"]
    assert sum(tier["people"] for tier in tiers) == answer.body["people"] > 0
    assert sum(tier["exposure_fen"] for tier in tiers) == answer.body["exposure_fen"]
    assert max(tier["limit_fen"] for tier in tiers) == 150_000
    assert any(tier["capped"] for tier in tiers)
    drawn = desk.send("GET", f"{POLICIES}/2/what-if/plot", AUTHOR)
    assert (drawn.status, drawn.headers["content-type"]) == (200, "image/svg+xml"), drawn.text
    assert "1,500 元 yuan · 封顶 capped" in drawn.text
    assert answer.body["illustrative"]
    assert "演示数据" in drawn.text


def test_what_a_policy_costs_at_the_database(desk: Clinic, own_world: World) -> None:
    body = body_of(tomorrow(ward.policy()))
    desk.post(f"{POLICIES}?dry_run=true", AUTHOR, body)
    with own_world.calls() as calls:
        assert desk.post(POLICIES, AUTHOR, body).status == 201
    assert Counter(calls.names) == {"BatchGetItem": 1, "GetItem": 1, "TransactWriteItems": 1}
    with own_world.calls() as calls:
        desk.send("GET", POLICIES, AUTHOR)
    assert Counter(calls.names) == {"BatchGetItem": 1}
