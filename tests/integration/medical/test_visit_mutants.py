"""LIMIT, LEDGER and ONCE of visits and bills, proved able to fail: code with one guard taken out is found out.

As in ``test_line_mutants``: with the code as it is, a scene finds nothing wrong; with the mutant, it finds something.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from chalicelib.core import clock
from chalicelib.ledger.rules import holds
from chalicelib.ledger.rules.lines import Line
from chalicelib.medical import store
from chalicelib.medical.rules import Account, Booked, Charge, Policy, Refund, billing, booked, charges
from chalicelib.medical.rules.drawing import open_holds
from chalicelib.medical.rules.items import Item
from chalicelib.medical.service import bills, itemising, visiting
from chalicelib.medical.service.visiting import Found, read_found
from tests.integration.core.faults import inject, lost_after
from tests.integration.medical.clinic import Clinic
from tests.integration.medical.debts import bill, charged, refund, repay
from tests.integration.medical.reception import Reception
from tests.integration.medical.test_line_mutants import BEST, LIMIT_FEN, Mutant, proves, reviewed
from tests.integration.offers.test_deal_mutants import (
    blindly,
    effect_of_any_id,
    effect_without_condition,
    meeting,
)
from tests.world import World

LEAST = 450


@pytest.fixture
def clinic(own_world: World) -> Clinic:
    return Clinic(own_world)


def stands(clinic: Clinic, who: str, posted_fen: int, held_fen: int) -> list[str]:
    """What a line carries, if that is anything else."""
    found = clinic.standing(who)[1:]
    return [] if found == (posted_fen, held_fen) else [f"LIMIT: {found[0]} are posted and {found[1]} held"]


def insurance_is_late(clinic: Clinic) -> list[str]:
    """An item is to be captured before insurance has settled its part, which is most of it."""
    reception, who = Reception(clinic), clinic.insured(BEST)
    visit_id = reception.opened(who, 1_000)
    reception.enter(visit_id, "a", 500)
    reception.capture(visit_id, "a")
    reception.insure(visit_id, "a", 400)
    reception.capture(visit_id, "a")
    return stands(clinic, who, 100, 900)


def an_item_comes_again(clinic: Clinic) -> list[str]:
    """An item is captured, and once more under another key."""
    reception, who = Reception(clinic), clinic.insured(BEST)
    visit_id = reception.opened(who, 1_000)
    reception.enter(visit_id, "a", 400, 0)
    for _ in range(2):
        reception.capture(visit_id, "a")
    return stands(clinic, who, 400, 600)


def settled_with_two_holds(clinic: Clinic) -> list[str]:
    """A visit with two holds, of which a part was captured, is settled."""
    reception, who = Reception(clinic), clinic.insured(BEST)
    visit_id = reception.opened(who, 1_000)
    reception.raised(visit_id, [500])
    reception.enter(visit_id, "a", 1_200, 0)
    reception.capture(visit_id, "a")
    reception.settle(visit_id)
    return stands(clinic, who, 1_200, 0)


def a_repayment_comes_again(clinic: Clinic) -> list[str]:
    """The answer to a repayment is lost; it comes again, and once more."""
    who = clinic.insured(BEST)
    charged(clinic, who, 1_000)
    with pytest.MonkeyPatch.context() as patch:
        inject(patch, iter([lost_after]))
        repay(clinic, who, 200, key="mutant-repayment-1")
    for _ in range(2):
        repay(clinic, who, 200, key="mutant-repayment-1")
    return [*reviewed(clinic), *stands(clinic, who, 800, 0)]


def a_repayment_meets_a_hold(clinic: Clinic) -> list[str]:
    """Something is held between the look of a repayment and its write."""
    who = clinic.insured(BEST)
    charged(clinic, who, 1_000)
    body = clinic.hold_body(who, 5_000)
    with meeting(lambda: clinic.post("/v1/credit-holds", "hospital:demo-hospital@xiamen", body)):
        repay(clinic, who, 400)
    return [*reviewed(clinic), *stands(clinic, who, 600, 5_000)]


def refunded_after_it_was_paid(clinic: Clinic) -> list[str]:
    """Of two charges the first is paid, and then given back in part: the second is owed as before."""
    who = clinic.insured(BEST)
    hold_id, charge_id = charged(clinic, who, 1_000)
    with clock.fixed(clock.now() + timedelta(days=1)):
        charged(clinic, who, 800)
        repay(clinic, who, 1_000)
        refund(clinic, hold_id, charge_id, 300)
    return [*reviewed(clinic), *stands(clinic, who, 800, 0)]


def a_limit_is_lowered(clinic: Clinic) -> list[str]:
    """Most of a line is held; a lower score comes, and the line is booked anew for it."""
    who = clinic.insured(BEST)
    hold_id = clinic.held(who, LIMIT_FEN - 1_000)
    clinic.world.rescore(who, LEAST)
    assert clinic.move(who, "relimit").status == 200
    found = stands(clinic, who, 0, LIMIT_FEN - 1_000)
    clinic.capture(hold_id, LIMIT_FEN - 1_000)
    return [*found, *stands(clinic, who, LIMIT_FEN - 1_000, 0)]


def paid_on_the_last_free_day(clinic: Clinic) -> list[str]:
    """What is owed on the last day on which paying costs nothing."""
    who = clinic.insured(BEST)
    charged(clinic, who, 100_000)
    found = bill(clinic, who)
    owed_fen = found.on(found.account.debts[0].charge.due_on).owed_fen
    return [] if owed_fen == 100_000 else [f"LEDGER: {owed_fen} are owed within the free days"]


def insurance_not_awaited(patch: pytest.MonkeyPatch) -> None:
    """What insurance has not said is taken for nothing."""
    patch.setattr(Item, "own_fen", property(lambda item: item.amount_fen - (item.insurance_fen or 0)))


def item_captured_unseen(patch: pytest.MonkeyPatch) -> None:
    """Whether an item was captured is not asked."""

    def forgetful(*args: Any) -> Found:
        found = read_found(*args)
        items = tuple(replace(item, captured_fen=0, charge_ids=()) for item in found.visit.items)
        return replace(found, visit=replace(found.visit, items=items))

    patch.setattr(itemising, "read_found", forgetful)


def first_hold_alone(patch: pytest.MonkeyPatch) -> None:
    """A visit that ends gives back the first of its holds, and forgets the others."""
    patch.setattr(
        visiting, "open_holds", lambda *args: [one for one in open_holds(*args) if one[0] == args[0].visit_id]
    )


def line_unseen(patch: pytest.MonkeyPatch) -> None:
    """A line is written over whatever it has become."""
    blindly(patch, store, "save_line")


def paid_leaves_the_line_again(patch: pytest.MonkeyPatch) -> None:
    """What is refunded leaves the line, be it paid or not."""
    known = billing.refunded

    def refunded(account: Account, event: Refund, policies: tuple[Policy, ...]) -> Booked:
        return replace(known(account, event, policies), line_fen=event.amount_fen)

    patch.setattr(
        bills, "booked", lambda a, event, p: (refunded if isinstance(event, Refund) else booked)(a, event, p)
    )  # fmt: skip


def holds_broken(patch: pytest.MonkeyPatch) -> None:
    """A limit that is lowered takes back what was given by a higher one."""
    known = holds.relimit

    def relimit(line: Line, limit_fen: int, now: datetime) -> Line:
        after = known(line, limit_fen, now)
        given_fen = after.posted_fen + sum(hold.left_fen for hold in after.holds.values())
        return after if given_fen <= limit_fen else replace(after, holds={})

    patch.setattr(holds, "relimit", relimit)


def no_free_days(patch: pytest.MonkeyPatch) -> None:
    """Interest runs from the day of a charge."""
    known = charges.rate_days

    def rate_days(charge: Charge, first: date, until: date, policies: tuple[Policy, ...]) -> int:
        return known(replace(charge, due_on=charge.day), first, until, policies)

    patch.setattr(charges, "rate_days", rate_days)


Scene = Callable[[Clinic], list[str]]
PROOFS: dict[str, tuple[Scene, Mutant, str]] = {
    "LIMIT an item before its insurance": (insurance_is_late, insurance_not_awaited, "500 are posted and 500 held"),
    "LIMIT an item twice": (an_item_comes_again, item_captured_unseen, "800 are posted and 200 held"),
    "LIMIT a hold that is not given back": (settled_with_two_holds, first_hold_alone, "1200 are posted and 300 held"),
    "LIMIT a hold broken by a lower limit": (a_limit_is_lowered, holds_broken, "0 are posted and 0 held"),
    "LIMIT a hold written over": (a_repayment_meets_a_hold, line_unseen, "None of a hold lies on the line"),
    "LEDGER a refund of what was paid": (
        refunded_after_it_was_paid, paid_leaves_the_line_again, "500 are posted, 800 were captured and not paid",
    ),
    "LEDGER interest in the free days": (paid_on_the_last_free_day, no_free_days, "owed within the free days"),
    "ONCE a repayment without its effect's condition": (
        a_repayment_comes_again, effect_without_condition, "600 were paid or given back",
    ),
    "ONCE a repayment under any id": (a_repayment_comes_again, effect_of_any_id, "400 are posted and 0 held"),
}  # fmt: skip


@pytest.mark.parametrize("what", PROOFS)
def test_a_mistake_is_caught(clinic: Clinic, what: str) -> None:
    scene, mutant, found = PROOFS[what]
    proves(clinic, scene, mutant, found)
