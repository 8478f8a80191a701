"""A hospital's holds: placed by the patient's pass, raised, captured in parts, given up.

A hold's id is sealed for its hospital and names the line, so that a capture reads hold and line at once and another
hospital's id opens nothing: see ``docs/decisions/medical-a-hold-names-its-line.md``. What was given is captured
whatever has changed since, so nothing of the person, the bank or the policy is asked then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.cities import store as cities
from chalicelib.core import effect, table
from chalicelib.core.auth import Caller
from chalicelib.core.commit import Unit, looking_again
from chalicelib.core.effect import Intent
from chalicelib.core.errors import NotFound
from chalicelib.core.table import Key, Row
from chalicelib.ledger import store as ledger
from chalicelib.ledger.rules import holds
from chalicelib.ledger.rules.holds import Step
from chalicelib.medical import store
from chalicelib.medical.rules.credit import (
    CreditHold,
    CreditLine,
    Given,
    HoldStep,
    HoldView,
    hold_view,
    require_alone,
    require_open,
)
from chalicelib.medical.service.charging import Taken, charge_all
from chalicelib.medical.service.grounds import Ground, kept, read_ground
from chalicelib.medical.service.placing import Placed, Wish, ground_of, opened, place, require_whole
from chalicelib.subjects import service as subjects
from chalicelib.subjects import store as accounts
from chalicelib.subjects.rules import AccountRef, Pass, PassInvalid, PassUsed, check_pass

# Hospitals share a line, and whoever meets another at it looks at it anew.
TRIES = 8


@dataclass(frozen=True, slots=True)
class _Found:
    """A hold with its line, as they were read. ``rows`` has whatever else was."""

    held: CreditHold
    credit: CreditLine
    rows: dict[Key, Row]


def hold(unit: Unit, intent: Intent, now: datetime, caller: Caller, wish: Wish, pass_code: str) -> HoldView:
    """Sets an amount aside on the line of the person who shows this pass, and uses the pass up.

    Raises:
        PassInvalid; PassExpired; CitySuspended; PartnerSuspended: the bank, then the hospital; PolicyNotInForce;
        PassInvalid: for another scenario; HospitalNotCovered; ConsentRequired: for the bank or for the hospital;
        RecipientNotNamed; LineMissing; TermOver; LineClosed; LineSuspended; HoldExceedsLimit; HoldsFull; PassUsed;
        Conflict; in this order.
    """
    shown = subjects.open_pass(pass_code, caller.sector, None, now)
    return looking_again(unit, lambda fresh: _hold_once(fresh, intent, now, caller, wish, shown), TRIES)


def _hold_once(unit: Unit, intent: Intent, now: datetime, caller: Caller, wish: Wish, shown: Pass) -> HoldView:
    ground = read_ground(caller.city_id, wish.bank_id, [shown.ref], now)
    check_pass(shown, caller.sector, ground.scenario, now)
    if shown.ward_id is not None:
        raise PassInvalid
    accounts.use_pass(unit, shown, PassUsed)
    return _record_hold(unit, intent, now, caller, ground, place(unit, now, caller, ground, shown.ref, wish))


def raise_hold(unit: Unit, intent: Intent, now: datetime, caller: Caller, hold_id: str, amount_fen: int) -> HoldView:
    """Sets more aside for the visit of a hold that is open, as a hold of its own; no pass is needed. It has the terms
    of that hold, and ends when that does: the patient was told no others.

    Raises: NotFound: no such hold of this hospital; HoldOfVisit; HoldCaptured; HoldVoided; HoldExpired; and
        then as ``hold``, but for passes; in this order.
    """
    return looking_again(unit, lambda fresh: _raise_once(fresh, intent, now, caller, hold_id, amount_fen), TRIES)


def _raise_once(unit: Unit, intent: Intent, now: datetime, caller: Caller, hold_id: str, amount_fen: int) -> HoldView:
    person_id, bank_id = opened(caller, hold_id)
    resident = AccountRef(caller.city_id, person_id)
    more = [store.head_key(caller.city_id, bank_id), accounts.account_key(resident)]
    found = _read(caller, hold_id, now, more)
    held = found.held
    require_alone(held)
    require_open(held.hold, found.credit.line, now)
    ground = ground_of(caller, bank_id, held.ref, found.rows, now)
    given = Given(held.policy_version, held.hold.expires_at)
    made = place(unit, now, caller, ground, held.ref, Wish(bank_id, held.visit_ref, amount_fen), given)
    return _record_hold(unit, intent, now, caller, ground, made)


def _record_hold(unit: Unit, intent: Intent, now: datetime, caller: Caller, ground: Ground, made: Placed) -> HoldView:
    view = hold_view(made.held, subjects.known_as(caller.sector, made.held.ref), now)
    facts = {"v": 1, "hold_id": view.hold_id, "amount_fen": view.amount_fen, "kept": kept(ground, made.judged)}
    subject = accounts.account_pk(made.held.ref)
    purpose = f"hold:{ground.scenario}"
    unit.effect(effect.row(intent, now, purpose=purpose, facts=facts, reply=view, subject=subject))
    unit.commit()
    return view


def capture(
    unit: Unit, intent: Intent, now: datetime, caller: Caller, hold_id: str, amount_fen: int, *, final: bool
) -> HoldStep:
    """Posts an amount of an open hold on its line, whatever has changed since; ``final`` gives back what is left.

    Raises: NotFound: no such hold of this hospital; HoldOfVisit; HoldCaptured; HoldVoided; HoldExpired;
        CaptureExceedsHold; Conflict: the line keeps changing; in this order.
    """

    def taken(found: _Found) -> Step:
        return holds.capture(found.credit.line, found.held.hold, amount_fen, now, final=final)

    return looking_again(unit, lambda fresh: _step(fresh, intent, now, caller, hold_id, taken, "capture"), TRIES)


def void(unit: Unit, intent: Intent, now: datetime, caller: Caller, hold_id: str) -> HoldStep:
    """Gives up what is left of an open hold.

    Raises: NotFound: no such hold of this hospital; HoldOfVisit; HoldCaptured; HoldVoided; HoldExpired; Conflict;
        in this order.
    """

    def given_up(found: _Found) -> Step:
        return holds.void(found.credit.line, found.held.hold, now)

    return looking_again(unit, lambda fresh: _step(fresh, intent, now, caller, hold_id, given_up, "void"), TRIES)


def _step(
    unit: Unit,
    intent: Intent,
    now: datetime,
    caller: Caller,
    hold_id: str,
    take: Callable[[_Found], Step],
    verb: str,
) -> HoldStep:
    found = _read(caller, hold_id, now)
    require_alone(found.held)
    step = take(found)
    held = replace(found.held, hold=step.hold)
    taken = 1 if step.captured_fen else 0
    store.save_line(unit, found.credit, replace(found.credit, line=step.line, unstated=found.credit.unstated + taken))
    store.save_hold(unit, held)
    charge_id = intent.effect_id if step.captured_fen else None
    view = hold_view(held, subjects.known_as(caller.sector, held.ref), now)
    reply = HoldStep(view, step.captured_fen, step.returned_fen, charge_id)
    facts = {
        "v": 1, "hold_id": hold_id, "bank_id": held.bank_id, "policy_version": held.policy_version,
        "captured_fen": step.captured_fen, "returned_fen": step.returned_fen,
    }  # fmt: skip
    purpose, subject = f"{verb}:{held.city_id}/{held.scenario_id}", accounts.account_pk(held.ref)
    if step.captured_fen:
        control = cities.control_in(found.rows, held.city_id)
        items = [Taken(held, step, held.visit_ref)]
        entry = charge_all(unit, control, found.credit, items, intent.effect_id, purpose)
        unit.effect(ledger.effect_row(intent, entry, facts=facts, reply=reply, subject=subject))
    else:
        unit.effect(effect.row(intent, now, purpose=purpose, facts=facts, reply=reply, subject=subject))
    unit.commit()
    return reply


def read_hold(now: datetime, caller: Caller, hold_id: str) -> HoldView:
    """A hospital's own hold as of now. Raises: NotFound."""
    opened(caller, hold_id)
    key = store.hold_key(caller.city_id, hold_id)
    held = store.hold_in(table.fetch([key]), key)
    if held is None:
        raise NotFound
    return hold_view(held, subjects.known_as(caller.sector, held.ref), now)


def _read(caller: Caller, hold_id: str, now: datetime, more: Sequence[Key] = ()) -> _Found:
    """A hold with its line and its city, in one BatchGet.

    Raises: NotFound: another hospital's, or invented; Conflict: they were read amid a write; in this order.
    """
    person_id, bank_id = opened(caller, hold_id)
    hold_key = store.hold_key(caller.city_id, hold_id)
    line_key = store.line_key(caller.city_id, person_id, bank_id)
    rows = table.fetch([cities.control_key(caller.city_id), hold_key, line_key, *more])
    held, credit = store.hold_in(rows, hold_key), store.line_in(rows, line_key)
    if held is None:
        raise NotFound
    assert credit is not None, "a hold lies on a line"
    require_whole(held.hold, credit.line, now)
    return _Found(held, credit, rows)
