"""``egret export-ledger --city CITY``: a city's books as CSV, as a beancount journal, or summed up as a trial balance.

Reads the table itself, with the rights of whoever runs it, so that an auditor depends on nobody's word: the
environment names the table and the account (``EGRET_TABLE``, AWS's own variables), ``--endpoint`` a database on this
computer. One page is in memory at a time, however long the books are.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO, Any

from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from chalicelib.core.errors import NotFound
from chalicelib.core.text import Text
from chalicelib.ledger.rules import (
    Entry,
    TrialBalance,
    amount_text,
    beancount_lines,
    csv_lines,
    is_party,
    trial_balance,
)
from infra.cli.counting import EVERY, counting

GOOD, FOUND, USAGE, FAILED = 0, 1, 2, 3
EVER = (date(1970, 1, 1), date(9999, 12, 31))
FORMATS = {"csv": csv_lines, "beancount": beancount_lines}
NOT_A_TERMINAL_WIDTH = 160


def add_to(commands: Any) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "export-ledger",
        help="导出账簿 / export the ledger",
        description="导出一个城市的账簿：CSV、beancount 或试算平衡表。 Exports a city's books; check a beancount "
        "file with bean-check.",
    )
    parser.add_argument("--city", required=True, help="城市 id / the city's id")
    parser.add_argument("--book", action="append", metavar="BOOK", help="e.g. merchant/qingliu-farm; default: all")
    parser.add_argument("--from", dest="first", type=date.fromisoformat, default=EVER[0], metavar="DAY")
    parser.add_argument("--until", type=date.fromisoformat, default=EVER[1], metavar="DAY", help="不含 / exclusive")
    parser.add_argument("--format", choices=[*FORMATS, "trial-balance"], default="beancount")
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: standard output")
    parser.add_argument(
        "--confirm", action="store_true", help="逐笔与原始记录核对 / compare each entry with its effect"
    )
    parser.add_argument("--endpoint", metavar="URL", help="本机数据库 / a database on this computer")
    parser.set_defaults(run=run)


@dataclass(slots=True)
class _Counted:
    """How much has gone out, and which entry was the last."""

    entries: int = 0
    postings: int = 0
    last: str = "-"

    def through(self, entries: Iterable[Entry], shown: Progress) -> Iterator[Entry]:
        """The same entries, counted, and shown as they go by."""
        task = shown.add_task("导出分录 entries exported", total=None)
        for entry in entries:
            self.entries += 1
            self.postings += len(entry.postings)
            self.last = entry.entry_id
            if self.entries % EVERY == 0:
                shown.update(task, completed=self.entries)
            yield entry


def run(options: argparse.Namespace) -> int:
    """Writes the export, and to standard error what it was. Returns the exit code."""
    books = [f"{options.city}/{book}" for book in options.book or ()]
    if not all(map(is_party, books)):
        return _sorry(USAGE, Text("账簿名称形如 merchant/qingliu-farm", "A book is named like merchant/qingliu-farm"))
    if options.first >= options.until:
        return _sorry(USAGE, Text("--from 须早于 --until", "--from must be before --until"))
    if options.endpoint:
        stay_here(options.endpoint)
    counted = _Counted()
    try:
        with counting(Console(stderr=True), alone=bool(options.out) or not sys.stdout.isatty()) as shown:
            _write(options, counted.through(_entries(options, books), shown))
    except (AssertionError, ValueError) as broken:
        said = Text("分录 {last} 之后的账目不可信：{why}", "The books cannot be trusted after entry {last}: {why}")
        return _sorry(FOUND, said.format(last=counted.last, why=broken))
    except NotFound:
        return _sorry(FAILED, Text("没有此城市", "There is no such city"))
    except (PynamoDBException, BotoCoreError) as error:
        why = type(error).__name__
        return _sorry(FAILED, Text(f"无法读取数据表（{why}）", f"The table cannot be read ({why})"))
    except OSError as error:
        return _sorry(USAGE, Text(f"无法写入文件：{error.strerror}", f"The file cannot be written: {error.strerror}"))
    said = Text("{entries} 笔分录，{postings} 条记账", "{entries} entries, {postings} postings")
    _tell(said.format(entries=counted.entries, postings=counted.postings))
    return GOOD


def stay_here(endpoint: str) -> None:
    """Makes this process speak to a database on this computer, as nobody in particular."""
    from infra.local.database import NOBODY, REGION

    os.environ.update({name.upper(): value for name, value in NOBODY.items()})
    os.environ.update({"AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL_DYNAMODB": endpoint})


def _entries(options: argparse.Namespace, books: list[str]) -> Iterator[Entry]:
    """The entries of these books (of all, if none is named), book by book. Raises: NotFound: no such city."""
    # Only now: the store reads its environment as it is imported.
    from chalicelib.cities.store import load_city
    from chalicelib.ledger import store

    load_city(options.city)
    for book in books or store.books_of(options.city):
        found = store.entries_of(book, options.first, options.until)
        yield from store.confirmed(found) if options.confirm else found


def _write(options: argparse.Namespace, entries: Iterator[Entry]) -> None:
    with _sink(options.out) as out:
        if options.format == "trial-balance":
            _show(trial_balance(entries), out)
        else:
            out.writelines(FORMATS[options.format](entries))


@contextmanager
def _sink(path: Path | None) -> Iterator[IO[str]]:
    """Where the export goes; a file gets its name only once it is complete."""
    if path is None:
        yield sys.stdout
        return
    part = path.with_name(path.name + ".part")
    try:
        with part.open("w", encoding="utf-8", newline="") as out:
            yield out
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _show(found: TrialBalance, out: IO[str]) -> None:
    console = Console(file=out, highlight=False, width=None if out.isatty() else NOT_A_TERMINAL_WIDTH)
    table = Table("账户 account", "币种 asset", "借方 debit", "贷方 credit", "余额 balance")
    for column in table.columns[2:]:
        column.justify = "right"
    for line in found.lines:
        amounts = (line.debit, line.credit, line.balance)
        table.add_row(line.account, line.asset, *(amount_text(amount, line.asset) for amount in amounts))
    for asset in found.assets:
        debit, credit = found.totals(asset)
        amounts = (debit, credit, debit - credit)
        table.add_row("合计 total", asset, *(amount_text(amount, asset) for amount in amounts))
    console.print(table)


def _sorry(code: int, said: Text) -> int:
    _tell(said)
    return code


def _tell(said: Text) -> None:
    print(said.zh, said.en, sep="\n", file=sys.stderr)
