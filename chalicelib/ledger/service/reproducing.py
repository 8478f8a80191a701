"""A statement is made anew from the effects themselves, to be compared with what was signed."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from itertools import tee

from chalicelib.core import codec
from chalicelib.ledger import store
from chalicelib.ledger.rules import (
    LOOK_BACK_DAYS,
    Party,
    SignedStatement,
    Statement,
    Tally,
    parse_party,
    stated_of,
    statement_of,
    with_page,
)
from chalicelib.ledger.service.lines import traced


@dataclass(frozen=True, slots=True)
class Reproduction:
    """A statement, whether the effects give every byte of it again, and how many of its day's entries none has yet."""

    found: SignedStatement
    same: bool
    unstated: int


def reproduce(party: Party, day: date) -> Reproduction:
    """A day's statement, compared with the effects it names: lines, sums, balances, chain and what was signed.

    An effect that was changed or is gone is a broken belief.

    Raises: NotFound: the day has not been closed.
    """
    found = store.load_statement(party, day)
    same = _lines_are_as_posted(found.statement) and _again(found.statement) == found.statement and _is_signed(found)
    return Reproduction(found, same, _unstated(party, day))


def _lines_are_as_posted(statement: Statement) -> bool:
    lines, named = tee(store.lines_of(statement))
    made = traced(store.load_entries(line.entry_id for line in named), statement.day)
    return all(line == other for line, other in zip(lines, made, strict=True))


def _again(statement: Statement) -> Statement:
    """The head that its lines and the statement before give."""
    party = parse_party(statement.party)
    pages = (page.lines for page in store.paged(store.lines_of(statement)))
    tally = reduce(with_page, pages, Tally())
    before = store.find_statement(party, statement.day - timedelta(days=1)) if statement.number > 1 else None
    first = before.statement if before is not None else None
    return statement_of(party, statement.day, statement.time_zone, tally, first, statement.closed_at)


def _is_signed(found: SignedStatement) -> bool:
    """Whether the signature is over these very bytes. Source: RFC 7515 § 3.1."""
    payload = found.signature.split(".")[1]
    signed = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    return signed == codec.canonical(found.statement).encode()


def _unstated(party: Party, day: date) -> int:
    statements = store.statements_between(party, day, day + timedelta(days=LOOK_BACK_DAYS))
    return store.count_entries(party.name, day, day + timedelta(days=1)) - stated_of([day], statements)
