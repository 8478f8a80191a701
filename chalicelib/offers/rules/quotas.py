"""How many units one person has had of one offer: by day, ISO week and month of the offer's city, and in all.

All of it is one item. Every use adds to its four windows; a window is a key that names itself, so that a new day needs
no reset and a blind write can be conditional on it. What is reserved counts at once, and lapses without a job: an open
hold remembers its windows, and whoever finds no room gives the lapsed ones back and tries once more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from chalicelib.core.errors import Problem
from chalicelib.core.text import Text
from chalicelib.offers.rules.counters import ReservationClosed
from chalicelib.offers.rules.offer import Quota

MAX_HOLDS = 20
Window = Literal["day", "week", "month", "lifetime"]

_SAID: Mapping[Window, Text] = {
    "day": Text("今天", "today"),
    "week": Text("本周", "this week"),
    "month": Text("本月", "this month"),
    "lifetime": Text("累计", "in all"),
}
_LIMIT = Text(
    "{when_zh}每人限购 {limit} 件，您还可购 {left} 件",
    "Each person may have {limit} {when_en}; {left} are left for you",
)

_TOO_MANY = Text(
    "您未核销的预留已有 {most} 笔，请先核销或取消一些",
    "You have {most} reservations open; redeem or give up some first",
).format(most=MAX_HOLDS)


class QuotaExceeded(Problem):
    code = "quota-exceeded"
    status = 409
    title = Text("超出每人限购数量", "This is more than one person may have")


class Windows(NamedTuple):
    """The keys of the windows into which one instant falls."""

    day: str
    week: str
    month: str
    lifetime: str


def windows_of(now: datetime, zone: str) -> Windows:
    """The windows of an instant, by the calendar of a city: ``2026-08-01``, ``2026-W31``, ``2026-08``, ``ever``.

    Source: ISO 8601: a week begins on Monday and belongs to the year of its Thursday.
    """
    day = now.astimezone(ZoneInfo(zone)).date()
    year, week, _ = day.isocalendar()
    return Windows(day.isoformat(), f"{year}-W{week:02d}", f"{day.year}-{day.month:02d}", "ever")


@dataclass(frozen=True, slots=True)
class QuotaHold:
    """Units that an open reservation counts, in the windows in which it was made."""

    units: int
    expires_at: datetime
    windows: Windows


@dataclass(frozen=True, slots=True)
class QuotaState:
    """What one person has had of one offer: units by window key, those of open reservations among them."""

    used: Mapping[str, int] = field(default_factory=dict)
    holds: Mapping[str, QuotaHold] = field(default_factory=dict)


def most_used(quota: Quota, windows: Windows, units: int) -> Mapping[str, int]:
    """How much of each limited window may be used already if ``units`` more are to fit: the conditions of a write.

    A window in which they never fit has a negative figure.
    """
    limits = zip(windows, (quota.day, quota.week, quota.month, quota.lifetime), strict=True)
    return {key: limit - units for key, limit in limits if limit is not None}


def fits(state: QuotaState, quota: Quota, windows: Windows, units: int) -> bool:
    """Whether ``units`` more fit into every limited window, nothing folded."""
    return all(state.used.get(key, 0) <= most for key, most in most_used(quota, windows, units).items())


def check_quota(state: QuotaState, quota: Quota, now: datetime, zone: str, units: int) -> Windows:
    """The windows into which ``units`` more would fall, lapsed reservations given back.

    Raises: QuotaExceeded: names the first window without room, shortest first, and what is left in it.
    """
    windows, kept = windows_of(now, zone), folded(state, now)
    limits: tuple[tuple[Window, int | None], ...] = (
        ("day", quota.day), ("week", quota.week), ("month", quota.month), ("lifetime", quota.lifetime),
    )  # fmt: skip
    for key, (name, limit) in zip(windows, limits, strict=True):
        left = 0 if limit is None else max(0, limit - kept.used.get(key, 0))
        if limit is not None and units > left:
            said = _LIMIT.format(when_zh=_SAID[name].zh, when_en=_SAID[name].en, limit=limit, left=left)
            raise QuotaExceeded(said)
    return windows


def use(state: QuotaState, quota: Quota, windows: Windows, units: int) -> QuotaState | None:
    """The state after ``units`` were redeemed in these windows; None if they do not fit, nothing folded."""
    assert units > 0, "somebody uses something"
    return _add(state, windows, units) if fits(state, quota, windows, units) else None


def reserve(state: QuotaState, quota: Quota, hold_id: str, held: QuotaHold) -> QuotaState | None:
    """The state after a reservation; None if its units do not fit, nothing folded.

    Raises: QuotaExceeded: one person has ``MAX_HOLDS`` reservations open.
    """
    assert hold_id not in state.holds, "a reservation is made once"
    assert held.units > 0, "somebody reserves something"
    if len(state.holds) >= MAX_HOLDS:
        raise QuotaExceeded(_TOO_MANY)
    if not fits(state, quota, held.windows, held.units):
        return None
    return replace(_add(state, held.windows, held.units), holds={**state.holds, hold_id: held})


def confirmed(state: QuotaState, hold_id: str, now: datetime) -> QuotaState:
    """The state after a reservation was redeemed: its units stay counted. Raises: ReservationClosed."""
    _open_hold(state, hold_id, now)
    return _without(state, hold_id)


def voided(state: QuotaState, hold_id: str, now: datetime) -> QuotaState:
    """The state after a reservation was given up: its units count no more. Raises: ReservationClosed."""
    held = _open_hold(state, hold_id, now)
    return given_back(_without(state, hold_id), held.windows, held.units)


def _open_hold(state: QuotaState, hold_id: str, now: datetime) -> QuotaHold:
    held = state.holds.get(hold_id)
    if held is None or held.expires_at <= now:
        raise ReservationClosed
    return held


def _without(state: QuotaState, hold_id: str) -> QuotaState:
    return replace(state, holds={key: held for key, held in state.holds.items() if key != hold_id})


def folded(state: QuotaState, now: datetime) -> QuotaState:
    """The state with every lapsed reservation given back."""
    for hold_id, held in state.holds.items():
        if held.expires_at <= now:
            state = given_back(_without(state, hold_id), held.windows, held.units)
    return state


def given_back(state: QuotaState, windows: Windows, units: int) -> QuotaState:
    """The state after units that were counted in these windows came back; of a window dropped since, nothing is left.

    For a refund, ``windows`` are those of the redemption: what comes back today is not more room today.
    """
    assert units > 0, "something comes back"
    used = {key: state.used[key] - units for key in windows if key in state.used}
    assert min(used.values(), default=0) >= 0, "what comes back was counted"
    return replace(state, used={**state.used, **used})


def pruned(state: QuotaState, now: datetime, zone: str) -> QuotaState:
    """The state without windows that are over: those of now, of yesterday, of last week and of last month stay.

    The one before stays because another server's clock may still be in it, and tomorrow's because one may be there.
    """
    current = windows_of(now, zone)
    if not state.holds and state.used.keys() <= {*current}:
        return state
    first = now.astimezone(ZoneInfo(zone)).date().replace(day=1)
    month_before = (first - timedelta(days=1)).isoformat()[:7]
    kept = {month_before}.union(*(windows_of(now + timedelta(days=days), zone) for days in (-1, 0, 1)))
    kept |= {windows_of(now - timedelta(days=7), zone).week}
    kept |= {key for held in state.holds.values() for key in held.windows}
    return replace(state, used={key: units for key, units in state.used.items() if key in kept})


def _add(state: QuotaState, windows: Windows, units: int) -> QuotaState:
    return replace(state, used=dict(state.used) | {key: state.used.get(key, 0) + units for key in windows})
