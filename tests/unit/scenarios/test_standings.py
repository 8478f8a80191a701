from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.cities.rules import Scale, ScoreOffScale
from chalicelib.scenarios.rules import GradeStanding, LinkedStanding, NoStanding, ResidentStanding


def test_a_resident_reaches_his_score_and_is_told_what_is_missing() -> None:
    standing = ResidentStanding(612)
    assert standing.reaches(612) is True
    assert standing.reaches(613) is False
    assert standing.missing(650) == 38
    assert standing.missing(612) is None


def test_a_scale_whose_lower_scores_are_better_is_turned_once(scale: Scale) -> None:
    lower = replace(scale, direction="lower_is_better", grades=())
    assert ResidentStanding.of(lower, 100).score == 900
    with pytest.raises(ScoreOffScale):
        ResidentStanding.of(scale, 1001)


@pytest.mark.parametrize(
    ("grade", "below", "inside", "above"),
    [("不良", 0, 250, 500), ("良好", 560, 600, 620), ("极好", 680, 900, None)],
)
def test_a_grade_is_an_interval(scale: Scale, grade: str, below: int, inside: int, above: int | None) -> None:
    standing = GradeStanding.of(scale, grade)
    assert standing.reaches(below) is True
    assert standing.reaches(inside) is None
    assert above is None or standing.reaches(above) is False
    assert standing.missing(1000) is None


def test_a_linked_score_is_never_missing_what_it_has() -> None:
    standing = LinkedStanding(705, lambda threshold: threshold <= 637, lambda threshold: threshold + 68)
    assert standing.missing(650) == 13
    assert standing.missing(637) is None


def test_no_standing_reaches_nothing_and_misses_nothing_that_could_be_told() -> None:
    standing = NoStanding("no_score")
    assert standing.reaches(-1_000_000) is False
    assert standing.missing(500) is None
