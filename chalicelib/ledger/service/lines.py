"""The lines of a day, from the ledger's entries: the index says which they are, their effects what they say."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import chain, islice

from chalicelib.ledger import store
from chalicelib.ledger.rules import (
    Entry,
    Party,
    Place,
    Statement,
    StatementLine,
    line_of,
    looked_back_on,
    stated_of,
    unstated,
)

_TRACED_AT_ONCE = 100
_ONE_DAY = timedelta(days=1)


def lines_of_day(
    party: Party, day: date, known: Sequence[Statement], after: Place | None = None
) -> Iterator[StatementLine]:
    """What a statement of ``day`` says, in order: late entries, then the day's own.

    Args:
        known: The party's statements of the days before, as many as are looked back on.
        after: The place of the last line that is written already.
    """
    if after is not None and after.day == day:
        places = store.places_of(party.name, day, day + _ONE_DAY, after)
    else:
        late = (place for place in _late(party, day, known) if after is None or after < place)
        places = chain(late, store.places_of(party.name, day, day + _ONE_DAY))
    return traced(store.entries_at(party.name, places), day)


def _late(party: Party, day: date, known: Sequence[Statement]) -> Iterator[Place]:
    """Entries of the days looked back on that no statement has. To know that there are none, they are only counted."""
    days = looked_back_on(day)
    if store.count_entries(party.name, days[0], day) == stated_of(days, known):
        return
    for each in days:
        if store.count_entries(party.name, each, each + _ONE_DAY) != stated_of([each], known):
            stated = heapq.merge(*(_stated_on(each, statement) for statement in known))
            yield from unstated(store.places_of(party.name, each, each + _ONE_DAY), stated)


def _stated_on(day: date, statement: Statement) -> Iterator[Place]:
    if stated_of([day], [statement]):
        yield from (line.place for line in store.lines_of(statement) if line.day == day)


def traced(entries: Iterable[Entry], day: date) -> Iterator[StatementLine]:
    """The entries' lines in the statement of ``day``; a refund's says on which day was sold what it takes back."""
    rest = iter(entries)
    while some := list(islice(rest, _TRACED_AT_ONCE)):
        reversed_ids = {entry.reverses for entry in some if entry.reverses is not None}
        originals = {entry.entry_id: entry for entry in store.load_entries(reversed_ids)}
        for entry in some:
            original = originals.get(entry.reverses or "")
            assert original is None or original.book == entry.book, "what is reversed is in the same book"
            yield line_of(entry, day, original.day if original is not None else None)
