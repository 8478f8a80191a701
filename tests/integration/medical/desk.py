"""Somebody at the bank's desk: he runs `egret reconcile` on the bank's file, and closes what he has looked into."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from chalicelib.core import clock
from infra.cli.main import main
from tests.in_process import Answer
from tests.integration.medical.banking import Core
from tests.integration.medical.clinic import Clinic
from tests.world import XIAMEN

OPERATOR = "bank:demo-bank@xiamen/ou"
DIFFERENCES = "/v1/credit-differences"

Report = dict[str, Any]


def fresh(core: Core) -> Core:
    """A bank that has done all that it was asked so far: one person's loan and one payment of his."""
    core.start_afresh()
    who, _, _ = core.indebted(30_000)
    core.paying(who, 5_000)
    core.send()
    return core


class Clerk:
    """Runs the command on the bank's file as it stands, or as the test leaves it."""

    def __init__(self, core: Core, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.core = core
        self.path = path
        self.capsys = capsys

    def lines(self) -> list[str]:
        return self.core.bank.book.csv().splitlines()

    def run(self, lines: list[str] | None = None, *options: str, bank: str = "demo-bank") -> tuple[int, str]:
        self.path.write_text("\n".join(self.lines() if lines is None else lines) + "\n", "utf-8")
        self.capsys.readouterr()
        code = main(["reconcile", str(self.path), "--city", "xiamen", "--bank", bank, *options])
        return code, self.capsys.readouterr().out

    def report(self, lines: list[str] | None = None, *options: str, bank: str = "demo-bank") -> tuple[int, Report]:
        code, out = self.run(lines, "--json", *options, bank=bank)
        found: Report = json.loads(out)
        return code, found

    def counts(self, lines: list[str] | None = None, *options: str) -> dict[str, int]:
        code, found = self.report(lines, *options)
        assert code == (1 if found["left"] else 0)
        counts: dict[str, int] = found["counts"]
        return counts

    def close(self, close: Any, actor: str = OPERATOR, *, key: str = "", **why: Any) -> Answer:
        """Closes a difference by what the report has in `close`."""
        return self.core.clinic.post(DIFFERENCES, actor, {**close, "reason": "looked-into", **why}, key=key)


def row(instruction_id: str, kind: str = "collect", amount: str = "50.00", state: str = "accepted") -> str:
    return f"{instruction_id},{kind},{amount},{today()},{state},B77"


def today() -> date:
    return clock.day_in("Asia/Shanghai", clock.now())


def staffed(clinic: Clinic) -> None:
    """The demo bank with an author and an operator."""
    path = "/v1/cities/xiamen/partners/demo-bank"
    seen = clinic.world.send("GET", path, XIAMEN)
    listed = [{"sub": "bao", "roles": ["author"]}, {"sub": "ou", "roles": ["operator"]}]
    body = {"name": seen.body["name"], "status": "active", "staff": listed}
    assert clinic.world.send("PUT", path, XIAMEN, body, if_match=seen.headers["etag"]).status == 200
