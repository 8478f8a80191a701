"""The local server's own bank: told of what happens while it runs, on from there after a restart, and reconciled."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.integration.scores import on_dynoxide

ROOT = Path(__file__).resolve().parents[2]
# The first run captures twice and lets one answer be lost; each run says what the bank's file is compared to.
RUN = """
import json, subprocess, sys, time
from datetime import date
from pathlib import Path
from infra.local.stack import Stack
folder = Path(sys.argv[1])
with Stack(folder) as stack:
    from chalicelib.cities.rules import City
    from chalicelib.cities.store import create_city
    from chalicelib.core import clock, codec
    from chalicelib.core.commit import Unit
    from chalicelib.core.text import Text
    from chalicelib.ledger.rules import lines
    from chalicelib.medical import store
    from chalicelib.medical.rules import Charge, Policy
    from chalicelib.medical.rules.credit import CreditLine
    from chalicelib.medical.store import outbox
    from chalicelib.partners.rules import Partner
    from chalicelib.partners.store import create_partner
    from chalicelib.subjects.rules import AccountRef
    import httpx
    line = CreditLine("xiamen", "demo-bank", AccountRef("xiamen", "s_x"), lines.opened(10_000, clock.now()), 1,
                      date(2026, 7, 1), 0, 10_000)
    if sys.argv[2] == "1":
        unit = Unit()
        create_city(unit, City("xiamen", Text("厦门", "Xiamen"), "Asia/Shanghai"))
        create_partner(unit, Partner("xiamen", "demo-bank", "bank", Text("银行", "Bank"), "91999999000000001X"))
        terms = Path("chalicelib/medical/data/xiamen_demo_bank.json").read_text("utf-8")
        store.save_version(unit, codec.build(Policy, json.loads(terms)))
        unit.commit()
        said = httpx.post(stack.bank.url + "/misbehave", json={"next": ["lose-answer"]}, trust_env=False)
        assert said.status_code == 200
        for version in (1, 2):
            unit = Unit()
            charge = Charge(f"xiamen.c{version}", "demo-hospital", "V", "I", date(2026, 7, 1), 500 * version,
                            date(2026, 8, 12), 1, 500)
            store.append_event(unit, line, version, charge)
            unit.commit()
    until = time.monotonic() + 60
    states = lambda: sorted(one.state for one in outbox.every_instruction("xiamen", "demo-bank"))
    while states() != ["accepted", "accepted"] and time.monotonic() < until:
        time.sleep(0.1)
    stack.drain()
    book = httpx.get(stack.bank.url + "/book.csv", trust_env=False).text
    (folder / "book.csv").write_text(book)
    command = [sys.executable, "-m", "infra.cli", "reconcile", str(folder / "book.csv"), "--city", "xiamen",
               "--bank", "demo-bank", "--json", "--endpoint", stack.database.endpoint, "--folder", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    asked = len(stack.bank.asked)
print(json.dumps({"counts": found["counts"], "rows": found["rows"], "asked": asked}))
"""


def run(folder: Path, number: int) -> Any:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("EGRET_", "AWS_"))}
    command = [sys.executable, "-c", RUN, str(folder), f"{number}"]
    done = subprocess.run(command, cwd=ROOT, env=kept, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_bank_hears_of_captures_once_also_after_a_restart(tmp_path: Path) -> None:
    on_dynoxide.need()
    # The charges are not in the ledger: this test has written their events alone.
    assert run(tmp_path, 1) == {"counts": {"not_in_ledger": 2}, "rows": 2, "asked": 3}
    assert run(tmp_path, 2) == {"counts": {"not_in_ledger": 2}, "rows": 2, "asked": 0}
