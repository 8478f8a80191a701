"""The picture of a policy tried on a city: people and what is granted, tier by tier, and whether the cap bears it."""

from __future__ import annotations

from chalicelib.core.money import yuan
from chalicelib.core.text import Text
from chalicelib.linking.rules import chart, svg
from chalicelib.linking.rules.chart import AMBER, NAVY, RUST, TEAL
from chalicelib.medical.rules.tryout import TierPeople, WhatIf

ROW, BAR = 58, 17
_LEFT, _BARS, _RIGHT, _TOP, _FOOT = 76, 320, chart.WIDTH - 76, 132, 172
_ROOM_FOR_WORDS = 210
_PEOPLE = Text("人数", "people")
_GRANTED = Text("授信额", "granted")


def plot_what_if_svg(tried: WhatIf) -> str:
    """An SVG: a row per tier, the highest limit first, with its share of the people and of what is granted; below, all
    of it beside the exposure cap."""
    title = Text(
        f"信用就医授信规则第 {tried.policy_version} 版：试算",
        f"Medical credit, version {tried.policy_version} of the policy: what it would mean",
    )
    said = Text(
        f"{tried.people:,} 人共 {_money(tried.exposure_fen)} 元，上限 {_money(tried.exposure_cap_fen)} 元",
        f"{tried.people:,} people, {_money(tried.exposure_fen)} yuan in all, cap {_money(tried.exposure_cap_fen)} yuan",
    )
    foot = _TOP + ROW * len(tried.tiers)
    parts = [
        *chart.headline(title, tried.illustrative),
        *chart.key([(TEAL, _PEOPLE), (NAVY, _GRANTED)]),
        *(mark for n, tier in enumerate(reversed(tried.tiers)) for mark in _row(tried, tier, _TOP + ROW * n)),
        *_cap(tried, foot + 18),
        *_small_print(tried, foot + _FOOT - 44),
    ]
    return svg.document(chart.WIDTH, foot + _FOOT, title, said, parts)


def _row(tried: WhatIf, tier: TierPeople, top: float) -> list[str]:
    limit = f"{_money(tier.limit_fen)} 元 yuan" + (" · 封顶 capped" if tier.capped else "")
    return [
        svg.line((_LEFT, top - 10), (_RIGHT, top - 10)),
        svg.words(_LEFT, top + 14, _named(tier.tier), 14, bold=True),
        svg.words(_LEFT, top + 33, limit, 12, svg.FAINT),
        *_bar(tier.people, tried.people, top, TEAL, f"{tier.people:,} 人 people"),
        *_bar(tier.exposure_fen, tried.exposure_fen, top + BAR + 4, NAVY, f"{_money(tier.exposure_fen)} 元 yuan"),
    ]


def _named(tier: Text) -> str:
    """Both names, or as much of the Chinese one as there is room for beside the bars."""
    both, room = f"{tier.zh} {tier.en}", _BARS - _LEFT
    if svg.width_of(both, 14) < room:
        return both
    return tier.zh if svg.width_of(tier.zh, 14) < room else tier.zh[: room // 14 - 1] + "…"


def _bar(part: int, whole: int, top: float, colour: str, said: str) -> list[str]:
    """A part of all as a bar, with its figure and its share behind it."""
    share = part / whole if whole else 0.0
    width = share * (_RIGHT - _BARS - _ROOM_FOR_WORDS)
    label = f"{said} · {100 * share:.1f} %" if whole else said
    return [
        svg.rect(_BARS, top, max(width, 1), BAR, colour, 0.85, 2),
        svg.words(_BARS + max(width, 1) + 8, top + 13, label, 12, svg.INK),
    ]


def _cap(tried: WhatIf, top: float) -> list[str]:
    """All that would be granted beside the cap, on one scale, and in words how far the cap goes."""
    most = max(tried.exposure_fen, tried.exposure_cap_fen, 1)
    across = _RIGHT - _LEFT
    over = tried.exposure_fen > tried.exposure_cap_fen
    at = _LEFT + across * tried.exposure_cap_fen / most
    cap = f"授信上限 cap {_money(tried.exposure_cap_fen)} 元 yuan"
    return [
        svg.words(_LEFT, top + 10, "人人都开通时 if everybody opens a line", 13, bold=True),
        svg.rect(_LEFT, top + 22, across, BAR, svg.GRID, radius=2),
        svg.rect(_LEFT, top + 22, across * tried.exposure_fen / most, BAR, RUST if over else NAVY, 0.85, 2),
        svg.line((at, top + 16), (at, top + 46), AMBER, 2.5),
        svg.words(_RIGHT, top + 10, cap, 12, "#7a5208", "end", bold=True),
        svg.words(_LEFT, top + 60, _room(tried).zh, 13, RUST if over else svg.INK),
        svg.words(_LEFT, top + 78, _room(tried).en, 12, RUST if over else svg.FAINT),
    ]


def _room(tried: WhatIf) -> Text:
    if tried.lines_at_cap is None:
        return Text("没有人获得额度", "Nobody is granted anything")
    if tried.exposure_fen <= tried.exposure_cap_fen:
        return Text("上限足以容纳所有人", "The cap has room for everybody")
    return Text(
        f"上限只够约 {tried.lines_at_cap:,} 条平均额度，即 {tried.people:,} 人中的 {_share(tried)}",
        f"The cap has room for about {tried.lines_at_cap:,} average lines of {tried.people:,}, {_share(tried)}",
    )


def _share(tried: WhatIf) -> str:
    return f"{100 * (tried.lines_at_cap or 0) / tried.people:.1f} %"


def _small_print(tried: WhatIf, top: float) -> list[str]:
    table = f"按该城市公布的分数分布与场景表第 {tried.table_version} 版计算；不涉及任何人的分数"
    english = f"By the city's published distribution and version {tried.table_version} of the scenario; nobody's score"
    return [svg.words(_LEFT, top, table, 11.5, svg.FAINT), svg.words(_LEFT, top + 18, english, 11.5, svg.FAINT)]


def _money(fen: int) -> str:
    """Yuan with separators, and fen only where there are any: ``1,234,500`` and ``12.50``."""
    whole, part = yuan(fen).split(".")
    return f"{int(whole):,}" + (f".{part}" if part != "00" else "")
