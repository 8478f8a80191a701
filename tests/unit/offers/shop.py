"""A shop to try the rules on: Xiamen's scale, its produce scenario, and the offers of the demo's merchants."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import chalicelib.scenarios
from chalicelib.cities.rules import Grade, Scale
from chalicelib.core.text import Text
from chalicelib.offers.rules import (
    CompiledOffer,
    Offer,
    OfferTier,
    Product,
    Share,
    Variant,
    compile_offer,
)
from chalicelib.scenarios.rules import (
    CompiledTable,
    Decision,
    Facts,
    NoStanding,
    ResidentStanding,
    compile_table,
    decide,
    parse_table,
)

DATA = Path(chalicelib.scenarios.__file__).parent / "data"
GRADES = (("不良", "Poor", None), ("一般", "Fair", 500), ("良好", "Good", 560), ("优秀", "Very good", 620), ("极好", "Excellent", 680))  # fmt: skip  # noqa: E501
NOON = datetime(2026, 8, 3, 4, tzinfo=UTC)
TODAY = date(2026, 8, 3)
ZONE = "Asia/Shanghai"
TOFU = Variant("tofu-skin-250g", Text("清流嵩溪豆腐皮 250 克", "Songxi tofu skin, 250 g"), 3600, 500)
TEA = Variant("tea-100g", Text("高山绿茶 100 克", "mountain green tea, 100 g"), 8800, 200)
BY_GRADE = {"一般": 500, "良好": 1000, "优秀": 3000, "极好": 5000}


def scale(**changes: Any) -> Scale:
    grades = tuple(Grade(*grade) for grade in GRADES)
    name = Text("白鹭分", "Egret score")
    made = Scale("xiamen", 1, name, 0, 1000, 1, "higher_is_better", grades, date(2018, 7, 5), "illustrative", True)
    return replace(made, **changes)


def published(name: str = "jimei_produce") -> CompiledTable:
    return compile_table(parse_table(json.loads((DATA / f"xiamen_{name}.json").read_text("utf-8"))), scale())


def scenario(*tiers: dict[str, Any], cumulative: bool = False, **top: Any) -> CompiledTable:
    """A produce scenario with one city-wide area of these tiers, or with other areas."""
    document = {
        "city_id": "xiamen", "scenario_id": "jimei_produce", "version": 2,
        "name": {"zh": "集美信用购", "en": "Produce"},
        "use": "produce", "recipients": ["merchant"], "valid_from": "2025-01-01", "valid_to": None,
        "areas": [{"district": None, "cumulative": cumulative, "tiers": list(tiers)}], "source": "made for a test",
    }  # fmt: skip
    return compile_table(parse_table(document | top), scale())


def row(tier_id: str, when: Any) -> dict[str, Any]:
    return {"tier_id": tier_id, "name": {"zh": f"{tier_id}档", "en": tier_id}, "when": when, "benefit": {}}


def fixed(tier: str, **prices_fen: int) -> OfferTier:
    """A tier with prices: ``tofu`` and ``tea``."""
    names = {"tofu": TOFU.variant_id, "tea": TEA.variant_id}
    return OfferTier(tier, None, {names.get(name, name): price for name, price in prices_fen.items()})


def percent(tiers: dict[str, int]) -> tuple[OfferTier, ...]:
    return tuple(OfferTier(tier, discount_bp) for tier, discount_bp in tiers.items())


def offer(**changes: Any) -> Offer:
    """Tea and tofu skin of 清流 at the demo's discounts by grade, half borne by the city."""
    made = Offer(
        city_id="xiamen",
        merchant_id="qingliu-farm",
        offer_id="qingliu-summer",
        version=1,
        time_zone=ZONE,
        title=Text("清流好物", "Good things from Qingliu"),
        description=Text("信用越好，价格越低", "The better the score, the lower the price"),
        category="tea",
        scenario_id="jimei_produce",
        tiers_by="grade",
        tiers=percent(BY_GRADE),
        products=(
            Product("tofu-skin", Text("豆腐皮", "Tofu skin"), (TOFU,), ("https://shop.example/tofu.jpg",)),
            Product("tea", Text("绿茶", "Green tea"), (TEA,)),
        ),
        valid_from=datetime(2026, 7, 31, 16, tzinfo=UTC),
        valid_to=datetime(2026, 8, 31, 16, tzinfo=UTC),
        funding=(Share("merchant", 5000), Share("city", 5000)),
        illustrative=True,
    )
    return replace(made, **changes)


def compiled(made: Offer | None = None, table: CompiledTable | None = None) -> CompiledOffer:
    return compile_offer(made or offer(), table or published())


def judged(ready: CompiledOffer, score: int | None, district: str | None = None, **facts: bool) -> Decision:
    """What a resident with this score (None: without one) is given by an offer."""
    standing = NoStanding("no_score") if score is None else ResidentStanding.of(ready.table.scale, score)
    return decide(ready.table, Facts(TODAY, district, standing, facts, True))
