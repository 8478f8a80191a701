"""How a policy comes into force: who may move it, and what the calendar does."""

from __future__ import annotations

from datetime import date

import pytest

from chalicelib.medical.rules import (
    Actor,
    PolicyApprovalByAuthor,
    PolicyMoveForbidden,
    PolicyStateConflict,
    lifecycle,
)
from chalicelib.medical.rules.lifecycle import Life, Move
from tests.unit.medical.ward import NOON, TODAY, policy

AUTHOR = Actor("bank", "ada", frozenset({"author"}))
OTHER = Actor("bank", "bob", frozenset({"author"}))
REVIEWER = Actor("city", "cai", frozenset({"reviewer"}))
DRAFT = policy(valid_from=date(2026, 9, 1), valid_to=date(2027, 9, 1))


def move(life: Life, verb: Move, actor: Actor, on: date = TODAY) -> Life:
    return lifecycle.moved(life, verb, actor, DRAFT, NOON, on)


def submitted() -> Life:
    return move(lifecycle.drafted(AUTHOR, NOON), "submit", AUTHOR)


def test_a_policy_is_written_reviewed_and_comes_into_force_by_the_calendar() -> None:
    approved = move(submitted(), "approve", REVIEWER)
    assert (approved.state, approved.approved_by, approved.revision) == ("approved", "cai", 3)
    days = (TODAY, date(2026, 9, 1), date(2027, 8, 31), date(2027, 9, 1))
    states = [lifecycle.state_on(approved, DRAFT.valid_from, DRAFT.valid_to, day) for day in days]
    assert states == ["approved", "in_force", "in_force", "ended"]
    assert move(approved, "end", AUTHOR, date(2026, 10, 1)).state == "ended"
    with pytest.raises(PolicyStateConflict):
        move(approved, "end", AUTHOR, date(2027, 9, 1))


def test_a_draft_can_go_back_and_be_written_on() -> None:
    for verb, actor in (("withdraw", AUTHOR), ("return", REVIEWER)):
        draft = move(submitted(), verb, actor)  # type: ignore[arg-type]
        again = lifecycle.edited(lifecycle.edited(draft, OTHER, NOON), OTHER, NOON)
        assert (again.state, again.authors, again.revision) == ("draft", ("ada", "bob"), 5)
    with pytest.raises(PolicyStateConflict):
        lifecycle.edited(submitted(), AUTHOR, NOON)


def test_nobody_approves_his_own_or_does_what_is_not_his() -> None:
    with pytest.raises(PolicyApprovalByAuthor):
        move(submitted(), "approve", Actor("city", "ada", frozenset({"reviewer"})))
    for verb, actor in (
        ("approve", AUTHOR), ("approve", Actor("city", "cai", frozenset({"author"}))), ("withdraw", REVIEWER),
        ("return", AUTHOR), ("end", Actor("bank", "dan", frozenset({"operator"}))),
    ):  # fmt: skip
        with pytest.raises(PolicyMoveForbidden):
            move(submitted(), verb, actor)  # type: ignore[arg-type]
    for writer in (REVIEWER, Actor("bank", "dan", frozenset({"reviewer"}))):
        with pytest.raises(PolicyMoveForbidden):
            lifecycle.drafted(writer, NOON)
        with pytest.raises(PolicyMoveForbidden):
            lifecycle.edited(lifecycle.drafted(AUTHOR, NOON), writer, NOON)


def test_the_terms_of_days_gone_by_do_not_change() -> None:
    assert move(submitted(), "approve", REVIEWER, date(2026, 8, 31)).state == "approved"
    with pytest.raises(PolicyStateConflict):
        move(submitted(), "approve", REVIEWER, date(2026, 9, 1))
    with pytest.raises(PolicyStateConflict):
        move(lifecycle.drafted(AUTHOR, NOON), "approve", REVIEWER)
