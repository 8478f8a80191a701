"""Human review: somebody contests a refusal or a limit, and a person decides.

    open ── uphold, correct (the bank) ──▶ upheld, corrected
    open ── forward ──▶ forwarded ── uphold (the person's city: the score stands) ──▶ upheld
                        forwarded ── return (the city has seen to the score) ──▶ open, once
    open, forwarded ── withdraw (the person) ──▶ withdrawn

A look that was contested and answered may be contested once more, and whoever answered first does not answer then; the
limit as it is now may be contested whenever no such review is open. Another look is another matter. What is reviewed is
kept with the review: the decision as of the request, and the one that is contested.

Source: PIPL art. 24 (whoever is decided about by automated means may demand an explanation and refuse to be decided
about by these alone).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Literal

from chalicelib.core.errors import Forbidden, Problem
from chalicelib.core.text import Text
from chalicelib.medical.rules.kept import Kept
from chalicelib.subjects.rules import AccountRef

ReviewState = Literal["open", "forwarded", "upheld", "corrected", "withdrawn"]
BankMove = Literal["uphold", "correct", "forward"]
CityMove = Literal["uphold", "return"]

MOST_OPEN = 3
MOST_REMEMBERED = 40
LAST_INSTANCE = 2
MOST_A_DAY = 6
_NOW = ""
WAITING: frozenset[ReviewState] = frozenset({"open", "forwarded"})

REVIEW_STATES: Mapping[ReviewState, Text] = {
    "open": Text("待银行复核", "waits for the bank's reviewer"),
    "forwarded": Text("已转本人所在城市复核信用分", "waits for the person's city, which looks at the score"),
    "upheld": Text("维持原决定", "the decision stands"),
    "corrected": Text("已更正，给予例外额度", "corrected by an exceptional limit"),
    "withdrawn": Text("本人已撤回", "withdrawn by the person"),
}


class LookNotContestable(Problem):
    code = "look-not-contestable"
    status = 422
    title = Text(
        "这不是该银行额度对您本人的一次查询或决定",
        "This is no look at you for a limit of this bank",
    )


class ReviewOpenAlready(Problem):
    code = "credit-review-open"
    status = 409
    title = Text("对此已有一份待答复的复核申请", "A review of this waits for an answer already")


class ReviewsFull(Problem):
    code = "credit-reviews-full"
    status = 409
    title = Text(
        "待答复的复核申请过多，请等待答复或先撤回一些",
        "Too many of your reviews wait for an answer; wait, or withdraw some",
    )


class ReviewFinal(Problem):
    code = "credit-review-final"
    status = 409
    title = Text("对此已由两位复核人先后答复", "Two reviewers have answered this, one after the other")


class ReviewStateConflict(Problem):
    code = "credit-review-state"
    status = 409
    title = Text("复核申请当前状态不允许此操作", "The review's present state does not allow this")


class ReviewForbidden(Forbidden):
    code = "credit-review-forbidden"
    title = Text("只有复核岗位人员可以处理复核申请", "Only staff with the role of a reviewer may see to reviews")


class ReviewBySameReviewer(Problem):
    code = "credit-review-same-reviewer"
    status = 403
    title = Text("前次答复的复核人不能再次作出决定", "Whoever answered the first time does not decide again")


class ReviewsADay(Problem):
    code = "credit-reviews-a-day"
    status = 429
    title = Text(
        "今日对该银行申请复核的次数已满，请明日再申请",
        "You have asked for as many reviews with this bank as one may on a day; ask again tomorrow",
    )


@dataclass(frozen=True, slots=True)
class Deadline:
    """Within how many days a review is answered that is asked for from ``from_day`` on, until the next rule."""

    from_day: date
    answer_days: int
    source: str
    illustrative: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """How a review was decided; ``limit_fen`` and ``until`` (its first day without) where a limit was given."""

    outcome: Literal["upheld", "corrected"]
    by: Literal["bank", "city"]
    reason: Text
    at: datetime
    effect_id: str
    limit_fen: int | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Contested:
    """The look that is contested. ``told``: the bank itself had asked, and got the answer then."""

    effect_id: str
    kept: Kept
    told: bool


@dataclass(frozen=True, slots=True)
class Review:
    """One review. ``now`` is the decision as of the request; ``not_by`` has whoever answered the first time, sealed."""

    review_id: str
    city_id: str
    bank_id: str
    ref: AccountRef
    words: str
    asked_at: datetime
    answer_by: date
    instance: int
    not_by: str | None
    now: Kept
    contested: Contested | None = None
    state: ReviewState = "open"
    city_reason: Text | None = None
    answer: Answer | None = None
    revision: int = 0

    @property
    def matter(self) -> str:
        """What tells one contested thing from another."""
        return _NOW if self.contested is None else self.contested.effect_id

    def overdue(self, on: date) -> bool:
        """Whether it waits for an answer still after its last day."""
        return self.state in WAITING and on > self.answer_by


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered, by whom (sealed), and how often that makes."""

    matter: str
    by: str
    instance: int


@dataclass(frozen=True, slots=True)
class Register:
    """A person's reviews with a bank: those that wait, by id, with their matters; and the last that were answered.

    ``asked`` is how many were asked for on the day ``asked_on``, whatever became of them.
    """

    city_id: str
    bank_id: str
    person_id: str
    waiting: Mapping[str, str] = field(default_factory=dict)
    answered: tuple[Answered, ...] = ()
    asked_on: date | None = None
    asked: int = 0
    revision: int = 0

    def asked_by(self, on: date) -> int:
        """How many reviews were asked for on a day; the last day counts if a clock goes back."""
        return self.asked if self.asked_on is not None and on <= self.asked_on else 0


def answer_day(deadlines: Iterable[Deadline], on: date) -> date:
    """The last day on which an answer to a review that is asked for on this day is in time."""
    rule = max((one for one in deadlines if one.from_day <= on), key=lambda one: one.from_day)
    return on + timedelta(days=rule.answer_days)


def admitted(register: Register, matter: str | None, on: date) -> tuple[int, str | None]:
    """Which instance a further review would be that is asked for on this day, and who may not answer it.

    Raises: ReviewOpenAlready; ReviewFinal: a look that was answered twice; ReviewsFull; ReviewsADay; in this order.
    """
    matter = matter or _NOW
    if matter in register.waiting.values():
        raise ReviewOpenAlready
    before = next((one for one in reversed(register.answered) if one.matter == matter), None)
    if before is not None and matter != _NOW and before.instance >= LAST_INSTANCE:
        raise ReviewFinal
    if len(register.waiting) >= MOST_OPEN:
        raise ReviewsFull
    if register.asked_by(on) >= MOST_A_DAY:
        raise ReviewsADay
    return (1, None) if before is None else (before.instance + 1, before.by)


def entered(register: Register, review: Review, on: date) -> Register:
    """The register with a review that was asked for on this day and waits now."""
    waiting, asked = {**register.waiting, review.review_id: review.matter}, register.asked_by(on) + 1
    return replace(register, waiting=waiting, asked_on=max(on, register.asked_on or on), asked=asked)


def crossed_out(register: Register, review: Review, by: str | None) -> Register:
    """The register without a review that waits no more: answered by somebody, or by nobody."""
    waiting = {key: matter for key, matter in register.waiting.items() if key != review.review_id}
    answered = register.answered if by is None else (*register.answered, Answered(review.matter, by, review.instance))
    return replace(register, waiting=waiting, answered=answered[-MOST_REMEMBERED:])


def withdrawn(review: Review) -> Review:
    """The review after its person took it back. Raises: ReviewStateConflict."""
    _require(review, WAITING)
    return replace(review, state="withdrawn")


def forwarded(review: Review) -> Review:
    """The review handed to the person's city. Raises: ReviewStateConflict: also where the city has seen it already."""
    _require(review, frozenset({"open"}))
    if review.city_reason is not None:
        raise ReviewStateConflict(Text("该城市已复核过信用分", "The city has looked at the score already"))
    return replace(review, state="forwarded")


def returned(review: Review, reason: Text) -> Review:
    """The review back with the bank, after its person's city has seen to the score. Raises: ReviewStateConflict."""
    _require(review, frozenset({"forwarded"}))
    return replace(review, state="open", city_reason=reason)


def decided_by(review: Review, answer: Answer, by: str) -> Review:
    """The review as somebody has answered it. Raises: ReviewStateConflict; ReviewBySameReviewer; in this order."""
    _require(review, frozenset({"open" if answer.by == "bank" else "forwarded"}))
    if by == review.not_by:
        raise ReviewBySameReviewer
    return replace(review, state=answer.outcome, answer=answer)


def _require(review: Review, states: frozenset[ReviewState]) -> None:
    if review.state not in states:
        at = REVIEW_STATES[review.state]
        said = Text("复核申请现为“{zh}”，不能这样做", "The review is at “{en}” now, so this cannot be done")
        raise ReviewStateConflict(said.format(zh=at.zh, en=at.en))
