"""Chores: each stands by itself, and there is an end to them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.core import chores, clock, log
from chalicelib.core.chores import Chore, Done
from chalicelib.core.errors import Unavailable

NOW = datetime(2026, 8, 1, tzinfo=UTC)
SECRET = "350200199001011234"


class Diary:
    """Chores that remember what was done; a word may stand for a failure."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.failures: dict[str, Exception] = {}

    def chore(self, word: str) -> Chore:
        def do() -> None:
            if word in self.failures:
                raise self.failures[word]
            self.done.append(word)

        return do

    def finder(self, *words: str) -> chores.Finder:
        def find(now: datetime) -> Iterable[Chore]:
            assert now == NOW
            return (self.chore(word) for word in words)

        return find


@pytest.fixture
def diary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Diary]:
    monkeypatch.setattr(chores, "_FINDERS", [])
    with clock.fixed(NOW):
        yield Diary()
    log.request_id.set("-")


def test_all_chores_of_all_domains_are_done(diary: Diary) -> None:
    chores.finder(diary.finder("a", "b"))
    chores.finder(diary.finder("c"))
    assert chores.do_all() == Done(3, 0, True)
    assert diary.done == ["a", "b", "c"]


@pytest.mark.parametrize("failure", [AssertionError(SECRET), Unavailable(), KeyError(SECRET)])
def test_one_that_fails_does_not_keep_the_others_and_says_nothing_personal(
    diary: Diary, failure: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    chores.finder(diary.finder("a", "b", "c"))
    diary.failures = {"b": failure}
    assert chores.do_all() == Done(2, 1, True)
    assert diary.done == ["a", "c"]
    said = capsys.readouterr().out
    crash, ended = (json.loads(line) for line in said.splitlines())
    assert (crash["event"], ended["event"], ended["level"], ended["code"]) == ("crash", "chores", "error", "failed")
    assert SECRET not in said


def test_a_finder_that_fails_is_a_chore_that_fails(diary: Diary, capsys: pytest.CaptureFixture[str]) -> None:
    def find(_: datetime) -> Iterator[Chore]:
        yield diary.chore("a")
        raise LookupError(SECRET)

    chores.finder(find)
    chores.finder(diary.finder("b"))
    assert chores.do_all() == Done(2, 1, True)
    assert diary.done == ["a", "b"]
    said = capsys.readouterr().out
    assert json.loads(said.splitlines()[0])["error_type"] == "LookupError"
    assert SECRET not in said


def test_nothing_new_is_begun_when_the_time_is_over(diary: Diary, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter([0.0, chores.SECONDS, chores.SECONDS + 1, chores.SECONDS + 1])
    monkeypatch.setattr(clock, "stopwatch", lambda: next(seconds))
    chores.finder(diary.finder("a", "b", "c"))
    chores.finder(diary.finder("d"))
    assert chores.do_all() == Done(2, 0, False)
    assert diary.done == ["a", "b"]


def test_what_finds_nothing_is_done_at_once(diary: Diary) -> None:
    assert chores.do_all() == Done(0, 0, True)
    assert timedelta(seconds=chores.SECONDS) < timedelta(hours=1), "a run ends before the next one"
