"""A hospital's holds: placed by the patient's pass, raised, captured in parts, given up.

A hold's id is sealed for its hospital and names the line, so that a capture reads hold and line at once and another
hospital's id opens nothing: see ``docs/decisions/medical-a-hold-names-its-line.md``. What was given is captured
whatever has changed since, so nothing of the person, the bank or the policy is asked then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

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
from chalicelib.ledger.rules.lines import Hold, Line
from chalicelib.medical import store
from chalicelib.medical.rules.credit import CreditHold, CreditLine, Given, require_alone, require_open, require_parts
from chalicelib.medical.rules.line_views import HoldStep, HoldView, hold_view
from chalicelib.medical.service.charging import Taken, charge_all
from chalicelib.medical.service.grounds import Ground, kept, read_ground
from chalicelib.medical.service.placing import Placed, Wish, ground_of, opened, place, require_whole
from chalicelib.medical.service.sharing import TRIES
from chalicelib.subjects import service as subjects
from chalicelib.subjects import store as accounts
from chalicelib.subjects.rules import AccountRef, Pass, PassInvalid, PassUsed, check_pass

_Take = Callable[[Line, Hold], Step]
_T = TypeVar("_T")


def hold(unit: Unit, intent: Intent, now: datetime, caller: Caller, wish: Wish, pass_code: str) -> HoldView:
    """Sets an amount aside on the line of the person who shows this pass, and uses the pass up.

    Raises:
        PassInvalid; PassExpired; CitySuspended; PartnerSuspended: the bank, then the hospital; PolicyNotInForce;
        PassInvalid: for another scenario; HospitalNotCovered; ConsentRequired: for the bank or for the hospital;
        RecipientNotNamed; LineMissing; TermOver; LineClosed; LineSuspended; HoldExceedsLimit; HoldsFull: on the line;
        StatementsOutstanding; HoldsFull: of the hospital; PassUsed; Conflict; in this order.
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
    held, credit, rows = _read(caller, hold_id, now, more)
    require_alone(held)
    require_open(held.hold, credit.line, now)
    ground = ground_of(caller, bank_id, held.ref, rows, now)
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
        CaptureExceedsHold; StatementsOutstanding: in too many parts; Conflict: the line keeps changing; in this order.
    """

    def taken(line: Line, hold: Hold) -> Step:
        return holds.capture(line, hold, amount_fen, now, final=final)

    return looking_again(unit, lambda fresh: _step(fresh, intent, now, caller, hold_id, taken, "capture"), TRIES)


def void(unit: Unit, intent: Intent, now: datetime, caller: Caller, hold_id: str) -> HoldStep:
    """Gives up what is left of an open hold.

    Raises: NotFound: no such hold of this hospital; HoldOfVisit; HoldCaptured; HoldVoided; HoldExpired; Conflict;
        in this order.
    """

    def given_up(line: Line, hold: Hold) -> Step:
        return holds.void(line, hold, now)

    return looking_again(unit, lambda fresh: _step(fresh, intent, now, caller, hold_id, given_up, "void"), TRIES)


def _step(unit: Unit, intent: Intent, now: datetime, caller: Caller, hold_id: str, take: _Take, verb: str) -> HoldStep:
    held, credit, rows = _read(caller, hold_id, now)
    require_alone(held)
    step = take(credit.line, held.hold)
    require_parts(credit, held, step.hold)
    held = replace(held, hold=step.hold, parts=held.parts + bool(step.captured_fen))
    charge_id = intent.effect_id if step.captured_fen else None
    view = hold_view(held, subjects.known_as(caller.sector, held.ref), now)
    reply = HoldStep(view, step.captured_fen, step.returned_fen, charge_id)
    facts = {
        "v": 1, "hold_id": hold_id, "bank_id": held.bank_id, "policy_version": held.policy_version,
        "captured_fen": step.captured_fen, "returned_fen": step.returned_fen,
    }  # fmt: skip
    purpose, subject = f"{verb}:{held.city_id}/{held.scenario_id}", accounts.account_pk(held.ref)
    if step.captured_fen:
        control, items = cities.control_in(rows, held.city_id), [Taken(held, step, held.visit_ref)]
        entry = charge_all(unit, control, credit, items, intent.effect_id, purpose)
        unit.effect(ledger.effect_row(intent, entry, facts=facts, reply=reply, subject=subject))
    else:
        store.save_hold(unit, held)
        store.save_line(unit, credit, replace(credit, line=step.line))
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


def _read(
    caller: Caller, hold_id: str, now: datetime, more: Sequence[Key] = ()
) -> tuple[CreditHold, CreditLine, dict[Key, Row]]:
    """A hold with its line and its city.

    Raises: NotFound: another hospital's, or invented; Conflict: they were read amid a write; in this order.
    """
    city, key = cities.control_key(caller.city_id), store.hold_key(caller.city_id, hold_id)
    held, credit, rows = read_with_line(caller, hold_id, key, store.hold_in, [city, *more])
    require_whole(held.hold, credit.line, now)
    return held, credit, rows


def read_with_line(
    caller: Caller, hold_id: str, key: Key, find: Callable[[Mapping[Key, Row], Key], _T | None], more: Iterable[Key]
) -> tuple[_T, CreditLine, dict[Key, Row]]:
    """What lies at ``key`` under a hold's id, the line of that hold, and all that was read with them in one
    BatchGetItem: what lies at ``more`` too. That both were read of one moment is for the caller to see.

    Raises: NotFound: another hospital's, or invented.
    """
    person_id, bank_id = opened(caller, hold_id)
    line_key = store.line_key(caller.city_id, person_id, bank_id)
    rows = table.fetch([key, line_key, *more])
    found, credit = find(rows, key), store.line_in(rows, line_key)
    if found is None:
        raise NotFound
    assert credit is not None, "a hold lies on a line"
    return found, credit, rows
