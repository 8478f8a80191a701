"""An emergency: a line is opened on the spot by a pass with a face, and as much is held as it bears."""

from __future__ import annotations

from typing import Any

from tests.integration.medical.clinic import OTHER_BANK, SCENARIO, Clinic
from tests.integration.medical.reception import Reception
from tests.world import HOSPITAL, World


def test_LIMIT_a_line_is_opened_on_the_spot_with_what_it_bears(clinic: Clinic, reception: Reception) -> None:
    who, before = clinic.patient(693), clinic.exposure()
    answer = reception.open(who, 10**9, emergency=True)
    assert answer.status == 201, answer.text
    limit_fen, posted_fen, held_fen = clinic.standing(who)
    assert (posted_fen, held_fen, answer.body["held_fen"]) == (0, limit_fen, limit_fen)
    assert answer.body["emergency"]
    line = clinic.line(who)
    assert (line.booked_fen, clinic.exposure() - before) == (limit_fen, limit_fen)
    own = clinic.world.get("/v1/me/credit-lines", f"citizen:{who}")["items"]
    assert [one["bank_id"] for one in own] == ["demo-bank"]
    (look, *_) = clinic.world.get("/v1/me/looks", f"citizen:{who}")["items"]
    assert look["purpose"] == f"open-line-and-hold:xiamen/{SCENARIO}"
    visit_id = answer.body["visit_id"]
    reception.enter(visit_id, "a", limit_fen, 0, kind="surgery")
    assert reception.capture(visit_id, "a").status == 200
    assert clinic.move(who, "close").status == 200
    assert clinic.exposure() == before


def test_LIMIT_a_small_estimate_is_held_whole(clinic: Clinic, reception: Reception) -> None:
    who = clinic.patient(693)
    assert reception.open(who, 700, emergency=True).body["held_fen"] == 700
    assert clinic.standing(who)[2] == 700


def test_a_line_is_opened_by_nobody_without_a_face(clinic: Clinic, reception: Reception) -> None:
    who = clinic.patient(693)
    refused = reception.open(who, 700, emergency=True, face=False)
    assert (refused.status, refused.code) == (403, "pass-not-live")
    assert reception.open(who, 700).code == "credit-line-missing"
    assert clinic.open(who).status == 201
    assert reception.open(who, 700, emergency=True, face=False).status == 201, "the line is there already"
    assert clinic.move(who, "close").status == 200
    assert reception.open(who, 700, emergency=True, face=False).code == "pass-not-live"


def test_LIMIT_an_open_line_gives_what_is_available_and_is_refused_for_nothing(
    clinic: Clinic, reception: Reception
) -> None:
    who, before = clinic.insured(693), clinic.exposure()
    limit_fen = clinic.standing(who)[0]
    clinic.held(who, limit_fen - 300)
    assert reception.open(who, 500, emergency=True).body["held_fen"] == 300
    refused = reception.open(who, 500, emergency=True)
    assert refused.code == "hold-exceeds-limit"
    assert (clinic.standing(who), clinic.exposure()) == ((limit_fen, 0, limit_fen), before)
    assert clinic.move(who, "suspend").status == 200
    assert reception.open(who, 500, emergency=True).code == "credit-line-suspended"


def test_LIMIT_a_closed_line_is_opened_anew_with_what_is_owed_on_it(clinic: Clinic, reception: Reception) -> None:
    who = clinic.insured(693)
    limit_fen, before = clinic.standing(who)[0], clinic.exposure()
    hold_id = clinic.held(who, 40_000)
    assert clinic.capture(hold_id, 30_000).status == 201
    assert clinic.move(who, "close").status == 200
    answer = reception.open(who, limit_fen, emergency=True)
    assert answer.body["held_fen"] == limit_fen - 40_000
    assert (clinic.standing(who), clinic.exposure()) == ((limit_fen, 30_000, limit_fen - 30_000), before)
    assert clinic.capture(hold_id, 10_000).status == 201, "what was held before is still"


def test_LIMIT_nobody_is_given_a_limit_of_nothing(clinic: Clinic, reception: Reception) -> None:
    who, before = clinic.patient(None), clinic.exposure()
    assert reception.open(who, 500, emergency=True).code == "credit-limit-not-granted"
    assert clinic.exposure() == before


def test_LIMIT_a_full_cap_opens_no_line(clinic: Clinic, reception: Reception, own_world: World) -> None:
    clinic.in_force(clinic.policy(bank_id="other-bank", exposure_cap_fen=1, shards=1))
    first, who = (clinic.patient(693, granted=(OTHER_BANK, HOSPITAL)) for _ in range(2))
    assert clinic.open(first, OTHER_BANK).body["limit_fen"] == 1
    asked: dict[str, Any] = {"emergency": True, "bank_id": "other-bank", "pass_code": reception.show(who)}
    assert reception.open(who, 500, **asked).code == "exposure-cap-reached"
    clinic.in_force(clinic.policy(bank_id="other-bank", version=2, shards=1))
    assert reception.open(who, 500, **asked).status == 201, "a refusal uses no pass up"


def test_CONSENT_an_emergency_needs_the_consents_and_a_hospital_that_takes_part(
    clinic: Clinic, reception: Reception, own_world: World
) -> None:
    who = clinic.patient(granted=(HOSPITAL,))
    assert reception.open(who, 500, emergency=True).code == "consent-required"
    who = clinic.patient()
    clinic.in_force(clinic.policy(hospitals=("second-hospital",)))
    assert reception.open(who, 500, emergency=True).code == "hospital-not-covered"
