"""Pages of lines: small enough to be stored, one in memory at a time, the same lines again."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import reduce

import pytest

from chalicelib.ledger import store
from chalicelib.ledger.rules import MOST_POSTINGS, Share, StatementLine, Tally, line_of, with_page
from chalicelib.ledger.store import statements as stored
from tests.unit.ledger.books import DAY, NOON, entry_id, sale
from tests.unit.ledger.test_statements import lines


def many(count: int, **changes: object) -> Iterator[StatementLine]:
    line = line_of(sale(1), DAY)
    for number in range(count):
        fresh: dict[str, object] = {"entry_id": entry_id(number), "at": NOON + timedelta(milliseconds=number)}
        yield replace(line, **{**fresh, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (1, [1]), (200, [200]), (201, [200, 1]), (450, [200, 200, 50])])
def test_a_page_has_two_hundred_lines_at_most(count: int, sizes: list[int]) -> None:
    assert [len(page.lines) for page in store.paged(many(count))] == sizes


def test_a_page_of_usual_lines_is_well_below_its_limit() -> None:
    (page,) = store.paged(many(200))
    assert len(page.document.encode()) < 50_000


def test_a_page_of_long_lines_is_cut_before_it_grows_too_large() -> None:
    owed = tuple(Share(f"{'c' * 24}/bank/{'b' * 46}{n:02d}", 2**53 - 1) for n in range(MOST_POSTINGS))
    pages = list(store.paged(many(100, purpose="x" * 120, by_funder=owed)))
    assert sum(len(page.lines) for page in pages) == 100
    assert max(len(page.document.encode()) for page in pages) < 64_000
    assert min(len(page.lines) for page in pages[:-1]) > 5


def test_lines_are_the_same_after_they_were_stored() -> None:
    every = [*lines(), *(line_of(sale(9, hours=5), DAY + timedelta(days=n)) for n in (0, 2))]
    for line in every:
        day = DAY + timedelta(days=2) if line.late else DAY
        (page,) = store.paged([line])
        assert stored._lines_in(stored._PageRow("pk", "sk", lines=page.document), day) == [line]


def test_lines_are_paged_and_summed_in_constant_memory() -> None:
    def peak(count: int) -> int:
        gc.collect()
        tracemalloc.start()
        tally = reduce(with_page, (page.lines for page in store.paged(many(count))), Tally())
        grown = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert (tally.lines, tally.totals.total.receivable_fen) == (count, 900 * count)
        return grown

    peak(1000)
    assert peak(4000) < 1.5 * peak(1000)
