"""From which holds of a visit an item is captured: from those that expire first, first.

What is left of a visit's holds is what lies on the line, so that a visit and its line say all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.core.errors import Problem
from chalicelib.core.text import Text
from chalicelib.ledger.rules.lines import HoldExpired, Line, OpenHold
from chalicelib.medical.rules.items import InsuranceOutstanding, ItemCaptured
from chalicelib.medical.rules.visits import Visit, item_of, require_open


class EstimateTooLow(Problem):
    code = "estimate-too-low"
    status = 409
    title = Text(
        "预授权余额不足，请先追加预授权", "The visit's holds do not cover this item; place a further hold first"
    )


@dataclass(frozen=True, slots=True)
class Take:
    """So much is captured from this hold; what is left of it stays held for the items to come."""

    hold_id: str
    amount_fen: int


def plan(visit: Visit, item_id: str, line: Line, now: datetime) -> tuple[Take, ...]:
    """From which holds the patient's part of an item is captured: those that expire first, first; none for nothing.

    Args:
        line: The line on which the visit's holds lie.

    Raises: VisitOver; ItemUnknown; InsuranceOutstanding; ItemCaptured; HoldExpired: no hold lasts; EstimateTooLow; in
        this order.
    """
    require_open(visit)
    item = item_of(visit, item_id)
    if item.own_fen is None:
        raise InsuranceOutstanding
    if item.captured_fen:
        raise ItemCaptured
    left_fen, takes = item.own_fen, list[Take]()
    for hold_id, hold in open_holds(visit, line, now):
        amount_fen = min(left_fen, hold.left_fen)
        if amount_fen:
            takes.append(Take(hold_id, amount_fen))
            left_fen -= amount_fen
    if left_fen and visit.until <= max(now, line.as_of):
        raise HoldExpired
    if left_fen:
        raise EstimateTooLow
    return tuple(takes)


def short_fen(visit: Visit, line: Line, now: datetime) -> int:
    """How much a further hold must be for all items of which the patient's part is known."""
    to_come = sum(item.own_fen - item.captured_fen for item in visit.items if item.own_fen is not None)
    return max(0, to_come - held_fen(visit, line, now)) if visit.state == "open" else 0


def held_fen(visit: Visit, line: Line, now: datetime) -> int:
    """What is left of a visit's holds."""
    return sum(hold.left_fen for _, hold in open_holds(visit, line, now))


def open_holds(visit: Visit, line: Line, now: datetime) -> list[tuple[str, OpenHold]]:
    """Those of its holds that are open, in the order in which they are used. Those that have lapsed need nothing."""
    at, of_it = max(now, line.as_of), (hold.hold_id for hold in visit.holds)
    lying = [(hold_id, line.holds[hold_id]) for hold_id in of_it if hold_id in line.holds]
    return sorted((one for one in lying if one[1].expires_at > at), key=lambda one: one[1].expires_at)
