"""The ledger as text for others: CSV, and the language of beancount.

Both are made line by line from entries as they come; memory grows with the accounts, not with the entries. Ids, names
and purposes are of a grammar without commas, quotes, line breaks or a leading ``= + - @``, so no cell needs quoting and
none is a formula.

Source: RFC 4180 (CSV); the beancount language, https://beancount.github.io/docs/beancount_language_syntax.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from functools import lru_cache
from operator import itemgetter

from chalicelib.core.money import decimal
from chalicelib.ledger.rules.accounts import parse_account
from chalicelib.ledger.rules.balances import Holding
from chalicelib.ledger.rules.entries import Entry

CSV_COLUMNS = ("book", "day", "at", "entry_id", "reverses", "purpose", "account", "asset", "amount")
OPENED = date(1970, 1, 1)
"""On this day every account is opened: beancount wants it before the first posting, whichever comes first."""

_DIGITS = {"CNY": 2}
_HEAD = (
    'option "title" "Egret"\n',
    'option "operating_currency" "CNY"\n',
    f'{OPENED} commodity CNY\n  name: "人民币 Renminbi"\n',
)


@lru_cache(maxsize=4_096)
def amount_text(amount: int, asset: str) -> str:
    """An amount in whole units of its asset: fen become yuan; an asset without smaller units stays as it is."""
    return decimal(amount, _DIGITS.get(asset, 0))


def csv_lines(entries: Iterable[Entry]) -> Iterator[str]:
    """A header and one line per posting. Amounts are in yuan, debits > 0."""
    yield ",".join(CSV_COLUMNS) + "\r\n"
    for entry in entries:
        reverses = entry.reverses or ""
        head = f"{entry.book},{entry.day},{_instant(entry)},{entry.entry_id},{reverses},{entry.purpose}"
        for account, asset, amount in entry.postings:
            yield f"{head},{account},{asset},{amount_text(amount, asset)}\r\n"


def beancount_lines(entries: Iterable[Entry]) -> Iterator[str]:
    """A journal that ``bean-check`` accepts if, and only if, it adds up.

    Each account is opened for one asset where it is first seen. The end asserts the balance of every account as Egret
    sums it, so that beancount's own sums are compared with ours, to the last fen.
    """
    yield from _HEAD
    held: dict[Holding, _Held] = {}
    last = OPENED
    for entry in entries:
        lines = [_title(entry)]
        for account, asset, amount in entry.postings:
            known = held.get((account, asset))
            if known is None:
                known = held[account, asset] = _Held(beancount_account(account))
                yield f"{OPENED} open {known.name} {asset}\n"
            known.total += amount
            lines.append(f"  {known.name}  {amount_text(amount, asset)} {asset}\n")
        last = max(last, entry.day)
        yield from lines
    for (_, asset), known in sorted(held.items(), key=itemgetter(0)):
        exact = f"{amount_text(known.total, asset)} ~ {amount_text(0, asset)}"
        yield f"{last + timedelta(days=1)} balance {known.name} {exact} {asset}\n"


@dataclass(slots=True)
class _Held:
    """What an account is called in the journal, and what it has come to so far."""

    name: str
    total: int = 0


def _title(entry: Entry) -> str:
    links = f"^{entry.entry_id}" + (f" ^{entry.reverses}" if entry.reverses else "")
    return f'{entry.day} * "{entry.purpose}" {links}\n  at: "{_instant(entry)}"\n  book: "{entry.book}"\n'


def beancount_account(name: str) -> str:
    """The account's name in beancount's grammar, other for every account.

    The chart's nature comes first, then the parts of the name, each with a capital; an underscore, which beancount
    does not know, becomes U (ids have no capitals, so no two names meet).

    >>> beancount_account("xiamen/parking_operator/i-chewei/receivable")
    'Assets:Xiamen:ParkingUoperator:I-chewei:Receivable'
    """
    parts = (part[0].upper() + part[1:].replace("_", "U") for part in name.split("/"))
    return ":".join((parse_account(name).nature, *parts))


def _instant(entry: Entry) -> str:
    return entry.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
