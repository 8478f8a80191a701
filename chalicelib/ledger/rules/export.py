"""The ledger as text for others: CSV, and the language of beancount.

Both are made line by line from entries as they come; memory grows with the accounts, not with the entries. Ids, names
and purposes are of a grammar without commas, quotes, line breaks or a leading ``= + - @``, so no cell needs quoting and
none is a formula.

Source: RFC 4180 (CSV); the beancount language, https://beancount.github.io/docs/beancount_language_syntax.html.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from operator import itemgetter

from chalicelib.core.money import yuan
from chalicelib.ledger.rules.accounts import nature_of
from chalicelib.ledger.rules.balances import Holding
from chalicelib.ledger.rules.entries import Entry

CSV_COLUMNS = ("book", "day", "at", "entry_id", "reverses", "purpose", "account", "asset", "amount")
OPENED = date(1970, 1, 1)
"""On this day every account is opened: beancount wants it before the first posting, whichever comes first."""

_WRITERS: Mapping[str, Callable[[int], str]] = {"CNY": yuan}
_TO_THE_MILLISECOND = len("2026-05-01T04:00:00.000")
_HEAD = (
    'option "title" "Egret"\n',
    'option "operating_currency" "CNY"\n',
    f'{OPENED} commodity CNY\n  name: "人民币 Renminbi"\n',
)


def amount_text(amount: int, asset: str) -> str:
    """An amount in whole units of its asset: fen become yuan; an asset without smaller units stays as it is."""
    return _WRITERS.get(asset, str)(amount)


def csv_lines(entries: Iterable[Entry]) -> Iterator[str]:
    """A header and one line per posting. Amounts are in yuan, debits > 0."""
    yield ",".join(CSV_COLUMNS) + "\r\n"
    for entry in entries:
        day, at, reverses = entry.day.isoformat(), _instant(entry), entry.reverses or ""
        head = f"{entry.book},{day},{at},{entry.entry_id},{reverses},{entry.purpose}"
        yield from [
            f"{head},{account},{asset},{_WRITERS.get(asset, str)(amount)}\r\n"
            for account, asset, amount in entry.postings
        ]


def beancount_lines(entries: Iterable[Entry]) -> Iterator[str]:
    """A journal that ``bean-check`` accepts if, and only if, it adds up; each entry is one text of several lines.

    Each account is opened for one asset where it is first seen. The end asserts the balance of every account as Egret
    sums it, so that beancount's own sums are compared with ours, to the last fen.
    """
    yield from _HEAD
    opened = f"{OPENED} open"
    held: dict[Holding, _Held] = {}
    last = OPENED
    for entry in entries:
        lines = [_title(entry)]
        for account, asset, amount in entry.postings:
            known = held.get((account, asset))
            if known is None:
                known = held[account, asset] = _Held(beancount_account(account))
                yield f"{opened} {known.name} {asset}\n"
            known.total += amount
            lines.append(f"  {known.name}  {_WRITERS.get(asset, str)(amount)} {asset}\n")
        last = max(last, entry.day)
        yield "".join(lines)
    end = f"{last + timedelta(days=1)} balance"
    for (_, asset), known in sorted(held.items(), key=itemgetter(0)):
        exact = f"{amount_text(known.total, asset)} ~ {amount_text(0, asset)}"
        yield f"{end} {known.name} {exact} {asset}\n"


@dataclass(slots=True)
class _Held:
    """What an account is called in the journal, and what it has come to so far."""

    name: str
    total: int = 0


def _title(entry: Entry) -> str:
    links = f"^{entry.entry_id} ^{entry.reverses}" if entry.reverses else f"^{entry.entry_id}"
    day, at = entry.day.isoformat(), _instant(entry)
    return f'{day} * "{entry.purpose}" {links}\n  at: "{at}"\n  book: "{entry.book}"\n'


def beancount_account(name: str) -> str:
    """The account's name in beancount's grammar, other for every account.

    The chart's nature comes first, then the parts of the name, each with a capital; an underscore, which beancount
    does not know, becomes U (ids have no capitals, so no two names meet).

    >>> beancount_account("xiamen/parking_operator/i-chewei/receivable")
    'Assets:Xiamen:ParkingUoperator:I-chewei:Receivable'
    """
    parts = [part[0].upper() + part[1:] for part in name.replace("_", "U").split("/")]
    return ":".join([nature_of(name), *parts])


def _instant(entry: Entry) -> str:
    return entry.at.astimezone(UTC).isoformat("T", "milliseconds")[:_TO_THE_MILLISECOND] + "Z"
