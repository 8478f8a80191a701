"""Where a score stands in its own city."""

from __future__ import annotations

from chalicelib.cities.rules import Scale
from chalicelib.linking.rules.cells import masses_of
from chalicelib.linking.rules.published import Published, oriented_bands
from chalicelib.linking.rules.reading import LinkNotNumeric

_ROUNDING = 1e-6


def beats_bp(published: Published, scale: Scale, score: int) -> int:
    """The share of the score's own city that has a worse score, F(x−), in basis points rounded down.

    Of bands only the cuts are known: the share below the score's band.

    Raises: ScoreOffScale; LinkNotNumeric: cut points only; in this order.
    """
    at = scale.oriented(scale.check(score))
    if published.kind == "bands":
        below = sum(percent for _, hi, percent in oriented_bands(published, scale) if hi <= at) / 100.0
    elif published.kind in ("counts", "quantiles"):
        below = max((upto for other, _, upto in masses_of(published, scale) if other < at), default=0.0)
    else:
        raise LinkNotNumeric
    return int(below * 10_000 + _ROUNDING)
