"""No change to a sealed text opens it, and no two sectors share an id."""

from __future__ import annotations

import base64
from contextlib import suppress

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chalicelib.core import ids
from chalicelib.core.cursor import seal, unseal

WORDS = st.text(alphabet="abz/:#-é厦", min_size=1, max_size=12)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=20), WORDS, st.data())
def test_a_changed_cursor_does_not_open(value: str, purpose: str, data: st.DataObject) -> None:
    text = seal(value, purpose)
    assert unseal(text, purpose) == value
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from(ALPHABET))
    assume(text[place] != letter)
    assert unseal(text[:place] + letter + text[place + 1 :], purpose) is None


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_an_invented_text_opens_nothing(text: str) -> None:
    assert unseal(text, "p") is None
    assert ids.open_pairwise("city:xiamen", "p1_" + text) is None


@settings(max_examples=60, deadline=None)
@given(WORDS, WORDS, WORDS, WORDS)
def test_pairwise_ids_are_one_to_one(sector: str, other: str, person: str, neighbour: str) -> None:
    made = ids.pairwise(sector, person)
    assert ids.open_pairwise(sector, made) == person
    assert (ids.pairwise(sector, neighbour) == made) == (neighbour == person)
    assume(sector != other)
    assert ids.pairwise(other, person) != made
    assert ids.open_pairwise(other, made) is None


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=80))
def test_base32_is_that_of_everybody_in_lower_case_without_padding(raw: bytes) -> None:
    assert ids.encode(raw) == base64.b32encode(raw).decode().rstrip("=").lower()
    assert ids.decode(ids.encode(raw)) == raw


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.text(max_size=12), st.text(alphabet="ab27-_ +018A=", max_size=12)))
def test_what_is_no_base32_is_a_value_error(text: str) -> None:
    with suppress(ValueError):
        assert ids.encode(ids.decode(text)) == text
