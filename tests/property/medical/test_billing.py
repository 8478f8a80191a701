"""Bills against a computation of another kind: day by day, with fractions, from the list of all that happened."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.ledger.rules import holds, lines
from chalicelib.ledger.rules.lines import Line
from chalicelib.medical.rules import (
    Account,
    Booked,
    Charge,
    Policy,
    Refund,
    Repayment,
    WriteOff,
    WriteOffTooEarly,
    advanced,
    charged,
    next_month,
    obligation,
    refunded,
    repaid,
    statement,
    suspended,
    written_off,
)
from tests.unit.medical.ward import charge, policy, rules

START = date(2027, 11, 1)  # 42 days on, and for months after: the year's end and a leap day
DAY = timedelta(days=1)
CAREFUL = settings(max_examples=60, deadline=None)
NOON = datetime(2027, 11, 1, 4, tzinfo=UTC)
Event = Charge | Refund | Repayment | WriteOff


def rounded(exact: Fraction) -> int:
    return int((Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(Decimal(1), ROUND_HALF_EVEN))


def cheapest(one: Charge, day: date, policies: Sequence[Policy]) -> int:
    """The daily rate of a charge, without any of the rules' own words."""
    in_force = [p.daily_rate_ppm for p in policies if p.valid_from <= day and (p.valid_to is None or day < p.valid_to)]
    return min([one.daily_rate_ppm, *in_force])


@st.composite
def histories(draw: st.DrawFn) -> list[Policy]:
    """Versions of a policy that follow one another, perhaps with gaps."""
    made, day = list[Policy](), date(2022, 9, 1)
    for version in range(1, draw(st.integers(1, 4)) + 1):
        until = START + draw(st.integers(1, 200)) * DAY if version > 1 else START + draw(st.integers(0, 90)) * DAY
        if until <= day:
            break
        rate, free = draw(st.sampled_from([0, 1, 300, 500, 657])), draw(st.sampled_from([1, 10, 30, 42]))
        terms = policy(version=version, daily_rate_ppm=rate, interest_free_days=free)
        made.append(replace(terms, valid_from=day, valid_to=until))
        day = until + draw(st.sampled_from([0, 0, 5])) * DAY
    return [*made[:-1], replace(made[-1], valid_to=None)]


@dataclass
class Life:
    """A line and an account side by side, as a service would keep them, and all that happened."""

    policies: list[Policy]
    account: Account = field(default_factory=lambda: Account(START))
    line: Line = field(default_factory=lambda: lines.opened(10**9, NOON))
    events: list[Event] = field(default_factory=list)
    booked: list[Booked] = field(default_factory=list)

    def add(self, event: Event, booked: Booked) -> None:
        self.account, events = booked.account, self.events
        events.append(event)
        self.booked.append(booked)
        if booked.line_fen > 0:
            self.line = holds.released(self.line, booked.line_fen, NOON)
        elif booked.line_fen < 0:
            step = holds.place(self.line, f"h{len(events)}", -booked.line_fen, 60, NOON)
            self.line = holds.capture(step.line, step.hold, -booked.line_fen, NOON).line


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """Some months of charges, refunds, repayments of every size, and perhaps a write-off."""
    life, day = Life(draw(histories())), START
    for number in range(draw(st.integers(1, 14))):
        day += draw(st.sampled_from([0, 0, 1, 3, 9, 17, 31, 45])) * DAY
        known = advanced(life.account, day, life.policies)
        kinds = ["charge", "charge"] + ["repay", "repay", "refund"] * bool(known.owed_fen) + ["write_off"]
        kind = draw(st.sampled_from(kinds))
        name = f"e{number:02d}"
        if kind == "charge":
            terms = next((p for p in life.policies if p.in_force(day)), None)
            if terms is not None:
                amount = draw(st.sampled_from([1, 99, 1_001, 12_345, 100_000, 300_000]))
                one = replace(charge(day, amount, name, terms), fee_ppm=draw(st.sampled_from([0, 0, 1_500])))
                life.add(one, charged(life.account, one, life.policies))
        elif kind == "repay":
            amount = draw(st.one_of(st.just(known.owed_fen), st.integers(1, known.owed_fen)))
            repayment = Repayment(name, day, amount)
            life.add(repayment, repaid(life.account, repayment, life.policies))
        elif kind == "refund":
            fit = [debt for debt in known.debts if debt.net_fen]
            if fit:
                debt = draw(st.sampled_from(fit))
                back = Refund(name, debt.charge.charge_id, day, draw(st.integers(1, debt.net_fen)))
                life.add(back, refunded(life.account, back, life.policies))
        else:
            event = WriteOff(name, day, 60)
            with suppress(WriteOffTooEarly):
                life.add(event, written_off(life.account, event, life.policies))
    return life


def principal_by_day(life: Life, one: Charge, until: date) -> dict[date, int]:
    """What was owed of an item at the end of each day, from the movements alone; 0 from its write-off on."""
    owed: dict[date, int] = {}
    moves = [m for booked in life.booked for m in booked.movements if m.charge_id == one.charge_id]
    off = min((m.day for m in moves if m.kind == "write_off"), default=until)
    day = one.day
    while day < until:
        owed[day] = 0 if day >= off else sum(m.principal_fen for m in moves if m.day <= day)
        day += DAY
    return owed


def expected_interest(life: Life, one: Charge, until: date) -> int:
    """Σ over months of the half-even rounding of Σ over days of principal × rate, from the due day on."""
    months: dict[date, Fraction] = {}
    for day, principal in principal_by_day(life, one, until).items():
        if day >= one.due_on:
            per_day = Fraction(principal * cheapest(one, day, life.policies), 10**6)
            months[day.replace(day=1)] = months.get(day.replace(day=1), Fraction()) + per_day
    return sum(rounded(exact) for exact in months.values())


@CAREFUL
@given(lives(), st.integers(0, 120))
def test_interest_is_what_fractions_day_by_day_give(life: Life, more: int) -> None:
    until = life.account.as_of + more * DAY
    final = advanced(life.account, until, life.policies)
    for debt in final.debts:
        assert debt.interest_so_far_fen == expected_interest(life, debt.charge, final.as_of)
        if final.as_of <= debt.charge.due_on:
            assert debt.interest_so_far_fen == 0, "no interest within the free days"


@CAREFUL
@given(lives())
def test_LIMIT_the_principal_of_all_charges_is_what_is_posted_on_the_line(life: Life) -> None:
    assert life.account.check().posted_fen == life.line.posted_fen
    moved = sum(m.principal_fen for booked in life.booked for m in booked.movements if not m.off)
    assert moved == life.account.posted_fen


@CAREFUL
@given(lives())
def test_statements_form_a_chain_that_ends_at_what_is_posted(life: Life) -> None:
    stated = statement(Account(date(2027, 10, 1)), [], life.policies)
    while stated.account.as_of <= life.account.as_of:
        opening, end = stated.account, next_month(stated.account.as_of)
        events = [event for event in life.events if opening.as_of <= event.day < end]
        before = stated.statement.closing
        stated = statement(opening, events, life.policies)
        told = stated.statement
        assert told.opening == before
        total = told.opening.total_fen + told.charged.total_fen + told.interest_fen
        paid = told.refunded.total_fen + told.repaid.total_fen + told.written_off.total_fen
        assert told.closing.total_fen == total + paid
        assert min(told.closing.principal_fen, told.closing.fee_fen, told.closing.interest_fen) >= 0
        assert sum(due.fen for due in told.dues) == told.closing.total_fen
    assert stated.statement.closing.principal_fen == life.line.posted_fen
    assert stated.account == advanced(life.account, stated.account.as_of, life.policies)


@CAREFUL
@given(lives())
def test_a_payment_goes_to_what_is_due_first_and_never_vanishes(life: Life) -> None:
    owed = life.account.owed_fen
    for event, booked in zip(life.events, life.booked, strict=True):
        if isinstance(event, Repayment):
            assert sum(m.total_fen for m in booked.movements) == -event.amount_fen
            touched = [m.charge_id for m in booked.movements]
            order = [debt.charge.charge_id for debt in booked.account.debts]
            assert touched == [name for name in order if name in touched]
            cleared = {debt.charge.charge_id for debt in booked.account.debts if not debt.owed_fen}
            assert set(order[: order.index(touched[-1])]) <= cleared, "nothing is paid before what is due earlier"
    if owed:
        whole = repaid(life.account, Repayment("all", life.account.as_of, owed), life.policies)
        assert (whole.account.owed_fen, whole.account.posted_fen) == (0, 0)
        day, kept = whole.account.as_of, [obligation(debt) for debt in whole.account.debts]
        asked = [replace(one, reminded_on=one.due_on) for one in kept]
        assert suspended(asked, day, rules()) is None, "whoever has paid everything is restored at once"


@CAREFUL
@given(lives(), st.integers(0, 60), st.integers(0, 60))
def test_interest_does_not_mind_when_it_is_looked_at(life: Life, some: int, more: int) -> None:
    middle = life.account.as_of + some * DAY
    end = middle + more * DAY
    assert advanced(advanced(life.account, middle, life.policies), end, life.policies) == advanced(
        life.account, end, life.policies
    )


@CAREFUL
@given(lives(), st.sampled_from([0, 100, 500, 1_000]))
def test_a_later_policy_makes_no_charge_dearer(life: Life, rate: int) -> None:
    day = life.account.as_of
    later = [replace(p, valid_to=min(p.valid_to or day, day)) for p in life.policies if p.valid_from < day]
    end = day + 90 * DAY
    changed = [*later, policy(version=99, valid_from=day, daily_rate_ppm=rate)]
    own = advanced(life.account, end, later)
    with_it = advanced(life.account, end, changed)
    for one, other in zip(own.debts, with_it.debts, strict=True):
        assert other.interest_so_far_fen <= one.interest_so_far_fen
