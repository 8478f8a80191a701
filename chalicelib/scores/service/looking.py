"""Scores are looked at: by the person, who always may, and by the person's city, which leaves a trace each time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.cities import store as cities
from chalicelib.cities.rules import Control, Grade, Scale
from chalicelib.core import effect, ids, table
from chalicelib.core.auth import Caller
from chalicelib.core.commit import Unit
from chalicelib.linking.rules import LinkNotNumeric, beats_bp
from chalicelib.linking.store import load_published
from chalicelib.scores import store
from chalicelib.scores.rules import ScoreMissing
from chalicelib.scores.service.reporting import ref_of
from chalicelib.subjects.rules import AccountRef, HeldScore, require_account
from chalicelib.subjects.store import account_in, account_key, account_pk


@dataclass(frozen=True, slots=True)
class Shown:
    """A score as it is shown.

    Args:
        grade: Its grade on its own version of the scale; None where the scale has no grades.
        beats_bp: The share of the city's people with a worse score, in basis points rounded down, by the
            distribution in force; None where there is none for this version of the scale, or no numeric one.
    """

    score: int
    grade: Grade | None
    as_of: datetime
    revision: int
    scale_version: int
    beats_bp: int | None


@dataclass(frozen=True, slots=True)
class ShownMonth:
    """The latest score of a month, as it is shown."""

    month: str
    score: int
    grade: Grade | None
    as_of: datetime
    revision: int
    scale_version: int


Page = tuple[list[ShownMonth], str | None]


def score_of(city_id: str, subject_id: str) -> Shown:
    """A person's own score. Raises: NotFound: no open account; ScoreMissing; in this order."""
    control, _, held = _held(city_id, subject_id)
    if held is None:
        raise ScoreMissing
    scale = cities.load_scale(city_id, held.scale_version)
    return Shown(
        held.score,
        scale.grade_of(held.score),
        held.as_of,
        held.revision,
        held.scale_version,
        _beats_bp(control, scale, held),
    )


def history_of(city_id: str, subject_id: str, limit: int, after: str | None) -> Page:
    """One page of a person's own history, newest month first. Raises: NotFound."""
    _, ref, _ = _held(city_id, subject_id)
    found, last = store.list_months(ref, limit, after)
    return [_month(city_id, month, score) for month, score in found], last


def look(unit: Unit, caller: Caller, now: datetime, subject_id: str) -> Shown:
    """A city looks at a score. The look is written down before the score is given. Raises: as ``score_of``."""
    shown = score_of(caller.city_id, subject_id)
    _leave_trace(unit, caller, now, subject_id, "score")
    return shown


def look_at_history(unit: Unit, caller: Caller, now: datetime, subject_id: str, limit: int, after: str | None) -> Page:
    """A city looks at a history. The look is written down before anything is given. Raises: NotFound."""
    page = history_of(caller.city_id, subject_id, limit, after)
    _leave_trace(unit, caller, now, subject_id, "score-history")
    return page


def _held(city_id: str, subject_id: str) -> tuple[Control, AccountRef, HeldScore | None]:
    """What an account holds, by the id its own city and its own person know it by. Raises: NotFound."""
    ref = ref_of(city_id, subject_id)
    known = [account_key(ref)] if ref is not None else []
    rows = table.fetch([cities.control_key(city_id), *known])
    account = require_account(account_in(rows, ref) if ref is not None else None)
    return cities.control_in(rows, city_id), account.ref, account.score


def _month(city_id: str, month: str, held: HeldScore) -> ShownMonth:
    scale = cities.load_scale(city_id, held.scale_version)
    return ShownMonth(month, held.score, scale.grade_of(held.score), held.as_of, held.revision, held.scale_version)


def _beats_bp(control: Control, scale: Scale, held: HeldScore) -> int | None:
    """Where the score stands in the distribution in force, which belongs to the city's present scale."""
    if control.concordance_version is None or control.scale_version != held.scale_version:
        return None
    try:
        return beats_bp(load_published(control.city_id, control.concordance_version), scale, held.score)
    except LinkNotNumeric:
        return None


def _leave_trace(unit: Unit, caller: Caller, now: datetime, subject_id: str, what: str) -> None:
    ref = ref_of(caller.city_id, subject_id)
    assert ref is not None, "what was shown belongs to somebody"
    intent = effect.intend(
        caller.city_id, caller.kind, caller.tenant, f"look {what}", ids.new("look"), None, person=caller.person
    )
    unit.effect(effect.row(intent, now, purpose=f"look-at-{what}", facts={}, reply={}, subject=account_pk(ref)))
    unit.commit()
