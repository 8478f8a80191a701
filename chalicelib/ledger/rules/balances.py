"""Balances: sums of postings, at any instant, of any selection of entries. Nothing is kept between two questions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from chalicelib.ledger.rules.entries import Entry

Holding = tuple[str, str]
"""An account and an asset."""


@dataclass(frozen=True, slots=True)
class TrialLine:
    """One account in one asset: the sum of its debits, and of its credits, both ≥ 0."""

    account: str
    asset: str
    debit: int
    credit: int

    @property
    def balance(self) -> int:
        """Debits less credits."""
        return self.debit - self.credit


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """Every account that was posted to, in the order of names, and how many entries that was."""

    lines: tuple[TrialLine, ...]
    entries: int

    def totals(self, asset: str) -> tuple[int, int]:
        """All debits and all credits of an asset; the ledger is right if they are equal."""
        lines = [line for line in self.lines if line.asset == asset]
        return sum(line.debit for line in lines), sum(line.credit for line in lines)

    @property
    def assets(self) -> tuple[str, ...]:
        """The assets that were posted, in the order of their codes."""
        return tuple(sorted({line.asset for line in self.lines}))

    @property
    def balanced(self) -> bool:
        """Whether debits equal credits in every asset."""
        return all(debit == credit for debit, credit in map(self.totals, self.assets))


def trial_balance(entries: Iterable[Entry], before: datetime | None = None) -> TrialBalance:
    """What every account comes to by the entries before an instant (without one: by all of them), in any order.

    Memory grows with the accounts, not with the entries.
    """
    debits: dict[Holding, int] = {}
    credits_: dict[Holding, int] = {}
    counted = 0
    for entry in entries:
        if before is not None and entry.at >= before:
            continue
        counted += 1
        for account, asset, amount in entry.postings:
            side, holding = debits if amount > 0 else credits_, (account, asset)
            side[holding] = side.get(holding, 0) + abs(amount)
    held = sorted({*debits, *credits_})
    return TrialBalance(tuple(TrialLine(*key, debits.get(key, 0), credits_.get(key, 0)) for key in held), counted)


def balances(entries: Iterable[Entry], before: datetime | None = None) -> Mapping[Holding, int]:
    """Debits less credits of every account that was posted to before an instant, those that come to zero included.

    Half-open: an entry of that very instant does not count yet. The balance at the end of a day is the balance at the
    beginning of the next.
    """
    return {(line.account, line.asset): line.balance for line in trial_balance(entries, before).lines}
