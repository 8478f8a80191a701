"""The command itself: usage, and what is refused before anything is sent."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.cli.main import main

ROOT = Path(__file__).resolve().parents[3]

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


def test_the_command_that_make_installs_works_from_anywhere(tmp_path: Path) -> None:
    programs = tmp_path / "a checkout" / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("infra", "chalicelib", "schemas"):
        (tmp_path / "a checkout" / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "infra" / "cli" / "egret.sh", programs / "egret")
    (programs / "egret").chmod(0o755)
    (programs / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (programs / "python").chmod(0o755)
    ran = subprocess.run([programs / "egret", "--help"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "usage: egret" in ran.stdout


def test_the_readme_names_the_command_as_make_installs_it(capsys: pytest.CaptureFixture[str]) -> None:
    makefile, readme = ((ROOT / name).read_text("utf-8") for name in ("Makefile", "README.md"))
    assert re.search(r"^EGRET := \$\(BIN\)/egret$", makefile, re.MULTILINE)
    assert re.search(r"^demo: \$\(READY\) \$\(EGRET\)", makefile, re.MULTILINE)
    named = re.findall(r"`\.venv/bin/egret ([a-z-]+)", readme)
    assert {"lint", "import-scores"} <= set(named)
    for command in set(named) - {"--help"}:
        with pytest.raises(SystemExit) as ended:
            main([command, "--help"])
        assert ended.value.code == 0
    assert "infra.cli" not in readme
    capsys.readouterr()
