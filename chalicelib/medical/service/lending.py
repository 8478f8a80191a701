"""Lines: opened by the bank or by the person himself, booked anew, suspended, resumed and closed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Literal

from chalicelib.core import effect, table
from chalicelib.core.auth import Caller
from chalicelib.core.commit import Unit, looking_again
from chalicelib.core.effect import Intent
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.ledger.rules import holds
from chalicelib.ledger.rules.lines import Line, LineClosed
from chalicelib.medical import store
from chalicelib.medical.rules import LineExists, opening
from chalicelib.medical.rules.credit import (
    BY_BANK,
    CreditLine,
    LimitView,
    LineMoved,
    excepted,
    limit_view,
    line_state,
    opened_line,
    rebooked,
)
from chalicelib.medical.service.booking import part_of, room_in, save_rebooked, shard_of, trying_shards
from chalicelib.medical.service.grounds import (
    Ground,
    Judged,
    bank_of,
    consenting,
    judge,
    kept,
    read_ground,
    require_line_term,
    term_over,
)
from chalicelib.medical.store.credit import rebook
from chalicelib.subjects import service as subjects
from chalicelib.subjects import store as accounts
from chalicelib.subjects.rules import Account, AccountRef, ConsentRequired, require_account

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
    """Opens one's own line with a bank. Nothing is held on it, and no limit told, before the bank has a consent.

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

    return trying_shards(unit, once)


def _open_once(
    unit: Unit, intent: Intent, now: datetime, ground: Ground, account: Account, sector: str, turn: int
) -> LimitView:
    judged, seen = judge(ground, account, ["bank"], now), ground.anybodys_credit(account.ref)
    credit = lend(unit, ground, judged, seen, turn, now)
    store.save_line(unit, seen, credit)
    return _record(unit, intent, now, ground, judged, credit, sector, "open-line")


def lend(
    unit: Unit,
    ground: Ground,
    judged: Judged,
    seen: CreditLine | None,
    turn: int,
    now: datetime,
    hospital_id: str | None = None,
) -> CreditLine:
    """The line that today's decision opens, noted with its person and counted in a shard; whoever calls writes it.

    Args:
        hospital_id: Where it is opened on the spot.

    Raises: PolicyNotInForce; HospitalNotCovered; LineExists; LimitNotGranted; in this order. ExposureCapReached: when
        the unit is committed.
    """
    policy, account = ground.policy, judged.account
    seen = None if seen is None else _reopened(seen, account.ref, ground.today, now)
    limit = excepted(seen, judged.limit, now, policy.ceiling_fen)
    limit_fen = opening(policy, limit, None if seen is None else seen.line, ground.today, hospital_id)
    shard, room_fen = room_in(ground, shard_of(account.ref, ground.shards, turn), turn, seen)
    limit_fen = min(limit_fen, room_fen)
    line = opened_line(seen, limit_fen, now)
    credit = CreditLine(
        ground.host.city_id, ground.bank_id, account.ref, line, policy.version, ground.today, shard, limit_fen,
    )  # fmt: skip
    if seen is not None:
        credit = replace(
            credit, stated_until=seen.stated_until, stated_version=seen.stated_version, exception=seen.exception,
            suspended_in=seen.suspended_in, unstated=seen.unstated,
        )  # fmt: skip
    store.point_to(unit, credit)
    rebook(unit, seen or replace(credit, booked_fen=0), credit, part_of(ground, shard))
    return credit


def _reopened(seen: CreditLine, ref: AccountRef, on: date, now: datetime) -> CreditLine:
    """A line as it was before it is opened anew: one whose term is over is closed by that.

    Raises: LineExists: by another account of his, under which it is known to bank and ledger for good.
    """
    if seen.ref != ref:
        raise LineExists
    return replace(seen, line=holds.close(seen.line, now)) if term_over(seen, on) else seen


def _record(
    unit: Unit,
    intent: Intent,
    now: datetime,
    ground: Ground,
    judged: Judged,
    credit: CreditLine,
    sector: str,
    verb: str,
) -> LimitView:
    """Commits a line that a decision has given its limit; the reply tells that limit."""
    accounts.check_guard(unit, judged.account, Conflict)
    subject_id = subjects.known_as(sector, credit.ref)
    view = limit_view(subject_id, ground.policy, judged.limit, credit, now, judged.reasons)
    facts, subject = kept(ground, judged), accounts.account_pk(credit.ref)
    purpose = f"{verb}:{ground.scenario}"
    unit.effect(effect.row(intent, now, purpose=purpose, facts=facts, reply=view, subject=subject))
    unit.commit()
    return view


def relimit_for(unit: Unit, intent: Intent, now: datetime, caller: Caller, subject_id: str) -> LimitView:
    """Books a line of the bank that asks anew for what the person's score gives today, be it more or less.

    Raises: NotFound: not an id of this bank's; CitySuspended; PartnerSuspended; PolicyNotInForce; ConsentRequired;
        RecipientNotNamed; NotFound: no such line; LineClosed; TermOver; LineSuspended; ExposureCapReached; Conflict; in
        this order.
    """
    ref = subjects.resolve(caller, subject_id, NotFound)

    def agreed(ground: Ground) -> Account:
        return consenting(ground, ref, [ground.bank], now)

    return _relimit(unit, intent, now, bank_of(caller), ref, agreed, caller.sector)


def relimit_own(unit: Unit, intent: Intent, now: datetime, caller: Caller, city_id: str, bank_id: str) -> LimitView:
    """Books one's own line anew for what one's score gives today. Raises: as ``relimit_for``; NotFound: no account."""
    ref = subjects.own_account(caller)

    def agreed(ground: Ground) -> Account:
        return require_account(ground.account(ref))

    return _relimit(unit, intent, now, (city_id, bank_id), ref, agreed, caller.sector)


def _relimit(
    unit: Unit,
    intent: Intent,
    now: datetime,
    bank: tuple[str, str],
    ref: AccountRef,
    agreed: Callable[[Ground], Account],
    sector: str,
) -> LimitView:
    def once(fresh: Unit, turn: int) -> LimitView:
        ground = read_ground(*bank, [ref], now)
        judged, seen = judge(ground, agreed(ground), ["bank"], now), ground.credit(ref)
        if seen is None:
            raise NotFound
        require_live(seen, ground.today)
        after = rebooked(seen, judged.limit, ground.policy, now)
        after = save_rebooked(fresh, ground, seen, after, turn)
        return _record(fresh, intent, now, ground, judged, after, sector, "relimit-line")

    return trying_shards(unit, once)


def require_live(seen: CreditLine, on: date) -> None:
    """Returns if a line is open and within its term. Raises: LineClosed; TermOver; in this order."""
    if seen.line.closed:
        raise LineClosed
    require_line_term(seen, on)


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
    if seen is None or seen.ref != ref:
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
