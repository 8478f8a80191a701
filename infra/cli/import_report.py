"""What an import shows a person: the file, how far it has come, and what became of it."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from chalicelib.core.text import Text
from infra.cli.score_files import ScoreFile

LINES_PER_RUN = 10
SHOWN_AT_MOST = 200


def tell(console: Console, said: Text) -> None:
    """One sentence in both languages."""
    console.print(said.zh, said.en, sep="\n", markup=False)


def show_file(console: Console, file: ScoreFile) -> None:
    """What a person should know about how the file was read."""
    if file.encoding != "utf-8":
        tell(console, Text("文件为 GBK 编码，已转换为 UTF-8", "The file is encoded in GBK; it is converted to UTF-8"))
    if file.bom:
        tell(console, Text("文件带有 BOM，已忽略", "The file begins with a byte order mark; it is ignored"))
    if file.open_end and file.columns:
        said = Text(
            "文件末尾没有换行，可能被截断，最后一行不予导入；若该行完整，请在文件末尾补一个换行后重新导入",
            "The file does not end with a line break and may be cut off: its last row is not imported. If that row is "
            "complete, add a line break at the end of the file and import it again",
        )
        tell(console, said)


def known_rows(job: dict[str, Any]) -> int:
    """How many rows an import has dealt with."""
    return sum(job["counts"].values())


class Meter:
    """How far an import has come: a bar on a terminal, else about ten lines."""

    def __init__(self, console: Console, file: ScoreFile, job: dict[str, Any]) -> None:
        self._console = console
        self._total = file.rows_total
        self._known = self._begun = self._told = known_rows(job)
        self._since = time.monotonic()
        self._bar = Progress(
            TextColumn("导入 importing"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]:,.0f} 行/秒 rows/s"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=self._total, completed=self._known, speed=0.0)

    def show(self, job: dict[str, Any]) -> None:
        """Shows an import as it is after a chunk; chunks may come in any order."""
        self._known = max(self._known, known_rows(job))
        speed = (self._known - self._begun) / max(time.monotonic() - self._since, 1e-3)
        self._bar.update(self._task, completed=self._known, speed=speed)
        due = self._known - self._told >= self._total / LINES_PER_RUN or self._known == self._total
        if due and not self._console.is_terminal:
            self._told = self._known
            self._console.print(f"{self._known:,} / {self._total:,} 行 rows，{speed:,.0f} 行/秒 rows/s")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()


def show_summary(
    console: Console, file: ScoreFile, job: dict[str, Any], refused: list[dict[str, Any]], path: str
) -> None:
    """What became of the file, and every refused row by its line and reason."""
    counts = job["counts"]
    table = Table("结果 result", "行数 rows", title=f"{job['file_name']} → {job['city_id']}")
    table.columns[1].justify = "right"
    for name, words in _WORDS.items():
        table.add_row(words, f"{counts[name]:,}")
    table.add_row("合计 total", f"{known_rows(job):,} / {file.rows_total:,}")
    console.print(table)
    if refused:
        _show_refused(console, file, refused[:SHOWN_AT_MOST])
    more = counts["refused"] - len(refused[:SHOWN_AT_MOST])
    if more > 0:
        tell(console, Text(f"另有 {more} 行，见 GET {path}/refused", f"{more} more: GET {path}/refused"))


_WORDS = {
    "stored": "已写入 stored",
    "unchanged": "已存在 unchanged",
    "outdated": "已有更新的分值 outdated",
    "refused": "被拒绝 refused",
}


def _show_refused(console: Console, file: ScoreFile, refused: list[dict[str, Any]]) -> None:
    table = Table("行 line", "代码 code", "原因 reason", title="被拒绝的行 refused rows")
    table.columns[0].justify = "right"
    for row in refused:
        said = row["sentence"]
        table.add_row(str(file.line_of(row["row"])), row["code"], f"{said['zh']}\n{said['en']}")
    console.print(table)
