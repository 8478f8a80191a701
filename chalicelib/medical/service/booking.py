"""In which shard of its bank's exposure a line is counted, and for how much."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from chalicelib.core.commit import LOOKED_AGAIN, Otherwise, Unit, looking_again
from chalicelib.core.errors import Conflict
from chalicelib.medical import store
from chalicelib.medical.rules import ExposureCapReached, Shard, probe, shard_caps
from chalicelib.medical.rules.credit import CreditLine
from chalicelib.medical.service.grounds import Ground
from chalicelib.medical.store.credit import list_exposure, rebook
from chalicelib.subjects.rules import AccountRef

SHARDS_TRIED = 4
LAST_TURN = SHARDS_TRIED
T = TypeVar("T")


def trying_shards(unit: Unit, once: Callable[[Unit, int], T], times: int = LOOKED_AGAIN) -> T:
    """What ``once`` gives with the first of a few turns for which a shard has room; in the last turn as much as there
    is: a shortage makes a limit smaller, and never refuses whom a better score would have given more.

    Raises: ExposureCapReached: no shard has any room; Conflict: others keep taking what there is.
    """
    for turn in range(LAST_TURN):
        try:
            return looking_again(unit, lambda fresh, turn=turn: once(fresh, turn), times)  # type: ignore[misc]
        except ExposureCapReached:
            continue
    return looking_again(unit, lambda fresh: once(fresh, LAST_TURN), times)


def shard_of(ref: AccountRef, shards: int, turn: int) -> int:
    """Where a line is tried: by the hash of its person first, then evenly through the others."""
    first = int(hashlib.sha256(ref.person_id.encode()).hexdigest()[:12], 16) % shards
    tried = tuple(probe(first, shards, min(SHARDS_TRIED, shards)))
    return tried[turn % len(tried)]


def room_in(ground: Ground, shard: int, turn: int, seen: CreditLine | None) -> tuple[int, int]:
    """The shard of this turn, and how much of a limit it is to take; in the last turn the one with the most room,
    where what a line is booked for already is room for it.

    Raises: ExposureCapReached: there is none.
    """
    if turn < LAST_TURN:
        return shard, ground.policy.ceiling_fen
    counted = list_exposure(ground.host.city_id, ground.bank_id)
    room = {n: Shard(part_of(ground, n), counted.get(n, 0)).free_fen for n in range(ground.shards)}
    if seen is not None and seen.booked_fen:
        room[seen.shard] += seen.booked_fen
    best = max(room, key=lambda n: (room[n], -((n - shard) % ground.shards)))
    if not room[best]:
        raise ExposureCapReached
    return best, room[best]


def taken(turn: int) -> Otherwise:
    """What it means that a shard has no room: in the last turn, in which it had some, that somebody else was there
    between the read and the write, and others may have room."""
    return Conflict if turn == LAST_TURN else ExposureCapReached


def part_of(ground: Ground, shard: int) -> int:
    """A shard's part of the cap."""
    return shard_caps(ground.policy.exposure_cap_fen, ground.shards)[shard]


def save_rebooked(
    unit: Unit, ground: Ground, seen: CreditLine, after: CreditLine, turn: int, *, partly: bool = True
) -> CreditLine:
    """Writes a line that is booked for another amount: in its own shard first, in a later turn in another.

    A line that is booked for no more than before never leaves its shard. In the last turn it is booked for as much as
    there is room for, if ``partly``. Returns it as it is written. Raises: ExposureCapReached: there is none.
    """
    if after.booked_fen > seen.booked_fen and turn:
        shard, room_fen = room_in(ground, _other_shard(seen, ground.shards, turn), turn, seen)
        if room_fen <= seen.booked_fen or (room_fen < after.booked_fen and not partly):
            raise ExposureCapReached
        fen = min(after.booked_fen, room_fen)
        line = replace(after.line, limit_fen=min(after.line.limit_fen, fen))
        after = replace(after, shard=shard, booked_fen=fen, line=line)
    store.save_line(unit, seen, after)
    rebook(unit, seen, after, part_of(ground, after.shard), taken(turn))
    return after


def _other_shard(seen: CreditLine, shards: int, turn: int) -> int:
    tried = tuple(probe(seen.shard, shards, min(SHARDS_TRIED, shards)))
    return tried[turn % len(tried)]
