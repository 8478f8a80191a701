"""What the check character of GB 11643 is sure to find."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.subjects.rules import is_identity_number

# The table of the standard; the code computes with powers of 2 instead.
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10X98765432"


def numbered(body: str) -> str:
    """The number of these 17 digits, as the standard's table has it."""
    return body + CHECKS[sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True)) % 11]


NUMBERS = st.text("0123456789", min_size=17, max_size=17).map(numbered)


@given(NUMBERS)
@settings(max_examples=100)
def test_a_number_with_its_check_character_is_one(number: str) -> None:
    assert is_identity_number(number)


@given(NUMBERS)
@settings(max_examples=30)
def test_every_single_wrong_character_is_found(number: str) -> None:
    for place, right in enumerate(number):
        for wrong in "0123456789X".replace(right, ""):
            assert not is_identity_number(number[:place] + wrong + number[place + 1 :])


@given(NUMBERS)
@settings(max_examples=100)
def test_every_swap_of_two_different_neighbours_is_found(number: str) -> None:
    for place in range(17):
        changed = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
        assert changed == number or not is_identity_number(changed)
