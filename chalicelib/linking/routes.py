"""How distributions are published, concordances read and looked at, and scores converted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Any

from chalicelib.cities import store as cities
from chalicelib.cities.rules import CitySuspended, ControlFull, ScoreOffScale
from chalicelib.core.auth import PUBLIC, allow
from chalicelib.core.errors import Forbidden, NotFound
from chalicelib.core.http import SVG, Call, Reply, Routes, etag, paged
from chalicelib.core.text import Text
from chalicelib.linking import service, store
from chalicelib.linking.rules import (
    Concordance,
    DistributionDegenerate,
    DistributionInvalid,
    DistributionOutOfDate,
    DistributionSumOff,
    DistributionTooSmall,
    LinkNotNumeric,
    LinkRangeOnly,
    Published,
    ReferenceFrozen,
    ReferenceUnfit,
    plot_concordance_svg,
    plot_distribution_svg,
    plot_link_svg,
    to_document,
)

routes = Routes("linking", __name__)
DISTRIBUTION_MAX_BYTES = 262_144
_CITY_ID = re.compile(r"[a-z][a-z0-9-]{1,23}")
_UNREADABLE = (service.ScaleMissing, DistributionInvalid, ScoreOffScale)
_REFUSALS = (
    CitySuspended, *_UNREADABLE, LinkRangeOnly, DistributionDegenerate, DistributionSumOff, DistributionTooSmall,
    DistributionOutOfDate, ReferenceFrozen, ReferenceUnfit, store.ReferenceMissing, ControlFull,
)  # fmt: skip


@routes.route(
    "POST", "/v1/cities/{city_id}/distributions", policy=allow("city", scope="cities:write", owner="city_id"),
    effect=True, status=201, body="linking/publish_distribution.json", reply="linking/concordance_brief.json",
    max_bytes=DISTRIBUTION_MAX_BYTES, problems=_REFUSALS,
    summary=Text("公布分数分布，生成新的分数对照表", "Publish a distribution; it becomes the next concordance"),
)  # fmt: skip
def publish_distribution(call: Call) -> Reply:
    published = published_of(call.body)
    return Reply(service.publish(call.unit, call.effect_intent, call.now, call.path["city_id"], published), 201)


@routes.route(
    "POST", "/v1/cities/{city_id}/distribution-plots", policy=allow("city", scope="cities:write", owner="city_id"),
    body="linking/publish_distribution.json", content_type=SVG, max_bytes=DISTRIBUTION_MAX_BYTES,
    problems=_UNREADABLE,
    summary=Text("画出一份分布，无论能否换算", "Draw a distribution, whether or not it could be linked"),
)  # fmt: skip
def plot_draft(call: Call) -> Reply:
    control = cities.load_control(call.path["city_id"])
    scale = cities.current_scale(control, service.ScaleMissing)
    return Reply(plot_distribution_svg(published_of(call.body), scale), content_type=SVG)


@routes.route(
    "GET", "/v1/cities/{city_id}/concordances", policy=PUBLIC, query=("limit", "cursor"),
    reply="linking/concordance_list.json",
    summary=Text("一个城市的分数对照表，新的在前", "A city's concordances, newest first"),
)  # fmt: skip
def list_concordances(call: Call) -> Reply:
    purpose = f"concordances:{call.path['city_id']}"
    return paged(call, purpose, partial(store.list_briefs, call.path["city_id"]))


@routes.route(
    "GET", "/v1/cities/{city_id}/concordances/{version}", policy=PUBLIC, reply="linking/concordance.json",
    problems=(service.NotLinked,),
    summary=Text("一份分数对照表，或现行版本 current", "One concordance, or the current one"),
)  # fmt: skip
def get_concordance(call: Call) -> Reply:
    found = _concordance(call.path["city_id"], call.path["version"])
    return Reply(to_document(found), etag=etag("concordance", found.sha256))


@routes.route(
    "GET", "/v1/cities/{city_id}/concordances/{version}/plot", policy=PUBLIC, query=("to",), content_type=SVG,
    problems=(service.NotLinked, LinkNotNumeric),
    summary=Text("对照表的图；to=城市 时画两城之间的换算", "The concordance as a picture; to=<city> draws the link"),
)  # fmt: skip
def plot_concordance(call: Call) -> Reply:
    city_id = call.path["city_id"]
    found = _concordance(city_id, call.path["version"])
    scale = cities.load_scale(city_id, found.scale_version)
    if "to" in call.query:
        there = service.in_force(cities.load_control(_city_id(call.query["to"])))
        drawn = plot_link_svg(found, scale, *there)
    elif found.is_numeric:
        drawn = plot_concordance_svg(found, scale)
    else:
        drawn = plot_distribution_svg(store.load_published(city_id, found.version), scale)
    return Reply(drawn, content_type=SVG)


@routes.route(
    "GET", "/v1/cities/{city_id}/concordances/{version}/distribution-plot", policy=PUBLIC, content_type=SVG,
    problems=(service.NotLinked,),
    summary=Text("对照表所依据的分布图", "The distribution behind a concordance, as a picture"),
)  # fmt: skip
def plot_distribution(call: Call) -> Reply:
    found = _concordance(call.path["city_id"], call.path["version"])
    published = store.load_published(found.city_id, found.version)
    return Reply(
        plot_distribution_svg(published, cities.load_scale(found.city_id, found.scale_version)), content_type=SVG
    )


@routes.route(
    "POST", "/v1/conversions", policy=allow("city", "auditor", scope="scores:read"),
    body="linking/convert_scores.json", reply="linking/conversions.json",
    problems=(CitySuspended, service.NotLinked, LinkNotNumeric, ScoreOffScale),
    summary=Text("换算本市的分数，至多一千个", "Convert scores of one's own city, up to 1,000"),
)  # fmt: skip
def convert_scores(call: Call) -> Reply:
    body = call.body
    if call.caller.kind == "city" and body["from_city"] != call.caller.city_id:
        raise Forbidden(Text("只能换算本市的分数", "A city converts its own citizens' scores only"))
    return Reply({"items": service.convert(body["from_city"], body["to_city"], body["scores"])})


def _city_id(text: str) -> str:
    """A city's id out of a query. Raises: NotFound: no city could be called this."""
    if not _CITY_ID.fullmatch(text):
        raise NotFound
    return text


def _concordance(city_id: str, version: str) -> Concordance:
    if version == "current":
        return service.in_force(cities.load_control(city_id))[0]
    if not version.isdigit():
        raise NotFound
    return store.load_concordance(city_id, int(version))


def published_of(body: Mapping[str, Any]) -> Published:
    """The draft as sent: whether its figures make sense is for the rules to say, place by place."""
    return Published(
        kind=body["kind"],
        period_from=date.fromisoformat(body["period_from"]),
        period_to=date.fromisoformat(body["period_to"]),
        n=body.get("n", 0),
        counts=tuple(map(tuple, body.get("counts", ()))),
        quantiles=tuple(map(tuple, body.get("quantiles", ()))),
        bands=tuple(map(tuple, body.get("bands", ()))),
        source=body.get("source", ""),
        illustrative=body.get("illustrative", False),
    )
