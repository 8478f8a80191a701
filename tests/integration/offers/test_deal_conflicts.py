"""What no local database shows: transactions that meet on a counter. Injected at the seam, answered over a socket."""

from __future__ import annotations

import itertools
import json
import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from infra.local.httpd import LocalServer
from tests.e2e.offers.customers import redemptions, run
from tests.integration.core.faults import CONFLICT, Fault, cancelled, inject
from tests.integration.offers.deals import quote_self
from tests.integration.offers.market import Market
from tests.world import World

IN_THE_WAY = 3


@pytest.fixture(scope="module")
def market(world: World) -> Market:
    return Market(world)


@pytest.fixture(scope="module")
def server(world: World) -> Iterator[LocalServer]:
    """The world's gateway behind a port of its own."""
    with LocalServer(0, lambda _: None, lambda *_: None) as served:
        served.gateway = world.client.gateway
        threading.Thread(target=served.serve_forever, args=(0.01,), daemon=True).start()
        yield served
        served.shutdown()


def test_a_conflict_is_tried_again_and_answered(
    market: Market, server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer = market.shelve(market.offer())
    wanted = redemptions(market.world.client, [market.quoted(market.buyer(), offer)])
    attempts = inject(monkeypatch, iter([cancelled(CONFLICT)] * IN_THE_WAY))
    logged = market.world.logs.tell()
    (first,) = run(server.url, wanted).values()
    assert (first.status, json.loads(first.text)["state"]) == (200, "redeemed")
    assert len(set(attempts.tokens)) == len(attempts.tokens) == IN_THE_WAY + 1, "each try is a request of its own"
    said = [json.loads(line)["event"] for line in market.world.logs.getvalue()[logged:].splitlines()]
    assert said == ["transaction-conflict"] * IN_THE_WAY + ["request"]
    (again,) = run(server.url, wanted).values()
    assert (again.text, again.replayed) == (first.text, True)
    assert market.counter(offer).counter.redeemed == 1


def test_LIMIT_holds_while_every_other_transaction_meets_another(
    world: World, market: Market, server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    if world.database.engine != "dynoxide":
        pytest.skip("moto is no proof of concurrency")
    offer, people = market.shelve(market.offer(stock=10)), [market.buyer() for _ in range(3)]
    quoted = [quote_self(market, people[n % 3], offer) for n in range(24)]
    wanted = redemptions(world.client, [answer.body["deal"]["quote_id"] for answer in quoted])
    faults: list[Fault | None] = [cancelled(CONFLICT), None, cancelled(None, None, CONFLICT), None, None]
    attempts = inject(monkeypatch, itertools.cycle(faults))
    answers = run(server.url, wanted)
    assert Counter(answer.code for answer in answers.values()) == {"": 10, "out-of-stock": 14}
    assert len(attempts.tokens) > len(wanted)
    counter = market.counter(offer).counter
    assert (counter.redeemed, counter.avail, sum(counter.held.values())) == (10, 0, 0)
