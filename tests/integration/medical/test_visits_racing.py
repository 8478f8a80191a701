"""What lies beneath a visit changes: other hospitals, other clocks, other kiosks, another score."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from chalicelib.core import clock, table
from chalicelib.core.table import Key, Row
from chalicelib.medical import store
from chalicelib.medical.store.visits import visit_key
from tests.in_process import Answer
from tests.integration.medical.clinic import SCENARIO, SECOND, Clinic
from tests.integration.medical.debts import bill
from tests.integration.medical.reception import Reception
from tests.world import HOSPITAL, World


def test_LIMIT_two_hospitals_share_one_limit(clinic: Clinic, reception: Reception) -> None:
    who = clinic.insured()
    limit_fen = clinic.standing(who)[0]
    first = reception.opened(who, limit_fen - 10_000)
    second = reception.opened(who, 10_000, SECOND)
    assert reception.act(first, "raise", {"amount_fen": 1}).code == "hold-exceeds-limit"
    assert reception.open(who, 1, SECOND).code == "hold-exceeds-limit"
    assert reception.settle(first).body["returned_fen"] == limit_fen - 10_000
    assert reception.act(second, "raise", {"amount_fen": 1}, actor=SECOND).status == 201
    assert clinic.standing(who) == (limit_fen, 0, 10_001)


def test_LIMIT_holds_that_have_lapsed_need_a_fresh_pass(
    clinic: Clinic, reception: Reception, monkeypatch: pytest.MonkeyPatch
) -> None:
    who, other = clinic.insured(), clinic.insured()
    visit_id = reception.opened(who, 1_000)
    reception.enter(visit_id, "a", 800, 0)
    now = clock.now
    monkeypatch.setattr(clock, "now", lambda: now() + timedelta(days=30, seconds=1))
    assert reception.capture(visit_id, "a").code == "hold-expired"
    assert reception.act(visit_id, "raise", {"amount_fen": 800}).code == "hold-expired"
    ward_id = reception.ward(who)
    for code in (reception.show(other), reception.show(who, ward_id=ward_id), reception.show(who, SECOND)):
        body = {"amount_fen": 800, "pass_code": code}
        assert reception.act(visit_id, "raise", body).code == "pass-invalid"
    body = {"amount_fen": 800, "pass_code": reception.show(who)}
    raised = reception.act(visit_id, "raise", body)
    assert [hold["left_fen"] for hold in raised.body["holds"]] == [0, 800]
    assert reception.act(visit_id, "raise", body).code == "pass-used"
    assert reception.capture(visit_id, "a").status == 200
    assert reception.settle(visit_id).body["returned_fen"] == 0
    assert clinic.standing(who)[1:] == (800, 0)


def test_LIMIT_a_capture_asks_neither_the_score_nor_the_policy(
    clinic: Clinic, reception: Reception, own_world: World
) -> None:
    who = clinic.insured(693)
    visit_id = reception.opened(who, 100_000)
    reception.enter(visit_id, "a", 60_000, 0)
    own_world.rescore(who, 250)
    own_world.withdraw(who, own_world.grant(who, HOSPITAL, SCENARIO))
    assert clinic.move(who, "close").status == 200
    clinic.in_force(clinic.policy(), state="ended")
    own_world.suspend_partner("demo-hospital")
    own_world.suspend_city("xiamen")
    assert reception.capture(visit_id, "a").status == 200
    assert reception.refund(visit_id, "a", 1_000).status == 201
    assert reception.settle(visit_id).status == 200
    assert clinic.line(who).line.posted_fen == 59_000


def test_LIMIT_an_item_is_captured_once_whoever_is_first(clinic: Clinic, reception: Reception) -> None:
    who = clinic.insured()
    visit_id = reception.opened(who, 1_000)
    reception.raised(visit_id, [1_000])
    reception.enter(visit_id, "a", 1_500, 0)

    def race(turn: int) -> Answer:
        key = f"kiosk-{visit_id[-8:]}-{turn}"
        return reception.settle(visit_id, key=key) if turn % 3 == 2 else reception.capture(visit_id, "a", key=key)

    with ThreadPoolExecutor(6) as pool:
        answers = [*pool.map(race, range(6))]
    taken = [answer.body["captured_fen"] for answer in answers if answer.status == 200 and "item" in answer.body]
    assert taken == [1_500]
    said = {answer.code for answer in answers}
    assert said <= {None, "visit-item-captured", "visit-over", "visit-items-outstanding", "conflict"}, said
    reception.settle(visit_id)
    assert clinic.standing(who)[1:] == (1_500, 0)
    assert bill(clinic, who).account.posted_fen == 1_500


def test_ONCE_items_entered_at_one_time_are_all_there(clinic: Clinic, reception: Reception) -> None:
    visit_id = reception.opened(clinic.insured(), 100)
    with ThreadPoolExecutor(5) as pool:
        answers = [
            *pool.map(lambda n: reception.enter(visit_id, f"i{n}", 1, key=f"enter-{visit_id[-8:]}-{n}"), range(5))
        ]
    entered = {answer.body["item"]["item_id"] for answer in answers if answer.status == 201}
    assert entered
    assert {answer.code for answer in answers} <= {None, "conflict"}
    assert {item["item_id"] for item in reception.read(visit_id).body["items"]} == entered


@pytest.mark.parametrize("stale", ["line", "hold"])
def test_LIMIT_what_was_read_amid_a_write_is_read_again(
    clinic: Clinic, reception: Reception, monkeypatch: pytest.MonkeyPatch, stale: str
) -> None:
    who = clinic.insured()
    visit_id = reception.opened(who, 1_000)
    reception.enter(visit_id, "a", 300, 0)
    reception.enter(visit_id, "b", 900, 0)
    line_key = store.line_key("xiamen", clinic.world.ref(who).person_id, "demo-bank")
    key = line_key if stale == "line" else store.hold_key("xiamen", visit_id)
    fetch, before = table.fetch, table.fetch([key])
    assert reception.capture(visit_id, "a").status == 200
    reception.raised(visit_id, [200])

    def amid_a_write(keys: Iterable[Key]) -> dict[Key, Row]:
        found = fetch(keys)
        return found | {key: before.pop(key)} if before.keys() & found.keys() else found

    monkeypatch.setattr(table, "fetch", amid_a_write)
    if stale == "line":
        assert reception.read(visit_id).body["held_fen"] == 900
    assert reception.capture(visit_id, "b").body["captured_fen"] == 900
    assert not before
    assert clinic.standing(who)[1:] == (1_200, 0)


def test_LIMIT_a_visit_that_ended_amid_a_read_is_over(
    clinic: Clinic, reception: Reception, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = clinic.insured()
    visit_id = reception.opened(who, 1_000)
    keys = [visit_key("xiamen", visit_id), store.line_key("xiamen", clinic.world.ref(who).person_id, "demo-bank")]
    fetch, before = table.fetch, table.fetch(keys)
    assert reception.settle(visit_id).status == 200

    def amid_a_write(keys: Iterable[Key]) -> dict[Key, Row]:
        found = fetch(keys) | before
        before.clear()
        return found

    monkeypatch.setattr(table, "fetch", amid_a_write)
    assert reception.settle(visit_id).code == "visit-over", "its hold is voided, and its line says nothing of it yet"
    assert clinic.standing(who)[1:] == (0, 0)
