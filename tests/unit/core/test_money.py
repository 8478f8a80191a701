"""Figures a person can check by hand."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.core.money import MOST, decimal, floor_payable, half_even, part_bp, portion, split, whole

NOT_AMOUNTS = [1.0, True, "1", None, MOST + 1, -MOST - 1]


@pytest.mark.parametrize("wrong", NOT_AMOUNTS)
def test_only_whole_amounts_are_amounts(wrong: Any) -> None:
    for use in (
        lambda: whole(wrong),
        lambda: decimal(wrong),
        lambda: floor_payable(wrong, 1000),
        lambda: split(wrong, [1]),
        lambda: split(100, [wrong]),
        lambda: portion(wrong, 3, 0, 1),
        lambda: part_bp(wrong, 100),
    ):
        with pytest.raises(AssertionError):
            use()


@pytest.mark.parametrize("wrong", [1.0, True, -1, 10_001])
def test_a_discount_is_a_whole_number_of_basis_points(wrong: Any) -> None:
    with pytest.raises(AssertionError):
        floor_payable(3600, wrong)


@pytest.mark.parametrize(
    ("list_fen", "discount_bp", "payable_fen"),
    [
        (3600, 0, 3600),
        (3600, 5000, 1800),
        (3600, 10_000, 0),
        (3599, 5000, 1799),  # half a fen is the customer's
        (1, 1, 0),
        (3 * 3333, 1000, 8999),  # the line is rounded, not the piece: 3 × ⌊2999.7⌋ would be 8997
        (0, 5000, 0),
    ],
)
def test_a_line_is_rounded_once_and_downwards(list_fen: int, discount_bp: int, payable_fen: int) -> None:
    assert floor_payable(list_fen, discount_bp) == payable_fen


def test_nothing_becomes_a_float_on_the_way() -> None:
    results = (floor_payable(3600, 1), half_even(7, 2), part_bp(3600, 1), *split(7, [1, 2]), portion(7, 3, 0, 2))
    assert {type(result) for result in results} == {int}
    assert floor_payable(MOST, 1) == MOST * 9999 // 10_000


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [
        (5, 2, 2),
        (7, 2, 4),
        (-5, 2, -2),
        (-7, 2, -4),
        (6, 4, 2),
        (10, 4, 2),
        (1, 3, 0),
        (2, 3, 1),
        (-2, 3, -1),
        (0, 9, 0),
    ],
)
def test_a_half_goes_to_the_even_neighbour(numerator: int, denominator: int, rounded: int) -> None:
    assert half_even(numerator, denominator) == rounded


@pytest.mark.parametrize("wrong", [(1.0, 2), (True, 2), (1, 2.0), (1, 0), (1, -2)])
def test_a_fraction_is_of_whole_numbers(wrong: Any) -> None:
    with pytest.raises(AssertionError):
        half_even(*wrong)


def test_basis_points_of_an_amount() -> None:
    assert (part_bp(10_000, 25), part_bp(-10_000, 25), part_bp(50, 100), part_bp(150, 100)) == (25, -25, 0, 2)


@pytest.mark.parametrize(
    ("amount", "weights", "parts"),
    [
        (100, (1, 1, 1), (34, 33, 33)),  # among equals the first named
        (101, (1, 1, 1), (34, 34, 33)),
        (-101, (1, 1, 1), (-34, -34, -33)),
        (1, (5000, 5000), (1, 0)),
        (1, (4000, 6000), (0, 1)),  # 0.4 and 0.6: the larger remainder comes before the order
        (1801, (6000, 3000, 1000), (1081, 540, 180)),
        (5, (0, 1, 0), (0, 5, 0)),
        (0, (1, 2), (0, 0)),
        (7, (10_000,), (7,)),
    ],
)
def test_a_split_leaves_no_fen_over(amount: int, weights: tuple[int, ...], parts: tuple[int, ...]) -> None:
    assert split(amount, weights) == parts


@pytest.mark.parametrize("weights", [(), (0, 0), (1, -1), (3, -1)])
def test_nothing_is_split_among_nobody(weights: tuple[int, ...]) -> None:
    with pytest.raises(AssertionError):
        split(1, weights)


def test_three_units_of_a_line_carry_its_parts() -> None:
    assert [portion(100, 3, unit, unit + 1) for unit in range(3)] == [34, 33, 33]
    assert (portion(100, 3, 0, 2), portion(100, 3, 2, 3), portion(100, 3, 1, 1), portion(0, 3, 0, 3)) == (67, 33, 0, 0)


@pytest.mark.parametrize("span", [(-1, 1), (2, 1), (0, 4), (0.0, 1), (False, True)])
def test_a_span_lies_within_its_units(span: tuple[Any, Any]) -> None:
    with pytest.raises(AssertionError):
        portion(100, 3, *span)


def test_nothing_is_portioned_into_no_units() -> None:
    with pytest.raises(AssertionError):
        portion(100, 0, 0, 0)
    with pytest.raises(AssertionError):
        portion(-100, 3, 0, 1)


@pytest.mark.parametrize(
    ("amount", "digits", "text"),
    [
        (1999, 2, "19.99"), (-1999, 2, "-19.99"), (5, 2, "0.05"), (-5, 2, "-0.05"), (0, 2, "0.00"), (100, 2, "1.00"),
        (7, 0, "7"), (-7, 0, "-7"), (1, 3, "0.001"), (MOST, 2, "90071992547409.91"),
    ],
)  # fmt: skip
def test_an_amount_in_words_of_its_unit(amount: int, digits: int, text: str) -> None:
    assert decimal(amount, digits) == text
