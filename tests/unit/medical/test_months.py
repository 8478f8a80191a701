"""Which months are stated together, and when."""

from __future__ import annotations

from datetime import date

import pytest

from chalicelib.medical.rules.months import (
    MOST_MONTHS,
    MonthNotOver,
    MonthsOutstanding,
    NothingBilled,
    month_in,
    month_text,
    months_to_state,
)

MARCH = date(2027, 3, 1)


def month(year: int, number: int) -> date:
    return date(year, number, 1)


def test_a_month_is_written_in_one_way() -> None:
    assert month_in("2028-02") == month(2028, 2)
    assert month_text(month(2028, 2)) == "2028-02"
    for text in (
        "2028-2",
        "2028-13",
        "2028-00",
        "28-02",
        "0028-02",
        "3028-02",
        "2028-02-01",
        "2028-02\n",
        "２０２８-02",
        "",
    ):
        assert month_in(text) is None


def test_all_months_that_are_open_are_stated_together() -> None:
    assert months_to_state(MARCH, MARCH, date(2027, 4, 1)) == (MARCH,)
    assert months_to_state(month(2026, 12), month(2027, 2), date(2027, 4, 30)) == (
        month(2026, 12), month(2027, 1), month(2027, 2),
    )  # fmt: skip


def test_a_month_is_stated_once_it_is_over() -> None:
    for today in (date(2027, 3, 1), date(2027, 3, 31), date(2027, 2, 28)):
        for first in (MARCH, None):
            with pytest.raises(MonthNotOver):
                months_to_state(first, MARCH, today)


def test_there_must_be_something_to_state() -> None:
    for first in (None, month(2027, 4)):
        with pytest.raises(NothingBilled):
            months_to_state(first, MARCH, date(2027, 5, 1))


def test_so_many_at_once_and_no_more() -> None:
    assert len(months_to_state(month(2026, 4), MARCH, date(2027, 5, 1))) == MOST_MONTHS
    with pytest.raises(MonthsOutstanding) as refused:
        months_to_state(month(2026, 3), MARCH, date(2027, 5, 1))
    assert refused.value.detail is not None
    assert "2027-02" in refused.value.detail.en
