"""How tables are published, linted and read, and how a decision is asked for."""

from __future__ import annotations

import re

from chalicelib.cities.rules import CitySuspended, ControlFull
from chalicelib.core import cursor
from chalicelib.core.auth import PARTNER_KINDS, PUBLIC, allow
from chalicelib.core.errors import InvalidRequest, NotFound
from chalicelib.core.http import Call, Reply, Routes, etag, page_size
from chalicelib.core.text import Text
from chalicelib.linking.service import ScaleMissing
from chalicelib.partners.rules import PartnerSuspended
from chalicelib.scenarios import service, store
from chalicelib.scenarios.rules import TableInvalid, TierTable, may_publish
from chalicelib.subjects.rules import ConsentRequired, PassExpired, PassInvalid, PassUsed
from chalicelib.subjects.service import own_account

routes = Routes("scenarios", __name__)
_CITY_ID = re.compile(r"[a-z][a-z0-9-]{1,23}")
_PUBLISHING = (
    CitySuspended,
    TableInvalid,
    ScaleMissing,
    service.VersionOutOfTurn,
    service.VersionBackdated,
    service.LintRefused,
    ControlFull,
)
_DECIDING = (
    PassInvalid, PassExpired, PassUsed, ConsentRequired, CitySuspended, PartnerSuspended, service.RecipientNotNamed,
)  # fmt: skip


@routes.route(
    "GET", "/v1/cities/{city_id}/scenarios", policy=PUBLIC, query=("limit", "cursor"),
    reply="scenarios/table_list.json",
    summary=Text("一个城市的应用场景及分档规则", "A city's scenarios, each with the table published last"),
)  # fmt: skip
def list_scenarios(call: Call) -> Reply:
    city_id = call.path["city_id"]
    after = cursor.open_cursor(call.query.get("cursor"), f"scenarios:{city_id}")
    found, last = store.list_latest(city_id, page_size(call.query), after)
    items = [store.document_of(tier_table) for tier_table in found]
    return Reply({"items": items, "next": cursor.make_cursor(last, f"scenarios:{city_id}")})


@routes.route(
    "POST", "/v1/cities/{city_id}/scenarios", policy=allow("city", scope="scenarios:write", owner="city_id"),
    effect=True, status=201, body="scenarios/table.json", reply="scenarios/table.json", problems=_PUBLISHING,
    summary=Text("公布一个场景的下一版规则；检查不通过则拒绝", "Publish a scenario's next table, once it lints clean"),
)  # fmt: skip
def publish_scenario(call: Call) -> Reply:
    made = service.publish(call.unit, call.effect_intent, call.now, call.path["city_id"], call.body)
    return Reply(store.document_of(made), 201)


@routes.route(
    "POST", "/v1/cities/{city_id}/scenario-lint", policy=allow("city", scope="scenarios:write", owner="city_id"),
    body="scenarios/table.json", reply="scenarios/findings.json", problems=(TableInvalid, ScaleMissing),
    summary=Text("检查一份规则草案，不公布", "Check a draft table without publishing it"),
)  # fmt: skip
def lint_scenario(call: Call) -> Reply:
    findings = service.lint(call.path["city_id"], call.body)
    return Reply({"may_publish": may_publish(findings), "findings": findings})


@routes.route(
    "GET", "/v1/cities/{city_id}/scenarios/{scenario_id}", policy=PUBLIC, reply="scenarios/table.json",
    summary=Text("一个场景最近公布的规则", "The table of a scenario that was published last"),
)  # fmt: skip
def get_scenario(call: Call) -> Reply:
    return _table_reply(store.load_latest(call.path["city_id"], call.path["scenario_id"]))


@routes.route(
    "GET", "/v1/cities/{city_id}/scenarios/{scenario_id}/versions/{version}", policy=PUBLIC,
    reply="scenarios/table.json",
    summary=Text("一个场景的某一版规则", "One version of a scenario's table"),
)  # fmt: skip
def get_version(call: Call) -> Reply:
    version = call.path["version"]
    if not version.isdigit():
        raise NotFound
    return _table_reply(store.load_table(call.path["city_id"], call.path["scenario_id"], int(version)))


def _table_reply(found: TierTable) -> Reply:
    tag = etag("table", found.city_id, found.scenario_id, found.version)
    return Reply(store.document_of(found), etag=tag)


@routes.route(
    "POST", "/v1/decisions", policy=allow("city", *PARTNER_KINDS, scope="decisions:write"), effect=True,
    body="scenarios/ask_decision.json", reply="scenarios/receipt.json", problems=_DECIDING,
    summary=Text("查询出示码或主体在某场景中的结果", "What a person's score opens here: by a pass or a subject id"),
)  # fmt: skip
def ask_decision(call: Call) -> Reply:
    body = call.body
    if call.caller.kind == "merchant" and "pass_code" not in body:
        said = Text("商户只能凭出示码查询", "A merchant asks only with a pass that was shown to it")
        raise InvalidRequest.at("/pass_code", said)
    ask = service.Ask(body["scenario_id"], body.get("district"), body.get("pass_code"), body.get("subject_id"))
    return Reply(service.decide(call.unit, call.effect_intent, call.now, call.caller, ask))


@routes.route(
    "POST", "/v1/me/decisions", policy=allow("citizen"), effect=True, body="scenarios/ask_for_self.json",
    reply="scenarios/own_receipt.json", problems=(CitySuspended,),
    summary=Text("我的信用分在某场景中能打开什么，及原因", "What my own score opens in a scenario, and why"),
)  # fmt: skip
def decide_for_self(call: Call) -> Reply:
    ask = service.Ask(call.body["scenario_id"], call.body.get("district"), None, None)
    ref = own_account(call.caller)
    city_id = call.body["city_id"]
    return Reply(service.decide_for_self(call.unit, call.effect_intent, call.now, ref, city_id, ask))


@routes.route(
    "GET", "/v1/me/openings", policy=allow("citizen"), query=("city", "district"), reply="scenarios/openings.json",
    problems=(CitySuspended,),
    summary=Text("我的信用分在一座城市能打开什么", "What my score opens in a city, and how far away the rest is"),
)  # fmt: skip
def list_openings(call: Call) -> Reply:
    city_id = call.query.get("city", call.caller.city_id)
    if not _CITY_ID.fullmatch(city_id):
        raise NotFound
    found = service.openings(call.now, own_account(call.caller), city_id, call.query.get("district"))
    return Reply({"items": found})


@routes.route(
    "GET", "/v1/me/receipts/{receipt_id}", policy=allow("citizen"), reply="scenarios/own_receipt.json",
    summary=Text("关于我的一次决定，及全部原因", "One decision about me, with every reason"),
)  # fmt: skip
def get_own_receipt(call: Call) -> Reply:
    return Reply(service.own_receipt(own_account(call.caller), call.path["receipt_id"]))


@routes.route(
    "POST", "/v1/receipts/{receipt_id}/replay", policy=allow("auditor", scope="receipts:read"), effect=True,
    reply="scenarios/replay.json",
    summary=Text("凭回执重算一次决定，逐字节比对", "Decide again from a receipt and compare the bytes"),
)  # fmt: skip
def replay(call: Call) -> Reply:
    return Reply(service.replay(call.unit, call.effect_intent, call.now, call.path["receipt_id"]))
