"""Puts the demo bank's credit policy in force, over HTTP and by the hands that the rules ask for.

A policy begins the day after its review at the earliest, so the demo's clock goes back two days for it: what is
reviewed then is in force since yesterday. What is there already is left where it is.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.core import clock
from infra.local.client import Client
from infra.local.demo_load import now

POLICY = Path(__file__).resolve().parents[2] / "chalicelib" / "medical" / "data" / "xiamen_demo_bank.json"
POLICIES = "/v1/cities/xiamen/banks/demo-bank/credit-policies"
BANK = "bank:demo-bank@xiamen"
ZONE = ZoneInfo("Asia/Shanghai")
AUTHOR = f"{BANK}/demo-bank-author"
REVIEWER = "city:xiamen/xiamen-reviewer"
_FIXED = ("city_id", "bank_id", "version")
_STEPS = {None: ("draft", "submit", "approve"), "draft": ("submit", "approve"), "review": ("approve",)}


def load_policy(client: Client) -> None:
    """The demo bank's policy, from wherever it stands to being in force."""
    listed = client.done("GET", POLICIES, AUTHOR)["items"]
    state = listed[-1]["state"] if listed else None
    with clock.fixed(day_before(listed[-1]["valid_from"]) if listed else two_days_ago()):
        for step in _STEPS.get(state, ()):
            if step == "draft":
                draft(client)
            else:
                move(client, step)


def draft(client: Client) -> Any:
    """The bank's author writes it, to hold from yesterday on."""
    body = terms(two_days_ago())
    return client.done("POST", POLICIES, AUTHOR, body, key=f"draft-policy-{body['valid_from']}")


def move(client: Client, step: str) -> Any:
    """One move of the first version, by whoever may make it."""
    actor = REVIEWER if step == "approve" else AUTHOR
    body = {"move": step}
    if step == "approve":
        body["digest"] = client.done("GET", f"{POLICIES}/1", actor)["digest"]
    return client.done("POST", f"{POLICIES}/1/moves", actor, body, key=f"{step}-policy")


def terms(on: datetime) -> dict[str, Any]:
    """What the author sends on a day: the terms of the data file, from the day after on."""
    terms = json.loads(POLICY.read_text("utf-8"))
    return {name: value for name, value in terms.items() if name not in _FIXED} | {"valid_from": f"{tomorrow(on)}"}


def tomorrow(at: datetime) -> date:
    """The day after an instant's, in Xiamen."""
    return at.astimezone(ZONE).date() + timedelta(days=1)


def day_before(valid_from: str) -> datetime:
    """The last moment at which what was written, whenever that was, may be approved to hold from this day on."""
    begins = datetime.combine(date.fromisoformat(valid_from), time(), ZONE)
    return begins.astimezone(UTC) - timedelta(milliseconds=1)


def two_days_ago() -> datetime:
    """When the policy is written and reviewed."""
    return now() - timedelta(days=2)
