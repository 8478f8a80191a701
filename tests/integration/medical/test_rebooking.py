"""Lines booked anew for today's score, up and down, and what a bank's cap leaves room for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.core import clock
from tests.conftest import ISSUER
from tests.in_process import Answer
from tests.integration.core.faults import inject
from tests.integration.medical.clinic import OTHER_BANK, Clinic
from tests.integration.medical.panel import Panel
from tests.world import BANK, HOSPITAL, XIAMEN, World

OWN = {"city_id": "xiamen", "bank_id": "demo-bank"}
EXPOSURE = "/v1/cities/xiamen/banks/{}/exposure"


def relimit_own(clinic: Clinic, who: str, **more: Any) -> Answer:
    return clinic.post("/v1/me/credit-lines/relimit", f"citizen:{who}", OWN | more)


def exposure(clinic: Clinic, bank_id: str = "other-bank", actor: str = OTHER_BANK) -> Any:
    answer = clinic.send("GET", EXPOSURE.format(bank_id), actor)
    assert answer.status == 200, answer.text
    return answer.body


def test_LIMIT_the_limit_follows_a_better_score_once_the_line_is_booked_anew(clinic: Clinic) -> None:
    who = clinic.insured(525)
    low = clinic.standing(who)[0]
    clinic.world.rescore(who, 990)
    pulled = clinic.pull(who).body
    assert (pulled["limit_fen"], pulled["granted_fen"]) == (low, 300_000)
    assert clinic.hold(who, low + 1).code == "hold-exceeds-limit"
    before = clinic.exposure()
    answer = clinic.move(who, "relimit").body
    assert (answer["limit_fen"], answer["available_fen"], answer["granted_fen"]) == (300_000, 300_000, 300_000)
    assert clinic.exposure() == before + 300_000 - low
    assert clinic.hold(who, 300_000).status == 201


def test_LIMIT_down_gives_room_back_and_breaks_no_hold(clinic: Clinic) -> None:
    who = clinic.insured(990)
    hold_id, before = clinic.held(who, 250_000), clinic.exposure()
    clinic.world.rescore(who, 525)
    answer = relimit_own(clinic, who).body
    low = answer["granted_fen"]
    assert (answer["limit_fen"], answer["available_fen"]) == (low, 0)
    assert clinic.exposure() == before - 300_000 + low
    assert clinic.capture(hold_id, 250_000).status == 201
    assert clinic.line(who).booked_fen == low
    assert relimit_own(clinic, who).body["used_fen"] == 250_000


def test_REWARD_a_better_score_is_never_booked_for_less(clinic: Clinic) -> None:
    who = clinic.insured(500)
    booked = []
    for score in (500, 560, 620, 680, 740, 860, 1000):
        clinic.world.rescore(who, score)
        assert clinic.move(who, "relimit").status == 200
        booked.append(clinic.standing(who)[0])
    assert booked == sorted(booked)
    assert booked[0] < booked[-1]


def test_CONSENT_a_bank_books_anew_with_a_consent_and_the_person_without_one(clinic: Clinic) -> None:
    who = clinic.patient(525, granted=(HOSPITAL,))
    grant = clinic.world.grant(who, BANK, "credit_medical")
    assert clinic.open(who).status == 201
    clinic.world.withdraw(who, grant)
    clinic.world.rescore(who, 990)
    before = clinic.line(who)
    assert clinic.move(who, "relimit").code == "consent-required"
    assert clinic.line(who) == before
    person = clinic.world.client.people[who]
    faceless = ISSUER.token("citizen", person["subject_id"], "xiamen", face=False, now=clock.now())
    path = "/v1/me/credit-lines/relimit"
    refused = clinic.world.send("POST", path, f"citizen:{who}", OWN, token=faceless)
    assert refused.code == "insufficient-authentication"
    assert relimit_own(clinic, who).body["limit_fen"] == 300_000
    looks = clinic.world.get("/v1/me/looks?limit=1", f"citizen:{who}")["items"]
    assert looks[0]["purpose"] == "relimit-line:xiamen/credit_medical"


def test_CONSENT_withdrawn_between_read_and_write_books_nothing(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = clinic.patient(525, granted=(HOSPITAL,))
    grants = [clinic.world.grant(who, BANK, "credit_medical")]
    assert clinic.open(who).status == 201
    clinic.world.rescore(who, 990)
    before = clinic.line(who)

    def withdrawn(_: Any, write: Any) -> None:
        while grants:
            clinic.world.withdraw(who, grants.pop())
        write()

    with monkeypatch.context() as patched:
        inject(patched, iter([withdrawn]))
        assert clinic.move(who, "relimit").code == "consent-required"
    assert clinic.line(who) == before


def test_a_line_that_is_closed_suspended_or_not_there_is_not_booked_anew(clinic: Clinic) -> None:
    who = clinic.insured(525)
    clinic.move(who, "suspend")
    for answer in (clinic.move(who, "relimit"), relimit_own(clinic, who)):
        assert (answer.status, answer.code) == (409, "credit-line-suspended")
    clinic.move(who, "resume")
    assert clinic.move(who, "relimit").status == 200
    clinic.move(who, "close")
    for answer in (clinic.move(who, "relimit"), relimit_own(clinic, who)):
        assert (answer.status, answer.code) == (409, "credit-line-closed")
    stranger = clinic.patient(693)
    assert clinic.move(stranger, "relimit").code == "not-found"
    assert relimit_own(clinic, stranger).code == "not-found"
    path = f"/v1/credit-lines/{clinic.world.known_to(BANK, who)}/moves"
    assert clinic.post(path, OTHER_BANK, {"move": "relimit"}).code == "not-found"
    assert clinic.post(path, BANK, {"move": "relimit", "limit_fen": 1}).code == "invalid-request"
    assert relimit_own(clinic, who, bank_id="no-bank").code == "medical-policy-not-in-force"


def test_LIMIT_over_the_cap_a_line_moves_to_a_shard_with_room_or_is_refused(clinic: Clinic, own_world: World) -> None:
    clinic.in_force(clinic.policy(bank_id="other-bank", exposure_cap_fen=600_000, shards=2))
    rich = clinic.patient(990, granted=(OTHER_BANK,))
    poor = [clinic.patient(525, granted=(OTHER_BANK,)) for _ in range(2)]
    for who in poor:
        assert clinic.open(who, OTHER_BANK).status == 201
    low = clinic.line(poor[0], "other-bank").booked_fen
    for who in poor:
        own_world.rescore(who, 990)
    first = clinic.move(poor[0], "relimit", OTHER_BANK)
    assert (first.status, first.body["limit_fen"]) == (200, 300_000)
    if clinic.line(poor[0], "other-bank").shard != clinic.line(poor[1], "other-bank").shard:
        assert clinic.move(poor[1], "relimit", OTHER_BANK).status == 200
    else:
        assert clinic.move(poor[1], "close", OTHER_BANK).status == 200
        assert clinic.open(poor[1], OTHER_BANK).status == 201
    seen = exposure(clinic)
    assert (seen["booked_fen"], seen["free_fen"], seen["over_fen"]) == (600_000, 0, 0)
    assert clinic.open(rich, OTHER_BANK).code == "exposure-cap-reached"
    own_world.rescore(poor[0], 525)
    assert clinic.move(poor[0], "relimit", OTHER_BANK).body["limit_fen"] == low
    own_world.rescore(poor[0], 990)
    other = clinic.patient(525, granted=(OTHER_BANK,))
    assert clinic.open(other, OTHER_BANK).status == 201
    part = clinic.move(poor[0], "relimit", OTHER_BANK)
    assert (part.status, part.body["limit_fen"], part.body["granted_fen"]) == (200, 300_000 - low, 300_000)
    assert clinic.exposure("other-bank") == exposure(clinic)["booked_fen"] == 600_000
    refused, before = clinic.move(poor[0], "relimit", OTHER_BANK), clinic.line(poor[0], "other-bank")
    assert (refused.status, refused.code) == (409, "exposure-cap-reached")
    assert clinic.line(poor[0], "other-bank") == before


def test_LIMIT_a_line_that_leaves_a_full_shard_takes_its_booking_along(clinic: Clinic, own_world: World) -> None:
    clinic.in_force(clinic.policy(bank_id="other-bank", exposure_cap_fen=1_200_000, shards=4))
    people = [clinic.patient(525, granted=(OTHER_BANK,)) for _ in range(4)]
    for who in people:
        assert clinic.open(who, OTHER_BANK).status == 201
        own_world.rescore(who, 990)
    for who in people:
        assert clinic.move(who, "relimit", OTHER_BANK).status == 200
    assert {one["booked_fen"] for one in exposure(clinic)["shards"]} == {300_000}
    assert len({clinic.line(who, "other-bank").shard for who in people}) == 4
    for who in people:
        assert clinic.move(who, "close", OTHER_BANK).status == 200
    assert exposure(clinic)["booked_fen"] == 0


def test_LIMIT_a_lowered_cap_takes_nothing_back_and_books_nothing_above_a_part(
    clinic: Clinic, own_world: World
) -> None:
    clinic.in_force(clinic.policy(bank_id="other-bank", exposure_cap_fen=900_000, shards=1))
    people = [clinic.patient(990, granted=(OTHER_BANK,)) for _ in range(3)]
    for who in people[:2]:
        assert clinic.open(who, OTHER_BANK).status == 201
    clinic.in_force(clinic.policy(bank_id="other-bank", version=2, exposure_cap_fen=400_000, shards=1))
    seen = exposure(clinic)
    assert seen == {
        "city_id": "xiamen", "bank_id": "other-bank", "policy_version": 2, "cap_fen": 400_000, "booked_fen": 600_000,
        "free_fen": 0, "over_fen": 200_000,
        "shards": [{"shard": 0, "cap_fen": 400_000, "booked_fen": 600_000, "free_fen": 0}],
    }  # fmt: skip
    assert clinic.open(people[2], OTHER_BANK).code == "exposure-cap-reached"
    assert clinic.pull(people[0], OTHER_BANK).body["available_fen"] == 300_000
    own_world.rescore(people[0], 525)
    lowered = clinic.move(people[0], "relimit", OTHER_BANK).body["limit_fen"]
    assert exposure(clinic)["booked_fen"] == 300_000 + lowered
    own_world.rescore(people[0], 990)
    assert clinic.move(people[0], "relimit", OTHER_BANK).code == "exposure-cap-reached"
    assert clinic.move(people[1], "relimit", OTHER_BANK).status == 200, "for no more than before it always goes"
    clinic.move(people[1], "close", OTHER_BANK)
    assert clinic.open(people[2], OTHER_BANK).status == 201
    assert exposure(clinic)["free_fen"] == 400_000 - 300_000 - lowered


def test_the_exposure_is_the_banks_and_its_citys_to_read(clinic: Clinic, own_world: World) -> None:
    assert exposure(clinic, "demo-bank", BANK) == exposure(clinic, "demo-bank", XIAMEN)
    assert clinic.send("GET", EXPOSURE.format("demo-bank"), OTHER_BANK).code == "not-found"
    assert clinic.send("GET", EXPOSURE.format("other-bank"), OTHER_BANK).code == "not-found"
    assert clinic.send("GET", EXPOSURE.format("demo-hospital"), XIAMEN).code == "not-found"
    assert clinic.send("GET", EXPOSURE.format("demo-bank"), HOSPITAL).code == "forbidden"
    clinic.in_force(clinic.policy(), "ended")
    seen = exposure(clinic, "demo-bank", BANK)
    assert (seen["policy_version"], seen["cap_fen"], seen["free_fen"]) == (None, None, 0)


def test_what_it_costs_at_the_database(clinic: Clinic) -> None:
    who = clinic.insured(525)
    panel = Panel(clinic)
    clinic.world.rescore(who, 587)
    clinic.pull(who)
    exposure(clinic, "demo-bank", BANK)
    review_id, other = panel.asked(who), panel.asked(who, panel.look(who, "open-line"))
    panel.read(review_id)
    write = {"TransactWriteItems": 1}
    acts: dict[str, tuple[Callable[[], Any], dict[str, int]]] = {
        "relimit": (lambda: clinic.move(who, "relimit"), {"BatchGetItem": 1} | write),
        "exposure": (lambda: exposure(clinic, "demo-bank", BANK), {"BatchGetItem": 1, "Query": 1}),
        "queue": (panel.waiting, {"BatchGetItem": 1, "Query": 1}),
        "own": (lambda: panel.own(who, review_id), {"BatchGetItem": 1}),
        "look": (lambda: panel.read(review_id), {"BatchGetItem": 2} | write),
        "uphold": (lambda: panel.move(review_id, "uphold").body["answer"], {"BatchGetItem": 2} | write),
        "correct": (lambda: panel.correct(other, 290_000).body["answer"], {"BatchGetItem": 3} | write),
        "ask": (lambda: panel.asked(who), {"BatchGetItem": 1} | write),
    }
    for name, (act, wanted) in acts.items():
        with clinic.world.calls() as calls:
            assert act(), name
        assert {operation: calls.names.count(operation) for operation in calls.names} == wanted, name
