"""MINIMAL of the city's statistics: nothing that is not shown can be worked out from all that is.

Three attackers try. One subtracts: whatever adds up, over any spans. One changes a hidden cell to any other value below
ten and looks whether anything that is shown must change. One knows the rules and which cells there are, and tries out
everything there could be behind a reply (with a smaller threshold, so that everything is not too much).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from fractions import Fraction
from itertools import product
from typing import Any, Literal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chalicelib.offers.rules.statistics import (
    LEAST,
    MOST_DAYS,
    Cell,
    Days,
    Figures,
    GivenBack,
    ScenarioFigures,
    Tally,
    Used,
)
from chalicelib.offers.rules.suppression import suppressed

FIRST, LAST, TODAY = date(2026, 6, 25), date(2026, 9, 5), date(2026, 9, 3)
DISTRICTS = (None, "huli", "jimei")
Place = tuple[date, str | None]
Cells = dict[Place, Cell]
Attribute = Literal["uses", "visitor_uses", "saved_fen"]
ATTRIBUTES: tuple[Attribute, ...] = ("uses", "visitor_uses", "saved_fen")

few = st.integers(0, LEAST - 1)
uses = st.one_of(few, few, st.integers(LEAST, 40))
cells = uses.flatmap(
    lambda n: st.builds(
        Cell,
        st.just(n),
        st.one_of(st.integers(0, n), st.integers(0, min(n, LEAST - 1)), st.integers(max(0, n - LEAST + 1), n)),
        st.just(0) if n == 0 else st.integers(0, 50),
    )
)
DAYS = [FIRST + timedelta(n) for n in range((LAST - FIRST).days + 1)]
# Days lie close together, so that months have several cells and edges have some, too.
places = st.tuples(
    st.sampled_from([*DAYS[:8], *DAYS[10:22:2], *DAYS[38:44], *DAYS[-8:]]), st.sampled_from(DISTRICTS)
)  # fmt: skip
books = st.dictionaries(places, cells, min_size=1, max_size=24)


def shown(book: Cells, first: date = FIRST, last: date = LAST) -> ScenarioFigures | None:
    tallies = [Tally(day, district, cell) for (day, district), cell in book.items() if first <= day <= last]
    return suppressed("a", tallies, Days(first, last), TODAY)


def spans() -> Iterator[tuple[date, date]]:
    """Spans that differ by single days at either end, and by a month."""
    assert (LAST - FIRST).days < MOST_DAYS
    edges = [FIRST, date(2026, 6, 30), date(2026, 7, 1), date(2026, 7, 2), date(2026, 8, 1)]
    ends = [date(2026, 7, 31), date(2026, 8, 30), date(2026, 8, 31), date(2026, 9, 2), LAST]
    yield from ((first, last) for first in edges for last in ends if first <= last)


Equation = tuple[frozenset[tuple[Place, Attribute]], int]


def equations(book: Cells) -> Iterator[Equation]:
    """Everything that is told of sums of cells, in all replies; what a figure is the sum of is the reader's guess."""
    for first, last in spans():
        found = shown(book, first, last)
        if found is None:
            continue
        inside = [place for place in book if first <= place[0] <= last]
        alone = {(day.day, day.district) for day in found.days}
        for day in found.days:
            yield from said(book, [(day.day, day.district)], day.figures)
        told: set[Place] = set(alone)
        for month in found.months:
            here = {place for place in inside if f"{place[0]:%Y-%m}" == month.month}
            for each in month.districts:
                told |= yield from said(book, guess(book, here, alone, each.district, each.figures), each.figures)
            named = {each.district for each in month.districts}
            yield from said(book, [p for p in told & here if p[1] in named], month.figures)
        yield from said(book, told, found.figures)


def guess(book: Cells, here: set[Place], alone: set[Place], district: str | None, figures: Figures) -> list[Place]:
    """The cells that a district's month is the sum of: those that are shown by themselves, or all of them."""
    mine = [place for place in here if place[1] == district]
    by_themselves = [place for place in mine if place in alone]
    return by_themselves if sum(book[place].uses for place in by_themselves) == figures.uses else mine


def said(book: Cells, summed: Iterable[Place], figures: Figures) -> Any:
    """The equations of a figure, which must be true; the cells that it is the sum of."""
    summed = set(summed)
    for name in ATTRIBUTES:
        value = getattr(figures, name)
        if value is not None:
            assert sum(getattr(book[place], name) for place in summed) == value, "what is shown is true"
            yield frozenset((place, name) for place in summed), value
    return summed


def hidden(book: Cells) -> set[tuple[Place, Attribute]]:
    """What no reply shows by itself."""
    whole = shown(book)
    by_place = {(day.day, day.district): day.figures for day in whole.days} if whole else {}
    found: set[tuple[Place, Attribute]] = set()
    for place in book:
        figures = by_place.get(place)
        found |= {(place, name) for name in ATTRIBUTES if figures is None or getattr(figures, name) is None}
    return found


class Span:
    """A space of equations: what can be had from them by adding, subtracting and multiplying."""

    def __init__(self) -> None:
        self.rows: dict[Any, dict[Any, Fraction]] = {}

    def reduced(self, row: dict[Any, Fraction]) -> dict[Any, Fraction]:
        row = dict(row)
        for pivot, known in self.rows.items():
            factor = row.get(pivot, Fraction(0))
            if factor:
                for unknown, weight in known.items():
                    row[unknown] = row.get(unknown, Fraction(0)) - factor * weight
        return {unknown: weight for unknown, weight in row.items() if weight}

    def add(self, unknowns: Iterable[Any]) -> None:
        row = self.reduced(dict.fromkeys(unknowns, Fraction(1)))
        if row:
            pivot = next(iter(row))
            row = {unknown: weight / row[pivot] for unknown, weight in row.items()}
            for other, known in self.rows.items():
                factor = known.get(pivot, Fraction(0))
                if factor:
                    self.rows[other] = {
                        u: w
                        for u in {**known, **row}
                        if (w := known.get(u, Fraction(0)) - factor * row.get(u, Fraction(0)))
                    }
            self.rows[pivot] = row

    def tells(self, unknown: Any) -> bool:
        return not self.reduced({unknown: Fraction(1)})


@given(books)
@settings(max_examples=60)
def test_MINIMAL_nothing_hidden_is_left_by_subtracting(book: Cells) -> None:
    space = Span()
    for unknowns in {summed for summed, _ in equations(book)}:
        space.add(unknowns)
    assert {unknown for unknown in hidden(book) if space.tells(unknown)} == set()


def test_the_one_who_subtracts_would_find_something() -> None:
    space = Span()
    for summed in ("abc", "ab", "de"):
        space.add(summed)
    assert {letter for letter in "abcde" if space.tells(letter)} == {"c"}


@given(books, st.data())
@settings(max_examples=80)
def test_MINIMAL_a_hidden_cell_could_be_anything_below_ten(book: Cells, data: st.DataObject) -> None:
    below = [place for place, cell in book.items() if cell.uses < LEAST]
    assume(below)
    place = data.draw(st.sampled_from(sorted(below, key=str)))
    n = data.draw(few)
    visitors = data.draw(st.integers(0, n))
    other = instead(book, place, Cell(n, visitors, 0 if n == 0 else data.draw(st.integers(0, 3))))
    for first, last in spans():
        assert shown(other, first, last) == shown(book, first, last)


def instead(book: Cells, place: Place, wanted: Cell) -> Cells:
    """Another book in which this hidden cell is ``wanted``, and those hidden with it make up for it, or are nothing."""
    day, district = place
    together = [p for p, c in book.items() if p[1] == district and f"{p[0]:%Y-%m}" == f"{day:%Y-%m}" and c.uses < LEAST]
    rest = sum((book[p] for p in together), Cell())
    others = [p for p in together if p != place]
    told = LEAST <= rest.uses <= (LEAST - 1) * len(others) and rest.saved_fen > 0
    if not told:
        return {**book, **dict.fromkeys(others, Cell()), place: wanted}
    residents, visitors = rest.uses - rest.visitor_uses, rest.visitor_uses
    if min(residents, visitors) < LEAST:
        # Their visitors are told with others' at most: what more these cells could be, the small threshold shows.
        assume(wanted.visitor_uses <= visitors and wanted.uses - wanted.visitor_uses <= residents)
    visitors -= wanted.visitor_uses
    residents -= wanted.uses - wanted.visitor_uses
    made: Cells = {place: Cell(wanted.uses, wanted.visitor_uses, min(wanted.saved_fen, rest.saved_fen))}
    left = rest.saved_fen - made[place].saved_fen
    for other in others:
        came = min(LEAST - 1, visitors)
        lived = min(LEAST - 1 - came, residents)
        visitors, residents = visitors - came, residents - lived
        made[other] = Cell(came + lived, came, left if came + lived else 0)
        left = left if not came + lived else 0
    assert (visitors, residents, left) == (0, 0, 0), "the others can have it all"
    return {**book, **made}


SMALL = 3
"""A threshold for which everything there could be can be tried out."""


Pair = tuple[int, int]
HIDDEN: list[Pair] = [(n, came) for n in range(SMALL) for came in range(n + 1)]


def savings(month: Sequence[Pair]) -> Iterator[list[Cell]]:
    """The month with nothing saved at all, and with one fen saved in any of its cells with few uses.

    What was saved has no upper end. Were there one here, it would tell in how many cells it was saved.
    """
    for lucky in [-1, *(n for n, (uses, _) in enumerate(month) if 0 < uses < SMALL)]:
        yield [Cell(uses, came, int(n == lucky)) for n, (uses, came) in enumerate(month)]


def behind_replies(choices: Sequence[Sequence[Pair]]) -> Iterator[tuple[dict[int, Figures], list[list[Cell]]]]:
    """What is shown of single days, for every reply that a month can lead to, and all months that lead to it."""
    days = Days(date(2026, 7, 1), date(2026, 7, 31))
    found: dict[ScenarioFigures | None, list[list[Cell]]] = defaultdict(list)
    for book in (book for month in product(*choices) for book in savings(month)):
        tallies = [Tally(date(2026, 7, n), None, cell) for n, cell in enumerate(book, start=1)]
        found[suppressed("a", tallies, days, TODAY, least=SMALL)].append(book)
    for reply, books in found.items():
        yield {day.day.day - 1: day.figures for day in reply.days} if reply else {}, books


@pytest.mark.parametrize(
    "choices",
    [
        [[*HIDDEN, (3, 0), (3, 1), (5, 4)]],
        [[*HIDDEN, (3, 0), (3, 1), (5, 4)]] * 2,
        [[*HIDDEN, (3, 0), (3, 1), (5, 4)]] * 3,
        [[*HIDDEN, (4, 1)]] * 4,
    ],
    ids=len,
)
def test_MINIMAL_behind_every_reply_a_hidden_cell_can_be_anything(choices: list[list[Pair]]) -> None:
    for alone, books in behind_replies(choices):
        for number in set(range(len(choices))) - alone.keys():
            could_be = [book[number] for book in books]
            assert {(cell.uses, cell.visitor_uses) for cell in could_be} == set(HIDDEN)
            assert {cell.saved_fen for cell in could_be if cell.uses} == {0, 1}


def every(uses: int) -> list[Pair]:
    """A cell with so many uses, of which everybody may be a visitor or nobody."""
    return [(uses, came) for came in range(uses + 1)]


@pytest.mark.parametrize(
    "choices",
    [
        [every(3)],
        [every(7)],
        [every(3), every(4)],
        [every(6)] * 3,
        [every(5), every(6), every(9)],
        [every(3), every(4), every(5), every(6)],
        [every(7)] * 4,
        [HIDDEN, HIDDEN, [(2, 1)], every(4)],
        [[(1, 0)], HIDDEN, HIDDEN, every(6), every(6)],
    ],
    ids=lambda choices: "-".join(str(len(choice)) for choice in choices),
)
def test_MINIMAL_behind_every_reply_hidden_visitors_can_be_any_few(choices: list[list[Pair]]) -> None:
    """Few of them, or few of the others: from 1 to ``SMALL`` − 1 of either."""
    few_of_either = set(range(1, SMALL))
    for alone, books in behind_replies(choices):
        for number in (number for number, figures in alone.items() if figures.visitor_uses is None):
            could_be = [book[number] for book in books]
            came = {cell.visitor_uses for cell in could_be}
            lived = {cell.uses - cell.visitor_uses for cell in could_be}
            assert few_of_either <= came or few_of_either <= lived


sales = st.lists(
    st.tuples(st.booleans(), st.lists(st.integers(0, 3000), min_size=1, max_size=4), st.booleans()), max_size=14
)  # fmt: skip


@given(sales, st.randoms(use_true_random=False))
@settings(max_examples=80)
def test_ONCE_whatever_the_order_a_day_is_what_was_sold_and_not_given_back(sold: Any, chance: Any) -> None:
    """Each sale is lines with what they saved; it may be refunded line by line, wholly or in part."""
    day, expected = date(2026, 7, 3), Cell()
    events: list[Used | GivenBack] = []
    for number, (visitor, lines, wholly) in enumerate(sold):
        about = f"xiamen.{number}", "xiamen", "a", None, visitor
        events.append(Used(*about, sum(lines), day))
        returned = lines if wholly else lines[1:]
        for place, saved_fen in enumerate(returned, start=1):
            whole = wholly and place == len(lines)
            events.append(GivenBack(*about, saved_fen, whole, day))
        kept = 0 if wholly else 1
        expected += Cell(kept, kept * visitor, kept * lines[0])
    chance.shuffle(events)
    found = sum((event.addition for event in events), Cell())
    assert found == expected
    assert min(found.uses, found.visitor_uses, found.uses - found.visitor_uses, found.saved_fen) >= 0
