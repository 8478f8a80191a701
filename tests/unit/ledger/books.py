"""What the ledger's tests post: sales of a merchant whose discounts are funded by several."""

from __future__ import annotations

import base64
from datetime import UTC, date, datetime, timedelta

from chalicelib.core.money import split
from chalicelib.ledger.rules import Entry, Party, Posting, combined

CITY = Party("xiamen", "city")
PLATFORM = Party("xiamen", "platform")
FARM = Party("xiamen", "merchant", "qingliu-farm")
BANK = Party("xiamen", "bank", "demo-bank")
PARKING = Party("xiamen", "parking_operator", "i_chewei-2")
NOON = datetime(2026, 5, 1, 4, tzinfo=UTC)
DAY = date(2026, 5, 1)
PERSON = "p1_" + "abcdefgh234567" * 4


def entry_id(number: int, city_id: str = "xiamen") -> str:
    """An id of the form that effects have."""
    return f"{city_id}.{base64.b32encode(number.to_bytes(16)).decode().rstrip('=').lower()}"


def funded(list_fen: int, payable_fen: int, own_bp: int = 10_000, city_bp: int = 0, bank_bp: int = 0) -> list[Posting]:
    """A sale at a discount that merchant, city and bank fund in these shares: each party's postings balance."""
    own, city, bank = split(list_fen - payable_fen, (own_bp, city_bp, bank_bp))
    return [
        Posting(FARM.account("sales"), "CNY", -list_fen),
        Posting(FARM.account("takings"), "CNY", payable_fen),
        Posting(FARM.account("discount"), "CNY", own),
        Posting(FARM.account("receivable"), "CNY", city + bank),
        Posting(CITY.account("subsidy"), "CNY", city),
        Posting(CITY.account("payable"), "CNY", -city),
        Posting(BANK.account("subsidy"), "CNY", bank),
        Posting(BANK.account("payable"), "CNY", -bank),
    ]


def sale(number: int, *, hours: int = 0, list_fen: int = 3600, payable_fen: int = 1800) -> Entry:
    """One redemption, some hours after noon in Xiamen; half of its discount is the merchant's, the rest is others'."""
    at = NOON + timedelta(hours=hours)
    day = (at + timedelta(hours=8)).date()
    postings = combined(funded(list_fen, payable_fen, 5000, 3000, 2000))
    return Entry(entry_id(number), at, day, "redeem", FARM.name, postings)
