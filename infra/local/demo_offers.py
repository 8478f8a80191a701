"""Puts the demo's offers on the shelf, over HTTP and by the hands that the rules ask for.

An author writes and submits, somebody of the city approves, an operator releases. What is there already is left where
it is, and goes on from there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from infra.local.client import Client, Exchange
from infra.local.demo_data.tables import document
from infra.local.demo_load import now

REVIEWER = "city:xiamen/xiamen-reviewer"
# What is left to do from each state on.
_STEPS: Mapping[str | None, tuple[str, ...]] = {
    None: ("draft", "submit", "approve", "schedule"),
    "draft": ("submit", "approve", "schedule"),
    "review": ("approve", "schedule"),
    "approved": ("schedule",),
}


def load_offers(client: Client) -> None:
    """Every offer of the demo, from the draft to the shelf."""
    for entry in document("offers.json"):
        shelve(client, entry)


def shelve(client: Client, entry: Mapping[str, Any]) -> None:
    """One offer, from wherever it stands to the shelf."""
    for step in _STEPS.get(_state(client, entry), ()):
        if step == "draft":
            draft(client, entry)
        else:
            move(client, entry, step)


def draft(client: Client, entry: Mapping[str, Any]) -> Any:
    """The author writes the first version, to hold from today on."""
    begins = now().replace(hour=0, minute=0, second=0, microsecond=0)
    dates = {"valid_from": begins, "valid_to": begins + timedelta(days=entry["days"])}
    body = entry["offer"] | {name: at.strftime("%Y-%m-%dT%H:%M:%SZ") for name, at in dates.items()}
    key = f"draft-{entry['offer']['offer_id']}-{begins.date()}"
    return client.done("POST", offers_of(entry), author_of(entry), body, key=key)


def move(client: Client, entry: Mapping[str, Any], step: str) -> Any:
    """One move of the first version, by whoever may make it."""
    actors = {"submit": author_of(entry), "approve": REVIEWER}
    version = f"{offers_of(entry)}/{entry['offer']['offer_id']}/versions/1"
    key = f"{step}-{entry['offer']['offer_id']}"
    body = {"move": step}
    if step == "approve":
        body["digest"] = client.send("GET", version, REVIEWER).body["digest"]
    return client.done("POST", f"{version}/moves", actors.get(step, operator_of(entry)), body, key=key)


def submit_unfair(client: Client) -> Exchange:
    """A table in which 优秀 pays more than 良好 is drafted; what comes back when it is submitted."""
    entry = document("offer_refused.json")
    drafted = draft(client, entry)
    path = f"{offers_of(entry)}/{drafted['offer_id']}/versions/{drafted['version']}/moves"
    return client.send("POST", path, author_of(entry), {"move": "submit"}, key="submit-unfair")


def offers_of(entry: Mapping[str, Any]) -> str:
    """The path of a merchant's offers."""
    return f"/v1/cities/xiamen/merchants/{entry['merchant_id']}/offers"


def author_of(entry: Mapping[str, Any]) -> str:
    """Who writes for a merchant."""
    return f"merchant:{entry['merchant_id']}@xiamen/{entry['staff']}-author"


def operator_of(entry: Mapping[str, Any]) -> str:
    """Who sells for a merchant."""
    return f"merchant:{entry['merchant_id']}@xiamen/{entry['staff']}-operator"


def _state(client: Client, entry: Mapping[str, Any]) -> str | None:
    path = f"{offers_of(entry)}/{entry['offer']['offer_id']}/versions/1"
    found = client.send("GET", path, author_of(entry))
    return str(found.body["state"]) if found.status == 200 else None
