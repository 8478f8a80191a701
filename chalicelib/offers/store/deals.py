"""Deals, and how much of each offer a person has had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pynamodb.attributes import UnicodeAttribute

from chalicelib.core import clock, codec, table
from chalicelib.core.commit import Unit
from chalicelib.core.errors import Conflict
from chalicelib.core.table import IntAttribute, Key, Row
from chalicelib.offers.rules.deals import Deal, SeenQuota
from chalicelib.offers.rules.quotas import QuotaState
from chalicelib.subjects.rules import AccountRef

KEPT_LONGER = timedelta(days=1)


class _DealRow(Row, discriminator="deal"):
    document = UnicodeAttribute()
    revision = IntAttribute()


class _QuotaRow(Row, discriminator="quota"):
    document = UnicodeAttribute()
    revision = IntAttribute()


def deal_key(quote_id: str) -> Key:
    """Where a deal is: to be fetched with what else a request needs."""
    return Key(f"{quote_id.partition('.')[0]}#deal#{quote_id}", "deal")


def deal_in(rows: Mapping[Key, Row], quote_id: str) -> Deal | None:
    """The deal among fetched rows; None if it was not found."""
    row = rows.get(deal_key(quote_id))
    if row is None:
        return None
    assert isinstance(row, _DealRow)
    return codec.from_json(Deal, row.document)


def load_deal(quote_id: str) -> Deal | None:
    """A deal, strongly consistent; None if absent."""
    return deal_in(table.fetch([deal_key(quote_id)]), quote_id)


def save_deal(unit: Unit, deal: Deal) -> None:
    """Writes a deal, if nobody else has since it was seen. One that lapses is dropped by itself a day later.

    What was reserved or redeemed is listed under its person.
    """
    row = _DealRow(*deal_key(deal.quote.quote_id))
    row.document, row.revision = codec.to_json(replace(deal, revision=deal.revision + 1)), deal.revision + 1
    if deal.redemption is None:
        row.expires_at = int((deal.ends_at + KEPT_LONGER).timestamp())
    if deal.redemption is not None or deal.reservation is not None:
        row.gsi1pk = _purchases_pk(deal.ref)
        row.gsi1sk = f"{clock.stamp(_listed_at(deal))}#{deal.quote.quote_id}"
    if deal.revision == 0:
        unit.create(row, Conflict)
    else:
        unit.put(row, _DealRow.revision == deal.revision, Conflict)


def _listed_at(deal: Deal) -> datetime:
    return deal.quote.quoted_at if deal.redemption is None else deal.redemption.redeemed_at


def list_purchases(ref: AccountRef, limit: int, after: str | None) -> tuple[list[Deal], str | None]:
    """One page of what a person reserved or redeemed, newest first, and the place to go on after.

    The list may lag, its entries do not. A place names no person.
    """
    listed, last = table.query_gsi1(_DealRow, _purchases_pk(ref), limit=limit, after=_position(ref, after))
    ids = [row.gsi1sk.partition("#")[2] for row in listed if row.gsi1sk is not None]
    rows = table.fetch(map(deal_key, ids)) if ids else {}
    found = (deal_in(rows, quote_id) for quote_id in ids)
    return [deal for deal in found if deal is not None], None if last is None else last["gsi1sk"]["S"]


def _position(ref: AccountRef, after: str | None) -> dict[str, Any] | None:
    if after is None:
        return None
    key = deal_key(after.partition("#")[2])
    place = {"gsi1pk": _purchases_pk(ref), "gsi1sk": after, "pk": key.pk, "sk": key.sk}
    return {name: {"S": part} for name, part in place.items()}


def _purchases_pk(ref: AccountRef) -> str:
    return f"{ref.city_id}#purchases#{ref.person_id}"


def quota_key(city_id: str, ref: AccountRef, merchant_id: str, offer_id: str) -> Key:
    """Where it is counted how much of an offer a person has had."""
    return Key(f"{city_id}#quota#{ref.person_id}", f"{merchant_id}/{offer_id}")


def quota_in(rows: Mapping[Key, Row], key: Key) -> SeenQuota:
    """The quota item among fetched rows; nothing used if it was not found."""
    row = rows.get(key)
    if row is None:
        return SeenQuota()
    assert isinstance(row, _QuotaRow)
    return SeenQuota(row.revision, codec.from_json(QuotaState, row.document))


def save_quota(unit: Unit, key: Key, seen: SeenQuota, state: QuotaState) -> SeenQuota:
    """Writes how much a person has had, if nobody else has since it was seen; returns it as it is written."""
    row = _QuotaRow(*key, document=codec.to_json(state), revision=seen.revision + 1)
    if seen.revision == 0:
        unit.create(row, Conflict)
    else:
        unit.put(row, _QuotaRow.revision == seen.revision, Conflict)
    return SeenQuota(seen.revision + 1, state)
