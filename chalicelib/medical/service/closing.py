"""A person at the bank closes what reconciliation names again and again, once it is settled with those concerned."""

from __future__ import annotations

from datetime import datetime

from chalicelib.core import effect, table
from chalicelib.core.auth import Caller
from chalicelib.core.commit import Unit
from chalicelib.core.effect import Intent
from chalicelib.core.errors import NotFound
from chalicelib.medical.rules.instructions import InstructionView
from chalicelib.medical.rules.outbox import ClosingForbidden, closed
from chalicelib.medical.service.outbox import Place, seen_by_bank
from chalicelib.medical.store import outbox
from chalicelib.partners import store as partners
from chalicelib.subjects import store as accounts


def close(unit: Unit, intent: Intent, now: datetime, caller: Caller, place: Place, reason: str) -> InstructionView:
    """Closes an instruction that waits for somebody. What the bank said of it, and what is posted, stays as it is.

    Raises: NotFound: this bank has no such instruction; ClosingForbidden: the caller is no operator of the bank's;
        NothingToClose; Conflict; in this order.
    """
    key, partner_key = outbox.instruction_key(*place), partners.partner_key(place.city_id, place.bank_id)
    rows = table.fetch([key, partner_key])
    seen, bank = outbox.instruction_in(rows, key), partners.partner_in(rows, place.city_id, place.bank_id)
    if seen is None or bank is None:
        raise NotFound
    if not bank.has_role(caller.person, "operator"):
        raise ClosingForbidden
    after = closed(seen, reason, now)
    outbox.save_instruction(unit, after)
    reply = seen_by_bank(after)
    facts = {"v": 1, "instruction_id": after.instruction_id, "reason": reason}
    subject, purpose = accounts.account_pk(after.ref), f"close:{after.kind}"
    unit.effect(effect.row(intent, now, purpose=purpose, facts=facts, reply=reply, subject=subject))
    unit.commit()
    return reply
