"""The checker checked: it lets every good history pass and stops what a line must never do."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import permutations

import pytest

from tests.e2e.medical.line import DONE, Line, Seen, Step, after
from tests.e2e.medical.linearizable import Stuck, stuck

LIFE = 1_000
START = Line(1_000)


def step(verb: str, began: int, ended: int, **more: object) -> Step:
    """A step at a server whose clock is right, unless said otherwise."""
    return Step(**{"verb": verb, "began": began, "ended": ended, "clock": (began, ended), "life": LIFE} | more)  # type: ignore[arg-type]


def placed(name: str, amount: int, at: int) -> Step:
    return step("place", at - 2, at + 2, made=name, amount=amount, at=at)


def captured(name: str, amount: int, began: int, ended: int, **more: object) -> Step:
    return step("capture", began, ended, hold=name, amount=amount, **more)


def looked(began: int, ended: int, posted: int, held: int, **more: object) -> Step:
    return step("look", began, ended, seen=Seen(1_000, posted, held, False), **more)


def told(*steps: Step) -> Stuck[Line, Step] | None:
    return stuck(steps, START, after)


GOOD = {
    "one after the other": [
        placed("a", 600, 10), captured("a", 100, 20, 21), looked(30, 31, 100, 500, at=30),
        step("void", 40, 41, hold="a", returned=500), looked(50, 51, 100, 0, at=50),
        captured("a", 1, 60, 61, said="hold-voided"),
    ],
    "a look at both of two that overlap, or at one of them": [
        placed("a", 600, 10), captured("a", 100, 20, 90), captured("a", 200, 20, 90), looked(30, 80, 200, 400),
        looked(100, 101, 300, 300),
    ],
    "who overlaps may come second and be refused": [
        placed("a", 600, 10), step("void", 20, 90, hold="a"), captured("a", 100, 30, 40, said="hold-voided"),
    ],
    "the last of the limit to one of two": [
        step("place", 10, 90, made="a", amount=600), step("place", 10, 90, amount=600, said="hold-exceeds-limit"),
    ],
    "what lapsed makes room": [
        placed("a", 600, 10), placed("b", 600, 1_010), captured("a", 1, 1_020, 1_030, said="hold-expired"),
    ],
    "a look by a fast clock, a capture by a slow one": [
        placed("a", 600, 10), looked(900, 905, 0, 0, clock=(1_100, 1_105)), captured("a", 100, 950, 960),
    ],
    "what lapses while its capture is under way": [
        placed("a", 600, 10), captured("a", 600, 1_000, 1_020), looked(1_000, 1_020, 0, 0, at=1_012),
    ],
    "it happened, though nobody was told": [
        placed("a", 600, 10), captured("a", 100, 20, 50, said=None), looked(30, 31, 0, 600), looked(60, 61, 100, 500),
    ],
    "it never happened, and nobody was told": [
        placed("a", 600, 10), captured("a", 100, 20, 50, said=None), looked(60, 61, 0, 600),
    ],
    "a hold of which nobody was told lapses": [
        step("place", 10, 60, amount=600, said=None), looked(70, 71, 0, 600), looked(1_080, 1_081, 0, 0, at=1_080),
    ],
    "what is raised lapses with what it follows": [
        placed("a", 600, 10), step("raise", 900, 902, hold="a", made="b", amount=400, until=1_010),
        looked(950, 951, 0, 1_000, at=950), looked(1_020, 1_021, 0, 0, at=1_020),
    ],
    "what a faster clock saw lapse is not raised": [
        placed("a", 600, 10), step("place", 800, 802, clock=(1_100, 1_102), made="b", amount=100, at=1_100),
        step("raise", 900, 902, hold="a", amount=1, said="hold-expired"),
    ],
}  # fmt: skip

BAD = {
    "two have the last of the limit": [placed("a", 600, 10), placed("b", 600, 20)],
    "a look at what was overtaken before it": [
        placed("a", 600, 10), captured("a", 100, 20, 30), looked(40, 41, 0, 600),
    ],
    "one capture is posted twice": [
        placed("a", 600, 10), captured("a", 100, 20, 30), looked(40, 41, 200, 400),
    ],
    "two looks of two minds": [
        placed("a", 600, 10), captured("a", 100, 20, 90), looked(30, 35, 100, 500), looked(40, 45, 0, 600),
    ],
    "more is captured than was held": [
        placed("a", 600, 10), captured("a", 400, 20, 90), captured("a", 300, 20, 90),
    ],
    "ended twice": [
        placed("a", 600, 10), step("void", 20, 90, hold="a"), captured("a", 100, 30, 40, final=True),
    ],
    "a void gives back what was captured": [
        placed("a", 600, 10), captured("a", 100, 20, 30), step("void", 40, 41, hold="a", returned=600),
    ],
    "captured after a writer saw it lapse": [
        placed("a", 600, 10), step("place", 800, 802, clock=(1_100, 1_102), made="b", amount=900, at=1_100),
        captured("a", 100, 950, 960),
    ],
    "captured after it lapsed by its own server's clock": [placed("a", 600, 10), captured("a", 100, 1_011, 1_012)],
    "refused as lapsed before any clock says so": [
        placed("a", 600, 10), captured("a", 100, 990, 1_000, said="hold-expired"),
    ],
    "a line goes back in time": [
        placed("a", 600, 10), step("place", 800, 802, clock=(1_100, 1_102), made="b", amount=900, at=1_100),
        looked(900, 905, 0, 900, at=900),
    ],
    "it happens after the latest instant at which it can have": [
        placed("a", 600, 10), captured("a", 100, 20, 50, said=None), looked(60, 61, 0, 600), looked(70, 71, 100, 500),
    ],
    "nobody was told, and it happened twice": [
        placed("a", 600, 10), captured("a", 100, 20, 50, said=None), looked(60, 61, 200, 400),
    ],
    "what is raised lasts longer than what it follows": [
        placed("a", 600, 10), step("raise", 900, 902, hold="a", made="b", amount=400, until=1_900),
    ],
    "raised after a writer saw it lapse": [
        placed("a", 600, 10), step("place", 800, 802, clock=(1_100, 1_102), made="b", amount=100, at=1_100),
        step("raise", 900, 902, hold="a", made="c", amount=100, until=1_010),
    ],
    "refused although there is room": [
        placed("a", 600, 10), step("place", 20, 21, amount=400, said="hold-exceeds-limit"),
    ],
    "held while it was suspended": [step("suspend", 1, 5), placed("a", 600, 10)],
    "what comes back is not what was left": [
        placed("a", 600, 10), captured("a", 100, 20, 30, final=True, returned=400),
    ],
}  # fmt: skip


@pytest.mark.parametrize("story", GOOD)
def test_LIMIT_a_good_history_is_told(story: str) -> None:
    assert told(*GOOD[story]) is None


@pytest.mark.parametrize("story", BAD)
def test_LIMIT_a_bad_history_is_refused(story: str) -> None:
    found = told(*BAD[story])
    assert found is not None
    assert found.placed < len(BAD[story])


def test_LIMIT_the_search_finds_what_trying_every_order_finds() -> None:
    """Small histories drawn at random, half of them spoilt: both ways of looking agree on each."""
    verdicts = [agreed(random.Random(seed)) for seed in range(400)]
    assert 40 < sum(verdicts) < 360, "there are enough of both kinds"


def agreed(dice: random.Random) -> bool:
    history = drawn(dice)
    one_by_one = any(in_time(order) and followed(START, order) for order in orders(history))
    assert (told(*history) is None) == one_by_one, history
    return one_by_one


def drawn(dice: random.Random) -> list[Step]:
    """A hold and up to five steps at about the same time, with answers that may be true."""
    steps = [placed("a", 600, 10)]
    for number in range(dice.randint(2, 5)):
        began = dice.randint(20, 60)
        ended, amount = began + dice.randint(1, 30), dice.choice([100, 200, 400])
        verb = dice.choice(["capture", "capture", "void", "look", "place"])
        if verb == "look":
            posted = dice.choice([0, 100, 200, 300])
            steps.append(looked(began, ended, posted, dice.choice([0, 600 - posted])))
        else:
            said = dice.choice([DONE, DONE, DONE, None, "hold-voided", "capture-exceeds-hold", "hold-exceeds-limit"])
            names = {"made": f"b{number}"} if verb == "place" else {"hold": "a"}
            more = step(verb, began, ended, said=said, number=number, **names)
            steps.append(replace(more, amount=0 if verb == "void" else amount))
    return steps


def orders(history: list[Step]) -> list[tuple[Step, ...]]:
    """Every order of all that is known and any of the rest."""
    unknown = [one for one in history if not one.known]
    known = [one for one in history if one.known]
    chosen = [[one for bit, one in enumerate(unknown) if mask >> bit & 1] for mask in range(1 << len(unknown))]
    return [order for some in chosen for order in permutations([*known, *some])]


def in_time(order: tuple[Step, ...]) -> bool:
    return all(one.began <= other.ended for place, one in enumerate(order) for other in order[place + 1 :])


def followed(line: Line, order: tuple[Step, ...]) -> bool:
    return not order or any(followed(then, order[1:]) for then in after(line, order[0]))
