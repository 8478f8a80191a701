"""The story goes on: a hospital in Xiamen. Step 6, and its part of step 8."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich import box
from rich.table import Table

from chalicelib.core import clock, money
from chalicelib.core.text import Text
from infra.cli.main import main
from infra.local import demo_clinic, demo_load
from infra.local.client import Exchange
from infra.local.demo_data.tables import document
from infra.local.stack import Stack
from infra.local.telling import Teller

BANK = demo_clinic.BANK
HOSPITAL = "hospital:demo-hospital@xiamen"
LENT_TO = ("xm-693", "xm-612", "xm-525")
PATIENT, LATE = "xm-693", "xm-612"
OWN_BANK = {"city_id": "xiamen", "bank_id": "demo-bank"}
OWN_LINE = "/v1/me/credit-lines/xiamen/demo-bank"
DUE_DAYS = 42


def a_bank_lends(teller: Teller, plots: Path) -> None:
    """Step 6, the bank."""
    teller.chapter("六、信用就医：银行授信", "6. Medical credit: a bank and its limits")
    teller.says(
        "演示银行起草授信规则；批准前先看：按公布的分布，每档多少人，最多授信多少。",
        "The demo bank drafts its policy; before it is approved: how many people per tier, and how much in all.",
    )
    with clock.fixed(demo_clinic.two_days_ago()):
        demo_clinic.draft(teller.client)
        _what_if(teller, plots)
        demo_clinic.move(teller.client, "submit")
        body = {"move": "approve", "digest": _policy(teller)["digest"]}
        refusal = teller.ask(
            "POST", f"{demo_clinic.POLICIES}/1/moves", demo_clinic.AUTHOR, body, status=403, quiet=True
        )
        teller.expect("the bank approves its own policy", refusal.body["code"], "medical-policy-move-forbidden")
        demo_clinic.move(teller.client, "approve")
    teller.expect("in force, reviewed by the city", _policy(teller)["state"], "in_force")
    _lines(teller)
    _pulls(teller)


def _policy(teller: Teller) -> Any:
    return teller.ask("GET", f"{demo_clinic.POLICIES}/1", demo_clinic.REVIEWER, quiet=True).body


def _what_if(teller: Teller, plots: Path) -> None:
    found = teller.ask("GET", f"{demo_clinic.POLICIES}/1/what-if", demo_clinic.AUTHOR, quiet=True).body
    shown = Table("档位 tier", "额度 limit", "人数 people", "最多授信 exposure", box=box.SIMPLE_HEAD)
    for tier in found["tiers"]:
        amounts = money.decimal(tier["limit_fen"]), f"{tier['people']:,}", money.decimal(tier["exposure_fen"])
        shown.add_row(_both(tier["tier"]), *amounts)
    teller.console.print(shown)
    people = sum(tier["people"] for tier in found["tiers"])
    teller.expect("people in the tiers: as many as were counted", people, found["people"])
    drawn = teller.ask("GET", f"{demo_clinic.POLICIES}/1/what-if/plot", demo_clinic.AUTHOR, quiet=True)
    teller.keep(drawn, plots / "credit-policy.svg")


def _lines(teller: Teller) -> None:
    teller.says("三位市民刷脸开通额度。", "Three citizens open a line, each with a face check.")
    expected = {person["id"]: person["expect"] for person in document("people.json")["people"] if "expect" in person}
    for who in LENT_TO:
        opened = teller.ask("POST", "/v1/me/credit-lines", f"citizen:{who}", OWN_BANK, status=201, quiet=True).body
        teller.expect("credit_medical_fen", opened["limit_fen"], expected[who]["credit_medical_fen"])
    teller.console.print(f"  {_both(opened['cost'])}")


def _pulls(teller: Teller) -> None:
    teller.says(
        "他们各在银行出示一次码；此后银行批量查询额度，其中一个编号查无此人。",
        "Each shows the bank a pass once; from then on it pulls limits at once, one of them of nobody.",
    )
    ids = [_met_at_the_bank(teller, who) for who in LENT_TO]
    asked = {"subject_ids": [*ids, ids[0][:-4] + "aaaa"]}
    pulled = teller.ask("POST", "/v1/credit-limits/batch", BANK, asked, quiet=True)
    found = pulled.body["items"]
    shown = Table("", "额度 limit", "已用 used", "可用 available", "理由 reasons", box=box.SIMPLE_HEAD)
    for item in found:
        limit = item["limit"]
        if limit is None:
            shown.add_row(str(item["position"]), "—", "—", "—", _both(item["refused"]["said"]))
        else:
            amounts = (money.decimal(limit[name]) for name in ("limit_fen", "used_fen", "available_fen"))
            shown.add_row(str(item["position"]), *amounts, " ".join(limit["reasons"]))
    teller.console.print(shown)
    teller.expect("nobody of that id, or no consent", found[-1]["refused"]["code"], "consent-required")


def _met_at_the_bank(teller: Teller, who: str) -> str:
    """The id by which the bank knows somebody from now on."""
    asked = {"scenario_id": "credit_medical", "pass_code": _pass(teller, who, "bank:xiamen/demo-bank")}
    return str(teller.ask("POST", "/v1/decisions", BANK, asked, quiet=True).body["subject_id"])


def a_patient_is_treated(teller: Teller) -> None:
    """Step 6, the hospital."""
    teller.chapter("六、信用就医：先诊疗后付费", "6. Medical credit: treat first, pay later")
    teller.says(
        "693 分的市民在医院出示码，医院按预估 800 元预授权。",
        "The citizen with 693 shows a pass at the hospital, which holds an estimate of 800 yuan.",
    )
    body = {"bank_id": "demo-bank", "visit_ref": "V-2026-001"}
    too_much = body | {"estimate_fen": 300_001, "pass_code": _pass(teller, PATIENT)}
    refusal = teller.ask("POST", "/v1/visits", HOSPITAL, too_much, status=409, quiet=True)
    _said(teller, refusal)
    teller.expect("one fen over the limit", refusal.body["code"], "hold-exceeds-limit")
    estimate = body | {"estimate_fen": 80_000, "pass_code": _pass(teller, PATIENT)}
    opened = teller.ask("POST", "/v1/visits", HOSPITAL, estimate, status=201)
    teller.expect("693 appears in what the hospital got", "693" in _without_ids(opened.body), False)
    visit = f"/v1/visits/{opened.body['visit_id']}"
    _items(teller, visit)
    settled = teller.ask("POST", f"{visit}/settle", HOSPITAL, {"at": "kiosk"}, quiet=True).body
    teller.expect("settled at a kiosk; back on the line, fen", settled["returned_fen"], 80_000 - 12_000 - 9_000)
    back = {"amount_fen": 4_000}
    teller.ask("POST", f"{visit}/items/medicine-1/refunds", HOSPITAL, back, status=201, quiet=True)
    _owed(teller)


def _items(teller: Teller, visit: str) -> None:
    scan = {"item_id": "scan-1", "kind": "examination", "amount_fen": 32_000}
    teller.ask("POST", f"{visit}/items", HOSPITAL, scan, status=201, quiet=True)
    early = teller.ask("POST", f"{visit}/items/scan-1/capture", HOSPITAL, status=409, quiet=True)
    _said(teller, early)
    teller.expect("before insurance has settled", early.body["code"], "insurance-outstanding")
    teller.ask("POST", f"{visit}/items/scan-1/insurance", HOSPITAL, {"insurance_fen": 20_000}, quiet=True)
    medicine = {"item_id": "medicine-1", "kind": "medicine", "amount_fen": 9_000, "insurance_fen": 0}
    teller.ask("POST", f"{visit}/items", HOSPITAL, medicine, status=201, quiet=True)
    for item, own_fen in (("scan-1", 12_000), ("medicine-1", 9_000)):
        done = teller.ask("POST", f"{visit}/items/{item}/capture", HOSPITAL, quiet=True).body
        teller.expect(f"{item}: captured, fen", done["item"]["captured_fen"], own_fen)


def _owed(teller: Teller) -> None:
    """What the patient sees: the bill of the month, and when it is due."""
    month = f"{_here():%Y-%m}"
    bill = teller.ask("GET", f"{OWN_LINE}/statements/{month}", f"citizen:{PATIENT}", quiet=True).body
    shown = Table("", "本金 principal", "利息 interest", box=box.SIMPLE_HEAD)
    names = {
        "opening": "期初 opening", "charged": "新增 charged", "refunded": "退款 refunded", "repaid": "还款 repaid",
        "closing": "期末 closing",
    }  # fmt: skip
    for name, title in names.items():
        shown.add_row(title, *(money.decimal(bill[name][part]) for part in ("principal_fen", "interest_fen")))
    teller.console.print(shown)
    teller.expect("owed, fen", bill["closing"]["principal_fen"], 17_000)
    due = _here().date() + timedelta(days=DUE_DAYS)
    teller.expect("due in 42 days", [one["due_on"] for one in bill["dues"]], [f"{due}"])


def somebody_pays_late(teller: Teller, stack: Stack) -> None:
    """Step 6, the consequences."""
    teller.chapter("六、信用就医：逾期与恢复", "6. Medical credit: overdue, and restored")
    teller.says(
        "612 分的市民看病用了 500 元，没有按期还。（演示把钟往后拨。）",
        "The citizen with 612 owes 500 yuan and does not pay in time. (The demo moves the clock on.)",
    )
    body = {"bank_id": "demo-bank", "visit_ref": "V-2026-002", "amount_fen": 50_000}
    asked = body | {"pass_code": _pass(teller, LATE)}
    hold = teller.ask("POST", "/v1/credit-holds", HOSPITAL, asked, status=201, quiet=True).body
    final = {"amount_fen": 50_000, "final": True}
    teller.ask("POST", f"/v1/credit-holds/{hold['hold_id']}/captures", HOSPITAL, final, status=201, quiet=True)
    with _days_on(stack, DUE_DAYS - 5):
        charge = _bill(teller)["charges"][0]
        teller.expect("reminded five days before", charge["reminded_on"], f"{_on(DUE_DAYS - 5)}")
    with _days_on(stack, DUE_DAYS + 1):
        _suspended(teller)
        _pays(teller, stack)


@contextmanager
def _days_on(stack: Stack, days: int) -> Iterator[None]:
    """So many days later, when whatever had its day has been done."""
    with clock.fixed(demo_load.now() + timedelta(days=days)):
        stack.drain()
        stack.daily()
        stack.drain()
        stack.send()
        yield


def _suspended(teller: Teller) -> None:
    bill = _bill(teller)
    said = Text("逾期一天，本息 {n} 元", "A day late: {n} yuan, with interest").format(
        n=money.decimal(bill["payoff_fen"])
    )
    teller.console.print(f"  {said.zh} [dim]{said.en}[/]")
    teller.expect("a day's interest on 500 yuan, fen", bill["payoff_fen"] - 50_000, 25)
    library = _library(teller)
    teller.expect("the library, while it is unpaid", library["outcome"], "refused")
    teller.console.print(f"  {_both(library['reasons'][0]['said'])}")


def _pays(teller: Teller, stack: Stack) -> None:
    teller.says(
        "他在线还清；银行核心系统的答复丢失，状态未知，再问一次才入账。",
        "He pays online; the bank's answer is lost, so nothing is booked until it is asked again.",
    )
    stack.bank.misbehave("lose-answer")
    body = {"amount_fen": _bill(teller)["payoff_fen"], "currency": "CNY"}
    paid = teller.ask("POST", f"{OWN_LINE}/repayments", f"citizen:{LATE}", body, status=201, quiet=True).body
    stack.send()
    where = f"/v1/me/credit-instructions/{paid['instruction_id']}"
    teller.expect("lost on the way", _state(teller, where), "unknown")
    with clock.fixed(clock.now() + timedelta(hours=1)):
        stack.send()
        teller.expect("asked again under the same id", _state(teller, where), "accepted")
        teller.expect("owed, fen", _bill(teller)["payoff_fen"], 0)
        teller.expect("the library, at once", _library(teller)["outcome"], "granted")


def the_bank_is_compared(teller: Teller, stack: Stack, folder: Path) -> None:
    """Step 8, its part of medical credit."""
    _hospitals_day(teller)
    _bank_file(teller, stack, folder / "bank.csv")
    looks = teller.ask("GET", "/v1/me/looks?limit=50", f"citizen:{PATIENT}", quiet=True).body["items"]
    pull = next(look["effect_id"] for look in looks if look["purpose"].startswith("pull-limit"))
    replay = teller.ask("POST", f"/v1/credit-receipts/{pull}/replay", "auditor:auditor", quiet=True).body
    teller.expect("the pull of the limit worked out again: the same", replay["same"], True)
    own = teller.ask("GET", f"{OWN_LINE}/bill", f"citizen:{PATIENT}", quiet=True).body
    teller.expect("still owed for the visit, fen", own["payoff_fen"], 17_000)


def _hospitals_day(teller: Teller) -> None:
    """The statement of a hospital is one like a merchant's: what the bank owes it."""
    statements = f"/v1/cities/xiamen/partners/demo-hospital/statements/{_here():%Y-%m-%d}"
    midnight = _here().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    with clock.fixed(midnight + timedelta(hours=2)):
        closed = teller.ask("POST", statements, HOSPITAL, quiet=True).body["statement"]
    total = closed["totals"]["total"]
    teller.expect("what the bank owes the hospital for the day, fen", total["receivable_fen"], 50_000 + 21_000 - 4_000)


def _bank_file(teller: Teller, stack: Stack, path: Path) -> None:
    """The bank's own file beside the instructions and the ledger, as `egret reconcile` compares them."""
    teller.says("银行的对账文件与指令、账簿逐笔核对。", "The bank's own file beside its instructions and the ledger.")
    stack.drain()
    stack.send()
    path.write_text(stack.bank.book.csv(), "utf-8")
    teller.console.print(f"  [dim]egret reconcile {path} --city xiamen --bank demo-bank[/]")
    found = main(["reconcile", str(path), "--city", "xiamen", "--bank", "demo-bank"])
    teller.expect("differences", found, 0)


def _state(teller: Teller, where: str) -> str:
    return str(teller.ask("GET", where, f"citizen:{LATE}", quiet=True).body["state"])


def _bill(teller: Teller) -> Any:
    return teller.ask("GET", f"{OWN_LINE}/bill", f"citizen:{LATE}", quiet=True).body


def _library(teller: Teller) -> Any:
    openings = teller.ask("GET", "/v1/me/openings?city=xiamen", f"citizen:{LATE}", quiet=True).body["items"]
    return next(one for one in openings if one["scenario_id"] == "library")


def _pass(teller: Teller, who: str, recipient: str = "hospital:xiamen/demo-hospital") -> str:
    wish = {"recipient": recipient, "scenario": "xiamen/credit_medical"}
    return str(teller.ask("POST", "/v1/me/passes", f"citizen:{who}", wish, status=201, quiet=True).body["pass_code"])


def _without_ids(body: Any) -> str:
    """A reply's words and figures; random ids may hold any digits."""
    return str({name: value for name, value in body.items() if not name.endswith(("_id", "_at")) and name != "holds"})


def _said(teller: Teller, refusal: Exchange) -> None:
    teller.console.print(f"  {refusal.body['detail_zh']}\n  [dim]{refusal.body['detail']}[/]")


def _both(said: dict[str, str]) -> str:
    return f"{said['zh']} [dim]{said['en']}[/]"


def _here() -> datetime:
    return clock.now().astimezone(ZoneInfo("Asia/Shanghai"))


def _on(days: int) -> date:
    return demo_load.now().astimezone(ZoneInfo("Asia/Shanghai")).date() + timedelta(days=days)
