"""What credit costs a year, as people are told it and as the law bounds it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from chalicelib.core.money import BP, decimal
from chalicelib.core.text import Text
from chalicelib.medical.rules.policy import Policy

PPM = 1_000_000
_CALENDAR_DAYS = 365


@dataclass(frozen=True, slots=True)
class RateCeiling:
    """The most that credit may cost a year, from a day up to, without, another; dated data with a source, never code.

    Which one applies depends on the lender: 4 × LPR bounds private lending and not licensed banks; of banks a court
    takes down what exceeds 24 % a year in all.
    """

    annual_bp: int
    valid_from: date
    valid_to: date | None
    source: str

    def in_force(self, on: date) -> bool:
        """Whether the ceiling applies on this day."""
        return self.valid_from <= on and (self.valid_to is None or on < self.valid_to)


def annualised_rate_bp(policy: Policy) -> int:
    """What the credit costs a year at most, all costs counted in, on 365 days whatever the day count, rounded up.

    Paid on the due day an item costs its fees, for the days without interest; kept longer it costs interest a day as
    well. The cost of a day over the whole time lies between the two, so the greater is the most it can be:

        max(fees / interest-free days, daily rate) × 365

    Source: 中国人民银行公告〔2021〕第3号 (31 March 2021): whoever lends shows the annualised rate, more plainly than a
        rate by the day or month; it has all costs, fees included, on the principal really in use. It may be worked out
        by compound interest (as the internal rate of return) or by simple interest, which is then said; here by
        simple interest.
    """
    free = policy.interest_free_days
    ppm_of_all = max(policy.fee_ppm, policy.daily_rate_ppm * free) * _CALENDAR_DAYS
    return -(-ppm_of_all * BP // (PPM * free))


def broken_ceilings(policy: Policy, ceilings: Iterable[RateCeiling]) -> list[RateCeiling]:
    """The ceilings that the policy exceeds on some day on which both are in force."""
    until = policy.valid_to or date.max
    meets = [one for one in ceilings if one.valid_from < until and policy.valid_from < (one.valid_to or date.max)]
    return [one for one in meets if annualised_rate_bp(policy) > one.annual_bp]


def said(rate_bp: int) -> str:
    """A rate as people write it: 1825 bp are ``18.25 %``."""
    return f"{decimal(rate_bp)} %"


@lru_cache(maxsize=256)
def cost_said(policy: Policy) -> Text:
    """The terms in one sentence, as they are shown before a line is opened: the annualised rate comes first."""
    words = Text(
        "年化利率（单利）：全部成本合计不超过 {rate}；免息 {days} 天，此后按日 {percent}% 计息（{count}）",
        "At most {rate} a year in all (simple interest): {days} days without any, then {percent} % a day ({count})",
    )
    percent = decimal(policy.daily_rate_ppm, 4).rstrip("0").rstrip(".")
    rate = said(annualised_rate_bp(policy))
    return words.format(days=policy.interest_free_days, percent=percent, count=policy.day_count, rate=rate)
