"""The demo's distributions, as a city would send them."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
DAY = timedelta(days=1)


def document(name: str) -> Any:
    """One JSON file of the demo."""
    return json.loads((FOLDER / name).read_text("utf-8"))


def rows(name: str) -> list[list[str]]:
    """The rows of one CSV file, without comments and header."""
    with (FOLDER / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.reader(line for line in lines if not line.startswith("#")))[1:]


def last_full_month(today: date) -> tuple[date, date]:
    """The last full calendar month before a day, half-open."""
    end = today.replace(day=1)
    return (end - DAY).replace(day=1), end


def distribution(spec: dict[str, Any], today: date) -> dict[str, Any]:
    """The request that publishes a distribution of ``cities.json``, for the last full month."""
    period_from, period_to = last_full_month(today)
    body: dict[str, Any] = {
        "kind": spec["kind"],
        "period_from": period_from.isoformat(),
        "period_to": period_to.isoformat(),
        "source": spec["source"],
        "illustrative": spec["kind"] != "cuts",
    }
    if spec["kind"] == "counts":
        body["counts"] = [[int(score), int(count)] for score, count in rows(spec["file"])]
        body["n"] = sum(count for _, count in body["counts"])
    if spec["kind"] == "quantiles":
        body["quantiles"] = [[float(p), int(score)] for p, score in rows(spec["file"])]
        body["n"] = spec["n"]
    return body


def zhejiang(today: date) -> dict[str, Any]:
    """The published provincial table of 2018, sent as if it were last month's: 97.9 % in one band."""
    period_from, period_to = last_full_month(today)
    bands = [[int(lo), int(hi), float(percent)] for lo, hi, percent in rows("zhejiang_2018_bands.csv")]
    return {
        "kind": "bands",
        "period_from": period_from.isoformat(),
        "period_to": period_to.isoformat(),
        "n": 41_476_000,
        "bands": bands,
        "source": "zjvnet.com/news/zhejiang/117004.html (2018-08-13); the period is moved for the demo",
    }
