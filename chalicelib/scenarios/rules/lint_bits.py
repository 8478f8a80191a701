"""One condition judged for everybody at once: a number with one bit per stretch of scores and set of facts.

A table may ask for so many thresholds and facts that to judge each of its conditions person by person takes seconds;
"and" and "or" of two such numbers judge thousands in one step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chalicelib.scenarios.rules.compiled import GroupNode, Node, ScoreNode


class Layout:
    """Where the bits lie: those of the first set of facts lowest, and within one set as ``lows`` runs.

    Args:
        lows: The least oriented score of every stretch, rising; first None, for people without a score.
        facts: Every set of facts: the attributes that hold, and whether the person is a resident.
    """

    def __init__(self, lows: Sequence[int | None], facts: Sequence[tuple[frozenset[str], bool]]) -> None:
        self._lows, self._facts, self._width = lows, facts, len(lows)
        self._row = (1 << self._width) - 1
        self._every = sum(1 << index * self._width for index in range(len(facts)))

    def row(self, bits: int, index: int) -> int:
        """The bits of one set of facts."""
        return bits >> index * self._width & self._row

    def everybody(self) -> int:
        return self._every * self._row

    def scored(self, low: int | None, high: int | None) -> int:
        """Everybody with a score in [``low``, ``high``)."""
        bits = 0
        for index, least in enumerate(self._lows):
            if least is not None and (low is None or least >= low) and (high is None or least < high):
                bits |= 1 << index
        return self._every * bits

    def having(self, name: str | None) -> int:
        """Everybody of whom the fact holds; None: every resident."""
        bits = 0
        for index, (held, resident) in enumerate(self._facts):
            if resident if name is None else name in held:
                bits |= self._row << index * self._width
        return bits


def bits_of(node: Node, layout: Layout) -> int:
    """Everybody who meets the condition: where ``compiled.judge`` says True."""
    if isinstance(node, ScoreNode):
        return layout.scored(node.low, node.high)
    if not isinstance(node, GroupNode):
        return layout.having(node.name)
    bits = layout.everybody() if node.every else 0
    for part in node.parts:
        bits = bits & bits_of(part, layout) if node.every else bits | bits_of(part, layout)
    return bits


def runs(bits: int, width: int) -> Iterator[tuple[int, int]]:
    """The first and the last place of every run of marked bits among the lowest ``width``."""
    bits &= (1 << width) - 1
    while bits:
        first = (bits & -bits).bit_length() - 1
        beyond = bits + (1 << first)
        last = (beyond & -beyond).bit_length() - 2
        yield first, last
        bits &= beyond
