"""Suspending benefits and restoring them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from chalicelib.subjects.rules import (
    SUSPENSION_KINDS,
    Account,
    AccountRef,
    is_suspended,
    overdue_with,
    own_suspensions,
    restore,
    suspend,
    suspensions_of,
)

NOW = datetime(2026, 8, 1, tzinfo=UTC)
ACCOUNT = Account(AccountRef("xiamen", "s_someone"), NOW)


def test_a_suspension_counts_from_its_first_day_until_it_is_lifted() -> None:
    once = suspend(ACCOUNT, "pay_later_parking", NOW)
    assert suspend(once, "pay_later_parking", NOW + timedelta(days=1)) is once
    assert [(s.kind, s.since) for s in suspensions_of(once)] == [("pay_later_parking", NOW)]
    assert restore(once, "pay_later_parking") == ACCOUNT
    assert restore(ACCOUNT, "pay_later_parking") is ACCOUNT


def test_all_benefits_covers_every_kind_and_one_kind_only_itself() -> None:
    assert all(is_suspended(suspend(ACCOUNT, "all_benefits", NOW), kind) for kind in SUSPENSION_KINDS)
    assert not is_suspended(suspend(ACCOUNT, "pay_later_parking", NOW), "all_benefits")
    assert not any(is_suspended(ACCOUNT, kind) for kind in SUSPENSION_KINDS)


def test_every_suspension_has_words_in_both_languages() -> None:
    account = ACCOUNT
    for kind in SUSPENSION_KINDS:
        account = suspend(account, kind, NOW)
    told = suspensions_of(account)
    assert [s.kind for s in told] == list(SUSPENSION_KINDS)
    assert all(s.words.zh and s.words.en for s in told)


def test_each_banks_overdue_bill_suspends_all_benefits_and_is_lifted_by_itself() -> None:
    one, other = overdue_with("xiamen", "demo-bank"), overdue_with("xiamen", "other-bank")
    both = suspend(suspend(ACCOUNT, one, NOW), other, NOW + timedelta(days=1))
    assert all(is_suspended(both, kind) for kind in SUSPENSION_KINDS)
    assert is_suspended(restore(both, one), "all_benefits")
    assert restore(restore(both, one), other) == ACCOUNT
    assert is_suspended(restore(both, "all_benefits"), "all_benefits"), "what a city lifts is another matter"


def test_the_person_reads_with_which_bank_and_the_city_does_not() -> None:
    account = suspend(ACCOUNT, overdue_with("xiamen", "other-bank"), NOW + timedelta(days=1))
    account = suspend(suspend(account, overdue_with("xiamen", "demo-bank"), NOW), "all_benefits", NOW)
    own = [(one.kind, one.bank, one.since) for one in own_suspensions(account)]
    assert own == [
        ("all_benefits", None, NOW), ("overdue", "xiamen/demo-bank", NOW),
        ("overdue", "xiamen/other-bank", NOW + timedelta(days=1)),
    ]  # fmt: skip
    told = suspensions_of(account)
    assert [(one.kind, one.since) for one in told] == [("all_benefits", NOW), ("overdue", NOW)]
    assert "bank" not in {name for one in told for name in one.__slots__}
