"""What the check character of GB 32100-2015 is sure to find, and the one swap that it cannot."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.partners.rules import check_character, is_uscc
from chalicelib.partners.rules.uscc import ALPHABET

_DIGITS = ALPHABET[:10]


def _texts(alphabet: str, size: int) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=size, max_size=size)


BODIES = st.tuples(_texts(ALPHABET, 2), _texts(_DIGITS, 6), _texts(ALPHABET, 9)).map("".join)
CODES = BODIES.map(lambda body: body + check_character(body))


def swapped(code: str, one: int, other: int) -> str:
    characters = list(code)
    characters[one], characters[other] = characters[other], characters[one]
    return "".join(characters)


@given(CODES)
@settings(max_examples=100)
def test_a_code_with_its_check_character_is_one(code: str) -> None:
    assert is_uscc(code)


@given(CODES)
@settings(max_examples=15)
def test_every_single_wrong_character_is_found(code: str) -> None:
    for place, right in enumerate(code):
        for wrong in ALPHABET.replace(right, ""):
            assert not is_uscc(code[:place] + wrong + code[place + 1 :])


@given(CODES)
@settings(max_examples=40)
def test_every_swap_is_found_but_that_of_the_first_with_the_last(code: str) -> None:
    for one in range(18):
        for other in range(one + 1, 18):
            changed = swapped(code, one, other)
            assert changed == code or (one, other) == (0, 17) or not is_uscc(changed)


@given(CODES)
@settings(max_examples=40)
def test_the_swap_of_the_first_with_the_last_is_beyond_the_standard(code: str) -> None:
    assert is_uscc(swapped(code, 0, 17))
