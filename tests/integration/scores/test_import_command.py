"""``egret import-scores`` against the whole app, on Dynoxide: 10,000 rows, bad ones, interruptions, second runs."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from chalicelib.scores import store
from infra.cli import client, import_scores
from infra.cli.main import main
from tests.conftest import Api
from tests.integration.scores import on_dynoxide, world

HEADER = "subject_id,score,as_of,revision"


@pytest.fixture
def table() -> Iterator[None]:
    """A table on Dynoxide, in place of the usual one."""
    on_dynoxide.need()
    with on_dynoxide.fresh_table():
        yield


class Bridge(httpx.BaseTransport):
    """From the command's HTTP client into the app; the app's test client takes one request at a time."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.lock = threading.Lock()
        self.sent: list[str] = []
        self.stop_at: int | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with self.lock:
            path = request.url.raw_path.decode()
            if path.endswith("/rows") and len(self.rows_sent) == self.stop_at:
                raise KeyboardInterrupt
            self.sent.append(f"{request.method} {path}")
            headers = {name.title(): value for name, value in request.headers.items()}
            answer = self.api.http.request(request.method, path, headers=headers, body=request.read())
        return httpx.Response(answer.status_code, content=answer.body, headers={"content-type": "application/json"})

    @property
    def rows_sent(self) -> list[str]:
        return [sent for sent in self.sent if sent.endswith("/rows")]


@pytest.fixture
def bridge(api: Api, monkeypatch: pytest.MonkeyPatch) -> Bridge:
    world.found_city()
    made = Bridge(api)
    monkeypatch.setattr(client, "transport", lambda: made)
    monkeypatch.setenv("EGRET_TOKEN", api.as_city("xiamen"))
    return made


def run(file: Path, *more: str) -> int:
    return main(["import-scores", str(file), "--city", "xiamen", *more])


def job_of(bridge: Bridge) -> Any:
    path = next(sent for sent in bridge.sent if "/score-imports/imp_" in sent)
    found = re.search(r"imp_\w+", path)
    assert found is not None
    return store.load_import("xiamen", found.group())


def lines(subjects: list[str], hours: int) -> list[str]:
    """A line for every hour of August and every subject."""
    times = [f"2025-08-{1 + hour // 24:02}T{hour % 24:02}:00:00Z" for hour in range(hours)]
    return [f"{subject},{400 + hour},{time},1" for hour, time in enumerate(times) for subject in subjects]


def test_ten_thousand_rows_with_three_bad_ones(
    bridge: Bridge, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subjects = world.enrol(*(f"n{number}" for number in range(20)))
    rows = lines(subjects, 500)
    rows[16], rows[4321], rows[9999] = "p1_x,650,2025-08-01T00:00:00Z,1", "=1+1,650,2025-08-01T00:00:00Z,1", "cut,65"
    file = tmp_path / "八月.csv"
    file.write_text("\n".join([HEADER, *rows]))
    assert run(file, "--threads", "3") == 1
    said = capsys.readouterr().out
    for line, code in ((18, "not-found"), (4323, "row-unreadable"), (10001, "row-unreadable")):
        assert re.search(rf"\b{line}\b.*{code}", said), said
    assert "文件到此中断" in said
    assert "add a line break" in said
    assert "This city has no such subject" in said
    job = job_of(bridge)
    assert (job.state, job.rows_total, job.counts.refused) == ("finished", 10_000, 3)
    assert job.counts.stored + job.counts.outdated == 9_997, "of one subject, a chunk may overtake another"
    found = world.held("n0")
    assert found is not None
    assert found.score == 899
    assert len(bridge.rows_sent) == 20
    assert run(file) == 1
    assert (len(bridge.rows_sent), job_of(bridge)) == (20, job)


def test_an_interrupted_import_goes_on_where_it_stopped(
    bridge: Bridge, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_scores, "CHUNK_ROWS", 10)
    subjects = world.enrol(*(f"n{number}" for number in range(10)))
    file = tmp_path / "scores.csv"
    file.write_text("\n".join([HEADER, *lines(subjects, 6)]) + "\n")
    bridge.stop_at = 2
    assert run(file, "--threads", "1") == 130
    assert "run the same command again" in capsys.readouterr().err
    assert job_of(bridge).next_row == 21
    bridge.stop_at = None
    assert run(file, "--threads", "2") == 0
    assert "line 22" in capsys.readouterr().out
    assert len(bridge.rows_sent) == 6
    counts = job_of(bridge).counts
    assert counts.stored + counts.outdated == 60


def test_a_file_in_gbk_with_chinese_columns_and_one_with_a_mark(
    bridge: Bridge, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (subject,) = world.enrol("an")
    gbk, marked = tmp_path / "gbk.csv", tmp_path / "bom.csv"
    content = f"主体编号,信用分,截至时间,修订号\n{subject},650,2025-08-01T00:00:00Z,1\n"
    gbk.write_bytes(content.encode("gbk"))
    assert run(gbk) == 0
    assert "GBK" in capsys.readouterr().out
    marked.write_bytes(b"\xef\xbb\xbf" + content.replace("650", "660").replace("08", "09").encode())
    assert run(marked) == 0
    assert "BOM" in capsys.readouterr().out
    found = world.held("an")
    assert found is not None
    assert found.score == 660


def test_refusals_and_outages_end_with_three(
    bridge: Bridge, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "scores.csv"
    file.write_text(f"{HEADER}\np1_x,650,2025-08-01T00:00:00Z,1\n")
    assert run(file, "--token", bridge.api.as_city("hangzhou")) == 3
    assert "没有找到" in capsys.readouterr().err
    assert run(file, "--scale-version", "2") == 3
    monkeypatch.setattr("infra.cli.client.time.sleep", lambda _: None)
    monkeypatch.setattr(client, "transport", lambda: httpx.MockTransport(lambda _: httpx.Response(503)))
    assert run(file) == 3
    assert "cannot be reached" in capsys.readouterr().err


def test_a_score_cut_in_half_is_not_stored_and_the_mended_file_is(
    bridge: Bridge, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (subject,) = world.enrol("an")
    file = tmp_path / "scores.csv"
    whole = f"subject_id,as_of,revision,score\n{subject},2025-08-01T00:00:00Z,1,693\n"
    file.write_text(whole[:-2])
    assert run(file) == 1
    assert world.held("an") is None
    assert "不予导入" in capsys.readouterr().out
    file.write_text(whole)
    assert run(file) == 0
    found = world.held("an")
    assert found is not None
    assert found.score == 693


def test_large_rows_are_sent_in_requests_that_fit(bridge: Bridge, tmp_path: Path) -> None:
    file = tmp_path / "scores.ndjson"
    file.write_text(('{"subject_id":"' + "x" * 3000 + '"}\n') * 150)
    assert run(file) == 1
    assert len(bridge.rows_sent) == 3
    assert job_of(bridge).counts.refused == 150
