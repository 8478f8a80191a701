"""What is remembered of statements: a head per day, its lines in pages. Keys: ``docs/keys.md``.

A page is only written in the transaction that moves the head on: with the closed head, or, where a day takes more than
one transaction, with a draft in its place that says how far the lines have come. So two who close the same day never
mix what they saw, nothing is left behind by the one who came second, and whoever comes after an interruption goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from pynamodb.attributes import UnicodeAttribute

from chalicelib.core import codec, table
from chalicelib.core.commit import Unit
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.table import IntAttribute, Key, Row
from chalicelib.ledger.rules import Party, Share, SignedStatement, Statement, StatementLine, Tally, parse_party

LINES_A_PAGE = 200
PAGE_BYTES = 60_000
PAGES_AT_ONCE = 10
PAGES_READ_AT_ONCE = 5

_Stored = tuple[
    str, date, datetime, str, str | None, date | None, int, int, int, int, int, tuple[tuple[str, int], ...]
]  # fmt: skip


class _StatementRow(Row, discriminator="statement"):
    """A day's head: closed, once it has a document and a signature; until then a draft, the tally of its lines."""

    document = UnicodeAttribute(null=True)
    signature = UnicodeAttribute(null=True)
    draft = UnicodeAttribute(null=True)
    revision = IntAttribute()


class _PageRow(Row, discriminator="statement-page"):
    lines = UnicodeAttribute()


class _ChainRow(Row, discriminator="statement-chain"):
    """Marks a party's first statement: there is one chain."""

    day = UnicodeAttribute()


@dataclass(frozen=True, slots=True)
class Draft:
    """How far the lines of a day have come; each save counts its revision up by one, from 0 for none."""

    day: date
    tally: Tally
    revision: int


@dataclass(frozen=True, slots=True)
class Page:
    """Lines that are stored together."""

    lines: tuple[StatementLine, ...]
    document: str


def paged(lines: Iterable[StatementLine]) -> Iterator[Page]:
    """The lines in pages of at most 200 lines and 60 kB, one in memory at a time."""
    waiting: list[StatementLine] = []
    texts: list[str] = []
    size_bytes = 0
    for line in lines:
        text = codec.canonical(_stored(line))
        if waiting and (len(waiting) == LINES_A_PAGE or size_bytes + len(text) >= PAGE_BYTES):
            yield Page(tuple(waiting), f"[{','.join(texts)}]")
            waiting, texts, size_bytes = [], [], 0
        waiting.append(line)
        texts.append(text)
        size_bytes += len(text) + 1
    if waiting:
        yield Page(tuple(waiting), f"[{','.join(texts)}]")


def latest_statements(party: Party, limit: int) -> tuple[list[Statement], Draft | None]:
    """A party's last statements, newest first, and the draft of the day after them, if there is one; one Query."""
    rows, _ = table.query(_StatementRow, _heads_pk(party), limit=limit + 1, descending=True)
    draft = _draft_in(rows[0]) if rows else None
    return [_read(row).statement for row in rows if row.document is not None][:limit], draft


def list_statements(party: Party, limit: int, after: str | None) -> tuple[list[Statement], str | None]:
    """One page of a party's statements, newest first; one Query. A draft is passed over."""
    rows, last = table.query(_StatementRow, _heads_pk(party), limit=limit, after=after, descending=True)
    return [_read(row).statement for row in rows if row.document is not None], last


def statements_between(party: Party, first: date, last: date) -> list[Statement]:
    """A party's statements of some days, both ends included, oldest first; one Query."""
    days = _StatementRow.sk.between(f"{first}", f"{last}")
    rows, _ = table.query(_StatementRow, _heads_pk(party), days, limit=(last - first).days + 1)
    return [_read(row).statement for row in rows if row.document is not None]


def find_statement(party: Party, day: date) -> SignedStatement | None:
    """A day's statement; None if it has not been closed."""
    row = table.get(_StatementRow, _head_key(party, day))
    return _read(row) if row is not None and row.document is not None else None


def load_statement(party: Party, day: date) -> SignedStatement:
    """A day's statement. Raises: NotFound: it has not been closed."""
    found = find_statement(party, day)
    if found is None:
        raise NotFound
    return found


def save_draft(
    unit: Unit, party: Party, seen: Draft, tally: Tally, pages: Sequence[Page], *, first: bool
) -> Draft:  # fmt: skip
    """Writes the next pages of a day, and how far that is.

    Args:
        seen: The draft so far; of revision 0 where there was none.
        first: It is the party's first statement: there is to be one such day, whatever others think is the first.

    Conflict, on commit: somebody else has gone on meanwhile.
    """
    row = _StatementRow(*_head_key(party, seen.day), draft=codec.to_json(tally), revision=seen.revision + 1)
    _put(unit, party, seen, row, pages, first=first)
    return Draft(seen.day, tally, row.revision)


def close_statement(
    unit: Unit, party: Party, seen: Draft, signed: SignedStatement, pages: Sequence[Page], *, first: bool
) -> None:
    """Writes the last pages of a day, and its head; arguments and conflicts as of ``save_draft``."""
    row = _StatementRow(
        *_head_key(party, seen.day),
        document=codec.canonical(signed.statement),
        signature=signed.signature,
        revision=seen.revision + 1,
    )
    _put(unit, party, seen, row, pages, first=first)


def _put(unit: Unit, party: Party, seen: Draft, row: _StatementRow, pages: Sequence[Page], *, first: bool) -> None:
    assert len(pages) <= PAGES_AT_ONCE, "pages are written some at a time"
    if seen.revision == 0:
        unit.create(row, Conflict)
    else:
        unit.put(row, _StatementRow.revision == seen.revision, Conflict)
    if first and seen.revision == 0:
        unit.create(_ChainRow(f"{_heads_pk(party)}#chain", "chain", day=row.sk), Conflict)
    for number, page in enumerate(pages, seen.tally.pages + 1):
        unit.put(_PageRow(*_page_key(party, seen.day, number), lines=page.document))


def load_page(statement: Statement, number: int) -> list[StatementLine]:
    """One page of a statement, counted from 1; one GetItem."""
    row = table.get(_PageRow, _page_key(parse_party(statement.party), statement.day, number))
    assert row is not None, "a statement has its pages"
    return _lines_in(row, statement.day)


def lines_of(statement: Statement, first: int = 1, last: int | None = None) -> Iterator[StatementLine]:
    """The lines of a statement's pages ``first`` to ``last`` (without one: to the end), some pages in memory."""
    last = statement.pages if last is None else last
    pk = _page_key(parse_party(statement.party), statement.day, 1).pk
    span = _PageRow.sk.between(_page_sk(first), _page_sk(last))
    after: str | None = None
    while first <= last:
        rows, after = table.query(_PageRow, pk, span, limit=PAGES_READ_AT_ONCE, after=after)
        for row in rows:
            yield from _lines_in(row, statement.day)
        if after is None:
            return


def _book(party: Party) -> str:
    return party.name.removeprefix(f"{party.city_id}/")


def _heads_pk(party: Party) -> str:
    return f"{party.city_id}#statements#{_book(party)}"


def _head_key(party: Party, day: date) -> Key:
    return Key(_heads_pk(party), f"{day}")


def _page_key(party: Party, day: date, number: int) -> Key:
    return Key(f"{party.city_id}#statement#{_book(party)}#{day}", _page_sk(number))


def _page_sk(number: int) -> str:
    return f"page#{number:06d}"


def _read(row: _StatementRow) -> SignedStatement:
    assert row.document is not None, "a closed day has a statement"
    assert row.signature is not None, "a statement is signed"
    return SignedStatement(codec.from_json(Statement, row.document), row.signature)


def _draft_in(row: _StatementRow) -> Draft | None:
    if row.draft is None:
        return None
    return Draft(date.fromisoformat(row.sk), codec.from_json(Tally, row.draft), row.revision)


def _stored(line: StatementLine) -> _Stored:
    """A line without what its statement says already, and without names."""
    return (
        line.entry_id, line.day, line.at, line.purpose, line.reverses, line.sold_on, line.sales_fen, line.takings_fen,
        line.own_discount_fen, line.receivable_fen, line.other_fen, tuple((s.party, s.fen) for s in line.by_funder),
    )  # fmt: skip


def _lines_in(row: _PageRow, day: date) -> list[StatementLine]:
    return [_line(stored, day) for stored in codec.from_json(list[_Stored], row.lines)]


def _line(stored: _Stored, day: date) -> StatementLine:
    entry_id, of, at, purpose, reverses, sold_on, sales, takings, own_discount, receivable, other, owed = stored
    shares = tuple(Share(*share) for share in owed)
    return StatementLine(
        entry_id, of, at, of < day, purpose, reverses, sold_on, sales, takings, own_discount, receivable, other, shares
    )  # fmt: skip
