"""A published distribution as cells: each score with its R and the R at both edges of its tie band. All oriented.

Source: Kolen & Brennan (2014), ch. 2: uniform kernel, a score x covers x ± half a step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.cities.rules import Scale
from chalicelib.linking.rules.published import (
    Band,
    Published,
    oriented_bands,
    oriented_counts,
    oriented_quantiles,
)
from chalicelib.linking.rules.reference import R_LEAST, R_MOST, interpolate, r_of_rank

TIE_SHARE = 0.05

Span = tuple[int, int]
Mass = tuple[int, float, float]


@dataclass(frozen=True, slots=True)
class Cell:
    """A score, its R, and the R of those just worse and just better than all who tie with it."""

    score: int
    r: float
    lower: float
    upper: float


def masses_of(published: Published, scale: Scale) -> list[Mass]:
    """(oriented score, share of people below it, share up to and with it) for counts and quantiles, rising."""
    if published.kind == "counts":
        return _masses_of_counts(oriented_counts(published, scale))
    return _masses_of_quantiles(oriented_quantiles(published, scale), scale.step)


def cells_of(published: Published, scale: Scale) -> list[Cell]:
    """The cells from the scale's lowest to its highest score; an end where nobody was seen has R 0 or 1000."""
    if published.kind == "bands":
        return _cells_of_bands(oriented_bands(published, scale), scale)
    cells = [
        Cell(score, r_of_rank((below + upto) / 2), r_of_rank(below), r_of_rank(upto))
        for score, below, upto in masses_of(published, scale)
    ]
    if cells[0].score > scale.minimum:
        cells.insert(0, Cell(scale.minimum, R_LEAST, R_LEAST, r_of_rank(0.0)))
    if cells[-1].score < scale.maximum:
        cells.append(Cell(scale.maximum, R_MOST, r_of_rank(1.0), R_MOST))
    return cells


def ties_of(published: Published, scale: Scale) -> tuple[Span, ...]:
    """Spans of oriented scores, ends included, within which the data cannot tell people apart.

    A score with more than 5 % of people; every published band.
    """
    if published.kind == "bands":
        return tuple((lo, hi - scale.step) for lo, hi, _ in oriented_bands(published, scale))
    return tuple((score, score) for score, below, upto in masses_of(published, scale) if upto - below > TIE_SHARE)


def _masses_of_counts(rows: Sequence[tuple[int, int]]) -> list[Mass]:
    total, below, masses = sum(people for _, people in rows), 0, []
    for score, people in rows:
        masses.append((score, below / total, (below + people) / total))
        below += people
    return masses


def _masses_of_quantiles(rows: Sequence[tuple[float, int]], step: int) -> list[Mass]:
    """Linear in p between rows; at the first and last row the cell reaches as far out as it does inwards."""
    ranks, scores = [p for p, _ in rows], [score for _, score in rows]
    first, last = scores[0], scores[-1]
    least, most = ranks[0], ranks[scores.index(last)]
    least_top, most_top = ranks[scores.count(first) - 1], ranks[-1]

    def upto(score: int) -> float:
        if score == last:
            return min(1.0, most_top + (most - interpolate(scores, ranks, last - step / 2)))
        return interpolate(scores, ranks, score + step / 2)

    below = max(0.0, least - (upto(first) - least_top))
    masses = []
    for score in range(first, last + step, step):
        masses.append((score, below, upto(score)))
        below = masses[-1][2]
    return masses


def _cells_of_bands(bands: Sequence[Band], scale: Scale) -> list[Cell]:
    """R runs straight between the cuts; every score's tie band is its whole band."""
    edges, ranks = [bands[0][0]], [0.0]
    for _, hi, percent in bands:
        edges.append(hi)
        ranks.append(min(1.0, ranks[-1] + percent / 100.0))
    ends = [(scale.minimum, R_LEAST)] if edges[0] > scale.minimum else []
    cuts = [(_cut_position(edge, scale), r_of_rank(rank)) for edge, rank in zip(edges, ranks, strict=True)]
    more = [(scale.maximum, R_MOST)] if edges[-1] <= scale.maximum else []
    curve_at, curve_r = zip(*ends, *cuts, *more, strict=True)
    beside = {score for edge in edges for score in (edge - scale.step, edge)}
    scores = sorted(
        score for score in beside | {scale.minimum, scale.maximum} if scale.minimum <= score <= scale.maximum
    )
    return [Cell(s, interpolate(curve_at, curve_r, s), *_band_edges(edges, ranks, s)) for s in scores]


def _cut_position(edge: int, scale: Scale) -> float:
    """Half a step below the score that begins a band, within the scale."""
    return min(max(edge - scale.step / 2, scale.minimum), scale.maximum)


def _band_edges(edges: Sequence[int], ranks: Sequence[float], score: int) -> tuple[float, float]:
    """R at the cut below the score and at the cut above it."""
    at = sum(score >= edge for edge in edges)
    lower = r_of_rank(ranks[at - 1]) if at else R_LEAST
    upper = r_of_rank(ranks[at]) if at < len(ranks) else R_MOST
    return lower, upper
