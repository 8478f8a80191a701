"""``egret settle CITY PARTNER DAY``: closes a partner's days up to this one, and shows the day's statement.

With ``--check`` nothing is closed and nobody is asked: the statement is read from the table itself, made anew from the
effects it names, and compared byte for byte with what was signed.
"""

from __future__ import annotations

import argparse
import os
import secrets
from datetime import date
from typing import Any

from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException
from rich.console import Console
from rich.table import Table

from chalicelib.core import codec
from chalicelib.core.errors import NotFound
from chalicelib.core.text import Text
from chalicelib.ledger.rules import CHART, SignedStatement, Statement, Sums, amount_text
from infra.cli.client import Client, Failed
from infra.cli.export_ledger import stay_here
from infra.cli.import_report import tell
from infra.cli.import_scores import URL

GOOD, FOUND, USAGE, FAILED = 0, 1, 2, 3
NOT_A_TERMINAL_WIDTH = 120
_ROWS = {
    "sales": "销售 sales",
    "refunds": "退款 refunds",
    "refunds_of_earlier_days": "其中原售于较早日期 of earlier days",
    "late": "补记 late",
    "total": "合计 total",
}


def add_to(commands: Any) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "settle",
        help="结账并显示对账单 / close days and show a statement",
        description="结账至某日并显示当日对账单；--check 则直接从数据表核对。 "
        "Closes days and shows the statement; --check compares it with the table itself.",
    )
    parser.add_argument("city", metavar="CITY", help="城市 id / the city's id")
    parser.add_argument("partner", metavar="PARTNER", help="合作方 id / the partner's id, e.g. qingliu-farm")
    parser.add_argument("day", metavar="DAY", type=date.fromisoformat, help="YYYY-MM-DD")
    parser.add_argument("--url", default=os.environ.get("EGRET_URL", URL), help="default: EGRET_URL or %(default)s")
    parser.add_argument("--token", default=os.environ.get("EGRET_TOKEN", ""), help="default: EGRET_TOKEN")
    parser.add_argument("--check", action="store_true", help="只与账簿核对 / compare it, close nothing")
    parser.add_argument("--endpoint", metavar="URL", help="本机数据库（与 --check 合用）/ a database on this computer")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Shows the statement. Returns the exit code."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = NOT_A_TERMINAL_WIDTH
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    if options.check:
        return _check(console, errors, options)
    if not options.token:
        tell(errors, Text("缺少令牌：用 --token 或 EGRET_TOKEN", "A token is needed: --token or EGRET_TOKEN"))
        return USAGE
    try:
        _show(console, _closed(errors, options).statement)
    except Failed as failed:
        tell(errors, failed.said)
        return FAILED
    return GOOD


def _closed(errors: Console, options: argparse.Namespace) -> SignedStatement:
    """The statement; asked for again as long as there are earlier days to be closed. Raises: Failed."""
    client = Client(options.url, options.token)
    path = f"/v1/cities/{options.city}/partners/{options.partner}/statements/{options.day}"
    key = "settle-" + secrets.token_hex(16)
    while True:
        try:
            return codec.build(SignedStatement, client.post(path, None, key=key))
        except Failed as failed:
            if failed.code != "days-outstanding":
                raise
            tell(errors, failed.said)


def _check(console: Console, errors: Console, options: argparse.Namespace) -> int:
    if options.endpoint:
        stay_here(options.endpoint)
    # Only now: the stores read their environment as they are imported.
    from chalicelib.ledger import service
    from chalicelib.ledger.rules import Party
    from chalicelib.partners.store import load_partner

    try:
        partner = load_partner(options.city, options.partner)
        made = service.reproduce(Party(partner.city_id, partner.kind, partner.partner_id), options.day)
    except NotFound:
        tell(errors, Text("没有此合作方，或该日尚未结账", "There is no such partner, or the day has not been closed"))
        return FAILED
    except (AssertionError, ValueError) as broken:
        tell(errors, Text(f"账目不可信：{broken}", f"The books cannot be trusted: {broken}"))
        return FOUND
    except (PynamoDBException, BotoCoreError) as error:
        why = type(error).__name__
        tell(errors, Text(f"无法读取数据表（{why}）", f"The table cannot be read ({why})"))
        return FAILED
    _show(console, made.found.statement)
    if made.unstated:
        said = Text(
            "该日另有 {n} 笔待列入下一张对账单", "Entries of that day that the next statement will take up: {n}"
        )
        tell(console, said.format(n=made.unstated))
    if not made.same:
        tell(errors, Text("✗ 与账簿不一致", "✗ It is not what the ledger says"))
        return FOUND
    tell(console, Text("✓ 与账簿逐字节一致", "✓ The ledger gives every byte of it again"))
    return GOOD


def _show(console: Console, statement: Statement) -> None:
    title = f"{statement.party} · {statement.day} ({statement.time_zone}) · No. {statement.number}"
    roles = ("sales", "takings", "discount", "receivable")
    named = [f"{CHART[role].title.zh}\n{role}" for role in roles]
    table = Table("", "笔数\nentries", *named, "其他账户\nother", title=title, caption="元 CNY")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, words in _ROWS.items():
        table.add_row(words, *_amounts(getattr(statement.totals, name)), end_section=name == "late")
    console.print(table)
    owed = Table("应收余额 balance owed", "元 CNY")
    owed.columns[1].justify = "right"
    owed.add_row("期初 opening", _yuan(statement.opening_fen))
    for share in statement.totals.total.by_funder:
        owed.add_row(f"  {share.party}", _yuan(share.fen))
    owed.add_row("期末 closing", _yuan(statement.closing_fen), end_section=True)
    console.print(owed)
    console.print(f"明细 lines: {statement.lines}   sha256 {statement.lines_sha256}")


def _amounts(sums: Sums) -> list[str]:
    fen = (sums.sales_fen, sums.takings_fen, sums.own_discount_fen, sums.receivable_fen, sums.other_fen)
    return [f"{sums.entries}", *map(_yuan, fen)]


def _yuan(fen: int) -> str:
    return amount_text(fen, "CNY")
