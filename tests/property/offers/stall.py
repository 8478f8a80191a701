"""The farm's stall on a table of its own: people, two offers, and a door for requests under any clock and any fault."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from pynamodb.transactions import TransactWrite

from chalicelib.core import clock, config
from chalicelib.offers.rules import Offer
from infra.local import demo_load
from infra.local.database import Database
from tests.contract import replies
from tests.in_process import Answer
from tests.integration.core.faults import Fault, inject
from tests.integration.offers.counter import Desk
from tests.integration.offers.market import SCENARIO, Market
from tests.integration.scores import on_dynoxide
from tests.memory import quick_folder
from tests.property.offers.deal_model import Model, Person, Shelved, Slot
from tests.property.offers.deal_requests import Request
from tests.world import FARM, World

# A quarter to midnight in Xiamen, two days before the year ends in the middle of its 53rd week.
OPENING = datetime(2026, 12, 30, 15, 45, tzinfo=UTC)
CLOSING = OPENING + timedelta(days=300)
CONSENT_DAYS = 90
SCORES = (("an", 693), ("bo", None))
FARM_ID = "qingliu-farm"


@dataclass
class Stall:
    """The world with the stall in it; every example begins as it was opened."""

    world: World
    grants: dict[str, str]
    opened: Any = None

    @property
    def market(self) -> Market:
        return Market(self.world)

    @property
    def desk(self) -> Desk:
        return Desk(self.world)

    def begin(self, offers: Sequence[Offer]) -> Model:
        """An empty stall with these offers, and its model."""
        self.world.restore(self.opened)
        until = OPENING + timedelta(days=CONSENT_DAYS)
        people = [Person(name, score, until, self.grants[name]) for name, score in SCORES]
        return Model(people, {offer.offer_id: self.shelve(offer) for offer in offers})

    def shelve(self, offer: Offer) -> Shelved:
        """Puts an offer on the shelf."""
        with clock.fixed(OPENING):
            return Shelved(self.market.shelve(offer), caps_of(offer))

    def send(self, request: Request, at: datetime, faults: Sequence[Fault | None] = ()) -> tuple[Answer, int]:
        """What comes back to a request from a server by whose clock it is ``at``; and how often it has written."""
        writes: list[TransactWrite] = []

        def noting(fault: Fault | None) -> Fault:
            def noted(transaction: TransactWrite, write: Callable[[], None]) -> None:
                def written() -> None:
                    write()
                    writes.append(transaction)

                written() if fault is None else fault(transaction, written)

            return noted

        with pytest.MonkeyPatch.context() as patch, clock.fixed(at):
            patch.setattr(clock, "sleep", lambda seconds: None)
            inject(patch, map(noting, itertools.chain(faults, itertools.repeat(None))))
            answer = self.world.post(request.path, request.actor, request.body, key=request.key)
        return answer, len(writes)


def caps_of(offer: Offer) -> dict[Slot, int]:
    """How much there is of an offer in all."""
    caps = {Slot(offer.offer_id, variant.variant_id): variant.stock for variant in offer.variants}
    return caps if offer.budget_fen is None else {**caps, Slot(offer.offer_id): offer.budget_fen}


@contextmanager
def stall() -> Iterator[Stall]:
    """A stall on Dynoxide, where nothing has happened yet."""
    on_dynoxide.need()
    with (
        TemporaryDirectory(dir=quick_folder()) as folder,
        Database(Path(folder, "egret.db"), say=lambda _: None) as database,
        pytest.MonkeyPatch.context() as patch,
        clock.fixed(OPENING),
    ):
        database.create_table(config.current().table)
        patch.setattr(demo_load, "now", lambda: OPENING)
        # What a reply may hold is proved elsewhere, and takes a third of the time.
        patch.setattr(replies, "check", lambda *_: None)
        world = World(database)
        world.load()
        with world.active():
            yield _opened(world)


def _opened(world: World) -> Stall:
    grants = {}
    for name, score in SCORES:
        who = world.newcomer("xiamen", score)
        world.client.people[name] = world.client.people.pop(who)
        grants[name] = world.grant(name, FARM, SCENARIO, days=CONSENT_DAYS)
    return Stall(world, grants, world.mark())
