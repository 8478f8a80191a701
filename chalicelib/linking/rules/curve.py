"""The curve between a city's oriented scores and R: one piecewise linear table, read in both directions."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, inf

from chalicelib.linking.rules.reference import R_CEILING, R_FLOOR, R_LEAST, R_MOST, interpolate


@dataclass(frozen=True, slots=True)
class Curve:
    """Knots (score, R), both strictly rising, on the grid ``minimum + k * step``; ``held`` scores share a knot's R."""

    scores: tuple[int, ...]
    values: tuple[float, ...]
    held: tuple[tuple[int, int], ...]
    minimum: int
    maximum: int
    step: int

    def r_at(self, score: float) -> float:
        """R of a score, which may lie between grid scores."""
        for knot, last in self.held:
            if knot < score <= last:
                return interpolate(self.scores, self.values, knot)
        return interpolate(self.scores, self.values, score)

    def score_at(self, r: float) -> float:
        """The score at this R, not rounded; the nearest end where R lies beyond the table."""
        return interpolate(self.values, self.scores, r)

    def entry_r(self, threshold: int) -> float:
        """The least R that passes an oriented threshold: R half a step below it, to 0.0001.

        0 at or below the lowest score, infinite above the highest.
        """
        if threshold <= self.minimum:
            return R_LEAST
        if threshold > self.maximum:
            return inf
        return round(self.r_at(threshold - self.step / 2), 4)

    def grid_score_at(self, r: float) -> int:
        """The highest grid score whose ``entry_r`` this R reaches, so that a number shown and a tier granted agree."""
        score = self.minimum + floor((self.score_at(r) - self.minimum) / self.step) * self.step
        while r >= self.entry_r(score + self.step):
            score += self.step
        while r < self.entry_r(score):
            score -= self.step
        return score

    def observed(self) -> tuple[float, float]:
        """The least and the greatest R at which people were seen, short of where ranks are clamped."""
        return self.values[bisect_right(self.values, R_LEAST)], self.values[bisect_left(self.values, R_MOST) - 1]

    def beyond(self, r: float) -> tuple[bool, bool]:
        """Whether this R lies below, or above, what was observed."""
        least, most = self.observed()
        return r < least or r <= R_FLOOR, r > most or r >= R_CEILING


def curve_of(
    knots: Sequence[tuple[int, float]], held: tuple[tuple[int, int], ...], minimum: int, maximum: int, step: int
) -> Curve:
    """The curve of these knots."""
    return Curve(tuple(s for s, _ in knots), tuple(r for _, r in knots), held, minimum, maximum, step)
