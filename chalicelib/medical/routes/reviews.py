"""How a person contests a refusal or a limit, how reviewers answer, and how an auditor works a limit out again."""

from __future__ import annotations

from datetime import date
from functools import partial

from chalicelib.cities.rules import CitySuspended
from chalicelib.core import codec
from chalicelib.core.auth import allow
from chalicelib.core.errors import Conflict
from chalicelib.core.http import Call, Reply, paged
from chalicelib.core.text import Text
from chalicelib.medical.routes.blueprint import routes
from chalicelib.medical.rules import ExposureCapReached, LineExists, PolicyNotInForce
from chalicelib.medical.rules.corrections import ExceptionalLimitInvalid
from chalicelib.medical.rules.reviews import (
    LookNotContestable,
    ReviewBySameReviewer,
    ReviewFinal,
    ReviewForbidden,
    ReviewOpenAlready,
    ReviewsADay,
    ReviewsFull,
    ReviewStateConflict,
)
from chalicelib.medical.service import answering, receipts, reviewing
from chalicelib.partners.rules import PartnerSuspended
from chalicelib.scenarios.service import RecipientNotNamed
from chalicelib.subjects.service import own_account

_OWN = allow("citizen")
_BANK = allow("bank", scope="credit:review")
_CITY = allow("city", scope="credit:review", owner="city_id")
_MINE = "/v1/me/reviews"
_BANKS = "/v1/credit-reviews"
_CITYS = "/v1/cities/{city_id}/credit-reviews"
_CLOSED = (CitySuspended, PartnerSuspended, PolicyNotInForce)
_FULL = (ReviewOpenAlready, ReviewFinal, ReviewsFull, ReviewsADay)
_ASKING = (*_CLOSED, RecipientNotNamed, LineExists, LookNotContestable, *_FULL, Conflict)
_DECIDING = (ReviewForbidden, ReviewStateConflict, ReviewBySameReviewer)


@routes.route(
    "POST", _MINE, policy=_OWN, effect=True, status=201, body="medical/ask_review.json",
    reply="medical/own_review.json", problems=_ASKING,
    summary=Text("我对授信结果有异议，申请人工复核", "Contest a refusal or a limit of mine: a person decides"),
)  # fmt: skip
def ask_review(call: Call) -> Reply:
    """`effect_id` names the look that is contested, from `/v1/me/looks`; without one it is the limit as it is now.

    No consent is needed or given by it. `answer_by` is the last day on which an answer is in time. Of a line that was
    opened by another account of one's own, that account asks.
    """
    body = call.body
    complaint = reviewing.Complaint(body["city_id"], body["bank_id"], body.get("effect_id"), body["words"])
    return Reply(reviewing.ask(call.unit, call.effect_intent, call.now, call.caller, complaint), 201)


@routes.route(
    "GET", _MINE, policy=_OWN, query=("limit", "cursor"), reply="medical/own_reviews.json",
    summary=Text("我的复核申请，最近的在前", "My reviews, newest first"),
)  # fmt: skip
def list_own_reviews(call: Call) -> Reply:
    """The list may lag by a moment."""
    mine = partial(reviewing.list_own, call.now, own_account(call.caller))
    return paged(call, f"own-reviews:{call.caller.tenant}", mine)


@routes.route(
    "GET", _MINE + "/{review_id}", policy=_OWN, reply="medical/own_review.json",
    summary=Text("我的一份复核申请，附全部原因和答复", "One review of mine, with every reason and the answer"),
)  # fmt: skip
def get_own_review(call: Call) -> Reply:
    """The reasons are worked out from the facts that were kept when the review was asked for."""
    return Reply(reviewing.read_own(call.now, own_account(call.caller), call.path["review_id"]))


@routes.route(
    "POST", _MINE + "/{review_id}/withdraw", policy=_OWN, effect=True, reply="medical/review_moved.json",
    problems=(ReviewStateConflict, Conflict),
    summary=Text("撤回我的复核申请", "Take a review of mine back"),
)  # fmt: skip
def withdraw_review(call: Call) -> Reply:
    """The same may be contested anew; no reviewer reads this one any more."""
    review_id = call.path["review_id"]
    return Reply(reviewing.withdraw(call.unit, call.effect_intent, call.now, call.caller, review_id))


@routes.route(
    "GET", _BANKS, policy=_BANK, query=("limit", "cursor"), reply="medical/reviews.json", problems=(ReviewForbidden,),
    summary=Text("待本行复核的申请，最先到期的在前", "What waits for the bank's reviewers, what is due first on top"),
)  # fmt: skip
def list_bank_reviews(call: Call) -> Reply:
    """What is overdue comes first. The list may lag by a moment; what is in it is read anew."""
    return paged(call, f"reviews:{call.caller.sector}", partial(answering.list_for_bank, call.now, call.caller))


@routes.route(
    "POST", _BANKS + "/{review_id}/looks", policy=_BANK, effect=True, reply="medical/bank_review.json",
    problems=(ReviewForbidden, Conflict),
    summary=Text("查看一份复核申请及可告知本行的依据（留痕）", "Read a review with what the bank may know; recorded"),
)  # fmt: skip
def look_at_bank_review(call: Call) -> Reply:
    """The limit, its codes, the bank's terms and the person's words; never the score, a tier or a distance.

    `now` is null without a live consent, and `contested` too where the bank was not told of it at the time.
    """
    review_id = call.path["review_id"]
    return Reply(answering.look_for_bank(call.unit, call.effect_intent, call.now, call.caller, review_id))


@routes.route(
    "POST", _BANKS + "/{review_id}/moves", policy=_BANK, effect=True, body="medical/move_review.json",
    reply="medical/review_moved.json",
    problems=(*_DECIDING, *_CLOSED, LineExists, ExceptionalLimitInvalid, ExposureCapReached, Conflict),
    summary=Text("答复复核：维持、更正，或转本人所在城市", "Answer a review: uphold, correct, or hand it to the city"),
)  # fmt: skip
def move_bank_review(call: Call) -> Reply:
    """`correct` gives an exceptional limit up to a day, which counts against the bank's cap at once on an open line.

    It is more than what is decided today, where the bank may be told of that, and takes nothing from one that runs.
    Whoever answered a matter the first time does not decide the second time; he may forward it.
    """
    body, review_id = call.body, call.path["review_id"]
    reason = codec.build(Text, body["reason"]) if "reason" in body else None
    until = date.fromisoformat(body["until"]) if "until" in body else None
    wanted = answering.Decision(body["move"], reason, body.get("limit_fen"), until)
    return Reply(answering.move_for_bank(call.unit, call.effect_intent, call.now, call.caller, review_id, wanted))


@routes.route(
    "GET", _CITYS, policy=_CITY, query=("limit", "cursor"), reply="medical/reviews.json", problems=(ReviewForbidden,),
    summary=Text("转来本市复核信用分的申请", "What was handed to the city, which looks at its citizens' scores"),
)  # fmt: skip
def list_city_reviews(call: Call) -> Reply:
    """What is overdue comes first. The list may lag by a moment; what is in it is read anew."""
    waiting = partial(answering.list_for_city, call.now, call.caller)
    return paged(call, f"city-reviews:{call.path['city_id']}", waiting)


@routes.route(
    "POST", _CITYS + "/{review_id}/looks", policy=_CITY, effect=True, reply="medical/city_review.json",
    problems=(ReviewForbidden, Conflict),
    summary=Text("查看本市市民的复核申请及全部依据（留痕）", "Read a citizen's review with the whole trace; recorded"),
)  # fmt: skip
def look_at_city_review(call: Call) -> Reply:
    """Only what a bank's reviewer has handed over."""
    review_id = call.path["review_id"]
    return Reply(answering.look_for_city(call.unit, call.effect_intent, call.now, call.caller, review_id))


@routes.route(
    "POST", _CITYS + "/{review_id}/moves", policy=_CITY, effect=True, body="medical/move_forwarded_review.json",
    reply="medical/review_moved.json", problems=(*_DECIDING, Conflict),
    summary=Text("复核信用分：维持，或处理后退回银行", "Say that the score stands, or that it was seen to"),
)  # fmt: skip
def move_city_review(call: Call) -> Reply:
    """`uphold` answers the review; `return` hands it back to the bank, once the city has reported a corrected score."""
    body, review_id = call.body, call.path["review_id"]
    who = call.effect_intent, call.now, call.caller
    reason = codec.build(Text, body["reason"])
    return Reply(answering.move_for_city(call.unit, *who, review_id, body["move"], reason))


@routes.route(
    "POST", "/v1/credit-receipts/{effect_id}/replay", policy=allow("auditor", scope="receipts:read"), effect=True,
    reply="medical/credit_replay.json",
    summary=Text("重算一次查询、开通或预授权的额度，逐字节比对", "Work a limit out again and compare the bytes"),
)  # fmt: skip
def replay_credit(call: Call) -> Reply:
    """Of a pull (each of a batch has an effect of its own), an opening, a hold, and whatever else kept a limit."""
    return Reply(receipts.replay(call.unit, call.effect_intent, call.now, call.path["effect_id"]))
