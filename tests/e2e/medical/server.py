"""A program: one of several servers of one Egret, whose clock is wrong, until its input ends. Run it as a process.

Usage: python -m tests.e2e.medical.server FOLDER SKEW_MS [join]

The first one starts the database, and keeps what it finds in the folder; the others join it, in the environment that it
has settled. It prints one line of JSON: where it and the database listen, and this environment. A hold's day takes
``LIFE_MS`` here, so that holds lapse meanwhile.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from infra.local.httpd import LocalServer
from infra.local.issuer import DevelopmentIssuer
from infra.local.pages import Pages
from infra.local.stack import Stack

LIFE_MS = 1_500
SHOWN_A_MINUTE = 1_000
CEILING_FEN = 300_000
SETTLED = ("EGRET_", "AWS_")


def first(folder: Path, skew_ms: int) -> None:
    """Serves on a database of its own."""
    with Stack(folder) as stack:
        wrong_by(timedelta(milliseconds=skew_ms))
        unheard()
        lend()
        settled = {name: value for name, value in os.environ.items() if name.startswith(SETTLED)}
        tell({"url": stack.url, "database": stack.database.endpoint, "settled": settled})


def join(folder: Path, skew_ms: int) -> None:
    """Serves on the database that another server has started."""
    from app import app
    from chalicelib.core import log
    from infra.local.gateway import Gateway

    issuer = DevelopmentIssuer.kept_in(folder / "keys" / "issuer.pem")
    server = LocalServer(0, Pages(issuer).page, lambda *_: None)
    with (folder / f"log{skew_ms}.jsonl").open("a", encoding="utf-8", buffering=1) as log.sink:
        server.gateway = Gateway(app)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        wrong_by(timedelta(milliseconds=skew_ms))
        tell({"url": server.url})
        server.shutdown()


def tell(said: dict[str, object]) -> None:
    """Tells that it serves; returns once nobody needs it."""
    print(json.dumps(said), flush=True)
    sys.stdin.read()


def wrong_by(skew: timedelta) -> None:
    """Sets this server's clock, and how fast time passes for holds and passes."""
    # Only now: the app reads its environment, which the stack has set, as it is imported.
    from chalicelib.core import clock
    from chalicelib.medical.rules import credit
    from chalicelib.subjects.store import passes

    right = clock.now
    clock.now = lambda: right() + skew
    assert credit.DAY_SECONDS == 86_400, "a hold lasts some days"
    credit.DAY_SECONDS = LIFE_MS / 1_000  # type: ignore[assignment]
    passes.PASSES_PER_MINUTE = SHOWN_A_MINUTE  # type: ignore[attr-defined]


def unheard() -> None:
    """No line hears of a new score from the stream: at an instant that nobody is told it would fold what has lapsed.

    A hold decides anew anyhow, and so does who looks. What the stream does is proved with the machine of visits.
    """
    from chalicelib.core import stream
    from chalicelib.medical.service.regrading import regrade

    stream._CONSUMERS["account"].remove(regrade)


def lend() -> None:
    """Puts the bank's policy in force as if it had been reviewed: a hold lasts a day."""
    from chalicelib.core.commit import Unit
    from chalicelib.core.errors import Conflict
    from chalicelib.medical import store
    from chalicelib.medical.rules import Life
    from chalicelib.medical.rules.heads import Head, Listed
    from tests.unit.medical import ward

    now = datetime.now(UTC)
    policy = ward.policy(hold_days=1, ceiling_fen=CEILING_FEN)
    life = Life("approved", ("author",), now - timedelta(days=3), "reviewer")
    unit = Unit()
    store.save_version(unit, policy)
    listed = {policy.version: Listed(life, policy.valid_from, policy.valid_to)}
    store.save_head(unit, Head(policy.city_id, policy.bank_id, policy.version, listed, policy.shards))
    try:
        unit.commit()
    except Conflict:
        return  # an earlier start has done it


if __name__ == "__main__":
    (join if sys.argv[3:] else first)(Path(sys.argv[1]), int(sys.argv[2]))
