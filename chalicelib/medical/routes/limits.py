"""How a bank pulls limits, and how lines are opened, suspended, resumed and closed."""

from __future__ import annotations

from chalicelib.cities.rules import CitySuspended
from chalicelib.core.auth import allow
from chalicelib.core.errors import Conflict
from chalicelib.core.http import Call, Reply
from chalicelib.core.text import Text
from chalicelib.ledger.rules.lines import LineClosed, LineSuspended
from chalicelib.medical import service
from chalicelib.medical.routes.blueprint import routes
from chalicelib.medical.rules import ExposureCapReached, LimitNotGranted, LineExists, PolicyNotInForce, TermOver
from chalicelib.medical.service import lending
from chalicelib.partners.rules import PartnerSuspended
from chalicelib.scenarios.service import RecipientNotNamed
from chalicelib.subjects.rules import ConsentRequired

_OPEN = (CitySuspended, PartnerSuspended, PolicyNotInForce, RecipientNotNamed, Conflict)
_OPENING = (*_OPEN, LineExists, LimitNotGranted, ExposureCapReached)
_REBOOKING = (*_OPEN, LineClosed, TermOver, LineSuspended, ExposureCapReached)
_PULLER = allow("bank", scope="credit:pull")
_LENDER = allow("bank", scope="credit:write")
_OWN = allow("citizen")


@routes.route(
    "POST", "/v1/credit-limits", policy=_PULLER, effect=True, body="medical/pull_limit.json",
    reply="medical/limit.json", problems=(*_OPEN, ConsentRequired),
    summary=Text("查询一个人的信用就医额度", "Pull one person's limit for medical credit"),
)  # fmt: skip
def pull_limit(call: Call) -> Reply:
    """The person finds the look among his own. Nothing of the score is told but what it comes to."""
    subject_id = call.body["subject_id"]
    return Reply(service.pull(call.unit, call.effect_intent, call.now, call.caller, subject_id))


@routes.route(
    "POST", "/v1/credit-limits/batch", policy=_PULLER, effect=True, body="medical/pull_limits.json",
    reply="medical/limits.json", problems=_OPEN,
    summary=Text("批量查询额度，至多 50 人", "Pull the limits of up to 50 people"),
)  # fmt: skip
def pull_limits(call: Call) -> Reply:
    """Each is answered by himself, by his place in the request: a limit, or why not."""
    return Reply(service.pull_many(call.unit, call.effect_intent, call.now, call.caller, call.body["subject_ids"]))


@routes.route(
    "POST", "/v1/credit-lines", policy=_LENDER, effect=True, status=201, body="medical/pull_limit.json",
    reply="medical/limit.json", problems=(*_OPENING, ConsentRequired),
    summary=Text("为已授权的市民开通额度", "Open a line for somebody who has consented"),
)  # fmt: skip
def open_line(call: Call) -> Reply:
    """One line a person and bank; one that was closed is opened anew, with whatever is owed on it."""
    subject_id = call.body["subject_id"]
    return Reply(service.open_for(call.unit, call.effect_intent, call.now, call.caller, subject_id), 201)


@routes.route(
    "POST", "/v1/me/credit-lines", policy=allow("citizen", liveness=True), effect=True, status=201,
    body="medical/own_line.json", reply="medical/limit.json", problems=_OPENING,
    summary=Text("我自己开通信用就医额度", "Open my own line with a bank"),
)  # fmt: skip
def open_own_line(call: Call) -> Reply:
    """Needs a face check. Anything can be held on it once the bank and the hospital have a consent."""
    bank = call.body["city_id"], call.body["bank_id"]
    return Reply(service.open_own(call.unit, call.effect_intent, call.now, call.caller, *bank), 201)


@routes.route(
    "POST", "/v1/me/credit-lines/close", policy=_OWN, effect=True, body="medical/own_line.json",
    reply="medical/line_moved.json", problems=(LineClosed, Conflict),
    summary=Text("我自己关闭额度", "Close my own line"),
)  # fmt: skip
def close_own_line(call: Call) -> Reply:
    """What is held can still be captured, and what is owed is still owed."""
    bank = call.body["city_id"], call.body["bank_id"]
    return Reply(service.close_own(call.unit, call.effect_intent, call.now, call.caller, *bank))


@routes.route(
    "POST", "/v1/me/credit-lines/relimit", policy=allow("citizen", liveness=True), effect=True,
    body="medical/own_line.json", reply="medical/limit.json", problems=_REBOOKING,
    summary=Text("按我今天的信用分重新核定额度", "Book my own line anew for what my score gives today"),
)  # fmt: skip
def relimit_own_line(call: Call) -> Reply:
    """Up or down. Needs a face check, as opening does. What is held can be captured whatever comes out."""
    bank = call.body["city_id"], call.body["bank_id"]
    return Reply(lending.relimit_own(call.unit, call.effect_intent, call.now, call.caller, *bank))


@routes.route(
    "POST", "/v1/credit-lines/{subject_id}/moves", policy=_LENDER, effect=True, body="medical/move_line.json",
    reply="medical/moved_or_limit.json", problems=(*_REBOOKING, ConsentRequired),
    summary=Text("暂停、恢复、关闭或重新核定额度", "Suspend, resume or close a line, or book it anew"),
)  # fmt: skip
def move_line(call: Call) -> Reply:
    """`resume` lifts the bank's own suspension alone; a line that is suspended for another cause stays so.

    `relimit` books the line for what the score gives today, up or down; it needs the person's consent, as opening does,
    and answers with the limit.
    """
    subject_id, move = call.path["subject_id"], call.body["move"]
    if move == "relimit":
        return Reply(lending.relimit_for(call.unit, call.effect_intent, call.now, call.caller, subject_id))
    return Reply(service.move_line(call.unit, call.effect_intent, call.now, call.caller, subject_id, move))
