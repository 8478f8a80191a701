"""What is posted: each party's accounts, and that a loan is what stands on the line, less what is owed back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from chalicelib.ledger.rules import Party, Posting
from chalicelib.medical.rules import Account, Payout, Refund, Repayment, WriteOff, booked
from chalicelib.medical.rules.posting import (
    capture_postings,
    payout_postings,
    refund_postings,
    repayment_postings,
    write_off_postings,
)
from tests.unit.medical.ward import charge, policy

HOSPITAL, BANK = Party("xiamen", "hospital", "first"), Party("xiamen", "bank", "demo-bank")
PATIENT = "p1_" + "a" * 40
TERMS = [policy()]
AUGUST, DUE = date(2026, 8, 3), date(2026, 9, 14)


def by_role(*entries: Iterable[Posting]) -> Counter[str]:
    found: Counter[str] = Counter()
    for entry in entries:
        assert sum(posting.amount for posting in entry) == 0
        for posting in entry:
            found[posting.account.split("/", 3)[3].split("/")[0]] += posting.amount
    return found


def test_a_capture_is_a_sale_that_the_bank_owes() -> None:
    assert by_role(capture_postings(HOSPITAL, BANK, PATIENT, 100)) == {
        "sales": -100, "receivable": 100, "payable": -100, "loans": 100,
    }  # fmt: skip


def test_what_was_not_paid_is_refunded_as_it_was_captured() -> None:
    owing = booked(Account(AUGUST), charge(AUGUST, 1_000, "a"), TERMS).account
    done = booked(owing, Refund("f", "a", AUGUST, 400), TERMS)
    found = by_role(
        capture_postings(HOSPITAL, BANK, PATIENT, 1_000), refund_postings(HOSPITAL, BANK, PATIENT, 400, [done])
    )
    assert found == {"sales": -600, "receivable": 600, "payable": -600, "loans": 600}


def test_what_was_paid_goes_back_with_its_fees_by_way_of_the_loan() -> None:
    dear = replace(charge(AUGUST, 10_000, "a"), fee_ppm=10_000)
    owing = booked(Account(AUGUST), dear, TERMS).account
    paid = booked(owing, Repayment("r", DUE, 8_100), TERMS)  # 100 of fees, 8,000 of principal
    back = booked(paid.account, Refund("f", "a", DUE, 5_000), TERMS)
    assert (back.line_fen, back.to_person_fen) == (2_000, 3_050)
    given = booked(back.account, Payout("p", DUE, 3_050), TERMS)
    entries = [
        capture_postings(HOSPITAL, BANK, PATIENT, 10_000), repayment_postings(BANK, PATIENT, paid.movements),
        refund_postings(HOSPITAL, BANK, PATIENT, 5_000, [back]),
    ]  # fmt: skip
    assert by_role(*entries)["loans"] == back.account.posted_fen - back.account.back_fen == -3_050
    found = by_role(*entries, payout_postings(BANK, PATIENT, 3_050))
    assert (found["loans"], found["fees"], found["cash"], given.account.back_fen) == (0, -50, 5_050, 0)


def test_what_was_written_off_is_refunded_and_recovered_among_the_losses() -> None:
    owing = booked(Account(AUGUST), charge(AUGUST, 10_000, "a"), TERMS).account
    off = booked(owing, WriteOff("w", date(2027, 3, 13), 180), TERMS)
    back = booked(off.account, Refund("f", "a", date(2027, 3, 14), 4_000), TERMS)
    rest = booked(back.account, Repayment("r", date(2027, 3, 15), back.account.owed_fen), TERMS)
    more = booked(rest.account, Refund("g", "a", date(2027, 3, 16), 1_000), TERMS)
    entries = [
        capture_postings(HOSPITAL, BANK, PATIENT, 10_000), write_off_postings(BANK, PATIENT, off.line_fen),
        refund_postings(HOSPITAL, BANK, PATIENT, 4_000, [back]), repayment_postings(BANK, PATIENT, rest.movements),
        refund_postings(HOSPITAL, BANK, PATIENT, 1_000, [more]),
    ]  # fmt: skip
    found = by_role(*entries)
    # 180 days of 5 fen, by calendar month in whole fen already.
    assert (found["losses"], found["interest"], found["cash"]) == (0, -900, 6_900)
    assert found["loans"] == more.account.posted_fen - more.account.back_fen == -1_000


def test_a_refund_of_several_charges_is_one_entry() -> None:
    one = booked(Account(AUGUST), charge(AUGUST, 1_000, "a"), TERMS).account
    two = booked(one, charge(AUGUST, 500, "b"), TERMS).account
    first = booked(two, Refund("f", "a", AUGUST, 1_000), TERMS)
    second = booked(first.account, Refund("f~1", "b", AUGUST, 200), TERMS)
    found = by_role(refund_postings(HOSPITAL, BANK, PATIENT, 1_200, [first, second]))
    assert found == {"sales": 1_200, "receivable": -1_200, "payable": 1_200, "loans": -1_200}
