"""The bank's file beside the outbox and the ledger: every place where they say different things, named.

Both sides come sorted by instruction, so that any number of them is compared with one of each in hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from chalicelib.core.money import decimal
from chalicelib.core.text import Text
from chalicelib.ledger.rules import Entry, Party
from chalicelib.medical.rules.instructions import BankAnswer, Instruction, InstructionKind, Verdict, bank_in

DifferenceCode = Literal[
    "malformed", "foreign", "twice", "not_here", "not_in_file", "kind", "amount", "state", "reference", "disputed",
    "refused_but_posted", "not_in_ledger",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class BankRow:
    """One row of the bank's file, by the number of its line."""

    line: int
    instruction_id: str
    kind: InstructionKind
    amount_fen: int
    day: str
    state: Verdict
    reference: str


@dataclass(frozen=True, slots=True)
class Ours:
    """An instruction, and whether the ledger has what it says was posted."""

    instruction: Instruction
    in_ledger: bool = True


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. ``row`` is the row of the file by which it can be settled, if it can."""

    code: DifferenceCode
    line: int | None
    instruction_id: str | None
    file_says: str = ""
    egret_says: str = ""
    row: BankRow | None = None


NAMED: Mapping[DifferenceCode, Text] = {
    "malformed": Text("文件中的行无法读取", "a row of the file cannot be read"),
    "foreign": Text("文件中的行属于另一家银行", "a row of the file is another bank's"),
    "twice": Text("同一指令在文件中出现多次", "the file has the same instruction more than once"),
    "not_here": Text("文件中有，白鹭没有", "in the file and not here"),
    "not_in_file": Text("白鹭有，文件中没有", "here and not in the file"),
    "kind": Text("业务种类不同", "the kind differs"),
    "amount": Text("金额不同", "the amount differs"),
    "state": Text("状态不同", "the state differs"),
    "reference": Text("银行流水号不同", "the bank's reference differs"),
    "disputed": Text("银行前后答复矛盾，待人工核实", "the bank contradicted itself; somebody has to look"),
    "refused_but_posted": Text("银行已拒绝，但账上已记", "the bank refused what the books have posted"),
    "not_in_ledger": Text("账簿中没有相应分录，或金额不符", "the ledger has no such entry, or of another amount"),
}


def compare(ours: Iterable[Ours], rows: Iterable[BankRow], bank: tuple[str, str]) -> Iterator[Difference]:
    """Every difference between a bank's outbox and its file. Both are sorted by instruction, rows then by line."""
    waiting, before = iter(ours), ""
    one = next(waiting, None)
    for row in rows:
        if row.instruction_id == before:
            yield Difference("twice", row.line, row.instruction_id)
            continue
        before = row.instruction_id
        while one is not None and one.instruction.instruction_id < before:
            yield from _alone(one)
            one = next(waiting, None)
        if one is not None and one.instruction.instruction_id == before:
            yield from _both(one, row)
            one = next(waiting, None)
        else:
            yield Difference("not_here" if bank_in(before) == bank else "foreign", row.line, before)
    while one is not None:
        yield from _alone(one)
        one = next(waiting, None)


def _alone(one: Ours) -> Iterator[Difference]:
    """What is wrong with an instruction that the file does not have: nothing, if nothing of it was done."""
    seen = one.instruction
    if seen.state not in {"queued", "refused"}:
        yield Difference("not_in_file", None, seen.instruction_id, egret_says=seen.state)
    yield from _by_itself(one)


def _both(one: Ours, row: BankRow) -> Iterator[Difference]:
    seen, line, instruction_id = one.instruction, row.line, row.instruction_id
    if seen.kind != row.kind:
        yield Difference("kind", line, instruction_id, row.kind, seen.kind)
    if seen.amount_fen != row.amount_fen:
        yield Difference("amount", line, instruction_id, _yuan(row.amount_fen), _yuan(seen.amount_fen))
    same = (seen.kind, seen.amount_fen) == (row.kind, row.amount_fen)
    if seen.state != row.state:
        settling = row if same and seen.answer is None else None
        yield Difference("state", line, instruction_id, row.state, seen.state, settling)
    elif seen.answer is not None and seen.answer.reference != row.reference:
        yield Difference("reference", line, instruction_id, row.reference, seen.answer.reference)
    yield from _by_itself(one)


def _by_itself(one: Ours) -> Iterator[Difference]:
    """What is wrong with an instruction whatever the file says."""
    seen, instruction_id = one.instruction, one.instruction.instruction_id
    if seen.disputed:
        yield Difference("disputed", None, instruction_id, "; ".join(map(_said, seen.disputed)), _said(seen.answer))
    if seen.state == "refused" and seen.posted_before:
        yield Difference("refused_but_posted", None, instruction_id, egret_says=_yuan(seen.amount_fen))
    if not one.in_ledger:
        yield Difference("not_in_ledger", None, instruction_id, egret_says=_yuan(seen.amount_fen))


def posted_as(instruction: Instruction, bank: Party, entry: Entry | None) -> bool:
    """Whether an entry posts what an instruction says; an entry may be of several charges that were captured at once.

    Args:
        entry: That of ``instruction.entry_id``; None: there is none.
    """
    if instruction.entry_id is None:
        return True
    if entry is None:
        return False
    moved = {role: _sum(entry, bank.account(role)) for role in ("cash", "payable")}
    amount_fen = instruction.amount_fen
    if instruction.kind == "collect":
        return moved["cash"] == instruction.booked_fen
    if instruction.kind == "pay_out":
        return moved["cash"] == -amount_fen
    sign = -1 if instruction.kind == "disburse" else 1
    return sign * moved["payable"] >= amount_fen


def _sum(entry: Entry, account: str) -> int:
    return sum(posting.amount for posting in entry.postings if posting.account == account)


def _said(answer: BankAnswer | None) -> str:
    return "" if answer is None else f"{answer.state} {answer.reference}"


def _yuan(fen: int) -> str:
    return decimal(fen)
