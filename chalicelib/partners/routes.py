"""How partners are asked for, and by whom they are changed."""

from __future__ import annotations

from functools import partial

from chalicelib.cities.rules import CitySuspended
from chalicelib.core import codec
from chalicelib.core.auth import PARTNER_KINDS, allow
from chalicelib.core.errors import NotFound
from chalicelib.core.http import Call, Reply, Routes, etag, paged
from chalicelib.core.text import Text
from chalicelib.partners import service, store
from chalicelib.partners.rules import Partner, PartnerExists, PartnerInvalid, UsccTaken

routes = Routes("partners", __name__)


@routes.route(
    "POST", "/v1/cities/{city_id}/partners", policy=allow("city", scope="partners:write", owner="city_id"),
    effect=True, status=201, body="partners/enter_partner.json", reply="partners/partner.json",
    problems=(PartnerInvalid, CitySuspended, PartnerExists, UsccTaken),
    summary=Text("登记本市的合作方", "Enter a partner of the city"),
)  # fmt: skip
def enter_partner(call: Call) -> Reply:
    partner = codec.build(Partner, call.body, city_id=call.path["city_id"])
    return Reply(service.enter(call.unit, call.effect_intent, call.now, partner), 201)


@routes.route(
    "GET", "/v1/cities/{city_id}/partners", policy=allow("city", owner="city_id"), query=("limit", "cursor"),
    reply="partners/partner_list.json",
    summary=Text("本市合作方名单", "The partners of the city"),
)  # fmt: skip
def list_partners(call: Call) -> Reply:
    return paged(call, f"partners:{call.path['city_id']}", partial(store.list_partners, call.path["city_id"]))


@routes.route(
    "GET", "/v1/cities/{city_id}/partners/{partner_id}",
    policy=allow("city", *PARTNER_KINDS, owner="city_id", tenant="partner_id"), reply="partners/partner.json",
    summary=Text("一个合作方（本市或其本身可查）", "One partner, for its city or for itself"),
)  # fmt: skip
def get_partner(call: Call) -> Reply:
    partner = store.load_partner(call.path["city_id"], call.path["partner_id"])
    if call.caller.kind not in {"city", partner.kind}:
        raise NotFound
    return Reply(partner, etag=_partner_etag(partner))


@routes.route(
    "PUT", "/v1/cities/{city_id}/partners/{partner_id}",
    policy=allow("city", scope="partners:write", owner="city_id"), if_match=True, effect=True,
    body="partners/change_partner.json", reply="partners/partner.json", problems=(PartnerInvalid,),
    summary=Text("更新合作方信息，或暂停、恢复其参与", "Change a partner's entry, suspend or reinstate it"),
)  # fmt: skip
def change_partner(call: Call) -> Reply:
    seen, control = store.load_with_control(call.path["city_id"], call.path["partner_id"])
    call.expect(_partner_etag(seen))
    wanted = codec.build(Partner, {**codec.plain(seen), **call.body})
    changed = service.change(call.unit, call.effect_intent, call.now, control, seen, wanted)
    return Reply(changed, etag=_partner_etag(changed))


def _partner_etag(partner: Partner) -> str:
    return etag("partner", partner.city_id, partner.partner_id, partner.revision)
