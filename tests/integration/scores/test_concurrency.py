"""Proofs that need a database which executes one transaction after another: Dynoxide, not moto."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.core import effect
from chalicelib.core.commit import Unit
from chalicelib.scores import service, store
from chalicelib.scores.rules import ScoreOutdated, order_of
from chalicelib.scores.service import SCALE_OF_THE_IMPORT, Row, reporting
from chalicelib.subjects.rules import HeldScore
from tests.conftest import Calls
from tests.integration.scores import on_dynoxide, world
from tests.integration.scores.conftest import City, row

NOW = datetime(2025, 12, 31, tzinfo=UTC)
SINCE = datetime(2025, 6, 1, tzinfo=UTC)


@pytest.fixture
def table() -> Iterator[None]:
    """A table on Dynoxide, in place of the usual one."""
    on_dynoxide.need()
    with on_dynoxide.fresh_table():
        yield


def months_of(name: str) -> dict[str, HeldScore]:
    found, last = store.list_months(world.account_of(name), 100, None)
    assert last is None
    return dict(found)


def latest_by_month(scores: list[HeldScore]) -> dict[str, HeldScore]:
    """What a history must hold: of every month (in UTC+8) the latest."""
    found: dict[str, HeldScore] = {}
    for score in sorted(scores, key=order_of):
        found[(score.as_of + timedelta(hours=8)).strftime("%Y-%m")] = score
    return found


def test_ONCE_threads_that_report_out_of_order_end_in_the_latest(table: None) -> None:
    world.found_city()
    names = ["an", "bo"]
    subjects = world.enrol(*names)
    reports = {
        name: [HeldScore(500 + n, 1, SINCE + timedelta(days=6 * n), 1 + n % 3) for n in range(20)] for name in names
    }
    rows = [Row(s, score) for s, name in zip(subjects, names, strict=True) for score in reports[name]] * 2
    random.Random(7).shuffle(rows)

    def send(part: list[Row]) -> None:
        for single in part[:10]:
            _tried(single)
        service.report_many(NOW, "xiamen", part[10:])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, [rows[start::8] for start in range(8)]))
    for name in names:
        assert world.held(name) == max(reports[name], key=order_of)
        assert months_of(name) == latest_by_month(reports[name])


def _tried(single: Row) -> None:
    with suppress(ScoreOutdated):
        service.report(NOW, "xiamen", single)


def test_ONCE_any_order_with_replays_ends_in_the_same_account_and_history(table: None) -> None:
    world.found_city()
    names = [f"n{number}" for number in range(6)]
    scores = [HeldScore(500 + n, 1, SINCE + timedelta(days=9 * n), 1 + n % 2) for n in range(14)]
    for seed, (name, subject) in enumerate(zip(names, world.enrol(*names), strict=True)):
        order = random.Random(seed)
        sent = [*scores, *order.choices(scores, k=8)]
        order.shuffle(sent)
        rows = [Row(subject, score) for score in sent]
        cut = order.randrange(len(rows))
        service.report_many(NOW, "xiamen", rows[:cut])
        for single in rows[cut:]:
            _tried(single)
        assert world.held(name) == scores[-1]
        assert months_of(name) == latest_by_month(scores)


def test_ONCE_chunks_that_come_side_by_side_and_twice_are_counted_once(table: None) -> None:
    world.found_city()
    subjects = world.enrol(*(f"n{number}" for number in range(90)))
    intent = effect.intend("xiamen", "city", "xiamen", "test", "import", None)
    job = service.open_import(Unit(), intent, NOW, "xiamen", "a" * 64, "scores.csv", 1, 90)
    rows = [Row(subject, HeldScore(650, SCALE_OF_THE_IMPORT, SINCE, 1)) for subject in subjects]
    rows[40] = Row(subjects[40], HeldScore(5000, SCALE_OF_THE_IMPORT, SINCE, 1))

    def send(start: int) -> int:
        part = rows[start : start + 15]
        return len(service.import_rows(NOW, "xiamen", job.job_id, start + 1, part, last=False).refused)

    with ThreadPoolExecutor(6) as pool:
        starts = [*range(0, 90, 15), *range(5, 75, 10)]
        refused = list(pool.map(send, starts))
    found = store.load_import("xiamen", job.job_id)
    assert (found.state, found.next_row, found.ahead) == ("finished", 91, ())
    assert found.counts.stored + found.counts.unchanged == 89
    assert found.counts.refused == 1
    assert [r.row for r in store.list_refused(found, 10)[0]] == [41]
    assert sum(refused) == len([s for s in starts if s <= 40 < s + 15])


def test_fifty_rows_are_one_read_and_one_write_of_a_hundred(xiamen: City, calls: Calls) -> None:
    rows = [row(subject) for subject in world.enrol(*(f"n{number}" for number in range(120)))]
    assert reporting.ROWS_AT_ONCE == 50
    xiamen.report(rows[119]["subject_id"], 650)
    assert calls.during(lambda: xiamen.batch(*rows[:50])) == {"BatchGetItem": 1, "TransactWriteItems": 1}
    assert calls.during(lambda: xiamen.batch(*rows)) == {"BatchGetItem": 3, "TransactWriteItems": 2}
