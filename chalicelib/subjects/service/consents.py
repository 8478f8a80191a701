"""Consents: granted with a face check, withdrawn without one; each is an effect that is its own evidence."""

from __future__ import annotations

from datetime import datetime

from chalicelib.cities.store import control_key
from chalicelib.core import codec, effect, table
from chalicelib.core.auth import Caller
from chalicelib.core.commit import Unit
from chalicelib.core.effect import Effect, EffectRow, Intent
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.table import Key, Row
from chalicelib.core.text import Text
from chalicelib.subjects import rules, store
from chalicelib.subjects.rules import (
    AccountRef,
    Consent,
    ConsentDraft,
    ConsentEvidence,
    ConsentFacts,
    ConsentInvalid,
    Withdrawn,
    city_of_scenario,
    recipient_of,
    require_account,
)
from chalicelib.subjects.service.accounts import own_account
from chalicelib.subjects.service.recipients import active_control, recipient_keys, require_recipient

_GRANT = "grant-consent"


def grant(unit: Unit, intent: Intent, now: datetime, caller: Caller, draft: ConsentDraft) -> Consent:
    """Records a citizen's consent; one that stands for the same scenario and recipient is replaced.

    Raises: NotFound: no account; RecipientUnknown; ConsentInvalid; ConsentsFull; Conflict: the account has changed.
    """
    ref, recipient, city_id = own_account(caller), recipient_of(draft.recipient), city_of_scenario(draft.scenario)
    rows = table.fetch({store.account_key(ref), control_key(city_id), *recipient_keys(recipient)})
    account = require_account(store.account_in(rows, ref))
    require_recipient(rows, recipient)
    if active_control(rows, city_id) is None:
        said = Text("该场景所在的城市未加入联盟或已暂停", "The scenario's city is not in the alliance, or suspended")
        raise ConsentInvalid.at("/scenario", said)
    changed, consent = rules.grant(account, draft, intent.effect_id, now)
    store.update_guarded(unit, changed, Conflict)
    facts = ConsentFacts(
        consent.grant_id, draft.scenario, draft.recipient, draft.purpose, consent.items, draft.expires_at
    )
    subject = store.account_pk(ref)
    unit.effect(effect.row(intent, now, purpose=_GRANT, facts=facts, reply=consent, subject=subject))
    unit.commit()
    return consent


def withdraw(unit: Unit, intent: Intent, now: datetime, caller: Caller, grant_id: str) -> Withdrawn:
    """Takes a consent back, from the very next request on; once more for one that has ended already changes nothing.

    Raises: NotFound: no consent that this citizen ever gave; Conflict: the account has changed meanwhile.
    """
    ref = own_account(caller)
    rows = table.fetch([store.account_key(ref), effect.key_of(grant_id)])
    account = require_account(store.account_in(rows, ref))
    _granted(rows, ref, grant_id)
    changed = rules.withdraw(account, grant_id, now)
    if changed is account:
        store.check_guard(unit, account, Conflict)
    else:
        store.update_guarded(unit, changed, Conflict)
    reply, subject = Withdrawn(grant_id, now), store.account_pk(ref)
    facts = {"grant_id": grant_id}
    unit.effect(effect.row(intent, now, purpose="withdraw-consent", facts=facts, reply=reply, subject=subject))
    unit.commit()
    return reply


def evidence(now: datetime, caller: Caller, grant_id: str) -> ConsentEvidence:
    """What was recorded when a citizen gave a consent, and what has become of it.

    Raises: NotFound: no consent that this citizen ever gave.
    """
    ref = own_account(caller)
    rows = table.fetch([store.account_key(ref), effect.key_of(grant_id)])
    account = require_account(store.account_in(rows, ref))
    granted = _granted(rows, ref, grant_id)
    return rules.evidence_of(account, codec.from_json(ConsentFacts, granted.facts), granted.at, now)


def _granted(rows: dict[Key, Row], ref: AccountRef, grant_id: str) -> Effect:
    """The effect by which this very person gave a consent. Raises: NotFound: anything else, all alike."""
    row = rows.get(effect.key_of(grant_id))
    granted = effect.read(row) if isinstance(row, EffectRow) else None
    if granted is None or granted.subject != store.account_pk(ref) or granted.purpose != _GRANT:
        raise NotFound
    return granted
