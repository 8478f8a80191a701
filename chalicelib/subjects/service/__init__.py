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

__all__ = [
    "DevelopmentIdentity",
    "IdentityService",
    "enrol",
    "evidence",
    "grant",
    "identify",
    "known_as",
    "lift",
    "live_consents",
    "me",
    "open_pass",
    "own_account",
    "resolve",
    "show_pass",
    "suspend",
    "who_looked",
    "withdraw",
]
