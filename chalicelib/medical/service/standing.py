"""Suspension for what is overdue, and its end in the very write that ends it.

While something is overdue on a line, the line is suspended for it, and the person's account too, if the city's rule
says all benefits. The line knows of the suspension, so whatever pays reads the account only where there is one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime

from chalicelib.core.commit import Unit
from chalicelib.core.errors import Conflict
from chalicelib.ledger.rules import holds
from chalicelib.medical import store
from chalicelib.medical.rules import BENEFITS, Debt, Suspended
from chalicelib.medical.rules.credit import CreditLine
from chalicelib.medical.rules.followups import OVERDUE, suspended_now
from chalicelib.medical.store.appointments import rules_of
from chalicelib.subjects import store as accounts
from chalicelib.subjects.rules import Account, AccountRef, is_suspended, overdue_with, restore, suspend


def settle_standing(unit: Unit, credit: CreditLine, debts: Iterable[Debt], day: date) -> CreditLine:
    """The line as it is after an event that left these debts: suspended for them no more, once nothing is overdue.

    Then the account is restored by the same unit. What another bank or the city has suspended stays so. A line that is
    not suspended for them costs nothing here.

    Args:
        credit: The line as the caller is about to write it.
        day: The event's day of the city.
    """
    if OVERDUE not in credit.line.suspended_for or suspended_now(debts, day, rules_of(credit.city_id)) is not None:
        return credit
    lifted = {OVERDUE}
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
