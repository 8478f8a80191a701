"""Lines opened by the bank and by the person, suspended, resumed, closed and opened again; what they come to."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.core import clock
from tests.conftest import ISSUER
from tests.integration.medical.clinic import OTHER_BANK, Clinic
from tests.world import BANK, HOSPITAL, World

OWN = {"city_id": "xiamen", "bank_id": "demo-bank"}


def test_LIMIT_a_line_is_booked_when_it_is_opened_and_given_back_when_it_is_closed(clinic: Clinic) -> None:
    before = clinic.exposure()
    who = clinic.insured()
    limit_fen = clinic.standing(who)[0]
    assert clinic.exposure() == before + limit_fen
    assert clinic.open(who).code == "credit-line-exists"
    assert clinic.move(who, "close").body["state"] == "closed"
    assert clinic.exposure() == before
    assert clinic.move(who, "close").code == "credit-line-closed"
    assert clinic.move(who, "resume").code == "credit-line-closed"


def test_LIMIT_a_line_opened_again_keeps_what_is_owed_held_and_suspended(clinic: Clinic) -> None:
    who = clinic.insured()
    limit_fen = clinic.standing(who)[0]
    owed, open_still = clinic.held(who, 500), clinic.held(who, 300)
    clinic.capture(owed, 500)
    clinic.move(who, "suspend")
    clinic.move(who, "close")
    answer = clinic.open(who)
    assert (answer.status, answer.body["state"], answer.body["available_fen"]) == (201, "suspended", 0)
    clinic.move(who, "resume")
    assert clinic.standing(who) == (limit_fen, 500, 300)
    assert clinic.hold(who, limit_fen - 799).code == "hold-exceeds-limit"
    assert clinic.capture(open_still, 300).status == 201


def test_CONSENT_a_person_opens_a_line_himself_with_a_face_check(clinic: Clinic) -> None:
    who = clinic.patient(granted=(HOSPITAL,))
    person = clinic.world.client.people[who]
    faceless = ISSUER.token("citizen", person["subject_id"], "xiamen", face=False, now=clock.now())
    send = clinic.world.send
    refused = send("POST", "/v1/me/credit-lines", f"citizen:{who}", OWN, token=faceless)
    assert refused.code == "insufficient-authentication"
    answer = clinic.world.post("/v1/me/credit-lines", f"citizen:{who}", OWN)
    assert (answer.status, answer.body["subject_id"]) == (201, person["subject_id"])
    assert clinic.pull(who).code == "consent-required"
    assert clinic.hold(who, 1).code == "consent-required"
    clinic.world.grant(who, BANK, "credit_medical")
    assert clinic.hold(who, 1).status == 201
    closed = send("POST", "/v1/me/credit-lines/close", f"citizen:{who}", OWN, token=faceless)
    assert closed.body["state"] == "closed"


def test_a_line_of_nobody_and_of_another_bank_is_absent(clinic: Clinic) -> None:
    who = clinic.insured()
    assert clinic.move(clinic.patient(), "suspend").code == "not-found"
    assert clinic.move(who, "suspend", OTHER_BANK).code == "not-found"
    path = f"/v1/credit-lines/{clinic.world.known_to(BANK, who)}/moves"
    assert clinic.post(path, OTHER_BANK, {"move": "close"}).code == "not-found"
    stranger = clinic.patient()
    assert clinic.world.post("/v1/me/credit-lines/close", f"citizen:{stranger}", OWN).code == "not-found"


def test_scopes_are_asked_for(clinic: Clinic) -> None:
    who = clinic.insured()
    for kind, tenant, scope in (("bank", "demo-bank", "decisions:write"), ("hospital", "demo-hospital", "credit:pull")):
        token = ISSUER.token(kind, tenant, "xiamen", scope=scope, now=clock.now())
        body = {"subject_id": clinic.world.known_to(BANK, who)}
        for path in ("/v1/credit-limits", "/v1/credit-lines"):
            assert clinic.world.send("POST", path, "", body, token=token).code == "forbidden"


def test_LIMIT_all_lines_of_a_bank_stay_within_its_cap(clinic: Clinic, own_world: World) -> None:
    cap_fen = 900_000
    clinic.in_force(clinic.policy(bank_id="other-bank", exposure_cap_fen=cap_fen, shards=3))
    people = [clinic.patient(990, granted=(OTHER_BANK,)) for _ in range(5)]
    answers = [clinic.open(who, OTHER_BANK) for who in people]
    limits = [answer.body["limit_fen"] for answer in answers if answer.status == 201]
    assert limits == [300_000] * 3
    assert {answer.code for answer in answers[3:]} == {"exposure-cap-reached"}
    assert clinic.exposure("other-bank") == sum(limits) == cap_fen
    assert clinic.move(people[0], "close", OTHER_BANK).status == 200
    assert clinic.open(people[4], OTHER_BANK).status == 201
    assert clinic.exposure("other-bank") == cap_fen


def test_a_term_that_is_over_takes_no_hold(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    who = clinic.insured()
    now = clock.now
    monkeypatch.setattr(clock, "now", lambda: now() + timedelta(days=89))
    clinic.world.grant(who, BANK, "credit_medical", days=360)
    clinic.world.grant(who, HOSPITAL, "credit_medical", days=360)
    monkeypatch.setattr(clock, "now", lambda: now() + timedelta(days=366))
    clinic.world.rescore(who, 693)
    assert clinic.hold(who, 1).code == "credit-line-term-over"
    pulled = clinic.pull(who).body
    assert (pulled["available_fen"], pulled["reasons"][-1]) == (0, "credit-line-term-over")
    assert clinic.move(who, "close").status == 200
    assert clinic.open(who).status == 201
    assert clinic.hold(who, 1).status == 201
