"""Distributions that the demo and the tests share. Which are invented, where the real ones are from: README.md."""

from __future__ import annotations

import csv
from pathlib import Path

_HERE = Path(__file__).parent


def counts(city: str) -> tuple[tuple[int, int], ...]:
    """(score, people) of xiamen, hangzhou or zhengzhou."""
    return tuple((int(score), int(people)) for score, people in _rows(f"{city}_counts.csv"))


def quantiles(city: str) -> tuple[tuple[float, int], ...]:
    """(share of people with at most this score, score) of fuzhou."""
    return tuple((float(p), int(score)) for p, score in _rows(f"{city}_quantiles.csv"))


def bands(table: str) -> tuple[tuple[int, int, float], ...]:
    """(from, to exclusive, percent of people) of zhejiang_2018."""
    return tuple((int(lo), int(hi), float(percent)) for lo, hi, percent in _rows(f"{table}_bands.csv"))


def _rows(name: str) -> list[list[str]]:
    lines = (_HERE / name).read_text(encoding="utf-8").splitlines()
    return list(csv.reader(line for line in lines if not line.startswith("#")))[1:]
