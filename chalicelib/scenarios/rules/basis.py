"""What a decision rested on, as a receipt keeps it: enough to decide again, and nothing more.

The basis holds the score and the versions, never the reference value, which is worked out again from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from chalicelib.cities.rules import Agreement, GrantOn, Method, Scale
from chalicelib.scenarios.rules.standings import NoStandingReason

SCORE_LIFE_DAYS = 400


@dataclass(frozen=True, slots=True)
class Recognised:
    """The agreement by which a visitor was treated, and the concordances it was applied with."""

    agreement_id: str
    method: Method
    grant_on: GrantOn
    host_grade: str | None = None
    home_concordance: int | None = None
    host_concordance: int | None = None


@dataclass(frozen=True, slots=True)
class Basis:
    """The facts of one decision.

    ``nothing`` says why there is no score to go by; otherwise ``score`` on ``home_scale_version`` is the score, with
    ``recognised`` for a visitor.
    """

    city_id: str
    scenario_id: str
    table_version: int
    district: str | None
    on: date
    home: str
    nothing: NoStandingReason | None = None
    score: int | None = None
    home_scale_version: int | None = None
    as_of: datetime | None = None
    recognised: Recognised | None = None
    attributes: Mapping[str, bool] | None = None

    @property
    def resident(self) -> bool:
        """Whether the score is the host city's own."""
        return self.home == self.city_id


def host_grade_of(agreement: Agreement, home_scale: Scale, score: int) -> str | None:
    """The host's grade that a signed map gives a home score; None for any other method."""
    grade = home_scale.grade_of(home_scale.check(score))
    return None if grade is None else agreement.grade_map.get(grade.name)
