"""LEDGER: whatever happens to a bill, in whatever order and by whatever clock, the bank's books say what the bill says.

Requests go through the whole app. A model that only adds up what was asked for and granted is compared after each.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.core import clock
from chalicelib.core.text import Text
from chalicelib.medical.rules import Fee
from tests.in_process import Answer
from tests.integration.medical.clinic import SECOND, Clinic
from tests.integration.medical.debts import (
    ZONE,
    at,
    balances,
    bill,
    moved,
    own,
    pay_out,
    refund,
    repay,
    state,
    write_off,
)
from tests.world import HOSPITAL, World, own_world, world

__all__ = ["own_world", "world"]

START = at("2027-11-20")  # for months from here: the year's end and a leap day
FEE = Fee(Text("手续费", "Handling fee"), 3_000)
KINDS = ["capture", "capture", "repay", "repay", "repay_all", "refund", "refund", "pay_out", "write_off", "state"]
BALANCED = {"sales", "receivable", "payable", "loans", "cash", "fees", "interest", "losses"}
STEPS = st.lists(
    st.tuples(
        st.sampled_from(KINDS), st.sampled_from([0, 0, 1, 4, 13, 26]), st.integers(0, 10**6),
        st.sampled_from([0, 0, 0, -26 * 3600, 26 * 3600]),
    ),
    min_size=3, max_size=14,
)  # fmt: skip


@pytest.fixture(scope="module")
def clinic(world: World) -> Clinic:
    made = Clinic(world)
    terms = {"interest_free_days": 10, "reminder_days_before": 1, "write_off_days": 20, "hold_days": 366}
    made.in_force(made.policy(fees=(FEE,), minimum_repayment_fen=1, **terms))
    return made


@dataclass
class Debtor:
    """Somebody with a hold in each of two hospitals, and what was asked for of him and granted."""

    clinic: Clinic
    who: str
    holds: dict[str, str]
    now: datetime = START
    charges: list[tuple[str, str, str]] = field(default_factory=list)
    net: Counter[str] = field(default_factory=Counter)
    sums: Counter[str] = field(default_factory=Counter)

    def act(self, kind: str, number: int) -> None:
        """One request of this kind, with an amount made of the number; it may be refused for what the rules say."""
        getattr(self, kind)(number)

    def capture(self, number: int) -> None:
        actor = (HOSPITAL, SECOND)[number % 2]
        fen = 1 + number % 9_973
        answer = self.clinic.capture(self.holds[actor], fen, actor=actor)
        if self.granted(answer, "capture-exceeds-hold"):
            charge_id = answer.body["charge_id"]
            self.charges.append((actor, self.holds[actor], charge_id))
            self.net[charge_id] += fen
            self.sums["sales"] -= fen

    def refund(self, number: int) -> None:
        if not self.charges:
            return
        actor, hold_id, charge_id = self.charges[number % len(self.charges)]
        fen = 1 + number % (self.net[charge_id] + 1)
        answer = refund(self.clinic, hold_id, charge_id, fen, actor)
        if self.granted(answer, "refund-exceeds-capture"):
            self.net[charge_id] -= fen
            self.sums["sales"] += fen

    def repay(self, number: int) -> None:
        self.pay(1 + number % 20_000)

    def repay_all(self, number: int) -> None:
        found = bill(self.clinic, self.who)
        self.pay(max(1, found.on(found.day(clock.now())).owed_fen))

    def pay(self, fen: int) -> None:
        answer = repay(self.clinic, self.who, fen)
        if self.granted(answer, "repayment-exceeds-debt"):
            self.sums["cash"] += fen
            parts = [part[name] for part in answer.body["parts"] for name in part if name != "charge_id"]
            assert (sum(parts), min(parts) >= 0) == (fen, True)

    def pay_out(self, number: int) -> None:
        back_fen = bill(self.clinic, self.who).account.back_fen
        fen = 1 + number % (back_fen + 1)
        if self.granted(pay_out(self.clinic, self.who, fen), "payout-exceeds-credit"):
            self.sums["cash"] -= fen

    def write_off(self, number: int) -> None:
        self.granted(write_off(self.clinic, self.who), "write-off-too-early")

    def state(self, number: int) -> None:
        first = clock.day_in(ZONE, self.now).replace(day=1)
        month = first - timedelta(days=1 + 31 * (number % 2))
        self.granted(state(self.clinic, self.who, f"{month:%Y-%m}"), "nothing-billed")

    def granted(self, answer: Answer, *refusals: str) -> bool:
        assert answer.status in {200, 201} or answer.code in {*refusals, "month-not-over"}, answer.text
        return answer.status < 300

    def check(self) -> None:
        """The bank's books, the bill and what was granted say the same."""
        found, account = balances(self.clinic, self.who), bill(self.clinic, self.who).account
        assert found["loans"] == account.posted_fen - account.back_fen
        assert self.clinic.standing(self.who)[1] == account.posted_fen
        assert found.keys() <= BALANCED
        assert found["sales"] == found["payable"] == -found["receivable"] == self.sums["sales"]
        assert found["cash"] == self.sums["cash"]
        assert found["interest"] <= 0
        assert sum(found.values()) == 0


def debtor(clinic: Clinic) -> Debtor:
    with moved(START):
        who = clinic.insured()
        return Debtor(clinic, who, {actor: clinic.held(who, 40_000, actor) for actor in (HOSPITAL, SECOND)})


CAREFUL = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@CAREFUL
@given(STEPS)
def test_LEDGER_the_banks_books_say_what_the_bill_says(clinic: Clinic, steps: list[tuple[str, int, int, int]]) -> None:
    one = debtor(clinic)
    for kind, days, number, skew_seconds in steps:
        one.now += timedelta(days=days)
        with moved(one.now + timedelta(seconds=skew_seconds)):
            one.act(kind, number)
        one.check()
    with moved(one.now + timedelta(days=62)):
        stated_to_the_end(clinic, one)
    one.check()


def stated_to_the_end(clinic: Clinic, one: Debtor) -> None:
    """Every month is stated, each opens with what the one before closed with, and the last says what is posted."""
    last = (clock.day_in(ZONE, clock.now()).replace(day=1) - timedelta(days=1)).replace(day=1)
    if not one.charges:
        return
    assert state(clinic, one.who, f"{last:%Y-%m}").status == 200
    listed: list[Any] = own(clinic, one.who, "statements")["items"][::-1]
    for before, after in pairwise(listed):
        assert before["closing"] == after["opening"]
    read = [own(clinic, one.who, f"statements/{brief['month']}") for brief in listed]
    for brief, whole in zip(listed, read, strict=True):
        assert {name: whole[name] for name in brief} == brief | {"subject_id": whole["subject_id"]}
    moves = [move for whole in read for move in whole["movements"] if not move["off"]]
    assert sum(move["principal_fen"] for move in moves) == clinic.standing(one.who)[1]
    assert listed[-1]["closing"]["principal_fen"] == clinic.standing(one.who)[1]
