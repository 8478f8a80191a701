"""Wards: up to which day somebody is a child's guardian, and what of it is told."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from chalicelib.subjects.rules import AccountRef
from chalicelib.subjects.rules.wards import (
    WardInvalid,
    WardUnknown,
    confirmed,
    ended,
    in_force,
    require_ward,
    ward_view,
)

TODAY, NOW = date(2024, 2, 29), datetime(2024, 2, 29, 4, tzinfo=UTC)
GUARDIAN = AccountRef("xiamen", "s_" + "a" * 26)


@pytest.mark.parametrize("valid_to", [date(2024, 3, 1), date(2042, 3, 1)])
def test_a_child_comes_of_age_within_eighteen_years(valid_to: date) -> None:
    ward = confirmed(GUARDIAN, "w_x", valid_to, NOW, TODAY)
    assert require_ward(ward, valid_to - timedelta(days=1)) is ward
    assert not in_force(ward, valid_to)
    with pytest.raises(WardUnknown):
        require_ward(ward, valid_to)


@pytest.mark.parametrize("valid_to", [TODAY, date(2024, 2, 28), date(2042, 3, 2), date(9999, 12, 31)])
def test_nobody_comes_of_age_before_or_later(valid_to: date) -> None:
    with pytest.raises(WardInvalid):
        confirmed(GUARDIAN, "w_x", valid_to, NOW, TODAY)


def test_a_guardianship_ends_once() -> None:
    ward = confirmed(GUARDIAN, "w_x", date(2030, 1, 1), NOW, TODAY)
    over = ended(ward, NOW + timedelta(hours=1))
    assert (over.ended_at, over.revision) == (NOW + timedelta(hours=1), 2)
    assert ended(over, NOW + timedelta(hours=2)) is over
    for none in (over, None):
        with pytest.raises(WardUnknown):
            require_ward(none, TODAY)
    assert ward_view(over).ended_at == over.ended_at


def test_MINIMAL_a_childs_id_is_as_long_as_anybodys() -> None:
    ward = confirmed(GUARDIAN, "w_" + "b" * 26, date(2030, 1, 1), NOW, TODAY)
    assert len(ward.ref.secret) == len(GUARDIAN.secret)
