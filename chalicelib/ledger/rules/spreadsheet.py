"""A statement as a table that Excel opens: headings in Chinese and English, amounts in yuan, the city's local time.

Long statements come in parts: each has the headings, the first one the opening balance, the last one the sums and the
closing balance. Words, ids and names are of a grammar without commas, quotes, line breaks or a leading ``= + - @``, so
no cell needs quoting and none is a formula; an amount below zero is a number.

Source: RFC 4180 (CSV). The byte order mark tells Excel that the text is UTF-8.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from zoneinfo import ZoneInfo

from chalicelib.core.errors import Problem
from chalicelib.core.text import Text
from chalicelib.ledger.rules.accounts import CHART
from chalicelib.ledger.rules.export import amount_text
from chalicelib.ledger.rules.statements import ASSET, Share, Statement, StatementLine, Sums

BYTE_ORDER_MARK = "\ufeff"
PAGES_A_PART = 50

_KINDS = {"sale": "销售 sale", "refund": "退款 refund", "other": "其他 other"}
_WORDS = (
    Text("行别", "row"),
    Text("记账日", "day"),
    Text("当地时间", "local time"),
    Text("补记", "late"),
    Text("用途", "purpose"),
    Text("分录", "entry"),
    Text("冲销分录", "reverses"),
    Text("原销售日", "sold on"),
)
_AMOUNTS = (CHART["sales"].title, CHART["takings"].title, CHART["discount"].title, CHART["receivable"].title)
_OTHER = Text("其他账户", "to other accounts")
_BALANCE = Text("应收余额", "balance owed")


class StatementInParts(Problem):
    code = "statement-in-parts"
    status = 409
    title = Text("对账单过长，请分部分下载", "This statement is too long for one file; ask for its parts")


def parts_of(statement: Statement) -> int:
    """How many files the statement takes, at least 1."""
    return max(1, -(-statement.pages // PAGES_A_PART))


def pages_of_part(statement: Statement, part: int | None) -> tuple[int, int]:
    """The numbers of the first page and of the last of a part; without a part, of the whole.

    Raises: StatementInParts: the whole takes more than one file.
    """
    parts = parts_of(statement)
    if part is None and parts > 1:
        said = Text("对账单过长，请以 ?part=1 至 ?part={n} 分部分下载", "Ask for the parts ?part=1 to ?part={n}")
        raise StatementInParts(said.format(n=parts))
    part = part or 1
    assert 1 <= part <= parts, "a part is one of the statement's"
    return (part - 1) * PAGES_A_PART + 1, min(part * PAGES_A_PART, statement.pages)


def statement_csv(statement: Statement, lines: Iterable[StatementLine], part: int | None = None) -> Iterator[str]:
    """The statement, or a part of it, line by line; ``lines`` are those of that part."""
    funders = [share.party for share in statement.totals.total.by_funder]
    yield BYTE_ORDER_MARK + _row(_headings(funders))
    if part in {None, 1}:
        yield _row(_balance("期初 opening", statement, statement.opening_fen, funders))
    zone = ZoneInfo(statement.time_zone)
    for line in lines:
        yield _row([*_said(line, zone), *_amounts(line, funders), ""])
    if part in {None, parts_of(statement)}:
        total = statement.totals.total
        yield _row(["合计 total", f"{statement.day}", *[""] * (len(_WORDS) - 2), *_amounts(total, funders), ""])
        yield _row(_balance("期末 closing", statement, statement.closing_fen, funders))


def _headings(funders: Sequence[str]) -> list[str]:
    named = [f"{title.zh} {title.en}" for title in _WORDS]
    named += [f"{title.zh} {title.en} ({ASSET})" for title in (*_AMOUNTS, _OTHER)]
    return [
        *named,
        *(f"应收自 owed by {party} ({ASSET})" for party in funders),
        f"{_BALANCE.zh} {_BALANCE.en} ({ASSET})",
    ]


def _said(line: StatementLine, zone: ZoneInfo) -> list[str]:
    return [
        _KINDS[line.kind],
        f"{line.day}",
        line.at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S"),
        "是 yes" if line.late else "",
        line.purpose,
        line.entry_id,
        line.reverses or "",
        f"{line.sold_on or ''}",
    ]


def _amounts(found: StatementLine | Sums, funders: Sequence[str]) -> list[str]:
    shares = {share.party: share for share in found.by_funder}
    nothing = Share("", 0)
    fen = [found.sales_fen, found.takings_fen, found.own_discount_fen, found.receivable_fen, found.other_fen]
    return [amount_text(each, ASSET) for each in (*fen, *(shares.get(party, nothing).fen for party in funders))]


def _balance(name: str, statement: Statement, fen: int, funders: Sequence[str]) -> list[str]:
    empty = [""] * (len(_WORDS) - 2 + len(_AMOUNTS) + 1 + len(funders))
    return [name, f"{statement.day}", *empty, amount_text(fen, ASSET)]


def _row(cells: Iterable[str]) -> str:
    return ",".join(cells) + "\r\n"
