"""The columns of a spreadsheet of drafts. One row is one variant; the rows of an offer stand together.

The three ids stand in every row. What else belongs to the offer or to the product is written in its first row; below,
it is left blank or said again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from chalicelib.core.text import Text

Level = Literal["offer", "product", "variant"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its header in English and in Chinese, to what it belongs, and what its cells are."""

    name: str
    name_zh: str
    level: Level
    required: bool
    said: Text


_WHOLE_FEN = Text("整数，单位分", "a whole number of fen")
_WHOLE = Text("整数", "a whole number")
_ID = Text("小写字母、数字、连字符、下划线", "small letters, digits, hyphens, underscores")
_INSTANT = Text("UTC 时刻，如 2026-08-31T16:00:00Z", "an instant in UTC, as 2026-08-31T16:00:00Z")
_YES_NO = Text("yes 或 no（是、否）；空为 no", "yes or no; blank: no")
_ZH = Text("中文，一行", "one line in Chinese")
_EN = Text("英文，一行", "one line in English")
_FUNDING = Text(
    "出资方=基点，用 ; 隔开，合计 10000；银行写 bank/编号。如 merchant=5000;city=5000",
    "who bears the discount, in basis points, 10000 in all, separated by `;`; a bank as bank/id. "
    "As merchant=5000;city=5000",
)
_TIERS = Text(
    "档位=折扣或价格，用 ; 隔开：3000bp 为减三成，2520fen 为该规格的价格，list 为标价。如 良好=1000bp;优秀=3000bp",
    "tier=terms, separated by `;`: 3000bp is 30 % off, 2520fen the price of this variant, list its list price. "
    "As 良好=1000bp;优秀=3000bp",
)

COLUMNS: tuple[Column, ...] = (
    Column("offer_id", "优惠编号", "offer", True, _ID),
    Column("title_zh", "标题", "offer", True, _ZH),
    Column("title_en", "英文标题", "offer", True, _EN),
    Column("description_zh", "说明", "offer", True, _ZH),
    Column("description_en", "英文说明", "offer", True, _EN),
    Column("category", "类别", "offer", True, Text("目录类别的编号", "a category of the catalogue")),
    Column(
        "districts",
        "适用区",
        "offer",
        False,
        Text("区的编号，用 ; 隔开；空为全市", "ids of districts, separated by `;`; blank: the whole city"),
    ),
    Column("scenario_id", "应用场景", "offer", True, Text("应用场景的编号", "the id of the scenario")),
    Column("tiers_by", "分档依据", "offer", True, Text("grade（等级）或 scenario（场景的档位）", "grade, or scenario")),
    Column("budget_fen", "优惠预算", "offer", False, _WHOLE_FEN),
    Column("quota_day", "每人每日限购", "offer", False, _WHOLE),
    Column("quota_week", "每人每周限购", "offer", False, _WHOLE),
    Column("quota_month", "每人每月限购", "offer", False, _WHOLE),
    Column("quota_lifetime", "每人累计限购", "offer", False, _WHOLE),
    Column("valid_from", "开始时间", "offer", True, _INSTANT),
    Column("valid_to", "结束时间", "offer", True, _INSTANT),
    Column(
        "reservation_seconds",
        "预留秒数",
        "offer",
        False,
        Text("整数；空为不能预留", "a whole number; blank: no reservations"),
    ),
    Column("funding", "出资", "offer", True, _FUNDING),
    Column(
        "on_refund",
        "退款后",
        "offer",
        False,
        Text(
            "restore（退还库存、预算和限购）或 burn（不退还）；空为 restore",
            "restore (stock, budget and quota come back) or burn; blank: restore",
        ),
    ),
    Column("exclusive_group", "互斥组", "offer", False, _ID),
    Column("priority", "次序", "offer", False, Text("整数；空为 100", "a whole number; blank: 100")),
    Column("cap_bp", "整单上限比例", "offer", False, Text("整数，单位基点", "a whole number of basis points")),
    Column("cap_fen", "整单上限金额", "offer", False, _WHOLE_FEN),
    Column("show_stock", "公开库存", "offer", False, _YES_NO),
    Column("illustrative", "示例数据", "offer", False, _YES_NO),
    Column("product_id", "商品编号", "product", True, _ID),
    Column("product_zh", "商品名称", "product", True, _ZH),
    Column("product_en", "商品英文名称", "product", True, _EN),
    Column("photos", "照片", "product", False, Text("https 网址，用空格隔开", "https addresses, separated by blanks")),
    Column("variant_id", "规格编号", "variant", True, _ID),
    Column("variant_zh", "规格名称", "variant", True, _ZH),
    Column("variant_en", "规格英文名称", "variant", True, _EN),
    Column("price_fen", "标价", "variant", True, _WHOLE_FEN),
    Column("stock", "库存", "variant", True, _WHOLE),
    Column("tiers", "各档", "variant", False, _TIERS),
)

NAMES: tuple[str, ...] = tuple(column.name for column in COLUMNS)
BY_NAME: Mapping[str, Column] = {column.name: column for column in COLUMNS}
REQUIRED: frozenset[str] = frozenset(column.name for column in COLUMNS if column.required)
IDS = ("offer_id", "product_id", "variant_id")
_CALLED: Mapping[str, str] = {column.name_zh: column.name for column in COLUMNS} | {name: name for name in NAMES}


def named(header: str) -> str | None:
    """The column of a header cell, in either language; None if there is none."""
    return _CALLED.get(header.strip())


def column_of(pointer: str) -> str:
    """The column in which a fault of the offer (a JSON pointer) lies."""
    steps = [step for step in pointer.split("/") if step and not step.isdigit()]
    first, last = steps[0], steps[-1]
    if first == "products":
        level = "variant" if "variants" in steps else "product"
        return f"{level}_{last}" if "name" in steps else last if last in BY_NAME else f"{level}_id"
    if first == "quota":
        return f"quota_{last}"
    if first in {"title", "description"}:
        return f"{first}_{last}"
    return last if first == "stacking" else first
