"""How few uses stay untold: what of a city's cells may be shown, so that nothing else can be worked out from it.

A cell is shown from ``LEAST`` uses on; below, it is not even told whether there was any. Its visitors are shown where
neither they nor the others are few. Two more rules keep sums from telling what the cells do not:

- Cells below ``LEAST`` are added up over one district and one calendar month, never over the days that were asked for:
  two spans would differ by a day. And only once the month is over: two readings would differ by a day, too.
- They are added up only where each of them could still be anything from 0 to ``LEAST`` − 1, even to somebody who knows
  these rules and which cells there are: the others must be able to make up for it (``_told_together``). The same holds
  for the visitors of cells that show their uses (``_visitors_together``).

Every other sum is one of sums that are shown; it leaves out what is not shown. See
``docs/decisions/statistics-from-the-stream.md``.
"""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from chalicelib.offers.rules.statistics import (
    LEAST,
    Cell,
    DayFigures,
    Days,
    DistrictFigures,
    Figures,
    MonthFigures,
    ScenarioFigures,
    Tally,
    added,
)


def suppressed(
    scenario_id: str, tallies: Iterable[Tally], days: Days, today: date, *, least: int = LEAST
) -> ScenarioFigures | None:
    """What may be shown of a scenario's cells on these days; None: nothing.

    Args:
        tallies: The cells of these days, all of them. A cell below zero is one whose use has yet to be counted.
        today: The city's day. A month is over once its last day is before it.
        least: Uses from which on a cell is shown.
    """
    sound = sorted((_sound(tally) for tally in tallies), key=lambda t: (t.day, t.district or ""))
    shown = tuple(
        DayFigures(t.day, t.district, _of_cell(t.cell, least)) for t in sound if t.cell.uses >= least
    )  # fmt: skip
    months = tuple(filter(None, (_month(month, sound, least) for month in _whole_months(days, today))))
    if not shown and not months:
        return None
    covered = {month.month for month in months}
    others = (day.figures for day in shown if _month_of(day.day) not in covered)
    return ScenarioFigures(scenario_id, added([*(m.figures for m in months), *others]), months, shown)


def _sound(tally: Tally) -> Tally:
    """The cell as far as it can be told: a refund may have been counted before its sale."""
    uses = max(tally.cell.uses, 0)
    visitor_uses = min(max(tally.cell.visitor_uses, 0), uses)
    return Tally(tally.day, tally.district, Cell(uses, visitor_uses, max(tally.cell.saved_fen, 0)))


def _of_cell(cell: Cell, least: int) -> Figures:
    return Figures(cell.uses, cell.visitor_uses if _visitors_shown(cell, least) else None, cell.saved_fen)


def _visitors_shown(cell: Cell, least: int) -> bool:
    fewer = min(cell.visitor_uses, cell.uses - cell.visitor_uses)
    return fewer == 0 or fewer >= least


def _month(month: str, tallies: Sequence[Tally], least: int) -> MonthFigures | None:
    by_district: dict[str | None, list[Cell]] = defaultdict(list)
    for tally in tallies:
        if _month_of(tally.day) == month:
            by_district[tally.district].append(tally.cell)
    shown = tuple(
        DistrictFigures(district, figures)
        for district, cells in sorted(by_district.items(), key=lambda item: item[0] or "")
        if (figures := _of_month(cells, least)) is not None
    )
    return MonthFigures(month, added(each.figures for each in shown), shown) if shown else None


def _of_month(cells: Sequence[Cell], least: int) -> Figures | None:
    """What may be shown of one district's month: the cells shown by themselves, and the others together."""
    shown = [cell for cell in cells if cell.uses >= least]
    unsplit = [cell for cell in shown if not _visitors_shown(cell, least)]
    few = [cell for cell in cells if cell.uses < least]
    rest = sum(few, Cell())
    if _told_together(len(few), rest, least):
        shown.append(rest)
        if min(rest.visitor_uses, rest.uses - rest.visitor_uses) < least:
            unsplit.append(rest)
    if not shown:
        return None
    whole = sum(shown, Cell())
    return Figures(whole.uses, whole.visitor_uses if _visitors_together(unsplit, least) else None, whole.saved_fen)


def _told_together(cells: int, rest: Cell, least: int) -> bool:
    """Whether the sum of cells below ``least`` leaves each of them anything from 0 to ``least`` − 1.

    It does where the others can have it all without any of them reaching ``least``. Nothing saved would say that each
    of them saved nothing.
    """
    return least <= rest.uses <= (least - 1) * (cells - 1) and rest.saved_fen > 0


def _visitors_together(unsplit: Sequence[Cell], least: int) -> bool:
    """Whether the sum of visitors leaves those of each of these cells anything from 1 to ``least`` − 1, or the others.

    It does where the rest of the cells can make up for it within these bounds, on one side at least.
    """
    visitors = sum(cell.visitor_uses for cell in unsplit)
    others = sum(cell.uses for cell in unsplit) - visitors
    most, rest = least - 1, len(unsplit) - 1
    return not unsplit or any(rest + most <= side <= rest * most for side in (visitors, others))


def _whole_months(days: Days, today: date) -> list[str]:
    """The calendar months of which every day was asked for, and is over."""
    found = []
    first = days.first.replace(day=1)
    while first <= days.last:
        last = first.replace(day=monthrange(first.year, first.month)[1])
        if days.first <= first and last <= days.last and last < today:
            found.append(_month_of(first))
        if last == date.max:
            break
        first = last + timedelta(days=1)
    return found


def _month_of(day: date) -> str:
    return f"{day:%Y-%m}"
