"""Conditions as they are authored, and the three-valued logic they are judged in.

A verdict is True, False or None (not known). Source: Kleene's strong logic of indeterminacy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from chalicelib.cities.rules import Edge

Verdict = bool | None
UpperEdge = Literal["lt", "le"]


@dataclass(frozen=True, slots=True)
class ScoreIs:
    """A score from ``low`` (``ge``: with it, ``gt``: beyond it) up to ``high`` (``lt``: without it, ``le``: with it).

    Both are published scores of the host's scale; None leaves that side open. "Up" is towards the better end, also on
    a scale whose lower scores are better.
    """

    low: int | None
    low_edge: Edge = "ge"
    high: int | None = None
    high_edge: UpperEdge = "lt"


@dataclass(frozen=True, slots=True)
class GradeIs:
    """A grade of the host's scale: this one, or with ``or_better`` this one and every better one."""

    name: str
    or_better: bool


@dataclass(frozen=True, slots=True)
class AttributeIs:
    """A yes-or-no fact that the city vouches for, by its id; it may be unknown."""

    name: str


@dataclass(frozen=True, slots=True)
class Resident:
    """The person's score is this city's own."""


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple[Condition, ...]


Leaf = ScoreIs | GradeIs | AttributeIs | Resident
Condition = Leaf | AllOf | AnyOf


def all_of(verdicts: Iterable[Verdict]) -> Verdict:
    """False if one is False, else None if one is None, else True."""
    known: Verdict = True
    for verdict in verdicts:
        if verdict is False:
            return False
        if verdict is None:
            known = None
    return known


def any_of(verdicts: Iterable[Verdict]) -> Verdict:
    """True if one is True, else None if one is None, else False."""
    return negated(all_of(negated(verdict) for verdict in verdicts))


def negated(verdict: Verdict) -> Verdict:
    """True and False swapped; what is not known stays so."""
    return None if verdict is None else not verdict


def leaves(condition: Condition, pointer: str) -> Iterator[tuple[str, Leaf]]:
    """Every single condition within, in written order, with its JSON pointer below ``pointer``."""
    if isinstance(condition, AllOf | AnyOf):
        key = "all" if isinstance(condition, AllOf) else "any"
        for index, part in enumerate(condition.parts):
            yield from leaves(part, f"{pointer}/{key}/{index}")
    else:
        yield pointer, condition
