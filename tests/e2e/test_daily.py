"""The local server does whatever has its day when it is told to, as the schedule does in a deployed stage."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.integration.scores import on_dynoxide

ROOT = Path(__file__).resolve().parents[2]
# An appointment with a bill that is not there cannot be kept; the one of a day to come is left alone.
RUN = """
import json, sys
from pathlib import Path
from infra.local.stack import Stack
with Stack(Path(sys.argv[1])) as stack:
    from datetime import timedelta
    from chalicelib.core import clock
    from chalicelib.core.commit import Unit
    from chalicelib.medical.store.appointments import Appointment, appoint, due_by
    from infra.local.client import Client
    city = {"city_id": "xiamen", "name": {"zh": "厦门", "en": "Xiamen"}, "time_zone": "Asia/Shanghai"}
    Client(stack.url, stack.issuer).done("POST", "/v1/cities", "alliance:alliance", city, key="admit-xiamen")
    today = clock.day_in("Asia/Shanghai", clock.now())
    nothing = stack.daily()
    for day in (today, today + timedelta(days=30)):
        unit = Unit()
        appoint(unit, Appointment("xiamen", day, "s_" + "a" * 26, "demo-bank"))
        unit.commit()
    one = stack.daily()
    with clock.fixed(clock.now() + timedelta(days=30)):
        both = stack.daily()
    left = len(list(due_by("xiamen", today + timedelta(days=30))))
print(json.dumps([nothing, one["failed"], both["failed"], left]))
"""


def test_what_has_its_day_is_done_by_the_clock_of_the_app(tmp_path: Path) -> None:
    on_dynoxide.need()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("EGRET_", "AWS_"))}
    command = [sys.executable, "-c", RUN, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env=kept, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    nothing, one, both, left = json.loads(done.stdout.splitlines()[-1])
    assert nothing == {"done": 0, "failed": 0, "all_tried": True}
    assert (one, both, left) == (1, 2, 2), "what failed is there still"
