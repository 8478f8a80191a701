"""A hospital's holds over HTTP: placed by a pass, raised, captured in parts, given up; and all that is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core import clock
from tests.integration.medical.clinic import OTHER_BANK, SCENARIO, SECOND, Clinic
from tests.world import BANK, HOSPITAL, World


def test_LIMIT_a_visit_from_hold_to_final_capture(clinic: Clinic) -> None:
    who = clinic.insured(693)
    limit_fen = clinic.standing(who)[0]
    answer = clinic.hold(who, 80_000)
    assert (answer.status, answer.body["state"], answer.body["left_fen"]) == (201, "open", 80_000)
    assert answer.body["subject_id"] == clinic.world.known_to(HOSPITAL, who)
    hold_id = answer.body["hold_id"]
    assert clinic.standing(who) == (limit_fen, 0, 80_000)
    part = clinic.capture(hold_id, 30_000).body
    assert (part["captured_fen"], part["returned_fen"], part["hold"]["left_fen"]) == (30_000, 0, 50_000)
    assert clinic.standing(who) == (limit_fen, 30_000, 50_000)
    last = clinic.capture(hold_id, 10_000, final=True).body
    assert (last["captured_fen"], last["returned_fen"], last["hold"]["state"]) == (10_000, 40_000, "captured")
    assert clinic.standing(who) == (limit_fen, 40_000, 0)
    seen = clinic.send("GET", f"/v1/credit-holds/{hold_id}", HOSPITAL).body
    assert (seen["state"], seen["captured_fen"], seen["left_fen"]) == ("captured", 40_000, 0)
    pulled = clinic.pull(who).body
    assert (pulled["used_fen"], pulled["available_fen"]) == (40_000, limit_fen - 40_000)


def test_LIMIT_a_hold_is_given_up_once(clinic: Clinic) -> None:
    who = clinic.insured()
    hold_id = clinic.held(who, 50_000)
    assert clinic.capture(hold_id, 20_000).status == 201
    done = clinic.act("void", hold_id).body
    assert (done["captured_fen"], done["returned_fen"], done["hold"]["state"]) == (0, 30_000, "voided")
    assert clinic.standing(who)[1:] == (20_000, 0)
    for again in (
        clinic.act("void", hold_id),
        clinic.capture(hold_id, 1),
        clinic.act("raise", hold_id, {"amount_fen": 1}),
    ):
        assert again.code == "hold-voided"


def test_LIMIT_a_visit_is_raised_without_a_pass_while_its_hold_is_open(clinic: Clinic) -> None:
    who = clinic.insured()
    limit_fen = clinic.standing(who)[0]
    first = clinic.held(who, 50_000)
    more = clinic.act("raise", first, {"amount_fen": 10_000})
    assert (more.status, more.body["visit_ref"]) == (201, "V-1")
    assert more.body["hold_id"] != first
    assert clinic.act("raise", first, {"amount_fen": limit_fen}).code == "hold-exceeds-limit"
    assert clinic.capture(first, 50_000).body["hold"]["state"] == "captured"
    assert clinic.act("raise", first, {"amount_fen": 1}).code == "hold-captured"
    assert clinic.standing(who) == (limit_fen, 50_000, 10_000)


def test_LIMIT_a_visitor_holds_likewise(clinic: Clinic) -> None:
    who = clinic.insured(705, "hangzhou")
    hold_id = clinic.held(who, 40_000)
    assert clinic.act("raise", hold_id, {"amount_fen": 5_000}).status == 201
    assert clinic.capture(hold_id, 40_000).status == 201
    assert clinic.standing(who)[1:] == (40_000, 5_000)


@pytest.mark.parametrize("amount", [0, -1, True, "1", None, 10**10 + 1, 10**15, [1]])
def test_LIMIT_what_is_no_amount_is_refused(clinic: Clinic, amount: Any) -> None:
    who = clinic.insured()
    hold_id = clinic.held(who, 100)
    before = clinic.line(who)
    answers = [
        clinic.hold(who, amount),
        clinic.capture(hold_id, amount),
        clinic.act("raise", hold_id, {"amount_fen": amount}),
    ]
    assert {answer.code for answer in answers} == {"invalid-request"}
    assert clinic.line(who) == before


@pytest.mark.parametrize("text", ["1.5", "1.0", "1e2", "NaN", "99999999999999999999"])
def test_LIMIT_a_fraction_is_refused(clinic: Clinic, text: str) -> None:
    who = clinic.insured()
    hold_id = clinic.held(who, 100)
    path = f"/v1/credit-holds/{hold_id}/captures"
    answer = clinic.send("POST", path, HOSPITAL, raw=f'{{"amount_fen":{text}}}'.encode())
    assert answer.code in {"invalid-request", "malformed-request"}
    assert clinic.standing(who)[1:] == (0, 100)


def test_LIMIT_no_more_is_held_than_is_available_to_the_fen(clinic: Clinic) -> None:
    who = clinic.insured()
    limit_fen = clinic.standing(who)[0]
    assert clinic.hold(who, limit_fen + 1).code == "hold-exceeds-limit"
    hold_id = clinic.held(who, limit_fen - 1)
    assert clinic.hold(who, 2, SECOND).code == "hold-exceeds-limit"
    assert clinic.hold(who, 1, SECOND).status == 201
    assert clinic.capture(hold_id, limit_fen).code == "capture-exceeds-hold"
    assert clinic.standing(who) == (limit_fen, 0, limit_fen)


def test_LIMIT_a_hold_lapses_by_the_clock_alone(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    who = clinic.insured()
    hold_id = clinic.held(who, 100)
    now = clock.now
    monkeypatch.setattr(clock, "now", lambda: now() + timedelta(days=30, seconds=1))
    for answer in (
        clinic.capture(hold_id, 1),
        clinic.act("void", hold_id),
        clinic.act("raise", hold_id, {"amount_fen": 1}),
    ):
        assert answer.code == "hold-expired"
    assert clinic.send("GET", f"/v1/credit-holds/{hold_id}", HOSPITAL).body["state"] == "expired"
    assert clinic.pull(who).body["held_fen"] == 0
    assert clinic.hold(who, clinic.standing(who)[0]).status == 201


def test_MINIMAL_another_hospitals_hold_is_absent(clinic: Clinic) -> None:
    hold_id = clinic.held(clinic.insured(), 100)
    for unknown, actor in (
        (hold_id, SECOND),
        (hold_id[:-1] + ("a" if hold_id[-1] != "a" else "b"), HOSPITAL),
        ("p1_" + "a" * 40, HOSPITAL),
        ("h", HOSPITAL),
    ):
        answers = [
            clinic.capture(unknown, 1, actor=actor), clinic.act("void", unknown, actor=actor),
            clinic.act("raise", unknown, {"amount_fen": 1}, actor=actor),
            clinic.send("GET", f"/v1/credit-holds/{unknown}", actor),
        ]  # fmt: skip
        assert [answer.code for answer in answers] == ["not-found"] * 4
    assert clinic.capture(hold_id, 100).status == 201


def test_MINIMAL_a_hospital_learns_nothing_of_limit_or_person(clinic: Clinic) -> None:
    who = clinic.insured()
    limit_fen, person = clinic.standing(who)[0], clinic.world.ref(who).person_id
    refused, placed = clinic.hold(who, limit_fen + 1), clinic.hold(who, 100)
    longest = clinic.capture(placed.body["hold_id"], 50)
    for answer in (refused, placed, longest):
        assert str(limit_fen) not in answer.text
        assert person not in answer.text
        assert person.removeprefix("s_") not in answer.text
    assert len(placed.body["hold_id"]) <= 160


def test_CONSENT_a_hold_needs_both_consents_and_a_pass(clinic: Clinic) -> None:
    world = clinic.world
    for granted in ((BANK,), (BANK, SECOND)):
        who = clinic.patient(granted=granted)
        assert clinic.open(who).status == 201
        assert clinic.hold(who, 100).code == "consent-required"
    who = clinic.insured()
    assert clinic.hold(who, 100, pass_code=world.show(who, SECOND)).code == "pass-invalid"
    assert clinic.hold(who, 100, pass_code=world.show(who, None, "library")).code == "pass-invalid"
    assert clinic.hold(who, 100, pass_code=world.show(who, None, SCENARIO)).status == 201
    body = clinic.hold_body(who, 100)
    assert clinic.post("/v1/credit-holds", HOSPITAL, {**body, "amount_fen": 10**9}).code == "hold-exceeds-limit"
    assert clinic.post("/v1/credit-holds", HOSPITAL, body).status == 201
    assert clinic.post("/v1/credit-holds", HOSPITAL, body).code == "pass-used"


def test_CONSENT_what_is_withdrawn_in_mid_flow_stops_the_next_hold_and_no_capture(clinic: Clinic) -> None:
    for actor in (BANK, HOSPITAL):
        who = clinic.insured()
        hold_id = clinic.held(who, 100)
        clinic.world.withdraw(who, clinic.world.grant(who, actor, SCENARIO))
        assert clinic.hold(who, 1).code == "consent-required"
        assert clinic.act("raise", hold_id, {"amount_fen": 1}).code == "consent-required"
        assert clinic.capture(hold_id, 60).status == 201
        assert clinic.act("void", hold_id).status == 200
        assert clinic.standing(who)[1:] == (60, 0)


def test_LIMIT_a_line_that_is_suspended_or_closed_takes_no_hold_and_every_capture(clinic: Clinic) -> None:
    who = clinic.insured()
    first, second = clinic.held(who, 100), clinic.held(who, 200)
    assert clinic.move(who, "suspend").body["state"] == "suspended"
    assert clinic.hold(who, 1).code == "credit-line-suspended"
    assert clinic.act("raise", first, {"amount_fen": 1}).code == "credit-line-suspended"
    assert clinic.capture(first, 100).status == 201
    assert clinic.move(who, "resume").body["state"] == "open"
    assert clinic.hold(who, 1).status == 201
    assert clinic.move(who, "close").body["state"] == "closed"
    assert clinic.hold(who, 1).code == "credit-line-closed"
    assert clinic.capture(second, 150, final=True).status == 201
    assert clinic.line(who).line.posted_fen == 250


def test_LIMIT_a_capture_asks_neither_the_score_nor_the_policy(clinic: Clinic, own_world: World) -> None:
    who = clinic.insured(693)
    hold_id, other = clinic.held(who, 100_000), clinic.held(who, 1_000)
    own_world.rescore(who, 250)
    assert clinic.hold(who, 1).code == "hold-exceeds-limit"
    clinic.in_force(clinic.policy(), state="ended")
    assert clinic.hold(who, 1).code == "medical-policy-not-in-force"
    body = clinic.hold_body(who, 1)
    own_world.suspend_partner("demo-bank")
    own_world.suspend_partner("demo-hospital")
    assert clinic.post("/v1/credit-holds", HOSPITAL, body).code == "partner-suspended"
    assert clinic.capture(hold_id, 100_000).status == 201
    own_world.suspend_city("xiamen")
    assert clinic.capture(other, 1_000).status == 201
    assert clinic.line(who).line.posted_fen == 101_000


def test_LIMIT_a_limit_follows_the_score_down_and_up_to_what_is_booked(clinic: Clinic) -> None:
    who = clinic.insured(640)
    booked_fen = clinic.standing(who)[0]
    before = clinic.exposure()
    clinic.world.rescore(who, 250)
    low_fen = clinic.pull(who).body["available_fen"]
    assert 0 < low_fen < booked_fen
    assert clinic.hold(who, low_fen + 1).code == "hold-exceeds-limit"
    assert clinic.hold(who, low_fen).status == 201
    clinic.world.rescore(who, 900)
    pulled = clinic.pull(who).body
    assert (pulled["limit_fen"], pulled["available_fen"]) == (booked_fen, booked_fen - low_fen)
    assert pulled["granted_fen"] > booked_fen
    assert clinic.hold(who, booked_fen - low_fen).status == 201
    assert clinic.exposure() == before


def test_LIMIT_all_benefits_suspended_stop_a_hold_and_lifted_let_it(clinic: Clinic) -> None:
    who = clinic.insured()
    person = clinic.world.client.people[who]
    path = f"/v1/cities/xiamen/subjects/{person['subject_id']}/suspensions"
    reason = {"zh": "逾期", "en": "overdue"}
    hold_id = clinic.held(who, 100)
    assert clinic.world.post(path, "city:xiamen", {"kind": "all_benefits", "reason": reason}).status == 200
    assert clinic.hold(who, 1).code == "credit-line-suspended"
    assert clinic.pull(who).body["state"] == "suspended"
    assert clinic.capture(hold_id, 100).status == 201
    assert clinic.world.post(f"{path}/all_benefits/lift", "city:xiamen").status == 200
    assert clinic.hold(who, 1).status == 201


def test_a_patient_without_a_line_or_with_another_bank(clinic: Clinic) -> None:
    who = clinic.patient()
    assert clinic.hold(who, 1).code == "credit-line-missing"
    assert clinic.hold(who, 1, bank_id="other-bank").code == "medical-policy-not-in-force"
    assert clinic.pull(who, OTHER_BANK).code == "medical-policy-not-in-force"


def test_a_hospital_that_does_not_take_part(clinic: Clinic, own_world: World) -> None:
    who = clinic.insured()
    clinic.in_force(clinic.policy(hospitals=("second-hospital",)))
    assert clinic.hold(who, 1).code == "hospital-not-covered"
    assert clinic.hold(who, 1, SECOND).status == 201
