"""A line of credit as a state machine: servers with skewed clocks against a model that keeps a list of holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from chalicelib.core.errors import Problem
from chalicelib.ledger.rules import holds, lines
from chalicelib.ledger.rules.lines import (
    CaptureExceedsHold,
    Hold,
    HoldCaptured,
    HoldExceedsLimit,
    HoldExpired,
    HoldVoided,
    Line,
    LineClosed,
    LineSuspended,
)

NOON = datetime(2026, 8, 3, 4, tzinfo=UTC)
SKEWS = st.sampled_from([timedelta(seconds=s) for s in (-30, -1, 0, 1, 30)])
AMOUNTS = st.integers(1, 8)
FASTEST = timedelta(seconds=30)
T = TypeVar("T")
Refused = Callable[[datetime], type[Problem] | None]


@dataclass
class Kept:
    """A hold as the model keeps it; ``state`` says how it ended, by a verb."""

    hold: Hold
    until: datetime
    left: int
    captured: int = 0
    state: str = "open"


class OneLine(RuleBasedStateMachine):
    """One line and everything that ever lay on it. Time as the writers saw it only goes forward."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.latest = NOON
        self.limit, self.posted = 20, 0
        self.line = lines.opened(20, NOON)
        self.kept: list[Kept] = []
        self.causes: set[str] = set()
        self.closed = False

    def held(self, at: datetime) -> int:
        return sum(kept.left for kept in self.kept if kept.state == "open" and kept.until > at)

    def attempt(self, skew: timedelta, refused: Refused, verb: Callable[[datetime], T]) -> T | None:
        """The verb by a server whose clock is wrong by ``skew``; None if it was to be refused, and was, for that."""
        latest = max(self.latest, self.now + skew)
        problem = refused(latest)
        if problem is not None:
            with pytest.raises(problem):
                verb(self.now + skew)
            return None
        self.latest = latest
        return verb(self.now + skew)

    def wrote(self, line: Line) -> None:
        assert line.version == self.line.version + 1, "every write makes the next version"
        assert line.as_of == self.latest, "no writer goes back in time"
        self.line = line

    @rule(amount=AMOUNTS, skew=SKEWS, seconds=st.sampled_from([600, 60, 1]))
    def place(self, amount: int, skew: timedelta, seconds: int) -> None:
        """Whatever is free can be held, and nothing else: posted and held fit the limit when something is added."""

        def refused(at: datetime) -> type[Problem] | None:
            if self.closed:
                return LineClosed
            if self.causes:
                return LineSuspended
            return HoldExceedsLimit if self.posted + self.held(at) + amount > self.limit else None

        name = f"h{len(self.kept)}"
        step = self.attempt(skew, refused, lambda now: holds.place(self.line, name, amount, seconds, now))
        if step is not None:
            self.wrote(step.line)
            self.kept.append(Kept(step.hold, self.latest + timedelta(seconds=seconds), amount))

    def ended(self, kept: Kept, at: datetime) -> type[Problem] | None:
        if kept.state != "open":
            return HoldCaptured if kept.state == "captured" else HoldVoided
        return HoldExpired if kept.until <= at else None

    def one(self, data: st.DataObject) -> Kept:
        """One of the holds, mostly one that is open."""
        still = [kept for kept in self.kept if self.ended(kept, self.latest) is None]
        mostly = data.draw(st.sampled_from([True, True, True, False]))
        return data.draw(st.sampled_from(still if still and mostly else self.kept))

    @precondition(lambda self: self.kept)
    @rule(data=st.data(), skew=SKEWS, final=st.booleans())
    def capture(self, data: st.DataObject, skew: timedelta, final: bool) -> None:
        """A hold that is open and holds enough can always be captured, whatever became of its line."""
        kept = self.one(data)
        amount = data.draw(st.one_of(AMOUNTS, st.just(kept.left or 1)))

        def refused(at: datetime) -> type[Problem] | None:
            return self.ended(kept, at) or (CaptureExceedsHold if amount > kept.left else None)

        step = self.attempt(skew, refused, lambda now: holds.capture(self.line, kept.hold, amount, now, final=final))
        if step is not None:
            self.wrote(step.line)
            ends = final or amount == kept.left
            assert (step.captured_fen, step.returned_fen) == (amount, kept.left - amount if ends else 0)
            kept.hold, kept.left, kept.captured = step.hold, kept.left - amount, kept.captured + amount
            kept.state = "captured" if ends else "open"
            self.posted += amount

    @precondition(lambda self: self.kept)
    @rule(data=st.data(), skew=SKEWS)
    def void(self, data: st.DataObject, skew: timedelta) -> None:
        kept = self.one(data)
        refused = lambda at: self.ended(kept, at)  # noqa: E731
        step = self.attempt(skew, refused, lambda now: holds.void(self.line, kept.hold, now))
        if step is not None:
            self.wrote(step.line)
            assert (step.captured_fen, step.returned_fen) == (0, kept.left)
            kept.hold, kept.state = step.hold, "voided"

    @precondition(lambda self: self.posted)
    @rule(data=st.data(), skew=SKEWS)
    def release(self, data: st.DataObject, skew: timedelta) -> None:
        """What is repaid, refunded or written off leaves the line, whatever its state is."""
        amount = data.draw(st.integers(0, self.posted))
        line = self.attempt(skew, lambda _: None, lambda now: holds.released(self.line, amount, now))
        assert line is not None
        self.wrote(line)
        self.posted -= amount

    @precondition(lambda self: self.kept)
    @rule(change=st.sampled_from(["limit", "limit", "resume", "suspend", "close"]), skew=SKEWS, data=st.data())
    def change(self, change: str, skew: timedelta, data: st.DataObject) -> None:
        """Something about the line changes; nothing given is taken back."""
        limit = data.draw(st.integers(0, 40)) if change == "limit" else self.limit
        cause = data.draw(st.sampled_from(["overdue", "bank"])) if change in {"resume", "suspend"} else ""
        if change == "close" and len(self.kept) < 6:
            return
        verbs: dict[str, Callable[[datetime], Line]] = {
            "limit": lambda now: holds.relimit(self.line, limit, now),
            "resume": lambda now: holds.resume(self.line, cause, now),
            "suspend": lambda now: holds.suspend(self.line, cause, now),
            "close": lambda now: holds.close(self.line, now),
        }
        line = self.attempt(skew, lambda _: LineClosed if self.closed else None, verbs[change])
        if line is not None:
            self.wrote(line)
            self.limit, self.closed = limit, change == "close"
            self.causes = self.causes - {cause} if change == "resume" else self.causes | ({cause} - {""})

    @precondition(lambda self: self.kept)
    @rule(seconds=st.sampled_from([1, 15, 60, 700]))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @invariant()
    def every_reader_sees_what_the_list_says(self) -> None:
        assert self.line.check().posted_fen == self.posted
        for skew in (-FASTEST, timedelta(), FASTEST, timedelta(days=1)):
            at = max(self.now + skew, self.latest)
            assert lines.held(self.line, self.now + skew) == self.held(at)
            free = max(0, self.limit - self.posted - self.held(at))
            assert lines.available(self.line, self.now + skew) == free
        assert all(kept.captured + kept.left <= kept.hold.amount_fen for kept in self.kept)


BOUNDS = settings(max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_LIMIT_a_line_never_gives_more_than_its_limit_whatever_the_clocks_say() -> None:
    run_state_machine_as_test(OneLine, settings=BOUNDS)
