"""Asking over HTTP: by a pass or an id, only while everybody concerned still agrees, on the very next request."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core import clock, commit, ids
from tests.world import (
    AUDITOR,
    CHEWEI,
    FARM,
    HOSPITAL,
    LIBRARY,
    PARKING,
    XIAMEN,
    Answer,
    World,
    days_ahead,
    recipient_of,
)


def told(answer: Answer) -> str:
    """What a refusal says, but for the id of the request."""
    return answer.text.replace(answer.body["request_id"], "")


def by_pass(world: World, actor: str, code: str, scenario_id: str, **more: Any) -> Answer:
    return world.post("/v1/decisions", actor, {"scenario_id": scenario_id, "pass_code": code}, **more)


def by_id(world: World, actor: str, subject_id: str, scenario_id: str) -> Answer:
    return world.post("/v1/decisions", actor, {"scenario_id": scenario_id, "subject_id": subject_id})


def test_a_pass_and_an_id_give_the_same_decision(world: World) -> None:
    shown = world.decide(LIBRARY, "xm-612", "library", by_pass=True)
    known = world.decide(LIBRARY, "xm-612", "library")
    assert shown.status == known.status == 200
    assert shown.body["decision"] == known.body["decision"]
    assert known.body["decision"]["benefit"] == {"deposit_fen": 0, "books_max": 40}
    assert known.body["receipt_id"] != shown.body["receipt_id"]


def test_every_decision_is_listed_under_who_looked(world: World) -> None:
    receipt = world.decide(PARKING, "xm-525", "roadside_parking", "haicang", by_pass=True).body["receipt_id"]
    look = world.get("/v1/me/looks?limit=1", "citizen:xm-525")["items"][0]
    assert (look["effect_id"], look["actor"], look["tenant"]) == (receipt, "parking_operator", "haicang-parking")
    mine = world.get(f"/v1/me/receipts/{receipt}", "citizen:xm-525")["decision"]
    assert (mine["outcome"], mine["next_tier"]["missing_points"]) == ("refused", 5)
    for other in ("citizen:xm-612", "citizen:hz-705"):
        assert world.send("GET", f"/v1/me/receipts/{receipt}", other).code == "not-found"


def test_a_receipt_is_a_decision_and_no_other_effect(world: World) -> None:
    grant = world.get("/v1/me/consents", "citizen:xm-612")["items"][0]["grant_id"]
    for thing in (grant, "xiamen.aaaaaaaaaaaaaaaaaaaaaaaaaa", "x", "~"):
        assert world.send("GET", f"/v1/me/receipts/{thing}", "citizen:xm-612").code == "not-found"
        assert world.post(f"/v1/receipts/{thing}/replay", AUDITOR).code == "not-found"


def test_MINIMAL_a_merchant_asks_only_with_a_pass(world: World) -> None:
    refused = world.decide(FARM, "xm-612", "jimei_produce", "jimei")
    assert (refused.status, refused.code, refused.pointers) == (422, "invalid-request", ["/pass_code"])
    both = {"scenario_id": "jimei_produce", "subject_id": "p1_x", "pass_code": "a" * 60}
    for body in (both, {"scenario_id": "jimei_produce"}):
        assert world.post("/v1/decisions", FARM, body).code == "invalid-request"
    granted = world.decide(FARM, "xm-612", "jimei_produce", "jimei", by_pass=True)
    assert granted.body["decision"]["benefit"] == {"discount_bp": 1000}


def test_who_may_ask_at_all(world: World) -> None:
    body = {"scenario_id": "library", "subject_id": world.known_to(LIBRARY, "xm-612")}
    for actor in ("citizen:xm-612", AUDITOR, "alliance:alliance"):
        assert world.post("/v1/decisions", actor, body).code == "forbidden"
    token = world.client.issuer.token("library", "xiamen-library", "xiamen", scope="")
    assert world.send("POST", "/v1/decisions", "", body, token=token).code == "forbidden"
    assert world.send("POST", "/v1/decisions", "", body).code == "unauthenticated"


def test_a_kind_that_the_table_does_not_name_is_refused(own_world: World) -> None:
    refused = own_world.decide(XIAMEN, "xm-612", "roadside_parking")
    assert (refused.status, refused.code) == (403, "recipient-not-named")
    own_world.grant("xm-612", HOSPITAL, "library")
    assert own_world.decide(HOSPITAL, "xm-612", "library").code == "recipient-not-named"
    own_world.grant("xm-612", XIAMEN, "bicycle")
    assert own_world.decide(XIAMEN, "xm-612", "bicycle", "island").body["decision"]["outcome"] == "refused"


def test_CONSENT_a_scenario_that_is_none_is_not_found_only_with_consent_to_it(own_world: World) -> None:
    assert own_world.decide(LIBRARY, "xm-612", "museum").code == "consent-required"
    own_world.grant("xm-612", LIBRARY, "museum")
    assert own_world.decide(LIBRARY, "xm-612", "museum").code == "not-found"


def test_CONSENT_one_and_the_same_refusal_for_everybody_who_is_not_there(world: World) -> None:
    stranger = world.newcomer("xiamen", 640)
    theirs = world.known_to(PARKING, "xm-612")
    nobody = ids.pairwise(recipient_of(LIBRARY), "xiamen/s_aaaaaaaaaaaaaaaaaaaaaaaaaa")
    asked = {
        "without consent": world.known_to(LIBRARY, stranger),
        "of another sector": theirs,
        "the city's own": world.client.people["xm-612"]["subject_id"],
        "of another city's namesake": ids.pairwise("library:hangzhou/xiamen-library", world.ref("xm-612").secret),
        "of nobody": nobody,
        "damaged": theirs[:-1] + ("a" if theirs[-1] != "a" else "b"),
        "invented": "p1_" + "a" * 60,
        "of another key": "p9_" + theirs[3:],
        "a name": "xm-612",
    }
    answers = {why: by_id(world, LIBRARY, subject_id, "library") for why, subject_id in asked.items()}
    answers["no such scenario"] = by_id(world, LIBRARY, asked["without consent"], "museum")
    answers["another scenario"] = world.decide(LIBRARY, "xm-612", "bicycle")
    for why, answer in answers.items():
        assert (answer.status, answer.code) == (403, "consent-required"), why
    assert len({told(answer) for answer in answers.values()}) == 1
    assert len({tuple(sorted(answer.headers.items())) for answer in answers.values()}) == 1


def test_CONSENT_is_for_one_recipient_in_one_scenario(world: World) -> None:
    who = world.newcomer("xiamen", 640, (PARKING, "roadside_parking"))
    assert world.decide(PARKING, who, "roadside_parking").status == 200
    assert world.decide(CHEWEI, who, "roadside_parking").code == "consent-required"
    assert world.decide(PARKING, who, "i_chewei_parking").code == "consent-required"
    namesake = "library:haicang-parking@xiamen"
    assert world.decide(namesake, who, "roadside_parking").code == "consent-required"
    elsewhere = "parking_operator:haicang-parking@hangzhou"
    assert world.decide(elsewhere, who, "roadside_parking").code == "consent-required"
    assert by_pass(world, CHEWEI, world.show(who, CHEWEI), "roadside_parking").code == "consent-required"


@pytest.mark.parametrize("items", [["grade"], ["score"], ["grade", "score"]], ids=str)
def test_CONSENT_to_something_else_is_none_to_a_decision(world: World, items: list[str]) -> None:
    who = world.newcomer("xiamen", 640)
    world.grant(who, LIBRARY, "library", items=items)
    assert world.decide(LIBRARY, who, "library").code == "consent-required"
    assert world.decide(LIBRARY, who, "library", by_pass=True).code == "consent-required"
    world.grant(who, LIBRARY, "library", items=["decision", *items])
    assert world.decide(LIBRARY, who, "library").status == 200


def test_CONSENT_withdrawn_holds_on_the_very_next_request(world: World) -> None:
    who = world.newcomer("xiamen", 640)
    grant_id = world.grant(who, LIBRARY, "library")
    code = world.show(who, LIBRARY, "library")
    assert world.decide(LIBRARY, who, "library").status == 200
    world.withdraw(who, grant_id)
    assert world.decide(LIBRARY, who, "library").code == "consent-required"
    assert by_pass(world, LIBRARY, code, "library").code == "consent-required"
    world.grant(who, LIBRARY, "library")
    assert by_pass(world, LIBRARY, code, "library").status == 200


def test_CONSENT_ends_with_its_last_second(world: World) -> None:
    who = world.newcomer("xiamen", 640)
    with clock.fixed(days_ahead(0)):
        world.grant(who, LIBRARY, "library", days=2)
    end = clock.unstamp(world.get("/v1/me/consents", f"citizen:{who}")["items"][0]["expires_at"])
    with clock.fixed(end - timedelta(milliseconds=1)):
        assert world.decide(LIBRARY, who, "library").status == 200
    with clock.fixed(end):
        assert world.decide(LIBRARY, who, "library").code == "consent-required"


def test_CONSENT_of_an_account_that_was_closed_is_none(own_world: World) -> None:
    from chalicelib.subjects.store import AccountRow, account_key

    who = own_world.newcomer("xiamen", 640, (LIBRARY, "library"))
    account = AccountRow(*account_key(own_world.ref(who)))
    account.update(actions=[AccountRow.status.set("closed")])
    assert own_world.decide(LIBRARY, who, "library").code == "consent-required"
    assert own_world.ask_for_self(who, "library").code == "not-found"
    assert own_world.send("GET", "/v1/me/openings", f"citizen:{who}").code == "not-found"


class Between:
    """Does something between a request's read and its write: before each transaction of the first ``times``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, happens: Callable[[int], object], times: int = 1) -> None:
        self.seen = 0
        self._inside = False
        original = commit._attempt

        def attempt(writes: Any) -> bool:
            if not self._inside and self.seen < times:
                self.seen += 1
                self._inside = True
                try:
                    happens(self.seen)
                finally:
                    self._inside = False
            return original(writes)

        monkeypatch.setattr(commit, "_attempt", attempt)


@pytest.mark.parametrize("shown", [False, True], ids=["by id", "by pass"])
def test_CONSENT_withdrawn_between_read_and_write_is_never_answered(
    world: World, monkeypatch: pytest.MonkeyPatch, shown: bool
) -> None:
    who = world.newcomer("xiamen", 640)
    grant_id = world.grant(who, LIBRARY, "library")
    body = {"scenario_id": "library"}
    body |= {"pass_code": world.show(who, LIBRARY)} if shown else {"subject_id": world.known_to(LIBRARY, who)}
    between = Between(monkeypatch, lambda _: world.withdraw(who, grant_id))
    refused = world.post("/v1/decisions", LIBRARY, body, key=f"in-between-{shown}")
    assert between.seen == 1
    assert (refused.status, refused.code) == (403, "consent-required")
    looks = world.get("/v1/me/looks", f"citizen:{who}")["items"]
    assert not [look for look in looks if look["purpose"].startswith("decide")]
    world.grant(who, LIBRARY, "library")
    assert world.post("/v1/decisions", LIBRARY, body, key=f"in-between-{shown}").status == 200


def test_CONSENT_a_suspension_between_read_and_write_is_in_the_answer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = world.newcomer("xiamen", 640, (LIBRARY, "library"))
    Between(monkeypatch, lambda _: suspend(world, who))
    assert world.decide(LIBRARY, who, "library").body["decision"]["outcome"] == "refused"
    monkeypatch.undo()
    Between(monkeypatch, lambda _: lift(world, who))
    assert world.ask_for_self(who, "library").body["decision"]["outcome"] == "granted"


def test_an_account_that_never_stands_still_is_a_conflict(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    who = world.newcomer("xiamen", 640, (LIBRARY, "library"))
    between = Between(monkeypatch, lambda n: (suspend if n % 2 else lift)(world, who), times=99)
    refused = world.decide(LIBRARY, who, "library")
    assert (refused.status, refused.code, between.seen) == (409, "conflict", 3)
    assert world.ask_for_self(who, "library").code == "conflict"


def suspend(world: World, who: str) -> None:
    person = world.client.people[who]
    body = {"kind": "all_benefits", "reason": {"zh": "停用", "en": "suspended"}}
    path = f"/v1/cities/{person['city']}/subjects/{person['subject_id']}/suspensions"
    assert world.post(path, f"city:{person['city']}", body).status == 200


def lift(world: World, who: str) -> None:
    person = world.client.people[who]
    path = f"/v1/cities/{person['city']}/subjects/{person['subject_id']}/suspensions/all_benefits/lift"
    assert world.post(path, f"city:{person['city']}").status == 200


def test_a_suspended_partner_is_refused_on_the_very_next_request(own_world: World) -> None:
    world, code = own_world, own_world.show("xm-612", LIBRARY, "library")
    assert world.decide(LIBRARY, "xm-612", "library").status == 200
    world.suspend_partner("xiamen-library")
    for refused in (
        world.decide(LIBRARY, "xm-612", "library"),
        by_pass(world, LIBRARY, code, "library"),
        world.decide(LIBRARY, world.newcomer("xiamen", 640), "library"),
    ):
        assert (refused.status, refused.code) == (403, "partner-suspended")
    assert world.decide(PARKING, "xm-612", "roadside_parking").status == 200
    world.suspend_partner("xiamen-library", "active")
    assert by_pass(world, LIBRARY, code, "library").status == 200


def test_a_suspended_host_city_answers_nobody(own_world: World) -> None:
    world = own_world
    world.suspend_city("xiamen")
    for refused in (
        world.decide(LIBRARY, "xm-612", "library"),
        world.decide(LIBRARY, "hz-705", "library"),
        world.ask_for_self("hz-705", "library"),
        world.send("GET", "/v1/me/openings?city=xiamen", "citizen:hz-705"),
    ):
        assert (refused.status, refused.code) == (403, "city-suspended")
    world.suspend_city("xiamen", "active")
    assert world.decide(LIBRARY, "hz-705", "library").status == 200


def test_a_suspended_home_city_is_trusted_no_more(own_world: World) -> None:
    world = own_world
    stranger = world.newcomer("hangzhou", 705)
    world.suspend_city("hangzhou")
    # Nor is it the institution's business that he is a visitor at all: it hears what it hears of any other.
    assert world.decide(LIBRARY, "hz-705", "library").body["decision"]["codes"] == ["no_tier_reached"]
    assert world.decide(LIBRARY, "xm-612", "library").status == 200
    mine = world.ask_for_self("hz-705", "library").body["decision"]
    assert (mine["outcome"], mine["reasons"][0]["code"]) == ("refused", "not_linked")
    assert world.opening("hz-705", "library")["outcome"] == "refused"
    # Whose city it is, is none of the business of those without consent.
    assert world.decide(LIBRARY, stranger, "library").code == "consent-required"


def test_a_pass_is_for_one_institution_one_scenario_two_minutes(world: World) -> None:
    who = world.newcomer(
        "xiamen", 640, (LIBRARY, "library"), (PARKING, "roadside_parking"), (CHEWEI, "roadside_parking")
    )
    theirs, there = world.show(who, PARKING), world.show(who, None, "roadside_parking")
    assert by_pass(world, CHEWEI, theirs, "roadside_parking").code == "pass-invalid"
    assert by_pass(world, LIBRARY, there, "library").code == "pass-invalid"
    assert by_pass(world, PARKING, theirs, "roadside_parking").status == 200
    used = by_pass(world, PARKING, theirs, "roadside_parking")
    assert (used.status, used.code) == (409, "pass-used")
    assert by_pass(world, CHEWEI, there, "roadside_parking").status == 200
    assert by_pass(world, PARKING, there, "roadside_parking").code == "pass-used"


def test_a_pass_ends_after_two_minutes(world: World) -> None:
    who = world.newcomer("xiamen", 640, (LIBRARY, "library"))
    shown = days_ahead(0)
    with clock.fixed(shown):
        code = world.show(who, LIBRARY, "library")
    with clock.fixed(shown + timedelta(seconds=120)):
        assert by_pass(world, LIBRARY, code, "library").code == "pass-expired"
        assert by_pass(world, PARKING, code, "library").code == "pass-invalid"
    with clock.fixed(shown + timedelta(seconds=120, milliseconds=-1)):
        assert by_pass(world, LIBRARY, code, "library").status == 200


def test_a_pass_of_no_use_is_not_used_up(world: World) -> None:
    who = world.newcomer("xiamen", 640)
    code = world.show(who, LIBRARY)
    assert by_pass(world, LIBRARY, code, "library").code == "consent-required"
    grant_id = world.grant(who, LIBRARY, "library")
    body = {"scenario_id": "library", "district": "gulangyu", "pass_code": code}
    assert world.post("/v1/decisions", LIBRARY, body).code == "not-found"
    assert by_pass(world, LIBRARY, code, "library").status == 200
    world.withdraw(who, grant_id)


def test_a_pass_is_no_token_and_a_token_no_pass(world: World) -> None:
    code, token = world.show("xm-612", LIBRARY), world.client.token("citizen:xm-612")
    assert world.send("GET", "/v1/me", "", token=code).code == "unauthenticated"
    assert world.send("POST", "/v1/decisions", "", {"scenario_id": "library"}, token=code).code == "unauthenticated"
    as_pass = by_pass(world, LIBRARY, token, "library")
    assert (as_pass.code, as_pass.pointers) == ("invalid-request", ["/pass_code"])
    for part in (token.replace(".", "")[:800], code[:-2] + "AA", code.swapcase(), "A" * 120, code + "A"):
        assert by_pass(world, LIBRARY, part, "library").code == "pass-invalid"
    cursor = world.get("/v1/cities?limit=1")["next"]
    assert by_pass(world, LIBRARY, cursor.ljust(40, "A"), "library").code == "pass-invalid"
    assert world.send("GET", f"/v1/cities?cursor={code}").code == "cursor-invalid"
