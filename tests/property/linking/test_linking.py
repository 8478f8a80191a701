"""LINK on any distribution: monotone, symmetric, transitive, bounded, and one truth for numbers and tiers."""

from __future__ import annotations

import json
from itertools import pairwise, permutations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chalicelib.cities.rules import Direction, Scale
from chalicelib.linking.rules import (
    Concordance,
    Conversion,
    DistributionDegenerate,
    Published,
    build_concordance,
    build_reference,
    check_published,
    convert,
    entry_value,
    from_document,
    grade_at,
    grade_bands,
    reaches,
    reference_value,
    score_for,
    to_document,
)
from chalicelib.linking.rules.check import REQUIRED_RANKS
from chalicelib.linking.rules.reading import curve_for
from tests.unit.linking.demo import FROM, NUMERIC, SCALES, TO, TODAY, VALID, a_scale, concordance, counted

City = tuple[Scale, Concordance]


@st.composite
def scales(draw: st.DrawFn, name: str) -> Scale:
    step = draw(st.sampled_from([1, 1, 5, 10]))
    minimum = draw(st.integers(-3, 30)) * step
    steps = draw(st.integers(4, 60))
    directions: tuple[Direction, Direction] = ("higher_is_better", "lower_is_better")
    direction = draw(st.sampled_from(directions))
    at = sorted(draw(st.sets(st.integers(1, steps), max_size=4)))
    cuts = tuple(minimum + step * (k if direction == "higher_is_better" else steps - k) for k in at)
    return a_scale(name, minimum, minimum + steps * step, step, cuts, direction)


@st.composite
def distributions(draw: st.DrawFn, scale: Scale) -> Published:
    grid = range(scale.minimum, scale.maximum + scale.step, scale.step)
    kind = draw(st.sampled_from(["counts", "counts", "quantiles", "bands"]))
    if kind == "counts":
        people = st.one_of(st.integers(0, 3), st.integers(0, 1_000), st.integers(0, 30_000_000))
        return counted(tuple(zip(grid, draw(st.lists(people, min_size=len(grid), max_size=len(grid))), strict=True)))
    if kind == "quantiles":
        size = len(REQUIRED_RANKS)
        scores = sorted(draw(st.lists(st.sampled_from(grid), min_size=size, max_size=size)))
        rows = tuple(zip(REQUIRED_RANKS, scores, strict=True))
        return Published("quantiles", FROM, TO, draw(st.integers(200, 5_000_000)), quantiles=rows)
    assume(scale.grades)
    weights = draw(st.lists(st.integers(0, 40), min_size=len(scale.grades), max_size=len(scale.grades)))
    assume(sum(weights) > 0)
    shares = tuple(100 * w / sum(weights) for w in weights)
    return Published("bands", FROM, TO, draw(st.integers(200, 5_000_000)), bands=grade_bands(scale, shares))


@st.composite
def cities(draw: st.DrawFn, name: str) -> City:
    scale = draw(scales(name))
    published = draw(distributions(scale))
    assume(published.n >= 200)
    try:
        checked = check_published(published, scale, TODAY)
    except DistributionDegenerate:
        assume(False)
    if name == "reference":
        assume(published.kind != "bands")
        return scale, build_reference(checked, scale, valid_from=VALID)
    return scale, build_concordance(checked, scale, concordance("xiamen"), version=1, valid_from=VALID)


def all_of(home: City, host: City) -> list[Conversion]:
    """Every home score's conversion, from worst to best."""
    grid = range(home[0].minimum, home[0].maximum + home[0].step, home[0].step)
    ranked = sorted(grid, key=home[0].oriented)
    return [convert(score, home[1], home[0], host[1], host[0]) for score in ranked]


def in_rank(result: Conversion, host: City) -> tuple[float, ...]:
    """Everything that must not fall as the home score improves."""
    up = host[0].oriented
    return (
        result.reference_lower,
        result.reference_value,
        result.reference_upper,
        up(result.lower_bound),
        up(result.equivalent_score),
        up(result.upper_bound),
    )


def demo(city: str) -> City:
    return SCALES[city], concordance(city)


PAIRS = list(permutations(NUMERIC, 2))


def check_monotone_and_ordered(home: City, host: City) -> None:
    results = [in_rank(result, host) for result in all_of(home, host)]
    for worse, better in pairwise(results):
        assert all(a <= b for a, b in zip(worse, better, strict=True))
    for row in results:
        assert row[0] <= row[1] <= row[2]
        assert row[3] <= row[4] <= row[5]


def check_one_truth(home: City, host: City) -> None:
    """The best grid score shown is reached and the next is not, so a tier can be read off it."""
    scale, c = host
    for result in all_of(home, host):
        shown = (result.equivalent_score, result.lower_bound, result.upper_bound)
        values = (result.reference_value, result.reference_lower, result.reference_upper)
        for score, r in zip(shown, values, strict=True):
            assert reaches(r, c, scale, scale.oriented(score))
            assert not reaches(r, c, scale, scale.oriented(score) + scale.step)
            grade = scale.grade_of(score)
            assert grade_at(r, c, scale) == (grade.name if grade else None)


@pytest.mark.parametrize(("home", "host"), PAIRS)
def test_LINK_monotone_and_ordered_between_the_demo_cities(home: str, host: str) -> None:
    check_monotone_and_ordered(demo(home), demo(host))


@pytest.mark.parametrize(("home", "host"), PAIRS)
def test_LINK_number_and_tier_agree_between_the_demo_cities(home: str, host: str) -> None:
    check_one_truth(demo(home), demo(host))


@settings(max_examples=60, deadline=None)
@given(cities("here"), cities("there"))
def test_LINK_monotone_and_ordered(home: City, host: City) -> None:
    check_monotone_and_ordered(home, host)


@settings(max_examples=60, deadline=None)
@given(cities("here"), cities("there"))
def test_LINK_number_and_tier_agree(home: City, host: City) -> None:
    check_one_truth(home, host)


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_LINK_symmetric_between_the_demo_cities(one: str, other: str) -> None:
    """There and back is where one started, wherever both cities observed people."""
    here, there = curve_for(concordance(one)), curve_for(concordance(other))
    low = max(here.observed()[0], there.observed()[0], 30.0)
    high = min(here.observed()[1], there.observed()[1], 970.0)
    for score in here.scores:
        r = here.r_at(score)
        if low <= r <= high:
            abroad = there.score_at(r)
            assert here.score_at(there.r_at(abroad)) == pytest.approx(score, abs=1e-6)


@pytest.mark.parametrize(("one", "two"), PAIRS)
def test_LINK_symmetric_within_rounding(one: str, two: str) -> None:
    """A whole score and its whole equivalent lie in the same step of R, half a step to each side."""
    for result in all_of(demo(one), demo(two)):
        back = convert(result.equivalent_score, concordance(two), SCALES[two], concordance(one), SCALES[one])
        if {"floor", "ceiling"} & {*result.flags, *back.flags}:
            continue
        low = entry_value(concordance(two), SCALES[two], result.equivalent_score)
        high = entry_value(concordance(two), SCALES[two], result.equivalent_score + 1)
        assert low <= result.reference_value < high
        assert low <= back.reference_value < high


@pytest.mark.parametrize(("a", "b", "c"), list(permutations(NUMERIC, 3)))
def test_LINK_transitive_over_the_demo_cities(a: str, b: str, c: str) -> None:
    """By way of a third city is the same as straight, as long as nothing is rounded on the way."""
    first, second, third = (curve_for(concordance(city)) for city in (a, b, c))
    low = max(curve.observed()[0] for curve in (first, second, third))
    high = min(curve.observed()[1] for curve in (first, second, third))
    for score in first.scores:
        r = first.r_at(score)
        if low + 5 <= r <= high - 5:
            detour = second.r_at(second.score_at(r))
            assert third.score_at(detour) == pytest.approx(third.score_at(r), abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(cities("there"), st.floats(0, 1))
def test_LINK_r_and_score_invert_each_other(city: City, at: float) -> None:
    curve = curve_for(city[1])
    r = curve.values[0] + at * (curve.values[-1] - curve.values[0])
    score = curve.score_at(r)
    if not any(knot < score <= last for knot, last in curve.held):
        assert curve.r_at(score) == pytest.approx(r, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(cities("here"), st.integers(0, 60), st.sampled_from(["point", "lower_bound"]))
def test_LINK_the_distance_told_is_the_least_that_suffices(home: City, at: int, grant_on: str) -> None:
    scale, c = home
    host = demo("xiamen")
    r_needed = entry_value(host[1], host[0], 400 + 7 * at)
    found = score_for(c, scale, r_needed, "point" if grant_on == "point" else "lower_bound", host[1])
    for score in range(scale.minimum, scale.maximum + scale.step, scale.step):
        value = reference_value(c, scale, score, host[1])
        enough = (value.point if grant_on == "point" else value.lower) >= r_needed
        assert enough == (found is not None and scale.oriented(score) >= scale.oriented(found))


@settings(max_examples=40, deadline=None)
@given(cities("reference"), cities("there"))
def test_a_record_survives_storage(reference: City, there: City) -> None:
    for _, c in (reference, there):
        again = from_document(json.loads(json.dumps(to_document(c))))
        assert all(getattr(again, name) == getattr(c, name) for name in Concordance.__dataclass_fields__)


@settings(max_examples=60, deadline=None)
@given(cities("here"))
def test_knots_rise_strictly_and_bounds_enclose_them(city: City) -> None:
    c = city[1]
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(c.knots))
    assert all(a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(c.bounds))
    assert all(0 <= lower <= r <= upper <= 1000 for (lower, upper), (_, r) in zip(c.bounds, c.knots, strict=True))
