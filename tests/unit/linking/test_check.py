"""Every refusal of a published distribution, and every warning."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from chalicelib.cities.rules import Scale, ScoreOffScale
from chalicelib.core.errors import Problem
from chalicelib.linking.rules import (
    FLAGS,
    DistributionDegenerate,
    DistributionInvalid,
    DistributionOutOfDate,
    DistributionSumOff,
    DistributionTooSmall,
    LinkRangeOnly,
    Published,
    check_published,
    grade_bands,
)
from chalicelib.linking.rules.check import REQUIRED_RANKS
from tests.unit.linking.demo import FROM, NUMERIC, SCALES, TO, TODAY, a_scale, counted, published

SCALE = a_scale(maximum=100)
STEPPED = a_scale(maximum=100, step=10)
NAN, INF = float("nan"), float("inf")


def quantiled(rows: Any) -> Published:
    return Published("quantiles", FROM, TO, 5_000, quantiles=tuple(rows))


def banded(*rows: Any) -> Published:
    return Published("bands", FROM, TO, 5_000, bands=rows)


def refusal(given: Published, scale: Scale = SCALE, today: date = TODAY) -> Problem:
    with pytest.raises(Problem) as caught:
        check_published(given, scale, today)
    return caught.value


def pointers(problem: Problem) -> list[str]:
    return [fault.pointer for fault in problem.faults]


GOOD = counted(((10, 500), (20, 600), (30, 400)))
EVEN_ROWS = [(p, round(100 * p)) for p in REQUIRED_RANKS]


@pytest.mark.parametrize("city", [*NUMERIC, "wuxi"])
def test_the_demo_cities_pass(city: str) -> None:
    assert check_published(published(city), SCALES[city], TODAY).kind == published(city).kind


def test_a_range_alone_is_refused() -> None:
    assert isinstance(refusal(Published("range", FROM, TO)), LinkRangeOnly)


def test_cut_points_of_a_scale_without_grades_are_a_range() -> None:
    assert isinstance(refusal(Published("cuts", FROM, TO)), LinkRangeOnly)


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        (replace(GOOD, counts=()), "/counts"),
        (replace(GOOD, bands=((0, 101, 100.0),)), "/bands"),
        (replace(GOOD, kind="bands"), "/counts"),
        (Published("cuts", FROM, TO, counts=((1, 1),)), "/counts"),
    ],
)
def test_the_data_must_be_of_the_kind_named_and_of_no_other(given: Published, pointer: str) -> None:
    problem = refusal(given, a_scale(maximum=100, cuts=(50,)))
    assert isinstance(problem, DistributionInvalid)
    assert pointers(problem) == [pointer]


@pytest.mark.parametrize("n", [True, 1500.0, -1, NAN])
def test_n_is_a_whole_number(n: Any) -> None:
    problem = refusal(replace(GOOD, n=n))
    assert (type(problem), pointers(problem)) == (DistributionInvalid, ["/n"])


@pytest.mark.parametrize("people", [-1, 1.5, NAN, INF, True])
def test_counts_are_whole_and_not_negative(people: Any) -> None:
    problem = refusal(replace(GOOD, counts=((10, 500), (20, people))))
    assert (type(problem), pointers(problem)) == (DistributionInvalid, ["/counts/1/1"])


@pytest.mark.parametrize("score", [10, 9])
def test_scores_of_counts_rise(score: int) -> None:
    problem = refusal(replace(GOOD, counts=((10, 500), (score, 5))))
    assert (type(problem), pointers(problem)) == (DistributionInvalid, ["/counts/1/0"])


@pytest.mark.parametrize("score", [True, 20.0, NAN, 101, -1, 25])
def test_scores_lie_on_the_scale(score: Any) -> None:
    problem = refusal(replace(GOOD, counts=((10, 500), (score, 5))), STEPPED)
    assert (type(problem), pointers(problem)) == (ScoreOffScale, ["/counts/1/0"])


@pytest.mark.parametrize("p", [NAN, INF, -0.01, 1.01, True, "0.5"])
def test_p_is_a_number_between_0_and_1(p: Any) -> None:
    problem = refusal(quantiled([(p, 10)]))
    assert (type(problem), pointers(problem)) == (DistributionInvalid, ["/quantiles/0/0"])


@pytest.mark.parametrize("p", [0.1, 0.05])
def test_p_rises_strictly(p: float) -> None:
    problem = refusal(quantiled([(0.1, 10), (p, 20)]))
    assert (type(problem), pointers(problem)) == (DistributionInvalid, ["/quantiles/1/0"])


def test_quantiles_do_not_fall() -> None:
    problem = refusal(quantiled([(0.1, 10), (0.2, 9)]))
    assert (type(problem), pointers(problem)) == (DistributionInvalid, ["/quantiles/1/1"])


def test_quantiles_lie_on_the_scale() -> None:
    problem = refusal(quantiled([(0.1, 10), (0.2, 25)]), STEPPED)
    assert (type(problem), pointers(problem)) == (ScoreOffScale, ["/quantiles/1/1"])


def test_equal_quantiles_are_ties_and_pass() -> None:
    rows = [(p, max(score, 25)) for p, score in EVEN_ROWS]
    assert check_published(quantiled(rows), SCALE, TODAY).flags == ("large_atom",)


@pytest.mark.parametrize("missing", [0.0001, 0.5, 0.9999])
def test_every_percentile_and_tail_is_required(missing: float) -> None:
    problem = refusal(quantiled(row for row in EVEN_ROWS if row[0] != missing))
    assert (type(problem), pointers(problem)) == (DistributionInvalid, ["/quantiles"])


def test_there_are_105_required_ranks() -> None:
    assert len(set(REQUIRED_RANKS)) == 105
    assert list(REQUIRED_RANKS) == sorted(REQUIRED_RANKS)


@pytest.mark.parametrize(
    ("rows", "pointer"),
    [
        ([(0, 0, 10.0)], "/bands/0/1"),
        ([(20, 10, 10.0)], "/bands/0/1"),
        ([(0, 50, 50.0), (51, 101, 50.0)], "/bands/1/0"),
        ([(0, 50, 50.0), (49, 101, 50.0)], "/bands/1/0"),
        ([(0, 50, 50.0), (50, 101, -1.0)], "/bands/1/2"),
        ([(0, 50, 50.0), (50, 101, NAN)], "/bands/1/2"),
        ([(0, 50, 50.0), (50, 101, 101.0)], "/bands/1/2"),
        ([(0, 50, True), (50, 101, 50.0)], "/bands/0/2"),
    ],
)
def test_bands_adjoin_and_carry_shares(rows: Any, pointer: str) -> None:
    problem = refusal(banded(*rows))
    assert (type(problem), pointers(problem)) == (DistributionInvalid, [pointer])


@pytest.mark.parametrize("row", [(-1, 50, 50.0), (0, 102, 50.0), (0, True, 50.0), (0.0, 50, 50.0)])
def test_bands_lie_on_the_scale(row: Any) -> None:
    assert isinstance(refusal(banded(row)), ScoreOffScale)


def test_LINK_zhejiang_2018_is_degenerate_and_that_is_said_before_its_sum_is_looked_at() -> None:
    given = published("zhejiang")
    problem = refusal(given, SCALES["zhejiang"])
    assert isinstance(problem, DistributionDegenerate)
    assert "97.9" in problem.detail.zh
    assert "97.9" in problem.detail.en
    broken = replace(given, bands=(*given.bands[:-2], (800, 850, 97.9), (850, 900, 30.0)))
    assert isinstance(refusal(broken, SCALES["zhejiang"]), DistributionDegenerate)


@pytest.mark.parametrize(
    "given",
    [
        counted(((10, 5_000),)),
        counted(((10, 5_000), (20, 0))),
        counted(((10, 950), (20, 50))),
        replace(counted(((10, 950), (20, 50))), n=7),
        banded((0, 50, 100.0)),
        banded((0, 50, 95.0), (50, 101, 5.0)),
        banded((0, 50, 0.0), (50, 101, 0.0)),
        quantiled((p, 50) for p in REQUIRED_RANKS),
        quantiled((p, 10 if p < 0.02 else 50 if p <= 0.98 else 90) for p in REQUIRED_RANKS),
    ],
)
def test_LINK_a_degenerate_distribution_bears_no_link(given: Published) -> None:
    assert isinstance(refusal(given), DistributionDegenerate)


def test_just_below_95_percent_passes() -> None:
    assert check_published(counted(((10, 949), (20, 51))), SCALE, TODAY).flags == ("large_atom",)


def test_counts_must_sum_to_n() -> None:
    assert isinstance(refusal(replace(GOOD, n=1_501)), DistributionSumOff)


def test_shares_may_miss_100_percent_by_a_tenth_of_a_point() -> None:
    short = banded((0, 50, 50.0), (50, 101, 49.9))
    assert check_published(short, SCALE, TODAY).flags == ("shares_normalised",)
    assert check_published(banded((0, 50, 50.0), (50, 101, 50)), SCALE, TODAY).flags == ()
    assert isinstance(refusal(banded((0, 50, 50.0), (50, 101, 49.89))), DistributionSumOff)
    assert isinstance(refusal(banded((0, 50, 50.0), (50, 101, 50.2))), DistributionSumOff)


@pytest.mark.parametrize(
    ("people", "flags"), [(199, None), (200, ("provisional",)), (999, ("provisional",)), (1_000, ())]
)
def test_fewer_than_200_people_are_too_few_and_fewer_than_1000_are_provisional(
    people: int, flags: tuple[str, ...] | None
) -> None:
    rows = tuple((9 * k, people // 10 + (k <= people % 10)) for k in range(1, 11))
    given = counted(rows)
    assert given.n == people
    if flags is None:
        assert isinstance(refusal(given), DistributionTooSmall)
    else:
        assert check_published(given, SCALE, TODAY).flags == flags


@pytest.mark.parametrize(
    ("period_from", "period_to", "good"),
    [
        (TODAY - timedelta(30), TODAY, True),
        (TODAY - timedelta(30), TODAY + timedelta(1), False),
        (TODAY - timedelta(30), TODAY - timedelta(30), False),
        (TODAY - timedelta(500), TODAY - timedelta(400), True),
        (TODAY - timedelta(500), TODAY - timedelta(401), False),
    ],
)
def test_the_period_is_over_and_ended_within_400_days(period_from: date, period_to: date, good: bool) -> None:
    given = replace(GOOD, period_from=period_from, period_to=period_to)
    if good:
        check_published(given, SCALE, TODAY)
    else:
        problem = refusal(given)
        assert (type(problem), pointers(problem)) == (DistributionOutOfDate, ["/period_to"])


MIDDLE = tuple((k, 100) for k in range(10, 20))


@pytest.mark.parametrize(
    ("rows", "flags"),
    [
        (((0, 10), *MIDDLE, (100, 10)), ()),
        (((0, 11), *MIDDLE, (100, 10)), ("floor_crowded",)),
        (((0, 10), *MIDDLE, (100, 11)), ("ceiling_crowded",)),
        (((5, 400), *MIDDLE, (50, 500), (60, 500)), ("large_atom",)),
        (((5, 400), *MIDDLE, (50, 400), (60, 200)), ()),
    ],
)
def test_warnings(rows: tuple[tuple[int, int], ...], flags: tuple[str, ...]) -> None:
    assert check_published(counted(rows), SCALE, TODAY).flags == flags


def test_floor_and_ceiling_follow_the_direction_of_the_scale() -> None:
    rows = ((0, 20), *((k, 100) for k in range(10, 20)))
    assert check_published(counted(rows), a_scale(maximum=100, direction="lower_is_better"), TODAY).flags == (
        "ceiling_crowded",
    )


def test_every_flag_has_words_in_both_languages() -> None:
    assert all(words.zh and words.en for words in FLAGS.values())


def test_grade_shares_become_bands_on_the_cuts() -> None:
    assert grade_bands(a_scale(maximum=100, cuts=(50, 80)), (20.0, 50.0, 30.0)) == (
        (0, 50, 20.0),
        (50, 80, 50.0),
        (80, 101, 30.0),
    )


def test_grade_shares_of_a_scale_whose_lower_scores_are_better() -> None:
    scale = a_scale(maximum=100, cuts=(50, 20), direction="lower_is_better")
    assert grade_bands(scale, (20.0, 50.0, 30.0)) == ((0, 21, 30.0), (21, 51, 50.0), (51, 101, 20.0))
    given = banded(*grade_bands(scale, (20.0, 50.0, 30.0)))
    assert check_published(given, scale, TODAY).flags == ()
