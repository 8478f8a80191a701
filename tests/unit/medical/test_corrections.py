"""LIMIT: what a reviewer may give who corrects: more than there is, for a year at most, and nothing taken back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from chalicelib.medical.rules.corrections import (
    Correction,
    ExceptionalLimitInvalid,
    Known,
    exceptional,
    running,
)
from chalicelib.medical.rules.credit import ExceptionalLimit
from tests.unit.medical import ward

TODAY, DAY, ZONE = date(2026, 8, 3), timedelta(days=1), "Asia/Shanghai"
CEILING = ward.policy().ceiling_fen


def given(limit_fen: int, days: int, known: Known | None = None) -> ExceptionalLimit:
    wanted = Correction(limit_fen, TODAY + days * DAY)
    return exceptional("xiamen.r1", ward.policy(), wanted, known or Known(), TODAY, ZONE)


def refused(limit_fen: int, days: int, known: Known | None = None) -> list[str]:
    with pytest.raises(ExceptionalLimitInvalid) as found:
        given(limit_fen, days, known)
    return [fault.pointer for fault in found.value.faults]


def test_LIMIT_up_to_the_ceiling_and_for_a_year() -> None:
    whole_day = given(CEILING, 1)
    assert whole_day.until == datetime(2026, 8, 3, 16, tzinfo=UTC), "the end of the day in the city, not in Greenwich"
    assert given(1, 365).limit_fen == 1
    assert refused(CEILING + 1, 1) == ["/limit_fen"]
    assert [refused(1, days) for days in (0, -1, 366)] == [["/until"]] * 3
    with pytest.raises(AssertionError):
        given(0, 1)


def test_LIMIT_more_than_what_is_decided_today() -> None:
    known = Known(decided_fen=100_000)
    for limit_fen in (1, 100_000):
        assert refused(limit_fen, 30, known) == ["/limit_fen"]
    assert given(100_001, 30, known).limit_fen == 100_001


def test_REWARD_a_correction_takes_nothing_from_one_that_runs() -> None:
    before = given(120_000, 30)
    known = Known(before, 50_000)
    assert refused(119_999, 30, known) == ["/limit_fen"]
    assert refused(120_000, 29, known) == ["/until"]
    assert refused(60_000, 1, known) == ["/limit_fen", "/until"]
    assert refused(120_000, 30, known) == ["/limit_fen"], "it is the same"
    assert given(120_000, 31, known).until == before.until + DAY
    assert given(120_001, 30, known).limit_fen == 120_001


def test_an_exception_runs_until_its_end() -> None:
    one = given(120_000, 30)
    assert running(None, ward.NOON) is None
    assert running(one, one.until - timedelta(seconds=1)) == one
    assert running(one, one.until) is None
