"""A run on an offer over real connections: exactly the stock is sold, whoever comes first, and whatever is killed."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from time import perf_counter

import pytest

from tests.e2e.offers.customers import TILLS, Answered, Errand, People, open_town, quoted, redemptions, run, told
from tests.e2e.offers.process import StallProcess
from tests.integration.scores import on_dynoxide

MANY, STOCK = 2_000, 500
FEWER, LESS, SOLD_BEFORE_THE_KILL = 400, 150, 60

Figure = Callable[[str, object], None]


@pytest.fixture(scope="module")
def stall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StallProcess]:
    """A stall with two offers, in a town of its own."""
    on_dynoxide.need()
    made = StallProcess(tmp_path_factory.mktemp("egret"), {"summer": STOCK, "autumn": LESS})
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def people(stall: StallProcess) -> People:
    """Those who buy."""
    return open_town(stall.client())


def errands(stall: StallProcess, people: People, offer_id: str, many: int) -> list[Errand]:
    """So many redemptions of one unit each, of quotes that are open."""
    client = stall.client(people)
    return redemptions(client, stall.copied(quoted(client, offer_id), many))


def outcomes(answers: Iterable[Answered]) -> Counter[tuple[int, str]]:
    return Counter((answer.status, answer.code) for answer in answers)


def sold(answers: Mapping[Errand, Answered]) -> dict[str, Answered]:
    """What was acknowledged, by quote."""
    done = {errand.path.split("/")[3]: answer for errand, answer in answers.items() if answer.status == 200}
    assert all(json.loads(answer.text)["state"] == "redeemed" for answer in done.values())
    return done


def test_LIMIT_sixteen_tills_sell_exactly_the_stock(
    stall: StallProcess, people: People, record_property: Figure
) -> None:
    wanted = errands(stall, people, "summer", MANY)
    started = perf_counter()
    answers = run(stall.url, wanted)
    seconds = perf_counter() - started
    assert outcomes(answers.values()) == {(200, ""): STOCK, (409, "out-of-stock"): MANY - STOCK}
    books = stall.books("summer").check()
    assert (books.redeemed, books.avail, books.held) == (STOCK, 0, 0)
    assert set(books.deals) == set(sold(answers)), "who was told so, and nobody else, has bought"
    record_property("figure", f"{MANY:,} redemptions of {STOCK} by {TILLS} tills: {told(answers.values(), seconds)}")


def test_ONCE_what_was_acknowledged_survives_kill_9_of_server_and_database(
    stall: StallProcess, people: People, record_property: Figure
) -> None:
    wanted = errands(stall, people, "autumn", FEWER)
    first = killed_in_the_middle(stall, wanted)
    before = sold(first)
    unanswered = [errand for errand, answer in first.items() if not answer.status]
    assert SOLD_BEFORE_THE_KILL <= len(before) < LESS
    assert 0 < len(unanswered) <= TILLS

    stall.start()
    books = stall.books("autumn").check()
    assert set(before) <= set(books.deals), "what was acknowledged is there"
    silent = {errand.path.split("/")[3] for errand in unanswered}
    assert set(books.deals) <= set(before) | silent, "nothing is there that nobody asked for"

    again = run(stall.url, unanswered)
    assert {answer.status for answer in again.values()} == {200}
    stored = {quote_id for quote_id, answer in sold(again).items() if answer.replayed}
    assert stored == set(books.deals) & silent, "who had bought is told what he would have been told"
    repeated = sold(run(stall.url, [errand for errand in wanted if errand in first and first[errand].status == 200]))
    assert {quote_id: answer.text for quote_id, answer in repeated.items()} == {q: a.text for q, a in before.items()}
    assert all(answer.replayed for answer in repeated.values())

    rest = run(stall.url, [errand for errand in wanted if errand not in first])
    left = LESS - len(before) - len(again)
    assert outcomes(rest.values()) == {(200, ""): left, (409, "out-of-stock"): len(rest) - left}
    books = stall.books("autumn").check()
    assert (books.redeemed, books.avail, books.held) == (LESS, 0, 0)
    assert set(books.deals) == {*before, *sold(again), *sold(rest)}
    said = f"{len(before)} were acknowledged, {len(unanswered)} got no answer; of those {len(stored)} had bought"
    record_property("figure", f"kill -9 of server and database in the middle of {LESS} sales: {said}; nothing was lost")


def killed_in_the_middle(stall: StallProcess, wanted: Sequence[Errand]) -> dict[Errand, Answered]:
    """What came back until server and database were killed, while every till had a request under way."""
    acknowledged = itertools.count(1)

    def note(answer: Answered) -> None:
        if answer.status == 200 and next(acknowledged) == SOLD_BEFORE_THE_KILL:
            stall.kill()

    return run(stall.url, wanted, note)
