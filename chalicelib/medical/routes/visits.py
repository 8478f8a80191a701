"""How a hospital keeps a visit that is paid by a line of credit: opened, raised, its items, settled."""

from __future__ import annotations

from functools import partial

from chalicelib.core import codec
from chalicelib.core.auth import allow
from chalicelib.core.errors import Conflict
from chalicelib.core.http import Call, Reply, paged
from chalicelib.core.text import Text
from chalicelib.ledger.rules.lines import HoldExpired, RefundExceedsCapture
from chalicelib.medical.routes.blueprint import routes
from chalicelib.medical.routes.holds import PLACING
from chalicelib.medical.rules import (
    ChargeUnknown,
    EstimateTooLow,
    ExposureCapReached,
    GuardianNeeded,
    InsuranceExceedsItem,
    InsuranceOutstanding,
    InsuranceSettled,
    Item,
    ItemCaptured,
    ItemNotCaptured,
    ItemRepeated,
    ItemsFull,
    ItemsOutstanding,
    ItemUnknown,
    LimitNotGranted,
    PayerNotPatient,
    VisitHasCaptures,
    VisitOver,
)
from chalicelib.medical.rules.credit import StatementsOutstanding
from chalicelib.medical.rules.visits import VisitHoldsFull
from chalicelib.medical.service import itemising, visiting
from chalicelib.medical.service.placing import Wish
from chalicelib.medical.service.visiting import Opening
from chalicelib.subjects.rules import PassExpired, PassInvalid, PassNotLive, PassUsed

_HOSPITAL = allow("hospital", scope="credit:hold")
_VISIT = "/v1/visits/{visit_id}"
_ITEM = _VISIT + "/items/{item_id}"
_PLACING = (PassInvalid, PassExpired, PassUsed, GuardianNeeded, PayerNotPatient, *PLACING)
_ON_THE_SPOT = (PassNotLive, LimitNotGranted, ExposureCapReached)


@routes.route(
    "POST", "/v1/visits", policy=_HOSPITAL, effect=True, status=201, body="medical/open_visit.json",
    reply="medical/visit.json", problems=(*_PLACING, *_ON_THE_SPOT),
    summary=Text("凭患者或监护人出示码开立就诊", "Open a visit by the pass of the patient or of his guardian"),
)  # fmt: skip
def open_visit(call: Call) -> Reply:
    """Its estimate is held; in an emergency as much of it as the line bears, which is opened if there is none."""
    body = call.body
    wish = Wish(body["bank_id"], body["visit_ref"], body["estimate_fen"], of_visit=True)
    wanted = Opening(wish, body.get("emergency", False), body.get("patient_id"))
    code = body["pass_code"]
    return Reply(visiting.open_visit(call.unit, call.effect_intent, call.now, call.caller, wanted, code), 201)


@routes.route(
    "GET", "/v1/visits", policy=_HOSPITAL, query=("limit", "cursor"), reply="medical/visit_list.json",
    summary=Text("本院尚未结算的就诊", "This hospital's visits that are open, the oldest first"),
)  # fmt: skip
def list_visits(call: Call) -> Reply:
    """The list may lag by a moment; whether a visit is open is read anew for each of its lines."""
    return paged(call, f"visits:{call.caller.sector}", partial(visiting.list_visits, call.caller))


@routes.route(
    "GET", _VISIT, policy=_HOSPITAL, reply="medical/visit.json", problems=(Conflict,),
    summary=Text("一次就诊：项目、预授权余额", "A visit as of now: its items and what is left of its holds"),
)  # fmt: skip
def get_visit(call: Call) -> Reply:
    """Only the hospital that opened it knows of it."""
    return Reply(visiting.read_visit(call.unit, call.now, call.caller, call.path["visit_id"]))


@routes.route(
    "POST", _VISIT + "/raise", policy=_HOSPITAL, effect=True, status=201, body="medical/raise_visit.json",
    reply="medical/visit.json", problems=(VisitOver, HoldExpired, VisitHoldsFull, *_PLACING),
    summary=Text("为本次就诊追加预授权", "Set more aside for a visit"),
)  # fmt: skip
def raise_visit(call: Call) -> Reply:
    """A hold of its own. No pass is needed while one of the visit's holds lasts; later, another one of its payer."""
    what = call.path["visit_id"], call.body["amount_fen"], call.body.get("pass_code")
    return Reply(visiting.raise_visit(call.unit, call.effect_intent, call.now, call.caller, *what), 201)


@routes.route(
    "POST", _VISIT + "/items", policy=_HOSPITAL, effect=True, status=201, body="medical/enter_item.json",
    reply="medical/visit_item.json", problems=(VisitOver, ItemRepeated, ItemsFull, InsuranceExceedsItem, Conflict),
    summary=Text("登记一个收费项目", "Enter an item of a visit's bill"),
)  # fmt: skip
def enter_item(call: Call) -> Reply:
    """Its billing kind and amount, nothing of what was done; insurance's part now or later."""
    visit_id, item = call.path["visit_id"], codec.build(Item, call.body)
    return Reply(itemising.enter(call.unit, call.effect_intent, call.now, call.caller, visit_id, item), 201)


@routes.route(
    "POST", _ITEM + "/insurance", policy=_HOSPITAL, effect=True, body="medical/insure_item.json",
    reply="medical/visit_item.json",
    problems=(VisitOver, ItemUnknown, InsuranceSettled, InsuranceExceedsItem, Conflict),
    summary=Text("登记医保支付部分", "Note what insurance pays of an item"),
)  # fmt: skip
def insure_item(call: Call) -> Reply:
    """Once for each item. What is left is the patient's part."""
    what = call.path["visit_id"], call.path["item_id"], call.body["insurance_fen"]
    return Reply(itemising.insure(call.unit, call.effect_intent, call.now, call.caller, *what))


@routes.route(
    "POST", _ITEM + "/withdraw", policy=_HOSPITAL, effect=True, reply="medical/visit_item.json",
    problems=(VisitOver, ItemUnknown, ItemCaptured, Conflict),
    summary=Text("撤销一个尚未扣款的项目", "Take an item off a visit's bill that was not captured"),
)  # fmt: skip
def withdraw_item(call: Call) -> Reply:
    """Entered by mistake, or paid otherwise: what a limit does not bear is nobody's item here."""
    what = call.path["visit_id"], call.path["item_id"]
    return Reply(itemising.withdraw(call.unit, call.effect_intent, call.now, call.caller, *what))


@routes.route(
    "POST", _ITEM + "/capture", policy=_HOSPITAL, effect=True, reply="medical/visit_item.json",
    problems=(VisitOver, ItemUnknown, InsuranceOutstanding, ItemCaptured, HoldExpired, EstimateTooLow, Conflict),
    summary=Text("扣款：一个项目的个人部分", "Capture the patient's part of an item"),
)  # fmt: skip
def capture_item(call: Call) -> Reply:
    """From the visit's holds, those that expire first, first; whatever has changed since they were placed."""
    what = call.path["visit_id"], call.path["item_id"]
    return Reply(itemising.capture_item(call.unit, call.effect_intent, call.now, call.caller, *what))


@routes.route(
    "POST", _ITEM + "/refunds", policy=_HOSPITAL, effect=True, status=201, body="medical/refund_item.json",
    reply="medical/item_refunded.json",
    problems=(ItemUnknown, ItemNotCaptured, ChargeUnknown, RefundExceedsCapture, StatementsOutstanding, Conflict),
    summary=Text("退还一个项目的全部或一部分", "Give back an item, wholly or in part"),
)  # fmt: skip
def refund_item(call: Call) -> Reply:
    """At any time, also after the visit is settled; what was paid already, the bank owes the payer."""
    what = call.path["visit_id"], call.path["item_id"], call.body["amount_fen"]
    return Reply(itemising.refund_item(call.unit, call.effect_intent, call.now, call.caller, *what), 201)


@routes.route(
    "POST", _VISIT + "/settle", policy=_HOSPITAL, effect=True, body="medical/settle_visit.json",
    reply="medical/visit_ended.json", problems=(VisitOver, ItemsOutstanding, Conflict),
    summary=Text("结算：退回预授权余额", "Settle a visit: what is left of its holds goes back"),
)  # fmt: skip
def settle_visit(call: Call) -> Reply:
    """At a counter, a kiosk or in an app; the patient need not be there."""
    what = call.path["visit_id"], call.body["at"]
    return Reply(visiting.settle(call.unit, call.effect_intent, call.now, call.caller, *what))


@routes.route(
    "POST", _VISIT + "/cancel", policy=_HOSPITAL, effect=True, reply="medical/visit_ended.json",
    problems=(VisitOver, VisitHasCaptures, Conflict),
    summary=Text("取消就诊：撤销预授权", "Cancel a visit: its holds are given up"),
)  # fmt: skip
def cancel_visit(call: Call) -> Reply:
    """For as long as nothing was captured."""
    return Reply(visiting.cancel(call.unit, call.effect_intent, call.now, call.caller, call.path["visit_id"]))
