"""When a day may be closed, which day comes next, and which entries came too late for theirs.

A day closes an hour after its end: by then the index shows what was posted, and no clock is that slow (a request that
is signed with a clock more than some minutes wrong never reaches the database). What shows up later all the same is
stated with the next day, marked with its own; seven days are looked back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from chalicelib.core.errors import Problem
from chalicelib.core.text import Text
from chalicelib.ledger.rules.statements import Place, Statement

CLOSING_DELAY = timedelta(hours=1)
LOOK_BACK_DAYS = 7
MOST_DAYS = 31
_ONE_DAY = timedelta(days=1)
_MIDNIGHT = datetime.min.time()


class DayNotOver(Problem):
    code = "day-not-over"
    status = 409
    title = Text("该日尚不能结账", "This day cannot be closed yet")


class DaysOutstanding(Problem):
    code = "days-outstanding"
    status = 409
    title = Text(
        "尚有较早的日子未结清；已结部分均已保存，请再次发送同一请求",
        "Earlier days are still open; what was closed is kept: send the same request again",
    )


class NothingToState(Problem):
    code = "nothing-to-state"
    status = 409
    title = Text("截至该日没有任何记账，无需结账", "Nothing has been posted by that day, so there is nothing to state")


def end_of(day: date, time_zone: str) -> datetime:
    """The first instant that is no longer in this day there: half-open."""
    return datetime.combine(day + _ONE_DAY, _MIDNIGHT, ZoneInfo(time_zone)).astimezone(UTC)


def check_over(day: date, time_zone: str, now: datetime) -> None:
    """Returns if the day may be closed. Raises: DayNotOver: it says from when on."""
    due = end_of(day, time_zone) + CLOSING_DELAY
    if now < due:
        when = due.astimezone(ZoneInfo(time_zone)).strftime("%Y-%m-%d %H:%M")
        said = Text("{day} 自当地时间 {when} 起可以结账", "{day} can be closed from {when} local time on")
        raise DayNotOver(said.format(day=day, when=when))


def outstanding(first_open: date, last: date) -> DaysOutstanding:
    """The refusal that names the days which are still open."""
    said = Text(
        "{first} 至 {last} 尚未结清；已结部分均已保存，请再次发送同一请求",
        "{first} to {last} are still open; what was closed is kept: send the same request again",
    )
    return DaysOutstanding(said.format(first=first_open, last=last))


def looked_back_on(day: date) -> list[date]:
    """The earlier days whose entries the statement of ``day`` may still take up, in order."""
    return [day - number * _ONE_DAY for number in range(LOOK_BACK_DAYS, 0, -1)]


def stated_of(days: Iterable[date], statements: Iterable[Statement]) -> int:
    """How many lines of these statements are of these days."""
    wanted = set(days)
    return sum(of.lines for statement in statements for of in statement.days if of.day in wanted)


def unstated(places: Iterable[Place], stated: Iterable[Place]) -> Iterator[Place]:
    """Those places of entries where no line stands yet; both are in order, one of each is in memory at a time."""
    lines = iter(stated)
    line = next(lines, None)
    for place in places:
        while line is not None and line < place:
            line = next(lines, None)
        if line != place:
            yield place
