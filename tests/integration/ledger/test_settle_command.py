"""``egret settle``: closes over HTTP, and checks on the table itself."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import httpx
import pytest

from chalicelib.core import clock, config, table
from chalicelib.ledger import service, store
from chalicelib.ledger.service import closing
from chalicelib.ledger.store import statements as stored
from infra.cli import client
from infra.cli.main import main
from tests.conftest import ISSUER, Api
from tests.integration.ledger.settling import SCOPES, Sales, day, load, noon
from tests.integration.ledger.test_closing_under_way import closed
from tests.integration.scores import on_dynoxide
from tests.unit.ledger.books import FARM

DAY_0 = f"{day(0)}"


class InProcess(httpx.BaseTransport):
    """Hands requests to the app in this process."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        headers = {name: value for name, value in request.headers.items() if name != "content-type"}
        answer = self.api.call(request.method, request.url.path, headers=headers, key="", raw=request.read())
        return httpx.Response(answer.status, headers=answer.headers, text=answer.text)


@pytest.fixture
def sales(api: Api, monkeypatch: pytest.MonkeyPatch) -> Sales:
    load()
    monkeypatch.setattr(client, "transport", lambda: InProcess(api))
    made = Sales()
    sold = made.sell(noon(0), 8801, 4401)
    made.sell(noon(0, 1))
    made.refund(sold, noon(0, 2))
    return made


def token() -> str:
    return ISSUER.token("merchant", "qingliu-farm", "xiamen", scope=SCOPES, now=noon(9))


def settle(*options: str) -> int:
    return command("settle", "xiamen", "qingliu-farm", *options)


def command(*options: str) -> int:
    with clock.fixed(noon(9)):
        return main(options)


def test_it_closes_and_shows_the_statement(sales: Sales, capsys: pytest.CaptureFixture[str]) -> None:
    assert settle(DAY_0, "--token", token()) == 0
    shown = capsys.readouterr().out
    signed = store.load_statement(FARM, day(0))
    for text in ("No. 1", "36.00", "-88.01", "9.00", "xiamen/bank/demo-bank", signed.statement.lines_sha256):
        assert text in shown
    assert shown.count("9.00") >= 3


def test_it_goes_on_until_the_day_is_closed(
    sales: Sales, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closing, "PATIENCE_SECONDS", 0.0)
    assert settle(f"{day(3)}", "--token", token()) == 0
    assert capsys.readouterr().err.count("still open") == 3
    assert store.load_statement(FARM, day(3)).statement.number == 4


def test_it_checks_what_was_closed(sales: Sales, capsys: pytest.CaptureFixture[str]) -> None:
    closed(0)
    assert settle(DAY_0, "--check") == 0
    assert "every byte" in capsys.readouterr().out
    sales.sell(noon(0, 3))
    assert settle(DAY_0, "--check") == 0
    assert "will take up: 1" in capsys.readouterr().out


@pytest.mark.parametrize("where", ["page", "head", "effect"])
def test_LEDGER_it_finds_what_was_changed(
    sales: Sales, capsys: pytest.CaptureFixture[str], where: str
) -> None:  # fmt: skip
    closed(0)
    from tests.integration.ledger.test_books import stored as effect_of

    row: Any
    if where == "effect":
        row = effect_of(sales.posted[1])
        row.postings = row.postings.replace("540", "541")
    elif where == "page":
        row = table.get(stored._PageRow, stored._page_key(FARM, day(0), 1))
        row.lines = row.lines.replace("540", "541")
    else:
        row = table.get(stored._StatementRow, stored._head_key(FARM, day(0)))
        row.document = row.document.replace('"lines":3', '"lines":4')
    row.save()
    assert settle(DAY_0, "--check") == 1
    assert "✓" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["settle", "xiamen", "qingliu-farm", DAY_0], 2),
        (["settle", "xiamen", "qingliu-farm", DAY_0, "--check"], 3),
        (["settle", "xiamen", "nobody", DAY_0, "--check"], 3),
        (["settle", "xiamen", "other-shop", DAY_0, "--token", "token"], 3),
        (["settle", "xiamen", "qingliu-farm", "2999-01-01", "--token", "token"], 3),
    ],
)
def test_what_cannot_be_done_is_said(
    sales: Sales, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, options: list[str], code: int
) -> None:
    monkeypatch.delenv("EGRET_TOKEN", raising=False)
    assert command(*(token() if option == "token" else option for option in options)) == code
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_LEDGER_from_a_real_table_by_the_command_alone() -> None:
    """On Dynoxide, from a process that knows nothing but the endpoint, not even the key that signed."""
    on_dynoxide.need()
    with on_dynoxide.fresh_table() as endpoint:
        load()
        sales = Sales()
        sold = sales.sell(noon(0))
        closed(0)
        sales.refund(sold, noon(1))
        closed(1)
        known = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "EGRET_"))}
        command = [sys.executable, "-m", "infra.cli", "settle", "xiamen", "qingliu-farm", f"{day(1)}"]
        done = subprocess.run(
            [*command, "--check", "--endpoint", endpoint],
            env={**known, "EGRET_TABLE": config.current().table},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "every byte" in done.stdout
        assert service.reproduce(FARM, day(1)).found.statement.closing_fen == 0
