"""The checker checked: it lets every good history pass and stops what a line must never do."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from itertools import permutations

import pytest

from tests.e2e.medical.line import DONE, Line, Seen, Step, after
from tests.e2e.medical.linearizable import Stuck, stuck

LIFE = 1_000
numbers = itertools.count(1)
START = Line(1_000)


def step(verb: str, began: int, ended: int, **more: object) -> Step:
    """A step at a server whose clock is right, unless said otherwise."""
    return Step(**{"verb": verb, "began": began, "ended": ended, "clock": (began, ended), "life": LIFE} | more)  # type: ignore[arg-type]


def placed(name: str, amount: int, at: int) -> Step:
    return step("place", at - 2, at + 2, made=name, amount=amount, at=at)


def captured(name: str, amount: int, began: int, ended: int, **more: object) -> Step:
    return step("capture", began, ended, **{"hold": name, "amount": amount, "number": next(numbers)} | more)


def charged(name: str, amount: int, began: int, ended: int, **more: object) -> Step:
    """A capture of the hold a, of which the charge is known."""
    return captured("a", amount, began, ended, charge=name, **more)


def repaid(amount: int, began: int, ended: int, *parts: tuple[str, int], **more: object) -> Step:
    return step("repay", began, ended, amount=amount, parts=parts or None, **more)


def refunded(name: str, amount: int, began: int, ended: int, **more: object) -> Step:
    return step("refund", began, ended, charge=name, amount=amount, **more)


def rescored(granted: int, began: int, ended: int, **more: object) -> Step:
    return step("rescore", began, ended, amount=granted, **more)


def booked(at: int, limit: int, posted: int, held: int, **more: object) -> Step:
    return step("relimit", at - 2, at + 2, at=at, seen=Seen(limit, posted, held, False), **more)


def looked(began: int, ended: int, posted: int, held: int, limit: int = 1_000, **more: object) -> Step:
    return step("look", began, ended, seen=Seen(limit, posted, held, False), **more)


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
    "a repayment makes room, and goes to what comes first": [
        placed("a", 600, 10), charged("2", 300, 20, 21), charged("1", 200, 22, 23),
        repaid(250, 30, 31, ("1", 200), ("2", 50), used=250), looked(40, 41, 250, 100), placed("b", 650, 50),
    ],
    "of two payments the second is more than is owed": [
        placed("a", 600, 10), charged("1", 300, 20, 21), repaid(200, 30, 90), looked(60, 61, 100, 300),
        repaid(200, 30, 90, said="repayment-exceeds-debt"),
    ],
    "what was paid and is refunded leaves the line as it is": [
        placed("a", 600, 10), charged("1", 300, 20, 21), repaid(200, 30, 31), refunded("1", 250, 40, 41),
        looked(50, 51, 0, 300), refunded("1", 51, 60, 61, said="refund-exceeds-capture"),
    ],
    "a payment that nobody heard of, before or after a refund": [
        placed("a", 600, 10), charged("1", 300, 20, 21), repaid(100, 30, 60, said=None), refunded("1", 150, 40, 41),
        looked(50, 51, 150, 300), looked(70, 71, 50, 300),
    ],
    "a lower score breaks no hold, and lets none be added": [
        placed("a", 600, 10), rescored(400, 20, 22), looked(30, 31, 0, 600, 400), booked(40, 400, 0, 600),
        step("place", 50, 51, amount=1, said="hold-exceeds-limit"), charged("1", 600, 60, 61),
        looked(70, 71, 600, 0, 400),
    ],
    "more is granted than is booked, until it is booked anew": [
        placed("a", 600, 10), rescored(2_000, 20, 22), looked(30, 31, 0, 600),
        step("place", 40, 41, amount=500, said="hold-exceeds-limit"), booked(50, 2_000, 0, 600), placed("b", 1_400, 60),
    ],
    "held by the score that was there when it was asked for, though another was seen before it was done": [
        rescored(500, 10, 20), looked(30, 31, 0, 0, 500), step("place", 15, 90, made="a", amount=600, at=16),
        looked(100, 101, 0, 600, 500),
    ],
    "a score that comes meanwhile, and a line booked for it or not": [
        rescored(2_000, 1, 2), rescored(500, 10, 90), booked(50, 2_000, 0, 0), looked(60, 61, 0, 0, 500),
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
    "a payment is counted twice": [
        placed("a", 600, 10), charged("1", 400, 20, 21), repaid(100, 30, 31), looked(40, 41, 200, 200),
    ],
    "nobody was told, and it was paid twice": [
        placed("a", 600, 10), charged("1", 400, 20, 21), repaid(100, 30, 50, said=None), looked(60, 61, 200, 200),
    ],
    "a payment that both payers were told of, and one of them is gone": [
        placed("a", 600, 10), charged("1", 400, 20, 21), repaid(100, 30, 90), repaid(200, 30, 90),
        looked(100, 101, 200, 200),
    ],
    "more is paid than is owed": [placed("a", 600, 10), charged("1", 400, 20, 21), repaid(401, 30, 31)],
    "a payment goes to what comes later": [
        placed("a", 600, 10), charged("1", 200, 20, 21), charged("2", 300, 22, 23), repaid(100, 30, 31, ("2", 100)),
    ],
    "more is refunded than was captured": [
        placed("a", 600, 10), charged("1", 400, 20, 21), refunded("1", 300, 30, 90), refunded("1", 200, 30, 90),
    ],
    "a refund of what was paid lowers what is posted": [
        placed("a", 600, 10), charged("1", 300, 20, 21), charged("2", 100, 22, 23), repaid(300, 30, 31),
        refunded("1", 300, 40, 41), looked(50, 51, 0, 200),
    ],
    "one capture makes two charges": [
        placed("a", 600, 10), charged("1", 100, 20, 21), charged("1", 100, 22, 23),
    ],
    "a hold is broken by a lower limit": [
        placed("a", 600, 10), rescored(400, 20, 22), booked(30, 400, 0, 0),
    ],
    "what was held is not captured after the limit was lowered": [
        placed("a", 600, 10), rescored(400, 20, 22), booked(30, 400, 0, 600),
        charged("1", 600, 40, 41, said="capture-exceeds-hold"),
    ],
    "a hold lapses with a lower limit": [
        placed("a", 600, 10), rescored(400, 20, 22), booked(30, 400, 0, 600),
        charged("1", 1, 40, 41, said="hold-expired"),
    ],
    "held beyond the limit of the score before": [
        rescored(400, 1, 2), step("place", 10, 12, made="a", amount=401, at=11),
    ],
    "held by a score that was over before it was asked for": [
        rescored(500, 10, 20), step("place", 21, 90, made="a", amount=600, at=22),
    ],
    "held beyond what is booked": [rescored(2_000, 1, 2), placed("a", 1_001, 10)],
    "booked for a score that is over": [rescored(400, 1, 2), rescored(2_000, 3, 4), booked(10, 400, 0, 0)],
    "booked anew while it was suspended": [step("suspend", 1, 5), rescored(400, 6, 7), booked(10, 400, 0, 0)],
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


SAID = {
    "capture": ["hold-voided", "capture-exceeds-hold", "hold-exceeds-limit"],
    "repay": ["repayment-exceeds-debt"] * 2,
    "refund": ["refund-exceeds-capture"] * 2,
}


def drawn(dice: random.Random) -> list[Step]:
    """A hold, a charge on it and up to five steps at about the same time, with answers that may be true."""
    steps = [placed("a", 600, 10), charged("0", 100, 13, 14)] if dice.random() < 0.5 else [placed("a", 600, 10)]
    for number in range(dice.randint(2, 5)):
        began = dice.randint(20, 60)
        ended, amount = began + dice.randint(1, 30), dice.choice([100, 200, 400])
        verb = dice.choice(["capture", "capture", "void", "look", "look", "place", "repay", "refund", "rescore"])
        if verb == "look":
            posted = dice.choice([0, 100, 200, 300])
            held, limit = dice.choice([0, 500, 600 - posted]), dice.choice([1_000, 1_000, 1_000, 400])
            steps.append(looked(began, ended, posted, held, limit))
        elif verb == "rescore":
            steps.append(rescored(400, began, ended, said=dice.choice([DONE, DONE, None]), number=number))
        else:
            said = dice.choice([DONE, DONE, DONE, None, *SAID.get(verb, SAID["capture"])])
            names = {"place": {"made": f"b{number}"}, "refund": {"charge": "0"}}.get(verb, {"hold": "a"})
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
