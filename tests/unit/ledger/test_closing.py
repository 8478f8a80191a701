"""When a day may be closed, and which entries were too late for theirs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from chalicelib.ledger.rules import (
    CLOSING_DELAY,
    LOOK_BACK_DAYS,
    DayNotOver,
    Statement,
    Tally,
    check_over,
    end_of,
    line_of,
    looked_back_on,
    place_of,
    stated_of,
    statement_of,
    unstated,
    with_page,
)
from tests.unit.ledger.books import DAY, FARM, NOON, sale

SHANGHAI = "Asia/Shanghai"


@pytest.mark.parametrize(
    ("zone", "day", "end"),
    [
        (SHANGHAI, DAY, datetime(2026, 5, 1, 16, tzinfo=UTC)),
        ("UTC", DAY, datetime(2026, 5, 2, tzinfo=UTC)),
        ("America/New_York", date(2026, 3, 8), datetime(2026, 3, 9, 4, tzinfo=UTC)),
        ("America/New_York", date(2026, 11, 1), datetime(2026, 11, 2, 5, tzinfo=UTC)),
        ("America/Havana", date(2026, 3, 7), datetime(2026, 3, 8, 5, tzinfo=UTC)),
        ("Asia/Shanghai", date(2026, 12, 31), datetime(2026, 12, 31, 16, tzinfo=UTC)),
    ],
)
def test_a_day_ends_at_midnight_there(zone: str, day: date, end: datetime) -> None:
    assert end_of(day, zone) == end


def test_a_day_is_closed_an_hour_after_its_end_and_no_sooner() -> None:
    due = datetime(2026, 5, 1, 17, tzinfo=UTC)
    assert timedelta(hours=1) == CLOSING_DELAY
    check_over(DAY, SHANGHAI, due)
    for early in (due - timedelta(milliseconds=1), due - timedelta(hours=1), due - timedelta(days=400)):
        with pytest.raises(DayNotOver) as refused:
            check_over(DAY, SHANGHAI, early)
        assert "2026-05-02 01:00" in refused.value.detail.en
        assert "2026-05-02 01:00" in refused.value.detail.zh


def test_seven_days_are_looked_back() -> None:
    found = looked_back_on(date(2026, 3, 3))
    assert [of.isoformat()[5:] for of in found] == ["02-24", "02-25", "02-26", "02-27", "02-28", "03-01", "03-02"]
    assert len(found) == LOOK_BACK_DAYS


def statement(day: date, *hours: int) -> Statement:
    lines = [line_of(sale(number, hours=after), day) for number, after in enumerate(hours)]
    return statement_of(FARM, day, SHANGHAI, with_page(Tally(), lines), None, NOON)


def test_lines_are_counted_by_their_own_days() -> None:
    known = [statement(DAY, 0, 1), statement(DAY + timedelta(days=1), 2, 24, 25, 26)]
    days = [DAY + timedelta(days=n) for n in range(3)]
    assert [stated_of([day], known) for day in days] == [3, 3, 0]
    assert stated_of(days[:2], known) == 6
    assert stated_of([], known) == stated_of(days, []) == 0


@pytest.mark.parametrize(
    ("entries", "stated", "left"),
    [
        ([0, 1, 2], [0, 1, 2], []),
        ([0, 1, 2], [], [0, 1, 2]),
        ([0, 1, 2], [1], [0, 2]),
        ([0, 2], [0, 1, 2], []),
        ([1, 3], [0, 2, 4], [1, 3]),
        ([], [0], []),
        ([5], [0, 1, 2], [5]),
        ([0], [1, 2], [0]),
    ],
)
def test_LEDGER_what_is_not_stated_yet_is_found(entries: list[int], stated: list[int], left: list[int]) -> None:
    places = [place_of(sale(number, hours=number)) for number in range(6)]
    found = unstated((places[n] for n in entries), (places[n] for n in stated))
    assert list(found) == [places[n] for n in left]


def test_entries_of_one_instant_are_told_apart() -> None:
    same = sorted(place_of(sale(number)) for number in range(4))
    assert list(unstated(same, [same[1]])) == [same[0], *same[2:]]
