"""What an offer may say: every fault of a draft, each with the least change that has it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core import codec, schema
from chalicelib.core.errors import InvalidRequest
from chalicelib.core.text import Text
from chalicelib.offers.rules import (
    CATEGORIES,
    Offer,
    OfferInvalid,
    OfferTier,
    Product,
    Quota,
    Share,
    Stacking,
    check_offer,
    faults_of,
)
from chalicelib.offers.rules.findings import CODES
from chalicelib.scenarios.rules import USES
from tests.unit.offers.shop import NOON, TEA, TOFU, fixed, offer, percent

NAME = Text("茶", "Tea")
V = "/products/0/variants/0"


def goods(**changes: Any) -> dict[str, Any]:
    """One product with one variant that is changed so."""
    return {"products": (Product("p-1", NAME, (replace(TEA, **changes),)),)}


def product(*variants: Any, product_id: str = "p-1", name: Text = NAME, photos: tuple[str, ...] = ()) -> Product:
    return Product(product_id, name, variants or (TEA,), photos)


NOT_WHOLE = [True, 1.0, 1.5, "1", None, -1, 2**63]
CASES: list[tuple[str, dict[str, Any], list[tuple[str, str]]]] = [
    ("faultless", {}, []),
    ("title", {"title": Text("", "x" * 81)}, [("text-unfit", "/title/zh"), ("text-unfit", "/title/en")]),
    (
        "a control character",
        {"title": Text("茶\u202e", "tea\n")},
        [("text-unfit", "/title/zh"), ("text-unfit", "/title/en")],
    ),
    (
        "description",
        {"description": Text("好" * 501, " ")},
        [("text-unfit", "/description/zh"), ("text-unfit", "/description/en")],
    ),
    ("id", {"offer_id": "Tea", "scenario_id": "x"}, [("id-unfit", "/offer_id"), ("id-unfit", "/scenario_id")]),
    ("category", {"category": "weapons"}, [("category-unknown", "/category")]),
    ("a word of the path", {"offer_id": "import"}, [("id-reserved", "/offer_id")]),
    ("another word of the path", {"offer_id": "export"}, [("id-reserved", "/offer_id")]),
    ("end before start", {"valid_to": NOON - timedelta(days=90)}, [("dates-contradict", "/valid_to")]),
    ("end at start", {"valid_to": offer().valid_from}, [("dates-contradict", "/valid_to")]),
    ("district twice", {"districts": ("jimei", "jimei")}, [("repeated", "/districts/1")]),
    ("districts", {"districts": tuple(f"d-{n}" for n in range(41))}, [("too-many", "/districts")]),
    ("nothing to sell", {"products": ()}, [("too-many", "/products")]),
    (
        "a product of nothing",
        {"products": (Product("p-0", NAME, ()), product())},
        [("too-many", "/products/0/variants")],
    ),
    ("product twice", {"products": (product(TEA), product(TOFU))}, [("repeated", "/products/1/product_id")]),
    (
        "variant twice",
        {"products": (product(TEA), product(TOFU, TEA, product_id="p-2"))},
        [("repeated", "/products/1/variants/1/variant_id")],
    ),
    (
        "photo",
        {"products": (product(photos=("https://a.example/x.jpg", "http://a.example/x.jpg")),)},
        [("photo-unfit", "/products/0/photos/1")],
    ),
    ("no photo", {"products": (product(photos=("javascript:alert(1)",)),)}, [("photo-unfit", "/products/0/photos/0")]),
    (
        "photo with a blank",
        {"products": (product(photos=("https://a.example/a b",)),)},
        [("photo-unfit", "/products/0/photos/0")],
    ),
    ("photos", {"products": (product(photos=("https://a.example",) * 9),)}, [("too-many", "/products/0/photos")]),
    ("product's name", {"products": (product(name=Text("", "Tea")),)}, [("text-unfit", "/products/0/name/zh")]),
    ("a free product", goods(price_fen=0), [("price-unfit", f"{V}/price_fen")]),
    ("a huge price", goods(price_fen=10**9 + 1), [("price-unfit", f"{V}/price_fen")]),
    ("stock of none", goods(stock=0), []),
    ("a huge stock", goods(stock=10**9 + 1), [("stock-unfit", f"{V}/stock")]),
    ("no tiers", {"tiers": ()}, [("too-many", "/tiers")]),
    ("tiers", {"tiers": percent({f"t{n}": 100 for n in range(13)})}, [("too-many", "/tiers")]),
    ("tier twice", {"tiers": (*percent({"良好": 100}), *percent({"良好": 200}))}, [("repeated", "/tiers/1/tier")]),
    ("tier without a name", {"tiers": percent({" ": 100})}, [("text-unfit", "/tiers/0/tier")]),
    ("neither", {"tiers": (OfferTier("良好"),)}, [("tier-terms", "/tiers/0")]),
    ("both", {"tiers": (OfferTier("良好", 100, {TEA.variant_id: 1}),)}, [("tier-terms", "/tiers/0")]),
    ("all of it off", {"tiers": percent({"良好": 10_000})}, [("discount-unfit", "/tiers/0/discount_bp")]),
    ("nothing off", {"tiers": percent({"良好": 0})}, [("discount-unfit", "/tiers/0/discount_bp")]),
    (
        "price of another's",
        {"tiers": (fixed("良好", tea=8000, coffee=1),)},
        [("variant-unknown", "/tiers/0/prices_fen")],
    ),
    (
        "tier for nothing",
        {"tiers": (fixed("良好", tea=0),)},
        [("price-unfit", f"/tiers/0/prices_fen/{TEA.variant_id}")],
    ),
    ("above the list price", {"tiers": (fixed("良好", tea=8801),)}, [("worse-than-without", "/tiers/0")]),
    ("at the list price", {"tiers": (fixed("良好", tea=8800),)}, [("tier-idle", "/tiers/0")]),
    ("rounded to nothing", goods(price_fen=1) | {"tiers": percent({"良好": 1})}, [("price-zero", "/tiers/0")]),
    ("budget", {"budget_fen": 0}, [("budget-unfit", "/budget_fen")]),
    (
        "budget of less than one",
        {"budget_fen": 439, "tiers": percent({"良好": 500})},
        [("budget-small", "/budget_fen")],
    ),
    ("budget of one", {"budget_fen": 440, "tiers": percent({"良好": 500})}, []),
    ("quota", {"quota": Quota(day=0)}, [("quota-unfit", "/quota/day")]),
    ("idle quota", {"quota": Quota(day=3, month=3)}, [("quota-idle", "/quota/day")]),
    ("rising quotas", {"quota": Quota(1, 2, 3, 4)}, []),
    ("reservation", {"reservation_seconds": 599}, [("reservation-unfit", "/reservation_seconds")]),
    ("reservation without end", {"reservation_seconds": 31 * 86_400}, [("reservation-unfit", "/reservation_seconds")]),
    ("nobody pays", {"funding": ()}, [("too-many", "/funding")]),
    ("shares", {"funding": (Share("merchant", 5000), Share("city", 4999))}, [("funding-sum", "/funding")]),
    (
        "a share of nothing",
        {"funding": (Share("merchant", 10_000), Share("city", 0))},
        [("funding-unfit", "/funding/1/share_bp")],
    ),
    ("the city twice", {"funding": (Share("city", 5000), Share("city", 5000))}, [("repeated", "/funding/1")]),
    ("two banks", {"funding": (Share("bank", 5000, "bank-a"), Share("bank", 5000, "bank-b"))}, []),
    ("some bank", {"funding": (Share("bank", 10_000),)}, [("funding-bank", "/funding/0")]),
    ("a city by name", {"funding": (Share("city", 10_000, "xiamen"),)}, [("funding-bank", "/funding/0")]),
    ("group", {"stacking": Stacking("!")}, [("id-unfit", "/stacking/exclusive_group")]),
    ("priority", {"stacking": Stacking(priority=1_001)}, [("priority-unfit", "/stacking/priority")]),
    (
        "caps",
        {"stacking": Stacking(cap_bp=10_001, cap_fen=0)},
        [("cap-unfit", "/stacking/cap_bp"), ("cap-unfit", "/stacking/cap_fen")],
    ),
]


@pytest.mark.parametrize(("changes", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_an_offer_is_told_this_and_nothing_else(changes: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    found = faults_of(offer(**changes))
    assert [(item.code, item.pointer) for item in found] == expected
    assert all("{" not in item.message.zh + item.message.en for item in found)


@pytest.mark.parametrize("amount", NOT_WHOLE)
def test_an_amount_is_a_whole_number_within_its_bounds(amount: Any) -> None:
    amounts: list[tuple[str, dict[str, Any]]] = [
        (f"{V}/price_fen", goods(price_fen=amount)),
        (f"{V}/stock", goods(stock=amount)),
        (f"/tiers/0/prices_fen/{TEA.variant_id}", {"tiers": (OfferTier("良好", None, {TEA.variant_id: amount}),)}),
        ("/funding/0/share_bp", {"funding": (Share("merchant", amount),)}),
        ("/stacking/priority", {"stacking": Stacking(priority=amount)}),
    ]
    if amount is not None:
        amounts += [
            ("/tiers/0/discount_bp", {"tiers": (OfferTier("良好", amount),)}),
            ("/budget_fen", {"budget_fen": amount}),
            ("/quota/week", {"quota": Quota(week=amount)}),
            ("/reservation_seconds", {"reservation_seconds": amount}),
            ("/stacking/cap_bp", {"stacking": Stacking(cap_bp=amount)}),
        ]
    for pointer, changes in amounts:
        assert pointer in {item.pointer for item in faults_of(offer(**changes)) if item.severity == "error"}, pointer


def test_a_draft_is_refused_with_every_place_at_once() -> None:
    bad = offer(category="weapons", valid_to=offer().valid_from, budget_fen=-1)
    with pytest.raises(OfferInvalid) as refused:
        check_offer(bad)
    assert [fault.pointer for fault in refused.value.faults] == ["/category", "/valid_to", "/budget_fen"]


def test_a_doubt_does_not_bar_a_draft() -> None:
    doubtful = offer(quota=Quota(day=5, week=5))
    assert check_offer(doubtful) is doubtful


def test_every_category_stands_for_a_use_that_scenarios_know() -> None:
    assert {category.use for category in CATEGORIES.values()} <= USES.keys()
    listed = schema.documents()["offers/offer.json"]["$defs"]["category"]["enum"]
    assert listed == list(CATEGORIES)


def test_an_offer_reads_back_from_json_and_fits_its_schema() -> None:
    made = offer(quota=Quota(1, None, 3), stacking=Stacking("summer", 7, 5000), tiers=(fixed("良好", tea=8000),))
    body = json.loads(codec.to_json(made))
    schema.validate("offers/offer.json", body)
    assert codec.build(Offer, body) == made


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("products", 0, "variants", 0, "price_fen"), 0),
        (("products", 0, "variants", 0, "price_fen"), -1),
        (("products", 0, "variants", 0, "price_fen"), 1.5),
        (("products", 0, "variants", 0, "price_fen"), True),
        (("products", 0, "variants", 0, "price_fen"), 10**10),
        (("products", 0, "photos", 0), "http://a.example/x"),
        (("tiers", 0, "discount_bp"), 10_000),
        (("quota",), {"year": 1}),
        (("funding", 0, "funder"), "mafia"),
        (("valid_to",), "2026-08-31"),
    ],
)
def test_the_schema_refuses_what_the_rules_refuse(place: tuple[Any, ...], value: Any) -> None:
    body = json.loads(codec.to_json(offer()))
    inner = body
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    with pytest.raises(InvalidRequest):
        schema.validate("offers/offer.json", body)


def test_no_sentence_is_unused() -> None:
    told = {code for _, _, expected in CASES for code, _ in expected}
    relative = {
        "city-mismatch", "recipient-missing", "use-mismatch", "use-forbidden", "district-unknown",
        "district-without-rules", "grade-unknown", "tier-unknown", "unreachable", "better-worse-off", "fact-worse-off",
        "grade-skipped", "rules-end-first", "scenario-unknown", "bank-unknown",
    }  # fmt: skip
    assert told | relative == CODES
