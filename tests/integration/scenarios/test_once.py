"""One request, one decision: the same bytes again whatever has happened since, and one winner of every race."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from chalicelib.core import clock
from tests.integration.core.faults import CONFLICT, cancelled, inject, lost_after, lost_before
from tests.integration.scenarios.test_deciding import suspend
from tests.world import FARM, LIBRARY, PARKING, Answer, World, days_ahead

THREADS = 16


def ask(world: World, code: str, key: str, scenario_id: str = "library", actor: str = LIBRARY) -> Answer:
    return world.post("/v1/decisions", actor, {"scenario_id": scenario_id, "pass_code": code}, key=key)


def decisions_about(world: World, who: str) -> int:
    """How often a person was decided about, as he reads it."""
    looks = world.get("/v1/me/looks?limit=200", f"citizen:{who}")["items"]
    return sum(look["purpose"].startswith("decide") for look in looks)


def test_ONCE_the_same_request_again_is_the_same_reply(world: World) -> None:
    who = world.newcomer("xiamen", 640, (LIBRARY, "library"))
    code = world.show(who, LIBRARY)
    first, again = ask(world, code, "once-the-same"), ask(world, code, "once-the-same")
    assert (first.replayed, again.replayed) == (False, True)
    assert (again.status, again.text) == (first.status, first.text)
    assert {**again.headers, "idempotency-replayed": ""} == {**first.headers, "idempotency-replayed": ""}
    assert decisions_about(world, who) == 1
    assert ask(world, code, "once-another-key").code == "pass-used"


def test_ONCE_also_after_the_pass_has_expired_and_everything_has_changed(own_world: World) -> None:
    world, at = own_world, days_ahead(0)
    with clock.fixed(at):
        who = world.newcomer("xiamen", 640)
        grant_id = world.grant(who, LIBRARY, "library")
        code = world.show(who, LIBRARY)
        first = ask(world, code, "once-and-changed")
    changes: list[Callable[[], object]] = [
        lambda: None,
        lambda: world.rescore(who, 100),
        lambda: suspend(world, who),
        lambda: world.withdraw(who, grant_id),
        lambda: world.suspend_partner("xiamen-library"),
        lambda: world.suspend_city("xiamen"),
    ]
    with clock.fixed(at + timedelta(minutes=3)):
        assert ask(world, code, "once-a-new-key").code == "pass-expired"
        for change in changes:
            change()
            again = ask(world, code, "once-and-changed")
            assert (again.status, again.text, again.replayed) == (200, first.text, True)


def test_ONCE_another_body_under_the_same_key_is_refused(world: World) -> None:
    who = world.newcomer("xiamen", 640, (LIBRARY, "library"))
    one, other = world.show(who, LIBRARY), world.show(who, LIBRARY)
    assert ask(world, one, "once-two-bodies").status == 200
    assert ask(world, other, "once-two-bodies").code == "idempotency-key-reused"
    assert ask(world, one, "once-two-bodies", scenario_id="museum").code == "idempotency-key-reused"
    assert ask(world, other, "once-other-body").status == 200
    assert decisions_about(world, who) == 2


def test_ONCE_a_key_belongs_to_its_caller(world: World) -> None:
    who = world.newcomer("xiamen", 640, (LIBRARY, "library"), (PARKING, "roadside_parking"))
    one = ask(world, world.show(who, LIBRARY), "once-whose-key")
    other = ask(world, world.show(who, PARKING), "once-whose-key", "roadside_parking", PARKING)
    assert (one.status, other.status, other.replayed) == (200, 200, False)
    assert one.body["receipt_id"] != other.body["receipt_id"]


def test_ONCE_a_key_is_needed(world: World) -> None:
    body = {"scenario_id": "library", "pass_code": world.show("xm-612", LIBRARY)}
    for key in ("short", "with space", "a" * 65, "键键键键键键键键"):
        assert world.post("/v1/decisions", LIBRARY, body, key=key).code == "idempotency-key-missing"


def test_ONCE_for_oneself(world: World) -> None:
    who = world.newcomer("xiamen", 640)
    body = {"city_id": "xiamen", "scenario_id": "library"}
    first = world.post("/v1/me/decisions", f"citizen:{who}", body, key="once-for-self")
    world.rescore(who, 100)
    again = world.post("/v1/me/decisions", f"citizen:{who}", body, key="once-for-self")
    assert (again.text, again.replayed) == (first.text, True)
    assert first.body["decision"]["outcome"] == "granted"
    changed = world.post("/v1/me/decisions", f"citizen:{who}", body, key="once-for-self-2")
    assert changed.body["decision"]["outcome"] == "refused"


@pytest.mark.parametrize("fault", [lost_before, lost_after, cancelled(CONFLICT)], ids=["request", "reply", "conflict"])
def test_ONCE_with_a_fault_in_the_write(world: World, monkeypatch: pytest.MonkeyPatch, fault: object) -> None:
    monkeypatch.setattr(clock, "sleep", lambda seconds: None)
    who = world.newcomer("xiamen", 640, (LIBRARY, "library"))
    code, key = world.show(who, LIBRARY), f"once-fault-{next(world.client.numbers)}"
    inject(monkeypatch, iter([fault]))  # type: ignore[list-item]
    first = ask(world, code, key)
    again = ask(world, code, key)
    assert again.status == 200
    assert first.status in {200, 503}
    assert ask(world, code, key).text == again.text
    assert decisions_about(world, who) == 1


def race(ask_one: Callable[[int], Answer]) -> list[Answer]:
    """What comes back to as many requests as there are threads, sent at once."""
    gate = threading.Barrier(THREADS)

    def run(number: int) -> Answer:
        gate.wait()
        return ask_one(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


@pytest.fixture
def raced(world: World) -> World:
    """The world, if transactions may be raced on it."""
    if world.database.engine != "dynoxide":
        pytest.skip("moto is no proof of concurrency")
    return world


def test_ONCE_of_many_at_once_with_one_pass_exactly_one_succeeds(raced: World) -> None:
    who = raced.newcomer("xiamen", 640, (LIBRARY, "library"))
    code = raced.show(who, LIBRARY)
    answers = race(lambda number: ask(raced, code, f"race-other-keys-{number}"))
    assert Counter(answer.code for answer in answers) == {None: 1, "pass-used": THREADS - 1}
    assert decisions_about(raced, who) == 1


def test_ONCE_of_many_at_once_with_one_key_all_get_the_same_bytes(raced: World) -> None:
    who = raced.newcomer("xiamen", 640, (LIBRARY, "library"))
    code = raced.show(who, LIBRARY)
    answers = race(lambda _: ask(raced, code, "race-the-same-key"))
    assert {answer.status for answer in answers} == {200}, {answer.code for answer in answers}
    assert len({answer.text for answer in answers}) == 1
    assert sum(not answer.replayed for answer in answers) == 1
    assert decisions_about(raced, who) == 1


def test_CONSENT_in_a_race_with_its_withdrawal(raced: World) -> None:
    who = raced.newcomer("xiamen", 640)
    grant_id = raced.grant(who, LIBRARY, "library")
    withdrawn = threading.Event()

    def one(number: int) -> Answer:
        if number == 0:
            answer = raced.post(f"/v1/me/consents/{grant_id}/withdraw", f"citizen:{who}")
            withdrawn.set()
            return answer
        late = withdrawn.is_set()
        answer = raced.decide(LIBRARY, who, "library")
        assert not (late and answer.status == 200)
        return answer

    answers = race(one)
    assert answers[0].status in {200, 409}
    asked = Counter(answer.code for answer in answers[1:])
    assert set(asked) <= {None, "consent-required", "conflict"}
    assert decisions_about(raced, who) == asked[None]
    if answers[0].status == 200:
        assert raced.decide(LIBRARY, who, "library").code == "consent-required"


def test_MINIMAL_passes_are_bounded_by_the_minute(world: World) -> None:
    who = world.newcomer("xiamen", 640)
    with clock.fixed(days_ahead(1).replace(second=0)):
        for _ in range(10):
            world.show(who, FARM)
        refused = world.post("/v1/me/passes", f"citizen:{who}", {"recipient": "merchant:xiamen/qingliu-farm"})
        assert (refused.code, refused.headers["retry-after"]) == ("too-many-requests", "60")
    with clock.fixed(days_ahead(1).replace(second=0) + timedelta(minutes=1)):
        world.show(who, FARM)
