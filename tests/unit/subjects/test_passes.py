"""For whom and until when a pass is good."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.subjects.rules import (
    AccountRef,
    Pass,
    PassExpired,
    PassInvalid,
    check_pass,
    minute_of,
    seconds_to_next_minute,
)

NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)
END = NOW + timedelta(seconds=120)
SHOP, SCENE = "merchant:xiamen/qingliu-farm", "xiamen/jimei-produce"


def shown(recipient: str | None = SHOP, scenario: str | None = SCENE) -> Pass:
    return Pass("v_1", AccountRef("xiamen", "s_someone"), recipient, scenario, END)


@pytest.mark.parametrize("good", [shown(), shown(recipient=None), shown(scenario=None)])
def test_a_pass_is_good_where_it_was_made_for(good: Pass) -> None:
    assert check_pass(good, SHOP, SCENE, END - timedelta(milliseconds=1)) is good


@pytest.mark.parametrize(
    ("recipient", "scenario"),
    [("merchant:xiamen/other", SCENE), ("bank:xiamen/qingliu-farm", SCENE), ("city:xiamen", SCENE), (SHOP, "xiamen/x")],
)
@pytest.mark.parametrize("at", [NOW, END])
def test_a_pass_for_somebody_else_is_invalid_expired_or_not(recipient: str, scenario: str, at: datetime) -> None:
    with pytest.raises(PassInvalid):
        check_pass(shown(), recipient, scenario, at)


def test_a_pass_expires_after_two_minutes() -> None:
    with pytest.raises(PassExpired):
        check_pass(shown(), SHOP, SCENE, END)


def test_passes_are_counted_by_the_minute() -> None:
    assert minute_of(NOW) == minute_of(NOW + timedelta(seconds=59)) == minute_of(NOW + timedelta(seconds=60)) - 1
    assert seconds_to_next_minute(NOW) == 60
    assert seconds_to_next_minute(NOW + timedelta(seconds=59.9)) == 1
