"""One call of a bank's core over HTTP: an instruction goes out signed, and an answer comes back, or nothing one can
rely on.

The bank checks the signature against ``GET /v1/keys``. What comes back is taken for an answer only if it is small,
comes in time, is strict JSON, fits its schema and names the instruction that was sent. Anything else says nothing of
what the bank has done: a status below 500 no more than a connection that breaks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError

from chalicelib.core import clock, codec, config, log, schema, signing, strict_json
from chalicelib.core.errors import Problem
from chalicelib.medical.rules.instructions import BankAnswer, InstructionOrder, Verdict

SIGNED_AS = "egret-instruction+jwt"
CONTENT_TYPE = "application/jose"
CONNECT_TIMEOUT_SECONDS = 1.0
READ_TIMEOUT_SECONDS = 3.0
WHOLE_TIMEOUT_SECONDS = 6.0
MOST_BYTES = 16_384
_PIECE_BYTES = 4_096
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
    except (HTTPError, _NoAnswer) as error:
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
    """The body of a reply with status 200. Raises: HTTPError; _NoAnswer: another status, too large, too slow."""
    reply = _pool().request(
        "POST", check_address(address), body=signed.encode(), headers={"Content-Type": CONTENT_TYPE},
        timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_SECONDS, read=READ_TIMEOUT_SECONDS),
        retries=False, redirect=False, preload_content=False,
    )  # fmt: skip
    try:
        if reply.status != 200:
            raise _NoAnswer
        return _whole(reply)
    finally:
        reply.close()


def _whole(reply: urllib3.BaseHTTPResponse) -> bytes:
    """A body that comes drop by drop is given up, too: each drop alone would be in time."""
    started, body = clock.stopwatch(), b""
    for piece in reply.stream(_PIECE_BYTES, decode_content=True):
        body += piece
        if len(body) > MOST_BYTES or clock.stopwatch() - started > WHOLE_TIMEOUT_SECONDS:
            raise _NoAnswer
    return body


def _read(body: bytes) -> _Said:
    try:
        document: Any = strict_json.loads(body, MOST_BYTES)
        schema.validate(_ANSWER, document)
    except Problem as problem:
        raise _NoAnswer from problem
    return codec.build(_Said, document)


@lru_cache(maxsize=1)
def _pool() -> urllib3.PoolManager:
    return urllib3.PoolManager()
