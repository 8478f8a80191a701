"""A reviewer's exceptional limit on a person's line: booked on one that is open, waiting on any other.

What is decided today is looked at only where the bank may be told of it; else a refusal would tell what no consent
covers.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chalicelib.core.commit import Unit
from chalicelib.core.errors import Conflict
from chalicelib.ledger.rules import holds
from chalicelib.ledger.rules.lines import Line
from chalicelib.medical.rules import Limit, LineExists
from chalicelib.medical.rules.corrections import Correction, Known, exceptional, running
from chalicelib.medical.rules.credit import CreditLine, ExceptionalLimit
from chalicelib.medical.rules.reviews import Review
from chalicelib.medical.service.booking import save_rebooked
from chalicelib.medical.service.grounds import Ground, consenting, judge, term_over
from chalicelib.medical.store.credit import save_line
from chalicelib.scenarios.service import RecipientNotNamed
from chalicelib.subjects import store as accounts
from chalicelib.subjects.rules import AccountRef, ConsentRequired


def give(unit: Unit, ground: Ground, review: Review, wanted: Correction, now: datetime, turn: int) -> None:
    """Writes an exceptional limit on the line. An open one is booked for it; no line is opened by it, but one that is
    opened, or booked anew, later has it.

    Raises: LineExists: by another account of his; ExceptionalLimitInvalid; ExposureCapReached; in this order.
    """
    seen = ground.anybodys_credit(review.ref)
    if seen is not None and seen.ref != review.ref:
        raise LineExists
    limit = _told(unit, ground, review.ref, now)
    given = None if seen is None else running(seen.exception, now)
    known = Known(given, None if limit is None else limit.fen)
    zone = ground.host.time_zone
    exception = exceptional(review.review_id, ground.policy, wanted, known, ground.today, zone)
    if seen is None:
        save_line(unit, None, _never_opened(ground, review, exception, now))
        return
    after = replace(seen, line=holds.released(seen.line, 0, now), exception=exception)
    if _waits(ground, seen, limit):
        save_line(unit, seen, after)
    else:
        booked = replace(after, booked_fen=max(seen.booked_fen, wanted.limit_fen))
        save_rebooked(unit, ground, seen, booked, turn, partly=False)


def _told(unit: Unit, ground: Ground, ref: AccountRef, now: datetime) -> Limit | None:
    """What is decided today, if the bank may be told of it; a consent that is taken back meanwhile stops the write."""
    try:
        account = consenting(ground, ref, [ground.bank], now)
        limit = judge(ground, account, ["bank"], now).limit
    except (ConsentRequired, RecipientNotNamed):
        return None
    accounts.check_guard(unit, account, Conflict)
    return limit


def _waits(ground: Ground, seen: CreditLine, limit: Limit | None) -> bool:
    """Whether nothing can be held on a line, so that nothing is booked for it either."""
    suspended = bool(seen.line.suspended_for) or (limit is not None and limit.suspended)
    return seen.line.closed or suspended or term_over(seen, ground.today)


def _never_opened(ground: Ground, review: Review, exception: ExceptionalLimit, now: datetime) -> CreditLine:
    """A closed line on which nothing ever was: where somebody's exception waits until he opens one."""
    line = Line(0, 0, now, closed=True).check()
    at = ground.policy.version, ground.today
    return CreditLine(review.city_id, review.bank_id, review.ref, line, *at, 0, 0, exception=exception)
