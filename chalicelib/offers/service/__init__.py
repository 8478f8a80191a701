"""What happens with offers: one function per verb."""

from chalicelib.offers.service.browsing import PublicOffer, browse, open_offer
from chalicelib.offers.service.desk import Name
from chalicelib.offers.service.exporting import MAX_BYTES as IMPORT_MAX_BYTES
from chalicelib.offers.service.exporting import export_drafts
from chalicelib.offers.service.importing import ImportReport, import_drafts
from chalicelib.offers.service.previewing import preview
from chalicelib.offers.service.purchases import deal_for, own_purchase, purchases, replay
from chalicelib.offers.service.quoting import quote_at_counter, quote_for_self
from chalicelib.offers.service.redeeming import Mine, merchants, persons, redeem, release, reserve
from chalicelib.offers.service.refunding import refund
from chalicelib.offers.service.shelf import Ask
from chalicelib.offers.service.shelving import draft, edit, move, read_to_edit
from chalicelib.offers.service.viewing import HeadView, OfferView, Waiting, list_offers, list_waiting, read_version

__all__ = [
    "IMPORT_MAX_BYTES",
    "Ask",
    "HeadView",
    "ImportReport",
    "Mine",
    "Name",
    "OfferView",
    "PublicOffer",
    "Waiting",
    "browse",
    "deal_for",
    "draft",
    "edit",
    "export_drafts",
    "import_drafts",
    "list_offers",
    "list_waiting",
    "merchants",
    "move",
    "open_offer",
    "own_purchase",
    "persons",
    "preview",
    "purchases",
    "quote_at_counter",
    "quote_for_self",
    "read_to_edit",
    "read_version",
    "redeem",
    "refund",
    "release",
    "replay",
    "reserve",
]
