"""What a bank's core is asked to do and what it says, and how a person repays online."""

from __future__ import annotations

from functools import partial
from typing import get_args

from chalicelib.core import codec
from chalicelib.core.auth import allow
from chalicelib.core.errors import Conflict, InvalidRequest
from chalicelib.core.http import Call, Reply, paged
from chalicelib.core.text import Text
from chalicelib.ledger.rules.lines import LineClosed, RepaymentExceedsDebt
from chalicelib.medical.routes.blueprint import routes
from chalicelib.medical.rules import RepaymentCurrency, RepaymentTooSmall
from chalicelib.medical.rules.closing import AnswerAwaited, CorrectingEntryInvalid, CorrectingEntryUsed, RowSaid
from chalicelib.medical.rules.instructions import BankAnswer, InstructionState
from chalicelib.medical.rules.outbox import ClosingForbidden, NothingToClose
from chalicelib.medical.service import closing, collecting, outbox
from chalicelib.medical.service.closing import Decision
from chalicelib.medical.service.outbox import Place

_BANK = allow("bank", scope="credit:collect")
_OWN = allow("citizen")
_STATES: dict[str, InstructionState] = {state: state for state in get_args(InstructionState)}


@routes.route(
    "GET", "/v1/credit-instructions", policy=_BANK, query=("state", "limit", "cursor"),
    reply="medical/instruction_list.json",
    summary=Text("某一状态的银行指令", "A bank's instructions in one state, newest first"),
)  # fmt: skip
def list_instructions(call: Call) -> Reply:
    """A bank that is not called may fetch what is queued here, and answer by itself. The list may lag by a moment."""
    bank, state = (call.caller.city_id, call.caller.tenant), _state(call)
    about = f"instructions:{'/'.join(bank)}:{state}"
    return paged(call, about, partial(outbox.list_instructions, *bank, state))


@routes.route(
    "GET", "/v1/credit-instructions/{instruction_id}", policy=_BANK, reply="medical/instruction.json",
    summary=Text("一条银行指令", "One instruction, and what has become of it"),
)  # fmt: skip
def get_instruction(call: Call) -> Reply:
    """Another bank's is not there."""
    return Reply(outbox.read_instruction(_place(call)))


@routes.route(
    "POST", "/v1/credit-instructions/{instruction_id}/answers", policy=_BANK, effect=True,
    body="medical/answer_instruction.json", reply="medical/instruction.json", problems=(Conflict,),
    summary=Text("银行答复一条指令的结果", "Say what has become of an instruction"),
)  # fmt: skip
def answer_instruction(call: Call) -> Reply:
    """The first answer ends it; the same again changes nothing. What contradicts is kept in `disputed`, and stands for
    nothing until somebody has looked."""
    said = BankAnswer(call.body["state"], call.body["reference"], call.now, "bank", call.body.get("reason"))
    return Reply(outbox.answer(call.unit, call.now, _place(call), said, call.effect_intent))


@routes.route(
    "POST", "/v1/credit-instructions/{instruction_id}/closing", policy=_BANK, effect=True,
    body="medical/close_instruction.json", reply="medical/instruction.json",
    problems=(ClosingForbidden, NothingToClose, Conflict),
    summary=Text("银行运营人员核实后结案", "Close what the bank refused or contradicted, once it is settled"),
)  # fmt: skip
def close_instruction(call: Call) -> Reply:
    """By an operator of the bank's staff. Nothing that is posted changes; reconciliation names it no more."""
    return Reply(closing.close(call.unit, call.effect_intent, call.now, call.caller, _place(call), call.body["reason"]))


@routes.route(
    "POST", "/v1/credit-differences", policy=_BANK, effect=True, status=201,
    body="medical/close_difference.json", reply="medical/closed_difference.json",
    problems=(ClosingForbidden, AnswerAwaited, NothingToClose, CorrectingEntryInvalid, CorrectingEntryUsed),
    summary=Text("银行运营人员将对账差异结案", "Close what a file of the bank's and Egret say differently"),
)  # fmt: skip
def close_difference(call: Call) -> Reply:
    """By an operator of the bank's staff, who has looked into it. `egret reconcile` says then who closed it; nothing
    else changes. Money is booked by the requests that book it always, and `entry_id` may name the entry."""
    bank, row = (call.caller.city_id, call.caller.tenant), call.body["row"]
    said = None if row is None else codec.build(RowSaid, row)
    why = Decision(call.body["reason"], call.body.get("entry_id"))
    made = closing.close_difference(
        call.unit, call.effect_intent, call.now, call.caller, Place(*bank, call.body["instruction_id"]), said, why
    )
    return Reply(made, 201)


@routes.route(
    "POST", "/v1/me/credit-lines/{city_id}/{bank_id}/repayments", policy=_OWN, effect=True, status=201,
    body="medical/pay_online.json", reply="medical/online_payment.json",
    problems=(RepaymentCurrency, LineClosed, RepaymentExceedsDebt, RepaymentTooSmall, Conflict),
    summary=Text("我在线还款", "Repay online"),
)  # fmt: skip
def pay_online(call: Call) -> Reply:
    """The bank is asked to take the amount from the person's account. It counts as repaid once the bank has."""
    bank, amount_fen = (call.path["city_id"], call.path["bank_id"]), call.body["amount_fen"]
    made = collecting.pay_online(
        call.unit, call.effect_intent, call.now, call.caller, bank, amount_fen, call.body["currency"]
    )
    return Reply(made, 201)


@routes.route(
    "GET", "/v1/me/credit-instructions/{instruction_id}", policy=_OWN, reply="medical/online_payment.json",
    summary=Text("我的一笔在线还款", "How an online payment of mine stands"),
)  # fmt: skip
def get_own_payment(call: Call) -> Reply:
    """In plain words, and how much of it is booked."""
    return Reply(collecting.read_payment(call.caller, call.path["instruction_id"]))


def _place(call: Call) -> Place:
    return Place(call.caller.city_id, call.caller.tenant, call.path["instruction_id"])


def _state(call: Call) -> InstructionState:
    """Raises: InvalidRequest: none, or no such state."""
    state = _STATES.get(call.query.get("state", ""))
    if state is None:
        said = Text("state 须为以下之一：{states}", "state is one of: {states}")
        raise InvalidRequest.at("", said.format(states=", ".join(_STATES)))
    return state
