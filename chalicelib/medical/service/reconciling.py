"""What a bank's file is compared with, and how a difference is settled by it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import islice

from chalicelib.core import effect, table
from chalicelib.core.commit import EffectExists, Unit
from chalicelib.ledger import store as ledger
from chalicelib.ledger.rules import Party
from chalicelib.medical.rules.instructions import BankAnswer, Instruction, InstructionView
from chalicelib.medical.rules.reconciling import BankRow, Ours, posted_as
from chalicelib.medical.service.outbox import Place, answer, read_instruction
from chalicelib.medical.store import outbox

_AT_ONCE = 100


def audited(city_id: str, bank_id: str, first: date = date.min, until: date = date.max) -> Iterator[Ours]:
    """Every instruction of a bank of the days ``first`` to before ``until``, by id, with what the ledger has of it.

    One page in memory at a time; two BatchGetItem per hundred.
    """
    found = (one for one in outbox.every_instruction(city_id, bank_id) if first <= one.day < until)
    bank = Party(city_id, "bank", bank_id)
    while some := list(islice(found, _AT_ONCE)):
        yield from _beside_the_ledger(some, bank)


def _beside_the_ledger(some: Iterable[Instruction], bank: Party) -> Iterator[Ours]:
    some = list(some)
    ids = {one.entry_id for one in some if one.entry_id is not None}
    there = table.fetch(effect.key_of(entry_id) for entry_id in ids) if ids else {}
    present = [entry_id for entry_id in ids if effect.key_of(entry_id) in there]
    entries = {entry.entry_id: entry for entry in ledger.load_entries(present)}
    for one in some:
        yield Ours(one, posted_as(one, bank, entries.get(one.entry_id or "")))


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
