"""Which months are stated, and when: each once it is over, in their order, from that of the first event on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from chalicelib.core.errors import Problem
from chalicelib.core.text import Text
from chalicelib.medical.rules.charges import month_of, next_month

MOST_MONTHS = 12
"""So many are stated at once: each is an item of the same write."""

_MONTH = re.compile(r"[12][0-9]{3}-(0[1-9]|1[0-2])")


class MonthNotOver(Problem):
    code = "month-not-over"
    status = 409
    title = Text("该月尚未结束，不能出账单", "This month is not over yet, so it cannot be stated")


class MonthsOutstanding(Problem):
    code = "months-outstanding"
    status = 409
    title = Text(
        "较早的月份未出账单的过多，请先出较早月份的账单", "Too many earlier months are open; state an earlier one first"
    )


class NothingBilled(Problem):
    code = "nothing-billed"
    status = 409
    title = Text("截至该月没有任何账目，无需出账单", "Nothing was billed by that month, so there is nothing to state")


def month_in(text: str) -> date | None:
    """The month that is written like ``2026-08``, by its first day; None for any other text."""
    return date.fromisoformat(f"{text}-01") if _MONTH.fullmatch(text) else None


def month_text(month: date) -> str:
    """A month as it is written."""
    return f"{month:%Y-%m}"


def months(first: date, last: date) -> Iterator[date]:
    """The months from one to another, both included."""
    while first <= last:
        yield first
        first = next_month(first)


def months_to_state(first: date | None, last: date, today: date) -> tuple[date, ...]:
    """The months that are stated together with ``last``: all from the first one that is not stated yet.

    Args:
        first: That month; None while there was no event.
        today: The day of the city up to which the line has been seen.

    Raises: MonthNotOver; NothingBilled; MonthsOutstanding; in this order.
    """
    if month_of(today) <= last:
        raise MonthNotOver
    due = tuple(months(first, last)) if first is not None else ()
    if not due:
        raise NothingBilled
    if len(due) > MOST_MONTHS:
        said = Text("请先出 {month} 的账单", "State {month} first")
        raise MonthsOutstanding(said.format(month=month_text(due[MOST_MONTHS - 1])))
    return due
