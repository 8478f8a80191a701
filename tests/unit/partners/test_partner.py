"""What a partner's entry may say, and what its suspension does to its city's control item."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from chalicelib.cities.rules import Control
from chalicelib.core.auth import PARTNER_KINDS
from chalicelib.core.text import Text
from chalicelib.partners.rules import (
    Partner,
    PartnerInvalid,
    PartnerKind,
    PartnerSuspended,
    Staff,
    check_character,
    check_partner,
    require_partner,
    with_partner,
)

INVENTED = "91000000MA0000001" + check_character("91000000MA0000001")
CONTROL = Control("xiamen", "Asia/Shanghai", suspended_partners=("old-shop",))


def partner(**changes: Any) -> Partner:
    made: dict[str, Any] = {"uscc": INVENTED, "illustrative": True, **changes}
    return Partner("xiamen", "qingliu-farm", "merchant", Text("清流县供销农产", "Qingliu Farm Produce"), **made)


def test_partners_are_of_the_kinds_that_tokens_name() -> None:
    assert get_args(PartnerKind) == PARTNER_KINDS


def test_a_partner_that_is_well_defined_is_itself() -> None:
    good = partner(staff=(Staff("u1", ("author",)), Staff("u2", ("reviewer", "operator"))))
    assert check_partner(good) is good
    assert good.has_role("u2", "reviewer")
    assert not good.has_role("u1", "reviewer")
    assert not good.has_role("u3", "author")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"uscc": INVENTED[:17] + "X"}, "/uscc"),
        ({"illustrative": False}, "/uscc"),
        ({"uscc": "914403001922038216"}, "/uscc"),
        ({"staff": (Staff("u1", ("author",)), Staff("u1", ("reviewer",)))}, "/staff/1/sub"),
    ],
)
def test_a_partner_that_is_not_well_defined_is_refused_at_its_place(changes: Any, pointer: str) -> None:
    with pytest.raises(PartnerInvalid) as refused:
        check_partner(partner(**changes))
    assert [fault.pointer for fault in refused.value.faults] == [pointer]


def test_a_suspended_partner_stands_in_the_control_item_until_it_is_reinstated() -> None:
    suspended = with_partner(CONTROL, partner(status="suspended"))
    assert suspended.suspended_partners == ("old-shop", "qingliu-farm")
    assert with_partner(suspended, partner(status="suspended")) == suspended
    with pytest.raises(PartnerSuspended):
        require_partner(suspended, "qingliu-farm")
    assert with_partner(suspended, partner()) == CONTROL
    require_partner(CONTROL, "qingliu-farm")
