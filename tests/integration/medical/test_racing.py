"""Two hospitals at one line at the same time, and one hold ended by many: never a fen over the limit."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from chalicelib.core import clock
from chalicelib.ledger.rules import lines
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
