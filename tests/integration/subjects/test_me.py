"""What a citizen sees of himself: his account and who looked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.core import clock, effect
from chalicelib.core.commit import Unit
from chalicelib.subjects.rules import Account, AccountRef, HeldScore
from chalicelib.subjects.service import known_as
from chalicelib.subjects.store import account_pk, create_account
from tests.conftest import Calls
from tests.integration.subjects.world import LIBRARY, World, give_score, ref_of

NOW = datetime(2026, 8, 1, 4, tzinfo=UTC)
SCORE = HeldScore(693, 1, NOW, 1)


def look(subject_id: str, at: datetime, key: str, tenant: str = "city-library", kind: str = "library") -> None:
    """An institution's look, as a decision records it."""
    unit, intent = Unit(), effect.intend("xiamen", kind, tenant, "POST /v1/decisions", key, None)
    subject = account_pk(ref_of(subject_id))
    unit.effect(effect.row(intent, at, purpose="decide:xiamen/library", facts={}, reply={}, subject=subject))
    unit.commit()


def test_my_account_before_any_score(world: World) -> None:
    lin = world.subject()
    me = world.mine(lin).body
    assert me == {
        "subject_id": lin,
        "city_id": "xiamen",
        "enrolled_at": me["enrolled_at"],
        "score": None,
        "live_consents": 0,
        "suspensions": [],
    }


def test_my_account_with_score_grade_consents_and_suspensions(world: World) -> None:
    lin = world.subject()
    give_score(ref_of(lin), SCORE)
    world.grant(lin)
    reason = {"zh": "还款逾期", "en": "A repayment is overdue"}
    path = f"/v1/cities/xiamen/subjects/{lin}/suspensions"
    world.api.post(path, {"kind": "pay_later_parking", "reason": reason}, token=world.city())
    me = world.mine(lin).body
    grade = {"name": "优秀", "name_en": "very good"}
    assert me["score"] == {"score": 693, "scale_version": 1, "as_of": "2026-08-01T04:00:00Z", "grade": grade}
    assert me["live_consents"] == 1
    assert [s["kind"] for s in me["suspensions"]] == ["pay_later_parking"]
    assert me["suspensions"][0]["words"]["zh"] == "停车先离场后付费已暂停"


def test_MINIMAL_the_score_is_in_my_account_and_nowhere_else(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    lin = world.subject()
    give_score(ref_of(lin), HeldScore(87654, 1, NOW, 1))
    grant = world.grant(lin)
    path = f"/v1/cities/xiamen/subjects/{lin}/suspensions"
    reason = {"zh": "核查", "en": "Under review"}
    said = [
        grant,
        world.enrol(),
        world.mine(lin, "/consents"),
        world.mine(lin, f"/consents/{grant.body['grant_id']}"),
        world.mine(lin, "/looks?limit=1"),
        world.act(lin, "/passes", {"recipient": LIBRARY}),
        world.act(lin, f"/consents/{grant.body['grant_id']}/withdraw"),
        world.api.post(path, {"kind": "all_benefits", "reason": reason}, token=world.city()),
        world.api.post(path + "/all_benefits/lift", token=world.city()),
    ]
    assert all(answer.status < 300 for answer in said)
    everything = "".join(f"{answer.headers}{answer.text}" for answer in said) + capsys.readouterr().out
    assert "87654" not in everything
    assert ref_of(lin).person_id not in everything + world.mine(lin).text


def test_who_looked_newest_first_with_words_and_a_second_page(world: World) -> None:
    lin = world.subject()
    for number in range(3):
        look(lin, clock.now() + timedelta(seconds=number + 1), f"look-{number}")
    first = world.mine(lin, "/looks?limit=2").body
    second = world.mine(lin, f"/looks?limit=2&cursor={first['next']}").body
    listed = first["items"] + second["items"]
    assert [line["purpose"] for line in listed] == ["decide:xiamen/library"] * 3 + ["enrol-subject"]
    assert [line["at"] for line in listed] == sorted((line["at"] for line in listed), reverse=True)
    assert len({line["effect_id"] for line in listed}) == 4
    assert (listed[0]["actor"], listed[0]["tenant"], listed[0]["city_id"]) == ("library", "city-library", "xiamen")
    assert listed[0]["words"] == {
        "zh": "图书馆 city-library 查询了您在场景 xiamen/library 可享的待遇",
        "en": "The library city-library asked what you are entitled to in xiamen/library",
    }
    assert [line["scenario"] for line in listed] == ["xiamen/library"] * 3 + [None]
    assert listed[3]["words"]["en"] == "The city xiamen opened your account"
    last = world.mine(lin, f"/looks?limit=2&cursor={second['next']}").body if second["next"] else {"items": []}
    assert last["items"] == []


def test_nobody_looked(world: World) -> None:
    account = Account(AccountRef("xiamen", "s_" + "a" * 26), NOW)
    unit = Unit()
    create_account(unit, account)
    unit.commit()
    answer = world.mine(known_as("city:xiamen", account.ref), "/looks")
    assert (answer.status, answer.body) == (200, {"items": [], "next": None})


def test_a_purpose_without_words_of_its_own_still_has_some(world: World) -> None:
    lin = world.subject()
    unit, intent = Unit(), effect.intend("xiamen", "bank", "b-bank", "POST /v1/x", "some-key-1", None)
    subject = account_pk(ref_of(lin))
    unit.effect(effect.row(intent, clock.now(), purpose="new-thing", facts={}, reply={}, subject=subject))
    unit.commit()
    words = [line["words"] for line in world.mine(lin, "/looks").body["items"] if line["purpose"] == "new-thing"]
    assert words == [{"zh": "银行 b-bank 使用了您的信用账户", "en": "The bank b-bank used your account"}]


def test_a_cursor_is_of_no_use_to_another_citizen(world: World) -> None:
    lin, wu = world.subject(), world.subject(order=2)
    look(lin, clock.now(), "look-1")
    stolen = world.mine(lin, "/looks?limit=1").body["next"]
    assert world.mine(wu, f"/looks?cursor={stolen}").code == "cursor-invalid"
    assert world.mine(lin, "/looks?cursor=" + "A" * 40).code == "cursor-invalid"
    assert world.mine(lin, "/looks?limit=0").code == "invalid-request"


@pytest.mark.parametrize("rest", ["", "/consents", "/looks", "/consents/xiamen.aaaa"])
def test_mine_is_for_citizens_with_an_account_only(world: World, rest: str) -> None:
    def get(token: str | None) -> Any:
        return world.api.get("/v1/me" + rest, token=token)

    lin = world.subject()
    assert get(None).code == "unauthenticated"
    others = [world.city(), world.api.as_partner("library", "city-library"), world.api.as_alliance()]
    assert {get(token).code for token in others} == {"forbidden"}
    invented, foreign = get(world.citizen("p1_" + "a" * 100)), get(world.citizen(lin, "hangzhou"))
    assert invented.code == foreign.code == "not-found"
    assert invented.text == foreign.text


def test_budget_of_calls(calls: Calls, world: World) -> None:
    lin = world.subject()
    give_score(ref_of(lin), SCORE)
    world.mine(lin)
    assert calls.during(lambda: world.mine(lin)) == {"BatchGetItem": 1}
    assert calls.during(lambda: world.mine(lin, "/looks")) == {"Query": 1}
