"""Every way in which a bank's file and Egret can differ, by its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.ledger.rules import Entry, Party, Posting
from chalicelib.medical.rules import Charge, Payout, Refund
from chalicelib.medical.rules.instructions import Instruction, instructed
from chalicelib.medical.rules.outbox import answered
from chalicelib.medical.rules.reconciling import NAMED, BankRow, Difference, Ours, compare, posted_as
from tests.unit.medical.post import BANK, NOON, REF, TODAY, payment, row_of, said

ELSEWHERE = "xiamen.other-bank." + "a" * 26
INVENTED = "xiamen.demo-bank." + "a" * 26
PARTY = Party("xiamen", "bank", "demo-bank")


def found(ours: Sequence[Instruction], rows: Sequence[BankRow], *, in_ledger: bool = True) -> list[Difference]:
    """The differences, both sides sorted as they have to be."""
    mine = sorted((Ours(one, in_ledger) for one in ours), key=lambda one: one.instruction.instruction_id)
    return list(compare(mine, sorted(rows, key=lambda row: (row.instruction_id, row.line)), BANK))


def codes(ours: Sequence[Instruction], rows: Sequence[BankRow]) -> list[str]:
    return [one.code for one in found(ours, rows)]


DONE = answered(payment(), said())
REFUSED = answered(payment(), said("refused"))
UNKNOWN = payment(state="unknown", attempts=3)
CHARGED = instructed(*BANK, REF, Charge("xiamen.c", "h", "v", "i", TODAY, 900, TODAY, 1, 500), NOON)


def test_what_agrees_is_no_difference() -> None:
    assert found([DONE], [row_of(DONE)]) == []
    assert found([REFUSED], [row_of(REFUSED)]) == found([REFUSED], []) == []
    assert found([payment()], []) == [], "what was never sent need not be there"


@pytest.mark.parametrize("one", [DONE, UNKNOWN, payment(state="sent", attempts=1)])
def test_here_and_not_in_the_file(one: Instruction) -> None:
    (difference,) = found([one], [])
    assert (difference.code, difference.egret_says, difference.line) == ("not_in_file", one.state, None)


def test_in_the_file_and_not_here_or_another_banks() -> None:
    row = row_of(DONE, 7)
    assert codes([], [replace(row, instruction_id=INVENTED)]) == ["not_here"]
    (foreign,) = found([], [replace(row, instruction_id=ELSEWHERE)])
    assert (foreign.code, foreign.line) == ("foreign", 7)


def test_twice_is_named_for_each_further_row_and_whatever_is_known_of_it() -> None:
    rows = [row_of(DONE, line) for line in (2, 5, 9)]
    assert [(one.code, one.line) for one in found([DONE], rows)] == [("twice", 5), ("twice", 9)]
    assert codes([], [replace(row, instruction_id=INVENTED) for row in rows]) == ["not_here", "twice", "twice"]


def test_amount_kind_and_reference() -> None:
    (amount,) = found([DONE], [row_of(DONE, amount_fen=4_999)])
    assert (amount.code, amount.file_says, amount.egret_says, amount.row) == ("amount", "49.99", "50.00", None)
    assert codes([DONE], [row_of(DONE, kind="disburse")]) == ["kind"]
    assert codes([DONE], [row_of(DONE, reference="B9")]) == ["reference"]


@pytest.mark.parametrize("one", [UNKNOWN, payment(state="sent", attempts=1), payment()])
def test_an_answer_that_never_came_can_be_settled(one: Instruction) -> None:
    row = row_of(one)
    (state,) = found([one], [row])
    assert (state.code, state.file_says, state.egret_says, state.row) == ("state", "accepted", one.state, row)


def test_nothing_is_settled_where_more_than_the_answer_differs() -> None:
    assert codes([UNKNOWN], [row_of(UNKNOWN, amount_fen=1)]) == ["amount", "state"]
    assert all(one.row is None for one in found([UNKNOWN], [row_of(UNKNOWN, amount_fen=1)]))
    (state,) = found([DONE], [row_of(DONE, state="refused")])
    assert (state.code, state.row) == ("state", None)


def test_a_bank_that_contradicts_itself_is_named() -> None:
    disputed = answered(DONE, said("refused", "B2"))
    (one,) = found([disputed], [row_of(DONE)])
    assert (one.code, one.file_says, one.egret_says) == ("disputed", "refused B2", "accepted B1")


def test_a_refusal_of_what_the_books_have_posted_is_named() -> None:
    assert CHARGED is not None
    refused = answered(CHARGED, said("refused"))
    assert codes([refused], [row_of(refused)]) == codes([refused], []) == ["refused_but_posted"]


def test_what_the_ledger_lacks_is_named() -> None:
    assert [one.code for one in found([DONE], [row_of(DONE)], in_ledger=False)] == ["not_in_ledger"]


def test_everything_has_words_in_both_languages() -> None:
    assert all(named.zh and named.en for named in NAMED.values())


def entry(**roles: int) -> Entry:
    postings = tuple(Posting(PARTY.account(role), "CNY", fen) for role, fen in roles.items())
    return Entry("xiamen.c", NOON + timedelta(), TODAY, "x", PARTY.name, postings)


@pytest.mark.parametrize(
    ("event", "roles", "fits"),
    [
        (Charge("xiamen.c", "h", "v", "i", TODAY, 900, TODAY, 1, 500), {"payable": -900}, True),
        (Charge("xiamen.c", "h", "v", "i", TODAY, 900, TODAY, 1, 500), {"payable": -1_000}, True),
        (Charge("xiamen.c", "h", "v", "i", TODAY, 900, TODAY, 1, 500), {"payable": -899}, False),
        (Refund("xiamen.r", "xiamen.c", TODAY, 900), {"payable": 900}, True),
        (Refund("xiamen.r", "xiamen.c", TODAY, 900), {"payable": -900}, False),
        (Payout("xiamen.p", TODAY, 900), {"cash": -900}, True),
        (Payout("xiamen.p", TODAY, 900), {"cash": 900}, False),
    ],
)
def test_an_entry_posts_what_an_instruction_says(event: object, roles: dict[str, int], fits: bool) -> None:
    made = instructed(*BANK, REF, event, NOON)  # type: ignore[arg-type]
    assert made is not None
    assert posted_as(made, PARTY, entry(**roles)) is fits
    assert not posted_as(made, PARTY, None)


def test_a_collection_posts_what_was_booked_of_it() -> None:
    booked = replace(DONE, booked_fen=3_000, entry_id="xiamen.b")
    assert posted_as(booked, PARTY, entry(cash=3_000))
    assert not posted_as(booked, PARTY, entry(cash=5_000))
    assert posted_as(payment(), PARTY, None), "nothing is booked yet"
