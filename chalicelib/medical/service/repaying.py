"""Money between a bank and a person: what he pays back, what it gives back, and what it writes off.

Each is one event of the line and one entry in the bank's book. The bank learns of a payment first, at its counter or
from its own core, and says so here; whoever calls passes the intent of his own request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeVar

from chalicelib.core import effect
from chalicelib.core.commit import Unit, looking_again
from chalicelib.core.effect import Intent
from chalicelib.ledger import store as ledger
from chalicelib.ledger.rules import Entry, Posting
from chalicelib.medical.rules import CURRENCY, Event, Payout, Repayment, WriteOff, paid_out, repaid, written_off
from chalicelib.medical.rules.bills import Whose
from chalicelib.medical.rules.posting import payout_postings, repayment_postings, write_off_postings
from chalicelib.medical.rules.settling import (
    PaidOut,
    Repaid,
    WrittenOff,
    least_overdue_days,
    least_repayment_fen,
    parts_of,
    terms_for,
)
from chalicelib.medical.service.askers import Asker
from chalicelib.medical.service.bills import Bill, read_bill, take
from chalicelib.medical.service.charging import bank_party, known_to_bank
from chalicelib.medical.service.sharing import TRIES
from chalicelib.subjects import store as accounts

Also = Callable[[Unit], None]
_Reply = TypeVar("_Reply", Repaid, PaidOut, WrittenOff)


def repay(
    unit: Unit,
    intent: Intent,
    now: datetime,
    city_id: str,
    person_id: str,
    bank_id: str,
    amount_fen: int,
    currency: str = CURRENCY,
    *,
    also: Also | None = None,
) -> Repaid:
    """Takes a payment, in part or early: first what is due first, of a charge fees, then interest, then principal.

    Args:
        intent: Of whoever says that it came; the payment has the id of its effect.
        also: Adds what is to be written together with the payment; asked anew whenever the line has changed meanwhile.

    Raises: NotFound: no such line; AmountNotWhole; AmountNotPositive; AmountTooLarge; RepaymentCurrency; LineClosed:
        and nothing is owed; RepaymentExceedsDebt; RepaymentTooSmall; Conflict; in this order.
    """

    def once(fresh: Unit) -> Repaid:
        if also is not None:
            also(fresh)
        return _repay_once(fresh, intent, now, read_bill(city_id, person_id, bank_id), amount_fen, currency)

    return looking_again(unit, once, TRIES)


def _repay_once(unit: Unit, intent: Intent, now: datetime, bill: Bill, amount_fen: int, currency: str) -> Repaid:
    day, credit = bill.day(now), bill.credit
    least_fen = least_repayment_fen(terms_for(bill.policies, credit.policy_version, day))
    event = Repayment(intent.effect_id, day, amount_fen, currency)
    done = repaid(bill.account, event, bill.policies, least_fen=least_fen, closed=credit.line.closed)
    after, postings = done.account, repayment_postings(bank_party(credit), known_to_bank(credit), done.movements)
    parts = parts_of(done)
    reply = Repaid(*whose(bill), intent.effect_id, day, amount_fen, parts, after.owed_fen, after.posted_fen)
    return _record(unit, intent, now, bill, event, postings, reply, "repay")


def pay_out(unit: Unit, intent: Intent, now: datetime, asker: Asker, amount_fen: int) -> PaidOut:
    """Has the bank's core give back what was refunded after it had been repaid, or a part of it.

    Raises: NotFound: no such line; AmountNotWhole; AmountNotPositive; AmountTooLarge; PayoutExceedsCredit; Conflict;
        in this order.
    """

    def once(fresh: Unit) -> PaidOut:
        bill = read_bill(*asker.of)
        event = Payout(intent.effect_id, bill.day(now), amount_fen)
        after = paid_out(bill.account, event, bill.policies).account
        postings = payout_postings(bank_party(bill.credit), known_to_bank(bill.credit), amount_fen)
        reply = PaidOut(*whose(bill), intent.effect_id, event.day, amount_fen, after.back_fen)
        return _record(fresh, intent, now, bill, event, postings, reply, "pay-out")

    return looking_again(unit, once, TRIES)


def write_off(unit: Unit, intent: Intent, now: datetime, asker: Asker) -> WrittenOff:
    """Takes all that is owed off the line, once something has been overdue for as long as the policy says.

    Raises: NotFound: no such line; WriteOffTooEarly; Conflict; in this order.
    """

    def once(fresh: Unit) -> WrittenOff:
        return _write_off_once(fresh, intent, now, read_bill(*asker.of))

    return looking_again(unit, once, TRIES)


def _write_off_once(unit: Unit, intent: Intent, now: datetime, bill: Bill) -> WrittenOff:
    day, credit = bill.day(now), bill.credit
    least_days = least_overdue_days(terms_for(bill.policies, credit.policy_version, day))
    event = WriteOff(intent.effect_id, day, least_days)
    done = written_off(bill.account, event, bill.policies)
    after, postings = done.account, write_off_postings(bank_party(credit), known_to_bank(credit), done.line_fen)
    reply = WrittenOff(*whose(bill), intent.effect_id, day, parts_of(done), after.owed_fen, after.posted_fen)
    return _record(unit, intent, now, bill, event, postings, reply, "write-off")


def whose(bill: Bill) -> Whose:
    """Whose bill it is, as his bank knows him."""
    return Whose(known_to_bank(bill.credit), bill.credit.city_id, bill.credit.bank_id)


def _record(
    unit: Unit,
    intent: Intent,
    now: datetime,
    bill: Bill,
    event: Event,
    postings: Iterable[Posting],
    reply: _Reply,
    verb: str,
) -> _Reply:
    """Writes the event, the line and the effect; without postings (interest alone was written off) without an entry."""
    take(unit, bill, [event], now)
    credit, at, posted = bill.credit, max(now, bill.credit.line.as_of), tuple(postings)
    policy = terms_for(bill.policies, credit.policy_version, reply.day)[0]
    purpose, subject = f"{verb}:{credit.city_id}/{policy.scenario_id}", accounts.account_pk(credit.ref)
    facts = {"v": 1, "city_id": credit.city_id, "bank_id": credit.bank_id, "day": reply.day, "event": event}
    if posted:
        entry = Entry(intent.effect_id, at, reply.day, purpose, bank_party(credit).name, posted)
        unit.effect(ledger.effect_row(intent, entry, facts=facts, reply=reply, subject=subject))
    else:
        unit.effect(effect.row(intent, at, purpose=purpose, facts=facts, reply=reply, subject=subject))
    unit.commit()
    return reply
