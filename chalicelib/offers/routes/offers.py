"""How a merchant writes its offers, and how its city reviews them."""

from __future__ import annotations

import re
from functools import partial

from chalicelib.cities.rules import CitySuspended
from chalicelib.core import codec
from chalicelib.core.auth import allow
from chalicelib.core.errors import InvalidRequest, NotFound
from chalicelib.core.http import CSV, Call, Reply, etag, paged
from chalicelib.core.text import Text
from chalicelib.offers import service
from chalicelib.offers.routes.blueprint import routes
from chalicelib.offers.rules import (
    ApprovalByAuthor,
    CapBelowUse,
    CsvUnreadable,
    Offer,
    OfferChanged,
    OfferInvalid,
    OfferLintRefused,
    OfferMoveForbidden,
    OfferOutOfStep,
    OfferStateConflict,
)
from chalicelib.offers.rules.catalogue import CatalogueFull
from chalicelib.offers.rules.counters import CountersFull
from chalicelib.partners.rules import PartnerSuspended

_OFFERS = "/v1/cities/{city_id}/merchants/{merchant_id}/offers"
_VERSION = _OFFERS + "/{offer_id}/versions/{version}"
_AUTHOR = allow("merchant", scope="offers:write", owner="city_id", tenant="merchant_id")
_MOVER = allow("merchant", "city", scope="offers:write", owner="city_id", tenant="merchant_id")
_READER = allow("merchant", "city", scope="offers:read", owner="city_id", tenant="merchant_id")
_CLOSED = (CitySuspended, PartnerSuspended, OfferMoveForbidden)
_WRITING = (OfferInvalid, *_CLOSED, OfferStateConflict)
_MOVING = (
    *_CLOSED, ApprovalByAuthor, OfferStateConflict, OfferChanged, OfferLintRefused, OfferOutOfStep, CountersFull,
    CapBelowUse, CatalogueFull,
)  # fmt: skip
_MOST_DIGITS = 6
_ID = re.compile(r"[a-z][a-z0-9_-]{1,47}")


@routes.route(
    "POST", _OFFERS, policy=_AUTHOR, effect=True, dry_run=True, status=201, body="offers/draft_offer.json",
    reply="offers/offer_view.json", problems=_WRITING,
    summary=Text("起草优惠的下一版本，并列出全部问题", "Draft the next version of an offer; everything wrong is named"),
)  # fmt: skip
def draft_offer(call: Call) -> Reply:
    """A draft may have faults that only its city can tell; it goes to review once it has none."""
    made = service.draft(call.unit, call.effect_intent, call.now, call.caller, _offer(call, version=0))
    return Reply(made, 201, etag=_tag(made))


def _offer(call: Call, **fixed: object) -> Offer:
    """The version that the body means. Its number and its time zone are given where it is kept."""
    path = {"city_id": call.path["city_id"], "merchant_id": call.path["merchant_id"]}
    return codec.build(Offer, call.body, **path, time_zone="", **fixed)


@routes.route(
    "GET", _OFFERS, policy=_READER, query=("limit", "cursor"), reply="offers/offer_list.json",
    summary=Text("一个商户的优惠，及各版本现在的状态", "A merchant's offers, and where each version stands now"),
)  # fmt: skip
def list_offers(call: Call) -> Reply:
    """Who wrote and who approved a version is never told."""
    city_id, merchant_id = call.path["city_id"], call.path["merchant_id"]
    purpose = f"offers:{city_id}/{merchant_id}"
    return paged(call, purpose, partial(service.list_offers, call.now, city_id, merchant_id))


@routes.route(
    "GET", _VERSION, policy=_READER, reply="offers/offer_view.json",
    summary=Text("优惠的一个版本：内容、状态和检查结果", "One version: content, state, and what is wrong with it"),
)  # fmt: skip
def get_offer_version(call: Call) -> Reply:
    """The linter judges it by the city's rules of today."""
    found = service.read_version(call.now, _name(call), _version(call))
    return Reply(found, etag=_tag(found))


@routes.route(
    "PUT", _VERSION, policy=_AUTHOR, if_match=True, effect=True, dry_run=True, body="offers/edit_offer.json",
    reply="offers/offer_view.json", problems=_WRITING,
    summary=Text("修改草稿", "Change a draft"),
)  # fmt: skip
def edit_offer(call: Call) -> Reply:
    """Whoever changes a draft becomes one of its authors, none of whom may approve it."""
    version = _version(call)
    desk, seen = service.read_to_edit(call.now, call.caller, _name(call), version)
    call.expect(_tag(seen))
    wanted = _offer(call, offer_id=call.path["offer_id"], version=version)
    changed = service.edit(call.unit, call.effect_intent, call.now, desk, wanted)
    return Reply(changed, etag=_tag(changed))


@routes.route(
    "POST", _VERSION + "/moves", policy=_MOVER, effect=True, dry_run=True, body="offers/move_offer.json",
    reply="offers/offer_view.json", problems=_MOVING,
    summary=Text("提交、审核、发布、暂停、结束或停用一个版本", "Submit, review, release, pause, end or stop a version"),
)  # fmt: skip
def move_offer(call: Call) -> Reply:
    """The merchant's authors and operators, and the city's staff and reviewers, each make their own moves.

    `submit`, `withdraw`, `schedule`, `pause`, `resume` and `end` are the merchant's; `return`, `approve`, `stop` and
    `lift` are the city's, which stops and lifts all versions together. Who approves or returns one sends the `digest`
    of what he has read. A stop that is refused as busy counts already; the same request again completes it.
    """
    wanted, digest = call.body["move"], call.body.get("digest")
    who = call.effect_intent, call.now, call.caller
    moved = service.move(call.unit, *who, _name(call), _version(call), wanted, digest)
    return Reply(moved, etag=_tag(moved))


def _name(call: Call) -> service.Name:
    return service.Name(call.path["city_id"], call.path["merchant_id"], call.path["offer_id"])


def _version(call: Call) -> int:
    version = call.path["version"]
    if not version.isdigit() or len(version) > _MOST_DIGITS:
        raise NotFound
    return int(version)


def _tag(seen: service.OfferView) -> str:
    """What changes whenever the version reads otherwise: a move, the clock, another table of its scenario."""
    name = (seen.city_id, seen.merchant_id, seen.offer_id, seen.version)
    return etag("offer", *name, seen.revision, seen.state, seen.table_version)


@routes.route(
    "POST", _OFFERS + "/import", policy=_AUTHOR, effect=True, dry_run=True, raw="text/csv",
    max_bytes=service.IMPORT_MAX_BYTES, reply="offers/import.json", problems=(CsvUnreadable, *_CLOSED),
    summary=Text("从表格导入优惠草稿，逐行答复", "Import drafts from a spreadsheet; every bad row is named"),
)  # fmt: skip
def import_offers(call: Call) -> Reply:
    """UTF-8 or GBK, with a header line; the columns are in `schemas/offers/drafts.csv.md`.

    A sound offer becomes a draft, also where another row of the file is bad; the same file again changes nothing.
    """
    path = call.path["city_id"], call.path["merchant_id"]
    return Reply(service.import_drafts(call.unit, call.effect_intent, call.now, call.caller, *path, call.body))


@routes.route(
    "GET", _OFFERS + "/export", policy=_READER, query=("after",), content_type=CSV,
    summary=Text("导出各优惠的最新版本为表格", "A merchant's offers, each in its latest version, as a spreadsheet"),
)  # fmt: skip
def export_offers(call: Call) -> Reply:
    """What is exported can be imported; where there is more than an import takes, `Link` names the rest."""
    after = call.query.get("after")
    if after is not None and not _ID.fullmatch(after):
        raise InvalidRequest.at("", Text("after 须为优惠编号", "after is the id of an offer"))
    city_id, merchant_id = call.path["city_id"], call.path["merchant_id"]
    text, rest = service.export_drafts(city_id, merchant_id, after)
    here = _OFFERS.format(city_id=city_id, merchant_id=merchant_id)
    more = {} if rest is None else {"Link": f'<{here}/export?after={rest}>; rel="next"'}
    return Reply(text, content_type=CSV, headers=more)


@routes.route(
    "GET", "/v1/cities/{city_id}/review", policy=allow("city", scope="offers:review", owner="city_id"),
    query=("limit", "cursor"), reply="offers/review.json",
    summary=Text("待审核的优惠，等待最久的在前", "What waits for the city's review, the longest waiting first"),
)  # fmt: skip
def list_review(call: Call) -> Reply:
    """The list may lag by a moment; whether a version waits is read anew for each of its lines."""
    return paged(call, f"review:{call.path['city_id']}", partial(service.list_waiting, call.path["city_id"]))
