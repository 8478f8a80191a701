"""A party's days are closed, in their order, each once.

A call goes on for some seconds and 31 days at most; what it has written is kept, whatever becomes of it, and the next
one goes on from there. Only the last day's head is written together with the effect of the request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import reduce
from itertools import islice

from chalicelib.cities.store import load_city
from chalicelib.core import clock, effect, signing
from chalicelib.core.commit import Unit
from chalicelib.core.effect import Intent
from chalicelib.core.errors import Conflict, Unavailable
from chalicelib.ledger import store
from chalicelib.ledger.rules import (
    LOOK_BACK_DAYS,
    MOST_DAYS,
    NothingToState,
    Party,
    SignedStatement,
    Statement,
    Tally,
    check_over,
    digest_of,
    outstanding,
    statement_of,
    with_page,
)
from chalicelib.ledger.service.lines import lines_of_day
from chalicelib.ledger.store import Draft, Page

SIGNED_AS = "egret-statement+jwt"
PATIENCE_SECONDS = 8.0
ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class _Task:
    """What is asked for: this party's days up to ``day``, until the stopwatch shows ``deadline_seconds``."""

    intent: Intent
    now: datetime
    party: Party
    day: date
    time_zone: str
    deadline_seconds: float

    def check_time(self, first_open: date) -> None:
        """Returns if there is time to go on. Raises: DaysOutstanding."""
        if clock.stopwatch() >= self.deadline_seconds:
            raise outstanding(first_open, self.day)


def close_days(unit: Unit, intent: Intent, now: datetime, party: Party, day: date) -> SignedStatement:
    """The statement of a day. It, and those of all days before that are still open, are made now if need be.

    Raises:
        NotFound: no such city; DayNotOver; NothingToState: the party's first entry is of a later day.
        DaysOutstanding: not everything could be done in one call; what was done is kept.
        Unavailable: too many others close the same days.
    """
    time_zone = load_city(party.city_id).time_zone
    check_over(day, time_zone, now)
    task = _Task(intent, now, party, day, time_zone, clock.stopwatch() + PATIENCE_SECONDS)
    for _ in range(ATTEMPTS):
        try:
            return _close_days(unit.again(), task)
        except Conflict:
            continue
    raise Unavailable(retry_after_seconds=1)


def _close_days(unit: Unit, task: _Task) -> SignedStatement:
    """Raises: Conflict: somebody else closes the same days; look again."""
    known, draft = store.latest_statements(task.party, LOOK_BACK_DAYS)
    if known and known[0].day >= task.day:
        return _closed_before(unit, task)
    due = _due_day(task.party, known, draft)
    if due is None or due > task.day:
        raise NothingToState
    for _ in range(MOST_DAYS):
        last = due == task.day
        signed = _close_day(unit if last else unit.again(), task, due, known, draft)
        if last:
            return signed
        due, known, draft = due + timedelta(days=1), [signed.statement, *known][:LOOK_BACK_DAYS], None
        task.check_time(due)
    raise outstanding(due, task.day)


def _due_day(party: Party, known: Sequence[Statement], draft: Draft | None) -> date | None:
    """The first day that is not closed; None if nothing was ever posted."""
    if known:
        return known[0].day + timedelta(days=1)
    return draft.day if draft is not None else store.first_day_of(party.name)


def _closed_before(unit: Unit, task: _Task) -> SignedStatement:
    found = store.find_statement(task.party, task.day)
    if found is None:
        raise NothingToState
    _note(unit, task, found)
    unit.commit()
    return found


def _close_day(unit: Unit, task: _Task, due: date, known: Sequence[Statement], draft: Draft | None) -> SignedStatement:
    begun = draft if draft is not None else Draft(due, Tally(), 0)
    assert begun.day == due, "days are closed in their order"
    pages: list[Page] = []
    for pages, more in _batches(store.paged(lines_of_day(task.party, due, known, begun.tally.last))):
        if more:
            begun = _go_on(unit.again(), task, begun, pages, first=not known)
            task.check_time(due)
    before = known[0] if known else None
    statement = statement_of(task.party, due, task.time_zone, _with_pages(begun, pages), before, task.now)
    signed = SignedStatement(statement, signing.sign(statement, SIGNED_AS))
    store.close_statement(unit, task.party, begun, signed, pages, first=not known)
    if due == task.day:
        _note(unit, task, signed)
    unit.commit()
    return signed


def _batches(pages: Iterable[Page]) -> Iterator[tuple[list[Page], bool]]:
    """What is written at once, and whether there is more; no further than a page is read ahead."""
    rest = iter(pages)
    ahead = list(islice(rest, 1))
    more = True
    while more:
        batch = [*ahead, *islice(rest, store.PAGES_AT_ONCE - len(ahead))]
        ahead = list(islice(rest, 1))
        more = bool(ahead)
        yield batch, more


def _go_on(unit: Unit, task: _Task, begun: Draft, pages: Sequence[Page], *, first: bool) -> Draft:
    further = store.save_draft(unit, task.party, begun, _with_pages(begun, pages), pages, first=first)
    unit.commit()
    return further


def _with_pages(begun: Draft, pages: Sequence[Page]) -> Tally:
    return reduce(with_page, (page.lines for page in pages), begun.tally)


def _note(unit: Unit, task: _Task, signed: SignedStatement) -> None:
    """Writes down who asked for the statement: the same request again is answered with the same bytes."""
    facts = {"v": 1, "party": task.party.name, "day": task.day, "sha256": digest_of(signed.statement)}
    unit.effect(effect.row(task.intent, task.now, purpose="close-day", facts=facts, reply=signed))
