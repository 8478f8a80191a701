"""``egret export-ledger``: what is in the table, complete, and checked by somebody else's program."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from chalicelib.cities.rules import City
from chalicelib.cities.store import create_city
from chalicelib.core import config, effect, table
from chalicelib.core.commit import Unit
from chalicelib.core.text import Text
from chalicelib.ledger import store
from chalicelib.ledger.rules import Entry, Party
from chalicelib.partners.rules import Partner
from chalicelib.partners.store import create_partner
from infra.cli import export_ledger
from infra.cli.main import main
from tests.integration.ledger.posting import entry_of, post
from tests.integration.scores import on_dynoxide
from tests.unit.ledger.books import CITY, DAY, FARM, NOON, funded
from tests.unit.ledger.test_exports import checked

SHOP = Party("xiamen", "merchant", "other-shop")


def load() -> list[Entry]:
    """A city with two merchants and five entries in three books."""
    unit = Unit()
    create_city(unit, City("xiamen", Text("厦门", "Xiamen"), "Asia/Shanghai"))
    for number, party in enumerate((FARM, SHOP)):
        name = Text("商户", "Merchant")
        create_partner(unit, Partner("xiamen", party.partner_id, "merchant", name, f"91999999{number:09d}X"))
    unit.commit()
    posted = []
    for number in range(5):
        book = (FARM, FARM, FARM, SHOP, CITY)[number]
        postings = [
            p._replace(account=p.account.replace(FARM.name, SHOP.name)) for p in funded(3600, 1799, 0, 6000, 4000)
        ]
        mine = postings if book == SHOP else funded(8801, 4401 + number, 5000, 5000)
        key = f"key-{number:05d}"
        posted.append(post(key, entry_of(key, NOON + timedelta(hours=6 * number), book, mine)))
    return posted


@pytest.fixture
def posted(table: None) -> list[Entry]:
    return load()


Export = Callable[..., str]


@pytest.fixture
def export(capsys: pytest.CaptureFixture[str]) -> Export:
    """The output of the command, which must succeed."""

    def run(*options: str) -> str:
        capsys.readouterr()
        assert main(["export-ledger", "--city", "xiamen", *options]) == 0
        return capsys.readouterr().out

    return run


def test_LEDGER_what_is_exported_passes_bean_check(tmp_path: Path, posted: list[Entry], export: Export) -> None:
    said = checked(tmp_path / "xiamen.beancount", text := export())
    assert (said.returncode, said.stderr) == (0, "")
    assert all(f"^{entry.entry_id}\n" in text for entry in posted)


def test_csv_holds_every_posting_once(posted: list[Entry], export: Export) -> None:
    rows = list(csv.DictReader(export("--format", "csv").splitlines()))
    found = [(r["entry_id"], r["account"], int(r["amount"].replace(".", ""))) for r in rows]
    assert sorted(found) == sorted((e.entry_id, p.account, p.amount) for e in posted for p in e.postings)
    assert len(set(found)) == len(found)


def test_a_book_and_days_may_be_chosen(posted: list[Entry], export: Export) -> None:
    def ids(*options: str) -> list[str]:
        lines = export("--format", "csv", *options).splitlines()[1:]
        return list(dict.fromkeys(line.split(",")[3] for line in lines))

    all_ids = [entry.entry_id for entry in posted]
    assert ids("--book", "merchant/qingliu-farm") == all_ids[:3]
    assert ids("--book", "city", "--book", "merchant/other-shop") == [all_ids[4], all_ids[3]]
    assert ids("--book", "merchant/qingliu-farm", "--until", f"{DAY + timedelta(days=1)}") == all_ids[:2]
    assert ids("--book", "merchant/qingliu-farm", "--from", f"{DAY + timedelta(days=1)}") == all_ids[2:3]
    assert ids("--book", "platform") == []


def test_a_trial_balance_adds_up(posted: list[Entry], export: Export) -> None:
    lines = export("--format", "trial-balance").splitlines()
    (total,) = [line for line in lines if "合计 total" in line]
    debit = sum(p.amount for e in posted for p in e.postings if p.amount > 0)
    assert total.count(f"{debit // 100}.{debit % 100:02d}") == 2
    assert " 0.00 " in total


def test_a_file_is_complete_or_not_there(
    tmp_path: Path, posted: list[Entry], export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "xiamen.csv"
    assert export("--format", "csv", "--out", str(target)) == ""
    assert target.read_bytes().decode().count("\r\n") == 1 + sum(len(entry.postings) for entry in posted)
    whole = target.read_bytes()
    lost = EndpointConnectionError(endpoint_url="")
    monkeypatch.setattr(store, "confirmed", lambda entries: (_ for _ in ()).throw(lost))
    assert main(["export-ledger", "--city", "xiamen", "--confirm", "--out", str(target)]) == 3
    assert target.read_bytes() == whole
    assert list(tmp_path.iterdir()) == [target]


def test_what_was_exported_is_said_beside_it(posted: list[Entry], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export-ledger", "--city", "xiamen", "--confirm"]) == 0
    postings = sum(len(entry.postings) for entry in posted)
    assert f"5 entries, {postings} postings" in capsys.readouterr().err


def test_a_terminal_shows_how_far_it_has_come_where_the_export_itself_goes_elsewhere(
    tmp_path: Path, posted: list[Entry], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(export_ledger, "EVERY", 2)
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes the captured stream for a terminal
    assert main(["export-ledger", "--city", "xiamen", "--out", str(tmp_path / "x")]) == 0
    assert "entries exported" in capsys.readouterr().err
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(["export-ledger", "--city", "xiamen"]) == 0
    assert "entries exported" not in capsys.readouterr().err


@pytest.mark.parametrize("confirm", [True, False])
def test_LEDGER_books_that_were_tampered_with_are_not_exported(
    posted: list[Entry], capsys: pytest.CaptureFixture[str], confirm: bool
) -> None:
    row = effect.find(posted[2].entry_id)
    assert row is not None
    assert row.postings is not None
    row.postings = row.postings.replace("4403", "4404").replace("-8801", "-8802") if confirm else "{}"
    row.save()
    options = ["--confirm"] if confirm else []
    assert main(["export-ledger", "--city", "xiamen", "--format", "csv", *options]) == 1
    said = capsys.readouterr().err
    assert "cannot be trusted" in said
    if confirm:
        assert posted[1].entry_id in said


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--book", "qingliu-farm"], 2),
        (["--book", "../xiamen/city"], 2),
        (["--from", "2026-05-02", "--until", "2026-05-02"], 2),
        (["--out", "/nowhere/at/all.csv"], 2),
        (["--city", "atlantis"], 3),
    ],
)
def test_what_cannot_be_done_is_said(
    posted: list[Entry], capsys: pytest.CaptureFixture[str], options: list[str], code: int
) -> None:
    assert main(["export-ledger", "--city", "xiamen", *options]) == code
    assert len(capsys.readouterr().err.splitlines()) == 2


@pytest.mark.parametrize("options", [["--from", "yesterday"], ["--format", "xml"], []])
def test_wrong_usage_ends_with_two(options: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["export-ledger", *(["--city", "xiamen"] if options else []), *options])
    assert ended.value.code == 2


def test_LEDGER_from_a_real_table_by_the_command_alone(tmp_path: Path) -> None:
    """On Dynoxide, which keeps to the projection of the index, from a process that knows nothing but the endpoint."""
    on_dynoxide.need()
    target = tmp_path / "xiamen.beancount"
    with on_dynoxide.fresh_table() as endpoint:
        posted = load()
        known = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "EGRET_"))}
        command = [sys.executable, "-m", "infra.cli", "export-ledger", "--city", "xiamen", "--endpoint", endpoint]
        done = subprocess.run(
            [*command, "--confirm", "--out", str(target)],
            env={**known, "EGRET_TABLE": config.current().table},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        line = raw_line(posted[0])
        assert sorted(line) == sorted(["pk", "sk", "gsi2pk", "gsi2sk", *table.Gsi2.Meta.projection.non_key_attributes])
    text = target.read_text("utf-8")
    assert all(f"^{entry.entry_id}\n" in text for entry in posted)
    assert checked(target, text).returncode == 0


def raw_line(entry: Entry) -> dict[str, Any]:
    """The entry's line as the index holds it."""
    found = table.connection().client.query(
        TableName=config.current().table,
        IndexName="gsi2",
        KeyConditionExpression="gsi2pk = :book",
        ExpressionAttributeValues={":book": {"S": "xiamen#book#" + entry.book.partition("/")[2]}},
    )
    line: dict[str, Any] = found["Items"][0]
    return line
