"""Reviews: each by itself, and with each person's bank a register of those that wait and of the last answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from pynamodb.attributes import UnicodeAttribute

from chalicelib.cities import store as cities
from chalicelib.core import clock, codec, table
from chalicelib.core.commit import Unit
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.table import IntAttribute, Key, Row
from chalicelib.medical.rules.reviews import Deadline, Register, Review
from chalicelib.subjects.rules import AccountRef

Position = dict[str, Any]
_DATA = Path(__file__).resolve().parents[1] / "data"


class _ReviewRow(Row, discriminator="credit-review"):
    document = UnicodeAttribute()
    revision = IntAttribute()


class _RegisterRow(Row, discriminator="credit-reviews"):
    document = UnicodeAttribute()
    revision = IntAttribute()


@lru_cache(maxsize=1)
def deadlines() -> tuple[Deadline, ...]:
    """Within how many days a review is answered, by the day on which it is asked for."""
    return codec.from_json(tuple[Deadline, ...], (_DATA / "reviews.json").read_text("utf-8"))


def review_key(review_id: str) -> Key:
    """Where a review is: its id begins with the city of its bank."""
    return Key(f"{review_id.partition('.')[0]}#credit-review#{review_id}", "review")


def review_in(rows: Mapping[Key, Row], review_id: str) -> Review:
    """A review among fetched rows. Raises: NotFound."""
    row = rows.get(review_key(review_id))
    if row is None:
        raise NotFound
    assert isinstance(row, _ReviewRow)
    return codec.from_json(Review, row.document)


def save_review(unit: Unit, review: Review) -> None:
    """Writes a review, if nobody else has since it was seen.

    While it waits it is in the queue of whoever is to answer it.
    """
    row = _ReviewRow(*review_key(review.review_id), revision=review.revision + 1)
    row.document = codec.to_json(replace(review, revision=row.revision))
    row.gsi1pk, row.gsi1sk = _own_pk(review.ref), f"{clock.stamp(review.asked_at)}#{review.review_id}"
    queue = _queue_of(review)
    if queue is not None:
        row.gsi2pk = queue
        row.gsi2sk = f"{review.answer_by}#{clock.stamp(review.asked_at)}#{review.review_id}"
    if review.revision == 0:
        unit.create(row, Conflict)
    else:
        unit.put(row, _ReviewRow.revision == review.revision, Conflict)


def check_review(unit: Unit, review: Review) -> None:
    """Commit only if the review is still as it was seen."""
    unit.check(_ReviewRow, review_key(review.review_id), _ReviewRow.revision == review.revision, Conflict)


def _queue_of(review: Review) -> str | None:
    if review.state == "open":
        return bank_queue(review.city_id, review.bank_id)
    return city_queue(review.ref.city_id) if review.state == "forwarded" else None


def bank_queue(city_id: str, bank_id: str) -> str:
    """The queue of a bank's reviewers."""
    return f"{city_id}#credit-reviews#bank:{bank_id}"


def city_queue(city_id: str) -> str:
    """The queue of a city's reviewers: what is asked about the scores of its own people."""
    return f"{city_id}#credit-reviews#city"


def list_queue(
    queue: str, limit: int, after: Position | None, more: Iterable[Key] = ()
) -> tuple[list[Review], Position | None, dict[Key, Row]]:
    """One page of what waits in a queue, what is due first coming first, with what was read: see ``_page``."""
    listed, last = table.query_gsi2(_ReviewRow, queue, _ReviewRow.gsi2sk > "0", limit=limit, after=after)
    found, rows = _page(listed, more)
    return [review for review in found if _queue_of(review) == queue], last, rows


def list_own(ref: AccountRef, limit: int, after: str | None) -> tuple[list[Review], str | None, dict[Key, Row]]:
    """One page of a person's reviews, newest first, the place to go on after, and what was read: see ``_page``."""
    listed, last = table.query_gsi1(_ReviewRow, _own_pk(ref), limit=limit, after=_position(ref, after))
    found, rows = _page(listed)
    return found, None if last is None else last["gsi1sk"]["S"], rows


def _page(listed: Sequence[Row], more: Iterable[Key] = ()) -> tuple[list[Review], dict[Key, Row]]:
    """The listed reviews as they are now, though the index may lag, read with their cities and what is at ``more``."""
    cities_of = {cities.control_key(row.pk.partition("#")[0]) for row in listed}
    keys = {*(row.key for row in listed), *cities_of, *more}
    rows = table.fetch(keys) if keys else {}
    found = (rows.get(row.key) for row in listed)
    return [codec.from_json(Review, row.document) for row in found if isinstance(row, _ReviewRow)], rows


def _position(ref: AccountRef, after: str | None) -> Position | None:
    if after is None:
        return None
    key = review_key(after.partition("#")[2])
    place = {"gsi1pk": _own_pk(ref), "gsi1sk": after, "pk": key.pk, "sk": key.sk}
    return {name: {"S": part} for name, part in place.items()}


def _own_pk(ref: AccountRef) -> str:
    return f"{ref.city_id}#credit-reviews#{ref.person_id}"


def register_key(city_id: str, bank_id: str, person_id: str) -> Key:
    """Where a person's reviews with a bank are counted."""
    return Key(f"{city_id}#credit-reviews-of#{person_id}", bank_id)


def register_in(rows: Mapping[Key, Row], city_id: str, bank_id: str, person_id: str) -> Register:
    """A person's register with a bank among fetched rows; an empty one if it was not found."""
    row = rows.get(register_key(city_id, bank_id, person_id))
    if row is None:
        return Register(city_id, bank_id, person_id)
    assert isinstance(row, _RegisterRow)
    return codec.from_json(Register, row.document)


def save_register(unit: Unit, register: Register) -> None:
    """Writes a register, if nobody else has since it was seen."""
    key = register_key(register.city_id, register.bank_id, register.person_id)
    row = _RegisterRow(*key, revision=register.revision + 1)
    row.document = codec.to_json(replace(register, revision=row.revision))
    if register.revision == 0:
        unit.create(row, Conflict)
    else:
        unit.put(row, _RegisterRow.revision == register.revision, Conflict)
