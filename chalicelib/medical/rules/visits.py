"""A visit to a hospital that is paid by a line of credit.

    open ── settled: every item captured, what is left of its holds returned ──▶ settled
    open ── cancelled: nothing captured, its holds given up ──▶ cancelled

A further hold raises an estimate, so that whatever was given stays as it was given. The patient's part of an item is
captured after insurance has settled its own, never before; from which holds, ``drawing`` says.

Two hospitals share a limit, since the line is the person's and not the visit's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from chalicelib.core.errors import Problem
from chalicelib.core.text import Text
from chalicelib.ledger.rules.lines import (
    Hold,
    HoldExpired,
    RefundExceedsCapture,
    check_amount,
)
from chalicelib.medical.rules.credit import Given
from chalicelib.medical.rules.items import (
    MOST_ITEMS,
    InsuranceSettled,
    Item,
    ItemCaptured,
    ItemNotCaptured,
    ItemRepeated,
    ItemsFull,
    ItemUnknown,
    check_insurance,
)
from chalicelib.subjects.rules import AccountRef

MOST_HOLDS_OF_A_VISIT = 20
"""So that all of them are captured from, or given up, in one write."""

VisitState = Literal["open", "settled", "cancelled"]
At = Literal["counter", "kiosk", "app"]


class VisitOver(Problem):
    code = "visit-over"
    status = 409
    title = Text("本次就诊已结算或已取消", "This visit is settled or cancelled")


class VisitHoldsFull(Problem):
    code = "visit-holds-full"
    status = 409
    title = Text(
        "本次就诊追加预授权的次数已达上限，请结算后另开一次就诊",
        "This visit has as many holds as a visit may have; settle it and open another one",
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
class VisitHold:
    """One of a visit's holds as it was placed. What is left of it lies on the line."""

    hold_id: str
    amount_fen: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit, by the id of its first hold.

    Args:
        ref: The account of whoever pays.
        visit_ref: The hospital's own number of it.
        patient, payer: Ids by which the hospital knows them; a child is not its payer.
        holds: In the order of placing.
        settled_at: Where it was settled, which may be a kiosk.
        given: The terms that the payer was told with his latest pass, and until when.
        line_version: What the line's was at least after the latest write that changed both.
        ward_id: The child for whom its guardian pays; None where the patient pays himself.
    """

    city_id: str
    visit_id: str
    hospital_id: str
    bank_id: str
    scenario_id: str
    ref: AccountRef
    visit_ref: str
    patient: str
    payer: str
    opened_at: datetime
    line_version: int
    given: Given
    ward_id: str | None = None
    emergency: bool = False
    holds: tuple[VisitHold, ...] = ()
    items: tuple[Item, ...] = ()
    state: VisitState = "open"
    settled_at: At | None = None
    revision: int = 1

    @property
    def until(self) -> datetime:
        """When the last of its holds ends."""
        return max(hold.expires_at for hold in self.holds)


def require_raisable(visit: Visit, now: datetime, *, shown: bool = False) -> None:
    """Returns if a further hold may be placed: while one of the visit lasts, or with another pass of its payer.

    Raises: VisitOver; HoldExpired: none lasts, and no pass is shown; VisitHoldsFull; in this order.
    """
    require_open(visit)
    if not shown and visit.given.until <= now:
        raise HoldExpired
    if len(visit.holds) >= MOST_HOLDS_OF_A_VISIT:
        raise VisitHoldsFull


def with_hold(visit: Visit, hold: Hold, line_version: int) -> Visit:
    """The visit with a further hold. Raises: VisitOver."""
    assert all(hold.hold_id != other.hold_id for other in visit.holds), "a hold is placed once"
    holds = (*visit.holds, VisitHold(hold.hold_id, hold.amount_fen, hold.expires_at))
    assert len(holds) <= MOST_HOLDS_OF_A_VISIT, "whoever raises has asked whether he may"
    return _next(visit, holds=holds, line_version=line_version)


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


def withdrawn(visit: Visit, item_id: str) -> Visit:
    """The visit without an item that was entered by mistake, or is paid otherwise.

    Raises: VisitOver; ItemUnknown; ItemCaptured; in this order.
    """
    after, item = _next(visit), item_of(visit, item_id)
    if item.captured_fen:
        raise ItemCaptured
    return replace(after, items=tuple(other for other in visit.items if other.item_id != item_id))


def captured(visit: Visit, item_id: str, charge_ids: tuple[str, ...], line_version: int) -> Visit:
    """The visit after the patient's part of an item was captured, as ``plan`` says; a charge for each hold, and none
    for nothing.

    Raises: VisitOver; ItemUnknown; in this order.
    """
    after, item = _next(visit, line_version=line_version), item_of(visit, item_id)
    assert item.own_fen is not None, "insurance settles first"
    assert bool(charge_ids) == bool(item.own_fen), "what is captured is charged"
    assert not item.captured_fen, "an item is captured once"
    return _with(after, replace(item, captured_fen=item.own_fen, charge_ids=charge_ids))


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


def item_of(visit: Visit, item_id: str) -> Item:
    """The item of this id. Raises: ItemUnknown."""
    for item in visit.items:
        if item.item_id == item_id:
            return item
    raise ItemUnknown


def require_open(visit: Visit) -> None:
    """Returns if a visit is neither settled nor cancelled. Raises: VisitOver."""
    if visit.state != "open":
        raise VisitOver


def _next(visit: Visit, **changes: object) -> Visit:
    require_open(visit)
    return replace(visit, revision=visit.revision + 1, **changes)  # type: ignore[arg-type]


def _with(visit: Visit, new: Item) -> Visit:
    return replace(visit, items=tuple(new if new.item_id == item.item_id else item for item in visit.items))
