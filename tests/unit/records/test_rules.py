"""For how long a credit record counts, by the rule of the person's city, and what repairing changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from chalicelib.core.text import Text
from chalicelib.records.rules import (
    CreditRecord,
    RepairOrder,
    Retention,
    over_on,
    repaired,
    retention_for,
    state_on,
    until,
    view,
)
from chalicelib.records.store import retentions

NOW = datetime(2027, 6, 1, 2, tzinfo=UTC)
RECORD = CreditRecord(
    "2027-03-a", "medical_default", "xiamen", "demo-bank", date(2027, 3, 1), 3, date(2027, 6, 1), NOW
)  # fmt: skip
ORDER = RepairOrder(Text("已全部还清", "It has all been paid"))
OLD = Retention(("xiamen",), date(2020, 1, 1), 5, True, "made for a test")
NEW = replace(OLD, from_day=date(2027, 1, 1), years=3)
OTHERS = Retention(("*",), date(2013, 1, 1), 1, False, "made for a test")


@pytest.mark.parametrize(
    ("day", "years", "over"),
    [
        (date(2027, 6, 1), 5, date(2032, 6, 2)),
        (date(2028, 2, 29), 5, date(2033, 3, 1)),
        (date(2028, 2, 29), 4, date(2032, 3, 1)),
        (date(2027, 12, 31), 1, date(2029, 1, 1)),
    ],
)
def test_years_end_with_the_day_that_corresponds_to_the_first(day: date, years: int, over: date) -> None:
    assert over_on(day, years) == over


def test_a_citys_own_latest_rule_counts_and_else_that_of_any_city() -> None:
    rules = [OTHERS, NEW, OLD]
    assert retention_for("xiamen", date(2026, 12, 31), rules) is OLD
    assert retention_for("xiamen", date(2027, 1, 1), rules) is NEW
    assert retention_for("xiamen", date(2019, 1, 1), rules) is OLD, "the first one, for days before all"
    assert retention_for("fuzhou", date(2027, 1, 1), rules) is OTHERS


def test_a_record_counts_until_its_years_are_over_or_the_city_repairs_it() -> None:
    assert until(RECORD, "xiamen", [NEW]) == date(2030, 6, 2)
    assert state_on(RECORD, date(2030, 6, 1), "xiamen", [NEW]) == "live"
    assert state_on(RECORD, date(2030, 6, 2), "xiamen", [NEW]) == "over"
    mended = repaired(RECORD, ORDER, NOW)
    assert (mended.repaired_at, mended.reason, mended.revision) == (NOW, ORDER.reason, 2)
    assert state_on(mended, date(2027, 6, 2), "xiamen", [NEW]) == "repaired"
    assert state_on(mended, date(2030, 6, 2), "xiamen", [NEW]) == "over"


def test_repairing_twice_changes_nothing() -> None:
    mended = repaired(RECORD, ORDER, NOW)
    assert repaired(mended, RepairOrder(Text("又一次", "again")), NOW) is mended


def test_a_record_has_words_in_both_languages() -> None:
    shown = view(RECORD, date(2027, 6, 2), "xiamen", [NEW])
    assert shown.words == Text(
        "信用就医欠款连续 3 个月逾期（自 2027-03 起）",
        "Medical bills were overdue in 3 months in a row, from 2027-03 on",
    )


def test_every_rule_says_where_it_is_from_or_that_it_is_invented() -> None:
    for rule in retentions():
        assert rule.source
        assert 1 <= rule.years <= 5
    assert [rule.illustrative for rule in retentions()] == [False, False, True]
    for city_id in ("hangzhou", "ningbo", "wenzhou", "zhengzhou"):
        assert not retention_for(city_id, date(2027, 1, 1), retentions()).illustrative
    assert retention_for("xiamen", date(2027, 1, 1), retentions()).illustrative, "its own period was not found"
    assert not retention_for("zhengzhou", date(2027, 1, 1), retentions()).deleted
