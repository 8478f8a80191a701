"""Limits pulled by a bank, one by one and fifty at once, each look recorded under its person."""

from __future__ import annotations

import json
from collections import Counter

from chalicelib.core import effect
from tests.integration.medical.clinic import OTHER_BANK, Clinic
from tests.integration.offers.deals import same_but_for_the_request
from tests.world import BANK, HOSPITAL, World


def looks(clinic: Clinic, who: str) -> list[str]:
    items = clinic.world.get("/v1/me/looks?limit=200", f"citizen:{who}")["items"]
    return [item["purpose"] for item in items if item["purpose"].startswith("pull-limit")]


def test_a_limit_is_what_the_table_gives_and_a_look_is_recorded(clinic: Clinic) -> None:
    who = clinic.patient(693)
    answer = clinic.pull(who)
    assert (answer.status, answer.body["state"], answer.body["limit_fen"]) == (200, "none", 0)
    granted = answer.body["granted_fen"]
    assert granted == clinic.world.opening(who, "credit_medical")["benefit"][0]["value"]
    assert looks(clinic, who) == ["pull-limit:xiamen/credit_medical"]
    assert clinic.open(who).body["limit_fen"] == granted
    assert clinic.pull(who).body["available_fen"] == granted
    assert len(looks(clinic, who)) == 2


def test_MINIMAL_a_bank_is_told_no_score(clinic: Clinic) -> None:
    who = clinic.insured(693)
    ref = clinic.world.ref(who)
    for answer in (clinic.pull(who), clinic.move(who, "suspend"), clinic.move(who, "close")):
        assert "693" not in answer.text
        assert ref.person_id not in answer.text


def test_REWARD_a_better_score_never_pulls_less(clinic: Clinic) -> None:
    who = clinic.patient(100)
    granted = []
    for score in (100, 250, 400, 550, 700, 850, 1000):
        clinic.world.rescore(who, score)
        granted.append(clinic.pull(who).body["granted_fen"] or 0)
    assert granted == sorted(granted)
    assert granted[0] < granted[-1]


def test_CONSENT_nobody_a_foreigner_and_somebody_unwilling_are_one_answer(clinic: Clinic) -> None:
    unwilling = clinic.patient(granted=(HOSPITAL,))
    withdrawn = clinic.patient()
    clinic.world.withdraw(withdrawn, clinic.world.grant(withdrawn, BANK, "credit_medical"))
    willing = clinic.patient()
    known = [clinic.world.known_to(BANK, who) for who in (unwilling, withdrawn)]
    foreign = clinic.world.known_to(HOSPITAL, willing)
    other = clinic.world.known_to(OTHER_BANK, willing)
    for path in ("/v1/credit-limits", "/v1/credit-lines"):
        ids = [*known, foreign, other, "p1_" + "a" * 60]
        first, *rest = [clinic.post(path, BANK, {"subject_id": subject_id}) for subject_id in ids]
        assert (first.status, first.code) == (403, "consent-required")
        assert all(same_but_for_the_request(first, one) for one in rest)
    assert looks(clinic, unwilling) == looks(clinic, withdrawn) == []


def test_CONSENT_a_consent_to_less_than_a_decision_is_none(clinic: Clinic) -> None:
    who = clinic.patient(granted=(HOSPITAL,))
    clinic.world.grant(who, BANK, "credit_medical", items=("grade",))
    assert clinic.pull(who).code == "consent-required"


def test_a_visitor_is_told_by_the_agreement(clinic: Clinic) -> None:
    visitor, stranger = clinic.patient(705, "hangzhou"), clinic.patient(None)
    assert clinic.pull(visitor).body["granted_fen"] > 0
    assert clinic.pull(stranger).body["granted_fen"] is None
    assert clinic.pull(stranger).body["reasons"]
    assert clinic.open(stranger).code == "credit-limit-not-granted"


def test_ONCE_fifty_at_once_each_on_its_own(clinic: Clinic) -> None:
    people = [clinic.patient(600 + 5 * number) for number in range(6)]
    visitors = [clinic.patient(705, "hangzhou")]
    unwilling = [clinic.patient(granted=(HOSPITAL,)) for _ in range(3)]
    named = [*unwilling[:1], *people, *visitors, *unwilling[1:]]
    ids = [clinic.world.known_to(BANK, who) for who in named]
    ids += [f"p1_{'a' * 59}{'abcdefghijklmnopqrstuvwxyz234567'[n % 32]}{'x' * (n // 32)}" for n in range(50 - len(ids))]
    answer = clinic.post("/v1/credit-limits/batch", BANK, {"subject_ids": ids}, key="fifty-at-once")
    items = answer.body["items"]
    assert [item["position"] for item in items] == list(range(50))
    told = [item["position"] for item in items if item["limit"]]
    assert told == list(range(1, 8))
    assert {item["refused"]["code"] for item in items if item["refused"]} == {"consent-required"}
    for position in told:
        assert items[position]["limit"] | {"as_of": ""} == clinic.pull(named[position]).body | {"as_of": ""}
    again = clinic.post("/v1/credit-limits/batch", BANK, {"subject_ids": ids}, key="fifty-at-once")
    assert (again.text, again.replayed) == (answer.text, True)
    assert [len(looks(clinic, who)) for who in named] == [0, *[2] * 7, 0, 0]


def test_fifty_who_all_consent_fill_one_transaction(clinic: Clinic, own_world: World) -> None:
    people = [clinic.patient(693, granted=(BANK,)) for _ in range(50)]
    ids = [own_world.known_to(BANK, who) for who in people]
    with own_world.calls() as calls:
        answer = clinic.post("/v1/credit-limits/batch", BANK, {"subject_ids": ids})
    assert all(item["limit"] for item in answer.body["items"])
    assert Counter(calls.names) == {"BatchGetItem": 2, "TransactWriteItems": 1}
    assert all(len(looks(clinic, who)) == 1 for who in people)


def test_nobody_at_all_is_still_an_answer(clinic: Clinic) -> None:
    body = {"subject_ids": ["p1_" + "a" * 60]}
    first, again = (clinic.post("/v1/credit-limits/batch", BANK, body, key="nobody-at-all") for _ in range(2))
    assert first.body["items"][0]["refused"]["code"] == "consent-required"
    assert again.replayed


def test_a_batch_is_bounded_and_names_each_once(clinic: Clinic) -> None:
    one = "p1_" + "a" * 60
    many = [f"p1_{'a' * 58}{a}{b}" for a in "abcdefgh" for b in "abcdefgh"][:51]
    for ids in ([], many, [one, one], ["x"], [None]):
        assert clinic.post("/v1/credit-limits/batch", BANK, {"subject_ids": ids}).code == "invalid-request"


def test_REPLAY_a_pull_keeps_what_it_rested_on(clinic: Clinic) -> None:
    who = clinic.patient(693)
    clinic.pull(who)
    look = clinic.world.get("/v1/me/looks", f"citizen:{who}")["items"][0]
    facts = json.loads(effect.load(look["effect_id"]).facts)
    assert facts["basis"]["score"] == 693
    assert facts["policy_version"] == 1
