"""What many threads of one process do for the first time at once, as on the local server. Lambda runs one at a time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

# A broken belief here ends the whole process without a word, so that it has to be another one.
READ_AT_ONCE = """
import json, sys, time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import make_dataclass
from chalicelib.core import codec

sys.setswitchinterval(1e-6)
parts = [f"part_{n}" for n in range(30)]
for take in range(40):
    within = [make_dataclass(f"Part{take}_{name}", [("one", int), ("two", str)], frozen=True) for name in parts]
    whole = make_dataclass(f"Whole{take}", list(zip(parts, within)), frozen=True)
    body = {name: {"one": 1, "two": "b"} for name in parts}
    if len(sys.argv) > 1:
        read = lambda: codec.build(whole, body)
    else:
        read = lambda: codec.from_json(whole, json.dumps(body))
    def late(n):
        time.sleep(n * 0.0005)
        return read()
    with ThreadPoolExecutor(8) as pool:
        assert len({codec.to_json(found) for found in pool.map(late, range(8))}) == 1
"""


def test_a_type_is_read_by_many_threads_before_any_has_read_it() -> None:
    for options in ([], ["build"]):
        ran = subprocess.run(
            [sys.executable, "-c", READ_AT_ONCE, *options], cwd=ROOT, capture_output=True, text=True, timeout=60
        )
        assert ran.returncode == 0, ran.stderr
