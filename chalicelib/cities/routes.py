"""How cities are asked for, and by whom they are changed."""

from __future__ import annotations

from functools import partial

from chalicelib.cities import service, store
from chalicelib.cities.rules import (
    Agreement,
    AgreementClosed,
    AgreementInvalid,
    AgreementOverlaps,
    City,
    CityExists,
    Control,
    ControlFull,
    FoundingTaken,
    Scale,
    ScaleInvalid,
)
from chalicelib.core import codec, signing
from chalicelib.core.auth import PUBLIC, allow
from chalicelib.core.http import Call, Reply, Routes, etag, paged
from chalicelib.core.text import Text

routes = Routes("cities", __name__)
_PAGE = ("limit", "cursor")


@routes.route(
    "GET", "/v1/cities", policy=PUBLIC, query=_PAGE, reply="cities/city_list.json",
    summary=Text("联盟城市名单", "The cities of the alliance"),
)  # fmt: skip
def list_cities(call: Call) -> Reply:
    return paged(call, "cities", store.list_cities)


@routes.route(
    "POST", "/v1/cities", policy=allow("alliance", scope="cities:admit"), effect=True, status=201,
    body="cities/admit_city.json", reply="cities/city.json", problems=(CityExists, FoundingTaken),
    summary=Text("接纳城市加入联盟", "Admit a city to the alliance"),
)  # fmt: skip
def admit_city(call: Call) -> Reply:
    city = codec.build(City, call.body)
    return Reply(service.admit(call.unit, call.effect_intent, call.now, city), 201)


@routes.route(
    "GET", "/v1/keys", policy=PUBLIC, reply="cities/keys.json",
    summary=Text("验证签名文件的公钥（JWKS）", "The public keys that verify what is signed here (JWKS)"),
)  # fmt: skip
def list_keys(call: Call) -> Reply:  # noqa: ARG001 - every view is handed its call
    found = signing.jwks()
    return Reply(found, etag=etag("keys", *(key["kid"] for key in found["keys"])))


@routes.route(
    "GET", "/v1/cities/{city_id}", policy=PUBLIC, reply="cities/city.json",
    summary=Text("一个城市", "One city"),
)  # fmt: skip
def get_city(call: Call) -> Reply:
    city = store.load_city(call.path["city_id"])
    return Reply(city, etag=_city_etag(city))


@routes.route(
    "PUT", "/v1/cities/{city_id}", policy=allow("alliance", scope="cities:admit"), if_match=True, effect=True,
    body="cities/change_city.json", reply="cities/city.json",
    summary=Text("更新城市信息或暂停、恢复其参与", "Change a city's entry, suspend or reinstate it"),
)  # fmt: skip
def change_city(call: Call) -> Reply:
    seen = store.load_city(call.path["city_id"])
    call.expect(_city_etag(seen))
    fixed = {"city_id": seen.city_id, "founding": seen.founding, "revision": seen.revision}
    city = codec.build(City, call.body, **fixed)
    changed = service.change(call.unit, call.effect_intent, call.now, city)
    return Reply(changed, etag=_city_etag(changed))


def _city_etag(city: City) -> str:
    return etag("city", city.city_id, city.revision)


@routes.route(
    "GET", "/v1/cities/{city_id}/control", policy=PUBLIC, reply="cities/control.json",
    summary=Text("城市当前生效的版本与协议", "What is in force in a city: versions, agreements, suspensions"),
)  # fmt: skip
def get_control(call: Call) -> Reply:
    control: Control = store.load_control(call.path["city_id"])
    return Reply(control, etag=etag("control", control.city_id, control.revision))


@routes.route(
    "POST", "/v1/cities/{city_id}/scales", policy=allow("city", scope="cities:write", owner="city_id"), effect=True,
    status=201, body="cities/publish_scale.json", reply="cities/scale.json", problems=(ScaleInvalid,),
    summary=Text("公布分制的新版本", "Publish the next version of a score scale"),
)  # fmt: skip
def publish_scale(call: Call) -> Reply:
    draft = codec.build(Scale, call.body, city_id=call.path["city_id"], version=0)
    return Reply(service.publish_scale(call.unit, call.effect_intent, call.now, draft), 201)


@routes.route(
    "GET", "/v1/cities/{city_id}/scales/{version}", policy=PUBLIC, reply="cities/scale.json",
    summary=Text("分制的一个版本，或当前版本 current", "One version of a scale, or the current one"),
)  # fmt: skip
def get_scale(call: Call) -> Reply:
    city_id, version = call.path["city_id"], call.path["version"]
    if version == "current":
        scale = store.current_scale(store.load_control(city_id))
    else:
        scale = store.load_scale(city_id, int(version) if version.isdigit() else 0)
    return Reply(scale, etag=etag("scale", city_id, scale.version))


@routes.route(
    "GET", "/v1/cities/{city_id}/agreements", policy=PUBLIC, query=_PAGE, reply="cities/agreement_list.json",
    summary=Text("本市作为接待地的互认协议", "The recognition agreements of a host city"),
)  # fmt: skip
def list_agreements(call: Call) -> Reply:
    purpose = f"agreements:{call.path['city_id']}"
    return paged(call, purpose, partial(store.list_agreements, call.path["city_id"]))


@routes.route(
    "POST", "/v1/cities/{city_id}/agreements", policy=allow("city", scope="cities:write", owner="city_id"),
    effect=True, status=201, body="cities/propose_agreement.json", reply="cities/agreement.json",
    problems=(AgreementInvalid, AgreementClosed),
    summary=Text("接待城市提出互认协议", "The host city proposes a recognition agreement"),
)  # fmt: skip
def propose_agreement(call: Call) -> Reply:
    draft = codec.build(Agreement, call.body, agreement_id="", host=call.path["city_id"])
    return Reply(service.propose_agreement(call.unit, call.effect_intent, call.now, draft), 201)


@routes.route(
    "POST", "/v1/cities/{city_id}/agreements/{agreement_id}/sign", policy=allow("city", scope="cities:write"),
    effect=True, reply="cities/agreement.json", problems=(AgreementClosed, AgreementOverlaps, ControlFull),
    summary=Text("签署互认协议", "Sign a recognition agreement"),
)  # fmt: skip
def sign_agreement(call: Call) -> Reply:
    path = call.path["city_id"], call.path["agreement_id"]
    return Reply(service.sign_agreement(call.unit, call.effect_intent, call.now, call.caller.city_id, *path))


@routes.route(
    "POST", "/v1/cities/{city_id}/agreements/{agreement_id}/end", policy=allow("city", scope="cities:write"),
    effect=True, reply="cities/agreement.json", problems=(AgreementClosed,),
    summary=Text("结束互认协议", "End a recognition agreement"),
)  # fmt: skip
def end_agreement(call: Call) -> Reply:
    path = call.path["city_id"], call.path["agreement_id"]
    return Reply(service.end_agreement(call.unit, call.effect_intent, call.now, call.caller.city_id, *path))
