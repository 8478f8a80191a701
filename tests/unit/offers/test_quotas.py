"""One person's quota: windows by the city's calendar, what counts, what comes back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.offers.rules import Quota, QuotaExceeded, QuotaHold, QuotaState, ReservationClosed, windows_of
from chalicelib.offers.rules.quotas import (
    MAX_HOLDS,
    check_quota,
    confirmed,
    fits,
    folded,
    given_back,
    most_used,
    pruned,
    reserve,
    use,
    voided,
)
from tests.unit.offers.shop import NOON, ZONE

QUOTA = Quota(day=2, week=3, month=4, lifetime=5)
NOW = windows_of(NOON, ZONE)
SOON = NOON + timedelta(minutes=10)


@pytest.mark.parametrize(
    ("instant", "zone", "windows"),
    [
        ("2026-08-03T04:00:00+00:00", ZONE, ("2026-08-03", "2026-W32", "2026-08", "ever")),
        ("2026-07-31T15:59:59.999999+00:00", ZONE, ("2026-07-31", "2026-W31", "2026-07", "ever")),
        ("2026-07-31T16:00:00+00:00", ZONE, ("2026-08-01", "2026-W31", "2026-08", "ever")),
        ("2026-07-31T16:00:00+00:00", "UTC", ("2026-07-31", "2026-W31", "2026-07", "ever")),
        ("2026-08-02T15:59:59+00:00", ZONE, ("2026-08-02", "2026-W31", "2026-08", "ever")),
        ("2026-08-02T16:00:00+00:00", ZONE, ("2026-08-03", "2026-W32", "2026-08", "ever")),
        # New Year's Day 2027 is a Friday: it belongs to the last week of 2026. 2024 ends in the first week of 2025.
        ("2027-01-01T00:00:00+00:00", ZONE, ("2027-01-01", "2026-W53", "2027-01", "ever")),
        ("2024-12-30T00:00:00+00:00", ZONE, ("2024-12-30", "2025-W01", "2024-12", "ever")),
    ],
)
def test_windows_are_the_citys(instant: str, zone: str, windows: tuple[str, ...]) -> None:
    assert windows_of(datetime.fromisoformat(instant), zone) == windows


@pytest.mark.parametrize(
    ("used", "units", "left", "said"),
    [
        ({}, 2, None, ""),
        ({}, 3, 2, "今天"),
        ({NOW.day: 2}, 1, 0, "今天"),
        ({NOW.week: 2}, 2, 1, "本周"),
        ({NOW.month: 4}, 1, 0, "本月"),
        ({NOW.lifetime: 4}, 2, 1, "累计"),
        ({"2026-08-02": 2, "2026-W31": 3, "2026-07": 4, NOW.lifetime: 4}, 1, None, ""),
        ({NOW.day: 9}, 1, 0, "今天"),
    ],
)
def test_a_quota_names_the_first_window_without_room(used: dict[str, int], units: int, left: int, said: str) -> None:
    state = QuotaState(used)
    assert fits(state, QUOTA, NOW, units) == (not said)
    assert (use(state, QUOTA, NOW, units) is None) == bool(said)
    if not said:
        assert check_quota(state, QUOTA, NOON, ZONE, units) == NOW
        return
    with pytest.raises(QuotaExceeded) as refused:
        check_quota(state, QUOTA, NOON, ZONE, units)
    assert said in refused.value.detail.zh
    assert f"您还可购 {left} 件" in refused.value.detail.zh


def test_the_conditions_of_a_write() -> None:
    assert most_used(Quota(day=2, lifetime=5), NOW, 3) == {NOW.day: -1, "ever": 2}
    assert most_used(Quota(), NOW, 3) == {}
    assert check_quota(QuotaState(), Quota(), NOON, ZONE, 10**9) == NOW


def test_every_use_counts_in_every_window() -> None:
    once = use(QuotaState(), QUOTA, NOW, 2)
    assert once == QuotaState(dict.fromkeys(NOW, 2))
    tomorrow = windows_of(NOON + timedelta(days=1), ZONE)
    assert once is not None
    twice = use(once, QUOTA, tomorrow, 1)
    assert twice is not None
    assert twice.used == {"2026-08-03": 2, "2026-08-04": 1, "2026-W32": 3, "2026-08": 3, "ever": 3}


def reserved(units: int = 1, at: datetime = SOON) -> QuotaState:
    state = reserve(QuotaState(), QUOTA, "r1", QuotaHold(units, at, NOW))
    assert state is not None
    return state


def test_what_is_reserved_counts_until_it_lapses() -> None:
    state = reserved(2)
    assert use(state, QUOTA, NOW, 1) is None
    with pytest.raises(QuotaExceeded):
        check_quota(state, QUOTA, SOON - timedelta(microseconds=1), ZONE, 1)
    assert check_quota(state, QUOTA, SOON, ZONE, 2) == NOW
    assert folded(state, SOON).used == dict.fromkeys(NOW, 0)
    assert folded(state, SOON).holds == {}
    assert folded(state, NOON) == state


def test_a_reservation_ends_once() -> None:
    state = reserved(2)
    kept, undone = confirmed(state, "r1", NOON), voided(state, "r1", NOON)
    assert kept == QuotaState(dict.fromkeys(NOW, 2))
    assert undone == QuotaState(dict.fromkeys(NOW, 0))
    for step in (confirmed, voided):
        for gone in (kept, undone, folded(state, SOON)):
            with pytest.raises(ReservationClosed):
                step(gone, "r1", NOON)
        with pytest.raises(ReservationClosed):
            step(state, "r1", SOON)


def test_too_many_reservations_of_one_person_are_refused() -> None:
    state = QuotaState()
    for number in range(MAX_HOLDS):
        after = reserve(state, Quota(lifetime=99), f"r{number}", QuotaHold(1, SOON, NOW))
        assert after is not None
        state = after
    with pytest.raises(QuotaExceeded) as refused:
        reserve(state, Quota(lifetime=99), "one more", QuotaHold(1, SOON, NOW))
    assert str(MAX_HOLDS) in refused.value.detail.en
    assert reserve(QuotaState({NOW.day: 2}), QUOTA, "r1", QuotaHold(1, SOON, NOW)) is None


def test_what_comes_back_is_room_in_its_own_windows_only() -> None:
    bought = use(QuotaState(), QUOTA, NOW, 2)
    assert bought is not None
    later = windows_of(NOON + timedelta(days=1), ZONE)
    again = use(bought, QUOTA, later, 1)
    assert again is not None
    back = given_back(again, NOW, 2)
    assert back.used == {"2026-08-03": 0, "2026-08-04": 1, "2026-W32": 1, "2026-08": 1, "ever": 1}
    assert given_back(QuotaState({"ever": 2}), NOW, 2).used == {"ever": 0}
    with pytest.raises(AssertionError):
        given_back(bought, NOW, 3)


def test_windows_that_are_over_are_dropped_but_not_the_last_ones() -> None:
    keys = [
        "2026-08-03",
        "2026-08-02",
        "2026-08-01",
        "2026-W32",
        "2026-W31",
        "2026-W30",
        "2026-08",
        "2026-07",
        "2026-06",
    ]
    state = QuotaState(dict.fromkeys([*keys, "ever"], 1))
    dropped = {"2026-08-01", "2026-W30", "2026-06"}
    assert pruned(state, NOON, ZONE).used.keys() == {*keys, "ever"} - dropped
    held = QuotaHold(1, SOON, windows_of(datetime(2026, 6, 9, tzinfo=UTC), ZONE))
    assert "2026-06" in pruned(QuotaState(state.used, {"r1": held}), NOON, ZONE).used
