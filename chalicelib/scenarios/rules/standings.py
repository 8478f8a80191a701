"""Who stands before a table: his score as far as the host may know it. A table asks only "does it reach this?".

Thresholds are oriented scores of the **host's** scale (``Scale.threshold``): more is better. Distances are points of
the person's **own** scale, and as secret as the score.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Literal, NamedTuple, Protocol

from chalicelib.cities.rules import Scale
from chalicelib.scenarios.rules.conditions import Verdict

StandingKind = Literal["resident", "linked", "grade", "none"]
NoStandingReason = Literal["no_score", "no_agreement", "not_linked", "suspended", "score_too_old"]


class Standing(Protocol):
    """What a table may ask of a person's score. ``reason`` is why there is none to ask, or None."""

    @property
    def kind(self) -> StandingKind: ...

    @property
    def reason(self) -> NoStandingReason | None: ...

    def reaches(self, threshold: int, /) -> Verdict:
        """Whether the score is at least this threshold. Monotone: a higher threshold is never easier."""
        ...

    def missing(self, threshold: int, /) -> int | None:
        """How many points of his own scale are missing, at least 1; None if none are or if that cannot be known."""
        ...


@dataclass(frozen=True, slots=True)
class ResidentStanding:
    """A score of the host's own scale, oriented."""

    score: int
    kind: ClassVar[StandingKind] = "resident"
    reason: ClassVar[NoStandingReason | None] = None

    @classmethod
    def of(cls, scale: Scale, score: int) -> ResidentStanding:
        """The standing of a published score. Raises: ScoreOffScale."""
        return cls(scale.oriented(scale.check(score)))

    def reaches(self, threshold: int, /) -> Verdict:
        return self.score >= threshold

    def missing(self, threshold: int, /) -> int | None:
        return threshold - self.score if threshold > self.score else None


@dataclass(frozen=True, slots=True)
class LinkedStanding:
    """A visitor's score by way of a concordance.

    Args:
        score: His own score on his own scale, oriented.
        reaches: Whether his reference value passes that of a host threshold.
        score_needed: The least score of his own scale, oriented, that would; None where no score of it would.
    """

    score: int
    reaches: Callable[[int], bool]
    score_needed: Callable[[int], int | None]
    kind: ClassVar[StandingKind] = "linked"
    reason: ClassVar[NoStandingReason | None] = None

    def missing(self, threshold: int, /) -> int | None:
        needed = self.score_needed(threshold)
        return None if needed is None or needed <= self.score else needed - self.score


@dataclass(frozen=True, slots=True)
class GradeStanding:
    """A visitor known only by a grade of the host's scale: some oriented score in [``low``, ``high``).

    ``high`` None: no upper end. A threshold inside the interval is neither reached nor missed: not known. What the
    lowest score of the grade would be given is given (``compiled.judge``); only what lies above that is not known.
    """

    low: int
    high: int | None
    kind: ClassVar[StandingKind] = "grade"
    reason: ClassVar[NoStandingReason | None] = None

    @classmethod
    def of(cls, scale: Scale, grade: str) -> GradeStanding:
        """The standing of a grade, by its name, which the scale must have."""
        index = scale.grade_index(grade)
        assert index is not None, "a grade map names grades of the host's scale"
        bounds = (scale.minimum, *scale.grade_thresholds(), None)
        low = bounds[index]
        assert low is not None
        return cls(low, bounds[index + 1])

    def reaches(self, threshold: int, /) -> Verdict:
        if threshold <= self.low:
            return True
        return False if self.high is not None and threshold >= self.high else None

    def missing(self, _threshold: int, /) -> int | None:
        return None


@dataclass(frozen=True, slots=True)
class NoStanding:
    """No score to go by, and why. A suspension refuses every tier; the other reasons leave those that need no score."""

    reason: NoStandingReason
    kind: ClassVar[StandingKind] = "none"

    def reaches(self, _threshold: int, /) -> Verdict:
        return False

    def missing(self, _threshold: int, /) -> int | None:
        return None


class Facts(NamedTuple):
    """Everything a decision depends on besides the table.

    ``on`` is the day in the city's own zone. An attribute that is absent from ``attributes`` is not known.
    ``resident``: the score is this city's own. A named tuple, here and in ``decisions``, because it is made for every
    decision and costs a third of a frozen dataclass.
    """

    on: date
    district: str | None
    standing: Standing
    attributes: Mapping[str, bool]
    resident: bool
