"""Suspension for what is overdue, and its end in the very write that ends it.

While something is overdue on a line of which the person was reminded, the line is suspended for it, and the person's
account too, if the city's rule says all benefits. The line knows of the suspension, so whatever pays reads the account,
and what the bank said of its reminders, only where there is one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime

from chalicelib.cities import store as cities
from chalicelib.core import clock, table
from chalicelib.core.commit import Unit
from chalicelib.core.errors import Conflict
from chalicelib.core.table import Key
from chalicelib.ledger.rules import holds
from chalicelib.medical import store
from chalicelib.medical.rules import BENEFITS, Debt, Reminder, Rule, Suspended, month_of
from chalicelib.medical.rules.credit import CreditLine
from chalicelib.medical.rules.followups import OVERDUE, suspended_now, would_be_missed
from chalicelib.medical.rules.instructions import instruction_id_of
from chalicelib.medical.rules.overdue import Told, told, told_on
from chalicelib.medical.store import outbox
from chalicelib.medical.store.appointments import rules_of
from chalicelib.subjects import store as accounts
from chalicelib.subjects.rules import Account, AccountRef, is_suspended, overdue_with, restore, suspend


def settle_standing(unit: Unit, credit: CreditLine, debts: Iterable[Debt], day: date) -> CreditLine:
    """The line as it is after an event that left these debts: suspended for them no more, once nothing is overdue.

    The account is restored by the same unit, then or once what is overdue suspends the line alone. What another bank or
    the city has suspended stays so. A line that is not suspended for them costs nothing here.

    Args:
        credit: The line as the caller is about to write it.
        day: The event's day of the city.
    """
    if OVERDUE not in credit.line.suspended_for:
        return credit
    left, rules = [debt for debt in debts if debt.owed_fen], rules_of(credit.city_id)
    return _narrowed(unit, credit, suspended_now(left, day, rules, told_of(credit, left, day, rules)))


def restore_for(unit: Unit, credit: CreditLine, found: Suspended | None, now: datetime) -> bool:
    """Writes the end of what is suspended beyond what is overdue calls for: of all of it (``found``: None), or of the
    account's part.

    Returns: whether anything had to be written.
    """
    after = _narrowed(unit, credit, found)
    if after is not credit:
        store.save_line(unit, credit, replace(after, line=holds.released(after.line, 0, now)))
    return after is not credit


def _narrowed(unit: Unit, credit: CreditLine, found: Suspended | None) -> CreditLine:
    """The line with no more suspended than this; the same line if no more is."""
    if OVERDUE not in credit.line.suspended_for:
        return credit
    if found is not None and (found.scope == "all_benefits" or not credit.suspended_in):
        return credit
    lifted = {OVERDUE} if found is None else set()
    for home in credit.suspended_in:
        after = _restored(unit, credit, AccountRef(home, credit.ref.person_id))
        if home == credit.ref.city_id and not is_suspended(after, "all_benefits"):
            lifted.add(BENEFITS)
    line = replace(credit.line, suspended_for=credit.line.suspended_for - lifted)
    return replace(credit, line=line, suspended_in=())


def _restored(unit: Unit, credit: CreditLine, ref: AccountRef) -> Account:
    """The account without the suspension for what is overdue on this line, written if there was one."""
    account = accounts.load_account(ref)
    assert account is not None, "a line was opened by an account, and none is ever taken away"
    after = restore(account, overdue_with(credit.city_id, credit.bank_id))
    if after is not account:
        accounts.update_guarded(unit, after, Conflict)
    return after


def suspend_for(unit: Unit, credit: CreditLine, found: Suspended, now: datetime) -> bool:
    """Writes what is suspended for what is overdue on a line: the line, and the account where all benefits are.

    Returns: whether anything had to be written.
    """
    homes, changed = set(credit.suspended_in), OVERDUE not in credit.line.suspended_for
    if found.scope == "all_benefits":
        account = accounts.load_account(credit.ref)
        assert account is not None, "a line was opened by an account, and none is ever taken away"
        after = suspend(account, overdue_with(credit.city_id, credit.bank_id), now)
        homes.add(account.ref.city_id)
        if after is not account:
            accounts.update_guarded(unit, after, Conflict)
            changed = True
    if changed:
        line = holds.released(credit.line, 0, now)
        line = replace(line, suspended_for=line.suspended_for | {OVERDUE})
        store.save_line(unit, credit, replace(credit, line=line, suspended_in=tuple(sorted(homes))))
    return changed


def told_of(credit: CreditLine, debts: Iterable[Debt], day: date, rules: Sequence[Rule]) -> dict[str, Told]:
    """What became of the reminders of all charges of which it matters by this day; nothing is read where there is none.

    Else one Query of the line's events since the month of the first of them, one GetItem of its statement if there is
    one, and one BatchGetItem per hundred reminders.
    """
    missed = would_be_missed(debts, day, rules)
    if not missed:
        return {}
    reminders = _reminders(credit, month_of(min(missed.values())))
    keys = [_key(credit, one) for one in reminders]
    rows = table.fetch([cities.control_key(credit.city_id), *keys])
    zone = cities.control_in(rows, credit.city_id).time_zone
    found = defaultdict[str, list[tuple[date, date | None]]](list)
    for one, key in zip(reminders, keys, strict=True):
        sent = outbox.instruction_in(rows, key)
        asked_on = one.day if sent is None else max(one.day, clock.day_in(zone, sent.made_at))
        said_on = clock.day_in(zone, sent.answer.at) if sent is not None and sent.answer is not None else None
        for charge_id in missed.keys() & set(one.charge_ids):
            found[charge_id].append((asked_on, told_on(asked_on, sent, said_on)))
    return {charge_id: told(found[charge_id]) for charge_id in missed}


def _reminders(credit: CreditLine, month: date) -> list[Reminder]:
    """All reminders that the line has taken since a month in which it took one."""
    of = credit.city_id, credit.ref.person_id, credit.bank_id
    version = credit.stated_version
    if credit.stated_until is not None and month < credit.stated_until:
        kept = store.load_statement(store.statement_key(*of, month))
        assert kept is not None, "a month with an event has its statement, once it is stated"
        version = kept.from_version
    events = store.events_after(*of, version)
    return [event for number, event in events if isinstance(event, Reminder) and number <= credit.line.version]


def _key(credit: CreditLine, reminder: Reminder) -> Key:
    of = credit.city_id, credit.bank_id
    return outbox.instruction_key(*of, instruction_id_of(*of, reminder.reminder_id))
