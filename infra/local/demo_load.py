"""Loads the demo into a running Egret, over HTTP and through its services like anybody else.

Every request carries a key of its own, so that loading again after an interruption adds nothing twice.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.core import clock
from chalicelib.partners.rules import is_uscc
from chalicelib.subjects.rules import is_identity_number
from infra.local.client import Client
from infra.local.demo_data.tables import distribution, document, last_full_month

SCENARIOS = Path(__file__).resolve().parents[2] / "chalicelib" / "scenarios" / "data"
PEOPLE_FILE = "people.json"
# 000000 is no region of China: these numbers belong to nobody.
NO_REGION = "000000"
CONSENTS = (
    ("roadside_parking", "parking_operator:xiamen/haicang-parking"),
    ("i_chewei_parking", "parking_operator:xiamen/i-chewei"),
    ("library", "library:xiamen/xiamen-library"),
    ("jimei_produce", "merchant:xiamen/qingliu-farm"),
    ("credit_medical", "bank:xiamen/demo-bank"),
    ("credit_medical", "hospital:xiamen/demo-hospital"),
    ("roadside_parking", "city:xiamen"),
)
PURPOSE = {"zh": "查询该场景可享受的信用优惠", "en": "to find out which benefit the score opens in this scenario"}


def load(client: Client, folder: Path) -> None:
    """Loads everything that is not there yet, and writes the demo people's subject ids to ``folder/people.json``."""
    people = folder / PEOPLE_FILE
    if people.exists() and client.send("GET", "/v1/cities/xiamen").status == 200:
        client.people = json.loads(people.read_text("utf-8"))
        return
    load_cities(client)
    load_agreements(client)
    load_partners(client)
    load_scenarios(client)
    client.people = load_people(client)
    people.write_text(json.dumps(client.people, indent=1), "utf-8")


def load_cities(client: Client) -> None:
    """Five cities with their scales and distributions."""
    for entry in document("cities.json"):
        admit(client, entry)
        city_id = entry["city"]["city_id"]
        client.done("POST", f"/v1/cities/{city_id}/scales", f"city:{city_id}", entry["scale"], key=f"scale-{city_id}")
        body = distribution(entry, now().date())
        key = f"distribution-{city_id}-{body['period_to']}"
        client.done("POST", f"/v1/cities/{city_id}/distributions", f"city:{city_id}", body, key=key)


def admit(client: Client, entry: dict[str, Any]) -> None:
    """Admits one city."""
    key = f"admit-{entry['city']['city_id']}"
    client.done("POST", "/v1/cities", "alliance:alliance", entry["city"], key=key)


def load_agreements(client: Client) -> None:
    """The recognition agreements, proposed by the host and signed by each home city."""
    for entry in document("agreements.json"):
        agree(client, entry)


def agree(client: Client, entry: dict[str, Any], key: str = "") -> str:
    """Proposes and signs one agreement; its id."""
    host, home = entry["host"], entry["home"]
    key = key or f"agreement-{host}-{home}"
    body = {name: value for name, value in entry.items() if name != "host"}
    proposed = client.done("POST", f"/v1/cities/{host}/agreements", f"city:{host}", body, key=key)
    path = f"/v1/cities/{host}/agreements/{proposed['agreement_id']}/sign"
    client.done("POST", path, f"city:{home}", key=f"{key}-sign")
    return str(proposed["agreement_id"])


def load_partners(client: Client) -> None:
    """The institutions of Xiamen, under codes of no region."""
    for entry in document("partners.json"):
        number = f"91{NO_REGION}{entry['registration']:09d}"
        body = {
            "partner_id": entry["partner_id"],
            "kind": entry["kind"],
            "name": entry["name"],
            "uscc": number + check_character(number, "0123456789ABCDEFGHJKLMNPQRTUWXY", is_uscc),
            "staff": entry.get("staff", []),
            "illustrative": True,
        }
        client.done("POST", "/v1/cities/xiamen/partners", "city:xiamen", body, key=f"partner-{entry['partner_id']}")


def load_scenarios(client: Client) -> None:
    """Xiamen's scenarios as published."""
    for path in sorted(SCENARIOS.glob("*.json")):
        table = json.loads(path.read_text("utf-8"))
        key = f"scenario-{table['city_id']}-{table['scenario_id']}"
        client.done("POST", f"/v1/cities/{table['city_id']}/scenarios", f"city:{table['city_id']}", table, key=key)


def load_people(client: Client) -> dict[str, dict[str, str]]:
    """Enrols the demo's people, pushes their scores and lets them consent; their subject ids."""
    found = {}
    zones = {entry["city"]["city_id"]: entry["city"]["time_zone"] for entry in document("cities.json")}
    for person in document("people.json")["people"]:
        city_id, who = person["city"], person["id"]
        subject_id = enrol(client, person)
        found[who] = {"city": city_id, "subject_id": subject_id}
        client.people[who] = found[who]
        push(client, city_id, subject_id, person["score"], zones[city_id])
        for scenario_id, recipient in CONSENTS:
            consent(client, who, f"xiamen/{scenario_id}", recipient)
    return found


def enrol(client: Client, person: dict[str, Any]) -> str:
    """Enrols one person under a number of no region; the subject id."""
    born = person["birth_date"]
    number = f"{NO_REGION}{born.replace('-', '')}{person['number']:03d}"
    body = {
        "document": {
            "kind": "cn_resident_id",
            "country": "CN",
            "number": number + check_character(number, "0123456789X", is_identity_number),
        },
        "identity_proof": f"stub:{born}",
    }
    path = f"/v1/cities/{person['city']}/subjects"
    enrolled = client.done("POST", path, f"city:{person['city']}", body, key=f"enrol-{person['id']}")
    return str(enrolled["subject_id"])


def push(client: Client, city_id: str, subject_id: str, score: int, time_zone: str) -> None:
    """Pushes a score as of the end of last month."""
    as_of = end_of_last_month(now().date(), time_zone)
    body = {"score": score, "as_of": as_of, "revision": 1, "scale_version": 1}
    client.done("PUT", f"/v1/cities/{city_id}/subjects/{subject_id}/score", f"city:{city_id}", body)


def end_of_last_month(today: date, time_zone: str) -> str:
    """The last second of the last full month before a day, as a city's clocks show it."""
    midnight = datetime.combine(last_full_month(today)[1], time(), ZoneInfo(time_zone))
    return (midnight - timedelta(seconds=1)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def consent(client: Client, who: str, scenario: str, recipient: str) -> None:
    """A person lets one institution use the score in one scenario, for half a year."""
    expires_at = (now() + timedelta(days=180)).strftime("%Y-%m-%dT00:00:00Z")
    body = {
        "scenario": scenario,
        "recipient": recipient,
        "purpose": PURPOSE,
        "items": ["decision"],
        "expires_at": expires_at,
    }
    # The body holds a day, so the key does: loading goes on on another day too, and a consent again replaces itself.
    said = hashlib.sha256(f"{who} {scenario} {recipient}".encode()).hexdigest()
    key = f"consent-{expires_at[:10]}-{said[:32]}"
    client.done("POST", "/v1/me/consents", f"citizen:{who}", body, key=key)


def check_character(number: str, alphabet: str, fits: Callable[[str], bool]) -> str:
    """The character that completes a number so that its check fits."""
    return next(character for character in alphabet if fits(number + character))


def now() -> datetime:
    """This instant, also while the story has moved the clock on."""
    return clock.running()
