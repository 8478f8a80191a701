"""What medical credit posts: who owes whom what after a capture, a refund, a repayment, a write-off.

    capture      hospital/sales −a   hospital/receivable +a   bank/payable −a   bank/loans/<patient> +a
    refund       takes parts of a capture back: the ledger's own reversal
    repayment    bank/cash +a   bank/loans −principal (bank/losses, if written off)   bank/interest, bank/fees −theirs
    write-off    bank/losses +principal   bank/loans −principal
    payout       bank/loans +a   bank/cash −a

A capture is listed in the hospital's book, so that its daily statement says what the bank owes it; everything else in
the bank's. The patient appears only as the bank knows him, and never in a name that the hospital reads. What was
refunded after it had been repaid makes his loan negative until the bank gives it back.
"""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.ledger.rules import Party, Posting, combined
from chalicelib.medical.rules.billing import Movement

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


def repayment_postings(bank: Party, patient: str, movements: Iterable[Movement]) -> tuple[Posting, ...]:
    """What a repayment posts, by the movements that it made (each ≤ 0)."""
    amounts = list[tuple[str, int]]()
    for one in movements:
        principal = bank.account("losses") if one.off else bank.account("loans", patient)
        amounts += [
            (principal, one.principal_fen),
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


def _postings(amounts: Iterable[tuple[str, int]]) -> tuple[Posting, ...]:
    return combined(Posting(account, ASSET, fen) for account, fen in amounts)
