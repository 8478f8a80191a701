"""Drafts from a spreadsheet, and back. Every bad row is named; an offer with a bad row is held back whole.

``read_drafts`` and ``write_drafts`` are each other's inverse, but for blanks around a text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import NamedTuple

from chalicelib.core.text import Text
from chalicelib.offers.rules.checking import faults_of
from chalicelib.offers.rules.csv_cells import Cells, RowFault, tiers_of
from chalicelib.offers.rules.csv_columns import BY_NAME, IDS, NAMES, REQUIRED, column_of, named
from chalicelib.offers.rules.csv_text import CsvUnreadable, Record, filled_lines, records, to_csv
from chalicelib.offers.rules.offer import DEFAULT_PRIORITY, Offer, OfferTier, Product, Quota, Share, Stacking, Variant

MAX_ROWS = 20_000


class Home(NamedTuple):
    """Whose drafts they are, and in whose days they count: not the spreadsheet's to say."""

    city_id: str
    merchant_id: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be taken, by the number of its line (the header is line 1), and why."""

    line: int
    faults: tuple[RowFault, ...]


@dataclass(frozen=True, slots=True)
class Imported:
    """What a spreadsheet came to. ``held_back``: sound rows of an offer that has a bad one, by line."""

    drafts: tuple[Offer, ...]
    bad_rows: tuple[BadRow, ...]
    held_back: tuple[int, ...]


def read_drafts(text: str, home: Home) -> Imported:
    """The drafts that a spreadsheet holds, each as version 1, and every row that cannot be taken.

    Raises: CsvUnreadable: there are more than ``MAX_ROWS`` rows; the first line is not the header; there are no rows;
        in this order.
    """
    _require_few(text)
    rows = records(text)
    header = _header(next(rows, None))
    drafts: list[Offer] = []
    bad: list[BadRow] = []
    held_back: list[int] = []
    seen: set[str] = set()
    groups = groupby((_row(header, record) for record in rows), key=lambda row: row.get("offer_id"))
    for offer_id, group in groups:
        draft, cells = _draft(list(group), home, again=offer_id in seen)
        seen.add(offer_id)
        wrong = [BadRow(row.line, tuple(row.faults)) for row in cells if row.faults]
        drafts += [] if wrong else [draft]
        held_back += [row.line for row in cells if wrong and not row.faults]
        bad += wrong
    if not seen:
        raise CsvUnreadable(Text("表格只有表头，没有数据行", "The spreadsheet has a header and no rows"))
    return Imported(tuple(drafts), tuple(bad), tuple(held_back))


def _require_few(text: str) -> None:
    """Returns if there are not more rows than are looked at: a short row costs as much as a long one."""
    filled = sum(1 for _ in filled_lines(text))
    if filled > MAX_ROWS + 1:
        said = Text("表格超过 {most} 行，请分批导入", "The spreadsheet has more than {most} rows; import it in parts")
        raise CsvUnreadable(said.format(most=f"{MAX_ROWS}"))


def _header(first: Record | None) -> list[str]:
    columns = [named(cell) for cell in first.cells] if first is not None else []
    known = [column for column in columns if column is not None]
    if len(known) < len(columns) or len(set(known)) < len(known) or not set(known) >= REQUIRED:
        said = Text("第一行应为表头，至少有：{columns}", "The first line must be the header, with at least: {columns}")
        raise CsvUnreadable(said.format(columns=",".join(name for name in NAMES if name in REQUIRED)))
    return known


def _row(header: Sequence[str], record: Record) -> Cells:
    row = Cells(record.line, dict(zip(header, record.cells, strict=False)))
    if not record.sound or len(record.cells) != len(header):
        said = Text("该行的列数或引号有误", "The cells or quotation marks of this row are not in order")
        row.break_off(said)
    return row


def _draft(rows: Sequence[Cells], home: Home, *, again: bool) -> tuple[Offer, Sequence[Cells]]:
    """The offer of these rows, which is sound if none of them has a fault afterwards."""
    if again:
        said = Text("同一优惠的各行应连在一起", "The rows of an offer stand together")
        rows[0].fault("offer_id", said)
    products: dict[str, Cells] = {}
    for row in rows:
        if row is not rows[0]:
            row.agree(rows[0], "offer")
        if row.get("product_id") in products:
            row.agree(products[row.get("product_id")], "product")
        products.setdefault(row.get("product_id"), row)
        row.require([name for name in NAMES if name in REQUIRED and (row is rows[0] or _own(row, name, products))])
    draft = _offer(rows, home)
    if not any(row.faults for row in rows):
        _judge(draft, rows)
    return draft, rows


def _own(row: Cells, name: str, products: dict[str, Cells]) -> bool:
    """Whether a blank cell is this row's own lack, not that of the first row of its offer or product."""
    level = BY_NAME[name].level
    return name in IDS or level == "variant" or (level == "product" and products[row.get("product_id")] is row)


def _judge(draft: Offer, rows: Sequence[Cells]) -> None:
    """Notes what is wrong with the draft in the row where it stands."""
    places: dict[str, Cells] = {}
    for index, mine in enumerate(_by_product(rows)):
        places[f"/products/{index}"] = mine[0]
        places |= {f"/products/{index}/variants/{number}": row for number, row in enumerate(mine)}
    for item in faults_of(draft):
        if item.severity == "error":
            steps = item.pointer.split("/")
            row = places.get("/".join(steps[:5])) or places.get("/".join(steps[:3])) or rows[0]
            row.fault(column_of(item.pointer), item.message)


def _by_product(rows: Sequence[Cells]) -> list[list[Cells]]:
    found: dict[str, list[Cells]] = {}
    for row in rows:
        found.setdefault(row.get("product_id"), []).append(row)
    return list(found.values())


def _offer(rows: Sequence[Cells], home: Home) -> Offer:
    first = rows[0]
    priority = first.whole("priority")
    return Offer(
        **home._asdict(),
        offer_id=first.get("offer_id"),
        version=1,
        title=first.text("title"),
        description=first.text("description"),
        category=first.get("category"),
        scenario_id=first.get("scenario_id"),
        tiers_by=first.among("tiers_by", {"grade": "grade", "scenario": "scenario"}, "grade"),
        tiers=tiers_of(rows),
        products=tuple(_product(mine) for mine in _by_product(rows)),
        valid_from=first.instant("valid_from"),
        valid_to=first.instant("valid_to"),
        funding=first.funding(),
        districts=first.items("districts"),
        budget_fen=first.whole("budget_fen"),
        quota=Quota(*(first.whole(f"quota_{window}") for window in ("day", "week", "month", "lifetime"))),
        reservation_seconds=first.whole("reservation_seconds"),
        on_refund=first.among("on_refund", {"restore": "restore", "burn": "burn"}, "restore"),
        stacking=Stacking(
            first.get("exclusive_group") or None,
            DEFAULT_PRIORITY if priority is None else priority,
            first.whole("cap_bp"),
            first.whole("cap_fen"),
        ),
        show_stock=first.yes("show_stock"),
        illustrative=first.yes("illustrative"),
    )


def _product(rows: Sequence[Cells]) -> Product:
    first = rows[0]
    photos = tuple(first.get("photos").split())
    return Product(first.get("product_id"), first.text("product"), tuple(_variant(row) for row in rows), photos)


def _variant(row: Cells) -> Variant:
    price_fen, stock = row.whole("price_fen"), row.whole("stock")
    return Variant(row.get("variant_id"), row.text("variant"), price_fen or 0, stock or 0)


def write_drafts(offers: Iterable[Offer]) -> str:
    """A spreadsheet of these offers: the header, and a row for every variant, every cell neutral."""
    rows = [_cells(offer, product, variant) for offer in offers for product in offer.products
            for variant in product.variants]  # fmt: skip
    return to_csv([NAMES, *([row.get(name, "") for name in NAMES] for row in rows)])


def _cells(offer: Offer, product: Product, variant: Variant) -> dict[str, str]:
    numbers = {
        "budget_fen": offer.budget_fen,
        "quota_day": offer.quota.day,
        "quota_week": offer.quota.week,
        "quota_month": offer.quota.month,
        "quota_lifetime": offer.quota.lifetime,
        "reservation_seconds": offer.reservation_seconds,
        "priority": offer.stacking.priority,
        "cap_bp": offer.stacking.cap_bp,
        "cap_fen": offer.stacking.cap_fen,
        "price_fen": variant.price_fen,
        "stock": variant.stock,
    }
    texts = {"title": offer.title, "description": offer.description, "product": product.name, "variant": variant.name}
    return {
        **{name: str(number) for name, number in numbers.items() if number is not None},
        **{f"{name}_zh": text.zh for name, text in texts.items()},
        **{f"{name}_en": text.en for name, text in texts.items()},
        "offer_id": offer.offer_id,
        "category": offer.category,
        "districts": ";".join(offer.districts),
        "scenario_id": offer.scenario_id,
        "tiers_by": offer.tiers_by,
        "valid_from": _stamp(offer.valid_from),
        "valid_to": _stamp(offer.valid_to),
        "funding": ";".join(_share(share) for share in offer.funding),
        "on_refund": offer.on_refund,
        "exclusive_group": offer.stacking.exclusive_group or "",
        "show_stock": "yes" if offer.show_stock else "no",
        "illustrative": "yes" if offer.illustrative else "no",
        "product_id": product.product_id,
        "photos": " ".join(product.photos),
        "variant_id": variant.variant_id,
        "tiers": ";".join(f"{tier.tier}={_terms(tier, variant)}" for tier in offer.tiers),
    }


def _terms(tier: OfferTier, variant: Variant) -> str:
    if tier.discount_bp is not None:
        return f"{tier.discount_bp}bp"
    fixed = tier.prices_fen.get(variant.variant_id)
    return "list" if fixed is None else f"{fixed}fen"


def _share(share: Share) -> str:
    who = share.funder if share.partner_id is None else f"{share.funder}/{share.partner_id}"
    return f"{who}={share.share_bp}"


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
