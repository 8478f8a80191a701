"""What is remembered of the ledger: entries, each on the item of its effect. Keys: ``docs/keys.md`` § indexes.

A domain that moves money makes its effect by ``effect_row``; nothing else writes postings, and nothing ever changes
them. A book is read in pages from the index, which may lag by a moment; ``load_entry`` and ``confirmed`` read the
effects themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import islice, tee
from typing import Any

from chalicelib.core import clock, codec, effect, table
from chalicelib.core.effect import Booking, EffectRow, Intent
from chalicelib.core.errors import NotFound
from chalicelib.ledger.rules import OWN_KINDS, Entry, Party, Place, Posting, check_entry, parse_party, place_of
from chalicelib.partners.store import list_partners

PAGE = 500
PLACES = 1000
_CONFIRMED_AT_ONCE = 100
_PARTNERS_AT_ONCE = 100
EVER = (date.min, date.max)

Position = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Posted:
    """An entry without what its effect says already."""

    book: str
    day: date
    postings: tuple[Posting, ...]
    reverses: str | None


def effect_row(intent: Intent, entry: Entry, *, facts: Any, reply: Any, subject: str | None = None) -> EffectRow:
    """The item to give to ``Unit.effect``: the effect and its entry are one, and happen together or not at all."""
    assert entry.entry_id == intent.effect_id, "an entry has the id of its effect"
    check_entry(entry)
    posted = _Posted(entry.book, entry.day, entry.postings, entry.reverses)
    booking = Booking(_book_pk(entry.book), entry.day, codec.canonical(posted))
    return effect.row(
        intent, entry.at, purpose=entry.purpose, facts=facts, reply=reply, subject=subject, booking=booking
    )


def list_entries(
    book: str, first: date, until: date, limit: int, after: Position | None = None
) -> tuple[list[Entry], Position | None]:
    """One page of a book's days ``first`` to before ``until``, by day, instant and id; one Query."""
    assert first < until, "a span of days has a day"
    days = EffectRow.gsi2sk.between(f"{first}", f"{until}")
    rows, last = table.query_gsi2(EffectRow, _book_pk(book), days, limit=limit, after=after)
    return [_entry(row.effect_id, row) for row in rows], last


def entries_of(book: str, first: date, until: date) -> Iterator[Entry]:
    """All entries of a book's days ``first`` to before ``until``, page by page: one page in memory at a time."""
    page, after = list_entries(book, first, until, PAGE)
    yield from page
    while after is not None:
        page, after = list_entries(book, first, until, PAGE, after)
        yield from page


def places_of(book: str, first: date, until: date, after: Place | None = None) -> Iterator[Place]:
    """Where the entries of these days stand, in order, and nothing else of them; one page in memory at a time.

    Args:
        after: The place of the last one that is known already, of one of these days.
    """
    table.connection()
    days = EffectRow.gsi2sk.between(f"{first}", f"{until}")
    position = None if after is None else _position(book, after)
    found = EffectRow.gsi2.query(
        _book_pk(book), days, page_size=PLACES, last_evaluated_key=position, attributes_to_get=["kind", "gsi2sk"]
    )
    return (_place(row.gsi2sk or "") for row in found)


def _position(book: str, place: Place) -> Position:
    """Where a Query of the book goes on after an entry."""
    key = effect.key_of(place.entry_id)
    parts = {"pk": key.pk, "sk": key.sk, "gsi2pk": _book_pk(book), "gsi2sk": _gsi2sk(place)}
    return {name: {"S": part} for name, part in parts.items()}


def _place(gsi2sk: str) -> Place:
    day, at, entry_id = gsi2sk.split("#")
    return Place(date.fromisoformat(day), clock.unstamp(at), entry_id)


def first_day_of(book: str) -> date | None:
    """The day of a book's first entry, as far as the index shows; one Query."""
    found, _ = list_entries(book, *EVER, limit=1)
    return found[0].day if found else None


def count_entries(book: str, first: date, until: date) -> int:
    """How many entries of these days the index shows; one Query per MB of them, none of which travels."""
    table.connection()
    return EffectRow.gsi2.count(_book_pk(book), EffectRow.gsi2sk.between(f"{first}", f"{until}"))


def load_entry(entry_id: str) -> Entry:
    """One entry, from its effect, unchanged since it was written.

    Raises: NotFound: no such effect, or it posts nothing.
    """
    found = effect.find(entry_id)
    if found is None or found.postings is None:
        raise NotFound
    return _of_effect(found)


def load_entries(entry_ids: Iterable[str]) -> Iterator[Entry]:
    """These entries, each from its effect, strongly consistent, one BatchGetItem per 100. All of them are there."""
    rest = iter(entry_ids)
    while wanted := list(islice(rest, _CONFIRMED_AT_ONCE)):
        rows = table.fetch(effect.key_of(entry_id) for entry_id in wanted)
        for entry_id in wanted:
            row = rows.get(effect.key_of(entry_id))
            assert isinstance(row, EffectRow), "an entry has an effect"
            yield _of_effect(row)


def entries_at(book: str, places: Iterable[Place]) -> Iterator[Entry]:
    """The entries that stand at these places, each from its effect, as ``load_entries`` reads them."""
    listed, wanted = tee(places)
    for place, entry in zip(listed, load_entries(each.entry_id for each in wanted), strict=True):
        assert (entry.book, place_of(entry)) == (book, place), "the index says what the effect says"
        yield entry


def confirmed(entries: Iterable[Entry]) -> Iterator[Entry]:
    """The same entries, each compared with its effect, strongly consistent, one BatchGetItem per 100.

    An effect that was changed or is gone, or an index that says something else, is a broken belief.
    """
    rest = iter(entries)
    while listed := list(islice(rest, _CONFIRMED_AT_ONCE)):
        for entry, stored in zip(listed, load_entries(entry.entry_id for entry in listed), strict=True):
            assert stored == entry, "the index says what the effect says"
            yield entry


def books_of(city_id: str) -> Iterator[str]:
    """The names of a city's books: its own, the platform's, every partner's. Every entry is in exactly one book."""
    for kind in OWN_KINDS:
        yield Party(city_id, kind).name
    after: str | None = None
    while True:
        partners, after = list_partners(city_id, _PARTNERS_AT_ONCE, after)
        yield from (Party(city_id, partner.kind, partner.partner_id).name for partner in partners)
        if after is None:
            return


@lru_cache(maxsize=4096)
def _book_pk(book: str) -> str:
    city_id, _, rest = book.partition("/")
    assert parse_party(book).city_id == city_id, "a book belongs to a party of a city"
    return f"{city_id}#book#{rest}"


def _gsi2sk(place: Place) -> str:
    return f"{place.day}#{clock.stamp(place.at)}#{place.entry_id}"


def _of_effect(row: EffectRow) -> Entry:
    effect.read(row)
    return _entry(row.effect_id, row)


def _entry(entry_id: str, row: EffectRow) -> Entry:
    """The entry of an effect, or of its line in the index. It lies where its book and day say, or it was moved."""
    assert row.postings is not None, "what a book lists posts something"
    posted = codec.from_json(_Posted, row.postings)
    place = f"{posted.day.isoformat()}#{row.at}#{entry_id}"
    assert (row.gsi2pk, row.gsi2sk) == (_book_pk(posted.book), place), "an entry was moved"
    at = clock.unstamp(row.at)
    return check_entry(Entry(entry_id, at, posted.day, row.purpose, posted.book, posted.postings, posted.reverses))
