"""How fast an import is, against the least a naive one could do: one conditional UpdateItem per row.

Both run on the same Dynoxide, with as many threads, from this process. The floor is a bare botocore client that writes
the score attributes of one account under the condition that they are later, and nothing else. Ours is the import
service, called in process (no HTTP): it checks every row, reads the accounts, writes score and month of history, and
keeps the job's progress; and, beside it, the same with one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any

from chalicelib.core import config, effect
from chalicelib.core.commit import Unit
from chalicelib.scores import service
from chalicelib.scores.service import Row
from chalicelib.subjects.rules import HeldScore
from chalicelib.subjects.store import account_key, score_order
from infra.local.database import client
from tests.integration.scores import on_dynoxide, world

SUBJECTS = 2_000
CHUNK = 500
THREADS = 4
REPEATS = 3
LIMIT = 1.0
_SINCE = datetime(2025, 1, 1, tzinfo=UTC)


def measure() -> list[dict[str, Any]]:
    """Best of several interleaved repeats: name, floor_rows_per_second, ours_rows_per_second, ratio, limit."""
    with on_dynoxide.fresh_table() as database:
        world.found_city()
        subjects = world.enrol(*(f"n{number}" for number in range(SUBJECTS)))
        best: dict[tuple[str, int], float] = {}
        for threads in (THREADS, 1):
            for repeat in range(REPEATS):
                as_of = _SINCE + timedelta(days=40 * (2 * repeat + 10 * threads))
                floor = SUBJECTS / _floor_seconds(database.endpoint, as_of, threads)
                ours = SUBJECTS / _ours_seconds(subjects, as_of + timedelta(days=40), threads)
                best["floor", threads] = max(floor, best.get(("floor", threads), 0.0))
                best["ours", threads] = max(ours, best.get(("ours", threads), 0.0))
    return [_figure(best["floor", threads], best["ours", threads], threads) for threads in (THREADS, 1)]


def _figure(floor: float, ours: float, threads: int) -> dict[str, Any]:
    return {
        "name": f"scores.import in process, {threads} threads",
        "floor_rows_per_second": floor,
        "ours_rows_per_second": ours,
        "ratio": ours / floor,
        "limit": LIMIT,
    }


def _floor_seconds(endpoint: str, as_of: datetime, threads: int) -> float:
    bare = client(endpoint)
    order = score_order(as_of, 1)

    def update(number: int) -> None:
        pk, sk = account_key(world.account_of(f"n{number}"))
        bare.update_item(
            TableName=config.current().table,
            Key={"pk": {"S": pk}, "sk": {"S": sk}},
            UpdateExpression="SET score = :s, score_scale = :v, score_order = :o",
            ConditionExpression="attribute_not_exists(score_order) OR score_order < :o",
            ExpressionAttributeValues={":s": {"N": "650"}, ":v": {"N": "1"}, ":o": {"S": order}},
        )

    return _seconds(lambda: map(lambda number: lambda: update(number), range(SUBJECTS)), threads)


def _ours_seconds(subjects: list[str], as_of: datetime, threads: int) -> float:
    now = datetime.now(UTC)
    intent = effect.intend("xiamen", "city", "xiamen", "bench", as_of.isoformat(), None)
    sha256 = f"{int(as_of.timestamp()):064x}"
    job = service.open_import(Unit(), intent, now, "xiamen", sha256, "bench", 1, SUBJECTS)
    rows = [Row(subject, HeldScore(650, service.SCALE_OF_THE_IMPORT, as_of, 1)) for subject in subjects]

    def send(start: int) -> None:
        part = rows[start : start + CHUNK]
        progress = service.import_rows(now, "xiamen", job.job_id, start + 1, part, last=False)
        assert not progress.refused, "every row of the bench is good"

    seconds = _seconds(lambda: map(lambda start: lambda: send(start), range(0, SUBJECTS, CHUNK)), threads)
    found = service.open_import(Unit(), intent_again(as_of), now, "xiamen", sha256, "bench", 1, SUBJECTS)
    assert (found.state, found.counts.stored) == ("finished", SUBJECTS), "the bench imports every row"
    return seconds


def intent_again(as_of: datetime) -> effect.Intent:
    """Another request for the same import."""
    return effect.intend("xiamen", "city", "xiamen", "bench again", as_of.isoformat(), None)


def _seconds(tasks: Callable[[], Iterator[Callable[[], None]]], threads: int) -> float:
    started = perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(task) for task in tasks()]:
            done.result()
    return perf_counter() - started


if __name__ == "__main__":
    import json

    print(json.dumps(measure(), indent=2))
