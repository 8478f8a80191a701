"""The story goes on: a market stall in Jimei. Step 5, and the merchant's part of step 8."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import jwt
from rich import box
from rich.table import Table

from chalicelib.core import clock, money
from infra.local import demo_load, demo_offers
from infra.local.client import Exchange
from infra.local.demo_data.tables import document
from infra.local.telling import Surprise, Teller

FARM = "merchant:qingliu-farm@xiamen/qingliu-operator"
RECIPIENT = "merchant:xiamen/qingliu-farm"
PERSON = "xm-693"
BUYERS = ("xm-612", "hz-760", "hz-705", "zz-130", "fz-700", "wx-750")
STATEMENTS = "/v1/cities/xiamen/partners/qingliu-farm/statements"
PATIENCE_SECONDS = 10.0
_TEA = {"offer_id": "qingliu-tea", "variant_id": "tea-100g", "units": 1}


def a_stall_opens(teller: Teller) -> None:
    """Step 5."""
    teller.chapter("五、集市：从起草优惠到核销", "5. The market: from a draft to a redemption")
    teller.says(
        "清流的商户起草一份优惠；有一稿让“优秀”的人比“良好”付得多。",
        "A merchant of Qingliu drafts an offer; in one draft 优秀 pays more than 良好.",
    )
    refusal = demo_offers.submit_unfair(teller.client)
    teller.show(refusal)
    teller.expect("draft", refusal.body["code"], "offer-lint-refused")
    _reviewed(teller, document("offers.json")[0])
    demo_offers.load_offers(teller.client)
    _catalogue(teller)


def _reviewed(teller: Teller, entry: dict[str, Any]) -> None:
    version = f"{demo_offers.offers_of(entry)}/{entry['offer']['offer_id']}/versions/1"
    demo_offers.draft(teller.client, entry)
    submitted = demo_offers.move(teller.client, entry, "submit")
    teller.expect("submitted", submitted["state"], "review")
    body = {"move": "approve", "digest": submitted["digest"]}
    refusal = teller.ask("POST", f"{version}/moves", demo_offers.author_of(entry), body, status=403, quiet=True)
    teller.expect("the author approves his own offer", refusal.body["code"], "offer-move-forbidden")
    approved = demo_offers.move(teller.client, entry, "approve")
    teller.expect("a reviewer of the city approves", approved["state"], "approved")
    released = demo_offers.move(teller.client, entry, "schedule")
    teller.expect("the merchant releases it", released["state"], "live")


def _catalogue(teller: Teller) -> None:
    items = teller.ask("GET", "/v1/cities/xiamen/catalogue?district=jimei", quiet=True).body["items"]
    shown = Table("优惠 offer", "标价 list", "最低 best", "分档 tiers", box=box.SIMPLE_HEAD)
    for item in items:
        tiers = "\n".join(f"{tier['tier']} {_both(tier['gives'])}" for tier in item["tiers"])
        low, high, best = (money.decimal(item[name]) for name in ("list_from_fen", "list_to_fen", "best_fen"))
        shown.add_row(_both(item["title"]), low if low == high else f"{low}–{high}", best, tiers)
    teller.console.print(shown)
    teller.expect("offers in Jimei", len(items), len(document("offers.json")))


def somebody_buys(teller: Teller) -> str:
    """Step 5, at the counter; the quote that step 8 refunds a line of."""
    teller.says(
        "693 分的市民出示码；商户试算：豆腐皮两份、绿茶一份。",
        "The citizen with 693 shows a pass; the merchant asks what two tofu skins and one tea cost.",
    )
    body = {"lines": [_tofu(2), _TEA], "district": "jimei"}
    asked = body | {"pass_code": _pass(teller, PERSON)}
    quoted = teller.ask("POST", "/v1/quotes", FARM, asked, status=201)
    deal = quoted.body["deal"]
    teller.expect("693 appears in what the merchant got", "693" in _without_ids(quoted), False)
    teller.expect("list price, fen", deal["list_fen"], 2 * 3600 + 8800)
    teller.expect("to pay, fen", deal["payable_fen"], 3600 + 4400)
    used = teller.ask("POST", "/v1/quotes", FARM, asked, status=409, quiet=True)
    teller.expect("a used pass", used.body["code"], "pass-used")
    quote_id = str(deal["quote_id"])
    sold = teller.ask("POST", f"/v1/quotes/{quote_id}/redemption", FARM, key="market-redemption", quiet=True)
    teller.expect("redeemed", sold.body["state"], "redeemed")
    again = teller.ask("POST", f"/v1/quotes/{quote_id}/redemption", FARM, key="market-redemption", quiet=True)
    teller.expect("the same request again: the same bytes", again.text == sold.text, True)
    _limits(teller, body)
    _next_tier(teller)
    return quote_id


def _limits(teller: Teller, body: dict[str, Any]) -> None:
    more = body | {"lines": [_tofu(1)], "pass_code": _pass(teller, PERSON)}
    refusal = teller.ask("POST", "/v1/quotes", FARM, more, status=409, quiet=True)
    _said(teller, refusal)
    teller.expect("a third one on the same day", refusal.body["code"], "quota-exceeded")
    demo_load.consent(teller.client, PERSON, "xiamen/jimei_produce", "merchant:xiamen/zogang-coop")
    online = {
        "city_id": "xiamen",
        "merchant_id": "zogang-coop",
        "lines": [{"offer_id": "zogang-barley", "variant_id": "barley-1kg", "units": 101}],
    }
    teller.says("网上买 101 份青稞，库存只有 100。", "101 of the barley, asked for online; there are 100.")
    short = teller.ask("POST", "/v1/me/quotes", f"citizen:{PERSON}", online, status=409, quiet=True)
    _said(teller, short)
    teller.expect("more than there is", short.body["code"], "out-of-stock")


def _next_tier(teller: Teller) -> None:
    teller.says("612 分的市民自己试算（不锁价）：看得到还差几分。", "The citizen with 612 tries it, in a dry run.")
    asked = {"city_id": "xiamen", "merchant_id": "qingliu-farm", "lines": [_TEA], "district": "jimei"}
    tried = teller.ask("POST", "/v1/me/quotes?dry_run=true", "citizen:xm-612", asked, quiet=True).body
    teller.console.print(f"  {_both(tried['offers'][0]['said'])}\n  {_both(tried['offers'][0]['next_tier']['said'])}")
    teller.expect("612 pays, fen", tried["deal"]["payable_fen"], 7920)
    teller.expect("points missing for the next tier", tried["offers"][0]["next_tier"]["missing_points"], 8)


def the_books_are_closed(teller: Teller, quote_id: str) -> None:
    """Step 8, the merchant's and the city's part."""
    teller.chapter("八、退款、结算与统计", "8. Refund, settlement, statistics")
    _refund(teller, quote_id)
    _neighbours(teller)
    _statistics(teller)
    _statement(teller)
    _looked(teller)


def _refund(teller: Teller, quote_id: str) -> None:
    teller.says("两行退一行：绿茶退回。", "One line of two goes back: the tea.")
    body = {"line": 1, "units": 1}
    back = teller.ask("POST", f"/v1/quotes/{quote_id}/refunds", FARM, body, status=201, quiet=True).body
    parts = {part["funder"]: part["fen"] for part in back["funding"]}
    teller.expect("back to the person, fen", back["payable_fen"], 4400)
    teller.expect("back to who bore the discount", parts, {"merchant": 2200, "city": 1320, "bank": 880})
    twice = teller.ask("POST", f"/v1/quotes/{quote_id}/refunds", FARM, body, status=409, quiet=True)
    teller.expect("the same line again", twice.body["code"], "refund-exceeds")


def _neighbours(teller: Teller) -> None:
    teller.says("街坊和外地来客也来买（请求从略）。", "Neighbours and visitors buy, too (requests left out).")
    for who in (*BUYERS, *BUYERS):
        body = {"lines": [_tofu(1)], "district": "jimei", "pass_code": _pass(teller, who)}
        quote_id = teller.ask("POST", "/v1/quotes", FARM, body, status=201, quiet=True).body["deal"]["quote_id"]
        teller.ask("POST", f"/v1/quotes/{quote_id}/redemption", FARM, quiet=True)


def _statistics(teller: Teller) -> None:
    """What the city sees, once the table's stream has been read."""
    path = f"/v1/cities/xiamen/statistics?from={_today()}&to={_today()}"
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = teller.ask("GET", path, "city:xiamen", quiet=True).body
        if (found["figures"] or {}).get("uses") == 2 * len(BUYERS) + 1:
            break
        if time.monotonic() > until:
            raise Surprise(f"the statistics do not show {2 * len(BUYERS) + 1} uses: {found}")
        time.sleep(0.2)
    figures = found["figures"]
    teller.says("厦门看到的是合计，少于 10 的不显示。", "Xiamen sees sums, and nothing where there are fewer than 10.")
    teller.expect("benefits used 用信次数", figures["uses"], 2 * len(BUYERS) + 1)
    teller.console.print(f"  惠民金额 money saved: {money.decimal(figures['saved_fen'])} 元 yuan")


def _statement(teller: Teller) -> None:
    day = _today()
    early = teller.ask("POST", f"{STATEMENTS}/{day}", FARM, status=409, quiet=True)
    _said(teller, early)
    teller.expect("a day that is not over", early.body["code"], "day-not-over")
    teller.says(
        "（演示把钟拨到次日凌晨。）商户的日结单：",
        "(The demo moves the clock to the small hours of the next day.) The merchant's statement:",
    )
    with clock.fixed(_after_midnight()):
        signed = teller.ask("POST", f"{STATEMENTS}/{day}", FARM, quiet=True)
        again = teller.ask("POST", f"{STATEMENTS}/{day}", FARM, quiet=True)
    statement = signed.body["statement"]
    _sums(teller, statement)
    total, brought = statement["totals"]["total"], statement["closing_fen"] - statement["opening_fen"]
    teller.expect("closing less opening, fen: what others owe for the day", brought, total["receivable_fen"])
    taken = total["takings_fen"] + total["own_discount_fen"] + total["receivable_fen"]
    teller.expect("sales = paid + own discount + receivable", total["sales_fen"], taken)
    teller.expect("closed again: the same statement", again.body == signed.body, True)
    keys = teller.ask("GET", "/v1/keys", quiet=True).body
    teller.expect("signed by a key that Egret publishes", _signed_by(keys, signed.body), True)


def _signed_by(keys: dict[str, Any], signed: dict[str, Any]) -> bool:
    """Whether the signature is by one of these keys, and over this statement."""
    token = signed["signature"]
    kid = jwt.get_unverified_header(token)["kid"]
    key = next(jwt.PyJWK(key) for key in keys["keys"] if key["kid"] == kid)
    return bool(jwt.decode(token, key, algorithms=["ES256"]) == signed["statement"])


def _sums(teller: Teller, statement: dict[str, Any]) -> None:
    shown = Table("", "笔数 count", "按标价 sales", "顾客实付 paid", "自担 own", "应收 receivable", box=box.SIMPLE_HEAD)
    names = {"sales": "核销 sold", "refunds": "退款 refunded", "total": "合计 total"}
    for name, title in names.items():
        sums = statement["totals"][name]
        amounts = (sums[field] for field in ("sales_fen", "takings_fen", "own_discount_fen", "receivable_fen"))
        shown.add_row(title, str(sums["entries"]), *(money.decimal(fen) for fen in amounts))
    teller.console.print(shown)


def _looked(teller: Teller) -> None:
    looks = teller.ask("GET", "/v1/me/looks?limit=6", f"citizen:{PERSON}", quiet=True).body["items"]
    for look in looks:
        teller.console.print(f"  {_both(look['words'])}")
    listed = teller.ask("GET", "/v1/me/purchases", f"citizen:{PERSON}", quiet=True).body["items"]
    receipt = listed[0]["deal"]["receipt_id"]
    replay = teller.ask("POST", f"/v1/quote-receipts/{receipt}/replay", "auditor:auditor", quiet=True).body
    teller.expect("the quote worked out again from its receipt: the same bytes", replay["same"], True)


def _tofu(units: int) -> dict[str, Any]:
    return {"offer_id": "qingliu-tofu-skin", "variant_id": "tofu-skin-250g", "units": units}


def _pass(teller: Teller, who: str) -> str:
    wish = {"recipient": RECIPIENT, "scenario": "xiamen/jimei_produce"}
    return str(teller.ask("POST", "/v1/me/passes", f"citizen:{who}", wish, status=201, quiet=True).body["pass_code"])


def _without_ids(exchange: Exchange) -> str:
    """A reply's words and figures; random ids may hold any digits."""
    deal = exchange.body["deal"]
    kept = {name: value for name, value in deal.items() if not name.endswith(("_id", "_at"))}
    return f"{kept} {exchange.body['offers']}"


def _said(teller: Teller, refusal: Exchange) -> None:
    teller.console.print(f"  {refusal.body['detail_zh']}\n  [dim]{refusal.body['detail']}[/]")


def _both(said: dict[str, str]) -> str:
    return f"{said['zh']} [dim]{said['en']}[/]"


def _here() -> datetime:
    return demo_load.now().astimezone(ZoneInfo("Asia/Shanghai"))


def _today() -> str:
    return f"{_here():%Y-%m-%d}"


def _after_midnight() -> datetime:
    day = _here().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return day + timedelta(hours=1, minutes=1)
