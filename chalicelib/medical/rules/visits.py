"""A visit to a hospital that is paid by a line of credit.

    open ── settled: every item captured, what is left of its holds returned ──▶ settled
    open ── cancelled: nothing captured, its holds given up ──▶ cancelled

A further hold raises an estimate, so that whatever was given stays as it was given; an item is captured from the holds
in the order in which they expire. The patient's part is captured after insurance has settled its own, never before.

Two hospitals share a limit, since the line is the person's and not the visit's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from chalicelib.core.errors import Problem
from chalicelib.core.text import Text
from chalicelib.ledger.rules.lines import Hold, RefundExceedsCapture, check_amount, state_at
from chalicelib.medical.rules.items import (
    MOST_ITEMS,
    InsuranceOutstanding,
    InsuranceSettled,
    Item,
    ItemCaptured,
    ItemNotCaptured,
    ItemRepeated,
    ItemsFull,
    ItemUnknown,
    check_insurance,
)

VisitState = Literal["open", "settled", "cancelled"]
At = Literal["counter", "kiosk", "app"]


class VisitOver(Problem):
    code = "visit-over"
    status = 409
    title = Text("本次就诊已结算或已取消", "This visit is settled or cancelled")


class EstimateTooLow(Problem):
    code = "estimate-too-low"
    status = 409
    title = Text(
        "预授权余额不足，请先追加预授权", "The visit's holds do not cover this item; place a further hold first"
    )


class ItemsOutstanding(Problem):
    code = "visit-items-outstanding"
    status = 409
    title = Text("尚有项目未扣款，不能结算", "Some items have not been captured, so the visit cannot be settled")


class VisitHasCaptures(Problem):
    code = "visit-has-captures"
    status = 409
    title = Text(
        "已有扣款的就诊不能取消，请退款后结算", "Something was captured; refund it and settle the visit instead"
    )


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit. ``patient`` and ``payer`` are ids by which the hospital knows them; ``hold_ids`` in the order of
    placing. ``settled_at``: where it was settled, which may be a kiosk."""

    visit_id: str
    hospital_id: str
    patient: str
    payer: str
    on: date
    emergency: bool = False
    hold_ids: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()
    state: VisitState = "open"
    settled_at: At | None = None
    revision: int = 1


@dataclass(frozen=True, slots=True)
class Take:
    """So much is captured from this hold; what is left of it stays held for the items to come."""

    hold_id: str
    amount_fen: int


def with_hold(visit: Visit, hold_id: str) -> Visit:
    """The visit with its estimate, or with one that raises it. Raises: VisitOver."""
    assert hold_id not in visit.hold_ids, "a hold is placed once"
    return _next(visit, hold_ids=(*visit.hold_ids, hold_id))


def with_item(visit: Visit, item: Item) -> Visit:
    """The visit with one item more, not captured yet; its insurance may be settled already.

    Raises: AmountNotWhole; AmountNotPositive; AmountTooLarge; VisitOver; ItemRepeated; ItemsFull; InsuranceExceedsItem;
        in this order.
    """
    check_amount(item.amount_fen)
    assert not item.captured_fen, "an item is entered before it is captured"
    after = _next(visit, items=(*visit.items, item))
    if any(item.item_id == other.item_id for other in visit.items):
        raise ItemRepeated
    if len(after.items) > MOST_ITEMS:
        raise ItemsFull
    check_insurance(item.amount_fen, item.insurance_fen)
    return after


def insured(visit: Visit, item_id: str, insurance_fen: int) -> Visit:
    """The visit after insurance settled its part of an item, which may be nothing.

    Raises: VisitOver; ItemUnknown; InsuranceSettled; InsuranceExceedsItem; in this order.
    """
    after, item = _next(visit), item_of(visit, item_id)
    if item.insurance_fen is not None:
        raise InsuranceSettled
    check_insurance(item.amount_fen, insurance_fen)
    return _with(after, replace(item, insurance_fen=insurance_fen))


def plan(visit: Visit, item_id: str, held: Sequence[Hold], now: datetime) -> tuple[Take, ...]:
    """From which holds the patient's part of an item is captured: those that expire first, first; none for nothing.

    Args:
        held: The visit's holds.

    Raises: VisitOver; ItemUnknown; InsuranceOutstanding; ItemCaptured; EstimateTooLow; in this order.
    """
    _next(visit)
    item = item_of(visit, item_id)
    if item.own_fen is None:
        raise InsuranceOutstanding
    if item.done and item.own_fen:
        raise ItemCaptured
    left_fen, takes = item.own_fen - item.captured_fen, list[Take]()
    for hold in _open(visit, held, now):
        amount_fen = min(left_fen, hold.left_fen)
        if amount_fen:
            takes.append(Take(hold.hold_id, amount_fen))
            left_fen -= amount_fen
    if left_fen:
        raise EstimateTooLow
    return tuple(takes)


def short_fen(visit: Visit, held: Sequence[Hold], now: datetime) -> int:
    """How much a further hold must be for all items of which the patient's part is known."""
    to_come = sum((item.own_fen or 0) - item.captured_fen for item in visit.items if item.own_fen is not None)
    return max(0, to_come - sum(hold.left_fen for hold in _open(visit, held, now)))


def captured(visit: Visit, item_id: str, amount_fen: int) -> Visit:
    """The visit after so much of an item was captured; what ``plan`` says, take by take or at once.

    Raises: VisitOver; ItemUnknown; in this order.
    """
    after, item = _next(visit), item_of(visit, item_id)
    assert item.own_fen is not None, "insurance settles first"
    assert 0 < amount_fen <= item.own_fen - item.captured_fen, "no more is captured than the patient's part"
    return _with(after, replace(item, captured_fen=item.captured_fen + amount_fen))


def refunded(visit: Visit, item_id: str, amount_fen: int) -> Visit:
    """The visit, settled or not, after so much of a captured item was given back.

    Raises: AmountNotWhole; AmountNotPositive; AmountTooLarge; ItemUnknown; ItemNotCaptured; RefundExceedsCapture; in
        this order.
    """
    check_amount(amount_fen)
    item = item_of(visit, item_id)
    if not item.captured_fen:
        raise ItemNotCaptured
    if amount_fen > item.captured_fen - item.refunded_fen:
        raise RefundExceedsCapture
    after = replace(visit, revision=visit.revision + 1)
    return _with(after, replace(item, refunded_fen=item.refunded_fen + amount_fen))


def settled(visit: Visit, at: At) -> Visit:
    """The visit settled, at a counter, a kiosk or in an app; what is left of its holds is given up with it.

    Raises: VisitOver; ItemsOutstanding; in this order.
    """
    after = _next(visit, state="settled", settled_at=at)
    if not all(item.done for item in visit.items):
        raise ItemsOutstanding
    return after


def cancelled(visit: Visit) -> Visit:
    """The visit cancelled; its holds are given up with it. Raises: VisitOver; VisitHasCaptures; in this order."""
    after = _next(visit, state="cancelled")
    if any(item.captured_fen for item in visit.items):
        raise VisitHasCaptures
    return after


def to_give_up(visit: Visit, held: Sequence[Hold], now: datetime) -> tuple[str, ...]:
    """The holds that are voided when the visit is over; those that have lapsed need nothing."""
    return tuple(hold.hold_id for hold in _open(visit, held, now))


def item_of(visit: Visit, item_id: str) -> Item:
    """The item of this id. Raises: ItemUnknown."""
    for item in visit.items:
        if item.item_id == item_id:
            return item
    raise ItemUnknown


def _open(visit: Visit, held: Sequence[Hold], now: datetime) -> list[Hold]:
    """Those of its holds that are open, in the order in which they are used."""
    assert all(hold.hold_id in visit.hold_ids for hold in held), "a visit captures from its own holds"
    found = [hold for hold in held if state_at(hold, now) == "open"]
    return sorted(found, key=lambda hold: (hold.expires_at, visit.hold_ids.index(hold.hold_id)))


def _next(visit: Visit, **changes: object) -> Visit:
    if visit.state != "open":
        raise VisitOver
    return replace(visit, revision=visit.revision + 1, **changes)  # type: ignore[arg-type]


def _with(visit: Visit, new: Item) -> Visit:
    return replace(visit, items=tuple(new if new.item_id == item.item_id else item for item in visit.items))
