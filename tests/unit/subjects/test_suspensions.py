"""Suspending benefits and restoring them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from chalicelib.subjects.rules import (
    SUSPENSION_KINDS,
    Account,
    AccountRef,
    is_suspended,
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
