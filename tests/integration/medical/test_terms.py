"""Which version of a bank's terms a day's interest goes by: the one that was in force then, however it ended."""

from __future__ import annotations

from datetime import timedelta

from chalicelib.core import clock
from chalicelib.core.commit import Unit
from chalicelib.medical import store
from chalicelib.medical.rules import Life
from chalicelib.medical.rules.heads import Head, Listed
from chalicelib.medical.rules.policy import policy_on
from chalicelib.medical.service.bills import policies_of
from tests.integration.medical.clinic import Clinic


def test_LEDGER_a_version_that_was_ended_sets_nobodys_interest_any_more(clinic: Clinic) -> None:
    now = clock.now()
    today = now.date()
    life = Life("approved", ("author",), now, "reviewer")
    ended = Life("ended", ("author",), now, "reviewer")
    begins = [today - timedelta(days=90), today - timedelta(days=60), today - timedelta(days=30)]
    made = [
        clinic.policy(bank_id="ended-bank", version=n + 10, valid_from=begins[n], daily_rate_ppm=n) for n in range(3)
    ]
    head = Head(
        "xiamen", "ended-bank", 12,
        {
            10: Listed(ended, begins[0], begins[0] + timedelta(days=10)),
            11: Listed(ended, begins[1], begins[1]),
            12: Listed(life, begins[2], None),
        },
    )  # fmt: skip
    unit = Unit()
    for policy in made:
        store.save_version(unit, policy)
    unit.commit()
    policies = policies_of(head)
    assert [policy.version for policy in policies] == [12, 11, 10]
    for day in (today - timedelta(days=n) for n in range(100)):
        found = policy_on(policies, day)
        expected = 12 if day >= begins[2] else 10 if begins[0] <= day < begins[0] + timedelta(days=10) else None
        assert (None if found is None else found.version) == expected
    assert [policy_on(policies, today + timedelta(days=n)) for n in (0, 30)] == [policies[0]] * 2
    assert head.in_force(today) == 12
