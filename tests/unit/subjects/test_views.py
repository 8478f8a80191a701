"""Who looked, in words."""

from __future__ import annotations

import pytest

from chalicelib.core.auth import ACTOR_KINDS
from chalicelib.core.text import Text
from chalicelib.subjects.rules import scenario_in, words_for


def test_the_words_say_who_and_what_and_for_which_scenario() -> None:
    assert words_for("decide:xiamen/roadside_parking", "parking_operator", "haicang-parking") == Text(
        "停车运营方 haicang-parking 查询了您在场景 xiamen/roadside_parking 可享的待遇",
        "The parking operator haicang-parking asked what you are entitled to in xiamen/roadside_parking",
    )


@pytest.mark.parametrize("actor", ACTOR_KINDS)
def test_every_kind_of_actor_has_a_name(actor: str) -> None:
    said = words_for("look-at-score", actor, "a-{tenant}")
    assert said.zh.endswith("查看了您的信用分")
    assert said.en.endswith("looked at your score")
    assert ("a-{tenant}" in said.zh) == ("a-{tenant}" in said.en) == (actor != "citizen")


def test_a_citizen_is_you_and_not_a_row_of_letters() -> None:
    assert words_for("grant-consent", "citizen", "p1_abc") == Text("您给予了授权", "You gave a consent")


def test_whoever_there_is_one_of_needs_no_name() -> None:
    assert words_for("replay", "auditor", "auditor").en == "The auditor checked a decision about you again"
    assert words_for("look-at-score", "alliance", "alliance").zh == "城市联盟查看了您的信用分"


def test_only_what_was_done_for_a_scenario_names_one() -> None:
    assert scenario_in("decide:xiamen/library") == "xiamen/library"
    for purpose in ("decide", "replay", "look-at-score", "other:xiamen/library"):
        assert scenario_in(purpose) is None
        assert "{" not in words_for(purpose, "auditor", "auditor").zh
