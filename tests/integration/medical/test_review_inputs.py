"""What is refused of a review: whose look it is, what is written, who answers, what is given."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.core import clock
from tests.conftest import ISSUER
from tests.integration.medical.clinic import OTHER_BANK, Clinic
from tests.integration.medical.panel import AUTHOR, CITY, FIRST, OTHERS, REASON, SECOND_ONE, WORDS, Panel
from tests.world import BANK, HOSPITAL, LIBRARY, World


@pytest.fixture(scope="module")
def panel(clinic: Clinic) -> Panel:
    return Panel(clinic)


def test_MINIMAL_only_a_look_at_oneself_for_this_banks_limit_is_contested(panel: Panel, own_world: World) -> None:
    clinic = panel.clinic
    clinic.in_force(clinic.policy(bank_id="other-bank"))
    who, other = clinic.insured(), clinic.insured()
    own_world.grant(who, OTHER_BANK, "credit_medical")
    own_world.grant(who, LIBRARY, "library")
    own_world.decide(LIBRARY, who, "library")
    clinic.pull(who, OTHER_BANK)
    of_other_bank = panel.look(who, "pull-limit")
    refused = [
        panel.ask(who, panel.look(other, "open-line")), panel.ask(who, of_other_bank),
        panel.ask(who, panel.look(who, "decide")), panel.ask(who, panel.look(who, "grant-consent")),
        panel.ask(who, "xiamen." + "a" * 26), panel.ask(who, "nowhere"),
    ]  # fmt: skip
    assert {(answer.status, answer.code, *answer.pointers) for answer in refused} == {
        (422, "look-not-contestable", "/effect_id")
    }
    assert panel.ask(who, of_other_bank, bank_id="other-bank").status == 201
    contested = panel.asked(who, panel.look(who, "open-line"))
    assert panel.ask(who, panel.look(who, "ask-review")).code == "look-not-contestable"
    assert contested in panel.waiting()


def test_a_look_of_a_batch_and_a_hold_are_contested_too(panel: Panel) -> None:
    clinic = panel.clinic
    first, second = clinic.insured(), clinic.insured()
    ids = [clinic.world.known_to(BANK, one) for one in (first, second)]
    assert clinic.post("/v1/credit-limits/batch", BANK, {"subject_ids": ids}).status == 200
    assert panel.look(second, "pull-limit").endswith("~1")
    clinic.held(first, 1_000)
    for who, purpose in ((first, "pull-limit"), (second, "pull-limit"), (first, "hold")):
        assert panel.ask(who, panel.look(who, purpose)).body["contested"]["limit_fen"] == clinic.standing(who)[0]


@pytest.mark.parametrize(
    "words",
    ["", "词" * 501, "a\u202eb", "a\u2066b", "a\u0000b", "a\nb", "a\u200eb", None, 1, ["x"]],
    ids=["none", "too many", "override", "isolate", "nul", "two lines", "mark", "null", "number", "list"],
)
def test_words_are_one_line_without_tricks(panel: Panel, words: Any) -> None:
    assert panel.ask("xm-693", words=words).code == "invalid-request"


def test_words_of_500_characters_are_taken(panel: Panel) -> None:
    assert panel.ask(panel.clinic.patient(), words="词" * 500).status == 201


def test_a_request_that_fits_nothing_is_refused(panel: Panel) -> None:
    for more in ({"bank_id": "../x"}, {"city_id": "X"}, {"effect_id": "a b"}, {"effect_id": None}, {"why": "x"}):
        body = {"city_id": "xiamen", "bank_id": "demo-bank", "words": WORDS} | more
        assert panel.clinic.post("/v1/me/reviews", "citizen:xm-693", body).code == "invalid-request", more
    assert panel.ask("xm-693", city_id="nowhere").code == "not-found"
    assert panel.ask("xm-693", bank_id="no-bank").code == "medical-policy-not-in-force"
    assert panel.clinic.post("/v1/me/reviews", BANK, {}).code == "forbidden"


def test_the_same_is_contested_once_at_a_time_and_again_after_it_was_withdrawn(panel: Panel) -> None:
    clinic = panel.clinic
    who = clinic.insured()
    look = panel.look(who, "open-line")
    review_id = panel.asked(who, look)
    assert panel.ask(who, look).code == "credit-review-open"
    now = panel.asked(who)
    assert panel.ask(who).code == "credit-review-open"
    assert panel.withdraw(who, review_id).body["state"] == "withdrawn"
    assert panel.withdraw(who, review_id).code == "credit-review-state"
    assert review_id not in panel.waiting()
    for answer in (panel.move(review_id, "uphold"), panel.correct(review_id, 1), panel.move(review_id, "forward")):
        assert (answer.status, answer.code) == (409, "credit-review-state")
    assert panel.ask(who, look).body["instance"] == 1
    assert panel.move(now, "forward").status == 200
    assert panel.withdraw(who, now).status == 200
    assert panel.move(now, "uphold", CITY).code in {"credit-review-state", "not-found"}


def test_three_at_most_wait_for_an_answer_per_person_and_bank(panel: Panel) -> None:
    clinic = panel.clinic
    who = clinic.insured()
    for purpose in ("open-line", "pull-limit"):
        clinic.pull(who)
        panel.asked(who, panel.look(who, purpose))
    review_id = panel.asked(who)
    clinic.pull(who)
    look = panel.look(who, "pull-limit")
    assert (panel.ask(who, look).status, panel.ask(who, look).code) == (409, "credit-reviews-full")
    assert panel.ask(clinic.insured()).status == 201
    assert panel.move(review_id, "uphold").status == 200
    assert panel.ask(who, look).status == 201


def test_CONSENT_whoever_took_his_consent_back_may_contest_all_the_same(panel: Panel) -> None:
    clinic = panel.clinic
    who = clinic.patient(560, granted=(HOSPITAL,))
    grant = panel.world.grant(who, BANK, "credit_medical")
    clinic.pull(who)
    panel.world.withdraw(who, grant)
    asked = panel.ask(who, panel.look(who, "pull-limit"))
    assert asked.status == 201
    assert panel.move(asked.body["review_id"], "uphold").status == 200


def test_nobody_answers_without_the_role_the_scope_and_the_bank(panel: Panel) -> None:
    clinic = panel.clinic
    who = clinic.insured()
    review_id = panel.asked(who)
    for actor in (AUTHOR, BANK, "bank:demo-bank@xiamen/nobody"):
        for answer in (panel.queue(actor), panel.read(review_id, actor), panel.move(review_id, "uphold", actor)):
            assert (answer.status, answer.code) == (403, "credit-review-forbidden")
    for answer in (panel.read(review_id, OTHERS), panel.move(review_id, "uphold", OTHERS)):
        assert (answer.status, answer.code) == (404, "not-found")
    token = ISSUER.token("bank", "demo-bank", "xiamen", sub="ren", scope="credit:write", now=clock.now())
    assert panel.world.send("GET", "/v1/credit-reviews", "", token=token).code == "forbidden"
    plain = ISSUER.token("city", "xiamen", "xiamen", scope="credit:review", now=clock.now())
    path = "/v1/cities/xiamen/credit-reviews"
    assert panel.world.send("GET", path, "", token=plain).code == "credit-review-forbidden"
    assert panel.world.send("POST", f"{path}/{review_id}/looks", "", token=plain).code == "credit-review-forbidden"
    assert panel.move("xiamen." + "a" * 26, "uphold").code == "not-found"
    assert panel.move("x", "uphold").code == "not-found"
    assert panel.own(who, review_id)["state"] == "open"


def test_a_review_is_answered_once(panel: Panel) -> None:
    review_id = panel.asked(panel.clinic.insured())
    assert panel.move(review_id, "uphold").status == 200
    for actor in (FIRST, SECOND_ONE):
        answer = panel.correct(review_id, 1_000, actor=actor)
        assert (answer.status, answer.code) == (409, "credit-review-state")


def test_LIMIT_an_exceptional_limit_is_whole_positive_under_the_ceiling_and_ends_within_a_year(panel: Panel) -> None:
    who = panel.clinic.insured(525)
    before, review_id = panel.clinic.line(who), panel.asked(who)
    for limit_fen in (0, -1, 1.5, True, "1000", None, 10**11):
        assert panel.correct(review_id, limit_fen).code == "invalid-request", limit_fen
    for until in ("2026-02-30", "tomorrow", None, 5):
        refused = panel.move(review_id, "correct", limit_fen=1_000, until=until)
        assert refused.code == "invalid-request", until
    for limit_fen, days, pointers in (
        (300_001, 30, ["/limit_fen"]), (290_000, 0, ["/until"]), (290_000, -1, ["/until"]), (290_000, 366, ["/until"]),
        (10**10, 400, ["/limit_fen", "/until"]),
    ):  # fmt: skip
        refused = panel.correct(review_id, limit_fen, days)
        assert (refused.status, refused.code, refused.pointers) == (422, "exceptional-limit-invalid", pointers)
    assert (panel.clinic.line(who), panel.own(who, review_id)["state"]) == (before, "open")
    assert panel.correct(review_id, 300_000, 365).status == 200


@pytest.mark.parametrize(
    "body",
    [
        {}, {"move": "uphold"}, {"move": "correct", "reason": REASON}, {"move": "forward", "reason": REASON},
        {"move": "uphold", "reason": REASON, "limit_fen": 1}, {"move": "uphold", "reason": {"zh": "只有中文"}},
        {"move": "uphold", "reason": {"zh": "词" * 501, "en": "x"}},
        {"move": "uphold", "reason": {"zh": "\u202e", "en": "x"}},
        {"move": "uphold", "reason": {"zh": "  ", "en": "x"}},
        {"move": "uphold", "reason": {"zh": "已核对", "en": "\u3000\u00a0 "}},
        {"move": "return", "reason": REASON}, {"move": "correct", "reason": REASON, "limit_fen": 1},
    ],
)  # fmt: skip
def test_an_answer_has_its_reason_and_what_it_gives(panel: Panel, body: Any) -> None:
    assert panel.clinic.post("/v1/credit-reviews/xiamen.x/moves", FIRST, body).code == "invalid-request"


def test_a_citys_reason_is_not_of_blanks_alone(panel: Panel) -> None:
    for move in ("uphold", "return"):
        assert panel.move("xiamen.x", move, CITY, reason={"zh": " ", "en": " "}).code == "invalid-request"


def test_LIMIT_an_exceptional_limit_counts_against_the_banks_cap(panel: Panel, own_world: World) -> None:
    clinic = panel.clinic
    clinic.in_force(clinic.policy(bank_id="other-bank", exposure_cap_fen=300_000, shards=1))
    people = [clinic.patient(525, granted=(OTHER_BANK,)) for _ in range(2)]
    for who in people:
        assert clinic.open(who, OTHER_BANK).status == 201
    booked = clinic.exposure("other-bank")
    review_id = panel.ask(people[0], bank_id="other-bank").body["review_id"]
    room = 300_000 - booked
    own = clinic.line(people[0], "other-bank").booked_fen
    refused = panel.correct(review_id, own + room + 1, actor=OTHERS)
    assert (refused.code, clinic.exposure("other-bank")) == ("exposure-cap-reached", booked)
    assert panel.own(people[0], review_id)["state"] == "open"
    assert panel.correct(review_id, own + room, actor=OTHERS).status == 200
    assert clinic.exposure("other-bank") == 300_000
