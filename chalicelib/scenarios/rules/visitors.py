"""The standing of a visitor by concordance; what does not hang on the person is worked out once for two cities."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from chalicelib.cities.rules import GrantOn, Scale
from chalicelib.linking.rules import Concordance, entry_value, reference_value, score_for
from chalicelib.scenarios.rules.standings import LinkedStanding, Standing

PAIRS_KEPT = 64


class _Known(NamedTuple):
    """By host threshold: the reference value that enters it, and the least home score (oriented) that does."""

    entries: dict[int, float]
    needed: dict[int, int | None]


def linked_standing(
    score: int, home: tuple[Concordance, Scale], host: tuple[Concordance, Scale], grant_on: GrantOn
) -> Standing:
    """The standing of a visitor by concordance, on the point or on the lower bound as the agreement says.

    Raises: LinkNotNumeric; ReferenceMixed; ScoreOffScale; in this order.
    """
    value = reference_value(*home, score, towards=host[0])
    r = value.point if grant_on == "point" else value.lower
    home_scale = home[1]
    entries, needed = _known(home[0], host[0], grant_on)

    def reaches(threshold: int) -> bool:
        entry = entries.get(threshold)
        if entry is None:
            entry = entries[threshold] = entry_value(*host, threshold)
        return r >= entry

    def score_needed(threshold: int) -> int | None:
        if threshold not in needed:
            found = score_for(*home, entry_value(*host, threshold), grant_on, towards=host[0])
            needed[threshold] = None if found is None else home_scale.oriented(found)
        return needed[threshold]

    return LinkedStanding(home_scale.oriented(score), reaches, score_needed)


@lru_cache(maxsize=PAIRS_KEPT)
def _known(_home: Concordance, _host: Concordance, _grant_on: GrantOn) -> _Known:
    """What is known of a pair so far: a memo, which may be lost or filled twice."""
    return _Known({}, {})
