"""How an offer lives: every move from every state by everybody, and what the clock does by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

import pytest

from chalicelib.core.errors import Problem
from chalicelib.offers.rules import (
    STATES,
    TRANSITIONS,
    Actor,
    ApprovalByAuthor,
    Life,
    Move,
    OfferMoveForbidden,
    OfferNotLive,
    OfferStateConflict,
    OfferStopped,
    State,
    drafted,
    edited,
    moved,
    require_live,
    state_at,
)
from tests.unit.offers.shop import NOON, offer

MADE = offer()
BEFORE, AFTER = MADE.valid_from - timedelta(seconds=1), MADE.valid_to
AUTHOR = Actor("merchant", "ann", frozenset({"author"}))
SELLER = Actor("merchant", "sam", frozenset({"operator"}))
REVIEWER = Actor("city", "rui", frozenset({"reviewer"}))
CLERK = Actor("city", "cai", frozenset({"operator"}))
EVERYBODY = {"author": AUTHOR, "seller": SELLER, "reviewer": REVIEWER, "clerk": CLERK}

# Written out once more, by hand: who may move what, from where, to where.
MAY: dict[Move, tuple[str, str, State]] = {
    "submit": ("draft", "author", "review"),
    "withdraw": ("review", "author", "draft"),
    "return": ("review", "reviewer", "draft"),
    "approve": ("review", "reviewer", "approved"),
    "schedule": ("approved", "author seller", "scheduled"),
    "pause": ("scheduled live", "author seller", "paused"),
    "resume": ("paused", "author seller", "scheduled"),
    "end": ("draft review approved scheduled live paused stopped", "author seller", "ended"),
    "stop": ("approved scheduled live paused", "reviewer clerk", "stopped"),
    "lift": ("stopped", "reviewer", "paused"),
}


def life(state: State, *, released: bool = False) -> Life:
    return Life(state, ("ann",), NOON - timedelta(days=1), released=released)


@pytest.mark.parametrize("who", EVERYBODY)
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("move", get_args(Move))
def test_every_move_from_every_state_by_everybody(move: Move, state: State, who: str) -> None:
    sources, allowed, target = MAY[move]
    stored: State = "scheduled" if state == "live" else state
    now = NOON if state == "live" else BEFORE
    expected: type[Problem] | None = None
    if who not in allowed.split():
        expected = OfferMoveForbidden
    elif state not in sources.split():
        expected = OfferStateConflict
    if expected is not None:
        with pytest.raises(expected):
            moved(life(stored), move, EVERYBODY[who], MADE, now)
        return
    after = moved(life(stored), move, EVERYBODY[who], MADE, now)
    assert (after.state, after.revision, after.changed_at, after.authors) == (target, 2, now, ("ann",))
    assert after.approved_by == (EVERYBODY[who].person if move == "approve" else None)


def test_the_table_has_every_move_and_every_state_but_live_is_reached_by_one() -> None:
    assert list(TRANSITIONS) == list(get_args(Move))
    assert list(STATES) == list(get_args(State))
    assert {way.target for way in TRANSITIONS.values()} == STATES.keys() - {"live"}


@pytest.mark.parametrize("person", ["ann", "bob"])
def test_nobody_approves_what_he_wrote_in_whatever_state_it_is(person: str) -> None:
    both = Actor("merchant", "bob", frozenset({"author"}))
    written = edited(drafted(AUTHOR, NOON), both, NOON)
    assert written.authors == ("ann", "bob")
    himself = Actor("city", person, frozenset({"reviewer"}))
    for version in (written, moved(written, "submit", AUTHOR, MADE, NOON)):
        with pytest.raises(ApprovalByAuthor):
            moved(version, "approve", himself, MADE, NOON)


def test_only_the_merchants_authors_write_and_only_on_drafts() -> None:
    for stranger in (SELLER, REVIEWER, Actor("city", "ann", frozenset({"author"}))):
        with pytest.raises(OfferMoveForbidden):
            drafted(stranger, NOON)
        with pytest.raises(OfferMoveForbidden):
            edited(life("draft"), stranger, NOON)
    with pytest.raises(OfferStateConflict):
        edited(life("review"), AUTHOR, NOON)
    again = edited(edited(life("draft"), AUTHOR, NOON), AUTHOR, NOON)
    assert (again.authors, again.revision) == (("ann",), 3)


def test_the_whole_way() -> None:
    now = drafted(AUTHOR, BEFORE)
    way: list[tuple[Move, Actor]] = [("submit", AUTHOR), ("approve", REVIEWER), ("schedule", SELLER)]
    for move, actor in way:
        now = moved(now, move, actor, MADE, BEFORE)
    assert state_at(now, MADE, BEFORE) == "scheduled"
    assert state_at(now, MADE, MADE.valid_from) == "live"
    paused = moved(now, "pause", SELLER, MADE, NOON)
    assert state_at(moved(paused, "resume", SELLER, MADE, NOON), MADE, NOON) == "live"
    stopped = moved(now, "stop", CLERK, MADE, NOON)
    assert moved(stopped, "lift", REVIEWER, MADE, NOON).state == "paused"
    assert now.approved_by == stopped.approved_by == "rui"


@pytest.mark.parametrize("state", STATES)
def test_whatever_is_open_ends_by_the_clock(state: State) -> None:
    written: set[State] = {"draft", "review", "ended"}
    stored: State = "scheduled" if state == "live" else state
    assert state_at(life(stored), MADE, AFTER) == (state if state in written else "ended")
    assert state_at(life(stored), MADE, AFTER - timedelta(microseconds=1)) != "ended" or state == "ended"
    if state not in written:
        with pytest.raises(OfferStateConflict):
            moved(life(stored), "end", SELLER, MADE, AFTER)


@pytest.mark.parametrize("state", STATES)
def test_quotes_are_given_while_live(state: State) -> None:
    if state == "live":
        require_live(state)
    else:
        with pytest.raises(OfferStopped if state == "stopped" else OfferNotLive):
            require_live(state)


@pytest.mark.parametrize("stored", ["ended", "scheduled", "paused"])
def test_the_city_stops_what_has_ended_if_it_may_have_sold_and_it_stays_ended(stored: State) -> None:
    """Ended by the merchant, or by the clock."""
    ended = life(stored, released=True)
    stopped = moved(ended, "stop", CLERK, MADE, AFTER)
    assert (stopped.state, state_at(stopped, MADE, AFTER), stopped.released) == ("ended", "ended", True)
    unsold = [moved(life("approved"), "end", SELLER, MADE, NOON), life("approved")]
    unsold.append(moved(life("scheduled"), "end", SELLER, MADE, BEFORE))
    for never in unsold:
        with pytest.raises(OfferStateConflict):
            moved(never, "stop", CLERK, MADE, AFTER)


def test_what_ran_out_while_it_was_stopped_may_be_lifted_and_stays_ended() -> None:
    stopped = moved(life("scheduled"), "stop", CLERK, MADE, NOON)
    lifted = moved(stopped, "lift", REVIEWER, MADE, AFTER)
    assert (lifted.state, state_at(lifted, MADE, AFTER)) == ("paused", "ended")


def test_a_refusal_says_where_the_offer_is() -> None:
    with pytest.raises(OfferStateConflict) as refused:
        moved(life("paused"), "pause", SELLER, MADE, NOON)
    assert "已暂停" in refused.value.detail.zh
    with pytest.raises(OfferNotLive) as closed:
        require_live("ended")
    assert closed.value.detail.en == "This offer is not open: ended"
