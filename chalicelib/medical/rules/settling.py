"""What a bank is told of a payment, a payout and a write-off, and under which terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from chalicelib.medical.rules.billing import Booked
from chalicelib.medical.rules.policy import Policy, policy_on


@dataclass(frozen=True, slots=True)
class Part:
    """What of a payment went to a charge, or what of it was written off."""

    charge_id: str
    principal_fen: int
    fee_fen: int
    interest_fen: int


@dataclass(frozen=True, slots=True)
class Repaid:
    """What became of a payment: its parts in the order in which they were paid, what is owed still, and what of the
    limit is used now."""

    subject_id: str
    city_id: str
    bank_id: str
    repayment_id: str
    day: date
    amount_fen: int
    parts: tuple[Part, ...]
    owed_fen: int
    used_fen: int


@dataclass(frozen=True, slots=True)
class PaidOut:
    """What the bank gave back, and what it owes back still."""

    subject_id: str
    city_id: str
    bank_id: str
    payout_id: str
    day: date
    amount_fen: int
    back_fen: int


@dataclass(frozen=True, slots=True)
class WrittenOff:
    """What left the line; it is owed still, without further interest."""

    subject_id: str
    city_id: str
    bank_id: str
    write_off_id: str
    day: date
    parts: tuple[Part, ...]
    owed_fen: int
    used_fen: int


def parts_of(booked: Booked) -> tuple[Part, ...]:
    """What a payment, or a write-off, took of each charge."""
    return tuple(Part(m.charge_id, -m.principal_fen, -m.fee_fen, -m.interest_fen) for m in booked.movements)


def terms_for(policies: Sequence[Policy], opened_under: int, day: date) -> tuple[Policy, ...]:
    """The versions whose terms meet on a day: the one under which a line was opened, and the day's, if there is one."""
    signed = next(policy for policy in policies if policy.version == opened_under)
    today = policy_on(policies, day)
    return (signed,) if today is None else (signed, today)


def least_repayment_fen(terms: Sequence[Policy]) -> int:
    """The least of one repayment: a later version does not raise it for whom it was agreed with."""
    return min(policy.minimum_repayment_fen for policy in terms)


def least_overdue_days(terms: Sequence[Policy]) -> int:
    """How long something must be overdue before it may be written off: a later version does not shorten it."""
    return max(policy.write_off_days for policy in terms)
