"""``egret lint FILE …``: everything that can be said against tier tables before they are published.

The city's scale is asked of a running Egret; where none answers, the demo's is used, and said so.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from chalicelib.cities.rules import City, Scale
from chalicelib.core import codec, strict_json
from chalicelib.core.errors import Fault, Problem
from chalicelib.core.text import Text
from chalicelib.scenarios.rules import Finding, TierTable, lint, lint_versions, may_publish, parse_table
from infra.cli.client import Client, Failed

URL = "http://127.0.0.1:8000"
MAX_BYTES = 1_000_000


def add_to(commands: Any) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser("lint", help="检查分档规则 / lint tier tables")
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path)
    parser.add_argument("--url", default=URL, help="an Egret that knows the city's scale")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prints the findings. Returns 0 if everything may be published, 1 if not, 2 if a file cannot be read."""
    findings: list[tuple[str, Finding]] = []
    tables: list[TierTable] = []
    for path in options.files:
        try:
            document = strict_json.loads(path.read_bytes(), MAX_BYTES)
            table = parse_table(document)
        except OSError as error:
            print(f"{path}: 无法读取 / cannot be read: {error.strerror}", file=sys.stderr)
            return 2
        except Problem as problem:
            findings += [
                (str(path), _as_finding(problem, fault)) for fault in problem.faults or (Fault("", problem.detail),)
            ]
            continue
        tables.append(table)
        city, scale = _of(table.city_id, options.url)
        districts = [d.district_id for d in city.districts]
        findings += [(str(path), f) for f in lint(table, scale, city.scheme, districts)]
    findings += [("", f) for f in lint_versions(tables)]
    _print(findings, as_json=options.json)
    return 0 if may_publish(f for _, f in findings) else 1


def _as_finding(problem: Problem, fault: Fault) -> Finding:
    return Finding(problem.code, "error", fault.pointer, fault.detail)


@lru_cache(maxsize=64)
def _of(city_id: str, url: str) -> tuple[City, Scale]:
    """A city and its scale, from a running Egret or from the demo."""
    try:
        client = Client(url, "", attempts=1)
        city = codec.build(City, client.get(f"/v1/cities/{city_id}"))
        return city, codec.build(Scale, client.get(f"/v1/cities/{city_id}/scales/current"))
    except Failed:
        pass
    from infra.local.demo_data.tables import document

    for entry in document("cities.json"):
        if entry["city"]["city_id"] == city_id:
            said = Text(f"{url} 没有应答，改用演示数据中的分制", f"{url} does not answer; using the demo's scale")
            print(f"{said.zh}\n{said.en}", file=sys.stderr)
            return codec.build(City, entry["city"]), codec.build(Scale, entry["scale"], city_id=city_id, version=1)
    raise SystemExit(f"{city_id}: 没有找到该城市的分制 / no scale of this city was found at {url} or in the demo")


def _print(findings: Sequence[tuple[str, Finding]], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([{"file": name, **codec.plain(f)} for name, f in findings], ensure_ascii=False, indent=1))
        return
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    if not findings:
        console.print("[green]✓[/] 没有发现问题 / nothing to say against it")
        return
    table = Table("", "位置 place", "问题 finding", show_lines=True)
    for name, finding in findings:
        mark = "[red]✗ error[/]" if finding.severity == "error" else "[yellow]! warning[/]"
        said = f"{finding.message.zh}\n{finding.message.en}\n[dim]{finding.code}[/]"
        table.add_row(mark, f"{name}\n[dim]{finding.pointer or '/'}[/]", said)
    console.print(table)
