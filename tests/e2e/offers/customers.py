"""People at a stall, and tills that redeem what they were quoted, many at once over real connections."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from queue import Empty, SimpleQueue
from statistics import quantiles
from time import perf_counter

from infra.local import demo_load
from infra.local.client import Client
from infra.local.demo_data.tables import document

TILLS = 16
FARM = "merchant:qingliu-farm@xiamen"
SCORES = (512, 577, 612, 693)
People = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back to one request, and after how long. Status 0: nothing did."""

    status: int
    text: str = ""
    replayed: bool = False
    seconds: float = 0.0

    @property
    def code(self) -> str:
        """The code of a refusal."""
        return str(json.loads(self.text)["code"]) if self.status >= 400 else ""


@dataclass(frozen=True, slots=True)
class Errand:
    """One POST that somebody has to send, always under the same key."""

    path: str
    key: str
    token: str
    content: bytes = b""


def open_town(client: Client) -> People:
    """Xiamen with its produce scenario, the farm, and a few people who let the farm have decisions."""
    entry = next(each for each in document("cities.json") if each["city"]["city_id"] == "xiamen")
    demo_load.admit(client, entry)
    client.done("POST", "/v1/cities/xiamen/scales", "city:xiamen", entry["scale"], key="scale-xiamen")
    demo_load.load_partners(client)
    demo_load.load_scenarios(client)
    for number, score in enumerate(SCORES):
        _settle(client, number, score)
    return client.people


def _settle(client: Client, number: int, score: int) -> None:
    who = f"customer-{number}"
    subject_id = demo_load.enrol(client, {"id": who, "city": "xiamen", "birth_date": "1990-01-01", "number": number})
    client.people[who] = {"city": "xiamen", "subject_id": subject_id}
    demo_load.push(client, "xiamen", subject_id, score, "Asia/Shanghai")
    demo_load.consent(client, who, "xiamen/jimei_produce", "merchant:xiamen/qingliu-farm")


def quoted(client: Client, offer_id: str) -> list[str]:
    """A quote of one unit for each of the people, made by himself; their ids."""
    line = {"offer_id": offer_id, "variant_id": "tofu-skin-250g", "units": 1}
    body = {"city_id": "xiamen", "merchant_id": "qingliu-farm", "lines": [line]}
    asked = [
        client.done("POST", "/v1/me/quotes", f"citizen:{who}", body, key=f"quote-{offer_id}-{who}")
        for who in client.people
    ]
    return [str(answer["deal"]["quote_id"]) for answer in asked]


def redemptions(client: Client, quote_ids: Iterable[str]) -> list[Errand]:
    """What redeems these quotes, each under a key of its own."""
    token = client.token(FARM)
    return [Errand(f"/v1/quotes/{quote_id}/redemption", f"sell-{quote_id[-20:]}", token) for quote_id in quote_ids]


def run(
    url: str, errands: Sequence[Errand], note: Callable[[Answered], None] = lambda _: None
) -> dict[Errand, Answered]:
    """Sends all of them by ``TILLS`` clients at once. A client whose connection breaks sends no more.

    Returns what came back, errand by errand: of those that nobody got to, nothing.
    """
    queue: SimpleQueue[Errand] = SimpleQueue()
    for errand in errands:
        queue.put(errand)
    found: dict[Errand, Answered] = {}
    with ThreadPoolExecutor(TILLS) as pool:
        for done in [pool.submit(_till, url, queue, found, note) for _ in range(TILLS)]:
            done.result()
    return found


def _till(
    url: str, queue: SimpleQueue[Errand], found: dict[Errand, Answered], note: Callable[[Answered], None]
) -> None:
    connection = HTTPConnection(url.removeprefix("http://"), timeout=30)
    try:
        while True:
            errand = queue.get_nowait()
            found[errand] = answered = _send(connection, errand)
            note(answered)
            if not answered.status:
                return
    except Empty:
        return
    finally:
        connection.close()


def _send(connection: HTTPConnection, errand: Errand) -> Answered:
    headers = {"Authorization": f"Bearer {errand.token}", "Idempotency-Key": errand.key}
    if errand.content:
        headers["Content-Type"] = "application/json"
    started = perf_counter()
    try:
        connection.request("POST", errand.path, errand.content, headers)
        reply = connection.getresponse()
        text = reply.read().decode()
    except (OSError, HTTPException):
        return Answered(0)
    replayed = reply.headers.get("Idempotency-Replayed") == "true"
    return Answered(reply.status, text, replayed, perf_counter() - started)


def told(answers: Iterable[Answered], seconds: float) -> str:
    """How fast these were answered."""
    times = sorted(answer.seconds * 1000 for answer in answers)
    cuts = quantiles(times, n=100)
    return f"{len(times) / seconds:,.0f}/s, p50 {cuts[49]:.0f} ms, p99 {cuts[98]:.0f} ms"
