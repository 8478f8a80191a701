"""A bank's policy through its versions: one is written at a time, one is in force a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from chalicelib.core.errors import NotFound
from chalicelib.medical.rules import Actor, Policy, PolicyInvalid, PolicyStateConflict
from chalicelib.medical.rules.heads import (
    MAX_VERSIONS,
    Head,
    add_draft,
    digest_of,
    edit_draft,
    lint_among,
    move_version,
    require_read,
    state_of,
)
from chalicelib.medical.rules.lifecycle import PolicyChanged
from tests.unit.medical import ward

AUTHOR = Actor("bank", "bao", frozenset({"author"}))
REVIEWER = Actor("city", "rui", frozenset({"reviewer"}))
FIRST = ward.TODAY + timedelta(days=1)


def version(number: int, begins: date = FIRST, **changes: object) -> Policy:
    return replace(ward.policy(), version=number, valid_from=begins, **changes)  # type: ignore[arg-type]


def approved(head: Head | None, policy: Policy) -> Head:
    made = add_draft(head, policy, AUTHOR, ward.NOON)
    made = move_version(made, policy, "submit", AUTHOR, ward.NOON, ward.TODAY)
    return move_version(made, policy, "approve", REVIEWER, ward.NOON, ward.TODAY)


def test_a_version_that_is_approved_ends_the_one_before() -> None:
    second = FIRST + timedelta(days=10)
    head = approved(approved(None, version(1)), version(2, second))
    assert [head.in_force(FIRST + timedelta(days=n)) for n in (-1, 0, 9, 10, 400)] == [None, 1, 1, 2, 2]
    assert [state_of(head, n, second) for n in (1, 2)] == ["ended", "in_force"]
    assert head.as_listed(version(1)).valid_to == second
    assert state_of(head, 2, FIRST) == "approved"
    with pytest.raises(NotFound):
        head.listed(3)


def test_a_version_that_is_ended_is_in_force_no_more() -> None:
    head = approved(None, version(1))
    ended = move_version(head, version(1), "end", AUTHOR, ward.NOON, FIRST)
    assert (ended.in_force(FIRST), state_of(ended, 1, FIRST)) == (None, "ended")


@pytest.mark.parametrize("day", [-1, 0, 3])
def test_a_version_that_is_ended_sets_the_terms_of_that_day_still_and_of_none_if_it_had_not_begun(day: int) -> None:
    head = approved(None, version(1))
    on = FIRST + timedelta(days=day)
    listed = move_version(head, version(1), "end", AUTHOR, ward.NOON, on).listed(1)
    assert (listed.valid_from, listed.valid_to) == (FIRST, max(FIRST, on + timedelta(days=1)))


def test_one_version_is_written_at_a_time() -> None:
    head = add_draft(None, version(1), AUTHOR, ward.NOON)
    with pytest.raises(PolicyStateConflict):
        add_draft(head, version(2), AUTHOR, ward.NOON)
    edited = edit_draft(head, version(1, FIRST + timedelta(days=3)), AUTHOR, ward.NOON)
    assert edited.listed(1).valid_from == FIRST + timedelta(days=3)
    assert edited.in_force(FIRST + timedelta(days=3)) is None


def test_what_was_abandoned_is_forgotten_and_what_was_approved_is_not() -> None:
    head = approved(None, version(1))
    for number in range(2, MAX_VERSIONS + 20):
        head = add_draft(head, version(number), AUTHOR, ward.NOON)
        head = move_version(head, version(number), "end", AUTHOR, ward.NOON, ward.TODAY)
    assert len(head.versions) == 2
    assert 1 in head.versions
    full = replace(head, versions=dict.fromkeys(range(MAX_VERSIONS), head.versions[1]))
    with pytest.raises(PolicyStateConflict):
        add_draft(full, version(999), AUTHOR, ward.NOON)


def test_LIMIT_the_number_of_shards_is_settled_by_the_first_that_is_approved() -> None:
    draft = add_draft(None, version(1), AUTHOR, ward.NOON)
    assert edit_draft(draft, version(1, shards=4), AUTHOR, ward.NOON).shards is None
    head = approved(None, version(1))
    with pytest.raises(PolicyInvalid):
        add_draft(head, version(2, shards=4), AUTHOR, ward.NOON)
    later = add_draft(head, version(2), AUTHOR, ward.NOON)
    with pytest.raises(PolicyInvalid):
        edit_draft(later, version(2, shards=4), AUTHOR, ward.NOON)


def test_versions_are_linted_as_they_would_stand() -> None:
    head = approved(None, version(1))
    assert lint_among(head, version(2, FIRST + timedelta(days=5))) == []
    (found,) = lint_among(head, version(2, FIRST - timedelta(days=5)))
    assert (found.code, found.pointer) == ("versions-overlap", "/valid_from")
    draft = add_draft(None, version(1), AUTHOR, ward.NOON)
    assert lint_among(draft, version(2)) == []


def test_the_digest_tells_contents_apart_and_no_numbers() -> None:
    one = version(1)
    assert digest_of(one) == digest_of(replace(one, version=9))
    assert digest_of(one) != digest_of(replace(one, daily_rate_ppm=one.daily_rate_ppm + 1))
    require_read(one, digest_of(one))
    for digest in (None, digest_of(replace(one, hold_days=1))):
        with pytest.raises(PolicyChanged):
            require_read(one, digest)


def test_a_policy_waits_since_it_was_submitted() -> None:
    head = add_draft(None, version(1), AUTHOR, ward.NOON)
    assert head.waits_since is None
    later = ward.NOON + timedelta(hours=1)
    waiting = move_version(head, version(1), "submit", AUTHOR, later, ward.TODAY)
    assert waiting.waits_since == later
    assert move_version(waiting, version(1), "withdraw", AUTHOR, later, ward.TODAY).waits_since is None
