"""Whatever the order of arrival, the account and its history end the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.scores.rules import Chunk, ImportRow, Month, Report, RowReply, ScoreImport, order_of, plan, with_rows
from chalicelib.subjects.rules import Account, AccountRef, HeldScore
from tests.integration.scores.world import scale

SCALE = scale()
SINCE = datetime(2025, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
PEOPLE = ("an", "bo", "ce")


def a_report(person: str, day: int, revision: int) -> Report:
    """The one report of this person, day and revision: its score follows from them."""
    as_of = SINCE + timedelta(days=day)
    score = HeldScore((day * 7 + revision * 13) % 1001, 1, as_of, revision)
    return Report(AccountRef("xiamen", person), score, as_of.strftime("%Y-%m"))


REPORTS = st.lists(
    st.builds(a_report, st.sampled_from(PEOPLE), st.integers(0, 120), st.integers(1, 3)), min_size=1, max_size=14
)


class Table:
    """The database as far as scores go: it applies a plan as the store's conditions would."""

    def __init__(self) -> None:
        refs = [AccountRef("xiamen", person) for person in PEOPLE]
        self.accounts = {ref: Account(ref, SINCE) for ref in refs}
        self.months: dict[Month, HeldScore] = {}

    def send(self, rows: Sequence[Report]) -> None:
        made = plan(rows, self.accounts, SCALE, NOW)
        writes = len(made.heads) + len(made.months) + len(made.late) + len({m.ref for m in made.late} - set(made.heads))
        assert writes <= 2 * len(rows)
        for ref, score in made.heads.items():
            held = self.accounts[ref].score
            assert held is None or order_of(score) > order_of(held)
            self.accounts[ref] = Account(ref, SINCE, score=score)
        for place, score in made.months.items():
            assert place not in self.months or order_of(score) > order_of(self.months[place])
            self.months[place] = score
        for place, score in made.late.items():
            if place not in self.months or order_of(score) > order_of(self.months[place]):
                self.months[place] = score


def in_batches(rows: Sequence[Report], cuts: Sequence[int]) -> Table:
    table = Table()
    ends = sorted({0, len(rows), *(cut for cut in cuts if cut < len(rows))})
    for start, end in pairwise(ends):
        table.send(rows[start:end])
    return table


@settings(max_examples=150, deadline=None)
@given(REPORTS, st.data())
def test_ONCE_any_order_with_duplicates_and_replays_ends_in_the_same_state(
    rows: list[Report], data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(rows), max_size=6))
    shuffled = data.draw(st.permutations([*rows, *again]))
    table = in_batches(shuffled, data.draw(st.lists(st.integers(1, len(shuffled)), max_size=6)))
    for ref, account in table.accounts.items():
        mine = [row.score for row in rows if row.ref == ref]
        assert account.score == max(mine, key=order_of, default=None)
    expected: dict[Month, HeldScore] = {}
    for row in sorted(rows, key=lambda row: order_of(row.score)):
        expected[row.place] = row.score
    assert table.months == expected


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 60), st.data())
def test_ONCE_chunks_in_any_order_and_overlapping_count_every_row_once(total: int, data: st.DataObject) -> None:
    job = ScoreImport("imp_1", "xiamen", "a" * 64, "a.csv", 1, total, SINCE)
    starts = data.draw(st.permutations(list(range(1, total + 1, 5))))
    more = data.draw(st.lists(st.tuples(st.integers(1, total), st.integers(1, 9)), max_size=8))
    chunks = [(start, 5) for start in starts]
    chunks = data.draw(st.permutations([*chunks, *more]))
    for first, size in chunks:
        chunk = Chunk(first, min(size, total - first + 1))
        job = with_rows(job, chunk, [ImportRow(row, RowReply("stored")) for row in chunk.numbers])
        known = [row for row in range(1, total + 1) if job.knows(row)]
        assert job.counts.stored == len(known)
        assert all(job.knows(row) for row in range(1, job.next_row))
        assert not job.knows(job.next_row)
    assert (job.state, job.next_row, job.ahead, job.counts.stored) == ("finished", total + 1, (), total)
