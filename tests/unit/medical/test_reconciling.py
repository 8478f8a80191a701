"""Every way in which a bank's file and Egret can differ, by its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.ledger.rules import Entry, Party, Posting
from chalicelib.medical.rules import Charge, Payout, Refund, Reminder
from chalicelib.medical.rules.instructions import Instruction, giving_back, instructed
from chalicelib.medical.rules.outbox import answered
from chalicelib.medical.rules.reconciling import (
    NAMED,
    BankRow,
    Difference,
    Ours,
    compare,
    outwards,
    patient_of,
    posted_as,
    refusal,
    told_by,
)
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
CHARGE = Charge("xiamen.c", "h", "v", "i", TODAY, 900, TODAY, 1, 500)
CHARGED = instructed(*BANK, REF, CHARGE, NOON)


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
    assert codes([], [replace(row, instruction_id=INVENTED) for row in rows]) == ["twice", "twice", "not_here"]


@pytest.mark.parametrize(
    "change",
    [{"state": "refused"}, {"reference": "B9"}, {"amount_fen": 1}, {"day": "2026-08-04"}, {"kind": "disburse"}],
)
@pytest.mark.parametrize("turned", [False, True])
def test_nothing_is_settled_by_a_file_that_contradicts_itself(change: dict[str, Any], *, turned: bool) -> None:
    good = row_of(UNKNOWN)
    rows = [replace(good, line=2 + turned), replace(good, line=3 - turned, **change), replace(good, line=4)]
    differences = found([UNKNOWN], rows)
    assert [one.code for one in differences].count("twice") == 2
    assert all(one.row is None for one in differences)


def test_what_a_file_says_twice_alike_is_settled_once() -> None:
    differences = found([UNKNOWN], [row_of(UNKNOWN, line) for line in (2, 3)])
    assert [(one.code, one.row is None) for one in differences] == [("twice", True), ("state", False)]


def test_the_day_is_compared() -> None:
    (day,) = found([DONE], [row_of(DONE, day="2026-08-04")])
    assert (day.code, day.file_says, day.egret_says) == ("day", "2026-08-04", "2026-08-03")
    assert [(one.code, one.row) for one in found([UNKNOWN], [row_of(UNKNOWN, day="2019-08-03")])] == [
        ("day", None), ("state", None),
    ]  # fmt: skip


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


def test_a_refusal_to_give_back_or_to_remind_is_named() -> None:
    back = giving_back(answered(payment(5_000, booked_fen=3_000), said()), 2_000, TODAY, NOON)
    reminder = instructed(*BANK, REF, Reminder("xiamen.m", TODAY, ("xiamen.c",)), NOON)
    assert reminder is not None
    for one, code in ((back, "not_given_back"), (reminder, "not_reminded")):
        refused = answered(one, said("refused"))
        assert codes([refused], [row_of(refused)]) == codes([refused], []) == [code]
        assert [left.code for left in refusal(one.instruction_id, one.kind, one.amount_fen)] == [code]
    assert list(refusal("x", "collect", 5)) == []


PATIENT = "p1_" + "a" * 100


@pytest.mark.parametrize(
    ("roles", "told"),
    [
        ({"payable": -900}, ("disburse", 900)),
        ({"payable": 900}, ("take_back", 900)),
        ({"cash": -700}, ("pay_out", 700)),
        ({"cash": 700}, None),
        ({"losses": 700}, None),
    ],
)
def test_an_entry_says_what_the_bank_should_have_been_told(roles: dict[str, int], told: object) -> None:
    posted = entry(**roles)
    assert told_by(PARTY, posted) == told
    assert told_by(Party("xiamen", "bank", "other-bank"), posted) is None
    assert patient_of(PARTY, posted) is None
    loan = replace(posted, postings=(*posted.postings, Posting(PARTY.account("loans", PATIENT), "CNY", 1)))
    assert patient_of(PARTY, loan) == PATIENT


def test_what_an_entry_calls_for_is_looked_for_in_the_outbox() -> None:
    first, second = (instructed(*BANK, REF, replace(CHARGE, charge_id=one), NOON) for one in ("xiamen.c", "xiamen.c~1"))
    assert first is not None
    assert second is not None
    both, ids = [first, second], {first.instruction_id, second.instruction_id}
    assert list(outwards(("disburse", 1_800), first.instruction_id, both, ids)) == []
    (lost,) = outwards(("disburse", 1_800), first.instruction_id, both, {first.instruction_id})
    assert (lost.code, lost.missing, lost.egret_says) == ("not_instructed", second, "disburse 9.00")
    (more,) = outwards(("disburse", 1_801), first.instruction_id, both, ids)
    assert (more.code, more.egret_says) == ("not_in_ledger", "18.00")
    assert list(outwards(("disburse", 899), first.instruction_id, [first], ids)) == [], "named beside its entry"
    (bare,) = outwards(("disburse", 900), first.instruction_id, [], set())
    assert (bare.code, bare.missing) == ("not_instructed", None)


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
