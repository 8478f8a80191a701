"""The whole demo in this process: loaded once, and found as it was loaded by every module of tests that asks for it.

It stands on the local database (Dynoxide, or moto where that is not to be had), not on moto in this process, so that
its transactions may also be raced.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import tempfile
from base64 import b64decode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import urllib3

from chalicelib.core import clock, codec, config, effect, ids, log
from chalicelib.core import table as core_table
from chalicelib.core.table import Row
from chalicelib.scenarios.rules import Basis, digest
from chalicelib.scenarios.service.grounds import decided
from chalicelib.subjects.rules import AccountRef
from chalicelib.subjects.store import AccountRow, account_key
from infra.local import demo_load
from infra.local.database import REGION, Database
from infra.local.database import client as database_client
from tests.conftest import Calls
from tests.in_process import Answer, InProcess
from tests.memory import quick_folder

__all__ = [
    "ALLIANCE", "AUDITOR", "BANK", "CHEWEI", "FARM", "HOSPITAL", "LIBRARY", "PARKING", "XIAMEN",
    "Answer", "World", "days_ahead", "own_world", "recipient_of", "world",
]  # fmt: skip

PARKING = "parking_operator:haicang-parking@xiamen"
CHEWEI = "parking_operator:i-chewei@xiamen"
LIBRARY = "library:xiamen-library@xiamen"
BANK = "bank:demo-bank@xiamen"
HOSPITAL = "hospital:demo-hospital@xiamen"
FARM = "merchant:qingliu-farm@xiamen"
XIAMEN = "city:xiamen"
AUDITOR = "auditor:auditor"
ALLIANCE = "alliance:alliance"

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Mark:
    """Everything in the table, and whom the tests know by name."""

    items: list[Item]
    people: dict[str, dict[str, str]]


class World:
    """The demo's cities, partners and people, and short words for what the tests do with them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.raw = database_client(database.endpoint)
        self.client = InProcess()
        self.logs = io.StringIO()
        self._connection: Any = None
        self._loaded = Mark([], {})
        self._newcomers = itertools.count(100)

    def load(self) -> None:
        """Loads the demo into an empty table and remembers it."""
        self.database.create_table(config.current().table)
        with self.active():
            demo_load.load_cities(self.client)
            demo_load.load_agreements(self.client)
            demo_load.load_partners(self.client)
            demo_load.load_scenarios(self.client)
            self.client.people = demo_load.load_people(self.client)
        self._loaded = self.mark()

    @contextmanager
    def active(self) -> Iterator[None]:
        """This process's stores stand on the world's database inside the block, and where they stood after it."""
        there = {"AWS_ENDPOINT_URL_DYNAMODB": self.database.endpoint, "AWS_DEFAULT_REGION": REGION}
        before, sink = {name: os.environ.pop(name, None) for name in there}, log.sink
        os.environ.update(there)
        core_table.forget_connections()
        Row._connection = self._connection
        log.sink = self.logs
        try:
            yield
        finally:
            self._connection, log.sink = Row._connection, sink
            log.request_id.set("-")
            for name, value in before.items():
                del os.environ[name]
                os.environ.update({name: value} if value is not None else {})
            core_table.forget_connections()

    def mark(self) -> Mark:
        """Everything as it is now."""
        return Mark(self.items(), dict(self.client.people))

    def restore(self, to: Mark | None = None) -> None:
        """Puts everything back to where it was; without a mark, to the demo as it was loaded."""
        to = to or self._loaded
        wanted = {_place(item): item for item in to.items}
        found = {_place(item): item for item in self.items()}
        puts = [{"PutRequest": {"Item": item}} for place, item in wanted.items() if found.get(place) != item]
        gone = [{"DeleteRequest": {"Key": _key(item)}} for place, item in found.items() if place not in wanted]
        for batch in _batches([*puts, *gone]):
            self.raw.batch_write_item(RequestItems={config.current().table: batch})
        self.forget()
        self.client.people = dict(to.people)
        self.client.seen.clear()

    def forget(self) -> None:
        """Makes this process read everything anew, as a fresh one would."""
        for clear in core_table._memories:
            clear()

    def items(self) -> list[Item]:
        """Every item in the table, in an order of its own."""
        return sorted(scan(self.database.endpoint), key=_place)

    def send(self, method: str, path: str, actor: str = "", body: Any = None, **more: Any) -> Answer:
        """What comes back to one request."""
        return self.client.send(method, path, actor, body, **more)

    def get(self, path: str, actor: str = "") -> Any:
        """The body of a successful read."""
        answer = self.send("GET", path, actor)
        assert answer.status == 200, answer.text
        return answer.body

    def post(self, path: str, actor: str, body: Any = None, **more: Any) -> Answer:
        """What comes back to a POST."""
        return self.send("POST", path, actor, body, **more)

    def ref(self, who: str) -> AccountRef:
        """The account behind a person of the demo."""
        person = self.client.people[who]
        secret = ids.open_pairwise(f"city:{person['city']}", person["subject_id"])
        assert secret is not None
        return AccountRef.of_secret(secret)

    def known_to(self, actor: str, who: str) -> str:
        """The id by which an institution knows a person."""
        return ids.pairwise(recipient_of(actor), self.ref(who).secret)

    def decide(
        self,
        actor: str,
        who: str,
        scenario_id: str,
        district: str | None = None,
        *,
        key: str = "",
        by_pass: bool = False,
    ) -> Answer:
        """An institution asks about a person, by the id it knows or by a pass that the person shows."""
        body: dict[str, Any] = {"scenario_id": scenario_id}
        if district is not None:
            body["district"] = district
        if by_pass:
            body["pass_code"] = self.show(who, actor, scenario_id)
        else:
            body["subject_id"] = self.known_to(actor, who)
        return self.post("/v1/decisions", actor, body, key=key)

    def ask_for_self(self, who: str, scenario_id: str, district: str | None = None, *, city: str = "xiamen") -> Answer:
        """A person asks for himself."""
        body = {"city_id": city, "scenario_id": scenario_id, **({"district": district} if district else {})}
        return self.post("/v1/me/decisions", f"citizen:{who}", body)

    def opening(self, who: str, scenario_id: str, district: str | None = None) -> Any:
        """What a person reads of one scenario of Xiamen among all that is open to him."""
        query = f"&district={district}" if district else ""
        items = self.get(f"/v1/me/openings?city=xiamen{query}", f"citizen:{who}")["items"]
        return next(item for item in items if item["scenario_id"] == scenario_id)

    def show(self, who: str, actor: str | None = None, scenario_id: str | None = None) -> str:
        """A fresh pass of a person, for an institution, a scenario of Xiamen, or both."""
        wish = {}
        if actor is not None:
            wish["recipient"] = recipient_of(actor)
        if scenario_id is not None:
            wish["scenario"] = f"xiamen/{scenario_id}"
        answer = self.post("/v1/me/passes", f"citizen:{who}", wish)
        assert answer.status == 201, answer.text
        return str(answer.body["pass_code"])

    def grant(
        self, who: str, actor: str, scenario_id: str, *, items: Sequence[str] = ("decision",), days: float = 90
    ) -> str:
        """A person lets an institution use the score in a scenario of Xiamen; the grant's id."""
        body = {
            "scenario": f"xiamen/{scenario_id}",
            "recipient": recipient_of(actor),
            "purpose": demo_load.PURPOSE,
            "items": list(items),
            "expires_at": (clock.now() + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        answer = self.post("/v1/me/consents", f"citizen:{who}", body)
        assert answer.status == 201, answer.text
        return str(answer.body["grant_id"])

    def withdraw(self, who: str, grant_id: str) -> None:
        """A person takes a consent back."""
        answer = self.post(f"/v1/me/consents/{grant_id}/withdraw", f"citizen:{who}")
        assert answer.status == 200, answer.text

    def newcomer(self, city: str, score: int | None, *granted: tuple[str, str]) -> str:
        """A person of one's own: enrolled, with a score and with consents (institution, scenario); the name."""
        number = next(self._newcomers)
        who = f"new-{number}"
        person = {"id": who, "city": city, "birth_date": "1985-03-04", "number": number}
        self.client.people[who] = {"city": city, "subject_id": demo_load.enrol(self.client, person)}
        if score is not None:
            self.rescore(who, score)
        for actor, scenario_id in granted:
            self.grant(who, actor, scenario_id)
        return who

    def rescore(self, who: str, score: int, *, scale_version: int = 1, as_of: datetime | None = None) -> None:
        """A person's city reports a later score."""
        person = self.client.people[who]
        at = (as_of or clock.now()).strftime("%Y-%m-%dT%H:%M:%SZ")
        body = {"score": score, "as_of": at, "revision": next(self.client.numbers), "scale_version": scale_version}
        path = f"/v1/cities/{person['city']}/subjects/{person['subject_id']}/score"
        answer = self.send("PUT", path, f"city:{person['city']}", body)
        assert answer.status == 200, answer.text

    def set_score(self, who: str, score: int) -> None:
        """Puts a score into a person's account as the store of scores does, without a request."""
        row = AccountRow(*account_key(self.ref(who)))
        row.update(actions=[AccountRow.score.set(score)])

    def suspend_city(self, city_id: str, status: str = "suspended") -> None:
        """The alliance suspends a city, or reinstates it."""
        seen = self.send("GET", f"/v1/cities/{city_id}")
        kept = ("name", "time_zone", "districts", "scheme")
        body = {**{name: seen.body[name] for name in kept}, "status": status}
        answer = self.send("PUT", f"/v1/cities/{city_id}", ALLIANCE, body, if_match=seen.headers["etag"])
        assert answer.status == 200, answer.text

    def suspend_partner(self, partner_id: str, status: str = "suspended") -> None:
        """Xiamen suspends a partner, or reinstates it."""
        path = f"/v1/cities/xiamen/partners/{partner_id}"
        seen = self.send("GET", path, XIAMEN)
        body = {"name": seen.body["name"], "staff": seen.body["staff"], "status": status}
        answer = self.send("PUT", path, XIAMEN, body, if_match=seen.headers["etag"])
        assert answer.status == 200, answer.text

    def receipts(self) -> list[str]:
        """Every receipt that was given since the world was last restored."""
        asked = {"/v1/decisions", "/v1/me/decisions"}
        given = [answer for answer in self.client.seen if answer.path in asked and answer.status == 200]
        return list(dict.fromkeys(answer.body["receipt_id"] for answer in given))

    def check_receipts(self) -> None:
        """REPLAY: every receipt that was given leads to the same trace again, whatever has happened since."""
        stored = core_table.fetch([effect.key_of(receipt_id) for receipt_id in self.receipts()])
        for row in stored.values():
            assert isinstance(row, effect.EffectRow)
            facts = json.loads(effect.read(row).facts)
            again = digest(decided(codec.build(Basis, facts["basis"])))
            assert again == facts["trace_sha256"], f"{row.effect_id} does not replay"
        assert len(stored) == len(self.receipts())

    def replay(self, receipt_id: str) -> Any:
        """What an auditor gets who decides again from a receipt."""
        answer = self.post(f"/v1/receipts/{receipt_id}/replay", AUDITOR)
        assert answer.status == 200, answer.text
        return answer.body

    @contextmanager
    def calls(self) -> Iterator[Calls]:
        """Counts what goes to DynamoDB inside the block."""
        counter, events = Calls(), core_table.connection().client.meta.events
        events.register("before-call.dynamodb", counter.note)
        try:
            yield counter
        finally:
            events.unregister("before-call.dynamodb", counter.note)

    @contextmanager
    def nothing_written(self) -> Iterator[None]:
        """What happens inside the block only reads."""
        with self.calls() as calls:
            yield
        assert set(calls.names) <= READS, calls.names


READS = {"GetItem", "BatchGetItem", "Query"}


def recipient_of(actor: str) -> str:
    """The name of an institution in consents and passes: its sector."""
    kind, _, rest = actor.partition(":")
    tenant, _, city = rest.partition("@")
    return f"city:{tenant}" if kind == "city" else f"{kind}:{city or 'xiamen'}/{tenant}"


def days_ahead(days: float) -> datetime:
    """This moment, so many days from now."""
    return clock.running().replace(microsecond=0) + timedelta(days=days)


# A local database asks who is there, and believes it.
_SCAN = {
    "x-amz-target": "DynamoDB_20120810.Scan",
    "x-amz-date": "20260101T000000Z",
    "content-type": "application/x-amz-json-1.0",
    "authorization": f"AWS4-HMAC-SHA256 Credential=local/20260101/{REGION}/dynamodb/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=none",
}
_http = urllib3.PoolManager(timeout=30)


def scan(endpoint: str) -> Iterator[Item]:
    """Every item of the table, in its own notation; without the client, which takes ten times as long to read it."""
    asked: dict[str, Any] = {"TableName": config.current().table, "ConsistentRead": True}
    while True:
        answer = _http.request("POST", endpoint, body=json.dumps(asked), headers=_SCAN)
        assert answer.status == 200, answer.data
        page = json.loads(answer.data)
        for item in page["Items"]:
            yield {name: _as_read(value) for name, value in item.items()}
        if "LastEvaluatedKey" not in page:
            return
        asked["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _as_read(value: dict[str, Any]) -> dict[str, Any]:
    """An attribute as the client gives it, who reads bytes out of their text. None are in maps or lists."""
    return {"B": b64decode(value["B"])} if "B" in value else value


def _place(item: Item) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def _key(item: Item) -> Item:
    return {"pk": item["pk"], "sk": item["sk"]}


def _batches(requests: list[Item]) -> Iterator[list[Item]]:
    for start in range(0, len(requests), 25):
        yield requests[start : start + 25]


_kept: list[tempfile.TemporaryDirectory[str]] = []


@lru_cache(maxsize=1)
def _loaded() -> World:
    """The world of this process; its database ends with the process.

    It is kept in a file, because only there its stream can be indexed: see ``Database.create_table``.
    """
    folder = tempfile.TemporaryDirectory(prefix="egret-world-", dir=quick_folder())
    _kept.append(folder)
    database = Database(Path(folder.name) / "world.db", say=lambda _: None)
    database.start()
    made = World(database)
    made.load()
    return made


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """The demo as it was loaded; what a module changes is undone before the next one begins."""
    made = _loaded()
    with made.active():
        made.restore()
        made.logs.seek(0)
        made.logs.truncate()
        yield made
        made.check_receipts()


@pytest.fixture
def own_world(world: World) -> Iterator[World]:
    """The world for one test that changes what others rely on; undone after it."""
    before = world.mark()
    yield world
    world.check_receipts()
    world.restore(before)
