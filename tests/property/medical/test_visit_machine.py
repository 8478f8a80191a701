"""LIMIT, LEDGER and ONCE of visits and bills: two hospitals, a bank and a city do whatever they like, in any order.

Visits are opened, in an emergency too, raised, settled and cancelled; their items entered, insured, withdrawn, captured
and refunded; what is owed is repaid, paid back, written off; lines are closed, opened and booked anew, and hear of a
new score late, twice or never. After each step everything stored is compared with a model that is too plain to be
wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize

from chalicelib.core import clock
from chalicelib.core.stream import Change
from tests.integration.core.faults import lost_after, lost_before
from tests.property.medical.asking import SKEWS, Asking, faults, run
from tests.property.medical.line_requests import moving
from tests.property.medical.line_ward import CLOSING, HOSPITALS
from tests.property.medical.visit_model import LEAST_FEN, Item, Patient, Town, Visit
from tests.property.medical.visit_requests import (
    admitting,
    capturing,
    ending,
    entering,
    insuring,
    opening_a_line,
    past_the_visit,
    paying_out,
    raising,
    rebooking,
    refunding,
    repaying,
    withdrawing,
    writing_off,
)
from tests.property.medical.visit_ward import Desk, desk
from tests.property.offers.deal_requests import Request, barring
from tests.world import BANK

Act = Callable[[], None]
SCORES, LEAST = [640, 450, 693, 520, 600], 450
AMOUNTS_FEN = [60_000, 30_000, 150_000, 700, 20_001, 1, 10_000, 300_001]
PARTS = [0, 3, 1, 10, 2]
ITEMS = [f"item-{number}" for number in range(12)]
# How often each of them happens, where it can.
OFTEN = {
    "treat": 8, "meet": 5, "step": 2, "refund": 4, "repay": 7, "raise_one": 7, "admit": 4, "emergency": 2, "settle": 3,
    "lower_a_limit": 5, "reopen": 4, "pay_and_refund": 5, "rescore": 4, "hear": 4, "rebook": 3, "write_off": 3,
    "pay_out": 3, "wait": 2, "wait_for_a_hold": 2, "ask_again": 14, "move_a_line": 2, "resume": 5, "open_a_line": 7,
    "bar": 1, "lift": 5, "refuse": 3, "agree": 4, "end_the_policy": 1, "put_it_in_force": 8, "go_past_the_visit": 1,
    "ask_something_else_under_the_same_key": 1,
}  # fmt: skip
OF_OPEN_VISITS = {"lower_a_limit", "reopen", "treat", "meet", "raise_one", "settle", "wait_for_a_hold"}


class Visits(Asking):
    """The ward, the model, every request that was ever made, and all news of scores."""

    ward: ClassVar[Desk]
    often: ClassVar = OFTEN
    looked_at_after: ClassVar = frozenset({"open", "visit", "relimit", "raise", "capture"})
    model: Town

    def __init__(self) -> None:
        super().__init__()
        self.news: list[tuple[Patient, Change]] = []

    def check(self) -> None:
        self.ward.check(self.model)

    @initialize(data=st.data())
    def open_the_ward(self, data: st.DataObject) -> None:
        self.draw, self.model = data.draw, self.ward.begin()
        for who in self.model.people[:2]:
            self.first(self.opening(who), [])
            self.admit_one(who, self.any_of(AMOUNTS_FEN[:3]))
            if self.open_visits():
                self.treat()

    def can(self, what: str) -> bool:
        found = {
            "refund": self.captured(), "repay": self.owing(), "rebook": self.lent(), "write_off": self.owing(),
            "pay_out": [who for who in self.lent() if who.bill.back_fen], "move_a_line": self.lent(),
            "resume": self.model.suspended(), "open_a_line": self.without(), "lift": self.model.barred(),
            "pay_and_refund": [one for one in self.captured() if one[1].captured_fen > one[1].refunded_fen],
            "hear": self.news,
            "step": self.model.known(), "agree": self.refusing(), "go_past_the_visit": self.model.known(),
            "end_the_policy": not self.model.ended, "put_it_in_force": self.model.ended,
        }  # fmt: skip
        if what in OF_OPEN_VISITS:
            return bool(self.open_visits())
        return bool(found[what]) if what in found else super().can(what)

    def lent(self) -> list[Patient]:
        return [who for who in self.model.people if who.line is not None]

    def without(self) -> list[Patient]:
        return [who for who in self.model.people if not who.live or who.bill.over(self.now)]

    def owing(self) -> list[Patient]:
        return [who for who in self.lent() if who.bill.owed_fen(who.bill.day(self.now))]

    def refusing(self) -> list[tuple[Patient, str]]:
        return [(who, hospital) for who in self.model.people for hospital in sorted(who.refused)]

    def captured(self) -> list[tuple[Visit, Item]]:
        return [(visit, item) for visit in self.model.known() for item in visit.items if item.captured_fen]

    def open_visits(self) -> list[Visit]:
        return [visit for visit in self.model.going_on() if visit.open_at(self.now)]

    def visit(self) -> Visit:
        """A visit, most often one that goes on."""
        return self.any_of([*self.open_visits(), *self.open_visits(), *self.model.known()])

    def known(self, who: Patient) -> str:
        return self.ward.world.known_to(BANK, who.name)

    def opening(self, who: Patient) -> Request:
        return opening_a_line(self.model, who, self.known(who))

    def shown(self, who: Patient, hospital: str, *, face: bool = True) -> str:
        # So that nobody shows more passes in a minute than he may.
        self.now += timedelta(seconds=7)
        with clock.fixed(self.now):
            return self.ward.reception.show(who.name, hospital, face=face)

    def admit_one(self, who: Patient, fen: int, *, emergency: bool = False, face: bool = True) -> None:
        hospital = self.any_of(HOSPITALS)
        shown = self.shown(who, hospital, face=face), self.now, face
        self.first(admitting(self.model, who, hospital, fen, shown, emergency=emergency))

    def admit(self) -> None:
        self.admit_one(self.any_of([*self.lent(), *self.model.people]), self.any_of(AMOUNTS_FEN))

    def emergency(self) -> None:
        """As much as the line bears, which is opened on the spot if there is none."""
        who, face = self.any_of(self.model.people[::-1]), self.any_of([True, True, False])
        self.admit_one(who, self.any_of(AMOUNTS_FEN), emergency=True, face=face)

    def treat(self) -> None:
        """An item from its entry to its capture, as far as it comes."""
        self.treat_one(self.any_of(self.open_visits()))

    def treat_one(self, visit: Visit) -> None:
        """The same in a certain visit."""
        made = self.item(visit)
        self.first(entering(visit, made))
        if visit.item(made.item_id) is made and made.insurance_fen is None and self.any_of([True, True, True, False]):
            insurance_fen = self.any_of([0, 1, made.amount_fen // 2, made.amount_fen, made.amount_fen + 1])
            self.first(insuring(visit, made.item_id, insurance_fen))
        self.first(capturing(visit, made.item_id))

    def item(self, visit: Visit) -> Item:
        """One that the visit's holds cover, or not."""
        held_fen = visit.held_fen(self.now)
        own_fen = max(1, self.any_of([held_fen // 2, held_fen, held_fen // 3, held_fen + 1, held_fen // 4, 70]))
        insurance_fen = self.any_of([0, None, 500, 0, own_fen])
        amount_fen = own_fen + (insurance_fen or 0) * self.any_of([1, 1, 0])
        new = next((item_id for item_id in ITEMS if visit.item(item_id) is None), ITEMS[0])
        return Item(self.any_of([new] * 6 + [ITEMS[0]]), amount_fen, insurance_fen)

    def raise_one(self) -> None:
        """And most often an item is captured from more than one hold then."""
        visit = self.visit()
        self.first(self.raising(visit))
        held_fen = visit.held_fen(self.now)
        if held_fen > 1 and self.any_of([True, True, False]):
            made = Item(f"item-r{len(visit.items)}", held_fen - self.any_of([1, 0]), 0)
            self.first(entering(visit, made))
            self.first(capturing(visit, made.item_id))

    def raising(self, visit: Visit) -> Request:
        shown = None
        if self.any_of([True, False]):
            shown = self.shown(visit.who, visit.hospital), self.now
        return raising(self.model, visit, self.any_of(AMOUNTS_FEN), shown)

    def settle(self) -> None:
        """A visit ends, if its items let it."""
        visit = self.visit()
        for item in [item for item in visit.items if not item.done]:
            self.first(self.any_of([withdrawing, capturing])(visit, item.item_id))
        self.first(ending(visit, self.any_of(["settle", "settle", "cancel"])))

    def step(self) -> None:
        """A step of any visit, wherever it stands."""
        self.first(self.step_of(self.any_of(self.model.known())))

    def step_of(self, visit: Visit) -> Request:
        item_id = self.any_of([*(item.item_id for item in visit.items), ITEMS[0]])
        verb = self.any_of(["capture", "refund", "raise", "settle", "cancel", "withdraw", "insure", "enter"])
        if verb in {"settle", "cancel"}:
            return ending(visit, verb)
        if verb == "raise":
            return raising(self.model, visit, self.any_of(AMOUNTS_FEN), None)
        if verb == "enter":
            return entering(visit, self.item(visit))
        fen = self.any_of(AMOUNTS_FEN)
        by = {"refund": refunding, "insure": insuring}
        plain = {"capture": capturing, "withdraw": withdrawing}
        return by[verb](visit, item_id, fen) if verb in by else plain[verb](visit, item_id)

    def meet(self) -> None:
        """Between the look of one at a visit, or its line, and his write, another does something with it."""
        visit = self.visit()
        one, other = (self.either_of(visit, verb) for verb in (self.any_of(["visit", "visit", "bank"]), "any"))
        self.first_meeting(one, other)

    def either_of(self, visit: Visit, whose: str) -> Request:
        """Something that a hospital does with a visit, or its bank with the line."""
        who = visit.who
        if whose == "visit" or (whose == "any" and self.any_of([True, False])):
            return self.step_of(visit)
        verb = self.any_of(["repay", "close", "suspend", "relimit", "write-off", "repay"])
        if verb == "repay":
            return repaying(who, self.known(who), self.fen_of(who))
        if verb == "write-off":
            return writing_off(who, self.known(who))
        return rebooking(self.model, who, self.known(who)) if verb == "relimit" else moving(who, verb, self.known(who))

    def refund(self) -> None:
        visit, item = self.any_of(self.captured())
        left_fen = item.captured_fen - item.refunded_fen
        self.first(refunding(visit, item.item_id, max(1, self.any_of([left_fen // 2, left_fen, 1, left_fen + 1]))))

    def repay(self) -> None:
        who = self.any_of(self.owing())
        self.first(repaying(who, self.known(who), self.fen_of(who)))

    def fen_of(self, who: Patient) -> int:
        """A part of what somebody owes, all of it, or more."""
        owed_fen = who.bill.owed_fen(who.bill.day(self.now))
        part_fen = owed_fen // self.any_of([2, 1, 3, 5, 1])
        return max(1, part_fen + self.any_of([0, 0, 0, 1, -1]) if owed_fen > LEAST_FEN else self.any_of([owed_fen, 99]))

    def pay_out(self) -> None:
        who = self.any_of([who for who in self.lent() if who.bill.back_fen])
        self.first(
            paying_out(who, self.known(who), max(1, who.bill.back_fen // self.any_of([1, 2]) + self.any_of([0, 1])))
        )

    def write_off(self) -> None:
        """What is owed, be it late enough or not."""
        who = self.any_of(self.owing())
        self.now = min(CLOSING, self.now + timedelta(days=self.any_of([7, 0, 6, 30])))
        self.first(writing_off(who, self.known(who)))

    def lower_a_limit(self) -> None:
        """LIMIT: below what is held, by whatever way; it breaks no hold, and what was held is captured."""
        visit = self.any_of(self.open_visits())
        self.rescore_one(visit.who, LEAST)
        rebook: Act = partial(self.rebook_one, visit.who)
        self.any_of([self.hear, rebook, rebook])()
        self.treat_one(visit)

    def reopen(self) -> None:
        """A line is closed and opened anew, with all that is owed and held on it."""
        visit = self.any_of(self.open_visits())
        self.first(moving(visit.who, "close", self.known(visit.who)))
        self.first(self.opening(visit.who))
        self.treat_one(visit)

    def pay_and_refund(self) -> None:
        """LEDGER: a part of what is owed is paid, and then a part of what was paid given back."""
        visit, item = self.any_of(self.captured())
        self.first(repaying(visit.who, self.known(visit.who), self.fen_of(visit.who)))
        left_fen = item.captured_fen - item.refunded_fen
        self.first(refunding(visit, item.item_id, max(1, self.any_of([left_fen // 2, left_fen, left_fen // 3]))))

    def rebook(self) -> None:
        self.rebook_one(self.any_of(self.lent()))

    def rebook_one(self, who: Patient) -> None:
        """A line is booked anew, if there is one; and what is held on it is captured all the same."""
        if who.line is not None:
            self.first(rebooking(self.model, who, self.known(who)))

    def move_a_line(self) -> None:
        who = self.any_of(self.lent())
        self.first(moving(who, self.any_of(["suspend", "close", "close"]), self.known(who)))

    def resume(self) -> None:
        who = self.any_of([who for who in self.lent() if who.bill.suspended])
        self.first(moving(who, "resume", self.known(who)))

    def open_a_line(self) -> None:
        """A new one, or what was closed anew; now and then one that is open."""
        known = [who for who in self.without() if who.line is not None]
        self.first(self.opening(self.any_of([*known, *known, *self.without(), self.model.people[0]])))

    def rescore(self) -> None:
        """A new score, most often of somebody for whom something is held; its news may come at once, late, or never."""
        held = [visit.who for visit in self.open_visits()]
        who = self.any_of([*held, *(self.lent() or self.model.people)])
        self.rescore_one(who, self.any_of([score for score in SCORES if score != who.score]))
        then: list[Act] = [self.hear, partial(self.rebook_one, who), self.admit, self.wait]
        self.any_of(then)()

    def rescore_one(self, who: Patient, score: int) -> None:
        """Somebody's city tells a new score, of which his line has not heard yet."""
        before = self.ward.account(who)
        with clock.fixed(self.now):
            self.ward.world.rescore(who.name, score)
        who.score = score
        self.news.append((who, Change(before, self.ward.account(who))))

    def hear(self) -> None:
        """News of somebody's score or suspension reaches his line, the latest or any before."""
        who, change = self.any_of(self.news[::-1])
        now, lost = self.now + timedelta(seconds=self.any_of(SKEWS)), self.draw(faults)
        done, writes = self.ward.hear(change, now, lost)
        assert done or {lost_before, lost_after} & set(lost)
        changed = (writes or done) and self.model.regraded(who, now)
        assert bool(changed) == bool(writes), "LIMIT: a line follows the score, once"
        self.changed = True

    def bar(self) -> None:
        """His city suspends what somebody's score gives."""
        self.bar_or_lift(self.any_of(self.model.people))

    def lift(self) -> None:
        self.bar_or_lift(self.any_of([who for who in self.model.people if who.barred]))

    def bar_or_lift(self, who: Patient) -> None:
        before = self.ward.account(who)
        request = barring(who, self.ward.world.client.people[who.name]["subject_id"], bars=not who.barred)  # type: ignore[arg-type]
        with clock.fixed(self.now):
            assert self.ward.world.post(request.path, request.actor, request.body).status < 300
        who.barred = not who.barred
        self.news.append((who, Change(before, self.ward.account(who))))

    def refuse(self) -> None:
        """CONSENT: somebody takes back what he has agreed to; what was held is captured all the same."""
        found = [(visit.who, visit.hospital) for visit in self.open_visits()]
        who, hospital = self.any_of([*found, *found, (self.model.people[0], HOSPITALS[0])])
        if hospital not in who.refused:
            with clock.fixed(self.now):
                self.ward.refuse(who, hospital)
            who.refused.add(hospital)
        if self.open_visits():
            self.treat()

    def agree(self) -> None:
        who, hospital = self.any_of(self.refusing())
        with clock.fixed(self.now):
            self.ward.agree(who, hospital)
        who.refused.remove(hospital)

    def end_the_policy(self) -> None:
        self.set_policy(ended=True)

    def put_it_in_force(self) -> None:
        self.set_policy(ended=False)

    def set_policy(self, *, ended: bool) -> None:
        with clock.fixed(self.now):
            self.ward.set_policy(ended=ended)
        self.model.ended = ended

    def go_past_the_visit(self) -> None:
        verb = self.any_of(["captures", "void", "raise"])
        self.first(past_the_visit(self.any_of(self.model.known()), verb))

    def wait_for_a_hold(self) -> None:
        """Until a hold lapses, by some clocks and not by others."""
        visit = self.any_of(self.open_visits())
        until: datetime = visit.open_at(self.now)[0].until
        self.now = min(CLOSING, max(self.now, until + timedelta(seconds=self.any_of([-20, -3, -1, 0, 20]))))


@pytest.fixture(scope="module")
def opened() -> Iterator[Desk]:
    with desk() as made:
        yield made


def test_LIMIT_LEDGER_ONCE_of_visits_and_bills_in_any_order(opened: Desk) -> None:
    run(Visits, opened, few=8, many=100)
