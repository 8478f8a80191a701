"""On what a change of a policy rests: its head, its city, who asks and what he may do there, all in one read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple, get_args

from chalicelib.cities import store as cities
from chalicelib.cities.rules import Control, require_active
from chalicelib.core import clock, table
from chalicelib.core.auth import Caller
from chalicelib.core.errors import NotFound
from chalicelib.core.table import Key, Row
from chalicelib.medical import store
from chalicelib.medical.rules import Actor, Policy, lint_policy
from chalicelib.medical.rules.heads import Head, lint_among
from chalicelib.partners import store as partners
from chalicelib.partners.rules import Partner, Role, require_partner
from chalicelib.scenarios.rules import CompiledTable, Finding
from chalicelib.scenarios.service.grounds import table_in_force

_ROLES: tuple[Role, ...] = get_args(Role)


class Bank(NamedTuple):
    """Whose policy: a bank of a city."""

    city_id: str
    bank_id: str


@dataclass(frozen=True, slots=True)
class Desk:
    """What was read. ``seen`` is the bank's head, None if it has written no policy."""

    control: Control
    actor: Actor
    seen: Head | None
    rows: Mapping[Key, Row]

    @property
    def head(self) -> Head:
        """The bank's policy. Raises: NotFound."""
        if self.seen is None:
            raise NotFound
        return self.seen

    def today(self, now: datetime) -> date:
        """The day of the city."""
        return clock.day_in(self.control.time_zone, now)

    def require_open(self, bank_id: str) -> None:
        """Returns if the city and the bank take part. Raises: CitySuspended; PartnerSuspended; in this order."""
        require_active(self.control)
        require_partner(self.control, bank_id)


def read_desk(caller: Caller, bank: Bank, more: Iterable[Key] = ()) -> Desk:
    """Reads it in one BatchGet, with what lies at ``more``. Raises: NotFound: no such city, or no such bank."""
    partner_key = partners.partner_key(*bank)
    rows = table.fetch([cities.control_key(bank.city_id), store.head_key(*bank), partner_key, *more])
    control = cities.control_in(rows, bank.city_id)
    actor = _actor(caller, partners.partner_in(rows, *bank))
    return Desk(control, actor, store.head_in(rows, *bank), rows)


def _actor(caller: Caller, partner: Partner | None) -> Actor:
    """Who asks, with his roles: a city's staff by their tokens, a bank's by its entry."""
    if partner is None or partner.kind != "bank":
        raise NotFound
    if caller.kind == "city":
        return Actor("city", caller.person, frozenset(role for role in _ROLES if role in caller.roles))
    return Actor("bank", caller.person, frozenset(r for r in _ROLES if partner.has_role(caller.person, r)))


def scenario_of(control: Control, policy: Policy, now: datetime) -> CompiledTable | None:
    """The table of the policy's scenario that is in force when it begins, or now if it has begun; None: none is."""
    on = max(policy.valid_from, clock.day_in(control.time_zone, now))
    version = control.scenario_version(policy.scenario_id, on)
    return None if version is None else table_in_force(control.city_id, policy.scenario_id, version)


def findings_of(control: Control, head: Head, policy: Policy, now: datetime) -> tuple[Finding, ...]:
    """Everything that can be said against a version in its city, and beside its bank's other versions.

    What credit may cost is no data of a city yet, so a warning says that nobody has checked it.
    """
    scheme = cities.load_city(control.city_id).scheme
    hospitals = _hospitals(control, policy.hospitals or ())
    found = lint_policy(policy, scenario_of(control, policy, now), scheme, (), hospitals)
    return (*found, *lint_among(head, policy))


def _hospitals(control: Control, named: Iterable[str]) -> set[str]:
    """Those of the named partners that are hospitals of the city and take part."""
    keys = {one: partners.partner_key(control.city_id, one) for one in named}
    rows = table.fetch(keys.values()) if keys else {}
    found = {one: partners.partner_in(rows, control.city_id, one) for one in keys}
    hospitals = {one for one, partner in found.items() if partner is not None and partner.kind == "hospital"}
    return hospitals - set(control.suspended_partners)
