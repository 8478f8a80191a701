"""What becomes of one report, and of several."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.cities.rules import ScoreOffScale
from chalicelib.core.errors import NotFound, Problem
from chalicelib.core.text import Text
from chalicelib.scores.rules import (
    Month,
    Report,
    RowReply,
    ScaleNotCurrent,
    ScoreConflict,
    ScoreInFuture,
    ScoreOutdated,
    plan,
    reply_to,
    settle,
)
from chalicelib.subjects.rules import Account, AccountRef, HeldScore
from tests.integration.scores.world import scale

SCALE = scale()
NOW = datetime(2025, 9, 1, tzinfo=UTC)
AUGUST = datetime(2025, 8, 1, tzinfo=UTC)
HELD = HeldScore(650, 1, AUGUST, 2)
DAY = timedelta(days=1)


def test_ONCE_the_first_report_and_any_later_one_is_stored() -> None:
    assert settle(None, HELD, SCALE, NOW) == "stored"
    assert settle(HELD, HeldScore(640, 1, AUGUST, 3), SCALE, NOW) == "stored"
    assert settle(HELD, HeldScore(640, 1, AUGUST + DAY, 1), SCALE, NOW) == "stored"


@pytest.mark.parametrize(
    ("reported", "problem"),
    [
        (HeldScore(5000, 2, NOW + DAY, 1), ScaleNotCurrent),
        (HeldScore(5000, 1, NOW + DAY, 1), ScoreOffScale),
        (HeldScore(640, 1, NOW + DAY, 1), ScoreInFuture),
        (HeldScore(640, 1, AUGUST, 2), ScoreConflict),
        (HeldScore(650, 1, AUGUST, 1), ScoreOutdated),
        (HeldScore(650, 1, AUGUST - DAY, 9), ScoreOutdated),
    ],
)
def test_refusals_come_in_their_order(reported: HeldScore, problem: type[Problem]) -> None:
    with pytest.raises(problem):
        settle(HELD, reported, SCALE, NOW)


def test_ONCE_what_is_held_is_unchanged_whatever_has_become_of_the_scale() -> None:
    assert settle(HELD, HELD, scale(version=2), NOW) == "unchanged"
    assert settle(HELD, HELD, SCALE, AUGUST - DAY) == "unchanged"


def report(person: str, score: int, day: datetime, revision: int = 1) -> Report:
    return Report(AccountRef("xiamen", person), HeldScore(score, 1, day, revision), day.strftime("%Y-%m"))


def account(person: str, held: HeldScore | None = None) -> dict[AccountRef, Account]:
    ref = AccountRef("xiamen", person)
    return {ref: Account(ref, AUGUST, score=held)}


def test_a_batch_writes_each_account_once_and_each_month_once() -> None:
    july, august, late_july = AUGUST - 20 * DAY, AUGUST + DAY, AUGUST - DAY
    rows = [report("an", 600, july), report("an", 610, august), report("an", 605, late_july), report("an", 1, july)]
    made = plan(rows, account("an"), SCALE, NOW)
    ref = rows[0].ref
    assert [reply_to(result).outcome for result in made.results] == ["stored", "stored", "outdated", "outdated"]
    assert made.heads == {ref: rows[1].score}
    assert made.months == {Month(ref, "2025-08"): rows[1].score}
    assert made.late == {Month(ref, "2025-07"): rows[2].score}


def test_what_is_refused_or_unchanged_writes_nothing() -> None:
    rows: list[Report | Problem] = [
        report("an", 650, AUGUST, 2),
        report("an", 651, AUGUST, 2),
        report("nobody", 650, AUGUST),
        NotFound(),
    ]
    made = plan(rows, account("an", HELD), SCALE, NOW)
    assert [reply_to(result).code for result in made.results] == [None, "score-conflict", "not-found", "not-found"]
    assert not made.heads
    assert not made.months
    assert not made.late


def test_a_subject_the_city_does_not_have_is_named_so() -> None:
    (result,) = plan([report("nobody", 650, AUGUST)], account("an"), SCALE, NOW).results
    said = reply_to(result).sentence
    assert said == Text("本市没有此主体", "This city has no such subject")


def test_a_reply_says_why() -> None:
    assert reply_to("stored") == RowReply("stored")
    assert reply_to(ScoreOutdated()).outcome == "outdated"
    assert reply_to(ScoreConflict()).outcome == "conflict"
    said = Text("不在", "off")
    assert reply_to(ScoreOffScale(said)) == RowReply("refused", "score-off-scale", said)
