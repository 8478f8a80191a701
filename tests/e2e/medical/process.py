"""Several servers of one Egret as processes: started, killed without warning, started again on what they left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.client import Client
from infra.local.database import client as database_client
from infra.local.issuer import DevelopmentIssuer
from infra.local.stack import TABLE
from tests.e2e.offers.process import END_SECONDS, _descendants, _program, _wait_for_the_end
from tests.e2e.test_server import ROOT, environment

# By how much each server's clock is wrong. The first one starts the database, and is right.
SKEWS_MS = (0, -400, 400)


@dataclass(frozen=True, slots=True)
class Served:
    """Where a server listens, and by how much its clock is wrong."""

    url: str
    skew_ms: int


class Servers:
    """One folder, and the processes that serve it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running: list[subprocess.Popen[str]] = []
        self.database = ""
        self.all: list[Served] = []

    def start(self) -> None:
        """Runs them; returns once they serve."""
        first = self._run(SKEWS_MS[0], {})
        self._running = [first]
        said = [_said(first)]
        self.database = said[0]["database"]
        others = [self._run(skew_ms, said[0]["settled"], "join") for skew_ms in SKEWS_MS[1:]]
        self._running += others
        said += [_said(other) for other in others]
        self.all = [Served(each["url"], skew_ms) for each, skew_ms in zip(said, SKEWS_MS, strict=True)]

    def _run(self, skew_ms: int, settled: Mapping[str, str], *join: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.medical.server", str(self.folder), str(skew_ms), *join],
            cwd=ROOT, env={**environment(), **settled}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def kill(self) -> None:
        """Kills every server and the database where they stand, and waits until all are gone."""
        database = next(pid for pid in _descendants(self._running[0].pid) if "dynoxide" in _program(pid))
        for server in self._running:
            os.kill(server.pid, signal.SIGKILL)
        os.kill(database, signal.SIGKILL)
        for server in self._running:
            server.communicate(timeout=END_SECONDS)
            assert server.returncode == -signal.SIGKILL
        _wait_for_the_end(database)

    def stop(self) -> None:
        """Ends them as they end by themselves: their input is over. Who started the database goes last."""
        for server in reversed(self._running):
            if server.poll() is None:
                server.communicate(timeout=END_SECONDS)

    def client(self, people: Mapping[str, dict[str, str]] | None = None) -> Client:
        """A client of the first server that may speak as anybody, and knows these people by name."""
        made = Client(self.all[0].url, DevelopmentIssuer.kept_in(self.folder / "keys" / "issuer.pem"))
        made.people = dict(people or {})
        return made

    def items(self) -> list[dict[str, Any]]:
        """Everything in the table, read past everything that is Egret's."""
        pages = database_client(self.database).get_paginator("scan").paginate(TableName=TABLE, ConsistentRead=True)
        return [item for page in pages for item in page["Items"]]


def _said(server: subprocess.Popen[str]) -> dict[str, Any]:
    assert server.stdout is not None
    said: dict[str, Any] = json.loads(server.stdout.readline())
    return said
