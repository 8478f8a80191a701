"""An item of a hospital's bill: what insurance pays of it, what is captured, and what is given back.

    entered ── insurance's share known ──▶ insured ── captured, from one hold or several ──▶ done ── refunded, in parts
    an item that insurance pays wholly is done when that is known; one that is not captured may be withdrawn

An item says what was done only by its kind, for billing: a diagnosis or a medicine's name never comes here.

Source: 征信业管理条例 art. 14 (no diseases, no medical history).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chalicelib.core.errors import Problem
from chalicelib.core.text import Text

MOST_ITEMS = 100

ItemKind = Literal["registration", "examination", "laboratory", "treatment", "surgery", "medicine", "material", "bed"]


class ItemUnknown(Problem):
    code = "visit-item-unknown"
    status = 404
    title = Text("本次就诊没有这个收费项目", "This visit has no such item")


class ItemRepeated(Problem):
    code = "visit-item-repeated"
    status = 409
    title = Text("该收费项目已经登记", "This item has been entered already")


class ItemsFull(Problem):
    code = "visit-items-full"
    status = 409
    title = Text("一次就诊的收费项目过多", "A visit has too many items")


class InsuranceOutstanding(Problem):
    code = "insurance-outstanding"
    status = 409
    title = Text("医保尚未结算，不能先扣个人部分", "Insurance has not settled its part, which comes first")


class InsuranceExceedsItem(Problem):
    code = "insurance-exceeds-item"
    status = 422
    title = Text("医保支付不应为负，也不应超过该项目金额", "Insurance pays between nothing and all of an item")


class InsuranceSettled(Problem):
    code = "insurance-settled"
    status = 409
    title = Text("该项目的医保部分已经结算", "Insurance has settled its part of this item already")


class ItemCaptured(Problem):
    code = "visit-item-captured"
    status = 409
    title = Text("该收费项目已经扣款", "This item has been captured already")


class ItemNotCaptured(Problem):
    code = "visit-item-not-captured"
    status = 409
    title = Text("该收费项目尚未扣款，不能退款", "This item has not been captured, so nothing can be refunded")


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a bill. ``insurance_fen`` None: insurance has not settled its part.

    ``charge_ids``: the charges that its capture made, one for each hold.
    """

    item_id: str
    kind: ItemKind
    amount_fen: int
    insurance_fen: int | None = None
    captured_fen: int = 0
    refunded_fen: int = 0
    charge_ids: tuple[str, ...] = ()

    @property
    def own_fen(self) -> int | None:
        """The patient's part; None while it is not known."""
        return None if self.insurance_fen is None else self.amount_fen - self.insurance_fen

    @property
    def done(self) -> bool:
        """Whether nothing of it is to be captured any more."""
        return self.own_fen is not None and self.captured_fen == self.own_fen


def check_insurance(amount_fen: int, insurance_fen: int | None) -> None:
    """Returns if insurance may pay so much of an amount; None: it has not settled. Raises: InsuranceExceedsItem."""
    if insurance_fen is None:
        return
    if type(insurance_fen) is not int or not 0 <= insurance_fen <= amount_fen:
        raise InsuranceExceedsItem
