"""One call of a bank's core over HTTP: an instruction goes out signed, and an answer comes back, or nothing one can
rely on.

The bank checks the signature against ``GET /v1/keys``. What comes back is taken for an answer only if it is small,
comes in time, is strict JSON, fits its schema and names the instruction that was sent. Anything else says nothing of
what the bank has done: a status below 500 no more than a connection that breaks.

In time means: all of it, from the handshake to the last byte. Each drop of a reply would be in time by itself, so a
watch shuts the connection down when its time is over, whatever is under way on it.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from http.client import HTTPConnection, HTTPException
from threading import Event, Timer
from typing import Any
from urllib.parse import SplitResult, urlsplit

from chalicelib.core import codec, config, log, schema, signing, strict_json
from chalicelib.core.errors import Problem
from chalicelib.medical.rules.instructions import BankAnswer, InstructionOrder, Verdict

SIGNED_AS = "egret-instruction+jwt"
CONTENT_TYPE = "application/jose"
CONNECT_TIMEOUT_SECONDS = 1.0
READ_TIMEOUT_SECONDS = 3.0
WHOLE_TIMEOUT_SECONDS = 6.0
MOST_BYTES = 16_384
_PORTS = {"http": 80, "https": 443}
_ANSWER = "medical/core_answer.json"


class _NoAnswer(Exception):
    """What came back is no answer."""


@dataclass(frozen=True, slots=True)
class _Said:
    instruction_id: str
    state: Verdict
    reference: str
    reason: str | None = None


def ask(address: str, order: InstructionOrder, now: datetime) -> BankAnswer | None:
    """What the bank says to an instruction; None: nothing that can be relied on."""
    try:
        said = _read(_sent(address, signing.sign(order, SIGNED_AS)))
    except (OSError, HTTPException, _NoAnswer) as error:
        log.event("bank-silent", function="outbox", error_type=type(error).__name__)
        return None
    if said.instruction_id != order.instruction_id:
        log.event("bank-silent", function="outbox", error_type="OtherInstruction")
        return None
    return BankAnswer(said.state, said.reference, now, "call", said.reason)


def check_address(address: str) -> str:
    """The address itself; one that is neither over https nor on this computer is a broken configuration."""
    here = config.current().development and address.startswith("http://127.0.0.1:")
    assert here or address.startswith("https://"), "a bank's core is called over https"
    return address


def _sent(address: str, signed: str) -> bytes:
    """The body of a reply with status 200. Raises: OSError; HTTPException; _NoAnswer: another status, too large, too
    slow, or not whole."""
    to = urlsplit(check_address(address))
    with closing(_connected(to)) as to_bank, _shut_down_in_time(to_bank) as late:
        if isinstance(to_bank, ssl.SSLSocket):
            to_bank.do_handshake()
        connection = HTTPConnection(to.hostname or "", to.port)
        connection.sock = to_bank
        headers = {"Host": to.netloc.rpartition("@")[2], "Content-Type": CONTENT_TYPE}
        connection.request("POST", f"{to.path or '/'}{'?' if to.query else ''}{to.query}", signed.encode(), headers)
        with connection.getresponse() as reply:
            body = reply.read(MOST_BYTES + 1) if reply.status == 200 else b""
            if reply.status != 200 or reply.length or len(body) > MOST_BYTES or late.is_set():
                raise _NoAnswer
            return body


def _connected(to: SplitResult) -> socket.socket:
    """A connection on which nothing has been said yet."""
    plain = socket.create_connection((to.hostname, to.port or _PORTS[to.scheme]), CONNECT_TIMEOUT_SECONDS)
    plain.settimeout(READ_TIMEOUT_SECONDS)
    if to.scheme == "http":
        return plain
    return _trusted().wrap_socket(plain, server_hostname=to.hostname, do_handshake_on_connect=False)


@contextmanager
def _shut_down_in_time(to_bank: socket.socket) -> Iterator[Event]:
    """Whoever waits for the bank in this block waits for nothing once the time is over, which the event then says."""
    late = Event()

    def shut_down() -> None:
        late.set()
        # Not the connection's own method, which would wait for the bank to say goodbye.
        with suppress(OSError):
            socket.socket.shutdown(to_bank, socket.SHUT_RDWR)

    watch = Timer(WHOLE_TIMEOUT_SECONDS, shut_down)
    watch.daemon = True
    watch.start()
    try:
        yield late
    finally:
        watch.cancel()


def _read(body: bytes) -> _Said:
    try:
        document: Any = strict_json.loads(body, MOST_BYTES)
        schema.validate(_ANSWER, document)
    except Problem as problem:
        raise _NoAnswer from problem
    return codec.build(_Said, document)


@lru_cache(maxsize=1)
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context()
