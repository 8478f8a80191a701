"""One report of a score, and a batch of them: what is stored, what is not, and why.

A batch means what its rows mean one after another. Everything is decided on the accounts as they were read; what was
read comes back as conditions on the writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from chalicelib.cities.rules import Scale
from chalicelib.core.errors import NotFound, Problem
from chalicelib.core.text import Text
from chalicelib.subjects.rules import Account, AccountRef, HeldScore

MAX_ROWS = 500
MOST_SKEW = timedelta(minutes=5)

Outcome = Literal["stored", "unchanged", "outdated", "conflict", "refused"]
Settled = Literal["stored", "unchanged"] | Problem


class ScaleNotCurrent(Problem):
    code = "scale-not-current"
    status = 409
    title = Text("分制版本不是该城市当前版本", "This is not the version of the scale that the city uses now")


class ScoreInFuture(Problem):
    code = "score-in-future"
    status = 422
    title = Text("分值的截至时间晚于当前时间", "The score is as of a time that has not come yet")


class ScoreOutdated(Problem):
    code = "score-outdated"
    status = 409
    title = Text("已有更新的分值", "A later score is held")


class ScoreConflict(Problem):
    code = "score-conflict"
    status = 409
    title = Text("同一截至时间和修订号已有另一分值", "Another score is held under the same time and revision")


class ScoreMissing(Problem):
    code = "score-missing"
    status = 404
    title = Text("尚无信用分", "No score has been reported yet")


class Month(NamedTuple):
    """A month of an account's history, named in the city's time zone: ``2026-08``."""

    ref: AccountRef
    month: str


_STAYS = Text(
    "已有更新的分值，当前分值不变；该月历史若无更新的记录，则计入该月",
    "A later score is held and stays; the history keeps this one if its month has none later",
)
_NO_SUBJECT = Text("本市没有此主体", "This city has no such subject")
_CORRECT = Text("更正同一时间的分值须递增修订号", "To correct the score of the same time, give it a higher revision")


@dataclass(frozen=True, slots=True)
class Report:
    """A score that a city reports for an account it knows."""

    ref: AccountRef
    score: HeldScore
    month: str

    @property
    def place(self) -> Month:
        """Where in the history it belongs."""
        return Month(self.ref, self.month)


@dataclass(frozen=True, slots=True)
class RowReply:
    """What became of one row. ``code`` and ``sentence`` say why, unless it was stored or unchanged."""

    outcome: Outcome
    code: str | None = None
    sentence: Text | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a batch amounts to.

    Args:
        results: One per row, in their order.
        heads: Accounts that get another score.
        months: History that the heads leave behind, each later than anything their accounts held.
        late: History from reports that came too late for their account; it counts if its month has none later.
    """

    results: Sequence[Settled]
    heads: Mapping[AccountRef, HeldScore]
    months: Mapping[Month, HeldScore]
    late: Mapping[Month, HeldScore]


def order_of(score: HeldScore) -> tuple[datetime, int]:
    """What decides which of two scores is the later one."""
    return score.as_of, score.revision


def settle(held: HeldScore | None, reported: HeldScore, scale: Scale, now: datetime) -> Literal["stored", "unchanged"]:
    """Whether a report becomes the account's score, or is held already.

    Args:
        scale: The one the city uses now.

    Raises: ScaleNotCurrent; ScoreOffScale; ScoreInFuture: by more than 5 minutes; ScoreConflict; ScoreOutdated; in
        this order, and none of them for what is held already: a repetition stays one.
    """
    if reported == held:
        return "unchanged"
    if reported.scale_version != scale.version:
        raise ScaleNotCurrent
    scale.check(reported.score)
    if reported.as_of > now + MOST_SKEW:
        raise ScoreInFuture.at("/as_of", ScoreInFuture.title)
    if held is None or _later(reported, held):
        return "stored"
    if order_of(reported) == order_of(held):
        raise ScoreConflict.at("/revision", _CORRECT)
    raise ScoreOutdated(_STAYS)


def plan(rows: Sequence[Report | Problem], accounts: Mapping[AccountRef, Account], scale: Scale, now: datetime) -> Plan:
    """What these rows amount to, one after another. Rows that are refused already stay so.

    Args:
        accounts: The open accounts among those that the rows name.
    """
    held = {ref: account.score for ref, account in accounts.items()}
    results: list[Settled] = []
    heads: dict[AccountRef, HeldScore] = {}
    months: dict[Month, HeldScore] = {}
    late: dict[Month, HeldScore] = {}
    for row in rows:
        result = row if isinstance(row, Problem) else _settle_row(row, held, scale, now)
        results.append(result)
        if isinstance(row, Problem):
            continue
        if result == "stored":
            held[row.ref] = heads[row.ref] = months[row.place] = row.score
        elif isinstance(result, ScoreOutdated) and _later(row.score, late.get(row.place)):
            late[row.place] = row.score
    kept = {place: score for place, score in late.items() if _later(score, months.get(place))}
    return Plan(results, heads, {place: score for place, score in months.items() if place not in kept}, kept)


def _later(score: HeldScore, than: HeldScore | None) -> bool:
    return than is None or order_of(score) > order_of(than)


def _settle_row(row: Report, held: Mapping[AccountRef, HeldScore | None], scale: Scale, now: datetime) -> Settled:
    if row.ref not in held:
        return NotFound()
    try:
        return settle(held[row.ref], row.score, scale, now)
    except Problem as problem:
        return problem


def reply_to(result: Settled) -> RowReply:
    """The reply to a row."""
    if not isinstance(result, Problem):
        return RowReply(result)
    outcome: Outcome = "refused"
    if isinstance(result, ScoreOutdated):
        outcome = "outdated"
    elif isinstance(result, ScoreConflict):
        outcome = "conflict"
    # Of a single report the path says what was not found; of a row, only these words do.
    sentence = _NO_SUBJECT if isinstance(result, NotFound) else result.detail
    return RowReply(outcome, result.code, sentence)
