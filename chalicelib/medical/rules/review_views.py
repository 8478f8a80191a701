"""What each is told of a review: its person everything, the bank results, a reviewer of the person's city everything.

The bank is told what it was told already, and what it might be told now: no score, distance or reason for its absence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, Literal, TypeVar

from chalicelib.core.text import Text
from chalicelib.medical.rules.kept import Kept
from chalicelib.medical.rules.limits import limit_of
from chalicelib.medical.rules.policy import Policy
from chalicelib.medical.rules.rates import cost_said
from chalicelib.medical.rules.reviews import REVIEW_STATES, Answer, Review, ReviewState
from chalicelib.scenarios.rules import CitizenView, Decision, explain

_TraceT = TypeVar("_TraceT")
_SAID: Mapping[str, Text] = {
    "tier_reached": Text("达到了所列档次", "The tier that is named was reached"),
    "no_tier_reached": Text("没有达到给予额度的档次", "No tier that gives a limit was reached"),
    "not_in_force": Text("该场景规则当日未生效", "The scenario's table was not in force on that day"),
    "no_area_for_district": Text("该区不适用此场景", "The scenario does not hold in that district"),
    "district_needed": Text("该场景须注明所在区", "The scenario asks for a district"),
}


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a policy that bear on a limit."""

    version: int
    ceiling_fen: int
    interest_free_days: int
    term_days: int
    cost: Text


@dataclass(frozen=True, slots=True)
class Worked:
    """A kept decision, worked out again: by which policy, to what. ``effect_id`` None: the one of the request."""

    effect_id: str | None
    kept: Kept
    policy: Policy
    decision: Decision

    @property
    def limit_fen(self) -> int | None:
        """What the policy gave by it; None: nothing."""
        return limit_of(self.policy, self.decision).fen

    @property
    def terms(self) -> Terms:
        """The policy's terms."""
        one = self.policy
        return Terms(one.version, one.ceiling_fen, one.interest_free_days, one.term_days, cost_said(one))


@dataclass(frozen=True, slots=True)
class Trace:
    """What everybody is told of a decision. ``effect_id`` None: it is the one of the request."""

    effect_id: str | None
    on: date
    limit_fen: int | None
    terms: Terms


@dataclass(frozen=True, slots=True)
class OwnTrace(Trace):
    """A decision as its person reads it."""

    decision: CitizenView


@dataclass(frozen=True, slots=True)
class ReasonSaid:
    """A reason's code, and what it means."""

    code: str
    said: Text


@dataclass(frozen=True, slots=True)
class BankTrace(Trace):
    """A decision as a bank's reviewer reads it, of which he learns what a pull tells: the limit, and codes."""

    outcome: Literal["granted", "refused"]
    reasons: tuple[ReasonSaid, ...]


@dataclass(frozen=True, slots=True)
class ScoreUsed:
    """The score by which it was decided, on which version of its city's scale, as of when."""

    score: int
    scale_version: int
    as_of: datetime


@dataclass(frozen=True, slots=True)
class CityTrace(OwnTrace):
    """A decision as a reviewer of the person's own city reads it."""

    score: ScoreUsed | None


@dataclass(frozen=True, slots=True)
class ReviewBrief:
    """One line of a person's own reviews."""

    review_id: str
    city_id: str
    bank_id: str
    state: ReviewState
    said: Text
    asked_at: datetime
    answer_by: date
    overdue: bool
    instance: int


@dataclass(frozen=True, slots=True)
class QueuedReview:
    """One line of what waits for a reviewer; the person by the id by which the reviewer's institution knows him."""

    review_id: str
    bank_id: str
    subject_id: str
    state: ReviewState
    said: Text
    asked_at: datetime
    answer_by: date
    overdue: bool
    instance: int


@dataclass(frozen=True, slots=True)
class ReviewRead(ReviewBrief, Generic[_TraceT]):
    """A review with what it is about, and how it was answered."""

    words: str
    now: _TraceT
    contested: _TraceT | None
    city_reason: Text | None
    answer: Answer | None


@dataclass(frozen=True, slots=True)
class OwnReview(ReviewRead[OwnTrace]):
    """A review as its person reads it."""


@dataclass(frozen=True, slots=True)
class BankReview(ReviewRead[BankTrace | None]):
    """A review as the bank's reviewer reads it; what the bank may not be told is None."""

    subject_id: str


@dataclass(frozen=True, slots=True)
class CityReview(ReviewRead[CityTrace]):
    """A forwarded review as a reviewer of the person's own city reads it."""

    subject_id: str


@dataclass(frozen=True, slots=True)
class ReviewMoved:
    """A review after a move."""

    review_id: str
    state: ReviewState
    said: Text
    answer: Answer | None


def brief(review: Review, on: date) -> ReviewBrief:
    """One line of a person's own reviews, as of a day of the bank's city."""
    return ReviewBrief(*_brief(review, on))


def queued(review: Review, subject_id: str, on: date) -> QueuedReview:
    """One line of a reviewer's queue."""
    return QueuedReview(review.review_id, review.bank_id, subject_id, *_brief(review, on)[3:])


def own_view(review: Review, now: Worked, contested: Worked | None, on: date) -> OwnReview:
    """The review for its person."""
    traces = _own(now), None if contested is None else _own(contested)
    return OwnReview(*_brief(review, on), review.words, *traces, review.city_reason, review.answer)


def bank_view(review: Review, subject_id: str, now: Worked | None, contested: Worked | None, on: date) -> BankReview:
    """The review for the bank, with what of it the bank may be told."""
    traces = None if now is None else _for_bank(now), None if contested is None else _for_bank(contested)
    return BankReview(*_brief(review, on), review.words, *traces, review.city_reason, review.answer, subject_id)


def city_view(review: Review, subject_id: str, now: Worked, contested: Worked | None, on: date) -> CityReview:
    """The review for the person's own city."""
    traces = _for_city(now), None if contested is None else _for_city(contested)
    return CityReview(*_brief(review, on), review.words, *traces, review.city_reason, review.answer, subject_id)


def moved_view(review: Review) -> ReviewMoved:
    """Where a review stands after a move."""
    return ReviewMoved(review.review_id, review.state, REVIEW_STATES[review.state], review.answer)


def _brief(review: Review, on: date) -> tuple[str, str, str, ReviewState, Text, datetime, date, bool, int]:
    return (
        review.review_id, review.city_id, review.bank_id, review.state, REVIEW_STATES[review.state], review.asked_at,
        review.answer_by, review.overdue(on), review.instance,
    )  # fmt: skip


def _own(worked: Worked) -> OwnTrace:
    return OwnTrace(*_trace(worked), explain(worked.decision, "citizen"))


def _for_bank(worked: Worked) -> BankTrace:
    told = explain(worked.decision, "partner")
    return BankTrace(*_trace(worked), told.outcome, tuple(ReasonSaid(code, _SAID[code]) for code in told.codes))


def _for_city(worked: Worked) -> CityTrace:
    basis, score = worked.kept.basis, None
    if basis.score is not None and basis.home_scale_version is not None and basis.as_of is not None:
        score = ScoreUsed(basis.score, basis.home_scale_version, basis.as_of)
    return CityTrace(*_trace(worked), explain(worked.decision, "citizen"), score)


def _trace(worked: Worked) -> tuple[str | None, date, int | None, Terms]:
    return worked.effect_id, worked.kept.basis.on, worked.limit_fen, worked.terms
