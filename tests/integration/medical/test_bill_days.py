"""Days, as the city counts them: free days, midnight, a leap day, a month's end, a policy that changes in mid-cycle."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from chalicelib.core import clock, table
from chalicelib.core.commit import Unit
from chalicelib.medical import store
from chalicelib.medical.rules import Life, Policy
from chalicelib.medical.rules.heads import Head, Listed
from tests.integration.medical.clinic import Clinic
from tests.integration.medical.debts import at, charged, check_books, moved, own, repay, seen, state
from tests.world import World


def interest(clinic: Clinic, who: str) -> int:
    """What is owed of interest now."""
    owed: int = seen(clinic, who).body["owed"]["interest_fen"]
    return owed


def debtor_of(clinic: Clinic, day: str, fen: int, hour: int = 12, minute: int = 0) -> str:
    with moved(at(day, hour, minute)):
        who = clinic.insured()
        charged(clinic, who, fen)
    return who


def test_LEDGER_interest_by_hand(clinic: Clinic) -> None:
    """Captured on 10 January 2027: due on 21 February (42 days). 500 millionths a day, simple, by calendar month.

    100,000 fen: 50 fen a day from 21 February. February 8 days = 400. On 11 March 10 days more = 500: 900 in all.
    A payment of 20,900 takes these 900 and 20,000 of the principal. March goes on with 80,000 × 500 ppm = 40 a day
    for 21 days (11 to 31 March) = 840, April 30 days = 1,200.
    """
    who = debtor_of(clinic, "2027-01-10", 100_000)
    with moved(at("2027-02-21")):
        assert interest(clinic, who) == 0
    with moved(at("2027-02-22")):
        assert interest(clinic, who) == 50
    with moved(at("2027-03-11")):
        assert interest(clinic, who) == 900
        (part,) = repay(clinic, who, 20_900).body["parts"]
        assert (part["interest_fen"], part["principal_fen"]) == (900, 20_000)
    with moved(at("2027-05-01")):
        assert interest(clinic, who) == 840 + 1_200
        told = {month: state(clinic, who, month).body["interest_fen"] for month in ("2027-01", "2027-02", "2027-03")}
        assert told == {"2027-01": 0, "2027-02": 400, "2027-03": 500 + 840}
        assert repay(clinic, who, 82_040).body["owed_fen"] == 0
        assert interest(clinic, who) == 0
    check_books(clinic, who)


@pytest.mark.parametrize(
    ("captured", "hour", "minute", "due"),
    [
        ("2027-03-31", 23, 59, "2027-05-12"),
        ("2027-04-01", 0, 1, "2027-05-13"),
        ("2028-02-29", 12, 0, "2028-04-11"),
        ("2028-01-18", 12, 0, "2028-02-29"),
        ("2028-02-28", 23, 59, "2028-04-10"),
        ("2027-12-31", 23, 59, "2028-02-11"),
    ],
)
def test_no_interest_within_42_days_of_the_citys_calendar(
    clinic: Clinic, captured: str, hour: int, minute: int, due: str
) -> None:
    who = debtor_of(clinic, captured, 100_000, hour, minute)
    last = date.fromisoformat(due)
    assert last - date.fromisoformat(captured) == timedelta(days=42)
    with moved(at(due, 23, 59)):
        told = seen(clinic, who).body
        assert (told["dues"], told["overdue_fen"]) == ([{"due_on": due, "fen": 100_000}], 0)
        assert told["owed"]["interest_fen"] == 0
    with moved(at(f"{last + timedelta(days=1)}", 0, 1)):
        told = seen(clinic, who).body
        assert (told["owed"]["interest_fen"], told["overdue_fen"]) == (50, 100_050)


def test_a_payment_counts_on_its_day_in_the_city(clinic: Clinic) -> None:
    who = debtor_of(clinic, "2027-03-01", 100_000)
    with moved(at("2027-04-12", 23, 59)):
        answer = repay(clinic, who, 50_000)
        assert (answer.body["day"], answer.body["owed_fen"]) == ("2027-04-12", 50_000)
    with moved(at("2027-04-13", 0, 1)):
        answer = repay(clinic, who, 50_000)
        assert (answer.body["day"], answer.body["owed_fen"]) == ("2027-04-13", 25)


def test_a_leap_day_bears_interest_like_any_other(clinic: Clinic) -> None:
    who = debtor_of(clinic, "2028-01-01", 100_000)  # due on 12 February 2028
    with moved(at("2028-03-01", 0, 1)):
        assert interest(clinic, who) == 18 * 50
        told = state(clinic, who, "2028-02").body
    assert (told["interest_fen"], told["until"]) == (18 * 50, "2028-03-01")
    with moved(at("2028-02-29", 23, 59)):
        assert own(clinic, who, "statements/2028-02")["month"] == "2028-02"


def in_force(clinic: Clinic, *policies: Policy) -> None:
    """Puts versions in force as if each had been reviewed."""
    bank = policies[0].city_id, policies[0].bank_id
    key = store.head_key(*bank)
    seen_head = store.head_in(table.fetch([key]), *bank)
    assert seen_head is not None
    life = Life("approved", ("author",), clock.now(), "reviewer")
    listed = {policy.version: Listed(life, policy.valid_from, policy.valid_to) for policy in policies}
    unit = Unit()
    for policy in policies:
        store.save_version(unit, policy)
    latest = max(listed)
    store.save_head(unit, Head(*bank, latest, listed, policies[0].shards, seen_head.revision))
    unit.commit()
    clinic.world.forget()


def test_a_policy_that_changes_in_mid_cycle_makes_nothing_dearer(clinic: Clinic, own_world: World) -> None:
    """The first until 20 April, 42 days and 500 ppm; from then on 10 days at 700 ppm; from 1 June on 100 ppm."""
    april, june = date(2027, 4, 20), date(2027, 6, 1)
    in_force(
        clinic,
        clinic.policy(valid_to=april),
        clinic.policy(
            version=2,
            valid_from=april,
            valid_to=june,
            daily_rate_ppm=700,
            interest_free_days=10,
            reminder_days_before=5,
        ),
        clinic.policy(version=3, valid_from=june, daily_rate_ppm=100, minimum_repayment_fen=10_000),
    )
    who = debtor_of(clinic, "2027-03-01", 100_000)  # due on 12 April, at 500 ppm
    with moved(at("2027-04-15")):
        before = clinic.held(who, 40_000)
    with moved(at("2027-04-20", 0, 1)):
        charged(clinic, who, 20_000)  # due on 30 April, at 700 ppm
        assert clinic.capture(before, 40_000).status == 201  # by the policy of its hold: due on 1 June, at 500 ppm
        dues = seen(clinic, who).body["dues"]
    assert [one["due_on"] for one in dues] == ["2027-04-12", "2027-04-30", "2027-06-01"]
    with moved(at("2027-07-01")):
        # 100,000: 49 or 50 days at 50 (12 April to 31 May = 50 days), and 30 at 10; 20,000: 32 at 14, and 30 at 2;
        # 40,000: 30 days of June at 4.
        assert interest(clinic, who) == 50 * 50 + 30 * 10 + 32 * 14 + 30 * 2 + 30 * 4
        assert repay(clinic, who, 99).code == "repayment-too-small"
        assert repay(clinic, who, 100).status == 201, "a later version does not raise the least of a repayment"
        assert state(clinic, who, "2027-06").status == 200
        for month in ("2027-04", "2027-05", "2027-06"):
            assert own(clinic, who, f"statements/{month}")["closed"]
    check_books(clinic, who)
