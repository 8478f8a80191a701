"""LIMIT and ONCE of lines and holds: hospitals, a bank and a city do whatever they like, in any order.

After each step everything stored is compared with a model that is too plain to be wrong. Visits and bills have a
machine of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize

from chalicelib.core import clock
from tests.property.medical.asking import Asking, run
from tests.property.medical.line_model import Model, Person, Placed
from tests.property.medical.line_requests import capturing, moving, opening, placing, raising, voiding
from tests.property.medical.line_ward import CLOSING, HOSPITALS, Ward, ward
from tests.property.offers.deal_requests import Request, barring
from tests.world import BANK

SCORES = [640, 450, 693, 520, 600]
SMALL_FEN = [1, 700, 20_000]
AMOUNTS_FEN = [20_000, 700, 50_000, 1, 30_000, 50_001, 10_000, 100_000, 150_000, 200_000, 300_000, 300_001]
# How often each of them happens, where it can.
OFTEN = {
    "meet": 6, "capture": 8, "raise_one": 6, "capture_the_last": 2, "place": 6, "void": 1, "try_anything": 4,
    "try_what_lapsed": 3, "wait_for_a_hold": 3, "ask_again": 3, "rescore": 4, "wait": 2, "move_a_line": 2,
    "resume": 5, "open_a_line": 1, "bar": 1, "lift": 5, "ask_something_else_under_the_same_key": 1,
}  # fmt: skip
OF_HOLDS = {"raise_one", "capture", "capture_the_last", "void", "meet", "wait_for_a_hold"}


class Lines(Asking):
    """The ward, the model, and every request that was ever made."""

    often: ClassVar = OFTEN
    # In which shard a line is counted is its own business, and the next one to be opened has to know.
    looked_at_after: ClassVar = frozenset({"open"})
    model: Model

    def check(self) -> None:
        self.ward.check(self.model)

    @initialize(data=st.data())
    def open_the_ward(self, data: st.DataObject) -> None:
        self.draw, self.model = data.draw, self.ward.begin()
        for who in self.model.people[:2]:
            self.first(self.opening(who), [])
            self.first(self.placing(who, self.any_of(AMOUNTS_FEN)), [])

    def can(self, what: str) -> bool:
        if what in OF_HOLDS:
            return bool(self.model.open(self.now))
        if what in {"resume", "lift"}:
            return bool(self.model.suspended() if what == "resume" else self.model.barred())
        found = {"try_what_lapsed": self.model.lapsed(self.now), "try_anything": self.model.told()}
        return bool(found[what]) if what in found else super().can(what)

    def placing(self, who: Person, amount_fen: int) -> Request:
        hospital = self.any_of(HOSPITALS)
        with clock.fixed(self.now):
            pass_code = self.ward.world.show(who.name, hospital)
        return placing(who, hospital, amount_fen, pass_code, self.now)

    def opening(self, who: Person) -> Request:
        return opening(self.model, who, self.ward.world.known_to(BANK, who.name))

    def place(self) -> None:
        people = [who for who in self.model.people if who.line is not None and not who.line.closed]
        self.place_for(self.any_of([*people, *people, *self.model.people]), AMOUNTS_FEN)
        if self.model.open(self.now) and self.draw(st.booleans()):
            self.any_of([self.capture, self.raise_one, self.meet])()

    def place_for(self, who: Person, amounts_fen: Sequence[int]) -> None:
        # So that nobody shows more passes in a minute than he may.
        self.now += timedelta(seconds=7)
        self.first(self.placing(who, self.any_of(amounts_fen)))

    def raise_one(self) -> None:
        who, hold = self.any_of(self.model.open(self.now))
        self.first(raising(who, hold, self.any_of(AMOUNTS_FEN)))

    def capture(self) -> None:
        """A part of what is left, be it all of it: LIMIT, whatever has changed since it was held."""
        who, hold = self.any_of(self.model.open(self.now))
        part = self.any_of([10, 3, hold.left_fen, 1])
        self.first(capturing(who, hold, -(-hold.left_fen // part), final=False))

    def capture_the_last(self) -> None:
        who, hold = self.any_of(self.model.open(self.now))
        self.first(capturing(who, hold, self.any_of([1, hold.left_fen]), final=True))

    def void(self) -> None:
        self.first(voiding(*self.any_of(self.model.open(self.now))))

    def try_anything(self) -> None:
        """A step of any hold, wherever it stands, and for any amount."""
        self.first(self.step_of(*self.any_of(self.model.told())))

    def try_what_lapsed(self) -> None:
        self.first(self.step_of(*self.any_of(self.model.lapsed(self.now))))

    def step_of(self, who: Person, hold: Placed) -> Request:
        amount_fen, verb = self.any_of(AMOUNTS_FEN), self.any_of(["capture", "raise", "capture", "last", "void"])
        if verb == "void":
            return voiding(who, hold)
        if verb == "raise":
            return raising(who, hold, amount_fen)
        return capturing(who, hold, amount_fen, final=verb == "last")

    def meet(self) -> None:
        """Between the look of one at a line and his write, another does something with it, all of it."""
        who, hold = self.any_of(self.model.open(self.now))
        others = [self.step_of(who, hold), moving(who, self.any_of(["suspend", "close"]), self.known(who))]
        one, other = self.step_of(who, hold), self.any_of(others)
        self.first_meeting(one, other)

    def known(self, who: Person) -> str:
        return self.ward.world.known_to(BANK, who.name)

    def move_a_line(self) -> None:
        who = self.any_of([who for who in self.model.people if who.line is not None])
        self.first(moving(who, self.any_of(["suspend", "suspend", "resume", "close"]), self.known(who)))

    def resume(self) -> None:
        who = self.any_of(self.model.suspended())
        self.first(moving(who, "resume", self.known(who)))

    def open_a_line(self) -> None:
        without = [who for who in self.model.people if who.line is None or who.line.closed]
        self.first(self.opening(self.any_of(without or self.model.people)))

    def rescore(self) -> None:
        """LIMIT: a lower score breaks no hold, whatever is held after it."""
        who = self.any_of([who for who, _ in self.model.open(self.now)] or self.model.people)
        who.score = self.any_of([score for score in SCORES if score != who.score])
        with clock.fixed(self.now):
            self.ward.world.rescore(who.name, who.score)
        self.place_for(who, SMALL_FEN)

    def bar(self) -> None:
        """His city suspends what somebody's score gives."""
        self.bar_or_lift(self.any_of(self.model.people))

    def lift(self) -> None:
        self.bar_or_lift(self.any_of(self.model.barred()))

    def bar_or_lift(self, who: Person) -> None:
        request = barring(who, self.ward.world.client.people[who.name]["subject_id"], bars=not who.barred)  # type: ignore[arg-type]
        with clock.fixed(self.now):
            assert self.ward.world.post(request.path, request.actor, request.body).status < 300
        who.barred = not who.barred

    def wait_for_a_hold(self) -> None:
        """Until a hold lapses, by some clocks and not by others."""
        _, hold = self.any_of(self.model.open(self.now))
        self.now = min(CLOSING, max(self.now, hold.until + timedelta(seconds=self.any_of([-20, -3, -1, 0, 20]))))


@pytest.fixture(scope="module")
def opened() -> Iterator[Ward]:
    with ward() as made:
        yield made


def test_LIMIT_ONCE_of_lines_and_holds_in_any_order(opened: Ward) -> None:
    run(Lines, opened, few=8, many=100)
