"""What is to be done once its day has come, whether anybody asks or not: each domain says what, one function does it.

A schedule wakes the function every hour, because days begin when they begin in each city. What it does must bear being
done twice, late, or up to the middle: whatever fails, or is not reached in time, is found again an hour later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from chalicelib.core import clock, ids, log

SECONDS = 600.0

Chore = Callable[[], None]
Finder = Callable[[datetime], Iterable[Chore]]

_FINDERS: list[Finder] = []


@dataclass(frozen=True, slots=True)
class Done:
    """How many chores were done, how many failed, and whether all that were due have been tried."""

    done: int
    failed: int
    all_tried: bool


def finder(find: Finder) -> Finder:
    """Declares where chores are found. They are found while others are done, and each stands by itself."""
    _FINDERS.append(find)
    return find


def do_all() -> Done:
    """Does whatever is due, one after another, for at most ``SECONDS`` and the last one begun."""
    started = clock.stopwatch()
    log.request_id.set(ids.new("chores"))
    done = failed = 0
    all_tried = True
    for chore in _found():
        succeeded = chore is not None and tried(chore)
        done, failed = done + succeeded, failed + (not succeeded)
        all_tried = clock.stopwatch() - started <= SECONDS
        if not all_tried:
            break
    duration_ms = round((clock.stopwatch() - started) * 1000, 1)
    code = "failed" if failed else None if all_tried else "unfinished"
    log.event("chores", "error" if failed else "info", function="daily", code=code, duration_ms=duration_ms)
    return Done(done, failed, all_tried)


def _found() -> Iterator[Chore | None]:
    """Every chore; None where a finder has failed, which is logged as a chore that fails is."""
    for find in _FINDERS:
        yield from _found_by(find)


def _found_by(find: Finder) -> Iterator[Chore | None]:
    def lazily() -> Iterator[Chore]:
        yield from find(clock.now())

    rest, coming = lazily(), list[Chore]()

    def look() -> None:
        coming[:] = islice(rest, 1)

    while (well := tried(look)) and coming:
        yield coming[0]
    if not well:
        yield None


def tried(chore: Chore) -> bool:
    """Does it, and returns whether it was done. One that fails, whatever it is, keeps no other from being done."""
    try:
        chore()
    except Exception as error:
        log.crash(error)
        return False
    return True
