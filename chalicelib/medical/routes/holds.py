"""How a hospital sets money aside on a patient's line, captures it and gives it up."""

from __future__ import annotations

from chalicelib.cities.rules import CitySuspended
from chalicelib.core.auth import allow
from chalicelib.core.errors import Conflict
from chalicelib.core.http import Call, Reply
from chalicelib.core.text import Text
from chalicelib.ledger.rules.lines import (
    CaptureExceedsHold,
    HoldCaptured,
    HoldExceedsLimit,
    HoldExpired,
    HoldsFull,
    HoldVoided,
    LineClosed,
    LineSuspended,
    RefundExceedsCapture,
)
from chalicelib.medical import service
from chalicelib.medical.routes.blueprint import routes
from chalicelib.medical.rules import ChargeUnknown, HospitalNotCovered, PolicyNotInForce, TermOver
from chalicelib.medical.rules.credit import HoldOfVisit, LineMissing, StatementsOutstanding
from chalicelib.partners.rules import PartnerSuspended
from chalicelib.scenarios.service import RecipientNotNamed
from chalicelib.subjects.rules import ConsentRequired, PassExpired, PassInvalid, PassUsed

_HOSPITAL = allow("hospital", scope="credit:hold")
PLACING = (
    CitySuspended, PartnerSuspended, PolicyNotInForce, HospitalNotCovered, ConsentRequired, RecipientNotNamed,
    LineMissing, TermOver, LineClosed, StatementsOutstanding, LineSuspended, HoldExceedsLimit, HoldsFull, Conflict,
)  # fmt: skip
_ENDED = (HoldOfVisit, HoldCaptured, HoldVoided, HoldExpired)


@routes.route(
    "POST", "/v1/credit-holds", policy=_HOSPITAL, effect=True, status=201, body="medical/place_hold.json",
    reply="medical/hold.json", problems=(PassInvalid, PassExpired, PassUsed, *PLACING),
    summary=Text("凭患者出示码预授权", "Set an amount aside by the patient's pass"),
)  # fmt: skip
def place_hold(call: Call) -> Reply:
    """The pass is used up by a hold that is placed, and by no refusal. Told is whether the amount is available."""
    wish = service.Wish(call.body["bank_id"], call.body["visit_ref"], call.body["amount_fen"])
    pass_code = call.body["pass_code"]
    return Reply(service.hold(call.unit, call.effect_intent, call.now, call.caller, wish, pass_code), 201)


@routes.route(
    "GET", "/v1/credit-holds/{hold_id}", policy=_HOSPITAL, reply="medical/hold.json",
    summary=Text("一笔预授权", "A hold as of now"),
)  # fmt: skip
def get_hold(call: Call) -> Reply:
    """Only the hospital that placed it knows of it."""
    return Reply(service.read_hold(call.now, call.caller, call.path["hold_id"]))


@routes.route(
    "POST", "/v1/credit-holds/{hold_id}/raise", policy=_HOSPITAL, effect=True, status=201,
    body="medical/raise_hold.json", reply="medical/hold.json", problems=(*_ENDED, *PLACING),
    summary=Text("为同一次就诊追加预授权", "Set more aside for the same visit"),
)  # fmt: skip
def raise_hold(call: Call) -> Reply:
    """A hold of its own, which ends with the first; no pass is needed while that is open."""
    hold_id, amount_fen = call.path["hold_id"], call.body["amount_fen"]
    return Reply(service.raise_hold(call.unit, call.effect_intent, call.now, call.caller, hold_id, amount_fen), 201)


@routes.route(
    "POST", "/v1/credit-holds/{hold_id}/captures", policy=_HOSPITAL, effect=True, status=201,
    body="medical/capture_hold.json", reply="medical/hold_step.json",
    problems=(*_ENDED, CaptureExceedsHold, StatementsOutstanding, Conflict),
    summary=Text("按预授权扣款，可分次", "Capture an amount of a hold; `final` returns the rest"),
)  # fmt: skip
def capture_hold(call: Call) -> Reply:
    """What was held can be captured until it expires, whatever has changed since."""
    amount_fen, final = call.body["amount_fen"], call.body.get("final", False)
    hold_id = call.path["hold_id"]
    done = service.capture(call.unit, call.effect_intent, call.now, call.caller, hold_id, amount_fen, final=final)
    return Reply(done, 201)


@routes.route(
    "POST", "/v1/credit-holds/{hold_id}/void", policy=_HOSPITAL, effect=True, reply="medical/hold_step.json",
    problems=(*_ENDED, Conflict),
    summary=Text("撤销预授权", "Give up what is left of a hold"),
)  # fmt: skip
def void_hold(call: Call) -> Reply:
    """What is left of it is back on the line at once; what was captured stays captured."""
    return Reply(service.void(call.unit, call.effect_intent, call.now, call.caller, call.path["hold_id"]))


@routes.route(
    "POST", "/v1/credit-holds/{hold_id}/refunds", policy=_HOSPITAL, effect=True, status=201,
    body="medical/refund_charge.json", reply="medical/refunded.json",
    problems=(ChargeUnknown, StatementsOutstanding, RefundExceedsCapture, Conflict),
    summary=Text("退还一笔扣款的全部或一部分", "Give back a capture, wholly or in part"),
)  # fmt: skip
def refund_charge(call: Call) -> Reply:
    """At any time, also after the hold has ended; what the patient had paid already, his bank owes him."""
    hold_id, charge_id, amount_fen = call.path["hold_id"], call.body["charge_id"], call.body["amount_fen"]
    return Reply(
        service.refund(call.unit, call.effect_intent, call.now, call.caller, hold_id, charge_id, amount_fen), 201
    )
