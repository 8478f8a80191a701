"""Which passes were used, and how many each citizen has been given this minute. Both kinds of item expire."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from chalicelib.core.commit import Unit
from chalicelib.core.errors import Problem, TooManyRequests
from chalicelib.core.table import IntAttribute, Row
from chalicelib.subjects.rules import (
    PASSES_PER_MINUTE,
    AccountRef,
    Pass,
    PassUsed,
    minute_of,
    seconds_to_next_minute,
)
from chalicelib.subjects.store.accounts import account_pk

KEPT_LONGER = timedelta(days=1)


class _PassUsedRow(Row, discriminator="pass_used"):
    """Marks a pass as used. It outlives the pass, so that no clock that is slow lets it be used again."""


class _PassCountRow(Row, discriminator="pass_count"):
    given = IntAttribute()


def use_pass(unit: Unit, shown: Pass, otherwise: Callable[[], Problem] = PassUsed) -> None:
    """Marks a pass as used; a second use is refused."""
    row = _PassUsedRow(f"{shown.ref.city_id}#pass#{shown.pass_id}", "used")
    row.expires_at = kept_until(shown.expires_at)
    unit.create(row, otherwise)


def count_pass(unit: Unit, ref: AccountRef, now: datetime) -> None:
    """Counts one more pass of this citizen in this minute; beyond ``PASSES_PER_MINUTE`` it is refused.

    The count is an item of its own: on the account it would stand in the way of every decision.
    """
    row = _PassCountRow(account_pk(ref), f"passes#{minute_of(now)}")
    given = _PassCountRow.given
    actions = [
        _PassCountRow.kind.set(_PassCountRow),
        _PassCountRow.v.set(1),
        _PassCountRow.expires_at.set(kept_until(now)),
        given.add(1),
    ]
    wait = seconds_to_next_minute(now)
    fewer = given.does_not_exist() | (given < PASSES_PER_MINUTE)
    unit.update(row, actions, fewer, lambda: TooManyRequests(retry_after_seconds=wait))


def kept_until(at: datetime) -> int:
    """When an item that is about ``at`` may be dropped, in seconds from the epoch."""
    return int((at + KEPT_LONGER).timestamp())
