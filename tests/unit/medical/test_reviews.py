"""Reviews as they go from hand to hand, what may be asked for again, and what a reviewer may give."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from chalicelib.core import codec
from chalicelib.core.text import Text
from chalicelib.medical.rules.kept import Kept
from chalicelib.medical.rules.reviews import (
    MOST_A_DAY,
    MOST_OPEN,
    MOST_REMEMBERED,
    Answer,
    Contested,
    Deadline,
    Register,
    Review,
    ReviewBySameReviewer,
    ReviewFinal,
    ReviewOpenAlready,
    ReviewsADay,
    ReviewsFull,
    ReviewState,
    ReviewStateConflict,
    admitted,
    answer_day,
    crossed_out,
    decided_by,
    entered,
    forwarded,
    returned,
    withdrawn,
)
from chalicelib.medical.store.reviews import deadlines
from chalicelib.scenarios.rules import Basis
from chalicelib.subjects.rules import AccountRef
from tests.unit.medical import ward

REF = AccountRef("xiamen", "s_" + "a" * 26)
KEPT = Kept(
    "demo-bank", 1, "1" * 64, Basis("xiamen", "credit_medical", 1, None, ward.TODAY, "xiamen", "no_score"), "0" * 64
)
SAID = Text("已核对", "checked")
REN, SHEN = "bank:demo-bank:ren", "bank:demo-bank:shen"


def review(look: str | None = None, **changes: Any) -> Review:
    contested = None if look is None else Contested(look, KEPT, told=True)
    made = Review(
        "xiamen.r1", "xiamen", "demo-bank", REF, "请看", ward.NOON, ward.TODAY, 1, None, KEPT, contested
    )  # fmt: skip
    return replace(made, **changes)


def answer(by: Any = "bank") -> Answer:
    return Answer("upheld", by, SAID, ward.NOON, "xiamen.e1")


def test_a_review_goes_from_hand_to_hand_and_is_answered_once() -> None:
    one = review()
    away = forwarded(one)
    back = returned(away, SAID)
    assert (away.state, back.state, back.city_reason) == ("forwarded", "open", SAID)
    with pytest.raises(ReviewStateConflict):
        forwarded(back)
    done = decided_by(back, answer(), REN)
    assert (done.state, done.answer) == ("upheld", answer())
    assert decided_by(away, answer("city"), "city:xiamen:rui").state == "upheld"
    closed: tuple[ReviewState, ...] = ("upheld", "corrected", "withdrawn")
    for state in closed:
        over = review(state=state)
        for step in (withdrawn, forwarded, lambda r: returned(r, SAID), lambda r: decided_by(r, answer(), REN)):
            with pytest.raises(ReviewStateConflict):
                step(over)


def test_each_answers_what_lies_with_him() -> None:
    with pytest.raises(ReviewStateConflict):
        decided_by(review(), answer("city"), "city:xiamen:rui")
    with pytest.raises(ReviewStateConflict):
        decided_by(review(state="forwarded"), answer(), REN)
    with pytest.raises(ReviewStateConflict):
        returned(review(), SAID)


def test_whoever_answered_first_does_not_decide_again() -> None:
    second = review("xiamen.look", instance=2, not_by=REN)
    with pytest.raises(ReviewBySameReviewer):
        decided_by(second, answer(), REN)
    assert decided_by(second, answer(), SHEN).state == "upheld"
    assert forwarded(second).state == "forwarded"


def answered(register: Register, one: Review, by: str) -> Register:
    return crossed_out(entered(register, one, ward.TODAY), one, by)


def test_the_same_is_contested_once_at_a_time_and_twice_in_all() -> None:
    empty, look, day = Register("xiamen", "demo-bank", REF.person_id), "xiamen.look", ward.TODAY
    assert admitted(empty, look, day) == (1, None)
    with pytest.raises(ReviewOpenAlready):
        admitted(entered(empty, review(look), day), look, day)
    assert admitted(entered(empty, review(look), day), None, day) == (1, None)
    given_up = crossed_out(entered(empty, review(look), day), review(look), None)
    assert (given_up.waiting, given_up.answered, admitted(given_up, look, day)) == ({}, (), (1, None))
    once = answered(empty, review(look), REN)
    assert admitted(once, look, day) == (2, REN)
    twice = answered(once, review(look, instance=2), SHEN)
    with pytest.raises(ReviewFinal):
        admitted(twice, look, day)
    assert admitted(twice, "xiamen.other", day) == (1, None), "another look is another matter"


def test_the_limit_as_it_is_may_always_be_contested_and_goes_to_somebody_else_each_time() -> None:
    register = Register("xiamen", "demo-bank", REF.person_id)
    for instance, (by, before) in enumerate([(REN, None), (SHEN, REN), (REN, SHEN)], 1):
        assert admitted(register, None, ward.TODAY) == (instance, before)
        register = answered(register, review(instance=instance), by)


def test_the_register_is_bounded() -> None:
    """40 answers, with ids as long as they come, keep the size that is written down for it."""
    city_id, bank_id = "c" * 24, "b" * 48
    register, look = Register(city_id, bank_id, REF.person_id), f"{city_id}.{'a' * 26}~49"
    for number in range(MOST_OPEN):
        register = entered(register, review(look, review_id=f"{city_id}.{number:026d}"), ward.TODAY)
    with pytest.raises(ReviewsFull):
        admitted(register, "xiamen.more", ward.TODAY)
    by = f"bank:{bank_id}:{'s' * 64}"
    for _ in range(MOST_REMEMBERED + 5):
        register = answered(register, review(look, review_id="xiamen.x"), by)
    assert len(register.answered) == MOST_REMEMBERED
    assert len(register.waiting) == MOST_OPEN
    assert len(codec.to_json(register).encode()) < 10 * 1024


def test_so_many_are_asked_for_on_a_day_though_they_are_taken_back() -> None:
    register, day = Register("xiamen", "demo-bank", REF.person_id), ward.TODAY
    for number in range(MOST_A_DAY):
        one = review(f"xiamen.{number}")
        assert admitted(register, one.matter, day) == (1, None)
        register = crossed_out(entered(register, one, day), one, None)
    for on in (day, day - timedelta(days=1)):
        with pytest.raises(ReviewsADay):
            admitted(register, "xiamen.more", on)
    again = entered(register, review("xiamen.more"), day + timedelta(days=1))
    assert (again.asked_on, again.asked) == (day + timedelta(days=1), 1)


def test_a_day_for_the_answer_by_the_rule_of_the_day_of_the_request() -> None:
    rules = [Deadline(date(2026, 1, 1), 15, "made up"), Deadline(date(2026, 9, 1), 10, "made up")]
    assert answer_day(rules, date(2026, 8, 31)) == date(2026, 9, 15)
    assert answer_day(rules, date(2026, 9, 1)) == date(2026, 9, 11)
    assert answer_day(deadlines(), ward.TODAY) == ward.TODAY + timedelta(days=15)
    one = review(answer_by=ward.TODAY)
    assert [one.overdue(ward.TODAY + timedelta(days=n)) for n in (0, 1)] == [False, True]
    assert not review(answer_by=ward.TODAY, state="upheld").overdue(ward.TODAY + timedelta(days=9))
