"""Posts to the ledger as a domain does: an effect with its entry, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chalicelib.core import clock, effect
from chalicelib.core.commit import Unit
from chalicelib.core.effect import Intent
from chalicelib.ledger import store
from chalicelib.ledger.rules import Entry, Party, Posting, combined

ZONE = "Asia/Shanghai"


def intent_of(key: str, city_id: str = "xiamen") -> Intent:
    """A merchant's request under this key."""
    return effect.intend(city_id, "merchant", "qingliu-farm", "POST /v1/redemptions", key, {"key": key})


def entry_of(key: str, at: datetime, book: Party, postings: Sequence[Posting], **more: Any) -> Entry:
    """The entry of that request."""
    wanted = {"purpose": "redeem", **more}
    return Entry(
        intent_of(key).effect_id, at, clock.day_in(ZONE, at), book=book.name, postings=combined(postings), **wanted
    )


def post(key: str, entry: Entry, subject: str | None = None) -> Entry:
    """Commits the request's effect. Raises: EffectExists: it was committed before."""
    unit = Unit()
    facts, reply = {"key": key}, {"redemption_id": entry.entry_id}
    unit.effect(store.effect_row(intent_of(key), entry, facts=facts, reply=reply, subject=subject))
    unit.commit()
    return entry
