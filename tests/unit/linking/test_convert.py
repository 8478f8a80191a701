"""Conversion: tiers, grades, flags, distances, and what is never a number."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.cities.rules import ScoreOffScale
from chalicelib.linking.rules import (
    Converter,
    LinkNotNumeric,
    Published,
    ReferenceMixed,
    beats_bp,
    build_concordance,
    build_reference,
    convert,
    convert_many,
    entry_value,
    grade_at,
    grade_bands,
    reaches,
    reference_value,
    score_for,
)
from tests.unit.linking.demo import FROM, NUMERIC, SCALES, TO, VALID, a_scale, concordance, counted, published

HZ, XM, ZZ, WX = (concordance(city) for city in ("hangzhou", "xiamen", "zhengzhou", "wuxi"))
S_HZ, S_XM, S_ZZ, S_WX = (SCALES[city] for city in ("hangzhou", "xiamen", "zhengzhou", "wuxi"))


def test_a_conversion_names_both_records_and_both_cities() -> None:
    result = convert(705, HZ, S_HZ, XM, S_XM)
    assert (result.from_city, result.to_city, result.score) == ("hangzhou", "xiamen", 705)
    assert (result.from_concordance, result.to_concordance) == ("hangzhou/1", "xiamen/1")
    assert (result.grade, result.grade_lower) == ("优秀", "优秀")
    assert convert(130, ZZ, S_ZZ, XM, S_XM).grade_lower == "优秀"
    assert convert(130, ZZ, S_ZZ, XM, S_XM).grade == "极好"


@pytest.mark.parametrize("city", NUMERIC)
def test_LINK_at_home_a_score_is_itself(city: str) -> None:
    scale, c = SCALES[city], concordance(city)
    for score in range(scale.minimum, scale.maximum + 1, 7):
        result = convert(score, c, scale, c, scale)
        home = scale.grade_of(score)
        assert (result.equivalent, result.equivalent_score) == (score, score)
        assert (result.lower_bound, result.upper_bound) == (score, score)
        assert home is not None
        assert result.grade == result.grade_lower == home.name == grade_at(result.reference_value, c, scale)


@pytest.mark.parametrize("city", NUMERIC)
def test_LINK_residents_pass_their_own_cuts_in_r_as_in_scores(city: str) -> None:
    scale, c = SCALES[city], concordance(city)
    for threshold in range(scale.minimum, scale.maximum + 1, 13):
        for score in {max(scale.minimum, threshold - 1), threshold}:
            point = reference_value(c, scale, score).point
            held = any(knot < threshold <= last for knot, last in c.held)
            assert held or reaches(point, c, scale, threshold) == (score >= threshold)


@pytest.mark.parametrize("score", [True, 705.0, 1001, -1, "705", None])
def test_scores_off_the_scale_are_refused_and_never_clamped(score: int) -> None:
    convert(1, HZ, S_HZ, XM, S_XM)
    with pytest.raises(ScoreOffScale):
        convert(score, HZ, S_HZ, XM, S_XM)
    with pytest.raises(ScoreOffScale):
        reference_value(HZ, S_HZ, score)


def test_LINK_cut_points_alone_never_give_a_number() -> None:
    for call in (
        lambda: convert(600, WX, S_WX, XM, S_XM),
        lambda: convert(600, XM, S_XM, WX, S_WX),
        lambda: convert(600, WX, S_WX, WX, S_WX),
        lambda: Converter(WX, S_WX, XM, S_XM),
        lambda: reference_value(WX, S_WX, 600),
        lambda: reference_value(XM, S_XM, 600, WX),
        lambda: reaches(500.0, WX, S_WX, 501),
        lambda: entry_value(WX, S_WX, 501),
        lambda: score_for(WX, S_WX, 500.0, "point"),
        lambda: grade_at(500.0, WX, S_WX),
        lambda: beats_bp(published("wuxi"), S_WX, 600),
    ):
        with pytest.raises(LinkNotNumeric):
            call()


def test_two_reference_populations_are_not_mixed() -> None:
    other = build_reference(published("fuzhou"), SCALES["fuzhou"], valid_from=VALID)
    with pytest.raises(ReferenceMixed):
        convert(705, HZ, S_HZ, other, SCALES["fuzhou"])
    with pytest.raises(ReferenceMixed):
        reference_value(HZ, S_HZ, 705, other)


def test_a_concordance_of_another_scale_is_a_broken_belief() -> None:
    with pytest.raises(AssertionError):
        convert(705, HZ, S_ZZ, XM, S_XM)
    with pytest.raises(AssertionError):
        reaches(500.0, XM, replace(S_XM, version=2), 600)


def test_a_changed_scale_is_not_answered_from_memory() -> None:
    renamed = replace(S_XM, grades=tuple(replace(g, name=g.name + "!") for g in S_XM.grades))
    assert convert(705, HZ, S_HZ, XM, S_XM).grade == "优秀"
    assert convert(705, HZ, S_HZ, XM, renamed).grade == "优秀!"
    assert convert(705, HZ, replace(S_HZ), XM, replace(S_XM)).grade == "优秀"


def test_many_at_once_are_as_one_by_one() -> None:
    scores = [705, 0, 1000, 705, 361]
    assert convert_many(scores, HZ, S_HZ, XM, S_XM) == [convert(s, HZ, S_HZ, XM, S_XM) for s in scores]


def test_the_bounds_towards_a_city_include_its_own_link() -> None:
    outward = convert(693, XM, S_XM, HZ, S_HZ)
    assert outward.reference_value - outward.reference_lower == pytest.approx(16.45 + 0.9, abs=0.3)
    between = convert(130, ZZ, S_ZZ, HZ, S_HZ)
    assert between.reference_upper - between.reference_value == pytest.approx(16.45 * 2**0.5 + 1.5, abs=0.3)
    for result, c, scale, to in ((outward, XM, S_XM, HZ), (between, ZZ, S_ZZ, HZ)):
        value = reference_value(c, scale, result.score, to)
        assert (value.lower, value.upper) == (result.reference_lower, result.reference_upper)


def test_towards_the_reference_its_own_error_counts_once() -> None:
    scale, rows = a_scale("founder", maximum=100), tuple((k, 25) for k in range(30, 70))
    reference = build_reference(counted(rows), scale, valid_from=VALID)
    small = replace(scale, city_id="small")
    c = build_concordance(counted(rows), small, reference, version=1, valid_from=VALID)
    for (score, _), bounds in zip(c.knots, c.bounds, strict=True):
        value = reference_value(c, small, score, reference)
        assert (value.lower, value.upper) == bounds


def test_towards_a_city_that_published_bands_the_bounds_are_whole_bands() -> None:
    scale = a_scale("banded", cuts=(500, 600, 700))
    bands = Published("bands", FROM, TO, 1_000_000, bands=grade_bands(scale, (10.0, 30.0, 40.0, 20.0)))
    c = build_concordance(bands, scale, XM, version=1, valid_from=VALID)
    result = convert(600, XM, S_XM, c, scale)
    assert (result.lower_bound, result.upper_bound) == (600, 699)
    assert result.lower_bound < result.equivalent_score < result.upper_bound


def test_scores_beyond_what_was_observed_are_flagged() -> None:
    for score, flag in (
        (100, "floor"),
        (248, "floor"),
        (250, "floor"),
        (858, "ceiling"),
        (861, "ceiling"),
        (900, "ceiling"),
    ):
        assert flag in convert(score, XM, S_XM, HZ, S_HZ).flags
    assert not {"floor", "ceiling"} & set(convert(600, XM, S_XM, HZ, S_HZ).flags)
    small = a_scale("small", maximum=100)
    few = build_concordance(counted(tuple((k, 40) for k in range(30, 70))), small, XM, version=1, valid_from=VALID)
    assert "ceiling" in convert(850, XM, S_XM, few, small).flags
    assert "floor" in convert(300, XM, S_XM, few, small).flags
    assert "ceiling" in convert(75, few, small, XM, S_XM).flags


def test_nobody_reaches_beyond_the_end_and_everybody_its_beginning() -> None:
    assert reaches(0.0, XM, S_XM, 0)
    assert not reaches(1000.0, XM, S_XM, 1001)
    assert reaches(1000.0, XM, S_XM, 1000)


@pytest.mark.parametrize(("grant_on", "needed"), [("point", 715), ("lower_bound", 726)])
def test_the_distance_is_told_on_the_visitors_own_scale(grant_on: str, needed: int) -> None:
    r_needed = entry_value(XM, S_XM, 650)
    score = score_for(HZ, S_HZ, r_needed, "point" if grant_on == "point" else "lower_bound", XM)
    assert score is not None
    assert score == pytest.approx(needed, abs=15)
    for s, passes in ((score, True), (score - 1, False)):
        value = reference_value(HZ, S_HZ, s, XM)
        assert reaches(value.point if grant_on == "point" else value.lower, XM, S_XM, 650) == passes


def test_no_score_reaches_what_cannot_be_reached() -> None:
    assert score_for(ZZ, S_ZZ, 999.0, "point", XM) is None
    assert score_for(ZZ, S_ZZ, entry_value(XM, S_XM, 1001), "point") is None
    assert score_for(ZZ, S_ZZ, 0.0, "lower_bound", XM) == 0


def test_distances_on_a_scale_whose_lower_scores_are_better() -> None:
    rows = tuple((s, 100) for s in range(20, 60))
    down = a_scale("down", maximum=100, cuts=(40, 30), direction="lower_is_better")
    c = build_concordance(counted(rows), down, XM, version=1, valid_from=VALID)
    best, worst = convert(20, c, down, XM, S_XM), convert(59, c, down, XM, S_XM)
    assert best.reference_value > worst.reference_value
    there = convert(600, XM, S_XM, c, down)
    assert there.upper_bound <= there.equivalent_score <= there.lower_bound, "lower means worse"
    assert there.equivalent == pytest.approx(there.equivalent_score, abs=0.5)
    assert score_for(c, down, entry_value(c, down, down.threshold(30, "ge")), "point") == 30
    assert there.grade in {"G0", "G1", "G2"}


def test_in_a_band_the_share_below_is_that_of_its_cut() -> None:
    given = published("zhejiang")
    assert beats_bp(given, SCALES["zhejiang"], 849) == beats_bp(given, SCALES["zhejiang"], 800) == 207
    assert beats_bp(given, SCALES["zhejiang"], 499) == 0
    assert beats_bp(published("fuzhou"), SCALES["fuzhou"], 651) == pytest.approx(4_950, abs=30)
    assert beats_bp(counted(((10, 300), (20, 100))), a_scale(maximum=30, direction="lower_is_better"), 10) == 2_500


def test_MINIMAL_neither_scores_nor_r_print_themselves() -> None:
    assert "705" not in repr(convert(705, HZ, S_HZ, XM, S_XM))
    assert "568" not in repr(reference_value(HZ, S_HZ, 705))
