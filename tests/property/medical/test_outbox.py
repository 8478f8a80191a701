"""Whatever becomes of answers on their way, an instruction ends as the bank has done it, and is booked once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.medical.rules.instructions import BankAnswer, Instruction, Verdict
from chalicelib.medical.rules.outbox import MOST_ATTEMPTS, answered, taken_up, unanswered
from tests.unit.medical.post import NOON, payment, said

VERDICTS = st.sampled_from(["accepted", "refused"])
# A step: time goes by, an attempt begins, one of the attempts so far fails, or an answer arrives in one of the ways.
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(0, 4_000)),
        st.tuples(st.just("attempt"), st.none()),
        st.tuples(st.just("fail"), st.integers(1, MOST_ATTEMPTS + 1)),
        st.tuples(st.just("answer"), st.sampled_from(["call", "bank", "file"])),
    ),
    max_size=30,
)


class Followed:
    """An instruction, and how often its acceptance was a reason to book."""

    def __init__(self) -> None:
        self.one: Instruction = payment()
        self.now = NOON
        self.booked = 0

    def step(self, what: str, detail: Any, answer: BankAnswer) -> None:
        before = self.one
        if what == "wait":
            self.now += timedelta(seconds=detail)
        elif what == "attempt":
            self.one = taken_up(before, self.now)
        elif what == "fail":
            self.one = unanswered(before, detail, self.now)
        else:
            self.one = answered(before, answer)
        assert self.one.attempts <= MOST_ATTEMPTS
        assert (self.one.answer is not None) == (self.one.state in {"accepted", "refused"})
        assert self.one.answer is None or self.one.due_at is None, "what has ended is not due"
        self.booked += before.answer is None and self.one.state == "accepted"


@settings(max_examples=80)
@given(STEPS, VERDICTS)
def test_ONCE_order_loss_and_repetition_of_answers_end_alike(steps: list[tuple[str, Any]], verdict: Verdict) -> None:
    followed = Followed()
    for what, detail in steps:
        followed.step(what, detail, said(verdict, "B1", 0, detail if what == "answer" else "call"))
    heard = any(what == "answer" for what, _ in steps)
    assert followed.one.state == verdict or not heard
    followed.step("answer", "file", said(verdict, "B1", 0, "file"))
    assert (followed.one.state, followed.one.due_at, followed.one.disputed) == (verdict, None, ())
    assert followed.booked == (verdict == "accepted")


@settings(max_examples=60)
@given(st.lists(st.tuples(VERDICTS, st.sampled_from(["B1", "B2"])), min_size=1, max_size=12))
def test_ONCE_contradictions_are_all_kept_and_the_first_answer_stands(answers: list[tuple[Verdict, str]]) -> None:
    followed = Followed()
    for verdict, reference in answers:
        followed.step("answer", "bank", said(verdict, reference, way="bank"))
    ended = followed.one
    assert ended.answer is not None
    assert (ended.state, ended.answer.reference) == answers[0]
    kept = {(ended.answer.state, ended.answer.reference), *((one.state, one.reference) for one in ended.disputed)}
    assert kept == set(answers)
    assert len(ended.disputed) == len(set(answers)) - 1
    assert followed.booked == (answers[0][0] == "accepted")


@settings(max_examples=30)
@given(st.lists(st.integers(0, 5_000), max_size=60))
def test_a_bank_that_never_answers_is_asked_a_few_times_and_then_left_alone(waits: list[int]) -> None:
    followed = Followed()
    for wait in waits:
        followed.step("wait", wait, said())
        followed.step("attempt", None, said())
        followed.step("fail", followed.one.attempts, said())
    assert followed.one.state in {"queued", "unknown"}
    assert (followed.one.due_at is None) == (followed.one.attempts == MOST_ATTEMPTS)
