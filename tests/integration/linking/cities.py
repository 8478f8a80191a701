"""Small cities of the tests' own, with scales and distributions that a line can change."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from chalicelib.core import clock
from infra.local.demo_data.tables import last_full_month
from tests.world import ALLIANCE, Answer, World

GRADES: list[dict[str, Any]] = [
    {"name": "一般", "name_en": "fair", "cut": None},
    {"name": "良好", "name_en": "good", "cut": 500, "edge": "ge"},
    {"name": "优秀", "name_en": "very good", "cut": 600, "edge": "ge"},
]
RANKS = (0.0001, 0.001, 0.005, *(k / 100 for k in range(1, 100)), 0.995, 0.999, 0.9999)


def a_scale(**changes: Any) -> dict[str, Any]:
    """A scale of 300 to 700 by 50."""
    scale = {
        "score_name": {"zh": "刺桐分", "en": "Citong score"},
        "minimum": 300,
        "maximum": 700,
        "step": 50,
        "direction": "higher_is_better",
        "grades": GRADES,
        "valid_from": "2024-01-01",
        "source": "invented",
        "illustrative": True,
    }
    return {**scale, **changes}


def counts(**changes: Any) -> dict[str, Any]:
    """A thousand people and more on the nine scores of ``a_scale``."""
    rows = [[300 + 50 * i, people] for i, people in enumerate((20, 60, 150, 240, 260, 180, 100, 60, 30))]
    return {"kind": "counts", **period(), "n": sum(people for _, people in rows), "counts": rows, **changes}


def quantiles(**changes: Any) -> dict[str, Any]:
    """The same people as quantiles."""
    rows = [[p, 300 + 50 * min(int(9 * p), 8)] for p in RANKS]
    return {"kind": "quantiles", **period(), "n": 2000, "quantiles": rows, **changes}


def period(days: int = 0) -> dict[str, str]:
    """The last full month, moved by days."""
    first, end = last_full_month(clock.now().date())
    moved = timedelta(days=days)
    return {"period_from": (first + moved).isoformat(), "period_to": (end + moved).isoformat(), "source": "invented"}


def found(world: World, city_id: str, scale: dict[str, Any] | None = None) -> None:
    """Admits a city, and publishes its scale if there is one."""
    body = {"city_id": city_id, "name": {"zh": city_id, "en": city_id}, "time_zone": "Asia/Shanghai"}
    assert world.post("/v1/cities", ALLIANCE, body).status == 201
    if scale is not None:
        publish_scale(world, city_id, scale)


def publish_scale(world: World, city_id: str, scale: dict[str, Any]) -> None:
    """Publishes the next version of a city's scale."""
    answer = world.post(f"/v1/cities/{city_id}/scales", f"city:{city_id}", scale)
    assert answer.status == 201, answer.text


def publish(world: World, city_id: str, body: Any, **more: Any) -> Answer:
    """A city publishes a distribution."""
    return world.post(f"/v1/cities/{city_id}/distributions", f"city:{city_id}", body, **more)
