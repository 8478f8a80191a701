"""How a person closes a difference between a bank's file and the outbox: by a record of its own, which changes nothing.

A closing is of one thing that a file says (a row, or that there is none) beside one thing that Egret says. Whatever
either says otherwise later is another difference, which is named again. Where money has to be booked to make it right,
it is booked by the requests that book it always, each an effect with its entry; a closing may name that entry, once.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from chalicelib.core.codec import canonical
from chalicelib.core.errors import Problem
from chalicelib.core.text import Text
from chalicelib.ledger.rules import Entry, Party
from chalicelib.medical.rules.instructions import Instruction, InstructionKind, Verdict
from chalicelib.medical.rules.outbox import NothingToClose

_MARK_DIGITS = 32


class AnswerAwaited(Problem):
    code = "instruction-not-answered"
    status = 409
    title = Text(
        "银行尚未答复该指令：请先答复，再结案",
        "The bank has not answered this instruction: answer it first, then close",
    )


class CorrectingEntryInvalid(Problem):
    code = "correcting-entry-invalid"
    status = 422
    title = Text(
        "更正分录须是在该指令之后为此人记的还款、付款、核销（由该银行）或退款，且不是在线还款的入账",
        "The correcting entry is this bank's repayment, payout or write-off, or a refund, about this person and made "
        "after the instruction; it is no online payment",
    )


class CorrectingEntryUsed(Problem):
    code = "correcting-entry-used"
    status = 409
    title = Text("该更正分录已用于另一处差异", "This correcting entry has closed another difference")


@dataclass(frozen=True, slots=True)
class RowSaid:
    """What a row says of its instruction, on whatever line of whatever file. ``copy``: how many rows of the same file
    say the same before it; a bank that did a thing twice has a first row that is right, and a copy."""

    kind: InstructionKind
    amount_fen: int
    day: str
    state: Verdict
    reference: str
    copy: int = 0


@dataclass(frozen=True, slots=True)
class Closed:
    """That somebody has looked into a difference, and what he found there.

    Args:
        row: What the bank's row said; None: its file did not have the instruction.
        egret_said: What the instruction said then; None: there was none.
        by: The operator, as the bank's own sign-on names him.
        reason: A word of the bank's own list.
        entry_id: The entry that was made to set it right; None: none was needed.
    """

    city_id: str
    bank_id: str
    instruction_id: str
    row: RowSaid | None
    egret_said: str | None
    at: datetime
    by: str
    reason: str
    entry_id: str | None = None


@dataclass(frozen=True, slots=True)
class ClosedView:
    """A closing as the bank sees it."""

    instruction_id: str
    row: RowSaid | None
    egret_said: str | None
    at: datetime
    by: str
    reason: str
    entry_id: str | None


def said_by(seen: Instruction | None) -> str | None:
    """What an instruction says of itself beside a file: kind, amount in fen, day, state, the bank's reference."""
    if seen is None:
        return None
    reference = "-" if seen.answer is None else seen.answer.reference
    return f"{seen.kind} {seen.amount_fen} {seen.day} {seen.state} {reference}"


def mark_of(row: RowSaid | None, seen: Instruction | None) -> str:
    """What a closing of this row beside this instruction is found by: other words of either have another mark."""
    return hashlib.sha256(canonical([row, said_by(seen)]).encode()).hexdigest()[:_MARK_DIGITS]


def agrees(seen: Instruction, row: RowSaid) -> bool:
    """Whether a row says what the instruction says, and is the first to."""
    return row.copy == 0 and said_by(seen) == f"{row.kind} {row.amount_fen} {row.day} {row.state} {row.reference}"


def can_be_closed(seen: Instruction | None, row: RowSaid | None) -> bool:
    """Whether there is a difference that waits for a person. What has no answer waits for the bank."""
    if seen is None:
        return row is not None
    if seen.answer is None:
        return False
    return seen.state == "accepted" if row is None else not agrees(seen, row)


def require_difference(seen: Instruction | None, row: RowSaid | None) -> None:
    """Returns if somebody may close it. Raises: AnswerAwaited; NothingToClose; in this order."""
    if seen is not None and seen.answer is None:
        raise AnswerAwaited
    if not can_be_closed(seen, row):
        raise NothingToClose


def require_correcting(
    entry: Entry, subject: str | None, bank: Party, seen: Instruction | None, whose: str, *, collected: bool
) -> None:
    """Returns if an entry can have set a difference right: the bank's own or a refund of what it had paid, about the
    same person, and made later.

    Args:
        subject: Whom the entry's effect is about.
        whose: Whom the instruction is about; not looked at where there is none.
        collected: Whether it was booked because the bank had collected an online payment: nobody made it to set
            anything else right.

    Raises: CorrectingEntryInvalid.
    """
    refund = entry.reverses is not None and any(one.account.startswith(f"{bank.name}/") for one in entry.postings)
    ours = not collected and (refund or entry.book == bank.name)
    later = seen is None or (subject == whose and entry.at >= seen.made_at and entry.entry_id != seen.entry_id)
    if subject is None or not ours or not later:
        raise CorrectingEntryInvalid


def closed_view(closed: Closed) -> ClosedView:
    """What the bank is shown of a closing."""
    one = closed
    return ClosedView(one.instruction_id, one.row, one.egret_said, one.at, one.by, one.reason, one.entry_id)
