"""What a city is shown: examples of every rule, and of what is asked for wrongly."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from chalicelib.core.errors import InvalidRequest
from chalicelib.offers.rules.statistics import (
    LEAST,
    NOTE,
    Cell,
    Days,
    Figures,
    GivenBack,
    Tally,
    Used,
    days_between,
    statistics_of,
)
from chalicelib.offers.rules.suppression import suppressed

TODAY = date(2026, 8, 15)
JULY = Days(date(2026, 7, 1), date(2026, 7, 31))
SCENARIO = "jimei_produce"


def used(saved_fen: int = 1800, *, visitor: bool = False) -> Used:
    return Used("xiamen.a", "xiamen", SCENARIO, "jimei", visitor, saved_fen, date(2026, 7, 3))


def back(saved_fen: int, *, whole: bool, visitor: bool = False) -> GivenBack:
    return GivenBack("xiamen.b", "xiamen", SCENARIO, "jimei", visitor, saved_fen, whole, date(2026, 7, 3))


def july(*cells: Cell, district: str | None = "jimei", first: int = 1) -> list[Tally]:
    """One cell a day from a day of July on."""
    return [Tally(date(2026, 7, first + n), district, cell) for n, cell in enumerate(cells)]


def shown(*tallies: Tally, days: Days = JULY, today: date = TODAY) -> dict[str, dict[str, Figures]]:
    """What is shown, by day or month, and by district."""
    found = suppressed(SCENARIO, tallies, days, today)
    if found is None:
        return {}
    flat: dict[str, dict[str, Figures]] = {"": {"": found.figures}}
    for day in found.days:
        flat.setdefault(f"{day.day:%d}", {})[day.district or "-"] = day.figures
    for month in found.months:
        flat[month.month] = {"": month.figures, **{d.district or "-": d.figures for d in month.districts}}
    return flat


def test_what_a_use_adds_a_refund_takes_back_on_the_day_of_the_sale() -> None:
    assert used(visitor=True).addition == Cell(1, 1, 1800)
    assert used().addition == Cell(1, 0, 1800)
    assert back(600, whole=False, visitor=True).addition == Cell(0, 0, -600)
    assert back(1200, whole=True, visitor=True).addition == Cell(-1, -1, -1200)
    assert back(1200, whole=True).addition == Cell(-1, 0, -1200)
    assert used().counted_on == back(1, whole=True).counted_on == date(2026, 7, 3)
    parts: list[Used | GivenBack] = [
        used(visitor=True),
        back(600, whole=False, visitor=True),
        back(1200, whole=True, visitor=True),
    ]
    assert sum((part.addition for part in parts), Cell()) == Cell()


def test_ten_uses_are_shown_and_nine_are_not() -> None:
    found = shown(*july(Cell(LEAST, 0, 900), Cell(LEAST - 1, 0, 800)))
    assert found == {
        "01": {"jimei": Figures(10, 0, 900)},
        "2026-07": {"": Figures(10, 0, 900), "jimei": Figures(10, 0, 900)},
        "": {"": Figures(10, 0, 900)},
    }


@pytest.mark.parametrize(
    ("cell", "visitors"),
    [
        (Cell(30, 0, 1), 0),
        (Cell(30, 1, 1), None),
        (Cell(30, 9, 1), None),
        (Cell(30, 10, 1), 10),
        (Cell(30, 20, 1), 20),
        (Cell(30, 21, 1), None),
        (Cell(30, 29, 1), None),
        (Cell(30, 30, 1), 30),
    ],
)
def test_visitors_are_shown_where_neither_they_nor_the_others_are_few(cell: Cell, visitors: int | None) -> None:
    assert shown(*july(cell))["01"]["jimei"].visitor_uses == visitors


def test_few_uses_are_told_together_once_the_month_is_over() -> None:
    few = july(*[Cell(5, 2, 100)] * 10)
    whole = Figures(50, 20, 1000)
    assert shown(*few) == {"2026-07": {"": whole, "jimei": whole}, "": {"": whole}}
    assert shown(*few, today=date(2026, 8, 1))["2026-07"]["jimei"] == whole
    assert shown(*few, today=date(2026, 7, 31)) == {}, "its last day is not over"


@pytest.mark.parametrize("days", [Days(date(2026, 7, 2), date(2026, 8, 31)), Days(date(2026, 6, 1), date(2026, 7, 30))])
def test_a_month_that_was_asked_for_in_part_tells_nothing_of_few_uses(days: Days) -> None:
    assert shown(*july(*[Cell(5, 2, 100)] * 10, first=5), days=days) == {}


@pytest.mark.parametrize(
    "cells",
    [
        [Cell(4, 0, 10), Cell(5, 0, 10)],  # nine
        [Cell(9, 0, 10)],  # one cell
        [Cell(9, 0, 10), Cell(9, 0, 10)],  # both are nine, or their sum would say so
        [Cell(9, 0, 10), Cell(9, 0, 10), Cell(1, 0, 10)],  # none of them is nought
        [Cell(5, 0, 0), Cell(5, 0, 0), Cell(5, 0, 0)],  # nobody saved anything
    ],
)
def test_a_sum_that_tells_of_one_cell_is_not_shown(cells: list[Cell]) -> None:
    assert shown(*july(*cells)) == {}
    beside = shown(*july(*cells, Cell(100, 0, 500)))
    assert beside["2026-07"]["jimei"] == beside["04" if len(cells) == 3 else f"{len(cells) + 1:02d}"]["jimei"]


def test_three_cells_that_can_stand_in_for_each_other_are_told_together() -> None:
    assert shown(*july(Cell(9, 0, 10), Cell(9, 0, 10), Cell(0, 0, 0)))["2026-07"]["jimei"].uses == 18


def test_no_visitors_among_the_few_is_not_told() -> None:
    assert shown(*july(*[Cell(5, 0, 100)] * 10))["2026-07"]["jimei"] == Figures(50, None, 1000)
    assert shown(*july(*[Cell(5, 5, 100)] * 10))["2026-07"]["jimei"] == Figures(50, None, 1000)


def test_few_visitors_of_many_days_are_told_together() -> None:
    thirty = july(*[Cell(30, 3, 100)] * 10)
    assert shown(*thirty)["2026-07"]["jimei"] == Figures(300, 30, 1000)
    assert shown(*thirty)["01"]["jimei"] == Figures(30, None, 100)
    assert shown(*july(*[Cell(30, 27, 100)] * 10))["2026-07"]["jimei"] == Figures(300, 270, 1000)
    assert shown(*thirty, days=Days(JULY.first, date(2026, 7, 30)))[""][""] == Figures(300, None, 1000)
    two = july(*[Cell(30, 9, 100)] * 2)
    assert shown(*two)["2026-07"]["jimei"].visitor_uses is None, "the two would be nine each"


def test_districts_are_told_apart_and_so_is_what_was_used_in_none() -> None:
    here = july(*[Cell(5, 0, 100)] * 2)
    found = shown(*here, *july(Cell(20, 0, 1), district=None), *july(Cell(9, 0, 1), district="huli"))
    assert found["2026-07"] == {"": Figures(20, 0, 1), "-": Figures(20, 0, 1)}
    several = [*july(*[Cell(4, 0, 1)] * 5, district="jimei"), *july(*[Cell(4, 0, 1)] * 5, district="huli")]
    assert {d: f.uses for d, f in shown(*several)["2026-07"].items()} == {"": 40, "huli": 20, "jimei": 20}


def test_a_day_is_added_up_once_be_its_month_over_or_not() -> None:
    days = Days(date(2026, 7, 1), date(2026, 8, 31))
    august = [Tally(date(2026, 8, 2), "jimei", Cell(11, 0, 5)), Tally(date(2026, 8, 3), "jimei", Cell(9, 0, 5))]
    found = shown(*july(Cell(20, 0, 7), *[Cell(6, 3, 1)] * 5), *august, days=days)
    assert found["2026-07"]["jimei"].uses == 50
    assert found[""][""] == Figures(61, 15, 17)


def test_a_refund_that_was_counted_before_its_sale_shows_nothing() -> None:
    assert shown(*july(Cell(-1, -1, -100))) == {}
    assert shown(*july(Cell(-3, -1, -100), *[Cell(5, 5, 1)] * 3))["2026-07"]["jimei"] == Figures(15, None, 3)
    assert shown(*july(Cell(12, -1, -100)))["01"]["jimei"] == Figures(12, 0, 0)
    assert shown(*july(Cell(12, 13, 100)))["01"]["jimei"] == Figures(12, 12, 100)


def test_nothing_to_show_is_an_empty_list_with_the_span() -> None:
    empty = statistics_of("xiamen", JULY, [None, suppressed(SCENARIO, july(Cell(3, 1, 5)), JULY, TODAY)])
    assert (empty.first_day, empty.last_day, empty.items, empty.figures) == (JULY.first, JULY.last, (), None)
    assert str(LEAST) in empty.note.zh
    assert str(LEAST) in empty.note.en
    assert empty.note == NOTE


def test_scenarios_are_added_up() -> None:
    parts = [suppressed(name, july(Cell(20, visitors, 7)), JULY, TODAY) for name, visitors in (("a", 0), ("b", 3))]
    assert statistics_of("xiamen", JULY, parts[:1]).figures == Figures(20, 0, 7)
    assert statistics_of("xiamen", JULY, parts).figures == Figures(40, None, 14)


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        (None, "2026-07-31", "needed"),
        ("2026-07-01", None, "needed"),
        ("", "2026-07-31", "needed"),
        ("2026-7-1", "2026-07-31", "needed"),
        ("20260701", "2026-07-31", "needed"),
        ("2026-W27-1", "2026-07-31", "needed"),
        ("２０２６-07-01", "2026-07-31", "needed"),
        ("2026-07-01\n", "2026-07-31", "needed"),
        ("2026-02-29", "2026-07-31", "needed"),
        ("0999-01-01", "2026-07-31", "needed"),
        ("2026-07-02", "2026-07-01", "before"),
        ("2026-05-01", "2026-08-01", "92"),
    ],
)
def test_a_bad_span_is_refused_in_words(first: str | None, last: str | None, said: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        days_between(first, last)
    assert said in refused.value.detail.en
    assert refused.value.detail.zh


def test_three_whole_months_can_be_asked_for_at_once() -> None:
    for first, last in (("2026-07-01", "2026-09-30"), ("2026-12-01", "2027-02-28"), ("2026-07-03", "2026-07-03")):
        days = days_between(first, last)
        assert (f"{days.first}", f"{days.last}") == (first, last)


def test_the_last_days_there_are_have_an_end() -> None:
    days = days_between("9999-12-01", "9999-12-31")
    assert suppressed(SCENARIO, [Tally(days.last, None, Cell(10, 0, 1))], days, TODAY) is not None
    assert days.last + timedelta(0) == date.max
