"""Two hospitals at one line at the same time, and one hold ended by many: never a fen over the limit."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.core import clock
from chalicelib.ledger.rules import lines
from chalicelib.medical.service import booking
from chalicelib.medical.store.credit import list_exposure
from tests.in_process import Answer
from tests.integration.medical.clinic import OTHER_BANK, SECOND, Clinic
from tests.world import HOSPITAL, World


def test_LIMIT_two_hospitals_race_for_one_line(clinic: Clinic) -> None:
    who = clinic.insured()
    limit_fen = clinic.standing(who)[0]
    each_fen = limit_fen // 5
    actors = [HOSPITAL, SECOND] * 4
    bodies = [clinic.hold_body(who, each_fen, actor) for actor in actors]

    def place(turn: int) -> Answer:
        return clinic.post("/v1/credit-holds", actors[turn], bodies[turn], key=f"race-{who}-{turn}")

    with ThreadPoolExecutor(8) as pool:
        answers = [*pool.map(place, range(8))]
    codes = Counter(answer.code for answer in answers)
    assert set(codes) <= {None, "hold-exceeds-limit", "conflict"}, codes
    assert codes[None] <= 5
    line = clinic.line(who).line
    assert lines.held(line, clock.now()) == codes[None] * each_fen
    assert line.posted_fen + lines.held(line, clock.now()) <= line.limit_fen
    again = [place(turn) for turn, answer in enumerate(answers) if answer.status == 201]
    assert all(answer.replayed for answer in again)
    filled = [place(turn) for turn, answer in enumerate(answers) if answer.code == "conflict"]
    assert all(answer.code in {None, "hold-exceeds-limit"} for answer in filled)
    assert sum(clinic.standing(who)[1:]) <= limit_fen


def test_LIMIT_a_hold_is_ended_once_whoever_is_first(clinic: Clinic) -> None:
    who = clinic.insured()
    hold_id = clinic.held(who, 1_000)

    def end(turn: int) -> Answer:
        key = f"end-{who}-{turn}"
        if turn % 2:
            return clinic.act("void", hold_id, key=key)
        return clinic.capture(hold_id, 300, final=turn % 4 == 0, key=key)

    with ThreadPoolExecutor(6) as pool:
        answers = [*pool.map(end, range(6))]
    done = [answer.body for answer in answers if answer.status < 300]
    captured = sum(step["captured_fen"] for step in done)
    assert captured + sum(step["returned_fen"] for step in done) <= 1_000
    assert {answer.code for answer in answers} <= {None, "hold-captured", "hold-voided", "conflict"}
    assert sum(step["hold"]["state"] != "open" for step in done) == 1
    assert clinic.standing(who)[1:] == (captured, 0)


def test_LIMIT_a_line_is_opened_once_and_the_cap_holds(clinic: Clinic, own_world: World) -> None:
    clinic.in_force(clinic.policy(bank_id="other-bank", exposure_cap_fen=600_000, shards=2))
    people = [clinic.patient(990, granted=(OTHER_BANK,)) for _ in range(3)]
    wanted = [people[0], *people, people[1], people[2]]
    own_world.forget()

    def open_(turn: int) -> Answer:
        return clinic.open(wanted[turn], OTHER_BANK, key=f"open-{wanted[turn]}-{turn}")

    with ThreadPoolExecutor(6) as pool:
        answers = [*pool.map(open_, range(6))]
    opened = [answer for answer in answers if answer.status == 201]
    assert len(opened) == 2
    assert {answer.code for answer in answers} <= {None, "credit-line-exists", "exposure-cap-reached", "conflict"}
    assert clinic.exposure("other-bank") == 600_000


def filled_meanwhile(clinic: Clinic, monkeypatch: pytest.MonkeyPatch, who: str) -> None:
    """Whoever next counts what is free in each shard meets somebody who opens a line before he writes."""
    others = [who]

    def read_and_then(city_id: str, bank_id: str) -> dict[int, int]:
        found = list_exposure(city_id, bank_id)
        if others:
            assert clinic.open(others.pop(), OTHER_BANK).status == 201
        return found

    monkeypatch.setattr(booking, "list_exposure", read_and_then)


def test_REWARD_whoever_finds_the_most_room_taken_meanwhile_gets_what_another_shard_has(
    clinic: Clinic, own_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic.in_force(clinic.policy(bank_id="other-bank", exposure_cap_fen=199_999, shards=2))
    late, early, last = (clinic.patient(990, granted=(OTHER_BANK,)) for _ in range(3))
    filled_meanwhile(clinic, monkeypatch, early)
    answer = clinic.open(late, OTHER_BANK)
    assert (answer.status, answer.body["limit_fen"]) == (201, 99_999)
    assert clinic.line(early, "other-bank").booked_fen == 100_000
    assert clinic.open(last, OTHER_BANK).code == "exposure-cap-reached"


def test_REWARD_a_line_booked_anew_whose_new_shard_is_filled_meanwhile_gets_what_its_own_has(
    clinic: Clinic, own_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic.in_force(clinic.policy(bank_id="other-bank", exposure_cap_fen=20_000, shards=2))
    late, early = (clinic.patient(990, granted=(OTHER_BANK,)) for _ in range(2))
    assert clinic.open(late, OTHER_BANK).body["limit_fen"] == 10_000
    shard = clinic.line(late, "other-bank").shard
    clinic.in_force(clinic.policy(bank_id="other-bank", version=2, exposure_cap_fen=240_000, shards=2))
    people = (clinic.patient(525, granted=(OTHER_BANK,)) for _ in range(64))
    beside = next(who for who in people if booking.shard_of(own_world.ref(who), 2, 0) == shard)
    assert clinic.open(beside, OTHER_BANK).body["limit_fen"] == 100_000
    filled_meanwhile(clinic, monkeypatch, early)
    answer = clinic.move(late, "relimit", OTHER_BANK)
    assert (answer.status, answer.body["limit_fen"]) == (200, 20_000)
    assert (clinic.line(late, "other-bank").shard, clinic.line(early, "other-bank").booked_fen) == (shard, 120_000)
    assert clinic.exposure("other-bank") == 240_000
