"""Human review over HTTP: contested by the person, answered by people, each told what is his to know."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core import clock
from tests.integration.core.faults import inject
from tests.integration.medical.clinic import OTHER_BANK, Clinic
from tests.integration.medical.panel import CITY, FIRST, OTHER_CITY, OTHERS, REASON, SECOND_ONE, WORDS, Panel
from tests.integration.scenarios.test_leaks import figures, numbers
from tests.world import BANK, HOSPITAL


@pytest.fixture(scope="module")
def panel(clinic: Clinic) -> Panel:
    return Panel(clinic)


def test_a_refusal_is_contested_and_corrected_and_the_line_has_the_limit_while_it_lasts(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic = panel.clinic
    who = clinic.patient(None)
    assert clinic.pull(who).body["granted_fen"] is None
    assert clinic.open(who).code == "credit-limit-not-granted"
    look = panel.look(who, "pull-limit")
    asked = panel.ask(who, look).body
    assert (asked["state"], asked["instance"], asked["words"]) == ("open", 1, WORDS)
    assert asked["answer_by"] == str(panel.day(15))
    assert (asked["contested"]["effect_id"], asked["contested"]["limit_fen"]) == (look, None)
    assert asked["now"]["decision"]["reasons"]
    review_id = asked["review_id"]
    queue = panel.queue(FIRST, "?limit=200").body["items"]
    assert [item["answer_by"] for item in queue if item["review_id"] == review_id] == [queue[-1]["answer_by"]]
    read = panel.read(review_id).body
    assert (read["words"], read["contested"]["limit_fen"], read["contested"]["outcome"]) == (
        WORDS, None, "refused",
    )  # fmt: skip
    assert panel.correct(review_id, 120_000).body["answer"]["limit_fen"] == 120_000
    assert review_id not in panel.waiting()
    own = panel.own(who, review_id)
    assert (own["state"], own["answer"]["reason"], own["answer"]["by"]) == ("corrected", REASON, "bank")
    assert panel.look(who, "correct-review") == own["answer"]["effect_id"]
    assert panel.looks(who)[:3] == ["correct-review", "look-at-review", "ask-review"]
    assert clinic.pull(who).body["state"] == "closed"
    before = clinic.exposure()
    assert clinic.open(who).body["limit_fen"] == 120_000
    assert clinic.exposure() == before + 120_000
    assert clinic.hold(who, 120_001).code == "hold-exceeds-limit"
    assert clinic.hold(who, 50_000).status == 201
    now = clock.now
    monkeypatch.setattr(clock, "now", lambda: now() + timedelta(days=31))
    assert clinic.hold(who, 1).code == "hold-exceeds-limit"
    assert clinic.pull(who).body["limit_fen"] == 0


def test_LIMIT_a_limit_is_corrected_on_an_open_line_and_booked_at_once(panel: Panel) -> None:
    clinic = panel.clinic
    who = clinic.insured(525)
    limit_fen, before = clinic.standing(who)[0], clinic.exposure()
    review_id = panel.asked(who, panel.look(who, "open-line"))
    assert panel.correct(review_id, limit_fen + 40_000).status == 200
    assert clinic.exposure() == before + 40_000
    assert clinic.line(who).booked_fen == limit_fen + 40_000
    assert clinic.pull(who).body["limit_fen"] == limit_fen + 40_000
    assert clinic.hold(who, limit_fen + 40_001).code == "hold-exceeds-limit"
    assert clinic.hold(who, limit_fen + 40_000).status == 201


def test_LIMIT_an_exception_gives_nothing_while_all_benefits_are_suspended(panel: Panel) -> None:
    clinic = panel.clinic
    who = clinic.insured(525)
    assert panel.correct(panel.asked(who), 200_000).status == 200
    person = panel.world.client.people[who]
    path = f"/v1/cities/xiamen/subjects/{person['subject_id']}/suspensions"
    body = {"kind": "all_benefits", "reason": REASON}
    assert panel.world.post(path, "city:xiamen", body).status == 200
    assert clinic.hold(who, 1).code == "credit-line-suspended"
    pulled = clinic.pull(who).body
    assert (pulled["state"], pulled["available_fen"]) == ("suspended", 0)
    assert clinic.move(who, "relimit").code == "credit-line-suspended"
    clinic.move(who, "close")
    assert clinic.open(who).code == "credit-limit-not-granted"
    assert panel.world.post(f"{path}/all_benefits/lift", "city:xiamen").status == 200
    assert clinic.open(who).body["limit_fen"] == 200_000
    assert clinic.hold(who, 200_000).status == 201


def test_LIMIT_a_later_ceiling_bounds_an_exception_too(panel: Panel, own_world: Any) -> None:
    clinic = panel.clinic
    who = clinic.insured(525)
    assert panel.correct(panel.asked(who), 250_000).status == 200
    clinic.in_force(clinic.policy(version=2, ceiling_fen=220_000))
    assert clinic.hold(who, 220_001).code == "hold-exceeds-limit"
    assert clinic.pull(who).body["limit_fen"] == 220_000
    assert clinic.move(who, "relimit").body["limit_fen"] == 220_000
    assert clinic.line(who).booked_fen == 220_000


def test_MINIMAL_a_bank_reads_results_and_the_person_and_his_city_read_everything(panel: Panel) -> None:
    clinic = panel.clinic
    who = clinic.patient(587)
    clinic.pull(who)
    review_id = panel.asked(who, panel.look(who, "pull-limit"))
    read = panel.read(review_id)
    secret = figures(panel.world, who)
    said = json.dumps({name: read.body[name] for name in ("now", "contested", "city_reason", "answer")})
    assert not numbers(said) & secret, said
    pulled = clinic.pull(who).body
    for trace in (read.body["now"], read.body["contested"]):
        assert set(trace) == {"effect_id", "on", "limit_fen", "terms", "outcome", "reasons"}
        assert [reason["code"] for reason in trace["reasons"]] == pulled["reasons"] == ["tier_reached"]
        assert (trace["limit_fen"], trace["terms"]["version"]) == (pulled["granted_fen"], pulled["policy_version"])
    assert panel.world.ref(who).person_id not in read.text + panel.queue().text
    assert panel.own(who, review_id)["now"]["decision"]["reasons"]
    assert panel.read(review_id, CITY).code == "not-found"
    assert panel.move(review_id, "forward").body["state"] == "forwarded"
    found = panel.read(review_id, CITY).body
    assert found["now"]["score"]["score"] == 587
    assert found["now"]["decision"] == panel.own(who, review_id)["now"]["decision"]
    assert panel.looks(who)[:5] == ["look-at-review", "forward-review", "pull-limit", "look-at-review", "ask-review"]
    assert panel.read(review_id, OTHER_CITY).code == "not-found"


def test_CONSENT_a_bank_reads_what_it_was_told_and_more_only_with_a_live_consent(panel: Panel) -> None:
    clinic = panel.clinic
    who = clinic.patient(693, granted=(HOSPITAL,))
    own = {"city_id": "xiamen", "bank_id": "demo-bank"}
    assert clinic.post("/v1/me/credit-lines", f"citizen:{who}", own).status == 201
    review_id = panel.asked(who, panel.look(who, "open-line"))
    read = panel.read(review_id).body
    assert (read["now"], read["contested"]) == (None, None)
    grant = panel.world.grant(who, BANK, "credit_medical")
    read = panel.read(review_id).body
    assert read["now"]["limit_fen"] == read["contested"]["limit_fen"] == clinic.standing(who)[0]
    clinic.pull(who)
    other = panel.asked(who, panel.look(who, "pull-limit"))
    panel.world.withdraw(who, grant)
    read = panel.read(other).body
    assert read["now"] is None
    assert read["contested"]["limit_fen"] == clinic.standing(who)[0]
    assert panel.correct(other, 1_000).status == 200, "an answer uses no score"


def test_a_score_that_is_contested_goes_to_the_persons_city_once(panel: Panel) -> None:
    clinic = panel.clinic
    who = clinic.patient(705, "hangzhou")
    clinic.pull(who)
    review_id = panel.asked(who, panel.look(who, "pull-limit"))
    assert panel.move(review_id, "return", OTHER_CITY).code == "not-found"
    assert panel.move(review_id, "forward").status == 200
    assert review_id not in panel.waiting()
    assert panel.waiting(OTHER_CITY) == [review_id]
    assert review_id not in panel.waiting(CITY)
    assert panel.move(review_id, "uphold").code == "credit-review-state"
    found = panel.read(review_id, OTHER_CITY).body
    assert found["now"]["score"]["score"] == 705
    assert panel.move(review_id, "return", OTHER_CITY).body["state"] == "open"
    assert panel.own(who, review_id)["city_reason"] == REASON
    assert panel.read(review_id).body["city_reason"] == REASON
    assert panel.move(review_id, "forward").code == "credit-review-state"
    assert panel.move(review_id, "uphold").status == 200
    assert panel.looks(who)[:2] == ["uphold-review", "look-at-review"]
    again = panel.asked(who)
    assert panel.move(again, "forward").status == 200
    answer = panel.move(again, "uphold", OTHER_CITY).body["answer"]
    assert (answer["by"], answer["outcome"], answer["limit_fen"]) == ("city", "upheld", None)
    assert panel.waiting(OTHER_CITY) == []


def test_nobody_decides_twice_about_the_same(panel: Panel) -> None:
    clinic = panel.clinic
    who = clinic.patient(560)
    clinic.pull(who)
    look = panel.look(who, "pull-limit")
    first = panel.asked(who, look)
    assert panel.move(first, "uphold", FIRST).status == 200
    second = panel.ask(who, look).body
    assert second["instance"] == 2
    for answer in (panel.move(second["review_id"], "uphold", FIRST), panel.correct(second["review_id"], 1_000)):
        assert (answer.status, answer.code) == (403, "credit-review-same-reviewer")
    assert panel.move(second["review_id"], "uphold", SECOND_ONE).status == 200
    assert panel.ask(who, look).code == "credit-review-final"
    assert panel.ask(who).status == 201, "the limit as it is now is another matter"


def test_what_is_overdue_comes_first_and_is_said_to_be(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    clinic = panel.clinic
    early, late = clinic.patient(560), clinic.patient(560)
    now = clock.now
    before = panel.waiting()
    monkeypatch.setattr(clock, "now", lambda: now() + timedelta(days=1))
    second = panel.asked(late)
    monkeypatch.setattr(clock, "now", lambda: now() - timedelta(days=1))
    first = panel.asked(early)
    monkeypatch.setattr(clock, "now", now)
    assert panel.waiting() == [first, *before, second]
    page = panel.queue(query="?limit=1").body
    assert [item["review_id"] for item in page["items"]] == [first]
    rest = panel.queue(query=f"?limit=200&cursor={page['next']}").body["items"]
    assert [item["review_id"] for item in rest] == [*before, second]
    monkeypatch.setattr(clock, "now", lambda: now() + timedelta(days=15))
    found = {item["review_id"]: item["overdue"] for item in panel.queue(query="?limit=200").body["items"]}
    assert (found[first], found[second]) == (True, False)
    assert panel.own(early, first)["overdue"]
    assert panel.move(first, "uphold").status == 200
    assert not panel.own(early, first)["overdue"]


def test_a_persons_own_reviews_are_listed_and_nobody_elses(panel: Panel) -> None:
    clinic = panel.clinic
    who, other = clinic.patient(560), clinic.patient(560)
    clinic.pull(who)
    first, second = panel.asked(who), panel.asked(who, panel.look(who, "pull-limit"))
    page = panel.world.get("/v1/me/reviews?limit=1", f"citizen:{who}")
    rest = panel.world.get(f"/v1/me/reviews?limit=1&cursor={page['next']}", f"citizen:{who}")
    assert [item["review_id"] for item in page["items"] + rest["items"]] == [second, first]
    assert panel.world.get("/v1/me/reviews", f"citizen:{other}")["items"] == []
    assert panel.world.send("GET", f"/v1/me/reviews/{first}", f"citizen:{other}").code == "not-found"
    assert panel.withdraw(other, first).code == "not-found"
    assert [panel.read(first, actor).code for actor in (OTHERS, FIRST)] == ["not-found", None]
    assert panel.move(first, "uphold", OTHERS).code == "not-found"
    assert panel.waiting(OTHERS) == []
    assert clinic.pull(who, OTHER_BANK).code in {"consent-required", "medical-policy-not-in-force"}


def test_CONSENT_withdrawn_while_the_bank_reads_shows_it_nothing_new(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic = panel.clinic
    who = clinic.patient(560, granted=(HOSPITAL,))
    grants = [panel.world.grant(who, BANK, "credit_medical")]
    review_id = panel.asked(who)

    def withdrawn(_: Any, write: Callable[[], None]) -> None:
        while grants:
            panel.world.withdraw(who, grants.pop())
        write()

    with monkeypatch.context() as patched:
        inject(patched, iter([withdrawn]))
        assert panel.read(review_id).body["now"] is None


def test_LIMIT_a_review_that_is_taken_back_while_it_is_answered_gives_nothing(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = panel.clinic.insured(525)
    review_id, before = panel.asked(who), panel.clinic.line(who)
    waiting = [review_id]

    def taken_back(_: Any, write: Callable[[], None]) -> None:
        while waiting:
            assert panel.withdraw(who, waiting.pop()).status == 200
        write()

    with monkeypatch.context() as patched:
        inject(patched, iter([taken_back]))
        assert panel.correct(review_id, 250_000).code == "credit-review-state"
    assert panel.clinic.line(who) == before
    assert panel.own(who, review_id)["state"] == "withdrawn"
