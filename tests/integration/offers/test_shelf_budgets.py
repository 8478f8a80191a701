"""What writing, moving and browsing offers costs at DynamoDB, however many offers there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.integration.offers.counter import AUTHOR, CATALOGUE, OFFERS, REVIEWER, Desk
from tests.world import Answer, World

LOOK = {"BatchGetItem": 1}
CITY = {"GetItem": 1}
LIST = {"Query": 1}
WRITE = {"TransactWriteItems": 1}


@pytest.fixture(scope="module")
def desk(world: World) -> Desk:
    made = Desk(world)
    made.shelved(made.offer())
    return made


def cost(world: World, request: Callable[[], Answer]) -> dict[str, int]:
    """The operations that a request causes."""
    with world.calls() as calls:
        answer = request()
    assert answer.status < 300, answer.text
    return dict(Counter(calls.names))


def test_drafting_and_editing_is_one_read_the_citys_scheme_and_one_write(desk: Desk) -> None:
    made = desk.offer()
    assert cost(desk.world, lambda: desk.draft(made)) == LOOK | CITY | WRITE
    tag = desk.world.send("GET", f"{OFFERS}/{made.offer_id}/versions/1", AUTHOR).headers["etag"]
    assert cost(desk.world, lambda: desk.edit(made, 1, if_match=tag)) == LOOK | CITY | WRITE


def test_a_move_is_one_read_and_one_write_and_on_the_shelf_the_counters(desk: Desk) -> None:
    """A stop looks whether it is an old one, and writes each of the three counters by itself before the rest."""
    made = desk.offer(budget_fen=100_000)
    desk.drafted(made)
    digest = desk.read(made, 1, REVIEWER)["digest"]
    costs = {
        move: cost(desk.world, lambda move=move: desk.move(made, 1, move, digest=digest))  # type: ignore[misc]
        for move in ("submit", "approve", "schedule", "pause", "resume", "stop", "lift", "resume", "end")
    }
    assert costs == {
        "submit": LOOK | CITY | WRITE,
        "approve": LOOK | CITY | WRITE,
        "schedule": LOOK | LIST | WRITE,
        "pause": LOOK | WRITE,
        "resume": LOOK | LIST | WRITE,
        "stop": LOOK | {"GetItem": 1} | LIST | {"TransactWriteItems": 3 + 1},
        "lift": LOOK | LIST | WRITE,
        "end": LOOK | WRITE,
    }


def test_a_move_that_meets_another_reads_and_writes_once_more(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.integration.core.faults import FAILED, cancelled, inject

    made = desk.offer()
    desk.shelved(made)
    with monkeypatch.context() as patch:
        inject(patch, iter([cancelled(FAILED)]))
        assert cost(desk.world, lambda: desk.move(made, 1, "pause")) == {"BatchGetItem": 2, "TransactWriteItems": 1}


def test_reading_is_one_call_or_two(desk: Desk) -> None:
    world, made = desk.world, desk.offer(show_stock=True)
    desk.shelved(made)
    quiet = desk.offer()
    desk.shelved(quiet)
    desk.drafted(replace(made))
    desk.moved(made, 2, "submit")
    for offer in (made, quiet):
        world.send("GET", f"{OFFERS}/{offer.offer_id}")
    assert cost(world, lambda: world.send("GET", f"{OFFERS}/{quiet.offer_id}")) == LOOK
    assert cost(world, lambda: world.send("GET", f"{OFFERS}/{made.offer_id}")) == {"BatchGetItem": 2}
    assert cost(world, lambda: world.send("GET", f"{OFFERS}/{made.offer_id}/versions/1", AUTHOR)) == LOOK | CITY
    assert cost(world, lambda: world.send("GET", OFFERS, AUTHOR)) == LIST
    assert cost(world, lambda: world.send("GET", f"{OFFERS}/export", AUTHOR)) == LIST | LOOK
    review = cost(world, lambda: world.send("GET", "/v1/cities/xiamen/review", REVIEWER))
    assert review == {"Query": 1, "BatchGetItem": 2}


def test_the_catalogue_is_read_once_and_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.core.clock.stopwatch", lambda: 50_000.0)
    world = desk.world
    world.forget()
    assert cost(world, lambda: world.send("GET", CATALOGUE)) == LOOK | LIST
    assert cost(world, lambda: world.send("GET", f"{CATALOGUE}?text=tea&category=tea")) == {}


def test_importing_reads_and_writes_thirty_offers_at_a_time(desk: Desk) -> None:
    from chalicelib.offers.rules import write_drafts

    world = desk.world
    rows = write_drafts(desk.offer(offer_id=f"cost-{n}") for n in range(61))

    def send() -> Answer:
        return world.post(f"{OFFERS}/import", AUTHOR, raw=rows.encode(), content_type="text/csv")

    first = cost(world, send)
    assert first == {"GetItem": 1, "BatchGetItem": 4, "TransactWriteItems": 4}
    again = cost(world, send)
    assert again == {"GetItem": 1, "BatchGetItem": 4, "TransactWriteItems": 1}
