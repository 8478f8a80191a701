"""``egret reconcile FILE.csv --city CITY --bank BANK``: a bank's file beside the outbox and the ledger.

Every difference is named. With ``--settle`` a row of the file is taken for the bank's answer where Egret has none yet,
an instruction that was lost is made from the ledger, and one that was given up and is not in the file is asked anew;
what the two say differently is for people. Reads and writes the table itself, with the rights of whoever runs it: the
environment names table, account and keys, ``--endpoint`` a database on this computer and ``--folder`` its keys.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import date
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException
from rich.console import Console
from rich.table import Table

from chalicelib.core.errors import NotFound, Problem
from chalicelib.core.text import Text
from infra.cli.export_ledger import EVER, stay_here
from infra.cli.import_report import tell
from infra.cli.score_files import FileUnreadable

if TYPE_CHECKING:
    from chalicelib.medical.rules.reconciling import BankRow, Difference

GOOD, FOUND, USAGE, FAILED = 0, 1, 2, 3
NOT_A_TERMINAL_WIDTH = 140
SHOWN_AT_MOST = 200


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


@dataclass(slots=True)
class Report:
    """What was found. Differences beyond ``SHOWN_AT_MOST`` are counted and not kept."""

    rows: int = 0
    instructions: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    settled: int = 0
    asked_anew: int = 0
    differences: list[Difference] = field(default_factory=list)

    @property
    def left(self) -> int:
        """How many differences are left."""
        return sum(self.counts.values())

    def note(self, one: Difference) -> None:
        """Takes up a difference that is left."""
        self.counts[one.code] = self.counts.get(one.code, 0) + 1
        if len(self.differences) < SHOWN_AT_MOST:
            self.differences.append(one)


def run(options: argparse.Namespace) -> int:
    """Shows what differs. Returns the exit code."""
    console, errors = Console(highlight=False), Console(stderr=True, highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = NOT_A_TERMINAL_WIDTH
    if options.endpoint:
        stay_here(options.endpoint)
        _take_local_keys(options.folder)
    try:
        report = _reconciled(options)
    except FileUnreadable as unreadable:
        tell(errors, unreadable.said)
        return USAGE
    except NotFound:
        tell(errors, Text("没有此城市或此银行", "There is no such city or bank"))
        return FAILED
    except Problem as problem:
        tell(errors, problem.detail)
        return FAILED
    except (PynamoDBException, BotoCoreError) as error:
        why = type(error).__name__
        tell(errors, Text(f"无法读写数据表（{why}）", f"The table cannot be read or written ({why})"))
        return FAILED
    if options.json:
        print(json.dumps(_plain(report), ensure_ascii=False))
    else:
        _show(console, report, settle=options.settle)
    return FOUND if report.left else GOOD


def _take_local_keys(folder: Path) -> None:
    """The keys that the local server keeps, where the environment names none."""
    kept = {"EGRET_SEAL_KEY": folder / "keys" / "seal.key"}
    os.environ.setdefault("EGRET_STAGE", "local")
    for name, path in kept.items():
        if name not in os.environ and path.exists():
            os.environ[name] = "plain:" + path.read_text("utf-8").strip()


def _reconciled(options: argparse.Namespace) -> Report:
    """Raises: FileUnreadable; NotFound; Problem; in this order."""
    # Only now: the stores read their environment as they are imported.
    from chalicelib.core import clock
    from chalicelib.medical.rules.reconciling import Difference, compare
    from chalicelib.medical.service.reconciling import audited, untold
    from chalicelib.partners.store import load_partner
    from infra.cli.bank_file import Malformed, rows_of, sorted_rows

    report = Report()

    def sound() -> Iterator[BankRow]:
        for row in rows_of(options.file):
            report.rows += 1
            if isinstance(row, Malformed):
                report.note(Difference("malformed", row.line, None, f"{row.why.zh}\n{row.why.en}"))
            else:
                yield row

    def ours() -> Iterator[Any]:
        for one in audited(options.city, options.bank, options.first, options.until):
            report.instructions += 1
            yield one

    bank = options.city, options.bank
    rows = sorted_rows(sound())
    first = next(rows, None)
    if load_partner(*bank).kind != "bank":
        raise NotFound
    # From the ledger first: what is made there is beside the file's rows then.
    outwards = untold(*bank, clock.now(), options.first, options.until)
    for one in chain(outwards, compare(ours(), chain([first] if first else [], rows), bank)):
        if options.settle:
            _settle(bank, one, report)
        else:
            report.note(one)
    return report


def _settle(bank: tuple[str, str], one: Difference, report: Report) -> None:
    """Settles a difference if it can be, and notes what is left then; one that cannot be settled just now is left, and
    keeps no other from being settled."""
    from chalicelib.core.errors import Conflict, Unavailable
    from chalicelib.medical.rules.reconciling import refusal

    try:
        settled = _settled(bank, one, report)
    except (Conflict, Unavailable):
        settled = False
    if not settled:
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


def _plain(report: Report) -> dict[str, Any]:
    found = [
        {name: value for name, value in asdict(one).items() if name not in {"row", "missing"}}
        for one in report.differences
    ]
    counted = {"rows": report.rows, "instructions": report.instructions, "settled": report.settled}
    counted["asked_anew"] = report.asked_anew
    return {**counted, "left": report.left, "counts": report.counts, "differences": found}


def _show(console: Console, report: Report, *, settle: bool) -> None:
    from chalicelib.medical.rules.reconciling import NAMED

    rows = Text("文件 {rows} 行，白鹭 {ours} 条指令", "{rows} rows in the file, {ours} instructions here")
    tell(console, rows.format(rows=report.rows, ours=report.instructions))
    if report.differences:
        console.print(_table(report))
    if report.left > len(report.differences):
        more = Text("另有 {n} 处差异未逐条列出", "Differences that are counted and not listed: {n}")
        tell(console, more.format(n=report.left - len(report.differences)))
    for code, named in NAMED.items():
        if code in report.counts:
            console.print(f"{report.counts[code]:>6}  {named.zh} {named.en}", markup=False)
    if settle:
        tell(console, Text("已结清 {n} 条", "Settled: {n}").format(n=report.settled))
        if report.asked_anew:
            tell(console, Text("重新询问银行 {n} 条", "Asked of the bank anew: {n}").format(n=report.asked_anew))
    if report.left:
        tell(console, Text("✗ 尚有 {n} 处差异", "✗ Differences left: {n}").format(n=report.left))
    else:
        tell(console, Text("✓ 没有差异", "✓ No difference"))


def _table(report: Report) -> Table:
    from chalicelib.medical.rules.reconciling import NAMED

    table = Table("行\nline", "差异\ndifference", "文件\nfile", "白鹭\nEgret", "指令\ninstruction")
    table.columns[0].justify = "right"
    for one in report.differences:
        named = NAMED[one.code]
        line = "" if one.line is None else f"{one.line}"
        said = f"{named.zh}\n{named.en}"
        table.add_row(line, said, one.file_says, one.egret_says, (one.instruction_id or "").rpartition(".")[2])
    return table
