"""Closing that is interrupted, runs out of time, or is done by several at once, ends as if done once."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from typing import Any

import pytest
from pynamodb.exceptions import TransactWriteError
from pynamodb.transactions import TransactWrite

from chalicelib.core import clock, effect, signing, table
from chalicelib.core.commit import EffectExists, Unit
from chalicelib.core.errors import Unavailable
from chalicelib.ledger import service, store
from chalicelib.ledger.rules import DaysOutstanding, Entry, SignedStatement, Statement, balances, digest_of
from chalicelib.ledger.service import closing
from chalicelib.ledger.store import statements as stored
from tests.integration.core.faults import CONFLICT, FAILED, Fault, cancelled, inject, lost_after, lost_before
from tests.integration.ledger.settling import Sales, closing_time, day, load, noon, stated_ids, statements
from tests.integration.scores import on_dynoxide
from tests.unit.ledger.books import FARM

OWED = (FARM.account("receivable"), "CNY")


@pytest.fixture
def sales(table: None) -> Sales:
    load()
    return Sales()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two lines a page, two pages a transaction: a day of ten entries takes three."""
    monkeypatch.setattr(stored, "LINES_A_PAGE", 2)
    monkeypatch.setattr(store, "PAGES_AT_ONCE", 2)
    monkeypatch.setattr(stored, "PAGES_READ_AT_ONCE", 2)


def close(number: int, key: str = "close", at: datetime | None = None) -> SignedStatement:
    intent = effect.intend("xiamen", "merchant", "qingliu-farm", "POST /close", f"{key}-{number}", None)
    return service.close_days(Unit(), intent, at or closing_time(number), FARM, day(number))


def closed(number: int, key: str = "close") -> SignedStatement:
    """Asks again and again, as a client does, until there is an answer."""
    for _ in range(60):
        try:
            return close(number, key)
        except (DaysOutstanding, TransactWriteError, Unavailable):
            continue
        except EffectExists:
            return store.load_statement(FARM, day(number))
    raise AssertionError("closing does not come to an end")


def everything() -> list[Entry]:
    return list(store.entries_of(FARM.name, date(2026, 1, 1), date(2027, 1, 1)))


def check_chain() -> None:
    """Every entry has one line, every statement follows from the one before, and all is as the ledger says."""
    found = statements()
    assert stated_ids() == [line.entry_id for s in found for line in store.lines_of(s)]
    assert sorted(stated_ids()) == sorted(entry.entry_id for entry in everything())
    assert [s.previous_sha256 for s in found] == [None, *map(digest_of, found[:-1])]
    assert found[-1].closing_fen == balances(everything())[OWED]
    for statement in found:
        made = service.reproduce(FARM, statement.day)
        assert (made.same, made.unstated) == (True, 0)


@pytest.mark.usefixtures("small")
def test_a_long_day_is_closed_in_steps_that_are_kept(sales: Sales, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(11):
        sales.sell(noon(0, n / 10))
    monkeypatch.setattr(closing, "PATIENCE_SECONDS", 0.0)
    for lines in (4, 8):
        with pytest.raises(DaysOutstanding, match=f"{day(0)}"):
            close(0)
        known, draft = store.latest_statements(FARM, 7)
        assert draft is not None
        assert (known, draft.day, draft.tally.lines) == ([], day(0), lines)
        assert store.find_statement(FARM, day(0)) is None
        assert store.list_statements(FARM, 50, None) == ([], None)
    statement = close(0).statement
    assert (statement.lines, statement.pages) == (11, 6)
    assert store.latest_statements(FARM, 7) == ([statement], None)
    check_chain()


@pytest.mark.usefixtures("small")
def test_what_appears_behind_the_last_step_is_stated_with_the_next_day(
    sales: Sales, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(9):
        sales.sell(noon(0, n / 10))
    monkeypatch.setattr(closing, "PATIENCE_SECONDS", 0.0)
    with pytest.raises(DaysOutstanding):
        close(0)
    behind, ahead = sales.sell(noon(0, 0.05)), sales.sell(noon(0, 0.75))
    closed(0)
    closed(1)
    first, second = statements()
    assert ahead.entry_id in {line.entry_id for line in store.lines_of(first)}
    assert [line.entry_id for line in store.lines_of(second)] == [behind.entry_id]
    check_chain()


@pytest.mark.usefixtures("small")
def test_many_late_entries_are_written_in_steps_too(sales: Sales, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(5):
        sales.sell(noon(0, n))
    closed(0)
    late = [sales.sell(noon(0, n + 0.5)) for n in range(7)]
    sales.sell(noon(1))
    monkeypatch.setattr(closing, "PATIENCE_SECONDS", 0.0)
    statement = closed(1).statement
    assert statement.totals.late.entries == len(late) == 7
    assert [line.late for line in store.lines_of(statement)] == [True] * 7 + [False]
    check_chain()


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("seed", range(8))
def test_ONCE_closing_survives_faults_between_any_two_steps(
    sales: Sales, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    for number in range(2):
        for n in range(chance.randint(1, 6)):
            sales.sell(noon(number, n / 10))
    kinds: list[Fault | None] = [None, lost_before, lost_after, cancelled(CONFLICT), beaten]
    monkeypatch.setattr(clock, "sleep", lambda seconds: None)
    inject(monkeypatch, iter([chance.choice(kinds) for _ in range(10)]))
    monkeypatch.setattr(closing, "PATIENCE_SECONDS", chance.choice([0.0, 8.0]))
    signed = closed(1)
    assert store.load_statement(FARM, day(1)) == signed
    assert effect.load(intent_id()).reply.count(signed.signature) == 1
    check_chain()


def beaten(transaction: TransactWrite, write: Callable[[], None]) -> None:
    """Somebody else has written the head meanwhile, as it seems."""
    if len(transaction._put_items) > 1:
        cancelled(FAILED)(transaction, write)
    write()


def intent_id() -> str:
    return effect.intend("xiamen", "merchant", "qingliu-farm", "POST /close", "close-1", None).effect_id


def test_conflicts_without_end_are_given_up(sales: Sales, monkeypatch: pytest.MonkeyPatch) -> None:
    sales.sell(noon(0))
    monkeypatch.setattr(clock, "stopwatch", lambda: 0.0)
    attempts = inject(monkeypatch, iter([cancelled(FAILED)] * 99))
    with pytest.raises(Unavailable):
        close(0)
    assert len(attempts.tokens) == closing.ATTEMPTS


def test_there_is_one_first_statement_whatever_the_index_shows(sales: Sales, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody whose index lags takes the second day for the first; before he writes, another closes both."""
    hidden, shown = sales.sell(noon(0)), sales.sell(noon(1))
    real = store.first_day_of
    monkeypatch.setattr(store, "first_day_of", lambda book: day(1))

    def between(*args: Any) -> str:
        monkeypatch.setattr(store, "first_day_of", real)
        monkeypatch.setattr(signing, "sign", real_sign)
        close(0, "another")
        return real_sign(*args)

    real_sign = signing.sign
    monkeypatch.setattr(signing, "sign", between)
    close(1)
    assert [s.number for s in statements()] == [1, 2]
    assert stated_ids() == [hidden.entry_id, shown.entry_id]
    check_chain()


def test_an_index_that_lags_loses_nothing(sales: Sales, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries that the index does not show yet are stated as soon as it does."""
    posted = [sales.sell(noon(0, n / 10)) for n in range(6)]
    real = store.places_of
    hidden = {posted[1].entry_id, posted[4].entry_id}

    def lagging(*args: Any) -> Any:
        return (place for place in real(*args) if place.entry_id not in hidden)

    monkeypatch.setattr(store, "places_of", lagging)
    monkeypatch.setattr(store, "count_entries", lambda *args: len(list(lagging(*args))))
    assert closed(0).statement.lines == 4
    assert closed(1).statement.lines == 0
    hidden.clear()
    assert closed(2).statement.totals.late.entries == 2
    check_chain()


class TestSideBySide:
    """On a database that executes one transaction after another."""

    @pytest.fixture
    def table(self) -> Iterator[None]:
        on_dynoxide.need()
        with on_dynoxide.fresh_table():
            yield

    @pytest.mark.usefixtures("small")
    def test_ONCE_those_who_close_the_same_days_at_once_get_the_same_statements(
        self, sales: Sales, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(4):
            for n in range(1 + 5 * number):
                sales.sell(noon(number, n / 10))
        monkeypatch.setattr(closing, "PATIENCE_SECONDS", 0.05)
        with ThreadPoolExecutor(6) as pool:
            signed = list(pool.map(lambda n: closed(3, f"closer{n}"), range(6)))
        assert set(signed) == {store.load_statement(FARM, day(3))}
        assert [s.number for s in statements()] == [1, 2, 3, 4]
        check_chain()

    def test_ONCE_selling_and_closing_at_once_state_every_entry_once(self, sales: Sales) -> None:
        """Sellers whose clocks are slow go on posting to days that are being closed."""
        for number in range(3):
            sales.sell(noon(number))

        def sell_late(seed: int) -> None:
            for n in range(12):
                sales.sell(noon(n % 3, seed / 100 + n / 1000))

        with ThreadPoolExecutor(4) as pool:
            selling = [pool.submit(sell_late, seed) for seed in (1, 2)]
            signed = [pool.submit(closed, number, f"closer{who}") for who in (1, 2) for number in range(3)]
            assert [each.result() for each in selling] == [None, None]
            assert len({each.result() for each in signed}) == 3
        closed(3)
        assert len(everything()) == 27
        check_chain()


def test_LEDGER_a_statement_of_a_day_does_not_depend_on_how_it_was_cut(
    sales: Sales, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(7):
        sales.sell(noon(0, n / 10))
    plain = closed(0).statement
    digests = set()
    for lines_a_page, at_once in ((1, 1), (2, 2), (3, 20)):
        monkeypatch.setattr(stored, "LINES_A_PAGE", lines_a_page)
        monkeypatch.setattr(store, "PAGES_AT_ONCE", at_once)
        for row in rows_of_chain():
            row.delete()
        again = closed(0, f"cut{lines_a_page}").statement
        assert isinstance(again, Statement)
        digests.add(again.lines_sha256)
        assert again.totals == plain.totals
    assert digests == {plain.lines_sha256}


def rows_of_chain() -> list[Any]:
    heads, _ = table.query(stored._StatementRow, "xiamen#statements#merchant/qingliu-farm", limit=99)
    chain, _ = table.query(stored._ChainRow, "xiamen#statements#merchant/qingliu-farm#chain", limit=9)
    return [*heads, *chain]
