"""What a review neither tells nor gives: what the bank was not told, what waits, what was there before, whose it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core import clock
from chalicelib.medical.rules.reviews import MOST_A_DAY
from tests.integration.core.faults import inject
from tests.integration.medical.calendar import Calendar
from tests.integration.medical.clinic import Clinic
from tests.integration.medical.panel import CITY, FIRST, REASON, SECOND_ONE, Panel
from tests.integration.medical.test_one_line import of_two_cities
from tests.world import BANK, HOSPITAL, World


@pytest.fixture(scope="module")
def panel(clinic: Clinic) -> Panel:
    return Panel(clinic)


def test_CONSENT_what_the_stream_made_of_a_line_was_told_to_no_bank(panel: Panel) -> None:
    clinic, calendar = panel.clinic, Calendar(panel.clinic)
    who = clinic.patient(693, granted=(HOSPITAL,))
    grant = panel.world.grant(who, BANK, "credit_medical")
    clinic.open(who)
    calendar.world.rescore(who, 612)
    calendar.pump.drain()
    clinic.move(who, "relimit")
    looks = {purpose: panel.look(who, purpose) for purpose in ("regrade-line", "open-line", "relimit-line")}
    panel.world.withdraw(who, grant)
    contested = {}
    for purpose, look in looks.items():
        review_id = panel.asked(who, look)
        contested[purpose] = panel.read(review_id).body["contested"]
        assert panel.own(who, review_id)["contested"]["limit_fen"] is not None
    assert contested["regrade-line"] is None
    assert [contested[purpose]["limit_fen"] for purpose in ("open-line", "relimit-line")] == [300_000, 150_000]


def test_LIMIT_a_line_is_contested_by_the_account_that_opened_it(panel: Panel) -> None:
    clinic = panel.clinic
    home, away = of_two_cities(clinic, 961)
    early = panel.asked(away)
    clinic.world.rescore(home, 525)
    assert clinic.open(home).status == 201
    before = clinic.line(home)
    refused = panel.ask(away)
    assert (refused.status, refused.code) == (409, "credit-line-exists")
    assert panel.ask(away, "xiamen." + "a" * 26).code == "credit-line-exists"
    refused = panel.correct(early, 290_000)
    assert (refused.status, refused.code) == (409, "credit-line-exists")
    assert clinic.move(home, "close").status == 200
    assert panel.correct(early, 290_000).code == "credit-line-exists"
    assert clinic.line(home).exception == before.exception is None
    assert panel.move(early, "uphold").status == 200
    assert panel.correct(panel.asked(home), 290_000, actor=SECOND_ONE).status == 200
    assert clinic.open(home).body["limit_fen"] == 290_000


def test_REWARD_a_second_correction_takes_nothing_of_the_first(panel: Panel) -> None:
    clinic = panel.clinic
    who = clinic.insured(525)
    limit_fen = clinic.standing(who)[0]
    review_id = panel.asked(who)
    assert panel.correct(review_id, limit_fen).pointers == ["/limit_fen"], "it corrects nothing"
    assert panel.correct(review_id, limit_fen + 100_000, 300).status == 200
    line, second = clinic.line(who), panel.asked(who)
    for fen, days, pointers in (
        (1_000, 1, ["/limit_fen", "/limit_fen", "/until"]), (limit_fen + 99_999, 300, ["/limit_fen"]),
        (limit_fen + 100_000, 299, ["/until"]), (limit_fen + 100_000, 300, ["/limit_fen"]),
    ):  # fmt: skip
        refused = panel.correct(second, fen, days, SECOND_ONE)
        assert (refused.code, refused.pointers) == ("exceptional-limit-invalid", pointers)
    assert (clinic.line(who), panel.own(who, second)["state"]) == (line, "open")
    assert panel.correct(second, limit_fen + 100_000, 301, SECOND_ONE).status == 200
    assert clinic.pull(who).body["available_fen"] == limit_fen + 100_000


def test_CONSENT_a_refused_correction_tells_nothing_of_todays_decision_without_a_consent(panel: Panel) -> None:
    clinic = panel.clinic
    who = clinic.patient(525, granted=(HOSPITAL,))
    grant = panel.world.grant(who, BANK, "credit_medical")
    clinic.open(who)
    review_id, limit_fen = panel.asked(who), clinic.standing(who)[0]
    assert panel.correct(review_id, limit_fen).code == "exceptional-limit-invalid"
    panel.world.withdraw(who, grant)
    assert panel.correct(review_id, 1).status == 200
    assert clinic.line(who).booked_fen == limit_fen


def suspended(panel: Panel, who: str) -> Callable[[], int]:
    assert panel.clinic.move(who, "suspend").status == 200
    return lambda: panel.clinic.move(who, "resume").status


def without_benefits(panel: Panel, who: str) -> Callable[[], int]:
    path = f"/v1/cities/xiamen/subjects/{panel.world.client.people[who]['subject_id']}/suspensions"
    body = {"kind": "all_benefits", "reason": REASON}
    assert panel.world.post(path, "city:xiamen", body).status == 200
    return lambda: panel.world.post(f"{path}/all_benefits/lift", "city:xiamen").status


@pytest.mark.parametrize("paused", [suspended, without_benefits])
def test_LIMIT_an_exception_waits_on_a_suspended_line_until_it_is_booked_anew(
    panel: Panel, paused: Callable[[Panel, str], Callable[[], int]]
) -> None:
    clinic = panel.clinic
    who = clinic.insured(525)
    resume = paused(panel, who)
    line, booked, looks = clinic.line(who), clinic.exposure(), clinic.standing(who)[0]
    assert panel.correct(panel.asked(who), looks + 100_000).status == 200
    assert (clinic.exposure(), clinic.line(who).booked_fen) == (booked, line.booked_fen)
    assert resume() == 200
    assert clinic.hold(who, looks + 1).code == "hold-exceeds-limit"
    assert clinic.move(who, "relimit").body["limit_fen"] == looks + 100_000
    assert clinic.exposure() == booked + 100_000
    assert clinic.hold(who, looks + 1).status == 201


def test_LIMIT_benefits_that_are_suspended_while_a_correction_is_booked_leave_it_waiting(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic = panel.clinic
    who, before = clinic.insured(525), [1]
    review_id, booked = panel.asked(who), clinic.exposure()

    def meanwhile(_: Any, write: Callable[[], None]) -> None:
        while before:
            before.pop()
            without_benefits(panel, who)
        write()

    with monkeypatch.context() as patched:
        inject(patched, iter([meanwhile]))
        assert panel.correct(review_id, 290_000).status == 200
    exception = clinic.line(who).exception
    assert exception is not None
    assert (exception.limit_fen, clinic.exposure()) == (290_000, booked)


def test_LIMIT_an_exception_waits_on_a_line_whose_term_is_over_until_it_is_opened_anew(
    panel: Panel, own_world: World
) -> None:
    clinic = panel.clinic
    clinic.in_force(clinic.policy(term_days=30))
    who = clinic.insured(525)
    limit_fen, booked = clinic.standing(who)[0], clinic.exposure()
    with clock.fixed(clock.now() + timedelta(days=31)):
        assert panel.correct(panel.asked(who), limit_fen + 100_000).status == 200
        assert (clinic.exposure(), clinic.line(who).booked_fen) == (booked, limit_fen)
        assert clinic.open(who).body["limit_fen"] == limit_fen + 100_000
        assert clinic.exposure() == booked + 100_000


def test_MINIMAL_a_bank_reads_the_limit_by_its_policy_and_not_what_the_tier_would_give(
    panel: Panel, own_world: World
) -> None:
    clinic = panel.clinic
    clinic.in_force(clinic.policy(ceiling_fen=150_000))
    who = clinic.patient(693)
    pulled = clinic.pull(who).body
    read = panel.read(panel.asked(who, panel.look(who, "pull-limit")))
    for trace in (read.body["now"], read.body["contested"]):
        assert set(trace) == {"effect_id", "on", "limit_fen", "terms", "outcome", "reasons"}
        assert trace["limit_fen"] == trace["terms"]["ceiling_fen"] == pulled["granted_fen"] == 150_000
    assert "300000" not in read.text


def test_MINIMAL_a_review_that_was_taken_back_is_read_by_nobody_else(panel: Panel) -> None:
    who = panel.clinic.insured(525)
    first, second = panel.asked(who), panel.asked(who, panel.look(who, "open-line"))
    for move in (panel.move(second, "forward"), panel.move(second, "return", CITY), panel.withdraw(who, second)):
        assert move.status == 200
    assert panel.withdraw(who, first).status == 200
    for review_id, actor in ((first, FIRST), (second, FIRST), (second, CITY)):
        assert (panel.read(review_id, actor).status, panel.read(review_id, actor).code) == (404, "not-found")
    assert panel.own(who, first)["state"] == "withdrawn"
    assert panel.looks(who)[0] == "withdraw-review"


@pytest.mark.parametrize("actor", [FIRST, CITY])
def test_MINIMAL_a_review_that_is_taken_back_while_it_is_read_is_not_read(
    panel: Panel, monkeypatch: pytest.MonkeyPatch, actor: str
) -> None:
    who = panel.clinic.insured(525)
    waiting = [panel.asked(who)]
    review_id = waiting[0]
    if actor == CITY:
        assert panel.move(review_id, "forward").status == 200

    def taken_back(_: Any, write: Callable[[], None]) -> None:
        while waiting:
            assert panel.withdraw(who, waiting.pop()).status == 200
        write()

    with monkeypatch.context() as patched:
        inject(patched, iter([taken_back]))
        assert panel.read(review_id, actor).code == "not-found"


def test_asking_and_taking_back_ends_for_the_day(panel: Panel) -> None:
    who = panel.clinic.insured(525)
    for _ in range(MOST_A_DAY):
        assert panel.withdraw(who, panel.asked(who)).status == 200
    refused = panel.ask(who)
    assert (refused.status, refused.code) == (429, "credit-reviews-a-day")
    with clock.fixed(clock.now() + timedelta(days=1)):
        assert panel.ask(who).status == 201
