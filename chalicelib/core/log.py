"""One JSON line per event, with only the fields named here: nothing personal can slip into a line.

Levels: ``info`` for what happened, ``error`` for what Egret did wrong. The request id ties lines together.
"""

from __future__ import annotations

import json
import sys
import traceback
from contextvars import ContextVar
from typing import TextIO

FIELDS = frozenset(
    {"method", "route", "status", "code", "duration_ms", "function", "conflicts", "error_type", "error_place"}
)

request_id: ContextVar[str] = ContextVar("request_id", default="-")
# Where lines go; None: standard output, which Lambda keeps.
sink: TextIO | None = None


def event(name: str, level: str = "info", **fields: str | int | float | bool | None) -> None:
    """Writes one line. A field that is not in ``FIELDS`` is a broken belief."""
    unknown = fields.keys() - FIELDS
    assert not unknown, f"not a field of the log: {sorted(unknown)}"
    line = {"event": name, "level": level, "request_id": request_id.get(), **fields}
    (sink or sys.stdout).write(json.dumps(line, ensure_ascii=False) + "\n")


def crash(error: BaseException) -> None:
    """Writes where an unforeseen error came from: type and places, never its message, which may quote input."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    place = " < ".join(f"{f.filename.rsplit('/', 1)[-1]}:{f.lineno} {f.name}" for f in reversed(frames))
    event("crash", "error", error_type=type(error).__name__, error_place=place)
