"""The local server reads its stream by itself: counted while it runs, on from there after a restart, never twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from chalicelib.core import clock
from tests.integration.scores import on_dynoxide

ROOT = Path(__file__).resolve().parents[2]
# Sells ten times, and in the second run once more; says what the city is shown, after a drain or in its own time.
RUN = """
import json, sys, time
from pathlib import Path
from infra.local.stack import Stack
with Stack(Path(sys.argv[1])) as stack:
    from chalicelib.cities import store as cities
    from chalicelib.cities.rules import Control
    from chalicelib.core import clock, effect
    from chalicelib.core.commit import Unit
    from infra.local.client import Client
    run = sys.argv[2]
    if run == "1":
        unit = Unit()
        cities.save_control(unit, Control("xiamen", "Asia/Shanghai", scenarios={"library": ()}), seen_revision=0)
        unit.commit()
    today = sys.argv[3]
    facts = {"v": 1, "quote_id": "xiamen.q", "scenario_id": "library", "district": None, "visitor": False, "units": 1,
             "saved_fen": 100, "list_fen": 200, "day": f"{today}"}
    for n in range(10 if run == "1" else 1):
        intent = effect.intend("xiamen", "merchant", "farm", "POST /v1/x", f"key-{run}-{n}", facts)
        unit = Unit()
        unit.effect(effect.row(intent, clock.now(), purpose="redeem:xiamen/library", facts=facts, reply={}))
        unit.commit()
    client = Client(stack.url, stack.issuer)
    ask = lambda: client.done("GET", f"/v1/cities/xiamen/statistics?from={today}&to={today}", "city:xiamen")
    seen, until = ask(), time.monotonic() + 30
    while run == "2" and seen["figures"]["uses"] < 11 and time.monotonic() < until:
        time.sleep(0.1)
        seen = ask()
    if run == "1":
        stack.drain()
        seen = ask()
print(json.dumps(seen["figures"]))
"""


def run(folder: Path, number: int, day: date) -> Any:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("EGRET_", "AWS_"))}
    command = [sys.executable, "-c", RUN, str(folder), f"{number}", f"{day}"]
    done = subprocess.run(command, cwd=ROOT, env=kept, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("forgotten", [False, True], ids=["on from there", "the place forgotten"])
def test_a_restart_counts_what_is_new_and_nothing_twice(tmp_path: Path, forgotten: bool) -> None:
    on_dynoxide.need()
    # One day for both runs, also where midnight is between them.
    today = clock.day_in("Asia/Shanghai", clock.now())
    assert run(tmp_path, 1, today) == {"uses": 10, "visitor_uses": 0, "saved_fen": 1000}
    place = tmp_path / "data" / "stream.json"
    assert list(json.loads(place.read_text("utf-8"))["places"].values()) != []
    if forgotten:
        place.unlink()
    assert run(tmp_path, 2, today) == {"uses": 11, "visitor_uses": 0, "saved_fen": 1100}
