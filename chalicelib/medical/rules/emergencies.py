"""A hold in an emergency: as much of an estimate as a line bears, be it just opened or not."""

from __future__ import annotations

from datetime import datetime

from chalicelib.ledger.rules.holds import Step
from chalicelib.medical.rules.credit import DAY_SECONDS, CreditLine, as_decided
from chalicelib.medical.rules.limits import Limit, held_in_emergency
from chalicelib.medical.rules.policy import Policy


def placed_in_emergency(
    credit: CreditLine, limit: Limit, hold_id: str, estimate_fen: int, policy: Policy, now: datetime
) -> Step:
    """A hold of what the line bears of an estimate, as today's decision leaves it.

    Raises: LineClosed; AmountNotWhole; AmountNotPositive; AmountTooLarge; LineSuspended; HoldExceedsLimit: it bears
        nothing; HoldsFull; in this order.
    """
    line = as_decided(credit, limit, now, policy.ceiling_fen)
    return held_in_emergency(line, hold_id, estimate_fen, policy.hold_days * DAY_SECONDS, now)
