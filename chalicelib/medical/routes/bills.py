"""What is owed, over HTTP: to the bank, which says what was repaid, and to the person himself."""

from __future__ import annotations

from datetime import date
from functools import partial

from chalicelib.core.auth import allow
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.http import Call, Reply, paged
from chalicelib.core.text import Text
from chalicelib.ledger.rules.lines import LineClosed, RepaymentExceedsDebt
from chalicelib.medical.routes.blueprint import routes
from chalicelib.medical.rules import PayoutExceedsCredit, RepaymentCurrency, RepaymentTooSmall, WriteOffTooEarly
from chalicelib.medical.rules.months import MonthNotOver, MonthsOutstanding, NothingBilled, month_in
from chalicelib.medical.service import owning, repaying, stating
from chalicelib.medical.service.askers import Asker, as_bank, as_owner

_LINE = "/v1/credit-lines/{subject_id}"
_OWN_LINES = "/v1/me/credit-lines"
_OWN_LINE = _OWN_LINES + "/{city_id}/{bank_id}"
_BANK = allow("bank", scope="credit:collect")
_OWN = allow("citizen")
_PAGE = ("limit", "cursor")


@routes.route(
    "GET", _LINE + "/bill", policy=_BANK, reply="medical/bill.json",
    summary=Text("一个人当前的欠款", "What a person owes now"),
)  # fmt: skip
def get_bill(call: Call) -> Reply:
    """By hospital and day. Which visit and which item it was is not the bank's to know."""
    return Reply(stating.read_current(call.now, _bank(call)))


@routes.route(
    "POST", _LINE + "/repayments", policy=_BANK, effect=True, status=201, body="medical/repay.json",
    reply="medical/repaid.json",
    problems=(RepaymentCurrency, LineClosed, RepaymentExceedsDebt, RepaymentTooSmall, Conflict),
    summary=Text("登记一笔还款，可部分、可提前", "Note a payment, in part or early"),
)  # fmt: skip
def repay(call: Call) -> Reply:
    """It counts today, and goes to what is due first; of a charge to fees, then interest, then principal."""
    amount = call.body["amount_fen"], call.body["currency"]
    return Reply(repaying.repay(call.unit, call.effect_intent, call.now, *_bank(call).of, *amount), 201)


@routes.route(
    "POST", _LINE + "/payouts", policy=_BANK, effect=True, status=201, body="medical/pay_out.json",
    reply="medical/paid_out.json", problems=(PayoutExceedsCredit, Conflict),
    summary=Text("退还应退本人的款项，由银行核心系统付出", "Have the bank's core pay back what is owed"),
)  # fmt: skip
def pay_out(call: Call) -> Reply:
    """Of what the bank owes back: what was refunded after it had been repaid."""
    amount_fen = call.body["amount_fen"]
    return Reply(repaying.pay_out(call.unit, call.effect_intent, call.now, _bank(call), amount_fen), 201)


@routes.route(
    "POST", _LINE + "/write-off", policy=_BANK, effect=True, status=201, reply="medical/written_off.json",
    problems=(WriteOffTooEarly, Conflict),
    summary=Text("核销全部欠款", "Write off all that is owed"),
)  # fmt: skip
def write_off(call: Call) -> Reply:
    """It bears no more interest. It is owed still, and what is paid after all is taken."""
    return Reply(repaying.write_off(call.unit, call.effect_intent, call.now, _bank(call)), 201)


@routes.route(
    "POST", _LINE + "/statements/{month}", policy=_BANK, effect=True, reply="medical/bill_statement_brief.json",
    problems=(MonthNotOver, NothingBilled, MonthsOutstanding, Conflict),
    summary=Text("出具截至某月的账单", "State a month that is over, and what is open before it"),
)  # fmt: skip
def state_month(call: Call) -> Reply:
    """Months are stated in their order. Stating one again changes nothing and gives the same statement."""
    return Reply(stating.state_month(call.unit, call.effect_intent, call.now, _bank(call), _month(call)))


@routes.route(
    "GET", _LINE + "/statements", policy=_BANK, query=_PAGE, reply="medical/bill_statement_list.json",
    summary=Text("一个人的账单目录，由近及远", "A person's monthly statements, newest first"),
)  # fmt: skip
def list_statements(call: Call) -> Reply:
    """Those that are closed, without their movements."""
    return _listed(call, _bank(call))


@routes.route(
    "GET", _LINE + "/statements/{month}", policy=_BANK, reply="medical/bill_statement.json",
    summary=Text("一个人某月的账单", "A person's statement of a month, with its movements"),
)  # fmt: skip
def get_statement(call: Call) -> Reply:
    """Of a month that is not stated yet, as it stands now: `closed` is false."""
    return Reply(stating.read_statement(call.now, _bank(call), _month(call)))


@routes.route(
    "GET", _OWN_LINES, policy=_OWN, reply="medical/own_lines.json",
    summary=Text("我的全部信用就医额度", "All my credit lines, with what is held and owed"),
)  # fmt: skip
def list_own_lines(call: Call) -> Reply:
    """In whatever city; at most fifty."""
    return Reply({"items": owning.own_lines(call.now, call.caller), "next": None})


@routes.route(
    "GET", _OWN_LINE + "/bill", policy=_OWN, reply="medical/own_bill.json",
    summary=Text("我当前的欠款", "What I owe now, item by item"),
)  # fmt: skip
def get_own_bill(call: Call) -> Reply:
    """If it is paid today."""
    return Reply(stating.read_current(call.now, _own(call)))


@routes.route(
    "GET", _OWN_LINE + "/statements", policy=_OWN, query=_PAGE, reply="medical/bill_statement_list.json",
    summary=Text("我的账单目录，由近及远", "My monthly statements, newest first"),
)  # fmt: skip
def list_own_statements(call: Call) -> Reply:
    """Those that are closed, without their movements."""
    return _listed(call, _own(call))


@routes.route(
    "GET", _OWN_LINE + "/statements/{month}", policy=_OWN, reply="medical/own_bill_statement.json",
    summary=Text("我某月的账单", "My statement of a month, item by item"),
)  # fmt: skip
def get_own_statement(call: Call) -> Reply:
    """Of a month that is not stated yet, as it stands now: `closed` is false, and `open` true until it is over."""
    return Reply(stating.read_statement(call.now, _own(call), _month(call)))


def _listed(call: Call, asker: Asker) -> Reply:
    whose = asker.whose
    purpose = f"credit-statements:{whose.city_id}/{whose.bank_id}:{asker.own}:{whose.subject_id}"
    return paged(call, purpose, partial(stating.list_statements, asker))


def _bank(call: Call) -> Asker:
    return as_bank(call.caller, call.path["subject_id"])


def _own(call: Call) -> Asker:
    return as_owner(call.caller, call.path["city_id"], call.path["bank_id"])


def _month(call: Call) -> date:
    """The month of the path. Raises: NotFound: it is none."""
    month = month_in(call.path["month"])
    if month is None:
        raise NotFound
    return month
