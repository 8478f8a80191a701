"""A bank, two hospitals and three patients on a table of their own, and a door for requests by any clock."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from pynamodb.transactions import TransactWrite

from chalicelib.core import clock, config, table
from chalicelib.medical import store
from chalicelib.medical.rules.credit import CreditLine
from infra.local import demo_load
from infra.local.database import Database
from infra.local.demo_data.tables import document
from tests.contract import replies
from tests.in_process import Answer
from tests.integration.core.faults import Fault, inject
from tests.integration.medical.clinic import SCENARIO, SECOND, Clinic
from tests.integration.scores import on_dynoxide
from tests.property.medical.line_model import HOLD_LIFE, SHARD_CAPS_FEN, Lent, Model, Person
from tests.property.offers.deal_requests import Request
from tests.world import BANK, HOSPITAL, World

OPENING = datetime(2026, 3, 30, 15, 45, tzinfo=UTC)
CLOSING = OPENING + timedelta(days=80)
HOSPITALS = (HOSPITAL, SECOND)
SCORES = (("an", 693), ("bo", 640), ("cy", None))


@dataclass
class Ward:
    """The world with the ward in it; every example begins as it was opened."""

    clinic: Clinic
    opened: Any

    @property
    def world(self) -> World:
        """Where it is."""
        return self.clinic.world

    def begin(self) -> Model:
        """The ward before anybody has a line, and its model."""
        self.world.restore(self.opened)
        return Model([Person(name, score) for name, score in SCORES])

    def send(self, request: Request, at: datetime, faults: Sequence[Fault | None] = ()) -> tuple[Answer, int]:
        """What comes back to a request from a server by whose clock it is ``at``; and how often it has written."""
        with self.writing(at, faults) as writes:
            answer = self.clinic.post(request.path, request.actor, request.body, key=request.key)
        return answer, len(writes)

    @contextmanager
    def writing(self, at: datetime, faults: Sequence[Fault | None]) -> Iterator[list[TransactWrite]]:
        """A server by whose clock it is ``at``, with these faults before it; all that is written inside the block."""
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
            yield writes

    def check(self, town: Model) -> None:
        """What is stored of every line, every hold and the bank's exposure is what the model says."""
        lent = [who for who in town.people if who.line is not None]
        lines = {who.name: store.line_key("xiamen", self.world.ref(who.name).person_id, "demo-bank") for who in lent}
        known = [hold.hold_id for who in lent for hold in who.lent.holds if hold.hold_id]
        rows = table.fetch([*lines.values(), *(store.hold_key("xiamen", hold_id) for hold_id in known)])
        for who in lent:
            stored = store.line_in(rows, lines[who.name])
            assert stored is not None
            check_line(stored, who.lent)
            for hold in (hold for hold in who.lent.holds if hold.hold_id):
                held = store.hold_in(rows, store.hold_key("xiamen", hold.hold_id))
                assert held is not None
                assert (held.hold.captured_fen, held.hold.ended) == (hold.captured_fen, hold.ended)
        self.check_exposure(town)

    def check_exposure(self, town: Model) -> None:
        """LIMIT: what is counted is what is booked, and within the cap."""
        booked = town.booked()
        pk = {":pk": {"S": "xiamen#exposure#demo-bank"}}
        found = self.world.raw.query(
            TableName=config.current().table, KeyConditionExpression="pk = :pk", ExpressionAttributeValues=pk,
            ConsistentRead=True,
        )["Items"]  # fmt: skip
        used = {int(item["sk"]["S"]): int(item["used_fen"]["N"]) for item in found}
        assert {shard: used.get(shard, 0) for shard in booked} == booked
        assert all(booked[shard] <= cap for shard, cap in enumerate(SHARD_CAPS_FEN))


def check_line(stored: CreditLine, line: Lent) -> None:
    """A line as it is stored, to the fen and the instant; where it is counted is told to the model."""
    line.shard = stored.shard
    assert stored.booked_fen == line.booked_fen
    found, open_ = stored.line, line.open_at(line.as_of)
    assert (found.limit_fen, found.posted_fen, found.closed) == (line.limit_fen, line.posted_fen, line.closed)
    assert (found.suspended_for, found.as_of) == (line.causes, line.as_of)
    assert all(found.holds[hold.hold_id].left_fen == hold.left_fen for hold in open_ if hold.hold_id)
    lying = Counter((held.left_fen, held.expires_at) for held in found.holds.values())
    assert lying == Counter((hold.left_fen, hold.until) for hold in open_)


@contextmanager
def ward() -> Iterator[Ward]:
    """A ward on Dynoxide, where nothing has happened yet."""
    with clinic_of_its_own() as made:
        yield Ward(*made)


@contextmanager
def clinic_of_its_own(**terms: Any) -> Iterator[tuple[Clinic, Any]]:
    """A bank with a small cap and other terms, two hospitals and their patients; and how it was left."""
    on_dynoxide.need()
    with (
        TemporaryDirectory() as folder,
        Database(Path(folder, "egret.db"), say=lambda _: None) as database,
        pytest.MonkeyPatch.context() as patch,
        clock.fixed(OPENING),
    ):
        database.create_table(config.current().table)
        patch.setattr(demo_load, "now", lambda: OPENING)
        # What a reply may hold is proved elsewhere, and takes a third of the time.
        patch.setattr(replies, "check", lambda *_: None)
        world = World(database)
        with world.active():
            yield _opened(world, terms)


def _opened(world: World, terms: dict[str, Any]) -> tuple[Clinic, Any]:
    """Only what the ward needs of the demo: a city, its institutions and its scenarios."""
    entry = next(each for each in document("cities.json") if each["city"]["city_id"] == "xiamen")
    demo_load.admit(world.client, entry)
    world.client.done("POST", "/v1/cities/xiamen/scales", "city:xiamen", entry["scale"], key="scale-xiamen")
    demo_load.load_partners(world.client)
    demo_load.load_scenarios(world.client)
    clinic = Clinic(world)
    cap = {"shards": len(SHARD_CAPS_FEN), "exposure_cap_fen": sum(SHARD_CAPS_FEN), "hold_days": HOLD_LIFE.days}
    clinic.in_force(clinic.policy(version=2, **cap, **terms))
    for name, score in SCORES:
        who = world.newcomer("xiamen", score)
        world.client.people[name] = world.client.people.pop(who)
        for actor in (BANK, *HOSPITALS):
            world.grant(name, actor, SCENARIO)
    return clinic, world.mark()
