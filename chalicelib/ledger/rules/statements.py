"""What a statement says: a line per entry of its book, their sums, and the head that is signed.

An entry has one line, in one statement. The head names all lines by one digest, which is made line by line, so that a
statement of any length is made, stopped and gone on with in constant memory:

    digest of no lines = 64 zeros;   digest of one line more = SHA-256 (digest before, then the line as canonical JSON)

The head names the statement before by the digest of its head: nobody takes one out of the chain unseen.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from chalicelib.core import codec
from chalicelib.core.money import whole
from chalicelib.ledger.rules.accounts import Party, parse_account
from chalicelib.ledger.rules.entries import Entry

ASSET = "CNY"
DIGEST_OF_NOTHING = "0" * 64

LineKind = Literal["sale", "refund", "other"]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where an entry stands in its book, and its line in a statement: both are in this order."""

    day: date
    at: datetime
    entry_id: str


@dataclass(frozen=True, slots=True)
class Share:
    """What another party owes the statement's party."""

    party: str
    fen: int


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One entry as it concerns the party of its book; a sale counts > 0, a refund < 0.

    ``sales_fen`` = ``takings_fen`` + ``own_discount_fen`` + ``receivable_fen`` + ``other_fen``, and ``receivable_fen``
    is the sum of ``by_funder``. ``other_fen`` is what went to its other accounts: cash that settles a receivable.
    ``late`` marks an entry of an earlier day than the statement's. ``sold_on`` is the day of what a refund takes back.
    """

    entry_id: str
    day: date
    at: datetime
    late: bool
    purpose: str
    reverses: str | None
    sold_on: date | None
    sales_fen: int
    takings_fen: int
    own_discount_fen: int
    receivable_fen: int
    other_fen: int
    by_funder: tuple[Share, ...]

    @property
    def place(self) -> Place:
        """Where it stands."""
        return Place(self.day, self.at, self.entry_id)

    @property
    def kind(self) -> LineKind:
        """What sort of entry it is of."""
        return "refund" if self.reverses else "sale" if self.sales_fen else "other"


@dataclass(frozen=True, slots=True)
class Sums:
    """How many entries, and what they come to."""

    entries: int = 0
    sales_fen: int = 0
    takings_fen: int = 0
    own_discount_fen: int = 0
    receivable_fen: int = 0
    other_fen: int = 0
    by_funder: tuple[Share, ...] = ()


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of all lines, and of some: sales; refunds; those refunds whose sale was on an earlier day; late ones."""

    total: Sums = Sums()
    sales: Sums = Sums()
    refunds: Sums = Sums()
    refunds_of_earlier_days: Sums = Sums()
    late: Sums = Sums()


@dataclass(frozen=True, slots=True)
class DayLines:
    """How many lines are of this day."""

    day: date
    lines: int


@dataclass(frozen=True, slots=True)
class Tally:
    """What is known of a statement's lines, as far as they have been dealt with."""

    totals: Totals = Totals()
    days: tuple[DayLines, ...] = ()
    lines: int = 0
    pages: int = 0
    lines_sha256: str = DIGEST_OF_NOTHING
    last: Place | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """The head of a statement: a party's day, in its city's time zone.

    The balances are of the party's receivable; ``days`` says of which days the lines are.
    """

    v: int
    city_id: str
    party: str
    day: date
    time_zone: str
    number: int
    opening_fen: int
    closing_fen: int
    totals: Totals
    days: tuple[DayLines, ...]
    lines: int
    pages: int
    lines_sha256: str
    previous_sha256: str | None
    closed_at: datetime


@dataclass(frozen=True, slots=True)
class SignedStatement:
    """A head, and the compact JWS over its canonical JSON."""

    statement: Statement
    signature: str


def place_of(entry: Entry) -> Place:
    """Where an entry stands in its book."""
    return Place(entry.day, entry.at, entry.entry_id)


def line_of(entry: Entry, day: date, sold_on: date | None = None) -> StatementLine:
    """The line of an entry in its book's statement of ``day``.

    An entry whose amounts do not add up for that party by itself, a sale < 0, a refund > 0 or an entry of a later day
    is a broken belief. Assets other than CNY are not stated.

    Args:
        sold_on: The day of the entry that this one reverses.
    """
    own, shares = _amounts(entry)
    sales_fen, takings_fen = -own.pop("sales", 0), own.pop("takings", 0)
    own_discount_fen, receivable_fen = own.pop("discount", 0), own.pop("receivable", 0)
    other_fen = sum(own.values())
    assert sales_fen == takings_fen + own_discount_fen + receivable_fen + other_fen, "a party's amounts add up"
    assert receivable_fen == sum(shares.values()), "what is owed to a party is owed by somebody"
    assert sales_fen >= 0 if entry.reverses is None else sales_fen <= 0, "a sale is positive, a refund negative"
    assert (sold_on is None) == (entry.reverses is None), "what is reversed has a day"
    assert entry.day <= day, "no entry is stated before its day"
    return StatementLine(
        entry.entry_id, entry.day, entry.at, entry.day < day, entry.purpose, entry.reverses, sold_on,
        sales_fen, takings_fen, own_discount_fen, receivable_fen, other_fen, _shares(shares),
    )  # fmt: skip


def _amounts(entry: Entry) -> tuple[Counter[str], Counter[str]]:
    """What an entry posts to the accounts of its book's party, by role, and what others owe by it, by their names."""
    own: Counter[str] = Counter()
    shares: Counter[str] = Counter()
    for posting in entry.postings:
        account = parse_account(posting.account)
        if posting.asset != ASSET:
            continue
        if account.party.name == entry.book:
            own[account.role] += posting.amount
        elif account.role == "payable":
            shares[account.party.name] -= posting.amount
    return own, shares


def _shares(fen: Counter[str]) -> tuple[Share, ...]:
    return tuple(Share(party, whole(fen[party])) for party in sorted(fen))


def with_page(tally: Tally, lines: Sequence[StatementLine]) -> Tally:
    """The tally with one page more. A line that does not come after the last one is a broken belief."""
    digest, last = tally.lines_sha256, tally.last
    days = Counter({known.day: known.lines for known in tally.days})
    for line in lines:
        assert last is None or last < line.place, "lines follow one another"
        digest = hashlib.sha256((digest + codec.canonical(line)).encode()).hexdigest()
        days[line.day] += 1
        last = line.place
    return Tally(
        _with_lines(tally.totals, lines),
        tuple(DayLines(day, days[day]) for day in sorted(days)),
        tally.lines + len(lines),
        tally.pages + 1,
        digest,
        last,
    )


def _with_lines(totals: Totals, lines: Sequence[StatementLine]) -> Totals:
    refunds = [line for line in lines if line.kind == "refund"]
    return Totals(
        _added(totals.total, lines),
        _added(totals.sales, [line for line in lines if line.kind == "sale"]),
        _added(totals.refunds, refunds),
        _added(totals.refunds_of_earlier_days, [line for line in refunds if line.sold_on != line.day]),
        _added(totals.late, [line for line in lines if line.late]),
    )


def _added(sums: Sums, lines: Sequence[StatementLine]) -> Sums:
    shares = Counter({share.party: share.fen for share in sums.by_funder})
    for line in lines:
        for share in line.by_funder:
            shares[share.party] += share.fen
    return Sums(
        sums.entries + len(lines),
        _sum(sums.sales_fen, (line.sales_fen for line in lines)),
        _sum(sums.takings_fen, (line.takings_fen for line in lines)),
        _sum(sums.own_discount_fen, (line.own_discount_fen for line in lines)),
        _sum(sums.receivable_fen, (line.receivable_fen for line in lines)),
        _sum(sums.other_fen, (line.other_fen for line in lines)),
        _shares(shares),
    )


def _sum(before_fen: int, amounts_fen: Iterable[int]) -> int:
    return whole(sum(amounts_fen, before_fen))


def statement_of(
    party: Party, day: date, time_zone: str, tally: Tally, before: Statement | None, closed_at: datetime
) -> Statement:
    """The head of a day's lines, after the head of the day before (None: it is the party's first statement)."""
    opening_fen = before.closing_fen if before is not None else 0
    return Statement(
        v=1,
        city_id=party.city_id,
        party=party.name,
        day=day,
        time_zone=time_zone,
        number=before.number + 1 if before is not None else 1,
        opening_fen=opening_fen,
        closing_fen=whole(opening_fen + tally.totals.total.receivable_fen),
        totals=tally.totals,
        days=tally.days,
        lines=tally.lines,
        pages=tally.pages,
        lines_sha256=tally.lines_sha256,
        previous_sha256=digest_of(before) if before is not None else None,
        closed_at=closed_at,
    )


def digest_of(statement: Statement) -> str:
    """The digest by which the next statement names this one: SHA-256 of its canonical JSON."""
    return hashlib.sha256(codec.canonical(statement).encode()).hexdigest()
