"""Ages agree with the calendar, day by day."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.subjects.rules import age_years

BIRTHDAYS = st.dates(date(1900, 1, 1), date(2030, 12, 31)) | st.sampled_from([date(2004, 2, 29), date(2008, 2, 29)])


def birthday(born: date, year: int) -> date:
    """The day on which a person is a year older in this year."""
    try:
        return born.replace(year=year)
    except ValueError:
        return date(year, 3, 1)


@given(BIRTHDAYS, st.integers(0, 120))
@settings(max_examples=300)
def test_a_year_is_full_on_the_birthday_and_not_a_day_before(born: date, years: int) -> None:
    day = birthday(born, born.year + years)
    assert age_years(born, day) == years
    assert age_years(born, day - timedelta(days=1)) == years - 1


@given(BIRTHDAYS, st.dates(date(1900, 1, 1), date(2100, 12, 31)))
@settings(max_examples=200)
def test_nobody_gets_younger(born: date, day: date) -> None:
    assert 0 <= age_years(born, day + timedelta(days=1)) - age_years(born, day) <= 1
