"""What one conversion costs, against the least it could: a bare ``bisect`` with interpolation in the same process.

A score is worked out once per pair of cities and then kept: "in memory" measures finding it again, which is what
nearly every request does, "first time" working it out. The floor gives one number; a first conversion gives point,
bounds, grid scores, grades and flags, so its ratio is told and has no limit.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from time import perf_counter
from typing import Any

from chalicelib.linking.rules import Converter, convert, convert_many, reaches, reference_value
from chalicelib.linking.rules.reading import reading_of
from tests.unit.linking.demo import SCALES, concordance

LIMIT = 4.0

_CALLS = 2_000
_REPEATS = 9


def measure() -> list[dict[str, Any]]:
    """Best of several repeats of each: name, floor_us, ours_us, ratio, limit (None: for information)."""
    home, host = concordance("hangzhou"), concordance("xiamen")
    scales = SCALES["hangzhou"], SCALES["xiamen"]
    scores = [400 + (i * 37) % 500 for i in range(_CALLS)]
    xs, ys = [s for s, _ in home.knots], [r for _, r in home.knots]

    def floor() -> None:
        for score in scores:
            _bare(xs, ys, score)

    def one() -> None:
        for score in scores:
            convert(score, home, scales[0], host, scales[1])

    def bulk() -> None:
        convert_many(scores, home, scales[0], host, scales[1])

    def value() -> None:
        for score in scores:
            reference_value(home, scales[0], score, host)

    def tier() -> None:
        for score in scores:
            reaches(float(score), host, scales[1], 650)

    floor_us, *ours = _best_us([floor, one, bulk, value, tier])
    first_us = _first_time_us(lambda: Converter(home, scales[0], host, scales[1]), sorted(set(scores)))
    names = ("linking.convert", "linking.convert_many", "linking.reference_value", "linking.reaches")
    measured = [(f"{name}, in memory", us, LIMIT) for name, us in zip(names, ours, strict=True)]
    return [
        {"name": name, "floor_us": floor_us, "ours_us": us, "ratio": us / floor_us, "limit": limit}
        for name, us, limit in [*measured, ("linking.convert, first time", first_us, None)]
    ]


def _first_time_us(converter: Callable[[], Converter], scores: list[int]) -> float:
    """Per score, by a converter that has seen none of them; making the converter, once per pair, is left out."""
    best = float("inf")
    for _ in range(_REPEATS):
        reading_of.cache_clear()
        convert_first = converter()
        started = perf_counter()
        for score in scores:
            convert_first(score)
        best = min(best, (perf_counter() - started) / len(scores) * 1e6)
    return best


def _bare(xs: list[int], ys: list[float], v: float) -> float:
    j = bisect_right(xs, v) - 1
    return (ys[j + 1] - ys[j]) / (xs[j + 1] - xs[j]) * (v - xs[j]) + ys[j]


def _best_us(runs: list[Callable[[], None]]) -> list[float]:
    best = [float("inf")] * len(runs)
    for _ in range(_REPEATS):
        for i, run in enumerate(runs):
            started = perf_counter()
            run()
            best[i] = min(best[i], (perf_counter() - started) / _CALLS * 1e6)
    return best
