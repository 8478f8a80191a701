"""One bank's policy through all its versions: where each stands, and which of them is in force on a day of the city.

A version that is approved ends the one before it on the day on which it begins, for good. In how many shards a bank's
exposure is counted is settled by the first version that is approved.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache

from chalicelib.core import codec
from chalicelib.core.errors import NotFound
from chalicelib.core.text import Text
from chalicelib.medical.rules.lifecycle import (
    Actor,
    Life,
    Move,
    PolicyChanged,
    PolicyStateConflict,
    State,
    drafted,
    edited,
    moved,
    state_on,
)
from chalicelib.medical.rules.linting import lint_policies
from chalicelib.medical.rules.policy import Policy, PolicyInvalid
from chalicelib.scenarios.rules import Finding

MAX_VERSIONS = 100
_UNFINISHED = ("draft", "review")


@dataclass(frozen=True, slots=True)
class Listed:
    """One version: its life and its days; a later one that was approved may have cut its end."""

    life: Life
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class Head:
    """A bank's policy. ``shards`` None: no version was ever approved."""

    city_id: str
    bank_id: str
    latest: int
    versions: Mapping[int, Listed]
    shards: int | None = None
    revision: int = 0

    @property
    def waits_since(self) -> datetime | None:
        """Since when the city is to review a version; None if it is to review none."""
        times = [listed.life.changed_at for listed in self.versions.values() if listed.life.state == "review"]
        return min(times, default=None)

    def listed(self, version: int) -> Listed:
        """One version. Raises: NotFound."""
        found = self.versions.get(version)
        if found is None:
            raise NotFound
        return found

    def in_force(self, on: date) -> int | None:
        """The version that is in force on a day; None if there is none."""
        return max((version for version in self.versions if state_of(self, version, on) == "in_force"), default=None)

    def as_listed(self, policy: Policy) -> Policy:
        """A version with its end as a later one may have cut it."""
        valid_to = self.listed(policy.version).valid_to
        return policy if policy.valid_to == valid_to else replace(policy, valid_to=valid_to)


def state_of(head: Head, version: int, on: date) -> State:
    """Where a version stands on a day of the city. Raises: NotFound."""
    listed = head.listed(version)
    return state_on(listed.life, listed.valid_from, listed.valid_to, on)


@lru_cache(maxsize=256)
def digest_of(policy: Policy) -> str:
    """What tells one content from another, whatever the number of its version."""
    return hashlib.sha256(codec.canonical(replace(policy, version=0)).encode()).hexdigest()


def require_read(policy: Policy, digest: str | None) -> None:
    """Returns if the content is the one that was read. Raises: PolicyChanged."""
    if digest != digest_of(policy):
        raise PolicyChanged


def add_draft(head: Head | None, policy: Policy, actor: Actor, now: datetime) -> Head:
    """The head with one version more, as a draft.

    Raises: PolicyMoveForbidden; PolicyStateConflict: the last version is no finished one, or there are too many;
        PolicyInvalid: another number of shards than counts already; in this order.
    """
    life = drafted(actor, now)
    versions = {} if head is None else _without_abandoned(head)
    if any(listed.life.state in _UNFINISHED for listed in versions.values()):
        raise PolicyStateConflict(Text("上一版尚未审核完毕", "The version before is not finished yet"))
    if len(versions) >= MAX_VERSIONS:
        raise PolicyStateConflict(Text("版本过多", "There are too many versions"))
    seen = head or Head(policy.city_id, policy.bank_id, 0, {})
    _check_shards(seen, policy)
    return replace(seen, latest=policy.version, versions={**versions, policy.version: _listed(life, policy)})


def _without_abandoned(head: Head) -> dict[int, Listed]:
    """The versions but those that ended without ever being approved."""
    kept = head.versions.items()
    return {n: one for n, one in kept if one.life.state != "ended" or one.life.approved_by is not None}


def edit_draft(head: Head, policy: Policy, actor: Actor, now: datetime) -> Head:
    """The head after a draft was written anew.

    Raises: NotFound; PolicyMoveForbidden; PolicyStateConflict; PolicyInvalid: another number of shards; in this order.
    """
    life = edited(head.listed(policy.version).life, actor, now)
    _check_shards(head, policy)
    return replace(head, versions={**head.versions, policy.version: _listed(life, policy)})


def move_version(head: Head, policy: Policy, move: Move, actor: Actor, now: datetime, on: date) -> Head:
    """The head after a version was moved. One that is approved cuts the end of those that began before it; one that is
    ended sets the terms of this day still, which may have begun for others already, and of none after it.

    Raises: NotFound; what ``lifecycle.moved`` raises; in this order.
    """
    life = moved(head.listed(policy.version).life, move, actor, head.as_listed(policy), now, on)
    listed = replace(head.listed(policy.version), life=life)
    if move == "end" and life.approved_by is not None:
        after = on + timedelta(days=1)
        listed = replace(listed, valid_to=max(listed.valid_from, min(listed.valid_to or after, after)))
    if move != "approve":
        return replace(head, versions={**head.versions, policy.version: listed})
    others = {n: _cut(one, policy.valid_from) for n, one in head.versions.items() if n != policy.version}
    return replace(head, versions={**others, policy.version: listed}, shards=head.shards or policy.shards)


def lint_among(head: Head, policy: Policy) -> list[Finding]:
    """What the versions that are approved say against this one, as if it were approved now."""
    approved = {n: one for n, one in head.versions.items() if n != policy.version and one.life.state == "approved"}
    cut = {n: _cut(one, policy.valid_from) for n, one in approved.items()}
    others = [replace(policy, version=n, valid_from=one.valid_from, valid_to=one.valid_to) for n, one in cut.items()]
    own = f"/{len(others)}/"
    found = lint_policies([*others, policy])
    return [replace(item, pointer=item.pointer[len(own) - 1 :]) for item in found if item.pointer.startswith(own)]


def _cut(listed: Listed, begins: date) -> Listed:
    if listed.life.state != "approved" or listed.valid_from >= begins:
        return listed
    return replace(listed, valid_to=min(listed.valid_to or begins, begins))


def _listed(life: Life, policy: Policy) -> Listed:
    return Listed(life, policy.valid_from, policy.valid_to)


def _check_shards(head: Head, policy: Policy) -> None:
    if head.shards not in {None, policy.shards}:
        said = Text("敞口已按 {n} 份计算，不能更改", "The exposure is counted in {n} shards, which cannot be changed")
        raise PolicyInvalid.at("/shards", said.format(n=head.shards))
