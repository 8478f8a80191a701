"""What an effect keeps of a limit, worked out again: for a review, and for an auditor."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from chalicelib.core import codec, effect
from chalicelib.core.commit import Unit
from chalicelib.core.effect import Effect, Intent
from chalicelib.core.errors import NotFound
from chalicelib.medical import store
from chalicelib.medical.rules import limit_of
from chalicelib.medical.rules.heads import digest_of
from chalicelib.medical.rules.kept import Kept
from chalicelib.medical.rules.review_views import Worked
from chalicelib.medical.service.pulling import PURPOSE as PULLED
from chalicelib.scenarios.rules import AuditorView, Basis, digest, explain
from chalicelib.scenarios.service.grounds import decided

_NAMES = frozenset({"bank_id", "policy_version", "policy_sha256", "basis", "trace_sha256"})


@dataclass(frozen=True, slots=True)
class CreditReplay:
    """A limit worked out again. ``same``: the policy and the decision's trace have the same bytes, and so much was told
    then.

    ``limit_fen`` is what the policy gives by the decision, None if it gives nothing; an exceptional limit is not in it.
    """

    effect_id: str
    at: datetime
    asked_by: str
    purpose: str
    bank_id: str
    same: bool
    stored_sha256: str
    policy_version: int
    limit_fen: int | None
    capped: bool
    suspended: bool
    basis: Basis
    decision: AuditorView


def kept_in(stored: Effect) -> Kept | None:
    """What an effect keeps of a bank's limit; None of any other effect."""
    facts = json.loads(stored.facts)
    part = facts.get("kept", facts) if isinstance(facts, dict) else None
    if not (isinstance(part, dict) and part.keys() >= _NAMES):
        return None
    return codec.build(Kept, {name: part[name] for name in _NAMES})


def worked(kept: Kept, effect_id: str | None = None) -> Worked:
    """A kept decision, from immutable versions only, so the same on any day."""
    policy = store.load_version(kept.basis.city_id, kept.bank_id, kept.policy_version)
    return Worked(effect_id, kept, policy, decided(kept.basis))


def replay(unit: Unit, intent: Intent, now: datetime, effect_id: str) -> CreditReplay:
    """Works the limit of a pull, an opening or a hold out again; the auditor's look is recorded like any other.

    Raises: NotFound: no such effect, or it keeps no limit.
    """
    stored = effect.load(effect_id)
    kept = kept_in(stored)
    if kept is None:
        raise NotFound
    again = worked(kept)
    limit = limit_of(again.policy, again.decision)
    replayed = CreditReplay(
        effect_id=effect_id,
        at=stored.at,
        asked_by=f"{stored.actor}:{stored.tenant}" if stored.actor != "citizen" else "citizen",
        purpose=stored.purpose,
        bank_id=kept.bank_id,
        same=_kept_again(again) and _told_again(stored, limit.fen),
        stored_sha256=kept.trace_sha256,
        policy_version=kept.policy_version,
        limit_fen=limit.fen,
        capped=limit.capped,
        suspended=limit.suspended,
        basis=kept.basis,
        decision=explain(again.decision, "auditor"),
    )
    facts = {"effect_id": effect_id}
    unit.effect(effect.row(intent, now, purpose="replay", facts=facts, reply=replayed, subject=stored.subject))
    unit.commit()
    return replayed


def _kept_again(again: Worked) -> bool:
    """Whether the policy and the decision are those that were kept, byte for byte."""
    kept = again.kept
    return (digest_of(again.policy), digest(again.decision)) == (kept.policy_sha256, kept.trace_sha256)


def _told_again(stored: Effect, limit_fen: int | None) -> bool:
    """Whether the reply told this limit. A batch's own effect is that of the first who was answered; a hold's tells
    no limit."""
    told = json.loads(stored.reply)
    if stored.purpose.startswith(PULLED) and "items" in told:
        told = next(item["limit"] for item in told["items"] if item["limit"] is not None)
    return bool(told.get("granted_fen", limit_fen) == limit_fen)
