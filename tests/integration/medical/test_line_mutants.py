"""LIMIT, ONCE and CONSENT of lines and holds, proved able to fail: code with one guard taken out is found out.

Each proof is a scene: requests that meet at one certain place, whatever the threads of a machine would do. It tells
what is wrong afterwards. With the code as it is, nothing is; with the mutant, something is. That a hold is written only
as it was seen has no proof of its own: a hold never changes without its line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib.core import clock
from chalicelib.core.commit import Unit
from chalicelib.core.errors import Conflict
from chalicelib.ledger.rules import holds
from chalicelib.ledger.rules.holds import Step
from chalicelib.ledger.rules.lines import MOST_FEN, Hold, Line
from chalicelib.medical import store
from chalicelib.medical.rules.line_views import HoldView
from chalicelib.medical.service import holding
from chalicelib.medical.store import credit
from chalicelib.subjects import store as accounts
from tests.in_process import Answer
from tests.integration.core.faults import inject, lost_after
from tests.integration.medical.audit import audit
from tests.integration.medical.clinic import OTHER_BANK, SCENARIO, SECOND, Clinic
from tests.integration.offers.test_deal_mutants import (
    blindly,
    effect_of_any_id,
    effect_without_condition,
    meeting,
)
from tests.world import HOSPITAL, World

Mutant = Callable[[pytest.MonkeyPatch], None]
Scene = Callable[[Clinic], list[str]]
BEST, LEAST = 693, 450
LIMIT_FEN, LEAST_FEN = 300_000, 50_000
SKEW = timedelta(seconds=20)


@pytest.fixture
def clinic(own_world: World) -> Clinic:
    return Clinic(own_world)


def reviewed(clinic: Clinic) -> list[str]:
    return audit(clinic.world.items())


def after_all(answer: Answer, said: str) -> list[str]:
    return [said] if answer.status < 300 else []


def two_hospitals_meet(clinic: Clinic) -> list[str]:
    """Two hospitals hold two thirds of a line each: between the look of one and his write, the other has placed his."""
    who = clinic.insured(BEST)
    bodies = {actor: clinic.hold_body(who, 2 * LIMIT_FEN // 3, actor) for actor in (HOSPITAL, SECOND)}
    with meeting(lambda: clinic.post("/v1/credit-holds", SECOND, bodies[SECOND])):
        clinic.post("/v1/credit-holds", HOSPITAL, bodies[HOSPITAL])
    return reviewed(clinic)


def a_void_meets_a_capture(clinic: Clinic) -> list[str]:
    """A hold is given up; between the look of that and its write it is captured for the last time."""
    hold_id = clinic.held(clinic.insured(BEST), 1_000)
    with meeting(lambda: clinic.capture(hold_id, 400, final=True)):
        clinic.act("void", hold_id)
    return reviewed(clinic)


def lapsed_for_one(clinic: Clinic) -> list[str]:
    """A fast clock has seen a hold lapse and given its room to another; a slow one is asked to capture it."""
    who = clinic.insured(BEST)
    answer = clinic.hold(who, 2 * LIMIT_FEN // 3)
    lapses = datetime.fromisoformat(answer.body["expires_at"])
    with clock.fixed(lapses + SKEW):
        clinic.held(who, 2 * LIMIT_FEN // 3, SECOND)
    with clock.fixed(lapses - SKEW):
        late = clinic.capture(answer.body["hold_id"], 2 * LIMIT_FEN // 3)
    return [*reviewed(clinic), *after_all(late, "LIMIT: captured after it had lapsed")]


def nobody_saw_it_lapse(clinic: Clinic) -> list[str]:
    """A hold has lapsed, and nobody has written since; it is captured."""
    answer = clinic.hold(clinic.insured(BEST), 1_000)
    with clock.fixed(datetime.fromisoformat(answer.body["expires_at"])):
        late = clinic.capture(answer.body["hold_id"], 1_000)
    return [*reviewed(clinic), *after_all(late, "LIMIT: captured after it had lapsed")]


def captured_bit_by_bit(clinic: Clinic) -> list[str]:
    """Twice three fifths of a hold."""
    hold_id = clinic.held(clinic.insured(BEST), 1_000)
    for _ in range(2):
        clinic.capture(hold_id, 600)
    return reviewed(clinic)


def a_capture_comes_again(clinic: Clinic) -> list[str]:
    """The answer to a capture is lost; it comes again, and once more."""
    who = clinic.insured(BEST)
    hold_id = clinic.held(who, 1_000)
    with pytest.MonkeyPatch.context() as patch:
        inject(patch, iter([lost_after]))
        clinic.capture(hold_id, 200, key="mutant-capture-1")
    answers = [clinic.capture(hold_id, 200, key="mutant-capture-1") for _ in range(2)]
    found = reviewed(clinic)
    if clinic.standing(who)[1] != 200:
        found.append("ONCE: one request was done more than once")
    if len({answer.text for answer in answers}) > 1:
        found.append("ONCE: one request has two answers")
    return found


def given_up_twice(clinic: Clinic) -> list[str]:
    """A hold is captured in part, given up, and given up once more."""
    hold_id = clinic.held(clinic.insured(BEST), 1_000)
    clinic.capture(hold_id, 300)
    for _ in range(2):
        clinic.act("void", hold_id)
    return reviewed(clinic)


def beyond_the_cap(clinic: Clinic) -> list[str]:
    """A bank may lend to one with the least limit and to one with the best; there comes another of the best."""
    cap_fen = LIMIT_FEN + LEAST_FEN
    clinic.in_force(clinic.policy(bank_id="other-bank", exposure_cap_fen=cap_fen, shards=1))
    for score in (LEAST, BEST, BEST):
        clinic.open(clinic.patient(score, granted=(OTHER_BANK,)), OTHER_BANK)
    return reviewed(clinic)


def withdrawn_meanwhile(clinic: Clinic) -> list[str]:
    """A consent is withdrawn between the look of a hold and its write."""
    who = clinic.insured(BEST)
    grant_id, body = clinic.world.grant(who, HOSPITAL, SCENARIO), clinic.hold_body(who, 1_000)
    with meeting(lambda: clinic.world.withdraw(who, grant_id)):
        answer = clinic.post("/v1/credit-holds", HOSPITAL, body)
    return [*reviewed(clinic), *after_all(answer, "CONSENT: held after it was withdrawn")]


def line_unseen(patch: pytest.MonkeyPatch) -> None:
    """A line is written over whatever it has become."""
    blindly(patch, store, "save_line")


def nothing_seen(patch: pytest.MonkeyPatch) -> None:
    """A line and its hold are written over whatever they have become."""
    blindly(patch, store, "save_line")
    blindly(patch, store, "save_hold")


def check_of_the_first_look(patch: pytest.MonkeyPatch) -> None:
    """Who meets another at a line looks at it anew and writes, and does not compare the limit once more."""

    def looking_again(unit: Unit, once: Callable[[Unit], HoldView], _: int) -> HoldView:
        try:
            return once(unit.again())
        except Conflict:
            with pytest.MonkeyPatch.context() as later:
                later.setattr(holds, "available", lambda line, now: MOST_FEN)
                return once(unit.again())

    patch.setattr(holding, "looking_again", looking_again)


def own_clock(patch: pytest.MonkeyPatch) -> None:
    """A writer goes by his own clock alone, and leaves what has lapsed on the line."""
    patch.setattr(holds, "folded", lambda line, now: replace(line, as_of=now))


def never_lapsing(patch: pytest.MonkeyPatch) -> None:
    """What has lapsed is not taken off the line, and open as ever."""
    patch.setattr(holds, "folded", lambda line, now: line)


def rest_unseen(patch: pytest.MonkeyPatch) -> None:
    """What is captured is not compared with what is left of the hold."""
    known = holds.capture

    def capture(line: Line, hold: Hold, amount_fen: int, now: datetime, *, final: bool = False) -> Step:
        step = known(line, hold, min(amount_fen, hold.left_fen), now, final=final)
        more = amount_fen - step.captured_fen
        posted = replace(step.line, posted_fen=step.line.posted_fen + more)
        return Step(posted, replace(step.hold, captured_fen=step.hold.captured_fen + more), amount_fen)

    patch.setattr(holds, "capture", capture)


def void_of_anything(patch: pytest.MonkeyPatch) -> None:
    """A hold is given up whether it is open or not."""

    def void(line: Line, hold: Hold, now: datetime) -> Step:
        others = {hold_id: other for hold_id, other in line.holds.items() if hold_id != hold.hold_id}
        after = replace(line, holds=others, version=line.version + 1)
        return Step(after, replace(hold, ended="voided"), 0, hold.left_fen)

    patch.setattr(holds, "void", void)


def cap_unseen(patch: pytest.MonkeyPatch) -> None:
    """What a line is booked for is added to whatever is booked."""
    known = credit.book
    patch.setattr(credit, "book", lambda unit, line, before_fen, _, *more: known(unit, line, before_fen, 10**15, *more))


def guard_unseen(patch: pytest.MonkeyPatch) -> None:
    """The consent that was read is no condition of the write."""
    blindly(patch, accounts, "check_guard")


def proves(clinic: Clinic, scene: Scene, mutant: Mutant, *found: str) -> None:
    """With the code as it is the scene finds nothing wrong; with the mutant it finds each of these."""
    before = clinic.world.mark()
    assert scene(clinic) == []
    clinic.world.restore(before)
    with pytest.MonkeyPatch.context() as patch:
        mutant(patch)
        violations = scene(clinic)
    for words in found:
        assert any(words in violation for violation in violations), violations


def test_LIMIT_catches_a_line_written_over(clinic: Clinic) -> None:
    proves(clinic, two_hospitals_meet, line_unseen, "None of a hold lies on the line, (200000,")


def test_LIMIT_catches_a_check_before_the_write(clinic: Clinic) -> None:
    proves(clinic, two_hospitals_meet, check_of_the_first_look, "0 are posted and 400000 held of 300000")


@pytest.mark.parametrize(
    ("scene", "mutant"), [(lapsed_for_one, own_clock), (nobody_saw_it_lapse, never_lapsing)]
)  # fmt: skip
def test_LIMIT_catches_what_lapsed_captured(clinic: Clinic, scene: Scene, mutant: Mutant) -> None:
    proves(clinic, scene, mutant, "LIMIT: captured after it had lapsed")


def test_LIMIT_catches_room_given_twice(clinic: Clinic) -> None:
    proves(clinic, lapsed_for_one, own_clock, "200000 are posted and 200000 held of 300000")


def test_LIMIT_catches_a_capture_beyond_its_hold(clinic: Clinic) -> None:
    proves(clinic, captured_bit_by_bit, rest_unseen, "more was captured of a hold than it held")


@pytest.mark.parametrize(
    ("mutant", "found"),
    [
        (effect_without_condition, ["ONCE: one request was done more than once", "200 were captured by effects, 600"]),
        (effect_of_any_id, ["ONCE: one request was done more than once", "ONCE: one request has two answers"]),
    ],
)
def test_ONCE_catches_a_missing_effect_id(clinic: Clinic, mutant: Mutant, found: list[str]) -> None:
    proves(clinic, a_capture_comes_again, mutant, *found)


def test_LIMIT_catches_a_void_that_gives_back_twice(clinic: Clinic) -> None:
    found = ["a hold was ended by 2 effects", "1700 of a hold of 1000 were captured or given back"]
    proves(clinic, given_up_twice, void_of_anything, *found)


def test_LIMIT_catches_a_hold_ended_twice(clinic: Clinic) -> None:
    found = ["a hold was ended by 2 effects", "2000 of a hold of 1000", "400 were captured by effects, 0 by the hold"]
    proves(clinic, a_void_meets_a_capture, nothing_seen, *found)


def test_LIMIT_catches_more_lent_than_the_cap_bears(clinic: Clinic) -> None:
    proves(clinic, beyond_the_cap, cap_unseen, "more is booked than the bank's cap bears")


def test_CONSENT_catches_a_hold_after_it_was_withdrawn(clinic: Clinic) -> None:
    proves(clinic, withdrawn_meanwhile, guard_unseen, "CONSENT: held after it was withdrawn")
