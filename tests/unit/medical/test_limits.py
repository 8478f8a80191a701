"""From a decision to a limit, and what becomes of a line."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from chalicelib.ledger.rules import holds, lines
from chalicelib.ledger.rules.lines import LineClosed
from chalicelib.medical.rules import (
    BENEFITS,
    HospitalNotCovered,
    LimitNotGranted,
    LineExists,
    PolicyNotInForce,
    TermOver,
    limit_of,
    opening,
    regraded,
    require_term,
)
from chalicelib.scenarios.rules import NoStanding
from tests.unit.medical.ward import NOON, TODAY, decided, policy, table


@pytest.mark.parametrize(("score", "limit_fen"), [(693, 300_000), (612, 150_000), (525, 100_000), (0, 50_000)])
def test_people_of_the_demo_get_their_limits(score: int, limit_fen: int) -> None:
    limit = limit_of(policy(), decided(score))
    assert (limit.fen, limit.capped, limit.suspended) == (limit_fen, False, False)
    assert (limit.policy_version, limit.table_version) == (1, 1)


def test_a_ceiling_takes_from_the_top_alone() -> None:
    low = policy(ceiling_fen=120_000)
    assert [limit_of(low, decided(score)).fen for score in (525, 612, 693)] == [100_000, 120_000, 120_000]
    assert [limit_of(low, decided(score)).capped for score in (525, 612)] == [False, True]


def test_nobody_gets_a_limit_without_a_tier_or_while_suspended() -> None:
    assert limit_of(policy(), decided(None)).fen is None
    limit = limit_of(policy(), decided(None, standing=NoStanding("suspended")))
    assert (limit.fen, limit.suspended) == (None, True)
    area = {"district": None, "by_grade": {"极好": 300_000}, "unit": "limit_fen", "without": {"limit_fen": 60_000}}
    everybody = table({}, areas=[area])
    assert limit_of(policy(), decided(None, everybody)).fen == 60_000
    assert limit_of(policy(), decided(None, everybody, NoStanding("suspended"))).fen is None
    nothing = limit_of(policy(), decided(300, table({"不良": 0, "一般": 1})))
    assert (nothing.fen, nothing.suspended) == (None, False)


def test_a_line_is_opened_once_in_force_in_a_hospital_that_takes_part() -> None:
    terms = policy(hospitals=("first",), valid_to=date(2027, 1, 1))
    limit, line = limit_of(terms, decided(693)), lines.opened(1, NOON)
    assert opening(terms, limit, None, TODAY, "first") == 300_000
    assert opening(terms, limit, holds.close(line, NOON), TODAY) == 300_000
    with pytest.raises(PolicyNotInForce):
        opening(terms, limit, line, date(2027, 1, 1), "second")
    with pytest.raises(HospitalNotCovered):
        opening(terms, limit, line, TODAY, "second")
    with pytest.raises(LineExists):
        opening(terms, replace(limit, fen=None), line, TODAY, "first")
    with pytest.raises(LimitNotGranted):
        opening(terms, replace(limit, fen=None), None, TODAY, "first")


def test_a_term_ends_after_its_last_day() -> None:
    require_term(TODAY, 365, TODAY + timedelta(days=364))
    with pytest.raises(TermOver):
        require_term(TODAY, 365, TODAY + timedelta(days=365))


def test_a_score_that_changes_becomes_another_limit_and_holds_are_kept() -> None:
    step = holds.place(lines.opened(300_000, NOON), "h1", 250_000, 3600, NOON)
    lower = regraded(step.line, limit_of(policy(), decided(525)), NOON)
    assert (lower.limit_fen, lower.holds, lower.version) == (100_000, step.line.holds, step.line.version + 1)
    assert lines.available(lower, NOON) == 0
    assert regraded(lower, limit_of(policy(), decided(525)), NOON) is lower
    assert regraded(lower, limit_of(policy(), decided(None)), NOON).limit_fen == 0
    with pytest.raises(LineClosed):
        regraded(holds.close(lower, NOON), limit_of(policy(), decided(525)), NOON)


def test_while_all_benefits_are_suspended_the_line_is_and_its_limit_stays() -> None:
    line = holds.suspend(lines.opened(300_000, NOON), "bank", NOON)
    gone = limit_of(policy(), decided(None, standing=NoStanding("suspended")))
    paused = regraded(line, gone, NOON)
    assert (paused.limit_fen, paused.suspended_for) == (300_000, frozenset({"bank", BENEFITS}))
    assert regraded(paused, gone, NOON) is paused
    back = regraded(paused, limit_of(policy(), decided(693)), NOON)
    assert (back.limit_fen, back.suspended_for, back.version) == (300_000, frozenset({"bank"}), paused.version + 1)
    assert regraded(paused, limit_of(policy(), decided(525)), NOON).suspended_for == {"bank"}
