"""The stall as a process: started, killed without warning, started again on what it left; and its table read from
outside, past everything that is Egret's.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from infra.local.client import Client
from infra.local.database import client as database_client
from infra.local.issuer import DevelopmentIssuer
from infra.local.stack import TABLE
from tests.e2e.test_server import ROOT, environment

END_SECONDS = 30


class StallProcess:
    """One folder, and the process that serves it."""

    def __init__(self, folder: Path, stocks: Mapping[str, int]) -> None:
        self.folder = folder
        self._stocks = [f"{name}={stock}" for name, stock in stocks.items()]
        self._running: subprocess.Popen[str] | None = None
        self._numbers = itertools.count()
        self.url = self.database = ""

    def start(self) -> None:
        """Runs it; returns once it serves."""
        self._running = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.offers.stall", str(self.folder), *self._stocks],
            cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._running.stdout is not None
        said = json.loads(self._running.stdout.readline())
        self.url, self.database = said["url"], said["database"]

    def kill(self) -> None:
        """Kills the server and its database where they stand, and waits until both are gone."""
        assert self._running is not None
        server = self._running.pid
        database = next(pid for pid in _descendants(server) if "dynoxide" in _program(pid))
        os.kill(server, signal.SIGKILL)
        os.kill(database, signal.SIGKILL)
        self._running.communicate(timeout=END_SECONDS)
        _wait_for_the_end(database)
        assert self._running.returncode == -signal.SIGKILL

    def stop(self) -> None:
        """Ends it as it ends by itself: its input is over."""
        if self._running is not None and self._running.poll() is None:
            self._running.communicate(timeout=END_SECONDS)

    def client(self, people: Mapping[str, dict[str, str]] | None = None) -> Client:
        """A client that may speak as anybody, and knows these people by name."""
        made = Client(self.url, DevelopmentIssuer.kept_in(self.folder / "keys" / "issuer.pem"))
        made.people = dict(people or {})
        return made

    def copied(self, quote_ids: Sequence[str], many: int) -> list[str]:
        """So many open quotes: copies of these, each under an id of its own, as if it had been asked for by itself."""
        raw = database_client(self.database)
        keys = [{"pk": {"S": f"xiamen#deal#{quote_id}"}, "sk": {"S": "deal"}} for quote_id in quote_ids]
        found = raw.batch_get_item(RequestItems={TABLE: {"Keys": keys}})["Responses"][TABLE]
        made = {_quote_id(number): found[number % len(found)] for number in islice(self._numbers, many)}
        puts = [{"Put": {"TableName": TABLE, "Item": _renamed(item, quote_id)}} for quote_id, item in made.items()]
        for start in range(0, many, 100):
            raw.transact_write_items(TransactItems=puts[start : start + 100])
        return list(made)

    def books(self, offer_id: str) -> Books:
        """What the table holds of an offer, read without Egret."""
        pages = database_client(self.database).get_paginator("scan").paginate(TableName=TABLE, ConsistentRead=True)
        return _books(offer_id, [item for page in pages for item in page["Items"]])


@dataclass(frozen=True, slots=True)
class Books:
    """What is there of one offer: its counter, and what was sold by quote, in the deals and in the ledger."""

    cap: int
    avail: int
    redeemed: int
    held: int
    deals: Mapping[str, str]
    entries: Mapping[str, str]

    def check(self) -> Books:
        """Itself; the counter's equation holds, and everything that was sold is told by all three alike."""
        assert self.avail + self.held + self.redeemed == self.cap
        assert min(self.avail, self.held, self.redeemed) >= 0
        assert self.deals == self.entries, "a deal and its entry are one"
        assert len(self.deals) == self.redeemed
        return self


def _quote_id(number: int) -> str:
    return "xiamen." + f"{number:026}".translate(str.maketrans("0123456789", "abcdefghij"))


def _renamed(item: Mapping[str, Any], quote_id: str) -> dict[str, Any]:
    old = _text(item, "pk").rpartition("#")[2]
    return {name: {t: str(value).replace(old, quote_id) for t, value in each.items()} for name, each in item.items()}


def _books(offer_id: str, items: list[dict[str, Any]]) -> Books:
    counter = next(i for i in items if _text(i, "kind") == "counter" and _text(i, "pk").endswith(f"/{offer_id}"))
    deals = [json.loads(_text(i, "document")) for i in items if _text(i, "kind") == "deal"]
    mine = [deal for deal in deals if deal["quote"]["lines"][0]["offer_id"] == offer_id and deal["redemption"]]
    quotes = {deal["quote"]["quote_id"] for deal in deals if deal["quote"]["lines"][0]["offer_id"] == offer_id}
    posted = [item for item in items if "postings" in item]
    sold = {json.loads(_text(item, "facts"))["quote_id"]: _text(item, "effect_id") for item in posted}
    return Books(
        cap=int(counter["cap"]["N"]),
        avail=int(counter["avail"]["N"]),
        redeemed=int(counter["redeemed"]["N"]),
        held=sum(int(held["N"]) for held in counter["held"]["M"].values()),
        deals={deal["quote"]["quote_id"]: deal["redemption"]["redemption_id"] for deal in mine},
        entries={quote_id: effect_id for quote_id, effect_id in sold.items() if quote_id in quotes},
    )


def _text(item: Mapping[str, Any], name: str) -> str:
    return str(item[name]["S"])


def _descendants(pid: int) -> list[int]:
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    # A server starts its database from its first thread.
    return [found for child in children for found in (child, *_descendants(child))]


def _program(pid: int) -> str:
    return Path(f"/proc/{pid}/exe").readlink().name


def _wait_for_the_end(pid: int) -> None:
    deadline = time.monotonic() + END_SECONDS
    while Path(f"/proc/{pid}").exists() and Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < deadline, "what is killed ends"
        time.sleep(0.01)
