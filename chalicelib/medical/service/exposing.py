"""What a bank has granted in all, as its shards count it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.core.auth import Caller
from chalicelib.medical.rules import Shard, shard_caps
from chalicelib.medical.service.desk import Bank, read_desk
from chalicelib.medical.service.policies import policy_today
from chalicelib.medical.store.credit import list_exposure


@dataclass(frozen=True, slots=True)
class ShardView:
    """One part of the cap: what is booked in it and what can still be."""

    shard: int
    cap_fen: int
    booked_fen: int
    free_fen: int


@dataclass(frozen=True, slots=True)
class Exposure:
    """A bank's exposure by today's policy; ``policy_version`` and ``cap_fen`` None: none is in force, so none is free.

    ``over_fen`` is what a lowered cap has left above some parts: nothing is booked there until they are below.
    """

    city_id: str
    bank_id: str
    policy_version: int | None
    cap_fen: int | None
    booked_fen: int
    free_fen: int
    over_fen: int
    shards: tuple[ShardView, ...]


def read_exposure(now: datetime, caller: Caller, bank: Bank) -> Exposure:
    """A bank's exposure: one BatchGetItem and one Query. Raises: NotFound: no such bank, or it has no policy."""
    desk = read_desk(caller, bank)
    policy, parts = policy_today(bank.city_id, desk.head, desk.today(now)), desk.head.shards or 0
    caps = (0,) * parts if policy is None else shard_caps(policy.exposure_cap_fen, parts)
    counted = list_exposure(*bank)
    assert set(counted) <= set(range(parts)), "a line is booked in one of the shards"
    shards = [Shard(cap_fen, counted.get(index, 0)) for index, cap_fen in enumerate(caps)]
    views = (ShardView(n, one.cap_fen, one.used_fen, one.free_fen) for n, one in enumerate(shards))
    return Exposure(
        *bank, None if policy is None else policy.version, None if policy is None else policy.exposure_cap_fen,
        sum(one.used_fen for one in shards), sum(one.free_fen for one in shards),
        sum(one.over_fen for one in shards), tuple(views),
    )  # fmt: skip
