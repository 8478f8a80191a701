"""A bank's policy for medical credit: one dated version of its terms, and what must hold of it by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

from chalicelib.core.errors import Fault, Problem
from chalicelib.core.text import Text
from chalicelib.medical.rules.findings import finding
from chalicelib.scenarios.rules import Finding

DayCount = Literal["actual/360", "actual/365"]

MAX_LIMIT_FEN = 10**10
MAX_EXPOSURE_FEN = 10**15
MAX_SHARDS = 64
MAX_HOSPITALS = 200
MAX_FEES = 4
MAX_LINE = 300
_ID = re.compile(r"[a-z][a-z0-9_-]{1,47}")
_CONTROL = re.compile("[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
# The least and the most of every figure; a rate of 1,000 ppm a day is 36.5 % a year.
_FIGURES = (
    ("version", 1, 100_000), ("ceiling_fen", 1, MAX_LIMIT_FEN), ("exposure_cap_fen", 1, MAX_EXPOSURE_FEN),
    ("shards", 1, MAX_SHARDS), ("term_days", 1, 3_660), ("interest_free_days", 1, 366), ("daily_rate_ppm", 0, 1_000),
    ("reminder_days_before", 0, 366), ("minimum_repayment_fen", 1, MAX_LIMIT_FEN), ("hold_days", 1, 366),
    ("write_off_days", 1, 3_660),
)  # fmt: skip


class PolicyInvalid(Problem):
    code = "medical-policy-invalid"
    status = 422
    title = Text("信用就医授信规则内容有误", "The policy for medical credit is not well defined")


@dataclass(frozen=True, slots=True)
class Fee:
    """A fee on every captured item, once, in millionths of what the item comes to after refunds."""

    name: Text
    ppm: int


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of a bank's terms. In force on the city's own days from ``valid_from`` up to, without, ``valid_to``.

    Args:
        scenario_id: Whose tiers give ``limit_fen``, by grade or by score.
        ceiling_fen: What no person's limit exceeds, whatever his tier gives.
        exposure_cap_fen: What the limits of all open lines add up to at most; kept in ``shards`` equal parts.
        term_days: For how long a line is opened.
        interest_free_days: A charge is due that many days after its capture and bears no interest until then.
        day_count: Days are always counted as they are in the calendar; the second half says how many make the year to
            which the nominal annual rate belongs.
        daily_rate_ppm: Interest of a day after the due day, in millionths of the principal owed.
        reminder_days_before: How long before the due day a reminder is sent.
        minimum_repayment_fen: The least of one repayment, unless it pays everything.
        hold_days: For how long a hold sets an amount aside.
        write_off_days: How long something must be overdue before it may be written off.
        hospitals: The ids of those that take part; None: every hospital of the city.
    """

    city_id: str
    bank_id: str
    version: int
    scenario_id: str
    valid_from: date
    valid_to: date | None
    ceiling_fen: int
    exposure_cap_fen: int
    shards: int
    term_days: int
    interest_free_days: int
    day_count: DayCount
    daily_rate_ppm: int
    reminder_days_before: int
    minimum_repayment_fen: int
    hold_days: int
    write_off_days: int
    source: str
    hospitals: tuple[str, ...] | None = None
    fees: tuple[Fee, ...] = ()
    illustrative: bool = False

    def in_force(self, on: date) -> bool:
        """Whether the policy holds on this day of the city."""
        return self.valid_from <= on and (self.valid_to is None or on < self.valid_to)

    def admits(self, hospital_id: str) -> bool:
        """Whether the hospital takes part."""
        return self.hospitals is None or hospital_id in self.hospitals

    @property
    def fee_ppm(self) -> int:
        """All fees on an item together."""
        return sum(fee.ppm for fee in self.fees)


def policy_on(policies: Sequence[Policy], day: date) -> Policy | None:
    """The version in force on a day; the linter sees to it that there is at most one."""
    return next((policy for policy in policies if policy.in_force(day)), None)


def check_policy(policy: Policy) -> Policy:
    """The policy itself, if it is well defined by itself. Raises: PolicyInvalid: with every place that is wrong."""
    faults = [Fault(item.pointer, item.message) for item in faults_of(policy) if item.severity == "error"]
    if faults:
        raise PolicyInvalid(faults=faults)
    return policy


def faults_of(policy: Policy) -> list[Finding]:
    """Everything that can be said against the policy by itself. Types are not believed: a bool is no amount."""
    found = [*_words(policy), *_figures(policy), *_fees(policy.fees), *_hospitals(policy.hospitals)]
    return found if found else [*_against_each_other(policy)]


def _words(policy: Policy) -> Iterator[Finding]:
    for name in ("city_id", "bank_id", "scenario_id"):
        if not _ID.fullmatch(getattr(policy, name)):
            yield finding("id-unfit", f"/{name}")
    if policy.day_count not in get_args(DayCount):
        yield finding("day-count-unknown", "/day_count")
    if not _fits(policy.source):
        yield finding("text-unfit", "/source", most=MAX_LINE)


def _fits(text: str) -> bool:
    return 1 <= len(text) <= MAX_LINE and text == text.strip() and not _CONTROL.search(text)


def _figures(policy: Policy) -> Iterator[Finding]:
    for name, least, most in _FIGURES:
        value = getattr(policy, name)
        if type(value) is not int or not least <= value <= most:
            yield finding("figure-unfit", f"/{name}", least=least, most=most)


def _fees(fees: Sequence[Fee]) -> Iterator[Finding]:
    if len(fees) > MAX_FEES:
        yield finding("too-many", "/fees", most=MAX_FEES)
    for index, fee in enumerate(fees):
        if type(fee.ppm) is not int or not 1 <= fee.ppm <= 100_000:
            yield finding("figure-unfit", f"/fees/{index}/ppm", least=1, most=100_000)
        if not (_fits(fee.name.zh) and _fits(fee.name.en)):
            yield finding("text-unfit", f"/fees/{index}/name", most=MAX_LINE)


def _hospitals(hospitals: Sequence[str] | None) -> Iterator[Finding]:
    if hospitals is None:
        return
    if not 1 <= len(hospitals) <= MAX_HOSPITALS:
        yield finding("too-many", "/hospitals", most=MAX_HOSPITALS)
    for index, hospital_id in enumerate(hospitals):
        if not _ID.fullmatch(hospital_id):
            yield finding("id-unfit", f"/hospitals/{index}")
        if hospital_id in hospitals[:index]:
            yield finding("repeated", f"/hospitals/{index}")


def _against_each_other(policy: Policy) -> Iterator[Finding]:
    """What two figures say together; both mean something by now."""
    if policy.valid_to is not None and policy.valid_to <= policy.valid_from:
        yield finding("dates-contradict", "/valid_to")
    if policy.reminder_days_before > policy.interest_free_days:
        yield finding("reminder-before-capture", "/reminder_days_before")
    if policy.ceiling_fen * policy.shards > policy.exposure_cap_fen:
        yield finding("shard-too-small", "/shards")
    if policy.minimum_repayment_fen > policy.ceiling_fen:
        yield finding("minimum-above-ceiling", "/minimum_repayment_fen")
