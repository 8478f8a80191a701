"""Appointments with a bill: made from the stream, kept by the daily function, and what is then done.

Each step is one transaction on condition of the line as it was read, with an effect of its own that the person finds
among those who looked, and each is decided on what is there then. So whoever comes a second time, late, or after one
who went half the way, does what has not been done, and the end is the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from chalicelib.cities import store as cities
from chalicelib.core import chores, clock, effect, stream, table
from chalicelib.core.chores import Chore
from chalicelib.core.commit import EffectExists, Unit
from chalicelib.core.effect import Intent
from chalicelib.core.errors import Conflict
from chalicelib.core.stream import Change
from chalicelib.medical import store
from chalicelib.medical.rules import Charge, RecordDue, Reminder, reminder_on
from chalicelib.medical.rules.followups import Followup, followup
from chalicelib.medical.service.bills import Bill, read_bill, take
from chalicelib.medical.service.standing import restore_for, suspend_for, told_of
from chalicelib.medical.store.appointments import Appointment, appoint, due_by, keep, rules_of
from chalicelib.records import service as recording
from chalicelib.records import store as records
from chalicelib.records.rules import CreditRecord
from chalicelib.subjects import store as accounts

# A batch of a mapping's size stays within its function's time, whatever is in its way.
PATIENCE_SECONDS = 1.0
CITIES_AT_ONCE = 100
MOST_STEPS = 12


@stream.consumer("credit-event")
def appoint_reminder(_: datetime, change: Change) -> None:
    """Makes an appointment for the day on which to remind of a new charge; the same charge again changes nothing that
    matters: who keeps an appointment finds nothing to do.

    Raises: Unavailable: the table was busy.
    """
    row = change.new
    if change.old is not None or not isinstance(row, store.EventRow):
        return
    charge = store.event_of(row)
    if not isinstance(charge, Charge):
        return
    city_id, ref, bank_id = store.line_of(row)
    policy = store.load_version(city_id, bank_id, charge.policy_version)
    day = reminder_on(charge.day, charge.due_on, policy.reminder_days_before)
    unit = Unit(PATIENCE_SECONDS)
    appoint(unit, Appointment(city_id, day, ref.person_id, bank_id))
    unit.commit()


@chores.finder
def find(now: datetime) -> Iterator[Chore]:
    """The appointments of every city up to its day of now, each to be kept by itself."""
    after: str | None = None
    while True:
        found, after = cities.list_cities(CITIES_AT_ONCE, after)
        for control in cities.load_controls(city.city_id for city in found).values():
            today = clock.day_in(control.time_zone, now)
            yield from (partial(attend, due, now) for due in due_by(control.city_id, today))
        if after is None:
            return


def attend(due: Appointment, now: datetime) -> None:
    """Does all that is due of a bill now, makes the next appointment and takes this one away.

    Raises: Conflict: others kept writing; the appointment is there still.
    """
    for _ in range(MOST_STEPS):
        try:
            if not _step(due, now):
                return
        except (Conflict, EffectExists):
            continue
    raise Conflict


def _step(due: Appointment, now: datetime) -> bool:
    """Does the first thing that is due; whether there may be more."""
    bill = read_bill(due.city_id, due.person_id, due.bank_id)
    day = bill.day(now)
    debts = bill.on(day).debts
    versions = {debt.charge.policy_version for debt in debts}
    days_before = {
        version: store.load_version(due.city_id, due.bank_id, version).reminder_days_before for version in versions
    }
    rules = rules_of(due.city_id)
    found = followup(debts, day, rules, days_before, told_of(bill.credit, debts, day, rules))
    if _restored(bill, found, now) or _reminded(bill, found.remind, now) or _suspended(bill, found, now):
        return True
    return _recorded(bill, found.records, now) or _kept(bill, due, found)


def _restored(bill: Bill, found: Followup, now: datetime) -> bool:
    """Whether more was suspended than what is overdue calls for, and is restored."""
    unit = Unit()
    if not restore_for(unit, bill.credit, found.suspended, now):
        return False
    intent = _intent(bill, "restore", f"{bill.credit.line.version}")
    purpose = "restore-benefits" if bill.credit.suspended_in else "resume-line"
    _commit(unit, intent, bill, now, purpose, found.suspended)
    return True


def _reminded(bill: Bill, charge_ids: tuple[str, ...], now: datetime) -> bool:
    """Whether there was something to remind of, and now he is."""
    if not charge_ids:
        return False
    unit, intent = Unit(), _intent(bill, "remind", f"{bill.credit.line.version}")
    take(unit, bill, [Reminder(intent.effect_id, bill.day(now), charge_ids)], now)
    _commit(unit, intent, bill, now, "remind-bill", {"charge_ids": charge_ids})
    return True


def _suspended(bill: Bill, found: Followup, now: datetime) -> bool:
    """Whether somebody had to be suspended, and was."""
    unit = Unit()
    if found.suspended is None or not suspend_for(unit, bill.credit, found.suspended, now):
        return False
    intent = _intent(bill, "suspend", f"{bill.credit.line.version}")
    _commit(unit, intent, bill, now, "suspend-overdue", found.suspended)
    return True


def _recorded(bill: Bill, due: Sequence[RecordDue], now: datetime) -> bool:
    """Whether a record was missing, and is there now."""
    credit = bill.credit
    of = credit.ref, credit.city_id, credit.bank_id
    ids = {recording.record_id_of(*of, one.first_month): one for one in due}
    keys = {record_id: records.record_key(credit.ref, record_id) for record_id in ids}
    there = table.fetch(keys.values()) if keys else {}
    for record_id, one in ids.items():
        if keys[record_id] not in there:
            made = CreditRecord(
                record_id, "medical_default", *of[1:], one.first_month, one.in_a_row, one.on, now
            )  # fmt: skip
            unit, intent = Unit(), _intent(bill, "record", record_id)
            records.append(unit, credit.ref, made)
            _commit(unit, intent, bill, now, "record-default", {"record_id": record_id})
            return True
    return False


def _kept(bill: Bill, due: Appointment, found: Followup) -> bool:
    """Makes the next appointment in place of this one, if nothing has happened on the line since it was read: of what
    has, this appointment may be the only word."""
    unit, day = Unit(), found.look_again_on
    store.check_line(unit, bill.credit)
    if day is not None:
        appoint(unit, Appointment(due.city_id, day, due.person_id, due.bank_id))
    keep(unit, due)
    unit.commit()
    return False


def _intent(bill: Bill, verb: str, cause: str) -> Intent:
    """It is done by the rules to which the bank lends."""
    credit = bill.credit
    return effect.consequence(credit.city_id, "bank", credit.bank_id, verb, [credit.ref.secret, cause])


def _commit(unit: Unit, intent: Intent, bill: Bill, now: datetime, purpose: str, said: Any) -> None:
    facts = {"v": 1, "bank_id": bill.credit.bank_id, "said": said}
    subject = accounts.account_pk(bill.credit.ref)
    unit.effect(effect.row(intent, now, purpose=purpose, facts=facts, reply={}, subject=subject))
    unit.commit()
