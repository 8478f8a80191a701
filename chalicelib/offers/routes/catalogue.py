"""What anybody may see of a city's offers."""

from __future__ import annotations

from functools import partial

from chalicelib.cities.rules import CitySuspended
from chalicelib.core import codec
from chalicelib.core.auth import PUBLIC
from chalicelib.core.errors import InvalidRequest
from chalicelib.core.http import Call, Reply, paged
from chalicelib.core.text import Text
from chalicelib.offers import service
from chalicelib.offers.routes.blueprint import routes
from chalicelib.offers.rules import OfferNotLive, OfferStopped
from chalicelib.offers.rules.catalogue import Wanted, folded
from chalicelib.partners.rules import PartnerSuspended

_FILTERS = ("category", "district", "text", "merchant")
_MOST_CHARS = 80


@routes.route(
    "GET", "/v1/cities/{city_id}/catalogue", policy=PUBLIC, query=(*_FILTERS, "limit", "cursor"),
    reply="offers/catalogue.json", problems=(CitySuspended,),
    summary=Text("一个城市现在可用的优惠", "What is on offer in a city now"),
)  # fmt: skip
def get_catalogue(call: Call) -> Reply:
    """A filter that nothing fits gives an empty list, whatever it names: it narrows a list, it asks for no object.

    What has changed is seen within five seconds; quotes know it at once. Full and half width read alike in `text`.
    """
    wanted = _wanted(call)
    city_id = call.path["city_id"]
    asked = [wanted.category, wanted.district, wanted.merchant_id, folded(wanted.text or "")]
    purpose = f"catalogue:{city_id}:{codec.canonical(asked)}"
    return paged(call, purpose, partial(service.browse, city_id, wanted, call.now))


def _wanted(call: Call) -> Wanted:
    """What somebody looks for. Raises: InvalidRequest: a filter that is too long."""
    if any(len(call.query.get(name, "")) > _MOST_CHARS for name in _FILTERS):
        said = Text("筛选条件不得超过 {most} 字", "A filter may have at most {most} characters")
        raise InvalidRequest.at("", said.format(most=_MOST_CHARS))
    return Wanted(
        category=call.query.get("category"),
        district=call.query.get("district"),
        merchant_id=call.query.get("merchant"),
        text=call.query.get("text"),
    )


@routes.route(
    "GET", "/v1/cities/{city_id}/merchants/{merchant_id}/offers/{offer_id}", policy=PUBLIC,
    reply="offers/public_offer.json", problems=(CitySuspended, PartnerSuspended, OfferStopped, OfferNotLive),
    summary=Text("一项正在进行的优惠及其全部条件", "An offer in force, with all its terms"),
)  # fmt: skip
def get_offer(call: Call) -> Reply:
    """How many are left is told only where the merchant lets anybody know."""
    name = service.Name(call.path["city_id"], call.path["merchant_id"], call.path["offer_id"])
    return Reply(service.open_offer(call.now, name))
