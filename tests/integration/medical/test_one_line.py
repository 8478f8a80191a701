"""One line a person and bank: whichever of his accounts opened it, for its term, and as far as the bank's cap goes."""

from __future__ import annotations

from datetime import timedelta

from chalicelib.core import clock
from infra.local import demo_load
from tests.integration.medical.clinic import OTHER_BANK, SCENARIO, SECOND, Clinic
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


def test_LEDGER_a_line_passes_to_the_other_account_only_when_nothing_is_on_it(clinic: Clinic) -> None:
    home, away = of_two_cities(clinic, 912)
    assert clinic.open(home).status == 201
    hold_id = clinic.held(home, 1_000)
    charge_id = clinic.capture(hold_id, 1_000).body["charge_id"]
    assert clinic.move(home, "close").status == 200
    assert clinic.open(away).code == "credit-line-exists"
    back = {"charge_id": charge_id, "amount_fen": 1_000}
    assert clinic.act("refunds", hold_id, back).status == 201
    assert clinic.open(away).status == 201
    assert clinic.hold(away, 1_000).status == 201
    assert clinic.hold(home, 1_000).code == "credit-line-missing"


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
