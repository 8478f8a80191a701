"""Lines: opened by the bank or by the person himself, suspended, resumed and closed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Literal

from chalicelib.core import effect, table
from chalicelib.core.auth import Caller
from chalicelib.core.commit import Unit, looking_again
from chalicelib.core.effect import Intent
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.ledger.rules import holds
from chalicelib.ledger.rules.lines import Line
from chalicelib.medical import store
from chalicelib.medical.rules import ExposureCapReached, opening, probe, shard_caps
from chalicelib.medical.rules.credit import (
    BY_BANK,
    CreditLine,
    LimitView,
    LineMoved,
    limit_view,
    line_state,
    opened_line,
)
from chalicelib.medical.service.grounds import Ground, bank_of, consenting, judge, kept, read_ground
from chalicelib.subjects import service as subjects
from chalicelib.subjects import store as accounts
from chalicelib.subjects.rules import Account, AccountRef, ConsentRequired, require_account

SHARDS_TRIED = 4
LineMove = Literal["suspend", "resume", "close"]
_Steps = Callable[[Line, datetime], Line]
_MOVES: dict[LineMove, _Steps] = {
    "suspend": lambda line, now: holds.suspend(line, BY_BANK, now),
    "resume": lambda line, now: holds.resume(line, BY_BANK, now),
    "close": holds.close,
}


def open_for(unit: Unit, intent: Intent, now: datetime, caller: Caller, subject_id: str) -> LimitView:
    """Opens a person's line with the bank that asks, by his consent.

    Raises: NotFound: no such city; CitySuspended; PartnerSuspended; PolicyNotInForce; ConsentRequired;
        RecipientNotNamed; LineExists; LimitNotGranted; ExposureCapReached; Conflict; in this order.
    """
    try:
        ref = subjects.resolve(caller, subject_id)
    except ConsentRequired:
        ref = None
    city_id, bank_id = bank_of(caller)

    def agreed(ground: Ground) -> Account:
        return consenting(ground, ref, [ground.bank], now)

    return _open(unit, intent, now, (city_id, bank_id), ref, agreed, caller.sector)


def open_own(unit: Unit, intent: Intent, now: datetime, caller: Caller, city_id: str, bank_id: str) -> LimitView:
    """Opens one's own line with a bank; the bank learns of it, and anything may be held, once it has a consent.

    Raises: NotFound: no such city; CitySuspended; PartnerSuspended; PolicyNotInForce; NotFound: no account;
        RecipientNotNamed; LineExists; LimitNotGranted; ExposureCapReached; Conflict; in this order.
    """
    ref = subjects.own_account(caller)
    return _open(
        unit, intent, now, (city_id, bank_id), ref, lambda ground: require_account(ground.account(ref)), caller.sector
    )


def _open(
    unit: Unit,
    intent: Intent,
    now: datetime,
    bank: tuple[str, str],
    ref: AccountRef | None,
    agreed: Callable[[Ground], Account],
    sector: str,
) -> LimitView:
    def once(fresh: Unit, turn: int) -> LimitView:
        ground = read_ground(*bank, [] if ref is None else [ref], now)
        return _open_once(fresh, intent, now, ground, agreed(ground), sector, turn)

    for turn in range(SHARDS_TRIED - 1):
        try:
            return looking_again(unit, lambda fresh, turn=turn: once(fresh, turn))  # type: ignore[misc]
        except ExposureCapReached:
            continue
    return looking_again(unit, lambda fresh: once(fresh, SHARDS_TRIED - 1))


def _open_once(
    unit: Unit, intent: Intent, now: datetime, ground: Ground, account: Account, sector: str, turn: int
) -> LimitView:
    judged, seen = judge(ground, account, ["bank"], now), ground.credit(account.ref)
    limit_fen = opening(ground.policy, judged.limit, None if seen is None else seen.line, ground.today)
    shard = _shard(account.ref, ground.shards, turn)
    line, policy = opened_line(seen, limit_fen, now), ground.policy
    credit = CreditLine(
        ground.host.city_id, ground.bank_id, account.ref, line, policy.version, ground.today, shard, limit_fen,
        account.guard,
    )  # fmt: skip
    if seen is not None:
        credit = replace(credit, stated_until=seen.stated_until, stated_version=seen.stated_version)
    accounts.check_guard(unit, account, Conflict)
    store.save_line(unit, seen, credit)
    store.point_to(unit, credit)
    store.book(unit, credit, 0, shard_caps(policy.exposure_cap_fen, ground.shards)[shard])
    subject_id = subjects.known_as(sector, account.ref)
    view = limit_view(subject_id, policy, judged.limit, credit, now, judged.reasons)
    facts, subject = kept(ground, judged), accounts.account_pk(account.ref)
    purpose = f"open-line:{ground.scenario}"
    unit.effect(effect.row(intent, now, purpose=purpose, facts=facts, reply=view, subject=subject))
    unit.commit()
    return view


def _shard(ref: AccountRef, shards: int, turn: int) -> int:
    """Where a line is tried: by the hash of its person first, then evenly through the others."""
    first = int(hashlib.sha256(ref.person_id.encode()).hexdigest()[:12], 16) % shards
    tried = tuple(probe(first, shards, min(SHARDS_TRIED, shards)))
    return tried[turn % len(tried)]


def move_line(unit: Unit, intent: Intent, now: datetime, caller: Caller, subject_id: str, move: LineMove) -> LineMoved:
    """Suspends, resumes or closes a line of the bank that asks. What is held can be captured all the same.

    Raises: NotFound: no such line; LineClosed; Conflict; in this order.
    """
    ref = subjects.resolve(caller, subject_id, NotFound)
    city_id, bank_id = bank_of(caller)
    return _moved(unit, intent, now, store.line_key(city_id, ref.person_id, bank_id), move, caller.sector, ref)


def close_own(unit: Unit, intent: Intent, now: datetime, caller: Caller, city_id: str, bank_id: str) -> LineMoved:
    """Closes one's own line; what is owed is still owed. Raises: NotFound: no such line; LineClosed; Conflict."""
    ref = subjects.own_account(caller)
    return _moved(unit, intent, now, store.line_key(city_id, ref.person_id, bank_id), "close", caller.sector, ref)


def _moved(
    unit: Unit, intent: Intent, now: datetime, key: table.Key, move: LineMove, sector: str, ref: AccountRef
) -> LineMoved:
    return looking_again(unit, lambda fresh: _move_once(fresh, intent, now, key, move, sector, ref))


def _move_once(
    unit: Unit, intent: Intent, now: datetime, key: table.Key, move: LineMove, sector: str, ref: AccountRef
) -> LineMoved:
    seen = store.line_in(table.fetch([key]), key)
    if seen is None:
        raise NotFound
    after = replace(seen, line=_MOVES[move](seen.line, now))
    if move == "close":
        after = replace(after, booked_fen=0)
        store.book(unit, after, seen.booked_fen, 0)
    store.save_line(unit, seen, after)
    reply = LineMoved(subjects.known_as(sector, ref), seen.bank_id, line_state(after.line), after.line.as_of)
    facts, subject = {"v": 1, "bank_id": seen.bank_id}, accounts.account_pk(seen.ref)
    unit.effect(effect.row(intent, now, purpose=f"{move}-line", facts=facts, reply=reply, subject=subject))
    unit.commit()
    return reply
