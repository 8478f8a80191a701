"""A score that changes becomes a new limit, through the stream: once, by consent, and never above what is booked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app import stream
from chalicelib.core import commit
from chalicelib.core.errors import Conflict
from chalicelib.ledger.rules import lines
from chalicelib.medical import store
from chalicelib.medical.rules.credit import as_decided
from chalicelib.medical.service import regrading
from chalicelib.medical.service.grounds import judge
from chalicelib.subjects.rules import AccountRef
from infra.local import database
from tests.integration.core.streaming import deliver, listening
from tests.integration.medical.calendar import Calendar
from tests.integration.medical.clinic import Clinic
from tests.world import BANK, HOSPITAL, XIAMEN, World

REASON = {"zh": "停用", "en": "suspended"}


@pytest.fixture(scope="module")
def calendar(clinic: Clinic) -> Calendar:
    return Calendar(clinic)


def limit(calendar: Calendar, who: str) -> int:
    return calendar.clinic.line(who).line.limit_fen


def rescored(calendar: Calendar, who: str, score: int) -> int:
    """The limit after a new score, once the stream was read."""
    calendar.world.rescore(who, score)
    calendar.pump.drain()
    return limit(calendar, who)


def suspended(calendar: Calendar, who: str, *, lifted: bool = False) -> frozenset[str]:
    """For what the line is suspended after the city's order, once the stream was read."""
    subject = calendar.world.client.people[who]["subject_id"]
    path = f"/v1/cities/xiamen/subjects/{subject}/suspensions"
    body = None if lifted else {"kind": "all_benefits", "reason": REASON}
    assert calendar.world.post(f"{path}/all_benefits/lift" if lifted else path, XIAMEN, body).status == 200
    calendar.pump.drain()
    return calendar.clinic.line(who).line.suspended_for


def test_a_lower_score_lowers_the_limit_and_a_better_one_gives_back_what_is_booked(calendar: Calendar) -> None:
    who = calendar.clinic.insured(693)
    booked_fen = limit(calendar, who)
    assert booked_fen == 300_000
    assert rescored(calendar, who, 612) == 150_000
    assert rescored(calendar, who, 613) == 150_000
    assert rescored(calendar, who, 999) == booked_fen
    assert calendar.looks(who, "regrade-line") == ["regrade-line", "regrade-line"], "only what changes anything"
    assert calendar.clinic.exposure() >= booked_fen


def test_more_than_is_booked_is_not_given(calendar: Calendar) -> None:
    who = calendar.clinic.insured(612)
    assert rescored(calendar, who, 999) == 150_000


def test_LIMIT_what_is_held_stays_held_and_is_captured(calendar: Calendar) -> None:
    who = calendar.clinic.insured(693)
    hold_id = calendar.clinic.held(who, 280_000)
    assert rescored(calendar, who, 525) == 100_000
    line = calendar.clinic.line(who).line
    assert (lines.available(line, line.as_of), len(line.holds)) == (0, 1)
    assert calendar.clinic.capture(hold_id, 280_000).status == 201


def test_CONSENT_without_the_banks_consent_the_line_is_left(calendar: Calendar) -> None:
    clinic, world = calendar.clinic, calendar.world
    who = clinic.patient(granted=(HOSPITAL,))
    grant_id = world.grant(who, BANK, "credit_medical")
    assert clinic.open(who).status == 201
    world.withdraw(who, grant_id)
    assert rescored(calendar, who, 525) == 300_000
    assert calendar.looks(who, "regrade-line") == []


def test_a_suspended_standing_suspends_the_line_and_its_end_resumes_it(calendar: Calendar) -> None:
    who = calendar.clinic.insured()
    assert suspended(calendar, who) == {"benefits"}
    assert calendar.clinic.hold(who, 1_000).code == "credit-line-suspended"
    assert suspended(calendar, who, lifted=True) == frozenset()
    assert suspended(calendar, who) == {"benefits"}, "a second time, too, with the same score"


def test_ONCE_a_change_that_comes_twice_or_late_changes_nothing(calendar: Calendar) -> None:
    world = calendar.world
    heard = listening(world.raw, database.streams(world.database.endpoint))
    who = calendar.clinic.insured(693)
    world.rescore(who, 612)
    world.rescore(who, 525)
    mine = [one for one in heard() if is_of(calendar, who, one)]
    assert len(mine) >= 2
    deliver([mine[-1]])
    assert limit(calendar, who) == 100_000
    before = world.items()
    deliver(mine)
    deliver(mine)
    assert world.items() == before
    calendar.pump.drain()
    assert calendar.looks(who, "regrade-line") == ["regrade-line"]


def is_of(calendar: Calendar, who: str, record: Any) -> bool:
    image = record["dynamodb"].get("NewImage", {})
    return bool(image["kind"]["S"] == "account" and calendar.world.ref(who).person_id in image["pk"]["S"])


def test_ONCE_the_same_change_after_another_table_has_come_is_no_second_look(
    calendar: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic, world = calendar.clinic, calendar.world
    heard = listening(world.raw, database.streams(world.database.endpoint))
    who = clinic.insured(693)
    assert rescored(calendar, who, 612) == 150_000
    mine = [one for one in heard() if is_of(calendar, who, one)]
    monkeypatch.setattr(
        regrading, "as_decided", lambda credit, limit, now, ceiling: as_decided(credit, less(limit), now, ceiling)
    )
    deliver(mine)
    assert limit(calendar, who) == 150_000


def less(limit: Any) -> Any:
    return replace(limit, fen=50_000)


def test_a_withdrawal_between_the_look_and_the_write_is_seen(
    calendar: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic, world = calendar.clinic, calendar.world
    who = clinic.patient(granted=(HOSPITAL,))
    grant_id = world.grant(who, BANK, "credit_medical")
    assert clinic.open(who).status == 201
    withdrawn: list[bool] = []

    def withdrawn_meanwhile(*args: Any) -> Any:
        if not withdrawn:
            withdrawn.append(True)
            world.withdraw(who, grant_id)
        return judge(*args)

    monkeypatch.setattr(regrading, "judge", withdrawn_meanwhile)
    assert rescored(calendar, who, 525) == 300_000
    assert withdrawn


def test_who_keeps_meeting_others_comes_again(calendar: Calendar, monkeypatch: pytest.MonkeyPatch) -> None:
    world = calendar.world
    heard = listening(world.raw, database.streams(world.database.endpoint))
    who = calendar.clinic.insured(693)
    world.rescore(who, 612)
    mine = [one for one in heard() if is_of(calendar, who, one)]

    def busy(*_: Any) -> bool:
        raise Conflict

    with monkeypatch.context() as patch:
        patch.setattr(commit, "_attempt", busy)
        said = stream({"Records": mine[-1:]}, None)
    assert said == {"batchItemFailures": [{"itemIdentifier": mine[-1]["dynamodb"]["SequenceNumber"]}]}
    deliver(mine[-1:])
    assert limit(calendar, who) == 150_000


@pytest.mark.parametrize("stop", ["bank", "city", "line"])
def test_where_there_is_no_decision_of_today_the_line_stays(own_world: World, stop: str) -> None:
    clinic = Clinic(own_world)
    calendar = Calendar(clinic)
    who = clinic.insured(693)
    if stop == "bank":
        own_world.suspend_partner("demo-bank")
    elif stop == "city":
        own_world.suspend_city("xiamen")
    else:
        assert clinic.move(who, "close").status == 200
    before, said = clinic.line(who), len(own_world.logs.getvalue())
    own_world.set_score(who, 525)
    calendar.pump.drain()
    assert clinic.line(who) == before
    assert "crash" not in own_world.logs.getvalue()[said:], "it is no broken belief either"


def test_what_does_not_change_the_standing_is_not_even_looked_at(
    calendar: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = calendar.clinic.insured()
    calendar.pump.drain()
    looked: list[AccountRef] = []

    def noted(ref: AccountRef) -> list[tuple[str, str]]:
        looked.append(ref)
        return []

    monkeypatch.setattr(store, "lines_of", noted)
    calendar.world.grant(who, "library:xiamen-library@xiamen", "library")
    calendar.pump.drain()
    assert looked == []
    calendar.world.rescore(who, 612)
    calendar.pump.drain()
    assert looked == [calendar.world.ref(who)]
