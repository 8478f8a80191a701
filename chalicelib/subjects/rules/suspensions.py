"""Suspending a citizen's benefits and lifting that again. What is left is what everybody gets without a score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, get_args

from chalicelib.core.text import Text
from chalicelib.subjects.rules.account import Account

SuspensionKind = Literal["all_benefits", "pay_later_parking"]
SUSPENSION_KINDS: tuple[SuspensionKind, ...] = get_args(SuspensionKind)

_WORDS: Mapping[SuspensionKind, Text] = {
    "all_benefits": Text("全部守信优惠已暂停", "All benefits of the score are suspended"),
    "pay_later_parking": Text("停车先离场后付费已暂停", "Leaving a car park first and paying later is suspended"),
}


@dataclass(frozen=True, slots=True)
class Suspension:
    """One suspension in force."""

    kind: SuspensionKind
    since: datetime
    words: Text


@dataclass(frozen=True, slots=True)
class SuspensionState:
    """What is suspended for a citizen now."""

    subject_id: str
    suspensions: tuple[Suspension, ...]


@dataclass(frozen=True, slots=True)
class SuspensionOrder:
    """What a city suspends, and the reason that it gives the citizen."""

    kind: SuspensionKind
    reason: Text


def suspend(account: Account, kind: SuspensionKind, now: datetime) -> Account:
    """The account with this suspension; the same account if it is in force already (its start stays)."""
    if kind in account.suspensions:
        return account
    return replace(account, suspensions={**account.suspensions, kind: now})


def restore(account: Account, kind: SuspensionKind) -> Account:
    """The account without this suspension; the same account if it is not in force."""
    if kind not in account.suspensions:
        return account
    return replace(account, suspensions={k: since for k, since in account.suspensions.items() if k != kind})


def is_suspended(account: Account, kind: SuspensionKind) -> bool:
    """Whether benefits of this kind are suspended, by themselves or with all others."""
    return bool({"all_benefits", kind} & account.suspensions.keys())


def suspensions_of(account: Account) -> tuple[Suspension, ...]:
    """The suspensions in force, with words for the citizen."""
    in_force = [kind for kind in SUSPENSION_KINDS if kind in account.suspensions]
    return tuple(Suspension(kind, account.suspensions[kind], _WORDS[kind]) for kind in in_force)
