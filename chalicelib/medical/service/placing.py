"""A hold as it comes to be: who may be held on, on what ground, under which id; for a hold alone and for a visit's.

Whoever places one here has said nothing yet of its effect: a hold alone and a visit each record their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from chalicelib.cities import store as cities
from chalicelib.core import ids, table
from chalicelib.core.auth import Caller
from chalicelib.core.commit import Unit
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.table import Key, Row
from chalicelib.ledger.rules.holds import Step
from chalicelib.ledger.rules.lines import Hold, HoldsFull, Line, OpenHold, folded, state_at
from chalicelib.medical import store
from chalicelib.medical.rules import require_covered
from chalicelib.medical.rules.credit import (
    MOST_HOLDS_OF_A_HOSPITAL,
    CreditHold,
    CreditLine,
    Given,
    LineMissing,
    placed,
    require_stated,
)
from chalicelib.medical.service.grounds import Ground, Judged, consenting, ground_in, judge, require_line_term
from chalicelib.partners.rules import require_partner
from chalicelib.subjects import store as accounts
from chalicelib.subjects.rules import AccountRef

_PERSON_PREFIX = "s_"
_PERSON_CHARS = 26
# Padded, so that an id's length does not tell how often its line has changed.
_LEAST_DIGITS = 6


class Wish(NamedTuple):
    """What a hospital wants to set aside, with which bank, for which of its visits.

    ``of_visit``: one that is kept here, by whose verbs alone the hold is used then.
    """

    bank_id: str
    visit_ref: str
    amount_fen: int
    of_visit: bool = False


class Placed(NamedTuple):
    """A hold that a request places, the line on which it lies then, and the decision on which it rests."""

    judged: Judged
    held: CreditHold
    credit: CreditLine


def ground_of(
    caller: Caller, bank_id: str, ref: AccountRef, rows: dict[Key, Row], now: datetime, more: Sequence[Key] = ()
) -> Ground:
    """The ground of a further hold, of which a resident's has been read; a visitor's account, or what lies at
    ``more``, costs one BatchGetItem more.

    Raises: CitySuspended; PartnerSuspended: the bank; PolicyNotInForce; in this order.
    """
    visitor = [] if ref.city_id == caller.city_id else [cities.control_key(ref.city_id), accounts.account_key(ref)]
    keys = [*visitor, *more]
    return ground_in(rows | table.fetch(keys) if keys else rows, caller.city_id, bank_id, now)


def place(
    unit: Unit,
    now: datetime,
    caller: Caller,
    ground: Ground,
    ref: AccountRef,
    wish: Wish,
    given: Given | None = None,
) -> Placed:
    """Puts a hold on the line of a person into the unit; one without another pass has the terms that were ``given``.

    Raises: PartnerSuspended: the hospital; HospitalNotCovered; ConsentRequired; RecipientNotNamed; LineMissing;
        TermOver; LineClosed; AmountNotWhole; AmountNotPositive; AmountTooLarge; LineSuspended; HoldExceedsLimit;
        HoldsFull: on the line; StatementsOutstanding; HoldsFull: of the hospital; in this order. Conflict: when the
        unit is committed.
    """
    judged = admitted(caller, ground, ref, now)
    credit = ground.credit(ref)
    if credit is None:
        raise LineMissing
    require_line_term(credit, ground.today)
    step = placed(credit, judged.limit, sealed(caller, credit), wish.amount_fen, ground.policy, now, given)
    return put_aside(unit, now, caller, ground, judged, wish, credit, credit, step, given)


def admitted(caller: Caller, ground: Ground, ref: AccountRef, now: datetime) -> Judged:
    """What the policy makes of a person on whose line this hospital may hold.

    Raises: PartnerSuspended; HospitalNotCovered; ConsentRequired; RecipientNotNamed; in this order.
    """
    require_partner(ground.host, caller.tenant)
    require_covered(ground.policy, ground.today, caller.tenant)
    account = consenting(ground, ref, [ground.bank, caller.sector], now)
    return judge(ground, account, ["bank", "hospital"], now)


def put_aside(
    unit: Unit,
    now: datetime,
    caller: Caller,
    ground: Ground,
    judged: Judged,
    wish: Wish,
    seen: CreditLine | None,
    credit: CreditLine,
    step: Step,
    given: Given | None = None,
) -> Placed:
    """Writes a hold and the line on which it lies, which was ``seen`` so; only if the account is still as it was.

    Raises: StatementsOutstanding; HoldsFull: this hospital has as many holds on the line as one may have.
    """
    require_stated(credit)
    names = folded(credit.line, now).holds
    if len(names) >= MOST_HOLDS_OF_A_HOSPITAL:
        own = [name for name in names if ids.open_pairwise(_sector(caller), name) is not None]
        if len(own) >= MOST_HOLDS_OF_A_HOSPITAL:
            raise HoldsFull
    version = ground.policy.version if given is None else given.policy_version
    held = CreditHold(
        credit.city_id, credit.bank_id, caller.tenant, credit.ref, ground.policy.scenario_id, wish.visit_ref,
        now, version, step.hold, of_visit=wish.of_visit,
    )  # fmt: skip
    accounts.check_guard(unit, judged.account, Conflict)
    after = replace(credit, line=step.line)
    store.save_line(unit, seen, after)
    store.save_hold(unit, held)
    return Placed(judged, held, after)


def require_whole(hold: Hold, line: Line, now: datetime) -> None:
    """Returns if a hold and its line were read of one moment; a read of several items may come amid a write.

    Raises: Conflict.
    """
    state = state_at(hold, max(now, line.as_of))
    lies = OpenHold(hold.left_fen, hold.expires_at) if state == "open" else None
    if state != "expired" and line.holds.get(hold.hold_id) != lies:
        raise Conflict


def sealed(caller: Caller, credit: CreditLine) -> str:
    """The id of the next hold on a line: no other hold on it has the line's version of now. Of one length per bank."""
    person = credit.ref.person_id.removeprefix(_PERSON_PREFIX)
    assert len(person) == _PERSON_CHARS, "a person's id was drawn by Egret"
    return ids.pairwise(_sector(caller), f"{person}{credit.line.version:0{_LEAST_DIGITS}d}/{credit.bank_id}")


def opened(caller: Caller, hold_id: str) -> tuple[str, str]:
    """The person and the bank of a hold. Raises: NotFound: sealed for another hospital, or not here."""
    secret = ids.open_pairwise(_sector(caller), hold_id)
    if secret is None:
        raise NotFound
    name, _, bank_id = secret.partition("/")
    return _PERSON_PREFIX + name[:_PERSON_CHARS], bank_id


def _sector(caller: Caller) -> str:
    return f"hold>{caller.sector}"
