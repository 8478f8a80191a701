"""What happens to citizens: one function per verb."""

from chalicelib.subjects.service.accounts import (
    enrol,
    known_as,
    lift,
    live_consents,
    me,
    own_account,
    resolve,
    suspend,
    who_looked,
)
from chalicelib.subjects.service.consents import evidence, grant, withdraw
from chalicelib.subjects.service.identifying import identify
from chalicelib.subjects.service.identity import DevelopmentIdentity, IdentityService
from chalicelib.subjects.service.passes import open_pass, show_pass
from chalicelib.subjects.service.wards import confirm_ward, end_ward, names_ward, own_wards

__all__ = [
    "DevelopmentIdentity",
    "IdentityService",
    "confirm_ward",
    "end_ward",
    "enrol",
    "evidence",
    "grant",
    "identify",
    "known_as",
    "lift",
    "live_consents",
    "me",
    "names_ward",
    "open_pass",
    "own_account",
    "own_wards",
    "resolve",
    "show_pass",
    "suspend",
    "who_looked",
    "withdraw",
]
