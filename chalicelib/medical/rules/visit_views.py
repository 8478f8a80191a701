"""What a hospital is told of its visits: amounts, billing kinds and states, and nothing of a limit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.ledger.rules.lines import Line
from chalicelib.medical.rules.drawing import held_fen, open_holds, short_fen
from chalicelib.medical.rules.items import Item, ItemKind
from chalicelib.medical.rules.visits import At, Visit, VisitState


@dataclass(frozen=True, slots=True)
class HoldLeft:
    """One of a visit's holds: what was set aside, and what of it can still be captured."""

    hold_id: str
    amount_fen: int
    left_fen: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ItemView:
    """An item. ``own_fen``: the patient's part; None while insurance has not settled its own."""

    item_id: str
    kind: ItemKind
    amount_fen: int
    insurance_fen: int | None
    own_fen: int | None
    captured_fen: int
    refunded_fen: int


@dataclass(frozen=True, slots=True)
class VisitView:
    """A visit as of now. ``short_fen``: how much a further hold must be for what is to be captured."""

    visit_id: str
    visit_ref: str
    bank_id: str
    patient_id: str
    payer_id: str
    emergency: bool
    state: VisitState
    settled_at: At | None
    opened_at: datetime
    held_fen: int
    short_fen: int
    captured_fen: int
    refunded_fen: int
    holds: tuple[HoldLeft, ...]
    items: tuple[ItemView, ...]


@dataclass(frozen=True, slots=True)
class VisitBrief:
    """A visit in the list of those that are open. ``outstanding``: how many items are to be captured yet."""

    visit_id: str
    visit_ref: str
    bank_id: str
    patient_id: str
    emergency: bool
    opened_at: datetime
    until: datetime
    items: int
    outstanding: int


@dataclass(frozen=True, slots=True)
class ItemStep:
    """An item after a step. ``short_fen``: how much a further hold must be for what is to be captured."""

    visit_id: str
    item: ItemView
    captured_fen: int
    held_fen: int
    short_fen: int


@dataclass(frozen=True, slots=True)
class ItemRefunded:
    """An item after a refund; not whether its payer had paid his bank already."""

    visit_id: str
    item: ItemView
    refunded_fen: int


@dataclass(frozen=True, slots=True)
class VisitEnded:
    """A visit that is over, and what of its holds went back to the line by that."""

    visit: VisitView
    returned_fen: int


def item_view(item: Item) -> ItemView:
    """An item as it is told."""
    return ItemView(
        item.item_id, item.kind, item.amount_fen, item.insurance_fen, item.own_fen, item.captured_fen, item.refunded_fen
    )  # fmt: skip


def item_step(visit: Visit, item: Item, line: Line, now: datetime, captured_fen: int = 0) -> ItemStep:
    """An item after a step, with what it leaves held."""
    held, short = held_fen(visit, line, now), short_fen(visit, line, now)
    return ItemStep(visit.visit_id, item_view(item), captured_fen, held, short)


def visit_view(visit: Visit, line: Line, now: datetime) -> VisitView:
    """A visit as of now, from itself and the line on which its holds lie."""
    left = dict(open_holds(visit, line, now))
    holds = tuple(
        HoldLeft(
            hold.hold_id, hold.amount_fen, left[hold.hold_id].left_fen if hold.hold_id in left else 0, hold.expires_at
        )
        for hold in visit.holds
    )
    return VisitView(
        visit.visit_id, visit.visit_ref, visit.bank_id, visit.patient, visit.payer, visit.emergency, visit.state,
        visit.settled_at, visit.opened_at, held_fen(visit, line, now), short_fen(visit, line, now),
        sum(item.captured_fen for item in visit.items), sum(item.refunded_fen for item in visit.items),
        holds, tuple(item_view(item) for item in visit.items),
    )  # fmt: skip


def visit_brief(visit: Visit) -> VisitBrief:
    """A visit in a list."""
    outstanding = sum(not item.done for item in visit.items)
    return VisitBrief(
        visit.visit_id, visit.visit_ref, visit.bank_id, visit.patient, visit.emergency, visit.opened_at, visit.until,
        len(visit.items), outstanding,
    )  # fmt: skip
