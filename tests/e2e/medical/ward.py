"""The ward's town, and its record made into histories: one of each patient's line."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from chalicelib.partners.rules import check_character
from infra.local import demo_load
from infra.local.client import Client
from infra.local.demo_data.tables import document
from tests.e2e.medical.clerks import BANK, HOSPITALS, Asked, Clinic, fastest, ms_of
from tests.e2e.medical.line import DONE, Line, Seen, Step
from tests.e2e.medical.server import LIFE_MS
from tests.e2e.offers.customers import Answered

Item = dict[str, Any]
SCORES = (693, 693, 640, 590, 520)
SCENARIO = "xiamen/credit_medical"


def open_clinic(client: Client) -> Clinic:
    """Xiamen with its medical scenario, a bank and two hospitals, and a few patients with a line each."""
    entry = next(each for each in document("cities.json") if each["city"]["city_id"] == "xiamen")
    demo_load.admit(client, entry)
    client.done("POST", "/v1/cities/xiamen/scales", "city:xiamen", entry["scale"], key="scale-xiamen")
    demo_load.load_partners(client)
    _second_hospital(client)
    demo_load.load_scenarios(client)
    limits, known = {}, {}
    for number, score in enumerate(SCORES):
        who = f"p{number}"
        _settle(client, who, number, score)
        known[who], limits[who] = _lent(client, who)
    return Clinic(client, limits, known, dict(zip(SCORES, limits.values(), strict=True)))


def _second_hospital(client: Client) -> None:
    if client.send("GET", "/v1/cities/xiamen/partners/second-hospital", "city:xiamen").status == 200:
        return
    first = client.done("GET", "/v1/cities/xiamen/partners/demo-hospital", "city:xiamen")
    number = f"91{demo_load.NO_REGION}{901:09d}"
    body = {
        "partner_id": "second-hospital", "kind": "hospital", "name": first["name"],
        "uscc": number + check_character(number), "illustrative": True,
    }  # fmt: skip
    client.done("POST", "/v1/cities/xiamen/partners", "city:xiamen", body, key="second-hospital")


def _settle(client: Client, who: str, number: int, score: int) -> None:
    person = {"id": who, "city": "xiamen", "birth_date": "1990-01-01", "number": number}
    client.people[who] = {"city": "xiamen", "subject_id": demo_load.enrol(client, person)}
    demo_load.push(client, "xiamen", client.people[who]["subject_id"], score, "Asia/Shanghai")
    for actor in (BANK, *HOSPITALS):
        demo_load.consent(client, who, SCENARIO, actor.replace(":", ":xiamen/").removesuffix("@xiamen"))


def _lent(client: Client, who: str) -> tuple[str, int]:
    """Opens somebody's line; the id by which the bank knows him, and the limit."""
    shown = client.done("POST", "/v1/me/passes", f"citizen:{who}", {"scenario": SCENARIO}, key=f"first-pass-{who}")
    asked = {"scenario_id": "credit_medical", "pass_code": shown["pass_code"]}
    subject_id = client.done("POST", "/v1/decisions", BANK, asked, key=f"first-meeting-{who}")["subject_id"]
    line = client.done("POST", "/v1/credit-lines", BANK, {"subject_id": subject_id}, key=f"open-line-{who}")
    return subject_id, int(line["limit_fen"])


def histories(clinic: Clinic, items: Iterable[Item]) -> dict[str, list[Step]]:
    """What was asked of each line, and what came of it. Who met others at it eight times has changed nothing.

    What somebody hung up on and was refused later may be done at any time, while there is a server that works at it.
    """
    names = Names(items, {asked.body["charge_id"] for asked in clinic.asked if asked.verb == "capture" and asked.done})
    found: dict[str, list[Step]] = {who: [] for who in clinic.limits}
    for number, asked in enumerate(clinic.asked):
        for who, step in _steps(clinic, names, asked, number):
            found[who].append(step)
    return found


class Names:
    """By which names charges are paid in their order: the day, and an id that the product alone gives.

    What was captured without anybody's knowledge has one, too: it lies in the table. ``known``: the ids of all others.
    """

    def __init__(self, items: Iterable[Item], known: set[str]) -> None:
        self.days: dict[str, str] = {}
        self.unheard: dict[tuple[str, int], list[str]] = defaultdict(list)
        for item in items:
            if item["kind"]["S"] == "credit-event" and item["what"]["S"] == "charge":
                made = json.loads(item["document"]["S"])
                self.days[made["charge_id"]] = made["day"]
            elif item["kind"]["S"] == "effect" and item["purpose"]["S"].startswith("capture:"):
                said = json.loads(item["reply"]["S"])
                if said["charge_id"] not in known:
                    self.unheard[said["hold"]["hold_id"], said["captured_fen"]].append(said["charge_id"])

    def of(self, charge_id: str) -> str:
        """The name of a charge that somebody knows."""
        return f"{self.days.get(charge_id, '')}/{charge_id}"

    def of_capture(self, asked: Asked) -> str:
        """The name of the charge that a capture made, or may have made; none if there is no such charge."""
        if asked.done:
            return self.of(asked.body["charge_id"])
        found = self.unheard[asked.hold, asked.amount]
        return self.of(found.pop()) if found else ""


def start_of(clinic: Clinic, who: str) -> Line:
    """A line on which nothing has happened."""
    return Line(clinic.limits[who], clinic.limits[who])


def _steps(clinic: Clinic, names: Names, asked: Asked, number: int) -> Iterator[tuple[str, Step]]:
    if asked.verb != "look":
        if asked.answer.code != "conflict":
            yield asked.who, _named(asked, names, number)
        if asked.hung_up and asked.answer.code:
            yield asked.who, _named(replace(asked, answer=Answered(0), ended=asked.over), names, number)
    elif asked.answer.status:
        for who, told in zip(clinic.known, asked.body["items"], strict=True):
            yield who, _step(asked, number, at=ms_of(told["limit"]["as_of"]), seen=_seen(told["limit"]))


def _named(asked: Asked, names: Names, number: int) -> Step:
    """A step with the charge that it makes, or takes something back of; with those that it pays."""
    step = _step(asked, number)
    if asked.verb == "capture" and not asked.answer.code:
        return replace(step, charge=names.of_capture(asked))
    if asked.verb == "repay" and asked.done:
        parts = tuple((names.of(part["charge_id"]), part["principal_fen"]) for part in asked.body["parts"])
        return replace(step, parts=parts, used=asked.body["used_fen"])
    return replace(step, charge=names.of(asked.charge)) if asked.charge else step


def _seen(limit: Any) -> Seen:
    return Seen(limit["limit_fen"], limit["used_fen"], limit["held_fen"], limit["state"] == "suspended")


def _step(asked: Asked, number: int, **more: Any) -> Step:
    if asked.done:
        more = {**more, **_told(asked)}
    said = None if not asked.answer.status else asked.answer.code or DONE
    last = math.ceil(asked.ended) + (max(asked.skews) if asked.answer.status else fastest())
    return Step(
        verb=asked.verb,  # type: ignore[arg-type]
        began=asked.began, ended=asked.ended, clock=(math.floor(asked.began) + min(asked.skews), last), said=said,
        hold=asked.hold, amount=asked.amount, final=asked.final, life=LIFE_MS, number=number, **more,
    )  # fmt: skip


def _told(asked: Asked) -> dict[str, Any]:
    """What the reply tells besides that it was done."""
    if asked.verb in {"place", "raise"}:
        until = ms_of(asked.body["expires_at"])
        at = {"at": until - LIFE_MS} if asked.verb == "place" else {}
        return {"made": asked.body["hold_id"], "until": until} | at
    if asked.verb in {"capture", "void"}:
        assert asked.body["captured_fen"] == asked.amount
        return {"returned": asked.body["returned_fen"]}
    if asked.verb == "relimit":
        return {"at": ms_of(asked.body["as_of"]), "seen": _seen(asked.body)}
    return {}


def over_the_limit(start: Line, history: Sequence[Step]) -> list[Seen]:
    """The instants at which more was posted and held than any limit bears that there was until then."""
    given = [(step.began, step.amount) for step in history if step.verb == "rescore"]
    looks = ((step.ended, step.seen) for step in history if step.seen is not None)
    return [
        seen
        for ended, seen in looks
        if seen.posted + seen.held > max([start.limit, *(limit for began, limit in given if began < ended)])
    ]
