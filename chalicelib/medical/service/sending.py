"""The sender: calls the banks' cores with whatever is due. A schedule wakes it; two of them at once do no harm.

An attempt is written before its call and has a lease: a sender that dies in the middle leaves an instruction that is
asked for again. That it is taken up once at a time is a condition of the write, that it is done once is the bank's
promise by the instruction's id.

Each bank is asked one instruction after another, in their order, and a few banks at a time: one that is silent costs
itself alone. So does an instruction of which something is wrong: it is logged, and the next one is taken up.
"""

from __future__ import annotations

import contextvars
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chalicelib.core import clock, config, functions, keys, log, signing, table
from chalicelib.core.chores import tried
from chalicelib.core.commit import Unit, looking_again
from chalicelib.core.errors import Conflict
from chalicelib.medical.rules.instructions import BankAnswer, Instruction, order_of
from chalicelib.medical.rules.outbox import taken_up, unanswered
from chalicelib.medical.service import calling
from chalicelib.medical.service.outbox import Place, answer, known_to_its_bank
from chalicelib.medical.service.sharing import TRIES
from chalicelib.medical.store import outbox
from chalicelib.medical.store.outbox import Due

SECONDS = 40.0
AT_ONCE = 50
BANKS_AT_ONCE = 8
MOST_SILENT = 3
_TURN_SECONDS = 60


Bank = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Sent:
    """How many instructions were sent, how many of them were answered, whether all that was due was taken up, and how
    many failed here, whatever the bank did."""

    sent: int = 0
    answered: int = 0
    all_taken: bool = True
    failed: int = 0

    def __add__(self, other: Sent) -> Sent:
        sent, answered = self.sent + other.sent, self.answered + other.answered
        return Sent(sent, answered, self.all_taken and other.all_taken, self.failed + other.failed)


@functions.function("outbox")
def send_all(_: dict[str, Any]) -> Sent:
    """Sends what is due to every bank whose core has an address; what is due to others stays queued."""
    addresses = in_turn(addresses_of(config.current().banks), clock.now())
    if not addresses:
        return Sent()
    _make_ready()
    until = clock.stopwatch() + SECONDS
    with ThreadPoolExecutor(BANKS_AT_ONCE, "bank") as pool:
        under_way = [
            pool.submit(contextvars.copy_context().run, _send_one, bank, address, until, len(addresses) - place)
            for place, (bank, address) in enumerate(addresses)
        ]
    return _told(sum((one.result() for one in under_way), Sent()))


def _told(total: Sent) -> Sent:
    """The same, and says so where not all went well: nobody reads what a schedule's function replies."""
    if total.failed or not total.all_taken:
        code = "failed" if total.failed else "unfinished"
        log.event("sending", "error" if total.failed else "info", function="outbox", code=code)
    return total


def _make_ready() -> None:
    """Makes the clients that threads share, which may not be made by several at once."""
    table.connection()
    signing.jwks()
    keys.derived("outbox")


def _send_one(bank: Bank, address: str, until: float, waiting: int) -> Sent:
    """Sends what is due to one of the banks that are still waiting, in its share of the time that is left: as many of
    them as are asked at once share none. What goes wrong with it is its own."""
    done = [Sent(all_taken=False, failed=1)]
    seconds = (until - clock.stopwatch()) / -(-waiting // BANKS_AT_ONCE)

    def send() -> None:
        done[0] = send_due(*bank, address, seconds)

    tried(send)
    return done[0]


def in_turn(addresses: Mapping[Bank, str], now: datetime) -> list[tuple[Bank, str]]:
    """The addresses with another one first every minute: where there are more than are asked at once, those that take
    all the time take it from each of the others in turn."""
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
        for due in _due_to(city_id, bank_id):
            if silent >= MOST_SILENT or clock.stopwatch() > until:
                return replace(total, all_taken=False)
            one = _sent(due, address)
            silent = 0 if one.answered else silent + one.sent
            total += one
        if total.sent == before:
            return total


def _due_to(city_id: str, bank_id: str) -> Iterator[Due]:
    """Whatever is due to a bank, each once, page by page: what cannot be taken up stays, and is passed by."""
    found, last = outbox.list_due(city_id, bank_id, clock.now(), AT_ONCE)
    yield from found
    while last is not None:
        found, last = outbox.list_due(city_id, bank_id, clock.now(), AT_ONCE, last)
        yield from found


def _bank(name: str) -> Bank:
    city_id, _, bank_id = name.partition("/")
    return city_id, bank_id


def _sent(due: Due, address: str) -> Sent:
    """What became of one that is due; nothing, if somebody else has it."""
    done = [Sent(failed=1)]

    def send() -> None:
        taken = _taken(due())
        done[0] = Sent() if taken is None else _attempted(taken, address)

    tried(send)
    return done[0]


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


def _attempted(taken: Instruction, address: str) -> Sent:
    """Asks the bank. What it said is written, or that it said nothing; whatever fails here counts as nothing said, and
    is asked for again, after longer and longer waits."""
    place, heard = Place(taken.city_id, taken.bank_id, taken.instruction_id), list[BankAnswer]()
    well = tried(lambda: heard.extend(_asked(taken, address)))
    if heard:
        well = tried(lambda: _note(place, heard[0]))
    if heard and well:
        return Sent(1, 1)
    looking_again(Unit(), lambda fresh: _leave(fresh, place, taken.attempts), TRIES)
    return Sent(1, 0, failed=int(not well))


def _asked(taken: Instruction, address: str) -> list[BankAnswer]:
    """What the bank says to an attempt, if it says anything."""
    said = calling.ask(address, order_of(taken, known_to_its_bank(taken)), clock.now())
    return [] if said is None else [said]


def _note(place: Place, said: BankAnswer) -> None:
    answer(Unit(), clock.now(), place, said)


def _leave(unit: Unit, place: Place, attempt: int) -> None:
    """Writes that an attempt brought no answer, unless the instruction has gone on since."""
    seen = outbox.load_instruction(*place)
    assert seen is not None, "an instruction is never taken away"
    after = unanswered(seen, attempt, clock.now())
    if after is not seen:
        outbox.save_instruction(unit, after)
        unit.commit()
