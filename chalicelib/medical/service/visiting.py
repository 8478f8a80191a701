"""A hospital's visits: opened by a pass with the first hold, raised, read, settled and cancelled.

A visit has its first hold's id, which is sealed for its hospital and names the line: so every step reads visit, line
and first hold at once, and another hospital's visit is absent without a look. Its items are in ``itemising``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from chalicelib.cities import store as cities
from chalicelib.core import effect, table
from chalicelib.core.auth import Caller
from chalicelib.core.commit import Unit, looking_again
from chalicelib.core.effect import Intent
from chalicelib.core.errors import Conflict
from chalicelib.core.table import Key, Row
from chalicelib.ledger.rules import holds
from chalicelib.medical import store
from chalicelib.medical.rules.credit import CreditHold, CreditLine, Given, LineMissing, placed_in_emergency
from chalicelib.medical.rules.drawing import open_holds
from chalicelib.medical.rules.visit_views import VisitBrief, VisitEnded, VisitView, visit_brief, visit_view
from chalicelib.medical.rules.visits import (
    At,
    Visit,
    VisitHold,
    cancelled,
    require_raisable,
    settled,
    with_hold,
)
from chalicelib.medical.service.booking import trying_shards
from chalicelib.medical.service.grounds import Ground, kept, read_ground, require_line_term, term_over
from chalicelib.medical.service.holding import read_with_line
from chalicelib.medical.service.lending import lend
from chalicelib.medical.service.paying import paying, ward_keys
from chalicelib.medical.service.placing import (
    Placed,
    Wish,
    admitted,
    ground_of,
    opened,
    place,
    put_aside,
    require_whole,
    sealed,
)
from chalicelib.medical.service.sharing import TRIES
from chalicelib.medical.store.visits import Position, list_open, save_visit, visit_in, visit_key
from chalicelib.subjects import service as subjects
from chalicelib.subjects import store as accounts
from chalicelib.subjects.rules import AccountRef, Pass, PassInvalid, PassUsed, check_pass, require_live


class Opening(NamedTuple):
    """With what a hospital opens a visit. ``patient_id``: the id by which it knows the patient, if it does."""

    wish: Wish
    emergency: bool
    patient_id: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """A visit with its line, as they were read. ``rows`` has whatever else was."""

    visit: Visit
    credit: CreditLine
    rows: dict[Key, Row]


def open_visit(unit: Unit, intent: Intent, now: datetime, caller: Caller, wanted: Opening, pass_code: str) -> VisitView:
    """Opens a visit with a hold of its estimate, for the patient who shows this pass or for the child he shows it for.

    In an emergency as much of the estimate is held as the line bears, and one is opened on the spot if there is none.

    Raises: PassInvalid; PassExpired; CitySuspended; PartnerSuspended: the bank; PolicyNotInForce; PassInvalid: for
        another scenario; GuardianNeeded; PayerNotPatient; PartnerSuspended: the hospital; HospitalNotCovered;
        ConsentRequired; RecipientNotNamed; LineMissing, or in an emergency PassNotLive, LimitNotGranted; TermOver;
        LineClosed; LineSuspended; HoldExceedsLimit; HoldsFull: on the line; StatementsOutstanding; HoldsFull: of the
        hospital; PassUsed; ExposureCapReached; Conflict; in this order.
    """
    shown = subjects.open_pass(pass_code, caller.sector, None, now)
    return trying_shards(unit, lambda fresh, turn: _open_once(fresh, intent, now, caller, wanted, shown, turn), TRIES)


def _open_once(
    unit: Unit, intent: Intent, now: datetime, caller: Caller, wanted: Opening, shown: Pass, turn: int
) -> VisitView:
    wish, of_child = wanted.wish, ward_keys(shown.ref, shown.ward_id)
    ground = read_ground(caller.city_id, wish.bank_id, [shown.ref], now, of_child)
    check_pass(shown, caller.sector, ground.scenario, now)
    who = paying(unit, caller, ground, shown.ref, shown.ward_id, wanted.patient_id)
    accounts.use_pass(unit, shown, PassUsed)
    made, spot = _first_hold(unit, now, caller, ground, shown, wanted, turn)
    hold, credit = made.held.hold, made.credit
    visit = Visit(
        credit.city_id, hold.hold_id, caller.tenant, credit.bank_id, ground.policy.scenario_id, credit.ref,
        wish.visit_ref, who.patient, who.payer, now, credit.line.version,
        Given(made.held.policy_version, hold.expires_at), shown.ward_id, wanted.emergency,
        (VisitHold(hold.hold_id, hold.amount_fen, hold.expires_at),),
    )  # fmt: skip
    return _record_hold(unit, intent, now, ground, visit, made, "open-line-and-hold" if spot else "hold")


def _first_hold(
    unit: Unit, now: datetime, caller: Caller, ground: Ground, shown: Pass, wanted: Opening, turn: int
) -> tuple[Placed, bool]:
    """The first hold of a visit, and whether a line was opened for it."""
    if not wanted.emergency:
        return place(unit, now, caller, ground, shown.ref, wanted.wish), False
    judged, seen = admitted(caller, ground, shown.ref, now), ground.anybodys_credit(shown.ref)
    if seen is not None and seen.ref != shown.ref:
        raise LineMissing
    credit, spot = seen, seen is None or seen.line.closed or term_over(seen, ground.today)
    if credit is None or spot:
        require_live(shown)
        credit = lend(unit, ground, judged, seen, turn, now, caller.tenant)
    require_line_term(credit, ground.today)
    wish = wanted.wish
    step = placed_in_emergency(credit, judged.limit, sealed(caller, credit), wish.amount_fen, ground.policy, now)
    return put_aside(unit, now, caller, ground, judged, wish, seen, credit, step), spot


def raise_visit(
    unit: Unit, intent: Intent, now: datetime, caller: Caller, visit_id: str, amount_fen: int, pass_code: str | None
) -> VisitView:
    """Sets more aside for a visit, as a hold of its own: while one of its holds lasts, or by another pass of its payer.

    Raises: PassInvalid; PassExpired; NotFound: no such visit of this hospital; VisitOver; HoldExpired; VisitHoldsFull;
        and then as ``open_visit`` from CitySuspended on, but for emergencies; in this order.
    """
    shown = None if pass_code is None else subjects.open_pass(pass_code, caller.sector, None, now)
    return looking_again(
        unit, lambda fresh: _raise_once(fresh, intent, now, caller, visit_id, amount_fen, shown), TRIES
    )


def _raise_once(
    unit: Unit, intent: Intent, now: datetime, caller: Caller, visit_id: str, amount_fen: int, shown: Pass | None
) -> VisitView:
    person_id, bank_id = opened(caller, visit_id)
    resident = accounts.account_key(AccountRef(caller.city_id, person_id))
    more = [cities.control_key(caller.city_id), store.head_key(caller.city_id, bank_id), resident]
    found = read_found(caller, visit_id, more)
    visit, rows = found.visit, found.rows
    require_raisable(visit, max(now, found.credit.line.as_of), shown=shown is not None)
    ground = ground_of(caller, bank_id, visit.ref, rows, now, ward_keys(visit.ref, visit.ward_id))
    if shown is not None:
        check_pass(shown, caller.sector, ground.scenario, now)
        if (shown.ref, shown.ward_id) != (visit.ref, visit.ward_id):
            raise PassInvalid
        accounts.use_pass(unit, shown, PassUsed)
    paying(unit, caller, ground, visit.ref, visit.ward_id, visit.patient)
    given = None if shown is not None else visit.given
    made = place(unit, now, caller, ground, visit.ref, Wish(bank_id, visit.visit_ref, amount_fen, of_visit=True), given)
    after = with_hold(visit, made.held.hold, made.credit.line.version)
    after = replace(after, given=Given(made.held.policy_version, made.held.hold.expires_at))
    return _record_hold(unit, intent, now, ground, after, made, "hold")


def _record_hold(
    unit: Unit, intent: Intent, now: datetime, ground: Ground, visit: Visit, made: Placed, verb: str
) -> VisitView:
    save_visit(unit, visit)
    hold, reply = made.held.hold, visit_view(visit, made.credit.line, now)
    facts = {
        "v": 1, "visit_id": visit.visit_id, "hold_id": hold.hold_id, "amount_fen": hold.amount_fen,
        "kept": kept(ground, made.judged),
    }  # fmt: skip
    _record(unit, intent, now, visit, verb, facts, reply)
    return reply


def _record(unit: Unit, intent: Intent, now: datetime, visit: Visit, verb: str, facts: Any, reply: Any) -> None:
    """Commits a step of a visit that its payer finds among his own."""
    purpose, subject = purpose_of(visit, verb), accounts.account_pk(visit.ref)
    unit.effect(effect.row(intent, now, purpose=purpose, facts=facts, reply=reply, subject=subject))
    unit.commit()


def purpose_of(visit: Visit, verb: str) -> str:
    """What was done for a visit, and in which scenario."""
    return f"{verb}:{visit.city_id}/{visit.scenario_id}"


def read_visit(unit: Unit, now: datetime, caller: Caller, visit_id: str) -> VisitView:
    """A hospital's own visit as of now. Raises: NotFound; Conflict: it keeps changing."""

    def once(_: Unit) -> VisitView:
        found = read_found(caller, visit_id)
        return visit_view(found.visit, found.credit.line, now)

    return looking_again(unit, once, TRIES)


def list_visits(caller: Caller, limit: int, after: Position | None) -> tuple[list[VisitBrief], Position | None]:
    """One page of a hospital's visits that are open, the oldest first, and the position to go on after."""
    found, last = list_open(caller.city_id, caller.tenant, limit, after)
    return [visit_brief(visit) for visit in found], last


def settle(unit: Unit, intent: Intent, now: datetime, caller: Caller, visit_id: str, at: At) -> VisitEnded:
    """Settles a visit and gives up what is left of its holds.

    Raises: NotFound: no such visit of this hospital; VisitOver; ItemsOutstanding; Conflict; in this order.
    """
    return _end(unit, intent, now, caller, visit_id, lambda visit: settled(visit, at), "settle-visit")


def cancel(unit: Unit, intent: Intent, now: datetime, caller: Caller, visit_id: str) -> VisitEnded:
    """Cancels a visit of which nothing was captured, and gives up its holds.

    Raises: NotFound: no such visit of this hospital; VisitOver; VisitHasCaptures; Conflict; in this order.
    """
    return _end(unit, intent, now, caller, visit_id, cancelled, "cancel-visit")


def _end(
    unit: Unit,
    intent: Intent,
    now: datetime,
    caller: Caller,
    visit_id: str,
    end: Callable[[Visit], Visit],
    verb: str,
) -> VisitEnded:
    def once(fresh: Unit) -> VisitEnded:
        found = read_found(caller, visit_id, [store.hold_key(caller.city_id, visit_id)])
        after, line, returned_fen = end(found.visit), found.credit.line, 0
        for held in holds_in(found, [hold_id for hold_id, _ in open_holds(found.visit, line, now)], now):
            step = holds.void(line, held.hold, now)
            store.save_hold(fresh, replace(held, hold=step.hold))
            line, returned_fen = step.line, returned_fen + step.returned_fen
        if line is not found.credit.line:
            store.save_line(fresh, found.credit, replace(found.credit, line=line))
            after = replace(after, line_version=line.version)
        save_visit(fresh, after)
        reply = VisitEnded(visit_view(after, line, now), returned_fen)
        _record(fresh, intent, now, after, verb, {"v": 1, "visit_id": visit_id, "returned_fen": returned_fen}, reply)
        return reply

    return looking_again(unit, once, TRIES)


def read_found(caller: Caller, visit_id: str, more: Iterable[Key] = ()) -> Found:
    """A visit with its line and what lies at ``more``, in one BatchGetItem.

    Raises: NotFound: another hospital's, or invented; Conflict: they were read amid a write; in this order.
    """
    found = Found(*read_with_line(caller, visit_id, visit_key(caller.city_id, visit_id), visit_in, more))
    if found.credit.line.version < found.visit.line_version:
        raise Conflict
    return found


def holds_in(found: Found, hold_ids: Sequence[str], now: datetime) -> list[CreditHold]:
    """These holds of a visit as they lie on its line; those that were not read yet cost one BatchGetItem.

    Raises: Conflict: they were read amid a write.
    """
    keys = [store.hold_key(found.visit.city_id, hold_id) for hold_id in hold_ids]
    missing = [key for key in keys if key not in found.rows]
    rows = found.rows | table.fetch(missing) if missing else found.rows
    held = [store.hold_in(rows, key) for key in keys]
    for one in held:
        if one is None:
            raise Conflict
        require_whole(one.hold, found.credit.line, now)
    return [one for one in held if one is not None]
