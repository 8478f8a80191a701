"""``make run`` as a person has it: a real process, a real socket, a second start, Ctrl-C, and nothing left behind."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.local import demo_load
from infra.local.client import Client
from infra.local.issuer import DevelopmentIssuer

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 120


class Running:
    """A server process."""

    def __init__(self, process: subprocess.Popen[str], url: str, told: list[str]) -> None:
        self.process = process
        self.url = url
        self.told = told
        self.http = httpx.Client(base_url=url, timeout=30, trust_env=False)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.http.get(path, headers=headers)


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("EGRET_", "AWS_"))}
    return {**kept, "PYTHONUNBUFFERED": "1"}


@contextmanager
def served(folder: Path, *options: str) -> Iterator[Running]:
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.local.server", "--port", "0", "--folder", str(folder), *options],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield wait_for(process)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)


def wait_for(process: subprocess.Popen[str]) -> Running:
    assert process.stdout is not None
    told: list[str] = []
    deadline = time.monotonic() + START_SECONDS
    url = ""
    while time.monotonic() < deadline:
        line = process.stdout.readline()
        assert line, "the server ended:\n" + "".join(told)
        told.append(line)
        found = re.search(r"(http://127\.0\.0\.1:\d+)/docs", line)
        if found:
            url = found[1]
            return Running(process, url, told)
    raise AssertionError("the server did not say that it is ready:\n" + "".join(told))


def stop(running: Running) -> int:
    running.process.send_signal(signal.SIGINT)
    running.process.communicate(timeout=30)
    return running.process.returncode


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def token(folder: Path, actor: str) -> str:
    command = [sys.executable, "-m", "infra.cli", "token", actor, "--folder", str(folder)]
    made = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=True)
    return made.stdout.strip()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("egret")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Running]:
    """Serves with the demo loaded."""
    with served(folder) as running:
        yield running


def test_the_demo_is_there_and_the_commands_it_prints_work(server: Running, folder: Path) -> None:
    assert len(server.get("/v1/cities/xiamen/scenarios").json()["items"]) == 6
    commands = [line.strip() for line in server.told if line.strip().startswith("curl ")]
    assert len(commands) >= 3
    for command in commands:
        pasted = command.replace("make -s token AS=", f"{sys.executable} -m infra.cli token --folder {folder} ")
        ran = subprocess.run(
            ["bash", "-c", pasted], cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
        )
        assert '"items":[{' in ran.stdout, command


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing/here", 404, "not-found"),
        ("GET", "/v1/cities/", 200, None),
        ("PATCH", "/v1/cities", 405, "method-not-allowed"),
        ("GET", "/v1/me", 401, "unauthenticated"),
        ("GET", "/v1/cities/xi%2Famen", 404, "not-found"),
    ],
)
def test_everything_is_answered_in_one_form(
    server: Running, method: str, path: str, status: int, code: str | None
) -> None:
    answer = server.http.request(method, path, headers={"Authorization": "Bearer s3cret"})
    assert answer.status_code == status
    assert "s3cret" not in answer.text
    if code is not None:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == code


def test_a_body_beyond_the_gateways_limit_is_refused_unread(server: Running) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
        raw.sendall(b"POST /v1/cities HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
        assert b" 413 " in raw.recv(4096).split(b"\r\n")[0]


def test_a_body_without_a_length_is_refused(server: Running) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
        raw.sendall(b"POST /v1/cities HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert b" 400 " in raw.recv(4096).split(b"\r\n")[0]


def raw_answer(server: Running, sent: bytes) -> bytes:
    """All that comes back for some bytes, until the server hangs up."""
    received = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
        raw.sendall(sent)
        while more := raw.recv(65_536):
            received += more
    return received


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"TRACE /s3cret HTTP/1.1\r\nHost: x\r\nAuthorization: s3cret\r\n\r\n", 405, "method-not-allowed"),
        (b"CONNECT s3cret:443 HTTP/1.1\r\nHost: x\r\n\r\n", 405, "method-not-allowed"),
        (b"S3CRET /v1/cities HTTP/1.1\r\nHost: x\r\n\r\n", 405, "method-not-allowed"),
        (b"GET /" + b"s3cret" * 12_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 400, "malformed-request"),
        (b"GET / HTTP/1.1\r\n" + b"X-S3cret: 1\r\n" * 200 + b"\r\n", 400, "malformed-request"),
        (b"GET / HTTP/1.1\r\nX-S3cret: " + b"a" * 70_000 + b"\r\n\r\n", 400, "malformed-request"),
        (b"s3cret\r\n\r\n", 400, "malformed-request"),
        (b"<s3cret> and more words of it\r\n\r\n", 400, "malformed-request"),
        (b"GET /s3cret HTTP/9.9\r\nHost: x\r\n\r\n", 400, "malformed-request"),
        (b"GET /s3cret SPDY/1\r\nHost: x\r\n\r\n", 400, "malformed-request"),
    ],
)
def test_what_is_no_request_of_ours_is_answered_in_the_one_form_too(
    server: Running, sent: bytes, status: int, code: str
) -> None:
    head, _, body = raw_answer(server, sent).partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"application/problem+json" in head
    assert (json.loads(body)["status"], json.loads(body)["code"]) == (status, code)
    assert b"s3cret" not in (head + body).lower()
    assert b"<" not in body


def test_the_reference_page_needs_nothing_from_elsewhere(server: Running) -> None:
    page = server.get("/docs", Accept="text/html")
    assert page.status_code == 200
    assert not re.search(r"""(src|href)=["'](https?:)?//""", page.text)
    for asset in re.findall(r"""(?:src|href)=["']([^"'#]+\.(?:js|css))["']""", page.text):
        found = server.get(str(httpx.URL(server.url + "/docs/").join(asset).raw_path.decode()))
        assert found.status_code == 200, asset


def test_the_openapi_document_names_every_route(server: Running) -> None:
    document: dict[str, Any] = server.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert "/v1/decisions" in document["paths"]


def test_the_plots_of_the_start_page_are_there(server: Running) -> None:
    for path in re.findall(r'src="([^"]+)"', server.get("/").text):
        assert server.get(path).headers["content-type"].startswith("image/svg+xml"), path


def test_it_listens_on_this_computer_only(server: Running) -> None:
    listed = Path("/proc/net/tcp")
    if not listed.exists():
        pytest.skip("no /proc/net/tcp here")
    local = {line.split()[1] for line in listed.read_text().splitlines()[1:] if line.split()[3] == "0A"}
    mine = [address for address in local if address.endswith(f":{server.port:04X}")]
    assert mine == [f"0100007F:{server.port:04X}"]


def test_a_second_start_keeps_the_data_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    city = {"city_id": "testville", "name": {"zh": "试", "en": "Test"}, "time_zone": "Asia/Shanghai"}
    with served(tmp_path, "--empty") as first:
        alliance = {"Authorization": "Bearer " + token(tmp_path, "alliance"), "Idempotency-Key": "admit-testville"}
        assert first.http.post("/v1/cities", json=city, headers=alliance).status_code == 201
        port = first.port
        assert stop(first) == 0
        assert not listening(port)
    with served(tmp_path, "--empty") as second:
        if "Dynoxide" in "".join(second.told):
            assert second.get("/v1/cities/testville").json()["name"]["en"] == "Test"
        assert stop(second) == 0


def test_a_port_in_use_is_said_in_a_sentence(server: Running, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "infra.local.server", "--port", str(server.port), "--folder", str(tmp_path)]
    ran = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 1
    assert "cannot be used" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_folder_that_cannot_be_used_is_not_blamed_on_the_port(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "egret"
    command = [sys.executable, "-m", "infra.local.server", "--port", "0", "--folder", str(folder)]
    ran = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 1
    assert "Not a directory" in ran.stderr
    assert str(tmp_path / "file") in ran.stderr
    assert "port" not in ran.stderr
    assert "Traceback" not in ran.stderr


def test_loading_goes_on_on_another_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(tmp_path, "--empty") as running:
        issuer = DevelopmentIssuer.kept_in(tmp_path / "keys" / "issuer.pem")
        demo_load.load(Client(running.url, issuer), tmp_path)
        (tmp_path / demo_load.PEOPLE_FILE).unlink()
        tomorrow = demo_load.now() + timedelta(days=1)
        monkeypatch.setattr(demo_load, "now", lambda: tomorrow)
        client = Client(running.url, issuer)
        demo_load.load(client, tmp_path)
        consents = client.done("GET", "/v1/me/consents", "citizen:hz-705")["items"]
    assert len(consents) == len(demo_load.CONSENTS)


def test_a_demo_that_cannot_be_loaded_is_said_in_a_sentence(tmp_path: Path) -> None:
    with served(tmp_path, "--empty") as running:
        if "Dynoxide" not in "".join(running.told):
            pytest.skip("in memory nothing is kept from the first start")
        client = Client(running.url, DevelopmentIssuer.kept_in(tmp_path / "keys" / "issuer.pem"))
        other = {"city_id": "xiamen", "name": {"zh": "鹭", "en": "Other"}, "time_zone": "Asia/Shanghai"}
        client.done("POST", "/v1/cities", "alliance:alliance", other, key="admit-xiamen")
    command = [sys.executable, "-m", "infra.local.server", "--port", "0", "--folder", str(tmp_path)]
    ran = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 1
    assert "演示数据没有载入完" in ran.stderr
    assert "This Idempotency-Key was used with another body" in ran.stderr
    assert "Traceback" not in ran.stderr
