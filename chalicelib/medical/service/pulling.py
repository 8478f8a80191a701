"""A bank pulls limits: of one person, or of up to fifty at once, each answered by himself.

Every person who is looked at gets an effect of his own, so that he finds the look among his own. The first one's is the
request's own as well and keeps the whole reply, because fifty people fill a transaction: see
``docs/decisions/medical-fifty-pulls-in-one-write.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.core import effect
from chalicelib.core.auth import Caller
from chalicelib.core.commit import Unit, looking_again
from chalicelib.core.effect import Intent
from chalicelib.core.errors import Conflict, Problem
from chalicelib.core.text import Text
from chalicelib.medical.rules.line_views import LimitView, limit_view
from chalicelib.medical.service.grounds import (
    Ground,
    Judged,
    bank_of,
    consenting,
    judge,
    kept,
    meant,
    read_ground,
    term_over,
)
from chalicelib.subjects import service as subjects
from chalicelib.subjects import store as accounts
from chalicelib.subjects.rules import AccountRef, ConsentRequired

PURPOSE = "pull-limit"


@dataclass(frozen=True, slots=True)
class WhyNot:
    """Why somebody's limit is not told."""

    code: str
    said: Text


@dataclass(frozen=True, slots=True)
class Pull:
    """What is told of the person at this place in the request: a limit, or why not."""

    position: int
    limit: LimitView | None
    refused: WhyNot | None


@dataclass(frozen=True, slots=True)
class Pulls:
    """What is told of many people, in the order in which they were named."""

    items: tuple[Pull, ...]


@dataclass(frozen=True, slots=True)
class _Looked:
    judged: Judged
    view: LimitView


def pull(unit: Unit, intent: Intent, now: datetime, caller: Caller, subject_id: str) -> LimitView:
    """Tells a bank one person's limit and what of it is used, and records that it looked.

    Raises: CitySuspended; PartnerSuspended; PolicyNotInForce; ConsentRequired: none that is live, a foreign or unknown
        person; RecipientNotNamed; Conflict; in this order.
    """
    ref = meant(caller, subject_id)
    return looking_again(unit, lambda fresh: _pull_once(fresh, intent, now, caller, ref))


def _pull_once(unit: Unit, intent: Intent, now: datetime, caller: Caller, ref: AccountRef | None) -> LimitView:
    ground = read_ground(*bank_of(caller), [] if ref is None else [ref], now)
    looked = _look(ground, ref, now)
    _record(unit, intent, now, ground, looked, looked.view)
    unit.commit()
    return looked.view


def pull_many(unit: Unit, intent: Intent, now: datetime, caller: Caller, subject_ids: Sequence[str]) -> Pulls:
    """Tells a bank the limits of up to fifty people, or of each why not, and records every look.

    Raises: CitySuspended; PartnerSuspended; PolicyNotInForce; RecipientNotNamed; Conflict; in this order.
    """
    refs = [meant(caller, subject_id) for subject_id in subject_ids]
    return looking_again(unit, lambda fresh: _pull_many_once(fresh, intent, now, caller, refs))


def _pull_many_once(
    unit: Unit, intent: Intent, now: datetime, caller: Caller, refs: Sequence[AccountRef | None]
) -> Pulls:
    ground = read_ground(*bank_of(caller), [ref for ref in refs if ref is not None], now)
    looked = [_look_or_not(ground, ref, now) for ref in refs]
    pulls = Pulls(tuple(_told(position, one) for position, one in enumerate(looked)))
    answered = [(position, one) for position, one in enumerate(looked) if isinstance(one, _Looked)]
    for place, (position, one) in enumerate(answered):
        if place:
            own = replace(intent, effect_id=f"{intent.effect_id}~{position}")
            _record(unit, own, now, ground, one, one.view)
        else:
            _record(unit, intent, now, ground, one, pulls)
    if not answered:
        unit.effect(effect.row(intent, now, purpose=f"{PURPOSE}:{ground.scenario}", facts={"v": 1}, reply=pulls))
    unit.commit()
    return pulls


def _look(ground: Ground, ref: AccountRef | None, now: datetime) -> _Looked:
    account = consenting(ground, ref, [ground.bank], now)
    judged = judge(ground, account, ["bank"], now)
    credit = ground.credit(account.ref)
    over = term_over(credit, ground.today)
    known_as = subjects.known_as(ground.bank, account.ref)
    view = limit_view(known_as, ground.policy, judged.limit, credit, now, judged.reasons, over=over)
    return _Looked(judged, view)


def _look_or_not(ground: Ground, ref: AccountRef | None, now: datetime) -> _Looked | Problem:
    try:
        return _look(ground, ref, now)
    except ConsentRequired as refused:
        return refused


def _told(position: int, looked: _Looked | Problem) -> Pull:
    if isinstance(looked, Problem):
        return Pull(position, None, WhyNot(looked.code, looked.detail))
    return Pull(position, looked.view, None)


def _record(
    unit: Unit, intent: Intent, now: datetime, ground: Ground, looked: _Looked, reply: LimitView | Pulls
) -> None:
    account = looked.judged.account
    accounts.check_guard(unit, account, Conflict)
    facts, subject = kept(ground, looked.judged), accounts.account_pk(account.ref)
    purpose = f"{PURPOSE}:{ground.scenario}"
    unit.effect(effect.row(intent, now, purpose=purpose, facts=facts, reply=reply, subject=subject))
