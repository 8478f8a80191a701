"""Credit records: appended by the domain that found the fact, read by the person and his city, repaired by the city."""

from __future__ import annotations

import hashlib
from datetime import date, datetime

from chalicelib.cities import store as cities
from chalicelib.core import clock, effect, ids, table
from chalicelib.core.auth import Caller
from chalicelib.core.commit import Unit
from chalicelib.core.effect import Intent
from chalicelib.core.errors import NotFound
from chalicelib.records import store
from chalicelib.records.rules import RecordView, RepairOrder, repaired, state_on, view
from chalicelib.subjects import service as subjects
from chalicelib.subjects.rules import AccountRef, require_account
from chalicelib.subjects.store import account_in, account_key, account_pk

Page = tuple[list[RecordView], str | None]


def record_id_of(ref: AccountRef, city_id: str, bank_id: str, first_month: date) -> str:
    """The id of the record of a row of defaults: the same whenever, and however often, the row is noticed."""
    said = f"{ref.secret}>{city_id}/{bank_id}>{first_month:%Y-%m}"
    return f"{first_month:%Y-%m}-{ids.encode(hashlib.sha256(said.encode()).digest()[:16])}"


def own_records(now: datetime, caller: Caller, limit: int, after: str | None) -> Page:
    """One page of a citizen's own records, those included that are repaired. Raises: NotFound: no account."""
    return _page(subjects.own_account(caller), now, limit, after)


def look(unit: Unit, now: datetime, caller: Caller, subject_id: str, limit: int, after: str | None) -> Page:
    """The same for the person's city. The look is written down before anything is given. Raises: NotFound."""
    ref = _of_city(caller, subject_id)
    page = _page(ref, now, limit, after)
    key, person = ids.new("look"), caller.person
    intent = effect.intend(caller.city_id, caller.kind, caller.tenant, "look records", key, None, person=person)
    unit.effect(effect.row(intent, now, purpose="look-at-records", facts={}, reply={}, subject=account_pk(ref)))
    unit.commit()
    return page


def _page(ref: AccountRef, now: datetime, limit: int, after: str | None) -> Page:
    """What is over is shown to nobody."""
    rows = table.fetch([cities.control_key(ref.city_id), account_key(ref)])
    require_account(account_in(rows, ref))
    today = clock.day_in(cities.control_in(rows, ref.city_id).time_zone, now)
    found, last = store.list_records(ref, limit, after)
    views = [view(record, today, ref.city_id, store.retentions()) for record in found]
    return [one for one in views if one.state != "over"], last


def repair(
    unit: Unit, intent: Intent, now: datetime, caller: Caller, subject_id: str, record_id: str, order: RepairOrder
) -> RecordView:
    """Repairs a record about the city's own citizen, from now on. Repairing twice changes nothing.

    Raises: NotFound: no such record of this city's citizens, or its years are over; Conflict: it has changed meanwhile.
    """
    ref = _of_city(caller, subject_id)
    key = store.record_key(ref, record_id)
    rows = table.fetch([cities.control_key(ref.city_id), key])
    seen, rules = store.record_in(rows, key), store.retentions()
    today = clock.day_in(cities.control_in(rows, ref.city_id).time_zone, now)
    if seen is None or state_on(seen, today, ref.city_id, rules) == "over":
        raise NotFound
    after = repaired(seen, order, now)
    if after is not seen:
        store.save(unit, ref, after)
    reply = view(after, today, ref.city_id, rules)
    facts = {"record_id": record_id, "reason": order.reason}
    unit.effect(effect.row(intent, now, purpose="repair-record", facts=facts, reply=reply, subject=account_pk(ref)))
    unit.commit()
    return reply


def _of_city(caller: Caller, subject_id: str) -> AccountRef:
    ref = subjects.resolve(caller, subject_id, NotFound)
    if ref.city_id != caller.city_id:
        raise NotFound
    return ref
