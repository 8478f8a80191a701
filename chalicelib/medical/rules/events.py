"""What changes what a person owes a bank: one event each, in the order in which the line took them, and never changed.

``day`` is a day of the city. An event's id is that of the effect by which it came; where one effect makes several, each
further one has ``~`` and its place behind it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from chalicelib.medical.rules.charges import Charge

CURRENCY = "CNY"


@dataclass(frozen=True, slots=True)
class Repayment:
    """Money paid back. ``day``: the day of the city on which it came."""

    repayment_id: str
    day: date
    amount_fen: int
    currency: str = CURRENCY


@dataclass(frozen=True, slots=True)
class Refund:
    """An item taken back by its hospital, wholly or in part."""

    refund_id: str
    charge_id: str
    day: date
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Payout:
    """Money that the bank gave back to the person, because he had paid already for what was refunded later."""

    payout_id: str
    day: date
    amount_fen: int


@dataclass(frozen=True, slots=True)
class WriteOff:
    """A bank writes off all that a person owes, of which something has been overdue for ``least_days``."""

    event_id: str
    day: date
    least_days: int


@dataclass(frozen=True, slots=True)
class Reminder:
    """The person was reminded of these charges."""

    reminder_id: str
    day: date
    charge_ids: tuple[str, ...]


Event = Charge | Refund | Repayment | Payout | WriteOff | Reminder

KINDS: Mapping[str, type[Event]] = {
    "charge": Charge,
    "refund": Refund,
    "repayment": Repayment,
    "payout": Payout,
    "write_off": WriteOff,
    "reminder": Reminder,
}
"""By which name each is kept."""


def kind_of(event: Event) -> str:
    """The name by which an event is kept."""
    return next(name for name, kind in KINDS.items() if type(event) is kind)


def numbered(effect_id: str, place: int) -> str:
    """The id of the event at a place (from 0) among those of one effect."""
    return f"{effect_id}~{place}" if place else effect_id
