"""Suspensions over HTTP: by the citizen's own city, at once, and lifted again."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.core.commit import Unit
from chalicelib.subjects import store
from chalicelib.subjects.rules import ConsentRequired
from chalicelib.subjects.service import known_as
from tests.conftest import Answer, Calls
from tests.integration.subjects.world import World, ref_of

REASON = {"zh": "信用就医欠款催收后仍未还", "en": "A medical bill stayed unpaid after a reminder"}


def suspend(
    world: World, subject_id: str, kind: str = "all_benefits", city_id: str = "xiamen", **kwargs: Any
) -> Answer:
    body = kwargs.pop("body", {"kind": kind, "reason": REASON})
    sent = {"token": world.city(city_id), **kwargs}
    return world.api.post(f"/v1/cities/{city_id}/subjects/{subject_id}/suspensions", body, **sent)


def lift(world: World, subject_id: str, kind: str = "all_benefits", city_id: str = "xiamen", **kwargs: Any) -> Answer:
    sent = {"token": world.city(city_id), **kwargs}
    return world.api.post(f"/v1/cities/{city_id}/subjects/{subject_id}/suspensions/{kind}/lift", **sent)


def kinds_of(answer: Answer) -> list[str]:
    return [suspension["kind"] for suspension in answer.body["suspensions"]]


def test_a_city_suspends_and_restores_its_citizens_benefits(world: World) -> None:
    lin = world.subject()
    first = suspend(world, lin)
    assert (first.status, kinds_of(first), first.body["subject_id"]) == (200, ["all_benefits"], lin)
    both = suspend(world, lin, "pay_later_parking")
    assert kinds_of(both) == ["all_benefits", "pay_later_parking"]
    assert suspend(world, lin).body == both.body, "suspending twice changes nothing"
    assert kinds_of(lift(world, lin)) == ["pay_later_parking"]
    assert kinds_of(lift(world, lin)) == ["pay_later_parking"], "nor does lifting twice"
    assert kinds_of(lift(world, lin, "pay_later_parking")) == []
    assert world.mine(lin).body["suspensions"] == []


def test_a_write_that_relied_on_no_suspension_fails_after_one(world: World) -> None:
    lin = world.subject()
    seen = store.load_account(ref_of(lin))
    assert seen is not None
    suspend(world, lin)
    unit = Unit()
    store.check_guard(unit, seen, ConsentRequired)
    with pytest.raises(ConsentRequired):
        unit.commit()


def test_an_order_that_met_another_change_is_tried_again_by_its_sender(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    lin = world.subject()
    suspend(world, lin)
    seen = store.load_account(ref_of(lin))
    lift(world, lin)
    monkeypatch.setattr(store, "load_account", lambda ref: seen)
    for answer in (suspend(world, lin), suspend(world, lin, "pay_later_parking"), lift(world, lin)):
        assert (answer.status, answer.code) == (409, "conflict")


def test_ONCE_the_same_request_again_is_the_same_reply(world: World) -> None:
    lin = world.subject()
    first = suspend(world, lin, key="suspend-1")
    lift(world, lin)
    again = suspend(world, lin, key="suspend-1")
    assert (again.status, again.text) == (first.status, first.text)
    assert world.mine(lin).body["suspensions"] == []
    assert suspend(world, lin, "pay_later_parking", key="suspend-1").code == "idempotency-key-reused"


def test_the_citizen_sees_who_suspended_him(world: World) -> None:
    lin = world.subject()
    suspend(world, lin)
    newest = world.mine(lin, "/looks").body["items"][0]
    assert (newest["actor"], newest["tenant"], newest["purpose"]) == ("city", "xiamen", "suspend-benefits")


def test_another_citys_citizen_is_as_absent_as_nobody(world: World) -> None:
    lin, guest = world.subject(), world.subject(city_id="hangzhou")
    visitor = known_as("city:xiamen", ref_of(guest, "hangzhou"))
    absent = suspend(world, "p1_" + "a" * 100)
    assert absent.code == "not-found"
    for other in (guest, visitor, "lin", lin[:-1] + ("a" if lin[-1] != "a" else "b")):
        assert suspend(world, other).text == absent.text
        assert lift(world, other).text == absent.text
    assert suspend(world, lin, token=world.city("hangzhou")).text == absent.text
    assert suspend(world, lin, city_id="hangzhou").text == absent.text


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"kind": "everything", "reason": REASON}, "/kind"),
        ({"kind": "all_benefits"}, "/reason"),
        ({"kind": "all_benefits", "reason": "欠款"}, "/reason"),
        ({"kind": "all_benefits", "reason": REASON, "until": "2027-01-01"}, ""),
    ],
)
def test_a_bad_order_is_refused_at_its_place(world: World, body: Any, pointer: str) -> None:
    answer = suspend(world, world.subject(), body=body)
    assert (answer.status, answer.code) == (422, "invalid-request")
    assert answer.body["errors"][0]["pointer"] == pointer


def test_only_the_city_with_its_scope_suspends(world: World) -> None:
    lin = world.subject()
    assert lift(world, lin, "everything").code == "not-found"
    for token in (
        world.city(scope="partners:write"),
        world.citizen(lin),
        world.api.as_partner("bank", "some-bank", scope="subjects:write"),
        world.api.as_alliance(scope="subjects:write"),
    ):
        assert suspend(world, lin, token=token).code == "forbidden"
        assert lift(world, lin, token=token).code == "forbidden"


def test_budget_of_calls(calls: Calls, world: World) -> None:
    lin = world.subject()
    one_and_one = {"BatchGetItem": 1, "TransactWriteItems": 1}
    assert calls.during(lambda: suspend(world, lin)) == one_and_one
    assert calls.during(lambda: suspend(world, lin)) == one_and_one
    assert calls.during(lambda: lift(world, lin)) == one_and_one
