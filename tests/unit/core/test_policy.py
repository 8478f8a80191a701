"""What a policy lets through, refusal by refusal in their order. The matrix of all routes is in tests/contract."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.core.auth import PUBLIC, Caller, allow, authorise
from chalicelib.core.errors import Forbidden, InsufficientAuthentication, NotFound, Problem

NOW = datetime(2026, 5, 1, tzinfo=UTC)
BANK = Caller("bank", "xiamen", "egret-bank", frozenset({"limits:write"}), frozenset(), "teller", NOW)
CITIZEN = Caller("citizen", "xiamen", "p1_me", frozenset(), frozenset(), "p1_me", NOW + timedelta(seconds=1))
PATH = {"city_id": "xiamen", "partner_id": "egret-bank"}
LIMITS = allow("bank", scope="limits:write", owner="city_id", tenant="partner_id")


def test_the_owner_goes_on() -> None:
    authorise(LIMITS, BANK, PATH, NOW)


@pytest.mark.parametrize(
    ("caller", "path", "refusal"),
    [
        (replace(BANK, kind="merchant"), PATH, Forbidden),
        (replace(BANK, scopes=frozenset()), PATH, Forbidden),
        (replace(BANK, scopes=frozenset({"limits"})), PATH, Forbidden),
        (BANK, {**PATH, "city_id": "hangzhou"}, NotFound),
        (BANK, {**PATH, "partner_id": "other-bank"}, NotFound),
        (replace(BANK, kind="merchant"), {**PATH, "city_id": "hangzhou"}, Forbidden),
        (replace(BANK, scopes=frozenset()), {**PATH, "city_id": "hangzhou"}, Forbidden),
    ],
)
def test_others_are_refused_in_this_order(caller: Caller, path: dict[str, str], refusal: type[Problem]) -> None:
    with pytest.raises(refusal):
        authorise(LIMITS, caller, path, NOW)


def test_a_face_check_ends_on_the_instant() -> None:
    policy = allow("citizen", liveness=True, tenant="subject_id")
    authorise(policy, CITIZEN, {"subject_id": "p1_me"}, NOW)
    for until in (NOW, None):
        with pytest.raises(InsufficientAuthentication):
            authorise(policy, replace(CITIZEN, live_until=until), {"subject_id": "p1_me"}, NOW)
    with pytest.raises(InsufficientAuthentication):
        authorise(policy, replace(CITIZEN, live_until=None), {"subject_id": "p1_other"}, NOW)


def test_a_citizen_needs_no_scope_and_sees_only_himself() -> None:
    policy = allow("citizen", "city", scope="subjects:write", owner="city_id", tenant="subject_id")
    authorise(policy, CITIZEN, {"city_id": "xiamen", "subject_id": "p1_me"}, NOW)
    for path in ({"city_id": "xiamen", "subject_id": "p1_other"}, {"city_id": "fuzhou", "subject_id": "p1_me"}):
        with pytest.raises(NotFound):
            authorise(policy, CITIZEN, path, NOW)


def test_a_city_sees_its_own_partners_and_no_other_citys() -> None:
    policy = allow("city", owner="city_id", tenant="partner_id")
    city = Caller("city", "xiamen", "xiamen", frozenset(), frozenset(), "op")
    authorise(policy, city, PATH, NOW)
    with pytest.raises(NotFound):
        authorise(policy, city, {**PATH, "city_id": "hangzhou"}, NOW)


@pytest.mark.parametrize("kind", ["alliance", "auditor"])
def test_the_alliance_belongs_to_no_one_city(kind: str) -> None:
    caller = Caller(kind, "alliance", kind, frozenset({"receipts:read"}), frozenset(), "a")  # type: ignore[arg-type]
    policy = allow("alliance", "auditor", scope="receipts:read", owner="city_id")
    authorise(policy, caller, PATH, NOW)
    with pytest.raises(Forbidden):
        authorise(policy, replace(caller, scopes=frozenset()), PATH, NOW)
    with pytest.raises(Forbidden):
        authorise(allow("city", owner="city_id"), caller, PATH, NOW)


def test_only_a_policy_without_actors_is_public() -> None:
    assert PUBLIC.public
    assert not LIMITS.public


def test_sectors_of_two_institutions_never_meet() -> None:
    twin = replace(BANK, kind="merchant")
    away = replace(BANK, city_id="hangzhou")
    other = replace(BANK, tenant="other-bank")
    city = Caller("city", "xiamen", "xiamen", frozenset(), frozenset(), "op")
    assert len({c.sector for c in (BANK, twin, away, other, city)}) == 5
    assert city.sector == CITIZEN.sector == "city:xiamen"
