"""One offer through all its versions: where each stands, and which of them people meet at an instant.

A version is written, reviewed and released by itself; the next may be under review while the last is live. A version
that is released ends the one before it at the instant at which it begins, for good.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.core import codec
from chalicelib.core.errors import NotFound
from chalicelib.core.text import Text
from chalicelib.offers.rules.lifecycle import (
    Actor,
    Life,
    Move,
    OfferChanged,
    OfferStateConflict,
    State,
    drafted,
    edited,
    may_have_sold,
    moved,
    require_live,
    state_at,
)
from chalicelib.offers.rules.offer import MAX_VERSION, Offer

MAX_LISTED = 12
SHELVED: frozenset[State] = frozenset({"scheduled", "live", "paused", "stopped"})
_UNFINISHED: frozenset[State] = frozenset({"draft", "review"})
_STOPPABLE: frozenset[State] = frozenset({"approved", "scheduled", "live", "paused"})


@dataclass(frozen=True, slots=True)
class Listed:
    """One version: its life, and from when to when it holds; a later one that was released may have cut its end."""

    life: Life
    valid_from: datetime
    valid_to: datetime


@dataclass(frozen=True, slots=True)
class Head:
    """An offer. ``title``, ``category`` and ``digest`` are those of its latest version; ``versions`` its last ones.

    What was quoted of versions up to ``stopped_to`` is not redeemed: the city has stopped them, and has not lifted it.
    Those up to ``stays_stopped`` were stopped after their end or ended while they were stopped, or stopped when the
    city stopped the next ones: nobody can lift that any more. A version that is open comes after both.
    """

    city_id: str
    merchant_id: str
    offer_id: str
    title: Text
    category: str
    latest: int
    versions: Mapping[int, Listed]
    stopped_to: int = 0
    stays_stopped: int = 0
    digest: str = ""
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

    def on_shelf(self, now: datetime) -> tuple[int, ...]:
        """The versions that people may find in the catalogue, now or once they begin."""
        shown = (
            version
            for version, listed in self.versions.items()
            if listed.life.state == "scheduled" and max(now, listed.valid_from) < listed.valid_to
        )
        return tuple(sorted(shown))

    def says_stock(self, version: int) -> bool:
        """Whether this version says how much there is in all: the last one that was released does."""
        return not any(later > version and at.life.state in SHELVED for later, at in self.versions.items())

    def in_force(self, now: datetime) -> int | None:
        """The version that people meet at this instant, be it open, paused or stopped; None if there is none."""
        met = (
            version
            for version, listed in self.versions.items()
            if listed.life.state in SHELVED and listed.valid_from <= now < listed.valid_to
        )
        return max(met, default=None)


def state_of(head: Head, version: int, now: datetime) -> State:
    """Where a version of this offer stands at this instant. Raises: NotFound: it is not listed."""
    listed = head.listed(version)
    return state_at(listed.life, listed, now)


def require_in_force(head: Head, now: datetime) -> int:
    """The version that people may get quotes for. Raises: OfferStopped; OfferNotLive; in this order."""
    version = head.in_force(now)
    if version is not None:
        listed = head.versions[version]
        require_live("live" if listed.life.state == "scheduled" else listed.life.state)
        return version
    ahead = any(listed.life.state == "scheduled" and now < listed.valid_from for listed in head.versions.values())
    last = max(head.versions, default=None)
    state: State = "draft" if last is None else head.versions[last].life.state
    require_live("scheduled" if ahead else "ended" if state in SHELVED else state)
    raise AssertionError("what is not in force is not live")


def add_draft(head: Head | None, offer: Offer, actor: Actor, now: datetime) -> Head:
    """The offer with a new draft, its next version.

    Raises: OfferMoveForbidden; OfferStateConflict: there is a draft already, or one under review, or too many versions
        are released ahead; in this order.
    """
    listed = Listed(drafted(actor, now), offer.valid_from, offer.valid_to)
    if head is None:
        assert offer.version == 1, "an offer begins with its first version"
        only = {1: listed}
        name = (offer.city_id, offer.merchant_id, offer.offer_id)
        return Head(*name, offer.title, offer.category, 1, only, digest=digest_of(offer))
    assert offer.version == head.latest + 1 <= MAX_VERSION, "versions are counted"
    if head.versions[head.latest].life.state in _UNFINISHED:
        said = Text(
            "第 {n} 版尚未定稿，请先修改或结束该版", "Version {n} is not finished; change it, or end it, first"
        ).format(n=head.latest)
        raise OfferStateConflict(said)
    versions = {**_kept(head.versions, now), offer.version: listed}
    return replace(_described(head, offer), latest=offer.version, versions=versions)


def _described(head: Head, offer: Offer) -> Head:
    return replace(head, title=offer.title, category=offer.category, digest=digest_of(offer))


def digest_of(offer: Offer) -> str:
    """What tells one content from another, whatever the number of its version."""
    return hashlib.sha256(codec.canonical(replace(offer, version=0)).encode()).hexdigest()


def require_read(offer: Offer, digest: str | None) -> None:
    """Returns if the content is the one that was read. Raises: OfferChanged."""
    if digest != digest_of(offer):
        raise OfferChanged


def _kept(versions: Mapping[int, Listed], now: datetime) -> dict[int, Listed]:
    """The versions without the oldest ones that nobody can meet any more, so that there is room for one."""
    over = len(versions) + 1 - MAX_LISTED
    past = sorted(v for v, at in versions.items() if at.life.state not in SHELVED or at.valid_to <= now)
    if over > len(past):
        raise OfferStateConflict(
            Text("已发布的版本过多，请先结束一些", "Too many versions are released; end some of them first")
        )
    return {version: at for version, at in versions.items() if version not in past[: max(over, 0)]}


def edit_draft(head: Head, offer: Offer, actor: Actor, now: datetime) -> Head:
    """The offer after its draft was written anew. Raises: NotFound; OfferMoveForbidden; OfferStateConflict."""
    life = edited(head.listed(offer.version).life, actor, now)
    listed = Listed(life, offer.valid_from, offer.valid_to)
    return replace(_described(head, offer), versions={**head.versions, offer.version: listed})


def move_version(head: Head, version: int, move: Move, actor: Actor, now: datetime) -> Head:
    """The offer after one of its versions was moved. The city stops, and lifts, all finished versions together.

    Of a version that has ended, it stops what is reserved of that one and of those before it; what came after goes on.

    Raises: NotFound; OfferMoveForbidden; ApprovalByAuthor; OfferStateConflict; in this order.
    """
    listed = head.listed(version)
    life = moved(listed.life, move, actor, listed, now)
    after = replace(head, versions={**head.versions, version: replace(listed, life=life)})
    if move == "stop":
        return _stopped(after, version, now) if life.state == "stopped" else _stopped_after_its_end(after, version, now)
    if move == "lift":
        return _lifted(head, version, now)
    if move == "schedule":
        begins = max(now, listed.valid_from)
        earlier = {v: _until(at, begins) for v, at in after.versions.items() if v < version}
        return replace(after, versions={**after.versions, **earlier})
    if listed.life.state == "stopped" and may_have_sold(listed.life, listed, now):
        return replace(after, stays_stopped=max(head.stays_stopped, version))
    return after


def _stopped(head: Head, version: int, now: datetime) -> Head:
    """Every finished version stopped; what an earlier stop covered, which was not lifted, is stopped for good."""
    last = max(v for v, at in head.versions.items() if at.life.state not in _UNFINISHED)
    assert version > head.stopped_to, "what is open comes after what is stopped"
    return replace(head, versions=_all(head, 0, last, "stopped", now), stopped_to=last, stays_stopped=head.stopped_to)


def _stopped_after_its_end(head: Head, version: int, now: datetime) -> Head:
    """An ended version, and those before it, stopped for good."""
    if version <= head.stays_stopped:
        raise OfferStateConflict(Text("该版本已永久停用，无须再停", "This version is stopped for good already"))
    versions = _all(head, 0, version, "stopped", now)
    return replace(head, versions=versions, stopped_to=max(head.stopped_to, version), stays_stopped=version)


def _lifted(head: Head, version: int, now: datetime) -> Head:
    """What can be redeemed again is left to the merchant to open; the rest stays stopped."""
    if version <= head.stays_stopped:
        raise OfferStateConflict(
            Text("该版本已永久停用，请另立新版本", "This version is stopped for good; write a new version instead")
        )
    return replace(
        head, versions=_all(head, head.stays_stopped, head.latest, "paused", now), stopped_to=head.stays_stopped
    )


def _until(listed: Listed, begins: datetime) -> Listed:
    return replace(listed, valid_to=max(listed.valid_from, min(listed.valid_to, begins)))


def _all(head: Head, after: int, last: int, target: State, now: datetime) -> dict[int, Listed]:
    """The versions, of those after ``after`` up to ``last`` the open ones stopped, or the stopped ones paused."""
    sources = _STOPPABLE if target == "stopped" else frozenset({"stopped"})
    return {
        version: replace(at, life=_put(at.life, target, now))
        if after < version <= last and at.life.state in sources
        else at
        for version, at in head.versions.items()
    }


def _put(life: Life, state: State, now: datetime) -> Life:
    released = life.released or life.state == "scheduled"
    return replace(life, state=state, changed_at=now, revision=life.revision + 1, released=released)
