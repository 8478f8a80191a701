"""What a bank's file is compared with, and how a difference is settled by it.

Instructions are looked at twice: each beside its entry, and from the ledger outwards, each entry beside what should
have been told of it. What was lost on the way to the outbox is found by the second alone; of reminders, which post
nothing, by their events.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime
from itertools import islice

from chalicelib.core import effect, ids, table
from chalicelib.core.commit import EffectExists, Unit
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.ledger import store as ledger
from chalicelib.ledger.rules import Entry, Party
from chalicelib.ledger.rules.accounts import parse_party
from chalicelib.medical import store
from chalicelib.medical.rules import Reminder
from chalicelib.medical.rules.instructions import (
    BankAnswer,
    Instruction,
    InstructionKind,
    InstructionView,
    instructed,
    instruction_id_of,
)
from chalicelib.medical.rules.outbox import asked_anew
from chalicelib.medical.rules.reconciling import (
    BankRow,
    Difference,
    Ours,
    outwards,
    patient_of,
    posted_as,
    reminder_lost,
    told_by,
)
from chalicelib.medical.service.bills import read_bill
from chalicelib.medical.service.outbox import Place, answer, read_instruction
from chalicelib.medical.store import outbox
from chalicelib.subjects.rules import AccountRef

_AT_ONCE = 100
_Told = tuple[Entry, tuple[InstructionKind, int]]


def audited(city_id: str, bank_id: str, first: date = date.min, until: date = date.max) -> Iterator[Ours]:
    """Every instruction of a bank by id, those of the days ``first`` to before ``until`` with what the ledger has of
    them.

    One page in memory at a time; two BatchGetItem per hundred of these days.
    """
    found, bank = outbox.every_instruction(city_id, bank_id), Party(city_id, "bank", bank_id)
    while some := list(islice(found, _AT_ONCE)):
        wanted = [one for one in some if first <= one.day < until]
        looked_up = {ours.instruction.instruction_id: ours for ours in _beside_the_ledger(wanted, bank)}
        yield from (looked_up.get(one.instruction_id) or Ours(one, of_these_days=False) for one in some)


def _beside_the_ledger(some: Sequence[Instruction], bank: Party) -> Iterator[Ours]:
    ids = {one.entry_id for one in some if one.entry_id is not None}
    there = table.fetch(effect.key_of(entry_id) for entry_id in ids) if ids else {}
    present = [entry_id for entry_id in ids if effect.key_of(entry_id) in there]
    entries = {entry.entry_id: entry for entry in ledger.load_entries(present)}
    for one in some:
        yield Ours(one, posted_as(one, bank, entries.get(one.entry_id or "")))


def untold(
    city_id: str, bank_id: str, now: datetime, first: date = date.min, until: date = date.max
) -> Iterator[Difference]:
    """Every entry of these days of which the bank should have been told and was not, or not of its amount.

    Captures and refunds are in the books of the hospitals, payouts in the bank's. One page in memory at a time; one
    BatchGetItem per hundred, and the events of the line where one entry is of several, or something is missing. The
    index may lag by a moment, and the stream's function may be about to make what is missing: making it twice makes it
    once.
    """
    bank = Party(city_id, "bank", bank_id)
    for book in ledger.books_of(city_id):
        if parse_party(book).kind == "hospital" or book == bank.name:
            entries = ledger.entries_of(book, first, until)
            called_for = ((entry, told) for entry in entries if (told := told_by(bank, entry)) is not None)
            while some := list(islice(called_for, _AT_ONCE)):
                yield from _beside_the_outbox(some, bank, now)


def _beside_the_outbox(some: Iterable[_Told], bank: Party, now: datetime) -> Iterator[Difference]:
    of = bank.city_id, bank.partner_id
    firsts = {instruction_id_of(*of, entry.entry_id): (entry, told) for entry, told in some}
    there = {one.instruction_id: one for one in outbox.fetch_instructions(*of, firsts)}
    for instruction_id, (entry, told) in firsts.items():
        found = there.get(instruction_id)
        if found is None or (found.kind, found.amount_fen) != told:
            made = _called_for(entry, bank, now)
            known = {one.instruction_id for one in outbox.fetch_instructions(*of, (m.instruction_id for m in made))}
            yield from outwards(told, instruction_id, made, known)


def _called_for(entry: Entry, bank: Party, now: datetime) -> list[Instruction]:
    """What the events of an entry call for, whether the outbox has it or not."""
    of, whose = (bank.city_id, bank.partner_id), _person_of(entry, bank)
    if whose is None:
        return []
    events = store.events_after(bank.city_id, whose.person_id, bank.partner_id, 0)
    made = (instructed(*of, whose, event, now) for _, event in events)
    return [one for one in made if one is not None and one.entry_id == entry.entry_id]


def _person_of(entry: Entry, bank: Party) -> AccountRef | None:
    """Whose loan an entry changes, or the one that it reverses: what was written off is in nobody's loan any more."""
    patient = patient_of(bank, entry)
    if patient is None and entry.reverses is not None:
        with suppress(NotFound):
            patient = patient_of(bank, ledger.load_entry(entry.reverses))
    secret = None if patient is None else ids.open_pairwise(f"bank:{bank.city_id}/{bank.partner_id}", patient)
    return None if secret is None else AccountRef.of_secret(secret)


def unreminded(
    city_id: str, bank_id: str, now: datetime, first: date = date.min, until: date = date.max
) -> Iterator[Difference]:
    """Every reminder of these days of which the bank was never told, as long as it reminds of something that is owed:
    of what is paid since, nobody is to be reminded.

    One page in memory at a time; one BatchGetItem per hundred, and the bills of those who are missed.
    """
    of, found = (city_id, bank_id), store.reminders_of(city_id, bank_id, first, until)
    while some := list(islice(found, _AT_ONCE)):
        places = {instruction_id_of(*of, reminder_id): key for reminder_id, key in some}
        there = {one.instruction_id for one in outbox.fetch_instructions(*of, places)}
        lost = [key for instruction_id, key in places.items() if instruction_id not in there]
        for row in store.events_at(lost) if lost else ():
            if (made := _still_called_for(row, now)) is not None:
                yield reminder_lost(made)


def _still_called_for(row: store.EventRow, now: datetime) -> Instruction | None:
    """The instruction of a reminder; None if nothing of what it reminds of is owed any more."""
    (city_id, ref, bank_id), event = store.line_of(row), store.event_of(row)
    assert isinstance(event, Reminder), "a reminder is listed among reminders"
    bill = read_bill(city_id, ref.person_id, bank_id)
    owed = {debt.charge.charge_id for debt in bill.on(bill.day(now)).debts if debt.owed_fen}
    return instructed(city_id, bank_id, ref, event, now) if owed & set(event.charge_ids) else None


def make_missing(unit: Unit, made: Instruction) -> None:
    """Puts an instruction that was lost into the outbox, from where it is sent; nothing if it is there.

    Raises: Unavailable: the table was busy.
    """
    outbox.save_instruction(unit, made)
    with suppress(Conflict):
        unit.commit()


def ask_anew(unit: Unit, now: datetime, place: Place) -> bool:
    """Whether an instruction that was given up is asked for again by this call. Raises: Conflict: it has gone on."""
    seen = outbox.load_instruction(*place)
    after = None if seen is None else asked_anew(seen, now)
    if after is None or after is seen:
        return False
    outbox.save_instruction(unit, after)
    unit.commit()
    return True


def settle(unit: Unit, now: datetime, city_id: str, bank_id: str, row: BankRow) -> InstructionView:
    """Takes a row of the bank's file for the bank's answer; the instruction is as it is then.

    The same row again changes nothing, in whatever run. Raises: NotFound; Conflict.
    """
    place = Place(city_id, bank_id, row.instruction_id)
    intent = effect.consequence(city_id, "bank", bank_id, "reconcile", [row.instruction_id, row.state, row.reference])
    try:
        return answer(unit, now, place, BankAnswer(row.state, row.reference, now, "file"), intent)
    except EffectExists:
        return read_instruction(place)
