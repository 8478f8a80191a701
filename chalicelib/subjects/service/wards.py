"""Wards: a city confirms whose guardian a citizen is, and ends it; the citizen reads it."""

from __future__ import annotations

from datetime import date, datetime

from chalicelib.cities.store import control_in, control_key
from chalicelib.core import clock, effect, ids, table
from chalicelib.core.auth import Caller
from chalicelib.core.commit import Unit, looking_again
from chalicelib.core.effect import Intent
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.table import Key, Row
from chalicelib.subjects import store
from chalicelib.subjects.rules import AccountRef, require_account
from chalicelib.subjects.rules.wards import Ward, WardView, confirmed, ended, ward_view
from chalicelib.subjects.service.accounts import own_account, resolve

WARD = "w"


def confirm_ward(
    unit: Unit, intent: Intent, now: datetime, caller: Caller, subject_id: str, valid_to: date
) -> WardView:
    """Notes that the city's own citizen is a child's guardian, up to the day of its majority.

    Raises: NotFound: no such citizen of this city; WardInvalid; Conflict: the account has changed meanwhile.
    """
    ref = _citizen(caller, subject_id)
    rows = table.fetch([control_key(ref.city_id), store.account_key(ref)])
    account = require_account(store.account_in(rows, ref))
    ward = confirmed(ref, ids.new(WARD), valid_to, now, today_in(rows, ref, now))
    store.check_guard(unit, account, Conflict)
    store.save_ward(unit, ward)
    return _record(unit, intent, now, ward, "confirm-ward")


def end_ward(unit: Unit, intent: Intent, now: datetime, caller: Caller, subject_id: str, ward_id: str) -> WardView:
    """Ends a guardianship, from the next request on. Ending it twice changes nothing.

    Raises: NotFound: no such citizen of this city, or no such ward of his; Conflict.
    """
    ref = _citizen(caller, subject_id)
    return looking_again(unit, lambda fresh: _end_once(fresh, intent, now, store.ward_key(ref, ward_id)))


def _end_once(unit: Unit, intent: Intent, now: datetime, key: Key) -> WardView:
    ward = store.ward_in(table.fetch([key]), key)
    if ward is None:
        raise NotFound
    after = ended(ward, now)
    if after is not ward:
        store.save_ward(unit, after)
    return _record(unit, intent, now, after, "end-ward")


def own_wards(caller: Caller, limit: int, after: str | None) -> tuple[list[WardView], str | None]:
    """One page of a citizen's own wards, and the position to go on after. Raises: NotFound: no such citizen."""
    found, last = store.list_wards(own_account(caller), limit, after)
    return [ward_view(ward) for ward in found], last


def today_in(rows: dict[Key, Row], ref: AccountRef, now: datetime) -> date:
    """The day of an account's city, whose control item was read."""
    return clock.day_in(control_in(rows, ref.city_id).time_zone, now)


def _citizen(caller: Caller, subject_id: str) -> AccountRef:
    ref = resolve(caller, subject_id, NotFound)
    if ref.city_id != caller.city_id:
        raise NotFound
    return ref


def _record(unit: Unit, intent: Intent, now: datetime, ward: Ward, purpose: str) -> WardView:
    reply, subject = ward_view(ward), store.account_pk(ward.guardian)
    facts = {"v": 1, "ward_id": ward.ward_id}
    unit.effect(effect.row(intent, now, purpose=purpose, facts=facts, reply=reply, subject=subject))
    unit.commit()
    return reply


def names_ward(caller: Caller, subject_id: str) -> bool:
    """Whether an id by which this caller knows people stands for a ward; an invented one stands for nobody."""
    secret = ids.open_pairwise(caller.sector, subject_id)
    return secret is not None and AccountRef.of_secret(secret).person_id.startswith(f"{WARD}_")
