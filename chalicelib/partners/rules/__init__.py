"""What is right about partners."""

from chalicelib.partners.rules.partner import (
    Partner,
    PartnerExists,
    PartnerInvalid,
    PartnerKind,
    PartnerSuspended,
    Role,
    Staff,
    UsccTaken,
    check_partner,
    check_staff,
    require_partner,
    with_partner,
)
from chalicelib.partners.rules.uscc import check_character, is_invented, is_uscc

__all__ = [
    "Partner",
    "PartnerExists",
    "PartnerInvalid",
    "PartnerKind",
    "PartnerSuspended",
    "Role",
    "Staff",
    "UsccTaken",
    "check_character",
    "check_partner",
    "check_staff",
    "is_invented",
    "is_uscc",
    "require_partner",
    "with_partner",
]
