"""Xiamen's scale with its illustrative cuts, the published tables, and drafts to break."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import chalicelib.scenarios
from chalicelib.cities.rules import Grade, Scale
from chalicelib.core.text import Text
from chalicelib.scenarios.rules import CompiledTable, TierTable, compile_table, parse_table

DATA = Path(chalicelib.scenarios.__file__).parent / "data"
GRADES = (("不良", "Poor", None), ("一般", "Fair", 500), ("良好", "Good", 560), ("优秀", "Very good", 620), ("极好", "Excellent", 680))  # fmt: skip  # noqa: E501

Draft = Callable[..., dict[str, Any]]


@pytest.fixture
def scale() -> Scale:
    name, grades = Text("白鹭分", "Egret score"), tuple(Grade(*grade) for grade in GRADES)
    return Scale("xiamen", 1, name, 0, 1000, 1, "higher_is_better", grades, date(2018, 7, 5), "illustrative", True)


@pytest.fixture
def published() -> Callable[[str], TierTable]:
    return lambda name: parse_table(json.loads((DATA / f"xiamen_{name}.json").read_text("utf-8")))


@pytest.fixture
def compiled(published: Callable[[str], TierTable], scale: Scale) -> Callable[[str], CompiledTable]:
    return lambda name: compile_table(published(name), scale)


@pytest.fixture
def tier() -> Draft:
    def build(tier_id: str, when: Any, **benefit: int | bool) -> dict[str, Any]:
        return {"tier_id": tier_id, "name": {"zh": f"{tier_id}档", "en": tier_id}, "when": when, "benefit": benefit}

    return build


@pytest.fixture
def draft() -> Draft:
    """A document with one city-wide area of these tiers; keywords replace top-level fields or set ``without``."""

    def build(*tiers: Any, cumulative: bool = False, without: Any = None, **top: Any) -> dict[str, Any]:
        area = {"district": None, "cumulative": cumulative, "tiers": list(tiers), "without": without or {}}
        return {
            "city_id": "xiamen",
            "scenario_id": "draft",
            "version": 1,
            "name": {"zh": "草案", "en": "Draft"},
            "use": "parking",
            "recipients": ["parking_operator"],
            "valid_from": "2025-01-01",
            "valid_to": None,
            "areas": [area],
            "source": "made for a test",
            "illustrative": True,
        } | top

    return build
