"""Passes: sealed for their citizen, opened for whom they are shown to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chalicelib.core import cursor, effect, ids, table
from chalicelib.core.auth import Caller
from chalicelib.core.commit import Unit
from chalicelib.core.effect import Intent
from chalicelib.subjects import store
from chalicelib.subjects.rules import (
    PASS_LIFE,
    AccountRef,
    Pass,
    PassInvalid,
    PassWish,
    ShownPass,
    check_pass,
    recipient_of,
    require_account,
)
from chalicelib.subjects.service.accounts import own_account
from chalicelib.subjects.service.recipients import recipient_keys, require_recipient

_PURPOSE = "pass"


def show_pass(unit: Unit, intent: Intent, now: datetime, caller: Caller, wish: PassWish) -> ShownPass:
    """A fresh pass of the caller, for a recipient, a scenario or both.

    It is not listed under "who looked": the citizen has only shown himself. Its effect is kept for a day.
    Raises: NotFound: no account; RecipientUnknown; TooManyRequests: beyond ``PASSES_PER_MINUTE``.
    """
    ref = own_account(caller)
    recipient = None if wish.recipient is None else recipient_of(wish.recipient)
    rows = table.fetch({store.account_key(ref), *(recipient_keys(recipient) if recipient else ())})
    require_account(store.account_in(rows, ref))
    if recipient is not None:
        require_recipient(rows, recipient)
    made = Pass(ids.new("v"), ref, wish.recipient, wish.scenario, now.replace(microsecond=0) + PASS_LIFE)
    shown = ShownPass(_sealed(made), made.expires_at)
    store.count_pass(unit, ref, now)
    row = effect.row(intent, now, purpose="show-pass", facts={"pass_id": made.pass_id}, reply=shown)
    row.expires_at = store.kept_until(made.expires_at)
    unit.effect(row)
    unit.commit()
    return shown


def open_pass(pass_code: str, recipient: str, scenario: str | None, now: datetime) -> Pass:
    """The pass that a code stands for, if this recipient (its ``Caller.sector``) may use it for this scenario now.

    Whoever does not know the scenario yet names None, and asks ``rules.check_pass`` once he does.

    Opening uses nothing up: whoever acts on a pass also calls ``store.use_pass`` on the same unit.
    Raises: PassInvalid: not sealed here, or for somebody else: the same answer; PassExpired.
    """
    value = cursor.unseal(pass_code, _PURPOSE)
    if value is None:
        raise PassInvalid
    return check_pass(_opened(value), recipient, scenario, now)


def _sealed(made: Pass) -> str:
    seconds = int(made.expires_at.timestamp())
    return cursor.seal([made.pass_id, made.ref.secret, made.recipient, made.scenario, seconds], _PURPOSE)


def _opened(value: Any) -> Pass:
    pass_id, secret, recipient, scenario, seconds = value
    return Pass(pass_id, AccountRef.of_secret(secret), recipient, scenario, datetime.fromtimestamp(seconds, UTC))
