"""How a citizen reads his credit records, and how his city reads and repairs them."""

from __future__ import annotations

from functools import partial

from chalicelib.core import codec
from chalicelib.core.auth import allow
from chalicelib.core.errors import Conflict
from chalicelib.core.http import Call, Reply, Routes, paged
from chalicelib.core.text import Text
from chalicelib.records import service
from chalicelib.records.rules import RepairOrder

routes = Routes("records", __name__)
_PAGE = ("limit", "cursor")
_OF_A_CITIZEN = "/v1/cities/{city_id}/subjects/{subject_id}/records"


@routes.route(
    "GET", "/v1/me/records", policy=allow("citizen"), query=_PAGE, reply="records/record_list.json",
    summary=Text("我的信用记录", "My credit records"),
)  # fmt: skip
def list_my_records(call: Call) -> Reply:
    return paged(call, f"my-records:{call.caller.tenant}", partial(service.own_records, call.now, call.caller))


@routes.route(
    "GET", _OF_A_CITIZEN, policy=allow("city", scope="records:read", owner="city_id"), query=_PAGE,
    reply="records/record_list.json",
    summary=Text("查看市民的信用记录（留痕）", "Look at a citizen's credit records; the look is recorded"),
)  # fmt: skip
def list_records(call: Call) -> Reply:
    subject_id = call.path["subject_id"]
    purpose = f"records:{call.caller.sector}:{subject_id}"
    return paged(call, purpose, partial(service.look, call.unit, call.now, call.caller, subject_id))


@routes.route(
    "POST", _OF_A_CITIZEN + "/{record_id}/repair", policy=allow("city", scope="records:write", owner="city_id"),
    effect=True, body="records/repair_record.json", reply="records/record.json", problems=(Conflict,),
    summary=Text("修复市民的一条信用记录", "Repair a citizen's credit record"),
)  # fmt: skip
def repair_record(call: Call) -> Reply:
    order = codec.build(RepairOrder, call.body)
    path = call.path["subject_id"], call.path["record_id"]
    return Reply(service.repair(call.unit, call.effect_intent, call.now, call.caller, *path, order))
