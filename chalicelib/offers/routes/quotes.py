"""How a quote is asked for, and how it is reserved, redeemed, released and refunded."""

from __future__ import annotations

from functools import partial
from typing import Any

from chalicelib.cities.rules import CitySuspended
from chalicelib.core.auth import allow
from chalicelib.core.errors import Conflict, InvalidRequest
from chalicelib.core.http import Call, Reply, paged
from chalicelib.core.text import Text
from chalicelib.offers import service
from chalicelib.offers.routes.blueprint import routes
from chalicelib.offers.rules import (
    Asked,
    BasketInvalid,
    BudgetExhausted,
    DistrictNotCovered,
    NotReservable,
    OfferNotLive,
    OfferOutOfStep,
    OfferStopped,
    OutOfStock,
    QuotaExceeded,
    QuoteExpired,
    QuoteForeign,
    QuoteUsed,
    RefundExceeds,
    ReservationClosed,
    VariantUnknown,
)
from chalicelib.offers.rules.deals import OfferUnknown, QuoteNotRedeemed, QuoteOvertaken
from chalicelib.partners.rules import PartnerSuspended
from chalicelib.subjects.rules import ConsentRequired, PassExpired, PassInvalid, PassUsed
from chalicelib.subjects.service import own_account

_LIMITS = (OutOfStock, BudgetExhausted, QuotaExceeded)
_PRICING = (
    CitySuspended, PartnerSuspended, OfferUnknown, OfferStopped, OfferNotLive, ConsentRequired, OfferOutOfStep,
    BasketInvalid, VariantUnknown, DistrictNotCovered, *_LIMITS, Conflict,
)  # fmt: skip
_TAKING = (
    QuoteForeign, CitySuspended, PartnerSuspended, QuoteUsed, QuoteExpired, ConsentRequired, QuoteOvertaken,
    OfferStopped, *_LIMITS, Conflict,
)  # fmt: skip
_RELEASING = (QuoteForeign, QuoteUsed, QuoteExpired, ReservationClosed, ConsentRequired, Conflict)
_SELLER = allow("merchant", scope="quotes:write")


@routes.route(
    "POST", "/v1/quotes", policy=_SELLER, effect=True, dry_run=True, status=201, body="offers/ask_quote.json",
    reply="offers/quote_or_preview.json", problems=(PassInvalid, PassExpired, PassUsed, *_PRICING),
    summary=Text("凭出示码试算并锁价 15 分钟", "Ask by a pass what a basket costs, pinned for 15 minutes"),
)  # fmt: skip
def ask_quote(call: Call) -> Reply:
    """The pass is used up by a quote that is given, and by no refusal.

    A dry run looks at nobody: it takes a `tier` instead of a pass (none: list prices) and names the limits in the way.
    """
    ask = _ask(call.caller.city_id, call.caller.tenant, call.body)
    if call.dry_run:
        if "pass_code" in call.body:
            said = Text("试运行不看任何人，请改填 tier", "A dry run looks at nobody; name a tier instead")
            raise InvalidRequest.at("/pass_code", said)
        return Reply(service.preview(call.now, ask, call.body.get("tier")))
    if "pass_code" not in call.body:
        raise InvalidRequest.at("/pass_code", Text("需要顾客的出示码", "The customer's pass is needed"))
    pass_code = call.body["pass_code"]
    made = service.quote_at_counter(call.unit, call.effect_intent, call.now, call.caller, ask, pass_code)
    return Reply(made, 201)


@routes.route(
    "POST", "/v1/me/quotes", policy=allow("citizen"), effect=True, dry_run=True, status=201,
    body="offers/ask_own_quote.json", reply="offers/own_quote.json", problems=_PRICING,
    summary=Text("我自己试算并锁价，附全部原因", "What a basket costs me, with every reason, pinned for 15 minutes"),
)  # fmt: skip
def ask_own_quote(call: Call) -> Reply:
    """The merchant redeems it without a pass. A dry run shows every limit in the way; else the first is refused."""
    ask = _ask(call.body["city_id"], call.body["merchant_id"], call.body)
    ref = own_account(call.caller)
    return Reply(service.quote_for_self(call.unit, call.effect_intent, call.now, ref, ask), 201)


def _ask(city_id: str, merchant_id: str, body: Any) -> service.Ask:
    lines = [Asked(line["offer_id"], line["variant_id"], line["units"]) for line in body["lines"]]
    return service.Ask(city_id, merchant_id, lines, body.get("district"))


@routes.route(
    "GET", "/v1/quotes/{quote_id}", policy=_SELLER, reply="offers/deal.json", problems=(ConsentRequired,),
    summary=Text("一次试算及其后续", "A quote, and what became of it"),
)  # fmt: skip
def get_quote(call: Call) -> Reply:
    """`state` is as of now: an open quote or reservation whose time is over is `lapsed`."""
    return Reply(service.deal_for(_sold_here(call), call.path["quote_id"], call.now))


@routes.route(
    "POST", "/v1/quotes/{quote_id}/reservation", policy=_SELLER, effect=True, dry_run=True, reply="offers/deal.json",
    problems=(*_TAKING, NotReservable),
    summary=Text("预留试算的商品", "Put by what was quoted, for as long as the offers say"),
)  # fmt: skip
def reserve(call: Call) -> Reply:
    """Stock, budget and the person's quota are taken at once; after `expires_at` they are free again by themselves."""
    quote_id = call.path["quote_id"]
    return Reply(service.reserve(call.unit, call.effect_intent, call.now, _sold_here(call), quote_id))


@routes.route(
    "POST", "/v1/quotes/{quote_id}/redemption", policy=_SELLER, effect=True, dry_run=True, reply="offers/deal.json",
    problems=(*_TAKING, ReservationClosed),
    summary=Text("按试算价核销", "Redeem at the price that was quoted"),
)  # fmt: skip
def redeem(call: Call) -> Reply:
    """Neither a new version of the offer nor a new score changes the price. The consent must still stand."""
    quote_id = call.path["quote_id"]
    return Reply(service.redeem(call.unit, call.effect_intent, call.now, _sold_here(call), quote_id))


@routes.route(
    "POST", "/v1/quotes/{quote_id}/release", policy=_SELLER, effect=True, dry_run=True, reply="offers/deal.json",
    problems=_RELEASING,
    summary=Text("放弃试算或取消预留", "Give up a quote or a reservation"),
)  # fmt: skip
def release(call: Call) -> Reply:
    """What was put by is free again at once."""
    quote_id = call.path["quote_id"]
    return Reply(service.release(call.unit, call.effect_intent, call.now, _sold_here(call), quote_id))


@routes.route(
    "POST", "/v1/quotes/{quote_id}/refunds", policy=_SELLER, effect=True, dry_run=True, status=201,
    body="offers/refund_line.json", reply="offers/refund.json",
    problems=(QuoteForeign, QuoteNotRedeemed, RefundExceeds, Conflict),
    summary=Text("按行退款，不限时间", "Refund units of one line, at any age"),
)  # fmt: skip
def refund(call: Call) -> Reply:
    """What goes back is part of what was paid, to the fen, whatever the offer says today. No consent is needed."""
    index, units = call.body["line"], call.body["units"]
    mine, quote_id = _sold_here(call), call.path["quote_id"]
    return Reply(service.refund(call.unit, call.effect_intent, call.now, mine, quote_id, index, units), 201)


def _sold_here(call: Call) -> service.Mine:
    return service.merchants(call.caller.city_id, call.caller.tenant)


@routes.route(
    "POST", "/v1/me/quotes/{quote_id}/reservation", policy=allow("citizen"), effect=True, dry_run=True,
    reply="offers/deal.json", problems=(*_TAKING, NotReservable),
    summary=Text("我预留试算的商品", "Put by what I was quoted"),
)  # fmt: skip
def reserve_own(call: Call) -> Reply:
    """As the merchant's; the merchant redeems it."""
    quote_id = call.path["quote_id"]
    return Reply(service.reserve(call.unit, call.effect_intent, call.now, _my_own(call), quote_id))


@routes.route(
    "POST", "/v1/me/quotes/{quote_id}/release", policy=allow("citizen"), effect=True, dry_run=True,
    reply="offers/deal.json", problems=_RELEASING,
    summary=Text("我放弃试算或取消预留", "Give up a quote or a reservation of mine"),
)  # fmt: skip
def release_own(call: Call) -> Reply:
    """As the merchant's."""
    quote_id = call.path["quote_id"]
    return Reply(service.release(call.unit, call.effect_intent, call.now, _my_own(call), quote_id))


def _my_own(call: Call) -> service.Mine:
    return service.persons(own_account(call.caller))


@routes.route(
    "GET", "/v1/me/purchases", policy=allow("citizen"), query=("limit", "cursor"), reply="offers/purchase_list.json",
    summary=Text("我的核销与预留记录", "What I reserved or bought, newest first"),
)  # fmt: skip
def list_purchases(call: Call) -> Reply:
    """A reservation is listed as of its quote, a purchase as of its redemption. The list may lag by a moment."""
    ref, about = own_account(call.caller), f"purchases:{call.caller.tenant}"
    return paged(call, about, partial(service.purchases, ref, call.now))


@routes.route(
    "GET", "/v1/me/purchases/{quote_id}", policy=allow("citizen"), reply="offers/own_purchase.json",
    summary=Text("我的一次核销，及价格的全部原因", "One purchase of mine, with every reason of its prices"),
)  # fmt: skip
def get_purchase(call: Call) -> Reply:
    """The reasons are worked out from the facts of that day, not of today."""
    return Reply(service.own_purchase(own_account(call.caller), call.path["quote_id"], call.now))


@routes.route(
    "POST", "/v1/quote-receipts/{receipt_id}/replay", policy=allow("auditor", scope="receipts:read"), effect=True,
    reply="offers/quote_replay.json",
    summary=Text("凭回执重算一次试算，逐字节比对", "Work a quote out again from its receipt and compare the bytes"),
)  # fmt: skip
def replay_quote(call: Call) -> Reply:
    """`same` says whether the decisions and the lines come out byte for byte."""
    return Reply(service.replay(call.unit, call.effect_intent, call.now, call.path["receipt_id"]))
