"""What a person may close of what a file and Egret say, by which mark it is found, and what may have set it right."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.core.errors import Problem
from chalicelib.ledger.rules import Entry, Party, Posting
from chalicelib.medical.rules.closing import (
    AnswerAwaited,
    CorrectingEntryInvalid,
    agrees,
    mark_of,
    require_correcting,
    require_difference,
    said_by,
)
from chalicelib.medical.rules.outbox import NothingToClose, answered
from chalicelib.medical.rules.reconciling import Ours, compare
from tests.unit.medical.post import BANK, TODAY, later, payment, row_of, said

DONE = answered(payment(made_at=later(0)), said())
REFUSED = answered(payment(), said("refused"))
ROW = row_of(DONE).said
OTHER_WORDS: list[dict[str, Any]] = [
    {"kind": "pay_out"},
    {"amount_fen": 1},
    {"day": "2026-08-04"},
    {"state": "refused"},
    {"reference": "B9"},
    {"copy": 1},
]


@pytest.mark.parametrize("change", OTHER_WORDS)
def test_whatever_a_row_says_otherwise_can_be_closed_and_has_a_mark_of_its_own(change: dict[str, Any]) -> None:
    other = replace(ROW, **change)
    assert (agrees(DONE, ROW), agrees(DONE, other)) == (True, False)
    require_difference(DONE, other)
    assert mark_of(other, DONE) != mark_of(ROW, DONE)
    assert mark_of(other, DONE) == mark_of(replace(other), replace(DONE, attempts=9))
    assert mark_of(other, DONE) != mark_of(other, None)


@pytest.mark.parametrize(
    ("seen", "row", "refusal"),
    [
        (DONE, ROW, NothingToClose),
        (None, None, NothingToClose),
        (REFUSED, None, NothingToClose),
        (payment(), ROW, AnswerAwaited),
        (payment(state="unknown"), None, AnswerAwaited),
        (payment(state="sent"), replace(ROW, copy=2), AnswerAwaited),
    ],
)
def test_what_is_no_difference_or_waits_for_the_bank_is_not_closed(seen: Any, row: Any, refusal: type[Problem]) -> None:
    with pytest.raises(refusal):
        require_difference(seen, row)


def test_what_one_side_has_alone_can_be_closed() -> None:
    require_difference(None, ROW)
    require_difference(DONE, None)
    assert said_by(DONE) == f"collect 5000 {TODAY} accepted B1"
    assert said_by(payment()) == f"collect 5000 {TODAY} queued -"


def test_the_mark_of_a_difference_is_that_of_its_closing() -> None:
    rows = [row_of(DONE, 2, amount_fen=1, reference="B9"), row_of(DONE, 3, amount_fen=1, reference="B9", copy=1)]
    marks = [one.mark for one in compare([Ours(DONE)], rows, BANK)]
    first, copy = (mark_of(row.said, DONE) for row in rows)
    assert marks == [copy, first, first]


ENTRY_OF = {"subject": "him", "bank": "xiamen/bank/demo-bank", "seconds": 5}


@pytest.mark.parametrize(
    "change", [{}, {"subject": None}, {"subject": "her"}, {"bank": "xiamen/bank/demo-bank-2"}, {"seconds": -1}]
)
def test_a_correcting_entry_is_the_banks_own_about_the_same_person_and_made_later(change: dict[str, Any]) -> None:
    subject, bank, seconds = ({**ENTRY_OF, **change}[name] for name in ENTRY_OF)
    postings = (Posting(f"{bank}/cash", "CNY", 100), Posting(f"{bank}/fees", "CNY", -100))
    entry = Entry("xiamen.x", later(seconds), TODAY, "x", bank, postings)

    def check(seen: Any) -> None:
        require_correcting(entry, subject, Party("xiamen", "bank", "demo-bank"), seen, "him", collected=False)

    if not change:
        check(DONE)
        with pytest.raises(CorrectingEntryInvalid):
            check(replace(DONE, entry_id="xiamen.x"))
        return
    with pytest.raises(CorrectingEntryInvalid):
        check(DONE)


def test_of_what_egret_never_asked_an_entry_about_anybody_will_do() -> None:
    posted = (Posting("xiamen/bank/demo-bank/cash", "CNY", 1), Posting("xiamen/bank/demo-bank/fees", "CNY", -1))
    entry = Entry("xiamen.x", later(-9), TODAY, "x", "xiamen/bank/demo-bank", posted)
    require_correcting(entry, "anybody", Party("xiamen", "bank", "demo-bank"), None, "", collected=False)


HOSPITAL = "xiamen/hospital/first"


@pytest.mark.parametrize(
    ("change", "collected", "sound"),
    [
        ({}, False, True),
        ({}, True, False),
        ({"book": HOSPITAL}, False, False),
        ({"book": HOSPITAL, "reverses": "xiamen.y"}, False, True),
    ],
)
def test_a_correcting_entry_is_none_of_a_capture_or_a_collection(
    change: dict[str, Any], collected: bool, sound: bool
) -> None:
    posted = (Posting("xiamen/bank/demo-bank/cash", "CNY", 1), Posting("xiamen/bank/demo-bank/fees", "CNY", -1))
    entry = replace(Entry("xiamen.x", later(5), TODAY, "x", "xiamen/bank/demo-bank", posted), **change)

    def check() -> None:
        require_correcting(entry, "him", Party("xiamen", "bank", "demo-bank"), DONE, "him", collected=collected)

    if sound:
        check()
        return
    with pytest.raises(CorrectingEntryInvalid):
        check()
