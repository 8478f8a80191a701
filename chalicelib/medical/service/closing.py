"""A person at the bank closes what reconciliation names again and again, once it is settled with those concerned: an
instruction that the bank refused or contradicted, or what a row of its file says otherwise."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from chalicelib.core import effect, table
from chalicelib.core.auth import Caller
from chalicelib.core.commit import Unit
from chalicelib.core.effect import Intent
from chalicelib.core.errors import NotFound
from chalicelib.ledger import store as ledger
from chalicelib.ledger.rules import Party
from chalicelib.medical.rules.closing import (
    Closed,
    ClosedView,
    CorrectingEntryInvalid,
    RowSaid,
    closed_view,
    mark_of,
    require_correcting,
    require_difference,
    said_by,
)
from chalicelib.medical.rules.instructions import Instruction, InstructionView
from chalicelib.medical.rules.outbox import ClosingForbidden, closed
from chalicelib.medical.rules.reconciling import Difference
from chalicelib.medical.service.collecting import COLLECTED
from chalicelib.medical.service.outbox import Place, seen_by_bank
from chalicelib.medical.store import closing, outbox
from chalicelib.partners import store as partners
from chalicelib.subjects import store as accounts


class Decision(NamedTuple):
    """Why somebody closes a difference: a word of the bank's own list, and the entry that has set it right, if any."""

    reason: str
    entry_id: str | None = None


def close(unit: Unit, intent: Intent, now: datetime, caller: Caller, place: Place, reason: str) -> InstructionView:
    """Closes an instruction that waits for somebody. What the bank said of it, and what is posted, stays as it is.

    Raises: NotFound: this bank has no such instruction; ClosingForbidden: the caller is no operator of the bank's;
        NothingToClose; Conflict; in this order.
    """
    seen, operates = _looked_at(caller, place)
    if seen is None:
        raise NotFound
    _require_operator(operates=operates)
    after = closed(seen, reason, now)
    outbox.save_instruction(unit, after)
    reply = seen_by_bank(after)
    facts = {"v": 1, "instruction_id": after.instruction_id, "reason": reason}
    subject, purpose = accounts.account_pk(after.ref), f"close:{after.kind}"
    unit.effect(effect.row(intent, now, purpose=purpose, facts=facts, reply=reply, subject=subject))
    unit.commit()
    return reply


def close_difference(
    unit: Unit, intent: Intent, now: datetime, caller: Caller, place: Place, row: RowSaid | None, decision: Decision
) -> ClosedView:
    """Records that somebody has looked into what a row of the bank's file says otherwise than Egret, or that the file
    has no row of what was accepted. Nothing else changes; the person it is about finds it among the looks at him.

    Raises: ClosingForbidden: the caller is no operator of the bank's; AnswerAwaited; NothingToClose: they agree, or it
        is closed; CorrectingEntryInvalid; CorrectingEntryUsed; in this order.
    """
    seen, operates = _looked_at(caller, place)
    _require_operator(operates=operates)
    require_difference(seen, row)
    subject = None if seen is None else accounts.account_pk(seen.ref)
    if decision.entry_id is not None:
        _require_correcting(decision.entry_id, place, seen, subject)
    made = Closed(*place, row, said_by(seen), now, caller.person, *decision)
    closing.save_closed(unit, made, mark_of(row, seen))
    reply, purpose = closed_view(made), "close-difference"
    unit.effect(effect.row(intent, now, purpose=purpose, facts={"v": 1, "closed": made}, reply=reply, subject=subject))
    unit.commit()
    return reply


def closed_among(city_id: str, bank_id: str, found: Iterable[Difference]) -> dict[Difference, Closed]:
    """Those of these differences that somebody has closed; one BatchGetItem per hundred."""
    places = {one: (one.instruction_id, one.mark) for one in found if one.instruction_id and one.mark}
    there = closing.fetch_closed(city_id, bank_id, places.values())
    return {one: there[place] for one, place in places.items() if place in there}


def _looked_at(caller: Caller, place: Place) -> tuple[Instruction | None, bool]:
    """The instruction, if this bank has it, and whether the caller is an operator of the bank's. Raises: NotFound: no
    such bank."""
    key, partner_key = outbox.instruction_key(*place), partners.partner_key(place.city_id, place.bank_id)
    rows = table.fetch([key, partner_key])
    bank = partners.partner_in(rows, place.city_id, place.bank_id)
    if bank is None:
        raise NotFound
    return outbox.instruction_in(rows, key), bank.has_role(caller.person, "operator")


def _require_operator(*, operates: bool) -> None:
    if not operates:
        raise ClosingForbidden


def _require_correcting(entry_id: str, place: Place, seen: Instruction | None, subject: str | None) -> None:
    """Returns if this entry can have set it right. Raises: CorrectingEntryInvalid: also where there is none."""
    try:
        entry, made = ledger.load_entry(entry_id), effect.load(entry_id)
    except NotFound:
        raise CorrectingEntryInvalid from None
    bank, collected = Party(place.city_id, "bank", place.bank_id), made.verb == COLLECTED
    require_correcting(entry, made.subject, bank, seen, subject or "", collected=collected)
