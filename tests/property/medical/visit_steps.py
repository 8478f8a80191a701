"""What a step does to a visit or a bill of the model, and why it cannot be done."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from tests.property.medical import line_model
from tests.property.medical.line_model import Placed, Reasons
from tests.property.medical.visit_model import LEAST_FEN, OFF_DAYS, Billed, Charge, Item, Town, Visit, set_aside


class Part(NamedTuple):
    """What of a payment, or of what was written off, was a charge's."""

    charge: Charge
    principal_fen: int
    interest_fen: int


def against_items(visit: Visit, item_id: str) -> Reasons:
    """Why nothing can be done with an item that is to be captured."""
    reasons = {"visit-over"} if visit.state != "open" else set()
    return reasons | (set() if visit.item(item_id) else {"visit-item-unknown"})


def against_entering(visit: Visit, made: Item) -> Reasons:
    """Why an item cannot be entered."""
    reasons = {"visit-over"} if visit.state != "open" else set()
    reasons |= {"visit-item-repeated"} if visit.item(made.item_id) else set()
    return reasons | ({"insurance-exceeds-item"} if (made.insurance_fen or 0) > made.amount_fen else set())


def against_insuring(visit: Visit, item_id: str, insurance_fen: int) -> Reasons:
    """Why insurance cannot settle its part."""
    reasons, item = against_items(visit, item_id), visit.item(item_id)
    if item is None:
        return reasons
    reasons |= {"insurance-settled"} if item.insurance_fen is not None else set()
    return reasons | ({"insurance-exceeds-item"} if insurance_fen > item.amount_fen else set())


def against_withdrawing(visit: Visit, item_id: str) -> Reasons:
    """Why an item cannot be taken off."""
    reasons, item = against_items(visit, item_id), visit.item(item_id)
    return reasons | ({"visit-item-captured"} if item is not None and item.captured_fen else set())


def against_capturing(visit: Visit, item_id: str, now: datetime) -> Reasons:
    """Why an item cannot be captured: insurance comes first, and then only what became of the visit's own holds."""
    reasons, item = against_items(visit, item_id), visit.item(item_id)
    if item is None:
        return reasons
    if item.own_fen is None:
        return reasons | {"insurance-outstanding"}
    reasons |= {"visit-item-captured"} if item.captured_fen else set()
    if item.own_fen <= visit.held_fen(now):
        return reasons
    lapsed = max(hold.until for hold in visit.holds) <= max(now, visit.who.bill.as_of)
    return reasons | {"hold-expired" if lapsed else "estimate-too-low"}


def capture(visit: Visit, item_id: str, now: datetime) -> int:
    """An item is captured once, from the holds that lapse first, first: a charge for each. Returns how much."""
    item, line = visit.item(item_id), visit.who.bill
    assert item is not None
    assert item.own_fen is not None
    assert not item.captured_fen
    left_fen = item.own_fen
    for hold in visit.open_at(now):
        taken_fen = min(left_fen, hold.left_fen)
        if taken_fen:
            line_model.step(line, hold, taken_fen, now, final=False, voids=False)
            item.charges.append(Charge(line.day(now), taken_fen))
            left_fen -= taken_fen
    assert not left_fen
    line.charges += item.charges
    item.captured_fen = item.own_fen
    return item.captured_fen


def against_raising(town: Town, visit: Visit, amount_fen: int, now: datetime, *, shown: bool) -> Reasons:
    """Why no more can be set aside for a visit."""
    reasons = {"visit-over"} if visit.state != "open" else set()
    late = not shown and visit.given_until <= max(now, visit.who.bill.as_of)
    reasons |= {"hold-expired"} if late else set()
    return reasons | town.against_holding(visit.who, visit.hospital, amount_fen, now)


def raise_(visit: Visit, amount_fen: int, now: datetime, *, shown: bool) -> Placed:
    """More is set aside: with another pass by its terms, without one for as long as the latest pass gives."""
    until = None if shown else visit.given_until
    hold = set_aside(visit.who, visit.hospital, amount_fen, now, until)
    visit.holds.append(hold)
    visit.given_until = hold.until
    return hold


def against_ending(visit: Visit, verb: str) -> Reasons:
    """Why a visit cannot be settled, or cancelled."""
    reasons = {"visit-over"} if visit.state != "open" else set()
    if verb == "cancel":
        return reasons | ({"visit-has-captures"} if any(item.captured_fen for item in visit.items) else set())
    return reasons | (set() if all(item.done for item in visit.items) else {"visit-items-outstanding"})


def end(visit: Visit, verb: str, now: datetime) -> int:
    """What is left of a visit's holds goes back to the line; how much it is."""
    returned_fen = visit.held_fen(now)
    for hold in visit.open_at(now):
        line_model.step(visit.who.bill, hold, 0, now, final=False, voids=True)
    visit.state = "cancelled" if verb == "cancel" else "settled"
    return returned_fen


def against_refunding(visit: Visit, item_id: str, amount_fen: int) -> Reasons:
    """Why an item cannot be given back: whatever has become of its visit is no reason."""
    item = visit.item(item_id)
    if item is None:
        return {"visit-item-unknown"}
    reasons = set() if item.captured_fen else {"visit-item-not-captured"}
    return reasons | ({"refund-exceeds-capture"} if amount_fen > item.captured_fen - item.refunded_fen else set())


def refund(visit: Visit, item_id: str, amount_fen: int, now: datetime) -> None:
    """What is not paid yet is not owed any more, and only then the bank owes back what was paid; the last charge
    first."""
    item, line = visit.item(item_id), visit.who.bill
    assert item is not None
    day = line.day(now)
    line.as_of = max(now, line.as_of)
    item.refunded_fen += amount_fen
    charges = item.charges[::-1]
    for charge in charges:
        fen = min(amount_fen, charge.principal_fen)
        charge.lowered.append((day, fen))
        charge.refunded_fen += fen
        amount_fen -= fen
    for charge in charges:
        fen = min(amount_fen, charge.paid_fen)
        charge.refunded_fen += fen
        line.back_fen += fen
        amount_fen -= fen
    assert not amount_fen, "no more is given back than was captured"


def against_repaying(line: Billed, amount_fen: int, now: datetime) -> Reasons:
    """Why a payment is not taken: that a line is closed, suspended or over its term is no reason."""
    owed_fen = line.owed_fen(line.day(now))
    reasons = {"credit-line-closed"} if line.closed and not owed_fen else set()
    reasons |= {"repayment-exceeds-debt"} if amount_fen > owed_fen else set()
    return reasons | ({"repayment-too-small"} if amount_fen < min(LEAST_FEN, owed_fen) else set())


def repay(line: Billed, amount_fen: int, now: datetime) -> list[Part]:
    """A payment goes to what is due first, and of a charge to interest before principal."""
    day, parts = line.day(now), list[Part]()
    line.as_of = max(now, line.as_of)
    for charge in sorted(line.charges, key=lambda one: (one.due_on, one.charge_id)):
        interest_fen = min(amount_fen, charge.interest_owed_fen(day))
        principal_fen = min(amount_fen - interest_fen, charge.principal_fen)
        if interest_fen or principal_fen:
            parts.append(_paid(charge, principal_fen, interest_fen, day))
            amount_fen -= interest_fen + principal_fen
    assert not amount_fen, "no more is paid than is owed"
    return parts


def _paid(charge: Charge, principal_fen: int, interest_fen: int, day: date) -> Part:
    charge.interest_paid_fen += interest_fen
    charge.lowered.append((day, principal_fen))
    return Part(charge, principal_fen, interest_fen)


def against_writing_off(line: Billed, now: datetime) -> Reasons:
    """Why nothing can be written off."""
    day = line.day(now)
    late = (one for one in _owed(line, day) if (day - one.due_on).days >= OFF_DAYS)
    return set() if any(late) else {"write-off-too-early"}


def write_off(line: Billed, now: datetime) -> list[Part]:
    """All that is owed leaves the line, and bears no interest from now on; it is owed still."""
    day, parts = line.day(now), list[Part]()
    line.as_of = max(now, line.as_of)
    for charge in sorted(_owed(line, day), key=lambda one: (one.due_on, one.charge_id)):
        parts.append(Part(charge, charge.principal_fen, charge.interest_owed_fen(day)))
        charge.off_on = day
    return parts


def _owed(line: Billed, day: date) -> list[Charge]:
    return [charge for charge in line.charges if charge.off_on is None and charge.owed_fen(day)]
