"""Instructions and answers to try the outbox's rules on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from chalicelib.medical.rules.instructions import BankAnswer, Instruction, Verdict, collecting
from chalicelib.medical.rules.reconciling import BankRow
from chalicelib.subjects.rules import AccountRef

NOON = datetime(2026, 8, 3, 4, tzinfo=UTC)
TODAY = date(2026, 8, 3)
BANK = ("xiamen", "demo-bank")
REF = AccountRef("xiamen", "s_1")


def payment(fen: int = 5_000, effect_id: str = "xiamen.e", **changes: Any) -> Instruction:
    """An online payment that was entered at noon."""
    return replace(collecting(*BANK, REF, fen, TODAY, NOON, effect_id), **changes)


def said(state: Verdict = "accepted", reference: str = "B1", seconds: float = 0, way: Any = "call") -> BankAnswer:
    """An answer of the bank."""
    return BankAnswer(state, reference, later(seconds), way)


def row_of(one: Instruction, line: int = 2, **changes: Any) -> BankRow:
    """The row of the bank's file that agrees with an instruction."""
    reference = one.answer.reference if one.answer else "B1"
    state: Verdict = "refused" if one.state == "refused" else "accepted"
    row = BankRow(line, one.instruction_id, one.kind, one.amount_fen, f"{one.day}", state, reference)
    return replace(row, **changes)


def later(seconds: float) -> datetime:
    """So many seconds after noon."""
    return NOON + timedelta(seconds=seconds)
