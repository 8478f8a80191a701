"""One line a person and bank: whichever of his accounts opened it, for its term, and as far as the bank's cap goes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.core import clock, table
from chalicelib.core.commit import Unit
from chalicelib.medical import store
from chalicelib.medical.rules.heads import move_version
from chalicelib.medical.rules.lifecycle import Actor
from infra.local import demo_load
from tests.integration.medical.clinic import OTHER_BANK, SCENARIO, SECOND, Clinic
from tests.integration.medical.debts import repay
from tests.integration.medical.reception import Reception
from tests.world import BANK, HOSPITAL, XIAMEN, World


def of_two_cities(clinic: Clinic, number: int) -> tuple[str, str]:
    """One person with an account in Xiamen and one in Fuzhou, who consents with both."""
    names = []
    for city in ("xiamen", "fuzhou"):
        who = f"two-{number}-{city}"
        person = {"id": who, "city": city, "birth_date": "1985-03-04", "number": number}
        clinic.world.client.people[who] = {"city": city, "subject_id": demo_load.enrol(clinic.world.client, person)}
        clinic.world.rescore(who, 693)
        for actor in (BANK, HOSPITAL, SECOND):
            clinic.world.grant(who, actor, SCENARIO)
        names.append(who)
    return names[0], names[1]


def test_LIMIT_the_other_account_of_a_person_neither_holds_on_his_line_nor_moves_it(clinic: Clinic) -> None:
    home, away = of_two_cities(clinic, 911)
    assert clinic.open(home).status == 201
    subject_id = clinic.world.client.people[home]["subject_id"]
    reason = {"kind": "all_benefits", "reason": {"zh": "测试", "en": "a test"}}
    path = f"/v1/cities/xiamen/subjects/{subject_id}/suspensions"
    assert clinic.world.post(path, XIAMEN, reason).status == 200
    assert clinic.hold(home, 1_000).code == "credit-line-suspended"
    assert clinic.hold(away, 1_000).code == "credit-line-missing"
    assert clinic.pull(away).body["state"] == "none"
    assert clinic.move(away, "close").code == "not-found"
    assert clinic.open(away).code == "credit-line-exists"


def test_LEDGER_a_line_stays_with_the_account_under_which_bank_and_ledger_know_it(clinic: Clinic) -> None:
    home, away = of_two_cities(clinic, 912)
    assert clinic.open(home).status == 201
    assert clinic.move(home, "close").status == 200
    assert clinic.open(away).code == "credit-line-exists"
    assert clinic.open(home).status == 201


def test_CONSENT_in_an_emergency_nothing_is_held_on_the_line_of_the_other_account(
    clinic: Clinic, reception: Reception
) -> None:
    home, away = of_two_cities(clinic, 913)
    assert clinic.open(home).status == 201
    before = clinic.line(home)
    assert reception.open(away, 1_000, emergency=True).code == "credit-line-missing"
    assert clinic.move(home, "close").status == 200
    assert reception.open(away, 1_000, emergency=True).code == "credit-line-missing"
    assert clinic.line(home).line.posted_fen == before.line.posted_fen


def test_in_an_emergency_a_line_whose_term_is_over_is_opened_anew(
    clinic: Clinic, reception: Reception, own_world: World
) -> None:
    clinic.in_force(clinic.policy(term_days=30))
    who = clinic.insured()
    with clock.fixed(clock.now() + timedelta(days=31)):
        assert reception.open(who, 1_000).code == "credit-line-term-over"
        assert reception.open(who, 1_000, emergency=True).status == 201


def test_a_policy_ended_on_its_first_day_still_says_how_its_lines_are_repaid(clinic: Clinic, own_world: World) -> None:
    today = clock.day_in("Asia/Shanghai", clock.now())
    policy = clinic.policy(valid_from=today, version=7)
    clinic.in_force(policy)
    who = clinic.insured()
    assert clinic.capture(clinic.held(who, 10_000), 10_000, final=True).status == 201
    key = store.head_key("xiamen", "demo-bank")
    head = store.head_in(table.fetch([key]), "xiamen", "demo-bank")
    assert head is not None
    author = Actor("bank", "author", frozenset({"author"}))
    unit = Unit()
    store.save_head(unit, move_version(head, policy, "end", author, clock.now(), today))
    unit.commit()
    clinic.world.forget()
    assert repay(clinic, who, 4_000).body["owed_fen"] == 6_000
    lines = clinic.send("GET", "/v1/me/credit-lines", f"citizen:{who}").body["items"]
    assert [line["owed_fen"] for line in lines] == [6_000]


@pytest.mark.parametrize("cap_fen", [350_000, 100_000])
def test_REWARD_under_a_lowered_cap_a_better_score_reopens_its_line_like_an_equal_one(
    clinic: Clinic, own_world: World, cap_fen: int
) -> None:
    terms = {"bank_id": "other-bank", "shards": 1, "term_days": 30}
    clinic.in_force(clinic.policy(exposure_cap_fen=500_000, **terms))
    first, better, equal = (clinic.patient(score, granted=(OTHER_BANK,)) for score in (990, 525, 525))
    for who in (first, better, equal):
        assert clinic.open(who, OTHER_BANK).status == 201
    clinic.in_force(clinic.policy(version=2, exposure_cap_fen=cap_fen, **terms))
    with clock.fixed(clock.now() + timedelta(days=31)):
        own_world.rescore(better, 990)
        answers = [clinic.open(who, OTHER_BANK) for who in (better, equal)]
    assert [answer.status for answer in answers] == [201, 201]
    assert answers[0].body["limit_fen"] >= answers[1].body["limit_fen"] == 100_000


def test_LIMIT_a_line_whose_term_is_over_is_opened_anew_and_booked_once(clinic: Clinic, own_world: World) -> None:
    clinic.in_force(clinic.policy(term_days=30))
    who = clinic.insured()
    clinic.held(who, 70_000)
    booked = clinic.exposure()
    with clock.fixed(clock.now() + timedelta(days=31)):
        assert clinic.hold(who, 1_000).code == "credit-line-term-over"
        assert clinic.open(who).status == 201
        assert clinic.exposure() == booked
        assert clinic.hold(who, 1_000).status == 201
        assert clinic.open(who).code == "credit-line-exists"


def test_REWARD_a_cap_that_is_nearly_reached_makes_a_limit_smaller_and_refuses_no_better_score(
    clinic: Clinic, own_world: World
) -> None:
    clinic.in_force(clinic.policy(bank_id="other-bank", exposure_cap_fen=450_000, shards=1))
    first, best, worse = (clinic.patient(score, granted=(OTHER_BANK,)) for score in (990, 990, 525))
    assert clinic.open(first, OTHER_BANK).body["limit_fen"] == 300_000
    answer = clinic.open(best, OTHER_BANK)
    assert (answer.status, answer.body["limit_fen"], answer.body["granted_fen"]) == (201, 150_000, 300_000)
    assert clinic.exposure("other-bank") == 450_000
    assert clinic.open(worse, OTHER_BANK).code == "exposure-cap-reached"
