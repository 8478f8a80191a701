"""Figures that other people worked out: the demo's, a textbook's, and two published American tables."""

from __future__ import annotations

from datetime import date

import pytest

from chalicelib.linking.rules import Concordance, Published, beats_bp, build_concordance, convert, reaches
from tests.unit.linking.demo import FROM, SCALES, TO, VALID, a_scale, concordance, counted, published

PEOPLE = [
    ("hangzhou", 705, 637, 627, {530: True, 600: True, 650: False, 680: False}, {}),
    ("hangzhou", 760, 699, 689, {650: True, 680: True}, {650: True, 680: True}),
    ("zhengzhou", 130, 683, 673, {680: True}, {680: False}),
    ("zhengzhou", 100, 586, 535, {530: True, 600: False}, {530: True, 600: False}),
]


@pytest.mark.parametrize(("home", "score", "point", "lower", "on_point", "on_lower"), PEOPLE)
def test_LINK_the_demo_visitors_in_xiamen(
    home: str, score: int, point: int, lower: int, on_point: dict[int, bool], on_lower: dict[int, bool]
) -> None:
    host, scale = concordance("xiamen"), SCALES["xiamen"]
    result = convert(score, concordance(home), SCALES[home], host, scale)
    assert result.equivalent == pytest.approx(point, abs=0.6)
    assert result.equivalent_score == point
    assert result.lower_bound == pytest.approx(lower, abs=1.0)
    assert {t: reaches(result.reference_value, host, scale, t) for t in on_point} == on_point
    assert {t: reaches(result.reference_lower, host, scale, t) for t in on_lower} == on_lower
    assert ("tie_band" in result.flags) == (score == 100)
    assert {"population_equivalence_assumed", "illustrative"} <= set(result.flags)


def test_min_max_would_have_given_705_the_discount() -> None:
    result = convert(705, concordance("hangzhou"), SCALES["hangzhou"], concordance("xiamen"), SCALES["xiamen"])
    assert not reaches(result.reference_upper, concordance("xiamen"), SCALES["xiamen"], 680)


@pytest.mark.parametrize(
    ("city", "score", "percent"),
    [
        ("xiamen", 693, 95.1),
        ("xiamen", 612, 59.1),
        ("xiamen", 525, 11.3),
        ("hangzhou", 705, 75.0),
        ("hangzhou", 760, 96.1),
    ],
)
def test_a_score_beats_this_share_of_its_city(city: str, score: int, percent: float) -> None:
    assert beats_bp(published(city), SCALES[city], score) / 100 == pytest.approx(percent, abs=0.05)


def test_kolen_and_brennan_toy_example() -> None:
    """Test Equating, Scaling, and Linking, ch. 2; each count times 20, which leaves the ranks as they are."""
    toy = [
        _linked(city, (0, 4), rows)
        for city, rows in (
            ("x", ((0, 40), (1, 60), (2, 40), (3, 40), (4, 20))),
            ("y", ((0, 20), (1, 40), (2, 40), (3, 60), (4, 40))),
        )
    ]
    scales = [a_scale(city, maximum=4) for city in "xy"]
    results = [convert(x, toy[0], scales[0], toy[1], scales[1]) for x in range(5)]
    assert [r.equivalent for r in results] == pytest.approx([0.452, 1.776, 2.793, 3.509, 4.0], abs=5e-4)
    assert ["ceiling" in r.flags for r in results] == [False, False, False, False, True]


def test_fico_2007_and_vantagescore_1_agree_with_their_published_shares() -> None:
    """federalreserve.gov general tables (2007) and Experian's table; equal ranks by hand, linear within a band."""
    edges = (300, 500, 550, 600, 650, 700, 750, 800, 851)
    fico_rows = zip(edges, edges[1:], (2, 5, 8, 12, 15, 18, 27, 13), strict=False)
    vantage_rows = ((501, 600, 19), (600, 700, 20), (700, 800, 20), (800, 900, 25), (900, 991, 16))
    scales = a_scale("fico", 300, 850), a_scale("vantage", 501, 990)
    fico, vantage = (
        build_concordance(
            Published("bands", FROM, TO, 200_000, bands=tuple(rows)),
            scale,
            concordance("xiamen"),
            version=1,
            valid_from=VALID,
        )
        for rows, scale in zip((tuple(fico_rows), vantage_rows), scales, strict=True)
    )
    for score, equal in ((900, 794), (800, 747), (700, 690), (600, 617)):
        result = convert(score, vantage, scales[1], fico, scales[0])
        min_max = 300 + 550 * (score - 501) / 489
        assert result.equivalent == pytest.approx(equal, abs=8)
        assert abs(result.equivalent - min_max) > 40
        assert result.lower_bound in edges, "a band is known by its cut only"
        assert "tie_band" in result.flags


def _linked(city: str, ends: tuple[int, int], rows: tuple[tuple[int, int], ...]) -> Concordance:
    scale = a_scale(city, *ends)
    return build_concordance(counted(rows), scale, concordance("xiamen"), version=1, valid_from=date(2025, 7, 1))
