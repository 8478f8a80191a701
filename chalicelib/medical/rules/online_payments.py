"""An online payment as the person who made it follows it: where it stands, and what became of what was too much."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.core.text import Text
from chalicelib.ledger.rules.lines import RepaymentExceedsDebt
from chalicelib.medical.rules.events import CURRENCY
from chalicelib.medical.rules.instructions import Instruction, InstructionState


@dataclass(frozen=True, slots=True)
class OnlinePayment:
    """An online payment as the person who made it follows it, with words for where it stands."""

    instruction_id: str
    city_id: str
    bank_id: str
    amount_fen: int
    currency: str
    state: InstructionState
    said: Text
    booked_fen: int
    rest_fen: int
    made_at: datetime


def being_collected() -> RepaymentExceedsDebt:
    """The refusal of what would exceed the debt only together with what is being collected already."""
    return RepaymentExceedsDebt(_BEING_COLLECTED)


_BEING_COLLECTED = Text(
    "银行正在扣收您之前提交的还款，加上这一笔将超过欠款。请等银行给出结果，无需重复付款。",
    "The bank is collecting what you asked it to before; together with this it would be more than you owe. Please wait "
    "for its answer: there is no need to pay again.",
)
_WORDS = {
    "queued": Text("已提交，正在等待发送给银行。", "It is entered, and will be sent to the bank shortly."),
    "sent": Text("已发送给银行，正在等待结果。", "It was sent to the bank; its answer is awaited."),
    "unknown": Text(
        "银行尚未给出明确结果，系统会继续查询；请勿重复付款，结果以银行为准。",
        "The bank has not clearly answered yet and is asked again; please do not pay a second time.",
    ),
    "accepted": Text("银行已扣款，还款已入账。", "The bank has taken the amount, and it is booked as repaid."),
    "refused": Text(
        "银行没有扣款，这笔还款没有入账；请换一种方式或稍后再试。",
        "The bank took nothing, and nothing is booked as repaid; please try another way, or later.",
    ),
}
_WITH_REST = Text(
    "银行已扣款；其中超出欠款的部分正在退还到您的账户，银行尚未确认。",
    "The bank has taken the amount; what is more than you owed by then is being given back to your account. The bank "
    "has not confirmed that yet.",
)
_GIVEN_BACK = Text(
    "银行已扣款；其中超出欠款的部分，银行已退还到您的账户。",
    "The bank has taken the amount; what is more than you owed by then, it has given back to your account.",
)
_NOT_GIVEN_BACK = Text(
    "银行已扣款；其中超出欠款的部分应退还给您，但银行未能退还到您的账户。这笔钱是您的，请联系银行领取。",
    "The bank has taken the amount; what is more than you owed by then is yours, but the bank did not give it back to "
    "your account. Please ask the bank for it.",
)
_SETTLED = Text(
    "银行已扣款；其中超出欠款的部分，银行表示已另行与您结清。如有疑问，请联系银行。",
    "The bank has taken the amount; what is more than you owed by then, it says that it has settled with you "
    "otherwise. Please ask the bank if you do not know of that.",
)


def payment_view(instruction: Instruction, back: Instruction | None = None) -> OnlinePayment:
    """What the person is shown of his online payment. ``back``: the instruction to give back what was too much."""
    one = instruction
    assert one.kind == "collect", "an online payment is collected"
    return OnlinePayment(
        one.instruction_id, one.city_id, one.bank_id, one.amount_fen, CURRENCY, one.state,
        _of_rest(back) if one.rest_fen else _WORDS[one.state], one.booked_fen, one.rest_fen, one.made_at,
    )  # fmt: skip


def _of_rest(back: Instruction | None) -> Text:
    """What is said of what was too much, by what has become of giving it back."""
    if back is None or back.answer is None:
        return _WITH_REST
    if back.closed is not None:
        return _SETTLED
    return _GIVEN_BACK if back.state == "accepted" else _NOT_GIVEN_BACK
