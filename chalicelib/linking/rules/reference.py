"""The reference scale: percentile rank to R and back, how sure an R is, and the one interpolation everything uses.

Source: Kolen & Brennan (2014), ch. 2 (percentile ranks) and 7 (standard errors, delta method).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from math import hypot, sqrt
from statistics import NormalDist

CLAMP = 1e-6
Z_ONE_SIDED_95 = 1.645
R_LEAST = 0.0
R_MOST = 1000.0

_NORMAL = NormalDist()
_POOLED_PEOPLE = 10


def r_of_rank(p: float) -> float:
    """R of a percentile rank in [0, 1]: 500 + 100·Φ⁻¹(p), with p held within [1e-6, 1 − 1e-6]."""
    return 500.0 + 100.0 * _NORMAL.inv_cdf(min(max(p, CLAMP), 1.0 - CLAMP))


def rank_of_r(r: float) -> float:
    """The percentile rank, in [0, 1], of an R."""
    return _NORMAL.cdf((r - 500.0) / 100.0)


R_FLOOR = round(r_of_rank(0.0), 2)
R_CEILING = round(r_of_rank(1.0), 2)


def standard_error_r(r: float, n: int) -> float:
    """Sampling error, in R, of a percentile rank known from ``n`` people: 100·√(p(1−p)/n) / φ(z).

    Tails of fewer than ten people are pooled: the delta method fails there.
    """
    edge = min(_POOLED_PEOPLE / n, 0.5)
    p = min(max(rank_of_r(r), edge), 1.0 - edge)
    return 100.0 * sqrt(p * (1.0 - p) / n) / _NORMAL.pdf(_NORMAL.inv_cdf(p))


def spread_r(r: float, sizes: Iterable[int], link_sds: Iterable[float]) -> float:
    """How far off an R may be, one standard deviation: √(Σ SE² over the samples it rests on + Σ link_sd²)."""
    return hypot(*link_sds, *(standard_error_r(r, n) for n in sizes))


def interpolate(xs: Sequence[float], ys: Sequence[float], v: float) -> float:
    """The piecewise linear curve through (xs, ys) at ``v``, level beyond its ends; bit for bit ``numpy.interp``.

    Args:
        xs: Rising. Where two are equal, the later one counts from there on.
        ys: As many as ``xs``.
    """
    if v < xs[0]:
        return ys[0]
    if v >= xs[-1]:
        return ys[-1]
    j = bisect_right(xs, v)
    x0, y0 = xs[j - 1], ys[j - 1]
    return (ys[j] - y0) / (xs[j] - x0) * (v - x0) + y0
