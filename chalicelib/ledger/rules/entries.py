"""Entries: balanced postings, and how they are taken back.

An amount > 0 is a debit, < 0 a credit, always in the asset's smallest unit. Nothing here refuses: whether something
may be sold, paid or refunded is decided by the domain that knows what it was, and an entry that does not balance is a
broken belief.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import NamedTuple

from chalicelib.core.money import whole
from chalicelib.ledger.rules.accounts import is_account, is_party

MOST_POSTINGS = 40
_ENTRY_ID = re.compile(r"[a-z][a-z0-9-]{1,23}\.[a-z2-7]{26}")
_PURPOSE = re.compile(r"[a-z][a-z0-9:/_-]{0,119}")
_ASSET = re.compile(r"[A-Z][A-Z0-9]{1,11}")


class Posting(NamedTuple):
    """An amount of an asset to an account."""

    account: str
    asset: str
    amount: int


@dataclass(frozen=True, slots=True)
class Entry:
    """What one effect posts; its id is the effect's.

    ``book`` is the party under whose name the entry is listed: each entry is in exactly one book, so that all books
    together hold each entry once. ``day`` is the book's calendar day (of the offer's city), half-open at midnight
    there. ``reverses`` is the entry that this one takes back, wholly or in part.
    """

    entry_id: str
    at: datetime
    day: date
    purpose: str
    book: str
    postings: tuple[Posting, ...]
    reverses: str | None = None


def combined(postings: Iterable[Posting]) -> tuple[Posting, ...]:
    """One posting per account and asset, in the order of their names; what comes to nothing is left out."""
    sums: Counter[tuple[str, str]] = Counter()
    for posting in postings:
        sums[posting.account, posting.asset] += whole(posting.amount)
    return tuple(
        Posting(account, asset, whole(sums[account, asset])) for account, asset in sorted(sums) if sums[account, asset]
    )


def negated(postings: Iterable[Posting]) -> tuple[Posting, ...]:
    """The same postings the other way round."""
    return tuple(Posting(account, asset, -amount) for account, asset, amount in postings)


def check_entry(entry: Entry) -> Entry:
    """The entry itself. Anything else than the following is a broken belief:

    - ids, purpose, book and accounts are well formed, and the book's party is one of those posted to (a reversal is
      listed where its original is, whatever part of it is taken back);
    - ``at`` is aware, and ``day`` is the day of that instant somewhere on earth;
    - 2 to 40 postings, one per account, in the order of the accounts, each of a whole amount other than zero;
    - the postings sum to zero in each asset.
    """
    assert _ENTRY_ID.fullmatch(entry.entry_id), "an entry has the id of its effect"
    assert entry.reverses is None or _ENTRY_ID.fullmatch(entry.reverses), "what is reversed is an entry"
    assert entry.reverses != entry.entry_id, "an entry does not reverse itself"
    assert _PURPOSE.fullmatch(entry.purpose), "a purpose is one word"
    assert entry.at.tzinfo is not None, "an instant knows its zone"
    days_apart = entry.day.toordinal() - entry.at.astimezone(UTC).toordinal()
    assert -1 <= days_apart <= 1, "an entry's day is the day of its instant"
    check_postings(entry.postings)
    assert is_party(entry.book), "a book belongs to a party"
    assert entry.reverses is not None or _is_posted_to(entry), "an entry is listed by one of its parties"
    return entry


def _is_posted_to(entry: Entry) -> bool:
    """Whether the book's party has one of the accounts, which are in order: its own would be where its name would.

    Both are well formed: then no other party's begins like it.
    """
    own = entry.book + "/"
    place = bisect_left(entry.postings, (own,))
    return place < len(entry.postings) and entry.postings[place].account.startswith(own)


def check_postings(postings: Sequence[Posting]) -> None:
    """Returns if these postings make an entry; see ``check_entry``."""
    assert 2 <= len(postings) <= MOST_POSTINGS, "an entry has 2 to 40 postings"
    sums: dict[str, int] = {}
    before = ""
    for account, asset, amount in postings:
        assert before < account, "one posting per account"
        assert is_account(account), "an account has a well-formed name and a role that the chart names"
        assert whole(amount) != 0, "a posting posts something"
        sums[asset] = sums.get(asset, 0) + amount
        before = account
    for asset, total in sums.items():
        assert _ASSET.fullmatch(asset), "an asset has a code"
        assert total == 0, "postings sum to zero in each asset"


def remaining(original: Entry, reversals: Iterable[Entry]) -> tuple[Posting, ...]:
    """What of an entry its reversals have not taken back yet, in the order of its postings.

    ``reversals`` are all of this entry; another one's among them is a broken belief.
    """
    taken = [posting for reversal in reversals for posting in _of(original, reversal).postings]
    return combined([*original.postings, *taken])


def _of(original: Entry, reversal: Entry) -> Entry:
    assert reversal.reverses == original.entry_id, "a reversal belongs to the entry that it reverses"
    return reversal


def reversal(
    original: Entry,
    reversals: Iterable[Entry],
    parts: Iterable[Posting],
    *,
    entry_id: str,
    at: datetime,
    day: date,
    purpose: str,
) -> Entry:
    """The entry that takes ``parts`` of an earlier one back, in the same book.

    Args:
        original: What is taken back; no reversal itself.
        reversals: Its reversals so far, all of them. Whoever owns what was posted for (a redemption) reads them and
            makes "nobody has added one since" a condition of his write.
        parts: Stored parts of the original, with its signs, balanced. More than ``remaining`` is a broken belief: what
            is still there to be given back has been asked before.
        at, day: Now. A clock that is behind the original's is put forward to it: nothing is taken back before it was
            posted.
    """
    assert original.reverses is None, "a reversal is not reversed"
    left = {(posting.account, posting.asset): posting.amount for posting in remaining(original, reversals)}
    back = combined(parts)
    for part in back:
        most = left.get((part.account, part.asset), 0)
        assert 0 < part.amount <= most or most <= part.amount < 0, "no more is taken back than is left"
    at, day = max(at, original.at), max(day, original.day)
    return check_entry(Entry(entry_id, at, day, purpose, original.book, negated(back), original.entry_id))
