"""The effect item: what a request did, its idempotency record, its line in "who looked" and its posting, all one item.

Its id is a keyed digest of the caller, the route and the Idempotency-Key, so a second try meets the first one's item:
the transaction fails on it and hands it back. A fingerprint of the body tells a second try from another request.
Only committed effects are remembered; a refusal may be tried again. It lives as long as the effect does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pynamodb.attributes import UnicodeAttribute

from chalicelib.core import clock, ids, keys, table
from chalicelib.core.codec import canonical
from chalicelib.core.errors import KeyReused, NotFound
from chalicelib.core.table import Key, Row

AUDIT_BUCKETS = 16
PERSON_SECTOR = "who-acted"


class EffectRow(Row, discriminator="effect"):
    """One effect. ``facts``, ``reply`` and ``postings`` are canonical JSON.

    ``by`` is who acted for the tenant, sealed. ``content_hash`` covers all but itself and its bucket.
    """

    effect_id = UnicodeAttribute()
    verb = UnicodeAttribute()
    actor = UnicodeAttribute()
    tenant = UnicodeAttribute()
    fingerprint = UnicodeAttribute()
    at = UnicodeAttribute()
    purpose = UnicodeAttribute()
    by = UnicodeAttribute()
    facts = UnicodeAttribute()
    reply = UnicodeAttribute()
    postings = UnicodeAttribute(null=True)
    content_hash = UnicodeAttribute()
    audit_bucket = UnicodeAttribute()


@dataclass(frozen=True, slots=True)
class Intent:
    """A request that is about to have an effect: who asks, for what, under which key."""

    effect_id: str
    fingerprint: str
    actor: str
    tenant: str
    verb: str
    by: str

    @property
    def city_id(self) -> str:
        """The city under which the effect is kept: the caller's own."""
        return city_of(self.effect_id)


@dataclass(frozen=True, slots=True)
class Booking:
    """What an effect posts, as the ledger writes it, and where: the book's partition of the index, the book's day."""

    book_pk: str
    day: date
    postings: str


@dataclass(frozen=True, slots=True)
class Effect:
    """A stored effect, read back. ``facts``, ``reply`` and ``postings`` are canonical JSON."""

    effect_id: str
    verb: str
    actor: str
    tenant: str
    at: datetime
    purpose: str
    facts: str
    reply: str
    subject: str | None
    postings: str | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """One line of "who looked": what the index carries of an effect, no facts."""

    effect_id: str
    verb: str
    actor: str
    tenant: str
    at: datetime
    purpose: str


def intend(city_id: str, actor: str, tenant: str, verb: str, key: str, body: Any, *, person: str = "") -> Intent:
    """The intent of this caller's request; the same person, route and key always give the same id.

    ``person`` is who acts for the tenant: a colleague's key is not his, or he could read what the colleague was told.
    """
    digest = keys.mac("effect", canonical([actor, city_id, tenant, person, verb, key]).encode())[:16]
    fingerprint = keys.mac("fingerprint", canonical(body).encode()).hex()
    by = ids.pairwise(PERSON_SECTOR, person)
    return Intent(f"{city_id}.{ids.encode(digest)}", fingerprint, actor, tenant, verb, by)


def consequence(city_id: str, actor: str, tenant: str, verb: str, cause: Sequence[str]) -> Intent:
    """The intent of what follows by itself, by the rules of this actor; the same cause always gives the same id.

    Nobody sent anything, so there is no body to tell from another one and nobody who acted for the tenant; and whoever
    works it out needs no key. That nobody guesses the id is due to the cause, which has a person's secret id in it.
    """
    digest = hashlib.sha256(canonical(["consequence", actor, city_id, tenant, verb, *cause]).encode()).digest()[:16]
    return Intent(f"{city_id}.{ids.encode(digest)}", "", actor, tenant, verb, "")


def city_of(effect_id: str) -> str:
    """The city under which an effect is kept: the first part of its id."""
    return effect_id.partition(".")[0]


def key_of(effect_id: str) -> Key:
    """Where an effect is stored."""
    return Key(f"{city_of(effect_id)}#effect#{effect_id}", "effect")


def row(
    intent: Intent,
    now: datetime,
    *,
    purpose: str,
    facts: Any,
    reply: Any,
    subject: str | None = None,
    booking: Booking | None = None,
) -> EffectRow:
    """The item to write. ``subject`` (an account's partition key) lists it under "who looked".

    It is listed under the caller's day; with a ``booking``, in that book instead, whoever the caller was.
    """
    at = clock.stamp(now)
    key = key_of(intent.effect_id)
    made = EffectRow(
        key.pk,
        key.sk,
        effect_id=intent.effect_id,
        verb=intent.verb,
        actor=intent.actor,
        tenant=intent.tenant,
        fingerprint=intent.fingerprint,
        at=at,
        purpose=purpose,
        by=intent.by,
        facts=canonical(facts),
        reply=canonical(reply),
        gsi2pk=f"{intent.city_id}#tenant#{intent.actor}:{intent.tenant}#{at[:10]}",
        gsi2sk=f"{at}#{intent.effect_id}",
    )
    if booking is not None:
        made.postings = booking.postings
        made.gsi2pk, made.gsi2sk = booking.book_pk, f"{booking.day}#{at}#{intent.effect_id}"
    if subject is not None:
        made.gsi1pk, made.gsi1sk = subject, f"{at}#{intent.effect_id}"
    made.content_hash = content_hash(made)
    made.audit_bucket = f"{intent.city_id}#{at[:13]}#{int(made.content_hash[:8], 16) % AUDIT_BUCKETS}"
    return made


def content_hash(stored: EffectRow) -> str:
    """SHA-256 over what the effect says, in a fixed order; postings come last, where there are any."""
    who = [stored.effect_id, stored.verb, stored.actor, stored.tenant, stored.by, stored.gsi1pk]
    said = [stored.fingerprint, stored.at, stored.purpose, stored.facts, stored.reply]
    posted = [] if stored.postings is None else [stored.postings]
    return hashlib.sha256(canonical([*who, *said, *posted]).encode()).hexdigest()


def read(stored: EffectRow) -> Effect:
    """The effect an item holds. Its content hash must fit: a changed item is a broken belief."""
    assert content_hash(stored) == stored.content_hash, "an effect item was changed after it was written"
    return Effect(
        stored.effect_id,
        stored.verb,
        stored.actor,
        stored.tenant,
        clock.unstamp(stored.at),
        stored.purpose,
        stored.facts,
        stored.reply,
        stored.gsi1pk,
        stored.postings,
    )


def replay(stored: EffectRow, intent: Intent) -> Effect:
    """The stored effect, if this is the same request again.

    Raises: KeyReused: another body came under the same key.
    """
    if stored.fingerprint != intent.fingerprint:
        raise KeyReused
    return read(stored)


def find(effect_id: str) -> EffectRow | None:
    """The stored item of an effect; None if it never happened."""
    return table.get(EffectRow, key_of(effect_id))


def load(effect_id: str) -> Effect:
    """A stored effect. Raises: NotFound."""
    stored = find(effect_id)
    if stored is None:
        raise NotFound
    return read(stored)


def of_subject(subject: str, limit: int, after: dict[str, Any] | None) -> tuple[list[Look], dict[str, Any] | None]:
    """One page of the effects that touched a subject, newest first; index reads may lag by a moment."""
    rows, last = table.query_gsi1(EffectRow, subject, limit=limit, after=after)
    return [Look(r.effect_id, r.verb, r.actor, r.tenant, clock.unstamp(r.at), r.purpose) for r in rows], last
