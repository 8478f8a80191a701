"""What a city sees of its offers, and of what it is counted: uses, visitors served and money saved.

A cell is one scenario, district and day. Events add to cells and take back from them; sums do not mind their order.
What of the cells may be shown is decided in ``suppression``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from chalicelib.core.errors import InvalidRequest
from chalicelib.core.text import Text

LEAST = 10
MOST_DAYS = 92
_DAY = re.compile(r"[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}")
NOTE = Text(
    f"一个场景、一个区、一天的用信不足 {LEAST} 次时不显示；待当月结束后，仅在不会推算出任何一天时才计入该区当月合计。"
    f"外地居民或本地居民用信不足 {LEAST} 次时，不显示外地居民次数。合计只含所显示的内容。",
    f"Fewer than {LEAST} uses of a scenario in a district on a day are not shown; they are added to the district's "
    "month once it is over, and only where no day can be worked out from it. Visitors are not shown where they, or the "
    f"residents, have fewer than {LEAST} uses. Totals add up only what is shown.",
)


@dataclass(frozen=True, slots=True)
class Cell:
    """What is counted: uses, those of visitors among them, and what was saved, in fen. It may take back as well."""

    uses: int = 0
    visitor_uses: int = 0
    saved_fen: int = 0

    def __add__(self, other: Cell) -> Cell:
        """Both together."""
        return Cell(
            self.uses + other.uses, self.visitor_uses + other.visitor_uses, self.saved_fen + other.saved_fen
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Used:
    """A benefit was used: an offer was redeemed, which is one use however much was bought."""

    effect_id: str
    city_id: str
    scenario_id: str
    district: str | None
    visitor: bool
    saved_fen: int
    day: date
    v: Literal[1] = 1

    @property
    def counted_on(self) -> date:
        """The day whose cell it adds to."""
        return self.day

    @property
    def addition(self) -> Cell:
        """What it adds to its cell."""
        return Cell(1, int(self.visitor), self.saved_fen)


@dataclass(frozen=True, slots=True)
class GivenBack:
    """Something was refunded. ``whole``: nothing is left of the sale, so it was no use after all."""

    effect_id: str
    city_id: str
    scenario_id: str
    district: str | None
    visitor: bool
    saved_fen: int
    whole: bool
    sold_on: date
    v: Literal[1] = 1

    @property
    def counted_on(self) -> date:
        """The day whose cell it takes back from: that of the sale."""
        return self.sold_on

    @property
    def addition(self) -> Cell:
        """What it adds to its cell; nothing of it is above zero."""
        return Cell(-int(self.whole), -int(self.whole and self.visitor), -self.saved_fen)


@dataclass(frozen=True, slots=True)
class Tally:
    """A cell of a scenario, and where it stands. No ``district``: it was used in none."""

    day: date
    district: str | None
    cell: Cell


@dataclass(frozen=True, slots=True)
class Days:
    """The days that were asked for, the first and the last included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Figures:
    """What is shown of a cell or of several; ``visitor_uses`` None: not shown."""

    uses: int
    visitor_uses: int | None
    saved_fen: int


@dataclass(frozen=True, slots=True)
class DayFigures:
    """What is shown of a cell."""

    day: date
    district: str | None
    figures: Figures


@dataclass(frozen=True, slots=True)
class DistrictFigures:
    """What is shown of a district's month, its cells below ``LEAST`` included where they may be."""

    district: str | None
    figures: Figures


@dataclass(frozen=True, slots=True)
class MonthFigures:
    """What is shown of a calendar month (``yyyy-mm``)."""

    month: str
    figures: Figures
    districts: tuple[DistrictFigures, ...]


@dataclass(frozen=True, slots=True)
class ScenarioFigures:
    """What is shown of a scenario: whole months that are over, the days, and the sum of both, no day twice."""

    scenario_id: str
    figures: Figures
    months: tuple[MonthFigures, ...]
    days: tuple[DayFigures, ...]


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a city is shown. No ``figures``: nothing is."""

    city_id: str
    first_day: date
    last_day: date
    figures: Figures | None
    items: tuple[ScenarioFigures, ...]
    note: Text = NOTE


def days_between(first: str | None, last: str | None) -> Days:
    """The days from one to another (``yyyy-mm-dd``), both included.

    Raises: InvalidRequest: one is missing or no day; the last is before the first; more than ``MOST_DAYS``.
    """
    days = Days(_day(first), _day(last))
    if days.last < days.first:
        raise InvalidRequest.at("", Text("to 不能早于 from", "to must not be before from"))
    if (days.last - days.first).days >= MOST_DAYS:
        said = Text("一次最多查询 {most} 天", "at most {most} days can be asked for at once")
        raise InvalidRequest.at("", said.format(most=MOST_DAYS))
    return days


def _day(text: str | None) -> date:
    try:
        if text is not None and _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    said = Text("from 与 to 均须填写，格式为 YYYY-MM-DD", "from and to are both needed, as YYYY-MM-DD")
    raise InvalidRequest.at("", said)


def statistics_of(city_id: str, days: Days, items: Iterable[ScenarioFigures | None]) -> Statistics:
    """What a city is shown of its scenarios; one of which nothing is shown is not named."""
    shown = tuple(item for item in items if item is not None)
    figures = added(item.figures for item in shown) if shown else None
    return Statistics(city_id, days.first, days.last, figures, shown)


def added(parts: Iterable[Figures]) -> Figures:
    """The sum of what is shown; where the visitors of one part are not, they are not."""
    whole = list(parts)
    visitors = [part.visitor_uses for part in whole if part.visitor_uses is not None]
    return Figures(
        sum(part.uses for part in whole),
        sum(visitors) if len(visitors) == len(whole) else None,
        sum(part.saved_fen for part in whole),
    )
