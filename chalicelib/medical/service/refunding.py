"""A hospital takes back what it captured: the charges go down, and the ledger's entry is reversed in part."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chalicelib.core.auth import Caller
from chalicelib.core.commit import Unit, looking_again
from chalicelib.core.effect import Intent
from chalicelib.core.errors import NotFound
from chalicelib.ledger import store as ledger
from chalicelib.ledger.rules import Entry, Party
from chalicelib.medical import store
from chalicelib.medical.rules import ChargeUnknown, Debt, Refund
from chalicelib.medical.rules.credit import CreditHold, require_stated
from chalicelib.medical.rules.events import numbered
from chalicelib.medical.rules.line_views import Refunded
from chalicelib.medical.rules.posting import refund_postings
from chalicelib.medical.service.bills import Bill, read_bill, take
from chalicelib.medical.service.charging import bank_party, known_to_bank
from chalicelib.medical.service.placing import opened
from chalicelib.medical.service.sharing import TRIES
from chalicelib.subjects import store as accounts


def refund(
    unit: Unit, intent: Intent, now: datetime, caller: Caller, hold_id: str, charge_id: str, amount_fen: int
) -> Refunded:
    """Gives back an amount of what was captured from a hold, whatever has become of hold and line since.

    Raises: NotFound: no such hold of this hospital; ChargeUnknown: nothing that this hospital captured for this visit;
        StatementsOutstanding: a part of it; RefundExceedsCapture; Conflict; in this order.
    """

    def once(fresh: Unit) -> Refunded:
        return _refund_once(fresh, intent, now, caller, hold_id, charge_id, amount_fen)

    return looking_again(unit, once, TRIES)


def _refund_once(
    unit: Unit, intent: Intent, now: datetime, caller: Caller, hold_id: str, charge_id: str, amount_fen: int
) -> Refunded:
    person_id, bank_id = opened(caller, hold_id)
    key = store.hold_key(caller.city_id, hold_id)
    bill = read_bill(caller.city_id, person_id, bank_id, [key])
    held = store.hold_in(bill.rows, key)
    if held is None:
        raise NotFound
    if amount_fen < _own(bill, held, charge_id).net_fen:
        require_stated(bill.credit)
    purpose = f"refund-charge:{held.city_id}/{held.scenario_id}"
    entry = give_back(unit, bill, now, held.hospital_id, [(charge_id, amount_fen)], intent.effect_id, purpose)
    reply = Refunded(charge_id, amount_fen)
    facts = {"v": 1, "hold_id": hold_id, "bank_id": bank_id, "charge_id": charge_id, "amount_fen": amount_fen}
    unit.effect(ledger.effect_row(intent, entry, facts=facts, reply=reply, subject=accounts.account_pk(held.ref)))
    unit.commit()
    return reply


def _own(bill: Bill, held: CreditHold, charge_id: str) -> Debt:
    """What is owed on a charge that this hold's hospital made for its visit, and for no item of one, which is refunded
    as an item. Raises: ChargeUnknown."""
    own = charge_id, held.hospital_id, held.visit_ref, ""
    for debt in bill.account.debts:
        one = debt.charge
        if (one.charge_id, one.hospital_id, one.visit_id, one.item_id) == own:
            return debt
    raise ChargeUnknown


def give_back(
    unit: Unit,
    bill: Bill,
    now: datetime,
    hospital_id: str,
    parts: Sequence[tuple[str, int]],
    effect_id: str,
    purpose: str,
) -> Entry:
    """Takes back parts of charges that one capture made, and makes the entry for the effect.

    Args:
        parts: The charges' ids, each with how much of it.

    Raises: AmountNotWhole; AmountNotPositive; AmountTooLarge; ChargeUnknown; RefundExceedsCapture; in this order.
    """
    day, credit = bill.day(now), bill.credit
    events = [Refund(numbered(effect_id, n), charge_id, day, fen) for n, (charge_id, fen) in enumerate(parts)]
    done = take(unit, bill, events, now)
    captures = {charge_id.partition("~")[0] for charge_id, _ in parts}
    assert len(captures) == 1, "an item is captured by one request"
    hospital = Party(credit.city_id, "hospital", hospital_id)
    amount_fen = sum(fen for _, fen in parts)
    postings = refund_postings(hospital, bank_party(credit), known_to_bank(credit), amount_fen, done)
    at = max(now, credit.line.as_of)
    return Entry(effect_id, at, day, purpose, hospital.name, postings, captures.pop())
