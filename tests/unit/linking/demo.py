"""The demo's cities as the linking tests need them: scales, distributions, concordances."""

from __future__ import annotations

from datetime import date
from functools import cache

from chalicelib.cities.rules import Direction, Grade, Scale
from chalicelib.core.text import Text
from chalicelib.linking.rules import Concordance, Published, build_concordance, build_reference, check_published
from infra.local import demo_data

FROM, TO, TODAY = date(2025, 5, 1), date(2025, 6, 1), date(2025, 6, 10)
VALID = date(2025, 7, 1)

NUMERIC = ("xiamen", "hangzhou", "fuzhou", "zhengzhou")


def a_scale(
    city: str = "somewhere",
    minimum: int = 0,
    maximum: int = 1000,
    step: int = 1,
    cuts: tuple[int, ...] = (),
    direction: Direction = "higher_is_better",
    names: tuple[str, ...] = (),
    score_name: Text | None = None,
    illustrative: bool = True,
) -> Scale:
    """A scale; its grades are numbered from the worst if ``names`` are not given."""
    named = names or tuple(f"G{i}" for i in range(len(cuts) + 1))
    all_cuts = (None, *cuts)
    grades = tuple(Grade(n, n, c) for n, c in zip(named, all_cuts, strict=True)) if cuts else ()
    title = score_name or Text("分", "score")
    return Scale(city, 1, title, minimum, maximum, step, direction, grades, date(2018, 1, 1), "test", illustrative)


_FIVE = ("待提高", "一般", "良好", "优秀", "极好")
SCALES = {
    "xiamen": a_scale(
        "xiamen", cuts=(500, 560, 620, 680), names=("不良", *_FIVE[1:]), score_name=Text("白鹭分", "Egret score")
    ),
    "hangzhou": a_scale(
        "hangzhou", cuts=(550, 600, 700, 750), names=_FIVE, score_name=Text("钱江分", "Qianjiang score")
    ),
    "fuzhou": a_scale(
        "fuzhou",
        cuts=(350, 550, 650, 750, 850),
        names=("极差", "较差", "一般", "良好", "优秀", "极好"),
        score_name=Text("茉莉分", "Jasmine score"),
    ),
    "zhengzhou": a_scale(
        "zhengzhou",
        maximum=200,
        cuts=(80, 100, 120, 150),
        names=("信用较差", "轻微失信", "良好", "优秀", "极好"),
        score_name=Text("商鼎分", "Shangding score"),
    ),
    "wuxi": a_scale(
        "wuxi", cuts=(501, 651, 701, 801), names=("一", "二", "三", "四", "五"), score_name=Text("阿福分", "Afu score")
    ),
    "zhejiang": a_scale(
        "zhejiang", score_name=Text("浙江自然人信用评价", "Zhejiang natural-person evaluation"), illustrative=False
    ),
}


def counted(rows: tuple[tuple[int, int], ...], illustrative: bool = True) -> Published:
    """Counts per score that sum to n."""
    n = sum(people for _, people in rows)
    return Published("counts", FROM, TO, n, counts=rows, source="demo", illustrative=illustrative)


@cache
def published(city: str) -> Published:
    """What the city submits, not yet checked."""
    if city == "fuzhou":
        rows = demo_data.quantiles(city)
        return Published("quantiles", FROM, TO, 4_000_000, quantiles=rows, source="demo", illustrative=True)
    if city == "zhejiang":
        table = demo_data.bands("zhejiang_2018")
        return Published("bands", FROM, TO, 41_476_000, bands=table, source="zjvnet.com 2018-08-13")
    if city == "wuxi":
        return Published("cuts", FROM, TO, source="demo", illustrative=True)
    return counted(demo_data.counts(city))


@cache
def concordance(city: str) -> Concordance:
    """The city's first table; Xiamen's is the reference."""
    checked = check_published(published(city), SCALES[city], TODAY)
    if city == "xiamen":
        return build_reference(checked, SCALES[city], valid_from=VALID)
    return build_concordance(checked, SCALES[city], concordance("xiamen"), version=1, valid_from=VALID)
