"""Suspending a citizen's benefits and lifting that again. What is left is what everybody gets without a score.

A city suspends by a kind and lifts by it. An overdue medical bill suspends all benefits too, each bank's by itself: it
is lifted when nothing is overdue there any more, by paying and by nothing else, so that no city lifts what it has not
ordered and no bank lifts another's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, get_args

from chalicelib.core.text import Text
from chalicelib.subjects.rules.account import Account

SuspensionKind = Literal["all_benefits", "pay_later_parking"]
SuspendedFor = Literal["all_benefits", "pay_later_parking", "overdue"]
SUSPENSION_KINDS: tuple[SuspensionKind, ...] = get_args(SuspensionKind)
_OVERDUE = "overdue:"

_WORDS: Mapping[SuspendedFor, Text] = {
    "all_benefits": Text("全部守信优惠已暂停", "All benefits of the score are suspended"),
    "pay_later_parking": Text("停车先离场后付费已暂停", "Leaving a car park first and paying later is suspended"),
    "overdue": Text(
        "信用就医欠款催收后逾期未还，全部守信优惠已暂停，还清即恢复",
        "All benefits of the score are suspended: a medical bill is overdue after a reminder; paying it restores them",
    ),
}


@dataclass(frozen=True, slots=True)
class Suspension:
    """One suspension in force, as the city sees it: not with which bank something is overdue."""

    kind: SuspendedFor
    since: datetime
    words: Text


@dataclass(frozen=True, slots=True)
class OwnSuspension:
    """One suspension in force, as the citizen sees it. ``bank``: "<city>/<bank>" where something is overdue."""

    kind: SuspendedFor
    since: datetime
    words: Text
    bank: str | None


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


def overdue_with(city_id: str, bank_id: str) -> str:
    """The name in an account of a suspension for what is overdue with this bank."""
    return f"{_OVERDUE}{city_id}/{bank_id}"


def suspend(account: Account, kind: str, now: datetime) -> Account:
    """The account with this suspension (a city's kind, or ``overdue_with``); the same account if it is in force
    already (its start stays)."""
    if kind in account.suspensions:
        return account
    return replace(account, suspensions={**account.suspensions, kind: now})


def restore(account: Account, kind: str) -> Account:
    """The account without this suspension; the same account if it is not in force."""
    if kind not in account.suspensions:
        return account
    return replace(account, suspensions={k: since for k, since in account.suspensions.items() if k != kind})


def is_suspended(account: Account, kind: SuspensionKind) -> bool:
    """Whether benefits of this kind are suspended, by themselves or with all others."""
    return any(cause in {"all_benefits", kind} or cause.startswith(_OVERDUE) for cause in account.suspensions)


def suspensions_of(account: Account) -> tuple[Suspension, ...]:
    """The suspensions in force, with words, for the citizen's city. However many banks, they are one to it."""
    found = {one.kind: Suspension(one.kind, one.since, one.words) for one in reversed(own_suspensions(account))}
    return tuple(reversed(found.values()))


def own_suspensions(account: Account) -> tuple[OwnSuspension, ...]:
    """The suspensions in force, with words for the citizen: his city's first, then the longest first."""
    listed = [kind for kind in SUSPENSION_KINDS if kind in account.suspensions]
    ordered = [OwnSuspension(kind, account.suspensions[kind], _WORDS[kind], None) for kind in listed]
    banks = sorted((since, key) for key, since in account.suspensions.items() if key.startswith(_OVERDUE))
    overdue = [OwnSuspension("overdue", since, _WORDS["overdue"], key.removeprefix(_OVERDUE)) for since, key in banks]
    return (*ordered, *overdue)
