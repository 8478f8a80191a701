"""Deciding for an institution, for the citizen himself, and again for an auditor."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from chalicelib.cities import store as cities
from chalicelib.cities.rules import Control, require_active
from chalicelib.core import clock, codec, effect, table
from chalicelib.core.auth import Caller
from chalicelib.core.commit import Unit, looking_again
from chalicelib.core.effect import Intent
from chalicelib.core.errors import Conflict, Forbidden, NotFound
from chalicelib.core.text import Text
from chalicelib.partners.rules import require_partner
from chalicelib.scenarios.rules import AuditorView, Basis, CitizenView, Decision, PartnerView, digest, explain
from chalicelib.scenarios.service.grounds import basis_of, decided, require_district
from chalicelib.subjects import service as subjects
from chalicelib.subjects import store as accounts
from chalicelib.subjects.rules import (
    Account,
    AccountRef,
    ConsentRequired,
    Pass,
    PassUsed,
    require_account,
    require_consent,
)


class RecipientNotNamed(Forbidden):
    code = "recipient-not-named"
    title = Text("该场景未向此类机构开放", "This scenario is not open to this kind of institution")


@dataclass(frozen=True, slots=True)
class Receipt:
    """A decision as an institution gets it; ``subject_id`` is the id by which it, and nobody else, knows the person."""

    receipt_id: str
    decided_at: datetime
    subject_id: str
    decision: PartnerView


@dataclass(frozen=True, slots=True)
class OwnReceipt:
    """A decision as the person gets it."""

    receipt_id: str
    decided_at: datetime
    decision: CitizenView


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
        PassInvalid; PassExpired; ConsentRequired: a foreign or unknown subject; NotFound: no such city; CitySuspended:
        the caller's; PartnerSuspended; ConsentRequired: no live consent to a decision; NotFound: no table of this
        scenario in force, or no such district; RecipientNotNamed; PassUsed; Conflict: the account keeps changing; in
        this order.
    """
    scenario = f"{caller.city_id}/{ask.scenario_id}"
    shown = None if ask.pass_text is None else subjects.open_pass(ask.pass_text, caller.sector, scenario, now)
    ref = shown.ref if shown is not None else subjects.resolve(caller, ask.subject_id or "")
    return looking_again(unit, lambda fresh: _decide_once(fresh, intent, now, caller, ask, shown, ref))


def _decide_once(
    unit: Unit, intent: Intent, now: datetime, caller: Caller, ask: Ask, shown: Pass | None, ref: AccountRef
) -> Receipt:
    host, home, found = _facts(caller.city_id, ref)
    if caller.kind != "city":
        require_partner(host, caller.tenant)
    account = _consenting(found, f"{caller.city_id}/{ask.scenario_id}", caller.sector, now)
    basis = basis_of(host, home, account, ask.scenario_id, ask.district, now)
    decision = decided(basis)
    if caller.kind not in decision.compiled.table.recipients:
        raise RecipientNotNamed
    known_as = subjects.known_as(caller.sector, ref)
    receipt = Receipt(intent.effect_id, now, known_as, explain(decision, "partner"))
    _record(unit, intent, now, account, _Kept(basis, digest(decision)), receipt)
    if shown is not None:
        accounts.use_pass(unit, shown, PassUsed)
    unit.commit()
    return receipt


def _consenting(account: Account | None, scenario: str, recipient: str, now: datetime) -> Account:
    """The account, if its person lets this recipient have decisions in this scenario. Raises: ConsentRequired."""
    consent = require_consent(account, scenario, recipient, now)
    if account is None or "decision" not in consent.items:
        raise ConsentRequired
    return account


def decide_for_self(unit: Unit, intent: Intent, now: datetime, ref: AccountRef, city_id: str, ask: Ask) -> OwnReceipt:
    """Tells a citizen what his own score opens in one scenario of any city, with every reason, and gives a receipt.

    Raises: NotFound: no such city; CitySuspended; NotFound: no account, no table in force, no such district; Conflict.
    """
    return looking_again(unit, lambda fresh: _decide_for_self_once(fresh, intent, now, ref, city_id, ask))


def _decide_for_self_once(
    unit: Unit, intent: Intent, now: datetime, ref: AccountRef, city_id: str, ask: Ask
) -> OwnReceipt:
    host, home, found = _facts(city_id, ref)
    account = require_account(found)
    basis = basis_of(host, home, account, ask.scenario_id, ask.district, now)
    decision = decided(basis)
    receipt = OwnReceipt(intent.effect_id, now, explain(decision, "citizen"))
    _record(unit, intent, now, account, _Kept(basis, digest(decision)), receipt)
    unit.commit()
    return receipt


def openings(now: datetime, ref: AccountRef, city_id: str, district: str | None) -> list[CitizenView]:
    """What a citizen's score opens in a city, scenario by scenario, what it does not, and how far away that is.

    Raises: NotFound: no such city; CitySuspended; NotFound: no account, no such district.
    """
    host, home, found = _facts(city_id, ref)
    account = require_account(found)
    require_district(host, district)
    today = clock.day_in(host.time_zone, now)
    in_force = (s for s in sorted(host.scenarios) if host.scenario_version(s, today) is not None)
    bases = [basis_of(host, home, account, scenario_id, district, now) for scenario_id in in_force]
    return [explain(decided(basis), "citizen") for basis in bases]


def own_receipt(ref: AccountRef, receipt_id: str) -> OwnReceipt:
    """A decision about oneself, whoever asked, told to the citizen with every reason. Raises: NotFound."""
    stored, kept = _kept(receipt_id, ref)
    return OwnReceipt(receipt_id, stored.at, explain(decided(kept.basis), "citizen"))


def replay(unit: Unit, intent: Intent, now: datetime, receipt_id: str) -> Replay:
    """Decides again from a receipt and compares: the bytes of the trace, and what the asker was told.

    The auditor's look is recorded like any other. Raises: NotFound: no such receipt.
    """
    stored, kept = _kept(receipt_id)
    decision = decided(kept.basis)
    replayed = Replay(
        receipt_id=receipt_id,
        decided_at=stored.at,
        asked_by=f"{stored.actor}:{stored.tenant}" if stored.actor != "citizen" else "citizen",
        same=digest(decision) == kept.trace_sha256 and _told_again(stored, decision),
        stored_sha256=kept.trace_sha256,
        basis=kept.basis,
        decision=explain(decision, "auditor"),
    )
    facts = {"receipt_id": receipt_id}
    seen = effect.row(intent, now, purpose="replay", facts=facts, reply=replayed, subject=stored.subject)
    unit.effect(seen)
    unit.commit()
    return replayed


def _told_again(stored: effect.Effect, decision: Decision) -> bool:
    """Whether the reply that was stored says what this decision says; of older wording, only what it comes to."""
    told = json.loads(stored.reply)["decision"]
    view = explain(decision, "citizen") if stored.actor == "citizen" else explain(decision, "partner")
    again = json.loads(codec.canonical(view))
    if told.get("wording_version") != again.get("wording_version"):
        told = {name: told[name] for name in ("outcome", "tier_ids")}
    return all(again.get(name) == value for name, value in told.items())


def _facts(host_id: str, ref: AccountRef) -> tuple[Control, Control, Account | None]:
    """Everything a decision reads, in one BatchGet: host, home, account. Raises: NotFound; CitySuspended: the host."""
    wanted = [cities.control_key(host_id), cities.control_key(ref.city_id), accounts.account_key(ref)]
    rows = table.fetch(wanted)
    host = require_active(cities.control_in(rows, host_id))
    return host, cities.control_in(rows, ref.city_id), accounts.account_in(rows, ref)


def _record(
    unit: Unit, intent: Intent, now: datetime, account: Account, kept: _Kept, receipt: Receipt | OwnReceipt
) -> None:
    accounts.check_guard(unit, account, Conflict)
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
