"""The bank's file beside the outbox and the ledger: every place where they say different things, named.

Both sides come sorted by instruction, so that any number of them is compared with one of each in hand.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from chalicelib.core.money import decimal
from chalicelib.core.text import Text
from chalicelib.ledger.rules import Entry, Party
from chalicelib.medical.rules.closing import RowSaid, agrees, can_be_closed, mark_of
from chalicelib.medical.rules.instructions import BankAnswer, Instruction, InstructionKind, Verdict, bank_in
from chalicelib.medical.rules.outbox import waits_for_somebody

DifferenceCode = Literal[
    "malformed", "foreign", "twice", "not_here", "not_in_file", "kind", "amount", "day", "state", "reference",
    "disputed", "refused_but_posted", "not_given_back", "not_reminded", "not_in_ledger", "not_instructed",
    "reminder_lost",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class BankRow:
    """One row of the bank's file, by the number of its line. ``copy``: how many before it say the same."""

    line: int
    instruction_id: str
    kind: InstructionKind
    amount_fen: int
    day: str
    state: Verdict
    reference: str
    copy: int = 0

    @property
    def said(self) -> RowSaid:
        """What it says, wherever it stands."""
        return RowSaid(self.kind, self.amount_fen, self.day, self.state, self.reference, self.copy)


@dataclass(frozen=True, slots=True)
class Ours:
    """An instruction, and whether the ledger has what it says was posted. ``of_these_days``: one of other days is
    compared with its row, if there is one, and missed by nobody."""

    instruction: Instruction
    in_ledger: bool = True
    of_these_days: bool = True


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. What settles it, if anything does: the ``row`` of the file, or the ``missing`` instruction. What
    a person may close has a ``mark``, and ``said``: what the row said, None where the file has none."""

    code: DifferenceCode
    line: int | None
    instruction_id: str | None
    file_says: str = ""
    egret_says: str = ""
    row: BankRow | None = None
    missing: Instruction | None = None
    mark: str | None = None
    said: RowSaid | None = None


NAMED: Mapping[DifferenceCode, Text] = {
    "malformed": Text("文件中的行无法读取", "a row of the file cannot be read"),
    "foreign": Text("文件中的行属于另一家银行", "a row of the file is another bank's"),
    "twice": Text("同一指令在文件中出现多次", "the file has the same instruction more than once"),
    "not_here": Text("文件中有，白鹭没有", "in the file and not here"),
    "not_in_file": Text("白鹭有，文件中没有", "here and not in the file"),
    "kind": Text("业务种类不同", "the kind differs"),
    "amount": Text("金额不同", "the amount differs"),
    "day": Text("日期不同", "the day differs"),
    "state": Text("状态不同", "the state differs"),
    "reference": Text("银行流水号不同", "the bank's reference differs"),
    "disputed": Text("银行前后答复矛盾，待人工核实", "the bank contradicted itself; somebody has to look"),
    "refused_but_posted": Text("银行已拒绝，但账上已记", "the bank refused what the books have posted"),
    "not_given_back": Text("银行未退还多收的款项", "the bank refused to give back what it collected too much"),
    "not_reminded": Text("银行未通知本人", "the bank refused to remind the person"),
    "not_in_ledger": Text("账簿中没有相应分录，或金额不符", "the ledger has no such entry, or of another amount"),
    "not_instructed": Text("账上已记，但没有给银行的指令", "the books have posted it, and the bank was never told"),
    "reminder_lost": Text("应通知本人，但没有给银行的指令", "a person is to be reminded, and the bank was never told"),
}
_REFUSED: Mapping[InstructionKind, DifferenceCode] = {
    "disburse": "refused_but_posted",
    "take_back": "refused_but_posted",
    "pay_out": "refused_but_posted",
    "give_back": "not_given_back",
    "remind": "not_reminded",
}
"""How the refusal of each is named. Of a ``collect`` it is no difference: nothing was taken, nothing was booked."""


def compare(ours: Iterable[Ours], rows: Iterable[BankRow], bank: tuple[str, str]) -> Iterator[Difference]:
    """Every difference between a bank's outbox and its file. Both are sorted by instruction, rows then by line."""
    waiting = iter(ours)
    one = next(waiting, None)
    for instruction_id, same in groupby(rows, key=lambda row: row.instruction_id):
        while one is not None and one.instruction.instruction_id < instruction_id:
            yield from _alone(one)
            one = next(waiting, None)
        ours_too = one is not None and one.instruction.instruction_id == instruction_id
        seen = one.instruction if ours_too and one is not None else None
        row, sure = yield from _chosen(seen, same)
        if one is not None and seen is not None:
            yield from _both(one, row, sure=sure)
            one = next(waiting, None)
        else:
            code: DifferenceCode = "not_here" if bank_in(instruction_id) == bank else "foreign"
            yield _to_close(Difference(code, row.line, instruction_id), None, row)
    while one is not None:
        yield from _alone(one)
        one = next(waiting, None)


def _alone(one: Ours) -> Iterator[Difference]:
    """What is wrong with an instruction that the file does not have: nothing, if nothing of it was done."""
    if not one.of_these_days:
        return
    seen = one.instruction
    if seen.state not in {"queued", "refused"}:
        missed = Difference("not_in_file", None, seen.instruction_id, egret_says=seen.state)
        yield _to_close(missed, seen, None)
    yield from _by_itself(one)


def _chosen(seen: Instruction | None, same: Iterator[BankRow]) -> Generator[Difference, None, tuple[BankRow, bool]]:
    """Names every row of an instruction but one as one too many. Returns that one, the first that says what Egret says
    or else the first of all, and whether they all say the same."""
    chosen, sure = next(same), True
    for row in same:
        sure = sure and _content(row) == _content(chosen)
        better = seen is not None and agrees(seen, row.said) and not agrees(seen, chosen.said)
        chosen, further = (row, chosen) if better else (chosen, row)
        yield _to_close(Difference("twice", further.line, row.instruction_id, _row_said(further)), seen, further)
    return chosen, sure


def _both(one: Ours, row: BankRow, *, sure: bool) -> Iterator[Difference]:
    """What is said differently. ``sure``: the file does not contradict itself, so an answer may be taken from it."""
    seen, line, instruction_id = one.instruction, row.line, row.instruction_id
    found = list[Difference]()
    if seen.kind != row.kind:
        found.append(Difference("kind", line, instruction_id, row.kind, seen.kind))
    if seen.amount_fen != row.amount_fen:
        found.append(Difference("amount", line, instruction_id, _yuan(row.amount_fen), _yuan(seen.amount_fen)))
    if f"{seen.day}" != row.day:
        found.append(Difference("day", line, instruction_id, row.day, f"{seen.day}"))
    if seen.state != row.state:
        settling = row if not found and sure and seen.answer is None else None
        found.append(Difference("state", line, instruction_id, row.state, seen.state, settling))
    elif seen.answer is not None and seen.answer.reference != row.reference:
        found.append(Difference("reference", line, instruction_id, row.reference, seen.answer.reference))
    yield from (_to_close(each, seen, row) for each in found)
    yield from _by_itself(one)


def _to_close(one: Difference, seen: Instruction | None, row: BankRow | None) -> Difference:
    """The difference with what a person needs to close it, if one may."""
    said = None if row is None else row.said
    return replace(one, mark=mark_of(said, seen), said=said) if can_be_closed(seen, said) else one


def _by_itself(one: Ours) -> Iterator[Difference]:
    """What is wrong with an instruction whatever the file says."""
    seen, instruction_id = one.instruction, one.instruction.instruction_id
    if seen.disputed and waits_for_somebody(seen):
        yield Difference("disputed", None, instruction_id, "; ".join(map(_said, seen.disputed)), _said(seen.answer))
    if seen.state == "refused" and waits_for_somebody(seen):
        yield from refusal(instruction_id, seen.kind, seen.amount_fen)
    if not one.in_ledger:
        yield Difference("not_in_ledger", None, instruction_id, egret_says=_yuan(seen.amount_fen))


def refusal(instruction_id: str, kind: InstructionKind, amount_fen: int) -> Iterator[Difference]:
    """What is wrong once the bank has refused an instruction of this kind."""
    code = _REFUSED.get(kind)
    if code is not None:
        yield Difference(code, None, instruction_id, "refused", _yuan(amount_fen))


def not_instructed(made: Instruction) -> Difference:
    """The books have posted what this instruction says, and the outbox does not have it."""
    said = f"{made.kind} {_yuan(made.amount_fen)}"
    return Difference("not_instructed", None, made.instruction_id, egret_says=said, missing=made)


def reminder_lost(made: Instruction) -> Difference:
    """The bill has a reminder, and the outbox does not have it. Nothing is posted by it, so no entry tells of it."""
    return Difference("reminder_lost", None, made.instruction_id, egret_says=f"{made.day}", missing=made)


def outwards(
    told: tuple[InstructionKind, int], instruction_id: str, made: Sequence[Instruction], known: Collection[str]
) -> Iterator[Difference]:
    """What is wrong with what an entry calls for.

    Args:
        told: The kind, and what the instructions come to together, as the entry says.
        instruction_id: That of the first one, whether there is one or not.
        made: What the events of this entry call for; none: the entry stands without an event.
        known: Which of them the outbox has.
    """
    kind, amount_fen = told
    if not made:
        yield Difference("not_instructed", None, instruction_id, egret_says=f"{kind} {_yuan(amount_fen)}")
    yield from (not_instructed(one) for one in made if one.instruction_id not in known)
    total_fen = sum(one.amount_fen for one in made)
    # One that is more than the whole entry is named where it is compared with its entry.
    if made and total_fen != amount_fen and all(one.amount_fen <= amount_fen for one in made):
        yield Difference("not_in_ledger", None, instruction_id, egret_says=_yuan(total_fen))


def told_by(bank: Party, entry: Entry) -> tuple[InstructionKind, int] | None:
    """Which instructions an entry of a hospital's book, or of the bank's, calls for, and what they come to together;
    None: it is another bank's, or came from the bank itself."""
    owed_fen = _sum(entry, bank.account("payable"))
    if owed_fen:
        return ("disburse", -owed_fen) if owed_fen < 0 else ("take_back", owed_fen)
    paid_fen = -_sum(entry, bank.account("cash"))
    return ("pay_out", paid_fen) if paid_fen > 0 else None


def patient_of(bank: Party, entry: Entry) -> str | None:
    """The id by which the bank knows the person whose loan an entry changes; None: it changes no loan."""
    loans = bank.account("loans") + "/"
    return next((p.account.removeprefix(loans) for p in entry.postings if p.account.startswith(loans)), None)


def _content(row: BankRow) -> tuple[str, int, str, Verdict, str]:
    return row.kind, row.amount_fen, row.day, row.state, row.reference


def _row_said(row: BankRow) -> str:
    return f"{row.state} {row.reference} {_yuan(row.amount_fen)}"


def posted_as(instruction: Instruction, bank: Party, entry: Entry | None) -> bool:
    """Whether an entry posts what an instruction says; of a disbursement or what is taken back, at least that: an entry
    may be of several charges that were captured at once. What they come to together is compared from the entry's side.

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
