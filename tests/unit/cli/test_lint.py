"""``egret lint``: what it says of files, and of where the scale came from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from infra.cli import client, lint
from infra.cli.main import main

LIBRARY = Path(lint.__file__).resolve().parents[2] / "chalicelib" / "scenarios" / "data" / "xiamen_library.json"
NOT_FOUND = {"code": "not-found", "detail": "Not found", "detail_zh": "没有找到"}


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    lint._of.cache_clear()
    yield
    lint._of.cache_clear()


def answers(monkeypatch: pytest.MonkeyPatch, reply: httpx.Response | None) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if reply is None:
            raise httpx.ConnectError("refused", request=request)
        return reply

    monkeypatch.setattr(client, "transport", lambda: httpx.MockTransport(handle))


@pytest.mark.parametrize(
    ("content", "en", "zh"),
    [
        (b"{", "The file is not valid JSON in UTF-8", "文件不是合法的 JSON"),
        (b"\xff", "The file is not valid JSON in UTF-8", "文件不是合法的 JSON"),
        (b" " * 1_000_001, "The file may have at most 1000000 bytes", "文件不得超过 1000000 字节"),
        (b'{"a":1,"a":2}', "An object has the same key twice", "重复的键"),
    ],
)
def test_a_file_that_is_no_json_is_spoken_of_as_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, en: str, zh: str
) -> None:
    file = tmp_path / "t.json"
    file.write_bytes(content)
    assert main(["lint", str(file), "--json"]) == 1
    told = capsys.readouterr().out
    (finding,) = json.loads(told)
    assert (finding["file"], finding["code"]) == (str(file), "file-unreadable")
    assert en in finding["message"]["en"]
    assert zh in finding["message"]["zh"]
    assert "请求" not in told
    assert "body" not in told


def test_a_missing_file_ends_with_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", str(tmp_path / "absent.json")]) == 2
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (None, "does not answer; using the demo's scale"),
        (httpx.Response(503), "does not answer; using the demo's scale"),
        (httpx.Response(404, json=NOT_FOUND), "has no such city, or no scale of it; using the demo's scale"),
        (httpx.Response(418), "says “The answer was 418”; using the demo's scale"),
    ],
)
def test_it_says_why_the_demos_scale_is_used(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], reply: httpx.Response | None, said: str
) -> None:
    answers(monkeypatch, reply)
    assert main(["lint", str(LIBRARY)]) == 0
    assert said in capsys.readouterr().err


def test_without_any_scale_it_ends_with_three(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    answers(monkeypatch, httpx.Response(404, json=NOT_FOUND))
    file = tmp_path / "t.json"
    file.write_text(json.dumps({**json.loads(LIBRARY.read_text("utf-8")), "city_id": "absent"}))
    assert main(["lint", str(file)]) == 3
    assert "the demo has no absent either" in capsys.readouterr().err


def test_what_two_files_say_against_each_other_names_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(monkeypatch, None)
    again = tmp_path / "again.json"
    again.write_bytes(LIBRARY.read_bytes())
    assert main(["lint", str(LIBRARY), str(again), "--json"]) == 1
    found = {(finding["file"], finding["code"], finding["pointer"]) for finding in json.loads(capsys.readouterr().out)}
    assert found == {(str(again), "version-repeated", "/version"), (str(again), "versions-overlap", "/valid_from")}
