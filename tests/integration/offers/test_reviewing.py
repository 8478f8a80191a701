"""The city decides on what it has read, and on nothing that was put in its place since."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.core import table
from chalicelib.core.text import Text
from chalicelib.offers.rules import Offer, Share
from chalicelib.offers.store import version_key
from tests.integration.core.faults import inject
from tests.integration.offers.counter import AUTHOR, OFFERS, REVIEWER, Desk
from tests.world import World


@pytest.fixture(scope="module")
def desk(world: World) -> Desk:
    return Desk(world)


@pytest.mark.parametrize("move", ["approve", "return"])
def test_nobody_decides_on_what_he_has_not_read(desk: Desk, move: str) -> None:
    """Between reading and deciding it is withdrawn, written anew and submitted again."""
    made = desk.offer()
    desk.drafted(made)
    desk.moved(made, 1, "submit")
    read = desk.read(made, 1, REVIEWER)["digest"]
    desk.moved(made, 1, "withdraw")
    assert desk.edit(replace(made, title=Text("换了", "Another"), funding=(Share("city", 10_000),)), 1).status == 200
    desk.moved(made, 1, "submit")
    for query in ("", "?dry_run=true"):
        with desk.world.nothing_written():
            refused = desk.move(made, 1, move, digest=read, query=query)
        assert (refused.status, refused.code) == (409, "offer-changed")
    now = desk.read(made, 1, REVIEWER)
    assert (now["state"], now["digest"] == read) == ("review", False)
    assert desk.move(made, 1, move, digest=now["digest"]).status == 200


def test_the_digest_is_that_of_the_content_in_every_view(desk: Desk) -> None:
    made = desk.offer()
    drafted = desk.draft(made).body["digest"]
    views = [desk.move(made, 1, move).body for move in ("submit", "return", "submit", "approve")]
    assert {view["digest"] for view in [*views, desk.read(made, 1), desk.read(made, 1, REVIEWER)]} == {drafted}
    other = desk.offer()
    assert desk.draft(other).body["digest"] != drafted


def swapped(desk: Desk, made: Offer) -> None:
    desk.moved(made, 1, "withdraw")
    assert desk.edit(replace(made, category="grain"), 1).status == 200
    desk.moved(made, 1, "submit")


def test_what_is_swapped_between_the_read_and_the_write_of_an_approval_is_not_approved(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = desk.offer()
    desk.drafted(made)
    desk.moved(made, 1, "submit")
    digest = desk.read(made, 1, REVIEWER)["digest"]

    def overtaken(_: Any, write: Callable[[], None]) -> None:
        swapped(desk, made)
        write()

    with monkeypatch.context() as patch:
        inject(patch, iter([overtaken]))
        assert desk.move(made, 1, "approve", digest=digest).code == "offer-changed"
    assert desk.read(made, 1)["state"] == "review"


def test_a_read_that_has_the_new_head_and_the_old_content_approves_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The two are items of one BatchGet, which is no snapshot."""
    made = desk.offer()
    desk.drafted(made)
    desk.moved(made, 1, "submit")
    digest, fetch = desk.read(made, 1, REVIEWER)["digest"], table.fetch
    key = version_key(made.city_id, made.merchant_id, made.offer_id, 1)
    old = fetch([key])
    swapped(desk, made)
    torn = iter([old])
    with monkeypatch.context() as patch:
        patch.setattr(table, "fetch", lambda keys: fetch(keys) | next(torn, {}))
        assert desk.move(made, 1, "approve", digest=digest).code == "offer-changed"
    assert desk.read(made, 1)["state"] == "review"


@pytest.mark.parametrize(
    "body",
    [
        {"move": "approve"}, {"move": "return"}, {"move": "approve", "digest": None}, {"move": "return", "digest": "x"},
        *({"move": move, "digest": "0" * 64} for move in ("submit", "schedule", "stop", "lift", "end")),
        {"digest": "0" * 64},
    ],
)  # fmt: skip
def test_who_decides_names_what_he_has_read_and_nobody_else_does(desk: Desk, body: Any) -> None:
    path = f"{OFFERS}/any-offer/versions/1/moves"
    for actor in (REVIEWER, AUTHOR):
        assert desk.world.post(path, actor, body).code == "invalid-request"
