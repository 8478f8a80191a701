"""One row of a spreadsheet of drafts, cell by cell: what cannot be read is noted, and the reading goes on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from chalicelib.core.text import Text
from chalicelib.offers.rules.csv_columns import BY_NAME, IDS
from chalicelib.offers.rules.offer import FUNDERS, OfferTier, Share

_INTEGER = re.compile(r"-?[0-9]{1,15}")
_INSTANT = re.compile(r"[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9](?:[.][0-9]{1,6})?Z")
_TERMS = re.compile(r"(?:([0-9]{1,15})(bp|fen)|list)")
_ITEMS = re.compile(r"[;；]")
_YES = {"yes": True, "是": True, "no": False, "否": False, "": False}
_FAR = datetime.min.replace(tzinfo=UTC)
_UNREAD = Text("无法读取，应为：{zh}", "This cannot be read; it should be: {en}")
_CONTRADICTS = Text("与该优惠前面的行不一致", "This contradicts an earlier row of the same offer")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RowFault:
    """One cell that is wrong: its column and a sentence. What was in it is not repeated."""

    column: str
    said: Text


class Cells:
    """The cells of one row by column. Reads what it can; a cell that is wrong gives a stand-in and a fault."""

    def __init__(self, line: int, cells: Mapping[str, str]) -> None:
        self.line = line
        self.cells = cells
        self.faults: list[RowFault] = []
        self.broken = False

    def fault(self, column: str, said: Text) -> None:
        """Notes a fault; of a row that is broken no more is said."""
        if not self.broken:
            self.faults.append(RowFault(column, said))

    def break_off(self, said: Text) -> None:
        """Notes that the row as a whole cannot be told apart into cells."""
        self.fault(IDS[0], said)
        self.broken = True

    def unread(self, column: str) -> None:
        """Notes that the cell is not what its column takes."""
        said = BY_NAME[column].said
        self.fault(column, _UNREAD.format(zh=said.zh, en=said.en))

    def agree(self, first: Cells, level: str) -> None:
        """Notes what this row says otherwise than the first row of the same offer or product; it may say nothing."""
        for name, column in BY_NAME.items():
            if column.level == level and name not in IDS and self.get(name) not in {"", first.get(name)}:
                self.fault(name, _CONTRADICTS)

    def require(self, columns: Iterator[str] | Sequence[str]) -> None:
        """Notes every one of these cells that is blank."""
        for column in columns:
            if not self.get(column):
                self.fault(column, Text("缺少内容", "This is missing"))

    def get(self, column: str) -> str:
        """The cell's text; empty if the column is not there."""
        return self.cells.get(column, "")

    def text(self, prefix: str) -> Text:
        """The two cells of a text."""
        return Text(self.get(f"{prefix}_zh"), self.get(f"{prefix}_en"))

    def whole(self, column: str) -> int | None:
        """A whole number; None if blank."""
        cell = self.get(column)
        if cell and not _INTEGER.fullmatch(cell):
            self.unread(column)
            return None
        return int(cell) if cell else None

    def among(self, column: str, choices: Mapping[str, T], blank: T) -> T:
        """What one of these words stands for."""
        cell = self.get(column).lower()
        if cell and cell not in choices:
            self.unread(column)
        return choices.get(cell, blank)

    def yes(self, column: str) -> bool:
        """Yes or no."""
        return self.among(column, _YES, False)

    def instant(self, column: str) -> datetime:
        """An instant in UTC."""
        cell = self.get(column)
        if _INSTANT.fullmatch(cell):
            try:
                return datetime.fromisoformat(cell)
            except ValueError:
                pass
        if cell:
            self.unread(column)
        return _FAR

    def items(self, column: str) -> tuple[str, ...]:
        """The parts between semicolons."""
        return tuple(part.strip() for part in _ITEMS.split(self.get(column)) if part.strip())

    def funding(self) -> tuple[Share, ...]:
        """The shares of those who bear the discount."""
        known = {kind: kind for kind in FUNDERS}
        shares = []
        for item in self.items("funding"):
            who, _, share = item.partition("=")
            kind, _, partner_id = (part.strip() for part in who.partition("/"))
            funder = known.get(kind)  # type: ignore[call-overload]
            if funder is None or not _INTEGER.fullmatch(share.strip()):
                self.unread("funding")
                return ()
            shares.append(Share(funder, int(share), partner_id or None))
        return tuple(shares)

    def tiers(self) -> Iterator[tuple[str, str, int | None]]:
        """Each tier of this row, with ``bp``, ``fen`` or ``list`` and the figure."""
        for item in self.items("tiers"):
            tier, equals, said = (part.strip() for part in item.rpartition("="))
            terms = _TERMS.fullmatch(said)
            if not tier or not equals or terms is None:
                self.unread("tiers")
                return
            yield tier, terms[2] or "list", None if terms[1] is None else int(terms[1])


def tiers_of(rows: Sequence[Cells]) -> tuple[OfferTier, ...]:
    """The tiers that the rows of one offer name, in the order in which they are first named."""
    found: dict[str, OfferTier] = {}
    for row in rows:
        for tier, unit, figure in row.tiers():
            known = found.get(tier, OfferTier(tier, figure if unit == "bp" else None))
            if unit == "fen" and figure is not None and known.discount_bp is None:
                known = OfferTier(tier, None, {**known.prices_fen, row.get("variant_id"): figure})
            elif unit == "fen" or (unit == "bp" and (known.discount_bp != figure or known.prices_fen)):
                row.fault("tiers", _CONTRADICTS)
            found[tier] = known
    return tuple(found.values())
