"""The demo as a person runs it, and what the README shows of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


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
    transcript = re.search(r"<!-- transcript[^\n]*-->\n```\n(.*?)```", readme, re.DOTALL)
    assert transcript is not None
    position = 0
    for line in filter(None, transcript[1].splitlines()):
        found = told.find(line.rstrip(), position)
        assert found >= 0, f"the demo does not print, in this order: {line!r}"
        position = found


def test_the_demo_prints_no_log_lines(told: str) -> None:
    assert '"event":' not in told
