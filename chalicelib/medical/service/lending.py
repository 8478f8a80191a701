"""Lines: opened by the bank or by the person himself, booked anew, suspended, resumed and closed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Literal, NamedTuple

from chalicelib.core import effect, table
from chalicelib.core.auth import Caller
from chalicelib.core.commit import Unit, looking_again
from chalicelib.core.effect import Intent
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.ledger.rules import holds
from chalicelib.ledger.rules.lines import Line, LineClosed
from chalicelib.medical import store
from chalicelib.medical.rules import LineExists, opening
from chalicelib.medical.rules.credit import BY_BANK, CreditLine, excepted, line_state, opened_line, rebooked
from chalicelib.medical.rules.line_views import LimitView, LineMoved, limit_view
from chalicelib.medical.service.booking import part_of, room_in, save_rebooked, shard_of, taken, trying_shards
from chalicelib.medical.service.grounds import (
    Ground,
    Judged,
    bank_of,
    consenting,
    judge,
    kept,
    meant,
    read_ground,
    require_line_term,
    term_over,
)
from chalicelib.medical.store.credit import rebook
from chalicelib.subjects import service as subjects
from chalicelib.subjects import store as accounts
from chalicelib.subjects.rules import Account, AccountRef, require_account

LineMove = Literal["suspend", "resume", "close"]
_Steps = Callable[[Line, datetime], Line]
_MOVES: dict[LineMove, _Steps] = {
    "suspend": lambda line, now: holds.suspend(line, BY_BANK, now),
    "resume": lambda line, now: holds.resume(line, BY_BANK, now),
    "close": holds.close,
}


class _Asked(NamedTuple):
    """Of whose line with which bank a decision is asked for, by whom, and on what it rests that he may be told it."""

    bank: tuple[str, str]
    ref: AccountRef | None
    sector: str
    agreed: Callable[[Ground], Account]


def _by_bank(caller: Caller, ref: AccountRef | None, now: datetime) -> _Asked:
    def agreed(ground: Ground) -> Account:
        return consenting(ground, ref, [ground.bank], now)

    return _Asked(bank_of(caller), ref, caller.sector, agreed)


def _by_owner(caller: Caller, city_id: str, bank_id: str) -> _Asked:
    ref = subjects.own_account(caller)

    def agreed(ground: Ground) -> Account:
        return require_account(ground.account(ref))

    return _Asked((city_id, bank_id), ref, caller.sector, agreed)


def _decided(asked: _Asked, now: datetime) -> tuple[Ground, Judged]:
    ground = read_ground(*asked.bank, [] if asked.ref is None else [asked.ref], now)
    return ground, judge(ground, asked.agreed(ground), ["bank"], now)


def open_for(unit: Unit, intent: Intent, now: datetime, caller: Caller, subject_id: str) -> LimitView:
    """Opens a person's line with the bank that asks, by his consent.

    Raises: NotFound: no such city; CitySuspended; PartnerSuspended; PolicyNotInForce; ConsentRequired;
        RecipientNotNamed; LineExists; LimitNotGranted; ExposureCapReached; Conflict; in this order.
    """
    return _open(unit, intent, now, _by_bank(caller, meant(caller, subject_id), now))


def open_own(unit: Unit, intent: Intent, now: datetime, caller: Caller, city_id: str, bank_id: str) -> LimitView:
    """Opens one's own line with a bank. Nothing is held on it, and no limit told, before the bank has a consent.

    Raises: NotFound: no such city; CitySuspended; PartnerSuspended; PolicyNotInForce; NotFound: no account;
        RecipientNotNamed; LineExists; LimitNotGranted; ExposureCapReached; Conflict; in this order.
    """
    return _open(unit, intent, now, _by_owner(caller, city_id, bank_id))


def _open(unit: Unit, intent: Intent, now: datetime, asked: _Asked) -> LimitView:
    def once(fresh: Unit, turn: int) -> LimitView:
        ground, judged = _decided(asked, now)
        seen = ground.anybodys_credit(judged.account.ref)
        credit = lend(fresh, ground, judged, seen, turn, now)
        store.save_line(fresh, seen, credit)
        return _record(fresh, intent, now, ground, judged, credit, asked.sector, "open-line")

    return trying_shards(unit, once)


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

    Raises: LineExists: by another account of his; PolicyNotInForce; HospitalNotCovered; LineExists; LimitNotGranted;
        ExposureCapReached: in the last turn; in this order. ExposureCapReached, Conflict in the last turn: when the
        unit is committed.
    """
    policy, account = ground.policy, judged.account
    seen = None if seen is None else _reopened(seen, account.ref, ground.today, now)
    limit = excepted(seen, judged.limit, now, policy.ceiling_fen)
    limit_fen = opening(policy, limit, None if seen is None else seen.line, ground.today, hospital_id)
    shard, room_fen = room_in(ground, shard_of(account.ref, ground.shards, turn), turn, seen)
    limit_fen = min(limit_fen, room_fen)
    line, version, today = opened_line(seen, limit_fen, now), policy.version, ground.today
    before = seen or CreditLine(ground.host.city_id, ground.bank_id, account.ref, line, version, today, shard, 0)
    credit = replace(
        before, line=line, policy_version=version, opened_on=today, shard=shard, booked_fen=limit_fen
    )  # fmt: skip
    store.point_to(unit, credit)
    rebook(unit, before, credit, part_of(ground, shard), taken(turn))
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
    return _relimit(unit, intent, now, _by_bank(caller, subjects.resolve(caller, subject_id, NotFound), now))


def relimit_own(unit: Unit, intent: Intent, now: datetime, caller: Caller, city_id: str, bank_id: str) -> LimitView:
    """Books one's own line anew for what one's score gives today. Raises: as ``relimit_for``; NotFound: no account."""
    return _relimit(unit, intent, now, _by_owner(caller, city_id, bank_id))


def _relimit(unit: Unit, intent: Intent, now: datetime, asked: _Asked) -> LimitView:
    def once(fresh: Unit, turn: int) -> LimitView:
        ground, judged = _decided(asked, now)
        seen = ground.credit(judged.account.ref)
        if seen is None:
            raise NotFound
        require_live(seen, ground.today)
        after = save_rebooked(fresh, ground, seen, rebooked(seen, judged.limit, ground.policy, now), turn)
        return _record(fresh, intent, now, ground, judged, after, asked.sector, "relimit-line")

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
    return _moved(unit, intent, now, bank_of(caller), ref, caller.sector, move)


def close_own(unit: Unit, intent: Intent, now: datetime, caller: Caller, city_id: str, bank_id: str) -> LineMoved:
    """Closes one's own line; what is owed is still owed. Raises: NotFound: no such line; LineClosed; Conflict."""
    return _moved(unit, intent, now, (city_id, bank_id), subjects.own_account(caller), caller.sector, "close")


def _moved(
    unit: Unit, intent: Intent, now: datetime, bank: tuple[str, str], ref: AccountRef, sector: str, move: LineMove
) -> LineMoved:
    key = store.line_key(bank[0], ref.person_id, bank[1])

    def once(fresh: Unit) -> LineMoved:
        seen = store.line_in(table.fetch([key]), key)
        if seen is None or seen.ref != ref:
            raise NotFound
        after = replace(seen, line=_MOVES[move](seen.line, now))
        if move == "close":
            after = replace(after, booked_fen=0)
            store.book(fresh, after, seen.booked_fen, 0)
        store.save_line(fresh, seen, after)
        reply = LineMoved(subjects.known_as(sector, ref), seen.bank_id, line_state(after.line), after.line.as_of)
        facts, subject = {"v": 1, "bank_id": seen.bank_id}, accounts.account_pk(seen.ref)
        fresh.effect(effect.row(intent, now, purpose=f"{move}-line", facts=facts, reply=reply, subject=subject))
        fresh.commit()
        return reply

    return looking_again(unit, once)
