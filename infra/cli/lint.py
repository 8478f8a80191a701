"""``egret lint FILE …``: everything that can be said against tier tables before they are published.

The city's scale is asked of a running Egret; where none answers, the demo's is used, and said so.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from chalicelib.cities.rules import City, Scale
from chalicelib.core import codec, strict_json
from chalicelib.core.errors import Fault, MalformedRequest, Problem, TooLarge
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
    """Prints the findings.

    Returns: 0 if everything may be published, 1 if not, 2 if a file cannot be opened, 3 if no scale is to be had.
    """
    findings: list[tuple[str, Finding]] = []
    tables: list[tuple[str, TierTable]] = []
    for path in options.files:
        try:
            table = parse_table(strict_json.loads(path.read_bytes(), MAX_BYTES))
        except OSError as error:
            print(f"{path}: 无法读取 / cannot be read: {error.strerror}", file=sys.stderr)
            return 2
        except (MalformedRequest, TooLarge) as problem:
            findings.append((str(path), _as_finding("file-unreadable", Fault("", _of_a_file(problem.detail)))))
            continue
        except Problem as problem:
            faults = problem.faults or (Fault("", problem.detail),)
            findings += [(str(path), _as_finding(problem.code, fault)) for fault in faults]
            continue
        tables.append((str(path), table))
        try:
            city, scale = _of(table.city_id, options.url)
        except Failed as failed:
            print(f"{path}: {failed.said.zh}\n{path}: {failed.said.en}", file=sys.stderr)
            return 3
        districts = [d.district_id for d in city.districts]
        findings += [(str(path), f) for f in lint(table, scale, city.scheme, districts)]
    findings += _between(tables)
    _print(findings, as_json=options.json)
    return 0 if may_publish(f for _, f in findings) else 1


def _between(tables: Sequence[tuple[str, TierTable]]) -> list[tuple[str, Finding]]:
    """What the files say against each other, each finding at its place in the file it is about."""
    found = []
    for finding in lint_versions([table for _, table in tables]):
        _, index, place = finding.pointer.split("/", 2)
        found.append((tables[int(index)][0], replace(finding, pointer=f"/{place}")))
    return found


def _as_finding(code: str, fault: Fault) -> Finding:
    return Finding(code, "error", fault.pointer, fault.detail)


def _of_a_file(said: Text) -> Text:
    """What is said of a request's body, said of a file."""
    return Text(said.zh.replace("请求体", "文件"), said.en.replace("The body", "The file"))


@lru_cache(maxsize=64)
def _of(city_id: str, url: str) -> tuple[City, Scale]:
    """A city and its scale, from a running Egret or from the demo. Raises: Failed: neither has them."""
    try:
        client = Client(url, "", attempts=1)
        city = codec.build(City, client.get(f"/v1/cities/{city_id}"))
        return city, codec.build(Scale, client.get(f"/v1/cities/{city_id}/scales/current"))
    except Failed as failed:
        why = failed
    from infra.local.demo_data.tables import document

    for entry in document("cities.json"):
        if entry["city"]["city_id"] == city_id:
            instead = Text("改用演示数据中的分制", "using the demo's scale")
            print(f"{_excuse(why, url).zh}，{instead.zh}\n{_excuse(why, url).en}; {instead.en}", file=sys.stderr)
            return codec.build(City, entry["city"]), codec.build(Scale, entry["scale"], city_id=city_id, version=1)
    excuse = _excuse(why, url)
    nor = Text(f"演示数据中也没有 {city_id}", f"the demo has no {city_id} either")
    raise Failed(Text(f"{excuse.zh}，{nor.zh}", f"{excuse.en}; {nor.en}"))


def _excuse(failed: Failed, url: str) -> Text:
    if failed.code == "unavailable":
        return Text(f"{url} 没有应答", f"{url} does not answer")
    if failed.code == "not-found":
        return Text(f"{url} 没有该城市或其分制", f"{url} has no such city, or no scale of it")
    return Text(f"{url} 答复“{failed.said.zh}”", f"{url} says “{failed.said.en}”")


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
