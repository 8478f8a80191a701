"""Deciding for an institution, for the citizen himself, and again for an auditor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from chalicelib.cities import store as cities
from chalicelib.cities.rules import Control, require_active
from chalicelib.core import clock, codec, effect, table
from chalicelib.core.auth import Caller
from chalicelib.core.commit import Unit
from chalicelib.core.effect import Intent
from chalicelib.core.errors import Conflict, Forbidden, NotFound
from chalicelib.core.text import Text
from chalicelib.scenarios.rules import AuditorView, Basis, CitizenView, PartnerView, digest, explain
from chalicelib.scenarios.service.grounds import basis_of, decided
from chalicelib.subjects import service as subjects
from chalicelib.subjects import store as accounts
from chalicelib.subjects.rules import Account, AccountRef, Pass, PassUsed, require_account, require_consent

CHECKED_AGAIN = 3


class RecipientNotNamed(Forbidden):
    code = "recipient-not-named"
    title = Text("该场景未向此类机构开放", "This scenario is not open to this kind of institution")


class PartnerSuspended(Forbidden):
    code = "partner-suspended"
    title = Text("该机构已被所在城市暂停", "This institution is suspended by its city")


class _GuardMoved(Conflict):
    """A consent or suspension changed between the read and the write: look again."""

    code = "account-changed"
    title = Text("账户刚刚变更，请重试", "The account has just changed; try again")


@dataclass(frozen=True, slots=True)
class Receipt:
    """A decision as its asker gets it."""

    receipt_id: str
    decided_at: datetime
    decision: PartnerView | CitizenView


@dataclass(frozen=True, slots=True)
class Replay:
    """A decision made again from its receipt: the same bytes, or not."""

    receipt_id: str
    decided_at: datetime
    asked_by: str
    same: bool
    stored_sha256: str
    basis: Basis
    decision: AuditorView


class Ask(NamedTuple):
    """What somebody at a counter asks: this scenario, here, for the person who shows a pass or is known by an id."""

    scenario_id: str
    district: str | None
    pass_text: str | None
    subject_id: str | None


@dataclass(frozen=True, slots=True)
class _Kept:
    basis: Basis
    trace_sha256: str


def decide(unit: Unit, intent: Intent, now: datetime, caller: Caller, ask: Ask) -> Receipt:
    """Tells an institution what a person's score opens with it, and records that it looked.

    The consent, the pass and the absence of a suspension are conditions of the write: what is withdrawn while the
    answer is made undoes the answer.

    Raises:
        PassInvalid, PassExpired; ConsentRequired: a foreign or unknown subject, or no live consent; NotFound: no such
        scenario in the caller's city; CitySuspended; PartnerSuspended; RecipientNotNamed; PassUsed; Conflict.
    """
    scenario = f"{caller.city_id}/{ask.scenario_id}"
    shown = None if ask.pass_text is None else subjects.open_pass(ask.pass_text, recipient_of(caller), scenario, now)
    ref = shown.ref if shown is not None else subjects.resolve(caller, ask.subject_id or "")
    for attempt in range(CHECKED_AGAIN):
        try:
            return _decide_once(Unit(unit.patience_seconds), intent, now, caller, ask, shown, ref)
        except _GuardMoved:
            if attempt == CHECKED_AGAIN - 1:
                raise
    raise AssertionError("the last attempt returns or raises")


def _decide_once(
    unit: Unit, intent: Intent, now: datetime, caller: Caller, ask: Ask, shown: Pass | None, ref: AccountRef
) -> Receipt:
    host, home, account = _facts(caller.city_id, ref)
    require_consent(account, f"{caller.city_id}/{ask.scenario_id}", recipient_of(caller), now)
    assert account is not None
    if caller.kind != "city" and caller.tenant in host.suspended_partners:
        raise PartnerSuspended
    basis = basis_of(host, home, account, ask.scenario_id, ask.district, now)
    decision = decided(basis)
    if caller.kind not in decision.compiled.table.recipients:
        raise RecipientNotNamed
    receipt = Receipt(intent.effect_id, now, explain(decision, "partner"))
    _record(unit, intent, now, account, _Kept(basis, digest(decision)), receipt)
    if shown is not None:
        accounts.use_pass(unit, shown, PassUsed)
    unit.commit()
    return receipt


def decide_for_self(unit: Unit, intent: Intent, now: datetime, ref: AccountRef, city_id: str, ask: Ask) -> Receipt:
    """Tells a citizen what his own score opens in one scenario of any city, with every reason, and gives a receipt.

    Raises: NotFound: no account, no such city or scenario; CitySuspended.
    """
    host, home, found = _facts(city_id, ref)
    account = require_account(found)
    basis = basis_of(host, home, account, ask.scenario_id, ask.district, now)
    decision = decided(basis)
    receipt = Receipt(intent.effect_id, now, explain(decision, "citizen"))
    _record(unit, intent, now, account, _Kept(basis, digest(decision)), receipt)
    unit.commit()
    return receipt


def openings(now: datetime, ref: AccountRef, city_id: str, district: str | None) -> list[CitizenView]:
    """What a citizen's score opens in a city, scenario by scenario, what it does not, and how far away that is.

    Raises: NotFound: no account or no such city; CitySuspended.
    """
    host, home, found = _facts(city_id, ref)
    account = require_account(found)
    today = clock.day_in(host.time_zone, now)
    in_force = (s for s in sorted(host.scenarios) if host.scenario_version(s, today) is not None)
    bases = [basis_of(host, home, account, scenario_id, district, now) for scenario_id in in_force]
    return [explain(decided(basis), "citizen") for basis in bases]


def own_receipt(ref: AccountRef, receipt_id: str) -> Receipt:
    """A decision about oneself, whoever asked, told to the citizen with every reason. Raises: NotFound."""
    stored, kept = _kept(receipt_id, ref)
    return Receipt(receipt_id, stored.at, explain(decided(kept.basis), "citizen"))


def replay(unit: Unit, intent: Intent, now: datetime, receipt_id: str) -> Replay:
    """Decides again from a receipt and compares the bytes. The auditor's look is recorded like any other.

    Raises: NotFound: no such receipt.
    """
    stored, kept = _kept(receipt_id)
    decision = decided(kept.basis)
    replayed = Replay(
        receipt_id=receipt_id,
        decided_at=stored.at,
        asked_by=f"{stored.actor}:{stored.tenant}" if stored.actor != "citizen" else "citizen",
        same=digest(decision) == kept.trace_sha256,
        stored_sha256=kept.trace_sha256,
        basis=kept.basis,
        decision=explain(decision, "auditor"),
    )
    facts = {"receipt_id": receipt_id}
    seen = effect.row(intent, now, purpose="replay", facts=facts, reply=replayed, subject=stored.subject)
    unit.effect(seen)
    unit.commit()
    return replayed


def recipient_of(caller: Caller) -> str:
    """The name under which a consent or a pass names this institution."""
    return caller.sector if caller.kind != "city" else f"city:{caller.city_id}"


def _facts(host_id: str, ref: AccountRef) -> tuple[Control, Control, Account | None]:
    """Everything a decision reads, in one BatchGet."""
    wanted = [cities.control_key(host_id), cities.control_key(ref.city_id), accounts.account_key(ref)]
    rows = table.fetch(wanted)
    host = require_active(cities.control_in(rows, host_id))
    home = require_active(cities.control_in(rows, ref.city_id))
    return host, home, accounts.account_in(rows, ref)


def _record(unit: Unit, intent: Intent, now: datetime, account: Account, kept: _Kept, receipt: Receipt) -> None:
    accounts.check_guard(unit, account, _GuardMoved)
    subject = accounts.account_pk(account.ref)
    purpose = f"decide:{kept.basis.city_id}/{kept.basis.scenario_id}"
    unit.effect(effect.row(intent, now, purpose=purpose, facts=kept, reply=receipt, subject=subject))


def _kept(receipt_id: str, ref: AccountRef | None = None) -> tuple[effect.Effect, _Kept]:
    """A stored decision; with ``ref``, only if it is about that person. Raises: NotFound."""
    stored = effect.load(receipt_id)
    about = ref is None or stored.subject == accounts.account_pk(ref)
    if not stored.purpose.startswith("decide:") or not about:
        raise NotFound
    return stored, codec.from_json(_Kept, stored.facts)
