"""The pictures: well formed, the same bytes each time, self-contained, and honest about their data."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from chalicelib.cities.rules import ScoreOffScale
from chalicelib.core.text import Text
from chalicelib.linking.rules import (
    DistributionInvalid,
    LinkNotNumeric,
    Published,
    build_concordance,
    grade_bands,
    plot_concordance_svg,
    plot_distribution_svg,
    plot_link_svg,
)
from chalicelib.linking.rules.chart import HEIGHT, WIDTH, ticks
from chalicelib.linking.rules.check import REQUIRED_RANKS
from tests.unit.linking.demo import FROM, NUMERIC, SCALES, TO, VALID, a_scale, concordance, counted, published

SVG = "{http://www.w3.org/2000/svg}"


def link(home: str, host: str, mark: int | None = None) -> str:
    return plot_link_svg(concordance(home), SCALES[home], concordance(host), SCALES[host], mark)


def said(picture: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(picture).iter(f"{SVG}text")]


def distribution(city: str) -> str:
    return plot_distribution_svg(published(city), SCALES[city])


def curve(city: str) -> str:
    return plot_concordance_svg(concordance(city), SCALES[city])


PICTURES: dict[str, Callable[[], str]] = {
    **{f"distribution {c}": partial(distribution, c) for c in SCALES},
    **{f"concordance {c}": partial(curve, c) for c in NUMERIC},
    "hangzhou to xiamen": lambda: link("hangzhou", "xiamen", 705),
    "xiamen to zhengzhou": lambda: link("xiamen", "zhengzhou"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_well_formed_deterministic_and_self_contained(name: str) -> None:
    picture = PICTURES[name]()
    root = ET.fromstring(picture)
    assert root.tag == f"{SVG}svg"
    assert root.findtext(f"{SVG}title")
    assert root.findtext(f"{SVG}desc")
    assert picture == PICTURES[name]()
    assert not [bad for bad in ("<script", "href", "url(", "nan", "inf") if bad in picture.lower()]
    assert picture.count("http") == 1, "the namespace only"


@pytest.mark.parametrize("name", PICTURES)
def test_nothing_is_drawn_outside_the_picture(name: str) -> None:
    for element in ET.fromstring(PICTURES[name]()).iter():
        for attribute, most in (
            ("x", WIDTH),
            ("x1", WIDTH),
            ("x2", WIDTH),
            ("cx", WIDTH),
            ("y", HEIGHT),
            ("cy", HEIGHT),
        ):
            assert 0 <= float(element.get(attribute, 0)) <= most


@pytest.mark.parametrize("name", PICTURES)
def test_invented_data_say_so_and_real_data_do_not(name: str) -> None:
    assert ("演示数据 · illustrative" in said(PICTURES[name]())) == ("zhejiang" not in name)


def test_grades_ticks_and_both_languages_are_written() -> None:
    words = said(plot_distribution_svg(published("xiamen"), SCALES["xiamen"]))
    assert {"不良", "一般", "良好", "优秀", "极好", "0", "500", "1000"} <= set(words)
    assert {"白鹭分：分数分布", "Egret score: how scores are distributed"} <= set(words)


def test_english_grade_names_are_written_where_they_fit() -> None:
    scale = SCALES["xiamen"]
    named = replace(scale, grades=tuple(replace(g, name_en="Fair") for g in scale.grades))
    assert said(plot_distribution_svg(published("xiamen"), named)).count("Fair") == 5
    long = replace(scale, grades=tuple(replace(g, name_en="Quite remarkable") for g in scale.grades))
    assert said(plot_distribution_svg(published("xiamen"), long)).count("Quite remarkable") == 2


def test_zhejiang_is_shown_as_what_it_is() -> None:
    words = said(plot_distribution_svg(published("zhejiang"), SCALES["zhejiang"]))
    assert {"97.9 %", "2.06 %", "0.00002 %", "97.9 % 的人集中在一个分值或区间，无法换算"} <= set(words)


def test_a_verdict_given_is_shown() -> None:
    verdict = Text("人数不足", "Too few")
    assert {"人数不足", "Too few"} <= set(said(plot_distribution_svg(published("xiamen"), SCALES["xiamen"], verdict)))


def test_a_towering_score_is_cut_off_and_named() -> None:
    words = said(plot_distribution_svg(published("zhengzhou"), SCALES["zhengzhou"]))
    assert "100 分上有 45.0 % 的人 · 45.0 % of people score 100" in words


@pytest.mark.parametrize(
    "draft",
    [
        Published("range", FROM, TO),
        Published("counts", FROM, TO, counts=((1, 0), (2, 0))),
        Published("bands", FROM, TO, bands=((0, 50, 0.0), (50, 101, 0.0))),
    ],
)
def test_where_nobody_was_counted_the_picture_says_so(draft: Published) -> None:
    assert "No counts published: a grade by policy, never a number" in said(
        plot_distribution_svg(draft, a_scale(maximum=100))
    )


@pytest.mark.parametrize(
    "draft",
    [
        counted(((7, 5),)),
        counted(((7, 95), (100, 5))),
        Published("quantiles", FROM, TO, 5, quantiles=tuple((p, 50) for p in REQUIRED_RANKS)),
        Published("bands", FROM, TO, 5, bands=((0, 101, 100.0),)),
    ],
)
def test_a_draft_too_concentrated_to_link_is_drawn_with_the_reason(draft: Published) -> None:
    assert any(
        "%" in word or "At least two" in word for word in said(plot_distribution_svg(draft, a_scale(maximum=100)))
    )


def test_a_draft_that_cannot_be_read_is_not_drawn() -> None:
    with pytest.raises(DistributionInvalid):
        plot_distribution_svg(counted(((7, 5), (7, 5))), a_scale())
    with pytest.raises(ScoreOffScale):
        plot_distribution_svg(counted(((7, 5), (1001, 5))), a_scale())


def test_a_marked_score_is_followed_across() -> None:
    words = said(link("hangzhou", "xiamen", 705))
    assert {"705 → 637", "705"} <= set(words)
    assert not any("→ 6" in word for word in said(link("hangzhou", "xiamen")))


def test_cuts_carry_their_r() -> None:
    assert {"R 343", "R 435", "R 537", "R 642"} <= set(
        said(plot_concordance_svg(concordance("xiamen"), SCALES["xiamen"]))
    )


def test_LINK_no_picture_pretends_to_a_number() -> None:
    with pytest.raises(LinkNotNumeric):
        plot_concordance_svg(concordance("wuxi"), SCALES["wuxi"])
    with pytest.raises(LinkNotNumeric):
        link("wuxi", "xiamen")


def test_words_from_outside_are_escaped() -> None:
    scale = a_scale("evil", cuts=(500,), names=("<b>", "&"), score_name=Text("<script>", "a<b&c"))
    given = Published("bands", FROM, TO, 5_000, bands=grade_bands(scale, (40.0, 60.0)), source="<x>&")
    c = build_concordance(given, scale, concordance("xiamen"), version=1, valid_from=VALID)
    for picture in (plot_distribution_svg(given, scale), plot_concordance_svg(c, scale)):
        ET.fromstring(picture)
        assert "<script" not in picture
        assert "<b>" in said(picture)


def test_a_scale_whose_lower_scores_are_better_runs_from_worse_to_better() -> None:
    scale = a_scale("down", maximum=100, cuts=(60, 30), direction="lower_is_better")
    given = counted(tuple((s, 100) for s in range(10, 90)))
    root = ET.fromstring(plot_distribution_svg(given, scale))
    at = {e.text: float(e.get("x", 0)) for e in root.iter(f"{SVG}text")}
    assert at["100"] < at["60"] < at["30"] < at["0"]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1000, [*range(0, 1001, 100)]),
        (0, 4, [0, 1, 2, 3, 4]),
        (300, 850, [*range(300, 851, 50)]),
        (350, 950, [350, 400, 500, 600, 700, 800, 900, 950]),
    ],
)
def test_ticks_are_round_and_include_the_ends(low: int, high: int, expected: list[int]) -> None:
    assert ticks(low, high)[0] == low
    assert ticks(low, high)[-1] == high
    assert len(ticks(low, high)) <= 13
    if low != 350:
        assert ticks(low, high) == expected
