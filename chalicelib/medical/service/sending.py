"""The sender: calls the banks' cores with whatever is due. A schedule wakes it; two of them at once do no harm.

An attempt is written before its call and has a lease: a sender that dies in the middle leaves an instruction that is
asked for again. That it is taken up once at a time is a condition of the write, that it is done once is the bank's
promise by the instruction's id.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chalicelib.core import clock, config, functions
from chalicelib.core.commit import Unit, looking_again
from chalicelib.core.errors import Conflict
from chalicelib.medical.rules.instructions import Instruction, order_of
from chalicelib.medical.rules.outbox import taken_up, unanswered
from chalicelib.medical.service import calling
from chalicelib.medical.service.holding import TRIES
from chalicelib.medical.service.outbox import Place, answer, known_to_its_bank
from chalicelib.medical.store import outbox

SECONDS = 40.0
AT_ONCE = 50
MOST_SILENT = 3
_TURN_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Sent:
    """How many instructions were sent, how many of them were answered, and whether all that was due was taken up."""

    sent: int = 0
    answered: int = 0
    all_taken: bool = True


@functions.function("outbox")
def send_all(_: dict[str, Any]) -> Sent:
    """Sends what is due to every bank whose core has an address; what is due to others stays queued."""
    addresses = in_turn(addresses_of(config.current().banks), clock.now())
    until, total = clock.stopwatch() + SECONDS, Sent()
    for place, (bank, address) in enumerate(addresses):
        share = (until - clock.stopwatch()) / (len(addresses) - place)
        total = _sum(total, send_due(*bank, address, share))
    return total


def in_turn(addresses: Mapping[tuple[str, str], str], now: datetime) -> list[tuple[tuple[str, str], str]]:
    """The addresses with another one first every minute: one that takes all the time takes it from each in turn."""
    listed = sorted(addresses.items())
    first = int(now.timestamp() // _TURN_SECONDS) % len(listed) if listed else 0
    return [*listed[first:], *listed[:first]]


def addresses_of(text: str) -> dict[tuple[str, str], str]:
    """The addresses by bank: JSON of ``{"<city>/<bank>": "<address>"}``."""
    listed: Mapping[str, str] = json.loads(text)
    return {_bank(name): calling.check_address(address) for name, address in listed.items()}


def send_due(city_id: str, bank_id: str, address: str, seconds: float = SECONDS) -> Sent:
    """Sends what is due to one bank, for so long. A bank that has been silent a few times in a row is left alone."""
    total, silent, until = Sent(), 0, clock.stopwatch() + seconds
    while True:
        before = total.sent
        for due in outbox.list_due(city_id, bank_id, clock.now(), AT_ONCE):
            if silent >= MOST_SILENT or clock.stopwatch() > until:
                return replace(total, all_taken=False)
            taken = _taken(due)
            if taken is not None:
                heard = _attempted(taken, address)
                silent = 0 if heard else silent + 1
                total = Sent(total.sent + 1, total.answered + heard)
        if total.sent == before:
            return total


def _bank(name: str) -> tuple[str, str]:
    city_id, _, bank_id = name.partition("/")
    return city_id, bank_id


def _sum(one: Sent, other: Sent) -> Sent:
    return Sent(one.sent + other.sent, one.answered + other.answered, one.all_taken and other.all_taken)


def _taken(due: Instruction) -> Instruction | None:
    """The instruction with an attempt under way, written; None: it is not due any more, or somebody else has it."""
    after = taken_up(due, clock.now())
    if after is due:
        return None
    unit = Unit()
    outbox.save_instruction(unit, after)
    with suppress(Conflict):
        unit.commit()
        return replace(after, revision=after.revision + 1) if after.state == "sent" else None
    return None


def _attempted(taken: Instruction, address: str) -> bool:
    """Whether the bank answered. What it said, or that it said nothing, is written."""
    said = calling.ask(address, order_of(taken, known_to_its_bank(taken)), clock.now())
    place = Place(taken.city_id, taken.bank_id, taken.instruction_id)
    if said is not None:
        answer(Unit(), clock.now(), place, said)
        return True
    looking_again(Unit(), lambda fresh: _leave(fresh, place, taken.attempts), TRIES)
    return False


def _leave(unit: Unit, place: Place, attempt: int) -> None:
    """Writes that an attempt brought no answer, unless the instruction has gone on since."""
    seen = outbox.load_instruction(*place)
    assert seen is not None, "an instruction is never taken away"
    after = unanswered(seen, attempt, clock.now())
    if after is not seen:
        outbox.save_instruction(unit, after)
        unit.commit()
