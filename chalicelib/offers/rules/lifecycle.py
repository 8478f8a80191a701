"""How a version of an offer lives: who may move it from where to where, and what is open to people meanwhile.

    draft ⇄ review → approved → scheduled → live ⇄ paused → ended        stopped: by the city, from any that is open

``scheduled`` becomes ``live`` at ``valid_from`` and anything open becomes ``ended`` at ``valid_to`` by the clock alone:
no job moves an offer. What is stored is the last move; ``state_at`` tells what it means now.

The city stops what has ended, too: reservations of it may be open still. It stays ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, Protocol

from chalicelib.core.errors import Forbidden, Problem
from chalicelib.core.text import Text
from chalicelib.partners.rules import Role

State = Literal["draft", "review", "approved", "scheduled", "live", "paused", "stopped", "ended"]
Move = Literal["submit", "withdraw", "return", "approve", "schedule", "pause", "resume", "end", "stop", "lift"]

STATES: Mapping[State, Text] = {
    "draft": Text("草稿", "draft"),
    "review": Text("待审核", "under review"),
    "approved": Text("已通过审核，待发布", "approved, not released yet"),
    "scheduled": Text("已发布，尚未开始", "released, not begun yet"),
    "live": Text("进行中", "live"),
    "paused": Text("已暂停", "paused"),
    "stopped": Text("已被城市停用", "stopped by the city"),
    "ended": Text("已结束", "ended"),
}
_OPEN: frozenset[State] = frozenset({"approved", "scheduled", "live", "paused", "stopped"})


class OfferMoveForbidden(Forbidden):
    code = "offer-move-forbidden"
    title = Text("您的机构或岗位不能对优惠作此操作", "Your institution or your role may not do this to an offer")


class ApprovalByAuthor(Problem):
    code = "approval-by-author"
    status = 403
    title = Text("编写者不能审核自己的优惠", "Nobody approves an offer that he wrote himself")


class OfferStateConflict(Problem):
    code = "offer-state"
    status = 409
    title = Text("优惠当前状态不允许此操作", "The offer's present state does not allow this")


class OfferNotLive(Problem):
    code = "offer-not-live"
    status = 409
    title = Text("该优惠目前不可用", "This offer is not open at present")


class OfferStopped(Problem):
    code = "offer-stopped"
    status = 409
    title = Text("该优惠已被城市停用", "This offer has been stopped by the city")


class OfferChanged(Problem):
    code = "offer-changed"
    status = 409
    title = Text(
        "该版本在您阅读之后已被修改，请重新阅读后再审核",
        "This version was changed since you read it; read it again before you decide on it",
    )


@dataclass(frozen=True, slots=True)
class Actor:
    """A member of somebody's staff: the merchant's whose offer it is, or the offer's city's."""

    kind: Literal["merchant", "city"]
    person: str
    roles: frozenset[Role]


class Dated(Protocol):
    """What holds from an instant up to, without, another: a version of an offer."""

    @property
    def valid_from(self) -> datetime: ...

    @property
    def valid_to(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Life:
    """Where one version stands. ``authors`` are all who wrote on it; ``changed_at`` is the time of the last move.

    ``released``: whether it was ever on the shelf, so that quotes of it may have been given.
    """

    state: State
    authors: tuple[str, ...]
    changed_at: datetime
    approved_by: str | None = None
    revision: int = 1
    released: bool = False


@dataclass(frozen=True, slots=True)
class Transition:
    """One permitted move. No ``roles``: every member of that staff may make it."""

    sources: tuple[State, ...]
    target: State
    by: Literal["merchant", "city"]
    roles: tuple[Role, ...] = ()


TRANSITIONS: Mapping[Move, Transition] = {
    "submit": Transition(("draft",), "review", "merchant", ("author",)),
    "withdraw": Transition(("review",), "draft", "merchant", ("author",)),
    "return": Transition(("review",), "draft", "city", ("reviewer",)),
    "approve": Transition(("review",), "approved", "city", ("reviewer",)),
    "schedule": Transition(("approved",), "scheduled", "merchant", ("author", "operator")),
    "pause": Transition(("scheduled", "live"), "paused", "merchant", ("author", "operator")),
    "resume": Transition(("paused",), "scheduled", "merchant", ("author", "operator")),
    "end": Transition(
        ("draft", "review", "approved", "scheduled", "live", "paused", "stopped"),
        "ended", "merchant", ("author", "operator"),
    ),
    "stop": Transition(("approved", "scheduled", "live", "paused", "ended"), "stopped", "city"),
    "lift": Transition(("stopped",), "paused", "city", ("reviewer",)),
}  # fmt: skip


def drafted(actor: Actor, now: datetime) -> Life:
    """The life of a new draft. Raises: OfferMoveForbidden: the actor is no author of the merchant's."""
    _require_author(actor)
    return Life("draft", (actor.person,), now)


def edited(life: Life, actor: Actor, now: datetime) -> Life:
    """The life of a draft that was written anew; whoever writes on it becomes one of its authors.

    Raises: OfferMoveForbidden; OfferStateConflict: it is a draft no more; in this order.
    """
    _require_author(actor)
    if life.state != "draft":
        raise OfferStateConflict(
            Text("只有草稿可以修改；请另立新版本", "Only a draft can be changed; write a new version instead")
        )
    authors = life.authors if actor.person in life.authors else (*life.authors, actor.person)
    return replace(life, authors=authors, changed_at=now, revision=life.revision + 1)


def _require_author(actor: Actor) -> None:
    if actor.kind != "merchant" or "author" not in actor.roles:
        raise OfferMoveForbidden


def moved(life: Life, move: Move, actor: Actor, offer: Dated, now: datetime) -> Life:
    """The life of a version after a move. What was ended stays ended when the city stops it.

    Raises: OfferMoveForbidden: another's staff, or not the role; ApprovalByAuthor; OfferStateConflict; in this order.
    """
    way = TRANSITIONS[move]
    if actor.kind != way.by or (way.roles and not actor.roles & set(way.roles)):
        raise OfferMoveForbidden
    if move == "approve" and actor.person in life.authors:
        raise ApprovalByAuthor
    # What the city has stopped it may let go of after its end, too: reservations are waiting.
    at = life.state if move == "lift" else state_at(life, offer, now)
    if at not in way.sources or (at == "ended" and not may_have_sold(life, offer, now)):
        said = Text("优惠现为“{zh}”，不能这样做", "The offer is “{en}” now, so this cannot be done")
        raise OfferStateConflict(said.format(zh=STATES[at].zh, en=STATES[at].en))
    approved_by = actor.person if move == "approve" else life.approved_by
    released = life.released or "scheduled" in {life.state, way.target}
    target = "ended" if at == "ended" else way.target
    return Life(target, life.authors, now, approved_by, life.revision + 1, released)


def may_have_sold(life: Life, offer: Dated, now: datetime) -> bool:
    """Whether quotes of this version may have been given: it was on the shelf, and had begun before it was ended."""
    last = life.changed_at if life.state == "ended" else now
    return (life.released or life.state == "scheduled") and offer.valid_from <= last


def state_at(life: Life, offer: Dated, now: datetime) -> State:
    """Where the version stands at this instant, the clock counted in."""
    if life.state in _OPEN and now >= offer.valid_to:
        return "ended"
    return "live" if life.state == "scheduled" and now >= offer.valid_from else life.state


def require_live(state: State) -> None:
    """Returns if people may get quotes. Raises: OfferStopped; OfferNotLive; in this order."""
    if state == "stopped":
        raise OfferStopped
    if state != "live":
        raise OfferNotLive(
            Text("该优惠{zh}，目前不可用", "This offer is not open: {en}").format(
                zh=STATES[state].zh, en=STATES[state].en
            )
        )
