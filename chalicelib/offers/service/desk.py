"""On what a change of an offer rests: its head, its city, who asks and what he may do there, all in one read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, get_args

from chalicelib.cities import store as cities
from chalicelib.cities.rules import Control, require_active
from chalicelib.core import clock, table
from chalicelib.core.auth import Caller
from chalicelib.core.errors import NotFound
from chalicelib.core.table import Key, Row
from chalicelib.offers import store
from chalicelib.offers.rules import Actor, Offer, lint_offer
from chalicelib.offers.rules.heads import Head
from chalicelib.partners import store as partners
from chalicelib.partners.rules import Partner, Role, require_partner
from chalicelib.scenarios.rules import CompiledTable, Finding
from chalicelib.scenarios.service.grounds import table_in_force

_ROLES: tuple[Role, ...] = get_args(Role)


class Name(NamedTuple):
    """Which offer: an id of its city and its merchant."""

    city_id: str
    merchant_id: str
    offer_id: str

    @property
    def key(self) -> str:
        """Its name in its city."""
        return f"{self.merchant_id}/{self.offer_id}"

    @classmethod
    def of(cls, offer: Offer) -> Name:
        """The name of the offer that this is a version of."""
        return cls(offer.city_id, offer.merchant_id, offer.offer_id)


@dataclass(frozen=True, slots=True)
class Desk:
    """What was read. ``seen`` is the offer's head, None if there is no such offer."""

    control: Control
    actor: Actor
    seen: Head | None
    rows: Mapping[Key, Row]

    @property
    def head(self) -> Head:
        """The offer. Raises: NotFound."""
        if self.seen is None:
            raise NotFound
        return self.seen

    def require_open(self, merchant_id: str) -> None:
        """Returns if the city and the merchant take part. Raises: CitySuspended; PartnerSuspended; in this order."""
        require_active(self.control)
        require_partner(self.control, merchant_id)


def read_desk(caller: Caller, name: Name, more: Iterable[Key] = ()) -> Desk:
    """Reads it in one BatchGet, with what lies at ``more``. Raises: NotFound: no such city, or no such merchant."""
    keys = [cities.control_key(name.city_id), store.head_key(*name), *more]
    if caller.kind == "merchant":
        keys.append(partners.partner_key(name.city_id, name.merchant_id))
    rows = table.fetch(keys)
    control = cities.control_in(rows, name.city_id)
    actor = actor_of(caller, partners.partner_in(rows, name.city_id, name.merchant_id))
    return Desk(control, actor, store.head_in(rows, store.head_key(*name)), rows)


def read_staff(caller: Caller, city_id: str, merchant_id: str) -> tuple[Control, Actor]:
    """The city, and who asks for one of its merchants, in one read.

    Raises: NotFound: no such city, or no such merchant; CitySuspended; PartnerSuspended; in this order.
    """
    rows = table.fetch([cities.control_key(city_id), partners.partner_key(city_id, merchant_id)])
    control = cities.control_in(rows, city_id)
    actor = actor_of(caller, partners.partner_in(rows, city_id, merchant_id))
    require_partner(require_active(control), merchant_id)
    return control, actor


def actor_of(caller: Caller, partner: Partner | None) -> Actor:
    """Who asks, with his roles: a city's staff by their tokens, a merchant's by its entry.

    Raises: NotFound: the merchant is not listed as one.
    """
    if caller.kind == "city":
        return Actor("city", caller.person, frozenset(role for role in _ROLES if role in caller.roles))
    if partner is None or partner.kind != "merchant":
        raise NotFound
    return Actor("merchant", caller.person, frozenset(r for r in _ROLES if partner.has_role(caller.person, r)))


def scenario_of(control: Control, offer: Offer, now: datetime) -> CompiledTable | None:
    """The table of the offer's scenario that is in force; None if there is none."""
    version = table_version(control, offer.scenario_id, now)
    return None if version is None else table_in_force(control.city_id, offer.scenario_id, version)


def table_version(control: Control, scenario_id: str, now: datetime) -> int | None:
    """Which version of a scenario's table is in force."""
    return control.scenario_version(scenario_id, clock.day_in(control.time_zone, now))


def findings_of(control: Control, offer: Offer, now: datetime) -> tuple[Finding, ...]:
    """Everything that can be said against the offer in its city as it is today."""
    scheme = cities.load_city(control.city_id).scheme
    banks = _banks(control, [share.partner_id for share in offer.funding if share.partner_id is not None])
    return tuple(lint_offer(offer, scenario_of(control, offer, now), scheme, control.districts, banks))


def _banks(control: Control, named: list[str]) -> set[str]:
    """Those of the named partners that are banks of the city and take part."""
    rows = table.fetch(partners.partner_key(control.city_id, one) for one in named) if named else {}
    found = {one: partners.partner_in(rows, control.city_id, one) for one in named}
    banks = {one for one, partner in found.items() if partner is not None and partner.kind == "bank"}
    return banks - set(control.suspended_partners)
