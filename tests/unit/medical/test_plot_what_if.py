"""The picture of a policy that was tried: every tier once, the cap in words, honest about invented data."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import Any

from chalicelib.core.text import Text
from chalicelib.linking.rules.svg import width_of
from chalicelib.medical.rules import population, what_if
from chalicelib.medical.rules.plot_what_if import plot_what_if_svg
from chalicelib.medical.rules.tryout import WhatIf
from tests.unit.medical.test_tryout import COUNTS
from tests.unit.medical.ward import policy, published, scale

SVG = "{http://www.w3.org/2000/svg}"


def tried(**changes: Any) -> WhatIf:
    found = what_if(policy(), published(), population(COUNTS, scale()))
    return replace(found, **changes)


def said(picture: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(picture).iter(f"{SVG}text")]


def test_every_tier_stands_there_once_the_highest_limit_first() -> None:
    picture = plot_what_if_svg(tried())
    assert picture == plot_what_if_svg(tried())
    assert "://" not in picture.replace("http://www.w3.org/2000/svg", "")
    words = said(picture)
    names = [word for word in words if word.split()[0] in {"不良", "一般", "优秀", "极好"}]
    assert [name.split()[0] for name in names] == ["极好", "优秀", "一般", "不良"]
    assert "3,000 元 yuan" in words
    assert "3 人 people · 30.0 %" in words
    assert "6,000 元 yuan · 41.4 %" in words


def test_bars_are_in_proportion() -> None:
    bars = [e for e in ET.fromstring(plot_what_if_svg(tried())).iter(f"{SVG}rect") if e.get("height") == "17.0"]
    people, granted = ([float(e.get("width", 0)) for e in bars[start:8:2]] for start in (0, 1))
    assert people == [people[0], people[0], people[2], people[2]]
    assert abs(people[2] / people[0] - 3 / 2) < 0.01
    assert granted[0] == max(granted)
    assert abs(granted[0] / granted[3] - 4) < 0.02


def test_the_cap_is_told_as_it_is() -> None:
    assert "上限足以容纳所有人" in said(plot_what_if_svg(tried()))
    short = plot_what_if_svg(tried(exposure_cap_fen=290_000, lines_at_cap=2))
    assert "上限只够约 2 条平均额度，即 10 人中的 20.0 %" in said(short)
    assert "授信上限 cap 2,900 元 yuan" in said(short)
    nobody = plot_what_if_svg(tried(tiers=(), people=0, exposure_fen=0, lines_at_cap=None, exposure_cap_fen=0))
    assert "没有人获得额度" in said(nobody)


def test_invented_data_are_marked_and_only_they() -> None:
    for invented in (True, False):
        marked = any("illustrative" in word for word in said(plot_what_if_svg(tried(illustrative=invented))))
        assert marked == invented


def test_a_long_name_does_not_run_into_the_bars_and_fen_are_told_where_there_are_any() -> None:
    first = tried().tiers[0]
    long = replace(first, tier=Text("档" * 40, "tier " * 8), limit_fen=50_050)
    words = said(plot_what_if_svg(tried(tiers=(long,))))
    (name,) = (word for word in words if word.startswith("档"))
    assert name.endswith("…")
    assert width_of(name, 14) < 244
    assert "500.50 元 yuan" in words
    english = replace(first, tier=Text("好" * 12, "a very long English name of a tier"))
    assert "好" * 12 in said(plot_what_if_svg(tried(tiers=(english,))))
