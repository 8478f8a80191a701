"""The stored ledger against a naive model, with faults before and after each write and requests that come again."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from pynamodb.exceptions import TransactWriteError

from chalicelib.core import clock, effect
from chalicelib.core.commit import EffectExists
from chalicelib.core.effect import EffectRow
from chalicelib.ledger import store
from chalicelib.ledger.rules import Entry, Party, balances, remaining, reversal
from tests.integration.core.faults import CONFLICT, Fault, cancelled, inject, lost_after, lost_before
from tests.integration.ledger.posting import ZONE, entry_of, intent_of, post
from tests.unit.ledger.books import CITY, FARM, NOON, funded

FAULTS = st.lists(
    st.sampled_from([None, lost_before, lost_after, cancelled(CONFLICT), cancelled(CONFLICT)]), max_size=4
)  # fmt: skip
CITIES = itertools.count(1)
EVER = (date(2026, 1, 1), date(2027, 1, 1))


def replayed(exists: EffectExists, key: str) -> Entry:
    """The entry of the request's effect, as it was written the first time."""
    assert isinstance(exists.row, EffectRow)
    assert effect.replay(exists.row, intent_of(key)).postings is not None
    return store.load_entry(exists.row.effect_id)


class Books(RuleBasedStateMachine):
    """Posts and takes back under faults, each request until it is answered; then reads what is there."""

    @initialize()
    def begin(self) -> None:
        city_id = f"town-{next(CITIES)}"
        self.books = [Party(city_id, FARM.kind, FARM.partner_id), Party(city_id, CITY.kind)]
        self.now = NOON
        self.model: list[Entry] = []
        self.keys: dict[str, str] = {}

    def send(self, make: Callable[[str], Entry], faults: list[Fault | None]) -> None:
        """Sends a request again and again, through these faults, until its answer arrives."""
        key = f"{self.books[0].city_id}-{len(self.model):05d}"
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(clock, "sleep", lambda seconds: None)
            inject(patch, iter(faults))
            for _ in range(len(faults) + 1):
                made = make(key)
                try:
                    self.model.append(post(key, made))
                    break
                except TransactWriteError:
                    self.now += timedelta(seconds=1)
                except EffectExists as exists:
                    self.model.append(replayed(exists, key))
                    break
        self.keys[self.model[-1].entry_id] = key

    @rule(seconds=st.integers(1, 60_000))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(book=st.integers(0, 1), list_fen=st.integers(2, 10**6), paid_bp=st.integers(0, 9999), faults=FAULTS)
    def sell(self, book: int, list_fen: int, paid_bp: int, faults: list[Fault | None]) -> None:
        postings = funded(list_fen, list_fen * paid_bp // 10_000, 0, 6000, 4000)
        here = [
            type(p)(p.account.replace("xiamen/", self.books[0].city_id + "/", 1), p.asset, p.amount) for p in postings
        ]
        self.send(lambda key: entry_of(key, self.now, self.books[book], here), faults)

    @precondition(lambda self: any(entry.reverses is None for entry in self.model))
    @rule(data=st.data(), faults=FAULTS)
    def refund(self, data: st.DataObject, faults: list[Fault | None]) -> None:
        original = data.draw(st.sampled_from([entry for entry in self.model if entry.reverses is None]))
        earlier = [entry for entry in self.model if entry.reverses == original.entry_id]
        left = remaining(original, earlier)
        if left:
            self.send(lambda key: self.back(key, original, earlier), faults)
        else:
            with pytest.raises(AssertionError):
                self.back("key-again", original, earlier, original)

    def back(self, key: str, original: Entry, earlier: list[Entry], parts: Entry | None = None) -> Entry:
        stored = store.load_entry(original.entry_id)
        taken = parts.postings if parts else remaining(stored, earlier)
        day = clock.day_in(ZONE, self.now)
        return reversal(
            stored, earlier, taken, entry_id=intent_of(key).effect_id, at=self.now, day=day, purpose="refund"
        )

    @precondition(lambda self: bool(self.model))
    @rule(data=st.data())
    def ask_again(self, data: st.DataObject) -> None:
        """A request that was answered long ago comes once more, later and with another clock."""
        entry = data.draw(st.sampled_from(self.model))
        again = Entry(
            entry.entry_id, self.now, clock.day_in(ZONE, self.now), "redeem", entry.book, entry.postings, entry.reverses
        )
        with pytest.raises(EffectExists):
            post(self.keys[entry.entry_id], again)

    @rule(book=st.integers(0, 1), size=st.integers(1, 4), first=st.integers(-1, 3), days=st.integers(1, 3))
    def read_pages(self, book: int, size: int, first: int, days: int) -> None:
        start = NOON.date() + timedelta(days=first)
        until = start + timedelta(days=days)
        expected = [e for e in self.in_book(book) if start <= e.day < until]
        found: list[Entry] = []
        after: store.Position | None = None
        while True:
            page, after = store.list_entries(self.books[book].name, start, until, size, after)
            assert len(page) <= size
            found += page
            if after is None:
                break
        assert found == expected

    def in_book(self, book: int) -> list[Entry]:
        mine = [entry for entry in self.model if entry.book == self.books[book].name]
        return sorted(mine, key=lambda entry: (entry.day, entry.at, entry.entry_id))

    @invariant()
    def the_books_are_the_model(self) -> None:
        for number, book in enumerate(self.books):
            found = list(store.entries_of(book.name, *EVER))
            assert found == self.in_book(number)
            assert sum(balances(found).values()) == 0
            assert list(store.confirmed(found)) == found


@pytest.mark.usefixtures("table")
def test_LEDGER_what_is_acknowledged_is_posted_once_and_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.core.log.event", lambda *_, **__: None)
    wanted = settings(
        max_examples=12, stateful_step_count=12, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )  # fmt: skip
    run_state_machine_as_test(Books, settings=wanted)
