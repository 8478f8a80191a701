"""Instructions to a bank's core: what it has to do because of an event, or because a person wants to pay online.

    event       instruction     what the bank does
    charge      disburse        pays the hospital and books the loan
    refund      take_back       takes it back from the hospital, and from the loan
    reminder    remind          tells the person
    payout      pay_out         pays the person what he is owed
    repayment   none            it came from the bank; a write-off likewise
                collect         takes the amount from the person's account: he asked for it
                give_back       pays the person what was collected beyond what he owed by then

An instruction has one id for ever, made from what it is about. The bank takes it for the key of what it does, so that
asking twice does nothing twice; and writing the instruction of one event twice writes one item.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from chalicelib.medical.rules.charges import Charge
from chalicelib.medical.rules.events import CURRENCY, Event, Payout, Refund, Reminder
from chalicelib.subjects.rules import AccountRef

InstructionKind = Literal["disburse", "take_back", "remind", "pay_out", "collect", "give_back"]
InstructionState = Literal["queued", "sent", "accepted", "refused", "unknown"]
Verdict = Literal["accepted", "refused"]
Way = Literal["call", "bank", "file"]

_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class BankAnswer:
    """What the bank said, and how it came: as the reply to a call, by itself, or in its file.

    ``reference`` is the bank's own name for what it did; the same reference and state is the same answer again.
    """

    state: Verdict
    reference: str
    at: datetime
    way: Way
    reason: str | None = None

    def agrees(self, other: BankAnswer) -> bool:
        """Whether the other says the same, whenever and however it came."""
        return (self.state, self.reference) == (other.state, other.reference)


@dataclass(frozen=True, slots=True)
class Closing:
    """That somebody at the bank has looked into what it said and settled it with those concerned.

    ``reason``: a word of the bank's own list. ``disputes``: how many disputes there were; a further one opens it again.
    """

    at: datetime
    reason: str
    disputes: int


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction and what has become of it.

    Args:
        about: The event it follows from; of a ``collect`` the effect by which it was asked for, of a ``give_back`` the
            instruction that collected too much.
        due_at: When the bank is to be asked, or a call that is under way is given up; None: not by itself any more.
        disputed: What the bank said otherwise later. The first answer stands until a person has looked.
        booked_fen: Of what was collected, what went to the debt; the rest was more than was owed by then.
        entry_id: The entry by which it was booked, or that of the event it follows from.
        counted_fen: What the sum of what is being collected on the line counts it for, until it has ended.
    """

    instruction_id: str
    city_id: str
    bank_id: str
    ref: AccountRef
    kind: InstructionKind
    amount_fen: int
    day: date
    made_at: datetime
    about: str
    hospital_id: str | None = None
    undoes: str | None = None
    state: InstructionState = "queued"
    attempts: int = 0
    due_at: datetime | None = None
    answer: BankAnswer | None = None
    disputed: tuple[BankAnswer, ...] = ()
    booked_fen: int = 0
    entry_id: str | None = None
    revision: int = 0
    counted_fen: int = 0
    closed: Closing | None = None

    @property
    def rest_fen(self) -> int:
        """What was collected beyond the debt: it is given back by an instruction of its own."""
        return self.amount_fen - self.booked_fen if self.kind == "collect" and self.state == "accepted" else 0


@dataclass(frozen=True, slots=True)
class InstructionOrder:
    """What is signed and sent to the bank. ``undoes`` names the instruction of which an amount is taken back."""

    instruction_id: str
    kind: InstructionKind
    subject_id: str
    amount_fen: int
    currency: str
    day: date
    hospital_id: str | None
    undoes: str | None


@dataclass(frozen=True, slots=True)
class InstructionView:
    """An instruction as its bank sees it."""

    instruction_id: str
    kind: InstructionKind
    subject_id: str
    amount_fen: int
    currency: str
    day: date
    hospital_id: str | None
    undoes: str | None
    state: InstructionState
    attempts: int
    made_at: datetime
    answer: BankAnswer | None
    disputed: tuple[BankAnswer, ...]
    booked_fen: int
    rest_fen: int
    closed: Closing | None


def instruction_id_of(city_id: str, bank_id: str, about: str) -> str:
    """The id of the instruction about something: whose it is can be read in it, what it is about cannot."""
    digest = hashlib.sha256(f"instruction/{city_id}/{bank_id}/{about}".encode()).digest()[:_DIGEST_BYTES]
    return f"{city_id}.{bank_id}.{base64.b32encode(digest).decode().rstrip('=').lower()}"


def back_id_of(collected_id: str) -> str:
    """The id of the instruction that gives back what another collected beyond the debt, whether there is one or not."""
    return instruction_id_of(*bank_in(collected_id), collected_id)


def bank_in(instruction_id: str) -> tuple[str, str]:
    """The city and the bank that an instruction's id names; anything may stand in an id that was invented."""
    city_id, _, rest = instruction_id.partition(".")
    return city_id, rest.partition(".")[0]


def instructed(city_id: str, bank_id: str, ref: AccountRef, event: Event, now: datetime) -> Instruction | None:
    """What the bank has to do because of an event; None: nothing that it does not know already."""
    kind: InstructionKind
    amount_fen, hospital_id, undoes = 0, None, None
    if isinstance(event, Charge):
        kind, about, amount_fen, hospital_id = "disburse", event.charge_id, event.amount_fen, event.hospital_id
    elif isinstance(event, Refund):
        kind, about, amount_fen = "take_back", event.refund_id, event.amount_fen
        undoes = instruction_id_of(city_id, bank_id, event.charge_id)
    elif isinstance(event, Reminder):
        kind, about = "remind", event.reminder_id
    elif isinstance(event, Payout):
        kind, about, amount_fen = "pay_out", event.payout_id, event.amount_fen
    else:
        return None
    return Instruction(
        instruction_id_of(city_id, bank_id, about), city_id, bank_id, ref, kind, amount_fen, event.day, now, about,
        hospital_id, undoes, due_at=now, entry_id=None if kind == "remind" else about.partition("~")[0],
    )  # fmt: skip


def collecting(
    city_id: str, bank_id: str, ref: AccountRef, amount_fen: int, day: date, now: datetime, effect_id: str
) -> Instruction:
    """The instruction to take an amount from the person's account, as he asked by this effect."""
    instruction_id = instruction_id_of(city_id, bank_id, effect_id)
    return Instruction(
        instruction_id, city_id, bank_id, ref, "collect", amount_fen, day, now, effect_id, due_at=now,
        counted_fen=amount_fen,
    )  # fmt: skip


def giving_back(collected: Instruction, rest_fen: int, day: date, now: datetime) -> Instruction:
    """The instruction to give back what was collected beyond the debt."""
    assert 0 < rest_fen <= collected.amount_fen, "what is given back was collected"
    about, of = collected.instruction_id, (collected.city_id, collected.bank_id)
    return Instruction(
        back_id_of(about), *of, collected.ref, "give_back", rest_fen, day, now, about, undoes=about,
        due_at=now,
    )  # fmt: skip


def order_of(instruction: Instruction, subject_id: str) -> InstructionOrder:
    """What the bank is sent. ``subject_id``: the id by which it knows the person."""
    one = instruction
    return InstructionOrder(
        one.instruction_id, one.kind, subject_id, one.amount_fen, CURRENCY, one.day, one.hospital_id, one.undoes
    )  # fmt: skip


def instruction_view(instruction: Instruction, subject_id: str) -> InstructionView:
    """What the bank is shown of its instruction."""
    one = instruction
    return InstructionView(
        one.instruction_id, one.kind, subject_id, one.amount_fen, CURRENCY, one.day, one.hospital_id, one.undoes,
        one.state, one.attempts, one.made_at, one.answer, one.disputed, one.booked_fen, one.rest_fen,
        one.closed,
    )  # fmt: skip
