"""Giving, renewing and taking back a consent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.core.text import Text
from chalicelib.subjects.rules import (
    LONGEST_CONSENT,
    MAX_CONSENTS,
    Account,
    AccountRef,
    ConsentDraft,
    ConsentFacts,
    ConsentInvalid,
    ConsentRequired,
    ConsentsFull,
    consents_of,
    evidence_of,
    grant,
    require_consent,
    withdraw,
)

NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=30)
LIBRARY = "library:xiamen/city-library"
ACCOUNT = Account(AccountRef("xiamen", "s_someone"), NOW)


def draft(**changes: Any) -> ConsentDraft:
    made: dict[str, Any] = {
        "scenario": "xiamen/library",
        "recipient": LIBRARY,
        "purpose": Text("借书免押金", "Borrow books without a deposit"),
        "items": ("decision",),
        "expires_at": LATER,
        **changes,
    }
    return ConsentDraft(**made)


def with_many(count: int) -> Account:
    account = ACCOUNT
    for number in range(count):
        account, _ = grant(account, draft(scenario=f"xiamen/s{number}"), f"g{number}", NOW)
    return account


def test_CONSENT_holds_for_its_scenario_and_recipient_until_it_expires() -> None:
    account, consent = grant(ACCOUNT, draft(items=("score", "decision")), "g1", NOW)
    assert consent.items == ("decision", "score")
    assert require_consent(account, "xiamen/library", LIBRARY, LATER - timedelta(seconds=1)).grant_id == "g1"
    for scenario, recipient, at in [
        ("xiamen/library", LIBRARY, LATER),
        ("xiamen/bicycle", LIBRARY, NOW),
        ("hangzhou/library", LIBRARY, NOW),
        ("xiamen/library", "library:xiamen/other", NOW),
        ("xiamen/library", "city:xiamen", NOW),
    ]:
        with pytest.raises(ConsentRequired):
            require_consent(account, scenario, recipient, at)


@pytest.mark.parametrize("account", [None, replace(with_many(1), status="closed")])
def test_CONSENT_no_account_and_a_closed_one_are_refused_alike(account: Account | None) -> None:
    with pytest.raises(ConsentRequired) as refused:
        require_consent(account, "xiamen/s0", LIBRARY, NOW)
    assert refused.value.detail == ConsentRequired.title


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(seconds=-1), LONGEST_CONSENT + timedelta(seconds=1)])
def test_a_consent_ends_after_now_and_within_a_year(ahead: timedelta) -> None:
    with pytest.raises(ConsentInvalid) as refused:
        grant(ACCOUNT, draft(expires_at=NOW + ahead), "g1", NOW)
    assert refused.value.faults[0].pointer == "/expires_at"
    grant(ACCOUNT, draft(expires_at=NOW + LONGEST_CONSENT), "g1", NOW)


def test_a_renewed_consent_replaces_the_one_before() -> None:
    first, _ = grant(ACCOUNT, draft(), "g1", NOW)
    second, _ = grant(first, draft(items=("grade",)), "g2", NOW)
    assert [(c.grant_id, c.items) for c in consents_of(second.consents)] == [("g2", ("grade",))]


def test_no_more_than_forty_live_consents() -> None:
    full = with_many(MAX_CONSENTS)
    with pytest.raises(ConsentsFull):
        grant(full, draft(scenario="xiamen/more"), "g", NOW)
    renewed, _ = grant(full, draft(scenario="xiamen/s0"), "g", NOW)
    assert len(renewed.consents) == MAX_CONSENTS
    freed, _ = grant(full, draft(scenario="xiamen/more", expires_at=LATER + timedelta(days=1)), "g", LATER)
    assert list(freed.consents) == [f"xiamen/more>{LIBRARY}"]


def test_CONSENT_a_withdrawn_one_is_gone_and_the_others_stay() -> None:
    two = with_many(2)
    one = withdraw(two, "g0", NOW)
    assert [c.grant_id for c in consents_of(one.consents)] == ["g1"]
    assert withdraw(one, "g0", NOW) is one
    assert withdraw(two, "g-foreign", NOW) is two


def test_evidence_tells_what_has_become_of_a_consent() -> None:
    account, consent = grant(ACCOUNT, draft(), "g1", NOW)
    facts = ConsentFacts("g1", consent.scenario, LIBRARY, draft().purpose, consent.items, consent.expires_at)
    assert evidence_of(account, facts, NOW, NOW).state == "live"
    assert evidence_of(account, facts, NOW, LATER).state == "expired"
    assert evidence_of(withdraw(account, "g1", NOW), facts, NOW, NOW).state == "ended"
    renewed, _ = grant(account, draft(), "g2", NOW)
    assert evidence_of(renewed, facts, NOW, NOW).state == "ended"
