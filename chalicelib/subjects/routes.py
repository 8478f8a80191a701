"""How a citizen asks for himself, and how his city enrols, suspends and restores."""

from __future__ import annotations

from datetime import date
from functools import partial

from chalicelib.cities.rules import CitySuspended
from chalicelib.core import codec
from chalicelib.core.auth import allow
from chalicelib.core.errors import Conflict, TooManyRequests, Unavailable
from chalicelib.core.http import Call, Reply, Routes, paged
from chalicelib.core.text import Text
from chalicelib.subjects import service
from chalicelib.subjects.rules import (
    Application,
    ConsentDraft,
    ConsentInvalid,
    ConsentsFull,
    DocumentInvalid,
    IdentityUnconfirmed,
    PassWish,
    RecipientUnknown,
    SuspensionOrder,
    UnderAge,
)
from chalicelib.subjects.rules.wards import WardInvalid, WardUnknown

routes = Routes("subjects", __name__)
_CITY = allow("city", scope="subjects:write", owner="city_id")
_CITIZEN = allow("citizen")
_SUBJECT = "/v1/cities/{city_id}/subjects/{subject_id}"


@routes.route(
    "POST", "/v1/cities/{city_id}/subjects", policy=_CITY, effect=True, status=201,
    body="subjects/enrol_subject.json", reply="subjects/enrolled.json",
    problems=(DocumentInvalid, CitySuspended, IdentityUnconfirmed, UnderAge, Unavailable, Conflict),
    summary=Text("为市民开通信用账户", "Open a citizen's account"),
)  # fmt: skip
def enrol_subject(call: Call) -> Reply:
    application = codec.build(Application, call.body, city_id=call.path["city_id"])
    return Reply(service.enrol(call.unit, call.effect_intent, call.now, call.caller, application), 201)


@routes.route(
    "POST", _SUBJECT + "/suspensions", policy=_CITY, effect=True,
    body="subjects/suspend_benefits.json", reply="subjects/suspension_state.json", problems=(Conflict,),
    summary=Text("暂停市民的守信优惠", "Suspend a citizen's benefits"),
)  # fmt: skip
def suspend_benefits(call: Call) -> Reply:
    order = codec.build(SuspensionOrder, call.body)
    subject_id = call.path["subject_id"]
    return Reply(service.suspend(call.unit, call.effect_intent, call.now, call.caller, subject_id, order))


@routes.route(
    "POST", _SUBJECT + "/suspensions/{kind}/lift", policy=_CITY, effect=True,
    reply="subjects/suspension_state.json", problems=(Conflict,),
    summary=Text("恢复市民的守信优惠", "Restore a citizen's benefits"),
)  # fmt: skip
def lift_suspension(call: Call) -> Reply:
    path = call.path["subject_id"], call.path["kind"]
    return Reply(service.lift(call.unit, call.effect_intent, call.now, call.caller, *path))


@routes.route(
    "POST", _SUBJECT + "/wards", policy=_CITY, effect=True, status=201, body="subjects/confirm_ward.json",
    reply="subjects/ward.json", problems=(WardInvalid, Conflict),
    summary=Text("确认市民是一名未成年人的监护人", "Confirm that a citizen is a child's guardian"),
)  # fmt: skip
def confirm_ward(call: Call) -> Reply:
    """Nothing of the child is taken but the day on which it comes of age; the city keeps whom the id stands for."""
    subject_id, valid_to = call.path["subject_id"], date.fromisoformat(call.body["valid_to"])
    return Reply(service.confirm_ward(call.unit, call.effect_intent, call.now, call.caller, subject_id, valid_to), 201)


@routes.route(
    "POST", _SUBJECT + "/wards/{ward_id}/end", policy=_CITY, effect=True, reply="subjects/ward.json",
    problems=(Conflict,),
    summary=Text("终止一项监护关系", "End a guardianship"),
)  # fmt: skip
def end_ward(call: Call) -> Reply:
    """Passes that were shown for the child are good for its visits no more."""
    path = call.path["subject_id"], call.path["ward_id"]
    return Reply(service.end_ward(call.unit, call.effect_intent, call.now, call.caller, *path))


@routes.route(
    "GET", "/v1/me/wards", policy=_CITIZEN, query=("limit", "cursor"), reply="subjects/ward_list.json",
    summary=Text("我监护的未成年人", "The children whose guardian I am"),
)  # fmt: skip
def list_wards(call: Call) -> Reply:
    """Those that have ended, too, each with its end."""
    purpose = f"wards:{call.caller.sector}:{call.caller.tenant}"
    return paged(call, purpose, partial(service.own_wards, call.caller))


@routes.route(
    "GET", "/v1/me", policy=_CITIZEN, reply="subjects/me.json",
    summary=Text("我的信用账户", "My account"),
)  # fmt: skip
def get_me(call: Call) -> Reply:
    return Reply(service.me(call.now, call.caller))


@routes.route(
    "POST", "/v1/me/consents", policy=allow("citizen", liveness=True), effect=True, status=201,
    body="subjects/grant_consent.json", reply="subjects/consent.json",
    problems=(RecipientUnknown, ConsentInvalid, ConsentsFull, Conflict),
    summary=Text("给予授权：某场景、某接收方", "Consent to a recipient's use in a scenario"),
)  # fmt: skip
def grant_consent(call: Call) -> Reply:
    draft = codec.build(ConsentDraft, call.body)
    return Reply(service.grant(call.unit, call.effect_intent, call.now, call.caller, draft), 201)


@routes.route(
    "GET", "/v1/me/consents", policy=_CITIZEN, reply="subjects/consent_list.json",
    summary=Text("我的有效授权", "My live consents"),
)  # fmt: skip
def list_consents(call: Call) -> Reply:
    return Reply({"items": service.live_consents(call.now, call.caller), "next": None})


@routes.route(
    "GET", "/v1/me/consents/{grant_id}", policy=_CITIZEN, reply="subjects/consent_evidence.json",
    summary=Text("一项授权的记录与现状", "What was recorded of a consent, and how it stands"),
)  # fmt: skip
def get_consent(call: Call) -> Reply:
    return Reply(service.evidence(call.now, call.caller, call.path["grant_id"]))


@routes.route(
    "POST", "/v1/me/consents/{grant_id}/withdraw", policy=_CITIZEN, effect=True, reply="subjects/withdrawn.json",
    problems=(Conflict,),
    summary=Text("撤回授权，立即生效", "Withdraw a consent, with effect at once"),
)  # fmt: skip
def withdraw_consent(call: Call) -> Reply:
    grant_id = call.path["grant_id"]
    return Reply(service.withdraw(call.unit, call.effect_intent, call.now, call.caller, grant_id))


@routes.route(
    "POST", "/v1/me/passes", policy=_CITIZEN, effect=True, status=201,
    body="subjects/show_pass.json", reply="subjects/pass.json",
    problems=(RecipientUnknown, WardUnknown, TooManyRequests),
    summary=Text("取得出示码，两分钟内用一次", "Get a pass to show, good once within two minutes"),
)  # fmt: skip
def show_pass(call: Call) -> Reply:
    """A guardian names the child for whom he shows it. One that was asked for after a fresh face check says so."""
    wish = codec.build(PassWish, call.body)
    return Reply(service.show_pass(call.unit, call.effect_intent, call.now, call.caller, wish), 201)


@routes.route(
    "GET", "/v1/me/looks", policy=_CITIZEN, query=("limit", "cursor"), reply="subjects/look_list.json",
    summary=Text("谁查过我", "Who looked"),
)  # fmt: skip
def list_looks(call: Call) -> Reply:
    ref = service.own_account(call.caller)
    return paged(call, f"looks:{call.caller.sector}:{call.caller.tenant}", partial(service.who_looked, ref))
