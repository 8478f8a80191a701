"""The ledger against a naive model: lists of amounts, summed anew for every question."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from chalicelib.core import codec
from chalicelib.ledger.rules import (
    Entry,
    Party,
    Posting,
    balances,
    beancount_account,
    check_entry,
    combined,
    remaining,
    reversal,
    trial_balance,
)
from tests.unit.ledger.books import BANK, CITY, FARM, NOON, PARKING, PLATFORM, entry_id

PARTIES = (FARM, CITY, PLATFORM, BANK, PARKING)
CNY = tuple(party.account(role) for party in PARTIES for role in ("receivable", "payable"))
CREDIT = tuple(party.account("opening") for party in PARTIES)
AMOUNTS = st.integers(1, 10**9) | st.sampled_from([1, 2, 3])
SLUGS = st.from_regex(r"[a-z][a-z0-9_-]{1,12}", fullmatch=True)


@st.composite
def balanced(draw: st.DrawFn, accounts: Sequence[str], asset: str) -> list[Posting]:
    """Postings to some of these accounts that sum to zero."""
    chosen = draw(st.lists(st.sampled_from(accounts), min_size=2, max_size=6, unique=True))
    amounts = [draw(AMOUNTS) * draw(st.sampled_from([1, -1])) for _ in chosen[1:]]
    return [Posting(chosen[0], asset, -sum(amounts)), *map(Posting, chosen[1:], [asset] * len(amounts), amounts)]


ENTRIES = st.tuples(balanced(CNY, "CNY"), st.just([]) | balanced(CREDIT, "CREDIT")).map(
    lambda two: combined([*two[0], *two[1]])
)


def some_of(left: Sequence[Posting], data: st.DataObject) -> list[Posting]:
    """Balanced parts of these balanced postings, other than none."""
    parts = []
    for asset in sorted({posting.asset for posting in left}):
        for sign in (1, -1):
            side = data.draw(st.permutations([p for p in left if p.asset == asset and p.amount * sign > 0]))
            if sign == 1:
                budget = data.draw(st.integers(1, sum(p.amount for p in side)))
            rest = budget
            for posting in side:
                taken = min(rest, abs(posting.amount))
                parts.append(Posting(posting.account, asset, sign * taken))
                rest -= taken
    return parts


class Ledger(RuleBasedStateMachine):
    """Posts and takes back; refuses to take back too much; is asked for balances of any instant."""

    originals: Bundle[Entry] = Bundle("originals")

    @initialize()
    def begin(self) -> None:
        self.now = NOON
        self.entries: list[Entry] = []
        self.written: list[str] = []
        self.model: list[tuple[datetime, list[tuple[str, str, int]]]] = []
        self.left: dict[str, Counter[tuple[str, str]]] = {}
        self.reversals: dict[str, list[Entry]] = defaultdict(list)

    def take(self, entry: Entry) -> Entry:
        self.entries.append(entry)
        self.written.append(codec.canonical(entry))
        self.model.append((entry.at, [(p.account, p.asset, p.amount) for p in entry.postings]))
        return entry

    def stamp(self) -> dict[str, Any]:
        return {
            "entry_id": entry_id(len(self.entries) + 1),
            "at": self.now,
            "day": (self.now + timedelta(hours=8)).date(),
        }

    @rule(milliseconds=st.integers(1, 10**8))
    def wait(self, milliseconds: int) -> None:
        self.now += timedelta(milliseconds=milliseconds)

    @rule(target=originals, postings=ENTRIES.filter(lambda found: len(found) >= 2))
    def post(self, postings: tuple[Posting, ...]) -> Entry:
        book = postings[0].account.rpartition("/")[0]
        made = self.take(check_entry(Entry(**self.stamp(), purpose="redeem", book=book, postings=postings)))
        self.left[made.entry_id] = Counter({(p.account, p.asset): p.amount for p in postings})
        return made

    @rule(postings=ENTRIES.filter(lambda found: len(found) >= 2), place=st.integers(0, 99), by=AMOUNTS)
    def post_what_does_not_balance(self, postings: tuple[Posting, ...], place: int, by: int) -> None:
        wrong = list(postings)
        spoilt = wrong[place % len(wrong)]
        wrong[place % len(wrong)] = Posting(spoilt.account, spoilt.asset, spoilt.amount + by)
        book = spoilt.account.rpartition("/")[0]
        with pytest.raises(AssertionError):
            check_entry(Entry(**self.stamp(), purpose="redeem", book=book, postings=tuple(wrong)))

    @rule(target=originals, original=originals, data=st.data())
    def take_back(self, original: Entry, data: st.DataObject) -> Any:
        left = remaining(original, self.reversals[original.entry_id])
        if not left:
            return multiple()
        parts = some_of(left, data)
        made = reversal(original, self.reversals[original.entry_id], parts, **self.stamp(), purpose="refund")
        self.reversals[original.entry_id].append(self.take(made))
        for part in parts:
            self.left[original.entry_id][part.account, part.asset] -= part.amount
        return multiple()

    @rule(original=originals, place=st.integers(0, 99), by=AMOUNTS, whole=st.booleans())
    def take_back_too_much(self, original: Entry, place: int, by: int, whole: bool) -> None:
        left = remaining(original, self.reversals[original.entry_id]) if whole else ()
        one = original.postings[place % len(original.postings)]
        other = next(p for p in original.postings if p.asset == one.asset and p.amount * one.amount < 0)
        over = abs(self.left[original.entry_id][one.account, one.asset]) * (not whole) + by
        sign = 1 if one.amount > 0 else -1
        extra = [Posting(one.account, one.asset, sign * over), Posting(other.account, other.asset, -sign * over)]
        with pytest.raises(AssertionError):
            reversal(original, self.reversals[original.entry_id], [*left, *extra], **self.stamp(), purpose="refund")

    @precondition(lambda self: any(self.reversals.values()))
    @rule(data=st.data())
    def take_back_what_was_taken_back(self, data: st.DataObject) -> None:
        undone = data.draw(st.sampled_from([entry for found in self.reversals.values() for entry in found]))
        with pytest.raises(AssertionError):
            reversal(undone, [], undone.postings, **self.stamp(), purpose="refund")

    @rule(data=st.data())
    def ask(self, data: st.DataObject) -> None:
        instants = [
            self.now + timedelta(days=1),
            *(at + timedelta(milliseconds=more) for at, _ in self.model for more in (0, 1)),
        ]
        before = data.draw(st.sampled_from(instants))
        naive: dict[tuple[str, str], int] = {}
        for at, amounts in self.model:
            for account, asset, amount in amounts if at < before else []:
                naive[account, asset] = naive.get((account, asset), 0) + amount
        shuffled = data.draw(st.permutations(self.entries))
        assert balances(shuffled, before) == naive
        assert list(balances(shuffled, before)) == sorted(naive)

    @invariant()
    def sums_to_zero(self) -> None:
        found = trial_balance(self.entries)
        assert found.balanced
        assert found.entries == len(self.model)
        for _, amounts in self.model:
            for asset in {asset for _, asset, _ in amounts}:
                assert sum(amount for _, its, amount in amounts if its == asset) == 0

    @invariant()
    def nothing_is_changed(self) -> None:
        assert [codec.canonical(entry) for entry in self.entries] == self.written

    @invariant()
    def no_more_is_taken_back_than_was_posted(self) -> None:
        for original in self.entries:
            if original.reverses is None:
                left = self.left[original.entry_id]
                assert all(
                    0 <= left[p.account, p.asset] * (1 if p.amount > 0 else -1) <= abs(p.amount)
                    for p in original.postings
                )
                found = remaining(original, self.reversals[original.entry_id])
                assert {(p.account, p.asset): p.amount for p in found} == {key: n for key, n in left.items() if n}


def test_LEDGER_postings_are_reversed_and_never_changed() -> None:
    run_state_machine_as_test(Ledger, settings=settings(max_examples=40, stateful_step_count=20, deadline=None))


def parties() -> st.SearchStrategy[Party]:
    kinds = st.sampled_from(["merchant", "parking_operator", "bank"])
    return st.builds(Party, SLUGS.filter(lambda s: "_" not in s), kinds, SLUGS)


@given(st.lists(st.tuples(parties(), st.sampled_from(["receivable", "payable"])), max_size=30))
def test_two_accounts_are_two_accounts_in_beancount(found: Iterable[tuple[Party, str]]) -> None:
    names = {party.account(role) for party, role in found}
    assert len({beancount_account(name) for name in names}) == len(names)
