"""``egret import-scores FILE --city CITY``: a file of scores into Egret, resumable at any point.

The import is found again by the file's content: after an interruption the same command goes on where it stopped, and
a second full run adds nothing twice.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import unicodedata
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from chalicelib.core.text import Text
from infra.cli.client import Client, Failed
from infra.cli.import_report import Meter, show_file, show_summary, tell
from infra.cli.score_files import FileUnreadable, Row, ScoreFile, look_over, rows_of

URL = "http://127.0.0.1:8000"
CHUNK_ROWS = 500
CHUNK_BYTES = 200_000
MOST_THREADS = 32
NOT_A_TERMINAL_WIDTH = 120
GOOD, SOME_REFUSED, UNREADABLE, FAILED, INTERRUPTED = 0, 1, 2, 3, 130


def add_to(commands: Any) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "import-scores",
        help="导入信用分文件 / import a file of scores",
        description="导入 CSV（表头 subject_id,score,as_of,revision）或 NDJSON 文件；中断后再次执行即可续传。 "
        "Imports a CSV or NDJSON file; run it again to go on after an interruption.",
    )
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--city", required=True, help="城市 id / the city's id")
    parser.add_argument("--url", default=os.environ.get("EGRET_URL", URL), help="default: EGRET_URL or %(default)s")
    parser.add_argument("--token", default=os.environ.get("EGRET_TOKEN", ""), help="default: EGRET_TOKEN")
    parser.add_argument("--scale-version", type=int, help="默认为当前版本 / default: the one the city uses now")
    parser.add_argument("--threads", type=_threads, default=4, metavar="N", help="1–32, default 4")
    parser.set_defaults(run=run)


def _threads(text: str) -> int:
    count = int(text)
    if not 1 <= count <= MOST_THREADS:
        raise argparse.ArgumentTypeError(f"1–{MOST_THREADS}")
    return count


@dataclass(frozen=True, slots=True)
class _Import:
    """One run of the command."""

    client: Client
    city: str
    file: ScoreFile
    job: dict[str, Any]

    @property
    def path(self) -> str:
        """Where the import is."""
        return f"/v1/cities/{self.city}/score-imports/{self.job['job_id']}"


def run(options: argparse.Namespace) -> int:
    """Imports the file. Returns the exit code."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = NOT_A_TERMINAL_WIDTH
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    if not options.token:
        tell(errors, Text("缺少令牌：用 --token 或 EGRET_TOKEN", "A token is needed: --token or EGRET_TOKEN"))
        return UNREADABLE
    try:
        file = look_over(options.file)
        show_file(console, file)
        return _import(console, errors, options, file)
    except FileUnreadable as unreadable:
        tell(errors, unreadable.said)
        return UNREADABLE
    except Failed as failed:
        tell(errors, failed.said)
        return FAILED


def _import(console: Console, errors: Console, options: argparse.Namespace, file: ScoreFile) -> int:
    client = Client(options.url, options.token)
    work = _Import(client, options.city, file, _open(client, options, file))
    if work.job["next_row"] > 1 and work.job["state"] == "open":
        line = file.line_of(work.job["next_row"])
        tell(console, Text(f"从第 {line} 行继续", f"Going on at line {line}"))
    try:
        _send(console, work, options.threads)
    except KeyboardInterrupt:
        tell(errors, Text("已中断；再次执行同一命令即可续传", "Interrupted; run the same command again to go on"))
        return INTERRUPTED
    job = client.get(work.path)
    refused = client.get(work.path + "/refused", limit="200")["items"] if job["counts"]["refused"] else []
    show_summary(console, file, job, refused, work.path)
    return SOME_REFUSED if job["counts"]["refused"] else GOOD


def _open(client: Client, options: argparse.Namespace, file: ScoreFile) -> dict[str, Any]:
    """The import of this file, new or as far as it has come."""
    version = options.scale_version or client.get(f"/v1/cities/{options.city}/control")["scale_version"]
    if version is None:
        raise Failed(Text("该城市尚未公布分制", "The city has not published its scale yet"))
    body = {
        "file_sha256": file.sha256,
        "file_name": _printable(file.path.name),
        "rows_total": file.rows_total,
        "scale_version": version,
    }
    path = f"/v1/cities/{options.city}/score-imports"
    job: dict[str, Any] = client.post(path, body, key="import-" + secrets.token_hex(16))
    return job


def _printable(name: str) -> str:
    """The file's name without what a name must not hold."""
    kept = (c for c in unicodedata.normalize("NFC", name) if unicodedata.category(c) not in {"Cc", "Cf", "Cs"})
    return "".join(kept)[-80:] or "-"


def _send(console: Console, work: _Import, threads: int) -> None:
    """Sends what the import does not know yet, at most ``threads`` chunks at a time."""
    if work.job["state"] == "finished":
        return
    under_way: set[Future[dict[str, Any]]] = set()
    with Meter(console, work.file, work.job) as meter, ThreadPoolExecutor(threads) as pool:
        for first_row, rows in _chunks(work.file, work.job["next_row"]):
            under_way.add(pool.submit(_send_chunk, work, first_row, rows))
            if len(under_way) >= threads:
                under_way = _collect(under_way, meter)
        while under_way:
            under_way = _collect(under_way, meter)


def _send_chunk(work: _Import, first_row: int, rows: list[Row]) -> dict[str, Any]:
    progress: dict[str, Any] = work.client.post(work.path + "/rows", {"first_row": first_row, "rows": rows})
    return progress


def _collect(under_way: set[Future[dict[str, Any]]], meter: Meter) -> set[Future[dict[str, Any]]]:
    """Waits for one or more chunks; what is still under way."""
    done, rest = wait(under_way, return_when=FIRST_COMPLETED)
    for chunk in done:
        meter.show(chunk.result()["job"])
    return rest


def _chunks(file: ScoreFile, first_row: int) -> Iterator[tuple[int, list[Row]]]:
    """The file's rows from ``first_row`` on, in chunks that fit into a request: (number of the first, rows)."""
    chunk: list[Row] = []
    size_bytes = 0
    for row in rows_of(file, first_row):
        row_bytes = len(json.dumps(row)) + 1
        if chunk and (len(chunk) == CHUNK_ROWS or size_bytes + row_bytes > CHUNK_BYTES):
            yield first_row, chunk
            first_row, chunk, size_bytes = first_row + len(chunk), [], 0
        chunk.append(row)
        size_bytes += row_bytes
    if chunk:
        yield first_row, chunk
