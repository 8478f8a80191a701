"""A bank's core, invented for one computer: it keeps a book, and misbehaves when it is asked to.

``POST /instructions`` takes what Egret signed, checks the signature, does it once however often it is asked, and
answers. ``POST /misbehave`` names what is to go wrong with the next instructions, one after another; ``GET /book.csv``
is the file a bank would send for reconciliation. Money is not moved; nothing here is how a real core works.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal, get_args

import jwt

from chalicelib.core.money import decimal
from infra.local.httpd import HOST

Misdeed = Literal["lose-answer", "slow", "twice", "garbage", "500", "refuse", "forget", "hang"]
MISDEEDS: tuple[Misdeed, ...] = get_args(Misdeed)
HEADER = ("instruction_id", "kind", "amount", "day", "state", "reference")
TYP = "egret-instruction+jwt"
SLOW_SECONDS = 5.0
HANG_SECONDS = 60.0
MOST_BYTES = 65_536

Answer = dict[str, str]
Keys = Callable[[], Any]
Tell = Callable[[str, Answer], None]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the bank's book."""

    instruction_id: str
    kind: str
    amount_fen: int
    day: str
    state: str
    reference: str


class Refused(Exception):
    """The signature does not hold, or what was signed is no instruction."""


class Book:
    """What the bank has done, once per instruction; kept in a file, one JSON line each, if it is given one."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self.lines: dict[str, Line] = {}
        if path is not None and path.exists():
            self.lines = {line.instruction_id: line for line in _kept_in(path)}

    def do(self, order: dict[str, Any], state: str) -> Line:
        """What was done: now, or when the same instruction came for the first time."""
        line = line_of(order, state)
        with self._lock:
            if order["instruction_id"] not in self.lines:
                self.lines[line.instruction_id] = line
                self._keep(line)
            return self.lines[line.instruction_id]

    def csv(self) -> str:
        """The book as the bank's file: amounts in yuan."""
        out = io.StringIO()
        rows = csv.writer(out, lineterminator="\r\n")
        rows.writerow(HEADER)
        with self._lock:
            lines = list(self.lines.values())
        rows.writerows((x.instruction_id, x.kind, decimal(x.amount_fen), x.day, x.state, x.reference) for x in lines)
        return out.getvalue()

    def _keep(self, line: Line) -> None:
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as out:
                out.write(json.dumps(asdict(line)) + "\n")


def _kept_in(path: Path) -> list[Line]:
    """The lines of a book. The last one may be torn, if the bank was killed as it wrote it: it is taken out of the
    file, because nobody was answered by it."""
    *whole, torn = path.read_bytes().split(b"\n")
    if torn:
        with path.open("r+b") as out:
            out.truncate(sum(len(line) + 1 for line in whole))
    return [Line(**json.loads(line)) for line in whole]


def line_of(order: dict[str, Any], state: str) -> Line:
    """The line that an instruction makes; its reference is made of its id, as a core's would be of its own number."""
    reference = "B" + hashlib.sha256(order["instruction_id"].encode()).hexdigest()[:15].upper()
    return Line(order["instruction_id"], order["kind"], order["amount_fen"], order["day"], state, reference)


def verified(signed: bytes, keys: Any) -> dict[str, Any]:
    """What Egret signed. Raises: Refused."""
    try:
        header = jwt.get_unverified_header(signed)
        key = next(one for one in keys["keys"] if one["kid"] == header.get("kid"))
        payload = jwt.PyJWS().decode(signed, jwt.PyJWK(key, "ES256"), algorithms=["ES256"])
        order: dict[str, Any] = json.loads(payload)
    except (jwt.PyJWTError, ValueError, KeyError, TypeError, StopIteration) as error:
        raise Refused from error
    if header.get("typ") != TYP or "instruction_id" not in order:
        raise Refused
    return order


class StubBank(ThreadingHTTPServer):
    """The server.

    Args:
        keys: Gives Egret's published keys, as ``GET /v1/keys`` does.
        tell: Sends an answer to Egret by itself; "twice" needs it.
        book: Where the book is kept; without it, in memory.
    """

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, keys: Keys, tell: Tell | None = None, book: Path | None = None, port: int = 0) -> None:
        super().__init__((HOST, port), _Handler)
        self.keys = keys
        self.tell = tell
        self.book = Book(book)
        self.slow_seconds = SLOW_SECONDS
        self.go_on = threading.Event()
        self.asked: list[str] = []
        self.misdeeds: deque[Misdeed] = deque()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self.server_address[1]}"

    @property
    def address(self) -> str:
        """Where it takes instructions: for EGRET_BANKS."""
        return f"{self.url}/instructions"

    def start(self) -> StubBank:
        """Begins to answer."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Answers no more, and frees its port."""
        self.go_on.set()
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
        self.server_close()

    def misbehave(self, *misdeeds: Misdeed) -> None:
        """What is to go wrong with the next instructions."""
        self.misdeeds.extend(misdeeds)

    def next_misdeed(self) -> Misdeed | None:
        """What goes wrong now; None: nothing."""
        try:
            return self.misdeeds.popleft()
        except IndexError:
            return None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller who hangs up is no error of the bank's."""


class _Handler(BaseHTTPRequestHandler):
    server: StubBank
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 30

    def do_GET(self) -> None:
        if self.path == "/book.csv":
            self._send(200, "text/csv; charset=utf-8", self.server.book.csv().encode())
        else:
            self._send(404, "text/plain", b"")

    def do_POST(self) -> None:
        body = self.rfile.read(min(int(self.headers.get("Content-Length", "0")), MOST_BYTES))
        serve = {"/instructions": self._instruct, "/misbehave": self._misbehave}.get(self.path)
        if serve is None:
            self._send(404, "text/plain", b"")
        else:
            serve(body)

    def _misbehave(self, body: bytes) -> None:
        try:
            wanted = json.loads(body)["next"]
        except (ValueError, KeyError, TypeError):
            wanted = None
        if not isinstance(wanted, list) or not set(wanted) <= set(MISDEEDS):
            self._send(422, "application/json", json.dumps({"next": list(MISDEEDS)}).encode())
            return
        self.server.misbehave(*wanted)
        self._send(200, "application/json", json.dumps({"next": list(self.server.misdeeds)}).encode())

    def _instruct(self, body: bytes) -> None:
        try:
            order = verified(body, self.server.keys())
        except Refused:
            self._send(401, "application/json", b"{}")
            return
        self.server.asked.append(order["instruction_id"])
        misdeed = self.server.next_misdeed()
        if misdeed == "500":
            self._send(500, "text/plain", b"")
            return
        state = "refused" if misdeed == "refuse" else "accepted"
        line = line_of(order, state) if misdeed == "forget" else self.server.book.do(order, state)
        self._answer(line, misdeed)

    def _answer(self, line: Line, misdeed: Misdeed | None) -> None:
        answer = {"instruction_id": line.instruction_id, "state": line.state, "reference": line.reference}
        if line.state == "refused":
            answer["reason"] = "account-closed"
        if misdeed == "lose-answer":
            self.close_connection = True
            return
        if misdeed == "slow":
            time.sleep(self.server.slow_seconds)
        if misdeed == "hang":
            self.server.go_on.wait(HANG_SECONDS)
        text = b"<html>" if misdeed == "garbage" else json.dumps(answer).encode()
        self._send(200, "application/json", text)
        if misdeed == "twice" and self.server.tell is not None:
            self.server.tell(line.instruction_id, {n: v for n, v in answer.items() if n != "instruction_id"})

    def _send(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Nothing is printed."""
