"""R, its error, and the interpolation: against numpy and against figures worked by hand."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from chalicelib.linking.rules.reference import (
    R_CEILING,
    R_FLOOR,
    interpolate,
    r_of_rank,
    rank_of_r,
    spread_r,
    standard_error_r,
)


@pytest.mark.parametrize(("p", "r"), [(0.5, 500.0), (0.841344746, 600.0), (0.022750132, 300.0), (0.951, 665.46)])
def test_r_of_a_percentile_rank(p: float, r: float) -> None:
    assert r_of_rank(p) == pytest.approx(r, abs=0.01)
    assert rank_of_r(r) == pytest.approx(p, abs=1e-4)


@pytest.mark.parametrize(("p", "r"), [(0.0, R_FLOOR), (1e-9, R_FLOOR), (1.0, R_CEILING)])
def test_ranks_are_clamped(p: float, r: float) -> None:
    assert round(r_of_rank(p), 2) == r
    assert pytest.approx(24.66) == R_FLOOR
    assert pytest.approx(975.34) == R_CEILING


def test_the_error_in_the_middle_is_the_textbook_one() -> None:
    assert standard_error_r(500.0, 10_000) == pytest.approx(100 * sqrt(0.25 / 10_000) * sqrt(2 * np.pi))


def test_the_error_agrees_with_simulated_samples() -> None:
    draws = np.random.default_rng(7).binomial(2_000, 0.9, size=20_000) / 2_000
    simulated = np.std([r_of_rank(p) for p in draws[:4_000]])
    assert standard_error_r(r_of_rank(0.9), 2_000) == pytest.approx(simulated, rel=0.05)


def test_tails_of_fewer_than_ten_people_are_pooled() -> None:
    assert standard_error_r(R_CEILING, 1_000) == standard_error_r(r_of_rank(0.99), 1_000)
    assert standard_error_r(R_FLOOR, 12) == standard_error_r(500.0, 12)


def test_errors_add_in_squares() -> None:
    assert spread_r(500.0, (10_000, 10_000), (10.0,)) == pytest.approx(
        sqrt(2 * standard_error_r(500.0, 10_000) ** 2 + 100)
    )


def test_interpolation_is_bit_for_bit_that_of_numpy() -> None:
    random = np.random.default_rng(3)
    for size in (2, 3, 50, 700):
        xs = np.unique(np.round(random.uniform(0, 1000, size), 2))
        ys = np.sort(random.normal(500, 100, len(xs)))
        points = np.concatenate([random.uniform(-10, 1010, 2_000), xs])
        for v, expected in zip(points.tolist(), np.interp(points, xs, ys).tolist(), strict=True):
            assert interpolate(xs.tolist(), ys.tolist(), v) == expected
