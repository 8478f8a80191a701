"""The items of a visit: entered, insured, withdrawn, captured, refunded. The payer hears of captures and refunds alone.

What was held was given: a capture asks nothing of the person, the bank or the policy. It is one charge for each hold
from which it takes, and one entry in the hospital's book.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from chalicelib.cities import store as cities
from chalicelib.core import effect
from chalicelib.core.auth import Caller
from chalicelib.core.commit import Unit, looking_again
from chalicelib.core.effect import Intent
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.ledger import store as ledger
from chalicelib.ledger.rules import holds
from chalicelib.ledger.rules.lines import Line
from chalicelib.medical import store
from chalicelib.medical.rules import ChargeUnknown, split_refund
from chalicelib.medical.rules.credit import require_stated
from chalicelib.medical.rules.drawing import Take, plan
from chalicelib.medical.rules.events import numbered
from chalicelib.medical.rules.items import Item
from chalicelib.medical.rules.visit_views import ItemRefunded, ItemStep, item_step, item_view
from chalicelib.medical.rules.visits import (
    Visit,
    captured,
    insured,
    item_of,
    refunded,
    with_item,
    withdrawn,
)
from chalicelib.medical.service.bills import Bill, read_bill
from chalicelib.medical.service.charging import Taken, charge_all
from chalicelib.medical.service.placing import opened
from chalicelib.medical.service.refunding import give_back
from chalicelib.medical.service.sharing import TRIES
from chalicelib.medical.service.visiting import Found, holds_in, purpose_of, read_found
from chalicelib.medical.store.visits import save_visit, visit_in, visit_key
from chalicelib.subjects import store as accounts


def enter(unit: Unit, intent: Intent, now: datetime, caller: Caller, visit_id: str, item: Item) -> ItemStep:
    """Enters an item of a visit's bill.

    Raises: NotFound: no such visit of this hospital; VisitOver; ItemRepeated; ItemsFull; InsuranceExceedsItem;
        Conflict; in this order.
    """

    def step(visit: Visit) -> Visit:
        return with_item(visit, item)

    return _changed(unit, intent, now, caller, visit_id, item.item_id, step, "enter-item")


def insure(
    unit: Unit, intent: Intent, now: datetime, caller: Caller, visit_id: str, item_id: str, insurance_fen: int
) -> ItemStep:
    """Notes what insurance pays of an item, which may be nothing.

    Raises: NotFound: no such visit of this hospital; VisitOver; ItemUnknown; InsuranceSettled; InsuranceExceedsItem;
        Conflict; in this order.
    """

    def step(visit: Visit) -> Visit:
        return insured(visit, item_id, insurance_fen)

    return _changed(unit, intent, now, caller, visit_id, item_id, step, "insure-item")


def withdraw(unit: Unit, intent: Intent, now: datetime, caller: Caller, visit_id: str, item_id: str) -> ItemStep:
    """Takes an item off a visit's bill that was not captured; the reply says what it was.

    Raises: NotFound: no such visit of this hospital; VisitOver; ItemUnknown; ItemCaptured; Conflict; in this order.
    """

    def step(visit: Visit) -> Visit:
        return withdrawn(visit, item_id)

    return _changed(unit, intent, now, caller, visit_id, item_id, step, "withdraw-item")


def _changed(
    unit: Unit,
    intent: Intent,
    now: datetime,
    caller: Caller,
    visit_id: str,
    item_id: str,
    step: Callable[[Visit], Visit],
    purpose: str,
) -> ItemStep:
    def once(fresh: Unit) -> ItemStep:
        found = read_found(caller, visit_id)
        after = step(found.visit)
        save_visit(fresh, after)
        named = after if any(item.item_id == item_id for item in after.items) else found.visit
        return _record(fresh, intent, now, after, item_of(named, item_id), found.credit.line, purpose)

    return looking_again(unit, once, TRIES)


def _record(unit: Unit, intent: Intent, now: datetime, visit: Visit, item: Item, line: Line, purpose: str) -> ItemStep:
    """Commits a step that touches nothing of whoever pays."""
    reply = item_step(visit, item, line, now)
    facts = {"v": 1, "visit_id": visit.visit_id, "item_id": item.item_id}
    unit.effect(effect.row(intent, now, purpose=purpose, facts=facts, reply=reply))
    unit.commit()
    return reply


def capture_item(unit: Unit, intent: Intent, now: datetime, caller: Caller, visit_id: str, item_id: str) -> ItemStep:
    """Captures the patient's part of an item from the visit's holds, those that expire first, first.

    Raises: NotFound: no such visit of this hospital; VisitOver; ItemUnknown; InsuranceOutstanding; ItemCaptured;
        HoldExpired; EstimateTooLow; Conflict; in this order.
    """
    return looking_again(unit, lambda fresh: _capture_once(fresh, intent, now, caller, visit_id, item_id), TRIES)


def _capture_once(unit: Unit, intent: Intent, now: datetime, caller: Caller, visit_id: str, item_id: str) -> ItemStep:
    first = store.hold_key(caller.city_id, visit_id)
    found = read_found(caller, visit_id, [cities.control_key(caller.city_id), first])
    takes = plan(found.visit, item_id, found.credit.line, now)
    if not takes:
        after = captured(found.visit, item_id, (), found.visit.line_version)
        save_visit(unit, after)
        return _record(unit, intent, now, after, item_of(after, item_id), found.credit.line, "capture-nothing")
    taken = _taken(found, item_id, takes, now)
    charge_ids = tuple(numbered(intent.effect_id, place) for place in range(len(taken)))
    after = captured(found.visit, item_id, charge_ids, taken[-1].step.line.version)
    save_visit(unit, after)
    return _record_capture(unit, intent, now, found, after, item_id, taken)


def _taken(found: Found, item_id: str, takes: tuple[Take, ...], now: datetime) -> list[Taken]:
    line, taken = found.credit.line, list[Taken]()
    held = holds_in(found, [take.hold_id for take in takes], now)
    for take, one in zip(takes, held, strict=True):
        step = holds.capture(line, one.hold, take.amount_fen, now)
        taken.append(Taken(replace(one, hold=step.hold), step, found.visit.visit_ref, item_id))
        line = step.line
    return taken


def _record_capture(
    unit: Unit, intent: Intent, now: datetime, found: Found, after: Visit, item_id: str, taken: list[Taken]
) -> ItemStep:
    control, purpose = cities.control_in(found.rows, after.city_id), purpose_of(after, "capture")
    entry = charge_all(unit, control, found.credit, taken, intent.effect_id, purpose)
    captured_fen = sum(one.step.captured_fen for one in taken)
    reply = item_step(after, item_of(after, item_id), taken[-1].step.line, now, captured_fen)
    facts = {
        "v": 1, "visit_id": after.visit_id, "item_id": item_id, "bank_id": after.bank_id,
        "captured_fen": captured_fen,
    }  # fmt: skip
    unit.effect(ledger.effect_row(intent, entry, facts=facts, reply=reply, subject=accounts.account_pk(after.ref)))
    unit.commit()
    return reply


def refund_item(
    unit: Unit, intent: Intent, now: datetime, caller: Caller, visit_id: str, item_id: str, amount_fen: int
) -> ItemRefunded:
    """Gives back an amount of what was captured of an item, whatever has become of visit and line since.

    Raises: NotFound: no such visit of this hospital; ItemUnknown; ItemNotCaptured; RefundExceedsCapture;
        ChargeUnknown: it was cleared too long ago; StatementsOutstanding: a part of it; Conflict; in this order.
    """

    def once(fresh: Unit) -> ItemRefunded:
        return _refund_once(fresh, intent, now, caller, visit_id, item_id, amount_fen)

    return looking_again(unit, once, TRIES)


def _refund_once(
    unit: Unit, intent: Intent, now: datetime, caller: Caller, visit_id: str, item_id: str, amount_fen: int
) -> ItemRefunded:
    person_id, bank_id = opened(caller, visit_id)
    key = visit_key(caller.city_id, visit_id)
    bill = read_bill(caller.city_id, person_id, bank_id, [key])
    visit = visit_in(bill.rows, key)
    if visit is None:
        raise NotFound
    after, item = refunded(visit, item_id, amount_fen), item_of(visit, item_id)
    parts = _parts(bill, visit, item, amount_fen)
    if amount_fen < item.captured_fen - item.refunded_fen:
        require_stated(bill.credit)
    purpose = purpose_of(visit, "refund-charge")
    entry = give_back(unit, bill, now, visit.hospital_id, parts, intent.effect_id, purpose)
    after = replace(after, line_version=bill.credit.line.version + len(parts))
    save_visit(unit, after)
    view = item_view(item_of(after, item_id))
    reply = ItemRefunded(visit_id, view, amount_fen)
    facts = {"v": 1, "visit_id": visit_id, "item_id": item_id, "bank_id": bank_id, "amount_fen": amount_fen}
    subject = accounts.account_pk(visit.ref)
    unit.effect(ledger.effect_row(intent, entry, facts=facts, reply=reply, subject=subject))
    unit.commit()
    return reply


def _parts(bill: Bill, visit: Visit, item: Item, amount_fen: int) -> tuple[tuple[str, int], ...]:
    """Of which of an item's charges so much is given back.

    Raises: Conflict: visit and line were read amid a write; ChargeUnknown; in this order.
    """
    if bill.credit.line.version < visit.line_version:
        raise Conflict
    debts = [debt for debt in bill.account.debts if debt.charge.charge_id in item.charge_ids]
    if len(debts) < len(item.charge_ids):
        raise ChargeUnknown
    if amount_fen > sum(debt.net_fen for debt in debts):
        raise Conflict
    return split_refund(debts, amount_fen)
