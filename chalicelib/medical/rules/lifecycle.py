"""How a version of a policy lives: who may move it, and what it means by the calendar meanwhile.

    draft ⇄ review → approved → in force on its days → ended          the bank may end it from any state, at once

The bank's author writes, the city's reviewer approves: never the same person. ``approved`` becomes ``in_force`` on
``valid_from`` and ``ended`` on ``valid_to`` by the calendar alone. What was charged meanwhile keeps its terms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from chalicelib.core.errors import Forbidden, Problem
from chalicelib.core.text import Text
from chalicelib.medical.rules.policy import Policy
from chalicelib.partners.rules import Role

State = Literal["draft", "review", "approved", "in_force", "ended"]
Move = Literal["submit", "withdraw", "return", "approve", "end"]

STATES: Mapping[State, Text] = {
    "draft": Text("草稿", "draft"),
    "review": Text("待审核", "under review"),
    "approved": Text("已通过审核，尚未生效", "approved, not in force yet"),
    "in_force": Text("生效中", "in force"),
    "ended": Text("已结束", "ended"),
}


class PolicyMoveForbidden(Forbidden):
    code = "medical-policy-move-forbidden"
    title = Text(
        "您的机构或岗位不能对授信规则作此操作", "Your institution or your role may not do this to a credit policy"
    )


class PolicyApprovalByAuthor(Problem):
    code = "medical-policy-approval-by-author"
    status = 403
    title = Text("编写者不能审核自己的授信规则", "Nobody approves a credit policy that he wrote himself")


class PolicyStateConflict(Problem):
    code = "medical-policy-state"
    status = 409
    title = Text("授信规则当前状态不允许此操作", "The credit policy's present state does not allow this")


class PolicyChanged(Problem):
    code = "medical-policy-changed"
    status = 409
    title = Text(
        "该版本在您阅读之后已被修改，请重新阅读后再审核",
        "This version was changed since you read it; read it again before you decide on it",
    )


@dataclass(frozen=True, slots=True)
class Actor:
    """A member of somebody's staff: the bank's whose policy it is, or its city's."""

    kind: Literal["bank", "city"]
    person: str
    roles: frozenset[Role]


@dataclass(frozen=True, slots=True)
class Life:
    """Where one version stands. ``authors`` are all who wrote on it; ``changed_at`` is the time of the last move."""

    state: State
    authors: tuple[str, ...]
    changed_at: datetime
    approved_by: str | None = None
    revision: int = 1


@dataclass(frozen=True, slots=True)
class Transition:
    """One permitted move."""

    sources: tuple[State, ...]
    target: State
    by: Literal["bank", "city"]
    role: Role


TRANSITIONS: Mapping[Move, Transition] = {
    "submit": Transition(("draft",), "review", "bank", "author"),
    "withdraw": Transition(("review",), "draft", "bank", "author"),
    "return": Transition(("review",), "draft", "city", "reviewer"),
    "approve": Transition(("review",), "approved", "city", "reviewer"),
    "end": Transition(("draft", "review", "approved", "in_force"), "ended", "bank", "author"),
}


def drafted(actor: Actor, now: datetime) -> Life:
    """The life of a new draft. Raises: PolicyMoveForbidden: the actor is no author of the bank's."""
    _require_author(actor)
    return Life("draft", (actor.person,), now)


def edited(life: Life, actor: Actor, now: datetime) -> Life:
    """The life of a draft that was written anew; whoever writes on it becomes one of its authors.

    Raises: PolicyMoveForbidden; PolicyStateConflict: it is a draft no more; in this order.
    """
    _require_author(actor)
    if life.state != "draft":
        raise PolicyStateConflict
    authors = life.authors if actor.person in life.authors else (*life.authors, actor.person)
    return Life("draft", authors, now, None, life.revision + 1)


def moved(life: Life, move: Move, actor: Actor, policy: Policy, now: datetime, on: date) -> Life:
    """The life of a version after a move; ``on`` is the day of the city.

    Raises: PolicyMoveForbidden: another's staff, or not the role; PolicyApprovalByAuthor; PolicyStateConflict: also
        where its first day has come before it was approved, which would change the terms of days gone by; in this
        order.
    """
    way = TRANSITIONS[move]
    if actor.kind != way.by or way.role not in actor.roles:
        raise PolicyMoveForbidden
    if move == "approve" and actor.person in life.authors:
        raise PolicyApprovalByAuthor
    at = state_on(life, policy.valid_from, policy.valid_to, on)
    if at not in way.sources:
        said = Text("授信规则现为“{zh}”，不能这样做", "The credit policy is “{en}” now, so this cannot be done")
        raise PolicyStateConflict(said.format(zh=STATES[at].zh, en=STATES[at].en))
    if move == "approve" and policy.valid_from <= on:
        raise PolicyStateConflict(
            Text(
                "生效日最早为审核次日，请修改后重新提交", "It can begin tomorrow at the earliest; change its first day"
            )
        )
    approved_by = actor.person if move == "approve" else life.approved_by
    return Life(way.target, life.authors, now, approved_by, life.revision + 1)


def state_on(life: Life, valid_from: date, valid_to: date | None, on: date) -> State:
    """Where a version with these days stands on a day of the city."""
    if life.state != "approved" or on < valid_from:
        return life.state
    return "in_force" if valid_to is None or on < valid_to else "ended"


def _require_author(actor: Actor) -> None:
    if actor.kind != "bank" or "author" not in actor.roles:
        raise PolicyMoveForbidden
