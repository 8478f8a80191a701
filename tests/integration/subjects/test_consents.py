"""Consents over HTTP: granted with a face check, withdrawn without one, effective on the very next request."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.core import clock, effect
from chalicelib.core.commit import Unit
from chalicelib.subjects.rules import MAX_CONSENTS, ConsentBrief, ConsentRequired, consent_key, require_consent
from chalicelib.subjects.store import account_pk, check_guard, load_account, update_guarded
from tests.conftest import Calls
from tests.integration.subjects.world import FARM, LIBRARY, World, items, moment, ref_of

NOW = datetime(2026, 8, 1, 4, tzinfo=UTC)


def may_use(subject_id: str, at: datetime | None = None, scenario: str = "xiamen/library") -> bool:
    """Whether the library may use this person's score, as a decision asks it."""
    try:
        require_consent(load_account(ref_of(subject_id)), scenario, LIBRARY, at or clock.now())
    except ConsentRequired:
        return False
    return True


def withdraw(world: World, subject_id: str, grant_id: str, **kwargs: Any) -> Any:
    return world.act(subject_id, f"/consents/{grant_id}/withdraw", **kwargs)


def test_CONSENT_is_live_from_its_grant_and_ends_with_its_withdrawal(world: World) -> None:
    lin = world.subject()
    assert not may_use(lin)
    granted = world.grant(lin)
    assert granted.status == 201
    assert may_use(lin)
    assert not may_use(lin, scenario="xiamen/bicycle")
    listed = world.mine(lin, "/consents").body
    assert listed == {"items": [granted.body], "next": None}
    gone = withdraw(world, lin, granted.body["grant_id"])
    assert (gone.status, gone.body["grant_id"]) == (200, granted.body["grant_id"])
    assert not may_use(lin)
    assert world.mine(lin, "/consents").body == {"items": [], "next": None}


def test_CONSENT_is_given_with_a_face_check_and_taken_back_without(world: World) -> None:
    lin = world.subject()
    faceless = world.grant(lin, token=world.citizen(lin, face=False))
    stale = int((datetime.now(UTC) - timedelta(seconds=301)).timestamp())
    old = world.grant(lin, token=world.citizen(lin, auth_time=stale, iat=stale))
    for refused in (faceless, old):
        assert (refused.status, refused.code) == (401, "insufficient-authentication")
        assert 'error="insufficient_user_authentication"' in refused.headers["www-authenticate"]
    assert not may_use(lin)
    grant_id = world.grant(lin).body["grant_id"]
    assert withdraw(world, lin, grant_id, token=world.citizen(lin, face=False)).status == 200


def test_CONSENT_its_evidence_is_its_effect(world: World) -> None:
    lin = world.subject()
    granted = world.grant(lin, items=["score", "decision"]).body
    stored = effect.load(granted["grant_id"])
    facts = json.loads(stored.facts)
    assert facts == {
        **granted,
        "items": ["decision", "score"],
        "purpose": {"zh": "借书免押金", "en": "Borrow books without a deposit"},
        "wording_version": 1,
        "authenticated": "face",
    }
    assert (stored.purpose, stored.actor, stored.tenant) == ("grant-consent", "citizen", lin)
    shown = world.mine(lin, f"/consents/{granted['grant_id']}").body
    assert shown == facts | {"granted_at": shown["granted_at"], "state": "live"}
    withdraw(world, lin, granted["grant_id"])
    assert world.mine(lin, f"/consents/{granted['grant_id']}").body["state"] == "ended"


def test_CONSENT_a_replayed_grant_does_not_bring_a_withdrawn_one_back(world: World) -> None:
    lin, expires_at = world.subject(), moment(timedelta(days=30))
    first = world.grant(lin, key="grant-library", expires_at=expires_at)
    withdraw(world, lin, first.body["grant_id"])
    again = world.grant(lin, key="grant-library", expires_at=expires_at)
    assert (again.status, again.text) == (first.status, first.text)
    assert again.headers["idempotency-replayed"] == "true"
    assert not may_use(lin)
    assert world.grant(lin, key="grant-library").code == "idempotency-key-reused"


def test_CONSENT_a_write_that_relied_on_a_withdrawn_one_fails(world: World) -> None:
    lin = world.subject()
    grant_id = world.grant(lin).body["grant_id"]
    seen = load_account(ref_of(lin))
    assert seen is not None
    withdraw(world, lin, grant_id)
    unit = Unit()
    check_guard(unit, seen, ConsentRequired)
    with pytest.raises(ConsentRequired):
        unit.commit()


def test_ONCE_a_withdrawal_may_be_repeated(world: World) -> None:
    lin = world.subject()
    grant_id = world.grant(lin).body["grant_id"]
    first = withdraw(world, lin, grant_id, key="withdraw-1")
    assert withdraw(world, lin, grant_id, key="withdraw-1").text == first.text
    guard = load_account(ref_of(lin)).guard  # type: ignore[union-attr]
    assert withdraw(world, lin, grant_id, key="withdraw-2").status == 200
    assert load_account(ref_of(lin)).guard == guard  # type: ignore[union-attr]


def test_to_another_citizen_a_consent_is_as_absent_as_one_that_is_not_there(world: World) -> None:
    lin, wu = world.subject(), world.subject(order=2)
    grant_id = world.grant(lin).body["grant_id"]
    enrolled = next(item["effect_id"]["S"] for item in items() if item.get("purpose", {}).get("S") == "enrol-subject")
    for foreign in (grant_id, enrolled, "nowhere.x", "."):
        there = withdraw(world, wu, foreign)
        absent = withdraw(world, wu, "xiamen." + "a" * 26)
        assert there.status == absent.status == 404
        assert there.text == absent.text
        assert world.mine(wu, f"/consents/{foreign}").text == absent.text
    assert withdraw(world, lin, enrolled).code == "not-found", "an effect that is no consent"
    assert may_use(lin)


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"expires_at": "2026-08-01T04:00:00Z"}, "consent-invalid", "/expires_at"),
        ({"expires_at": "2025-08-01T04:00:00Z"}, "consent-invalid", "/expires_at"),
        ({"expires_at": "2027-08-02T04:00:01Z"}, "consent-invalid", "/expires_at"),
        ({"expires_at": "2026-12-31T23:59:60Z"}, "invalid-request", "/expires_at"),
        ({"expires_at": "2026-02-30T00:00:00Z"}, "invalid-request", "/expires_at"),
        ({"expires_at": "2026-12-31"}, "invalid-request", "/expires_at"),
        ({"expires_at": "2026-12-31T00:00:00+08:00"}, "invalid-request", "/expires_at"),
        ({"items": []}, "invalid-request", "/items"),
        ({"items": ["decision", "decision"]}, "invalid-request", "/items"),
        ({"items": ["percentile"]}, "invalid-request", "/items/0"),
        ({"scenario": "library"}, "invalid-request", "/scenario"),
        ({"scenario": "xiamen/library>x"}, "invalid-request", "/scenario"),
        ({"scenario": "nowhere/library"}, "consent-invalid", "/scenario"),
        ({"recipient": "library:xiamen"}, "invalid-request", "/recipient"),
        ({"recipient": "alliance:xiamen/x1"}, "invalid-request", "/recipient"),
        ({"recipient": "city:xiamen/city-library"}, "invalid-request", "/recipient"),
        ({"recipient": "city:nowhere"}, "recipient-unknown", "/recipient"),
        ({"recipient": "library:xiamen/no-library"}, "recipient-unknown", "/recipient"),
        ({"recipient": "library:nowhere/city-library"}, "recipient-unknown", "/recipient"),
        ({"recipient": "bank:xiamen/city-library"}, "recipient-unknown", "/recipient"),
        ({"purpose": "借书"}, "invalid-request", "/purpose"),
        ({"grant_id": "xiamen.a"}, "invalid-request", ""),
    ],
)
def test_a_bad_consent_is_refused_at_its_place(world: World, changes: Any, code: str, pointer: str) -> None:
    lin = world.subject()
    world.now = NOW
    with clock.fixed(NOW):
        answer = world.grant(lin, **changes)
    assert (answer.status, answer.code) == (422, code)
    assert answer.body["errors"][0]["pointer"] == pointer
    assert load_account(ref_of(lin)).guard == 1  # type: ignore[union-attr]


def test_a_consent_ends_on_time_without_a_job(world: World) -> None:
    world.now = NOW
    with clock.fixed(NOW):
        lin = world.subject()
        granted = world.grant(lin, expires_at=moment(timedelta(hours=1), NOW)).body
    end = NOW + timedelta(hours=1)
    assert may_use(lin, end - timedelta(milliseconds=1))
    assert not may_use(lin, end)
    world.now = end
    with clock.fixed(end):
        assert world.mine(lin, "/consents").body["items"] == []
        assert world.mine(lin).body["live_consents"] == 0
        assert world.mine(lin, f"/consents/{granted['grant_id']}").body["state"] == "expired"


def test_a_suspended_partner_receives_no_new_consent_from_the_next_request_on(world: World) -> None:
    lin = world.subject()
    assert world.grant(lin).status == 201
    world.suspend_partner("xiamen", "city-library")
    assert world.grant(lin).code == "recipient-unknown"
    assert world.act(lin, "/passes", {"recipient": LIBRARY}).code == "recipient-unknown"
    assert world.grant(lin, recipient=FARM, scenario="xiamen/jimei-produce").status == 201


def test_a_city_may_be_a_recipient_while_it_takes_part(world: World) -> None:
    lin = world.subject()
    assert world.grant(lin, recipient="city:hangzhou", scenario="hangzhou/library").status == 201
    world.suspend_city("hangzhou")
    assert world.grant(lin, recipient="city:hangzhou").code == "recipient-unknown"
    assert world.grant(lin, scenario="hangzhou/library").code == "consent-invalid"


def test_forty_live_consents_and_not_one_more(world: World) -> None:
    lin = world.subject()
    account = load_account(ref_of(lin))
    assert account is not None
    brief = ConsentBrief("xiamen." + "a" * 26, clock.now() + timedelta(days=1), ("decision",))
    many = {consent_key(f"xiamen/scene-{number}", LIBRARY): brief for number in range(MAX_CONSENTS - 1)}
    unit = Unit()
    update_guarded(unit, replace(account, consents=many))
    unit.commit()
    last = world.grant(lin, scenario="xiamen/scene-last")
    assert last.status == 201
    assert world.grant(lin).code == "consents-full"
    assert world.grant(lin, scenario="xiamen/scene-7").status == 201
    assert len(world.mine(lin, "/consents").body["items"]) == MAX_CONSENTS
    withdraw(world, lin, last.body["grant_id"])
    assert world.grant(lin).status == 201


def test_only_a_citizen_with_an_account_consents(world: World) -> None:
    lin = world.subject()
    for token, code in [
        (world.city(), "forbidden"),
        (world.api.as_partner("library", "city-library"), "forbidden"),
        (world.citizen("p1_" + "a" * 100), "not-found"),
        (world.citizen("lin"), "not-found"),
        (world.citizen(lin, "hangzhou"), "not-found"),
    ]:
        assert world.grant(lin, token=token).code == code
    assert world.api.post("/v1/me/consents", {}).code == "unauthenticated"


def test_budget_of_calls(calls: Calls, world: World) -> None:
    lin = world.subject()
    one_and_one = {"BatchGetItem": 1, "TransactWriteItems": 1}
    assert calls.during(lambda: world.grant(lin)) == one_and_one
    grant_id = world.mine(lin, "/consents").body["items"][0]["grant_id"]
    assert calls.during(lambda: world.mine(lin, "/consents")) == {"BatchGetItem": 1}
    assert calls.during(lambda: world.mine(lin, f"/consents/{grant_id}")) == {"BatchGetItem": 1}
    assert calls.during(lambda: withdraw(world, lin, grant_id)) == one_and_one


def test_each_step_is_listed_under_who_looked(world: World) -> None:
    lin = world.subject()
    withdraw(world, lin, world.grant(lin).body["grant_id"])
    looks, _ = effect.of_subject(account_pk(ref_of(lin)), 10, None)
    assert [look.purpose for look in looks] == ["withdraw-consent", "grant-consent", "enrol-subject"]
