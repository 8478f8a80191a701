"""What a reviewer gives who corrects: a limit up to a day. It gives more than there is, and takes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from chalicelib.core.errors import Fault, Problem
from chalicelib.core.text import Text
from chalicelib.medical.rules.credit import ExceptionalLimit
from chalicelib.medical.rules.policy import Policy

MOST_DAYS = 365
_MIDNIGHT = datetime.min.time()
_ABOVE = Text("超过授信规则的单人上限", "This is more than the policy's ceiling for one person")
_DAYS = Text("终止日须在明天至一年之内", "It ends tomorrow at the earliest and in a year at the latest")
_DECIDED = Text(
    "不高于今日按规则给出的额度，未更正任何内容",
    "This is no more than what is decided today by the rules, so it corrects nothing",
)
_LESS = Text("低于仍有效的例外额度", "This is less than the exceptional limit that still runs")
_SOONER = Text("早于仍有效的例外额度的终止日", "This ends before the exceptional limit that still runs")
_SAME = Text("与仍有效的例外额度相同", "This is the exceptional limit that still runs")


class ExceptionalLimitInvalid(Problem):
    code = "exceptional-limit-invalid"
    status = 422
    title = Text("例外额度不合规则", "This exceptional limit cannot be given")


class Correction(NamedTuple):
    """What a reviewer gives: a limit, in fen, and the first day of the bank's city on which it no longer holds."""

    limit_fen: int
    until: date

    def ends(self, time_zone: str) -> datetime:
        """The instant at which its last day is over in the city."""
        return datetime.combine(self.until, _MIDNIGHT, ZoneInfo(time_zone)).astimezone(UTC)


class Known(NamedTuple):
    """What a correction is measured by: the exception that still runs, and what is decided today, where the bank may
    be told of it; None: there is none, or it may not."""

    running: ExceptionalLimit | None = None
    decided_fen: int | None = None


def running(exception: ExceptionalLimit | None, now: datetime) -> ExceptionalLimit | None:
    """An exception that still runs at this instant; None if none does."""
    return exception if exception is not None and exception.until > now else None


def exceptional(
    review_id: str, policy: Policy, wanted: Correction, known: Known, today: date, time_zone: str
) -> ExceptionalLimit:
    """The limit that a reviewer gives, up to the beginning of its last day in the city.

    Raises: ExceptionalLimitInvalid: above the policy's ceiling, over already, or for more than a year; below the
        exception that still runs, or ending before it; no more than that, or than what is decided today.
    """
    assert wanted.limit_fen > 0, "the schema refuses less"
    faults = [*_faults(policy, wanted, today), *_takes(wanted, known, time_zone)]
    if faults:
        raise ExceptionalLimitInvalid(faults=faults)
    return ExceptionalLimit(wanted.limit_fen, wanted.ends(time_zone), review_id)


def _faults(policy: Policy, wanted: Correction, today: date) -> Iterator[Fault]:
    if wanted.limit_fen > policy.ceiling_fen:
        yield Fault("/limit_fen", _ABOVE)
    if not today < wanted.until <= today + timedelta(days=MOST_DAYS):
        yield Fault("/until", _DAYS)


def _takes(wanted: Correction, known: Known, time_zone: str) -> Iterator[Fault]:
    """Where it gives nothing, or would take from what was given before."""
    if known.decided_fen is not None and wanted.limit_fen <= known.decided_fen:
        yield Fault("/limit_fen", _DECIDED)
    if known.running is None:
        return
    less, ends = wanted.limit_fen - known.running.limit_fen, wanted.ends(time_zone)
    if less < 0:
        yield Fault("/limit_fen", _LESS)
    if ends < known.running.until:
        yield Fault("/until", _SOONER)
    if less == 0 and ends == known.running.until:
        yield Fault("/limit_fen", _SAME)
