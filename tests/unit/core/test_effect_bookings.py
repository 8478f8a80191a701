"""An effect that posts is listed in its book, and its hash covers what it posts."""

from __future__ import annotations

from datetime import date

import pytest

from chalicelib.core import effect
from chalicelib.core.effect import Booking
from tests.unit.core.test_effect import NOW, intent, row

BOOKING = Booking("xiamen#book#merchant/qingliu-farm", date(2026, 5, 1), '{"postings":[]}')


def test_an_effect_with_postings_lies_in_its_book_and_not_under_its_caller() -> None:
    made = row(booking=BOOKING, subject="hangzhou#account#kq3v7")
    assert made.gsi2pk == "xiamen#book#merchant/qingliu-farm"
    assert made.gsi2sk == f"2026-05-01#2026-05-01T08:30:15.123Z#{made.effect_id}"
    assert (made.gsi1pk, made.gsi1sk) == ("hangzhou#account#kq3v7", f"2026-05-01T08:30:15.123Z#{made.effect_id}")
    assert made.pk == f"xiamen#effect#{made.effect_id}"


def test_an_effect_without_postings_is_as_it_was_before_there_were_any() -> None:
    """The hash was taken before effects could post: what was stored then can still be read."""
    made = row()
    assert made.postings is None
    assert "postings" not in made.to_dynamodb_dict()
    assert made.content_hash == "481e3542e1085ef529e2c0669fe717e29664c3ea51d2b42748d86ec36779f037"


@pytest.mark.parametrize("changed_to", ['{"postings":[[]]}', "", None])
def test_LEDGER_postings_that_were_changed_are_a_broken_belief(changed_to: str | None) -> None:
    made = row(booking=BOOKING)
    assert effect.read(made).postings == '{"postings":[]}'
    made.postings = changed_to
    with pytest.raises(AssertionError):
        effect.read(made)


def test_LEDGER_postings_cannot_be_added_to_an_effect_that_had_none() -> None:
    made = row()
    made.postings = '{"postings":[]}'
    with pytest.raises(AssertionError):
        effect.read(made)


def test_ONCE_a_replay_gives_back_what_was_posted() -> None:
    stored = effect.replay(row(booking=BOOKING), intent())
    assert (stored.postings, stored.at) == ('{"postings":[]}', NOW)
