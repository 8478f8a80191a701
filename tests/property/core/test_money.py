"""Dividing money loses none of it."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.money import BP, MOST, decimal, floor_payable, half_even, portion, split

AMOUNTS = st.integers(-MOST, MOST)
PARTS = st.integers(0, MOST)
WEIGHTS = st.lists(st.integers(0, BP), min_size=1, max_size=6).filter(any)


@given(AMOUNTS, WEIGHTS)
def test_LEDGER_the_parts_of_a_split_add_up_to_it(amount: int, weights: list[int]) -> None:
    parts = split(amount, weights)
    assert sum(parts) == amount
    assert all(
        abs(part - Fraction(amount * weight, sum(weights))) < 1 for part, weight in zip(parts, weights, strict=True)
    )
    assert split(-amount, weights) == tuple(-part for part in parts)


@given(st.integers(0, 10**6), WEIGHTS)
def test_who_has_more_weight_gets_no_less(amount: int, weights: list[int]) -> None:
    parts = split(amount, weights)
    for one, weight in zip(parts, weights, strict=True):
        for other, lighter in zip(parts, weights, strict=True):
            assert weight <= lighter or one >= other
    for place in range(len(weights) - 1):
        assert weights[place] != weights[place + 1] or parts[place] >= parts[place + 1]


@given(PARTS, st.integers(1, 60), st.data())
def test_LEDGER_portions_of_any_spans_add_up_to_the_stored_part(part: int, units: int, data: st.DataObject) -> None:
    cuts = sorted({0, units, *data.draw(st.sets(st.integers(0, units)))})
    spans = data.draw(st.permutations(list(pairwise(cuts))))
    given_back = [portion(part, units, start, stop) for start, stop in spans]
    assert sum(given_back) == part
    for amount, (start, stop) in zip(given_back, spans, strict=True):
        assert abs(amount - Fraction(part * (stop - start), units)) < stop - start + 1
        assert amount == sum(portion(part, units, unit, unit + 1) for unit in range(start, stop))


@given(PARTS, st.integers(0, BP), st.integers(0, BP))
def test_a_greater_discount_never_costs_more(list_fen: int, one_bp: int, other_bp: int) -> None:
    less, more = sorted((one_bp, other_bp))
    assert 0 <= floor_payable(list_fen, more) <= floor_payable(list_fen, less) <= list_fen
    assert 0 <= Fraction(list_fen * (BP - less), BP) - floor_payable(list_fen, less) < 1


@given(AMOUNTS, st.integers(1, 10**9))
def test_half_even_is_what_exact_fractions_round_to(numerator: int, denominator: int) -> None:
    assert half_even(numerator, denominator) == round(Fraction(numerator, denominator))


@given(AMOUNTS, st.integers(0, 4))
def test_an_amount_is_read_back_as_it_was_written(amount: int, digits: int) -> None:
    assert Fraction(decimal(amount, digits)) == Fraction(amount, 10**digits)
