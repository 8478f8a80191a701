"""A change of somebody's standing becomes a change of his lines: from the stream, at once, by today's decision.

A hold decides anew anyhow, so nothing waits for this: it is for the bank and the person, who read the line between.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.cities.rules import CitySuspended
from chalicelib.core import effect, stream
from chalicelib.core.commit import EffectExists, Unit, looking_again
from chalicelib.core.errors import Conflict, NotFound, Unavailable
from chalicelib.core.stream import Change
from chalicelib.medical import store
from chalicelib.medical.rules import PolicyNotInForce
from chalicelib.medical.rules.credit import CreditLine, as_decided, line_state
from chalicelib.medical.rules.limits import LineState
from chalicelib.medical.service.grounds import Ground, Judged, consenting, judge, kept, read_ground
from chalicelib.medical.service.sharing import TRIES
from chalicelib.partners.rules import PartnerSuspended
from chalicelib.scenarios.service import RecipientNotNamed
from chalicelib.subjects import store as accounts
from chalicelib.subjects.rules import Account, AccountRef, ConsentRequired
from chalicelib.subjects.store import AccountRow, ref_of, score_order

# A batch of a mapping's size stays within its function's time, whatever is in its way.
PATIENCE_SECONDS = 1.0
# Where one of these stands, there is no decision of today: the line stays as it is, and a hold is refused for it.
_NO_DECISION = (NotFound, CitySuspended, PartnerSuspended, PolicyNotInForce, ConsentRequired, RecipientNotNamed)


@dataclass(frozen=True, slots=True)
class Regraded:
    """A line after a new decision."""

    bank_id: str
    state: LineState
    limit_fen: int


@stream.consumer("account", on="MODIFY")
def regrade(now: datetime, change: Change) -> None:
    """Decides anew on every line of a person whose score or suspensions have changed, by what is there by now.

    The same change again, or one that was overtaken, changes nothing.

    Raises: Unavailable: the table was busy.
    """
    old, new = change.old, change.new
    if not isinstance(old, AccountRow) or not isinstance(new, AccountRow) or _stands_on(old) == _stands_on(new):
        return
    ref = ref_of(new)
    for city_id, bank_id in store.lines_of(ref):
        with suppress(*_NO_DECISION, EffectExists):
            _regrade(now, city_id, bank_id, ref)


def _stands_on(row: AccountRow) -> tuple[object, ...]:
    return row.score, row.score_scale, row.score_order, row.suspensions, row.status


def _regrade(now: datetime, city_id: str, bank_id: str, ref: AccountRef) -> None:
    try:
        looking_again(Unit(PATIENCE_SECONDS), lambda fresh: _once(fresh, now, city_id, bank_id, ref), TRIES)
    except Conflict:
        raise Unavailable from None


def _once(unit: Unit, now: datetime, city_id: str, bank_id: str, ref: AccountRef) -> None:
    ground = read_ground(city_id, bank_id, [ref], now)
    credit = ground.credit(ref)
    if credit is None or credit.line.closed:
        return
    account = consenting(ground, ref, [ground.bank], now)
    judged = judge(ground, account, ["bank"], now)
    line = as_decided(credit, judged.limit, now, ground.policy.ceiling_fen)
    if line is not credit.line:
        _write(unit, now, ground, judged, credit, replace(credit, line=line))


def _write(unit: Unit, now: datetime, ground: Ground, judged: Judged, seen: CreditLine, after: CreditLine) -> None:
    account = judged.account
    accounts.check_guard(unit, account, Conflict)
    store.save_line(unit, seen, after)
    cause = [account.ref.secret, _order(account), f"{account.guard}"]
    intent = effect.consequence(after.city_id, "bank", after.bank_id, "regrade", cause)
    reply = Regraded(after.bank_id, line_state(after.line), after.line.limit_fen)
    facts, subject = kept(ground, judged), accounts.account_pk(account.ref)
    purpose = f"regrade-line:{ground.scenario}"
    unit.effect(effect.row(intent, now, purpose=purpose, facts=facts, reply=reply, subject=subject))
    unit.commit()


def _order(account: Account) -> str:
    """Which score of the account it was."""
    held = account.score
    return "" if held is None else score_order(held.as_of, held.revision)
