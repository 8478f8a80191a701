"""How a city asks what its offers have brought."""

from __future__ import annotations

from chalicelib.core.auth import allow
from chalicelib.core.http import Call, Reply
from chalicelib.core.text import Text
from chalicelib.offers.routes.blueprint import routes
from chalicelib.offers.rules.statistics import days_between
from chalicelib.offers.service import statistics


@routes.route(
    "GET", "/v1/cities/{city_id}/statistics", policy=allow("city", scope="statistics:read", owner="city_id"),
    query=("from", "to", "scenario"), reply="offers/statistics.json",
    summary=Text(
        "用信次数、服务外地居民与惠民金额，按场景、区与日",
        "Benefits used, visitors served and money saved, by scenario, district and day",
    ),
)  # fmt: skip
def get_statistics(call: Call) -> Reply:
    """Both days are included; at most 92 days at once. Fewer than ten uses are not shown."""
    days = days_between(call.query.get("from"), call.query.get("to"))
    return Reply(statistics.read(call.now, call.path["city_id"], days, call.query.get("scenario")))
