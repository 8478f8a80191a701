"""What a reconciliation shows a person: how far it has come, what differs, what is settled, what somebody closed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import date
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console
from rich.table import Table

from chalicelib.core import clock, codec
from chalicelib.core.text import Text
from infra.cli.counting import EVERY, counting
from infra.cli.import_report import tell

if TYPE_CHECKING:
    from chalicelib.medical.rules.closing import Closed
    from chalicelib.medical.rules.reconciling import Difference

SHOWN_AT_MOST = 200


@dataclass(slots=True)
class Report:
    """What was found. What goes beyond ``SHOWN_AT_MOST`` is counted and not kept. ``time_zone`` is the city's."""

    time_zone: str = "UTC"
    rows: int = 0
    own_rows: int = 0
    instructions: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    settled: int = 0
    asked_anew: int = 0
    closed: int = 0
    differences: list[Difference] = field(default_factory=list)
    closings: list[tuple[Difference, Closed]] = field(default_factory=list)

    @property
    def left(self) -> int:
        """How many differences are left."""
        return sum(self.counts.values())

    def note(self, one: Difference) -> None:
        """Takes up a difference that is left."""
        self.counts[one.code] = self.counts.get(one.code, 0) + 1
        if len(self.differences) < SHOWN_AT_MOST:
            self.differences.append(one)

    def note_closed(self, one: Difference, closed: Closed) -> None:
        """Takes up a difference that a person has closed."""
        self.closed += 1
        if len(self.closings) < SHOWN_AT_MOST:
            self.closings.append((one, closed))


class Meter:
    """How far it has come: rows read of the file, then instructions compared. On a terminal alone."""

    def __init__(self, console: Console) -> None:
        self._bar = counting(console)
        self._read = self._bar.add_task("读取文件行 rows read", total=None)
        self._compared = self._bar.add_task("核对指令 instructions compared", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def read(self, rows: int) -> None:
        """So many rows of the file have been read."""
        if rows % EVERY == 0:
            self._bar.update(self._read, completed=rows)

    def compared(self, instructions: int) -> None:
        """So many instructions have been compared."""
        if instructions % EVERY == 0:
            self._bar.update(self._compared, completed=instructions)


def plain(report: Report) -> dict[str, Any]:
    """The report as JSON has it. ``close`` is what ``POST /v1/credit-differences`` takes, but for the reason."""
    counted = {"rows": report.rows, "instructions": report.instructions, "settled": report.settled}
    counted |= {"asked_anew": report.asked_anew, "closed": report.closed}
    found = [_plain(one) for one in report.differences]
    closings = [_plain_closing(one, closed) for one, closed in report.closings]
    return {**counted, "left": report.left, "counts": report.counts, "differences": found, "closings": closings}


def _plain(one: Difference) -> dict[str, Any]:
    told = {name: getattr(one, name) for name in ("code", "line", "instruction_id", "file_says", "egret_says")}
    row = None if one.said is None else asdict(one.said)
    return {**told, "close": None if one.mark is None else {"instruction_id": one.instruction_id, "row": row}}


def _plain_closing(one: Difference, closed: Closed) -> dict[str, Any]:
    told = {"code": one.code, "line": one.line, "instruction_id": one.instruction_id, "at": codec.plain(closed.at)}
    return {**told, "by": closed.by, "reason": closed.reason, "entry_id": closed.entry_id}


def show(console: Console, report: Report, *, settle: bool) -> None:
    """Prints the report in both languages."""
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
    for said in _ended(report, settle=settle):
        tell(console, said)
    if report.left:
        tell(console, Text("✗ 尚有 {n} 处差异", "✗ Differences left: {n}").format(n=report.left))
    else:
        tell(console, Text("✓ 没有差异", "✓ No difference"))


def _ended(report: Report, *, settle: bool) -> Iterator[Text]:
    """What is no difference any more, and what a person can do about the rest."""
    for one, closed in report.closings:
        yield _closing(one, closed, clock.day_in(report.time_zone, closed.at))
    if report.closed > len(report.closings):
        more = Text("另有 {n} 处已结案，未逐条列出", "Differences that are closed and not listed: {n}")
        yield more.format(n=report.closed - len(report.closings))
    if settle:
        yield Text("已结清 {n} 条", "Settled: {n}").format(n=report.settled)
    if report.asked_anew:
        yield Text("重新询问银行 {n} 条", "Asked of the bank anew: {n}").format(n=report.asked_anew)
    if any(one.mark for one in report.differences):
        yield Text(
            "人工核实后可结案：POST /v1/credit-differences，所需内容见 --json 中的 close",
            "What people have looked into can be closed: POST /v1/credit-differences with what --json has in close",
        )


def _closing(one: Difference, closed: Closed, day: date) -> Text:
    from chalicelib.medical.rules.reconciling import NAMED

    named = NAMED[one.code]
    which = (one.instruction_id or "").rpartition(".")[2]
    entry = closed.entry_id
    zh = "无更正分录" if entry is None else f"更正分录 {entry}"
    en = "no entry" if entry is None else f"correcting entry {entry}"
    return Text(
        f"已于 {day} 由 {closed.by} 结案（{closed.reason}，{zh}）：{named.zh}，指令 {which}",
        f"Closed on {day} by {closed.by} ({closed.reason}, {en}): {named.en}, instruction {which}",
    )


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
