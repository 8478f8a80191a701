"""Passes: sealed for their citizen, opened for whom they are shown to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chalicelib.cities.store import control_key
from chalicelib.core import codec, cursor, effect, ids, table
from chalicelib.core.auth import Caller
from chalicelib.core.commit import Unit
from chalicelib.core.effect import Intent
from chalicelib.core.table import Key
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
from chalicelib.subjects.rules.wards import require_ward
from chalicelib.subjects.service.accounts import own_account
from chalicelib.subjects.service.recipients import recipient_keys, require_recipient
from chalicelib.subjects.service.wards import today_in

_PURPOSE = "pass"
# As long as the longest pass: its length says nothing of whom it is for, nor of what it carries.
_PLAIN_CHARS = 320


def show_pass(unit: Unit, intent: Intent, now: datetime, caller: Caller, wish: PassWish) -> ShownPass:
    """A fresh pass of the caller, for a recipient, a scenario or both; it says whether he has just shown his face.

    It is not listed under "who looked": the citizen has only shown himself. Its effect is kept for a day.
    Raises: NotFound: no account; RecipientUnknown; WardUnknown; TooManyRequests: beyond ``PASSES_PER_MINUTE``.
    """
    ref = own_account(caller)
    recipient = None if wish.recipient is None else recipient_of(wish.recipient)
    ward_keys = _ward_keys(ref, wish.ward_id)
    rows = table.fetch({store.account_key(ref), *(recipient_keys(recipient) if recipient else ()), *ward_keys})
    require_account(store.account_in(rows, ref))
    if recipient is not None:
        require_recipient(rows, recipient)
    if wish.ward_id is not None:
        require_ward(store.ward_in(rows, store.ward_key(ref, wish.ward_id)), today_in(rows, ref, now))
    live = caller.live_until is not None and caller.live_until > now
    expires_at = now.replace(microsecond=0) + PASS_LIFE
    made = Pass(ids.new("v"), ref, wish.recipient, wish.scenario, expires_at, wish.ward_id, live)
    return _shown(unit, intent, now, made)


def _ward_keys(ref: AccountRef, ward_id: str | None) -> list[Key]:
    return [] if ward_id is None else [control_key(ref.city_id), store.ward_key(ref, ward_id)]


def _shown(unit: Unit, intent: Intent, now: datetime, made: Pass) -> ShownPass:
    shown = ShownPass(_sealed(made), made.expires_at)
    store.count_pass(unit, made.ref, now)
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
    said = [made.pass_id, made.ref.secret, made.recipient, made.scenario, seconds, made.ward_id, made.live]
    spare = _PLAIN_CHARS - len(codec.canonical(said))
    assert spare >= 0, "the longest pass fits"
    return cursor.seal([*said, " " * spare], _PURPOSE)


def _opened(value: Any) -> Pass:
    pass_id, secret, recipient, scenario, seconds, ward_id, live, _ = value
    expires_at = datetime.fromtimestamp(seconds, UTC)
    return Pass(pass_id, AccountRef.of_secret(secret), recipient, scenario, expires_at, ward_id, live)
