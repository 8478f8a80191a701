"""Money: whole fen, and the few ways in which they are divided.

An amount is an ``int`` of the asset's smallest unit (fen), a ratio an ``int`` of basis points (1 bp = 1/10,000).
Nothing here sees a float. A figure is rounded once, where it arises; what is made of it later adds up to it exactly.

list price of a line → ``floor_payable`` → discount → ``split`` among those who fund it → stored
                                                    → ``portion``: a refund takes the stored parts apart again
"""

from __future__ import annotations

from collections.abc import Sequence

BP = 10_000
MOST = 2**53 - 1

_TWO_DIGITS = tuple(f"{number:02}" for number in range(100))


def whole(amount: object) -> int:
    """The amount itself: an int (a bool or a float is none) that every reader of JSON reads exactly, ±(2^53 − 1)."""
    assert type(amount) is int, "an amount is a whole number"
    assert -MOST <= amount <= MOST, "an amount is at most 2^53 - 1"
    return amount


def floor_payable(list_fen: int, discount_bp: int) -> int:
    """What is left to pay of a line: rounded once, downwards, so that a fraction of a fen is the customer's.

    Args:
        list_fen: The whole line at its list price (unit price × quantity), ≥ 0.
        discount_bp: 0 to 10,000.

    Returns: ⌊list × (10,000 − discount) / 10,000⌋
    """
    assert whole(list_fen) >= 0, "a list price is not negative"
    assert 0 <= whole(discount_bp) <= BP, "a discount is 0 to 10,000 basis points"
    return list_fen * (BP - discount_bp) // BP


def half_even(numerator: int, denominator: int) -> int:
    """numerator / denominator, rounded once to the nearest whole number; a half goes to the even neighbour.

    Args:
        numerator: Of any sign and size.
        denominator: > 0.
    """
    assert type(numerator) is int, "a figure is made of whole numbers"
    assert type(denominator) is int, "a figure is made of whole numbers"
    assert denominator > 0, "a denominator is positive"
    floor, rest = divmod(numerator, denominator)
    up = 2 * rest > denominator or (2 * rest == denominator and floor % 2 == 1)
    return whole(floor + up)


def part_bp(amount: int, ratio_bp: int) -> int:
    """amount × ratio / 10,000, half-even; of a part that has to add up with others, take ``split``."""
    return half_even(whole(amount) * whole(ratio_bp), BP)


def split(amount: int, weights: Sequence[int]) -> tuple[int, ...]:
    """The amount in proportion to the weights, to the last fen: Σ parts = amount.

    Each part is its exact share rounded towards zero; the fen left over go one by one to the parts that lost most by
    rounding, and among equals to the one named first. Who is named first is thus part of the rule that names them.

    Args:
        amount: Of any sign; the parts of −a are those of a, negated.
        weights: At least one, none negative, not all zero; a weight of 0 gets nothing.

    Source: the method of the largest remainder (Hamilton, Hare–Niemeyer).
    """
    assert all(whole(weight) >= 0 for weight in weights), "a weight is not negative"
    total = sum(weights)
    assert total > 0, "something is split among somebody"
    size = abs(whole(amount))
    floors = [size * weight // total for weight in weights]
    by_loss = sorted(range(len(weights)), key=lambda place: -(size * weights[place] % total))
    for place in by_loss[: size - sum(floors)]:
        floors[place] += 1
    return tuple(floors) if amount >= 0 else tuple(-part for part in floors)


def portion(part: int, units: int, start: int, stop: int) -> int:
    """What units ``start`` to ``stop`` − 1 carry of a stored part that belongs to ``units`` equal units.

    The units carry it evenly; those before ``part`` mod ``units`` carry one fen more. The portions of spans that
    cover all units add up to the part, whatever the spans and their order: a refund in pieces gives back exactly what
    was taken.

    Args:
        part: ≥ 0.
        units: > 0.
        start, stop: 0 ≤ start ≤ stop ≤ units.
    """
    assert whole(part) >= 0, "a stored part is not negative"
    assert whole(units) > 0, "a part belongs to some units"
    assert 0 <= whole(start) <= whole(stop) <= units, "a span lies within the units"
    each, more = divmod(part, units)
    return each * (stop - start) + min(stop, more) - min(start, more)


def decimal(amount: int, digits: int = 2) -> str:
    """The amount in whole units with this many digits behind the point: 1999 fen are ``19.99``. Never by a float."""
    if digits == 2:
        return yuan(whole(amount))
    if not digits:
        return f"{whole(amount)}"
    sign, text = "-" if whole(amount) < 0 else "", f"{abs(amount)}".zfill(digits + 1)
    return f"{sign}{text[:-digits]}.{text[-digits:]}"


def yuan(amount_fen: int) -> str:
    """``decimal`` with two digits, of an amount that is known to be whole: what a million postings are written by."""
    if amount_fen < 0:
        return f"-{-amount_fen // 100}.{_TWO_DIGITS[-amount_fen % 100]}"
    return f"{amount_fen // 100}.{_TWO_DIGITS[amount_fen % 100]}"
