"""Time, JSON and words as everything else relies on them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from chalicelib.core import clock, codec
from chalicelib.core.errors import Conflict, Problem, all_problems
from chalicelib.core.text import Text

AT = datetime(2026, 5, 1, 16, 0, 0, 5999, tzinfo=UTC)


def test_a_stamp_sorts_as_time_does() -> None:
    assert clock.stamp(AT) == "2026-05-01T16:00:00.005Z"
    assert clock.stamp(AT.astimezone(timezone(timedelta(hours=8)))) == clock.stamp(AT)
    assert clock.unstamp(clock.stamp(AT)) == AT.replace(microsecond=5000)
    instants = [AT + timedelta(milliseconds=n * 997) for n in range(50)]
    assert sorted(map(clock.stamp, instants)) == list(map(clock.stamp, instants))


def test_a_day_is_the_citys_own() -> None:
    assert clock.day_in("Asia/Shanghai", AT) == date(2026, 5, 2)
    assert clock.day_in("Asia/Shanghai", AT - timedelta(seconds=1)) == date(2026, 5, 1)
    assert clock.day_in("Asia/Urumqi", AT) == date(2026, 5, 1)


def test_now_is_utc_to_the_millisecond_or_what_a_test_says() -> None:
    assert clock.now().utcoffset() == timedelta(0)
    assert clock.now().microsecond % 1000 == 0
    with clock.fixed(AT):
        assert clock.now() == AT
        assert clock.running() != AT


def test_a_clock_that_was_put_forward_goes_on() -> None:
    before = clock.now()
    with clock.ahead(timedelta(days=1)):
        assert timedelta(days=1) <= clock.now() - before < timedelta(days=2)
        with clock.fixed(AT):
            assert clock.now() == AT
            assert clock.running() - before >= timedelta(days=1)
    assert clock.now() - before < timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Point:
    name: Text
    score: int
    on: date
    marks: frozenset[str] = frozenset()


def test_equal_values_have_equal_bytes() -> None:
    assert codec.canonical({"b": 1, "a": {"d": 1, "c": 2}}) == '{"a":{"c":2,"d":1},"b":1}'
    assert (
        codec.to_json({"marks": frozenset("cab"), "all": {"d": 1, "c": 2}})
        == '{"all":{"c":2,"d":1},"marks":["a","b","c"]}'
    )
    point = Point(Text("厦门", "Xiamen"), 680, date(2026, 5, 1), frozenset("ba"))
    assert codec.from_json(Point, codec.to_json(point)) == point
    assert codec.canonical(codec.plain(point)) == codec.canonical(point)


def test_fixed_fields_are_not_the_senders_to_choose() -> None:
    body = {"name": {"zh": "厦门", "en": "Xiamen"}, "score": 999, "on": "2026-05-01"}
    assert codec.build(Point, body, score=1).score == 1
    with pytest.raises(ValueError):
        codec.build(Point, {**body, "score": "680"})


def test_words_are_filled_in_in_both_languages() -> None:
    assert Text("{n} 分", "{n} points").format(n=3) == Text("3 分", "3 points")


def test_a_problem_says_its_title_unless_there_is_more_to_say() -> None:
    assert Conflict().detail == Conflict.title
    at = Conflict.at("/a", Text("甲", "a"))
    assert (at.detail, at.faults[0].pointer, at.faults[0].detail) == (Text("甲", "a"), "/a", Text("甲", "a"))


def test_every_loaded_problem_is_found_once() -> None:
    found = list(all_problems())
    assert len(found) == len(set(found))
    assert Conflict in found
    assert Problem not in found
