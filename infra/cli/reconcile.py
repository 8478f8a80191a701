"""``egret reconcile FILE.csv --city CITY --bank BANK``: a bank's file beside the outbox and the ledger.

Every difference is named. With ``--settle`` a row of the file is taken for the bank's answer where Egret has none yet,
an instruction that was lost is made from the ledger, and one that was given up and is not in the file is asked anew;
what the two say differently is for people. What they have closed (``POST /v1/credit-differences``) is shown with who
did it, and is no difference any more. Reads and writes the table itself, with the rights of whoever runs it: the
environment names table, account and keys, ``--endpoint`` a database on this computer and ``--folder`` its keys.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from botocore.exceptions import BotoCoreError
from msgspec import MsgspecError
from pynamodb.exceptions import PynamoDBException
from rich.console import Console

from chalicelib.core.errors import NotFound, Problem
from chalicelib.core.text import Text
from infra.cli.export_ledger import EVER, stay_here
from infra.cli.import_report import tell
from infra.cli.reconcile_report import Meter, Report, plain, show
from infra.cli.score_files import FileUnreadable

if TYPE_CHECKING:
    from chalicelib.medical.rules.reconciling import BankRow, Difference

GOOD, FOUND, USAGE, FAILED = 0, 1, 2, 3
NOT_A_TERMINAL_WIDTH = 140
AT_ONCE = 100
_FAILURES = (Problem, PynamoDBException, BotoCoreError, sqlite3.Error, AssertionError, MsgspecError)


def add_to(commands: Any) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "reconcile",
        help="与银行文件对账 / compare a bank's file with the outbox and the ledger",
        description="逐笔核对银行文件、指令和账簿，列出所有差异；--settle 以文件为准结清尚无结果的指令。 "
        "Names every difference between a bank's file, its instructions and the ledger; --settle takes the file's word "
        "for instructions that have no answer yet, makes those that were lost, and asks anew for those that were given "
        "up and are not in it. Exit code 1: differences are left.",
    )
    parser.add_argument("file", type=Path, metavar="FILE.csv", help="UTF-8 或 GBK / UTF-8 or GBK")
    parser.add_argument("--city", required=True, help="城市 id / the city's id")
    parser.add_argument("--bank", required=True, help="银行 id / the bank's id")
    parser.add_argument("--from", dest="first", type=date.fromisoformat, default=EVER[0], metavar="DAY")
    parser.add_argument("--until", type=date.fromisoformat, default=EVER[1], metavar="DAY", help="不含 / exclusive")
    parser.add_argument("--settle", action="store_true", help="结清能结清的 / settle what can be")
    parser.add_argument("--json", action="store_true", help="一行 JSON / one line of JSON")
    parser.add_argument("--endpoint", metavar="URL", help="本机数据库 / a database on this computer")
    parser.add_argument(
        "--folder", type=Path, default=Path(".egret"), help="make run 的目录 / where make run keeps keys"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Shows what differs. Returns the exit code."""
    console, errors = Console(highlight=False), Console(stderr=True, highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = NOT_A_TERMINAL_WIDTH
    if options.first >= options.until:
        tell(errors, Text("--from 须早于 --until", "--from must be before --until"))
        return USAGE
    if options.endpoint:
        stay_here(options.endpoint)
        _take_local_keys(options.folder)
    try:
        with _log_on(sys.stderr), Meter(errors) as meter:
            report = _reconciled(options, meter)
    except FileUnreadable as unreadable:
        tell(errors, unreadable.said)
        return USAGE
    except _FAILURES as failure:
        tell(errors, _why(failure))
        return FAILED
    if options.json:
        print(json.dumps(plain(report), ensure_ascii=False))
    else:
        show(console, report, settle=options.settle)
    return FOUND if report.left else GOOD


def _why(failure: Exception) -> Text:
    """Why the file could not be compared."""
    why = type(failure).__name__
    if isinstance(failure, NotFound):
        return Text("没有此城市或此银行", "There is no such city or bank")
    if isinstance(failure, Problem):
        return failure.detail
    if isinstance(failure, sqlite3.Error):
        said = "The rows cannot be sorted on disk; the folder for temporary files may be full"
        return Text("无法在磁盘上为各行排序；临时目录可能已满", said)
    if isinstance(failure, PynamoDBException | BotoCoreError):
        return Text(f"无法读写数据表（{why}）", f"The table cannot be read or written ({why})")
    return Text(f"数据表中的记录不可信（{why}）", f"What the table holds cannot be trusted ({why})")


def _take_local_keys(folder: Path) -> None:
    """The keys that the local server keeps, where the environment names none."""
    kept = {"EGRET_SEAL_KEY": folder / "keys" / "seal.key"}
    os.environ.setdefault("EGRET_STAGE", "local")
    for name, path in kept.items():
        if name not in os.environ and path.exists():
            os.environ[name] = "plain:" + path.read_text("utf-8").strip()


@contextmanager
def _log_on(stream: TextIO) -> Iterator[None]:
    """What is logged goes there inside the block, unless it goes somewhere already: standard output is the report's."""
    from chalicelib.core import log

    before = log.sink
    log.sink = before or stream
    try:
        yield
    finally:
        log.sink = before


def _reconciled(options: argparse.Namespace, meter: Meter) -> Report:
    """Raises: FileUnreadable; NotFound; Problem; in this order."""
    # Only now: the stores read their environment as they are imported.
    from chalicelib.cities.store import load_city
    from chalicelib.core import clock
    from chalicelib.medical.rules.reconciling import compare
    from chalicelib.medical.service.reconciling import audited, unreminded, untold
    from chalicelib.partners.store import load_partner
    from infra.cli.bank_file import sorted_rows

    report, bank, days = Report(), (options.city, options.bank), (options.first, options.until)

    def ours() -> Iterator[Any]:
        for one in audited(*bank, *days):
            report.instructions += one.of_these_days
            meter.compared(report.instructions)
            yield one

    rows = sorted_rows(_sound(options.file, bank, report, meter))
    first = next(rows, None)
    if load_partner(*bank).kind != "bank":
        raise NotFound
    report.time_zone = load_city(options.city).time_zone
    if first is not None and not report.own_rows:
        raise FileUnreadable(Text("文件中没有一行属于该银行", "Not one row of the file is this bank's"))
    settle = options.settle and bool(report.own_rows or not report.rows)  # not by rows that nobody can read
    # What was lost first: what is made there is beside the file's rows then.
    now = clock.now()
    lost = chain(untold(*bank, now, *days), unreminded(*bank, now, *days))
    for found in (lost, compare(ours(), chain([first] if first else [], rows), bank)):
        _note(bank, found, report, settle=settle)
    return report


def _sound(path: Path, bank: tuple[str, str], report: Report, meter: Meter) -> Iterator[BankRow]:
    """The rows that can be read; what cannot is noted."""
    from chalicelib.medical.rules.instructions import bank_in
    from chalicelib.medical.rules.reconciling import Difference
    from infra.cli.bank_file import Malformed, rows_of

    for row in rows_of(path):
        report.rows += 1
        meter.read(report.rows)
        if isinstance(row, Malformed):
            report.note(Difference("malformed", row.line, None, f"{row.why.zh}\n{row.why.en}"))
        else:
            report.own_rows += bank_in(row.instruction_id) == bank
            yield row


def _note(bank: tuple[str, str], found: Iterable[Difference], report: Report, *, settle: bool) -> None:
    """Notes what differs, or settles it if it can be and is to be; what a person has closed is shown as closed."""
    from chalicelib.medical.service.closing import closed_among

    coming = iter(found)
    while some := list(islice(coming, AT_ONCE)):
        closed = closed_among(*bank, some)
        for one in some:
            if one in closed:
                report.note_closed(one, closed[one])
            elif settle:
                _settle(bank, one, report)
            else:
                report.note(one)


def _settle(bank: tuple[str, str], one: Difference, report: Report) -> None:
    """Settles a difference if it can be, and notes what is left then; one that cannot be settled, for whatever reason,
    is left and keeps no other from being settled."""
    from chalicelib.core.chores import tried
    from chalicelib.core.errors import Conflict, Unavailable
    from chalicelib.medical.rules.reconciling import refusal

    settled = list[bool]()

    def try_it() -> None:
        with suppress(Conflict, Unavailable):
            settled.append(_settled(bank, one, report))

    if not (tried(try_it) and any(settled)):
        report.note(one)
        return
    report.settled += 1
    if one.row is not None and one.row.state == "refused":
        for left in refusal(one.row.instruction_id, one.row.kind, one.row.amount_fen):
            report.note(left)


def _settled(bank: tuple[str, str], one: Difference, report: Report) -> bool:
    """Whether a difference is settled now. A row's answer is the instruction's then: somebody may have answered
    otherwise meanwhile. What is asked anew is a difference still."""
    from chalicelib.core import clock
    from chalicelib.core.commit import Unit
    from chalicelib.medical.service import reconciling
    from chalicelib.medical.service.outbox import Place

    now, row = clock.now(), one.row
    if one.missing is not None:
        reconciling.make_missing(Unit(), one.missing)
        return True
    if row is not None:
        answer = reconciling.settle(Unit(), now, *bank, row).answer
        return answer is not None and (answer.state, answer.reference) == (row.state, row.reference)
    if one.code == "not_in_file" and one.instruction_id is not None:
        report.asked_anew += reconciling.ask_anew(Unit(), now, Place(*bank, one.instruction_id))
    return False
