"""A child's visit: its guardian pays by his own line, on his city's word, and the child is an id and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chalicelib.core import clock
from tests.integration.core.faults import inject
from tests.integration.medical.clinic import SECOND, Clinic
from tests.integration.medical.reception import Reception
from tests.world import HOSPITAL

ZONE = "Asia/Shanghai"


@pytest.mark.parametrize("city", ["xiamen", "hangzhou"])
def test_a_guardian_pays_for_a_child(clinic: Clinic, reception: Reception, city: str) -> None:
    who = clinic.insured(705, city)
    ward_id = reception.ward(who)
    answer = reception.open(who, 1_000, ward_id=ward_id)
    assert answer.status == 201, answer.text
    child, payer = reception.child_of(who, ward_id), clinic.world.known_to(HOSPITAL, who)
    assert (answer.body["patient_id"], answer.body["payer_id"]) == (child, payer)
    assert len(child) == len(payer), "an id does not tell a child"
    assert ward_id not in answer.text
    named = reception.open(who, 1_000, ward_id=ward_id, patient_id=child)
    assert named.status == 201
    visit_id = answer.body["visit_id"]
    assert reception.act(visit_id, "raise", {"amount_fen": 500}).status == 201
    reception.enter(visit_id, "a", 1_200, 0)
    assert reception.capture(visit_id, "a").status == 200
    assert clinic.standing(who)[1:] == (1_200, 1_300)
    second = reception.open(who, 100, SECOND, ward_id=ward_id).body["patient_id"]
    assert second == reception.child_of(who, ward_id, SECOND) != child


def test_a_guardianship_that_has_ended_pays_nothing(clinic: Clinic, reception: Reception) -> None:
    who = clinic.insured()
    ward_id = reception.ward(who)
    visit_id = reception.opened(who, 100, ward_id=ward_id)
    code = reception.show(who, ward_id=ward_id)
    assert reception.end(who, ward_id).status == 200
    refused = reception.open(who, 100, pass_code=code)
    assert (refused.status, refused.code) == (403, "guardian-needed")
    assert reception.act(visit_id, "raise", {"amount_fen": 1}).code == "guardian-needed"
    reception.enter(visit_id, "a", 100, 0)
    assert reception.capture(visit_id, "a").status == 200, "what was held was given"


def test_a_child_that_comes_of_age_pays_for_itself(clinic: Clinic, reception: Reception) -> None:
    who = clinic.insured()
    ward_id = reception.ward(who, days=1)
    birthday = datetime.combine(clock.day_in(ZONE, clock.now()) + timedelta(days=1), time(), ZoneInfo(ZONE))
    last = birthday.astimezone(UTC) - timedelta(seconds=1)
    with clock.fixed(last):
        assert reception.open(who, 100, ward_id=ward_id).status == 201
        code = reception.show(who, ward_id=ward_id)
    with clock.fixed(last + timedelta(seconds=1)):
        assert reception.open(who, 100, pass_code=code).code == "guardian-needed"


def test_a_guardianship_that_ends_between_read_and_write(
    clinic: Clinic, reception: Reception, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = clinic.insured()
    wards = [reception.ward(who)]
    body = reception.body(who, 100, ward_id=wards[0])

    def ended(_: Any, write: Callable[[], None]) -> None:
        while wards:
            reception.end(who, wards.pop())
        write()

    inject(monkeypatch, iter([ended]))
    assert clinic.post("/v1/visits", HOSPITAL, body).code == "guardian-needed"
    assert clinic.standing(who)[1:] == (0, 0)


def test_an_adult_pays_for_himself_alone(clinic: Clinic, reception: Reception) -> None:
    who, other = clinic.insured(), clinic.insured()
    ward_id, others = reception.ward(who), reception.ward(other)
    known_as = clinic.world.known_to(HOSPITAL, who)
    assert reception.open(who, 100, patient_id=known_as).status == 201
    for patient_id in (clinic.world.known_to(HOSPITAL, other), clinic.world.known_to(SECOND, who), "p1_" + "a" * 40):
        assert reception.open(who, 100, patient_id=patient_id).code == "payer-not-patient"
    child, foreign = reception.child_of(who, ward_id), reception.child_of(other, others)
    assert reception.open(who, 100, patient_id=child).code == "guardian-needed", "his pass says nothing of the child"
    for patient_id in (known_as, foreign, clinic.world.known_to(HOSPITAL, other)):
        assert reception.open(who, 100, ward_id=ward_id, patient_id=patient_id).code == "guardian-needed"


def test_CONSENT_a_pass_for_a_child_holds_nothing_for_the_guardian_himself(
    clinic: Clinic, reception: Reception
) -> None:
    who = clinic.insured()
    code = reception.show(who, ward_id=reception.ward(who), face=False)
    assert clinic.hold(who, 100, pass_code=code).code == "pass-invalid"
    assert reception.open(who, 100, pass_code=code).status == 201, "a refusal uses no pass up"


def test_an_emergency_opens_a_line_for_a_childs_visit(clinic: Clinic, reception: Reception) -> None:
    who = clinic.patient()
    ward_id = reception.ward(who)
    assert reception.open(who, 100, ward_id=ward_id, face=False, emergency=True).code == "pass-not-live"
    answer = reception.open(who, 100, ward_id=ward_id, emergency=True)
    assert (answer.status, answer.body["patient_id"]) == (201, reception.child_of(who, ward_id))
    assert clinic.standing(who)[1:] == (0, 100)
