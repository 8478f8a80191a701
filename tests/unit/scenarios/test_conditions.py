from __future__ import annotations

import pytest

from chalicelib.scenarios.rules.conditions import Verdict, all_of, any_of, negated

U: Verdict = None
AND: list[tuple[Verdict, Verdict, Verdict]] = [
    (True, True, True), (True, False, False), (True, U, U),
    (False, True, False), (False, False, False), (False, U, False),
    (U, True, U), (U, False, False), (U, U, U),
]  # fmt: skip
OR: list[tuple[Verdict, Verdict, Verdict]] = [
    (True, True, True), (True, False, True), (True, U, True),
    (False, True, True), (False, False, False), (False, U, U),
    (U, True, True), (U, False, U), (U, U, U),
]  # fmt: skip


@pytest.mark.parametrize(("a", "b", "both"), AND)
def test_kleene_and(a: Verdict, b: Verdict, both: Verdict) -> None:
    assert all_of([a, b]) is both


@pytest.mark.parametrize(("a", "b", "either"), OR)
def test_kleene_or(a: Verdict, b: Verdict, either: Verdict) -> None:
    assert any_of([a, b]) is either


def test_kleene_not_and_the_empty_cases() -> None:
    assert [negated(True), negated(False), negated(None)] == [False, True, None]
    assert all_of([]) is True
    assert any_of([]) is False
