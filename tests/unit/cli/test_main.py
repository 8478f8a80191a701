"""The command itself: usage, and what is refused before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.cli.main import main

FILE = "subject_id,score,as_of,revision\np1_a,650,2025-08-01T00:00:00Z,1\n"


@pytest.fixture(autouse=True)
def _no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EGRET_TOKEN", raising=False)


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["unknown"],
        ["import-scores"],
        ["import-scores", "a.csv"],
        ["import-scores", "a.csv", "--city", "xiamen", "--threads", "0"],
        ["import-scores", "a.csv", "--city", "xiamen", "--threads", "many"],
    ],
)
def test_wrong_usage_ends_with_two(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_a_token_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.csv"
    file.write_text(FILE)
    assert main(["import-scores", str(file), "--city", "xiamen"]) == 2
    assert "EGRET_TOKEN" in capsys.readouterr().err


def test_an_unreadable_file_ends_with_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for content in (None, b"", b"name,score\n"):
        file = tmp_path / "a.csv"
        if content is not None:
            file.write_bytes(content)
        assert main(["import-scores", str(file), "--city", "xiamen", "--token", "t"]) == 2
        said = capsys.readouterr().err
        assert "文件" in said or "第一行" in said
