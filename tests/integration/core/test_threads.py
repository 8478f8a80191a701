"""What several threads of one process do for the first time at once, as on the local server. In Lambda there is one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

# A process of its own: without the lock it is the whole process that ends. The type of ``one`` is found out while the
# second thread reads; it goes on when that one has read, or has been waiting for long enough.
READ_AT_ONCE = """
import threading
from dataclasses import dataclass
from chalicelib.core import codec

half_learnt, read = threading.Event(), threading.Event()

def number():
    half_learnt.set()
    read.wait(0.5)
    return int

@dataclass(frozen=True)
class Part:
    one: "number()"

@dataclass(frozen=True)
class Whole:
    first: Part
    second: str

def second():
    half_learnt.wait()
    assert {how} == Whole(Part(1), "b")
    read.set()

other = threading.Thread(target=second)
other.start()
assert {how} == Whole(Part(1), "b")
other.join()
assert read.is_set()
"""


@pytest.mark.parametrize(
    "how",
    [
        """codec.from_json(Whole, '{"first": {"one": 1}, "second": "b"}')""",
        """codec.build(Whole, {"first": {"one": 1}}, second="b")""",
    ],
    ids=["from_json", "build"],
)
def test_a_type_is_read_by_two_threads_before_any_has_read_it(how: str) -> None:
    script = READ_AT_ONCE.replace("{how}", how)
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
