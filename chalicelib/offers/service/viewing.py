"""Offers as their merchant and their city read them: what stands where, and what can be said against it.

Who wrote and who approved is nobody's to read here: it is kept for the rule that these are two people.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.cities import store as cities
from chalicelib.core import table
from chalicelib.core.text import Text
from chalicelib.offers import store
from chalicelib.offers.rules import STATES, Offer, State, heads
from chalicelib.offers.rules.heads import Head
from chalicelib.offers.service.desk import Name, findings_of, table_version
from chalicelib.offers.store.offers import Position
from chalicelib.partners import store as partners
from chalicelib.scenarios.rules import Finding


@dataclass(frozen=True, slots=True)
class VersionView:
    """Where one version stands now, in a word and in words; ``valid_to`` is its end, which a later one may have cut."""

    version: int
    state: State
    said: Text
    changed_at: datetime
    valid_from: datetime
    valid_to: datetime


@dataclass(frozen=True, slots=True)
class HeadView:
    """An offer with its last versions. ``in_force`` is the version that people meet now; None: they meet none."""

    offer_id: str
    title: Text
    category: str
    latest: int
    in_force: int | None
    versions: tuple[VersionView, ...]


@dataclass(frozen=True, slots=True)
class OfferView:
    """One version, and what the linter says of it by the table of its scenario that is in force.

    ``content`` is left out of the reply to a write: it is what was sent; ``digest`` names it. ``revision`` counts the
    changes of the offer.
    """

    city_id: str
    merchant_id: str
    offer_id: str
    version: int
    state: State
    said: Text
    changed_at: datetime
    valid_from: datetime
    valid_to: datetime
    revision: int
    digest: str
    table_version: int | None
    findings: tuple[Finding, ...]
    content: Offer | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """One version that the city is to review."""

    merchant_id: str
    merchant: Text | None
    offer_id: str
    version: int
    title: Text
    category: str
    waits_since: datetime


def view(
    head: Head,
    offer: Offer,
    now: datetime,
    table_version: int | None,
    findings: Iterable[Finding] = (),
    content: Offer | None = None,
) -> OfferView:
    """One version of an offer as it stands. Raises: NotFound."""
    at = _standing(head, offer.version, now)
    return OfferView(
        head.city_id, head.merchant_id, head.offer_id, offer.version, at.state, at.said, at.changed_at,
        at.valid_from, at.valid_to, head.revision, heads.digest_of(offer), table_version, tuple(findings), content,
    )  # fmt: skip


def _standing(head: Head, version: int, now: datetime) -> VersionView:
    listed, state = head.listed(version), heads.state_of(head, version, now)
    return VersionView(version, state, STATES[state], listed.life.changed_at, listed.valid_from, listed.valid_to)


def read_version(now: datetime, name: Name, version: int) -> OfferView:
    """One version with its content, and what the linter says of it today. Raises: NotFound."""
    version_key = store.version_key(*name, version)
    rows = table.fetch([cities.control_key(name.city_id), store.head_key(*name), version_key])
    control, content = cities.control_in(rows, name.city_id), store.version_in(rows, version_key)
    head = store.head_in(rows, store.head_key(*name))
    assert head is not None, "a version has a head"
    judged_by = table_version(control, content.scenario_id, now)
    return view(head, content, now, judged_by, findings_of(control, content, now), content)


def list_offers(
    now: datetime, city_id: str, merchant_id: str, limit: int, after: str | None
) -> tuple[list[HeadView], str | None]:
    """One page of a merchant's offers, by id, each with where its versions stand now."""
    found, last = store.list_heads(city_id, merchant_id, limit, after)
    return [_head_view(head, now) for head in found], last


def _head_view(head: Head, now: datetime) -> HeadView:
    versions = tuple(_standing(head, version, now) for version in sorted(head.versions))
    return HeadView(head.offer_id, head.title, head.category, head.latest, head.in_force(now), versions)


def list_waiting(city_id: str, limit: int, after: Position | None) -> tuple[list[Waiting], Position | None]:
    """One page of what the city is to review, the longest waiting first."""
    found, last = store.list_waiting(city_id, limit, after)
    merchants = {head.merchant_id for head in found}
    rows = table.fetch(partners.partner_key(city_id, one) for one in merchants) if merchants else {}
    entries = {one: partners.partner_in(rows, city_id, one) for one in merchants}
    names = {one: partner.name for one, partner in entries.items() if partner is not None}
    return [waiting for head in found for waiting in _waiting(head, names.get(head.merchant_id))], last


def _waiting(head: Head, merchant: Text | None) -> Iterable[Waiting]:
    for version, listed in sorted(head.versions.items()):
        if listed.life.state == "review":
            at = listed.life.changed_at
            yield Waiting(head.merchant_id, merchant, head.offer_id, version, head.title, head.category, at)
