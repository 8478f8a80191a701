"""The outbox: an instruction for every event that a bank's core must hear of, and what the bank says to it."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from chalicelib.core import effect, stream
from chalicelib.core.commit import Unit, looking_again
from chalicelib.core.effect import EffectRow, Intent
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.stream import Change
from chalicelib.medical import store
from chalicelib.medical.rules.instructions import (
    BankAnswer,
    Instruction,
    InstructionState,
    InstructionView,
    instructed,
    instruction_view,
)
from chalicelib.medical.rules.outbox import answered
from chalicelib.medical.service.collecting import book
from chalicelib.medical.service.sharing import TRIES
from chalicelib.medical.store import outbox
from chalicelib.subjects import service as subjects
from chalicelib.subjects import store as accounts

# A batch of a mapping's size stays within its function's time, whatever is in its way.
PATIENCE_SECONDS = 1.0


class Place(NamedTuple):
    """Which instruction: one of a bank's."""

    city_id: str
    bank_id: str
    instruction_id: str


@stream.consumer("credit-event")
def instruct(now: datetime, change: Change) -> None:
    """Puts the instruction of a new event into its bank's outbox; the same event again changes nothing.

    Raises: Unavailable: the table was busy.
    """
    if change.old is not None or not isinstance(change.new, store.EventRow):
        return
    city_id, ref, bank_id = store.line_of(change.new)
    made = instructed(city_id, bank_id, ref, store.event_of(change.new), now)
    if made is None:
        return
    unit = Unit(PATIENCE_SECONDS)
    outbox.save_instruction(unit, made)
    with suppress(Conflict):  # it is there already
        unit.commit()


def answer(unit: Unit, now: datetime, place: Place, said: BankAnswer, intent: Intent | None = None) -> InstructionView:
    """Takes what the bank said, however it came, and the instruction is as it is then.

    The first answer ends the instruction; what was collected is booked in the same transaction. The same answer again
    changes nothing, and one that contradicts is kept beside the first.

    Args:
        intent: The request by which it came, if it is to be remembered as one.

    Raises: NotFound: this bank has no such instruction; Conflict; in this order.
    """
    return looking_again(unit, lambda fresh: _answer_once(fresh, now, place, said, intent), TRIES)


def _answer_once(unit: Unit, now: datetime, place: Place, said: BankAnswer, intent: Intent | None) -> InstructionView:
    seen = _load(place)
    after = answered(seen, said)

    def write(fresh: Unit, one: Instruction) -> None:
        if one is not seen:
            outbox.save_instruction(fresh, one)
        if seen.answer is None:
            outbox.end_collecting(fresh, one)
        if intent is not None:
            fresh.effect(_effect(intent, now, one, said))

    if after.kind == "collect" and after.state == "accepted" and seen.answer is None:
        return seen_by_bank(book(unit, now, after, write))
    write(unit, after)
    unit.commit()
    return seen_by_bank(after)


def _effect(intent: Intent, now: datetime, after: Instruction, said: BankAnswer) -> EffectRow:
    facts = {"v": 1, "instruction_id": after.instruction_id, "state": said.state, "reference": said.reference}
    subject, purpose = accounts.account_pk(after.ref), f"answer:{after.kind}"
    return effect.row(intent, now, purpose=purpose, facts=facts, reply=seen_by_bank(after), subject=subject)


def read_instruction(place: Place) -> InstructionView:
    """An instruction as its bank sees it. Raises: NotFound."""
    return seen_by_bank(_load(place))


def list_instructions(
    city_id: str, bank_id: str, state: InstructionState, limit: int, after: str | None
) -> tuple[list[InstructionView], str | None]:
    """One page of a bank's instructions in a state, newest first; what has left it just now is left out."""
    found, last = outbox.list_in_state(city_id, bank_id, state, limit, after)
    return [seen_by_bank(one) for one in found], last


def seen_by_bank(instruction: Instruction) -> InstructionView:
    """The instruction, with the person as the bank knows him."""
    return instruction_view(instruction, known_to_its_bank(instruction))


def known_to_its_bank(instruction: Instruction) -> str:
    """The id by which the bank of an instruction knows its person."""
    return subjects.known_as(f"bank:{instruction.city_id}/{instruction.bank_id}", instruction.ref)


def _load(place: Place) -> Instruction:
    found = outbox.load_instruction(*place)
    if found is None:
        raise NotFound
    return found
