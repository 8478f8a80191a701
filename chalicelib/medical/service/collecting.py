"""Online payments: a person asks his bank to collect what he owes; it is repaid once the bank has done so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime

from chalicelib.core import effect
from chalicelib.core.auth import Caller
from chalicelib.core.commit import EffectExists, Unit
from chalicelib.core.effect import Intent
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.ledger.rules.lines import LineClosed, RepaymentExceedsDebt
from chalicelib.medical.rules import Repayment, RepaymentTooSmall, repaid
from chalicelib.medical.rules.instructions import (
    Instruction,
    back_id_of,
    bank_in,
    collecting,
    giving_back,
)
from chalicelib.medical.rules.online_payments import OnlinePayment, payment_view
from chalicelib.medical.rules.settling import least_repayment_fen, terms_for
from chalicelib.medical.service.bills import Bill, read_bill
from chalicelib.medical.service.repaying import repay
from chalicelib.medical.store import outbox
from chalicelib.subjects import service as subjects
from chalicelib.subjects import store as accounts

Write = Callable[[Unit, Instruction], None]
COLLECTED = "collect"
"""The verb of the effect by which what a bank has collected is booked."""
_NOT_TAKEN = (RepaymentExceedsDebt, LineClosed, RepaymentTooSmall)


def pay_online(
    unit: Unit, intent: Intent, now: datetime, caller: Caller, bank: tuple[str, str], amount_fen: int, currency: str
) -> OnlinePayment:
    """Asks the bank to collect an amount of what the caller owes it. Nothing is repaid until the bank has accepted.

    Raises: NotFound: no such line of the caller's; RepaymentCurrency; LineClosed: and nothing is owed;
        RepaymentExceedsDebt; RepaymentTooSmall; RepaymentExceedsDebt: with what is being collected already; in this
        order.
    """
    ref = subjects.own_account(caller)
    bill = read_bill(bank[0], ref.person_id, bank[1])
    if bill.credit.ref != ref:
        raise NotFound
    day = bill.day(now)
    _require_owed(bill, Repayment(intent.effect_id, day, amount_fen, currency))
    made = collecting(*bank, ref, amount_fen, day, now, intent.effect_id)
    outbox.save_instruction(unit, made)
    outbox.begin_collecting(unit, made, bill.on(day).owed_fen)
    reply = payment_view(made)
    facts = {"v": 1, "instruction_id": made.instruction_id, "amount_fen": amount_fen}
    subject = accounts.account_pk(ref)
    unit.effect(effect.row(intent, now, purpose="pay-online", facts=facts, reply=reply, subject=subject))
    unit.commit()
    return reply


def read_payment(caller: Caller, instruction_id: str) -> OnlinePayment:
    """One of the caller's own online payments. Raises: NotFound: somebody else's, or invented."""
    wanted = instruction_id, back_id_of(instruction_id)
    found = {one.instruction_id: one for one in outbox.fetch_instructions(*bank_in(instruction_id), wanted)}
    one, back = map(found.get, wanted)
    if one is None or one.kind != "collect" or one.ref != subjects.own_account(caller):
        raise NotFound
    return payment_view(one, back)


def book(unit: Unit, now: datetime, collected: Instruction, write: Write) -> Instruction:
    """Books what the bank has collected, and returns the instruction as it is written in the same transaction.

    It goes to the debt as far as there is one by now; the rest is given back. So is all of it where it has come to be
    less than the least of one repayment. The entry's id is made from the instruction: nothing books it twice.

    Args:
        write: Writes the instruction as it will be, and what belongs to it.

    Raises: Conflict: something has changed; EffectExists: what belongs to it is there already.
    """
    amount_fen, person_id = collected.amount_fen, collected.ref.person_id
    try:
        return _booked(unit, now, collected, amount_fen, collected.day, write)
    except _NOT_TAKEN:
        bill = read_bill(collected.city_id, person_id, collected.bank_id)
    day = bill.day(now)
    owed_fen = bill.on(day).owed_fen
    try:
        return _booked(unit, now, collected, owed_fen if owed_fen <= amount_fen else 0, day, write)
    except _NOT_TAKEN as changed:
        raise Conflict from changed


def _booked(unit: Unit, now: datetime, collected: Instruction, booked_fen: int, day: date, write: Write) -> Instruction:
    of, person_id = (collected.city_id, collected.bank_id), collected.ref.person_id
    intent = effect.consequence(of[0], "bank", of[1], COLLECTED, (collected.instruction_id, person_id))
    after = replace(collected, booked_fen=booked_fen, entry_id=intent.effect_id if booked_fen else None)

    def also(fresh: Unit) -> None:
        write(fresh, after)
        if after.rest_fen:
            outbox.save_instruction(fresh, giving_back(after, after.rest_fen, day, now))

    if not booked_fen:
        also(unit)
        unit.commit()
        return after
    try:
        repay(unit, intent, now, of[0], person_id, of[1], booked_fen, also=also)
    except EffectExists as exists:
        if exists.row.key == effect.key_of(intent.effect_id):  # somebody else has booked it just now
            raise Conflict from exists
        raise
    return after


def _require_owed(bill: Bill, repayment: Repayment) -> None:
    """Returns if the payment would be taken today. Raises: as ``rules.repaid``."""
    credit = bill.credit
    least_fen = least_repayment_fen(terms_for(bill.policies, credit.policy_version, repayment.day))
    repaid(bill.account, repayment, bill.policies, least_fen=least_fen, closed=credit.line.closed)
