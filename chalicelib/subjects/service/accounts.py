"""Accounts: enrolment as the API sees it, who a caller means, suspensions, who looked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from chalicelib.cities.store import load_scale
from chalicelib.core import codec, effect, functions, ids
from chalicelib.core.auth import Caller
from chalicelib.core.commit import Unit
from chalicelib.core.effect import Intent
from chalicelib.core.errors import Conflict, NotFound, Problem
from chalicelib.subjects import rules, store
from chalicelib.subjects.rules import (
    SUSPENSION_KINDS,
    Account,
    AccountRef,
    Application,
    Consent,
    ConsentRequired,
    Enrolled,
    Identified,
    IdentifyRequest,
    Me,
    MyLook,
    SuspensionOrder,
    SuspensionState,
    consents_of,
    require_account,
    scenario_in,
    suspensions_of,
    words_for,
)


def resolve(caller: Caller, subject_id: str, otherwise: Callable[[], Problem] = ConsentRequired) -> AccountRef:
    """The account that this caller means by a subject id of his own sector.

    Raises: ``otherwise``: a foreign, damaged or invented id, all alike. ``ConsentRequired`` is for ids in bodies,
        ``NotFound`` for ids in paths.
    """
    secret = ids.open_pairwise(caller.sector, subject_id)
    if secret is None:
        raise otherwise()
    return AccountRef.of_secret(secret)


def known_as(sector: str, ref: AccountRef) -> str:
    """The id by which a sector (``Caller.sector``) knows a person."""
    return ids.pairwise(sector, ref.secret)


def own_account(caller: Caller) -> AccountRef:
    """The citizen's own account. Raises: NotFound: the token names nobody of its city."""
    return _of_city(caller, caller.tenant)


def _of_city(caller: Caller, subject_id: str) -> AccountRef:
    ref = resolve(caller, subject_id, NotFound)
    if ref.city_id != caller.city_id:
        raise NotFound
    return ref


def enrol(unit: Unit, intent: Intent, now: datetime, caller: Caller, application: Application) -> Enrolled:
    """Opens a citizen's account in the caller's city; for one who has it already, the same subject id again.

    The enrolment function finds the person; here the account and the effect are written, in one transaction.
    Raises: what ``identify`` raises; Unavailable; Conflict: the account was closed.
    """
    request = IdentifyRequest(application, now)
    who = codec.build(Identified, functions.call("enrol", request))
    ref = AccountRef(application.city_id, who.person_id)
    account = store.load_account(ref)
    if account is None:
        account = Account(ref, now)
        store.create_account(unit, account)
        try:
            return _enrolled(unit, intent, now, caller, account, application)
        except Conflict:
            account = store.load_account(ref)
            assert account is not None, "somebody else has just opened it"
            unit = Unit()
    if account.status != "active":
        raise Conflict
    return _enrolled(unit, intent, now, caller, account, application)


def _enrolled(
    unit: Unit, intent: Intent, now: datetime, caller: Caller, account: Account, application: Application
) -> Enrolled:
    reply = Enrolled(known_as(caller.sector, account.ref), account.enrolled_at)
    facts = {"city_id": application.city_id, "document_kind": application.document.kind}
    _record(unit, intent, now, account, "enrol-subject", facts, reply)
    return reply


def suspend(
    unit: Unit, intent: Intent, now: datetime, caller: Caller, subject_id: str, order: SuspensionOrder
) -> SuspensionState:
    """Suspends benefits of the city's own citizen, from the next request on. Suspending twice changes nothing.

    Raises: NotFound: no such citizen of this city; Conflict: the account has changed meanwhile.
    """
    account = require_account(store.load_account(_of_city(caller, subject_id)))
    changed = rules.suspend(account, order.kind, now)
    _save(unit, account, changed)
    reply = SuspensionState(subject_id, suspensions_of(changed))
    _record(unit, intent, now, account, "suspend-benefits", order, reply)
    return reply


def lift(unit: Unit, intent: Intent, now: datetime, caller: Caller, subject_id: str, kind: str) -> SuspensionState:
    """Lifts a suspension; lifting what is not suspended changes nothing.

    Raises: NotFound: no such kind, or no such citizen of this city; Conflict: the account has changed meanwhile.
    """
    known = next((listed for listed in SUSPENSION_KINDS if listed == kind), None)
    if known is None:
        raise NotFound
    account = require_account(store.load_account(_of_city(caller, subject_id)))
    changed = rules.restore(account, known)
    _save(unit, account, changed)
    reply = SuspensionState(subject_id, suspensions_of(changed))
    _record(unit, intent, now, account, "restore-benefits", {"kind": known}, reply)
    return reply


def _save(unit: Unit, seen: Account, changed: Account) -> None:
    if changed is seen:
        store.check_guard(unit, seen, Conflict)
    else:
        store.update_guarded(unit, changed)


def _record(unit: Unit, intent: Intent, now: datetime, account: Account, purpose: str, facts: Any, reply: Any) -> None:
    subject = store.account_pk(account.ref)
    unit.effect(effect.row(intent, now, purpose=purpose, facts=facts, reply=reply, subject=subject))
    unit.commit()


def me(now: datetime, caller: Caller) -> Me:
    """A citizen's own account, his score included. Raises: NotFound: no account."""
    account = _own(caller)
    held = account.score
    scale = None if held is None else load_scale(account.ref.city_id, held.scale_version)
    return rules.me(account, caller.tenant, scale, now)


def live_consents(now: datetime, caller: Caller) -> tuple[Consent, ...]:
    """A citizen's own live consents. Raises: NotFound: no account."""
    return consents_of(_own(caller).live_consents(now))


def _own(caller: Caller) -> Account:
    return require_account(store.load_account(own_account(caller)))


def who_looked(ref: AccountRef, limit: int, after: str | None) -> tuple[list[MyLook], str | None]:
    """One page of what was done with a citizen's account, newest first, and the position to go on after."""
    subject = store.account_pk(ref)
    looks, last = effect.of_subject(subject, limit, _position(subject, after))
    return [_my_look(look) for look in looks], None if last is None else last["gsi1sk"]["S"]


def _position(subject: str, after: str | None) -> dict[str, Any] | None:
    """Where the index goes on, from the only part of it that a cursor need carry."""
    if after is None:
        return None
    key = effect.key_of(after.partition("#")[2])
    place = {"gsi1pk": subject, "gsi1sk": after, "pk": key.pk, "sk": key.sk}
    return {name: {"S": value} for name, value in place.items()}


def _my_look(look: effect.Look) -> MyLook:
    city_id = effect.city_of(look.effect_id)
    words = words_for(look.purpose, look.actor, look.tenant)
    scenario = scenario_in(look.purpose)
    return MyLook(look.effect_id, city_id, look.actor, look.tenant, look.at, look.purpose, scenario, words)
