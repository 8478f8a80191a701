"""The local database: it keeps what it acknowledged, ends with its owner, and has a stand-in."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from chalicelib.core.text import Text
from infra.local import dynoxide
from infra.local.database import FOLDER, Database, DatabaseFailed, DatabaseInUse, client
from infra.local.dynoxide import NotToBeHad
from infra.local.guarded import ROOT, Guarded
from infra.local.moto_server import one_at_a_time
from infra.local.tables import create_table

TABLE = "egret"
ITEM = {"pk": {"S": "xiamen#control"}, "sk": {"S": "control"}, "kind": {"S": "control"}}
OWNER = """
import sys, time
from pathlib import Path
from infra.local.database import Database, client
from infra.local.tables import create_table
database = Database(Path(sys.argv[1]))
endpoint = database.start()
create_table(client(endpoint), "egret")
try:
    print(endpoint, flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    client(endpoint).put_item(TableName="egret", Item={"pk": {"S": "last"}, "sk": {"S": "word"}})
    database.stop()
"""


@pytest.fixture
def here() -> Path:
    """The folder with Dynoxide in it, installed on first use."""
    if dynoxide.installed(FOLDER) is None:
        try:
            dynoxide.install(FOLDER, lambda _: None)
        except NotToBeHad as missing:
            pytest.skip(f"Dynoxide is not to be had: {missing}")
    return FOLDER


@pytest.fixture
def file(here: Path, tmp_path: Path) -> Path:
    return tmp_path / "data" / "egret.db"


@pytest.fixture
def owner(file: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the database open; a process group of its own, as a terminal gives it."""
    running = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(file)], stdout=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True
    )
    yield running
    running.kill()
    running.communicate()


def said_by(owner: subprocess.Popen[str]) -> str:
    assert owner.stdout is not None
    return owner.stdout.readline().strip()


def listens(endpoint: str) -> bool:
    address = urlsplit(endpoint)
    assert address.hostname == "127.0.0.1"
    with socket.socket() as probe:
        return probe.connect_ex((address.hostname, address.port or 0)) == 0


def ends(endpoint: str, within_seconds: float = 5) -> bool:
    deadline = time.monotonic() + within_seconds
    while listens(endpoint) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not listens(endpoint)


def test_what_was_put_is_there_after_a_restart(file: Path) -> None:
    with Database(file) as database:
        assert database.engine == "dynoxide"
        first = client(database.endpoint)
        assert create_table(first, TABLE)
        first.put_item(TableName=TABLE, Item=ITEM)
    assert ends(database_endpoint := first.meta.endpoint_url), database_endpoint
    with Database(file) as database:
        again = client(database.endpoint)
        assert not create_table(again, TABLE)
        assert again.get_item(TableName=TABLE, Key={"pk": ITEM["pk"], "sk": ITEM["sk"]})["Item"] == ITEM


def test_without_a_file_everything_ends_with_it(here: Path) -> None:
    for _ in range(2):
        with Database() as database:
            assert create_table(client(database.endpoint), TABLE)


def test_a_killed_owner_leaves_no_orphan_and_loses_nothing(file: Path, owner: subprocess.Popen[str]) -> None:
    endpoint = said_by(owner)
    client(endpoint).put_item(TableName=TABLE, Item=ITEM)
    owner.kill()
    owner.wait()
    assert ends(endpoint)
    with Database(file) as database:
        found = client(database.endpoint).get_item(TableName=TABLE, Key={"pk": ITEM["pk"], "sk": ITEM["sk"]})
        assert found["Item"] == ITEM


def test_ctrl_c_reaches_the_owner_before_the_database(file: Path, owner: subprocess.Popen[str]) -> None:
    endpoint = said_by(owner)
    os.killpg(owner.pid, signal.SIGINT)
    assert owner.wait(10) == 0
    assert ends(endpoint)
    with Database(file) as database:
        found = client(database.endpoint).get_item(TableName=TABLE, Key={"pk": {"S": "last"}, "sk": {"S": "word"}})
        assert "Item" in found


def test_one_file_is_open_once(file: Path) -> None:
    with Database(file), pytest.raises(DatabaseInUse):
        Database(file).start()
    with Database(file):
        pass


def test_a_program_that_ends_at_once_is_told_with_its_words() -> None:
    with pytest.raises(DatabaseFailed, match="no such luck"):
        Guarded(["/bin/sh", "-c", "echo no such luck; exit 3"])


def test_moto_stands_in_where_npm_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    told: list[Text] = []
    with Database(tmp_path / "egret.db", folder=tmp_path / "none", say=told.append) as database:
        assert database.engine == "moto"
        local = client(database.endpoint)
        assert create_table(local, TABLE)
        local.put_item(TableName=TABLE, Item=ITEM)
        assert listens(endpoint := database.endpoint)
    assert ends(endpoint)
    (text,) = told
    assert "npm" in text.zh
    assert "不会保存" in text.zh
    assert "nothing is kept" in text.en


def test_the_stand_in_answers_one_request_at_a_time() -> None:
    """Without this, moto grants a conditional write twice now and then."""
    inside: list[int] = []
    most: list[int] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.01)
        inside.pop()
        return [b"done"]

    served = one_at_a_time(application)
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: served({}, None), range(16)))  # type: ignore[arg-type]
    assert replies == [[b"done"]] * 16
    assert max(most) == 1


def test_another_program_of_the_same_name_is_not_run(tmp_path: Path) -> None:
    (tmp_path / f"dynoxide-{dynoxide.VERSION}").write_bytes(b"#!/bin/sh\n")
    assert dynoxide.installed(tmp_path) is None


def test_what_npm_brings_is_kept_only_if_it_is_the_pinned_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def bring(npm: str, scratch: Path, package: str) -> None:
        place = scratch / "node_modules" / "@dynoxide" / dynoxide.platform_name()
        place.mkdir(parents=True)
        (place / "dynoxide").write_bytes(b"something else")

    monkeypatch.setattr(dynoxide, "SHA256", {dynoxide.platform_name(): "0" * 64})
    monkeypatch.setattr(dynoxide, "_npm_install", bring)
    monkeypatch.setattr("shutil.which", lambda _: "/npm")
    with pytest.raises(NotToBeHad, match="not the pinned program"):
        dynoxide.install(tmp_path, lambda _: None)
    assert list(tmp_path.iterdir()) == []


def test_the_client_ignores_the_users_aws_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "config"
    broken.write_text("this is no configuration")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(broken))
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "real")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setattr(dynoxide, "SHA256", {})
    with Database(folder=tmp_path, say=lambda _: None) as database:
        local = client(database.endpoint)
        assert create_table(local, TABLE)
        assert local._request_signer._credentials.access_key == "local"
