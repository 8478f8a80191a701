"""The demo as a person runs it, and what the README shows of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from infra.local.demo import to_midnight
from infra.local.demo_data.tables import document
from infra.local.demo_load import end_of_last_month
from infra.local.telling import LONGEST_LIST

ROOT = Path(__file__).resolve().parents[2]
SAID_AS = {"point_about": "point", "lower_bound_about": "lower bound", "flags": "flag"}


@pytest.fixture(scope="module")
def told() -> str:
    """What ``make demo`` prints; it must end well."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("EGRET_", "AWS_"))}
    ran = subprocess.run(
        [sys.executable, "-m", "infra.local.demo"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
    return ran.stdout


def test_the_demo_meets_every_expectation(told: str) -> None:
    assert re.search(r"all \d+ expectations met", told)
    assert "✗" not in told


def test_the_readme_shows_what_the_demo_prints(told: str) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    transcripts = re.findall(r"<!-- transcript[^\n]*-->\n```\n(.*?)```", readme, re.DOTALL)
    assert len(transcripts) == 3
    for transcript in transcripts:
        position = 0
        for line in filter(None, transcript.splitlines()):
            found = told.find(line.rstrip(), position)
            assert found >= 0, f"the demo does not print, in this order: {line!r}"
            position = found


def test_the_demo_can_be_read_in_one_go(told: str) -> None:
    lines = told.splitlines()
    assert len(lines) < 1300
    figures = [line for line in lines if re.fullmatch(r"\s*\[[\d., ]+\],?", line)]
    assert len(figures) <= LONGEST_LIST * len(document("cities.json")), "the first of each list, and no more"


def test_every_expected_outcome_is_checked(told: str) -> None:
    people = document("people.json")["people"]
    for person in people:
        assert f"✓ {person['id']}: score: {person['score']}" in told
        wanted = {**person.get("expect", {}), **person.get("in_xiamen", {})}
        assert wanted, "somebody nothing is expected of"
    beats = [person["beats_percent"] for person in people if "beats_percent" in person]
    assert len(beats) == 5
    for percent in beats:
        assert f"✓ beats, per cent: {percent} ≈ {percent}" in told
    expected = Counter(name for person in people for part in ("expect", "in_xiamen") for name in person.get(part, {}))
    assert expected.keys() >= {"host_grade", "roadside_parking", "i_chewei_parking"}
    for name, times in expected.items():
        tick = f"✓ {SAID_AS.get(name, name)}"
        assert told.count(tick + ": ") + (told.count(tick + " ") if name == "flags" else 0) >= times, name


def test_the_demo_speaks_of_cities_by_their_names_and_of_grades_in_their_order(told: str) -> None:
    assert "杭州的 705 分在厦门相当于多少？" in told
    assert "hangzhou 的" not in told
    places = [told.index(f"{grade} limit_fen") for grade in ("不良", "一般", "良好", "优秀", "极好")]
    assert places == sorted(places)
    assert re.search(r'"一般": 500, "良好": 1000, "优秀": 800, "极好": 5000', told)


def test_every_picture_is_named_where_it_was_put(told: str) -> None:
    for name in ("xiamen", "hangzhou", "fuzhou", "zhengzhou", "hangzhou-to-xiamen", "zhejiang", "credit-policy"):
        assert f"→ build/demo/{name}.svg" in told
        assert (ROOT / "build" / "demo" / f"{name}.svg").read_text("utf-8").startswith("<svg")


def test_the_scores_belong_to_last_month() -> None:
    assert end_of_last_month(date(2026, 11, 22), "Asia/Shanghai") == "2026-10-31T15:59:59Z"
    assert end_of_last_month(date(2027, 1, 1), "Asia/Shanghai") == "2026-12-31T15:59:59Z"


@pytest.mark.parametrize(
    ("at", "by"),
    [
        (datetime(2026, 11, 30, 14, 59, 59, tzinfo=UTC), timedelta()),
        (datetime(2026, 11, 30, 15, 0, tzinfo=UTC), timedelta()),
        (datetime(2026, 11, 30, 15, 0, 1, tzinfo=UTC), timedelta(minutes=59, seconds=59)),
        (datetime(2026, 12, 31, 15, 59, 59, 999_000, tzinfo=UTC), timedelta(milliseconds=1)),
        (datetime(2028, 2, 29, 16, 0, tzinfo=UTC), timedelta()),
    ],
)
def test_the_story_is_told_on_one_day_of_xiamen(at: datetime, by: timedelta) -> None:
    assert to_midnight(at) == by


def test_the_demo_prints_no_log_lines(told: str) -> None:
    assert '"event":' not in told
