"""A visitor's standing by concordance, against linking's own readings of his score."""

from __future__ import annotations

import pytest

from chalicelib.cities.rules import GrantOn, ScoreOffScale
from chalicelib.linking.rules import entry_value, reaches, reference_value, score_for
from chalicelib.scenarios.rules import LinkedStanding, linked_standing, visitors
from tests.unit.linking.demo import SCALES, concordance

HOMES = ("hangzhou", "fuzhou", "zhengzhou")
THRESHOLDS = (-10, 0, 500, 530, 600, 681, 1000, 1001)


@pytest.mark.parametrize("grant_on", ["point", "lower_bound"])
def test_every_answer_is_what_linking_says_whoever_asked_before(grant_on: GrantOn) -> None:
    host = concordance("xiamen"), SCALES["xiamen"]
    for share in (0, 35, 50, 55, 70, 90, 100):
        for city in HOMES:
            home = concordance(city), SCALES[city]
            score = home[1].minimum + (home[1].maximum - home[1].minimum) * share // 100
            value = reference_value(*home, score, towards=host[0])
            r = value.point if grant_on == "point" else value.lower
            standing = linked_standing(score, home, host, grant_on)
            for threshold in THRESHOLDS:
                assert standing.reaches(threshold) is reaches(r, *host, threshold)
                needed = score_for(*home, entry_value(*host, threshold), grant_on, towards=host[0])
                short = needed is not None and needed > score
                assert standing.missing(threshold) == (needed - score if needed is not None and short else None)


def test_a_score_that_is_not_on_the_scale_has_no_standing() -> None:
    pair = (concordance("hangzhou"), SCALES["hangzhou"])
    with pytest.raises(ScoreOffScale):
        linked_standing(1_001, pair, (concordance("xiamen"), SCALES["xiamen"]), "point")


def test_a_threshold_is_searched_once_for_a_pair_of_cities(monkeypatch: pytest.MonkeyPatch) -> None:
    home, host = (concordance("hangzhou"), SCALES["hangzhou"]), (concordance("xiamen"), SCALES["xiamen"])
    searched = []

    def search(*args: object, **kwargs: object) -> int:
        searched.append(args)
        return 718

    monkeypatch.setattr(visitors, "score_for", search)
    visitors._known.cache_clear()
    try:
        standings = [linked_standing(score, home, host, "point") for score in (700, 705, 718)]
        assert [standing.missing(650) for standing in standings] == [18, 13, None]
    finally:
        visitors._known.cache_clear()
    assert len(searched) == 1
    assert all(isinstance(standing, LinkedStanding) for standing in standings)
