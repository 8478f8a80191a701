"""A person's line of credit, the holds on it, and what is refused of either.

A line is one item: its limit, what is posted (captured and not paid back yet) and its open holds. At any instant

    available = limit − posted − Σ holds that expire later      (0 if that is negative)

exactly, for every reader and without a job: nobody writes when a hold lapses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from chalicelib.core.errors import Problem
from chalicelib.core.text import Text

MOST_HOLDS = 50
MOST_FEN = 10**10

HoldState = Literal["open", "captured", "voided", "expired"]


class AmountNotWhole(Problem):
    code = "amount-not-whole"
    status = 422
    title = Text("金额应为整数（分）", "An amount is a whole number of fen")


class AmountNotPositive(Problem):
    code = "amount-not-positive"
    status = 422
    title = Text("金额必须大于零", "An amount is more than zero")


class AmountTooLarge(Problem):
    code = "amount-too-large"
    status = 422
    title = Text("金额过大", "The amount is too large")


class LineClosed(Problem):
    code = "credit-line-closed"
    status = 409
    title = Text("该授信额度已关闭", "This credit line is closed")


class LineSuspended(Problem):
    code = "credit-line-suspended"
    status = 409
    title = Text("该授信额度已暂停使用", "This credit line is suspended")


class HoldsFull(Problem):
    code = "holds-full"
    status = 409
    title = Text(
        "该额度上未完成的预授权过多，请先完成或撤销一些",
        "This credit line has too many open holds; capture or void some first",
    )


class HoldExceedsLimit(Problem):
    code = "hold-exceeds-limit"
    status = 409
    title = Text("可用额度不足", "Not enough of the credit line is available")


class HoldCaptured(Problem):
    code = "hold-captured"
    status = 409
    title = Text("该预授权已完成，不能再次扣款或撤销", "This hold has been captured in full; it cannot be used again")


class HoldVoided(Problem):
    code = "hold-voided"
    status = 409
    title = Text("该预授权已撤销", "This hold has been given up")


class HoldExpired(Problem):
    code = "hold-expired"
    status = 409
    title = Text("该预授权已过期，请重新预授权", "This hold has expired; make a new one")


class CaptureExceedsHold(Problem):
    code = "capture-exceeds-hold"
    status = 409
    title = Text(
        "扣款金额超过预授权余额，请先追加预授权",
        "This is more than what is left of the hold; make a further hold first",
    )


class RefundExceedsCapture(Problem):
    code = "refund-exceeds-capture"
    status = 409
    title = Text("退款金额超过该笔扣款的余额", "This is more than what is left of the capture to refund")


class RepaymentExceedsDebt(Problem):
    code = "repayment-exceeds-debt"
    status = 409
    title = Text("还款金额超过欠款", "This is more than what is owed")


@dataclass(frozen=True, slots=True)
class OpenHold:
    """What of a hold still lies on its line, and until when (exclusive)."""

    left_fen: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """A person's line of credit. ``suspended_for`` are the causes for which it is suspended, each lifted by itself."""

    limit_fen: int
    posted_fen: int
    as_of: datetime
    version: int = 1
    holds: Mapping[str, OpenHold] = field(default_factory=dict)
    suspended_for: frozenset[str] = frozenset()
    closed: bool = False

    def check(self) -> Line:
        """The line itself, well formed. That posted and held fit the limit is known where something is added."""
        assert 0 <= self.limit_fen <= MOST_FEN, "a limit is bounded"
        assert self.posted_fen >= 0, "what is posted is not negative"
        assert len(self.holds) <= MOST_HOLDS, "a line has a bounded number of holds"
        assert all(hold.left_fen > 0 for hold in self.holds.values()), "a hold holds something"
        return self


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold, from when it is placed for as long as it is remembered. ``ended`` None: open, or expired by now."""

    hold_id: str
    amount_fen: int
    expires_at: datetime
    captured_fen: int = 0
    ended: Literal["captured", "voided"] | None = None

    @property
    def left_fen(self) -> int:
        """What has not been captured."""
        return self.amount_fen - self.captured_fen


def check_amount(amount: object) -> int:
    """The amount itself, believed of nobody. Raises: AmountNotWhole; AmountNotPositive; AmountTooLarge; in order."""
    if type(amount) is not int:
        raise AmountNotWhole
    if amount <= 0:
        raise AmountNotPositive
    if amount > MOST_FEN:
        raise AmountTooLarge
    return amount


def opened(limit_fen: int, now: datetime) -> Line:
    """A new line on which nothing is posted or held."""
    return Line(limit_fen, 0, now).check()


def held(line: Line, now: datetime) -> int:
    """What open holds set aside at this instant. Those that a faster clock saw lapse are gone from the line."""
    return sum(hold.left_fen for hold in line.holds.values() if hold.expires_at > now)


def available(line: Line, now: datetime) -> int:
    """What the limit leaves at this instant, exact for every reader; that a line is suspended is another matter."""
    return max(0, line.limit_fen - line.posted_fen - held(line, now))


def state_at(hold: Hold, now: datetime) -> HoldState:
    """What has become of a hold by this instant."""
    return hold.ended or ("open" if now < hold.expires_at else "expired")


def folded(line: Line, now: datetime) -> Line:
    """The line without what has lapsed, as of now or of the latest writer before, whichever is later."""
    at = max(now, line.as_of)
    kept = {hold_id: hold for hold_id, hold in line.holds.items() if hold.expires_at > at}
    return replace(line, as_of=at, holds=kept)
