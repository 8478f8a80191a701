"""Statements of random sales and refunds, some of them late, against the ledger's own balances."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from chalicelib.core import clock, effect
from chalicelib.core.commit import EffectExists, Unit
from chalicelib.ledger import service, store
from chalicelib.ledger.rules import (
    LOOK_BACK_DAYS,
    DaysOutstanding,
    Entry,
    NothingToState,
    Party,
    Posting,
    Statement,
    balances,
    combined,
    digest_of,
    reversal,
)
from chalicelib.ledger.service import closing
from chalicelib.ledger.store import statements as stored
from tests.integration.ledger.posting import ZONE, entry_of, intent_of, post
from tests.integration.ledger.settling import closing_time, day, load, noon
from tests.unit.ledger.books import FARM, funded

NUMBERS = itertools.count(1)
EVER = (date(2026, 1, 1), date(2027, 1, 1))
SHARES = st.sampled_from([(10_000, 0, 0), (0, 10_000, 0), (5000, 3000, 2000), (3333, 3333, 3334), (1, 0, 9999)])
HOURS = st.integers(-12, 11)


@dataclass
class Sold:
    """A sale of some equal units, and what has been given back of it."""

    entry: Entry
    unit: list[Posting]
    left: int
    refunds: list[Entry]


class Days(RuleBasedStateMachine):
    """A merchant's days: what is posted on them, what turns up later, and what is closed in between."""

    @initialize(size=st.integers(1, 3), at_once=st.integers(1, 3), patience=st.sampled_from([0.0, 60.0]))
    def begin(self, size: int, at_once: int, patience: float) -> None:
        self.farm = Party("xiamen", "merchant", f"farm-{next(NUMBERS)}")
        self.today = 0
        self.entries: list[Entry] = []
        self.sales: list[Sold] = []
        self.closed: dict[date, str] = {}
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(stored, "LINES_A_PAGE", size)
        self.patch.setattr(store, "PAGES_AT_ONCE", at_once)
        self.patch.setattr(closing, "PATIENCE_SECONDS", patience)

    def teardown(self) -> None:
        try:
            if getattr(self, "entries", None):
                self.finish()
        finally:
            self.patch.undo()

    def take(self, make: Callable[[str], Entry]) -> Entry:
        key = f"{self.farm.partner_id}-{len(self.entries):05d}"
        self.entries.append(post(key, make(key)))
        return self.entries[-1]

    @rule(
        list_fen=st.integers(1, 10**7), paid_bp=st.integers(0, 10_000), shares=SHARES, units=st.integers(1, 3),
        hours=HOURS, late=st.integers(0, LOOK_BACK_DAYS - 1),
    )  # fmt: skip
    def sell(
        self, list_fen: int, paid_bp: int, shares: tuple[int, ...], units: int, hours: int, late: int
    ) -> None:  # fmt: skip
        unit = [
            Posting(posting.account.replace(FARM.name, self.farm.name), posting.asset, posting.amount)
            for posting in funded(list_fen, list_fen * paid_bp // 10_000, *shares)
        ]
        at = noon(self.today - late, hours)
        entry = self.take(lambda key: entry_of(key, at, self.farm, unit * units))
        self.sales.append(Sold(entry, unit, units, []))

    @precondition(lambda self: any(sold.left for sold in self.sales))
    @rule(data=st.data(), hours=HOURS, late=st.integers(0, 1))
    def refund(self, data: st.DataObject, hours: int, late: int) -> None:
        sold = data.draw(st.sampled_from([sold for sold in self.sales if sold.left]))
        units = data.draw(st.integers(1, sold.left))
        at = noon(self.today - late, hours)
        entry = self.take(
            lambda key: reversal(
                sold.entry, sold.refunds, combined(sold.unit * units),
                entry_id=intent_of(key).effect_id, at=at, day=clock.day_in(ZONE, at), purpose="refund",
            )
        )  # fmt: skip
        sold.left -= units
        sold.refunds.append(entry)

    @rule(days=st.integers(1, 3))
    def wait(self, days: int) -> None:
        self.today += days

    @rule(back=st.integers(0, 3))
    def close(self, back: int) -> None:
        self.close_up_to(self.today - back)
        self.check_chain()

    def close_up_to(self, number: int) -> None:
        intent = effect.intend("xiamen", "city", "xiamen", "close", f"{self.farm.partner_id}-{number}", None)
        for _ in range(200):
            with suppress(DaysOutstanding):
                try:
                    service.close_days(Unit(), intent, closing_time(self.today), self.farm, day(number))
                except EffectExists:
                    assert day(number) in self.closed
                except NothingToState:
                    known = self.closed or {entry.day for entry in self.entries}
                    assert all(of > day(number) for of in known)
                return
        raise AssertionError("closing does not come to an end")

    def statements(self) -> list[Statement]:
        return store.list_statements(self.farm, 500, None)[0][::-1]

    def check_chain(self) -> None:
        """What was closed stays; balances and numbers go on; no entry is stated twice."""
        found = self.statements()
        digests = {statement.day: digest_of(statement) for statement in found}
        assert digests.items() >= self.closed.items()
        self.closed = digests
        balance_fen, ids = 0, set[str]()
        for number, statement in enumerate(found, 1):
            lines = list(store.lines_of(statement))
            assert (statement.number, statement.opening_fen) == (number, balance_fen)
            balance_fen += sum(line.receivable_fen for line in lines)
            assert (statement.closing_fen, statement.lines) == (balance_fen, len(lines))
            assert not ids & {line.entry_id for line in lines}
            ids |= {line.entry_id for line in lines}
        assert [s.day for s in found] == [found[0].day + timedelta(days=n) for n in range(len(found))]

    def finish(self) -> None:
        """A day later everything is stated, and every statement can be made again."""
        self.today += 1
        self.close_up_to(self.today)
        self.check_chain()
        found = self.statements()
        ids = [line.entry_id for statement in found for line in store.lines_of(statement)]
        assert sorted(ids) == sorted(entry.entry_id for entry in self.entries)
        posted = store.entries_of(self.farm.name, *EVER)
        assert found[-1].closing_fen == balances(posted).get((self.farm.account("receivable"), "CNY"), 0)
        for statement in found:
            made = service.reproduce(self.farm, statement.day)
            assert (made.same, made.unstated) == (True, 0)


@pytest.mark.usefixtures("table")
def test_LEDGER_every_entry_is_in_one_statement_and_the_chain_sums_to_the_ledger() -> None:
    load()
    wanted = settings(
        max_examples=12, stateful_step_count=12, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )  # fmt: skip
    run_state_machine_as_test(Days, settings=wanted)
