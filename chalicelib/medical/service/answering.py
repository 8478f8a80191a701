"""Reviewers: those of a bank answer what contests its limits, those of a person's city what contests his score.

Reading a review with its trace is a look at its person, and recorded as one. What the bank reads of the decision goes
by consents: what it was told itself it may read again, anything else only while it has a live one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import NamedTuple

from chalicelib.cities import store as cities
from chalicelib.core import effect, table
from chalicelib.core.auth import Caller
from chalicelib.core.commit import Unit, looking_again
from chalicelib.core.effect import Intent
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.table import Key, Row
from chalicelib.core.text import Text
from chalicelib.medical.rules import reviews
from chalicelib.medical.rules.corrections import Correction
from chalicelib.medical.rules.kept import Kept
from chalicelib.medical.rules.review_views import (
    BankReview,
    CityReview,
    QueuedReview,
    ReviewMoved,
    bank_view,
    city_view,
    queued,
)
from chalicelib.medical.rules.reviews import Answer, BankMove, CityMove, Review, ReviewForbidden
from chalicelib.medical.service.booking import trying_shards
from chalicelib.medical.service.correcting import give
from chalicelib.medical.service.grounds import bank_of, read_ground
from chalicelib.medical.service.receipts import worked
from chalicelib.medical.service.reviewing import cross_out, record, today_of
from chalicelib.medical.store import reviews as store
from chalicelib.medical.store.reviews import Position
from chalicelib.partners import store as partners
from chalicelib.subjects import service as subjects
from chalicelib.subjects import store as accounts
from chalicelib.subjects.rules import Account, ConsentRequired, require_consent

LOOKED = "look-at-review"


class Decision(NamedTuple):
    """What a reviewer of a bank does: with a reason but for forwarding, with a limit where he corrects."""

    move: BankMove
    reason: Text | None = None
    limit_fen: int | None = None
    until: date | None = None


def list_for_bank(
    now: datetime, caller: Caller, limit: int, after: Position | None
) -> tuple[list[QueuedReview], Position | None]:
    """One page of what waits for the bank's reviewers, what is due first coming first. Raises: ReviewForbidden."""
    found, last, rows = store.list_queue(store.bank_queue(*bank_of(caller)), limit, after, [_own_entry(caller)])
    _require_bank_reviewer(caller, rows)
    return [_queued(rows, review, caller, now) for review in found], last


def list_for_city(
    now: datetime, caller: Caller, limit: int, after: Position | None
) -> tuple[list[QueuedReview], Position | None]:
    """One page of what waits for the city's reviewers, what is due first coming first. Raises: ReviewForbidden."""
    _require_city_reviewer(caller)
    found, last, rows = store.list_queue(store.city_queue(caller.city_id), limit, after)
    return [_queued(rows, review, caller, now) for review in found], last


def _queued(rows: dict[Key, Row], review: Review, caller: Caller, now: datetime) -> QueuedReview:
    return queued(review, subjects.known_as(caller.sector, review.ref), today_of(rows, review, now))


def look_for_bank(unit: Unit, intent: Intent, now: datetime, caller: Caller, review_id: str) -> BankReview:
    """A review of a limit of the bank's, with what the bank may be told of the decision.

    Raises: ReviewForbidden; NotFound: no such review of this bank, or withdrawn; Conflict; in this order.
    """
    return looking_again(unit, lambda fresh: _look_for_bank_once(fresh, intent, now, caller, review_id))


def _look_for_bank_once(unit: Unit, intent: Intent, now: datetime, caller: Caller, review_id: str) -> BankReview:
    rows = _read_for_bank(caller, review_id)
    review = _of_bank(rows, caller, review_id)
    account = accounts.load_account(review.ref)
    _require_not_withdrawn(review)
    store.check_review(unit, review)
    if account is not None:
        accounts.check_guard(unit, account, Conflict)
    contested = review.contested
    seen = None
    if contested is not None and (contested.told or _consents(account, contested.kept, caller.sector, now)):
        seen = worked(contested.kept, contested.effect_id)
    fresh = worked(review.now) if _consents(account, review.now, caller.sector, now) else None
    subject_id = subjects.known_as(caller.sector, review.ref)
    reply = bank_view(review, subject_id, fresh, seen, today_of(rows, review, now))
    _record_look(unit, intent, now, review, reply)
    return reply


def look_for_city(unit: Unit, intent: Intent, now: datetime, caller: Caller, review_id: str) -> CityReview:
    """A review that was handed to the person's city, with the whole trace.

    Raises: ReviewForbidden; NotFound: not handed to this city, or withdrawn; Conflict; in this order.
    """
    return looking_again(unit, lambda fresh: _look_for_city_once(fresh, intent, now, caller, review_id))


def _look_for_city_once(unit: Unit, intent: Intent, now: datetime, caller: Caller, review_id: str) -> CityReview:
    rows = _read_for_city(caller, review_id)
    review = _of_city(rows, caller, review_id)
    _require_not_withdrawn(review)
    store.check_review(unit, review)
    contested = review.contested
    seen = None if contested is None else worked(contested.kept, contested.effect_id)
    subject_id = subjects.known_as(caller.sector, review.ref)
    reply = city_view(review, subject_id, worked(review.now), seen, today_of(rows, review, now))
    _record_look(unit, intent, now, review, reply)
    return reply


def _require_not_withdrawn(review: Review) -> None:
    """Returns if a review may be read. Raises: NotFound: its person took it back, and his words with it."""
    if review.state == "withdrawn":
        raise NotFound


def _record_look(unit: Unit, intent: Intent, now: datetime, review: Review, reply: BankReview | CityReview) -> None:
    facts, subject = {"v": 1, "review_id": review.review_id}, accounts.account_pk(review.ref)
    unit.effect(effect.row(intent, now, purpose=LOOKED, facts=facts, reply=reply, subject=subject))
    unit.commit()


def _consents(account: Account | None, kept: Kept, bank: str, now: datetime) -> bool:
    """Whether the person lets the bank have decisions in the scenario of a decision."""
    try:
        consent = require_consent(account, f"{kept.basis.city_id}/{kept.basis.scenario_id}", bank, now)
    except ConsentRequired:
        return False
    return "decision" in consent.items


def move_for_bank(
    unit: Unit, intent: Intent, now: datetime, caller: Caller, review_id: str, wanted: Decision
) -> ReviewMoved:
    """Answers a review of a limit of the bank's, or hands it to the person's city.

    Raises: ReviewForbidden; NotFound: no such review of this bank; ReviewStateConflict; ReviewBySameReviewer; and where
        a limit is given: CitySuspended; PartnerSuspended; PolicyNotInForce; LineExists: by another account of his;
        ExceptionalLimitInvalid; ExposureCapReached; Conflict; in this order.
    """

    def once(fresh: Unit, turn: int) -> ReviewMoved:
        review = _of_bank(_read_for_bank(caller, review_id), caller, review_id)
        if wanted.move == "forward":
            return record(fresh, intent, now, reviews.forwarded(review), "forward-review")
        return _answer(fresh, intent, now, review, wanted, turn)

    return trying_shards(unit, once)


def _answer(unit: Unit, intent: Intent, now: datetime, review: Review, wanted: Decision, turn: int) -> ReviewMoved:
    assert wanted.reason is not None, "the schema asks for a reason"
    by, at = _who(intent), intent.effect_id
    if wanted.move == "uphold":
        after = reviews.decided_by(review, Answer("upheld", "bank", wanted.reason, now, at), by)
        cross_out(unit, review, by)
        return record(unit, intent, now, after, "uphold-review")
    assert wanted.limit_fen is not None, "the schema asks for a limit"
    assert wanted.until is not None, "the schema asks for its end"
    answer = Answer("corrected", "bank", wanted.reason, now, at, wanted.limit_fen, wanted.until)
    after = reviews.decided_by(review, answer, by)
    ground = read_ground(review.city_id, review.bank_id, [review.ref], now)
    give(unit, ground, review, Correction(wanted.limit_fen, wanted.until), now, turn)
    cross_out(unit, review, by)
    facts = {"limit_fen": wanted.limit_fen, "until": wanted.until}
    return record(unit, intent, now, after, "correct-review", **facts)


def move_for_city(
    unit: Unit, intent: Intent, now: datetime, caller: Caller, review_id: str, move: CityMove, reason: Text
) -> ReviewMoved:
    """Says for the person's city that his score stands, or that it has seen to it and the bank may go on.

    Raises: ReviewForbidden; NotFound: not handed to this city; ReviewStateConflict; ReviewBySameReviewer; Conflict; in
        this order.
    """
    return looking_again(unit, lambda fresh: _move_for_city_once(fresh, intent, now, caller, review_id, move, reason))


def _move_for_city_once(
    unit: Unit, intent: Intent, now: datetime, caller: Caller, review_id: str, move: CityMove, reason: Text
) -> ReviewMoved:
    review = _of_city(_read_for_city(caller, review_id), caller, review_id)
    if move == "return":
        return record(unit, intent, now, reviews.returned(review, reason), "return-review")
    by = _who(intent)
    after = reviews.decided_by(review, Answer("upheld", "city", reason, now, intent.effect_id), by)
    cross_out(unit, review, by)
    return record(unit, intent, now, after, "uphold-review")


def _who(intent: Intent) -> str:
    """Who acts, sealed, so that two institutions' staff of one name are two."""
    return f"{intent.actor}:{intent.tenant}:{intent.by}"


def _own_entry(caller: Caller) -> Key:
    return partners.partner_key(*bank_of(caller))


def _require_bank_reviewer(caller: Caller, rows: dict[Key, Row]) -> None:
    partner = partners.partner_in(rows, *bank_of(caller))
    if partner is None or partner.kind != "bank" or not partner.has_role(caller.person, "reviewer"):
        raise ReviewForbidden


def _require_city_reviewer(caller: Caller) -> None:
    if "reviewer" not in caller.roles:
        raise ReviewForbidden


def _read_for_bank(caller: Caller, review_id: str) -> dict[Key, Row]:
    rows = table.fetch([store.review_key(review_id), cities.control_key(caller.city_id), _own_entry(caller)])
    _require_bank_reviewer(caller, rows)
    return rows


def _of_bank(rows: Mapping[Key, Row], caller: Caller, review_id: str) -> Review:
    review = store.review_in(rows, review_id)
    if (review.city_id, review.bank_id) != bank_of(caller):
        raise NotFound
    return review


def _read_for_city(caller: Caller, review_id: str) -> dict[Key, Row]:
    _require_city_reviewer(caller)
    return table.fetch([store.review_key(review_id), cities.control_key(review_id.partition(".")[0])])


def _of_city(rows: Mapping[Key, Row], caller: Caller, review_id: str) -> Review:
    """A review of a citizen of this city's that was handed to it. Raises: NotFound."""
    review = store.review_in(rows, review_id)
    answered = review.answer is not None and review.answer.by == "city"
    handed = review.state == "forwarded" or review.city_reason is not None or answered
    if review.ref.city_id != caller.city_id or not handed:
        raise NotFound
    return review
