"""A person contests a refusal or a limit: asks for a review, reads his own, takes one back.

Nobody needs the bank's consent for it, nor gives one by it: what the bank may read of the review goes by the consents
there are. See ``docs/decisions/medical-human-review.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import NamedTuple

from chalicelib.cities import store as cities
from chalicelib.core import clock, effect, table
from chalicelib.core.auth import Caller
from chalicelib.core.commit import Unit, looking_again
from chalicelib.core.effect import EffectRow, Intent
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.table import Key, Row
from chalicelib.core.text import Text
from chalicelib.medical.rules import LineExists, reviews
from chalicelib.medical.rules.review_views import OwnReview, ReviewBrief, ReviewMoved, brief, moved_view, own_view
from chalicelib.medical.rules.reviews import Contested, LookNotContestable, Review
from chalicelib.medical.service.grounds import Ground, judge, kept, read_ground
from chalicelib.medical.service.receipts import kept_in, worked
from chalicelib.medical.store import reviews as store
from chalicelib.subjects import service as subjects
from chalicelib.subjects import store as accounts
from chalicelib.subjects.rules import AccountRef, require_account

ASKED = "ask-review"
# A re-grading from the stream is the bank's effect too, but no bank was told of it.
_ASKED_BY_BANKS = frozenset({"pull-limit", "open-line", "relimit-line"})
_BY_ANOTHER = Text(
    "本人在该银行的额度以另一城市的账户开通，请以该账户申请复核",
    "The line with this bank was opened by your account in another city; contest it from there",
)


class Complaint(NamedTuple):
    """What is contested: a look at the person for this bank, or (None) the limit as it is now; and why."""

    city_id: str
    bank_id: str
    effect_id: str | None
    words: str


def ask(unit: Unit, intent: Intent, now: datetime, caller: Caller, complaint: Complaint) -> OwnReview:
    """Asks for a review; the decision as of now is kept with it, and what the look kept that is contested.

    Raises: NotFound: no such city; CitySuspended; PartnerSuspended; PolicyNotInForce; NotFound: no account;
        RecipientNotNamed; LineExists: by another account of his; LookNotContestable; ReviewOpenAlready; ReviewFinal;
        ReviewsFull; ReviewsADay; Conflict; in this order.
    """
    ref = subjects.own_account(caller)
    return looking_again(unit, lambda fresh: _ask_once(fresh, intent, now, ref, complaint))


def _ask_once(unit: Unit, intent: Intent, now: datetime, ref: AccountRef, complaint: Complaint) -> OwnReview:
    bank, effect_id = (complaint.city_id, complaint.bank_id), complaint.effect_id
    more = [store.register_key(*bank, ref.person_id), *([] if effect_id is None else [effect.key_of(effect_id)])]
    ground = read_ground(*bank, [ref], now, more)
    account = require_account(ground.account(ref))
    facts = kept(ground, judge(ground, account, ["bank"], now))
    _require_own_line(ground, ref)
    contested = None if effect_id is None else _contested(ground, ref, effect_id)
    register = store.register_in(ground.rows, *bank, ref.person_id)
    instance, not_by = reviews.admitted(register, effect_id, ground.today)
    review_id = f"{complaint.city_id}.{intent.effect_id.partition('.')[2]}"
    answer_by = reviews.answer_day(store.deadlines(), ground.today)
    review = Review(review_id, *bank, ref, complaint.words, now, answer_by, instance, not_by, facts, contested)
    accounts.check_guard(unit, account, Conflict)
    store.save_review(unit, review)
    store.save_register(unit, reviews.entered(register, review, ground.today))
    reply, subject = _own(review, ground.today), accounts.account_pk(ref)
    recorded = {"v": 1, "review_id": review_id, "bank_id": complaint.bank_id, "contested": effect_id, "kept": facts}
    unit.effect(effect.row(intent, now, purpose=ASKED, facts=recorded, reply=reply, subject=subject))
    unit.commit()
    return reply


def _require_own_line(ground: Ground, ref: AccountRef) -> None:
    """Returns if an answer could bear on the person's line. Raises: LineExists: by another account of his."""
    seen = ground.anybodys_credit(ref)
    if seen is not None and seen.ref != ref:
        raise LineExists(_BY_ANOTHER)


def _contested(ground: Ground, ref: AccountRef, effect_id: str) -> Contested:
    """The look that is contested. Raises: LookNotContestable: not at this person, or not for this bank's limit."""
    row = ground.rows.get(effect.key_of(effect_id))
    stored = effect.read(row) if isinstance(row, EffectRow) else None
    facts = None if stored is None or stored.subject != accounts.account_pk(ref) else kept_in(stored)
    if stored is None or facts is None or stored.purpose == ASKED:
        raise LookNotContestable.at("/effect_id", LookNotContestable.title)
    if (facts.basis.city_id, facts.bank_id) != (ground.host.city_id, ground.bank_id):
        raise LookNotContestable.at("/effect_id", LookNotContestable.title)
    told = stored.actor == "bank" and stored.purpose.partition(":")[0] in _ASKED_BY_BANKS
    return Contested(effect_id, facts, told)


def withdraw(unit: Unit, intent: Intent, now: datetime, caller: Caller, review_id: str) -> ReviewMoved:
    """Takes one's own review back. Raises: NotFound; ReviewStateConflict: it waits no more; Conflict; in this order."""
    ref = subjects.own_account(caller)
    return looking_again(unit, lambda fresh: _withdraw_once(fresh, intent, now, ref, review_id))


def _withdraw_once(unit: Unit, intent: Intent, now: datetime, ref: AccountRef, review_id: str) -> ReviewMoved:
    review = _mine(table.fetch([store.review_key(review_id)]), ref, review_id)
    after = reviews.withdrawn(review)
    cross_out(unit, review, None)
    return record(unit, intent, now, after, "withdraw-review")


def cross_out(unit: Unit, review: Review, by: str | None) -> None:
    """Takes a review that waits no more out of its person's register."""
    of = review.city_id, review.bank_id, review.ref.person_id
    register = store.register_in(table.fetch([store.register_key(*of)]), *of)
    store.save_register(unit, reviews.crossed_out(register, review, by))


def record(unit: Unit, intent: Intent, now: datetime, after: Review, purpose: str, **more: object) -> ReviewMoved:
    """Commits a review's move, which its person finds among the looks at him."""
    store.save_review(unit, after)
    reply = moved_view(after)
    facts = {"v": 1, "review_id": after.review_id, "bank_id": after.bank_id, **more}
    subject = accounts.account_pk(after.ref)
    unit.effect(effect.row(intent, now, purpose=purpose, facts=facts, reply=reply, subject=subject))
    unit.commit()
    return reply


def list_own(now: datetime, ref: AccountRef, limit: int, after: str | None) -> tuple[list[ReviewBrief], str | None]:
    """One page of a person's own reviews, newest first."""
    found, last, rows = store.list_own(ref, limit, after)
    return [brief(review, today_of(rows, review, now)) for review in found], last


def read_own(now: datetime, ref: AccountRef, review_id: str) -> OwnReview:
    """One of a person's own reviews, with the whole trace. Raises: NotFound."""
    rows = table.fetch([store.review_key(review_id), cities.control_key(review_id.partition(".")[0])])
    review = _mine(rows, ref, review_id)
    return _own(review, today_of(rows, review, now))


def today_of(rows: dict[Key, Row], review: Review, now: datetime) -> date:
    """The day in the city of a review's bank, whose control item is among the rows."""
    return clock.day_in(cities.control_in(rows, review.city_id).time_zone, now)


def _mine(rows: Mapping[Key, Row], ref: AccountRef, review_id: str) -> Review:
    review = store.review_in(rows, review_id)
    if review.ref != ref:
        raise NotFound
    return review


def _own(review: Review, on: date) -> OwnReview:
    contested = review.contested
    seen = None if contested is None else worked(contested.kept, contested.effect_id)
    return own_view(review, worked(review.now), seen, on)
