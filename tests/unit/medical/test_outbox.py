"""What follows from an event, and how an instruction comes to an end."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.medical.rules import Charge, Payout, Refund, Reminder, Repayment, WriteOff
from chalicelib.medical.rules.instructions import (
    bank_in,
    giving_back,
    instructed,
    instruction_id_of,
    order_of,
)
from chalicelib.medical.rules.online_payments import payment_view
from chalicelib.medical.rules.outbox import (
    FIRST_WAIT_SECONDS,
    LEASE_SECONDS,
    LONGEST_WAIT_SECONDS,
    MOST_ATTEMPTS,
    MOST_DISPUTED,
    NothingToClose,
    answered,
    asked_anew,
    closed,
    taken_up,
    unanswered,
    wait_seconds,
    waits_for_somebody,
)
from tests.unit.medical.post import BANK, NOON, REF, TODAY, later, payment, said

CHARGE = Charge("xiamen.c", "demo-hospital", "V-1", "I-1", TODAY, 30_000, TODAY, 1, 500)


@pytest.mark.parametrize(
    ("event", "kind", "fen"),
    [
        (CHARGE, "disburse", 30_000),
        (Refund("xiamen.r~1", "xiamen.c", TODAY, 10_000), "take_back", 10_000),
        (Reminder("xiamen.m", TODAY, ("xiamen.c",)), "remind", 0),
        (Payout("xiamen.p", TODAY, 700), "pay_out", 700),
    ],
)
def test_what_the_bank_must_hear_of_is_an_instruction(event: object, kind: str, fen: int) -> None:
    made = instructed(*BANK, REF, event, NOON)  # type: ignore[arg-type]
    assert made is not None
    assert (made.kind, made.amount_fen, made.state, made.due_at) == (kind, fen, "queued", NOON)
    again = instructed(*BANK, REF, event, later(60))  # type: ignore[arg-type]
    assert again is not None
    assert again.instruction_id == made.instruction_id
    assert order_of(made, "p1_x").currency == "CNY"


@pytest.mark.parametrize("event", [Repayment("xiamen.y", TODAY, 100), WriteOff("xiamen.w", TODAY, 90)])
def test_what_came_from_the_bank_is_none(event: object) -> None:
    assert instructed(*BANK, REF, event, NOON) is None  # type: ignore[arg-type]


def test_a_refund_names_the_instruction_that_it_undoes_and_its_entry() -> None:
    charge = instructed(*BANK, REF, CHARGE, NOON)
    refund = instructed(*BANK, REF, Refund("xiamen.r~1", "xiamen.c", TODAY, 1), NOON)
    assert charge is not None
    assert refund is not None
    assert (refund.undoes, refund.entry_id) == (charge.instruction_id, "xiamen.r")
    assert charge.hospital_id == "demo-hospital"


def test_an_id_says_whose_it_is_and_not_what_it_is_about() -> None:
    made = instruction_id_of("xiamen", "demo-bank", "xiamen.secret")
    assert re.fullmatch(r"xiamen\.demo-bank\.[a-z2-7]{26}", made)
    assert bank_in(made) == BANK
    others = {instruction_id_of(*of, "xiamen.secret") for of in (("xiamen", "other"), ("hangzhou", "demo-bank"))}
    assert len({made[-26:], *(one[-26:] for one in others)}) == 3
    assert bank_in("nothing") == ("nothing", "")


def test_an_attempt_is_written_before_the_call_and_has_a_lease() -> None:
    sent = taken_up(payment(), NOON)
    assert (sent.state, sent.attempts, sent.due_at) == ("sent", 1, later(LEASE_SECONDS))
    assert taken_up(sent, later(LEASE_SECONDS - 1)) is sent
    again = taken_up(sent, later(LEASE_SECONDS))
    assert (again.state, again.attempts) == ("sent", 2)


def test_nobody_asks_before_it_is_due() -> None:
    seen = payment(due_at=later(1))
    assert taken_up(seen, NOON) is seen
    assert taken_up(seen, later(1)) is not seen


def test_an_attempt_without_answer_is_unknown_and_waits_longer_each_time() -> None:
    seen, now, waits = payment(), NOON, []
    while seen.due_at is not None:
        now = seen.due_at
        sent = taken_up(seen, now)
        seen = unanswered(sent, sent.attempts, now)
        assert seen.state == "unknown"
        waits.append(0 if seen.due_at is None else (seen.due_at - now).total_seconds())
    assert waits[:11] == [5, 10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600]
    assert set(waits[10:-1]) == {LONGEST_WAIT_SECONDS}
    assert (waits[-1], len(waits), seen.attempts) == (0, MOST_ATTEMPTS, MOST_ATTEMPTS)
    assert timedelta(days=14) <= now - NOON < timedelta(days=15), "an outage of days heals by itself"


def test_what_was_given_up_and_nothing_else_is_asked_anew() -> None:
    given_up = payment(state="unknown", attempts=MOST_ATTEMPTS, due_at=None)
    again = asked_anew(given_up, later(9))
    assert (again.state, again.attempts, again.due_at) == ("unknown", 1, later(9))
    assert (taken_up(again, later(9)).state, taken_up(again, later(9)).attempts) == ("sent", 2)
    for other in (payment(), payment(state="unknown", attempts=3, due_at=later(60)), answered(given_up, said())):
        assert asked_anew(other, later(9)) is other


def test_waits_double_up_to_an_hour() -> None:
    assert [wait_seconds(n) for n in (1, 2, 3)] == [FIRST_WAIT_SECONDS, 10, 20]
    assert wait_seconds(40) == LONGEST_WAIT_SECONDS


def test_a_sender_that_died_in_its_last_attempt_leaves_it_to_the_file() -> None:
    left = taken_up(payment(state="sent", attempts=MOST_ATTEMPTS), NOON)
    assert (left.state, left.attempts, left.due_at) == ("unknown", MOST_ATTEMPTS, None)
    assert taken_up(left, later(10**6)) is left


@pytest.mark.parametrize("state", ["queued", "sent", "unknown"])
@pytest.mark.parametrize("verdict", ["accepted", "refused"])
def test_the_first_answer_ends_it_wherever_it_stands(state: str, verdict: str) -> None:
    ended = answered(payment(state=state, attempts=1), said(verdict))  # type: ignore[arg-type]
    assert (ended.state, ended.due_at) == (verdict, None)
    assert taken_up(ended, later(10**6)) is ended


def test_the_same_answer_again_changes_nothing() -> None:
    ended = answered(payment(), said("accepted", "B1"))
    for way in ("call", "bank", "file"):
        assert answered(ended, said("accepted", "B1", 99, way)) is ended


def test_an_attempt_that_fails_late_changes_nothing() -> None:
    sent = taken_up(payment(), NOON)
    ended = answered(sent, said())
    assert unanswered(ended, 1, later(3)) is ended
    second = taken_up(sent, later(LEASE_SECONDS))
    assert unanswered(second, 1, later(LEASE_SECONDS + 1)) is second, "it was the first attempt that failed"


@pytest.mark.parametrize("other", [said("refused", "B1"), said("accepted", "B2")])
def test_what_contradicts_is_kept_once_and_changes_nothing_else(other: object) -> None:
    ended = answered(payment(), said("accepted", "B1"))
    disputed = answered(ended, other)  # type: ignore[arg-type]
    assert (disputed.state, disputed.answer, disputed.disputed) == ("accepted", ended.answer, (other,))
    assert answered(disputed, other) is disputed  # type: ignore[arg-type]
    assert answered(disputed, said("accepted", "B1")) is disputed


@pytest.mark.parametrize(
    ("kind", "verdict", "waits"),
    [
        ("collect", "refused", False),
        ("disburse", "refused", True),
        ("give_back", "refused", True),
        ("collect", "accepted", False),
    ],
)
def test_a_person_closes_what_waits_for_one_and_nothing_else(kind: Any, verdict: Any, *, waits: bool) -> None:
    ended = answered(payment(kind=kind), said(verdict))
    assert waits_for_somebody(ended) is waits
    if not waits:
        with pytest.raises(NothingToClose):
            closed(ended, "done", NOON)
        ended = answered(ended, said("accepted", "B7"))
    done = closed(ended, "done", later(5))
    assert not waits_for_somebody(done)
    assert (done.state, done.answer, done.disputed) == (ended.state, ended.answer, ended.disputed)
    with pytest.raises(NothingToClose):
        closed(done, "again", NOON)
    assert waits_for_somebody(answered(done, said("accepted", "B8"))), "a further dispute opens it again"


def test_what_has_no_answer_waits_for_the_bank() -> None:
    for state in ("queued", "sent", "unknown"):
        with pytest.raises(NothingToClose):
            closed(payment(state=state), "done", NOON)


def test_disputes_have_an_end() -> None:
    seen = answered(payment(), said())
    for n in range(MOST_DISPUTED + 5):
        seen = answered(seen, said("accepted", f"C{n}"))
    assert len(seen.disputed) == MOST_DISPUTED
    assert answered(seen, said("accepted", "D1")) is seen
    done = closed(seen, "done", NOON)
    assert answered(done, said("accepted", "C1")) is done, "nothing new"
    assert waits_for_somebody(answered(done, said("accepted", "D1"))), "also one that is not kept opens it again"


def test_what_was_collected_beyond_the_debt_is_given_back() -> None:
    ended = answered(payment(5_000, booked_fen=3_000), said())
    assert ended.rest_fen == 2_000
    back = giving_back(ended, ended.rest_fen, TODAY, NOON)
    assert (back.kind, back.amount_fen, back.undoes) == ("give_back", 2_000, ended.instruction_id)
    assert back.instruction_id != ended.instruction_id
    assert payment_view(ended).rest_fen == 2_000
    refused = answered(back, said("refused"))
    backs = (None, back, answered(back, said()), refused, closed(refused, "paid-by-hand", NOON))
    told = [payment_view(ended, one).said for one in backs]
    assert told[0] == told[1]
    assert len({one.zh for one in told}) == len({one.en for one in told}) == 4
    assert "是您的" in told[3].zh
    assert payment(5_000).rest_fen == 0, "nothing was collected yet"


def test_every_state_is_told_in_words() -> None:
    told = [payment_view(payment(state=s, booked_fen=5_000)).said for s in ("queued", "sent", "unknown", "refused")]
    told.append(payment_view(answered(payment(booked_fen=5_000), said())).said)
    assert len({one.zh for one in told}) == len({one.en for one in told}) == 5
