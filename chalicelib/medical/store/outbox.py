"""The outbox of a bank: one item per instruction, listed by its state and, while it is to be sent, by when that is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from pynamodb.attributes import UnicodeAttribute

from chalicelib.core import clock, codec, table
from chalicelib.core.commit import Unit
from chalicelib.core.errors import Conflict
from chalicelib.core.table import IntAttribute, Key, Row
from chalicelib.medical.rules.instructions import Instruction, InstructionState
from chalicelib.medical.rules.online_payments import being_collected

_PAGE = 500

Position = dict[str, Any]
Due = Callable[[], Instruction]


class _InstructionRow(Row, discriminator="instruction"):
    document = UnicodeAttribute()
    revision = IntAttribute()


class _CollectingRow(Row, discriminator="collecting"):
    """What a bank is being asked to collect of one person, all that has no end yet together."""

    open_fen = IntAttribute()


def instruction_key(city_id: str, bank_id: str, instruction_id: str) -> Key:
    """Where an instruction is: to be fetched with what else a request needs."""
    return Key(_outbox_pk(city_id, bank_id), instruction_id)


def instruction_in(rows: Mapping[Key, Row], key: Key) -> Instruction | None:
    """The instruction among fetched rows; None if it was not found."""
    row = rows.get(key)
    return None if row is None else _instruction(row)


def load_instruction(city_id: str, bank_id: str, instruction_id: str) -> Instruction | None:
    """An instruction, strongly consistent; None if absent."""
    key = instruction_key(city_id, bank_id, instruction_id)
    return instruction_in(table.fetch([key]), key)


def fetch_instructions(city_id: str, bank_id: str, instruction_ids: Iterable[str]) -> list[Instruction]:
    """Those of these instructions that there are, in this order; one BatchGetItem per hundred."""
    keys = [instruction_key(city_id, bank_id, instruction_id) for instruction_id in instruction_ids]
    rows = table.fetch(keys) if keys else {}
    return [_instruction(rows[key]) for key in keys if key in rows]


def save_instruction(unit: Unit, instruction: Instruction) -> None:
    """Writes an instruction, if nobody else has since it was seen."""
    written = replace(instruction, revision=instruction.revision + 1)
    key = instruction_key(instruction.city_id, instruction.bank_id, instruction.instruction_id)
    row = _InstructionRow(*key, document=codec.to_json(written), revision=written.revision)
    row.gsi1pk = _state_pk(instruction.city_id, instruction.bank_id, instruction.state)
    row.gsi1sk = f"{clock.stamp(instruction.made_at)}#{instruction.instruction_id}"
    if instruction.due_at is not None:
        row.gsi2pk = _due_pk(instruction.city_id, instruction.bank_id)
        row.gsi2sk = f"{clock.stamp(instruction.due_at)}#{instruction.instruction_id}"
    if instruction.revision == 0:
        unit.create(row, Conflict)
    else:
        unit.put(row, _InstructionRow.revision == instruction.revision, Conflict)


def begin_collecting(unit: Unit, made: Instruction, owed_fen: int) -> None:
    """Counts an amount among what is being collected of a person, unless all of it together would be more than he owes.

    The change is blind, because payments of one person may race. Raises, as the unit is committed:
        RepaymentExceedsDebt.
    """
    assert 0 < made.counted_fen <= owed_fen, "no more is collected than is owed"
    row, open_fen = _collecting(made), _CollectingRow.open_fen
    actions = [_CollectingRow.kind.set(_CollectingRow), _CollectingRow.v.set(1), open_fen.add(made.counted_fen)]
    fits = (open_fen <= owed_fen - made.counted_fen) | open_fen.does_not_exist()
    unit.update(row, actions, fits, being_collected)


def end_collecting(unit: Unit, ended: Instruction) -> None:
    """Counts an amount no more, now that its collection has ended."""
    if ended.counted_fen:
        open_fen = _CollectingRow.open_fen
        unit.update(_collecting(ended), [open_fen.add(-ended.counted_fen)], open_fen >= ended.counted_fen, Conflict)


def _collecting(instruction: Instruction) -> _CollectingRow:
    return _CollectingRow(f"{instruction.city_id}#collecting#{instruction.bank_id}", instruction.ref.person_id)


def list_due(
    city_id: str, bank_id: str, now: datetime, limit: int, after: Position | None = None
) -> tuple[list[Due], Position | None]:
    """One page of those that are to be taken up by now, the longest due first, and the position to go on after: one
    Query, which may lag, and one BatchGetItem. Each is read by itself, so that one that cannot be keeps no other."""
    due = _InstructionRow.gsi2sk < f"{clock.stamp(now)}#~"
    listed, last = table.query_gsi2(_InstructionRow, _due_pk(city_id, bank_id), due, limit=limit, after=after)
    keys = [instruction_key(city_id, bank_id, row.sk) for row in listed]
    rows = table.fetch(keys) if keys else {}
    return [partial(_instruction, rows[key]) for key in keys if key in rows], last


def list_in_state(
    city_id: str, bank_id: str, state: InstructionState, limit: int, after: str | None
) -> tuple[list[Instruction], str | None]:
    """One page of those in a state, newest first, and the position to go on after: one Query, which may lag, and one
    BatchGetItem. What has left the state since it was listed is left out."""
    pk = _state_pk(city_id, bank_id, state)
    place = None if after is None else _place(pk, after, _outbox_pk(city_id, bank_id))
    listed, last = table.query_gsi1(_InstructionRow, pk, limit=limit, after=place)
    found = fetch_instructions(city_id, bank_id, [row.sk for row in listed])
    return [one for one in found if one.state == state], None if last is None else last["gsi1sk"]["S"]


def every_instruction(city_id: str, bank_id: str) -> Iterator[Instruction]:
    """All of them by id, strongly consistent; one Query per page, and one page in memory at a time."""
    after: str | None = None
    while True:
        rows, after = table.query(_InstructionRow, _outbox_pk(city_id, bank_id), limit=_PAGE, after=after)
        yield from map(_instruction, rows)
        if after is None:
            return


def _instruction(row: Row) -> Instruction:
    assert isinstance(row, _InstructionRow)
    return codec.from_json(Instruction, row.document)


def _outbox_pk(city_id: str, bank_id: str) -> str:
    return f"{city_id}#outbox#{bank_id}"


def _state_pk(city_id: str, bank_id: str, state: InstructionState) -> str:
    return f"{city_id}#outbox#{bank_id}#{state}"


def _due_pk(city_id: str, bank_id: str) -> str:
    return f"{city_id}#outbox-due#{bank_id}"


def _place(pk: str, after: str, outbox_pk: str) -> Any:
    values = {"gsi1pk": pk, "gsi1sk": after, "pk": outbox_pk, "sk": after.partition("#")[2]}
    return {name: {"S": value} for name, value in values.items()}
