"""What is refused of visits, and what a hospital is told of them: its own, and nothing of a limit or a person."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.medical.clinic import SCENARIO, SECOND, Clinic
from tests.integration.medical.reception import VISITS, Reception
from tests.world import BANK, HOSPITAL, World


def test_what_is_refused_of_items(clinic: Clinic, reception: Reception) -> None:
    visit_id = reception.opened(clinic.insured(), 10_000)
    reception.enter(visit_id, "a", 8_000)
    assert reception.enter(visit_id, "a", 8_000).code == "visit-item-repeated"
    assert reception.enter(visit_id, "b", 100, 101).code == "insurance-exceeds-item"
    assert reception.capture(visit_id, "nothing").code == "visit-item-unknown"
    assert reception.insure(visit_id, "nothing", 1).code == "visit-item-unknown"
    assert reception.refund(visit_id, "nothing", 1).code == "visit-item-unknown"
    assert reception.capture(visit_id, "a").code == "insurance-outstanding"
    assert reception.settle(visit_id).code == "visit-items-outstanding"
    assert reception.refund(visit_id, "a", 1).code == "visit-item-not-captured"
    assert reception.insure(visit_id, "a", 8_001).code == "insurance-exceeds-item"
    assert reception.insure(visit_id, "a", 1_000).status == 200
    assert reception.insure(visit_id, "a", 1_000).code == "insurance-settled"
    assert reception.settle(visit_id).code == "visit-items-outstanding"
    assert reception.capture(visit_id, "a").status == 200
    assert reception.capture(visit_id, "a").code == "visit-item-captured"
    assert reception.act(visit_id, "cancel").code == "visit-has-captures"
    assert reception.refund(visit_id, "a", 7_001).code == "refund-exceeds-capture"
    assert reception.refund(visit_id, "a", 7_000).status == 201
    assert reception.refund(visit_id, "a", 1).code == "refund-exceeds-capture"
    assert reception.act(visit_id, "cancel").code == "visit-has-captures"
    assert reception.settle(visit_id).status == 200
    over = (
        reception.enter(visit_id, "c", 1), reception.insure(visit_id, "a", 1), reception.capture(visit_id, "a"),
        reception.settle(visit_id), reception.act(visit_id, "cancel"),
        reception.act(visit_id, "raise", {"amount_fen": 1}),
    )  # fmt: skip
    assert {answer.code for answer in over} == {"visit-over"}


@pytest.mark.parametrize("amount", [0, -1, True, "1", None, 1.5, 10**10 + 1])
def test_LIMIT_what_is_no_amount_is_refused(clinic: Clinic, reception: Reception, amount: Any) -> None:
    who = clinic.insured()
    visit_id = reception.opened(who, 100)
    reception.enter(visit_id, "a", 100, 0)
    reception.capture(visit_id, "a")
    reception.enter(visit_id, "b", 100)
    before = clinic.line(who), reception.visit(visit_id)
    answers = [
        reception.open(who, amount), reception.act(visit_id, "raise", {"amount_fen": amount}),
        reception.enter(visit_id, "c", amount), reception.refund(visit_id, "a", amount),
    ]  # fmt: skip
    if amount != 0:
        answers += [reception.act(visit_id, "items/b/insurance", {"insurance_fen": amount})]
    assert {answer.code for answer in answers} <= {"invalid-request", "malformed-request"}
    assert (clinic.line(who), reception.visit(visit_id)) == before


def test_an_item_says_its_billing_kind_and_nothing_medical(clinic: Clinic, reception: Reception) -> None:
    visit_id = reception.opened(clinic.insured(), 100)
    body = {"item_id": "a", "kind": "medicine", "amount_fen": 1}
    for wrong in ({"kind": "diagnosis"}, {"name": "aspirin"}, {"item_id": "头孢"}, {"item_id": "."}, {"item_id": ""}):
        assert reception.act(visit_id, "items", body | wrong).code == "invalid-request"
    for at in ("home", None, 1):
        assert reception.settle(visit_id, at).code == "invalid-request"


def test_CONSENT_a_visit_needs_both_consents_a_line_and_a_pass(clinic: Clinic, reception: Reception) -> None:
    for granted in ((BANK,), (BANK, SECOND)):
        who = clinic.patient(granted=granted)
        assert clinic.open(who).status == 201
        assert reception.open(who, 100).code == "consent-required"
    who = clinic.patient()
    assert reception.open(who, 100).code == "credit-line-missing"
    assert clinic.open(who).status == 201
    assert reception.open(who, 100, pass_code=reception.show(who, SECOND)).code == "pass-invalid"
    code = reception.show(who)
    visit_id = reception.opened(who, 100, pass_code=code)
    assert reception.open(who, 100, pass_code=code).code == "pass-used"
    clinic.world.withdraw(who, clinic.world.grant(who, HOSPITAL, SCENARIO))
    assert reception.act(visit_id, "raise", {"amount_fen": 1}).code == "consent-required"
    assert clinic.standing(who)[1:] == (0, 100)


def test_MINIMAL_another_hospitals_visit_is_absent(clinic: Clinic, reception: Reception) -> None:
    who = clinic.insured()
    visit_id = reception.opened(who, 100)
    reception.enter(visit_id, "a", 50, 0)
    plain = clinic.held(who, 100)
    absent = clinic.send("GET", f"{VISITS}/p1_{'a' * 40}", HOSPITAL)
    for unknown, actor in ((visit_id, SECOND), (plain, HOSPITAL), (visit_id[:-1] + "a", SECOND), ("v", HOSPITAL)):
        bodies: dict[str, Any] = {
            "raise": {"amount_fen": 1}, "items": {"item_id": "b", "kind": "bed", "amount_fen": 1},
            "items/a/insurance": {"insurance_fen": 1}, "items/a/capture": None,
            "items/a/refunds": {"amount_fen": 1}, "settle": {"at": "kiosk"}, "cancel": None, "items/a/withdraw": None,
        }  # fmt: skip
        answers = [reception.act(unknown, verb, body, actor=actor) for verb, body in bodies.items()]
        answers.append(reception.read(unknown, actor))
        assert [(a.status, a.code, a.body["title"]) for a in answers] == [(404, "not-found", absent.body["title"])] * 9
    assert reception.capture(visit_id, "a").status == 200


def test_MINIMAL_a_hospital_learns_nothing_of_limit_or_person(clinic: Clinic, reception: Reception) -> None:
    who = clinic.insured()
    limit_fen, person = clinic.standing(who)[0], clinic.world.ref(who).person_id
    refused, opened = reception.open(who, limit_fen + 1), reception.open(who, 100)
    visit_id = opened.body["visit_id"]
    reception.enter(visit_id, "a", 50, 0)
    for answer in (refused, opened, reception.capture(visit_id, "a"), reception.read(visit_id), listed(clinic)):
        assert str(limit_fen) not in answer.text
        assert person.removeprefix("s_") not in answer.text


def listed(clinic: Clinic, actor: str = HOSPITAL, query: str = "") -> Any:
    return clinic.send("GET", VISITS + query, actor)


def test_a_hospital_lists_its_visits_that_are_open(clinic: Clinic, reception: Reception, own_world: World) -> None:
    who = clinic.insured()
    ours = [reception.opened(who, 100) for _ in range(3)]
    theirs = reception.opened(who, 100, SECOND)
    reception.enter(ours[1], "a", 50, 0)
    found = [one for one in listed(clinic).body["items"] if one["visit_id"] in {*ours, theirs}]
    assert [one["visit_id"] for one in found] == ours
    assert [(one["items"], one["outstanding"]) for one in found] == [(0, 0), (1, 1), (0, 0)]
    assert theirs in {one["visit_id"] for one in listed(clinic, SECOND).body["items"]}
    reception.settle(ours[0])
    assert ours[0] not in {one["visit_id"] for one in listed(clinic).body["items"]}
    first = listed(clinic, query="?limit=1").body
    rest = listed(clinic, query=f"?limit=50&cursor={first['next']}").body
    pages = [one["visit_id"] for one in (*first["items"], *rest["items"])]
    assert pages == [one["visit_id"] for one in listed(clinic).body["items"]]
    assert listed(clinic, SECOND, f"?cursor={first['next']}").code == "cursor-invalid"
