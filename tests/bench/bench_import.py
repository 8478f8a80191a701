"""How fast an import is, against the least a naive one could do: one conditional UpdateItem per row.

Both run on the same Dynoxide, with as many threads, from this process. The floor is a bare botocore client that writes
the score attributes of one account under the condition that they are later, and nothing else. Ours is the import
service, called in process (no HTTP on either side of it): it opens every subject id, reads the accounts, writes score
and month of history, and keeps the import's progress.

The table has the definition that is deployed, stream included, and is fresh for each run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from time import perf_counter
from typing import Any

import tests.conftest  # noqa: F401 - the environment comes before whatever reads it

# isort: split

from chalicelib.core import config, effect
from chalicelib.core.commit import Unit
from chalicelib.scores import service
from chalicelib.scores.service import Row
from chalicelib.subjects.rules import HeldScore
from chalicelib.subjects.store import account_key, score_order
from infra.local.database import client
from tests.integration.scores import on_dynoxide, world

SUBJECTS = 800
CHUNK = 200
REPEATS = 3
LIMIT = 1.0
_AS_OF = datetime(2025, 8, 1, tzinfo=UTC)
_NAMES = [f"n{number}" for number in range(SUBJECTS)]


def measure() -> list[dict[str, Any]]:
    """Best of several interleaved repeats: name, floor_rows_per_second, ours_rows_per_second, ratio, limit."""
    return [_figure(threads) for threads in (1, 4)]


def _figure(threads: int) -> dict[str, Any]:
    runs = [(_on_a_fresh_table(_floor, threads), _on_a_fresh_table(_ours, threads)) for _ in range(REPEATS)]
    floor, ours = max(floor for floor, _ in runs), max(ours for _, ours in runs)
    return {
        "name": f"scores.import in process, threads: {threads}",
        "floor_rows_per_second": floor,
        "ours_rows_per_second": ours,
        "ratio": ours / floor,
        "limit": LIMIT,
    }


Tasks = Sequence[Callable[[], None]]


def _on_a_fresh_table(tasks_on: Callable[[str], Tasks], threads: int) -> float:
    """Rows per second."""
    with on_dynoxide.fresh_table() as endpoint:
        world.found_city()
        world.enrol(*_NAMES)
        tasks = tasks_on(endpoint)
        started = perf_counter()
        with ThreadPoolExecutor(threads) as pool:
            for done in [pool.submit(task) for task in tasks]:
                done.result()
        return SUBJECTS / (perf_counter() - started)


def _floor(endpoint: str) -> Tasks:
    bare = client(endpoint)
    return [partial(_update, bare, name) for name in _NAMES]


def _update(bare: Any, name: str) -> None:
    pk, sk = account_key(world.account_of(name))
    bare.update_item(
        TableName=config.current().table,
        Key={"pk": {"S": pk}, "sk": {"S": sk}},
        UpdateExpression="SET score = :s, score_scale = :v, score_order = :o",
        ConditionExpression="attribute_not_exists(score_order) OR score_order < :o",
        ExpressionAttributeValues={":s": {"N": "650"}, ":v": {"N": "1"}, ":o": {"S": score_order(_AS_OF, 1)}},
    )


def _ours(_: str) -> Tasks:
    now = datetime.now(UTC)
    intent = effect.intend("xiamen", "city", "xiamen", "bench", "bench", None)
    job = service.open_import(Unit(), intent, now, "xiamen", "a" * 64, "bench", 1, SUBJECTS)
    score = HeldScore(650, service.SCALE_OF_THE_IMPORT, _AS_OF, 1)
    rows = [Row(world.subject_id(name), score) for name in _NAMES]

    def send(start: int) -> None:
        part = rows[start : start + CHUNK]
        progress = service.import_rows(now, "xiamen", job.job_id, start + 1, part, last=False)
        assert not progress.refused, "every row of the bench is good"

    return [partial(send, start) for start in range(0, SUBJECTS, CHUNK)]


if __name__ == "__main__":
    import json

    print(json.dumps(measure(), indent=2))
