"""LIMIT and REWARD with a reviewer's exceptional limit: it gives and never takes, within its booking and its time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.ledger.rules import lines
from chalicelib.ledger.rules.lines import LineSuspended
from chalicelib.medical.rules import Limit
from chalicelib.medical.rules.credit import CreditLine, ExceptionalLimit, as_decided, excepted, rebooked
from chalicelib.medical.rules.policy import MAX_LIMIT_FEN
from chalicelib.subjects.rules import AccountRef
from tests.unit.medical import ward

REF = AccountRef("xiamen", "s_" + "a" * 26)
FEN = st.integers(0, 400_000)
DECIDED = st.one_of(st.none(), FEN)


def line(booked_fen: int, exception_fen: int | None, hours: int) -> CreditLine:
    until = ward.NOON + timedelta(hours=hours)
    exception = None if exception_fen is None else ExceptionalLimit(exception_fen, until, "xiamen.r1")
    made = CreditLine("xiamen", "demo-bank", REF, lines.opened(0, ward.NOON), 1, ward.TODAY, 0, booked_fen)
    return replace(made, exception=exception)


def limit(fen: int | None, *, suspended: bool = False) -> Limit:
    return Limit(None if suspended else fen, False, suspended, 1, 1)


@settings(max_examples=120)
@given(FEN, DECIDED, DECIDED, st.integers(-2, 2))
def test_LIMIT_an_exception_raises_a_limit_for_its_time_and_never_above_what_is_booked(
    booked: int, decided: int | None, exception: int | None, hours: int
) -> None:
    credit = line(booked, exception, hours)
    found = as_decided(credit, limit(decided), ward.NOON, MAX_LIMIT_FEN).limit_fen
    lasting = exception or 0 if hours > 0 else 0
    assert found == min(booked, max(decided or 0, lasting))
    under = as_decided(credit, limit(decided), ward.NOON, 100_000).limit_fen
    assert under == min(booked, max(decided or 0, min(lasting, 100_000)))
    away = limit(None, suspended=True)
    assert excepted(credit, away, ward.NOON, MAX_LIMIT_FEN) == away, "so nothing is opened by it meanwhile either"
    assert as_decided(credit, away, ward.NOON, MAX_LIMIT_FEN).suspended_for


@settings(max_examples=120)
@given(FEN, DECIDED, DECIDED, DECIDED, st.integers(-2, 2))
def test_REWARD_a_better_decision_is_never_worse_with_an_exception(
    booked: int, one: int | None, other: int | None, exception: int | None, hours: int
) -> None:
    worse, better = sorted((one, other), key=lambda fen: fen or 0)
    credit, policy = line(booked, exception, hours), ward.policy()
    assert (
        as_decided(credit, limit(worse), ward.NOON, MAX_LIMIT_FEN).limit_fen
        <= as_decided(credit, limit(better), ward.NOON, MAX_LIMIT_FEN).limit_fen
    )
    assert rebooked(credit, limit(worse), policy, ward.NOON).booked_fen <= (
        rebooked(credit, limit(better), policy, ward.NOON).booked_fen
    )


@settings(max_examples=80)
@given(FEN, DECIDED, DECIDED, st.integers(-2, 2), st.booleans())
def test_LIMIT_a_line_booked_anew_is_booked_for_its_limit(
    booked: int, decided: int | None, exception: int | None, hours: int, suspended: bool
) -> None:
    credit, policy = line(booked, exception, hours), ward.policy()
    try:
        after = rebooked(credit, limit(decided, suspended=suspended), policy, ward.NOON)
    except LineSuspended:
        assert suspended
        return
    assert not suspended
    assert after.booked_fen == after.line.limit_fen
    assert after.line.limit_fen == as_decided(after, limit(decided), ward.NOON, policy.ceiling_fen).limit_fen
    assert after.line.version > credit.line.version
