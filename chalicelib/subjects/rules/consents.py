"""Giving and taking back a consent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.core.errors import Problem
from chalicelib.core.text import Text
from chalicelib.subjects.rules.account import MAX_CONSENTS, Account, ConsentBrief, ConsentItem, consent_key

LONGEST_CONSENT = timedelta(days=366)
WORDING_VERSION = 1

ConsentState = Literal["live", "expired", "ended"]


class ConsentInvalid(Problem):
    code = "consent-invalid"
    status = 422
    title = Text("授权内容有误", "The consent is not well defined")


class ConsentsFull(Problem):
    code = "consents-full"
    status = 409
    title = Text("有效授权已达上限，请先撤回一些", "There are too many live consents; withdraw some first")


@dataclass(frozen=True, slots=True)
class ConsentDraft:
    """What a citizen consents to: this recipient may learn these items for this scenario, until then.

    ``purpose`` is the sentence he was shown; it stays with the evidence, not with the account.
    """

    scenario: str
    recipient: str
    purpose: Text
    items: tuple[ConsentItem, ...]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Consent:
    """A live consent, as the citizen sees it."""

    grant_id: str
    scenario: str
    recipient: str
    items: tuple[ConsentItem, ...]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A consent that was taken back."""

    grant_id: str
    withdrawn_at: datetime


@dataclass(frozen=True, slots=True)
class ConsentFacts:
    """What the evidence of a consent says, beside its time and its author. Source: PIPL art. 14, 17, 23."""

    grant_id: str
    scenario: str
    recipient: str
    purpose: Text
    items: tuple[ConsentItem, ...]
    expires_at: datetime
    wording_version: int = WORDING_VERSION
    authenticated: Literal["face"] = "face"


@dataclass(frozen=True, slots=True)
class ConsentEvidence:
    """The evidence of one's own consent, and what has become of it."""

    grant_id: str
    scenario: str
    recipient: str
    purpose: Text
    items: tuple[ConsentItem, ...]
    expires_at: datetime
    wording_version: int
    authenticated: Literal["face"]
    granted_at: datetime
    state: ConsentState


def grant(account: Account, draft: ConsentDraft, grant_id: str, now: datetime) -> tuple[Account, Consent]:
    """The account with one more consent (or one renewed: same scenario, same recipient), and that consent.

    Consents that have expired are dropped.
    Raises: ConsentInvalid: it ends now or before, or more than ``LONGEST_CONSENT`` ahead; ConsentsFull.
    """
    if not now < draft.expires_at <= now + LONGEST_CONSENT:
        said = Text("到期时间须晚于现在且不超过一年", "It ends after now and within a year")
        raise ConsentInvalid.at("/expires_at", said)
    key = consent_key(draft.scenario, draft.recipient)
    kept = account.live_consents(now)
    if key not in kept and len(kept) >= MAX_CONSENTS:
        raise ConsentsFull
    brief = ConsentBrief(grant_id, draft.expires_at, in_order(draft.items))
    return replace(account, consents={**kept, key: brief}), consent_of(key, brief)


def withdraw(account: Account, grant_id: str, now: datetime) -> Account:
    """The account without this consent and without expired ones; the same account if there is none to drop.

    Source: PIPL art. 15: withdrawing is as easy as granting.
    """
    kept = {key: brief for key, brief in account.live_consents(now).items() if brief.grant_id != grant_id}
    return account if len(kept) == len(account.consents) else replace(account, consents=kept)


def consent_of(key: str, brief: ConsentBrief) -> Consent:
    """The consent that an account's brief stands for."""
    scenario, _, recipient = key.partition(">")
    return Consent(brief.grant_id, scenario, recipient, brief.items, brief.expires_at)


def consents_of(consents: Mapping[str, ConsentBrief]) -> tuple[Consent, ...]:
    """These consents in the order of their keys."""
    return tuple(consent_of(key, consents[key]) for key in sorted(consents))


def evidence_of(account: Account, facts: ConsentFacts, granted_at: datetime, now: datetime) -> ConsentEvidence:
    """What a consent's evidence says today: one that is no longer in the account has ended or expired."""
    held = any(brief.grant_id == facts.grant_id for brief in account.live_consents(now).values())
    state: ConsentState = "live" if held else "expired" if facts.expires_at <= now else "ended"
    return ConsentEvidence(
        facts.grant_id,
        facts.scenario,
        facts.recipient,
        facts.purpose,
        facts.items,
        facts.expires_at,
        facts.wording_version,
        facts.authenticated,
        granted_at,
        state,
    )


def in_order(items: tuple[ConsentItem, ...]) -> tuple[ConsentItem, ...]:
    """The items in one order, each once."""
    order: tuple[ConsentItem, ...] = ("decision", "grade", "score")
    return tuple(item for item in order if item in items)
