"""Writing versions of a bank's policy, moving them, reading them, and trying one on the city's people.

A draft that is well defined by itself is kept whatever else is wrong with it: the reply names everything that the
linter has to say in its city, and no error may be left when the draft goes to review.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from chalicelib.cities import store as cities
from chalicelib.core import effect, table
from chalicelib.core.auth import Caller
from chalicelib.core.commit import Unit, looking_again
from chalicelib.core.effect import Intent
from chalicelib.core.text import Text
from chalicelib.linking import service as linking
from chalicelib.linking import store as concordances
from chalicelib.linking.service import NotLinked
from chalicelib.medical import store
from chalicelib.medical.rules import (
    STATES,
    Policy,
    PopulationUnknown,
    WhatIf,
    check_policy,
    cost_said,
    heads,
    lint_policy,
    population,
    require_clean,
    what_if,
)
from chalicelib.medical.rules.heads import Head
from chalicelib.medical.rules.lifecycle import Move, State
from chalicelib.medical.service.desk import Bank, Desk, findings_of, read_desk, scenario_of
from chalicelib.medical.store import policies as kept
from chalicelib.medical.store.policies import Position
from chalicelib.partners import store as partners
from chalicelib.scenarios.rules import Finding

_TO_REVIEW: frozenset[Move] = frozenset({"submit", "approve"})
# Who decides on a version says which content he has read.
_DECIDING: frozenset[Move] = frozenset({"approve", "return"})


@dataclass(frozen=True, slots=True)
class VersionView:
    """Where one version stands today, in a word and in words; ``valid_to`` is its end, which a later one may have
    cut."""

    version: int
    state: State
    said: Text
    changed_at: datetime
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class PolicyView:
    """One version, what it costs a person in a sentence, and what the linter says of it while it can still change.

    ``content`` is left out of the reply to a write: it is what was sent; ``digest`` names it. ``revision`` counts the
    policy's changes.
    """

    city_id: str
    bank_id: str
    version: int
    state: State
    said: Text
    changed_at: datetime
    valid_from: date
    valid_to: date | None
    revision: int
    digest: str
    cost: Text
    findings: tuple[Finding, ...]
    content: Policy | None = None


@dataclass(frozen=True, slots=True)
class WaitingPolicy:
    """One version that the city is to review, of the bank of this name."""

    bank_id: str
    bank: Text | None
    version: int
    valid_from: date
    waits_since: datetime


def draft(unit: Unit, intent: Intent, now: datetime, caller: Caller, wanted: Policy) -> PolicyView:
    """Keeps the next version of a bank's policy, as a draft; its number is not the author's to choose.

    Raises: PolicyInvalid; NotFound: no such city or bank; CitySuspended; PartnerSuspended; PolicyMoveForbidden;
        PolicyStateConflict; PolicyInvalid: other shards; Conflict; in this order.
    """
    check_policy(replace(wanted, version=1))
    return looking_again(unit, lambda fresh: _draft_once(fresh, intent, now, caller, wanted))


def _draft_once(unit: Unit, intent: Intent, now: datetime, caller: Caller, wanted: Policy) -> PolicyView:
    desk = read_desk(caller, _bank(wanted))
    desk.require_open(wanted.bank_id)
    policy = replace(wanted, version=1 if desk.seen is None else desk.seen.latest + 1)
    head = heads.add_draft(desk.seen, policy, desk.actor, now)
    return _write(unit, intent, now, desk, head, policy, "draft-medical-policy")


def _bank(policy: Policy) -> Bank:
    return Bank(policy.city_id, policy.bank_id)


def read_version(now: datetime, caller: Caller, bank: Bank, version: int) -> tuple[Desk, PolicyView]:
    """A version as it stands, with its content, and what it was read with. Raises: NotFound."""
    version_key = store.version_key(*bank, version)
    desk = read_desk(caller, bank, [version_key])
    policy = store.version_in(desk.rows, version_key)
    state = heads.state_of(desk.head, version, desk.today(now))
    open_still = state in {"draft", "review"}
    findings = findings_of(desk.control, desk.head, policy, now) if open_still else ()
    return desk, replace(_view(desk, desk.head, policy, now, findings), content=policy)


def edit(unit: Unit, intent: Intent, now: datetime, desk: Desk, wanted: Policy) -> PolicyView:
    """Writes a draft anew; whoever does becomes one of its authors.

    Args:
        desk: As the caller has seen it; who comes second finds another revision.

    Raises: PolicyInvalid; NotFound; CitySuspended; PartnerSuspended; PolicyMoveForbidden; PolicyStateConflict: it is
        a draft no more; PolicyInvalid: other shards; Conflict: somebody else was faster; in this order.
    """
    check_policy(wanted)
    desk.head.listed(wanted.version)
    desk.require_open(wanted.bank_id)
    head = heads.edit_draft(desk.head, wanted, desk.actor, now)
    return _write(unit, intent, now, desk, head, wanted, "edit-medical-policy")


def _write(
    unit: Unit, intent: Intent, now: datetime, desk: Desk, head: Head, policy: Policy, purpose: str
) -> PolicyView:
    findings = findings_of(desk.control, head, policy, now)
    written = store.save_head(unit, head)
    store.save_version(unit, policy)
    return _record(unit, intent, now, purpose, _view(desk, written, policy, now, findings))


def move(
    unit: Unit,
    intent: Intent,
    now: datetime,
    caller: Caller,
    bank: Bank,
    version: int,
    wanted: Move,
    digest: str | None = None,
) -> PolicyView:
    """Moves a version. What was held and captured by one that ends keeps its terms.

    Args:
        digest: Of the content that was read, from whoever approves or returns it.

    Raises: NotFound; CitySuspended, PartnerSuspended: but nobody is kept from ending a version; PolicyMoveForbidden;
        PolicyApprovalByAuthor; PolicyStateConflict; PolicyChanged: it is not what was read; PolicyLintRefused;
        Conflict; in this order.
    """
    version_key = store.version_key(*bank, version)

    def once(fresh: Unit) -> PolicyView:
        desk = read_desk(caller, bank, [version_key])
        policy = store.version_in(desk.rows, version_key)
        if wanted != "end":
            desk.require_open(bank.bank_id)
        head = heads.move_version(desk.head, policy, wanted, desk.actor, now, desk.today(now))
        findings: tuple[Finding, ...] = ()
        if wanted in _DECIDING:
            heads.require_read(policy, digest)
            kept.check_version(fresh, desk.rows, version_key)
        if wanted in _TO_REVIEW:
            findings = findings_of(desk.control, desk.head, policy, now)
            require_clean(findings)
        view = _view(desk, store.save_head(fresh, head), policy, now, findings)
        return _record(fresh, intent, now, "move-medical-policy", view, move=wanted)

    return looking_again(unit, once)


def list_versions(now: datetime, caller: Caller, bank: Bank) -> list[VersionView]:
    """A bank's versions, oldest first, each with where it stands today. Raises: NotFound: no such bank."""
    desk = read_desk(caller, bank)
    numbers = () if desk.seen is None else sorted(desk.seen.versions)
    return [_standing(desk.head, version, desk.today(now)) for version in numbers]


def list_waiting(city_id: str, limit: int, after: Position | None) -> tuple[list[WaitingPolicy], Position | None]:
    """One page of what the city is to review, the longest waiting first."""
    found, last = kept.list_waiting(city_id, limit, after)
    banks = {head.bank_id for head in found}
    rows = table.fetch(partners.partner_key(city_id, one) for one in banks) if banks else {}
    entries = {one: partners.partner_in(rows, city_id, one) for one in banks}
    names = {one: partner.name for one, partner in entries.items() if partner is not None}
    return [waiting for head in found for waiting in _waiting(head, names.get(head.bank_id))], last


def _waiting(head: Head, bank: Text | None) -> Iterable[WaitingPolicy]:
    for version, listed in sorted(head.versions.items()):
        if listed.life.state == "review":
            yield WaitingPolicy(head.bank_id, bank, version, listed.valid_from, listed.life.changed_at)


def try_out(now: datetime, caller: Caller, bank: Bank, version: int) -> WhatIf:
    """What a version would mean if everybody in the city opened a line: people and exposure per tier.

    Raises: NotFound; PolicyLintRefused: its scenario has no table in force; PopulationUnknown: no published
        distribution on the table's scale; in this order.
    """
    version_key = store.version_key(*bank, version)
    desk = read_desk(caller, bank, [version_key])
    policy = store.version_in(desk.rows, version_key)
    scenario = scenario_of(desk.control, policy, now)
    if scenario is None:
        scheme = cities.load_city(bank.city_id).scheme
        require_clean(lint_policy(policy, None, scheme, ()))
    assert scenario is not None, "without a table the linter finds an error"
    try:
        concordance, scale = linking.in_force(desk.control)
    except NotLinked as refused:
        raise PopulationUnknown from refused
    if scale.grid != scenario.scale.grid:
        raise PopulationUnknown
    published = concordances.load_published(bank.city_id, concordance.version)
    invented = published.illustrative or scale.illustrative
    return what_if(policy, scenario, population(published, scale), illustrative=invented)


def policy_today(city_id: str, head: Head | None, on: date) -> Policy | None:
    """The version in force on a day of the city, with its end as it is listed; None if there is none."""
    version = None if head is None else head.in_force(on)
    if head is None or version is None:
        return None
    return head.as_listed(store.load_version(city_id, head.bank_id, version))


def _standing(head: Head, version: int, on: date) -> VersionView:
    listed, state = head.listed(version), heads.state_of(head, version, on)
    return VersionView(version, state, STATES[state], listed.life.changed_at, listed.valid_from, listed.valid_to)


def _view(desk: Desk, head: Head, policy: Policy, now: datetime, findings: Iterable[Finding]) -> PolicyView:
    at = _standing(head, policy.version, desk.today(now))
    return PolicyView(
        head.city_id, head.bank_id, policy.version, at.state, at.said, at.changed_at, at.valid_from, at.valid_to,
        head.revision, heads.digest_of(policy), cost_said(policy), tuple(findings),
    )  # fmt: skip


def _record(unit: Unit, intent: Intent, now: datetime, purpose: str, reply: PolicyView, **more: str) -> PolicyView:
    facts = {"bank_id": reply.bank_id, "version": reply.version, **more}
    unit.effect(effect.row(intent, now, purpose=purpose, facts=facts, reply=reply))
    unit.commit()
    return reply
