"""``make bench``: every figure against a floor measured in the same run, as a table and as JSON.

Exits with 1 if a ratio misses its limit.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import tests.conftest  # noqa: F401 - sets the environment that the app reads

MODULES = (
    "bench_linking",
    "bench_conversions",
    "bench_scenarios",
    "bench_offers",
    "bench_medical",
    "bench_ledger",
    "bench_import",
)
UNITS = {"rows_per_second": "{:,.0f} rows/s", "mb": "{:,.2f} MB", "us": "{:,.2f} µs"}
OUTPUT = Path("build/bench.json")


def main() -> int:
    """Measures, prints and writes. Returns 1 if a limit is missed."""
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    rows: list[dict[str, Any]] = []
    for name in MODULES:
        with console.status(f"{name} …"):
            rows += importlib.import_module(f"tests.bench.{name}").measure()
    console.print(_table(rows))
    met = [kept(row) for row in rows if row["limit"] is not None]
    OUTPUT.parent.mkdir(exist_ok=True)
    machine = {"python": platform.python_version(), "machine": platform.machine(), "cpus": os.cpu_count()}
    OUTPUT.write_text(json.dumps({"machine": machine, "figures": rows}, indent=1))
    console.print(f"{sum(met)} of {len(met)} within their limits; {OUTPUT}")
    return 0 if all(met) else 1  # a figure without a limit is told and fails nothing


def is_rate(row: dict[str, Any]) -> bool:
    """Whether the figure is rows per second, of which more is better, and not a time or a size."""
    return "floor_rows_per_second" in row


def kept(row: dict[str, Any]) -> bool:
    """Whether a ratio keeps its limit: at least it for a rate, at most it for all else. Without one, it does."""
    if row["limit"] is None:
        return True
    return bool(row["ratio"] >= row["limit"] if is_rate(row) else row["ratio"] <= row["limit"])


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table("figure", "floor", "Egret", "ratio", "limit", "")
    for row in rows:
        unit = next(unit for unit in UNITS if f"floor_{unit}" in row)
        said = UNITS[unit]
        limit = "none" if row["limit"] is None else f"{'≥' if is_rate(row) else '≤'} {row['limit']:g}"
        mark = "" if row["limit"] is None else "[green]✓[/]" if kept(row) else "[red]✗[/]"
        floor, ours = said.format(row[f"floor_{unit}"]), said.format(row[f"ours_{unit}"])
        table.add_row(row["name"], floor, ours, f"{row['ratio']:.2f}", limit, mark)
    return table


if __name__ == "__main__":
    sys.exit(main())
