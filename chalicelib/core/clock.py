"""The only reader of the time. Everything else is handed ``now``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_fixed: list[datetime] = []
_ahead: list[timedelta] = []


def now() -> datetime:
    """This instant in UTC, to the millisecond."""
    return _fixed[-1] if _fixed else running()


def running() -> datetime:
    """The same by the clock that goes on while ``now`` is fixed."""
    at = datetime.now(UTC) + sum(_ahead, timedelta())
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


@contextmanager
def fixed(at: datetime) -> Iterator[None]:
    """Makes ``now`` answer ``at`` inside the block (tests)."""
    _fixed.append(at)
    try:
        yield
    finally:
        _fixed.pop()


@contextmanager
def ahead(by: timedelta) -> Iterator[None]:
    """Puts the running clock forward inside the block (the demo)."""
    _ahead.append(by)
    try:
        yield
    finally:
        _ahead.pop()


def stopwatch() -> float:
    """Seconds on a clock that only goes forward; for durations."""
    return time.perf_counter()


def sleep(seconds: float) -> None:
    """Waits (between attempts of a write)."""
    time.sleep(seconds)


def day_in(zone: str, at: datetime) -> date:
    """The calendar day of an instant in a city's time zone."""
    return at.astimezone(ZoneInfo(zone)).date()


def stamp(at: datetime) -> str:
    """RFC 3339 in UTC with milliseconds and ``Z``: sorts as text."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def unstamp(text: str) -> datetime:
    """The instant of a ``stamp``."""
    return datetime.fromisoformat(text)
