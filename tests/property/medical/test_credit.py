"""LIMIT along a line whose score moves: whatever is held fits what today's decision gives, to the fen."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.core.errors import Problem
from chalicelib.ledger.rules import holds, lines
from chalicelib.ledger.rules.lines import Hold
from chalicelib.medical.rules import Limit
from chalicelib.medical.rules.credit import CreditLine, as_decided, placed
from chalicelib.medical.rules.policy import MAX_LIMIT_FEN
from chalicelib.subjects.rules import AccountRef
from tests.unit.medical import ward

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["hold", "capture", "void", "suspend", "resume"]),
        st.integers(1, 600),
        st.one_of(st.none(), st.integers(0, 1_500)),
        st.integers(0, 40),
    ),
    max_size=25,
)


@settings(max_examples=150)
@given(STEPS)
def test_LIMIT_posted_and_held_fit_what_was_decided_when_it_was_held(
    steps: list[tuple[str, int, int | None, int]],
) -> None:
    now, placed_holds = ward.NOON, list[Hold]()
    ref = AccountRef("xiamen", "s_" + "a" * 26)
    credit = CreditLine("xiamen", "demo-bank", ref, lines.opened(1_000, now), 1, ward.TODAY, 0, 1_000)
    for number, (verb, fen, decided, days) in enumerate(steps):
        now += timedelta(days=days)
        line, limit = credit.line, Limit(decided, False, False, 1, 1)
        try:
            if verb == "hold":
                step = placed(credit, limit, f"h{number}", fen, ward.policy(), now)
                placed_holds.append(step.hold)
                line = step.line
                assert line.posted_fen + lines.held(line, now) <= min(decided or 0, credit.booked_fen)
            elif verb in {"capture", "void"} and placed_holds:
                hold = placed_holds.pop(0)
                step = holds.capture(line, hold, fen, now) if verb == "capture" else holds.void(line, hold, now)
                placed_holds.append(step.hold)
                line = step.line
                assert line.posted_fen - credit.line.posted_fen == step.captured_fen
            elif verb in {"suspend", "resume"}:
                line = (holds.suspend if verb == "suspend" else holds.resume)(line, "bank", now)
        except Problem:
            continue
        credit = replace(credit, line=line)
        assert line.limit_fen <= credit.booked_fen
        assert as_decided(credit, limit, now, MAX_LIMIT_FEN).posted_fen == line.posted_fen
