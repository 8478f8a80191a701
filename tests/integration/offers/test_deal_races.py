"""LIMIT under real threads: servers with clocks of their own sell, put by, give up and refund one stock at once."""

from __future__ import annotations

import itertools
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar

import pytest

from chalicelib.core import clock
from chalicelib.offers.rules import Offer, Quota, Share
from tests.in_process import Answer
from tests.integration.offers.audit import audit
from tests.integration.offers.deals import quote_self
from tests.integration.offers.market import TOFU, Market
from tests.world import World

THREADS, TURNS, STOCK, LIFE = 12, 14, 50, 600
TICK = timedelta(seconds=8)
SKEWS = [timedelta(seconds=seconds) for seconds in (-25, -9, -3, -1, 0, 0, 0, 1, 3, 9, 17, 25)]
REFUSALS = {
    "out-of-stock", "budget-exhausted", "quota-exceeded", "quote-expired", "quote-used", "reservation-closed",
    "refund-exceeds", "conflict",
}  # fmt: skip


@dataclass
class Clocks:
    """One time that goes on with every look at it, and a clock for each thread that is wrong by as much as it is."""

    began: datetime = field(default_factory=clock.now)
    latest: datetime = field(default_factory=clock.now)
    _looks: Iterator[int] = field(default_factory=itertools.count)
    _own: threading.local = field(default_factory=threading.local)

    def wrong_by(self, skew: timedelta) -> None:
        """Sets this thread's clock."""
        self._own.skew = skew

    def turn(self) -> None:
        """A turn takes a while."""
        self._own.now = self.began + next(self._looks) * TICK

    def now(self) -> datetime:
        at: datetime = getattr(self._own, "now", self.began) + getattr(self._own, "skew", timedelta())
        self.latest = max(self.latest, at)
        return at


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    made = Clocks()
    monkeypatch.setattr(clock, "now", made.now)
    return made


@pytest.fixture
def market(own_world: World) -> Market:
    if own_world.database.engine != "dynoxide":
        pytest.skip("moto is no proof of concurrency")
    return Market(own_world)


class Server:
    """One thread: it buys, puts by, gives up, lets lapse and refunds, as its dice fall, also what others have begun."""

    reserved: ClassVar[list[str]] = []
    sold: ClassVar[list[str]] = []

    def __init__(self, market: Market, clocks: Clocks, offer: Offer, who: str, number: int) -> None:
        self.market, self.clocks, self.offer, self.who = market, clocks, offer, who
        self.dice, self.skew = random.Random(number), SKEWS[number % THREADS]
        self.done: Counter[str] = Counter()

    def run(self) -> Counter[str]:
        self.clocks.wrong_by(self.skew)
        for _ in range(TURNS):
            self.clocks.turn()
            self.dice.choice([self.buy, self.buy, self.put_by, self.put_by, self.go_on, self.refund])()
        return self.done

    def asked(self, what: str, answer: Answer) -> bool:
        assert answer.status < 300 or answer.code in REFUSALS, answer.text
        self.done[what if answer.status < 300 else str(answer.code)] += 1
        return answer.status < 300

    def quoted(self) -> str | None:
        answer = quote_self(self.market, self.who, self.offer, self.dice.randint(1, 3))
        return answer.body["deal"]["quote_id"] if self.asked("quoted", answer) else None

    def buy(self) -> None:
        quote_id = self.quoted()
        if quote_id and self.asked("redeemed", self.market.act("redemption", quote_id)):
            self.sold.append(quote_id)

    def put_by(self) -> None:
        quote_id = self.quoted()
        if quote_id and self.asked("reserved", self.market.act("reservation", quote_id)):
            self.reserved.append(quote_id)

    def go_on(self) -> None:
        if self.reserved:
            quote_id, verb = self.reserved[-1], self.dice.choice(["redemption", "redemption", "release"])
            if self.asked(verb, self.market.act(verb, quote_id)) and verb == "redemption":
                self.sold.append(quote_id)

    def refund(self) -> None:
        if self.sold:
            self.asked("refunded", self.market.refund(self.dice.choice(self.sold[-3:])))


def watch(market: Market, offer: Offer, over: threading.Event) -> int:
    """Reads the counters until it is over; how often they were read, true each time."""
    for reads in itertools.count():
        seen = market.counter(offer).counter
        parts = (seen.avail, *seen.held.values(), seen.redeemed)
        assert sum(parts) == seen.cap == STOCK
        assert min(parts) >= 0
        assert seen.redeemed + sum(seen.held.values()) <= STOCK
        if over.is_set():
            return reads
    raise AssertionError("it is over some time")


@pytest.mark.parametrize("seed", [0, 1])
def test_LIMIT_of_threads_whose_clocks_disagree(market: Market, clocks: Clocks, seed: int) -> None:
    offer = market.shelve(
        market.offer(stock=STOCK, reservation_seconds=LIFE, budget_fen=60_000, quota=Quota(lifetime=30),
                     funding=(Share("merchant", 6667), Share("city", 3333)))
    )  # fmt: skip
    people = [market.buyer(score) for score in (693, 640, 570, 693, 520, None)]
    Server.reserved, Server.sold = [], []
    servers = [Server(market, clocks, offer, people[n % 6], n + seed * THREADS) for n in range(THREADS)]
    over = threading.Event()
    with ThreadPoolExecutor(THREADS + 1) as pool:
        reads = pool.submit(watch, market, offer, over)
        try:
            done = sum((ran.result() for ran in [pool.submit(server.run) for server in servers]), Counter[str]())
        finally:
            over.set()
    assert reads.result() > TURNS
    assert {"redeemed", "reserved", "refunded", "out-of-stock"} <= done.keys(), done
    assert done["redemption"] + done["release"] > 0, "some of what was put by was sold, or given up"
    assert audit(market.world.items(), clocks.latest) == []
    sell_what_is_left(market, clocks, offer)
    assert audit(market.world.items(), clocks.latest) == []


def sell_what_is_left(market: Market, clocks: Clocks, offer: Offer) -> None:
    """Once everything has lapsed all of it may be had again, once, and no more."""
    clocks.began = clocks.latest + timedelta(seconds=2 * LIFE)
    for _ in range(STOCK - market.counter(offer).counter.redeemed):
        answer = market.act("redemption", quoted_to(market, offer))
        assert answer.status == 200, answer.text
    after = market.counter(offer, TOFU).counter
    assert (after.avail, after.redeemed, sum(after.held.values())) == (0, STOCK, 0)
    assert quote_self(market, market.buyer(), offer).code == "out-of-stock"


def quoted_to(market: Market, offer: Offer) -> str:
    """A quote of one for somebody new."""
    answer = quote_self(market, market.buyer(None), offer)
    assert answer.status == 201, answer.text
    return str(answer.body["deal"]["quote_id"])


def at_once(act: Callable[[int], Answer]) -> list[Answer]:
    """What comes back to as many requests as there are threads, sent in one moment."""
    gate = threading.Barrier(THREADS)

    def run(number: int) -> Answer:
        gate.wait()
        return act(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def test_LIMIT_of_threads_that_refund_one_deal(market: Market) -> None:
    offer = market.shelve(market.offer(stock=STOCK))
    market.redeemed(market.buyer(), offer, 9)
    quote_id = market.redeemed(market.buyer(), offer, 3)
    answers = at_once(lambda _: market.refund(quote_id))
    given = sum(answer.status == 201 for answer in answers)
    assert {answer.code for answer in answers} <= {None, "refund-exceeds", "conflict"}
    assert 1 <= given <= 3
    assert market.counter(offer).counter.redeemed == 12 - given
    assert audit(market.world.items(), clock.now()) == []


def test_LIMIT_of_threads_that_end_one_reservation(market: Market) -> None:
    """It is redeemed or given up, whoever comes first, and never both."""
    offer = market.shelve(market.offer(stock=STOCK, reservation_seconds=LIFE, quota=Quota(day=9)))
    for _ in range(3):
        quote_id = market.quoted(market.buyer(), offer, 2)
        assert market.act("reservation", quote_id).status == 200
        answers = at_once(partial(ended, market, quote_id))
        assert sum(answer.status == 200 for answer in answers) == 1, [answer.code for answer in answers]
    assert market.counter(offer).counter.avail == STOCK - market.counter(offer).counter.redeemed
    assert audit(market.world.items(), clock.now()) == []


def ended(market: Market, quote_id: str, number: int) -> Answer:
    """Every other thread redeems it, the others give it up."""
    return market.act(("redemption", "release")[number % 2], quote_id)
