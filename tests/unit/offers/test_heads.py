"""One offer through its versions: they follow each other, and the city's stop holds for all that is finished."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import get_args

import pytest

from chalicelib.core.errors import NotFound
from chalicelib.core.text import Text
from chalicelib.offers.rules import (
    Actor,
    Move,
    Offer,
    OfferChanged,
    OfferMoveForbidden,
    OfferNotLive,
    OfferStateConflict,
    OfferStopped,
    heads,
)
from chalicelib.offers.rules.heads import MAX_LISTED, Head
from tests.unit.offers.shop import NOON, offer

AUTHOR = Actor("merchant", "ann", frozenset({"author", "operator"}))
CITY = Actor("city", "rui", frozenset({"reviewer"}))
OF_THE_CITY: frozenset[Move] = frozenset({"return", "approve", "stop", "lift"})
DAY = timedelta(days=1)
MADE = offer(valid_from=NOON - DAY, valid_to=NOON + 30 * DAY)


def version(number: int, begins: datetime = NOON - DAY, ends: datetime = NOON + 30 * DAY) -> Offer:
    return replace(MADE, version=number, valid_from=begins, valid_to=ends)


def moved(head: Head, number: int, *moves: Move, at: datetime = NOON) -> Head:
    for move in moves:
        head = heads.move_version(head, number, move, CITY if move in OF_THE_CITY else AUTHOR, at)
    return head


def released(head: Head | None, made: Offer, at: datetime = NOON) -> Head:
    """The offer with another version on the shelf."""
    return moved(heads.add_draft(head, made, AUTHOR, at), made.version, "submit", "approve", "schedule", at=at)


def states(head: Head, at: datetime = NOON) -> list[str]:
    return [heads.state_of(head, number, at) for number in sorted(head.versions)]


ONE = released(None, MADE)
TWO = released(ONE, version(2, NOON + DAY))


def test_an_offer_begins_with_a_draft_that_nobody_meets() -> None:
    head = heads.add_draft(None, MADE, AUTHOR, NOON)
    assert (head.latest, head.title, head.revision, states(head)) == (1, MADE.title, 0, ["draft"])
    assert head.in_force(NOON) is None
    assert head.on_shelf(NOON) == ()
    with pytest.raises(OfferNotLive, match="draft"):
        heads.require_in_force(head, NOON)


@pytest.mark.parametrize("actor", [CITY, Actor("merchant", "sam", frozenset({"operator"}))])
def test_only_an_author_drafts(actor: Actor) -> None:
    for head in (None, ONE):
        with pytest.raises(OfferMoveForbidden):
            heads.add_draft(head, version(1 if head is None else 2), actor, NOON)


@pytest.mark.parametrize("moves", [(), ("submit",)])
def test_one_version_at_a_time_is_unfinished(moves: tuple[Move, ...]) -> None:
    head = moved(heads.add_draft(ONE, version(2), AUTHOR, NOON), 2, *moves)
    with pytest.raises(OfferStateConflict, match="Version 2"):
        heads.add_draft(head, version(3), AUTHOR, NOON)
    assert heads.add_draft(moved(head, 2, "end"), version(3), AUTHOR, NOON).latest == 3


def test_a_version_ends_the_one_before_it_when_it_begins() -> None:
    before, begins = NOON, NOON + DAY
    assert [TWO.in_force(at) for at in (before, begins - timedelta(microseconds=1), begins)] == [1, 1, 2]
    assert states(TWO, before) == ["live", "scheduled"]
    assert states(TWO, begins) == ["ended", "live"]
    assert [TWO.on_shelf(at) for at in (before, begins)] == [(1, 2), (2,)]
    assert TWO.versions[1].valid_to == begins


def test_a_version_that_has_begun_already_ends_the_one_before_it_at_once() -> None:
    head = released(ONE, version(2))
    assert states(head) == ["ended", "live"]
    assert head.versions[1].valid_to == NOON
    assert heads.require_in_force(head, NOON) == 2


def test_the_end_of_the_later_one_does_not_bring_the_earlier_back() -> None:
    head = moved(TWO, 2, "end")
    assert head.in_force(NOON) == 1
    assert head.in_force(NOON + DAY) is None
    with pytest.raises(OfferNotLive, match="ended"):
        heads.require_in_force(head, NOON + DAY)


def test_an_earlier_version_that_is_released_later_ends_when_the_later_one_begins() -> None:
    one = moved(heads.add_draft(None, MADE, AUTHOR, NOON), 1, "submit", "approve")
    late = moved(released(one, version(2, NOON + DAY)), 1, "schedule")
    assert (late.in_force(NOON), late.in_force(NOON + DAY)) == (1, 2)
    assert late.on_shelf(NOON + DAY) == (2,)


def test_a_gap_between_versions_is_told_as_what_lies_ahead() -> None:
    head = released(released(None, version(1, NOON - DAY, NOON + DAY)), version(2, NOON + 3 * DAY))
    with pytest.raises(OfferNotLive, match="not begun yet"):
        heads.require_in_force(head, NOON + 2 * DAY)


@pytest.mark.parametrize(("state", "words"), [("pause", "paused"), ("end", "ended")])
def test_what_is_paused_or_ended_is_open_to_nobody(state: Move, words: str) -> None:
    head = moved(ONE, 1, state)
    assert head.on_shelf(NOON) == ()
    with pytest.raises(OfferNotLive, match=words):
        heads.require_in_force(head, NOON)


def test_a_stop_holds_for_every_finished_version() -> None:
    head = moved(TWO, 1, "stop")
    assert states(head) == ["stopped", "stopped"]
    assert (head.stopped_to, head.on_shelf(NOON)) == (2, ())
    for at in (NOON, NOON + DAY):
        with pytest.raises(OfferStopped):
            heads.require_in_force(head, at)
    lifted = moved(head, 2, "lift")
    assert (states(lifted), lifted.stopped_to) == (["paused", "paused"], 0)


@pytest.mark.parametrize("moves", [(), ("submit",)])
def test_a_stop_says_nothing_of_a_version_that_is_not_finished(moves: tuple[Move, ...]) -> None:
    head = moved(heads.add_draft(ONE, version(2), AUTHOR, NOON), 2, *moves)
    stopped = moved(head, 1, "stop")
    assert stopped.stopped_to == 1
    rest: tuple[Move, ...] = ("submit", "approve", "schedule")
    done = moved(stopped, 2, *rest[len(moves) :])
    assert (heads.require_in_force(done, NOON), done.stopped_to) == (2, 1)


def test_a_stopped_version_that_the_merchant_ends_stays_stopped_for_its_quotes() -> None:
    ended = moved(ONE, 1, "stop", "end")
    assert (states(ended), ended.stopped_to) == (["ended"], 1)
    with pytest.raises(OfferStateConflict):
        moved(ended, 1, "lift")
    later = moved(released(ended, version(2)), 2, "stop")
    assert later.stopped_to == 2
    assert moved(later, 2, "lift").stopped_to == 1


def test_a_version_that_was_ended_before_the_stop_is_lifted_with_the_others() -> None:
    head = released(moved(ONE, 1, "end"), version(2))
    assert moved(head, 2, "stop").stopped_to == 2
    assert moved(head, 2, "stop", "lift").stopped_to == 0


@pytest.mark.parametrize("by_the_clock", [True, False])
def test_a_stop_of_what_has_ended_is_for_good_and_lets_the_next_version_go_on(by_the_clock: bool) -> None:
    over = NOON + 30 * DAY
    head = ONE if by_the_clock else moved(ONE, 1, "end")
    later = released(head, version(2, over, over + 9 * DAY), at=over - DAY)
    stopped = moved(later, 1, "stop", at=over)
    assert (states(stopped, over), stopped.stopped_to, stopped.stays_stopped) == (["ended", "live"], 1, 1)
    assert heads.require_in_force(stopped, over) == 2
    with pytest.raises(OfferStateConflict, match="for good"):
        moved(stopped, 1, "stop", at=over)
    with pytest.raises(OfferStateConflict):
        moved(stopped, 1, "lift", at=over)


def test_what_ran_out_while_it_was_stopped_is_lifted_and_stays_ended() -> None:
    over = NOON + 30 * DAY
    lifted = moved(moved(ONE, 1, "stop"), 1, "lift", at=over)
    assert (states(lifted, over), lifted.stopped_to) == (["ended"], 0)


def test_a_second_stop_makes_the_first_one_final() -> None:
    head = released(moved(ONE, 1, "stop"), version(2, NOON + DAY))
    again = moved(head, 2, "stop")
    assert (again.stopped_to, again.stays_stopped) == (2, 1)
    lifted = moved(again, 2, "lift")
    assert (states(lifted), lifted.stopped_to) == (["stopped", "paused"], 1)
    with pytest.raises(OfferStateConflict, match="for good"):
        moved(lifted, 1, "lift")


@pytest.mark.parametrize("further", [(), ("schedule",)])
def test_a_version_that_never_sold_takes_no_other_with_it_when_it_ends(further: tuple[Move, ...]) -> None:
    two = moved(heads.add_draft(ONE, version(2, NOON + DAY), AUTHOR, NOON), 2, "submit", "approve", *further)
    ended = moved(moved(two, 1, "stop"), 2, "end")
    assert (ended.stopped_to, ended.stays_stopped) == (2, 0)
    lifted = moved(ended, 1, "lift", "resume")
    assert (heads.require_in_force(lifted, NOON), lifted.stopped_to) == (1, 0)


@pytest.mark.parametrize("seed", range(60))
def test_whatever_is_moved_and_when_an_open_version_comes_after_what_is_stopped(seed: int) -> None:
    """A few hundred moves at random, some versions ahead of others, while the days go by."""
    chance, now = Random(seed), NOON
    head = heads.add_draft(None, MADE, AUTHOR, now)
    for _ in range(300):
        now += chance.choice([timedelta(0), timedelta(hours=1), DAY])
        number, before = chance.choice(list(head.versions)), head
        begins = now + chance.randint(-2, 4) * DAY
        try:
            if chance.random() < 0.15:
                ends = begins + chance.randint(1, 9) * DAY
                head = heads.add_draft(head, version(head.latest + 1, begins, ends), AUTHOR, now)
            else:
                head = moved(head, number, chance.choice(get_args(Move)), at=now)
        except OfferStateConflict:
            continue
        assert before.stays_stopped <= head.stays_stopped <= head.stopped_to
        opened = [
            v for v in head.versions if heads.state_of(head, v, now) in {"approved", "scheduled", "live", "paused"}
        ]
        assert min(opened, default=head.latest + 1) > head.stopped_to


def test_the_last_version_that_was_released_says_how_much_there_is() -> None:
    assert [TWO.says_stock(number) for number in (1, 2)] == [False, True]
    assert moved(TWO, 2, "end").says_stock(1)
    assert heads.add_draft(ONE, version(2), AUTHOR, NOON).says_stock(1)


def test_the_list_follows_the_latest_version_and_the_wait_for_review() -> None:
    new = replace(version(2), title=Text("新茶", "New tea"), category="grain")
    head = heads.add_draft(ONE, new, AUTHOR, NOON)
    assert (head.title, head.category, head.waits_since) == (new.title, "grain", None)
    changed = heads.edit_draft(head, replace(new, title=Text("又新", "Newer")), AUTHOR, NOON)
    assert changed.title.en == "Newer"
    waiting = moved(changed, 2, "submit", at=NOON + DAY)
    assert waiting.waits_since == NOON + DAY
    assert moved(waiting, 2, "return").waits_since is None


def test_an_edit_may_move_the_dates_of_a_draft_and_of_nothing_else() -> None:
    head = heads.add_draft(ONE, version(2), AUTHOR, NOON)
    later = heads.edit_draft(head, version(2, NOON + 3 * DAY), AUTHOR, NOON)
    assert later.versions[2].valid_from == NOON + 3 * DAY
    assert later.versions[1] == head.versions[1]
    with pytest.raises(OfferStateConflict):
        heads.edit_draft(later, version(1), AUTHOR, NOON)


@pytest.mark.parametrize("move", get_args(Move))
def test_what_is_not_listed_is_not_there(move: Move) -> None:
    with pytest.raises(NotFound):
        moved(ONE, 7, move)
    with pytest.raises(NotFound):
        heads.state_of(ONE, 7, NOON)
    with pytest.raises(NotFound):
        heads.edit_draft(ONE, version(7), AUTHOR, NOON)


def test_the_oldest_versions_make_room_but_none_that_people_meet() -> None:
    head = ONE
    for number in range(2, 3 * MAX_LISTED):
        head = moved(heads.add_draft(head, version(number), AUTHOR, NOON), number, "end")
    assert len(head.versions) == MAX_LISTED
    assert (min(head.versions), heads.require_in_force(head, NOON)) == (1, 1)
    assert head.latest in head.versions


def test_more_versions_ahead_than_are_listed_are_refused() -> None:
    head: Head | None = None
    for number in range(1, MAX_LISTED + 1):
        head = released(head, version(number, NOON + number * DAY))
    assert head is not None
    with pytest.raises(OfferStateConflict, match="Too many"):
        heads.add_draft(head, version(MAX_LISTED + 1), AUTHOR, NOON)
    assert heads.add_draft(moved(head, 3, "end"), version(MAX_LISTED + 1), AUTHOR, NOON).latest == MAX_LISTED + 1


def test_whoever_decides_names_the_content_he_has_read() -> None:
    heads.require_read(version(3), ONE.digest)
    for digest in (None, "", "0" * 64):
        with pytest.raises(OfferChanged):
            heads.require_read(MADE, digest)
    with pytest.raises(OfferChanged):
        heads.require_read(replace(MADE, show_stock=True), ONE.digest)


def test_the_digest_is_that_of_the_latest_content_whatever_its_number() -> None:
    head = heads.add_draft(ONE, version(2), AUTHOR, NOON)
    assert head.digest == ONE.digest == heads.digest_of(replace(MADE, version=9))
    other = heads.edit_draft(head, replace(version(2), show_stock=True), AUTHOR, NOON)
    assert other.digest == heads.digest_of(replace(MADE, show_stock=True)) != head.digest
    assert moved(other, 2, "submit").digest == other.digest
