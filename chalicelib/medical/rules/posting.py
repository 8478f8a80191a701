"""What medical credit posts: who owes whom what after a capture, a refund, a repayment, a write-off.

    capture      hospital/sales −a   hospital/receivable +a   bank/payable −a   bank/loans/<patient> +a
    refund       hospital/sales +a   hospital/receivable −a   bank/payable +a
                 bank/loans −a (bank/losses, if written off and not paid)   bank/fees +f   bank/loans −f
    repayment    bank/cash +a   bank/loans −principal (bank/losses, if written off)   bank/interest, bank/fees −theirs
    write-off    bank/losses +principal   bank/loans −principal
    payout       bank/loans +a   bank/cash −a

A capture and its refunds are listed in the hospital's book, so that its daily statement says what the bank owes it;
everything else in the bank's. The patient appears only as the bank knows him, and never in a name that the hospital
reads. What was refunded after it had been repaid, the fees on it included, makes his loan negative until the bank gives
it back: so at any time his loan is the principal that stands on the line, less what the bank owes him back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chalicelib.ledger.rules import Party, Posting, combined
from chalicelib.medical.rules.billing import Booked, Movement

ASSET = "CNY"


def capture_postings(hospital: Party, bank: Party, patient: str, amount_fen: int) -> tuple[Posting, ...]:
    """What a capture posts. ``patient``: the id by which the bank knows him."""
    amounts = {
        hospital.account("sales"): -amount_fen,
        hospital.account("receivable"): amount_fen,
        bank.account("payable"): -amount_fen,
        bank.account("loans", patient): amount_fen,
    }
    return _postings(amounts.items())


def refund_postings(
    hospital: Party, bank: Party, patient: str, amount_fen: int, done: Sequence[Booked]
) -> tuple[Posting, ...]:
    """What a refund of so much posts, by what it made of the charges.

    What had been paid goes back with the fees on it, which the bank had counted as earned.
    """
    moved = [movement for one in done for movement in one.movements]
    to_person_fen = sum(one.to_person_fen for one in done)
    fee_back_fen = to_person_fen - (amount_fen + sum(one.principal_fen for one in moved))
    amounts = [
        (hospital.account("sales"), amount_fen),
        (hospital.account("receivable"), -amount_fen),
        (bank.account("payable"), amount_fen),
        (bank.account("fees"), fee_back_fen),
        (bank.account("loans", patient), -to_person_fen),
    ]
    return _postings([*amounts, *((_principal(bank, patient, one), one.principal_fen) for one in moved)])


def repayment_postings(bank: Party, patient: str, movements: Iterable[Movement]) -> tuple[Posting, ...]:
    """What a repayment posts, by the movements that it made (each ≤ 0)."""
    amounts = list[tuple[str, int]]()
    for one in movements:
        amounts += [
            (_principal(bank, patient, one), one.principal_fen),
            (bank.account("interest"), one.interest_fen),
            (bank.account("fees"), one.fee_fen),
            (bank.account("cash"), -one.total_fen),
        ]
    return _postings(amounts)


def write_off_postings(bank: Party, patient: str, principal_fen: int) -> tuple[Posting, ...]:
    """What a write-off of so much principal posts; interest and fees were never counted as earned."""
    return _postings([(bank.account("losses"), principal_fen), (bank.account("loans", patient), -principal_fen)])


def payout_postings(bank: Party, patient: str, amount_fen: int) -> tuple[Posting, ...]:
    """What a payout posts."""
    return _postings([(bank.account("loans", patient), amount_fen), (bank.account("cash"), -amount_fen)])


def _principal(bank: Party, patient: str, movement: Movement) -> str:
    """The account on which the principal of a charge stands: once written off, among the losses."""
    return bank.account("losses") if movement.off else bank.account("loans", patient)


def _postings(amounts: Iterable[tuple[str, int]]) -> tuple[Posting, ...]:
    return combined(Posting(account, ASSET, fen) for account, fen in amounts)
