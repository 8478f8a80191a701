"""``egret import-scores`` as an operator has it: a real server, a real process, Ctrl-C, and the same command again."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.client import Client
from infra.local.demo_load import enrol
from infra.local.issuer import DevelopmentIssuer
from tests.e2e.test_server import ROOT, environment, served

HOURS = 200
SUBJECTS = 20
CITY = {"city_id": "xiamen", "name": {"zh": "厦门", "en": "Xiamen"}, "time_zone": "Asia/Shanghai", "founding": True}
SCALE: dict[str, Any] = {
    "score_name": {"zh": "白鹭分", "en": "Egret score"},
    "minimum": 0,
    "maximum": 1000,
    "step": 1,
    "direction": "higher_is_better",
    "grades": [],
    "valid_from": "2025-01-01",
    "source": "illustrative",
    "illustrative": True,
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """An Egret with one city and nobody in it."""
    folder = tmp_path_factory.mktemp("egret")
    with served(folder, "--empty") as running:
        made = Client(running.url, DevelopmentIssuer.kept_in(folder / "keys" / "issuer.pem"))
        made.done("POST", "/v1/cities", "alliance", CITY, key="admit-xiamen")
        made.done("POST", "/v1/cities/xiamen/scales", "city:xiamen", SCALE, key="scale-xiamen")
        yield made


@pytest.fixture(scope="module")
def subjects(client: Client) -> list[str]:
    people = [
        {"city": "xiamen", "id": f"e2e-{number:04}", "birth_date": "1990-01-01", "number": 100 + number}
        for number in range(SUBJECTS)
    ]
    return [enrol(client, person) for person in people]


def command(client: Client, file: Path) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "infra.cli", "import-scores", str(file), "--city", "xiamen", "--url", client.url]
    return subprocess.Popen(
        [*argv, "--threads", "2"],
        cwd=ROOT,
        env={**environment(), "EGRET_TOKEN": client.token("city:xiamen")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_ONCE_an_import_survives_ctrl_c_and_a_second_run(client: Client, subjects: list[str], tmp_path: Path) -> None:
    file = tmp_path / "scores.csv"
    times = [f"2025-08-{1 + hour // 24:02}T{hour % 24:02}:00:00Z" for hour in range(HOURS)]
    lines = [f"{subject},{400 + hour},{time},1" for hour, time in enumerate(times) for subject in subjects]
    lines[1234] = f"{subjects[0]},4000,2025-08-01T00:00:00Z,1"
    file.write_text("\n".join(["subject_id,score,as_of,revision", *lines]) + "\n")

    first = command(client, file)
    assert first.stdout is not None
    assert "rows/s" in first.stdout.readline()
    first.send_signal(signal.SIGINT)
    _, told = first.communicate(timeout=60)
    assert first.returncode == 130, told
    assert "再次执行" in told

    second = command(client, file)
    out, told = second.communicate(timeout=120)
    assert second.returncode == 1, told
    assert re.search(r"Going on at line \d+", out)
    assert re.search(r"\b1236\b.*score-off-scale", out)
    for subject in (subjects[0], subjects[-1]):
        shown = client.done("GET", f"/v1/cities/xiamen/subjects/{subject}/score", "city:xiamen")
        assert shown["score"] == 400 + HOURS - 1

    third = command(client, file)
    out, _ = third.communicate(timeout=60)
    assert third.returncode == 1
    assert re.search(rf"total\D*{len(lines):,} / {len(lines):,}", out)
    assert re.search(r"refused\D*1\b", out)
    months = client.done("GET", f"/v1/cities/xiamen/subjects/{subjects[0]}/score/history", "city:xiamen")["items"]
    assert [(month["month"], month["score"]) for month in months] == [("2025-08", 400 + HOURS - 1)]
