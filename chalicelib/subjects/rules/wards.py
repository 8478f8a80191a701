"""A ward: a child for whom a citizen may pay, as his city confirmed it.

A child has no score and no account, and nothing of the child is kept: neither name nor number. The city keeps which id
stands for which child, and ends a guardianship that has ended.

Source: 民法典 art. 17 and 27 (majority at eighteen; the guardians of a minor).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from chalicelib.core.errors import Problem
from chalicelib.core.text import Text
from chalicelib.subjects.rules.account import AccountRef
from chalicelib.subjects.rules.documents import ADULT_YEARS


class WardInvalid(Problem):
    code = "ward-invalid"
    status = 422
    title = Text("成年之日应在今天之后、十八年之内", "A child comes of age after today and within eighteen years")


class WardUnknown(Problem):
    """None of the citizen's, ended or over: the same answer."""

    code = "ward-unknown"
    status = 422
    title = Text("没有这项有效的监护关系", "There is no such guardianship in force")


@dataclass(frozen=True, slots=True)
class Ward:
    """That the citizen of this account is the guardian of a child, up to, without, the day of its majority."""

    guardian: AccountRef
    ward_id: str
    valid_to: date
    confirmed_at: datetime
    ended_at: datetime | None = None
    revision: int = 1

    @property
    def ref(self) -> AccountRef:
        """The child, as the ids that partners know people by are made: of the same length as anybody's."""
        return AccountRef(self.guardian.city_id, self.ward_id)


@dataclass(frozen=True, slots=True)
class WardView:
    """What is told of a guardianship, to the guardian and to his city."""

    ward_id: str
    valid_to: date
    confirmed_at: datetime
    ended_at: datetime | None


def confirmed(guardian: AccountRef, ward_id: str, valid_to: date, now: datetime, today: date) -> Ward:
    """A guardianship confirmed today, a day of the guardian's city. Raises: WardInvalid."""
    latest = _years_later(today, ADULT_YEARS)
    if not today < valid_to <= latest:
        raise WardInvalid.at("/valid_to", WardInvalid.title)
    return Ward(guardian, ward_id, valid_to, now)


def ended(ward: Ward, now: datetime) -> Ward:
    """The guardianship ended; the same one if it was before (its end stays)."""
    return ward if ward.ended_at else replace(ward, ended_at=now, revision=ward.revision + 1)


def in_force(ward: Ward, today: date) -> bool:
    """Whether a guardianship has neither ended nor come to the day of the child's majority."""
    return ward.ended_at is None and today < ward.valid_to


def require_ward(ward: Ward | None, today: date) -> Ward:
    """The guardianship, if there is one in force. Raises: WardUnknown."""
    if ward is None or not in_force(ward, today):
        raise WardUnknown.at("/ward_id", WardUnknown.title)
    return ward


def ward_view(ward: Ward) -> WardView:
    """A guardianship as it is told."""
    return WardView(ward.ward_id, ward.valid_to, ward.confirmed_at, ward.ended_at)


def _years_later(day: date, years: int) -> date:
    """The same day so many years later; who is born on a leap day comes of age on the first of March."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)
