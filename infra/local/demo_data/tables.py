"""The demo's distributions, as a city would send them."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from infra.local.demo_data import bands, counts, quantiles

FOLDER = Path(__file__).parent
DAY = timedelta(days=1)


def document(name: str) -> Any:
    """One JSON file of the demo."""
    return json.loads((FOLDER / name).read_text("utf-8"))


def last_full_month(today: date) -> tuple[date, date]:
    """The last full calendar month before a day, half-open."""
    end = today.replace(day=1)
    return (end - DAY).replace(day=1), end


def distribution(entry: dict[str, Any], today: date) -> dict[str, Any]:
    """The request that publishes the distribution of an entry of ``cities.json``, for the last full month."""
    city_id, spec = entry["city"]["city_id"], entry["distribution"]
    period_from, period_to = last_full_month(today)
    body: dict[str, Any] = {
        "kind": spec["kind"],
        "period_from": period_from.isoformat(),
        "period_to": period_to.isoformat(),
        "source": spec["source"],
        "illustrative": spec["kind"] != "cuts",
    }
    if spec["kind"] == "counts":
        body["counts"] = counts(city_id)
        body["n"] = sum(people for _, people in body["counts"])
    if spec["kind"] == "quantiles":
        body["quantiles"] = quantiles(city_id)
        body["n"] = spec["n"]
    return body


def zhejiang(today: date) -> dict[str, Any]:
    """The published provincial table of 2018, sent as if it were last month's: 97.9 % in one band."""
    period_from, period_to = last_full_month(today)
    return {
        "kind": "bands",
        "period_from": period_from.isoformat(),
        "period_to": period_to.isoformat(),
        "n": 41_476_000,
        "bands": bands("zhejiang_2018"),
        "source": "zjvnet.com/news/zhejiang/117004.html (2018-08-13); the period is moved for the demo",
    }
